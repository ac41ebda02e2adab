// SPDX-License-Identifier: Apache-2.0
// Targets made of noise. Of a metric with the signal to noise q, the share r = q^2 / (1 + q^2) of
// its variance comes from the mixtures. By signal, the metrics y_m of a target, which have the
// weights v_m and the standard deviations s_m over the runs, count as
//   sum_m v_m r_m / s_m y_m,
// scaled so that each group, and the metrics outside of groups together, keep the sum of their
// |v_m|. A factor of q^2 instead of r would be that of a matched filter for one signal that all
// share; it would leave one or two precise metrics to decide for fifty tasks.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/problem.h"

typedef struct weighing {
  double *signal, *sd;  // (M) signal to noise; standard deviation over the runs
  double *before;       // (M) weights
  double *factor;       // (M) that gives each group back its sum
} weighing;

static double sd_over_runs(const rmx_fit *f, size_t m) {
  double sum = 0, square = 0, n = 0;
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < f->N; i++) {
      const double y = f->truth[i * f->M + m];
      if (!isfinite(y)) continue;
      sum += pass ? 0 : y;
      n += pass ? 0 : 1;
      square += pass ? (y - sum / n) * (y - sum / n) : 0;
    }
  return n > 0 ? sqrt(square / n) : 0;
}

static rmx_status measure(const rmx_fit *f, const rmx_target *t, weighing *w, rmx_err *err) {
  for (size_t m = 0; m < f->M; m++) {
    rmx_diagnostics d;
    w->before[m] = t->weight[m];
    if (t->weight[m] == 0) continue;
    RMX_TRY(rmx_fit_diagnose(f, m, &d, err));
    w->signal[m] = d.signal_to_noise > 0 ? d.signal_to_noise : 0;
    w->sd[m] = sd_over_runs(f, m);
  }
  return RMX_OK;
}

// What is wrong with weak metrics: by signal, one without any signal weighs nothing.
static const char *weakness(const rmx_target *t, char *text, size_t room) {
  if (!(t->min_signal > 0)) return "the fit finds no signal in them";
  snprintf(text, room, "the signal to noise is below %.3g", t->min_signal);
  return text;
}

// Names the metrics that are too weak, and leaves them out unless they are all. How many it left
// out.
static size_t leave_out(const rmx_fit *f, const weighing *w, const rmx_listener *listener,
                        rmx_target *t) {
  rmx_few weak = {0};
  size_t used = 0;
  for (size_t m = 0; m < f->M; m++) {
    if (t->weight[m] == 0) continue;
    used++;
    t->left_out[m] = w->signal[m] < t->min_signal || (t->by_signal && !(w->signal[m] > 0));
    if (!t->left_out[m]) continue;
    char text[128];
    snprintf(text, sizeof text, "%.100s %.2g", f->metrics[m], w->signal[m]);
    rmx_few_add(&weak, text);
  }
  t->too_weak = used && weak.n == used;
  char reason[64];
  if (weak.n && !t->too_weak)
    rmx_warn(listener, "%zu of the %zu metrics of the target %s left out: %s (%s)", weak.n, used,
             rmx_is(weak.n), weakness(t, reason, sizeof reason), weak.text);
  for (size_t m = 0; m < f->M; m++) {
    if (t->left_out[m] && !t->too_weak) t->weight[m] = 0;
  }
  return t->too_weak ? 0 : weak.n;
}

static void weigh_by_signal(const rmx_fit *f, const weighing *w, rmx_target *t) {
  for (size_t m = 0; m < f->M; m++) {
    const double q = w->signal[m];
    if (t->weight[m] != 0) t->weight[m] *= isfinite(q) ? q * q / (1 + q * q) : 1;
  }
}

// Gives each group the sum of weights that it had, as far as something is left of it.
static void keep_sums(const rmx_fit *f, const weighing *w, rmx_target *t) {
  for (size_t m = 0; m < f->M; m++) {
    double was = 0, is = 0;
    if (w->before[m] == 0) continue;
    w->factor[m] = 1;
    if (t->group[m] == 0 && !t->by_signal) continue;
    for (size_t k = 0; k < f->M; k++)
      if (t->group[k] == t->group[m]) {
        was += fabs(w->before[k]);
        is += fabs(t->weight[k]);
      }
    if (is > 0) w->factor[m] = was / is;
  }
  for (size_t m = 0; m < f->M; m++)
    if (t->weight[m] != 0) t->weight[m] *= w->factor[m];
}

// Says that numbers of different kinds are added up.
static void note_kinds(const rmx_fit *f, const rmx_listener *listener, const rmx_target *t) {
  enum { KINDS = RMX_KIND_PERPLEXITY + 1 };
  size_t n[KINDS] = {0}, kinds = 0;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  for (size_t m = 0; m < f->M; m++)
    if (t->weight[m] != 0) n[rmx_fit_kind(f, m)]++;
  for (int k = RMX_KIND_ACCURACY; k < KINDS; k++) {
    if (!n[k]) continue;
    rmx_buf_printf(&text, "%s%zu %s", kinds++ ? ", " : "", n[k],
                   rmx_metric_kind_text((rmx_metric_kind)k));
  }
  if (kinds > 1 && !text.failed)
    rmx_note(listener,
             "the target adds up metrics of different kinds (%s), each in its own unit; --weigh "
             "signal counts each in units of its standard deviation over the runs",
             text.data);
}

rmx_status rmx_target_weigh(const rmx_fit *fit, bool by_signal, double min_signal,
                            const rmx_listener *listener, rmx_target *t, rmx_err *err) {
  if (!by_signal) note_kinds(fit, listener, t);
  const size_t M = fit->M;
  if (M == 0 || (!by_signal && !(min_signal > 0))) return RMX_OK;
  RMX_OWNED double *work = rmx_calloc(M, 4 * sizeof(double));
  if (!work) return rmx_fail_memory(err, M * 4 * sizeof(double), "a target");
  weighing w = {work, work + M, work + 2 * M, work + 3 * M};
  RMX_TRY(measure(fit, t, &w, err));
  t->min_signal = min_signal;
  t->by_signal = by_signal;
  const size_t left = leave_out(fit, &w, listener, t);
  if (left) RMX_TRY(rmx__target_by_luck(fit, w.before, w.sd, &t->by_luck, err));
  if (by_signal && !t->too_weak) weigh_by_signal(fit, &w, t);
  if (!t->too_weak) keep_sums(fit, &w, t);
  for (size_t m = 0; m < M && by_signal; m++)
    if (t->weight[m] != 0) t->weight[m] /= w.sd[m] > 0 ? w.sd[m] : 1;
  return RMX_OK;
}
