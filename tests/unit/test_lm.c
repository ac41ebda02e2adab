// SPDX-License-Identifier: Apache-2.0
// Models that score: the losses of the model that was trained, whatever else is scored beside it,
// from model.bin and from safetensors; and files that lie.
#include "../testing.h"

#include <math.h>
#include <regmix/eval.h>
#include <regmix/lm.h>

#include "../model_bin.h"
#include "model/lm/safetensors.h"

static const rmx_model_config small = {.layers = 2,
                                       .heads = 2,
                                       .width = 16,
                                       .ffn = 24,
                                       .vocab = 40,
                                       .context = 16,
                                       .rope_base = 10000,
                                       .norm_eps = 1e-5};
enum { T = 16, BRANCHES = 3 };

static char folder[64], bin[96], hub[96], tensors[128], config[128];
static const rmx_kernels *k;
static void before(void) {
  snprintf(folder, sizeof folder, "%s/XXXXXX", scratch_folder);
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(bin, sizeof bin, "%s/model.bin", folder);
  snprintf(hub, sizeof hub, "%s/hub", folder);
  snprintf(tensors, sizeof tensors, "%s/model.safetensors", hub);
  snprintf(config, sizeof config, "%s/config.json", hub);
  must(rmx_lm_kernels(NULL, &k, err));
}
static void after(void) {
  must(rmx_remove_tree(folder, err));
}

static rmx_model *make_of(const rmx_model_config *c) {
  rmx_model *m = NULL;
  must(rmx_model_new(c, 1, T, false, k, 7, &m, err));
  for (size_t i = 0; i < rmx_model_parameters(c); i++) rmx_model_weights(m)[i] *= 2;
  return m;
}
static rmx_model *make(void) {
  return make_of(&small);
}

static int32_t token(size_t i) {
  return (int32_t)((i * i * 7 + i * 3 + 1) % 40);
}

// The shared beginning and BRANCHES continuations of 1, 4 and 7 tokens.
struct tree {
  int32_t shared[8], tokens[BRANCHES][8];
  rmx_lm_branch branches[BRANCHES];
  rmx_lm_item item;
};
static void plant(struct tree *t, size_t seed, size_t shared_n) {
  *t = (struct tree){0};
  for (size_t i = 0; i < 8; i++) t->shared[i] = token(seed + i);
  for (size_t b = 0; b < BRANCHES; b++) {
    for (size_t i = 0; i < 8; i++) t->tokens[b][i] = token(seed * 3 + b * 11 + i);
    t->branches[b] = (rmx_lm_branch){.tokens = t->tokens[b], .n = 1 + 3 * b};
  }
  t->item = (rmx_lm_item){t->shared, shared_n, t->branches, BRANCHES};
}

// The log-likelihood of a branch by the model that trains.
static double by_model(rmx_model *m, const struct tree *t, size_t b) {
  int32_t tokens[T], labels[T];
  float losses[T];
  const size_t s = t->item.shared_n, n = t->branches[b].n;
  for (size_t i = 0; i < s; i++) tokens[i] = t->shared[i], labels[i] = -1;
  for (size_t i = 0; i < n; i++) {
    if (i + 1 < n) tokens[s + i] = t->tokens[b][i], labels[s + i] = -1;
    labels[s - 1 + i] = t->tokens[b][i];
  }
  rmx_model_losses(m, tokens, labels, 1, (int)(s + n - 1), losses);
  double sum = 0;
  for (size_t i = 0; i < s + n - 1; i++) sum -= (double)losses[i];
  return sum;
}

static void check_against_model(rmx_model *m, const char *path, int threads) {
  enum { ITEMS = 40 };
  rmx_lm *lm = NULL;
  struct tree trees[ITEMS], alone;
  rmx_lm_item items[ITEMS];
  must(rmx_lm_open(path, k, threads, &lm, err));
  ck_assert_uint_eq(rmx_lm_parameters(lm), rmx_model_parameters(rmx_model_config_of(m)));
  for (size_t i = 0; i < ITEMS; i++) {
    plant(&trees[i], i, 1 + i % 8);
    items[i] = trees[i].item;
  }
  must(rmx_lm_score(lm, items, ITEMS, NULL, err));
  for (size_t i = 0; i < ITEMS; i++) {
    plant(&alone, i, 1 + i % 8);
    must(rmx_lm_score(lm, &alone.item, 1, NULL, err));
    for (size_t b = 0; b < BRANCHES; b++) {
      ck_assert_double_eq_tol(trees[i].branches[b].log_likelihood, by_model(m, &trees[i], b), 1e-4);
      // The same bits alone and in company.
      ck_assert(trees[i].branches[b].log_likelihood == alone.branches[b].log_likelihood);
      ck_assert(trees[i].branches[b].greedy == alone.branches[b].greedy);
    }
  }
  rmx_lm_free(lm);
}

START_TEST(scores_are_those_of_the_model) {
  rmx_model *m = make();
  write_model_bin(m, bin, false, NULL);
  must(rmx_lm_write(m, 0, NULL, hub, err));
  check_against_model(m, bin, 1);
  check_against_model(m, folder, 2);
  check_against_model(m, hub, 3);
  rmx_model_free(m);
}
END_TEST

// What else a Llama may be: the model that trains and the one that scores agree, and what is
// written is read back with all of it.
START_TEST(every_kind_of_llama_is_trained_and_scored) {
  rmx_model_config kinds[5];
  for (size_t i = 0; i < 5; i++) kinds[i] = small;
  kinds[0].heads = 4, kinds[0].kv_heads = 2;
  kinds[1].head_width = 6;
  kinds[2].tied = true, kinds[2].kv_heads = 1;
  kinds[3].rope_factor = 4;
  kinds[4].rope_factor = 8, kinds[4].rope_low = 1, kinds[4].rope_high = 4;
  kinds[4].rope_original = 32;
  for (size_t i = 0; i < 5; i++) {
    rmx_model *m = make_of(&kinds[i]), *again;
    rmx_lm_config c;
    must(rmx_lm_write(m, 0, NULL, hub, err));
    check_against_model(m, hub, 1);
    check_against_model(m, tensors, 1);
    must(rmx_lm_read_config(hub, &c, err));
    must(rmx_model_new(&c, 1, T, false, k, 8, &again, err));
    must(rmx_lm_init(again, hub, err));
    ck_assert_mem_eq(rmx_model_weights(again), rmx_model_weights(m),
                     rmx_model_parameters(&c) * sizeof(float));
    rmx_model_free(again);
    c.ffn++;
    must(rmx_model_new(&c, 1, T, false, k, 8, &again, err));
    must_fail(rmx_lm_init(again, hub, err), "ffn is 24, wanted 25");
    rmx_model_free(m), rmx_model_free(again);
  }
}
END_TEST

START_TEST(logits_are_those_of_the_scores) {
  rmx_model *m = make();
  rmx_lm *lm = NULL;
  struct tree t;
  float logits[8 * 40];
  must(rmx_lm_write(m, 0, NULL, hub, err));
  must(rmx_lm_open(hub, k, 1, &lm, err));
  plant(&t, 5, 8);
  must(rmx_lm_score(lm, &t.item, 1, NULL, err));
  must(rmx_lm_logits(lm, t.shared, 8, logits, err));
  float next[40];
  must(rmx_lm_next(lm, t.shared, 8, next, err));
  ck_assert_mem_eq(next, logits + 7 * 40, sizeof next);
  double sum = 0, largest = -INFINITY;
  for (size_t j = 0; j < 40; j++) {
    sum += exp((double)logits[7 * 40 + j]);
    largest = fmax(largest, (double)logits[7 * 40 + j]);
  }
  const double mine = (double)logits[7 * 40 + t.tokens[0][0]];
  ck_assert_double_eq_tol(t.branches[0].log_likelihood, mine - log(sum), 1e-5);
  ck_assert(t.branches[0].greedy == (mine == largest));
  // The most likely token is greedy.
  for (int32_t j = 0; j < 40; j++)
    if ((double)logits[7 * 40 + j] == largest) t.tokens[0][0] = j;
  must(rmx_lm_score(lm, &t.item, 1, NULL, err));
  ck_assert(t.branches[0].greedy);
  rmx_lm_free(lm), rmx_model_free(m);
}
END_TEST

START_TEST(what_cannot_be_scored_is_an_error) {
  rmx_model *m = make();
  rmx_lm *lm = NULL;
  struct tree t;
  must(rmx_lm_write(m, 0, NULL, hub, err));
  must(rmx_lm_open(hub, k, 1, &lm, err));
  plant(&t, 1, 4);
  t.tokens[2][6] = 40;
  must_fail(rmx_lm_score(lm, &t.item, 1, NULL, err),
            "id 40 is not in the model's vocabulary of 40");
  int32_t long_text[T + 1] = {0};
  rmx_lm_branch one = {.tokens = long_text, .n = 1};
  rmx_lm_item item = {long_text, T + 1, &one, 1};
  must_fail(rmx_lm_score(lm, &item, 1, NULL, err), "longer than the model's context of 16");
  item.shared_n = T;
  must(rmx_lm_score(lm, &item, 1, NULL, err));
  rmx_lm_free(lm), rmx_model_free(m);
}
END_TEST

// Writes `text` with `from` replaced by `to`, opens the model and wants the error.
static void with_config(const char *text, const char *from, const char *to, const char *error) {
  rmx_lm *lm = NULL;
  const char *at = strstr(text, from);
  ck_assert_msg(at != NULL, "no %s", from);
  rmx_buf changed = {0};
  rmx_buf_add(&changed, text, (size_t)(at - text));
  rmx_buf_printf(&changed, "%s%s", to, at + strlen(from));
  must(rmx_write_file(config, changed.data, changed.size, err));
  must_fail(rmx_lm_open(hub, k, 1, &lm, err), error);
  rmx_buf_release(&changed);
}

START_TEST(configs_that_disagree_are_errors) {
  static const char *const cases[][3] = {
      {"\"llama\"", "\"gpt2\"", "model_type is \"gpt2\""},
      {"\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "only \"silu\""},
      {"\"attention_bias\": false", "\"attention_bias\": true", "has attention_bias"},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 2}",
       "of the type \"yarn\""},
      {"\"hidden_size\": 16", "\"hidden_size\": 0", "\"hidden_size\" is 0"},
      {"\"hidden_size\": 16", "\"hidden_size\": \"16\"",
       "\"hidden_size\" is \"16\", wanted a whole number"},
      {"\"model_type\": \"llama\"", "\"model_type\": 1", "model_type is 1;"},
      {"\"model_type\"", "\"a_type\"", "has no \"model_type\""},
      {"\"tie_word_embeddings\": false", "\"tie_word_embeddings\": \"no\"",
       "is \"no\", wanted true"},
      {"\"rope_scaling\": null", "\"rope_scaling\": \"linear\"",
       "rope_scaling is \"linear\", wanted"},
      {"\"rope_scaling\": null", "\"rope_scaling\": [1]", "rope_scaling is [1], wanted"},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"factor\": 4.0}", "no \"rope_type\""},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"type\": 4}", "type of rope_scaling is 4"},
      {"\"rope_scaling\": null", "\"rope_scaling\": {\"type\": \"linear\"}", "has no \"factor\""},
      {"\"rope_scaling\": null", "\"rope_parameters\": {\"factor\": 4.0}", "no \"rope_type\""},
      {"\"rope_scaling\": null", "\"partial_rotary_factor\": 0.5", "factor is 0.5, only 1"},
      {"\"rope_scaling\": null",
       "\"rope_parameters\": {\"rope_type\": \"default\", \"partial_rotary_factor\": 0.5}",
       "factor is 0.5, only 1"},
      {"\"rope_scaling\": null", "\"quantization_config\": {\"bits\": 4}",
       "has quantization_config"},
      {"\"head_dim\": 8", "\"head_dim\": 7", "7 channels, wanted an even number"},
      {"\"hidden_size\": 16", "\"hidden_size\": 17", "wants 40 x 17"},  // head_dim says the rest
      {"\"vocab_size\": 40", "\"vocab_size\": 44", "shape 40 x 16, config.json wants 44 x 16"},
      {"\"vocab_size\": 40", "\"vocab_size\": 16000000", "may belong to another model"},
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", "\"model.layers.1."},
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3",
       "no tensor \"model.layers.2.input_layernorm.weight\""},
      {"\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", "not a multiple of 3"},
      {"\"num_key_value_heads\": 2", "\"num_key_value_heads\": 1", "k_proj.weight\" has the shape"},
  };
  rmx_model *m = make();
  must(rmx_lm_write(m, 0, NULL, hub, err));
  RMX_OWNED char *text = NULL;
  size_t size;
  must(rmx_read_file(config, &text, &size, err));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    with_config(text, cases[i][0], cases[i][1], cases[i][2]);
  rmx_model_free(m);
}
END_TEST

START_TEST(weights_that_are_no_numbers_are_errors) {
  const float wrong[] = {NAN, INFINITY, -INFINITY, 3e38f};
  for (size_t i = 0; i < 4; i++) {
    rmx_model *m = make();
    rmx_lm *lm = NULL;
    struct tree t;
    const rmx_tensor *list;
    const size_t n = rmx_model_tensors(m, &list);
    for (size_t j = list[0].size; i == 3 && j < rmx_model_parameters(&small); j++)
      rmx_model_weights(m)[j] = wrong[i];
    if (i < 3) rmx_model_weights(m)[list[n - 1].offset] = wrong[i];
    must(rmx_lm_write(m, 0, NULL, hub, err));
    plant(&t, 1, 4);
    if (i < 3) {
      must_fail(rmx_lm_open(hub, k, 1, &lm, err), ".weight\" are NaN or infinite");
    } else {
      must(rmx_lm_open(hub, k, 1, &lm, err));
      must_fail(rmx_lm_score(lm, &t.item, 1, NULL, err), "its weights may be too large");
      rmx_lm_free(lm);
    }
    rmx_model_free(m);
  }
}
END_TEST

START_TEST(headers_that_lie_are_errors) {
  static const char *const headers[][2] = {
      {"[]", "not a JSON object"},
      {"{\"a\": {\"dtype\": \"F31\", \"shape\": [1], \"data_offsets\": [0, 4]}}", "not known"},
      {"{\"a\": {\"dtype\": \"F32\", \"shape\": [-1], \"data_offsets\": [0, 4]}}", "not possible"},
      {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 9]}}",
       "outside the file"},
      {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 0]}}",
       "outside the file"},
      {"{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}",
       "number of bytes"},
      {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}, \"a\": {\"dtype\": "
       "\"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}",
       "duplicate"},
      {"{\"a\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}, \"b\": {\"dtype\": "
       "\"F16\", \"shape\": [1], \"data_offsets\": [2, 4]}}",
       "\"a\" and \"b\" have the same bytes"},
      {"{\"a\": {\"dtype\": \"F16\", \"shape\": [1], \"data_offsets\": [0, 2]}}", "last 2 bytes"},
      {"{\"a\": {\"dtype\": \"F16\", \"shape\": [1], \"data_offsets\": [2, 4]}}", "2 bytes before"},
      {"{\"a\": {\"dtype\": \"F32\", \"shape\": [4294967296, 4294967296, 4], \"data_offsets\": [0, "
       "4]}}",
       "not possible"},
  };
  rmx_model *m = make();
  rmx_lm *lm = NULL;
  must(rmx_lm_write(m, 0, NULL, hub, err));
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    rmx_buf file = {0};
    const uint64_t size = strlen(headers[i][0]);
    rmx_buf_add(&file, &size, sizeof size);
    rmx_buf_add(&file, headers[i][0], size);
    rmx_buf_add(&file, "1234", 4);
    must(rmx_write_file(tensors, file.data, file.size, err));
    must_fail(rmx_lm_open(hub, k, 1, &lm, err), headers[i][1]);
    rmx_buf_release(&file);
  }
  const uint64_t large = 1 << 20;
  must(rmx_write_file(tensors, &large, sizeof large, err));
  must_fail(rmx_lm_open(hub, k, 1, &lm, err), "cut off");
  must(rmx_write_file(tensors, "abc", 3, err));
  must_fail(rmx_lm_open(hub, k, 1, &lm, err), "not a safetensors file");
  must_fail(rmx_lm_open("/nowhere", k, 1, &lm, err), "/nowhere");
  must_fail(rmx_lm_open(folder, k, 1, &lm, err), "holds no model");
  rmx_model_free(m);
}
END_TEST

// The value of a key of a JSON file in the folder of the model.
static void file_has(const char *name, const char *text) {
  RMX_OWNED char *path = rmx_path_in(hub, name);
  RMX_OWNED char *data = NULL;
  size_t size;
  must(rmx_read_file(path, &data, &size, err));
  ck_assert_msg(strstr(data, text) != NULL, "%s has no %s: %s", name, text, data);
}

START_TEST(what_loaders_expect_is_beside_the_weights) {
  static const char *const tokenizers[] = {
      "{\"added_tokens\": [{\"id\": 3, \"content\": \"<end>\"}], \"model\": {\"vocab\": {}}}",
      "{\"model\": {\"vocab\": {\"a\": 0, \"<end>\": 3}}}",
      "{\"model\": {\"vocab\": [[\"a\", 0], [\"b\", -1], [\"c\", -1], [\"<end>\", -1]]}}"};
  char from[96];
  rmx_model *m = make();
  snprintf(from, sizeof from, "%s/tokenizer.json", folder);
  for (size_t i = 0; i < 3; i++) {
    must(rmx_write_file(from, tokenizers[i], strlen(tokenizers[i]), err));
    must(rmx_lm_write(m, 3, from, hub, err));
    file_has("tokenizer.json", tokenizers[i]);
    file_has("tokenizer_config.json", "\"bos_token\": \"<end>\"");
    file_has("tokenizer_config.json", "\"model_max_length\": 16");
    file_has("special_tokens_map.json", "\"eos_token\": \"<end>\"");
    file_has("generation_config.json", "\"eos_token_id\": 3");
    file_has("config.json", "\"eos_token_id\": 3");
  }
  must_fail(rmx_lm_write(m, 3, "/nowhere", hub, err), "/nowhere");
  rmx_model_free(m);
}
END_TEST

START_TEST(the_weights_alone_are_enough) {
  rmx_model *m = make();
  must(rmx_lm_write(m, 0, NULL, hub, err));
  ck_assert_int_eq(remove(config), 0);
  check_against_model(m, hub, 1);
  check_against_model(m, tensors, 1);
  // one bit is wrong
  RMX_OWNED char *data = NULL;
  rmx_lm *lm = NULL;
  size_t size;
  must(rmx_read_file(tensors, &data, &size, err));
  data[size - 5] ^= 1;
  must(rmx_write_file(tensors, data, size, err));
  must_fail(rmx_lm_open(hub, k, 1, &lm, err), "corrupt");
  rmx_model_free(m);
}
END_TEST

// ---- numbers of two bytes

// All halves and all bfloat16 against their definitions.
START_TEST(two_bytes_are_a_number) {
  for (uint32_t bits = 0; bits < 65536; bits++) {
    const uint16_t x = (uint16_t)bits;
    const double sign = x & 0x8000 ? -1 : 1;
    float half, brain;
    rmx__safetensor_floats(&(rmx__safetensor){.type = "F16", .numbers = 1, .data = &x}, &half);
    rmx__safetensor_floats(&(rmx__safetensor){.type = "BF16", .numbers = 1, .data = &x}, &brain);
    const int e = x >> 10 & 31, f = x & 1023, be = x >> 7 & 255, bf = x & 127;
    if (e == 31 && f)
      ck_assert(isnan(half));
    else
      ck_assert(half == (float)(sign * (e == 31 ? INFINITY
                                        : e     ? ldexp(1024 + f, e - 25)
                                                : ldexp(f, -24))));
    if (be == 255 && bf)
      ck_assert(isnan(brain));
    else
      ck_assert(brain == (float)(sign * (be == 255 ? INFINITY
                                         : be      ? ldexp(128 + bf, be - 134)
                                                   : ldexp(bf, -133))));
  }
}
END_TEST

// ---- generation

// A tokenizer of 40 characters.
static rmx_tokenizer *characters(void) {
  char path[96];
  rmx_tokenizer *t;
  rmx_buf json = {0};
  rmx_buf_puts(&json, "{\"model\": {\"type\": \"BPE\", \"merges\": [], \"vocab\": {");
  for (int i = 0; i < 40; i++) rmx_buf_printf(&json, "%s\"%c\": %d", i ? ", " : "", '0' + i, i);
  rmx_buf_puts(&json, "}}}");
  for (char *c = json.data; (c = strchr(c, '\\'));) *c = '~';  // not in JSON
  snprintf(path, sizeof path, "%s/tokenizer.json", folder);
  must(rmx_write_file(path, json.data, json.size, err));
  must(rmx_tokenizer_read(path, &t, err));
  rmx_buf_release(&json);
  return t;
}

// The next character, drawn with `draws` seeds: how often each comes.
static void count_next(rmx_lm *lm, const rmx_tokenizer *t, double temperature, int64_t top,
                       int draws, int *counts) {
  memset(counts, 0, 40 * sizeof *counts);
  for (int seed = 0; seed < draws; seed++) {
    const rmx_generate_options o = {
        .tokens = 1, .temperature = temperature, .top = top, .seed = seed};
    rmx_buf out = {0};
    must(rmx_generate(lm, t, "3AB", &o, &out, err));
    ck_assert_uint_eq(out.size, 1);
    counts[out.data[0] == '~' ? '\\' - '0' : out.data[0] - '0']++;
    rmx_buf_release(&out);
  }
}

START_TEST(characters_come_by_their_probability) {
  enum { DRAWS = 4000 };
  static const struct {
    double temperature;
    int64_t top;
  } cases[] = {{1, 0}, {0.5, 0}, {2, 5}, {1, 1}, {0, 0}, {1, 1000}};
  rmx_model *m = make();
  rmx_lm *lm = NULL;
  write_model_bin(m, bin, false, NULL);
  must(rmx_lm_open(bin, k, 1, &lm, err));
  rmx_tokenizer *t = characters();
  const int32_t prompt[] = {3, 'A' - '0', 'B' - '0'};
  float logits[40];
  must(rmx_lm_next(lm, prompt, 3, logits, err));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int counts[40];
    double p[40], sum = 0;
    count_next(lm, t, cases[i].temperature, cases[i].top, DRAWS, counts);
    for (int a = 0; a < 40; a++) {
      int above = 0;
      for (int b = 0; b < 40; b++) above += logits[b] > logits[a];
      const bool in =
          cases[i].temperature == 0 ? above == 0 : cases[i].top == 0 || above < cases[i].top;
      p[a] = !in ? 0 : cases[i].temperature == 0 ? 1 : exp(logits[a] / cases[i].temperature);
      sum += p[a];
    }
    for (int a = 0; a < 40; a++) {
      const double wanted = p[a] / sum, error = sqrt(wanted * (1 - wanted) / DRAWS);
      ck_assert_msg(fabs((double)counts[a] / DRAWS - wanted) <= 5 * error,
                    "temperature %g, top %d, token %d: %g, wanted %g +- %g", cases[i].temperature,
                    (int)cases[i].top, a, (double)counts[a] / DRAWS, wanted, error);
    }
  }
  rmx_tokenizer_free(t);
  rmx_lm_free(lm);
  rmx_model_free(m);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, two_bytes_are_a_number);
  tcase_add_test(tc, characters_come_by_their_probability);
  tcase_add_checked_fixture(tc, before, after);
  tcase_add_test(tc, scores_are_those_of_the_model);
  tcase_add_test(tc, every_kind_of_llama_is_trained_and_scored);
  tcase_add_test(tc, logits_are_those_of_the_scores);
  tcase_add_test(tc, what_cannot_be_scored_is_an_error);
  tcase_add_test(tc, configs_that_disagree_are_errors);
  tcase_add_test(tc, weights_that_are_no_numbers_are_errors);
  tcase_add_test(tc, headers_that_lie_are_errors);
  tcase_add_test(tc, what_loaders_expect_is_beside_the_weights);
  tcase_add_test(tc, the_weights_alone_are_enough);
}
