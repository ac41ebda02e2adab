// SPDX-License-Identifier: Apache-2.0
// Text that fits a terminal: lines wrapped between words, names cut in their middle.
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <regmix/command.h>

enum { USUAL = 80, LEAST = 20, DEEPEST = 32 };  // columns; DEEPEST: of an indentation

int rmx_terminal_columns(int fd) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char *columns = isatty(fd) ? getenv("COLUMNS") : NULL;
  const int n = columns ? atoi(columns) : 0;
  return n > 0 ? n : USUAL;
}

// Where the second line of a line begins: below its text, which may follow a word or two and a wide
// gap, as in "corpus      4 domains".
static int indent_of(const char *line, size_t n) {
  size_t at = strspn(line, " "), blanks;
  size_t indent = at < n ? at : 0;
  for (size_t i = at; i < n && i < DEEPEST; i += blanks ? blanks : 1) {
    blanks = strspn(line + i, " ");
    if (blanks > 1 && i + blanks < n && i + blanks < DEEPEST) indent = i + blanks;
  }
  return (int)indent;
}

static int columns_of(const char *text, size_t n) {
  RMX_OWNED char *copy = rmx_format("%.*s", (int)n, text);
  return copy ? rmx_columns(copy) : (int)n;
}

// The bytes of the first word of n bytes; "12 %" is one.
static size_t word_in(const char *text, size_t n) {
  size_t word = 0;
  do {
    word += strcspn(text + word, " ");
  } while (word + 1 < n && text[word] == ' ' && text[word + 1] == '%' && word++ < n);
  return word < n ? word : n;
}

// A line of n bytes. `at`: the columns that are taken in front of it.
static void wrap_line(FILE *f, const char *line, size_t n, int at, int room) {
  const int indent = indent_of(line, n);
  size_t i = strspn(line, " ");
  if (i > n) i = n;
  fprintf(f, "%*s", (int)i, "");
  at += (int)i;
  for (bool first = true; i < n; first = false) {
    const size_t word = word_in(line + i, n - i);
    size_t gap = strspn(line + i + word, " ");
    if (gap > n - i - word) gap = n - i - word;
    fwrite(line + i, 1, word, f);
    at += columns_of(line + i, word);
    i += word + gap;
    if (i >= n) break;
    if (at + (int)gap + columns_of(line + i, word_in(line + i, n - i)) > room &&
        !(first && at <= indent)) {
      fprintf(f, "\n%*s", indent, "");
      at = indent;
    } else {
      fprintf(f, "%*s", (int)gap, "");
      at += (int)gap;
    }
  }
}

void rmx_print_wrapped(FILE *f, const char *text, int at) {
  const int fd = fileno(f), columns = rmx_terminal_columns(fd),
            room = columns > LEAST ? columns : LEAST;
  if (!isatty(fd)) {
    fputs(text, f);
    return;
  }
  for (size_t n; *text; at = 0) {
    n = strcspn(text, "\n");
    wrap_line(f, text, n, at, room);
    text += n;
    if (*text) fputc(*text++, f);
  }
}

const char *rmx_cut(const char *name, int width, char out[RMX_CUT]) {
  const char *end = name;
  if (rmx_columns(name) <= width) return name;
  const int head = (width - 2) / 2, tail = width - 2 - head;
  while (rmx_columns(end) > tail) do
      end++;
    while (((unsigned char)*end & 0xc0) == 0x80);
  size_t n = strlen(name);
  while (n && columns_of(name, n) > head) do
      n--;
    while (n && ((unsigned char)name[n] & 0xc0) == 0x80);
  snprintf(out, RMX_CUT, "%.*s..%s", (int)n, name, end);
  return out;
}

static bool differ(const char *const *names, size_t n, int width) {
  char a[RMX_CUT], b[RMX_CUT];
  for (size_t i = 0; i < n; i++) {
    const char *one = rmx_cut(names[i], width, a);
    for (size_t j = 0; one == a && j < n; j++)
      if (j != i && strcmp(one, rmx_cut(names[j], width, b)) == 0) return false;
  }
  return true;
}

int rmx_cut_width(const char *const *names, size_t n, int width) {
  enum { MANY = 300 };  // to compare each with each
  const int whole = rmx_width(names, n, 0);
  if (n > MANY) return whole;
  while (width < whole && !differ(names, n, width)) width++;
  return width < whole ? width : whole;
}
