// SPDX-License-Identifier: Apache-2.0
// Whether the model that a run begins with fits the corpus, and is still the one that the run was
// made for.
#include <regmix/lm.h>
#include <stdlib.h>
#include <string.h>

#include "corpus/tokenizer/of_corpus.h"
#include "places.h"

// The tokenizer in the folder of the model; a model that is a file has it beside.
static char *tokenizer_of(const char *init) {
  char *inside = rmx_path_in(init, "tokenizer.json");
  const char *slash = strrchr(init, '/');
  if (!inside || rmx_exists(inside) || !slash) return inside;
  char *beside = rmx_format("%.*s/tokenizer.json", (int)(slash - init), init);
  RMX_OWNED char *config = rmx_path_in(init, "config.json");
  if (!beside || (config && rmx_exists(config))) return free(beside), inside;
  free(inside);
  return beside;
}

// As both files say, whatever token of them was chosen to end a text.
static rmx_status hash_of(const char *path, uint64_t *hash, rmx_err *err) {
  rmx_tokenizer *t;
  RMX_TRY(rmx_tokenizer_read(path, &t, err));
  *hash = rmx_tokenizer_hash(t);
  rmx_tokenizer_free(t);
  return RMX_OK;
}

static rmx_status check_tokenizer(const rmx_run *r, rmx_err *err) {
  const char *init = r->training.init;
  RMX_OWNED char *theirs = tokenizer_of(init), *ours = NULL;
  uint64_t hash, wanted;
  if (!theirs) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx__corpus_tokenizer(r->corpus, &ours, err));
  if (!rmx_exists(theirs))
    return rmx_fail(err, RMX_EINPUT,
                    "init: there is no %s, so it is not known whether the corpus has the tokenizer "
                    "of the model; put a copy of it there",
                    theirs);
  if (!ours)
    return rmx_fail(err, RMX_EINPUT,
                    "init: the corpus has no tokenizer.json, so it is not known whether it has the "
                    "tokenizer of the model in %s; set corpus.tokenizer: %s and prepare it",
                    init, theirs);
  RMX_TRY(hash_of(theirs, &hash, err));
  RMX_TRY(hash_of(ours, &wanted, err));
  if (hash == wanted) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "init: the corpus was prepared with another tokenizer than %s, so its ids mean "
                  "other text to the model; set corpus.tokenizer: %s and prepare the corpus again",
                  theirs, theirs);
}

rmx_status rmx_run_check_init(const rmx_run *r, rmx_err *err) {
  const rmx_training *t = &r->training;
  rmx_model_config c;
  uint64_t hash;
  if (!t->init || t->command) return RMX_OK;
  RMX_TRY(rmx_training_model(t, r->vocab, &c, err));
  if (rmx_lm_hash(t->init, &hash, err) != RMX_OK) return rmx_fail_in(err, "init");
  if (hash != t->init_hash)
    return rmx_fail(err, RMX_EINPUT,
                    "run %s: the model in %s is not the one that the run was made for; run the "
                    "command again",
                    r->name, t->init);
  RMX_TRY(check_tokenizer(r, err));
  if (c.vocab >= r->vocab) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "init: the model in %s has %lld tokens, and the tokenizer of the corpus has %d",
                  t->init, (long long)c.vocab, r->vocab);
}
