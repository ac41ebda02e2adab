// SPDX-License-Identifier: Apache-2.0
// The ensemble of the power law and the Gaussian process, whose errors differ. With p and g their
// predictions,
//   mean = a p + (1 - a) g,  sd^2 = sd_gp^2 + a (1 - a) (p - g)^2,
// a = 1/2 unless `auto` found another weight by cross-validation.
//
// Cost: the sum of both members'.

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "ensemble.h"

#include "registry.h"

enum { POWER, GP };

typedef struct ensemble {
  size_t D;
  rmx_regressor *part[2];
  double weight;  // of the power law
} ensemble;

static void release(void *state) {
  ensemble *r = state;
  if (!r) return;
  rmx_regressor_free(r->part[POWER]);
  rmx_regressor_free(r->part[GP]);
  free(r);
}

// fitted: an ensemble whose choices are kept, or NULL. choose_again: the choices are made again,
// beginning at `fitted`.
static rmx_status fit_parts(const rmx_regress_options *options, const ensemble *fitted,
                            bool choose_again, const rmx_dataset *data, uint64_t seed,
                            const rmx_listener *listener, void **state, rmx_err *err) {
  ensemble *r = rmx_calloc(1, sizeof *r);
  if (!r) return rmx_fail_memory(err, sizeof *r, "an ensemble");
  r->D = data->D;
  r->weight = fitted ? fitted->weight : 0.5;
  rmx_status status = RMX_OK;
  for (int i = 0; i < 2 && status == RMX_OK; i++)
    status = choose_again ? rmx__fit_again(options, fitted->part[i], data, seed, &r->part[i], err)
                          : rmx__fit_kind(i == POWER ? &rmx__power : &rmx__gp, options,
                                          fitted ? fitted->part[i] : NULL, data, seed, listener,
                                          &r->part[i], err);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  return fit_parts(options, NULL, false, data, seed, listener, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  return fit_parts(options, state, false, data, seed, NULL, out, err);
}

static rmx_status again(const rmx_regress_options *options, const void *state,
                        const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err) {
  return fit_parts(options, state, true, data, seed, NULL, out, err);
}

rmx_regressor *rmx__ensemble_of(rmx_regressor *power, rmx_regressor *gp, double weight) {
  ensemble *r = rmx_calloc(1, sizeof *r);
  rmx_regressor *out = rmx_calloc(1, sizeof *out);
  if (!r || !out) {
    free(r);
    free(out);
    return NULL;
  }
  *r = (ensemble){power->D, {power, gp}, weight};
  *out = (rmx_regressor){.kind = &rmx__ensemble, .D = power->D, .state = r};
  return out;
}

void rmx__ensemble_parts(const rmx_regressor *r, const rmx_regressor **power,
                         const rmx_regressor **gp) {
  const ensemble *e = r->state;
  *power = e->part[POWER];
  *gp = e->part[GP];
}

double rmx__ensemble_weight(const rmx_regressor *r) {
  return ((const ensemble *)r->state)->weight;
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  enum { CHUNK = 256 };
  const ensemble *r = state;
  double other[CHUNK];
  for (size_t first = 0; first < n; first += CHUNK) {
    size_t k = n - first < CHUNK ? n - first : CHUNK;
    const double *x = X + first * r->D;
    rmx_regressor_predict(r->part[POWER], x, k, other, NULL);
    rmx_regressor_predict(r->part[GP], x, k, mean + first, sd ? sd + first : NULL);
    for (size_t i = 0; i < k; i++) {
      double a = r->weight, apart = other[i] - mean[first + i];
      if (sd) sd[first + i] = hypot(sd[first + i], sqrt(a * (1 - a)) * apart);
      mean[first + i] += a * apart;
    }
  }
}

static bool gradient(const void *state, const double *w, double *g) {
  const ensemble *r = state;
  RMX_OWNED double *other = rmx_calloc(r->D, sizeof(double));
  bool done = other && rmx_regressor_gradient(r->part[POWER], w, other) &&
              rmx_regressor_gradient(r->part[GP], w, g);
  for (size_t d = 0; done && d < r->D; d++) g[d] += r->weight * (other[d] - g[d]);
  return done;
}

static bool evaluate(const void *state, const double *w, double *mean, double *g) {
  const ensemble *r = state;
  RMX_OWNED double *other = rmx_calloc(r->D, sizeof(double));
  double power;
  bool done = other && rmx__regressor_evaluate(r->part[POWER], w, &power, other) &&
              rmx__regressor_evaluate(r->part[GP], w, mean, g);
  for (size_t d = 0; done && d < r->D; d++) g[d] += r->weight * (other[d] - g[d]);
  if (done) *mean += r->weight * (power - *mean);
  return done;
}

static json_t *to_json(const void *state) {
  const ensemble *r = state;
  return json_pack("{s:f, s:o, s:o}", "weight", r->weight, "power",
                   rmx__regressor_json(r->part[POWER]), "gp", rmx__regressor_json(r->part[GP]));
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D,
                            rmx_err *err) {
  static const rmx__regressor_kind *const kinds[] = {&rmx__power, &rmx__gp};
  ensemble *r = *state = rmx_calloc(1, sizeof *r);
  if (!r) return rmx_fail_memory(err, sizeof *r, "an ensemble");
  for (int i = 0; i < 2; i++) {
    RMX_TRY(rmx__regressor_from_json(json_object_get(o, kinds[i]->name), path, &r->part[i], err));
    if (r->part[i]->kind != kinds[i] || r->part[i]->D != r->part[0]->D)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: \"power\" and \"gp\" of an ensemble must be regressors of these kinds "
                      "with the same number of domains",
                      path);
  }
  r->weight = 0.5;  // older files have no weight
  if (json_object_get(o, "weight")) RMX_TRY(rmx__json_number(o, "weight", &r->weight, path, err));
  if (!(r->weight >= 0 && r->weight <= 1))
    return rmx_fail(err, RMX_EINPUT, "%s: \"weight\" is %g: wanted 0 to 1", path, r->weight);
  *D = r->D = r->part[0]->D;
  return RMX_OK;
}

const rmx__regressor_kind rmx__ensemble = {
    .name = "ensemble",
    .help = "the power law and the Gaussian process together",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .again = again,
    .predict = predict,
    .gradient = gradient,
    .evaluate = evaluate,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
