// SPDX-License-Identifier: Apache-2.0
// The posterior sampler. Every interval of the optimum is made of its draws: functions that agree
// with the runs to within their noise.
//
// The uncertainty is that of a Gaussian process fitted to the runs. With up to MAX_WALKED runs its
// lengths, warps and noise are uncertain too, so the draws use parameters theta_b from their
// posterior (Hamiltonian Monte Carlo). More runs determine the parameters well, and so do several
// metrics that share them; then every draw uses the most likely ones. Given theta_b, Matheron's
// rule (Wilson et al. 2020, "Efficiently sampling functions from Gaussian process posteriors", eq.
// 8) says: with g a draw from the prior and e a draw of the noise,
//   p(w) = g(w) + k(w)' K^-1 (y - g(X) - e)
// is a draw from the posterior. g is a sum of random Fourier features (Rahimi & Recht 2007),
//   g(w) = a_0 + c a'z + s sqrt(2/F) sum_i a_i cos(omega_i'z + phase_i),
// where a is normal, z are the warped weights, and omega has the spectrum of Matern 5/2, Student's
// t with 5 degrees of freedom. Every draw has its own frequencies, so the covariance over draws is
// exactly the process' with any number F of features.
//
// The likelihood may take noise for a function that changes faster than the runs can show: it finds
// it in several metrics at once, which have their errors in common, or in few runs. So a process
// has at least the noise that its caller asks for.
//
// A regressor r of another kind may know what the process does not, and the reverse. The draw is
//   f(w) = p(w) + (c a + sqrt(a (1 - a)) t) (r(w) - m(w)),  t normal,
// where m is the process' mean, a the ensemble's weight of r (1/2 for other kinds), and c the trust
// in what was found: 1 where the errors out of fold are small. It is centred between the two, and
// as uncertain about their difference as the ensemble is. Trees have
// no gradient to search with and are left out: the draw is p.
//
// Several metrics of one swarm err together (common_errors.h). Then their draws have the same
// frequencies and phases, and every normal number above is a mixture of common ones and of one of
// its own. If the processes are alike, the draws of two metrics have the correlation of their
// errors everywhere.
//
// At a run the second term needs no sum. With v = K^-1 (y - g(X) - e), where K has the noise on its
// diagonal,
//   p(w_i) = y_i - e_i - sigma_i^2 v_i.
//
// Cost: a fit of a Gaussian process and 100 to 300 steps of its likelihood; O(N^2 + N F D) a draw;
// O((N + F) D) an evaluation.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common_errors.h"
#include "fourier.h"
#include "gp.h"
#include "matern.h"
#include "posterior.h"
#include "regress/ensemble.h"
#include "regress/registry.h"

enum { DEGREES = 5, MAX_WALKED = 192, WALKED = 24 };

struct rmx__posterior {
  const rmx_regressor *fitted, *other;  // borrowed; other: the kind beside the process, or NULL
  const rmx_regressor *mode;            // the process at its most likely parameters
  rmx_regressor *own;                   // `mode`, unless it is a part of `fitted`
  rmx_regressor *at[WALKED];            // the process at other parameters
  size_t n_at;
  uint64_t seed;
  double trust;                  // in what the other kind found
  double least_noise, variance;  // of the noise (its sd), and of the runs; in the process' units
  size_t *order;                 // (F) of the features, in which random numbers are drawn for them
  size_t N;                      // runs of weight above 0
  size_t *row;                   // (N) of the data
  double *y;                     // (N) what was measured, in the process' units
  double *apart;  // (N) the other's prediction of each run less the mode's; NULL without another
};

void rmx__posterior_free(rmx__posterior *p) {
  if (!p) return;
  for (size_t i = 0; i < p->n_at; i++) rmx_regressor_free(p->at[i]);
  rmx_regressor_free(p->own);
  free(p->order);
  free(p->row);
  free(p->y);
  free(p->apart);
  free(p);
}

// What becomes noise is no longer of the function: the variance of the runs is that of both.
static void raise_noise(const rmx__posterior *p, double *theta) {
  const double had = exp(2 * theta[GP_NOISE]), least = p->least_noise * p->least_noise;
  const double left = 0.05 * p->variance;
  if (!(least > had)) return;
  const double less = fmax(p->variance - least, left) / fmax(p->variance - had, left);
  theta[GP_NOISE] = log(p->least_noise);
  theta[GP_SIGNAL] += 0.5 * log(fmin(less, 1));
  theta[GP_LINEAR] += 0.5 * log(fmin(less, 1));
}

// If the mode has less noise than the least, it gives way to one that has it.
static rmx_status raise_mode(rmx__posterior *p, const rmx_dataset *data, rmx_err *err) {
  const rmx__process *gp = p->mode->state;
  const size_t P = GP_N_PARAMETERS(gp->F);
  rmx_regressor *raised = NULL;
  if (gp->unit == 0 || !(p->least_noise > exp(gp->theta[GP_NOISE]))) return RMX_OK;
  RMX_OWNED double *theta = rmx_calloc(P, sizeof *theta);
  if (!theta) return rmx_fail_memory(err, P * sizeof *theta, "intervals");
  memcpy(theta, gp->theta, P * sizeof *theta);
  raise_noise(p, theta);
  RMX_TRY(gp->amplitude > 0
              ? rmx__gp_shared(data, &gp->features, theta, gp->amplitude, 0, &raised, err)
              : rmx__gp_at(data, theta, &raised, err));
  rmx_regressor_free(p->own);
  p->mode = p->own = raised;
  return RMX_OK;
}

// Makes the process at parameters drawn from their posterior.
static rmx_status walk(rmx__posterior *p, const rmx_dataset *data, rmx_err *err) {
  const rmx__process *gp = p->mode->state;
  size_t N = gp->N, P = GP_N_PARAMETERS(gp->D);
  if (N > MAX_WALKED || gp->unit == 0 || gp->amplitude > 0) return RMX_OK;
  double *theta = rmx_calloc(WALKED, P * sizeof(double));
  rmx_status status =
      theta ? RMX_OK : rmx_fail_memory(err, WALKED * P * sizeof(double), "intervals");
  if (status == RMX_OK) {
    rmx__gp_problem q = {N, gp->D, gp->X, p->y, gp->weight};
    rmx_rng rng = rmx_rng_make(p->seed, UINT64_MAX, RMX_FOR_BOOTSTRAP);
    status = rmx__gp_walk(&q, gp->theta, p->order, &rng, WALKED, theta, err);
  }
  for (size_t k = 0; k < WALKED && status == RMX_OK; k++) {
    raise_noise(p, theta + k * P);
    status = rmx__gp_at(data, theta + k * P, &p->at[k], err);
    // Rounding can make a covariance singular. Such parameters are unlikely; use the mode instead.
    if (status == RMX_ENUMERIC) {
      memcpy(theta + k * P, gp->theta, P * sizeof(double));
      raise_noise(p, theta + k * P);
      status = rmx__gp_at(data, gp->theta, &p->at[k], err);
    }
    if (status == RMX_OK) p->n_at++;
  }
  free(theta);
  return status;
}

// Computes what every draw needs of the runs.
static rmx_status look_at_runs(rmx__posterior *p, const rmx_dataset *data, rmx_err *err) {
  const rmx__process *gp = p->mode->state;
  size_t N = p->N = gp->N, n = 0;
  if (!(p->order = rmx_calloc(gp->F, sizeof *p->order)))
    return rmx_fail_memory(err, gp->F * sizeof *p->order, "intervals");
  RMX_TRY(rmx__features_order(&gp->features, data->domains, p->order, err));
  p->y = rmx_calloc(N, sizeof(double));
  p->row = rmx_calloc(N, sizeof *p->row);
  if (!p->y || !p->row) return rmx_fail_memory(err, 2 * N * sizeof(double), "intervals");
  for (size_t i = 0; i < data->N && gp->unit > 0; i++)
    if (!data->row_weights || data->row_weights[i] > 0) {
      if (n < N) p->y[n] = (data->y[i] - gp->shift) / gp->unit;
      if (n < N) p->row[n] = i;
      n++;
    }
  if (gp->unit > 0 && n != N)
    return rmx_fail(
        err, RMX_EINPUT,
        "the function of metric \"%s\" was fitted to %zu runs, but the fit holds %zu: make the fit "
        "again with `regmix fit`",
        data->metric ? data->metric : "?", N, n);
  double mean = 0;
  for (size_t i = 0; i < N; i++) mean += p->y[i] / (double)N;
  for (size_t i = 0; i < N; i++) p->variance += (p->y[i] - mean) * (p->y[i] - mean) / (double)N;
  return RMX_OK;
}

// How far the other kind is from the mode at the runs.
static rmx_status look_at_other(rmx__posterior *p, rmx_err *err) {
  const rmx__process *gp = p->mode->state;
  const size_t N = p->N;
  if (!p->other) return RMX_OK;
  if (!(p->apart = rmx_calloc(2 * N, sizeof(double))))
    return rmx_fail_memory(err, 2 * N * sizeof(double), "intervals");
  rmx_regressor_predict(p->other, gp->X, N, p->apart, NULL);
  rmx_regressor_predict(p->mode, gp->X, N, p->apart + N, NULL);
  for (size_t i = 0; i < N; i++) p->apart[i] -= p->apart[N + i];
  return RMX_OK;
}

rmx_status rmx__posterior_make(const rmx_regress_options *options, const rmx_regressor *fitted,
                               const rmx_dataset *data, rmx__found found, uint64_t seed,
                               rmx__posterior **out, rmx_err *err) {
  rmx__posterior *p = rmx_calloc(1, sizeof *p);
  if (!p) return rmx_fail_memory(err, sizeof *p, "intervals");
  *p = (rmx__posterior){.fitted = fitted, .trust = found.trust, .seed = seed};
  rmx_status status = RMX_OK;
  if (fitted->kind == &rmx__gp) {
    p->mode = fitted;
  } else if (fitted->kind == &rmx__ensemble) {
    rmx__ensemble_parts(fitted, &p->other, &p->mode);
  } else {
    status = rmx__fit_kind(&rmx__gp, options, NULL, data, seed, NULL, &p->own, err);
    p->mode = p->own;
    if (fitted->kind->gradient) p->other = fitted;
  }
  if (status == RMX_OK) status = look_at_runs(p, data, err);
  const double unit = status == RMX_OK ? ((const rmx__process *)p->mode->state)->unit : 0;
  if (unit > 0) p->least_noise = found.least_noise / unit;
  if (status == RMX_OK) status = walk(p, data, err);
  if (status == RMX_OK) status = raise_mode(p, data, err);
  if (status == RMX_OK) status = look_at_other(p, err);
  if (status != RMX_OK) {
    rmx__posterior_free(p);
    return status;
  }
  *out = p;
  return RMX_OK;
}

static const rmx__process *process_of(const rmx__posterior *p, uint64_t number) {
  return p->n_at ? p->at[number % p->n_at]->state : p->mode->state;
}

double rmx__posterior_noise(const rmx__posterior *p, uint64_t number) {
  const rmx__process *gp = process_of(p, number);
  return gp->unit * exp(gp->theta[GP_NOISE]);
}

rmx_status rmx__posterior_refit(const rmx__posterior *p, const rmx_regress_options *options,
                                const rmx_dataset *data, uint64_t seed, rmx_regressor **out,
                                rmx_err *err) {
  const rmx_regressor *like = p->fitted->kind->gradient ? p->fitted : p->mode;
  return rmx__refit(options, like, data, seed, out, err);
}

// ---- one draw ----

typedef struct draw {
  const rmx__process *gp;
  const rmx_regressor *other, *mode;  // or NULL
  double apart;                       // c a + sqrt(a (1 - a)) t
  size_t F;                           // features of the process
  const size_t *order;                // (F)
  double *omega, *phase, *a;          // (F, RMX__FEATURES) (RMX__FEATURES) (RMX__FEATURES)
  double *by_z, constant;             // (F): linear part, what the runs add to it included
  double *v;  // (blocks, RMX__LANES), zeros behind N: s^2 K^-1 (y - g(X) - e)
} draw;

static void release(void *state) {
  draw *r = state;
  if (!r) return;
  free(r->omega);
  free(r);
}

// The features and the linear part at z (F). Adds their slope by z to slope (F; may be NULL).
static double features(const draw *r, const double *z, double *slope) {
  double sum = r->constant;
  for (size_t d = 0; d < r->F; d++) {
    sum += r->by_z[d] * z[d];
    if (slope) slope[d] += r->by_z[d];
  }
  return sum + rmx__fourier_sum(r->omega, r->phase, r->a, r->F, z, slope);
}

static bool evaluate(const void *state, const double *w, double *mean, double *gradient) {
  const draw *r = state;
  const rmx__process *gp = r->gp;
  size_t D = gp->D, F = r->F;
  RMX_OWNED double *z = rmx_calloc(F * (RMX__LANES + 2) + 2 * D, sizeof(double));
  double *slope = z + F, *other = z + 2 * F, *mode = other + D, *lanes = mode + D;
  double its = 0, likely = 0;
  bool done = z && (!r->other || (rmx__regressor_evaluate(r->other, w, &its, other) &&
                                  rmx__regressor_evaluate(r->mode, w, &likely, mode)));
  if (done) {
    rmx__process_warp(gp, w, z, 1);
    double at = rmx__matern_slope(gp->packed, r->v, RMX__BLOCKS(gp->N), F, z, lanes, slope);
    *mean = gp->shift + gp->unit * (at + features(r, z, slope)) + r->apart * (its - likely);
    for (size_t k = 0; k < F; k++)
      slope[k] *=
          gp->unit * gp->scale[k] / (gp->eps[k] + fmax(rmx__feature(&gp->features, w, k), 0));
    rmx__features_slope(&gp->features, slope);
    for (size_t d = 0; d < D; d++) {
      gradient[d] = slope[d];
      if (r->other) gradient[d] += r->apart * (other[d] - mode[d]);
    }
  }
  return done;
}

// Without slopes, RMX__QUERIES at a time.
static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  const draw *r = state;
  const rmx__process *gp = r->gp;
  size_t D = gp->D, F = r->F;
  RMX_OWNED double *z = rmx_calloc(F * (RMX__QUERIES + 1), sizeof(double));
  double *one = z + F * RMX__QUERIES;
  double other[RMX__QUERIES], mode[RMX__QUERIES], curved[RMX__QUERIES];
  for (size_t i = 0; sd && i < n; i++) sd[i] = NAN;
  for (size_t i = 0; !z && i < n; i++) mean[i] = NAN;  // memory is short: there is no status
  for (size_t first = 0; z && first < n; first += RMX__QUERIES) {
    size_t here = n - first < RMX__QUERIES ? n - first : RMX__QUERIES;
    const double *w = X + first * D;
    if (here == 1) {
      rmx__process_warp(gp, w, one, 1);
      curved[0] = rmx__matern_sum(gp->packed, r->v, RMX__BLOCKS(gp->N), F, one);
    } else {
      memset(z, 0, F * RMX__QUERIES * sizeof(double));
      for (size_t q = 0; q < here; q++) rmx__process_warp(gp, w + q * D, z + q, RMX__QUERIES);
      rmx__matern_sums(gp->packed, r->v, RMX__BLOCKS(gp->N), F, z, curved);
    }
    if (r->other) {
      rmx_regressor_predict(r->other, w, here, other, NULL);
      rmx_regressor_predict(r->mode, w, here, mode, NULL);
    }
    for (size_t q = 0; q < here; q++) {
      for (size_t d = 0; d < F && here > 1; d++) one[d] = z[d * RMX__QUERIES + q];
      mean[first + q] = gp->shift + gp->unit * (curved[q] + features(r, one, NULL));
      if (r->other) mean[first + q] += r->apart * (other[q] - mode[q]);
    }
  }
}

static bool gradient(const void *state, const double *w, double *g) {
  double mean;
  return evaluate(state, w, &mean, g);
}

// Not in the table of regressors: users cannot ask for it, and it has no file.
static const rmx__regressor_kind kind = {.name = "draw",
                                         .help = "",
                                         .extension = "",
                                         .predict = predict,
                                         .gradient = gradient,
                                         .evaluate = evaluate,
                                         .release = release};

// u <- K^-1 u with K = L L'; L is stored by columns.
static void solve(const rmx__process *gp, double *u) {
  size_t N = gp->N;
  for (size_t j = 0; j < N; j++) {
    const double *L = gp->L + j * N;
    double x = u[j] /= L[j];
    for (size_t i = j + 1; i < N; i++) u[i] -= x * L[i];
  }
  for (size_t j = N; j-- > 0;) {
    const double *L = gp->L + j * N;
    double sum = u[j];
    for (size_t i = j + 1; i < N; i++) sum -= L[i] * u[i];
    u[j] = sum / L[j];
  }
}

// The random numbers of one draw. Those of `own` are the metric's; with errors in common, `shape`
// gives all metrics the same frequencies.
typedef struct numbers {
  rmx_rng own, shape;
  const rmx__common *common;  // or NULL
  const size_t *row;          // of the data, of each run
  uint64_t number, next;      // next: index of a common number
} numbers;

enum { OF_RUNS = 1 << 20 };  // the first index of common numbers that belong to runs

static double normal_at(numbers *n, uint64_t index) {
  const double own = rmx_rng_normal(&n->own);
  if (!n->common || n->common->K == 0) return own;
  return n->common->own * own + rmx__common_normal(n->common, n->number, RMX_FOR_BOOTSTRAP, index);
}

static double normal(numbers *n) {
  return normal_at(n, n->next++);
}

static double normal_of_run(numbers *n, size_t i) {
  const size_t row = n->row[i];
  return normal_at(n, OF_RUNS + (n->common && n->common->run ? n->common->run[row] : row));
}

// Adds to a draw what the runs cannot say, because they have another scale: a function of the prior
// whose size is `doubt` times that of the process. Values at the runs do not have it.
static void add_doubt(draw *r, numbers *of, double doubt) {
  for (size_t k = 0; k < r->F; k++)
    r->by_z[r->order[k]] += doubt * sqrt(r->gp->linear) * normal(of);
  for (size_t i = 0; i < RMX__FEATURES; i++)
    r->a[i] += doubt * sqrt(2 * r->gp->signal / RMX__FEATURES) * normal(of);
}

// Draws g from the prior.
static void draw_prior(draw *r, numbers *of) {
  const rmx__process *gp = r->gp;
  const size_t F = gp->F;
  rmx_rng *shape = of->common && of->common->K ? &of->shape : &of->own;
  r->constant = normal(of);
  for (size_t k = 0; k < F; k++) r->by_z[r->order[k]] = sqrt(gp->linear) * normal(of);
  for (size_t i = 0; i < RMX__FEATURES; i++) {
    double widen = sqrt(DEGREES / (2 * rmx_rng_gamma(shape, DEGREES / 2.0)));
    for (size_t k = 0; k < F; k++)
      r->omega[r->order[k] * RMX__FEATURES + i] = widen * rmx_rng_normal(shape);
    r->phase[i] = 2 * M_PI * rmx_rng_uniform(shape);
    r->a[i] = sqrt(2 * gp->signal / RMX__FEATURES) * normal(of);
  }
}

// Conditions g on the runs. y (N): the measured values; at_runs (N; may be NULL): the draw's values
// there; both in the process' units. z (F) is scratch.
static void condition(draw *r, numbers *of, const double *y, double *z, double *at_runs) {
  const rmx__process *gp = r->gp;
  size_t F = gp->F, N = gp->N;
  double noise = exp(gp->theta[GP_NOISE]), sum = 0;
  for (size_t i = 0; i < N; i++) {
    for (size_t d = 0; d < F; d++) z[d] = gp->Z[d * N + i];
    double e = noise / sqrt(gp->weight[i]) * normal_of_run(of, i);
    r->v[i] = features(r, z, NULL) + e;
    if (at_runs) at_runs[i] = y[i] - e;
  }
  solve(gp, r->v);
  for (size_t i = 0; i < N; i++) {
    sum += r->v[i] = gp->alpha[i] - r->v[i];
    if (at_runs) at_runs[i] -= noise * noise / gp->weight[i] * r->v[i];
  }
  r->constant += sum;
  for (size_t d = 0; d < F; d++) {
    double along = 0;
    for (size_t i = 0; i < N; i++) along += r->v[i] * gp->Z[d * N + i];
    r->by_z[d] += gp->linear * along;
  }
  for (size_t i = 0; i < N; i++) r->v[i] *= gp->signal;
}

rmx_status rmx__posterior_draw(const rmx__posterior *p, uint64_t number, const rmx__common *common,
                               double *at_runs, rmx_regressor **out, rmx_err *err) {
  const rmx__process *gp = process_of(p, number);
  size_t F = gp->F;
  draw *r = rmx_calloc(1, sizeof *r);
  double *z = rmx_calloc(F, sizeof(double));
  if (r)
    r->omega =
        rmx_calloc(RMX__FEATURES * (F + 2) + F + RMX__BLOCKS(gp->N) * RMX__LANES, sizeof(double));
  if (!r || !z || !r->omega) {
    release(r);
    free(z);
    return rmx_fail_memory(err, (RMX__FEATURES * F + gp->N) * sizeof(double),
                           "a draw of a Gaussian process");
  }
  numbers of = {.own = rmx_rng_make(p->seed, number, RMX_FOR_BOOTSTRAP),
                .common = common,
                .row = p->row,
                .number = number};
  if (common) of.shape = rmx_rng_make(common->seed - 1, number, RMX_FOR_BOOTSTRAP);
  r->gp = gp;
  r->other = p->other;
  r->mode = p->mode;
  double share = p->fitted->kind == &rmx__ensemble ? rmx__ensemble_weight(p->fitted) : 0.5;
  r->apart = p->trust * share + sqrt(share * (1 - share)) * normal(&of);
  r->F = F;
  r->order = p->order;
  r->phase = r->omega + RMX__FEATURES * F;
  r->a = r->phase + RMX__FEATURES;
  r->by_z = r->a + RMX__FEATURES;
  r->v = r->by_z + F;
  draw_prior(r, &of);
  condition(r, &of, p->y, z, at_runs);
  const double doubt = rmx__regressor_doubt(p->fitted);
  if (doubt > 0) add_doubt(r, &of, doubt);
  for (size_t i = 0; at_runs && i < gp->N; i++)
    at_runs[i] = gp->shift + gp->unit * at_runs[i] + (p->apart ? r->apart * p->apart[i] : 0);
  free(z);
  return rmx__regressor_of(&kind, gp->D, r, out, err);
}
