// SPDX-License-Identifier: Apache-2.0
// regmix domains: keeps the runs that are still valid when the domains of the corpus change.
#include <stdlib.h>

#include "steps.h"

struct domains_args {
  char *mixtures, *out;
  char *prior, *name;
  rmx_strings changed;
  rmx_domains_request change;
};

static rmx_status print(const cli *c, const char *out, const rmx_table *t, json_t *root,
                        rmx_err *err) {
  if (!c->common.json) return out ? RMX_OK : cli_print_table(t, err);
  if (out)
    json_object_set_new(root, "out", json_string(out));
  else
    json_object_set_new(root, "mixtures", rmx__table_json(t));
  cli_print_json(json_incref(root));
  return RMX_OK;
}

static rmx_status run_domains(cli *c, rmx_err *err) {
  const struct domains_args *args = c->own;
  const char *out = args->out;
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  json_auto_t *root = NULL;
  if (args->prior && !args->change.reuse)
    return rmx_fail(err, RMX_EUSAGE, "--prior FILE goes with --reuse OPTIMUM");
  if (args->prior) {
    const rmx_reuse_request q = {args->change.reuse, args->prior, &args->changed, args->name};
    RMX_TRY(rmx_domains_reuse(&c->listener, &q, out, &root, err));
    if (c->common.json || !out) cli_print_json(json_incref(root));
    return RMX_OK;
  }
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
    RMX_MIXTURE_COLUMNS_OPTION(struct domains_args, change.tables),
    RMX_ID_OPTION(struct domains_args, change.tables),
    {"rename", RMX_LIST, AT(change.rename), NULL, 0, 0, "OLD=NEW",
     "give a domain another name; its text stays the same"},
    {"split", RMX_LIST, AT(change.split), NULL, 0, 0, "P=A:0.3,B:0.7",
     "replace domain P by A and B, which have these shares of the tokens of P"},
    {"merge", RMX_LIST, AT(change.merge), NULL, 0, 0, "P=A:0.4,B:0.6",
     "replace domains A and B by P; they have these shares of the tokens of P"},
    {"add", RMX_LIST, AT(change.add), NULL, 0, 0, "NAME",
     "add a domain that no run has drawn from"},
    {"remove", RMX_LIST, AT(change.remove), NULL, 0, 0, "NAME", "remove a domain"},
    {"reuse", RMX_TEXT, AT(change.reuse), NULL, 0, 0, "FILE",
     "with --prior: the optimum whose ratios are kept; without it: the file that --prior made, by "
     "which the table is converted to its small space, or from it"},
    {"prior", RMX_TEXT, AT(prior), NULL, 0, 0, "FILE",
     "natural mixture of the new corpus, for --reuse; makes the prior of the small space"},
    {"changed", RMX_LIST, AT(changed), NULL, 0, 0, "NAME",
     "domain or node whose text changed though its name did not; may be given several times"},
    {"name", RMX_TEXT, AT(name), "existing", 0, 0, "NAME",
     "name of the virtual domain that stands for those that keep their ratios"},
    {"tolerance", RMX_REAL, AT(change.tolerance), "0.02", 0, 1, "X",
     "largest difference between a run's share of A in P and the natural share, for --merge to "
     "keep the run"},
    {"drop", RMX_BOOL, AT(change.drop), "false", 0, 0, NULL,
     "leave out the runs that used a removed domain, and its column"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "write the new table, or prior, to this file (default: stdout)"},
};
const rmx_command cli_domains = {
    .name = "domains",
    .words = "",
    .run = run_domains,
    CLI_OPTIONS(options, struct domains_args),
    .summary =
        "add, remove, split, merge, rename or reuse domains, and keep the runs that are still "
        "valid",
};
