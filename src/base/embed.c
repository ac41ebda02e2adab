// SPDX-License-Identifier: Apache-2.0
// A tool of the build: embed OUT.c TABLE NAME=FILE ... writes the files as C string literals and
// TABLE, the list of them. Literals compile many times faster than lists of numbers. Lines are kept
// short for the sake of editors. A `//# sourceMappingURL=` at the end of a script is left out,
// since the map is not there.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *what, const char *name) {
  fprintf(stderr, "embed: %s %s\n", what, name);
  exit(1);
}

static char *read_whole(const char *path, size_t *size) {
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END) != 0) die("cannot read", path);
  long length = ftell(f);
  if (length < 0 || fseek(f, 0, SEEK_SET) != 0) die("cannot read", path);
  char *data = malloc((size_t)length + 1);
  if (!data) die("no memory for", path);
  if (fread(data, 1, (size_t)length, f) != (size_t)length) die("cannot read", path);
  fclose(f);
  data[length] = '\0';
  *size = (size_t)length;
  return data;
}

static void write_literal(FILE *out, const char *data, size_t size) {
  fputs("  \"", out);
  int column = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)data[i];
    if (c == '\n')
      column += fprintf(out, "\\n");
    else if (c == '"' || c == '\\' || c == '?')
      column += fprintf(out, "\\%c", c);  // \? keeps trigraphs away
    else if (isprint(c))
      column += fprintf(out, "%c", c);
    else
      column += fprintf(out, "\\%03o", c);
    if ((c == '\n' || column >= 100) && i + 1 < size) {
      fputs("\"\n  \"", out);
      column = 0;
    }
  }
  fputs("\"", out);
}

int main(int argc, char **argv) {
  if (argc < 4) die("usage: embed OUT.c TABLE", "NAME=FILE ...");
  FILE *out = fopen(argv[1], "wb");
  if (!out) die("cannot write", argv[1]);
  fputs("#include \"base/asset.h\"\n\n", out);
  for (int i = 3; i < argc; i++) {
    char *equals = strchr(argv[i], '=');
    if (!equals) die("wanted NAME=FILE, got", argv[i]);
    size_t size;
    char *data = read_whole(equals + 1, &size);
    char *map = strstr(data, "\n//# sourceMappingURL=");
    if (map) size = (size_t)(map - data) + 1;
    fprintf(out, "static const char asset_%d[] =\n", i);
    write_literal(out, data, size);
    fputs(";\n\n", out);
    free(data);
  }
  fprintf(out,
          "extern const rmx__asset %s[];\nextern const size_t %s_n;\nconst rmx__asset %s[] = {\n",
          argv[2], argv[2], argv[2]);
  for (int i = 3; i < argc; i++)
    fprintf(out, "  {\"%.*s\", asset_%d, sizeof asset_%d - 1},\n", (int)strcspn(argv[i], "="),
            argv[i], i, i);
  fprintf(out, "};\nconst size_t %s_n = %d;\n", argv[2], argc - 3);
  if (fclose(out) != 0) die("cannot write", argv[1]);
  return 0;
}
