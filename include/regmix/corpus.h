/* corpus.h: from text to token files, and from token files to training batches.
 *
 * Uses: base, mixture.
 *
 *   text -> [reader] documents -> [filter] -> [tokenizer] token files -> [stream] batches
 */
#ifndef RMX_CORPUS_H
#define RMX_CORPUS_H

#include <regmix/base.h>
#include <regmix/mixture.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tokenizer: byte-level BPE ------------------------------------------ */

typedef struct rmx_tokenizer rmx_tokenizer;

/* Trains byte-level BPE (GPT-2's pre-tokenizer pattern) on `n` texts until the vocabulary, the
 * special token <|endoftext|> included, has `vocab` entries (or no pair is left that occurs twice).
 * Ids: 0 the end of text, 1 .. 256 the bytes, then the merges; the same merges as Hugging Face's
 * trainer. Deterministic. Cost: one pass over the text, then each merge the distinct words it
 * changes; 10 MB and 4096 take 0.3 s. */
rmx_status rmx_tokenizer_train(const char *const *texts, const size_t *sizes, size_t n, int vocab,
                               rmx_tokenizer **out, rmx_err *err);
/* Reads / writes Hugging Face's tokenizer.json: model BPE on bytes (GPT-2, GPT-NeoX, Llama 3, Qwen,
 * ...); other models, normalisers but NFC and other pre-tokenizers are RMX_EINPUT. The end of text
 * is the first there is of <|endoftext|>, <|end_of_text|>, </s>, <eos>. */
rmx_status rmx_tokenizer_read(const char *path, rmx_tokenizer **out, rmx_err *err);
rmx_status rmx_tokenizer_write(const rmx_tokenizer *t, const char *path, rmx_err *err);
int rmx_tokenizer_vocab(const rmx_tokenizer *t);
uint32_t rmx_tokenizer_end_of_text(const rmx_tokenizer *t);
/* of merges and specials: names the token files */
uint64_t rmx_tokenizer_hash(const rmx_tokenizer *t);
/* A growing list of token ids. {0} is ready for use. */
typedef struct rmx_tokens {
  uint32_t *ids;
  size_t n, capacity;
} rmx_tokens;
void rmx_tokens_release(rmx_tokens *t);
/* Appends the tokens of text (any bytes): those of Hugging Face's library, except that special
 * tokens are not looked for (a document cannot forge its end). Nothing is put before or behind.
 * Thread-safe on one tokenizer: each call borrows scratch, with a cache of words, from a pool.
 * Cost: 30 to 60 MB of text a second. */
rmx_status rmx_tokenizer_encode(const rmx_tokenizer *t, const char *text, size_t size,
                                rmx_tokens *out, rmx_err *err);
/* Appends the bytes the ids stand for. */
rmx_status rmx_tokenizer_decode(const rmx_tokenizer *t, const uint32_t *ids, size_t n, rmx_buf *out,
                                rmx_err *err);
void rmx_tokenizer_free(rmx_tokenizer *t);

/* ---- prepare: text to token files ---------------------------------------- */

typedef struct rmx_domain_source {
  char *name;
  rmx_strings files;       /* globs, absolute or relative to the config's folder */
  rmx_strings valid_files; /* separate validation text; empty: split by hash */
  bool valid_only;         /* a target that is not in the training data */
  char *text_field;        /* of .jsonl; NULL: the corpus-wide one */
  char *separator;         /* of .txt; NULL: the corpus-wide one */
} rmx_domain_source;

typedef struct rmx_corpus_options {
  /* of domains, when no domain map is given: a folder per domain, or files `<domain>-0001.jsonl` */
  char *folder;
  rmx_strings leave_out; /* patterns of files and folders in it that are not read */
  char *text_field;      /* "text" */
  /* a line that ends a document in .txt: "%"; "" : a blank line; "none": a file is a document */
  char *separator;
  double valid_fraction; /* of documents, by hash: 0.05 */
  /* validation tokens kept per domain, by ascending hash; the rest is not used; 0: all */
  int64_t max_valid_tokens;
  /* text read per domain (and as much of its valid_files), to the next whole document; each file
   * gives at most an even share of what is left for it and those behind; 0: all */
  int64_t max_bytes;
  /* bytes of a document, or of a line of JSON, at most: memory holds one of each thread; 0: any */
  int64_t max_document;
  /* broken JSON lines, and such without the text field, are counted, not fatal */
  bool skip_bad;
  bool dedup; /* drop exact duplicates */
  /* training domains whose validation text is kept out of training text as that of valid_only ones
   * is */
  rmx_strings protect;
  /* words of the n-gram that makes a training document a copy of target text: 13; 0: off. What more
   * than 10 documents of a domain have (and more than one in 1000) is boilerplate, no copy */
  int64_t overlap;
  /* share of a domain's training text that may be dropped for it; more is an error: 0.5 */
  double max_overlap;
  char *tokenizer;         /* path of a tokenizer.json to use; NULL: train one */
  int64_t vocab;           /* of the tokenizer to train: 4096 */
  int64_t tokenizer_bytes; /* text it is trained on, taken evenly from the training domains: 10M */
} rmx_corpus_options;

/* A file or folder of the corpus folder that is not read. */
typedef struct rmx_left_out {
  char *path;      /* as the globs of sources are */
  const char *why; /* one sentence, no full stop; not owned */
  /* text may be lost with it; else it is hidden, a licence, or left out on purpose */
  bool matters;
} rmx_left_out;
typedef struct rmx_discovery {
  rmx_domain_source *domains; /* (n) by name */
  size_t n;
  rmx_left_out *left_out; /* (n_left_out) those that matter first, then by why and path */
  size_t n_left_out;
  rmx_strings notes; /* what else was taken for granted: sentences */
} rmx_discovery;
/* The domains in a folder. Each folder in it is one, with all files below it; each file in it
 * belongs to the domain of its name without the number of its shard (`c4.00000-of-01024.json.gz`:
 * c4). Links are followed, loops are not. Files named train, valid (validation, val, dev, eval,
 * heldout) or test, or in folders of such names, are told apart where a domain has others too: the
 * second become its valid_files, the third are left out. `leave_out` (NULL: none) are patterns of
 * names, or of paths in the folder, that are left out. A relative folder is relative to `base`, as
 * the globs of all sources are. RMX_EINPUT where a domain would be lost, since none of its files
 * can be read. */
rmx_status rmx_corpus_discover(const char *folder, const rmx_strings *leave_out, const char *base,
                               rmx_discovery *out, rmx_err *err);
/* Tells the notes, and how many files are left out, for which reason, with three names of each. */
void rmx_discovery_report(const rmx_discovery *f, const rmx_listener *to);
void rmx_discovery_release(rmx_discovery *f);
void rmx_domain_sources_release(rmx_domain_source *list, size_t n); /* the list itself too */

/* A look at the files of a domain. */
typedef struct rmx_source_look {
  size_t files, valid_files;
  size_t without_text; /* of those read: files without one document */
  uint64_t bytes;      /* of all files, packed as they are */
  rmx_few not_utf8;    /* those read: files in which some bytes are no UTF-8 */
  /* all was read, and is one document beside its copies, though training and validation need one
   * each */
  bool one_document;
  uint64_t copies; /* of the first document, as far as was read */
  char format[64]; /* the endings of their names: ".jsonl.gz, .txt" */
} rmx_source_look;
/* Finds the files of a source; with `read` it opens each and reads its first documents. RMX_EINPUT,
 * RMX_EIO: what rmx_corpus_prepare would say of them. Cost: a block of each file; up to 64 MB in
 * search of a second document. */
rmx_status rmx_corpus_look(const rmx_corpus_options *options, const rmx_domain_source *source,
                           const char *base, bool read, rmx_source_look *out, rmx_err *err);

/* What a corpus is made of, and how. */
typedef struct rmx_corpus_request {
  const rmx_corpus_options *options;
  const rmx_domain_source *sources; /* (n) */
  size_t n;
  const size_t *targets; /* (ntargets) domains whose validation text must not be trained on */
  size_t ntargets;
  const char *base; /* what relative globs are relative to */
  int threads;
  /* of rmx_corpus_prepare alone */
  const char *folder; /* the experiment folder that is written */
  const char *before; /* <before>/corpus may hold the corpus that was prepared before; or NULL */
  bool new_tokenizer; /* train the tokenizer even if that of `before` has the same settings */
  const rmx_listener *listener;
} rmx_corpus_request;

/* Prepares corpus/ and tokenizer.json in the experiment folder `folder`: reads every source, drops
 * duplicates and overlaps with the targets, splits, tokenises, writes
 *   tokenizer.json
 *   corpus/<domain>/{train,valid}.bin  header of 64 bytes (magic, version, bytes per token, tokens,
 *                                      tokenizer hash, hash of the ids), then ids as uint16
 *                                      (vocab <= 65536) or uint32, little endian
 *   corpus/corpus.json                 what is in there: see rmx_corpus
 * Domains trained on come first, then valid_only ones, both in the order given. A document goes to
 * validation by its own hash, whatever else there is; both parts of a domain get one at least. All
 * text is read once, into a temporary file in `folder`, so memory is bounded and the disk must hold
 * the text a second time while this runs. `base` is what relative globs are relative to. Token
 * files appear whole or not at all; corpus.json is written last. The result does not depend on
 * `threads`. RMX_EINPUT: a pattern without a file, an unknown kind of file, a broken line, a domain
 * with too little text to split, a tokenizer that is not supported; the message names it.
 * Of `before`, the tokenizer is used again if the options ask for such a one, and so are the token
 * files of every domain whose documents stayed the same: they get a second name in `folder`. The
 * texts are read in any case, since what is a copy depends on all of them. */
rmx_status rmx_corpus_prepare(const rmx_corpus_request *request, rmx_err *err);
/* Hash of the options and of the sources' text: differs from corpus.json's "source_hash" when
 * prepare must run again. Files whose size and times are in `known` (corpus/files.json, or NULL)
 * are not read. memo (an object, or NULL) gets what files.json holds. */
rmx_status rmx_corpus_source_hash(const rmx_corpus_request *request, const struct json_t *known,
                                  struct json_t *memo, uint64_t *hash, rmx_err *err);
/* files.json of the corpus in <folder>: a new reference, or NULL. */
struct json_t *rmx_corpus_files_seen(const char *folder);
/* The hash that version 0.1.0 kept: of paths, sizes and times, with the experiment's targets. */
rmx_status rmx_corpus_source_hash_0_1(const rmx_corpus_request *request, uint64_t *hash,
                                      rmx_err *err);

/* ---- corpus: the token files, opened ------------------------------------- */

typedef struct rmx_domain {
  char *name;
  bool valid_only;
  size_t train_tokens, valid_tokens;
  size_t train_bytes, valid_bytes; /* of text behind those tokens */
  size_t train_documents, valid_documents;
  int width;                 /* bytes per id: 2 or 4 */
  const void *train, *valid; /* ids, mapped; NULL when there are none */
} rmx_domain;

typedef struct rmx_corpus {
  size_t D;            /* all domains, valid-only ones last */
  size_t D_train;      /* those that can be trained on: domains[0 .. D_train-1] */
  rmx_domain *domains; /* (D) */
  const char **names;  /* (D) the same names, for the functions that take a list */
  double *prior;       /* (D_train) share of the training tokens */
  int vocab;
  uint32_t end_of_text;
  uint64_t hash;           /* of all ids: what the runs were trained on */
  uint64_t tokenizer_hash; /* rmx_tokenizer_hash of what made them */
  struct rmx_corpus_maps *maps;
} rmx_corpus;

/* Opens <folder>/corpus; checks magic, version, sizes and that all files are of one tokenizer.
 * Token files are mapped: memory is shared between the processes that use them. */
rmx_status rmx_corpus_open(const char *folder, rmx_corpus **out, rmx_err *err);
void rmx_corpus_free(rmx_corpus *c);
/* Id number i of `ids` of the given width. */
static inline uint32_t rmx_token_at(const void *ids, int width, size_t i) {
  return width == 2 ? ((const uint16_t *)ids)[i] : ((const uint32_t *)ids)[i];
}

/* ---- a part of a corpus ---------------------------------------------------- */

/* The documents in a token file of domain d (`valid`: the validation file): document i is ids
 * starts[i] .. starts[i + 1] - 1, the end of text its last (but for a file that was cut off).
 * starts (n + 1), free() it. Cost: one pass over the ids. */
rmx_status rmx_corpus_documents(const rmx_corpus *corpus, size_t d, bool valid, size_t **starts,
                                size_t *n, rmx_err *err);
/* Writes <folder>/corpus: of `corpus`, which lies in <source>/corpus, those training documents
 * whose keep[d][i] (D_train rows, each of the documents of d) is true, in their order, and the same
 * validation files, which are linked where the file system can. Domains stay as they are, if need
 * be with no training token; train_bytes are in proportion to the tokens. All documents kept: the
 * same hash. A folder that holds that very part already is left as it is. corpus.json is written
 * last. */
rmx_status rmx_corpus_subset(const rmx_corpus *corpus, const char *source, const bool *const *keep,
                             const char *folder, rmx_err *err);

/* ---- streams: what yields training batches -------------------------------- */

/* B sequences of T tokens. The caller owns the arrays. */
typedef struct rmx_batch {
  int B, T;
  int32_t *tokens; /* (B, T) */
  int32_t *labels; /* (B, T) the next token of each */
  float *weights;  /* (B, T) weight of each token's loss; 1 */
  int32_t *domain; /* (B) index of the domain of each sequence */
} rmx_batch;
rmx_status rmx_batch_make(rmx_batch *b, int B, int T, rmx_err *err);
void rmx_batch_release(rmx_batch *b);

typedef struct rmx_stream rmx_stream;
typedef struct rmx_stream_type {
  const char *name;
  rmx_status (*next)(rmx_stream *s, rmx_batch *into, rmx_err *err);
  /* Takes back the losses (B, T) of the batch `next` gave last; may change the mixture. NULL: not
   * interested. */
  void (*observe)(rmx_stream *s, const rmx_batch *batch, const float *losses);
  /* State as JSON, and back: a stream loaded goes on with the same bits. save gives a new
   * reference. */
  struct json_t *(*save)(const rmx_stream *s);
  rmx_status (*load)(rmx_stream *s, const struct json_t *state, rmx_err *err);
  void (*free)(rmx_stream *s);
} rmx_stream_type;
/* First member of every stream. */
struct rmx_stream {
  const rmx_stream_type *type;
  size_t D;            /* training domains */
  double *mixture;     /* (D) the mixture drawn by at present; what `observe` may change */
  uint64_t *sequences; /* (D) sequences given so far */
  double *epochs;      /* (D) times each domain was gone through so far */
};

/* The fixed mixture. Each sequence is a window of T tokens and its T labels; a domain's windows
 * come in an order keyed by (seed, domain, epoch) and nothing else; an exhausted domain starts a
 * new epoch, reshuffled, with the windows shifted. Which domain comes next: each gains w_d of
 * credit a sequence; of those in credit the one that is due first gives the sequence and pays 1, so
 * after any n sequences each domain has given n w_d of them to within one, whatever the seed.
 * RMX_EINPUT where a domain with weight has fewer than T + 1 tokens. `corpus` must outlive the
 * stream. */
rmx_status rmx_stream_fixed(const rmx_corpus *corpus, const double *mixture, int T, uint64_t seed,
                            rmx_stream **out, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
