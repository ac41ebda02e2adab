// SPDX-License-Identifier: Apache-2.0
// A classifier of the domains of the prepared corpus.
#include <stdlib.h>

#include "steps.h"

rmx_status rmx_train_classifier(rmx_pipeline *p, const char *path, rmx_err *err) {
  rmx_corpus *corpus = NULL;
  rmx_tokenizer *tokenizer = NULL;
  rmx_classifier_made made;
  char *beside = rmx_experiment_path(&p->experiment, "tokenizer.json");
  rmx_status status = beside ? rmx_experiment_corpus(&p->experiment, &corpus, err)
                             : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_tokenizer_read(beside, &tokenizer, err);
  if (status == RMX_OK)
    status =
        rmx_corpus_train_classifier(corpus, tokenizer, (uint64_t)p->experiment.config.general.seed,
                                    path, &p->listener, &made, err);
  if (status == RMX_OK)
    rmx_note(&p->listener,
             "classifier: %s, trained on %zu documents of %zu domains (%.1f MB); it gives %zu of "
             "%zu validation documents their domain (%.1f %%)",
             path, made.documents, corpus->D_train, (double)made.bytes / 1e6, made.right,
             made.tested, made.tested ? 100.0 * (double)made.right / (double)made.tested : 0.0);
  if (tokenizer) rmx_tokenizer_free(tokenizer);
  if (corpus) rmx_corpus_free(corpus);
  free(beside);
  return status;
}
