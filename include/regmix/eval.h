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
 * *_stderr is the standard error of the mean. "chance" is the accuracy of guessing. An item that is
 * longer than the context of the model loses tokens at its start, as in the harness; their number
 * is in "truncated" and is a warning. RMX_EINPUT: a file without items, a line that is not an item,
 * an answer out of range, a choice that alone is longer than the context, ids beyond the model's
 * vocabulary; messages name file and line. RMX_EINTERRUPTED. Cost: see rmx_lm_score(); memory for
 * 512 items. */
rmx_status rmx_eval(const rmx_eval_job *job, const char *const *files, size_t n,
                    struct json_t **results, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
