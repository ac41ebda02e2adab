// SPDX-License-Identifier: Apache-2.0
// regmix init: a regmix.yaml to begin with, its comments read off the option tables.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct init_args {
  char *text, *target;
  rmx_strings leave_out;
  bool force;
};

// One glob where it means these very files and no others; NULL: it does not.
static char *glob_for(const rmx_strings *files) {
  const char *first = files->items[0], *slash = strrchr(first, '/');
  if (files->n < 2 || !slash || strpbrk(first, "\\{")) return NULL;
  // of the ending; behind a shard's number, if that has a dot of its own
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

// The domains found, or an example; the target's name as they have it. *target NULL: none was
// given.
static rmx_status add_domains(const cli *c, rmx_buf *b, const char *text, char **target,
                              rmx_err *err) {
  const struct init_args *args = c->own;
  rmx_buf_puts(b,
               "corpus:\n  domains:            # name: files (globs; .txt, .jsonl or .json, also "
               ".gz or .zst)\n");
  if (!text) {
    if (!args->target && !(*target = rmx_strdup("exam")))
      return rmx_fail_memory(err, 0, "the config");
    rmx_buf_puts(b,
                 "    web: text/web/*.jsonl.gz\n    code: text/code/*.jsonl.gz\n    books: "
                 "text/books/*.txt\n");
    rmx_put_yaml_key(b, 4, *target);
    rmx_buf_puts(b,
                 "               # what should become better\n      files: text/exam.txt\n      "
                 "valid_only: true  # never trained on\n");
    return RMX_OK;
  }
  rmx_discovery found;
  RMX_TRY(rmx_corpus_discover(text, &args->leave_out, ".", &found, err));
  rmx_discovery_tell(&found, &c->listener);
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

static rmx_status config_text(const cli *c, rmx_buf *b, const char *text, char **target,
                              rmx_err *err) {
  rmx_buf_puts(b,
               "# An experiment of regmix. Lines that begin with # show the defaults; `regmix "
               "plan` says what it costs.\n\n");
  RMX_TRY(add_domains(c, b, text, target, err));
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    if (strcmp(s->prefix, "corpus") == 0) add_keys(b, s, "  ");
  }
  // Without one, `run` says what is missing; a made-up name would be refused less plainly.
  rmx_buf_puts(b, *target ? "\ntarget: " : "\n# target: DOMAIN");
  if (*target) rmx_put_yaml(b, *target);
  rmx_buf_puts(b, "         # the domain (or metric) to be improved; or a map `domain: weight`\n");
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    if (strcmp(s->prefix, "corpus") == 0) continue;
    rmx_buf_printf(b, "\n# %s\n", s->help);
    if (*s->prefix) rmx_buf_printf(b, "%s:\n", s->prefix);
    add_keys(b, s, *s->prefix ? "  " : "");
  }
  return b->failed ? rmx_fail_memory(err, b->size, "the config") : RMX_OK;
}

static rmx_status run_init(cli *c, rmx_err *err) {
  const struct init_args *args = c->own;
  const char *folder = c->words.n ? c->words.items[0] : c->common.folder ? c->common.folder : ".";
  char *path = rmx_path_in(folder, "regmix.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_buf b = {0};
  char *text = args->text ? rmx_realpath(args->text) : NULL,
       *target = args->target ? rmx_strdup(args->target) : NULL;
  rmx_status status = RMX_OK;
  if (args->text && !text) status = rmx_fail_errno(err, "--text %s", args->text);
  if (status == RMX_OK && rmx_exists(path) && !args->force)
    status = rmx_fail(err, RMX_EINPUT, "%s is there already; --force writes over it", path);
  if (status == RMX_OK) status = config_text(c, &b, text, &target, err);
  if (status == RMX_OK) status = rmx_mkdirs(folder, err);
  if (status == RMX_OK) status = rmx_write_file(path, b.data, b.size, err);
  if (status == RMX_OK && !target)
    rmx_note(&c->listener, "no target is set: write the domain to be improved where %s says target",
             path);
  if (status == RMX_OK && c->common.json)
    cli_print_json(json_pack("{s:s, s:s}", "config", path, "folder", folder));
  else if (status == RMX_OK)
    printf("%s\nEdit it, then: regmix plan -C %s, regmix run -C %s\n", path, folder, folder);
  rmx_buf_release(&b);
  free(target);
  free(text);
  free(path);
  return status;
}

#define AT(member) offsetof(struct init_args, member)
static const rmx_option options[] = {
    {"text", RMX_TEXT, AT(text), NULL, 0, 0, "DIR",
     "folder of text: a folder per domain, or files <domain>-0001.jsonl"},
    {"target", RMX_TEXT, AT(target), NULL, 0, 0, "DOMAIN",
     "the domain to be improved; one of those in --text"},
    {"leave-out", RMX_LIST, AT(leave_out), NULL, 0, 0, "PATTERN",
     "files or folders in --text that are not to be read; may be given several times"},
    {"force", RMX_BOOL, AT(force), "false", 0, 0, NULL, "write over a regmix.yaml that is there"},
};
const cli_command cli_init = {
    .name = "init",
    .words = "[DIR]",
    .most_words = 1,
    .run = run_init,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct init_args),
    .summary = "write a commented regmix.yaml to begin with",
    .about =
        "With --text, each folder in it is a domain with all files below it, and each file in it "
        "belongs to the domain of its name without "
        "the number of its shard (c4.00000-of-01024.json.gz is of c4). Read are .txt, .jsonl, "
        ".ndjson and .json, also as .gz or .zst. "
        "Files named valid or validation beside others become the validation text of their domain; "
        "those named test are left out. Every "
        "file that is not read is named with the reason. A domain that would be lost is an error, "
        "unless --leave-out names it.",
    .examples = "  regmix init exp --text /data/text --target wikipedia\n",
};
