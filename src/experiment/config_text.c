// SPDX-License-Identifier: Apache-2.0
// Writes a regmix.yaml to start with; its comments come from the option tables.
#include <regmix/experiment.h>
#include <stdlib.h>
#include <string.h>

// One glob, if it matches exactly these files; else NULL.
static char *glob_for(const rmx_strings *files) {
  const char *first = files->items[0], *slash = strrchr(first, '/');
  if (files->n < 2 || !slash || strpbrk(first, "\\{")) return NULL;
  // of the extension; after a shard's number if the number contains a dot
  const char *dot = strchr(slash + 1, '.');
  for (const char *next; dot && (next = strchr(dot + 1, '.')) && dot[1] >= '0' && dot[1] <= '9';)
    dot = next;
  char *glob = dot ? rmx_format("%.*s*%s", (int)(slash + 1 - first), first, dot) : NULL;
  rmx_strings found = {0};
  rmx_err ignored;
  bool same = glob && rmx_glob(glob, &found, &ignored) == RMX_OK && found.n == files->n;
  for (size_t i = 0; same && i < found.n; i++) same = strcmp(found.items[i], files->items[i]) == 0;
  rmx_strings_release(&found);
  if (same) return glob;
  free(glob);
  return NULL;
}

static void add_files(rmx_buf *b, const char *key, const rmx_strings *files) {
  if (files->n == 0) return;
  char *glob = glob_for(files);
  rmx_buf_printf(b, "      %s:%s", key, glob ? " " : "\n");
  if (glob) {
    rmx_put_quoted(b, glob);
    rmx_buf_puts(b, "\n");
  }
  for (size_t j = 0; !glob && j < files->n; j++) {
    rmx_buf_puts(b, "        - ");
    rmx_put_quoted(b, files->items[j]);
    rmx_buf_puts(b, "\n");
  }
  free(glob);
}

// Writes the domains found, or an example, and finds the target among them. *target NULL: none was
// given.
static rmx_status add_domains(rmx_buf *b, const char *text, const rmx_strings *leave_out,
                              const rmx_listener *to, char **target, rmx_err *err) {
  rmx_buf_puts(b,
               "corpus:\n  domains:            # name: files (globs; .txt, .jsonl or .json, also "
               ".gz or .zst)\n");
  if (!text) {
    if (!*target && !(*target = rmx_strdup("exam"))) return rmx_fail_memory(err, 0, "the config");
    rmx_buf_puts(b,
                 "    web: text/web/*.jsonl.gz\n    code: text/code/*.jsonl.gz\n    books: "
                 "text/books/*.txt\n");
    rmx_put_yaml_key(b, 4, *target);
    rmx_buf_puts(b,
                 "               # the text on which the model should improve\n      files: "
                 "text/exam.txt\n      valid_only: true  # never trained on\n");
    return RMX_OK;
  }
  rmx_discovery found;
  RMX_TRY(rmx_corpus_discover(text, leave_out, ".", &found, err));
  rmx_discovery_report(&found, to);
  const char **names = rmx_calloc(found.n, sizeof *names);
  rmx_status status = names ? RMX_OK : rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; names && i < found.n; i++) {
    names[i] = found.domains[i].name;
    rmx_put_yaml_key(b, 4, names[i]);
    rmx_buf_puts(b, "\n");
    add_files(b, "files", &found.domains[i].files);
    add_files(b, "valid_files", &found.domains[i].valid_files);
  }
  size_t at;
  if (status == RMX_OK && *target) {
    status = rmx_find_name("target", *target, names, found.n, &at, err);
    free(*target);
    *target = status == RMX_OK ? rmx_strdup(names[at]) : NULL;
    if (status == RMX_OK && !*target) status = rmx_fail_memory(err, 0, "the config");
    if (status == RMX_OK) {
      rmx_buf_puts(b,
                   "  protect:            # the target's validation text is kept out of all "
                   "training text\n    - ");
      rmx_put_yaml(b, *target);
      rmx_buf_puts(b, "\n");
    }
  }
  free(names);
  rmx_discovery_release(&found);
  return status;
}

static void add_keys(rmx_buf *b, const rmx_section *s, const char *indent) {
  for (size_t j = 0; j < *s->n; j++) {
    char key[128];
    snprintf(key, sizeof key, "%s%s%s", s->prefix, *s->prefix ? "." : "", s->table[j].key);
    const char *initial = rmx_config_initial(key, &s->table[j]);
    char line[160];
    snprintf(line, sizeof line, "%s# %s: %s", indent, s->table[j].key, initial ? initial : "");
    rmx_buf_printf(b, "%-34s # %s\n", line, s->table[j].help);
  }
}

rmx_status rmx_config_text(const char *text, const rmx_strings *leave_out, const rmx_listener *to,
                           char **target, rmx_buf *b, rmx_err *err) {
  rmx_buf_puts(b,
               "# An experiment of regmix. Lines that begin with # show the defaults. `regmix "
               "plan` prints what it costs.\n\n");
  RMX_TRY(add_domains(b, text, leave_out, to, target, err));
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    if (strcmp(s->prefix, "corpus") == 0) add_keys(b, s, "  ");
  }
  // Without a target, `run` reports that it is missing. An invented name would give a less clear
  // error.
  rmx_buf_puts(b, *target ? "\ntarget: " : "\n# target: DOMAIN");
  if (*target) rmx_put_yaml(b, *target);
  rmx_buf_puts(b, "         # the domain (or metric) to improve, or a map `domain: weight`\n");
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    if (strcmp(s->prefix, "corpus") == 0) continue;
    rmx_buf_printf(b, "\n# %s\n", s->help);
    if (*s->prefix) rmx_buf_printf(b, "%s:\n", s->prefix);
    add_keys(b, s, *s->prefix ? "  " : "");
  }
  return b->failed ? rmx_fail_memory(err, b->size, "the config") : RMX_OK;
}
