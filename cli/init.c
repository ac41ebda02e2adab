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
  RMX_OWNED char *path = rmx_path_in(folder, "regmix.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  RMX_OWNED char *text = w.text ? rmx_realpath(w.text) : NULL,
                 *target = args->target ? rmx_strdup(args->target) : NULL;
  if (w.text && !text) return rmx_fail_errno(err, "--text %s", w.text);
  w.text = text;
  w.folder = folder;
  if (rmx_exists(path) && !args->force)
    return rmx_fail(err, RMX_EINPUT, "%s already exists; --force overwrites it", path);
  RMX_TRY(rmx_config_text(&w, &c->listener, &target, &b, err));
  RMX_TRY(rmx_mkdirs(folder, err));
  RMX_TRY(rmx_write_file(path, b.data, b.size, err));
  if (c->common.json)
    cli_print_json(json_pack("{s:s, s:s}", "config", path, "folder", folder));
  else
    printf("%s\nEdit it, then run: regmix plan -C %s, regmix run -C %s\n", rmx_shown(path),
           rmx_shown(folder), rmx_shown(folder));
  return RMX_OK;
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
