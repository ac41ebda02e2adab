// SPDX-License-Identifier: Apache-2.0
// Which way a metric is better, and what it measures, as far as its name says: one table of words
// for tables, trainers and fits.
//
// A name is cut into lower-case words ("eval/gsm8k_exactMatch" is "eval gsm8k exact match"). The
// entry that ends last in it counts, and of two that end together the longer: "acc_loss" is a loss,
// "brier_score" is an error. Words of rank 2 say little by themselves ("score") and count only
// where no other does.

#include <ctype.h>
#include <regmix/base.h>
#include <string.h>

enum { NAME_BYTES = 512 };

static const struct entry {
  const char *words;
  rmx_better better;
  int rank;
} entries[] = {
    {"acc", RMX_BETTER_HIGH, 1},
    {"accuracy", RMX_BETTER_HIGH, 1},
    {"acc norm", RMX_BETTER_HIGH, 1},
    {"acc mutual info", RMX_BETTER_HIGH, 1},
    {"em", RMX_BETTER_HIGH, 1},
    {"exact match", RMX_BETTER_HIGH, 1},
    {"match", RMX_BETTER_HIGH, 2},
    {"f1", RMX_BETTER_HIGH, 1},
    {"fscore", RMX_BETTER_HIGH, 1},
    {"precision", RMX_BETTER_HIGH, 1},
    {"recall", RMX_BETTER_HIGH, 1},
    {"auc", RMX_BETTER_HIGH, 1},
    {"auroc", RMX_BETTER_HIGH, 1},
    {"auprc", RMX_BETTER_HIGH, 1},
    {"mcc", RMX_BETTER_HIGH, 1},
    {"kappa", RMX_BETTER_HIGH, 1},
    {"pearson", RMX_BETTER_HIGH, 1},
    {"spearman", RMX_BETTER_HIGH, 1},
    {"bleu", RMX_BETTER_HIGH, 1},
    {"bleurt", RMX_BETTER_HIGH, 1},
    {"chrf", RMX_BETTER_HIGH, 1},
    {"chr f", RMX_BETTER_HIGH, 1},
    {"comet", RMX_BETTER_HIGH, 1},
    {"meteor", RMX_BETTER_HIGH, 1},
    {"rouge", RMX_BETTER_HIGH, 1},
    {"rougel", RMX_BETTER_HIGH, 1},
    {"rougelsum", RMX_BETTER_HIGH, 1},
    {"mc1", RMX_BETTER_HIGH, 1},
    {"mc2", RMX_BETTER_HIGH, 1},
    {"mrr", RMX_BETTER_HIGH, 1},
    {"ndcg", RMX_BETTER_HIGH, 1},
    {"iou", RMX_BETTER_HIGH, 1},
    {"elo", RMX_BETTER_HIGH, 1},
    {"pass", RMX_BETTER_HIGH, 1},  // pass@1
    {"win rate", RMX_BETTER_HIGH, 1},
    {"winrate", RMX_BETTER_HIGH, 1},
    {"success rate", RMX_BETTER_HIGH, 1},
    {"solve rate", RMX_BETTER_HIGH, 1},
    {"likelihood", RMX_BETTER_HIGH, 1},
    {"loglikelihood", RMX_BETTER_HIGH, 1},
    {"likelihood diff", RMX_BETTER_HIGH, 1},
    {"logprob", RMX_BETTER_HIGH, 1},
    {"logprob norm", RMX_BETTER_HIGH, 1},
    {"log prob", RMX_BETTER_HIGH, 1},
    {"reward", RMX_BETTER_HIGH, 2},
    {"score", RMX_BETTER_HIGH, 2},
    {"scores", RMX_BETTER_HIGH, 2},

    {"loss", RMX_BETTER_LOW, 1},
    {"losses", RMX_BETTER_LOW, 1},
    {"logloss", RMX_BETTER_LOW, 1},
    {"valloss", RMX_BETTER_LOW, 1},
    {"evalloss", RMX_BETTER_LOW, 1},
    {"ppl", RMX_BETTER_LOW, 1},
    {"perplexity", RMX_BETTER_LOW, 1},
    {"bpb", RMX_BETTER_LOW, 1},
    {"bpc", RMX_BETTER_LOW, 1},
    {"bits per byte", RMX_BETTER_LOW, 1},
    {"bits per token", RMX_BETTER_LOW, 1},
    {"nats", RMX_BETTER_LOW, 2},
    {"nll", RMX_BETTER_LOW, 1},
    {"negative log likelihood", RMX_BETTER_LOW, 1},
    {"neg log likelihood", RMX_BETTER_LOW, 1},
    {"ce", RMX_BETTER_LOW, 1},
    {"xent", RMX_BETTER_LOW, 1},
    {"entropy", RMX_BETTER_LOW, 1},
    {"crossentropy", RMX_BETTER_LOW, 1},
    {"kl", RMX_BETTER_LOW, 1},
    {"error", RMX_BETTER_LOW, 1},
    {"errors", RMX_BETTER_LOW, 1},
    {"error rate", RMX_BETTER_LOW, 1},
    {"err", RMX_BETTER_LOW, 1},
    {"failure rate", RMX_BETTER_LOW, 1},
    {"wer", RMX_BETTER_LOW, 1},
    {"cer", RMX_BETTER_LOW, 1},
    {"ter", RMX_BETTER_LOW, 1},
    {"mse", RMX_BETTER_LOW, 1},
    {"rmse", RMX_BETTER_LOW, 1},
    {"mae", RMX_BETTER_LOW, 1},
    {"ece", RMX_BETTER_LOW, 1},
    {"brier", RMX_BETTER_LOW, 1},
    {"brier score", RMX_BETTER_LOW, 1},
    {"toxicity", RMX_BETTER_LOW, 1},
    {"regret", RMX_BETTER_LOW, 1},
};

// What the entries measure; the others are none of these.
static const struct {
  const char *words;
  rmx_metric_kind kind;
} kinds[] = {
    {"acc", RMX_KIND_ACCURACY},
    {"accuracy", RMX_KIND_ACCURACY},
    {"acc norm", RMX_KIND_ACCURACY},
    {"acc mutual info", RMX_KIND_ACCURACY},
    {"em", RMX_KIND_ACCURACY},
    {"exact match", RMX_KIND_ACCURACY},
    {"f1", RMX_KIND_ACCURACY},
    {"precision", RMX_KIND_ACCURACY},
    {"recall", RMX_KIND_ACCURACY},
    {"mc1", RMX_KIND_ACCURACY},
    {"mc2", RMX_KIND_ACCURACY},
    {"pass", RMX_KIND_ACCURACY},
    {"win rate", RMX_KIND_ACCURACY},
    {"winrate", RMX_KIND_ACCURACY},
    {"success rate", RMX_KIND_ACCURACY},
    {"solve rate", RMX_KIND_ACCURACY},
    {"bpb", RMX_KIND_BITS},
    {"bits per byte", RMX_KIND_BITS},
    {"loss", RMX_KIND_LOSS},
    {"losses", RMX_KIND_LOSS},
    {"valloss", RMX_KIND_LOSS},
    {"evalloss", RMX_KIND_LOSS},
    {"nll", RMX_KIND_LOSS},
    {"negative log likelihood", RMX_KIND_LOSS},
    {"neg log likelihood", RMX_KIND_LOSS},
    {"ce", RMX_KIND_LOSS},
    {"xent", RMX_KIND_LOSS},
    {"crossentropy", RMX_KIND_LOSS},
    {"ppl", RMX_KIND_PERPLEXITY},
    {"perplexity", RMX_KIND_PERPLEXITY},
};

// Words that reverse the next word ("neg_loss"), or that make it no measure at all
// ("acc_stderr").
static const char *const turners[] = {"neg", "negative", "minus", "inverse", "inv"};
static const char *const spreads[] = {"stderr", "std", "stddev",   "se",    "sd",
                                      "sem",    "var", "variance", "count", "n"};
enum { TURNERS = sizeof turners / sizeof *turners, SPREADS = sizeof spreads / sizeof *spreads };

// " eval gsm8k exact match ": words between single blanks. A "@5" ends its word and is left out, as
// in pass@5.
static void words_of(const char *name, char out[NAME_BYTES]) {
  size_t n = 0;
  out[n++] = ' ';
  for (const char *c = name; *c && n + 3 < NAME_BYTES; c++) {
    if (*c == '@') {
      while (isalnum((unsigned char)c[1])) c++;
    } else if (isalnum((unsigned char)*c)) {
      bool before = c > name && isalnum((unsigned char)c[-1]);
      bool camel = before && isupper((unsigned char)*c) &&
                   (islower((unsigned char)c[-1]) ||
                    (isupper((unsigned char)c[-1]) && islower((unsigned char)c[1])));
      if (camel && out[n - 1] != ' ') out[n++] = ' ';
      out[n++] = (char)tolower((unsigned char)*c);
      continue;
    }
    if (out[n - 1] != ' ') out[n++] = ' ';
  }
  if (out[n - 1] != ' ') out[n++] = ' ';
  out[n] = '\0';
}

// Where `words` ends last in the text, on whole words; 0: nowhere. Digits after them are part of
// them (rouge1, acc5).
static size_t end_of(const char *text, const char *words) {
  size_t end = 0, n = strlen(words);
  for (const char *at = text; (at = strstr(at, words)) != NULL; at++) {
    const char *behind = at + n;
    if (at[-1] != ' ') continue;
    while (!isdigit((unsigned char)words[n - 1]) && isdigit((unsigned char)*behind)) behind++;
    if (*behind == ' ') end = (size_t)(behind - text);
  }
  return end;
}

// Whether the word that ends at text[end] (a blank) is one of the list.
static bool is_one(const char *text, size_t end, const char *const *list, size_t n) {
  size_t start = end;
  while (start > 0 && text[start - 1] != ' ') start--;
  for (size_t i = 0; i < n; i++)
    if (strlen(list[i]) == end - start && strncmp(text + start, list[i], end - start) == 0)
      return true;
  return false;
}

// The entry that counts in a name, and its words and where they end in `text`; NULL: none.
static const struct entry *find(const char *name, char text[NAME_BYTES], size_t *end_in_text) {
  size_t length = strlen(name);
  words_of(length < NAME_BYTES ? name : name + length - NAME_BYTES / 2, text);  // the end says most
  size_t all = strlen(text), last = 0, longest = 0;
  if (all < 2 || is_one(text, all - 1, spreads, SPREADS)) return NULL;
  const struct entry *best = NULL;
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
    const struct entry *e = &entries[i];
    size_t end = end_of(text, e->words), n = strlen(e->words);
    if (end == 0 || (best && e->rank > best->rank)) continue;
    if (best && e->rank == best->rank && (end < last || (end == last && n <= longest))) continue;
    best = e;
    last = end;
    longest = n;
  }
  *end_in_text = last;
  return best;
}

rmx_metric_kind rmx_kind_by_name(const char *name) {
  char text[NAME_BYTES];
  size_t end;
  const struct entry *best = find(name, text, &end);
  for (size_t i = 0; best && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].words, best->words) == 0) return kinds[i].kind;
  return RMX_KIND_UNKNOWN;
}

const char *rmx_metric_kind_text(rmx_metric_kind kind) {
  static const char *const texts[] = {"unknown", "accuracy", "bits_per_byte", "loss", "perplexity"};
  return texts[kind];
}

rmx_better rmx_better_by_name(const char *name) {
  char text[NAME_BYTES];
  size_t start;
  const struct entry *best = find(name, text, &start);
  if (!best) return RMX_BETTER_UNSAID;
  // The word before the last place of the entry.
  while (strncmp(text + start, best->words, strlen(best->words)) != 0) start--;
  bool one_minus = start == 3 && text[1] == '1';  // "1 - acc"
  if (one_minus || (start > 1 && is_one(text, start - 1, turners, TURNERS)))
    return best->better == RMX_BETTER_LOW ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
  return best->better;
}
