// SPDX-License-Identifier: Apache-2.0
// Finds the outputs of an experiment that are not any more what `regmix run` would make.
#include "outdated.h"

#include <stdlib.h>

static const struct made {
  const char *file, *name;
} made[RMX__MADE] = {
    [RMX__MADE_CORPUS] = {"corpus/corpus.json", "corpus"},
    [RMX__MADE_MIXTURES] = {"mixtures.csv", "mixtures.csv"},
    [RMX__MADE_METRICS] = {"metrics.csv", "metrics.csv"},
    [RMX__MADE_FIT] = {"fit/fit.json", "fit/fit.json"},
    [RMX__MADE_OPTIMUM] = {"optimum.yaml", "optimum.yaml"},
    [RMX__MADE_COMPARISON] = {"large/comparison.json", "large/comparison.json"},
    [RMX__MADE_REPORT] = {"report.html", "report.html"},
};

static void look(const rmx_experiment *e, enum rmx__made what, const rmx_corpus *corpus,
                 rmx_buf *why) {
  if (what == RMX__MADE_CORPUS) rmx__corpus_outdated(e, why);
  if (what == RMX__MADE_MIXTURES && corpus && rmx__mixtures_are_stale(e, corpus))
    rmx_buf_puts(why, "changed: the settings or the corpus");
  if (what == RMX__MADE_METRICS && corpus) rmx__metrics_outdated(e, corpus, why);
  if (what == RMX__MADE_FIT) rmx__fit_outdated(e, why);
  if (what == RMX__MADE_OPTIMUM && corpus) rmx__optimum_outdated(e, corpus, why);
  if (what == RMX__MADE_COMPARISON) rmx__comparison_outdated(e, why);
}

json_t *rmx__outdated(const rmx_experiment *e, enum rmx__made last) {
  rmx_corpus *corpus = NULL;
  rmx_err ignored;
  const char *first = NULL;
  json_t *out = json_object();
  if (rmx__experiment_has(e, made[RMX__MADE_CORPUS].file))
    rmx_corpus_open(e->folder, &corpus, &ignored);
  for (size_t i = 0; out && i <= last; i++) {
    RMX_OWNED_BY(rmx_buf_release) rmx_buf why = {0};
    if (!rmx__experiment_has(e, made[i].file)) continue;
    // mixtures may be the user's own
    if (first && i != RMX__MADE_MIXTURES)
      rmx_buf_printf(&why, "%s%s is outdated", first == made[0].name ? "the " : "", first);
    else
      look(e, (enum rmx__made)i, corpus, &why);
    if (!why.size) continue;
    if (!first) first = made[i].name;
    json_object_set_new(out, made[i].name, json_string(why.data));
  }
  if (corpus) rmx_corpus_free(corpus);
  return out;
}

void rmx_pipeline_warn_outdated(const rmx_pipeline *p, rmx_step next) {
  static const int needs[RMX_STEPS] = {
      [RMX_STEP_SAMPLE] = RMX__MADE_CORPUS,   [RMX_STEP_TRAIN] = RMX__MADE_CORPUS,
      [RMX_STEP_FIT] = RMX__MADE_CORPUS,      [RMX_STEP_OPTIMIZE] = RMX__MADE_FIT,
      [RMX_STEP_COMPARE] = RMX__MADE_OPTIMUM, [RMX_STEP_REPORT] = RMX__MADE_COMPARISON};
  const bool part = next == RMX_STEP_TRAIN && (p->slice.n || p->slice.runs);
  if (p->would || part || !p->experiment.config_path) return;
  if (next == RMX_STEP_PREPARE || next == RMX_STEP_METHODS) return;
  json_auto_t *found = rmx__outdated(&p->experiment, (enum rmx__made)needs[next]);
  void *first = json_object_iter(found);
  if (first)
    rmx_warn(&p->listener,
             "the %s of %s is outdated (%s) and is used as it is; `regmix run` makes it again, "
             "and all that follows from it",
             json_object_iter_key(first), p->experiment.folder,
             json_string_value(json_object_iter_value(first)));
}
