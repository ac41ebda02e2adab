// SPDX-License-Identifier: Apache-2.0
// Writes a regmix.yaml to start with; its comments come from the option tables.
#include <regmix/experiment.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"
#include "corpus/domains/value_name.h"
#include "corpus/readers/find_text.h"
#include "corpus/readers/reader.h"
#include "corpus/readers/shard_name.h"
#include "corpus/utf8.h"

enum { MOST_GLOBS = 8 };

// The endings of a name, after a shard's number if the number contains a dot; NULL: it has none.
static const char *endings_of(const char *path) {
  const char *dot = strchr(rmx__file_name(path), '.');
  for (const char *next; dot && (next = strchr(dot + 1, '.')) && dot[1] >= '0' && dot[1] <= '9';)
    dot = next;
  return dot;
}

// Length of the folder that contains all files, with its slash; *deep: some are in folders in it.
static size_t common_folder(const rmx_strings *files, bool *deep) {
  const char *first = files->items[0], *slash = strrchr(first, '/');
  size_t size = slash ? (size_t)(slash + 1 - first) : 0;
  for (size_t i = 1; i < files->n; i++) {
    while (size && strncmp(files->items[i], first, size) != 0) {
      size--;
      while (size && first[size - 1] != '/') size--;
    }
  }
  *deep = false;
  for (size_t i = 0; i < files->n; i++) *deep = *deep || strchr(files->items[i] + size, '/');
  return size;
}

static bool add_once(rmx_strings *list, char *item) {
  if (!item) return false;
  const bool good = rmx_strings_have(list, item) || rmx_strings_add(list, item);
  free(item);
  return good;
}

// Length of the part of a path before the number of the shard: "t/c4.00000-of-01024.json" ->
// "t/c4.".
static size_t before_shard(const char *path, size_t folder) {
  const char *name = path + folder;
  const size_t stem = rmx__stem(name), size = rmx__without_shard(name, stem);
  if (rmx__is_shard_id(name) || size == stem) return folder;
  return folder + size + (strchr("-_.", name[size]) != NULL);
}

// Leaves out files without a byte, which do no harm if they are read.
static void drop_empty(rmx_strings *files) {
  size_t n = 0;
  for (size_t i = 0; i < files->n; i++) {
    struct stat info;
    size_t stem;
    const rmx__format *f = rmx__format_of(files->items[i]);
    if (stat(files->items[i], &info) == 0 && info.st_size == 0 && f &&
        !(f->flags & RMX__FORMAT_RANDOM) && !rmx__compression_of(files->items[i], &stem))
      free(files->items[i]);
    else
      files->items[n++] = files->items[i];
  }
  files->n = n;
}

// A glob for each ending of the files, which begin with the same `size` bytes; or, if some are in
// folders in it, in this folder (deep). False: together they do not match exactly these files.
static bool try_globs(const rmx_strings *files, size_t size, bool deep, rmx_strings *globs) {
  bool good = true;
  for (size_t i = 0; i < files->n && good && globs->n <= MOST_GLOBS; i++) {
    const char *endings = endings_of(files->items[i]);
    good = endings && !strpbrk(endings, "\\{") &&
           add_once(globs, rmx_format("%.*s%s*%s", (int)size, files->items[0], deep ? "**/" : "",
                                      endings));
  }
  rmx_strings found = {0}, wanted = {0};
  rmx_few unread = {0};
  rmx_err ignored;
  for (size_t i = 0; i < globs->n && good; i++)
    good = rmx__find_text(globs->items[i], &found, &unread, &ignored) == RMX_OK;
  for (size_t i = 0; i < files->n && good; i++) good = rmx_strings_add(&wanted, files->items[i]);
  if (good) drop_empty(&found);
  good = good && globs->n <= MOST_GLOBS && globs->n < files->n && found.n == files->n;
  if (good) rmx_strings_sort(&found), rmx_strings_sort(&wanted);
  for (size_t i = 0; good && i < found.n; i++) good = strcmp(found.items[i], wanted.items[i]) == 0;
  rmx_strings_release(&found);
  rmx_strings_release(&wanted);
  if (!good) rmx_strings_release(globs);
  return good;
}

// Globs for files, so that files that are added later are read too; none if there are none. Only
// ** leaves out readmes, licences and the like. text: the folder of all domains; globs for files in
// it begin with their name.
static void globs_for(const rmx_strings *files, const char *text, rmx_strings *globs) {
  bool deep;
  if (files->n < 2 || strpbrk(files->items[0], "\\{")) return;
  const size_t size = common_folder(files, &deep), top = strlen(text) + 1;
  if (!deep && size == top && strncmp(files->items[0], text, top - 1) == 0) {
    try_globs(files, before_shard(files->items[0], size), false, globs);
    return;
  }
  if (size && (deep || !try_globs(files, size, false, globs))) try_globs(files, size, true, globs);
}

// A config is UTF-8.
static rmx_status check_path(const char *path, rmx_err *err) {
  if (rmx__utf8_valid_prefix(path, strlen(path)) == strlen(path)) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: its name is not UTF-8, so regmix.yaml cannot name it; rename it, or leave it "
      "out with --leave-out",
      path);
}

static rmx_status add_files(rmx_buf *b, const char *key, const rmx_strings *files, const char *text,
                            rmx_err *err) {
  if (files->n == 0) return RMX_OK;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings globs = {0};
  globs_for(files, text, &globs);
  const rmx_strings *list = globs.n ? &globs : files;
  for (size_t j = 0; j < list->n; j++) RMX_TRY(check_path(list->items[j], err));
  rmx_buf_printf(b, "      %s:%s", key, globs.n == 1 ? " " : "\n");
  for (size_t j = 0; j < list->n; j++) {
    if (globs.n != 1) rmx_buf_puts(b, "        - ");
    rmx_put_quoted(b, list->items[j]);
    rmx_buf_puts(b, "\n");
  }
  return RMX_OK;
}

// Finds the target among the names (n) of domains, and writes that it is protected. *target NULL:
// none was given.
static rmx_status add_target(rmx_buf *b, const char *const *names, size_t n, char **target,
                             rmx_err *err) {
  size_t at;
  if (!*target) return RMX_OK;
  // The name of a folder may have become another name.
  RMX_OWNED_BY(rmx_buf_release) rmx_buf name = {0};
  const bool named = rmx__value_name(*target, strlen(*target), true, false, &name) && !name.failed;
  rmx_status status = named ? rmx_find_name("target", name.data, names, n, &at, err) : RMX_EINPUT;
  if (status != RMX_OK) status = rmx_find_name("target", *target, names, n, &at, err);
  if (status == RMX_EINPUT) status = err->status = RMX_EUSAGE;
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
  RMX_OWNED_BY(rmx_values_look_release) rmx_values_look look = {0};
  rmx_err ignored;
  if (found->n != 1 ||
      rmx_corpus_values(&o, found->domains, found->n, ".", &look, &ignored) != RMX_OK)
    return;
  if (*look.fields)
    rmx_warn(to,
             "all of the text is one domain, \"%s\"; --domain-field could divide the documents by "
             "one of these fields: %s",
             found->domains->name, look.fields);
}

static rmx_status add_found(rmx_buf *b, const char *text, const rmx_discovery *found, char **target,
                            rmx_err *err) {
  RMX_OWNED const char **names = rmx_calloc(found->n, sizeof *names);
  if (!names) return rmx_fail_memory(err, 0, "names");
  for (size_t i = 0; i < found->n; i++) {
    names[i] = found->domains[i].name;
    rmx_put_yaml_key(b, 4, names[i]);
    rmx_buf_puts(b, "\n");
    RMX_TRY(add_files(b, "files", &found->domains[i].files, text, err));
    RMX_TRY(add_files(b, "valid_files", &found->domains[i].valid_files, text, err));
  }
  return add_target(b, names, found->n, target, err);
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
  RMX_OWNED_BY(rmx_values_look_release) rmx_values_look look = {0};
  RMX_TRY(rmx_corpus_values(&o, found->domains, found->n, ".", &look, err));
  RMX_TRY(check_path(w->text, err));
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
  return add_target(b, (const char *const *)look.names.items, look.names.n, target, err);
}

// Writes the domains found, or an example, and finds the target among them. *target NULL: none was
// given.
static rmx_status add_domains(rmx_buf *b, const rmx_config_wanted *w, const rmx_listener *to,
                              char **target, rmx_err *err) {
  RMX_OWNED_BY(rmx_discovery_release) rmx_discovery found = {0};
  rmx_buf_puts(b, "corpus:\n");
  if (w->domain_field && !w->text)
    return rmx_fail(err, RMX_EUSAGE, "--domain-field needs --text, the folder that it divides");
  if (!w->domain_field)
    rmx_buf_puts(b,
                 "  domains:            # name: files (patterns; ** stands for nested folders)\n");
  if (!w->text) return add_example(b, target, err);
  RMX_TRY((w->domain_field ? rmx_corpus_discover_files : rmx_corpus_discover)(
      w->text, &w->leave_out, w->folder, &found, err));
  rmx_discovery_report(&found, to);
  if (!w->domain_field) suggest_field(&found, to);
  return w->domain_field ? add_divided(b, w, &found, target, err)
                         : add_found(b, w->text, &found, target, err);
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
    const bool more = i > 0 && *s->prefix && strcmp(s->prefix, s[-1].prefix) == 0;
    if (strcmp(s->prefix, "corpus") == 0) continue;
    if (!more) rmx_buf_printf(b, "\n# %s\n", s->help);
    if (*s->prefix && !more) rmx_buf_printf(b, "%s:\n", s->prefix);
    add_keys(b, s, *s->prefix ? "  " : "");
    if (s->offset == offsetof(rmx_config, proxies))
      rmx_buf_puts(b,
                   "\n# further proxies of other sizes or lengths, fitted together with the "
                   "former\n# swarms:\n#   larger: {model: 1M, tokens: 4M, runs: 16}   # keys of "
                   "proxy; runs: the first of the mixtures\n");
  }
  return b->failed ? rmx_fail_memory(err, b->size, "the config") : RMX_OK;
}
