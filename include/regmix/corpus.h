/* corpus.h: from text to token files, and from token files to training batches.
 *
 * Uses: base, mixture.
 *
 *   text -> [reader] documents -> [filter] -> [tokenizer] token files -> [stream] batches
 *
 * Every function with an `err` can return RMX_ENOMEM. Those that read or write files can return
 * RMX_EIO. Other errors are named below.
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

/* Trains byte-level BPE with GPT-2's pre-tokenizer pattern on texts (n) of sizes (n) bytes. The
 * vocabulary gets `vocab` entries, <|endoftext|> included, or fewer if no pair is left that occurs
 * twice. Ids: 0 is the end of text, 1 .. 256 are the bytes, then the merges follow, the same as
 * those of Hugging Face's trainer. Deterministic. RMX_EINPUT: a vocabulary below 257 or above 2^24.
 * Free the result with rmx_tokenizer_free(). Cost: one pass over the text; then for each merge the
 * distinct words that it changes. 10 MB and 4096 entries take 0.3 s. */
rmx_status rmx_tokenizer_train(const char *const *texts, const size_t *sizes, size_t n, int vocab,
                               rmx_tokenizer **out, rmx_err *err);
/* Reads a tokenizer from one of these files. The content decides which it is, not the name.
 *   - Hugging Face's tokenizer.json with the model BPE, Unigram or WordPiece
 *   - Mistral's tekken.json
 *   - a SentencePiece model of the type unigram, bpe or char
 *   - a tiktoken file: lines of a token in base64 and its rank. The pattern and the special tokens
 *     are known by the number of ranks (GPT-2, GPT-4, GPT-4o, Llama 3, Qwen and others). With
 *     another number, the name of a vocabulary in the file's name says which pattern it has.
 *   - BERT's vocab.txt. Text is made lower case if no token has a capital letter.
 *   - GPT-2's vocab.json, if merges.txt stands beside it
 *   - a folder with one of these files
 * rmx_tokenizer_write() writes a tokenizer.json, with which Hugging Face's library gives the same
 * ids. RMX_EINPUT: a part that is not supported, or wrong; the message names it. A file does not
 * say which token ends a text. A known name is taken if the file has it (<|endoftext|>,
 * <|end_of_text|>, </s>, <eos>, ...; special tokens first). Free what was read with
 * rmx_tokenizer_free(). Cost: linear in the size of the file. */
rmx_status rmx_tokenizer_read(const char *path, rmx_tokenizer **out, rmx_err *err);
rmx_status rmx_tokenizer_write(const rmx_tokenizer *t, const char *path, rmx_err *err);
/* Sets the token that ends a text; it becomes special, and the hash changes. NULL: the token that
 * is known stays. RMX_EINPUT: there is no such token, or none is known, or plain text can contain
 * it. The message names candidates. To be called before other threads use the tokenizer. */
rmx_status rmx_tokenizer_set_end_of_text(rmx_tokenizer *t, const char *name, rmx_err *err);
/* Number of ids: they are 0 .. vocab - 1. */
int rmx_tokenizer_vocab(const rmx_tokenizer *t);
/* The id that ends every document; UINT32_MAX: none is known. */
uint32_t rmx_tokenizer_end_of_text(const rmx_tokenizer *t);
/* Hash of the merges and the special tokens. Token files store it. */
uint64_t rmx_tokenizer_hash(const rmx_tokenizer *t);

/* A growing list of token ids. {0} is an empty list. */
typedef struct rmx_tokens {
  uint32_t *ids; /* (n) */
  size_t n, capacity;
} rmx_tokens;
void rmx_tokens_release(rmx_tokens *t);

/* What becomes of special tokens that are written in a text. */
typedef enum rmx_specials {
  RMX_SPECIALS_TEXT,  /* they are text like all other: a document cannot forge its end */
  RMX_SPECIALS_TOKENS /* they become the tokens */
} rmx_specials;

/* Appends the tokens of text (size bytes, any bytes) to `out`. They are those of Hugging Face's
 * library. No token is added before or after the text, whatever the post-processor of the file
 * says. Bytes that are not UTF-8 are encoded if all bytes have tokens, and else become U+FFFD.
 * Several threads can use one tokenizer: each call borrows scratch memory, with a cache of words,
 * from a pool. Cost: one second for 30 to 60 MB. */
rmx_status rmx_tokenizer_encode(const rmx_tokenizer *t, rmx_specials specials, const char *text,
                                size_t size, rmx_tokens *out, rmx_err *err);
/* Appends the text of ids (n) to `out`, as the decoder of the file makes it. RMX_EINPUT: an id that
 * is not in the vocabulary. Cost: O(n). */
rmx_status rmx_tokenizer_decode(const rmx_tokenizer *t, const uint32_t *ids, size_t n, rmx_buf *out,
                                rmx_err *err);
void rmx_tokenizer_free(rmx_tokenizer *t);

/* ---- files of text to lines of ids, and back ------------------------------ */

/* How files are converted. All is borrowed. */
typedef struct rmx_encode_job {
  const rmx_tokenizer *tokenizer;
  bool decode; /* lines of ids become text */
  /* encode: a file becomes one line of ids; decode: no line feed is added after each text */
  bool whole;
  rmx_specials specials; /* encode */
  bool printable;        /* decode: control characters become "?", for a terminal */
  int threads;
  FILE *out; /* NULL: only count */
  const rmx_listener *listener;
} rmx_encode_job;
/* What was converted: add up over files. */
typedef struct rmx_encode_counts {
  uint64_t files, lines, bytes, tokens; /* bytes of text, without the line feeds between lines */
  uint64_t replaced;                    /* bytes that are not UTF-8; each was read as U+FFFD */
  double seconds, processor_seconds;
  double load_seconds; /* the caller's: how long the tokenizer took to read */
} rmx_encode_counts;
/* Converts a file, or standard input if path is "-", and adds to `counts`. To encode writes the ids
 * of each line as a line of decimal numbers with spaces between them. The line feed is not part of
 * the line; a carriage return before it is. To decode turns each line of numbers into its text and
 * a line feed. The output does not depend on `threads`. RMX_EINPUT: what is decoded is not an id;
 * the message names the line. RMX_EINTERRUPTED. Cost: memory for a few hundred kilobytes a thread,
 * and for the longest line; with `whole`, for the file. */
rmx_status rmx_encode_file(const rmx_encode_job *job, const char *path, rmx_encode_counts *counts,
                           rmx_err *err);
/* The counts, bytes per token, and MB/s by the clock and by the time of all processors together: a
 * new reference. */
struct json_t *rmx_encode_counts_json(const rmx_encode_counts *counts);

/* ---- what this build can read -------------------------------------------- */

typedef struct rmx_library {
  const char *name, *enables; /* "liblzma", ".xz" */
  bool there;                 /* the program was built with it */
} rmx_library;
/* The libraries for kinds of text (*n), also those that are always there. Static. */
const rmx_library *rmx_corpus_libraries(size_t *n);

/* ---- prepare: text to token files ---------------------------------------- */

/* Where the text of a domain is. */
typedef struct rmx_domain_source {
  char *name;
  rmx_strings files;       /* globs, absolute or relative to the folder of the config */
  rmx_strings valid_files; /* separate validation text; empty: split by hash */
  bool valid_only;         /* a target that is not in the training data */
  char *text_field;        /* of .jsonl; NULL: that of the corpus */
  char *separator;         /* of .txt; NULL: that of the corpus */
  char *encoding;          /* its character set; NULL: that of the corpus */
  /* its documents are divided by options.domain_field or options.classifier; its name is not that
   * of a domain */
  bool divided;
  /* it has no files: documents of divided sources with these values, or patterns of values, are
   * its text */
  rmx_strings values;
} rmx_domain_source;

/* How a corpus is prepared. Sizes are in bytes; the number after a colon is the default. */
typedef struct rmx_corpus_options {
  /* if no domains are given: has a folder for each domain, or files <domain>-0001.jsonl */
  char *folder;
  rmx_strings leave_out; /* patterns of files and folders in it that are not read */
  /* The documents are divided by what is in them: FIELD, a key or a path of keys joined by dots;
   * host(FIELD), the registered domain of the web address in the field; or several of these, joined
   * by ":", whose values are joined by ":" too. NULL: a file belongs to one domain. */
  char *domain_field;
  /* files of fastText: the label of the text; a part of the name after those of domain_field */
  rmx_strings classifier;
  double min_probability; /* a document whose label has a lower one is "other": 0 */
  rmx_strings hosts;   /* of host(FIELD): these, with the hosts below them; the rest is "other" */
  int64_t max_hosts;   /* without `hosts`: this number of the largest, the rest is "other": 20 */
  int64_t max_domains; /* more different names are an error: 1000 */
  /* the key of the text in JSON, or several with commas between them: "text" */
  char *text_field;
  /* a line that ends a document in .txt: "%"; "": a blank line; "none": a file is a document */
  char *separator;
  /* the character set of text that is not UTF-8, by a name that iconv knows; a file that is all
   * UTF-8, or has a byte order mark, is read as what it is. NULL or "": UTF-16 and UTF-32 are
   * recognised; others are guessed for JSON, .csv and files of text */
  char *encoding;
  double valid_fraction; /* share of the documents that validate, chosen by hash: 0.05 */
  /* validation tokens to keep of each domain, in ascending order of the documents' hashes; the
   * rest is not used; 0: all */
  int64_t max_valid_tokens;
  /* text to read of each domain, and the same amount of its valid_files, up to the next whole
   * document. The remaining budget is divided evenly among the remaining files; 0: no limit. Where
   * documents are divided, it is the text of all of their domains together */
  int64_t max_bytes;
  /* longest document and longest line of JSON; each thread holds one in memory; 0: no limit */
  int64_t max_document;
  /* broken JSON lines, and lines without the text field, are counted and are not an error */
  bool skip_bad;
  bool dedup; /* drop exact duplicates */
  /* drop documents that resemble an earlier one: the share of rows of 5 words that both have, from
   * 0.01; 0: off. Nine of ten such documents are found. In scripts without spaces between words,
   * such as Chinese, a letter is a word here and in `overlap` */
  double near_duplicates;
  /* training domains whose validation text is kept out of the training text, as that of
   * valid_only domains is */
  rmx_strings protect;
  /* a training document with this number of words in a row in common with the text of a target is
   * a copy: 13; 0: off. What more than 10 documents of a domain, and more than one in 1000, have
   * in common is boilerplate and does not count */
  int64_t overlap;
  /* largest share of a domain's training text that may be dropped for overlap; more is an error:
   * 0.5 */
  double max_overlap;
  char *tokenizer;         /* file of a tokenizer to use; NULL: train one */
  int64_t vocab;           /* of the tokenizer to train: 4096 */
  int64_t tokenizer_bytes; /* text to train it on, the same amount from each domain: 10M */
  char *end_of_text;       /* the token that ends each document; NULL: a known name */
  char *specials; /* special tokens in the text are encoded as "text" or "tokens"; NULL: text */
  struct rmx_ids_tokenizer *ids; /* NULL; the library sets it to read token files */
} rmx_corpus_options;

/* A file or folder of the corpus folder that is not read. */
typedef struct rmx_left_out {
  char *path;      /* in the form of the globs of sources */
  const char *why; /* one sentence without a full stop; static */
  /* text may be lost; false: it is hidden, a licence, or left out on purpose */
  bool matters;
} rmx_left_out;
typedef struct rmx_discovery {
  rmx_domain_source *domains; /* (n) by name */
  size_t n;
  rmx_left_out *left_out; /* (n_left_out) those that matter first, then by reason and path */
  size_t n_left_out;
  rmx_strings notes; /* what was assumed: sentences */
} rmx_discovery;

/* Finds the domains in a folder.
 *   - A folder in it is a domain, with all files below it.
 *   - A file in it belongs to the domain of its name, without the number of its shard:
 *     `c4.00000-of-01024.json.gz` belongs to c4.
 *   - Files named train, valid (validation, val, dev, eval, heldout) or test, or in folders of
 *     these names, are recognised if the domain has other files too. Validation files become its
 *     valid_files; test files are left out.
 *     Such files in the folder itself, next to those of domains, are left out.
 *   - What a name of a domain cannot have is escaped: a,b is the domain a%2Cb.
 *   - What an experiment writes is not text, in `base` and in other folders of experiments.
 *   - Links are followed; a link to a folder that contains it is not.
 * leave_out (NULL: none): patterns of names, or of paths in the folder, that are left out. A
 * relative folder is relative to `base`, the folder of the experiment, as the globs of all sources
 * are. RMX_EINPUT: none of the
 * files of a domain can be read; no domain is found. RMX_EINTERRUPTED. Release the result with
 * rmx_discovery_release(). Cost: O(n log n) in the number of files; no file is opened. */
rmx_status rmx_corpus_discover(const char *folder, const rmx_strings *leave_out, const char *base,
                               rmx_discovery *out, rmx_err *err);
/* Finds all files of a folder, as one divided source: *out. Files and folders named train, valid or
 * test are treated as above. Errors as above; release both results. */
rmx_status rmx_corpus_discover_files(const char *folder, const rmx_strings *leave_out,
                                     const char *base, rmx_discovery *out, rmx_err *err);
/* Reports the notes, and for each reason how many files are left out, with three of their names. */
void rmx_discovery_report(const rmx_discovery *f, const rmx_listener *to);
void rmx_discovery_release(rmx_discovery *f);
/* Releases sources (n) and frees the list. */
void rmx_domain_sources_release(rmx_domain_source *list, size_t n);

/* What rmx_corpus_look() found in the files of a domain. */
typedef struct rmx_source_look {
  size_t files, valid_files;
  rmx_few unread;       /* files with unknown endings in folders that are searched */
  rmx_few without_text; /* files that were read and have no document */
  uint64_t bytes;       /* of all files, compressed as they are */
  bool packed;          /* some are compressed, Parquet or Arrow, so their text is larger */
  rmx_few not_utf8;     /* files that were read and have bytes that are not UTF-8 */
  /* all text was read and is one document and copies of it, but training and validation need one
   * each */
  bool one_document;
  uint64_t copies; /* of the first document, in what was read */
  char format[64]; /* the endings of the names: ".jsonl.gz, .txt" */
} rmx_source_look;
/* Finds the files of a source. With `read` it opens each file and reads its first documents.
 * RMX_EINPUT: the same as rmx_corpus_prepare() would find there. RMX_EINTERRUPTED. Nothing to
 * release. Cost: one block of each file; up to 64 MB in search of a second document. */
rmx_status rmx_corpus_look(const rmx_corpus_options *options, const rmx_domain_source *source,
                           const char *base, bool read, rmx_source_look *out, rmx_err *err);

/* Whether domain_field or classifier divides documents. */
bool rmx_corpus_is_divided(const rmx_corpus_options *options);
/* By what, for messages: "corpus.domain_field (source)". Returns `out`. */
const char *rmx_corpus_divided_by(const rmx_corpus_options *options, char out[160]);

/* The domains of the first documents of divided sources. */
typedef struct rmx_values_look {
  rmx_strings names;   /* of domains with documents, the most frequent first */
  uint64_t *documents; /* (names.n) */
  uint64_t n, without; /* documents read; those that belong to no domain */
  rmx_few why;         /* the reasons for the latter */
  rmx_strings unused;  /* values and hosts that are named, and none of these documents has */
  bool all;            /* all documents were read */
  char fields[200];    /* fields that could divide them: "meta.source (17 values)", or "" */
} rmx_values_look;
/* Reads the first documents of the divided sources among `sources` (n), 64 MB of text or less.
 * If nothing divides them, it reads all sources, and finds only `fields`. RMX_EINPUT: the
 * setting cannot be understood; no document has a domain; there are more than max_domains. Release
 * the result with rmx_values_look_release(). */
rmx_status rmx_corpus_values(const rmx_corpus_options *options, const rmx_domain_source *sources,
                             size_t n, const char *base, rmx_values_look *out, rmx_err *err);
void rmx_values_look_release(rmx_values_look *v);

/* What a corpus is made of, and how. All is borrowed. */
typedef struct rmx_corpus_request {
  const rmx_corpus_options *options;
  const rmx_domain_source *sources; /* (n) */
  size_t n;
  const size_t *targets; /* (ntargets) domains whose validation text must not be trained on */
  size_t ntargets;
  /* (n_expected) names that must be domains when divided sources are read; for the message they are
   * targets */
  const char *const *expected;
  size_t n_expected;
  const char *base; /* what relative globs are relative to */
  int threads;
  /* only for rmx_corpus_prepare: */
  const char *folder; /* the experiment folder to write */
  const char *before; /* <before>/corpus may hold the corpus that was prepared before; or NULL */
  bool new_tokenizer; /* train the tokenizer even if that of `before` has the same settings */
  const rmx_listener *listener;
} rmx_corpus_request;

/* Prepares a corpus: reads every source, drops duplicates and overlaps with the targets, splits,
 * tokenises, and writes in `folder`
 *   tokenizer.json
 *   corpus/<domain>/{train,valid}.bin  header of 64 bytes (magic, version, bytes per token, tokens,
 *                                      tokenizer hash, hash of the ids), then ids as uint16
 *                                      (vocab <= 65536) or uint32, little endian
 *   corpus/corpus.json                 what is in there: see rmx_corpus
 *
 * Checks. The tokenizer, the names of all files and the first documents of some files are checked
 * before the text is read.
 * Order. Domains that are trained on come first, then valid_only ones, both in the order given.
 * Split. The hash of a document alone decides whether it validates. Both splits of a domain get at
 * least one document.
 * Reuse. The tokenizer of `before` is used again if it has the settings that the options ask for.
 * The token files of a domain whose documents have not changed are used again: they get a second
 * name in `folder`. The text is read in any case, because what is a copy depends on all text.
 * Failure. Token files appear whole or not at all; corpus.json is written last.
 * The result does not depend on `threads`.
 * RMX_EINPUT: a pattern without a file, an unknown type of file, a broken line, a domain with too
 * little text to split, a tokenizer that is not supported. The message names it. RMX_EINTERRUPTED.
 * Interruption. The text that was read is kept in <folder>/.prepare in parts of about 64 MB, until
 * the corpus is whole. The next call uses the parts whose files and settings are the same.
 * Cost: reads and encodes all text once. The disk must hold the text a second time in <folder>,
 * and 32 bytes for each document. Memory does not grow with the text: 100 MB, and what the
 * tokenizer, its sample, and the longest document of each thread need; up to 250 MB more for the
 * search for overlaps, if the targets have more than 100,000 words of validation text. */
rmx_status rmx_corpus_prepare(const rmx_corpus_request *request, rmx_err *err);
/* Fingerprint of the options and of the text of the sources. If it differs from "fingerprint" in
 * corpus.json, the corpus must be prepared again. known: corpus/files.json, or NULL; files whose
 * size and times are in it are not read. memo: NULL, or an object that gets what files.json will
 * hold. RMX_EINPUT: a pattern without a file. RMX_EINTERRUPTED. Cost: reads all text that is not in
 * `known`. */
rmx_status rmx_corpus_source_hash(const rmx_corpus_request *request, const struct json_t *known,
                                  struct json_t *memo, uint64_t *hash, rmx_err *err);
/* Whether the corpus in <folder> is of this request. Files with another size or other times than
 * when the corpus was prepared are read if they have 64 MB or less; else they count as changed.
 * Errors as above. */
rmx_status rmx_corpus_is_current(const rmx_corpus_request *request, const char *folder, bool *is,
                                 rmx_err *err);
/* files.json of the corpus in <folder>: a new reference, or NULL if there is none. */
struct json_t *rmx_corpus_files_seen(const char *folder);
/* The fingerprint that version 0.1.0 wrote: of paths, sizes, times and the targets. Errors as
 * above. Cost: no file is read. */
rmx_status rmx_corpus_source_hash_0_1(const rmx_corpus_request *request, uint64_t *hash,
                                      rmx_err *err);

/* ---- corpus: the token files, opened ------------------------------------- */

typedef struct rmx_domain {
  char *name;
  bool valid_only;
  size_t train_tokens, valid_tokens;
  size_t train_bytes, valid_bytes; /* of the text of these tokens */
  size_t train_documents, valid_documents;
  int width; /* bytes per id: 2 or 4 */
  const void *train,
      *valid; /* (train_tokens), (valid_tokens) ids, mapped; NULL if there are none */
} rmx_domain;

typedef struct rmx_corpus {
  size_t D;            /* all domains, valid_only ones last */
  size_t D_train;      /* those that can be trained on: domains[0 .. D_train-1] */
  rmx_domain *domains; /* (D) */
  const char **names;  /* (D) the same names, for functions that take a list */
  double *prior;       /* (D_train) share of the training tokens */
  int vocab;
  uint32_t end_of_text;
  uint64_t hash;           /* of all ids: identifies what runs were trained on */
  uint64_t tokenizer_hash; /* rmx_tokenizer_hash() of the tokenizer */
  struct rmx_corpus_maps *maps;
} rmx_corpus;

/* Opens <folder>/corpus. Token files are mapped, so processes share their memory. RMX_EINPUT: a
 * file is missing, damaged, of another version or of another tokenizer. Free the result with
 * rmx_corpus_free(). Cost: one pass over the ids, for their hash. */
rmx_status rmx_corpus_open(const char *folder, rmx_corpus **out, rmx_err *err);
void rmx_corpus_free(rmx_corpus *c);
void rmx_corpus_free_at(rmx_corpus **c); /* for RMX_OWNED_BY */
/* Element i of `ids`, which have the given width. */
static inline uint32_t rmx_token_at(const void *ids, int width, size_t i) {
  return width == 2 ? ((const uint16_t *)ids)[i] : ((const uint32_t *)ids)[i];
}

/* ---- a classifier of its domains -------------------------------------------- */

typedef struct rmx_classifier_made {
  size_t documents, bytes; /* it was trained on */
  size_t tested, right;    /* validation documents; those that got the label of their domain */
} rmx_classifier_made;
/* Trains a linear classifier of words and pairs of words, whose labels are the training domains, on
 * 64 MB of training documents or less, the same amount of each domain. Writes `path` in the format
 * of fastText, for options.classifier of another corpus and for the command `fasttext`. In a label,
 * spaces are underscores. `tokenizer` is that of the corpus. Deterministic. Cost: about 10 s. */
rmx_status rmx_corpus_train_classifier(const rmx_corpus *corpus, const rmx_tokenizer *tokenizer,
                                       uint64_t seed, const char *path, const rmx_listener *to,
                                       rmx_classifier_made *made, rmx_err *err);

/* ---- token files of other programs ------------------------------------------ */

/* format:
 *   "megatron"  .bin and .idx, with the bytes that Megatron-LM's own writer gives
 *   "nanogpt"   .bin: only ids
 *   "olmo"      .npy: only ids, as OLMo-core reads them
 *   "npy"       .npy: an array of NumPy */
typedef struct rmx_token_export {
  const char *format, *folder;
  const char *tokenizer;        /* copied to <folder>/tokenizer.json; NULL: none */
  const rmx_listener *listener; /* may be NULL */
} rmx_token_export;
/* Writes <folder>/train/DOMAIN and <folder>/valid/DOMAIN, with the ids of all documents, each with
 * its end of text. <folder>/token-files.json lists what was written. A file that it does not list
 * is moved to NAME~ before another takes its place; those of this format that it lists and that are
 * no longer written are removed. The folder is locked meanwhile. *width: bytes of an id, 2 or 4, by
 * the vocabulary. RMX_EINPUT: an unknown format. Cost: one pass over the ids. */
rmx_status rmx_corpus_export(const rmx_corpus *corpus, const rmx_token_export *how, int *width,
                             rmx_err *err);

/* ---- a subset of a corpus -------------------------------------------------- */

/* Where the documents of domain d begin in its training file, or its validation file (valid).
 * Document i is ids starts[i] .. starts[i + 1] - 1. The last id is the end of text, except in a
 * file that was cut off. starts (n + 1): free() it. Cost: two passes over the ids. */
rmx_status rmx_corpus_documents(const rmx_corpus *corpus, size_t d, bool valid, size_t **starts,
                                size_t *n, rmx_err *err);
/* Chooses training documents of domain d: those with the smallest hashes of their ids, as many as
 * come nearest to `wanted` tokens, but `least` tokens or more where the domain has them. A choice
 * of more tokens contains every choice of fewer. *keep: as rmx_corpus_subset() takes it, free() it.
 * *tokens: of the chosen documents. Cost: three passes over the ids. */
rmx_status rmx_corpus_choose(const rmx_corpus *corpus, size_t d, double wanted, size_t least,
                             bool **keep, size_t *tokens, rmx_err *err);
/* Writes <folder>/corpus: the training documents of `corpus` for which keep[d][i] is true, in their
 * order, and the same validation files, as links if the file system allows it. keep: D_train rows,
 * row d with an element for each document of d. `source` is the folder that `corpus` was opened
 * from. All domains stay, even those without a training token. train_bytes are in proportion to the
 * tokens. If all documents are kept, the hash stays the same. Nothing is written if the folder
 * holds this subset already. corpus.json is written last. RMX_EINPUT: `source` holds another
 * corpus. Cost: a few passes over the ids. */
rmx_status rmx_corpus_subset(const rmx_corpus *corpus, const char *source, const bool *const *keep,
                             const char *folder, rmx_err *err);

/* ---- streams: what yields training batches -------------------------------- */

/* B sequences of T tokens. */
typedef struct rmx_batch {
  int B, T;
  int32_t *tokens; /* (B, T) */
  int32_t *labels; /* (B, T) the next token of each */
  float *weights;  /* (B, T) weight of each token's loss: 1 */
  int32_t *domain; /* (B) index of the domain of each sequence */
} rmx_batch;
/* Allocates the arrays. RMX_EUSAGE: B or T below 1. */
rmx_status rmx_batch_make(rmx_batch *b, int B, int T, rmx_err *err);
void rmx_batch_release(rmx_batch *b);

typedef struct rmx_stream rmx_stream;
typedef struct rmx_stream_type {
  const char *name;
  /* Fills a batch. */
  rmx_status (*next)(rmx_stream *s, rmx_batch *into, rmx_err *err);
  /* Receives the losses (B, T) of the batch that `next` filled last; may change the mixture. NULL:
   * the stream does not need them. */
  void (*observe)(rmx_stream *s, const rmx_batch *batch, const float *losses);
  /* The state as JSON (a new reference), and back. A loaded stream continues with the same bits.
   * RMX_EINPUT: the state is of another stream. */
  struct json_t *(*save)(const rmx_stream *s);
  rmx_status (*load)(rmx_stream *s, const struct json_t *state, rmx_err *err);
  void (*free)(rmx_stream *s);
} rmx_stream_type;
/* The first member of every stream. */
struct rmx_stream {
  const rmx_stream_type *type;
  size_t D;            /* training domains */
  double *mixture;     /* (D) the present mixture; `observe` may change it */
  uint64_t *sequences; /* (D) sequences given so far */
  double *epochs;      /* (D) passes over each domain so far */
};

/* A stream with a fixed mixture (D_train). Each sequence is a window of T tokens with its T labels.
 *   - The order of a domain's windows depends on (seed, domain, epoch) alone. After the last window
 *     a new epoch begins, with a new order and shifted windows.
 *   - The next domain: each domain gains a credit of w_d for every sequence. Of the domains with
 *     credit, the one that is due first gives the sequence and pays 1. After any n sequences each
 *     domain has given n w_d of them, to within one, with any seed.
 * RMX_EINPUT: a domain with a positive weight has fewer than T + 1 tokens. RMX_EUSAGE: T below 1.
 * `corpus` must outlive the stream; end with (*out)->type->free(*out). Cost of a sequence:
 * O(D + T). */
rmx_status rmx_stream_fixed(const rmx_corpus *corpus, const double *mixture, int T, uint64_t seed,
                            rmx_stream **out, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
