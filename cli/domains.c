// SPDX-License-Identifier: Apache-2.0
// regmix domains: what the runs are still worth when the corpus's domains change.
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
  rmx_table t = {0};
  json_t *root = NULL;
  char *path =
      args->mixtures ? rmx_strdup(args->mixtures) : rmx_path_in(c->common.folder, "mixtures.csv");
  rmx_status status = path ? rmx_keep_input(out, path, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK)
    status = rmx_domains_change(&c->listener, path, &args->change, &t, &root, err);
  if (status == RMX_OK && out) status = rmx_csv_write(out, &t, err);
  if (status == RMX_OK) status = print(c, out, &t, root, err);
  free(path);
  json_decref(root);
  rmx_table_release(&t);
  return status;
}

#define AT(member) offsetof(struct domains_args, member)
static const rmx_option options[] = {
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE",
     "the runs' mixtures (default: the experiment's mixtures.csv)"},
    MIXTURE_COLUMNS_OPTION(struct domains_args, change.tables),
    ID_OPTION(struct domains_args, change.tables),
    {"rename", RMX_LIST, AT(change.rename), NULL, 0, 0, "OLD=NEW",
     "the same text under another name"},
    {"split", RMX_LIST, AT(change.split), NULL, 0, 0, "P=A:0.3,B:0.7",
     "P becomes A and B, which are these shares of P's tokens"},
    {"merge", RMX_LIST, AT(change.merge), NULL, 0, 0, "P=A:0.4,B:0.6",
     "A and B become P, of whose tokens they are these shares"},
    {"add", RMX_LIST, AT(change.add), NULL, 0, 0, "NAME",
     "a new domain, which no run has drawn from"},
    {"remove", RMX_LIST, AT(change.remove), NULL, 0, 0, "NAME",
     "a domain that is to be used no more"},
    {"tolerance", RMX_REAL, AT(change.tolerance), "0.02", 0, 1, "X",
     "how far a run's share of A in P may be from the natural one, to count as a run of P"},
    {"drop", RMX_BOOL, AT(change.drop), "false", 0, 0, NULL,
     "leave out the runs that used a removed domain, and its column"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "where the new table goes (default stdout)"},
};
const rmx_command cli_domains = {
    .name = "domains",
    .words = "",
    .run = run_domains,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct domains_args),
    .summary = "add, remove, split, merge or rename domains, and keep the runs that still count",
};
