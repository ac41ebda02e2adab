// SPDX-License-Identifier: Apache-2.0
// From text to a corpus: collect the documents in a spool, drop duplicates, split, drop overlaps
// with the targets, find or train the tokenizer, write the tokens, and last corpus.json, which
// makes it a corpus.
#include "prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stamp.h"
#include "corpus/domains/route.h"
#include "corpus/domains/value_name.h"
#include "corpus/readers/tokens/ids_tokenizer.h"

void rmx__step_begins(rmx__preparing *p, const char *step, uint64_t total) {
  p->step = step;
  p->detail = NULL;
  p->done = 0;
  p->total = total;
}

void rmx__step_advances(void *context, uint64_t bytes) {
  rmx__preparing *p = context;
  pthread_mutex_lock(&p->lock);
  p->done += bytes;
  rmx_progress(p->listener, p->step, (double)p->done, (double)p->total, "bytes", p->detail);
  pthread_mutex_unlock(&p->lock);
}

// ---- what is asked for ---------------------------------------------------------------------

uint64_t rmx__corpus_hash_add(uint64_t h, const char *name, uint64_t train_hash,
                              uint64_t valid_hash) {
  uint64_t hashes[] = {train_hash, valid_hash};
  return rmx_hash(hashes, sizeof hashes, rmx_hash_string(name, h));
}

static rmx_status check_options(const rmx_corpus_options *o, rmx_err *err) {
  if (!(o->valid_fraction >= 0 && o->valid_fraction < 1))
    return rmx_fail(err, RMX_EINPUT, "valid_fraction is %g; wanted a share from 0 to below 1",
                    o->valid_fraction);
  if (o->max_valid_tokens < 0 || o->max_bytes < 0 || o->max_document < 0 || o->overlap < 0 ||
      o->overlap > 1000)
    return rmx_fail(err, RMX_EINPUT,
                    "max_valid_tokens, max_bytes, max_document and overlap must not be negative, "
                    "and overlap must not be above 1000");
  if (!(o->max_overlap >= 0 && o->max_overlap <= 1))
    return rmx_fail(err, RMX_EINPUT, "max_overlap is %g; wanted a share from 0 to 1",
                    o->max_overlap);
  // With a smaller share, most of such documents would not be found.
  if (o->near_duplicates != 0 && !(o->near_duplicates >= 0.01 && o->near_duplicates <= 1))
    return rmx_fail(err, RMX_EINPUT, "near_duplicates is %g; wanted 0, or a share from 0.01 to 1",
                    o->near_duplicates);
  if (!o->tokenizer && o->tokenizer_bytes <= 0)
    return rmx_fail(err, RMX_EINPUT,
                    "tokenizer_bytes is %lld; wanted 1 or more, the bytes of text that a tokenizer "
                    "is trained on",
                    (long long)o->tokenizer_bytes);
  return RMX_OK;
}

// Sources that are trained on come first, then valid_only ones, both in the order given.
static rmx_status set_order(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  size_t at = 0;
  bool any = false;
  for (int valid_only = 0; valid_only < 2; valid_only++) {
    for (size_t i = 0; i < r->n; i++) {
      const rmx_domain_source *s = &r->sources[i];
      if (s->valid_only != valid_only) continue;
      RMX_TRY(rmx__domain_name_check(s->name, "corpus", err));
      for (size_t j = 0; j < at; j++)
        if (strcmp(p->sources[j]->name, s->name) == 0)
          return rmx_fail(err, RMX_EINPUT, "corpus: two domains are called \"%s\"", s->name);
      p->sources[at++] = s;
      any = any || !valid_only;
    }
  }
  for (size_t t = 0; t < r->ntargets; t++)
    if (r->targets[t] >= r->n)
      return rmx_fail(err, RMX_EUSAGE, "target %zu of %zu domains", r->targets[t], r->n);
  if (!any)
    return rmx_fail(err, RMX_EINPUT, "corpus: no domain to train on: %s",
                    r->n ? "all are valid_only" : "none is given");
  return RMX_OK;
}

// ---- text ---------------------------------------------------------------------------------------

rmx__reader_options rmx__reader_options_of(const rmx_corpus_options *o,
                                           const rmx_domain_source *s) {
  const char *encoding = s->encoding ? s->encoding : o->encoding;
  return (rmx__reader_options){
      .text_field = s->text_field   ? s->text_field
                    : o->text_field ? o->text_field
                                    : "text",
      .separator = s->separator   ? s->separator
                   : o->separator ? o->separator
                                  : "%",
      .file_separator = s->separator,
      .encoding = encoding && *encoding ? encoding : NULL,
      .skip_bad = o->skip_bad,
      .max_document = (uint64_t)o->max_document,
      .ids = o->ids,
  };
}

// Opens the router of divided sources, and counts what must be known before they are divided.
static rmx_status open_router(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  uint64_t bytes = 0;
  bool divided = false;
  for (size_t i = 0; i < p->n_sources; i++) {
    divided = divided || p->sources[i]->divided;
    if (p->sources[i]->divided) bytes += p->files[i].bytes;
  }
  if (!divided) return RMX_OK;
  RMX_TRY(rmx__router_open(r->options, r->sources, r->n, r->base, &p->router, err));
  rmx__step_begins(p, "counting hosts", bytes);
  return rmx__router_count_all(p->router,
                               &(rmx__count){.options = p->options,
                                             .sources = p->sources,
                                             .files = p->files,
                                             .n = p->n_sources,
                                             .threads = p->threads,
                                             .read = rmx__step_advances,
                                             .context = p},
                               err);
}

static void note_again(const rmx__preparing *p) {
  size_t again = 0;
  for (size_t i = 0; i < p->spool.n; i++) again += p->spool.parts[i].again;
  if (again)
    rmx_note(
        p->listener,
        "prepare: %zu of %zu parts of the text were read before the last prepare stopped; they "
        "are used",
        again, p->spool.n);
}

// If all parts were read now, it is known which values no document has.
static rmx_status warn_unused(const rmx__preparing *p, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings unused = {0};
  for (size_t i = 0; i < p->spool.n; i++)
    if (p->spool.parts[i].again) return RMX_OK;
  if (p->router) RMX_TRY(rmx__router_unused(p->router, &unused, err));
  rmx__warn_unused(&unused, "no document", p->listener);
  return RMX_OK;
}

static rmx_status collect_all(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  uint64_t total = 0;
  for (size_t i = 0; i < p->n_sources; i++) total += p->files[i].bytes;
  RMX_TRY(open_router(p, r, err));
  rmx__step_begins(p, "reading text", total);
  const rmx__collect c = {.options = p->options,
                          .sources = p->sources,
                          .files = p->files,
                          .n = p->n_sources,
                          .router = p->router,
                          .threads = p->threads,
                          .read = rmx__step_advances,
                          .context = p};
  RMX_TRY(rmx__collect_parts(&p->spool, &c, err));
  note_again(p);
  RMX_TRY(warn_unused(p, err));
  RMX_TRY(rmx__domains_list(p, r, err));
  for (size_t i = 0; i < p->n_sources; i++)
    RMX_TRY(p->domain_of[i] < SIZE_MAX
                ? rmx__text_warnings(&p->spool, &c, i, &p->documents[p->domain_of[i]], err)
                : rmx__report_divided(p, &c, i, err));
  return rmx__spool_begin(&p->spool, p->valid_only, err);
}

static rmx_status drop_overlaps(rmx__preparing *p, rmx_err *err) {
  RMX_TRY(rmx__documents_count(&p->spool, p->documents, p->n, err));
  uint64_t total = 0;
  for (size_t i = 0; i < p->n; i++) total += p->documents[i].train_bytes;
  rmx__step_begins(p, "searching for overlaps", total);
  RMX_TRY(rmx__documents_overlap(&(rmx__overlap){.spool = &p->spool,
                                                 .domains = p->documents,
                                                 .n = p->n,
                                                 .targets = p->targets,
                                                 .ntargets = p->ntargets,
                                                 .words = (size_t)p->options->overlap,
                                                 .max = p->options->max_overlap,
                                                 .threads = p->threads,
                                                 .done = rmx__step_advances,
                                                 .context = p},
                                 err));
  for (size_t i = 0; i < p->ntrain; i++) {
    const rmx__documents *d = &p->documents[i];
    if (d->overlaps > d->train / 4)
      rmx_warn(p->listener,
               "%s: %llu of %llu training documents were dropped, because they have %lld "
               "words in a row in common with the validation text of a target; if they are "
               "not copies of it, raise corpus.overlap or set it to 0",
               d->name, (unsigned long long)d->overlaps,
               (unsigned long long)(d->overlaps + d->train), (long long)p->options->overlap);
  }
  return RMX_OK;
}

static rmx_status decide(rmx__preparing *p, rmx_err *err) {
  const rmx_corpus_options *o = p->options;
  if (o->dedup) RMX_TRY(rmx__documents_dedup(&p->spool, p->documents, p->n, err));
  if (o->near_duplicates > 0)
    RMX_TRY(rmx__documents_near(&p->spool, p->documents, o->near_duplicates, p->threads, err));
  RMX_TRY(rmx__documents_split(&p->spool, p->documents, p->n, o->valid_fraction, err));
  if (o->overlap && p->ntargets) RMX_TRY(drop_overlaps(p, err));
  return rmx__documents_count(&p->spool, p->documents, p->n, err);
}

static rmx_status get_tokenizer(rmx__preparing *p, const char *base, rmx_err *err) {
  const rmx_corpus_options *o = p->options;
  if (o->tokenizer) return rmx__tokenizer_open(o, base, &p->tokenizer, err);
  if (!p->new_tokenizer &&
      (p->tokenizer = rmx__previous_tokenizer(&p->previous, o, p->tokenizer_fingerprint))) {
    rmx_note(p->listener,
             "tokenizer: the previous one is kept, with %d tokens; `regmix prepare "
             "--new-tokenizer` trains a new one on the present text",
             rmx_tokenizer_vocab(p->tokenizer));
    return RMX_OK;
  }
  rmx__tokenizer_sample sample;
  RMX_TRY(rmx__tokenizer_sample_take(&p->spool, p->documents, p->ntrain, p->n,
                                     (uint64_t)o->tokenizer_bytes, &sample, err));
  const double mb = (double)sample.bytes / 1e6;
  int vocab = o->vocab > INT32_MAX ? INT32_MAX : (int)o->vocab;
  rmx_status status =
      rmx_tokenizer_train(sample.texts, sample.sizes, sample.n, vocab, &p->tokenizer, err);
  rmx__tokenizer_sample_release(&sample);
  if (status == RMX_OK) status = rmx_tokenizer_set_end_of_text(p->tokenizer, o->end_of_text, err);
  if (status != RMX_OK) return status;
  int made = rmx_tokenizer_vocab(p->tokenizer);
  if (made < o->vocab)
    rmx_warn(p->listener,
             "tokenizer: %d tokens, not %lld: no pair is left that occurs twice in %.1f MB of text",
             made, (long long)o->vocab, mb);
  else
    rmx_note(p->listener, "tokenizer: %d tokens, trained on %.1f MB", made, mb);
  return RMX_OK;
}

// ---- the corpus --------------------------------------------------------------------------------

static void add_losses(json_t *domain, const rmx__losses *lost) {
  static const char *const names[RMX__LOSSES] = {"bad_lines", "bad_bytes",    "no_text",
                                                 "empty",     "invalid_utf8", "surrogates"};
  const uint64_t *numbers = (const uint64_t *)lost;
  for (size_t i = 0; i < RMX__LOSSES; i++)
    json_object_set_new(domain, names[i], json_integer((json_int_t)numbers[i]));
}

static rmx_status write_index(const rmx__preparing *p, rmx_err *err) {
  uint64_t hash = 0;
  json_t *domains = json_array();
  for (size_t i = 0; i < p->n; i++) {
    const rmx__documents *d = &p->documents[i];
    const rmx__tokenised *train = &p->train[i], *valid = &p->valid[i];
    hash = rmx__corpus_hash_add(hash, d->name, train->hash, valid->hash);
    json_array_append_new(
        domains,
        json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "name", d->name,
                  "valid_only", d->valid_only, "documents",
                  (json_int_t)(train->documents + valid->documents), "train_documents",
                  (json_int_t)train->documents, "valid_documents", (json_int_t)valid->documents,
                  "train_tokens", (json_int_t)train->tokens, "valid_tokens",
                  (json_int_t)valid->tokens, "train_bytes", (json_int_t)train->bytes, "valid_bytes",
                  (json_int_t)valid->bytes, "duplicates", (json_int_t)d->duplicates, "overlaps",
                  (json_int_t)d->overlaps, "boilerplate", (json_int_t)d->boilerplate));
    json_t *domain = json_array_get(domains, i);
    add_losses(domain, &d->lost);
    json_object_set_new(domain, "valid_left_out",
                        json_integer((json_int_t)rmx__beyond_limit(d, valid)));
    if (p->options->near_duplicates > 0)
      json_object_set_new(domain, "near_duplicates", json_integer((json_int_t)d->near));
    if (i < p->ntrain) json_object_set_new(domain, "train_text", rmx__hex_json(p->texts[i][0]));
    json_object_set_new(domain, "valid_text", rmx__hex_json(p->texts[i][1]));
  }
  json_t *root =
      json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "version", RMX__CORPUS_VERSION, "vocab",
                rmx_tokenizer_vocab(p->tokenizer), "end_of_text",
                (int)rmx_tokenizer_end_of_text(p->tokenizer), "tokenizer_hash",
                rmx__hex_json(rmx_tokenizer_hash(p->tokenizer)), "hash", rmx__hex_json(hash),
                "fingerprint", rmx__hex_json(p->source_hash), "tokenizer_fingerprint",
                rmx__hex_json(p->tokenizer_fingerprint), "domains", domains);
  if (p->router) json_object_set_new(root, "without_domain", rmx__strays_json(p));
  rmx__losses all = {0};
  for (size_t i = 0; i < p->spool.n; i++) rmx__losses_add(&all, &p->spool.parts[i].lost);
  json_t *lost = json_object();
  add_losses(lost, &all);
  if (root) json_object_set_new(root, "lost", lost);
  char *path = rmx_format("%s/corpus/corpus.json", p->folder);
  bool good = root && path && json_array_size(json_object_get(root, "domains")) == p->n &&
              rmx__json_seal(root);
  rmx_status status = good
                          ? rmx__json_write(path, root, err)
                          : rmx_fail(err, RMX_EINPUT,
                                     "corpus.json cannot be written: is each domain's name UTF-8?");
  json_decref(root);
  free(path);
  return status;
}

static rmx_status write_corpus(rmx__preparing *p, rmx_err *err) {
  char *corpus = rmx_format("%s/corpus", p->folder),
       *tokenizer = rmx_format("%s/tokenizer.json", p->folder);
  char *beside = rmx_format("%s/corpus/tokenizer.json", p->folder),
       *files = rmx_format("%s/corpus/files.json", p->folder);
  rmx_status status = RMX_OK;
  if (!corpus || !tokenizer || !beside || !files) status = rmx_fail_memory(err, 0, "a path");
  // The old corpus is of other text. There is no corpus from here to the last line.
  if (status == RMX_OK) status = rmx_remove_tree(corpus, err);
  if (status == RMX_OK) status = rmx_mkdirs(corpus, err);
  if (status == RMX_OK) status = rmx_tokenizer_write(p->tokenizer, tokenizer, err);
  if (status == RMX_OK) status = rmx_tokenizer_write(p->tokenizer, beside, err);
  if (status == RMX_OK) status = rmx__json_write(files, p->files_seen, err);
  if (status == RMX_OK) status = rmx__token_files_write(p, err);
  if (status == RMX_OK) status = write_index(p, err);
  free(corpus);
  free(tokenizer);
  free(beside);
  free(files);
  return status;
}

// ---- the pipeline -----------------------------------------------------------

// Parts that are whole stay, so that the next prepare need not read them again.
static void leave_spool(const rmx__preparing *p, rmx_status status) {
  rmx_err ignored;
  if (!p->spool.folder) return;
  if (status == RMX_OK)
    rmx_remove_tree(p->spool.folder, &ignored);
  else
    rmdir(p->spool.folder);  // fails unless it is empty
}

static rmx_status open_spool(rmx__preparing *p, rmx_err *err) {
  char *folder = rmx_format("%s/" RMX__SPOOL, p->folder);
  rmx_status status =
      folder ? rmx__spool_init(&p->spool, folder, err) : rmx_fail_memory(err, 0, "a path");
  free(folder);
  return status;
}

static rmx_status make_lists(rmx__preparing *p, rmx_err *err) {
  p->texts = rmx_calloc(p->n, sizeof *p->texts);
  p->train = rmx_calloc(p->n, sizeof *p->train);
  p->valid = rmx_calloc(p->n, sizeof *p->valid);
  return p->texts && p->train && p->valid ? RMX_OK : rmx_fail_memory(err, p->n * 64, "a corpus");
}

static rmx_status run(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  RMX_TRY(check_options(p->options, err));
  RMX_TRY(set_order(p, r, err));
  for (size_t i = 0; i < p->n_sources; i++) {
    RMX_TRY(rmx__files_find(p->sources[i], r->base, &p->files[i], err));
    rmx__warn_unread(p->sources[i]->name, &p->files[i].unread, p->listener);
  }
  RMX_TRY(rmx__early_check(r, err));
  json_t *known = rmx_corpus_files_seen(p->folder);  // of a caller who has hashed the files
  if (!known) known = rmx_corpus_files_seen(p->previous.folder);
  rmx_status status = rmx_corpus_source_hash(r, known, p->files_seen, &p->source_hash, err);
  json_decref(known);
  RMX_TRY(status);
  RMX_TRY(rmx__tokenizer_fingerprint(p->options, r->base, &p->tokenizer_fingerprint, err));
  RMX_TRY(rmx_mkdirs(p->folder, err));
  RMX_TRY(open_spool(p, err));
  RMX_TRY(collect_all(p, r, err));
  RMX_TRY(rmx__text_is_unchanged(r, p->files, p->files_seen, err));
  RMX_TRY(make_lists(p, err));
  RMX_TRY(decide(p, err));
  RMX_TRY(get_tokenizer(p, r->base, err));
  return write_corpus(p, err);
}

static void release(rmx__preparing *p) {
  for (size_t i = 0; p->files && i < p->n_sources; i++) rmx__files_release(&p->files[i]);
  rmx__spool_release(&p->spool);
  rmx__domains_release(p);
  rmx__router_free(p->router);
  rmx_tokenizer_free(p->tokenizer);
  rmx__previous_release(&p->previous);
  json_decref(p->files_seen);
  free(p->sources), free(p->files), free(p->texts), free(p->train), free(p->valid);
}

static rmx_status prepare(const rmx_corpus_request *r, rmx_err *err) {
  rmx__preparing p = {.options = r->options,
                      .n_sources = r->n,
                      .sources = rmx_calloc(r->n, sizeof *p.sources),
                      .files = rmx_calloc(r->n, sizeof *p.files),
                      .folder = r->folder,
                      .threads = r->threads,
                      .listener = r->listener,
                      .new_tokenizer = r->new_tokenizer,
                      .files_seen = json_object()};
  rmx__previous_open(&p.previous, r->before);
  pthread_mutex_init(&p.lock, NULL);
  const rmx_status status = p.sources && p.files && p.files_seen
                                ? run(&p, r, err)
                                : rmx_fail_memory(err, r->n * sizeof *p.files, "a corpus");
  pthread_mutex_destroy(&p.lock);
  leave_spool(&p, status);
  release(&p);
  return status;
}

rmx_status rmx_corpus_prepare(const rmx_corpus_request *r, rmx_err *err) {
  struct rmx_ids_tokenizer ids;
  const rmx_corpus_options options = rmx__ids_tokenizer_begin(&ids, r->options, r->base);
  rmx_corpus_request with = *r;
  with.options = &options;
  const rmx_status status = prepare(&with, err);
  rmx__ids_tokenizer_end(&ids);
  return status;
}
