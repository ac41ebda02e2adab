// SPDX-License-Identifier: Apache-2.0
#include "base/compare_names.h"
#include "testing.h"

static const char *const domains[] = {"train_the_pile_arxiv", "train_the_pile_pile_cc",
                                      "train_the_pile_github", "train_the_pile_pubmed_abstracts"};
static const char *const metrics[] = {"metric/the_pile_arxiv_val_loss",
                                      "metric/the_pile_pile_cc_val_loss",
                                      "metric/the_pile_github_val_loss"};
static const char *const plain[] = {"c", "python", "cc", "fortunes_val_loss", "c_val_loss"};

static size_t find(const char *name, const char *const *names, size_t n) {
  size_t index = 99;
  must(rmx_find_name("name", name, names, n, &index, err));
  return index;
}

START_TEST(finds_what_people_type) {
  ck_assert_uint_eq(find("pile_cc", domains, 4), 1);
  ck_assert_uint_eq(find("train_the_pile_pile_cc", domains, 4), 1);
  ck_assert_uint_eq(find("pile_cc", metrics, 3), 1);
  ck_assert_uint_eq(find("the_pile_github", metrics, 3), 2);
  ck_assert_uint_eq(find("metric/the_pile_arxiv_val_loss", metrics, 3), 0);
  ck_assert_uint_eq(find("metric/the_pile_arxiv_val_loss", domains, 4), 0);
  ck_assert_uint_eq(find("c", plain, 5), 0);
  ck_assert_uint_eq(find("fortunes", plain, 5), 3);
  // One metric alone, as fitted by --metric; and two that share more words than people leave out.
  static const char *const alone[] = {"metric/the_pile_pile_cc_val_loss"};
  ck_assert_uint_eq(find("pile_cc", alone, 1), 0);
  static const char *const pair[] = {"metric/the_pile_pile_cc_val_loss",
                                     "metric/the_pile_pile_x_val_loss"};
  ck_assert_uint_eq(find("pile_x", pair, 2), 1);
  ck_assert_uint_eq(find("x", pair, 2), 1);
}
END_TEST

START_TEST(refuses_with_advice) {
  size_t index;
  must_fail(rmx_find_name("metric", "pile_dd", metrics, 3, &index, err),
            "did you mean \"metric/the_pile_pile_cc_val_loss\"");
  must_fail(rmx_find_name("domain", "zzzzzzzz", domains, 4, &index, err),
            "there are: train_the_pile_arxiv");
  static const char *const only[] = {"metric/the_pile_pile_cc_val_loss"};
  must_fail(rmx_find_name("metric", "e_cc", only, 1, &index, err),
            "there are: metric/the_pile_pile_cc_val_loss");
  static const char *const others[] = {"metric/a_cc_val_loss", "metric/b_dd_val_loss"};
  must_fail(rmx_find_name("metric", "cc", others, 2, &index, err), "unknown metric");
  static const char *const twins[] = {"train_web", "valid_web"};
  must_fail(rmx_find_name("domain", "web", twins, 2, &index, err), "ambiguous");
}
END_TEST

// Of a file nobody looks at each name, so what only ends like a domain is none.
START_TEST(names_in_files_are_exact) {
  static const char *const two[] = {"web", "code"};
  static const char *const counts[] = {"web", "code", "python_code"};
  size_t index[4];
  must(rmx_match_names("domain", counts, 3, two, 2, index, err));
  ck_assert_uint_eq(index[0], 0);
  ck_assert_uint_eq(index[1], 1);
  ck_assert_uint_eq(index[2], 2);  // none
  static const char *const alone[] = {"cc_web"};
  ck_assert(!rmx_match_name(alone, 1, 0, two, 2, index));
  static const char *const twice[] = {"web", "train_web"};
  must_fail(rmx_match_names("domain", twice, 2, two, 2, index, err),
            "domain \"web\" is given twice, as \"web\" and as \"train_web\"");
  // Known prefixes, and what one of the lists shares.
  static const char *const bare[] = {"arxiv", "pile_cc", "github"};
  must(rmx_match_names("domain", bare, 3, domains, 4, index, err));
  ck_assert_uint_eq(index[1], 1);
  must(rmx_match_names("domain", metrics, 3, domains, 4, index, err));
  ck_assert_uint_eq(index[2], 2);
  must(rmx_match_names("domain", metrics, 3, bare, 3, index, err));
  ck_assert_uint_eq(index[1], 1);
  must_fail(rmx_unknown_name("domain", "cod", two, 2, err), "did you mean \"code\"");
}
END_TEST

START_TEST(typed_names_do_not_end_like_others) {
  static const char *const two[] = {"web", "code"};
  size_t index;
  must_fail(rmx_find_name("domain", "cc_web", two, 2, &index, err), "unknown domain \"cc_web\"");
}
END_TEST

START_TEST(short_names_across_colons) {
  static const char *const topics[] = {"dclm:games",  "dclm:art", "stack-edu:Swift",
                                       "stack-edu:C", "arxiv:C",  "wikipedia"};
  ck_assert_uint_eq(find("Swift", topics, 6), 2);
  ck_assert_uint_eq(find("games", topics, 6), 0);
  ck_assert_uint_eq(find("arxiv", topics, 6), 4);
  ck_assert_uint_eq(find("arxiv:C", topics, 6), 4);
  size_t index;
  must_fail(rmx_find_name("domain", "C", topics, 6, &index, err), "\"stack-edu:C\" or \"arxiv:C\"");
  must_fail(rmx_find_name("domain", "dclm", topics, 6, &index, err), "ambiguous");
  static const char *const shared[] = {"dclm:games", "dclm:art"};
  ck_assert_uint_eq(find("art", shared, 2), 1);
  static const char *const tasks[] = {"codex_humaneval:3shot::none", "arc_easy:mc"};
  ck_assert_uint_eq(find("codex_humaneval", tasks, 2), 0);
}
END_TEST

// Two names that part behind their 127th character.
START_TEST(long_names_are_told_apart) {
  char a[400], b[400];
  memset(a, 'x', sizeof a), memset(b, 'x', sizeof b);
  memcpy(a, "train_", 6), memcpy(b, "train_", 6);
  strcpy(a + 300, "_one"), strcpy(b + 300, "_two");
  const char *const names[] = {a, b};
  ck_assert_uint_eq(find(b + 6, names, 2), 1);
}
END_TEST

START_TEST(nearest_is_near) {
  static const char *const keys[] = {"proxy.tokens", "proxy.lr", "sample.runs"};
  ck_assert_int_eq(rmx_nearest("proxy.token", keys, 3), 0);
  ck_assert_int_eq(rmx_nearest("sampel.runs", keys, 3), 2);
  ck_assert_int_eq(rmx_nearest("entirely other", keys, 3), -1);
  // Neighbours swapped, and the case of letters.
  static const char *const options[] = {"jobs", "out", "Code"};
  ck_assert_int_eq(rmx_nearest("jbos", options, 3), 0);
  ck_assert_int_eq(rmx_nearest("oput", options, 3), 1);
  ck_assert_int_eq(rmx_nearest("JOBS", options, 3), 0);
  ck_assert_int_eq(rmx_nearest("code", options, 3), 2);
}
END_TEST

START_TEST(a_beginning_is_near_where_only_one_has_it) {
  static const char *const keys[] = {"flops", "loss_nats", "tokens", "tokens_per_s"};
  ck_assert_int_eq(rmx_nearest("loss", keys, 4), 1);
  ck_assert_int_eq(rmx_nearest("tok", keys, 4), -1);  // two begin so
  ck_assert_int_eq(rmx_nearest("lo", keys, 4), -1);   // says too little
  ck_assert_int_eq(rmx_nearest("", keys, 4), -1);
}
END_TEST

START_TEST(what_resembles_nothing_is_near_nothing) {
  static const char *const known[] = {"web", "code", "math"};
  static const char *const unlike[] = {"nope", "cat", "law", "wiki", "x", "bad", "core_web"};
  for (size_t i = 0; i < sizeof unlike / sizeof *unlike; i++)
    ck_assert_msg(rmx_nearest(unlike[i], known, 3) == -1, "%s", unlike[i]);
  must_fail(rmx_unknown_name("domain", "nope", known, 3, err), "there are: web, code, math");
}
END_TEST

static rmx_better better(const char *name) {
  return rmx_better_by_name(name);
}

START_TEST(scores_are_known_by_their_names) {
  // clang-format off
  static const char *const high[] = {
      "gsm8k_acc", "hellaswag/acc_norm", "eval/arc_acc", "acc", "squad_em", "F1",
      "boolq/exact_match", "exactMatch", "exam score", "humaneval pass@1", "pass@10",
      "humaneval_pass_at_1", "bleu", "summary.rougeL", "rouge1", "test-accuracy",
      "alpaca_win_rate",
      "WinRate", "auc", "cola_mcc", "acc@5", "acc,none", "lambada_acc/loss_scaled_acc",
      "neg_loss",
      "truthfulqa.mc2", "log_likelihood", "HellaSwagAcc", "GSM8KAcc", "macro_f1:3shot",
      // published: lm-evaluation-harness, OLMES, lighteval, leaderboards
      "hellaswag_acc", "hellaswag/acc_norm,none", "arc_challenge_acc_norm", "mc2", "mc1", "f1",
      "win_rate",
      "drop_f1", "drop/em", "drop:f1:3shot", "gap_f1", "nq_open/exact_match,remove_whitespace",
      "gsm8k/exact_match,flexible-extract",
      "mmlu_abstract_algebra/acc", "acc_per_char", "acc_uncond", "prob_acc",
      "humaneval/pass@1,create_test", "mbpp_pass@1",
      "wmt14-en-fr/chrf", "cnn_dailymail/rouge2", "commonsense_qa_acc", "toxicity/acc",
      "error_detection/acc", "val_loss/acc",
      "ifeval/prompt_level_strict_acc", "top-1-acc", "top-5 accuracy", "top_1_accuracy",
      "stsb_pearson", "mteb/ndcg@10", "MRR@10",
      "hit@5", "hits@10", "hit_rate", "r2", "success", "pct_correct", "success_rate", "bleu-4",
      "mean_reward", "elo_rating",
      // scikit-learn's scorers and other signs
      "neg_log_loss", "neg_mean_squared_error", "neg_root_mean_squared_error",
      "neg_mean_absolute_error", "neg_median_absolute_error", "neg_brier_score", "neg_nll",
      "-loss", "neg_mean_poisson_deviance",
      "eval/-nll", "minus_val_loss", "inverse_ppl", "neg_cross_entropy",
      "neg_mean_absolute_percentage_error", "loss_higher_is_better", "f1_negative",
      "acc_per_flop", "inverse_scaling_neqa_acc", "negative_sentiment_acc",
  };
  // clang-format on
  for (size_t i = 0; i < sizeof high / sizeof *high; i++)
    ck_assert_msg(better(high[i]) == RMX_BETTER_HIGH, "%s", high[i]);
}
END_TEST

START_TEST(losses_are_known_by_their_names) {
  // clang-format off
  static const char *const low[] = {
      "loss", "pile_cc_val_loss", "metric/the_pile_arxiv_val_loss", "eval/loss", "ppl",
      "word_perplexity", "bpb", "bits_per_byte", "nll", "neg_log_likelihood",
      "negative_log_likelihood", "ce", "error", "test_error_rate", "wer", "mse", "brier_score",
      "perplexity_score", "valLoss", "neg_acc", "1-acc", "1 - accuracy",
      "toxicity_score", "score_val_loss", "f1_val_loss",
      "wikitext/word_perplexity", "byte_perplexity", "lambada_ppl", "lambada/perplexity",
      "c4_bpb", "bits_per_byte_corr",
      "pile/bits_per_byte", "gap_val_loss", "drop_val_loss", "acc_val_loss", "train/loss",
      "eval/CrossEntropyLoss",
      "validation loss", "excess_loss", "regret", "librispeech_wer", "cross_entropy_loss",
      "acc/bits_per_byte", "mc1/loss", "score_lower_is_better", "acc (lower is better)",
      "minus_log_likelihood", "-acc", "neg_mean_reward", "loss_per_token",
      "log_loss", "root_mean_squared_error",
  };
  // clang-format on
  for (size_t i = 0; i < sizeof low / sizeof *low; i++)
    ck_assert_msg(better(low[i]) == RMX_BETTER_LOW, "%s", low[i]);
}
END_TEST

START_TEST(other_names_say_nothing_of_a_direction) {
  static const char *const unsaid[] = {
      "",           "pile_cc",          "macc",  "accent",   "codex_humaneval:3shot::none",
      "scoreboard", "gsm8k_acc_stderr", "emacs", "x",        "_",
      "bypass",     "hellaswag",        "f10",   "lossless", "tokens"};
  for (size_t i = 0; i < sizeof unsaid / sizeof *unsaid; i++)
    ck_assert_msg(better(unsaid[i]) == RMX_BETTER_UNSAID, "%s", unsaid[i]);
  char name[2000];
  memset(name, 'x', sizeof name);
  memcpy(name + sizeof name - 5, "_acc", 5);
  ck_assert_int_eq(better(name), RMX_BETTER_HIGH);
}
END_TEST

// The word that would say it stands beside one that may turn it around.
START_TEST(a_word_that_turns_a_name_around_makes_it_doubtful) {
  // clang-format off
  static const char *const doubtful[] = {
      "attack_success_rate", "adversarial_score", "overfit_score", "not_accuracy",
      "accuracy_drop", "acc_norm_diff", "loss_improvement", "ppl_gap", "delta_acc",
      "drop in accuracy", "loss_of_accuracy",
      "acc_loss", "loss_acc", "ppl_acc", "acc_error", "f1_regret", "accuracy error rate",
      "gain_in_f1", "bleu_gain", "lossReduction",
      "error_reduction", "acc/drop", "val_loss_delta", "pass@1_increase", "exact_match_error",
      "dev_1-acc", "eval_1 - f1",
      "cheating_score", "bias score", "hallucination_score", "crows_pairs/likelihood_diff",
      "acc_rank", "forgetting_acc",
      "difference of perplexity", "mean_accuracy_change",
      "neg_quantile_loss", "negative_sentiment_loss", "win_loss_ratio", "nats_gained",
      "perplexity_inv", "loss_neg", "drop_acc", "stderr_acc", "std_acc", "acc_std_err",
      "loss_standard_error", "std_val_loss", "cost_score", "self_bleu", "loss_per_acc",
  };
  // clang-format on
  for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++) {
    ck_assert_msg(better(doubtful[i]) == RMX_BETTER_UNSAID, "%s", doubtful[i]);
    ck_assert_msg(rmx_kind_by_name(doubtful[i]) == RMX_KIND_UNKNOWN, "%s", doubtful[i]);
  }
}
END_TEST

START_TEST(values_may_contradict_a_name) {
  const double low[] = {-3.1, NAN, -3.5}, high[] = {0.2, NAN, 3}, both[] = {-1, 0, 2};
#define BY_VALUES(name, y) rmx_better_by_values(name, y, 3, 1)
  ck_assert_int_eq(BY_VALUES("val_loss", low), RMX_BETTER_UNSAID);
  ck_assert_int_eq(BY_VALUES("acc", low), RMX_BETTER_UNSAID);
  ck_assert_int_eq(BY_VALUES("neg_loss", high), RMX_BETTER_UNSAID);
  ck_assert_int_eq(BY_VALUES("val_loss", high), RMX_BETTER_LOW);
  ck_assert_int_eq(BY_VALUES("val_loss", both), RMX_BETTER_LOW);
  ck_assert_int_eq(BY_VALUES("neg_loss", low), RMX_BETTER_HIGH);
  ck_assert_int_eq(BY_VALUES("neg_acc", low), RMX_BETTER_LOW);
  ck_assert_int_eq(BY_VALUES("log_likelihood", low), RMX_BETTER_HIGH);
  ck_assert_int_eq(BY_VALUES("inverse_ppl", high), RMX_BETTER_HIGH);
  const double table[] = {5, -1, 6, -2};
  ck_assert_int_eq(rmx_better_by_values("ppl", table + 1, 2, 2), RMX_BETTER_UNSAID);
  ck_assert_int_eq(rmx_better_by_values("ppl", table, 2, 2), RMX_BETTER_LOW);
  ck_assert_int_eq(rmx_better_by_values("ppl", table, 0, 2), RMX_BETTER_LOW);
}
END_TEST

START_TEST(a_sentence_has_one_full_stop) {
  ck_assert_str_eq(rmx_full_stop("a, b"), ".");
  ck_assert_str_eq(rmx_full_stop("a, b, c, ..."), "");
  ck_assert_str_eq(rmx_full_stop(""), ".");
}
END_TEST

START_TEST(three_names_stand_for_many) {
  rmx_few f = {0};
  char name[300];
  memset(name, 'y', sizeof name);
  name[299] = '\0';
  rmx_few_add(&f, "a");
  ck_assert_str_eq(f.text, "a");
  for (int i = 0; i < 2; i++) rmx_few_add(&f, name);
  ck_assert(f.n == 3 && strstr(f.text, "...") != NULL && strlen(f.text) < 200);
  for (int i = 0; i < 7; i++) rmx_few_add(&f, "b");
  ck_assert(f.n == 10 && strlen(f.text) < sizeof f.text - 1 &&
            strcmp(f.text + strlen(f.text) - 5, ", ...") == 0);
}
END_TEST

// Whichever way a table is sorted, its runs have one order.
START_TEST(names_have_the_order_of_their_numbers) {
  // clang-format off
  static const char *const ordered[] = {
      "", "001", "01", "1", "1a", "2", "10", "0010@9", "10@10", "R2", "r1", "r1@2", "r1@10",
      "r1b",
      "r1b\xc3", "r10", "ra", "s-1", "s-99999999999999999999999", "s-100000000000000000000000"};
  // clang-format on
  const size_t n = sizeof ordered / sizeof *ordered;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < n; k++) {
      const int order = rmx__compare_names(ordered[i], ordered[k]);
      ck_assert_msg((order > 0) - (order < 0) == (i > k) - (i < k), "%s %s", ordered[i],
                    ordered[k]);
    }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, finds_what_people_type);
  tcase_add_test(tc, refuses_with_advice);
  tcase_add_test(tc, names_in_files_are_exact);
  tcase_add_test(tc, typed_names_do_not_end_like_others);
  tcase_add_test(tc, short_names_across_colons);
  tcase_add_test(tc, long_names_are_told_apart);
  tcase_add_test(tc, nearest_is_near);
  tcase_add_test(tc, a_beginning_is_near_where_only_one_has_it);
  tcase_add_test(tc, what_resembles_nothing_is_near_nothing);
  tcase_add_test(tc, scores_are_known_by_their_names);
  tcase_add_test(tc, losses_are_known_by_their_names);
  tcase_add_test(tc, other_names_say_nothing_of_a_direction);
  tcase_add_test(tc, a_word_that_turns_a_name_around_makes_it_doubtful);
  tcase_add_test(tc, values_may_contradict_a_name);
  tcase_add_test(tc, a_sentence_has_one_full_stop);
  tcase_add_test(tc, three_names_stand_for_many);
  tcase_add_test(tc, names_have_the_order_of_their_numbers);
}
