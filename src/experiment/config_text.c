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
  RMX_OWNED char *glob = glob_for(files);
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
}

// Finds the target among the names (n) of domains, and writes that it is protected. *target NULL:
// none was given.
static rmx_status add_target(rmx_buf *b, const char *const *names, size_t n, char **target,
                             rmx_err *err) {
  size_t at;
  if (!*target) return RMX_OK;
  rmx_status status = rmx_find_name("target", *target, names, n, &at, err);
  free(*target);
  *target = status == RMX_OK ? rmx_strdup(names[at]) : NULL;
  RMX_TRY(status);
  if (!*target) return rmx_fail_memory(err, 0, "the config");
  rmx_buf_puts(b,
               "  protect:            # the target's validation text is kept out of all "
               "training text\n    - ");
  rmx_put_yaml(b, *target);
  rmx_buf_puts(b, "\n");
  return RMX_OK;
}

static rmx_status add_example(rmx_buf *b, char **target, rmx_err *err) {
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

// A field that could divide the text, if it is only one domain.
static void suggest_field(const rmx_discovery *found, const rmx_listener *to) {
  const rmx_corpus_options o = {.text_field = "text", .separator = "%", .skip_bad = true};
  rmx_values_look look;
  rmx_err ignored;
  if (found->n != 1 ||
      rmx_corpus_values(&o, found->domains, found->n, ".", &look, &ignored) != RMX_OK)
    return;
  if (*look.fields)
    rmx_warn(to,
             "all of the text is one domain, \"%s\"; --domain-field could divide the documents by "
             "one of these fields: %s",
             found->domains->name, look.fields);
  rmx_values_look_release(&look);
}

static rmx_status add_found(rmx_buf *b, const rmx_discovery *found, char **target, rmx_err *err) {
  const char **names = rmx_calloc(found->n, sizeof *names);
  if (!names) return rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; i < found->n; i++) {
    names[i] = found->domains[i].name;
    rmx_put_yaml_key(b, 4, names[i]);
    rmx_buf_puts(b, "\n");
    add_files(b, "files", &found->domains[i].files);
    add_files(b, "valid_files", &found->domains[i].valid_files);
  }
  rmx_status status = add_target(b, names, found->n, target, err);
  free(names);
  return status;
}

static void add_list(rmx_buf *b, const char *key, const rmx_strings *list) {
  if (list->n) rmx_buf_printf(b, "  %s:\n", key);
  for (size_t i = 0; i < list->n; i++) {
    rmx_buf_puts(b, "    - ");
    rmx_put_yaml(b, list->items[i]);
    rmx_buf_puts(b, "\n");
  }
}

// Writes the folder and the field that divides it, with the domains of the first documents.
static rmx_status add_divided(rmx_buf *b, const rmx_config_wanted *w, const rmx_discovery *found,
                              char **target, rmx_err *err) {
  const rmx_corpus_options o = {.domain_field = w->domain_field,
                                .text_field = "text",
                                .separator = "%",
                                .max_hosts = 20,
                                .max_domains = 1000,
                                .skip_bad = true};
  rmx_values_look look;
  RMX_TRY(rmx_corpus_values(&o, found->domains, found->n, ".", &look, err));
  rmx_buf_puts(b, "  folder: ");
  rmx_put_quoted(b, w->text);
  rmx_buf_puts(b, "\n");
  add_list(b, "leave_out", &w->leave_out);
  rmx_buf_puts(b, "  domain_field: ");
  rmx_put_yaml(b, w->domain_field);
  rmx_buf_printf(b, "\n  # The domains of %s %llu documents:\n", look.all ? "all" : "the first",
                 (unsigned long long)look.n);
  for (size_t i = 0; i < look.names.n; i++)
    rmx_buf_printf(b, "  #   %s: %llu\n", look.names.items[i],
                   (unsigned long long)look.documents[i]);
  rmx_status status =
      add_target(b, (const char *const *)look.names.items, look.names.n, target, err);
  rmx_values_look_release(&look);
  return status;
}

// Writes the domains found, or an example, and finds the target among them. *target NULL: none was
// given.
static rmx_status add_domains(rmx_buf *b, const rmx_config_wanted *w, const rmx_listener *to,
                              char **target, rmx_err *err) {
  rmx_discovery found;
  rmx_buf_puts(b, "corpus:\n");
  if (w->domain_field && !w->text)
    return rmx_fail(err, RMX_EUSAGE, "--domain-field needs --text, the folder that it divides");
  if (!w->domain_field)
    rmx_buf_puts(b,
                 "  domains:            # name: files (globs; .txt, .jsonl or .json, also .gz or "
                 ".zst)\n");
  if (!w->text) return add_example(b, target, err);
  RMX_TRY((w->domain_field ? rmx_corpus_discover_files : rmx_corpus_discover)(
      w->text, &w->leave_out, ".", &found, err));
  rmx_discovery_report(&found, to);
  if (!w->domain_field) suggest_field(&found, to);
  rmx_status status =
      w->domain_field ? add_divided(b, w, &found, target, err) : add_found(b, &found, target, err);
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

rmx_status rmx_config_text(const rmx_config_wanted *w, const rmx_listener *to, char **target,
                           rmx_buf *b, rmx_err *err) {
  rmx_buf_puts(b,
               "# An experiment of regmix. Lines that begin with # show the defaults. `regmix "
               "plan` prints what it costs.\n\n");
  RMX_TRY(add_domains(b, w, to, target, err));
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    if (strcmp(s->prefix, "corpus") == 0) add_keys(b, s, "  ");
  }
  if (!*target)
    rmx_note(to,
             "no target is set; write the domain that should improve into regmix.yaml, at "
             "`target`");
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
