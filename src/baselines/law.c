// SPDX-License-Identifier: Apache-2.0
// Data mixing laws (Ye et al., "Data Mixing Laws: Optimizing Data Mixtures by Predicting Language
// Modeling Performance", 2024, arXiv 2403.16952): the losses of the large model on a few mixtures
// are extrapolated from small and short trainings; a law of the mixture is fitted to them, and its
// minimum is the result. There are three nested laws:
//   steps    L(x) = e^c + (x_0 / x)^a
//            x tokens, for each mixture and size; a shared by all validation sets; Huber .05
//   sizes    L(N) = e^c + (N_0 / N)^b
//            N parameters without embeddings, for each mixture and validation set, of the losses at
//            the large run's tokens; one b for all; Huber .08
//   mixture  L(r) = c + sum_k exp(a_k + t_k . r)
//            for each validation set, of the losses at the large model's size
// and r minimises the target's sum of the last law under the caps. The law of the mixture has one
// term for a validation set of one training domain. A validation set of unknown domains (the
// paper's implicit domains) needs several. With one term alone, the minimum is in a corner of what
// the caps allow. Here cross-validation chooses 1 to 3 terms; more terms must be better by 2 %.
//
// As in the paper, the laws are fitted to runs at law.sizes sizes on law.mixtures mixtures, all
// with the same number of tokens. These parts differ. The two power laws are fitted to their
// minimum (law_fit.c), not with L-BFGS from thousands of starts. The mixing law is the regressor
// `exp`: penalised least squares with a cross-validated strength (on the simplex a and t have one
// parameter too many, which the penalty determines). Its minimum is searched by gradient, not on a
// grid (the published code uses boosted networks that are chosen in-sample). The laws of sizes and
// mixtures are fitted only for the validation sets of the target. The mixtures come from the
// experiment's sampler. As in the paper, the curve of a training is the last two thirds of its
// evaluations. Two sizes do not determine b, which is then .55, the middle of the paper's starts.
// With one size there is no law of sizes. The extrapolation is valid only if the large model has
// the same schedule as the proxies.
//
// Smaller sizes: layers, width, heads and feed-forward width of the proxy times 2^(-s/2), s = 1, 2,
// ...
//
// Cost: mixtures * sum over sizes of (D F + evaluations); the budget determines D, the tokens of a
// run. (The paper's: 20 mixtures, 4 sizes, 31 B tokens, 4.5 times the FLOPs of its target model.)
#include "law.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "passages.h"
#include "regress/fit.h"

enum {
  MAX_SIZES = 8,
  MIN_WIDTH = 8,
  MAX_TERMS = 3,
  MAX_EVALS = 12,
  MIN_EVALS = 6,
  MIN_LOOK = 4096
};
static const double steps_delta = 0.05, sizes_delta = 0.08, held_exponent = 0.55,
                    first_third = 1.0 / 3, better_by = 0.02;

// ---- what is trained

struct plan {
  size_t M, S;                       // mixtures, sizes
  rmx_training training[MAX_SIZES];  // the proxy first, then smaller ones; text borrowed
  double parameters[MAX_SIZES], flop[MAX_SIZES], large;
};

static int64_t scaled(int64_t x, double by) {
  const int64_t y = llround((double)x * by);
  return y < 1 ? 1 : y;
}

static rmx_status size_of(const rmx_comparison *c, int s, rmx_training *t, double *parameters,
                          double *flop, rmx_err *err) {
  rmx_model_config m;
  *t = *c->proxy;
  t->eval_half = false;
  t->init = NULL;  // a law over sizes needs models that all begin from nothing
  RMX_TRY(rmx_training_model(t, c->corpus->vocab, &m, err));
  if (s > 0) {
    const double by = pow(2, -s / 2.0);
    t->layers = scaled(m.layers, by);
    t->heads = scaled(m.heads, by);
    // heads of an even number of channels
    t->width = 2 * t->heads * scaled(m.width, by / (double)(2 * t->heads));
    t->ffn = scaled(m.ffn, by);
    RMX_TRY(rmx_training_model(t, c->corpus->vocab, &m, err));
  }
  *parameters = (double)rmx_model_parameters_body(&m);
  *flop = rmx_model_flop_per_token(&m, (int)t->context);
  return RMX_OK;
}

// FLOPs of one evaluation at every size.
static double evaluation(const rmx_comparison *c, struct plan *p, int64_t eval_tokens) {
  double flops = 0;
  for (size_t s = 0; s < p->S; s++) {
    p->training[s].eval_tokens = eval_tokens;
    flops += rmx__comparison_valid_flops(c, &p->training[s], p->flop[s]);
  }
  return flops;
}

// Tokens and evaluations of each run. No more than a third of the budget goes into evaluations: at
// first there are fewer of them, then each looks at fewer tokens, the same in all runs.
static rmx_status afford(const rmx_comparison *c, struct plan *p, rmx_err *err) {
  double flop = 0;
  int64_t evals = MAX_EVALS, look = 0;
  for (size_t d = 0; d < c->corpus->D; d++) {
    const int64_t there = (int64_t)rmx_evaluate_tokens(c->corpus, d, c->proxy->eval_tokens);
    look = there > look ? there : look;
  }
  for (size_t s = 0; s < p->S; s++) flop += p->flop[s];
  const double each = c->budget / (double)p->M,
               step = (double)(rmx_training_batch(c->proxy) * c->proxy->context);
  double valid = evaluation(c, p, look);
  while (evals > MIN_EVALS && (double)evals * valid > each / 3) evals--;
  while (look > MIN_LOOK && (double)evals * valid > each / 3) {
    look = look / 2 > MIN_LOOK ? look / 2 : MIN_LOOK;
    valid = evaluation(c, p, look);
  }
  const double steps = floor((each - (double)evals * valid) / flop / step * (1 + 1e-12));
  if (!(steps >= 2 * (double)evals))
    return rmx_fail(
        err, RMX_EINPUT,
        "law: %zu mixtures at %zu sizes with %lld evaluations per run cost %.3g FLOPs or more, but "
        "the budget is %.3g; raise --budget, or lower law.mixtures or law.sizes",
        p->M, p->S, (long long)evals,
        (double)p->M * ((double)evals * valid + 2 * (double)evals * step * flop), c->budget);
  for (size_t s = 0; s < p->S; s++) {
    p->training[s].tokens = (int64_t)(fmin(steps, 9e15 / step) * step);
    p->training[s].evals = evals;
  }
  return RMX_OK;
}

static rmx_status make_plan(const rmx_comparison *c, struct plan *p, rmx_err *err) {
  rmx_model_config large;
  *p = (struct plan){.M = (size_t)c->options->law.mixtures, .S = (size_t)c->options->law.sizes};
  RMX_TRY(rmx_training_model(c->large, c->corpus->vocab, &large, err));
  p->large = (double)rmx_model_parameters_body(&large);
  for (size_t s = 0; s < p->S; s++) {
    RMX_TRY(size_of(c, (int)s, &p->training[s], &p->parameters[s], &p->flop[s], err));
    if (s > 0 &&
        (p->parameters[s] > 0.9 * p->parameters[s - 1] || p->training[s].width < MIN_WIDTH))
      return rmx_fail(err, RMX_EINPUT,
                      "law: the proxy cannot be made smaller %zu times; use `--set law.sizes=%zu` "
                      "or a larger proxy",
                      s, s);
  }
  return afford(c, p, err);
}

static rmx_status check(const rmx_comparison *c, rmx_err *err) {
  struct plan p;
  const size_t D = c->corpus->D_train, min = D + 2;
  if (D < 2)
    return rmx_fail(err, RMX_EINPUT, "law: the corpus has one domain; a mixture needs two or more");
  if (rmx_training_is_outside(c->proxy))
    return rmx_fail(err, RMX_EINPUT,
                    "law: the method extrapolates the losses during a training, and your own "
                    "trainer does not report them; leave out the method, or set proxy.trainer "
                    "to regmix");
  if ((size_t)c->options->law.mixtures < min)
    return rmx_fail(
        err, RMX_EINPUT,
        "law: a law with %zu parameters needs %zu or more mixtures; use `--set law.mixtures=%zu`",
        D + 1, min, min);
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->target[d] != 0 && rmx_evaluate_tokens(c->corpus, d, c->proxy->eval_tokens) == 0)
      return rmx_fail(err, RMX_EINPUT, "law: the target \"%s\" has no validation text",
                      c->corpus->names[d]);
  return make_plan(c, &p, err);
}

// ---- steps: a run's evaluations to its losses at the large run's tokens

struct curve {
  size_t n, M;
  double *x;  // (n) tokens
  double *y;  // (M, n) nats of the validation sets
};

static void curve_release(struct curve *v) {
  free(v->x);
  free(v->y);
}

// Lines of log.jsonl that are evaluations, from the first third of the run on. *lines counts all of
// them.
static rmx_status read_curve(const rmx_run *run, const char *const *sets, size_t M, struct curve *v,
                             size_t *lines, rmx_err *err) {
  char *text = NULL, *path = rmx_path_in(run->folder, "log.jsonl"), *rest;
  size_t size, room = (size_t)run->training.evals + 2;
  *v = (struct curve){
      .M = M, .x = rmx_calloc(room, sizeof *v->x), .y = rmx_calloc(room * M, sizeof *v->y)};
  double *rows = rmx_calloc(room * M, sizeof *rows);
  rmx_status status = path && v->x && v->y && rows ? rmx_read_file(path, &text, &size, err)
                                                   : rmx_fail_memory(err, 0, "a learning curve");
  *lines = 0;
  for (char *line = status == RMX_OK ? strtok_r(text, "\n", &rest) : NULL; line;
       line = strtok_r(NULL, "\n", &rest)) {
    json_auto_t *o = json_loads(line, 0, NULL);
    json_t *nats = json_object_get(o, "valid_nats");
    const double tokens = json_number_value(json_object_get(o, "tokens"));
    *lines += nats != NULL;
    bool good =
        nats && v->n < room && tokens >= first_third * (double)run->training.tokens * (1 - 1e-9);
    for (size_t m = 0; m < M && good; m++) {
      const json_t *x = json_object_get(nats, sets[m]);
      good = json_is_number(x);
      rows[v->n * M + m] = json_number_value(x);
    }
    if (good) v->x[v->n++] = tokens;
  }
  for (size_t i = 0; i < v->n; i++)
    for (size_t m = 0; m < M; m++) v->y[m * v->n + i] = rows[i * M + m];
  if (status == RMX_OK && v->n < 3)
    status = rmx_fail(
        err, RMX_EINPUT,
        "%s: found %zu evaluations in the last two thirds of the run; a law of the steps needs 3",
        path, v->n);
  free(rows);
  free(text);
  free(path);
  return status;
}

struct fitted {
  double alpha, rms;
};

// y: the run's losses at so many tokens, of those sets that are of the target.
static rmx_status by_steps(const struct curve *v, const bool *of_target, double tokens, double *y,
                           struct fitted *f, rmx_err *err) {
  RMX_OWNED rmx__power_law *laws = rmx_calloc(v->M, sizeof *laws);
  if (!laws) return rmx_fail_memory(err, v->M * sizeof *laws, "laws");
  for (size_t m = 0; m < v->M; m++)
    laws[m] = (rmx__power_law){.x = v->x, .y = v->y + m * v->n, .n = v->n};
  f->alpha = 0;
  rmx__power_law_fit(laws, v->M, steps_delta, &f->alpha, &f->rms);
  for (size_t m = 0; m < v->M; m++)
    if (of_target[m]) *y++ = rmx__power_law_at(&laws[m], f->alpha, tokens);
  return RMX_OK;
}

// ---- sizes: losses (S, n) at the sizes, largest first, to those of the large model, into y (n)

static rmx_status by_sizes(const struct plan *p, const double *losses, size_t n, double *y,
                           struct fitted *f, rmx_err *err) {
  const size_t S = p->S;
  *f = (struct fitted){.alpha = S == 2 ? held_exponent : 0, .rms = NAN};
  memcpy(y, losses, n * sizeof *y);
  if (S == 1) return RMX_OK;
  RMX_OWNED rmx__power_law *laws = rmx_calloc(n, sizeof *laws);
  double x[MAX_SIZES];
  RMX_OWNED double *turned = rmx_calloc(n * S, sizeof *turned);
  if (!laws || !turned) return rmx_fail_memory(err, n * S * sizeof *turned, "laws");
  for (size_t s = 0; s < S; s++) x[s] = p->parameters[S - 1 - s];
  for (size_t i = 0; i < n; i++) {
    for (size_t s = 0; s < S; s++) turned[i * S + s] = losses[(S - 1 - s) * n + i];
    laws[i] = (rmx__power_law){.x = x, .y = turned + i * S, .n = S};
  }
  rmx__power_law_fit(laws, n, sizes_delta, &f->alpha, &f->rms);
  for (size_t i = 0; i < n; i++) y[i] = rmx__power_law_at(&laws[i], f->alpha, p->large);
  return RMX_OK;
}

// ---- all of it

struct work {
  const rmx_comparison *c;
  struct plan plan;
  size_t V, T;        // validation sets, those of the target
  const char **sets;  // (V) names
  bool *of_target;    // (V)
  double *mixtures;   // (M, D)
  double *losses;     // (S, M, T) at the large run's tokens
  rmx_run *runs;      // (S, M)
  double alpha, rms;  // of the steps, means
};

static void release(struct work *w) {
  for (size_t i = 0; w->runs && i < w->plan.S * w->plan.M; i++) rmx_run_release(&w->runs[i]);
  free(w->runs);
  free(w->sets);
  free(w->of_target);
  free(w->mixtures);
  free(w->losses);
}

static rmx_status prepare(const rmx_comparison *c, struct work *w, rmx_err *err) {
  const size_t D = c->corpus->D_train;
  *w = (struct work){.c = c};
  RMX_TRY(make_plan(c, &w->plan, err));
  const size_t M = w->plan.M, S = w->plan.S;
  w->sets = rmx_calloc(c->corpus->D, sizeof *w->sets);
  w->of_target = rmx_calloc(c->corpus->D, sizeof *w->of_target);
  for (size_t d = 0; w->sets && w->of_target && d < c->corpus->D; d++) {
    if (rmx_evaluate_tokens(c->corpus, d, c->proxy->eval_tokens) == 0) continue;
    w->T += w->of_target[w->V] = c->target[d] != 0;
    w->sets[w->V++] = c->corpus->names[d];
  }
  w->mixtures = rmx_calloc(M * D, sizeof *w->mixtures);
  w->losses = rmx_calloc(S * M * w->T, sizeof *w->losses);
  w->runs = rmx_calloc(S * M, sizeof *w->runs);
  if (!w->sets || !w->of_target || !w->mixtures || !w->losses || !w->runs)
    return rmx_fail_memory(err, S * M * w->T * sizeof(double), "mixing laws");
  rmx_sample_options sample = *c->sample;
  sample.runs = (int64_t)M;
  RMX_TRY(rmx_sample_mixtures(&sample, c->corpus->prior, c->cap, c->corpus->names, D, c->seed,
                              w->mixtures, err));
  for (size_t s = 0; s < S; s++)
    for (size_t m = 0; m < M; m++) {
      char name[48];
      snprintf(name, sizeof name, "law-%zu-%03zu", s + 1, m + 1);
      RMX_TRY(rmx__comparison_run(c, name, w->mixtures + m * D, &w->plan.training[s], c->seed,
                                  false, NULL, &w->runs[s * M + m], err));
    }
  return RMX_OK;
}

static rmx_status extrapolate_steps(struct work *w, json_t *const *results,
                                    rmx_baseline_result *out, rmx_err *err) {
  const size_t n = w->plan.S * w->plan.M;
  for (size_t i = 0; i < n; i++) {
    const size_t s = i / w->plan.M;
    struct curve v;
    struct fitted f = {0};
    size_t lines;
    rmx_status status = read_curve(&w->runs[i], w->sets, w->V, &v, &lines, err);
    if (status == RMX_OK)
      status =
          by_steps(&v, w->of_target, (double)w->c->large->tokens, w->losses + i * w->T, &f, err);
    curve_release(&v);
    RMX_TRY(status);
    // Evaluations during the training are only in the log; the result has the one at the end.
    const double all =
        (double)lines * rmx__comparison_valid_flops(w->c, &w->plan.training[s], w->plan.flop[s]);
    out->flops += fmax(0, all - json_number_value(json_object_get(results[i], "valid_flops")));
    w->alpha += f.alpha / (double)n;
    w->rms += f.rms / (double)n;
  }
  return RMX_OK;
}

// The extrapolated losses y (M, T) as tables.
static rmx_status tables(const struct work *w, const double *y, rmx_table *mixtures,
                         rmx_table *metrics, rmx_err *err) {
  const size_t D = w->c->corpus->D_train, M = w->plan.M, T = w->T;
  RMX_TRY(rmx_table_make(mixtures, "run", M, D, err));
  RMX_TRY(rmx_table_make(metrics, "run", M, T, err));
  bool good = true;
  for (size_t d = 0; d < D; d++)
    good &= (mixtures->names[d] = rmx_strdup(w->c->corpus->names[d])) != NULL;
  for (size_t v = 0, t = 0; v < w->V; v++)
    if (w->of_target[v])
      good &= (metrics->names[t++] = rmx_format("%s_val_loss", w->sets[v])) != NULL;
  for (size_t m = 0; m < M; m++)
    good &= (mixtures->ids[m] = rmx_format("%zu", m + 1)) != NULL &&
            (metrics->ids[m] = rmx_format("%zu", m + 1)) != NULL;
  if (!good) return rmx_fail_memory(err, M * D * sizeof(double), "tables");
  memcpy(mixtures->x, w->mixtures, M * D * sizeof *mixtures->x);
  memcpy(metrics->x, y, M * T * sizeof *metrics->x);
  return RMX_OK;
}

// The fit with as many terms as cross-validation prefers: 1 to 3.
static rmx_status fit_mixtures(const rmx_comparison *c, const rmx_table *mixtures,
                               const rmx_table *metrics, rmx_fit **out, int64_t *terms,
                               rmx_err *err) {
  rmx_regress_options regress = {0};
  double min = INFINITY;
  *out = NULL;
  rmx_status status = rmx__regressor_defaults("exp", &regress, err);
  for (int64_t k = 1; k <= MAX_TERMS && status == RMX_OK; k++) {
    rmx_fit *fit = NULL;
    regress.exp.terms = k;
    status = rmx_fit_tables(&(rmx_fit_tables_request){.options = &regress,
                                                      .mixtures = mixtures,
                                                      .metrics = metrics,
                                                      .seed = c->seed,
                                                      .threads = c->threads,
                                                      .listener = c->listener},
                            &fit, err);
    if (status != RMX_OK) break;
    double error = 0;
    for (size_t m = 0, t = 0; m < c->corpus->D; m++)
      if (c->target[m] != 0) error += fabs(c->target[m]) * sqrt(fit->cv[t++].mse);
    if (k == 1 || error < min * (1 - better_by)) {
      rmx_fit_free(*out);
      *out = fit;
      *terms = k;
      min = error;
    } else {
      rmx_fit_free(fit);
    }
  }
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &regress);
  return status;
}

static rmx_status minimise(const struct work *w, const double *y, rmx_baseline_result *out,
                           rmx_err *err) {
  const rmx_comparison *c = w->c;
  RMX_OWNED_BY(rmx_table_release) rmx_table mixtures = {0}, metrics = {0};
  rmx_optimize_options optimize = *c->optimize;
  optimize.method = "search";
  optimize.guard = false;
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  RMX_OWNED_BY(rmx_problem_release) rmx_problem q = {0};
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *o = NULL;
  int64_t terms = 0;
  RMX_TRY(tables(w, y, &mixtures, &metrics, err));
  RMX_TRY(fit_mixtures(c, &mixtures, &metrics, &fit, &terms, err));
  RMX_TRY(rmx__swarm_problem(c, fit, &q, err));
  RMX_TRY(rmx_optimize(
      &(rmx_optimize_request){fit, &q, &optimize, c->seed, c->threads, c->listener}, &o, err));
  memcpy(out->mixture, rmx_optimum_mixture(o), c->corpus->D_train * sizeof *out->mixture);
  json_object_set_new(out->notes, "terms", json_integer(terms));
  json_object_set_new(out->notes, "predicted", json_real(rmx_optimum_score(o)));
  json_object_set_new(out->notes, "spearman_out_of_fold", rmx__json_known(fit->cv[0].spearman));
  return RMX_OK;
}

static void add_notes(const struct work *w, const struct fitted *sizes, rmx_baseline_result *out) {
  const struct plan *p = &w->plan;
  json_t *list = json_array();
  for (size_t s = 0; s < p->S; s++) json_array_append_new(list, json_real(p->parameters[s]));
  json_object_set_new(out->notes, "form",
                      json_string("the laws of the paper; those of steps and sizes are fitted to "
                                  "their minimum, that of mixtures with `exp`"));
  json_object_set_new(out->notes, "mixtures", json_integer((json_int_t)p->M));
  json_object_set_new(out->notes, "parameters", list);
  json_object_set_new(out->notes, "tokens", json_integer((json_int_t)p->training[0].tokens));
  json_object_set_new(out->notes, "evaluations", json_integer((json_int_t)p->training[0].evals));
  json_object_set_new(out->notes, "evaluation_tokens",
                      json_integer((json_int_t)p->training[0].eval_tokens));
  json_object_set_new(out->notes, "steps_exponent", json_real(w->alpha));
  json_object_set_new(out->notes, "steps_rms", json_real(w->rms));
  if (p->S > 1) json_object_set_new(out->notes, "sizes_exponent", json_real(sizes->alpha));
  if (p->S > 1) json_object_set_new(out->notes, "sizes_exponent_held", json_boolean(p->S == 2));
  if (p->S > 1) json_object_set_new(out->notes, "sizes_rms", json_real(sizes->rms));
}

static rmx_status find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  struct work w;
  struct fitted sizes = {0};
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  rmx_status status = prepare(c, &w, err);
  const size_t n = w.plan.S * w.plan.M;
  json_t **results = rmx_calloc(n, sizeof *results);
  double *y = rmx_calloc(w.plan.M * w.T, sizeof *y);
  if (status == RMX_OK && !(results && y))
    status = rmx_fail_memory(err, n * sizeof *y, "mixing laws");
  if (status == RMX_OK)
    status =
        rmx__comparison_train(c, w.runs, n, "law: mixtures at several sizes", results, out, err);
  const double began = rmx_now();
  if (status == RMX_OK) status = extrapolate_steps(&w, results, out, err);
  if (status == RMX_OK) status = by_sizes(&w.plan, w.losses, w.plan.M * w.T, y, &sizes, err);
  if (status == RMX_OK) add_notes(&w, &sizes, out);
  if (status == RMX_OK) status = minimise(&w, y, out, err);
  out->wall_s += rmx_now() - began;
  for (size_t i = 0; results && i < n; i++) json_decref(results[i]);
  free(results);
  free(y);
  release(&w);
  return status;
}

const rmx_baseline rmx__law = {
    .sees_target = true,
    .name = "law",
    .help =
        "extrapolates losses over steps and model sizes, fits an exponential law of the mixture, "
        "and takes its minimum",
    .source = "Ye et al. 2024, arXiv 2403.16952",
    .suits = "Suits a large model that is much larger, or trained much longer, than any proxy",
    .check = check,
    .find = find,
};
