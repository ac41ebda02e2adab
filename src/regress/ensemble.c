// SPDX-License-Identifier: Apache-2.0
// The mean of the power law and the Gaussian process, which err in different ways. With a and b what they
// say,
//   mean = (a + b) / 2,  sd^2 = sd_gp^2 + ((a - b) / 2)^2.
//
// Cost: theirs.

#include <math.h>
#include <stdlib.h>

#include "ensemble.h"

enum { POWER, GP };

typedef struct ensemble {
  size_t D;
  rmx_regressor *part[2];
} ensemble;

static void release(void *state) {
  ensemble *r = state;
  if (r == NULL) return;
  rmx_regressor_free(r->part[POWER]);
  rmx_regressor_free(r->part[GP]);
  free(r);
}

static rmx_status fit_parts(const rmx_regress_options *options, const ensemble *fitted,
                            const rmx_dataset *data, uint64_t seed, const rmx_listener *listener,
                            void **state, rmx_err *err) {
  ensemble *r = rmx_calloc(1, sizeof(*r));
  if (r == NULL) return rmx_fail_memory(err, sizeof(*r), "an ensemble");
  r->D = data->D;
  rmx_status status = rmx__fit_kind(&rmx__power, options, fitted ? fitted->part[POWER] : NULL, data, seed,
                                    listener, &r->part[POWER], err);
  if (status == RMX_OK)
    status = rmx__fit_kind(&rmx__gp, options, fitted ? fitted->part[GP] : NULL, data, seed, listener,
                           &r->part[GP], err);
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *state = r;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  return fit_parts(options, NULL, data, seed, listener, state, err);
}

static rmx_status refit(const rmx_regress_options *options, const void *state, const rmx_dataset *data,
                        uint64_t seed, void **out, rmx_err *err) {
  return fit_parts(options, state, data, seed, NULL, out, err);
}

rmx_regressor *rmx__ensemble_of(rmx_regressor *power, rmx_regressor *gp) {
  ensemble *r = rmx_calloc(1, sizeof(*r));
  rmx_regressor *out = rmx_calloc(1, sizeof(*out));
  if (!r || !out) {
    free(r);
    free(out);
    return NULL;
  }
  *r = (ensemble){power->D, {power, gp}};
  *out = (rmx_regressor){.kind = &rmx__ensemble, .D = power->D, .state = r};
  return out;
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
      if (sd) sd[first + i] = hypot(sd[first + i], (mean[first + i] - other[i]) / 2);
      mean[first + i] = (mean[first + i] + other[i]) / 2;
    }
  }
}

static bool gradient(const void *state, const double *w, double *g) {
  const ensemble *r = state;
  double *other = rmx_calloc(r->D, sizeof(double));
  bool done =
      other && rmx_regressor_gradient(r->part[POWER], w, other) && rmx_regressor_gradient(r->part[GP], w, g);
  for (size_t d = 0; done && d < r->D; d++) g[d] = (g[d] + other[d]) / 2;
  free(other);
  return done;
}

static json_t *to_json(const void *state) {
  const ensemble *r = state;
  return json_pack("{s:o, s:o}", "power", rmx__regressor_json(r->part[POWER]), "gp",
                   rmx__regressor_json(r->part[GP]));
}

static rmx_status from_json(const json_t *o, const char *path, void **state, size_t *D, rmx_err *err) {
  static const rmx__regressor_kind *const kinds[] = {&rmx__power, &rmx__gp};
  ensemble *r = rmx_calloc(1, sizeof(*r));
  if (r == NULL) return rmx_fail_memory(err, sizeof(*r), "an ensemble");
  rmx_status status = RMX_OK;
  for (int i = 0; i < 2 && status == RMX_OK; i++) {
    status = rmx__regressor_from_json(json_object_get(o, kinds[i]->name), path, &r->part[i], err);
    if (status == RMX_OK && (r->part[i]->kind != kinds[i] || r->part[i]->D != r->part[0]->D))
      status = rmx_fail(err, RMX_EINPUT,
                        "%s: \"power\" and \"gp\" of an ensemble must be those, of as many domains", path);
  }
  if (status != RMX_OK) {
    release(r);
    return status;
  }
  *D = r->D = r->part[0]->D;
  *state = r;
  return RMX_OK;
}

const rmx__regressor_kind rmx__ensemble = {
    .name = "ensemble",
    .help = "mean of the power law and the Gaussian process",
    .extension = "json",
    .fit = fit,
    .refit = refit,
    .predict = predict,
    .gradient = gradient,
    .to_json = to_json,
    .from_json = from_json,
    .release = release,
};
