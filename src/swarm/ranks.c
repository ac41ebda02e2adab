// SPDX-License-Identifier: Apache-2.0
#include "ranks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "claim.h"
#include "comm/comm.h"
#include "cost.h"
#include "train/run_json.h"

// ---- processor levels

static bool has_level(const char *name) {
  const rmx_kernels *k;
  rmx_err ignored;
  return rmx_kernels_get(name, &k, &ignored) == RMX_OK;
}

struct level {
  char host[64], name[32];
};

// The first level among those of the ranks that all of them have; NULL: there is none.
static const char *common_level(rmx_comm *c, const struct level *levels) {
  const char *found = NULL;
  for (int r = 0; r < c->size; r++) {
    double have = has_level(levels[r].name);
    rmx__comm_add(c, &have, 1);
    if (have == c->size && !found) found = levels[r].name;
  }
  return found;
}

rmx_status rmx__ranks_check_levels(rmx_comm *c, const char *isa, rmx_err *err) {
  const rmx_kernels *k;
  RMX_TRY(rmx__comm_agree(c, rmx_kernels_get(isa, &k, err), err));
  struct level own = {{0}, {0}};
  RMX_OWNED struct level *all = rmx_calloc((size_t)c->size, sizeof *all);
  if (!all) rmx_comm_abort(c, 1);
  gethostname(own.host, sizeof own.host - 1);
  snprintf(own.name, sizeof own.name, "%s", rmx_kernels_name(k));
  c->type->gather(c, &own, sizeof own, all);
  int other = 0;
  while (other < c->size && strcmp(all[other].name, all[0].name) == 0) other++;
  if (other == c->size) return RMX_OK;
  const char *common = common_level(c, all);
  rmx_fail(
      err, RMX_EINPUT,
      "the ranks have different processor levels: %s on %s (rank 0), %s on %s (rank %d). Their "
      "results would differ in the last digits. Set one that all of them have: --set isa=%s",
      all[0].name, all[0].host, all[other].name, all[other].host, other,
      common ? common : "simd128");
  c->agreed = true;
  return err->status;
}

// ---- orders

static rmx_status give_order(rmx_comm *c, json_t *order, rmx_err *err) {
  RMX_OWNED char *text = json_dumps(order, JSON_COMPACT | JSON_REAL_PRECISION(17));
  json_decref(order);
  RMX_OWNED char *sent = rmx__comm_text(c, text ? text : "", false);
  return text && sent ? RMX_OK : rmx_fail_memory(err, 0, "an order to the ranks");
}

static json_t *run_order(const rmx_run *r, int rank) {
  return json_pack("{s:s, s:i, s:o}", "folder", r->folder, "rank", rank, "run",
                   rmx__run_whole_json(r));
}

void rmx_swarm_dismiss(rmx_comm *c) {
  rmx_err ignored;
  if (rmx_comm_size(c) > 1) give_order(c, json_pack("{s:s}", "do", "end"), &ignored);
}

// ---- a swarm, spread

// The longest run first, each to the rank that has the least to do by then (Graham 1969).
static rmx_status share_out(const rmx_run *runs, const size_t *to_do, size_t n, size_t ranks,
                            int *rank, rmx_err *err) {
  RMX_OWNED double *load = rmx_calloc(ranks, sizeof *load);
  RMX_OWNED size_t *order = rmx_calloc(n, sizeof *order);
  RMX_OWNED rmx_run *all = rmx_calloc(n, sizeof *all);
  if (!load || !order || !all) return rmx_fail_memory(err, n * sizeof *all, "the ranks' runs");
  for (size_t k = 0; k < n; k++) all[k] = runs[to_do[k]];
  rmx__longest_first(all, n, order);
  for (size_t k = 0; k < n; k++) {
    size_t least = 0;
    for (size_t r = 1; r < ranks; r++)
      if (load[r] < load[least]) least = r;
    const double cost = rmx__run_cost(&all[order[k]]);
    load[least] += cost > 0 ? cost : 1;
    rank[order[k]] = (int)least;
  }
  return RMX_OK;
}

rmx_status rmx__ranks_spread(const rmx_run *runs, const size_t *to_do, size_t n,
                             const rmx_swarm_options *options, bool *mine, rmx_err *err) {
  RMX_OWNED int *rank = rmx_calloc(n, sizeof *rank);
  if (!rank) return rmx_fail_memory(err, n * sizeof *rank, "the ranks' runs");
  RMX_TRY(share_out(runs, to_do, n, (size_t)options->comm->size, rank, err));
  json_t *list = json_array();
  for (size_t k = 0; k < n; k++) {
    mine[k] = rank[k] == 0;
    json_array_append_new(list, run_order(&runs[to_do[k]], rank[k]));
  }
  RMX_TRY(
      give_order(options->comm,
                 json_pack("{s:s, s:s?, s:s?, s:i, s:b, s:s, s:o}", "do", "spread", "isa",
                           options->isa, "experiment", options->experiment, "jobs", options->jobs,
                           "jobs_given", options->jobs_given, "what", options->what, "runs", list),
                 err));
  return rmx__ranks_check_levels(options->comm, options->isa, err);
}

// Each rank sends the first one a number when its runs have ended.
static struct {
  struct rmx__piece *pieces;  // (2, ranks)
  float *numbers;             // (ranks)
  struct rmx__transfer transfer;
  bool begun, done;
} signs;

static void begin_signs(rmx_comm *c) {
  const size_t K = (size_t)c->size;
  signs.pieces = rmx_calloc(2 * K, sizeof *signs.pieces);
  signs.numbers = rmx_calloc(K, sizeof *signs.numbers);
  if (!signs.pieces || !signs.numbers) rmx_comm_abort(c, 1);
  struct rmx__piece *out = signs.pieces, *in = out + K;
  for (size_t r = 0; r < K; r++) {
    out[r] = (struct rmx__piece){signs.numbers, c->rank > 0 && r == 0};
    in[r] = (struct rmx__piece){signs.numbers + r, c->rank == 0};
  }
  signs.transfer = (struct rmx__transfer){.out = out, .in = in};
  c->type->start(c, &signs.transfer, 0);
  signs.begun = true;
}

bool rmx__ranks_ended(rmx_comm *c) {
  if (!signs.begun) begin_signs(c);
  signs.done = signs.done || c->type->done(c, &signs.transfer, 0);
  return signs.done;
}

rmx_status rmx__ranks_end(rmx_comm *c, rmx_status status, rmx_swarm_outcome *outcome,
                          rmx_err *err) {
  while (!rmx__ranks_ended(c)) rmx__comm_pause(c);
  free(signs.pieces);
  free(signs.numbers);
  signs = (typeof(signs)){0};
  double sums[] = {(double)outcome->done, (double)outcome->diverged, (double)outcome->failed,
                   (double)outcome->skipped, outcome->tokens};
  rmx__comm_add(c, sums, 5);
  outcome->done = (size_t)sums[0], outcome->diverged = (size_t)sums[1];
  outcome->failed = (size_t)sums[2], outcome->skipped = (size_t)sums[3];
  outcome->tokens = sums[4];
  return rmx__comm_agree(c, status, err);
}

// ---- one run, together

rmx_status rmx__ranks_train_ours(const rmx_run *r, const char *isa, const rmx_train_hooks *hooks,
                                 rmx_err *err) {
  const rmx_kernels *kernels = NULL;
  rmx_corpus *corpus = NULL;
  RMX_TRY(rmx__ranks_check_levels(hooks->comm, isa, err));
  rmx_status status = rmx_kernels_get(isa, &kernels, err);
  if (status == RMX_OK) status = rmx_corpus_open(r->corpus, &corpus, err);
  status = rmx__comm_agree(hooks->comm, status, err);
  if (status == RMX_OK) status = rmx_train(r, corpus, kernels, hooks, err);
  if (corpus) rmx_corpus_free(corpus);
  return status;
}

rmx_status rmx__ranks_train(const rmx_run *r, const char *isa, const rmx_train_hooks *hooks,
                            bool *taken, rmx_err *err) {
  RMX_OWNED_BY(rmx__claim_release) rmx__claim claim = {.fd = -1};
  RMX_TRY(rmx__claim_take(&claim, r->folder, taken, err));
  if (!*taken) return RMX_OK;
  RMX_TRY(rmx__claim_beat(&claim, true, err));
  // Somebody may have finished it before our claim: then it is looked at again.
  *taken = rmx_run_look(r, NULL) < RMX_RUN_DIVERGED;
  if (!*taken) return RMX_OK;
  RMX_TRY(give_order(
      hooks->comm,
      json_pack("{s:s, s:s?, s:o}", "do", "together", "isa", isa, "run", run_order(r, 0)), err));
  return rmx__ranks_train_ours(r, isa, hooks, err);
}
