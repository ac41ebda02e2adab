// SPDX-License-Identifier: Apache-2.0
// Reads the items of task files, scores some hundred of them at a time, and adds up.
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/path.h"
#include "blanks.h"
#include "corpus/readers/input.h"
#include "documents.h"
#include "items.h"

enum { BATCH = 512, LINE_MAX_BYTES = 64 << 20 };

// ---- tokens ------------------------------------------------------------------

// The texts of one candidate as ids. The blanks at the end of a context belong to the choice, and
// the ids of the choice are those that context and choice together have more than the context: so
// lm-evaluation-harness does it.
struct candidate {
  rmx_tokens context, choice;
  size_t left_out;  // ids of the context that do not fit
  // 1, or as many as a choice has halves of the model's context, if it is longer than that: each is
  // scored after the half before it
  size_t pieces;
};

static rmx_status encode(const rmx_tokenizer *t, const char *text, size_t size, rmx_tokens *out,
                         rmx_err *err) {
  return rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, text, size, out, err);
}

// The bytes of a text without the blanks at its end.
static size_t without_blanks(const char *text) {
  size_t n = 0;
  bool blank;
  for (const char *p = text, *end = text + strlen(text); p < end;) {
    p += rmx__blank_next(p, end, &blank);
    if (!blank) n = (size_t)(p - text);
  }
  return n;
}

static rmx_status split_ids(const rmx_tokenizer *t, const char *context, const char *choice,
                            struct candidate *c, rmx_err *err) {
  const size_t n = without_blanks(context);
  if (n == 0) {
    const uint32_t end = rmx_tokenizer_end_of_text(t);
    if (end == UINT32_MAX)
      return rmx_fail(
          err, RMX_EINPUT,
          "a context is empty, and the tokenizer has no known end of text to begin with");
    c->context.ids = rmx_calloc(1, sizeof *c->context.ids);
    if (!c->context.ids) return rmx_fail_memory(err, sizeof *c->context.ids, "ids");
    c->context.ids[0] = end;
    c->context.n = c->context.capacity = 1;
  } else {
    RMX_TRY(encode(t, context, n, &c->context, err));
  }
  RMX_OWNED char *both = rmx_format("%s%s", n ? context : context + n, choice);
  if (!both) return rmx_fail_memory(err, strlen(context) + strlen(choice), "a text");
  RMX_TRY(encode(t, both, strlen(both), &c->choice, err));
  const size_t shared = n ? c->context.n : 0;
  if (shared < c->choice.n) {
    c->choice.n -= shared;
    memmove(c->choice.ids, c->choice.ids + shared, c->choice.n * sizeof *c->choice.ids);
    return RMX_OK;
  }
  c->choice.n = 0;  // the choice melts into the last token of the context
  return encode(t, choice, strlen(choice), &c->choice, err);
}

// Leaves out ids at the start of the context until all fit. A choice that alone is too long keeps
// what fits before its first piece.
static void fit_context(size_t context, struct candidate *c) {
  const size_t room = context + 1,
               piece = rmx__min(c->choice.n, c->pieces > 1 ? rmx__max(context / 2, 1) : room);
  if (c->context.n + piece <= room) return;
  c->left_out = c->context.n + piece - room;
  c->context.n -= c->left_out;
  memmove(c->context.ids, c->context.ids + c->left_out, c->context.n * sizeof *c->context.ids);
}

static void release_candidates(struct candidate *list, size_t n) {
  for (size_t i = 0; i < n; i++) {
    rmx_tokens_release(&list[i].context);
    rmx_tokens_release(&list[i].choice);
  }
  free(list);
}

// ---- a batch --------------------------------------------------------------------

// Some items of a file, and all their candidates one after the other.
struct batch {
  const rmx_eval_job *job;
  const char *path, *task;
  rmx__eval_item items[BATCH];
  size_t lines[BATCH];
  size_t n, candidates, pieces;
  size_t before;  // items of the file before the first
};

static bool same_ids(const rmx_tokens *a, const rmx_tokens *b) {
  return a->n == b->n && memcmp(a->ids, b->ids, a->n * sizeof *a->ids) == 0;
}

// The trees of a candidate; one with the context of the candidate before becomes a branch of its
// tree. Returns how many trees there are then.
static size_t add_trees(const struct candidate *c, bool same, size_t half, rmx_lm_branch *branches,
                        rmx_lm_item *trees, size_t made) {
  const int32_t *context = (const int32_t *)c->context.ids,
                *choice = (const int32_t *)c->choice.ids;
  for (size_t p = 0; p < c->pieces; p++) {
    const size_t from = p * half,
                 n = c->pieces > 1 ? rmx__min(half, c->choice.n - from) : c->choice.n;
    branches[p] = (rmx_lm_branch){.tokens = choice + from, .n = n};
    if (same)
      trees[made - 1].branches_n++;
    else
      trees[made++] = (rmx_lm_item){.shared = p ? choice + from - half : context,
                                    .shared_n = p ? half : c->context.n,
                                    .branches = &branches[p],
                                    .branches_n = 1};
  }
  return made;
}

static size_t make_trees(const struct candidate *c, size_t n, size_t half, rmx_lm_branch *branches,
                         rmx_lm_item *trees) {
  size_t made = 0;
  for (size_t i = 0; i < n; branches += c[i].pieces, i++) {
    const bool same = i > 0 && c[i].pieces == 1 && c[i - 1].pieces == 1 &&
                      same_ids(&c[i].context, &c[i - 1].context);
    made = add_trees(&c[i], same, half, branches, trees, made);
  }
  return made;
}

static rmx_status encode_batch(struct batch *b, struct candidate *out, rmx_err *err) {
  const size_t context = (size_t)rmx_lm_config_of(b->job->model)->context,
               half = rmx__max(context / 2, 1);
  size_t at = 0;
  b->pieces = 0;
  for (size_t i = 0; i < b->n; i++) {
    rmx__eval_item *item = &b->items[i];
    RMX_OWNED char *where = rmx_format("%s:%zu", b->path, b->lines[i]);
    if (!where) return rmx_fail_memory(err, 0, "a place in a file");
    for (size_t j = 0; j < item->n; j++, at++) {
      const rmx_status status =
          split_ids(b->job->tokenizer, item->contexts[j], item->choices[j], &out[at], err);
      if (status != RMX_OK) return rmx_fail_in(err, "%s", where);
      out[at].pieces = out[at].choice.n > context ? rmx__ceil_div(out[at].choice.n, half) : 1;
      b->pieces += out[at].pieces;
      fit_context(context, &out[at]);
      item->truncated = rmx__max(item->truncated, out[at].left_out + out[at].pieces - 1);
    }
  }
  return RMX_OK;
}

static void take_scores(struct batch *b, const struct candidate *c, const rmx_lm_branch *branch) {
  for (size_t i = 0; i < b->n; i++)
    for (size_t j = 0; j < b->items[i].n; j++, c++) {
      b->items[i].greedy[j] = true;
      for (size_t p = 0; p < c->pieces; p++, branch++) {
        b->items[i].scores[j] += branch->log_likelihood;
        b->items[i].greedy[j] &= branch->greedy;
      }
    }
}

static rmx_status score_candidates(struct batch *b, const struct candidate *candidates,
                                   rmx_err *err) {
  RMX_OWNED rmx_lm_branch *branches = rmx_calloc(b->pieces, sizeof *branches);
  RMX_OWNED rmx_lm_item *trees = rmx_calloc(b->pieces, sizeof *trees);
  const size_t half = rmx__max((size_t)rmx_lm_config_of(b->job->model)->context / 2, 1);
  if (!branches || !trees) return rmx_fail_memory(err, b->pieces * sizeof *trees, "items");
  const size_t made = make_trees(candidates, b->candidates, half, branches, trees);
  const rmx_status status = rmx_lm_score(b->job->model, trees, made, NULL, err);
  if (status == RMX_EINPUT) return rmx_fail_in(err, "%s", b->path);
  if (status == RMX_OK) take_scores(b, candidates, branches);
  return status;
}

static rmx_status score_batch(struct batch *b, rmx_err *err) {
  struct candidate *candidates = rmx_calloc(b->candidates, sizeof *candidates);
  if (!candidates) return rmx_fail_memory(err, b->candidates * sizeof *candidates, "items");
  rmx_status status = encode_batch(b, candidates, err);
  if (status == RMX_OK) status = score_candidates(b, candidates, err);
  release_candidates(candidates, b->candidates);
  return status;
}

// ---- a file -----------------------------------------------------------------------

// Sums of a file: the first for all items, then one for each part.
struct sums {
  rmx__eval_sums *list;
  size_t n;
};

static void release_sums(struct sums *s) {
  for (size_t i = 0; i < s->n; i++) free(s->list[i].name);
  free(s->list);
  *s = (struct sums){0};
}

static rmx_status sums_of(struct sums *s, char *name, rmx__eval_sums **out, rmx_err *err) {
  RMX_OWNED char *owned = name;
  for (size_t i = 0; name && i < s->n; i++)
    if (strcmp(s->list[i].name, name) == 0) {
      *out = &s->list[i];
      return RMX_OK;
    }
  rmx__eval_sums *grown = name ? rmx_realloc(s->list, s->n + 1, sizeof *grown) : NULL;
  if (!grown) return rmx_fail_memory(err, (s->n + 1) * sizeof *grown, "the sums of a task");
  s->list = grown;
  s->list[s->n] = (rmx__eval_sums){.name = name};
  owned = NULL;
  *out = &s->list[s->n++];
  return RMX_OK;
}

static rmx_status add_item(struct sums *s, const char *task, const rmx__eval_item *item,
                           rmx_err *err) {
  rmx__eval_sums *sums;
  RMX_TRY(sums_of(s, rmx_strdup(task), &sums, err));
  rmx__eval_add(sums, item);
  if (!item->part) return RMX_OK;
  RMX_TRY(sums_of(s, rmx_format("%s_%s", task, item->part), &sums, err));
  rmx__eval_add(sums, item);
  return RMX_OK;
}

static void empty_batch(struct batch *b) {
  for (size_t i = 0; i < b->n; i++) rmx__eval_item_release(&b->items[i]);
  b->before += b->n;
  b->n = b->candidates = 0;
}

static rmx_status finish_batch(struct batch *b, struct sums *s, rmx_err *err) {
  rmx_status status = b->n ? score_batch(b, err) : RMX_OK;
  for (size_t i = 0; i < b->n && status == RMX_OK; i++) {
    status = add_item(s, b->task, &b->items[i], err);
    if (status == RMX_OK && b->job->per_item)
      status = rmx__eval_print(b->job->per_item, b->task, b->before + i, &b->items[i], err);
  }
  empty_batch(b);
  return status;
}

static bool is_blank(const rmx__line *line) {
  size_t blank = 0;
  while (blank < line->size && isspace((unsigned char)line->data[blank])) blank++;
  return blank == line->size;
}

// Counts an item that is not scored. Of its parts, those that have scores are counted.
static void pass_over(struct sums *s, const char *task, const rmx__line *line) {
  if (s->n) s->list[0].original++;
  if (s->n < 2 || line->cut) return;
  json_auto_t *item = json_loadb(line->data, line->size, 0, NULL);
  const char *part = json_string_value(json_object_get(item, "task"));
  RMX_OWNED char *name = part ? rmx_format("%s_%s", task, part) : NULL;
  for (size_t i = 1; name && i < s->n; i++)
    if (strcmp(s->list[i].name, name) == 0) s->list[i].original++;
}

static rmx_status take_line(struct batch *b, struct sums *s, const rmx__line *line, size_t number,
                            rmx_err *err) {
  RMX_OWNED char *where = rmx_format("%s:%zu", b->path, number);
  if (!where) return rmx_fail_memory(err, 0, "a place in a file");
  if (line->cut)
    return rmx_fail(err, RMX_EINPUT, "%s: the line is longer than %d MB", where,
                    LINE_MAX_BYTES >> 20);
  rmx__eval_item *item = &b->items[b->n];
  b->lines[b->n++] = number;
  RMX_TRY(rmx__eval_item_read(item, line->data, line->size, where, err));
  b->candidates += item->n;
  return b->n == BATCH ? finish_batch(b, s, err) : RMX_OK;
}

// All lines; up to job->max_items items are scored.
static rmx_status read_lines(struct batch *b, rmx__input *in, struct sums *s, rmx_err *err) {
  const size_t max = b->job->max_items > 0 ? (size_t)b->job->max_items : SIZE_MAX;
  rmx__line line;
  bool more = true;
  for (size_t number = 1;; number++) {
    RMX_TRY(rmx__input_line(in, LINE_MAX_BYTES, &line, &more, err));
    if (!more) break;
    const bool passed = b->before + b->n >= max;
    if (passed && b->n) RMX_TRY(finish_batch(b, s, err));
    if (passed && !is_blank(&line)) pass_over(s, b->task, &line);
    if (!passed && !is_blank(&line)) RMX_TRY(take_line(b, s, &line, number, err));
    if (number % 64 == 0)
      rmx_progress(b->job->listener, b->task, (double)b->before, NAN, "items", NULL);
  }
  return finish_batch(b, s, err);
}

// The name of a file without its folders and its endings.
char *rmx_eval_task_name(const char *path) {
  static const char *const endings[] = {".gz",  ".zst",   ".zstd",   ".xz",   ".bz2",
                                        ".lz4", ".jsonl", ".ndjson", ".json", ".txt"};
  char *name = rmx_strdup(rmx__file_name(path));
  for (bool cut = name != NULL; cut;) {
    cut = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
      const size_t n = strlen(name), e = strlen(endings[i]);
      if (n <= e || strcmp(name + n - e, endings[i]) != 0) continue;
      name[n - e] = 0;
      cut = true;
    }
  }
  return name;
}

static rmx_status name_is_taken(const char *path, const char *task, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: another file has the task \"%s\" already", path, task);
}

static rmx_status eval_items(const rmx_eval_job *job, const char *path, const char *task,
                             json_t *tree, rmx_err *err) {
  RMX_OWNED struct batch *b = rmx_calloc(1, sizeof *b);
  RMX_OWNED_BY(release_sums) struct sums s = {0};
  if (!b) return rmx_fail_memory(err, sizeof *b, "the items of a task");
  *b = (struct batch){.job = job, .path = path, .task = task};
  rmx__input in = {0};
  rmx_status status = rmx__input_open(&in, path, false, err);
  if (status == RMX_OK) status = read_lines(b, &in, &s, err);
  rmx__input_close(&in);
  empty_batch(b);
  RMX_TRY(status);
  if (s.n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: has no items: each line must be a JSON object", path);
  if (s.list[0].truncated > 0)
    rmx_warn(job->listener,
             "%s: %.0f of %.0f items are longer than the context of the model (%lld tokens); their "
             "first tokens are left out",
             task, s.list[0].truncated, s.list[0].n,
             (long long)rmx_lm_config_of(job->model)->context);
  for (size_t i = 0; i < s.n && status == RMX_OK; i++)
    status = json_object_get(json_object_get(tree, "results"), s.list[i].name)
                 ? name_is_taken(path, s.list[i].name, err)
                 : rmx__eval_report(&s.list[i], tree, err);
  return status;
}

static rmx_status eval_file(const rmx_eval_job *job, const char *path, json_t *tree, rmx_err *err) {
  RMX_OWNED char *task = rmx_eval_task_name(path);
  if (!task) return rmx_fail_memory(err, 0, "the name of a task");
  if (json_object_get(json_object_get(tree, "results"), task))
    return name_is_taken(path, task, err);
  return rmx__eval_is_text(path) ? rmx__eval_documents(job, path, task, tree, err)
                                 : eval_items(job, path, task, tree, err);
}

rmx_status rmx_eval(const rmx_eval_job *job, const char *const *files, size_t n, json_t **results,
                    rmx_err *err) {
  json_t *tree = json_pack("{s:{}, s:{}, s:{}, s:{}, s:{}, s:{}}", "results", "higher_is_better",
                           "n-samples", "chance", "truncated", "texts");
  if (!tree) return rmx_fail_memory(err, 0, "the scores of tasks");
  rmx_status status = RMX_OK;
  if (rmx_tokenizer_vocab(job->tokenizer) > rmx_lm_config_of(job->model)->vocab)
    status = rmx_fail(
        err, RMX_EINPUT,
        "the tokenizer has %d ids and the model only %lld: it belongs to another model",
        rmx_tokenizer_vocab(job->tokenizer), (long long)rmx_lm_config_of(job->model)->vocab);
  for (size_t i = 0; i < n && status == RMX_OK; i++) status = eval_file(job, files[i], tree, err);
  if (status == RMX_OK)
    *results = tree;
  else
    json_decref(tree);
  return status;
}
