// SPDX-License-Identifier: Apache-2.0
// From text to a corpus: collect the documents, drop duplicates, split, drop overlaps with the
// targets, find or train the tokenizer, write the tokens, and last corpus.json, which makes it a
// corpus.
#include "prepare.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/stamp.h"

enum { FEW_VALID_TOKENS = 1000 };

struct preparing {
  const rmx_corpus_options *options;
  size_t n, ntrain;                   // domains; training domains, which are first
  const rmx_domain_source **sources;  // (n) in the order of the corpus
  rmx__files *files;                  // (n)
  rmx__documents *documents;          // (n)
  rmx__tokenised *train, *valid;      // (n)
  size_t *targets, ntargets;          // in the order of the corpus
  const char *folder;
  int threads;
  rmx_tokenizer *tokenizer;
  uint64_t source_hash, tokenizer_fingerprint;
  rmx__previous previous;  // the corpus prepared before
  bool new_tokenizer;
  // (n) hashes of the documents in the training and the validation file
  uint64_t (*texts)[2];
  size_t kept;         // domains whose token files are kept
  json_t *files_seen;  // files.json
  // progress
  const rmx_listener *listener;
  pthread_mutex_t lock;
  const char *step, *detail;
  uint64_t done, total;  // bytes
  rmx_err *errors;       // (n) of the threads that collect
};

static void step_begins(struct preparing *p, const char *step, uint64_t total) {
  p->step = step;
  p->detail = NULL;
  p->done = 0;
  p->total = total;
}

static void step_advances(void *context, uint64_t bytes) {
  struct preparing *p = context;
  pthread_mutex_lock(&p->lock);
  p->done += bytes;
  rmx_progress(p->listener, p->step, (double)p->done, (double)p->total, "bytes", p->detail);
  pthread_mutex_unlock(&p->lock);
}

// ---- what is asked for ---------------------------------------------------------------------

rmx_status rmx__domain_name_check(const char *name, const char *where, rmx_err *err) {
  if (!name || !*name) return rmx_fail(err, RMX_EINPUT, "%s: a domain without a name", where);
  // The folder of the domains also holds these files of the corpus.
  bool good = name[0] != '.' && !strchr(name, '/') && strlen(name) < 200 &&
              strcmp(name, "corpus.json") != 0 && strcmp(name, "tokenizer.json") != 0 &&
              strcmp(name, "files.json") != 0;
  for (const char *c = name; *c; c++) good = good && (uint8_t)*c >= ' ' && *c != 0x7F;
  if (!good)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: domain \"%.200s\": a name must have no '/', no control characters, no '.' "
                    "at the start and fewer than 200 bytes, and must not be the name of a file of "
                    "the corpus",
                    where, name);
  return RMX_OK;
}

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
  if (!o->tokenizer && o->tokenizer_bytes <= 0)
    return rmx_fail(err, RMX_EINPUT,
                    "tokenizer_bytes is %lld; wanted 1 or more, the bytes of text that a tokenizer "
                    "is trained on",
                    (long long)o->tokenizer_bytes);
  return RMX_OK;
}

// Training domains come first, then valid_only ones, both in the order given.
static rmx_status set_order(struct preparing *p, const rmx_domain_source *sources,
                            const size_t *targets, rmx_err *err) {
  size_t at = 0;
  for (int valid_only = 0; valid_only < 2; valid_only++) {
    for (size_t i = 0; i < p->n; i++) {
      if (sources[i].valid_only != valid_only) continue;
      RMX_TRY(rmx__domain_name_check(sources[i].name, "corpus", err));
      for (size_t j = 0; j < at; j++)
        if (strcmp(p->sources[j]->name, sources[i].name) == 0)
          return rmx_fail(err, RMX_EINPUT, "corpus: two domains are called \"%s\"",
                          sources[i].name);
      for (size_t t = 0; t < p->ntargets; t++)
        if (targets[t] == i) p->targets[t] = at;
      p->documents[at].name = sources[i].name;
      p->documents[at].valid_only = valid_only;
      p->documents[at].given_split = sources[i].valid_files.n > 0;
      p->sources[at++] = &sources[i];
    }
    if (!valid_only) p->ntrain = at;
  }
  for (size_t t = 0; t < p->ntargets; t++)
    if (targets[t] >= p->n)
      return rmx_fail(err, RMX_EUSAGE, "target %zu of %zu domains", targets[t], p->n);
  if (p->ntrain == 0)
    return rmx_fail(err, RMX_EINPUT, "corpus: no domain to train on: %s",
                    p->n ? "all are valid_only" : "none is given");
  return RMX_OK;
}

// ---- text ---------------------------------------------------------------------------------------

rmx__reader_options rmx__reader_options_of(const rmx_corpus_options *o,
                                           const rmx_domain_source *s) {
  return (rmx__reader_options){
      .text_field = s->text_field   ? s->text_field
                    : o->text_field ? o->text_field
                                    : "text",
      .separator = s->separator   ? s->separator
                   : o->separator ? o->separator
                                  : "%",
      .skip_bad = o->skip_bad,
      .max_document = (uint64_t)o->max_document,
  };
}

static void collect_one(void *context, size_t i) {
  struct preparing *p = context;
  const rmx_corpus_options *o = p->options;
  const rmx_domain_source *s = p->sources[i];
  rmx__collect_options how = {
      .reader = rmx__reader_options_of(o, s),
      .max_bytes = (uint64_t)o->max_bytes,
      .folder = p->folder,
      .read = step_advances,
      .context = p,
  };
  rmx__documents_collect(&p->documents[i], &p->files[i], &how, &p->errors[i]);
}

static rmx_status collect_all(struct preparing *p, rmx_err *err) {
  uint64_t total = 0;
  for (size_t i = 0; i < p->n; i++) total += p->files[i].bytes;
  step_begins(p, "reading text", total);
  rmx_parallel(p->threads, p->n, collect_one, p);
  // The error of the first domain, so that it does not depend on the threads.
  for (size_t i = 0; i < p->n; i++) {
    if (p->errors[i].status == RMX_OK) continue;
    *err = p->errors[i];
    return err->status;
  }
  return RMX_OK;
}

static rmx_status decide(struct preparing *p, rmx_err *err) {
  const rmx_corpus_options *o = p->options;
  if (o->dedup) RMX_TRY(rmx__documents_dedup(p->documents, p->n, err));
  for (size_t i = 0; i < p->n; i++)
    RMX_TRY(rmx__documents_split(&p->documents[i], o->valid_fraction, err));
  if (o->overlap == 0 || p->ntargets == 0) return RMX_OK;
  RMX_TRY(rmx__documents_overlap(p->documents, p->n, p->targets, p->ntargets, (size_t)o->overlap,
                                 o->max_overlap, p->threads, err));
  for (size_t i = 0; i < p->ntrain; i++) {
    const rmx__documents *d = &p->documents[i];
    size_t left = 0;
    for (size_t j = 0; j < d->n; j++) left += d->items[j].fate == RMX__TRAIN;
    if (d->overlaps > left / 4)
      rmx_warn(p->listener,
               "%s: %llu of %llu training documents were dropped, because they have %lld "
               "words in a row in common with the validation text of a target; if they are "
               "not copies of it, raise corpus.overlap or set it to 0",
               d->name, (unsigned long long)d->overlaps, (unsigned long long)(d->overlaps + left),
               (long long)o->overlap);
  }
  return RMX_OK;
}

static rmx_status get_tokenizer(struct preparing *p, const char *base, rmx_err *err) {
  const rmx_corpus_options *o = p->options;
  if (o->tokenizer) {
    char *path = rmx_path_in(base, o->tokenizer);
    rmx_status status =
        path ? rmx_tokenizer_read(path, &p->tokenizer, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
    if (status == RMX_OK) status = rmx_tokenizer_set_end_of_text(p->tokenizer, NULL, err);
    return status;
  }
  if (!p->new_tokenizer &&
      (p->tokenizer = rmx__previous_tokenizer(&p->previous, o, p->tokenizer_fingerprint))) {
    rmx_note(p->listener,
             "tokenizer: the previous one is kept, with %d tokens; `regmix prepare "
             "--new-tokenizer` trains a new one on the present text",
             rmx_tokenizer_vocab(p->tokenizer));
    return RMX_OK;
  }
  const char **texts;
  size_t *sizes, n, bytes = 0;
  RMX_TRY(rmx__tokenizer_sample(p->documents, p->ntrain, (uint64_t)o->tokenizer_bytes, &texts,
                                &sizes, &n, err));
  for (size_t i = 0; i < n; i++) bytes += sizes[i];
  int vocab = o->vocab > INT32_MAX ? INT32_MAX : (int)o->vocab;
  rmx_status status = rmx_tokenizer_train(texts, sizes, n, vocab, &p->tokenizer, err);
  free(texts);
  free(sizes);
  if (status != RMX_OK) return status;
  int made = rmx_tokenizer_vocab(p->tokenizer);
  if (made < o->vocab)
    rmx_warn(p->listener,
             "tokenizer: %d tokens, not %lld: no pair is left that occurs twice in %.1f MB of text",
             made, (long long)o->vocab, (double)bytes / 1e6);
  else
    rmx_note(p->listener, "tokenizer: %d tokens, trained on %.1f MB", made, (double)bytes / 1e6);
  return RMX_OK;
}

// ---- tokens ------------------------------------------------------------------------------------

// Hash of the documents in the order in which they are written.
static uint64_t text_hash(const struct preparing *p, const rmx__documents *d, const size_t *order,
                          size_t n, bool valid) {
  uint64_t h = valid ? (uint64_t)p->options->max_valid_tokens : 0;
  h = rmx_hash(&n, sizeof n, h);
  for (size_t i = 0; i < n; i++) h = rmx_hash(&d->items[order[i]].hash, sizeof d->items->hash, h);
  return h;
}

static rmx_status write_split(struct preparing *p, size_t i, rmx__fate fate, bool *kept,
                              rmx_err *err) {
  const rmx__documents *d = &p->documents[i];
  bool valid = fate == RMX__VALID;
  size_t *order, n;
  RMX_TRY(rmx__documents_by_hash(d, fate, &order, &n, err));
  if (!valid) {  // in the order of the files, so that neighbours stay neighbours on disk
    n = 0;
    for (size_t j = 0; j < d->n; j++)
      if (d->items[j].fate == fate) order[n++] = j;
  }
  char *path = rmx_format("%s/corpus/%s/%s.bin", p->folder, d->name, valid ? "valid" : "train");
  rmx__tokenised *out = valid ? &p->valid[i] : &p->train[i];
  p->texts[i][valid] = text_hash(p, d, order, n, valid);
  rmx_status status = path ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  const bool same =
      path && rmx__previous_take(&p->previous, p->tokenizer, d->name, valid ? "valid" : "train",
                                 p->texts[i][valid], path, out);
  *kept = *kept && same;
  if (status == RMX_OK && !same)
    status = rmx__tokenise(
        &(struct rmx__tokenise){
            .tokenizer = p->tokenizer,
            .documents = d,
            .order = order,
            .n = n,
            .max_tokens = valid ? (uint64_t)p->options->max_valid_tokens : 0,
            .threads = p->threads,
            .done = step_advances,
            .context = p,
        },
        path, out, err);
  free(path);
  free(order);
  return status;
}

// "0.9 M", "12,031"
static const char *amount(uint64_t x, char out[32]) {
  if (x >= 100000) {
    snprintf(out, 32, x >= 1000000000 ? "%.1f G" : "%.1f M",
             (double)x / (x >= 1000000000 ? 1e9 : 1e6));
    return out;
  }
  if (x < 1000)
    snprintf(out, 32, "%llu", (unsigned long long)x);
  else
    snprintf(out, 32, "%llu,%03llu", (unsigned long long)x / 1000, (unsigned long long)x % 1000);
  return out;
}

static const char *counted(uint64_t x, char out[32]) {  // exactly, with commas
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)x), at = 0;
  for (int i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0) out[at++] = ',';
    out[at++] = digits[i];
  }
  out[at] = '\0';
  return out;
}

static void print_warnings(const struct preparing *p, const rmx__documents *d) {
  static const char *const warnings[RMX__TEXT_WARNINGS] = {
      [RMX__WARN_END_TOKEN] =
          "has lines inside its documents that are an end token, such as <|endoftext|>; "
          "if they end a document, set `separator: \"<|endoftext|>\"`",
      [RMX__WARN_COMMENTS] =
          "is cut at lines with only %, but has as many longer lines that begin with %, "
          "like comments of LaTeX and Erlang; if % does not end a document, set "
          "`separator` (none: a file is one document)",
      [RMX__WARN_NO_SEPARATOR] =
          "has no separator line, so it is one large document; set `separator` to the "
          "line that ends a document (\"\": a blank line)",
      [RMX__WARN_HTML] = "begins like a web page; if the download failed, fetch the file again",
      [RMX__WARN_CHARSET] =
          "has bytes that are not UTF-8; each was replaced by U+FFFD; if the text is in "
          "another character set, convert it, for example with `iconv -f WINDOWS-1252 -t "
          "UTF-8 FILE > NEW`",
  };
  for (size_t i = 0; i < RMX__TEXT_WARNINGS; i++) {
    const size_t n = d->warnings[i].files;
    if (n == 1) rmx_warn(p->listener, "%s: %s %s", d->name, d->warnings[i].path, warnings[i]);
    if (n > 1)
      rmx_warn(p->listener, "%s: %s (and %zu more of its files) %s", d->name, d->warnings[i].path,
               n - 1, warnings[i]);
  }
}

static void report(const struct preparing *p, size_t i, bool kept) {
  const rmx__documents *d = &p->documents[i];
  const rmx__tokenised *train = &p->train[i], *valid = &p->valid[i];
  char a[32], b[32], c[32];
  rmx_buf extra = {0};
  rmx_buf_add(&extra, "", 0);
  if (d->duplicates)
    rmx_buf_printf(&extra, "; %s duplicate%s dropped", counted(d->duplicates, a),
                   d->duplicates == 1 ? "" : "s");
  if (d->overlaps)
    rmx_buf_printf(&extra, "; %s dropped for overlap with a target", counted(d->overlaps, a));
  if (d->boilerplate)
    rmx_buf_printf(&extra, "; %s kept that share only boilerplate with a target",
                   counted(d->boilerplate, a));
  if (d->bad_lines)
    rmx_buf_printf(&extra, "; %s broken line%s skipped", counted(d->bad_lines, a),
                   d->bad_lines == 1 ? "" : "s");
  if (d->no_text)
    rmx_buf_printf(&extra, "; %s line%s without text skipped", counted(d->no_text, a),
                   d->no_text == 1 ? "" : "s");
  if (d->invalid_utf8)
    rmx_buf_printf(&extra, "; %s %s not UTF-8 replaced", counted(d->invalid_utf8, a),
                   d->invalid_utf8 == 1 ? "byte that is" : "bytes that are");
  if (kept) rmx_buf_puts(&extra, "; kept");
  const char *tail = extra.failed ? "" : extra.data;
  double mb = (double)(train->bytes + valid->bytes) / 1e6;
  counted(train->documents + valid->documents, a);
  if (d->valid_only)
    rmx_note(p->listener, "%s: %s documents, %.1f MB, %s tokens (validation only)%s", d->name, a,
             mb, amount(valid->tokens, b), tail);
  else
    rmx_note(p->listener,
             "%s: %s documents, %.1f MB, %s tokens to train on and %s to validate with%s", d->name,
             a, mb, amount(train->tokens, b), amount(valid->tokens, c), tail);
  rmx_buf_release(&extra);
  print_warnings(p, d);
  if (valid->tokens < FEW_VALID_TOKENS)
    rmx_warn(p->listener,
             "%s: only %llu validation tokens; its loss will be inexact; give more text or "
             "a larger valid_fraction",
             d->name, (unsigned long long)valid->tokens);
}

static rmx_status write_tokens(struct preparing *p, rmx_err *err) {
  uint64_t total = 0;
  for (size_t i = 0; i < p->n; i++) total += p->documents[i].bytes;
  step_begins(p, "writing tokens", total);
  for (size_t i = 0; i < p->n; i++) {
    p->detail = p->documents[i].name;
    char *folder = rmx_format("%s/corpus/%s", p->folder, p->detail);
    rmx_status status = folder ? rmx_mkdirs(folder, err) : rmx_fail_memory(err, 0, "a path");
    free(folder);
    RMX_TRY(status);
    bool kept = true;
    if (i < p->ntrain) RMX_TRY(write_split(p, i, RMX__TRAIN, &kept, err));
    RMX_TRY(write_split(p, i, RMX__VALID, &kept, err));
    p->kept += kept;
    report(p, i, kept);
  }
  if (p->kept)
    rmx_note(p->listener,
             "prepare: %zu of %zu domains have the same documents as before; their token "
             "files are kept",
             p->kept, p->n);
  return RMX_OK;
}

static rmx_status write_index(const struct preparing *p, rmx_err *err) {
  uint64_t hash = 0;
  json_t *domains = json_array();
  for (size_t i = 0; i < p->n; i++) {
    const rmx__documents *d = &p->documents[i];
    const rmx__tokenised *train = &p->train[i], *valid = &p->valid[i];
    hash = rmx__corpus_hash_add(hash, d->name, train->hash, valid->hash);
    json_array_append_new(
        domains,
        json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                  "name", d->name, "valid_only", d->valid_only, "documents",
                  (json_int_t)(train->documents + valid->documents), "train_documents",
                  (json_int_t)train->documents, "valid_documents", (json_int_t)valid->documents,
                  "train_tokens", (json_int_t)train->tokens, "valid_tokens",
                  (json_int_t)valid->tokens, "train_bytes", (json_int_t)train->bytes, "valid_bytes",
                  (json_int_t)valid->bytes, "duplicates", (json_int_t)d->duplicates, "overlaps",
                  (json_int_t)d->overlaps, "boilerplate", (json_int_t)d->boilerplate, "bad_lines",
                  (json_int_t)d->bad_lines, "no_text", (json_int_t)d->no_text, "invalid_utf8",
                  (json_int_t)d->invalid_utf8));
    json_t *domain = json_array_get(domains, i);
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

static rmx_status write_corpus(struct preparing *p, rmx_err *err) {
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
  if (status == RMX_OK) status = write_tokens(p, err);
  if (status == RMX_OK) status = write_index(p, err);
  free(corpus);
  free(tokenizer);
  free(beside);
  free(files);
  return status;
}

// ---- the pipeline -----------------------------------------------------------

static rmx_status run(struct preparing *p, const rmx_corpus_request *r, rmx_err *err) {
  RMX_TRY(check_options(p->options, err));
  RMX_TRY(set_order(p, r->sources, r->targets, err));
  for (size_t i = 0; i < p->n; i++)
    RMX_TRY(rmx__files_find(p->sources[i], r->base, &p->files[i], err));
  if (!p->texts || !p->files_seen) return rmx_fail_memory(err, p->n, "a corpus");
  RMX_TRY(rmx__early_check(r, err));
  json_t *known = rmx_corpus_files_seen(p->folder);  // of a caller who has hashed the files
  if (!known) known = rmx_corpus_files_seen(p->previous.folder);
  rmx_status status = rmx_corpus_source_hash(r, known, p->files_seen, &p->source_hash, err);
  json_decref(known);
  RMX_TRY(status);
  RMX_TRY(rmx__tokenizer_fingerprint(p->options, r->base, &p->tokenizer_fingerprint, err));
  RMX_TRY(rmx_mkdirs(p->folder, err));
  RMX_TRY(collect_all(p, err));
  RMX_TRY(decide(p, err));
  RMX_TRY(get_tokenizer(p, r->base, err));
  return write_corpus(p, err);
}

rmx_status rmx_corpus_prepare(const rmx_corpus_request *r, rmx_err *err) {
  const size_t n = r->n;
  rmx_arena arena = {0};
  struct preparing p = {.options = r->options,
                        .n = n,
                        .ntargets = r->ntargets,
                        .folder = r->folder,
                        .threads = r->threads,
                        .listener = r->listener,
                        .new_tokenizer = r->new_tokenizer,
                        .files_seen = json_object()};
  rmx__previous_open(&p.previous, r->before);
  p.texts = rmx_arena_alloc(&arena, n, sizeof *p.texts);
  p.sources = rmx_arena_alloc(&arena, n, sizeof *p.sources);
  p.files = rmx_arena_alloc(&arena, n, sizeof *p.files);
  p.documents = rmx_arena_alloc(&arena, n, sizeof *p.documents);
  p.train = rmx_arena_alloc(&arena, n, sizeof *p.train);
  p.valid = rmx_arena_alloc(&arena, n, sizeof *p.valid);
  p.targets = rmx_arena_alloc(&arena, r->ntargets, sizeof *p.targets);
  p.errors = rmx_arena_alloc(&arena, n, sizeof *p.errors);
  if (!p.sources || !p.files || !p.documents || !p.train || !p.valid || !p.targets || !p.errors) {
    rmx__previous_release(&p.previous);
    json_decref(p.files_seen);
    rmx_arena_release(&arena);
    return rmx_fail_memory(err, n * sizeof(rmx_err), "a corpus");
  }
  pthread_mutex_init(&p.lock, NULL);
  rmx_status status = run(&p, r, err);
  pthread_mutex_destroy(&p.lock);
  for (size_t i = 0; i < n; i++) {
    rmx__files_release(&p.files[i]);
    rmx__documents_release(&p.documents[i]);
  }
  rmx_tokenizer_free(p.tokenizer);
  rmx__previous_release(&p.previous);
  json_decref(p.files_seen);
  rmx_arena_release(&arena);
  return status;
}
