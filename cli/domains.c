// SPDX-License-Identifier: Apache-2.0
// regmix domains: keeps the runs that are still valid when the domains of the corpus change.
#include <stdlib.h>

#include "steps.h"

struct domains_args {
  char *mixtures, *out;
  rmx_domains_request change;
};

static rmx_status print(const cli *c, const char *out, const rmx_table *t, json_t *root,
                        rmx_err *err) {
  if (!c->common.json) return out ? RMX_OK : cli_print_table(t, err);
  if (out)
    json_object_set_new(root, "out", json_string(out));
  else
    json_object_set_new(root, "mixtures", cli_table_json(t));
  cli_print_json(json_incref(root));
  return RMX_OK;
}

static rmx_status run_domains(cli *c, rmx_err *err) {
  const struct domains_args *args = c->own;
  const char *out = args->out;
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  json_auto_t *root = NULL;
  RMX_OWNED char *path =
      args->mixtures ? rmx_strdup(args->mixtures) : rmx_path_in(c->common.folder, "mixtures.csv");
  RMX_TRY(path ? rmx_keep_input(out, path, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(rmx_domains_change(&c->listener, path, &args->change, &t, &root, err));
  if (out) RMX_TRY(rmx_csv_write(out, &t, err));
  return print(c, out, &t, root, err);
}

#define AT(member) offsetof(struct domains_args, member)
static const rmx_option options[] = {
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE",
     "table of the mixtures of the runs (default: mixtures.csv of the experiment)"},
    MIXTURE_COLUMNS_OPTION(struct domains_args, change.tables),
    ID_OPTION(struct domains_args, change.tables),
    {"rename", RMX_LIST, AT(change.rename), NULL, 0, 0, "OLD=NEW",
     "give a domain another name; its text stays the same"},
    {"split", RMX_LIST, AT(change.split), NULL, 0, 0, "P=A:0.3,B:0.7",
     "replace domain P by A and B, which have these shares of the tokens of P"},
    {"merge", RMX_LIST, AT(change.merge), NULL, 0, 0, "P=A:0.4,B:0.6",
     "replace domains A and B by P; they have these shares of the tokens of P"},
    {"add", RMX_LIST, AT(change.add), NULL, 0, 0, "NAME",
     "add a domain that no run has drawn from"},
    {"remove", RMX_LIST, AT(change.remove), NULL, 0, 0, "NAME", "remove a domain"},
    {"tolerance", RMX_REAL, AT(change.tolerance), "0.02", 0, 1, "X",
     "largest difference between a run's share of A in P and the natural share, for --merge to "
     "keep the run"},
    {"drop", RMX_BOOL, AT(change.drop), "false", 0, 0, NULL,
     "leave out the runs that used a removed domain, and its column"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "write the new table to this file (default: stdout)"},
};
const rmx_command cli_domains = {
    .name = "domains",
    .words = "",
    .run = run_domains,
    CLI_OPTIONS(options, struct domains_args),
    .summary =
        "add, remove, split, merge or rename domains, and keep the runs that are still valid",
};
