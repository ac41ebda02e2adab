/* eval.h: scores of a language model on tasks.
 *
 * Uses: base, corpus, kernels, model.
 *
 * A task is a file of JSON Lines, an item on each line, compressed or not:
 *
 *   {"context": "...", "choices": ["...", ...], "answer": K}
 *   {"contexts": ["...", ...], "choices": ["..."], "answer": K}
 *
 * The score of a choice is the log-likelihood of its tokens after the context, without anything
 * between the two. In the second form the choice is one, and the contexts are compared. A context
 * of "" is the end-of-text token alone. `answer` counts from 0. "task" (optional) names a part of
 * the file that gets scores of its own. Other keys are not read.
 *
 * A file of text in any kind that a corpus can have, or JSON whose first object has "text" and no
 * "choices", is a task too. Each document is text that is predicted from its first token on.
 */
#ifndef RMX_EVAL_H
#define RMX_EVAL_H

#include <regmix/corpus.h>
#include <regmix/lm.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rmx_eval_job {
  rmx_lm *model;
  const rmx_tokenizer *tokenizer;
  int64_t max_items; /* of each file, the first ones; 0: all */
  FILE *per_item;    /* a line of JSON for each item; NULL: none */
  const rmx_listener *listener;
} rmx_eval_job;

/* Scores the items of files (n) and makes the results, a new reference, in the layout of
 * lm-evaluation-harness:
 *
 *   {"results": {task: {"alias": task, "acc,none": x, "acc_stderr,none": x, ...}},
 *    "n-samples": {task: {"original": n, "effective": n}}, "higher_is_better": {...}, ...}
 *
 * The task of a file is its name without its endings. Parts have the names "<task>_<part>". Scores:
 *   acc             share of items whose answer has the highest score; the first of equals
 *   acc_norm        the same with scores divided by the bytes of the choice
 *   bits_per_byte   of the answer: -score / (ln 2 * its bytes), mean over items
 *   perplexity      exp(-mean score of the answer), where items have one choice; acc is then the
 *                   share of items whose tokens are all the most likely ones
 * and of text, with W words and B bytes in all, in place of these:
 *   word_perplexity exp(-sum of scores / W); words are what white space separates
 *   byte_perplexity exp(-sum of scores / B)
 *   bits_per_byte   -sum of scores / (ln 2 * B)
 * with the counts in "texts": {task: {"documents", "words", "bytes", "tokens"}}. Their standard
 * errors are over documents. A document is cut into windows of the context, the last of which is
 * full, as in the harness.
 *
 * *_stderr is the standard error of the mean. "chance" is the accuracy of guessing. An item that is
 * longer than the context of the model loses tokens at its start, as in the harness; a choice that
 * alone is longer is scored in pieces of half a context, each after the piece before it. The number
 * of such items is in "truncated" and is a warning. RMX_EINPUT: a file without items or text, a
 * line that is not an item, an answer out of range, ids beyond the model's vocabulary; messages
 * name file and line. RMX_EINTERRUPTED. Cost: see rmx_lm_score(); memory for 512 items, or for a
 * text. */
rmx_status rmx_eval(const rmx_eval_job *job, const char *const *files, size_t n,
                    struct json_t **results, rmx_err *err);

/* The bytes of text that rmx_eval() reads of a file of a task: its lines, or the first max_items of
 * them if that is not 0. The names of the fields count too, so it is an estimate. Cost: reads the
 * file. */
rmx_status rmx_eval_bytes(const char *path, int64_t max_items, double *bytes, rmx_err *err);

/* The name of the task in a file: that of the file without its folders and endings. free() it;
 * NULL: memory is short. */
char *rmx_eval_task_name(const char *path);

/* The tokenizer of a model: tokenizer.json in its folder, or in one of the four folders above it.
 * So that of an experiment is found from its runs. RMX_EINPUT: there is none. */
rmx_status rmx_eval_tokenizer(const char *model, rmx_tokenizer **out, rmx_err *err);
/* The same, but only the path: free() it. */
rmx_status rmx_eval_tokenizer_path(const char *model, char **out, rmx_err *err);

/* Reads lines of ids from `in`, a sequence each, and writes the logits of what follows each id as a
 * float32 array of NumPy's format, (all ids, V): the rows of the first sequence, then those of the
 * next. RMX_EINPUT: not a number, an id beyond the vocabulary, a sequence longer than the context;
 * the message names `name` and the line. Cost: a pass for each sequence; memory for the logits of
 * the longest and, of all, 4 V bytes an id on disk. */
rmx_status rmx_eval_logits(rmx_lm *m, FILE *in, const char *name, const char *path, rmx_err *err);

typedef struct rmx_generate_options {
  int64_t tokens;     /* how many to add at most */
  double temperature; /* 0: always the most likely token */
  int64_t top;        /* draw among that number of tokens, the most likely; 0: all */
  int64_t seed;
} rmx_generate_options;
/* Continues a text, and appends the continuation to `out`. Ends at the end of text, or before the
 * text is longer than the context: then its start is left out. Cost: a pass over the whole text for
 * each token. */
rmx_status rmx_generate(rmx_lm *m, const rmx_tokenizer *t, const char *prompt,
                        const rmx_generate_options *o, rmx_buf *out, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
