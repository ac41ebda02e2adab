// SPDX-License-Identifier: Apache-2.0
// regmix init: a regmix.yaml to begin with, its comments read off the option tables.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

static rmx_status add_domains(rmx_buf *b, const char *text, rmx_err *err) {
  rmx_buf_puts(b, "corpus:\n  domains:            # name: files (globs; .txt or .jsonl, also .gz or .zst)\n");
  if (!text) {
    rmx_buf_puts(b, "    web: text/web/*.jsonl.gz\n    code: text/code/*.jsonl.gz\n"
                    "    books: text/books/*.txt\n    exam:               # what should become better\n"
                    "      files: text/exam.txt\n      valid_only: true  # never trained on\n");
    return RMX_OK;
  }
  rmx_domain_source *found;
  size_t n;
  RMX_TRY(rmx_corpus_discover(text, ".", &found, &n, err));
  for (size_t i = 0; i < n; i++) {
    rmx_put_yaml_key(b, 4, found[i].name);
    rmx_buf_puts(b, "\n      files:\n");
    for (size_t j = 0; j < found[i].files.n; j++) {
      rmx_buf_puts(b, "        - ");
      rmx_put_quoted(b, found[i].files.items[j]);
      rmx_buf_puts(b, "\n");
    }
  }
  rmx_domain_sources_release(found, n);
  return RMX_OK;
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

static rmx_status config_text(rmx_buf *b, const char *text, const char *target, rmx_err *err) {
  rmx_buf_puts(b, "# An experiment of regmix. Lines that begin with # show the defaults; `regmix plan` says what it costs.\n\n");
  RMX_TRY(add_domains(b, text, err));
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    if (strcmp(s->prefix, "corpus") == 0) add_keys(b, s, "  ");
  }
  rmx_buf_puts(b, "\ntarget: ");
  rmx_put_yaml(b, target);
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

struct init_args {
  char *text, *target;
  bool force;
};

static rmx_status run_init(cli *c, rmx_err *err) {
  const struct init_args *args = c->own;
  const char *folder = c->words.n ? c->words.items[0] : c->common.folder ? c->common.folder : ".";
  char *path = rmx_path_in(folder, "regmix.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_buf b = {0};
  char *text = args->text ? realpath(args->text, NULL) : NULL;
  rmx_status status = RMX_OK;
  if (args->text && !text) status = rmx_fail_errno(err, "--text %s", args->text);
  if (status == RMX_OK && rmx_exists(path) && !args->force) status = rmx_fail(err, RMX_EINPUT, "%s is there already; --force writes over it", path);
  if (status == RMX_OK) status = config_text(&b, text, args->target ? args->target : "exam", err);
  if (status == RMX_OK) status = rmx_mkdirs(folder, err);
  if (status == RMX_OK) status = rmx_write_file(path, b.data, b.size, err);
  if (status == RMX_OK && c->common.json) cli_print_json(json_pack("{s:s, s:s}", "config", path, "folder", folder));
  else if (status == RMX_OK) printf("%s\nEdit it, then: regmix plan -C %s, regmix run -C %s\n", path, folder, folder);
  rmx_buf_release(&b);
  free(text);
  free(path);
  return status;
}

#define AT(member) offsetof(struct init_args, member)
static const rmx_option options[] = {
    {"text", RMX_TEXT, AT(text), NULL, 0, 0, "DIR", "folder of text: a folder per domain, or files <domain>-*.jsonl"},
    {"target", RMX_TEXT, AT(target), NULL, 0, 0, "DOMAIN", "the domain to be improved"},
    {"force", RMX_BOOL, AT(force), "false", 0, 0, NULL, "write over a regmix.yaml that is there"},
};
const cli_command cli_init = {
    .name = "init", .words = "[DIR]", .most_words = 1, .run = run_init,
    .options = options, .n_options = sizeof options / sizeof *options, .own_size = sizeof(struct init_args),
    .summary = "write a commented regmix.yaml to begin with",
    .examples = "  regmix init exp --text /data/text --target wikipedia\n",
};
