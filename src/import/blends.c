// SPDX-License-Identifier: Apache-2.0
// Blends of Megatron-LM as a swarm: "weight path weight path ...". A file of a folder (or of a
// pattern) is a run with the stem as its name, or each line of one file is a run, if each has
// several pairs. The weights are divided by their sum, as Megatron does. A domain is named by its
// path without the folders that all paths share and without "_text_document".

#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "base/path.h"
#include "formats.h"
#include "gather.h"

enum { FILE_MAX = 1 << 24, NAME_MAX_BYTES = 200 };
static const char blanks[] = " \t\r\n\\";

static bool is_number(const char *text, size_t n) {
  char word[64], *end;
  if (n == 0 || n >= sizeof word) return false;
  memcpy(word, text, n);
  word[n] = '\0';
  return rmx__strtod(word, &end) >= 0 && !*end && !strpbrk(word, "xXnN");
}

bool rmx__is_blend(const char *text, bool whole) {
  size_t words = 0, paths = 0;
  const char *end = text + strlen(text);
  while (*text) {
    const size_t blank = strspn(text, blanks), n = strcspn(text + blank, blanks);
    text += blank;
    if (n == 0 || (!whole && text + n == end)) break;  // the last word may be cut
    const bool number = is_number(text, n);
    if (words % 2 == 0 ? !number : number || memchr(text, ',', n) != NULL) return false;
    paths += words++ % 2;
    text += n;
  }
  return paths > 0 && (!whole || words % 2 == 0);
}

// Whether a file is a blend, by its first bytes.
static bool is_blend_file(const char *path) {
  char head[4096];
  FILE *f = rmx_fopen(path, "rb");
  if (!f) return false;
  const size_t n = fread(head, 1, sizeof head - 1, f);
  fclose(f);
  head[n] = '\0';
  return strlen(head) == n && rmx__is_blend(head, n < sizeof head - 1);
}

static bool sniff(const rmx__source *s) {
  if (s->cells) return false;
  if (!s->folder && !s->pattern) return is_blend_file(s->path);
  if (s->options->what != RMX_IMPORT_MIXTURES) return false;
  for (size_t i = 0; i < s->files.n; i++)
    if (is_blend_file(s->files.items[i])) return true;
  return false;
}

typedef struct pair {
  size_t run, path;  // places in texts
  double weight;
} pair;
typedef struct swarm {
  rmx_buf texts;
  pair *pairs;
  size_t n, room, n_runs;
} swarm;

static rmx_status keep(swarm *w, const char *text, size_t n, size_t *at, rmx_err *err) {
  *at = w->texts.size;
  rmx_buf_add(&w->texts, text, n);
  rmx_buf_add(&w->texts, "", 1);
  return w->texts.failed ? rmx_fail_memory(err, n, "a blend") : RMX_OK;
}

static rmx_status add_pair(swarm *w, size_t run, double weight, const char *path, size_t n,
                           rmx_err *err) {
  if (w->n == w->room) {
    const size_t room = w->room ? 2 * w->room : 64;
    pair *grown = rmx_realloc(w->pairs, room, sizeof *grown);
    if (!grown) return rmx_fail_memory(err, room * sizeof *grown, "a blend");
    w->pairs = grown;
    w->room = room;
  }
  w->pairs[w->n] = (pair){.run = run, .weight = weight};
  RMX_TRY(keep(w, path, n, &w->pairs[w->n].path, err));
  w->n++;
  return RMX_OK;
}

// Takes the pairs of a text; they are divided by their sum.
static rmx_status take_blend(swarm *w, const char *where, const char *name, const char *text,
                             rmx_err *err) {
  const size_t first = w->n;
  size_t run;
  double sum = 0;
  RMX_TRY(keep(w, name, strlen(name), &run, err));
  if (!rmx__is_blend(text, true))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: not a blend of Megatron: wanted a weight, a path, a weight, a path, ...",
                    where);
  for (text += strspn(text, blanks); *text; text += strspn(text, blanks)) {
    const double weight = rmx__strtod(text, NULL);
    text += strcspn(text, blanks);
    text += strspn(text, blanks);
    const size_t n = strcspn(text, blanks);
    RMX_TRY(add_pair(w, run, weight, text, n, err));
    sum += weight;
    text += n;
  }
  if (!(sum > 0 && sum < 1e100))
    return rmx_fail(err, RMX_EINPUT, "%s: the weights sum to %g; wanted a positive sum", where,
                    sum);
  for (size_t i = first; i < w->n; i++) w->pairs[i].weight /= sum;
  w->n_runs++;
  return RMX_OK;
}

// Whether each line is a blend of two pairs or more.
static bool is_run_a_line(const char *text) {
  size_t lines = 0;
  while (*text) {
    const size_t n = strcspn(text, "\n");
    size_t words = 0;
    for (size_t i = 0; i < n; i++)
      words += !strchr(blanks, text[i]) && (i == 0 || strchr(blanks, text[i - 1]));
    if (words % 2 || words == 2 || memchr(text, '\\', n)) return false;
    lines += words > 0;
    text += n + (text[n] == '\n');
  }
  return lines > 1;
}

static rmx_status take_lines(swarm *w, const char *path, char *text, rmx_err *err) {
  char *rest = NULL;
  size_t number = 0;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char name[24];
    if (!line[strspn(line, blanks)]) continue;
    snprintf(name, sizeof name, "%zu", ++number);
    RMX_OWNED char *where = rmx_format("%s:%s", path, name);
    RMX_TRY(where ? take_blend(w, where, name, line, err) : rmx_fail_memory(err, 64, path));
  }
  return RMX_OK;
}

static rmx_status take_file(swarm *w, const char *path, bool alone, rmx_err *err) {
  RMX_OWNED char *text = NULL;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  if (size > FILE_MAX || strlen(text) < size)
    return rmx_fail(err, RMX_EINPUT, "%s: not a blend of Megatron (it is not text, or too long)",
                    path);
  if (alone && is_run_a_line(text)) return take_lines(w, path, text, err);
  const char *stem = rmx__file_name(path), *dot = strrchr(stem, '.');
  RMX_OWNED char *name =
      rmx_format("%.*s", dot && dot != stem ? (int)(dot - stem) : (int)strlen(stem), stem);
  return name ? take_blend(w, path, name, text, err) : rmx_fail_memory(err, 64, path);
}

// Bytes of the folders that all paths share.
static size_t shared_folders(const swarm *w) {
  const char *first = w->texts.data + w->pairs[0].path;
  size_t n = strlen(first);
  for (size_t i = 1; i < w->n; i++) {
    const char *path = w->texts.data + w->pairs[i].path;
    size_t same = 0;
    while (same < n && path[same] == first[same]) same++;
    n = same;
  }
  while (n > 0 && first[n - 1] != '/') n--;
  return n;
}

static size_t domain_length(const char *path) {
  static const char *const tails[] = {"_text_document", "_text_sentence", "_document"};
  size_t n = strlen(path);
  for (size_t k = 0; k < sizeof tails / sizeof *tails; k++)
    if (rmx__ends_in(path, tails[k]) && n > strlen(tails[k])) return n - strlen(tails[k]);
  return n;
}

static rmx_status gather(const swarm *w, const char *path, rmx__gather *g, rmx_err *err) {
  const size_t shared = shared_folders(w);
  for (size_t i = 0; i < w->n; i++) {
    const char *run = w->texts.data + w->pairs[i].run,
               *domain = w->texts.data + w->pairs[i].path + shared;
    RMX_OWNED char *name = rmx_format("%.*s", (int)domain_length(domain), domain);
    char weight[32];
    bool had;
    rmx_double_text(w->pairs[i].weight, weight);
    if (!name) return rmx_fail_memory(err, 64, path);
    RMX_TRY(rmx__gather_put(g, run, name, weight, 0, &had, err));
    if (had)
      return rmx_fail(err, RMX_EINPUT, "%s: run \"%.60s\" has \"%.100s\" twice", path, run, name);
  }
  return RMX_OK;
}

static rmx_status take_files(const rmx__source *s, swarm *w, rmx_err *err) {
  if (!s->folder && !s->pattern) return take_file(w, s->path, true, err);
  for (size_t i = 0; i < s->files.n; i++)
    if (s->pattern || is_blend_file(s->files.items[i]))
      RMX_TRY(take_file(w, s->files.items[i], false, err));
  return RMX_OK;
}

static rmx_status read_blends(const rmx__source *s, rmx_table *out, rmx_err *err) {
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  swarm w = {0};
  if (s->options->what != RMX_IMPORT_MIXTURES)
    return rmx_fail(err, RMX_EINPUT, "%s: a Megatron blend is a mixture and has no metrics",
                    s->path);
  rmx_status status = take_files(s, &w, err);
  if (status == RMX_OK) status = gather(&w, s->path, &g, err);
  if (status == RMX_OK && g.n_rows < w.n_runs)
    status = rmx_fail(err, RMX_EINPUT, "%s: two blends have the same name; rename one of the files",
                      s->path);
  rmx_buf_release(&w.texts);
  free(w.pairs);
  RMX_TRY(status);
  rmx_note(s->listener,
           "%s: %zu blend%s of Megatron with %zu path%s, each a domain; the weights are divided by "
           "their sum",
           s->path, g.n_rows, rmx_s(g.n_rows), g.n_columns, rmx_s(g.n_columns));
  return rmx__import_gathered(s, &g, "run", "0", false, out, err);
}

const rmx__table_format rmx__format_blends = {
    .name = "megatron",
    .help = "Megatron blends (weight path weight path ...), a folder of them or one a line",
    .sniff = sniff,
    .read = read_blends,
};
