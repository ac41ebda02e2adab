// SPDX-License-Identifier: Apache-2.0
// From the log-likelihoods of items to the scores of a task.
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "items.h"

static const double LN2 = 0.69314718055994530942;

// The candidate with the highest score, the first of equals; by byte if wanted.
static size_t best(const rmx__eval_item *item, bool by_byte) {
  size_t at = 0;
  double max = -INFINITY;
  for (size_t i = 0; i < item->n; i++) {
    const double score = by_byte ? item->scores[i] / (double)item->bytes[i] : item->scores[i];
    if (score <= max) continue;
    max = score;
    at = i;
  }
  return at;
}

static void add(double sums[2], double x) {
  sums[0] += x;
  sums[1] += x * x;
}

void rmx__eval_add(rmx__eval_sums *sums, const rmx__eval_item *item) {
  const double score = item->scores[item->answer];
  sums->n++;
  sums->original++;
  sums->truncated += item->truncated > 0;
  sums->one += item->n == 1;
  sums->chance += 1 / (double)item->n;
  add(sums->acc, item->n == 1 ? item->greedy[0] : best(item, false) == item->answer);
  add(sums->norm, best(item, true) == item->answer);
  add(sums->bits, -score / (LN2 * (double)item->bytes[item->answer]));
  add(sums->score, score);
}

// The standard error of a mean, from sums.
static double error_of(const double sums[2], double n) {
  const double mean = sums[0] / n;
  return n > 1 ? sqrt(fmax(sums[1] / n - mean * mean, 0) / (n - 1)) : NAN;
}

static void put(json_t *o, json_t *directions, const char *name, double value, double error,
                bool higher) {
  char key[64];
  snprintf(key, sizeof key, "%s,none", name);
  json_object_set_new(o, key, rmx__json_known(value));
  snprintf(key, sizeof key, "%s_stderr,none", name);
  json_object_set_new(o, key, rmx__json_known(error));
  json_object_set_new(directions, name, json_boolean(higher));
}

rmx_status rmx__eval_report(const rmx__eval_sums *s, json_t *tree, rmx_err *err) {
  json_t *o = json_object(), *directions = json_object();
  const double n = s->n;
  json_object_set_new(o, "alias", json_string(s->name));
  put(o, directions, "acc", s->acc[0] / n, error_of(s->acc, n), true);
  if (s->one < n) put(o, directions, "acc_norm", s->norm[0] / n, error_of(s->norm, n), true);
  if (s->one == n) {
    const double perplexity = exp(-s->score[0] / n);
    put(o, directions, "perplexity", perplexity, perplexity * error_of(s->score, n), false);
  }
  put(o, directions, "bits_per_byte", s->bits[0] / n, error_of(s->bits, n), false);
  const struct {
    const char *key;
    json_t *value;
  } parts[] = {
      {"results", o},
      {"higher_is_better", directions},
      {"n-samples", json_pack("{s:f, s:f}", "original", s->original, "effective", n)},
      {"chance", s->one < n ? json_real(s->chance / n) : json_null()},
      {"truncated", json_integer((json_int_t)s->truncated)},
  };
  bool good = true;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    good &= json_object_set_new(json_object_get(tree, parts[i].key), s->name, parts[i].value) == 0;
  return good ? RMX_OK : rmx_fail_memory(err, 0, "the scores of a task");
}

rmx_status rmx__eval_print(FILE *out, const char *task, size_t number, const rmx__eval_item *item,
                           rmx_err *err) {
  json_t *o = json_object(), *scores = json_array(), *bytes = json_array(), *greedy = json_array();
  for (size_t i = 0; i < item->n; i++) {
    json_array_append_new(scores, rmx__json_known(item->scores[i]));
    json_array_append_new(bytes, json_integer((json_int_t)item->bytes[i]));
    json_array_append_new(greedy, json_boolean(item->greedy[i]));
  }
  json_object_set_new(o, "task", json_string(task));
  json_object_set_new(o, "item", json_integer((json_int_t)number));
  if (item->part) json_object_set_new(o, "part", json_string(item->part));
  json_object_set_new(o, "answer", json_integer((json_int_t)item->answer));
  json_object_set_new(o, "log_likelihoods", scores);
  json_object_set_new(o, "bytes", bytes);
  json_object_set_new(o, "greedy", greedy);
  json_object_set_new(o, "truncated", json_integer((json_int_t)item->truncated));
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  rmx__put_json(&text, o);
  json_decref(o);
  if (text.failed) return rmx_fail_memory(err, 0, "the scores of an item");
  fprintf(out, "%s\n", text.data);
  return ferror(out) ? rmx_fail_errno(err, "cannot write the scores of the items") : RMX_OK;
}
