// SPDX-License-Identifier: Apache-2.0
// The table of regressors, and the calls that go through it.

#include "registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const rmx__regressor_kind *const kinds[] = {
    &rmx__ridge,    &rmx__trees,        &rmx__exp,         &rmx__power,
    &rmx__exposure, &rmx__gp,           &rmx__shared_kind, &rmx__ensemble,
    &rmx__scaling,  &rmx__additive_law, &rmx__full_law,    &rmx__auto};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

size_t rmx__regressors(const char *names[], const char *help[], size_t max) {
  for (size_t i = 0; i < N_KINDS && i < max; i++) {
    if (names) names[i] = kinds[i]->name;
    if (help) help[i] = kinds[i]->help;
  }
  return N_KINDS;
}

static rmx_status find(const char *name, const char *where, const rmx__regressor_kind **out,
                       rmx_err *err) {
  const char *names[N_KINDS];
  for (size_t i = 0; i < N_KINDS; i++)
    if (strcmp(name, names[i] = kinds[i]->name) == 0) {
      *out = kinds[i];
      return RMX_OK;
    }
  int near = rmx_nearest(name, names, N_KINDS);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf list = {0};
  for (size_t i = 0; i < N_KINDS; i++) rmx_buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
  return rmx_fail(err, RMX_EINPUT, "%s: there is no regressor \"%s\"%s%s%s; there are: %s", where,
                  name, near >= 0 ? " (did you mean \"" : "", near >= 0 ? names[near] : "",
                  near >= 0 ? "\"?)" : "", list.data ? list.data : "");
}

static rmx_status check_data(const rmx_dataset *data, rmx_err *err) {
  const char *metric = data->metric ? data->metric : "";
  if (data->N == 0 || data->D == 0)
    return rmx_fail(err, RMX_EINPUT, "metric \"%s\": nothing to fit: %zu runs, %zu domains", metric,
                    data->N, data->D);
  double total = 0;
  for (size_t i = 0; i < data->N; i++) {
    double weight = data->row_weights ? data->row_weights[i] : 1;
    if (!isfinite(data->y[i]))
      return rmx_fail(err, RMX_EINPUT, "metric \"%s\": value %zu is %g", metric, i, data->y[i]);
    if (!isfinite(weight) || weight < 0)
      return rmx_fail(err, RMX_EINPUT, "metric \"%s\": the weight of row %zu is %g", metric, i,
                      weight);
    total += weight;
    for (size_t d = 0; d < data->D; d++)
      if (!isfinite(data->X[i * data->D + d]))
        return rmx_fail(err, RMX_EINPUT, "metric \"%s\": a weight of mixture %zu is not finite",
                        metric, i);
  }
  if (!(total > 0))
    return rmx_fail(err, RMX_EINPUT, "metric \"%s\": all row weights are 0", metric);
  return RMX_OK;
}

static bool takes_scales(const rmx__regressor_kind *kind) {
  return kind->set_scale || kind->choose;
}

bool rmx_regressor_takes_scales(const char *name) {
  const rmx__regressor_kind *kind;
  rmx_err ignored;
  return find(name, "", &kind, &ignored) == RMX_OK && takes_scales(kind);
}

bool rmx_regressor_needs_scales(const char *name) {
  const rmx__regressor_kind *kind;
  rmx_err ignored;
  return find(name, "", &kind, &ignored) == RMX_OK && kind->set_scale;
}

rmx_status rmx_regress_fit(const rmx_regress_options *options, const rmx_dataset *data,
                           uint64_t seed, const rmx_listener *listener, rmx_regressor **out,
                           rmx_err *err) {
  const rmx__regressor_kind *kind;
  RMX_TRY(find(options->regressor ? options->regressor : "", "fit.regressor", &kind, err));
  RMX_TRY(check_data(data, err));
  if (data->scales && !takes_scales(kind))
    return rmx_fail(err, RMX_EINPUT,
                    "regressor \"%s\" fits runs of one size and length; for several use "
                    "\"scaling\" or \"auto\"",
                    kind->name);
  bool constant = true;
  for (size_t i = 1; i < data->N && constant; i++) constant = data->y[i] == data->y[0];
  if (constant && data->N > 1)
    rmx_warn(listener, "metric \"%s\" is %g in all %zu runs: a constant is predicted",
             data->metric ? data->metric : "", data->y[0], data->N);
  if (kind->choose) return kind->choose(options, data, seed, listener, out, err);
  return rmx__fit_kind(kind, options, NULL, data, seed, listener, out, err);
}

rmx_status rmx__refit(const rmx_regress_options *options, const rmx_regressor *fitted,
                      const rmx_dataset *data, uint64_t seed, rmx_regressor **out, rmx_err *err) {
  RMX_TRY(check_data(data, err));
  return rmx__fit_kind(fitted->kind, options, fitted, data, seed, NULL, out, err);
}

rmx_status rmx__regressor_of(const rmx__regressor_kind *kind, size_t D, void *state,
                             rmx_regressor **out, rmx_err *err) {
  rmx_regressor *r = rmx_calloc(1, sizeof *r);
  if (!r) {
    kind->release(state);
    return rmx_fail_memory(err, sizeof *r, "a regressor");
  }
  *r = (rmx_regressor){.kind = kind, .D = D, .state = state};
  *out = r;
  return RMX_OK;
}

// Of a fit of several scales, runs that were carried to one (rmx_fit_for) have no scales: what is
// fitted to such runs in its place is a Gaussian process.
static bool is_carried(const rmx_regressor *fitted, const rmx_dataset *data) {
  return fitted && fitted->kind->set_scale && !data->scales;
}

rmx_status rmx__fit_kind(const rmx__regressor_kind *kind, const rmx_regress_options *options,
                         const rmx_regressor *fitted, const rmx_dataset *data, uint64_t seed,
                         const rmx_listener *listener, rmx_regressor **out, rmx_err *err) {
  void *state;
  if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while fitting");
  if (is_carried(fitted, data)) {
    kind = &rmx__gp;
    fitted = NULL;
  }
  RMX_TRY(fitted && kind->refit ? kind->refit(options, fitted->state, data, seed, &state, err)
                                : kind->fit(options, data, seed, listener, &state, err));
  return rmx__regressor_of(kind, data->D, state, out, err);
}

rmx_status rmx__fit_again(const rmx_regress_options *options, const rmx_regressor *fitted,
                          const rmx_dataset *data, uint64_t seed, rmx_regressor **out,
                          rmx_err *err) {
  void *state;
  if (!fitted->kind->again || is_carried(fitted, data))
    return rmx__fit_kind(fitted->kind, options, is_carried(fitted, data) ? fitted : NULL, data,
                         seed, NULL, out, err);
  RMX_TRY(fitted->kind->again(options, fitted->state, data, seed, &state, err));
  return rmx__regressor_of(fitted->kind, data->D, state, out, err);
}

void rmx_regressor_predict(const rmx_regressor *r, const double *X, size_t n, double *mean,
                           double *sd) {
  r->kind->predict(r->state, X, n, mean, sd);
}

bool rmx_regressor_gradient(const rmx_regressor *r, const double *w, double *gradient) {
  return r->kind->gradient && r->kind->gradient(r->state, w, gradient);
}

bool rmx__regressor_evaluate(const rmx_regressor *r, const double *w, double *mean,
                             double *gradient) {
  if (r->kind->evaluate) return r->kind->evaluate(r->state, w, mean, gradient);
  rmx_regressor_predict(r, w, 1, mean, NULL);
  return rmx_regressor_gradient(r, w, gradient);
}

bool rmx__regressor_set_budget(rmx_regressor *r, double tokens) {
  if (!r->kind->set_budget) return false;
  r->kind->set_budget(r->state, tokens);
  return true;
}

bool rmx__regressor_set_scale(rmx_regressor *r, rmx_scale at) {
  if (!r->kind->set_scale) return false;
  r->kind->set_scale(r->state, at);
  return true;
}

void rmx__predict_rows(rmx_regressor *r, const double *X, const rmx_scale *scales, size_t n,
                       double *mean, double *sd) {
  size_t next;
  for (size_t i = 0; i < n; i = next) {
    for (next = i + 1; next < n && (!scales || (scales[next].size == scales[i].size &&
                                                scales[next].tokens == scales[i].tokens));)
      next++;
    if (scales) rmx__regressor_set_scale(r, scales[i]);
    rmx_regressor_predict(r, X + i * r->D, next - i, mean + i, sd ? sd + i : NULL);
  }
}

double rmx__regressor_doubt(const rmx_regressor *r) {
  return r->kind->doubt ? r->kind->doubt(r->state) : 0;
}

bool rmx__regressor_convex(const rmx_regressor *r, double sign, double *below) {
  *below = INFINITY;
  return r->kind->convex && r->kind->convex(r->state, sign, below);
}

const char *rmx_regressor_name(const rmx_regressor *r) {
  return r->kind->name;
}
size_t rmx_regressor_domains(const rmx_regressor *r) {
  return r->D;
}

void rmx_regressor_free(rmx_regressor *r) {
  if (!r) return;
  r->kind->release(r->state);
  json_decref(r->choice);
  free(r->out_of_fold);
  free(r->fold);
  free(r);
}

json_t *rmx__regressor_json(const rmx_regressor *r) {
  json_t *body = r->kind->to_json(r->state);
  json_t *o = body ? json_pack("{s:s, s:i}", "regressor", r->kind->name, "version", 1) : NULL;
  if (!o || json_object_update(o, body) != 0) {
    json_decref(o);
    o = NULL;
  }
  json_decref(body);
  return o;
}

rmx_status rmx_regressor_write(const rmx_regressor *r, const char *path, rmx_err *err) {
  if (!r->kind->to_json) return r->kind->write(r->state, path, err);
  json_auto_t *o = rmx__regressor_json(r);
  if (!o) return rmx_fail_memory(err, r->D * sizeof(json_t), "a regressor's file");
  return rmx__json_write(path, o, err);
}

rmx_status rmx__regressor_from_json(const json_t *o, const char *path, rmx_regressor **out,
                                    rmx_err *err) {
  const char *name = json_string_value(json_object_get(o, "regressor"));
  const rmx__regressor_kind *kind;
  if (!name)
    return rmx_fail(err, RMX_EINPUT, "%s: not the file of a regressor: \"regressor\" is missing",
                    path);
  RMX_TRY(find(name, path, &kind, err));
  if (!kind->from_json)
    return rmx_fail(err, RMX_EINPUT, "%s: regressor \"%s\" does not have JSON files", path, name);
  if (json_integer_value(json_object_get(o, "version")) != 1)
    return rmx_fail(err, RMX_EINPUT, "%s: \"version\" is not 1: written by a newer regmix?", path);
  void *state = NULL;
  size_t D;
  if (kind->from_json(o, path, &state, &D, err) == RMX_OK)
    return rmx__regressor_of(kind, D, state, out, err);
  kind->release(state);
  return err->status;
}

// LightGBM's text begins with "tree", our files are JSON.
static rmx_status read_trees(const char *text, size_t size, const char *path, rmx_regressor **out,
                             rmx_err *err) {
  void *state;
  size_t D;
  RMX_TRY(rmx__trees.read(text, size, path, &state, &D, err));
  return rmx__regressor_of(&rmx__trees, D, state, out, err);
}

rmx_status rmx_regressor_read(const char *path, rmx_regressor **out, rmx_err *err) {
  RMX_OWNED char *text = NULL;
  size_t size = 0;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  if (text[strspn(text, " \t\r\n")] != '{') {
    RMX_TRY(read_trees(text, size, path, out, err));
  } else {
    json_error_t where;
    json_auto_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
    RMX_TRY(o ? rmx__regressor_from_json(o, path, out, err)
              : rmx_fail(err, RMX_EINPUT, "%s:%d: %s", path, where.line, where.text));
  }
  return RMX_OK;
}
