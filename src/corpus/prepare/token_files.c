// SPDX-License-Identifier: Apache-2.0
// Writes the token files of all domains. Training documents are in the order of the files, so that
// neighbours stay neighbours on disk; validation documents are in ascending order of their hashes.
#include <stdlib.h>

#include "corpus/readers/tokens/ids_tokenizer.h"
#include "limits.h"
#include "prepare.h"
#include "sorter.h"

struct writing {
  rmx__preparing *p;
  rmx__sorter valid;  // domain, hash, number of the documents that validate
  uint64_t *starts;   // (p->n + 1) of each domain in `valid`
  rmx__tokenise how;
  char **train, **valid_paths;  // (p->n)
  bool *wanted;                 // (p->n)
  bool *kept;                   // (p->n)
};

// ---- the hashes of what is written

// All passes over the documents that must come before the tokens: one.
static rmx_status gather(struct writing *w, rmx_err *err) {
  rmx__preparing *p = w->p;
  rmx__cursor c = {.spool = &p->spool};
  const rmx__located *d;
  rmx_status status;
  for (size_t i = 0; i < p->n; i++) {
    const uint64_t n = p->documents[i].train, m = p->documents[i].valid,
                   limit = (uint64_t)p->options->max_valid_tokens,
                   // how special tokens are encoded; 0 is what version 0.1.0 did
        specials = w->how.specials == RMX_SPECIALS_TOKENS ? rmx_hash("specials", 8, 0) : 0;
    p->texts[i][0] = rmx_hash(&n, sizeof n, specials);
    p->texts[i][1] = rmx_hash(&m, sizeof m, limit ^ specials);
    w->starts[i + 1] = w->starts[i] + m;
  }
  while ((status = rmx__cursor_next(&c, &d, err)) == RMX_OK && d) {
    const uint8_t fate = p->spool.fates[d->number];
    uint64_t *train = &p->texts[d->domain][0];
    if (fate == RMX__TRAIN) *train = rmx_hash(&d->hash, sizeof d->hash, *train);
    if (fate == RMX__VALID) status = rmx__sorter_add(&w->valid, d->domain, d->hash, d->number, err);
    if (status != RMX_OK) break;
  }
  rmx__cursor_release(&c);
  return status == RMX_OK ? rmx__sorter_finish(&w->valid, err) : status;
}

static rmx_status hash_valid(struct writing *w, rmx_err *err) {
  rmx__sorted *all = rmx_calloc(1, sizeof *all);
  if (!all) return rmx_fail_memory(err, sizeof *all, "validation text");
  *all = (rmx__sorted){.sorter = &w->valid, .end = w->valid.total};
  const rmx__record *r;
  rmx_status status;
  while ((status = rmx__sorted_next(all, &r, err)) == RMX_OK && r) {
    uint64_t *hash = &w->p->texts[r->key[0]][1];
    *hash = rmx_hash(&r->key[1], sizeof r->key[1], *hash);
  }
  free(all);
  return status;
}

// ---- the files of some domains

static rmx_status make_paths(struct writing *w, size_t d, rmx_err *err) {
  const rmx__preparing *p = w->p;
  char *folder = rmx_format("%s/corpus/%s", p->folder, p->documents[d].name);
  rmx_status status = folder ? rmx_mkdirs(folder, err) : rmx_fail_memory(err, 0, "a path");
  w->train[d] = folder ? rmx_format("%s/train.bin", folder) : NULL;
  w->valid_paths[d] = folder ? rmx_format("%s/valid.bin", folder) : NULL;
  free(folder);
  if (status == RMX_OK && (!w->train[d] || !w->valid_paths[d]))
    status = rmx_fail_memory(err, 0, "a path");
  return status;
}

static bool take_previous(struct writing *w, size_t d, bool valid) {
  rmx__preparing *p = w->p;
  return rmx__previous_take(&p->previous, p->tokenizer, p->documents[d].name,
                            valid ? "valid" : "train", p->texts[d][valid],
                            valid ? w->valid_paths[d] : w->train[d],
                            valid ? &p->valid[d] : &p->train[d]);
}

static rmx_status write_valid(struct writing *w, size_t d, rmx_err *err) {
  rmx__preparing *p = w->p;
  if (take_previous(w, d, true)) return RMX_OK;
  w->kept[d] = false;
  w->how.paths = w->valid_paths;
  const rmx__sorted list = {.sorter = &w->valid, .at = w->starts[d], .end = w->starts[d + 1]};
  return rmx__tokenise_listed(&w->how, d, &list, (uint64_t)p->options->max_valid_tokens, p->valid,
                              err);
}

// Domains first .. last - 1.
static rmx_status write_group(struct writing *w, size_t first, size_t last, rmx_err *err) {
  rmx__preparing *p = w->p;
  p->detail = last - first == 1 ? p->documents[first].name : NULL;
  for (size_t d = 0; d < p->n; d++) w->wanted[d] = false;
  for (size_t d = first; d < last; d++) {
    RMX_TRY(make_paths(w, d, err));
    w->kept[d] = true;
    if (d < p->ntrain && !take_previous(w, d, false)) {
      w->wanted[d] = true;
      w->kept[d] = false;
    }
  }
  w->how.paths = w->train;
  RMX_TRY(rmx__tokenise_train(&w->how, w->wanted, p->train, err));
  for (size_t d = first; d < last; d++) {
    RMX_TRY(write_valid(w, d, err));
    p->kept += w->kept[d];
    rmx__report_domain(&p->documents[d], &p->train[d], &p->valid[d], w->kept[d], p->listener);
  }
  return RMX_OK;
}

// Documents of a divided source are in one file, so the token files of several domains are written
// at a time.
static rmx_status write_all(struct writing *w, rmx_err *err) {
  const size_t n = w->p->n, group = w->p->router ? rmx__limits.open_outputs : 1;
  for (size_t d = 0; d < n; d += group)
    RMX_TRY(write_group(w, d, n - d < group ? n : d + group, err));
  if (w->p->kept)
    rmx_note(
        w->p->listener,
        "prepare: %zu of %zu domain%s %s the same documents as before; %s token files are kept",
        w->p->kept, n, rmx_s((double)n), rmx_has((double)w->p->kept),
        w->p->kept == 1 ? "its" : "their");
  return RMX_OK;
}

rmx_status rmx__token_files_write(rmx__preparing *p, rmx_err *err) {
  const size_t n = p->n;
  struct writing w = {.p = p,
                      .valid = {.folder = p->spool.folder},
                      .starts = rmx_calloc(n + 1, sizeof *w.starts),
                      .train = rmx_calloc(n, sizeof *w.train),
                      .valid_paths = rmx_calloc(n, sizeof *w.valid_paths),
                      .wanted = rmx_calloc(n, sizeof *w.wanted),
                      .kept = rmx_calloc(n, sizeof *w.kept),
                      .how = {.tokenizer = p->tokenizer,
                              .specials = rmx__specials_of(p->options),
                              .spool = &p->spool,
                              .n = n,
                              .threads = p->threads,
                              .done = rmx__step_advances,
                              .context = p}};
  rmx_status status = w.starts && w.train && w.valid_paths && w.wanted && w.kept
                          ? rmx__documents_count(&p->spool, p->documents, n, err)
                          : rmx_fail_memory(err, n * 64, "token files");
  if (status == RMX_OK) status = gather(&w, err);
  if (status == RMX_OK) status = hash_valid(&w, err);
  rmx__step_begins(p, "writing tokens", p->spool.bytes);
  if (status == RMX_OK) status = write_all(&w, err);
  for (size_t d = 0; d < n; d++) {
    if (w.train) free(w.train[d]);
    if (w.valid_paths) free(w.valid_paths[d]);
  }
  rmx__sorter_release(&w.valid);
  free(w.starts), free(w.train), free(w.valid_paths), free(w.wanted), free(w.kept);
  return status;
}
