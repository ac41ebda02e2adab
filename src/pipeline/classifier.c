// SPDX-License-Identifier: Apache-2.0
// A classifier of the domains of the prepared corpus.
#include <stdlib.h>

#include "steps.h"

rmx_status rmx_train_classifier(rmx_pipeline *p, const char *path, json_t **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_corpus_free_at) rmx_corpus *corpus = NULL;
  rmx_tokenizer *tokenizer = NULL;
  rmx_classifier_made made;
  RMX_OWNED char *beside = rmx_experiment_path(&p->experiment, "tokenizer.json");
  if (!beside) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx_experiment_corpus(&p->experiment, &corpus, err));
  RMX_TRY(rmx_tokenizer_read(beside, &tokenizer, err));
  const rmx_status status =
      rmx_corpus_train_classifier(corpus, tokenizer, (uint64_t)p->experiment.config.general.seed,
                                  path, &p->listener, &made, err);
  rmx_tokenizer_free(tokenizer);
  if (status != RMX_OK) return status;
  const double share = made.tested ? (double)made.right / (double)made.tested : 0;
  rmx_note(&p->listener,
           "classifier: %s, trained on %zu document%s of %zu domain%s (%.1f MB); it gives %zu of "
           "%zu validation document%s their domain (%.1f %%)",
           path, made.documents, rmx_s((double)made.documents), corpus->D_train,
           rmx_s((double)corpus->D_train), (double)made.bytes / 1e6, made.right, made.tested,
           rmx_s((double)made.tested), 100 * share);
  *out = json_pack("{s:s, s:I, s:I, s:I, s:I, s:f}", "file", path, "documents",
                   (json_int_t)made.documents, "bytes", (json_int_t)made.bytes, "tested",
                   (json_int_t)made.tested, "right", (json_int_t)made.right, "accuracy", share);
  return RMX_OK;
}
