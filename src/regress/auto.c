// SPDX-License-Identifier: Apache-2.0
// Chooses the regressor of a metric by cross-validation inside its runs. The default is the
// ensemble of the power law and the Gaussian process. The weight a of the power law minimises their
// errors out of fold and is shrunk towards s = 1/2:
//   min_a  |a e_p + (1 - a) e_g|^2 + 2 |s e_p + (1 - s) e_g|^2 (a - s)^2,  0 <= a <= 1.
//
// Where the Gaussian process is fitted with other metrics (together.c), it is better than the power
// law with few runs: s = r / 2, r = (N / D - 1) / 1.5 within 0..1, unless the law knows the
// metric's own domain. The pull is four times as strong, another candidate must be better by 20 %,
// and trees are not tried: what little the runs say about the choice was measured to mislead it.
//
// Another candidate replaces the ensemble if its error is smaller by 5 % or more. The candidates
// are one of the two alone, ridge regression on the square roots of the weights with three
// penalties, exposure where runs repeated a domain, and trees where there are runs for several
// leaves. (To take the smallest error without a margin does worse on other runs: a close winner
// wins by luck.) Every fold makes the choices of each candidate again. Trees are the slowest kind;
// they are dropped once their squared error exceeds 1.5 times that of the best kind.
//
// Runs of several sizes or lengths have candidates of their own: see scaling/choose.c.
//
// Cost: a fit of each candidate to all runs, and in each fold (10 with few runs) a fit that begins
// there. With many runs the cross-validation of a fit of tables reuses these folds; with few runs
// each of its folds makes a whole choice.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ensemble.h"
#include "folds.h"
#include "registry.h"
#include "scaling/choose.h"
#include "together.h"

enum {
  RIDGE_1,
  RIDGE_01,
  RIDGE_001,
  POWER,
  GP,
  EXPOSURE,
  ENSEMBLE,
  TREES,
  N_CANDIDATES,
  FEW_RUNS = 24,
  NESTED_RUNS = 128,
  LEAVES_WORTH = 5
};
static const double alphas[] = {1, 0.1, 0.01};
static const double WEAK = 0.5;  // R2 out of fold
static const char *const names[N_CANDIDATES] = {"ridge", "ridge",    "ridge",    "power",
                                                "gp",    "exposure", "ensemble", "trees"};

typedef struct comparison {
  const rmx_dataset *data;
  const rmx__together *given;  // the Gaussian process, fitted with other metrics; or NULL
  uint64_t seed;
  size_t k;                    // folds
  int *fold;                   // (N)
  double *out[N_CANDIDATES];   // (N) predictions out of fold
  double error[N_CANDIDATES];  // weighted sum of squares; infinite: dropped
  rmx_regressor *fitted[N_CANDIDATES];
  bool tried[N_CANDIDATES];
  double weight;  // of the power law in the ensemble
  double centre;  // that it is drawn to,
  double pull;    // and how strongly
  double margin;  // another candidate's error over the ensemble's must be below this
  bool laws;      // power law and exposure are candidates
  bool shares;    // the process was fitted with enough metrics to know more than the others
} comparison;

static double error_on(const comparison *c, const double *predicted, size_t folds) {
  const rmx_dataset *d = c->data;
  double sum = 0;
  for (size_t i = 0; i < d->N; i++) {
    double e = predicted[i] - d->y[i];
    if ((size_t)c->fold[i] < folds) sum += (d->row_weights ? d->row_weights[i] : 1) * e * e;
  }
  return sum;
}

static const rmx__regressor_kind *kind_of(size_t which) {
  return which < POWER       ? &rmx__ridge
         : which == POWER    ? &rmx__power
         : which == GP       ? &rmx__gp
         : which == EXPOSURE ? &rmx__exposure
                             : &rmx__trees;
}

// Fits candidate `which` and its folds. rival: the out-of-fold predictions of the best so far; the
// candidate is dropped when it does much worse. NULL: it is never dropped.
static rmx_status try_one(comparison *c, const rmx_regress_options *options, size_t which,
                          const double *rival, rmx_err *err) {
  const rmx_dataset *d = c->data;
  rmx_status status = RMX_OK;
  c->tried[which] = true;
  if (which == GP && c->given) {
    memcpy(c->out[GP], c->given->out, d->N * sizeof(double));
    c->error[GP] = error_on(c, c->out[GP], c->k);
    return rmx__together_process(c->given, d, &c->fitted[GP], err);
  }
  if (which != TREES)
    RMX_TRY(rmx__fit_kind(kind_of(which), options, NULL, d, c->seed, NULL, &c->fitted[which], err));
  for (size_t f = 0; f < c->k && status == RMX_OK; f++) {
    rmx_arena arena = {0};
    rmx_dataset train;
    rmx_regressor *r = NULL;
    status = rmx__without_fold(d, c->fold, (int)f, &arena, &train, err);
    if (status == RMX_OK)
      status = c->fitted[which]
                   ? rmx__fit_again(options, c->fitted[which], &train, c->seed + 1 + f, &r, err)
                   : rmx__fit_kind(kind_of(which), options, NULL, &train, c->seed + 1 + f, NULL, &r,
                                   err);
    for (size_t i = 0; i < d->N && status == RMX_OK; i++)
      if (c->fold[i] == (int)f)
        rmx_regressor_predict(r, d->X + i * d->D, 1, &c->out[which][i], NULL);
    rmx_regressor_free(r);
    rmx_arena_release(&arena);
    if (status == RMX_OK && rival &&
        error_on(c, c->out[which], f + 1) > 1.5 * error_on(c, rival, f + 1))
      return RMX_OK;  // dropped; its error stays infinite
  }
  if (status == RMX_OK) c->error[which] = error_on(c, c->out[which], c->k);
  if (!isfinite(c->error[which])) c->error[which] = INFINITY;
  return status;
}

static size_t leader(const comparison *c) {
  size_t best = 0;
  for (size_t i = 1; i < N_CANDIDATES; i++)
    if (c->error[i] < c->error[best]) best = i;
  if (c->error[best] < c->margin * c->margin * c->error[ENSEMBLE]) return best;
  return !c->laws ? GP : ENSEMBLE;
}

// The weight of the power law by the errors outside of fold `without`; -1: by all errors.
static double stack(const comparison *c, int without) {
  const rmx_dataset *d = c->data;
  double pp = 0, gg = 0, pg = 0;
  for (size_t i = 0; i < d->N; i++) {
    if (c->fold[i] == without) continue;
    double weight = d->row_weights ? d->row_weights[i] : 1, p = c->out[POWER][i] - d->y[i],
           g = c->out[GP][i] - d->y[i];
    pp += weight * p * p;
    gg += weight * g * g;
    pg += weight * p * g;
  }
  double s = c->centre,
         pull = c->pull * (s * s * pp + (1 - s) * (1 - s) * gg + 2 * s * (1 - s) * pg),
         curvature = pp + gg - 2 * pg + 2 * pull;
  return curvature > 0 ? fmin(fmax((gg - pg + 2 * s * pull) / curvature, 0), 1) : s;
}

// Whether a run saw some domain more than twice, so that effects of repetition can show.
static bool repeated(const rmx_dataset *d) {
  double tokens = d->run_tokens > 0 ? d->run_tokens : d->budget;
  if (!d->tokens || !(d->budget > 0)) return false;
  for (size_t i = 0; i < d->N * d->D; i++)
    if (d->X[i] * tokens > 2 * d->tokens[i % d->D]) return true;
  return false;
}

// Where the mean of both members predicts little, or runs are fewer than 1.5 for each domain, the
// power law misleads the ensemble. Then s = r / 2 as above, the pull vanishes with R2, and where R2
// is below 1/2 another candidate need not be better by a margin.
static void look_for_weak_signal(comparison *c) {
  const rmx_dataset *d = c->data;
  double total = 0, mean = 0, off = 0, error = 0, runs = (double)d->N / (double)d->D;
  for (size_t i = 0; i < d->N; i++) {
    double weight = d->row_weights ? d->row_weights[i] : 1;
    total += weight;
    mean += weight * d->y[i];
  }
  for (size_t i = 0; i < d->N; i++) {
    double weight = d->row_weights ? d->row_weights[i] : 1, y = d->y[i],
           e = (c->out[POWER][i] + c->out[GP][i]) / 2 - y;
    error += weight * e * e;
    off += weight * (y - mean / total) * (y - mean / total);
  }
  double r2 = off > 0 ? fmax(1 - error / off, 0) : 0;
  if (r2 >= WEAK && runs >= 1.5) return;
  if (d->own_domain < 0) c->centre = fmin(fmax((runs - 1) / 1.5, 0), 1) / 2;
  c->pull = r2 * r2;
  if (r2 < WEAK) c->margin = 1;
}

static rmx_status run(comparison *c, const rmx_regress_options *options,
                      const rmx_listener *listener, rmx_err *err) {
  const rmx_dataset *d = c->data;
  rmx_regress_options o = *options;
  o.ridge.sqrt = true;
  for (size_t i = 0; i < POWER; i++) {
    o.ridge.alpha = alphas[i];
    RMX_TRY(try_one(c, &o, i, NULL, err));
  }
  // A smooth candidate that fails (NaN, singular) only loses the comparison.
  for (size_t i = POWER; i <= EXPOSURE; i++) {
    // With many runs the comparison is nearly all of the work, since its folds are used again.
    rmx_progress(listener, "fit", (double)(i + 1),
                 2.0 * N_CANDIDATES * (d->N > NESTED_RUNS ? 1 : 5), "candidates", NULL);
    if (i == EXPOSURE && !repeated(d)) continue;
    if (i != GP && !c->laws) continue;
    rmx_status status = try_one(c, &o, i, NULL, err);
    if (status != RMX_OK && status != RMX_ENUMERIC) return status;
  }
  if (!c->laws) {
    c->error[ENSEMBLE] = c->error[GP];  // the one to beat
    return RMX_OK;
  }
  if (isfinite(c->error[POWER]) && isfinite(c->error[GP])) {
    if (!c->shares) look_for_weak_signal(c);
    c->weight = stack(c, -1);
    for (size_t f = 0; f < c->k; f++) {
      double weight = stack(c, (int)f);
      for (size_t i = 0; i < d->N; i++)
        if (c->fold[i] == (int)f)
          c->out[ENSEMBLE][i] = weight * c->out[POWER][i] + (1 - weight) * c->out[GP][i];
    }
    c->tried[ENSEMBLE] = true;
    c->error[ENSEMBLE] = error_on(c, c->out[ENSEMBLE], c->k);
  }
  if (!c->shares && (double)d->N >= LEAVES_WORTH * (double)options->trees.min_data_in_leaf) {
    RMX_TRY(try_one(c, &o, TREES, c->out[leader(c)], err));
    if (leader(c) == TREES)
      RMX_TRY(rmx__fit_kind(&rmx__trees, &o, NULL, d, c->seed, listener, &c->fitted[TREES], err));
  }
  return RMX_OK;
}

// Keeps the winner's predictions out of fold for the cross-validation of the fit. They chose the
// winner, which makes its error too small by less than 1 % with more than a hundred runs. With
// fewer runs the bias is larger, so every fold of that cross-validation makes its own choice.
// Metrics that are fitted together have less to choose.
static bool keep_folds(const comparison *c, size_t best, rmx_regressor *r) {
  size_t N = c->data->N;
  if (N <= NESTED_RUNS && !c->given) return true;
  r->out_of_fold = rmx_calloc(N, sizeof(double));
  r->fold = rmx_calloc(N, sizeof(int));
  if (!r->out_of_fold || !r->fold) return false;
  memcpy(r->out_of_fold, c->out[best], N * sizeof(double));
  memcpy(r->fold, c->fold, N * sizeof(int));
  r->N = N;
  r->folds = c->k;
  return true;
}

// {"chosen": "ensemble", "folds": 5, "rmse": {"ridge": 0.1, ...}}; null: it was dropped.
static json_t *record(const comparison *c, size_t best, rmx_buf *summary) {
  double total = 0;
  for (size_t i = 0; i < c->data->N; i++)
    total += c->data->row_weights ? c->data->row_weights[i] : 1;
  json_auto_t *rmse = json_object();
  bool failed = !rmse;
  size_t ridge = RIDGE_1;
  for (size_t i = RIDGE_01; i <= RIDGE_001; i++)
    if (c->error[i] < c->error[ridge]) ridge = i;
  for (size_t i = 0; i < N_CANDIDATES && !failed; i++) {
    if (i < POWER && i != ridge) continue;
    if (!c->tried[i]) continue;
    double e = sqrt(c->error[i] / total);
    failed = json_object_set_new(rmse, names[i], rmx__json_known(e)) != 0;
    if (isfinite(e)) rmx_buf_printf(summary, "%s%s %.3g", summary->size ? ", " : "", names[i], e);
  }
  json_t *o = failed ? NULL
                     : json_pack("{s:s, s:i, s:O}", "chosen", names[best], "folds", (int)c->k,
                                 "rmse", rmse);
  return o;
}

static rmx_status deal_folds(comparison *c, const rmx_regress_options *options, rmx_arena *arena,
                             rmx_err *err) {
  const rmx_dataset *data = c->data;
  c->fold = rmx_arena_alloc(arena, data->N, sizeof(int));
  bool failed = !c->fold;
  for (size_t i = 0; i < N_CANDIDATES && !failed; i++) {
    failed = (c->out[i] = rmx_arena_alloc(arena, data->N, sizeof(double))) == NULL;
    c->error[i] = INFINITY;
  }
  if (failed)
    return rmx_fail_memory(err, data->N * N_CANDIDATES * sizeof(double), "a choice of regressors");
  size_t wanted = data->N <= FEW_RUNS ? 10 : options->folds > 2 ? (size_t)options->folds : 3;
  if (c->given) {
    memcpy(c->fold, c->given->fold, data->N * sizeof(int));
    c->k = c->given->folds;
  } else {
    c->k = rmx__folds(data->groups, data->N, wanted, c->seed, c->fold);
  }
  double r = ((double)data->N / (double)data->D - 1) / 1.5;
  c->shares = c->given && !c->given->few;
  bool half = !c->shares || data->own_domain >= 0;
  c->centre = half ? 0.5 : fmin(fmax(r, 0), 1) / 2;
  c->pull = c->shares ? 4 : 1;
  c->margin = c->shares ? 0.8 : 0.95;
  c->laws = !c->given || (c->given->laws && c->centre > 0);
  return RMX_OK;
}

rmx_status rmx__choose(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                       const rmx__together *given, const rmx_listener *listener,
                       rmx_regressor **out, rmx_err *err) {
  rmx_arena arena = {0};
  rmx_buf summary = {0};
  rmx_status status = RMX_OK;
  const char *metric = data->metric ? data->metric : "";
  if (data->scales) return rmx__choose_scaled(options, data, seed, listener, out, err);
  comparison c = {.data = data, .given = given, .seed = seed};
  RMX_TRY_GOTO(deal_folds(&c, options, &arena, err), done);
  bool constant = true;
  for (size_t i = 1; i < data->N; i++) constant &= data->y[i] == data->y[0];
  if ((c.k < 3 && !given) || constant) {
    rmx_regress_options o = *options;
    o.ridge = (rmx_ridge_options){.alpha = 1, .sqrt = true};
    rmx_note(listener, "metric \"%s\": %s: ridge, without a choice", metric,
             constant ? "its values are all the same"
                      : "too few different mixtures to compare regressors on");
    status = rmx__fit_kind(&rmx__ridge, &o, NULL, data, seed, NULL, out, err);
    goto done;
  }
  RMX_TRY_GOTO(run(&c, options, listener, err), done);
  size_t best = leader(&c);
  json_t *choice = record(&c, best, &summary);
  if (!choice || summary.failed) {
    json_decref(choice);
    status = rmx_fail_memory(err, 256, "a choice of regressors");
    goto done;
  }
  if (best == ENSEMBLE) {
    c.fitted[ENSEMBLE] = rmx__ensemble_of(c.fitted[POWER], c.fitted[GP], c.weight);
    if (c.fitted[ENSEMBLE]) {
      c.fitted[POWER] = c.fitted[GP] = NULL;
    } else {
      json_decref(choice);
      status = rmx_fail_memory(err, 256, "an ensemble");
      goto done;
    }
  }
  rmx_note(listener, "metric \"%s\": %s chosen; root mean square error in cross-validation: %s",
           metric, names[best], summary.data);
  *out = c.fitted[best];
  c.fitted[best] = NULL;
  (*out)->choice = choice;
  if (!keep_folds(&c, best, *out)) {
    rmx_regressor_free(*out);
    status = rmx_fail_memory(err, data->N * sizeof(double), "a choice of regressors");
  }
done:
  for (size_t i = 0; i < N_CANDIDATES; i++) rmx_regressor_free(c.fitted[i]);
  rmx_buf_release(&summary);
  rmx_arena_release(&arena);
  return status;
}

static rmx_status choose(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                         const rmx_listener *listener, rmx_regressor **out, rmx_err *err) {
  return rmx__choose(options, data, seed, NULL, listener, out, err);
}

const rmx__regressor_kind rmx__auto = {
    .name = "auto",
    .help = "power law and Gaussian process, weighted, or what cross-validation finds better",
    .extension = "json",
    .choose = choose,
};
