// SPDX-License-Identifier: Apache-2.0
// regmix init: writes a regmix.yaml to start with.
#include <stdlib.h>

#include "steps.h"

struct init_args {
  rmx_config_wanted wanted;
  char *target;
  bool force;
};

static rmx_status run_init(cli *c, rmx_err *err) {
  const struct init_args *args = c->own;
  rmx_config_wanted w = args->wanted;
  const char *folder = c->words.n ? c->words.items[0] : c->common.folder ? c->common.folder : ".";
  char *path = rmx_path_in(folder, "regmix.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_buf b = {0};
  char *text = w.text ? rmx_realpath(w.text) : NULL,
       *target = args->target ? rmx_strdup(args->target) : NULL;
  rmx_status status = RMX_OK;
  if (w.text && !text) status = rmx_fail_errno(err, "--text %s", w.text);
  w.text = text;
  if (status == RMX_OK && rmx_exists(path) && !args->force)
    status = rmx_fail(err, RMX_EINPUT, "%s already exists; --force overwrites it", path);
  if (status == RMX_OK) status = rmx_config_text(&w, &c->listener, &target, &b, err);
  if (status == RMX_OK) status = rmx_mkdirs(folder, err);
  if (status == RMX_OK) status = rmx_write_file(path, b.data, b.size, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(json_pack("{s:s, s:s}", "config", path, "folder", folder));
  else if (status == RMX_OK)
    printf("%s\nEdit it, then run: regmix plan -C %s, regmix run -C %s\n", rmx_shown(path),
           rmx_shown(folder), rmx_shown(folder));
  rmx_buf_release(&b);
  free(target);
  free(text);
  free(path);
  return status;
}

#define AT(member) offsetof(struct init_args, member)
static const rmx_option options[] = {
    {"text", RMX_TEXT, AT(wanted.text), NULL, 0, 0, "DIR",
     "folder of the text: it has one folder per domain, or files named <domain>-0001.jsonl"},
    {"domain-field", RMX_TEXT, AT(wanted.domain_field), NULL, 0, 0, "FIELD",
     "divide the documents of --text by this field, such as meta.source or host(url)"},
    {"target", RMX_TEXT, AT(target), NULL, 0, 0, "DOMAIN", "domain in --text that should improve"},
    {"leave-out", RMX_LIST, AT(wanted.leave_out), NULL, 0, 0, "PATTERN",
     "file or folder in --text that is not read; may be given several times"},
    {"force", RMX_BOOL, AT(force), "false", 0, 0, NULL, "overwrite an existing regmix.yaml"},
};
const rmx_command cli_init = {
    .name = "init",
    .words = "[DIR]",
    .max_words = 1,
    .run = run_init,
    CLI_OPTIONS(options, struct init_args),
    .summary = "write a commented regmix.yaml to start with",
};
