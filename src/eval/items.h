// SPDX-License-Identifier: Apache-2.0
// items.h: the lines of a task file, and the sums over them.
#ifndef RMX_EVAL_ITEMS_H
#define RMX_EVAL_ITEMS_H

#include <jansson.h>
#include <regmix/eval.h>

// One line. With one choice and several contexts, each context is a candidate with that choice;
// else each choice is one, after the only context.
typedef struct rmx__eval_item {
  json_t *line;  // owns the texts
  size_t n;      // candidates
  size_t answer;
  const char *part;                  // NULL: none
  const char **contexts, **choices;  // (n)
  size_t *bytes;                     // (n) of the choices
  // (n), of the model
  double *scores;
  bool *greedy;
  size_t truncated;  // tokens that were left out
} rmx__eval_item;

// Parses a line; `where` ("file:12") heads the message of an error. Release it on error too.
rmx_status rmx__eval_item_read(rmx__eval_item *item, const char *line, size_t size,
                               const char *where, rmx_err *err);
void rmx__eval_item_release(rmx__eval_item *item);

// Sums over the items of a task or of a part of it.
typedef struct rmx__eval_sums {
  char *name;
  double n, truncated;                        // items that were scored
  double original;                            // items that the file has
  double chance;                              // sum of 1 / candidates
  double one;                                 // items of one candidate
  double acc[2], norm[2], bits[2], score[2];  // sums and sums of squares
} rmx__eval_sums;
void rmx__eval_add(rmx__eval_sums *sums, const rmx__eval_item *item);
// Adds the task to the trees of rmx_eval().
rmx_status rmx__eval_report(const rmx__eval_sums *sums, json_t *tree, rmx_err *err);
// A line of JSON with the scores of an item.
rmx_status rmx__eval_print(FILE *out, const char *task, size_t number, const rmx__eval_item *item,
                           rmx_err *err);

#endif
