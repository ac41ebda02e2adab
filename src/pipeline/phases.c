// SPDX-License-Identifier: Apache-2.0
// Phases in a search: what is held, what the user asks of domains over all phases, and what comes
// out. See src/regress/fit_phases.c.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/problem.h"
#include "regress/fit.h"
#include "steps.h"

rmx_status rmx__search_phases(const rmx_fit *f, const rmx_strings *asked, rmx__phased *out,
                              rmx_err *err) {
  size_t n = 0;
  *out = (rmx__phased){0};
  if (rmx_phase_columns_find((const char *const *)f->domains, f->D, &out->columns, err) != RMX_OK)
    return err->status;
  if (rmx_phase_shares(asked, "--phases", &out->share, &n, err) != RMX_OK)
    return rmx_refused(true, err);
  if (n && f->n_phases == 0)
    return rmx_fail(err, RMX_EUSAGE,
                    "--phases: the runs of this fit have no phases; wanted tables "
                    "with columns such as phase_0_%s and phase_1_%s",
                    f->domains[0], f->domains[0]);
  if (n && n != f->n_phases)
    return rmx_fail(err, RMX_EUSAGE,
                    "--phases: %zu shares, but the runs of this fit have %zu phases", n,
                    f->n_phases);
  for (size_t k = 0; k < n; k++)
    if (fabs(out->share[k] - f->phase_share[k]) > 1e-6)
      return rmx_fail(err, RMX_EUSAGE,
                      f->phases_assumed
                          ? "--phases: phase %zu has a share of %g here and of %g in this fit, "
                            "which assumed equal shares; fit again with `regmix fit --phases`"
                          : "--phases: phase %zu has a share of %g here and of %g in the runs of "
                            "this fit, which says nothing about other shares",
                      k, out->share[k], f->phase_share[k]);
  if (n || f->n_phases == 0) return RMX_OK;
  if (!(out->share = rmx_calloc(f->n_phases, sizeof *out->share)))
    return rmx_fail_memory(err, f->n_phases * sizeof *out->share, "phases");
  memcpy(out->share, f->phase_share, f->n_phases * sizeof *out->share);
  return RMX_OK;
}

void rmx__phased_release(rmx__phased *p) {
  rmx_phase_columns_release(&p->columns);
  free(p->share);
  *p = (rmx__phased){0};
}

// The names of the columns of phase k (NULL domain), or of a domain in all phases: "a,b,c".
static char *list_columns(const char *const *names, const rmx_phase_columns *c, size_t k,
                          const char *domain) {
  rmx_buf b = {0};
  for (size_t d = 0; d < c->D; d++)
    if (domain ? strcmp(c->domain[d], domain) == 0 : c->of[d] == k)
      rmx_buf_printf(&b, "%s%s", b.size ? "," : "", names[d]);
  if (!b.failed && b.data) return b.data;
  rmx_buf_release(&b);
  return NULL;
}

// typed: what messages call it.
static rmx_status add_share(rmx_constraints *k, const char *const *names, const char *name,
                            const char *typed, double low, double high, char *columns,
                            rmx_err *err) {
  char a[32], b[32];
  rmx_double_text(low, a);
  rmx_double_text(high, b);
  RMX_OWNED char *list = columns;
  RMX_OWNED char *text = list ? rmx_format("%s=%s..%s:%s", name, a, b, list) : NULL;
  if (!text) return rmx_fail_memory(err, 0, "a share");
  RMX_TRY(rmx_constraints_share(k, text, names, err));
  rmx_share *s = &k->shares[k->n_shares - 1];
  free(s->text);
  return (s->text = rmx_strdup(typed)) ? RMX_OK : rmx_fail_memory(err, 0, "a share");
}

rmx_status rmx__hold_phases(const char *const *names, const rmx_phase_columns *c,
                            const double *share, rmx_constraints *k, rmx_err *err) {
  // The last phase has what the others leave.
  for (size_t i = 0; i + 1 < c->n; i++) {
    char name[32], typed[64];
    snprintf(name, sizeof name, "phase %zu", i);
    snprintf(typed, sizeof typed, "the share of phase %zu (%.4g)", i, share[i]);
    RMX_TRY(
        add_share(k, names, name, typed, share[i], share[i], list_columns(names, c, i, NULL), err));
  }
  return RMX_OK;
}

// A name is first one of domains over all phases, then one of columns, whose weights count within
// their phase.
static rmx_status find_in_phases(const void *context, const char *text, bool *member, char **name,
                                 int *part, rmx_err *err) {
  const rmx__phased_names *n = context;
  const rmx_phase_columns *c = n->columns;
  rmx_err ignored;
  RMX_OWNED bool *one = rmx_calloc(c->n_domains + 1, sizeof *one);
  if (!one) return rmx_fail_memory(err, c->n_domains, "names");
  *part = RMX__ALL_TOKENS;
  if (rmx_find_domains(text, c->domains, c->n_domains, one, name, &ignored) == RMX_OK) {
    for (size_t d = 0; d < c->D; d++) member[d] = one[c->index[d]];
    return RMX_OK;
  }
  RMX_TRY(rmx_find_domains(text, n->names.domains, c->D, member, name, err));
  bool several = false;
  for (size_t d = 0; d < c->D; d++) {
    if (!member[d]) continue;
    several |= *part != RMX__ALL_TOKENS && *part != (int)c->of[d];
    *part = (int)c->of[d];
  }
  if (several) *part = RMX__ALL_TOKENS;
  return RMX_OK;
}

void rmx__phased_names_make(const char *const *names, const rmx_phase_columns *columns,
                            const double *share, rmx__phased_names *out) {
  *out = (rmx__phased_names){.columns = columns, .names = {.domains = names}};
  if (columns->n == 0) return;
  out->names.find = find_in_phases;
  out->names.context = out;
  out->names.share = share;
}

rmx_status rmx__phase_caps(const rmx_fit *f, const rmx__phased *p, const double *cap,
                           const char *what, bool by_epochs, rmx_constraints *k, rmx_err *err) {
  const rmx_phase_columns *c = &p->columns;
  const char *const *names = (const char *const *)f->domains;
  for (size_t i = 0; i < c->n_domains; i++) {
    if (cap[i] >= 1) continue;
    RMX_OWNED char *typed = rmx_format("%s of %s (%.4g)", what, c->domains[i], cap[i]);
    if (!typed) return rmx_fail_memory(err, 0, "a cap");
    RMX_TRY(add_share(k, names, c->domains[i], typed, 0, cap[i],
                      list_columns(names, c, 0, c->domains[i]), err));
    rmx_share *s = &k->shares[k->n_shares - 1];
    s->by_epochs = by_epochs;
    for (size_t d = 0; d < f->D; d++) s->factor[d] *= p->share[c->of[d]] / f->phase_share[c->of[d]];
  }
  return RMX_OK;
}

// A mixture of one phase; of an answer with phases, such as optimum.yaml, that of phase i.
static rmx_status read_given(const char *path, const rmx_phase_columns *c, size_t i, double *w,
                             rmx_err *err) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  rmx_err ignored;
  const json_t *phases =
      rmx__yaml_read(path, &yaml, &ignored) == RMX_OK ? json_object_get(yaml.root, "phases") : NULL;
  json_t *mixture = json_object_get(json_array_get(phases, i), "mixture"), *value;
  const char *const *names = (const char *const *)c->domains, *name;
  if (!mixture) return rmx_mixture_read(path, names, c->n_domains, w, err);
  for (size_t d = 0; d < c->n_domains; d++) w[d] = NAN;
  json_object_foreach(mixture, name, value) {
    size_t d = 0;
    while (d < c->n_domains && strcmp(names[d], name) != 0) d++;
    if (d == c->n_domains) {
      rmx_unknown_name("domain", name, names, c->n_domains, err);
      return rmx_fail_in(err, "%s: phase %zu", path, i);
    }
    if (json_is_number(value)) w[d] = json_number_value(value);
  }
  return rmx_mixture_check(w, c->n_domains, names, 0.01, path, err);
}

// Holds column d at its given weight, which must keep the bounds that the user gave it.
static rmx_status give(const rmx_fit *f, size_t d, double within, double share, const char *file,
                       rmx_constraints *k, rmx_err *err) {
  const double w = within * share;
  const char *bound = w < k->low[d] - 1e-9    ? k->low_text[d]
                      : w > k->high[d] + 1e-9 ? k->high_text[d]
                                              : NULL;
  if (bound)
    return rmx_fail(err, RMX_EINPUT,
                    "--given %s has %.4g for %s, and %s was asked for: they cannot both be kept",
                    file, within, f->domains[d], bound);
  k->low[d] = k->high[d] = w;
  k->by_epochs[d] = false;
  free(k->low_text[d]), free(k->high_text[d]);
  k->low_text[d] = rmx_format("%.4g for %s of --given %s", within, f->domains[d], file);
  k->high_text[d] = rmx_format("%.4g for %s of --given %s", within, f->domains[d], file);
  return k->low_text[d] && k->high_text[d] ? RMX_OK : rmx_fail_memory(err, 64, "a constraint");
}

rmx_status rmx__give_phases(const rmx_fit *f, const rmx__phased *p, const rmx_strings *files,
                            rmx_constraints *k, rmx_err *err) {
  const rmx_phase_columns *c = &p->columns;
  if (files->n == 0) return RMX_OK;
  if (files->n >= c->n)
    return rmx_fail(err, RMX_EUSAGE,
                    "--given: %zu mixture%s for %zu phases; the last phase must be "
                    "left to search",
                    files->n, rmx_s(files->n), c->n ? c->n : 1);
  RMX_OWNED double *w = rmx_calloc(c->n_domains, sizeof *w);
  if (!w) return rmx_fail_memory(err, c->n_domains * sizeof *w, "a mixture");
  for (size_t i = 0; i < files->n; i++) {
    RMX_TRY(read_given(files->items[i], c, i, w, err));
    for (size_t d = 0; d < f->D; d++)
      if (c->of[d] == i)
        RMX_TRY(give(f, d, w[c->index[d]], f->phase_share[i], files->items[i], k, err));
  }
  return RMX_OK;
}

rmx_status rmx__prior_given(const rmx_fit *f, const rmx__phased *p, const rmx_strings *files,
                            double *prior, rmx_err *err) {
  const rmx_phase_columns *c = &p->columns;
  RMX_OWNED double *w = rmx_calloc(c->n_domains + 1, sizeof *w);
  if (!w) return rmx_fail_memory(err, c->n_domains * sizeof *w, "a mixture");
  for (size_t i = 0; i < files->n && i < c->n; i++) {
    RMX_TRY(read_given(files->items[i], c, i, w, err));
    for (size_t d = 0; d < f->D; d++)
      if (c->of[d] == i) prior[d] = w[c->index[d]] * f->phase_share[i];
  }
  return RMX_OK;
}

void rmx__phased_mixture(const rmx_fit *f, const rmx__phased *p, const double *one, double *w) {
  for (size_t d = 0; d < f->D; d++)
    w[d] = one[p->columns.index[d]] * f->phase_share[p->columns.of[d]];
}

// ---- what comes out

json_t *rmx__phases_json(const rmx_fit *f, const double *w, const double *share) {
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0};
  RMX_OWNED_BY(rmx_phases_release) rmx_phases phases = {0};
  rmx_err ignored;
  if (rmx_fit_phases(f, w, &phases, &c, &ignored) != RMX_OK) return NULL;
  json_t *list = json_array();
  for (size_t k = 0; k < phases.n; k++)
    json_array_append_new(
        list, json_pack("{s:f, s:o}", "share", share ? share[k] : phases.share[k], "mixture",
                        rmx_mixture_json(phases.mixture + k * phases.D, c.domains, c.n_domains)));
  return list;
}

char *rmx_phase_text(const json_t *list, size_t k) {
  const json_t *phase = json_array_get(list, k);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  json_t *weight;
  const char *name;
  json_object_foreach(json_object_get(phase, "mixture"), name, weight)
    rmx_buf_printf(&text, "%s%s %.2f %%", text.size ? ", " : "", name,
                   100 * json_number_value(weight));
  return rmx_format("phase %zu, %.3g %% of the tokens: %s", k,
                    100 * json_number_value(json_object_get(phase, "share")),
                    text.data ? text.data : "");
}

void rmx__tell_phases(const rmx_listener *to, const json_t *list) {
  for (size_t k = 0; k < json_array_size(list); k++) {
    RMX_OWNED char *text = rmx_phase_text(list, k);
    if (text) rmx_note(to, "%s", text);
  }
}

static bool is_yaml(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

rmx_status rmx__phase_names(const char *path, rmx_strings *names, rmx_err *err) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  const char *name;
  json_t *weight;
  if (!is_yaml(path)) return RMX_OK;
  RMX_TRY(rmx__yaml_read(path, &yaml, err));
  const json_t *first = json_array_get(json_object_get(yaml.root, "phases"), 0);
  json_object_foreach(json_object_get(first, "mixture"), name, weight)
    if (!rmx_strings_add(names, name)) return rmx_fail_memory(err, 0, "a name");
  return RMX_OK;
}

rmx_status rmx__phases_read(const char *path, const char *const *names, size_t D, rmx_phases *out,
                            rmx_err *err) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  *out = (rmx_phases){0};
  if (!is_yaml(path)) return RMX_OK;
  RMX_TRY(rmx__yaml_read(path, &yaml, err));
  const json_t *list = json_object_get(yaml.root, "phases");
  size_t k, d;
  json_t *phase, *weight;
  const char *name;
  double sum = 0;
  if (!json_is_array(list) || json_array_size(list) == 0) return RMX_OK;
  RMX_TRY(rmx_phases_make(json_array_size(list), D, out, err));
  json_array_foreach(list, k, phase) {
    sum += out->share[k] = json_number_value(json_object_get(phase, "share"));
    json_object_foreach(json_object_get(phase, "mixture"), name, weight) {
      if (rmx_find_name("domain", name, names, D, &d, err) != RMX_OK)
        return rmx_fail_in(err, "%s: phase %zu", path, k);
      out->mixture[k * D + d] = json_number_value(weight);
    }
    RMX_OWNED char *where = rmx_format("%s: phase %zu", path, k);
    if (!where) return rmx_fail_memory(err, 0, "a message");
    RMX_TRY(rmx_mixture_check(out->mixture + k * D, D, names, 0.01, where, err));
  }
  return fabs(sum - 1) <= 1e-6
             ? RMX_OK
             : rmx_fail(err, RMX_EINPUT, "%s: the shares of the phases sum to %.6g, wanted 1", path,
                        sum);
}
