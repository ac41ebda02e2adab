// SPDX-License-Identifier: Apache-2.0
// Perplexity and bits per byte of texts. Each token of a text is predicted once, the first after
// the end of text. A text that is longer than the context is cut into windows, and the last window
// begins so early that it is full: so lm-evaluation-harness does it.
#include "documents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "blanks.h"
#include "corpus/readers/format.h"

static const double LN2 = 0.69314718055994530942;
enum { WINDOWS = 512 };  // that are scored at a time

bool rmx__eval_is_text(const char *path) {
  const rmx__format *format = rmx__format_of(path);
  rmx__input in = {0};
  rmx__line line;
  rmx_err ignored;
  bool more = false, text = false;
  if (format && format != &rmx__format_json) return true;
  rmx_status status = rmx__input_open(&in, path, false, &ignored);
  do {
    if (status == RMX_OK) status = rmx__input_line(&in, 1 << 26, &line, &more, &ignored);
  } while (status == RMX_OK && more && !line.size);
  if (status == RMX_OK && more) {
    json_auto_t *first = json_loadb(line.data, line.size, 0, NULL);
    text = json_is_string(json_object_get(first, "text")) && !json_object_get(first, "choices");
  }
  rmx__input_close(&in);
  return text;
}

// Sums over the texts: y is -score, x words or bytes.
struct ratio {
  double x, xx, xy;
};
struct sums {
  double n, tokens, y, yy;
  struct ratio words, bytes;
};

struct text {
  uint32_t *ids;  // (n) the end of text, then those of the text
  size_t n, windows;
  double words, bytes, score;
};

struct batch {
  const rmx_eval_job *job;
  const char *task;
  struct text texts[WINDOWS];
  size_t n, windows;
  size_t before;  // texts that were scored
  struct sums sums;
};

// Words as the harness counts them: one more than there are rows of white space.
static double count_words(const char *text, size_t size) {
  double n = 1;
  bool blank, last = false;
  for (const char *p = text, *end = text + size; p < end; last = blank) {
    p += rmx__blank_next(p, end, &blank);
    n += blank && !last;
  }
  return n;
}

// ---- windows ---------------------------------------------------------------------------

// Window w of a text: ids [*from, *at) are given, and [*at, *end) are predicted.
static void window(const struct text *t, size_t context, size_t w, size_t *from, size_t *at,
                   size_t *end) {
  *at = 1 + w * context;
  *end = rmx__min(*at + context, t->n);
  *from = *end > context + 1 ? *end - context - 1 : 0;
}

static rmx_status score_windows(struct batch *b, rmx_err *err) {
  const size_t context = (size_t)rmx_lm_config_of(b->job->model)->context;
  RMX_OWNED rmx_lm_branch *branches = rmx_calloc(b->windows, sizeof *branches);
  RMX_OWNED rmx_lm_item *items = rmx_calloc(b->windows, sizeof *items);
  if (!branches || !items) return rmx_fail_memory(err, b->windows * sizeof *items, "texts");
  size_t k = 0, from, at, end;
  for (size_t i = 0; i < b->n; i++) {
    const int32_t *ids = (const int32_t *)b->texts[i].ids;
    for (size_t w = 0; w < b->texts[i].windows; w++, k++) {
      window(&b->texts[i], context, w, &from, &at, &end);
      branches[k] = (rmx_lm_branch){.tokens = ids + at, .n = end - at};
      items[k] = (rmx_lm_item){
          .shared = ids + from, .shared_n = at - from, .branches = &branches[k], .branches_n = 1};
    }
  }
  RMX_TRY(rmx_lm_score(b->job->model, items, k, NULL, err));
  k = 0;
  for (size_t i = 0; i < b->n; i++)
    for (size_t w = 0; w < b->texts[i].windows; w++)
      b->texts[i].score += branches[k++].log_likelihood;
  return RMX_OK;
}

// ---- sums --------------------------------------------------------------------------------

static void add_ratio(struct ratio *r, double x, double y) {
  r->x += x;
  r->xx += x * x;
  r->xy += x * y;
}

static void add_text(struct sums *s, const struct text *t) {
  s->n++;
  s->tokens += (double)(t->n - 1);
  s->y -= t->score;
  s->yy += t->score * t->score;
  add_ratio(&s->words, t->words, -t->score);
  add_ratio(&s->bytes, t->bytes, -t->score);
}

// The standard error of sum y / sum x over texts, to first order.
static double error_of(const struct sums *s, const struct ratio *r) {
  const double q = s->y / r->x;
  const double squares = fmax(s->yy - 2 * q * r->xy + q * q * r->xx, 0);
  return s->n > 1 ? sqrt(squares * s->n / (s->n - 1)) / r->x : NAN;
}

static rmx_status print_text(FILE *out, const char *task, size_t number, const struct text *t,
                             rmx_err *err) {
  json_auto_t *o =
      json_pack("{s:s, s:I, s:f, s:I, s:I, s:I}", "task", task, "item", (json_int_t)number,
                "log_likelihood", t->score, "words", (json_int_t)t->words, "bytes",
                (json_int_t)t->bytes, "tokens", (json_int_t)t->n - 1);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  rmx__put_json(&text, o);
  if (!o || text.failed) return rmx_fail_memory(err, 0, "the score of a text");
  fprintf(out, "%s\n", text.data);
  return ferror(out) ? rmx_fail_errno(err, "cannot write the scores of the texts") : RMX_OK;
}

static void empty_batch(struct batch *b) {
  for (size_t i = 0; i < b->n; i++) free(b->texts[i].ids);
  b->before += b->n;
  b->n = b->windows = 0;
}

static rmx_status finish_batch(struct batch *b, rmx_err *err) {
  rmx_status status = b->n ? score_windows(b, err) : RMX_OK;
  for (size_t i = 0; i < b->n && status == RMX_OK; i++) {
    add_text(&b->sums, &b->texts[i]);
    if (b->job->per_item)
      status = print_text(b->job->per_item, b->task, b->before + i, &b->texts[i], err);
  }
  empty_batch(b);
  rmx_progress(b->job->listener, b->task, (double)b->before, NAN, "texts", NULL);
  return status;
}

// ---- a file --------------------------------------------------------------------------------

static rmx_status take_text(struct batch *b, const char *text, size_t size, rmx_err *err) {
  RMX_OWNED_BY(rmx_tokens_release) rmx_tokens tokens = {0};
  const uint32_t end = rmx_tokenizer_end_of_text(b->job->tokenizer);
  const size_t context = (size_t)rmx_lm_config_of(b->job->model)->context;
  struct text *t = &b->texts[b->n];
  if (end == UINT32_MAX)
    return rmx_fail(err, RMX_EINPUT, "the tokenizer has no known end of text to begin a text with");
  RMX_TRY(rmx_tokenizer_encode(b->job->tokenizer, RMX_SPECIALS_TEXT, text, size, &tokens, err));
  *t = (struct text){.n = tokens.n + 1, .words = count_words(text, size), .bytes = (double)size};
  if (tokens.n == 0) return RMX_OK;
  if (!(t->ids = rmx_calloc(t->n, sizeof *t->ids)))
    return rmx_fail_memory(err, t->n * sizeof *t->ids, "a text");
  t->ids[0] = end;
  memcpy(t->ids + 1, tokens.ids, tokens.n * sizeof *tokens.ids);
  t->windows = rmx__ceil_div(tokens.n, context);
  b->windows += t->windows;
  b->n++;
  return b->n == WINDOWS || b->windows >= WINDOWS ? finish_batch(b, err) : RMX_OK;
}

// All texts, up to job->max_items. *original: how many there are.
static rmx_status read_texts(struct batch *b, rmx__reader *r, size_t *original, rmx_err *err) {
  const size_t max = b->job->max_items > 0 ? (size_t)b->job->max_items : SIZE_MAX;
  for (bool more = true;;) {
    RMX_TRY(rmx__reader_next(r, &more, err));
    if (!more) break;
    if (!r->text.size) continue;
    // A file that is one text is scored with its last line feed.
    if (r->format->flags & (RMX__FORMAT_TEXT | RMX__FORMAT_FILE) && r->input.fed)
      rmx_buf_puts(&r->text, "\n");
    if (r->text.failed) return rmx_fail_memory(err, r->text.size, r->path);
    if (++*original <= max) RMX_TRY(take_text(b, r->text.data, r->text.size, err));
  }
  return finish_batch(b, err);
}

static void put(json_t *o, json_t *directions, const char *name, double value, double error) {
  char key[64];
  snprintf(key, sizeof key, "%s,none", name);
  json_object_set_new(o, key, rmx__json_known(value));
  snprintf(key, sizeof key, "%s_stderr,none", name);
  json_object_set_new(o, key, rmx__json_known(error));
  json_object_set_new(directions, name, json_false());
}

static rmx_status report(const struct sums *s, const char *task, double original, json_t *tree,
                         rmx_err *err) {
  const double by_word = s->y / s->words.x, by_byte = s->y / s->bytes.x;
  json_t *o = json_object(), *directions = json_object();
  json_object_set_new(o, "alias", json_string(task));
  put(o, directions, "word_perplexity", exp(by_word), exp(by_word) * error_of(s, &s->words));
  put(o, directions, "byte_perplexity", exp(by_byte), exp(by_byte) * error_of(s, &s->bytes));
  put(o, directions, "bits_per_byte", by_byte / LN2, error_of(s, &s->bytes) / LN2);
  const struct {
    const char *key;
    json_t *value;
  } parts[] = {
      {"results", o},
      {"higher_is_better", directions},
      {"n-samples", json_pack("{s:f, s:f}", "original", original, "effective", s->n)},
      {"texts", json_pack("{s:f, s:f, s:f, s:f}", "documents", s->n, "words", s->words.x, "bytes",
                          s->bytes.x, "tokens", s->tokens)},
  };
  bool good = true;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    good &= json_object_set_new(json_object_get(tree, parts[i].key), task, parts[i].value) == 0;
  return good ? RMX_OK : rmx_fail_memory(err, 0, "the scores of a text");
}

// Warns of what is no part of the scores, or was replaced.
static void warn_of_losses(const rmx_eval_job *job, const rmx__reader *r) {
  const struct {
    uint64_t n;
    const char *what;
  } parts[] = {{r->lost.no_text, "lines without text were left out"},
               {r->lost.empty, "texts that are empty were left out"},
               {r->lost.invalid_utf8, "bytes that are not UTF-8 were replaced"},
               {r->lost.surrogates, "halves of surrogate pairs were replaced"}};
  rmx_buf text = {0};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (parts[i].n)
      rmx_buf_printf(&text, "%s%s: %llu", text.size ? "; " : "", parts[i].what,
                     (unsigned long long)parts[i].n);
  if (*r->guessed)
    rmx_buf_printf(&text, "%sthe character set was guessed: %s", text.size ? "; " : "", r->guessed);
  if (text.size && !text.failed) rmx_warn(job->listener, "%s: %s", r->path, text.data);
  rmx_buf_release(&text);
}

rmx_status rmx__eval_documents(const rmx_eval_job *job, const char *path, const char *task,
                               json_t *tree, rmx_err *err) {
  RMX_OWNED struct batch *b = rmx_calloc(1, sizeof *b);
  if (!b) return rmx_fail_memory(err, sizeof *b, "texts");
  b->job = job;
  b->task = task;
  rmx__reader r = {0};
  size_t original = 0;
  rmx_status status = rmx__reader_open(
      &r, path, &(rmx__reader_options){.text_field = "text", .separator = "none"}, err);
  if (status == RMX_OK) status = read_texts(b, &r, &original, err);
  if (status == RMX_OK) warn_of_losses(job, &r);
  rmx__reader_close(&r);
  empty_batch(b);
  RMX_TRY(status);
  if (b->sums.n == 0) return rmx_fail(err, RMX_EINPUT, "%s: has no text", path);
  return report(&b->sums, task, (double)original, tree, err);
}
