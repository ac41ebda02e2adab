// SPDX-License-Identifier: Apache-2.0
// Which way a metric is better, and what it measures, as far as its name says: one table of words
// for tables, trainers and fits.
//
// A name is cut into lower-case words ("eval/gsm8k_exactMatch" is "eval gsm8k exact match"). The
// entry that ends last in it counts, and of two that end together the longer: "acc_loss" is a loss,
// "brier_score" is an error. Words of rank 2 say little by themselves ("score") and count only
// where no other does. A word beside the entry may turn its meaning around ("accuracy_drop",
// "ppl_gap", "1-acc"), and so may an entry of the other direction ("acc_error"): such names say
// nothing, so that people are asked. "higher_is_better" in a name says it outright.

#include <ctype.h>
#include <math.h>
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
    {"correct", RMX_BETTER_HIGH, 2},
    {"success", RMX_BETTER_HIGH, 2},
    {"hit", RMX_BETTER_HIGH, 2},  // hit@5
    {"hits", RMX_BETTER_HIGH, 2},
    {"hit rate", RMX_BETTER_HIGH, 1},
    {"r2", RMX_BETTER_HIGH, 2},
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
    {"logprob", RMX_BETTER_HIGH, 1},
    {"logprob norm", RMX_BETTER_HIGH, 1},
    {"log prob", RMX_BETTER_HIGH, 1},
    {"reward", RMX_BETTER_HIGH, 2},
    {"score", RMX_BETTER_HIGH, 2},
    {"scores", RMX_BETTER_HIGH, 2},

    {"loss", RMX_BETTER_LOW, 1},
    {"losses", RMX_BETTER_LOW, 1},
    {"logloss", RMX_BETTER_LOW, 1},
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
    {"fid", RMX_BETTER_LOW, 1},
    {"fid score", RMX_BETTER_LOW, 1},
    {"brier", RMX_BETTER_LOW, 1},
    {"brier score", RMX_BETTER_LOW, 1},
    {"toxicity", RMX_BETTER_LOW, 1},
    {"regret", RMX_BETTER_LOW, 1},
    {"deviance", RMX_BETTER_LOW, 1},
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
    {"nll", RMX_KIND_LOSS},
    {"negative log likelihood", RMX_KIND_LOSS},
    {"neg log likelihood", RMX_KIND_LOSS},
    {"ce", RMX_KIND_LOSS},
    {"xent", RMX_KIND_LOSS},
    {"crossentropy", RMX_KIND_LOSS},
    {"ppl", RMX_KIND_PERPLEXITY},
    {"perplexity", RMX_KIND_PERPLEXITY},
};

// Words that change the sign of an entry ("neg_loss"), also where words that belong to it are
// between ("neg_mean_squared_error"), and words that reverse the next entry. Elsewhere before a
// loss, or after an entry, they make it doubtful ("neg_quantile_loss", "perplexity_inv").
static const char *const negators[] = {"neg", "negative", "negated", "minus"};
static const char *const turners[] = {"inverse", "inv", "inverted", "reciprocal"};
static const char *const between[] = {
    "mean",     "avg",        "average",    "median", "max",     "root",    "squared",
    "absolute", "percentage", "log",        "cross",  "hinge",   "zero",    "one",
    "val",      "valid",      "validation", "eval",   "test",    "dev",     "train",
    "token",    "word",       "byte",       "brier",  "hamming", "poisson", "gamma"};
// Words that make an entry no measure at all: the last of a name ("acc_stderr"), or one before the
// entry that is no language or benchmark ("std_acc").
static const char *const spreads[] = {"stderr", "std", "stddev",   "stdev", "se", "sd",
                                      "sem",    "var", "variance", "count", "n"};
static const char *const spreads_of[] = {"stderr", "std", "stddev", "stdev", "variance"};
static const char *const spread_ends[] = {" std err ", " std error ", " standard error "};
// What a name may say outright.
static const char *const highs[] = {" higher is better ", " high is better ", " higher better ",
                                    " bigger is better ", " larger is better "};
static const char *const lows[] = {" lower is better ", " low is better ", " lower better ",
                                   " smaller is better ", " less is better "};
// Words of differences and changes. After an entry all of them make its direction doubtful
// ("accuracy_drop"), before it those that name no benchmark ("delta_acc", but "drop_f1" is the F1
// score on DROP); and before it also a blank "in", "of" or "from" ("drop in accuracy").
static const char *const changes[] = {
    "delta",     "diff",     "difference", "change",      "improvement", "improvements", "improved",
    "reduction", "increase", "decrease",   "degradation", "degraded",    "gain",         "gains",
    "lost",      "gap",      "spread",     "drop",        "drops",       "dropped",      "decline",
    "lift",      "boost",    "rank",       "forgetting",  "regret",      "loss",         "losses",
    "error",     "errors",   "disparity",  "deviation",   "saved",       "savings",      "distance",
    "penalty",   "range",    "ratio",      "gained"};
static const char *const benchmarks[] = {"drop", "drops", "gap", "rank", "loss", "losses", "error"};
static const char *const joints[] = {"in", "of", "from"};
static const char *const rates[] = {"per"};  // "loss_per_acc"
static const char *const drops[] = {"drop",
                                    "drops"};  // of an accuracy; DROP has F1 and exact match
// What a bare "score" or rate may measure that should be low.
static const char *const faults[] = {
    "cheating",   "cheat",       "hallucination", "hallucinations", "bias",         "stereotype",
    "harm",       "harmful",     "harmfulness",   "toxic",          "refusal",      "risk",
    "violation",  "violations",  "contamination", "leakage",        "memorization", "repetition",
    "difficulty", "anomaly",     "failure",       "fail",           "hate",         "jailbreak",
    "sycophancy", "attack",      "unsafe",        "negativity",     "uncertainty",  "memorisation",
    "confusion",  "hardness",    "surprise",      "spam",           "overfit",      "overfitting",
    "injection",  "adversarial", "poisoning",     "backdoor",       "cost",         "costs",
    "latency",    "distance"};
// "not_accuracy", "self_bleu" (how alike the texts of one model are)
static const char *const denials[] = {"not", "non", "no", "wrong", "false", "bad", "self"};
#define IS_ONE(text, end, list) is_one(text, end, list, sizeof(list) / sizeof *(list))

// " eval / gsm8k exact match ": words between single blanks; what parts a task from its metric is a
// word of its own. A "@5" ends its word and is left out, as in pass@5. A sign is "minus".
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
    if (strchr("/:", *c)) out[n++] = '/', out[n++] = ' ';
    const bool sign =
        *c == '-' && isalpha((unsigned char)c[1]) && (c == name || strchr("/: ", c[-1]));
    if (sign && n + 7 < NAME_BYTES) n += (size_t)sprintf(out + n, "minus ");
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

// The start of the word that ends at text[end].
static size_t start_of(const char *text, size_t end) {
  while (end > 0 && text[end - 1] != ' ') end--;
  return end;
}

// Whether the word that ends at text[end] (a blank) is one of the list.
static bool is_one(const char *text, size_t end, const char *const *list, size_t n) {
  const size_t start = start_of(text, end);
  for (size_t i = 0; i < n; i++)
    if (strlen(list[i]) == end - start && strncmp(text + start, list[i], end - start) == 0)
      return true;
  return false;
}

// Whether another entry of rank 1 and of the other direction ends at text[end].
static bool is_contrary(const char *text, size_t end, rmx_better better) {
  char before[NAME_BYTES];
  snprintf(before, sizeof before, "%.*s", (int)end + 1, text);
  const struct entry *longest = NULL;
  for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
    if (entries[i].rank == 1 && end_of(before, entries[i].words) == end &&
        (!longest || strlen(entries[i].words) > strlen(longest->words)))
      longest = &entries[i];
  return longest && longest->better != better;
}

// Whether a word before text[start], back to the last "/", is one of the list.
static bool is_one_before(const char *text, size_t start, const char *const *list, size_t n) {
  for (size_t end = start; end > 1 && text[end - 2] != '/'; end = start_of(text, end - 1))
    if (is_one(text, end - 1, list, n)) return true;
  return false;
}

// Whether the sign of the entry that starts at text[start] is changed.
static bool is_negated(const char *text, size_t start) {
  while (start > 1 && IS_ONE(text, start - 1, between)) start = start_of(text, start - 1);
  return start > 1 && IS_ONE(text, start - 1, negators);
}

// Whether a word that changes the sign, or a measure of spread, stands where it makes the entry
// doubtful.
static bool is_of_unclear_sign(const char *text, size_t start, size_t after,
                               const struct entry *e) {
  const bool low = e->better == RMX_BETTER_LOW;
  if (after && (IS_ONE(text, after, turners) || (low && IS_ONE(text, after, negators))))
    return true;
  if (is_one_before(text, start, spreads_of, sizeof spreads_of / sizeof *spreads_of)) return true;
  return low && !is_negated(text, start) &&
         is_one_before(text, start, negators, sizeof negators / sizeof *negators);
}

// Whether the words beside those of the entry, text[start] to text[end], may turn it around.
static bool is_doubtful(const char *text, size_t start, size_t end, const struct entry *e) {
  const char *next = text + end + (strncmp(text + end, " / ", 3) == 0 ? 3 : 1),
             *after = strchr(next, ' ');
  if (after && IS_ONE(text, (size_t)(after - text), changes)) return true;
  if (is_of_unclear_sign(text, start, after ? (size_t)(after - text) : 0, e)) return true;
  if (start < 2) return false;
  size_t before = start - 1;  // where the word before it ends
  const bool joined = IS_ONE(text, before, joints) && start_of(text, before) > 1;
  if (joined) before = start_of(text, before) - 1;
  if (IS_ONE(text, before, changes) && (joined || !IS_ONE(text, before, benchmarks))) return true;
  if (IS_ONE(text, before, denials)) return true;
  if (strncmp(e->words, "acc", 3) == 0 && IS_ONE(text, before, drops)) return true;
  if (IS_ONE(text, before, rates)) return true;
  const bool is_rate =
      strlen(e->words) > 5 && strcmp(e->words + strlen(e->words) - 5, " rate") == 0;
  if ((e->rank > 1 || is_rate) && IS_ONE(text, before, faults)) return true;
  if (e->rank > 1) return false;
  return !joined && is_contrary(text, before, e->better);
}

// Whether "1-" or "1 -" stands just before the entry in the name as typed, and not "top-1-".
static bool is_one_minus(const char *text, size_t start, const char *name) {
  if (start < 3 || text[start - 2] != '1' || text[start - 3] != ' ') return false;
  for (const char *one = strchr(name, '1'); one; one = strchr(one + 1, '1')) {
    const char *c = one + 1 + strspn(one + 1, " ");
    if (*c == '-' && isalpha((unsigned char)c[1 + strspn(c + 1, " ")]) &&
        (one == name || !(isalnum((unsigned char)one[-1]) || one[-1] == '-' || one[-1] == '.')))
      return true;
  }
  return false;
}

// What the name says outright, or UNSAID.
static rmx_better said(const char *text) {
  bool high = false, low = false;
  for (size_t i = 0; i < sizeof highs / sizeof *highs; i++) high |= strstr(text, highs[i]) != NULL;
  for (size_t i = 0; i < sizeof lows / sizeof *lows; i++) low |= strstr(text, lows[i]) != NULL;
  return high == low ? RMX_BETTER_UNSAID : high ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
}

static bool is_spread(const char *text, size_t all) {
  for (size_t i = 0; i < sizeof spread_ends / sizeof *spread_ends; i++) {
    const size_t n = strlen(spread_ends[i]);
    if (all >= n && strcmp(text + all - n, spread_ends[i]) == 0) return true;
  }
  return IS_ONE(text, all - 1, spreads);
}

// The entry that counts in a name, and its words and where it starts in `text`; NULL: none, or
// one that is doubtful.
static const struct entry *find(const char *name, char text[NAME_BYTES], size_t *start) {
  size_t length = strlen(name);
  words_of(length < NAME_BYTES ? name : name + length - NAME_BYTES / 2, text);  // the end says most
  size_t all = strlen(text), last = 0, longest = 0;
  if (all < 2 || is_spread(text, all)) return NULL;
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
  if (!best) return NULL;
  *start = last;
  while (strncmp(text + *start, best->words, strlen(best->words)) != 0) (*start)--;
  const bool inside = *start > 3 && is_one_minus(text, *start, name);  // "dev_1-acc"
  return inside || is_doubtful(text, *start, last, best) ? NULL : best;
}

// What the name says. *e: the entry that counts, or NULL; *negated: its sign is changed.
static rmx_better judge(const char *name, const struct entry **e, bool *negated) {
  char text[NAME_BYTES];
  size_t start;
  *e = find(name, text, &start);
  *negated = *e && is_negated(text, start);
  rmx_better better = *e ? (*e)->better : RMX_BETTER_UNSAID;
  const bool turned = *e && (*negated || is_one_minus(text, start, name) ||
                             (start > 1 && IS_ONE(text, start - 1, turners)));
  if (turned) better = better == RMX_BETTER_LOW ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
  const rmx_better outright = said(text);
  if (outright == RMX_BETTER_UNSAID || outright == better) return better;
  *e = NULL;
  return outright;
}

rmx_better rmx_better_by_name(const char *name) {
  const struct entry *e;
  bool negated;
  return judge(name, &e, &negated);
}

static rmx_metric_kind kind_of(const struct entry *e) {
  for (size_t i = 0; e && i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].words, e->words) == 0) return kinds[i].kind;
  return RMX_KIND_UNKNOWN;
}

rmx_metric_kind rmx_kind_by_name(const char *name) {
  const struct entry *e;
  bool negated;
  judge(name, &e, &negated);
  return kind_of(e);
}

rmx_better rmx_better_by_values(const char *name, const double *y, size_t n, size_t step) {
  const struct entry *e;
  bool negated;
  const rmx_better better = judge(name, &e, &negated);
  if (!e || (e->better == RMX_BETTER_HIGH && kind_of(e) != RMX_KIND_ACCURACY)) return better;
  size_t values = 0, contrary = 0;
  for (size_t i = 0; i < n; i++) {
    values += isfinite(y[i * step]);
    contrary += isfinite(y[i * step]) && (negated ? y[i * step] > 0 : y[i * step] < 0);
  }
  return values > 0 && contrary == values ? RMX_BETTER_UNSAID : better;
}

const char *rmx_metric_kind_text(rmx_metric_kind kind) {
  static const char *const texts[] = {"unknown", "accuracy", "bits_per_byte", "loss", "perplexity"};
  return texts[kind];
}
