// SPDX-License-Identifier: Apache-2.0
// Names of evaluation tasks. A metric that is called only by its task ("mmlu", "arc_easy_5shot")
// may be the accuracy on it, which is better high, or the loss, which is better low: its direction
// is not guessed where it decides about a mixture.
#include <ctype.h>
#include <regmix/base.h>
#include <string.h>

enum { NAME_BYTES = 256 };

static const char *const tasks[] = {"agieval",       "aime",
                                    "anli",          "arc_c",
                                    "arc_challenge", "arc_e",
                                    "arc_easy",      "bbh",
                                    "big_bench",     "blimp",
                                    "boolq",         "ceval",
                                    "cmmlu",         "commonsense_qa",
                                    "commonsenseqa", "copa",
                                    "coqa",          "csqa",
                                    "gpqa",          "gsm8k",
                                    "hellaswag",     "human_eval",
                                    "humaneval",     "ifeval",
                                    "lambada",       "lambada_openai",
                                    "logiqa",        "math500",
                                    "math_qa",       "mathqa",
                                    "mbpp",          "medmcqa",
                                    "medqa",         "minerva_math",
                                    "mmlu",          "mmlu_pro",
                                    "musr",          "natural_questions",
                                    "naturalqs",     "nq_open",
                                    "obqa",          "openbook_qa",
                                    "openbookqa",    "piqa",
                                    "pubmedqa",      "quac",
                                    "sciq",          "siqa",
                                    "social_i_qa",   "social_iqa",
                                    "socialiqa",     "squad",
                                    "storycloze",    "trivia_qa",
                                    "triviaqa",      "truthful_qa",
                                    "truthfulqa",    "winogrande",
                                    "wsc273",        "xcopa",
                                    "xnli",          "xstorycloze",
                                    "xwinograd"};

// How a task was asked: these words and numbers may follow its name.
static const char *const ways[] = {
    "shot", "shots",   "cot",  "test",       "val",   "valid",  "validation",
    "dev",  "train",   "main", "mc",         "rc",    "gen",    "avg",
    "mean", "average", "stem", "humanities", "other", "social", "sciences"};

// Whether the word text[0 .. n) is a number, one of the ways, or both together ("5shot").
static bool is_way(const char *text, size_t n) {
  while (n > 0 && isdigit((unsigned char)*text)) text++, n--;
  for (size_t i = 0; n && i < sizeof ways / sizeof *ways; i++)
    if (strlen(ways[i]) == n && strncmp(ways[i], text, n) == 0) return true;
  return n == 0;
}

bool rmx_is_task_name(const char *name) {
  char text[NAME_BYTES];
  const char *slash = strrchr(name, '/');
  size_t n = 0;
  for (const char *c = slash ? slash + 1 : name; *c && n + 1 < sizeof text; c++)
    text[n++] = isalnum((unsigned char)*c) ? (char)tolower((unsigned char)*c) : '_';
  text[n] = '\0';
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
    const size_t size = strlen(tasks[i]);
    if (strncmp(text, tasks[i], size) != 0 || (text[size] && text[size] != '_')) continue;
    const char *rest = text + size;
    while (*rest) {
      const char *word = rest + 1;
      const size_t length = strcspn(word, "_");
      if (!is_way(word, length)) break;
      rest = word + length;
    }
    if (!*rest) return true;
  }
  return false;
}
