// SPDX-License-Identifier: Apache-2.0
// outdated.h: outputs of an experiment that are not any more what `regmix run` would make, because
// what they were made from changed. A command uses them as they are, and warns.
#ifndef RMX_PIPELINE_OUTDATED_H
#define RMX_PIPELINE_OUTDATED_H

#include "steps.h"

// In the order in which they are made.
enum rmx__made {
  RMX__MADE_CORPUS,
  RMX__MADE_MIXTURES,
  RMX__MADE_METRICS,
  RMX__MADE_FIT,
  RMX__MADE_OPTIMUM,
  RMX__MADE_COMPARISON,
  RMX__MADE_REPORT,
  RMX__MADE
};

// {"optimum.yaml": "changed: settings"} of what is outdated, from the corpus to `last`; "corpus" is
// the corpus. NULL: no memory. What is not there, or can't be known, is left out.
json_t *rmx__outdated(const rmx_experiment *e, enum rmx__made last);

// What each output knows of itself. The reason is added to `why`; nothing: it is up to date.

// The text or the settings (prepared.c).
void rmx__corpus_outdated(const rmx_experiment *e, rmx_buf *why);
// Rows of runs that the present settings do not use (fit_runs.c).
void rmx__metrics_outdated(const rmx_experiment *e, const rmx_corpus *corpus, rmx_buf *why);
void rmx__fit_outdated(const rmx_experiment *e, rmx_buf *why);
void rmx__optimum_outdated(const rmx_experiment *e, const rmx_corpus *corpus, rmx_buf *why);
void rmx__comparison_outdated(const rmx_experiment *e, rmx_buf *why);

#endif
