// SPDX-License-Identifier: Apache-2.0
// Tests of a config, for check.c. Each adds the problems that it finds.
#ifndef RMX_PIPELINE_CHECK_H
#define RMX_PIPELINE_CHECK_H

#include "base/json.h"
#include "steps.h"

struct rmx__check {
  rmx_pipeline *p;
  rmx_sources sources;
  rmx_values_look values;  // of divided sources
  const char **names;      // (n_train) of the domains trained on
  size_t n_train;
  bool current;    // the corpus is of this config
  bool uncertain;  // there may be domains that were not seen in the first documents
  json_t *problems, *domains;
  double text_bytes;  // of all files, uncompressed
};

// Adds a problem.
void rmx__problem(struct rmx__check *k, const char *fmt, ...) RMX_PRINTF(2, 3);
// Adds the message of a call that failed; `where` (or NULL) is the key of the config.
void rmx__hold(struct rmx__check *k, const char *where, rmx_status status, const rmx_err *err);

// The files, the domains and the tokenizer. The others need what this finds out.
void rmx__check_text(struct rmx__check *k);
// Bounds, metrics, directions, and the mixtures that the optimum is compared with.
void rmx__check_question(struct rmx__check *k);
// Commands, sizes, caps of the mixtures, swarms.
void rmx__check_trainings(struct rmx__check *k);
// {name, documents} of each domain that the documents name. The caller owns it.
json_t *rmx__values_json(const rmx_values_look *v);

#endif
