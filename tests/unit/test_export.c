// SPDX-License-Identifier: Apache-2.0
// Exported mixtures, read back the way each trainer reads them: the same weights, names and paths,
// to the last bit.
#include <regmix/export.h>
#include <unistd.h>

#include "testing.h"

// Names that every syntax has its trouble with, and weights without a short decimal.
enum { D = 6 };
static const char *const names[D] = {"wikipedia_en", "o\"brien's: \\ {x} #1",
                                     "yes",          "caf\xC3\xA9, \xE2\x80\xA8tab\t",
                                     "zero",         "1e5"};
static const double weights[D] = {
    0.1 + 0.2, 1.0 / 3, 3.0517578125e-05,
    0.36,      0,       1 - (0.1 + 0.2) - 1.0 / 3 - 3.0517578125e-05 - 0.36};
static const double lengths[D] = {100, 1000, 50, 400, 10, 2000};

static int notes, warnings;
static char last[512];
static void note(void *context, const char *message) {
  (void)context;
  notes++;
  snprintf(last, sizeof last, "%s", message);
}
static void warn(void *context, const char *message) {
  (void)context;
  warnings++;
  snprintf(last, sizeof last, "%s", message);
}
static const rmx_listener listener = {.note = note, .warn = warn};

static const rmx_export_request base = {
    .names = names, .weights = weights, .D = D, .prefix = "/d \"q\"/", .listener = &listener};
// Megatron-LM's own formats are split at white space.
static const char *const tidy[D] = {"a", "b", "c", "d", "e", "f"};

static rmx_buf written(const char *format, const rmx_export_request *r) {
  rmx_buf b = {0};
  must(rmx_export(format, r, &b, err));
  ck_assert_msg(b.size > 0 && b.data[b.size - 1] == '\n', "%s: ends without a line feed", format);
  return b;
}

static json_t *yaml_of(const char *format, const rmx_export_request *r) {
  rmx_buf b = written(format, r);
  rmx__yaml y;
  must(rmx__yaml_parse(b.data, b.size, format, &y, err));
  json_t *root = json_incref(y.root);
  rmx__yaml_release(&y);
  rmx_buf_release(&b);
  return root;
}

static json_t *json_of(const char *format, const rmx_export_request *r) {
  rmx_buf b = written(format, r);
  json_error_t where;
  json_t *root = json_loadb(b.data, b.size, JSON_REJECT_DUPLICATES, &where);
  ck_assert_msg(root != NULL, "%s: %s in %s", format, where.text, b.data);
  rmx_buf_release(&b);
  return root;
}

static const char *path_of(const rmx_export_request *r, size_t d) {
  static char path[256];
  if (r->paths && r->paths[d]) return r->paths[d];
  snprintf(path, sizeof path, "%s%s%s", r->prefix, r->names[d], r->suffix ? r->suffix : "");
  return path;
}

static void check_map(const json_t *map, const double *w, size_t n) {
  ck_assert_uint_eq(json_object_size(map), n);
  for (size_t d = 0; d < D; d++) {
    const json_t *value = json_object_get(map, names[d]);
    if (!value && w[d] == 0 && n < D) continue;
    ck_assert_msg(json_is_real(value), "%s: missing or no real number", names[d]);
    ck_assert_msg(json_real_value(value) == w[d], "%s: %.17g, wanted %.17g", names[d],
                  json_real_value(value), w[d]);
  }
}

// What mixture files are read with gives the same doubles (their sum is 1 to the last bit or is
// divided out).
static void check_mixture_file(const char *format, const char *ending) {
  char path[64];
  snprintf(path, sizeof path, "%s/base.%s", scratch_folder, ending);
  rmx_buf b = written(format, &base);
  must(rmx_write_file(path, b.data, b.size, err));
  double w[D];
  must(rmx_mixture_read(path, names, D, w, err));
  for (size_t d = 0; d < D; d++)
    ck_assert_msg(fabs(w[d] - weights[d]) < 1e-15, "%s: %s %.17g", format, names[d], w[d]);
  unlink(path);
  rmx_buf_release(&b);
}

START_TEST(own_files) {
  check_mixture_file("csv", "csv");
  check_mixture_file("json", "json");
  check_mixture_file("yaml", "yaml");
  check_mixture_file("regmix", "yaml");
  json_t *root = json_of("json", &base);
  check_map(root, weights, D);
  json_decref(root);
  root = yaml_of("yaml", &base);
  check_map(root, weights, D);
  json_decref(root);
  root = yaml_of("regmix", &base);
  check_map(json_object_get(root, "train"), weights, D);
  // Their trainer stops with a KeyError without it.
  ck_assert_uint_eq(json_object_size(json_object_get(root, "valid")), D);
  json_decref(root);
  const char *const theirs[2] = {"train_the_pile_arxiv", "retrain_x"};
  const double half[2] = {0.5, 0.5};
  rmx_export_request r = {.names = theirs, .weights = half, .D = 2};
  root = yaml_of("regmix", &r);
  const json_t *valid = json_object_get(root, "valid");
  ck_assert(json_object_get(valid, "valid_the_pile_arxiv") && json_object_get(valid, "retrain_x"));
  json_decref(root);
  rmx_buf b = written("csv", &base);
  ck_assert(strncmp(b.data, "domain,weight\nwikipedia_en,0.30000000000000004\n", 47) == 0);
  rmx_buf_release(&b);
}
END_TEST

START_TEST(doremi) {
  json_t *root = json_of("doremi", &base);
  check_map(json_object_get(root, "train_domain_weights"), weights, D);
  check_map(json_object_get(root, "eval_domain_weights"), weights, D);
  json_decref(root);
}
END_TEST

// Splits at white space as Python's str.split() does, then reads weight and prefix by turns.
static void check_tokens(const char *format, size_t lines) {
  rmx_export_request r = base;
  r.paths = tidy;
  r.prefix = NULL;
  rmx_buf b = written(format, &r);
  size_t feeds = 0;
  for (size_t i = 0; i < b.size; i++) feeds += b.data[i] == '\n';
  ck_assert_uint_eq(feeds, lines);
  char *rest = b.data, *token;
  for (size_t d = 0; d < D; d++) {
    if (weights[d] == 0) continue;
    ck_assert_ptr_nonnull(token = strtok_r(rest, " \n", &rest));
    ck_assert(strtod(token, NULL) == weights[d]);
    ck_assert_ptr_nonnull(token = strtok_r(rest, " \n", &rest));
    ck_assert_str_eq(token, tidy[d]);
  }
  ck_assert_ptr_null(strtok_r(rest, " \n", &rest));
  rmx_buf_release(&b);
}

START_TEST(megatron) {
  check_tokens("megatron", 1);
  check_tokens("megatron-args", D - 1);
  rmx_buf b = {0};
  must_fail(rmx_export("megatron", &base, &b, err), "megatron-json");
  must_fail(rmx_export("megatron-args", &base, &b, err), "white space");
  ck_assert_uint_eq(b.size, 0);
  // Python splits at each of these, too: no-break, ideographic and thin space, a separator
  static const char *const wide[] = {"/d/a\xC2\xA0", "/d/\xE3\x80\x80x", "/d/\xE2\x80\x89",
                                     "/d/\x1D/"};
  static const char *const one[] = {"a"};
  const double all = 1;
  for (size_t k = 0; k < sizeof wide / sizeof *wide; k++)
    must_fail(
        rmx_export("megatron",
                   &(rmx_export_request){.names = one, .weights = &all, .D = 1, .paths = &wide[k]},
                   &b, err),
        "white space");
}
END_TEST

static void check_pairs(const json_t *list, const rmx_export_request *r, bool strings) {
  ck_assert_uint_eq(json_array_size(list), 2 * (D - 1));
  for (size_t d = 0, i = 0; d < D; d++) {
    if (weights[d] == 0) continue;
    const json_t *weight = json_array_get(list, i++);
    if (strings)
      ck_assert(strtod(json_string_value(weight), NULL) == weights[d]);
    else
      ck_assert(json_is_real(weight) && json_real_value(weight) == weights[d]);
    ck_assert_str_eq(json_string_value(json_array_get(list, i++)), path_of(r, d));
  }
}

START_TEST(megatron_splits) {
  json_t *root = json_of("megatron-json", &base);
  check_pairs(json_object_get(root, "train"), &base, true);
  // A list without elements would not do: Megatron-LM takes null for a split without data.
  ck_assert(json_is_null(json_object_get(root, "valid")) &&
            json_is_null(json_object_get(root, "test")));
  json_decref(root);
  rmx_export_request r = base, valid = base;
  r.valid_prefix = valid.prefix = "v/";
  r.suffix = valid.suffix = "_text_document";
  root = json_of("megatron-json", &r);
  check_pairs(json_object_get(root, "train"), &r, true);
  check_pairs(json_object_get(root, "valid"), &valid, true);
  check_pairs(json_object_get(root, "test"), &valid, true);
  json_decref(root);
}
END_TEST

START_TEST(nemo) {
  json_t *root = yaml_of("nemo", &base);
  check_pairs(
      json_object_get(json_object_get(json_object_get(root, "model"), "data"), "data_prefix"),
      &base, false);
  json_decref(root);
}
END_TEST

static void check_lists(const json_t *paths, const json_t *numbers, const rmx_export_request *r) {
  ck_assert_uint_eq(json_array_size(paths), D - 1);
  ck_assert_uint_eq(json_array_size(numbers), D - 1);
  for (size_t d = 0, i = 0; d < D; d++) {
    if (weights[d] == 0) continue;
    ck_assert_str_eq(json_string_value(json_array_get(paths, i)), path_of(r, d));
    ck_assert(json_real_value(json_array_get(numbers, i++)) == weights[d]);
  }
}

START_TEST(gpt_neox) {
  json_t *root = yaml_of("gpt-neox", &base);
  check_lists(json_object_get(root, "train-data-paths"),
              json_object_get(root, "train-data-weights"), &base);
  ck_assert_uint_eq(json_object_size(root), 2);
  json_decref(root);
  rmx_export_request r = base, valid = base;
  r.valid_prefix = valid.prefix = "v/";
  root = yaml_of("gpt-neox", &r);
  check_lists(json_object_get(root, "train-data-paths"),
              json_object_get(root, "train-data-weights"), &r);
  check_lists(json_object_get(root, "valid-data-paths"),
              json_object_get(root, "valid-data-weights"), &valid);
  check_lists(json_object_get(root, "test-data-paths"), json_object_get(root, "test-data-weights"),
              &valid);
  json_decref(root);
}
END_TEST

START_TEST(nanotron) {
  json_t *root = yaml_of("nanotron", &base), *set = json_object_get(root, "dataset");
  check_lists(json_object_get(set, "dataset_folder"), json_object_get(set, "dataset_weights"),
              &base);
  json_decref(root);
}
END_TEST

START_TEST(streaming) {
  const char *paths[D] = {"s3://bucket/wiki"};
  rmx_export_request r = base;
  r.paths = paths;
  json_t *root = yaml_of("streaming", &r), *streams = json_object_get(root, "streams");
  ck_assert_uint_eq(json_object_size(streams), D - 1);
  for (size_t d = 0; d < D; d++) {
    if (weights[d] == 0) continue;
    const json_t *s = json_object_get(streams, names[d]);
    ck_assert_uint_eq(json_object_size(s), 2);
    ck_assert(json_real_value(json_object_get(s, "proportion")) == weights[d]);
    ck_assert_str_eq(json_string_value(json_object_get(s, d == 0 ? "remote" : "local")),
                     path_of(&r, d));
  }
  json_decref(root);
}
END_TEST

// Tokens there are of each domain: "yes" has far fewer than its share of the budget.
static const double there[D] = {1e12, 1e12, 1e5, 0.36e9, 1, 1e12};

START_TEST(streaming_epoch) {
  rmx_export_request r = base;
  r.budget = 1e9;
  r.sequence_length = 2048;
  json_t *root = yaml_of("streaming", &r);
  ck_assert_int_eq(json_integer_value(json_object_get(root, "epoch_size")), 488282);  // rounded up
  json_decref(root);
}
END_TEST

// A source that its trainer must repeat says how often; one that is not repeated stays at 1.
START_TEST(repetition) {
  rmx_export_request r = base;
  r.tokens = there;
  r.budget = 1e9;
  json_t *root = yaml_of("olmo-core", &r), *sources = json_object_get(root, "sources"), *s;
  size_t i;
  json_array_foreach(sources, i, s) {
    double most = json_real_value(json_object_get(s, "max_repetition_ratio"));
    const char *name = json_string_value(json_object_get(s, "source_name"));
    size_t d = 0;
    while (strcmp(name, names[d]) != 0) d++;
    ck_assert(most >= 1 && most == floor(most));
    ck_assert_msg(weights[d] * r.budget <= there[d] * most, "%s: %g passes are not enough", name,
                  most);
    if (d == 2) ck_assert_double_eq(most, 1 + floor(1.01 * weights[d] * r.budget / there[d]));
    if (d == 0) ck_assert_double_eq(most, 1);
    // Exactly one pass: what does not fill a sequence is lost, so the trainer needs leave for a
    // second.
    if (d == 3) ck_assert_double_eq(most, 2);
  }
  json_decref(root);
  const double none[D] = {1e12, 1e12, 0, 1e12, 0, 1e12};
  r.tokens = none;
  rmx_buf b = {0};
  must_fail(rmx_export("olmo-core", &r, &b, err), "domain \"yes\"");
  b = written("olmo-core-composable", &base);
  ck_assert_ptr_nonnull(strstr(b.data, "--tokens and --budget"));
  rmx_buf_release(&b);
}
END_TEST

// A list of passes adds up to the mixture.
START_TEST(axolotl) {
  static const char *const three[3] = {"a", "b", "c"};
  const double w[3] = {0.5, 0.3, 0.2}, tokens[3] = {1e9, 6e7, 9.9e7};
  rmx_export_request r = {
      .names = three, .weights = w, .D = 3, .prefix = "/d/", .tokens = tokens, .budget = 5e8};
  json_t *root = yaml_of("axolotl", &r), *list = json_object_get(root, "datasets"), *entry;
  double seen[3] = {0};
  size_t i;
  json_array_foreach(list, i, entry) {
    json_int_t shards = json_integer_value(json_object_get(entry, "shards"));
    seen[json_string_value(json_object_get(entry, "path"))[3] - 'a'] +=
        shards ? 1.0 / (double)shards : 1;
  }
  for (size_t d = 0; d < 3; d++)
    ck_assert_msg(fabs(seen[d] * tokens[d] / (w[d] * 5e8) - 1) < 0.03, "%s", three[d]);
  json_decref(root);
  rmx_buf b = {0};
  const double few[3] = {1e9, 6e7, 100};  // half a million passes over the last
  r.tokens = few;
  must_fail(rmx_export("axolotl", &r, &b, err), "every pass; wanted 10000 or fewer");
  r.tokens = tokens;
  r.budget = 0;
  must_fail(rmx_export("axolotl", &r, &b, err), "--budget");
  ck_assert_int_eq(test_error.status, RMX_EUSAGE);
}
END_TEST

// In a block of so many sequences the smallest source has one; where no block is large enough, that
// is said.
START_TEST(levanter) {
  static const char *const two[2] = {"a", "b"};
  double w[2] = {1 - 2e-4, 2e-4};
  rmx_export_request r = {
      .names = two, .weights = w, .D = 2, .prefix = "/d/", .listener = &listener};
  json_t *root = yaml_of("levanter", &r), *data = json_object_get(root, "data");
  ck_assert_int_eq(json_integer_value(json_object_get(data, "mixture_block_size")), 8192);
  ck_assert(json_real_value(json_object_get(json_object_get(data, "train_weights"), "b")) == 2e-4);
  ck_assert_uint_eq(json_object_size(json_object_get(data, "configs")), 2);
  json_decref(root);
  w[0] = 1 - 1e-6, w[1] = 1e-6;
  warnings = 0;
  json_decref(yaml_of("levanter", &r));
  ck_assert_int_eq(warnings, 1);
  ck_assert_ptr_nonnull(strstr(last, "never be drawn"));
}
END_TEST

// More sources than GPT-NeoX can count are told.
START_TEST(many_sources) {
  enum { MANY = 300 };
  static char text[MANY][8];
  const char *many[MANY];
  double w[MANY];
  for (size_t d = 0; d < MANY; d++) {
    snprintf(text[d], sizeof text[d], "d%zu", d);
    many[d] = text[d];
    w[d] = 1.0 / MANY;
  }
  rmx_export_request r = {
      .names = many, .weights = w, .D = MANY, .prefix = "/d/", .listener = &listener};
  warnings = 0;
  rmx_buf b = written("gpt-neox", &r);
  ck_assert_int_eq(warnings, 1);
  rmx_buf_release(&b);
  b = written("megatron", &r);
  ck_assert_int_eq(warnings, 1);
  rmx_buf_release(&b);
}
END_TEST

// Arguments for a shell: names and paths with quotes stay one word each.
START_TEST(dclm) {
  const char *paths[D] = {"/d/it's", "b c", "c", "d", "e", "f"};
  rmx_export_request r = base;
  r.paths = paths;
  rmx_buf b = written("dclm", &r);
  ck_assert(
      strncmp(b.data,
              "--dataset-manifest '/d/it'\\''s' 'b c' 'c' 'd' 'f' --train-data-mix-weights 0.3",
              78) == 0);
  rmx_buf_release(&b);
}
END_TEST

START_TEST(olmo_core) {
  json_t *root = yaml_of("olmo-core", &base), *sources = json_object_get(root, "sources");
  ck_assert_uint_eq(json_array_size(sources), D - 1);
  double sum = 0;
  for (size_t d = 0, i = 0; d < D; d++) {
    if (weights[d] == 0) continue;
    const json_t *s = json_array_get(sources, i++), *paths = json_object_get(s, "paths");
    ck_assert_str_eq(json_string_value(json_object_get(s, "source_name")), names[d]);
    double ratio = json_real_value(json_object_get(s, "target_ratio"));
    ck_assert(ratio == weights[d]);
    sum += ratio;
    ck_assert_uint_eq(json_array_size(paths), 1);
    ck_assert_str_eq(json_string_value(json_array_get(paths, 0)), path_of(&base, d));
  }
  ck_assert(fabs(sum - 1) < 1e-12);
  json_decref(root);
}
END_TEST

// What p_d must be: tokens drawn from d are then p_d L_d, in proportion to the weights.
static void check_document_shares(const double *p) {
  double sum = 0, tokens = 0;
  for (size_t d = 0; d < D; d++) {
    sum += p[d];
    tokens += p[d] * lengths[d];
  }
  ck_assert(fabs(sum - 1) < 1e-12);
  for (size_t d = 0; d < D; d++) ck_assert(fabs(p[d] * lengths[d] / tokens - weights[d]) < 1e-12);
}

static void lingua_weights(const rmx_export_request *r, double *p) {
  json_t *root = yaml_of("lingua", r), *data = json_object_get(root, "data"),
         *map = json_object_get(data, "sources");
  ck_assert_str_eq(json_string_value(json_object_get(data, "root_dir")), "");
  ck_assert_uint_eq(json_object_size(map), D - 1);
  for (size_t d = 0; d < D; d++) p[d] = json_real_value(json_object_get(map, path_of(r, d)));
  json_decref(root);
}

START_TEST(lingua) {
  double p[D];
  warnings = notes = 0;
  lingua_weights(&base, p);
  for (size_t d = 0; d < D; d++) ck_assert(p[d] == weights[d]);
  ck_assert_int_eq(warnings, 1);
  rmx_export_request r = base;
  r.tokens_per_document = lengths;
  warnings = notes = 0;
  lingua_weights(&r, p);
  check_document_shares(p);
  ck_assert_int_eq(warnings, 0);
  ck_assert_int_eq(notes, 2);  // converted; one domain left out
  rmx_buf b = written("lingua", &r);
  ck_assert(strncmp(b.data, "# Weights are shares of documents", 33) == 0);
  rmx_buf_release(&b);
  b = written("lingua", &base);
  ck_assert(strncmp(b.data, "# Weights are shares of tokens, but", 35) == 0);
  rmx_buf_release(&b);
  const double broken[D] = {100, 0, 50, 400, 10, 2000};
  r.tokens_per_document = broken;
  must_fail(rmx_export("lingua", &r, &b, err), "0 tokens per document");
}
END_TEST

// A Python string literal of our kind at *at: as JSON's.
static const char *literal(const char **at) {
  static char text[256];
  json_error_t where;
  json_t *s = json_loads(*at, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &where);
  ck_assert_msg(json_is_string(s), "no string at %s", *at);
  snprintf(text, sizeof text, "%s", json_string_value(s));
  *at += where.position;
  json_decref(s);
  return text;
}

// The lines `(name, path, weight),` between `SOURCES = [` and `]`.
static void check_sources(const char *format, const rmx_export_request *r, double *p) {
  rmx_buf b = written(format, r);
  const char *at = strstr(b.data, "SOURCES = [");
  ck_assert_ptr_nonnull(at);
  at = strchr(at, '\n') + 1;
  for (size_t d = 0; d < D; d++) {
    p[d] = 0;
    if (weights[d] == 0) continue;
    ck_assert(strncmp(at, "    (", 5) == 0);
    at += 5;
    ck_assert_str_eq(literal(&at), names[d]);
    ck_assert(strncmp(at, ", ", 2) == 0);
    at += 2;
    ck_assert_str_eq(literal(&at), path_of(r, d));
    ck_assert(strncmp(at, ", ", 2) == 0);
    char *end;
    p[d] = strtod(at + 2, &end);
    ck_assert(strncmp(end, "),\n", 3) == 0);
    at = end + 3;
  }
  ck_assert(strncmp(at, "]\n", 2) == 0);
  rmx_buf_release(&b);
}

START_TEST(python) {
  double p[D];
  rmx_export_request r = base;
  r.tokens_per_document = lengths;
  // Sequences of one length: shares of tokens, whatever the lengths of documents.
  const char *const by_sequences[] = {"litgpt", "torchtitan", "megatron-bridge"};
  for (size_t i = 0; i < 3; i++) {
    warnings = 0;
    check_sources(by_sequences[i], &r, p);
    ck_assert(memcmp(p, weights, sizeof p) == 0);
    check_sources(by_sequences[i], &base, p);
    ck_assert(memcmp(p, weights, sizeof p) == 0);
    ck_assert_int_eq(warnings, 0);
  }
  check_sources("huggingface", &r, p);
  check_document_shares(p);
  warnings = 0;
  check_sources("huggingface", &base, p);
  ck_assert(memcmp(p, weights, sizeof p) == 0);
  ck_assert_int_eq(warnings, 1);
  ck_assert_ptr_nonnull(strstr(last, "huggingface: 1 domain of weight 0 left out"));
}
END_TEST

START_TEST(numbers) {
  // PyYAML reads YAML 1.1, where a number without a point is an integer or, with an exponent, a
  // string.
  const double w[3] = {1e-5, 1 - 1e-5, 0};
  const char *const three[3] = {"a", "b", "c"};
  rmx_export_request r = {.names = three, .weights = w, .D = 3};
  rmx_buf b = written("yaml", &r);
  ck_assert_str_eq(b.data, "a: 1.0e-05\nb: 0.99999\nc: 0.0\n");
  rmx_buf_release(&b);
  // Not quite 1, as rounded files are: written as given.
  const double rounded[2] = {0.3333333, 0.6666666};
  r = (rmx_export_request){.names = three, .weights = rounded, .D = 2};
  b = written("yaml", &r);
  ck_assert_str_eq(b.data, "a: 0.3333333\nb: 0.6666666\n");
  rmx_buf_release(&b);
}
END_TEST

START_TEST(every_format) {
  const char *format[64], *help[64];
  size_t n = rmx_export_formats(format, help, 64);
  ck_assert_uint_eq(n, 25);
  ck_assert_uint_eq(rmx_export_formats(NULL, NULL, 0), n);
  rmx_export_request r = base;
  r.paths = tidy;
  r.tokens = there;
  r.budget = 1e9;
  for (size_t i = 0; i < n; i++) {
    ck_assert(*help[i]);
    rmx_buf b = written(format[i], &r);
    ck_assert_msg(!strstr(b.data, "<<") && !strstr(b.data, "\n%"),
                  "%s: the template has an error: %s", format[i], b.data);
    rmx_buf_release(&b);
    // Weights that are no mixture are refused by all.
    const double percent[D] = {50, 50}, negative[D] = {1.5, -0.5};
    rmx_export_request wrong = r;
    wrong.weights = percent;
    must_fail(rmx_export(format[i], &wrong, &b, err), "sum to 100");
    wrong.weights = negative;
    must_fail(rmx_export(format[i], &wrong, &b, err), "-0.5");
    wrong.D = 0;
    must_fail(rmx_export(format[i], &wrong, &b, err), "no domains");
    ck_assert_uint_eq(b.size, 0);
  }
}
END_TEST

START_TEST(refuses) {
  rmx_buf b = {0};
  must_fail(rmx_export("megatorn", &base, &b, err),
            "did you mean \"megatron\"? Formats: csv, json, yaml");
  ck_assert_int_eq(test_error.status, RMX_EUSAGE);
  must_fail(rmx_export("a format of another world", &base, &b, err), "huggingface");
  const char *paths[D] = {"p", "q", NULL, "s", NULL, "t"};
  rmx_export_request r = base;
  r.paths = paths;
  r.prefix = NULL;
  must_fail(rmx_export("nemo", &r, &b, err), "domain \"yes\" has no path");
  paths[2] = "r";  // the one without a path left is of weight 0
  must(rmx_export("nemo", &r, &b, err));
  rmx_buf_release(&b);
  b = (rmx_buf){0};
  paths[2] = "q";
  must_fail(rmx_export("nemo", &r, &b, err), "have the same path q");
  paths[2] = "\xFF";
  must_fail(rmx_export("nemo", &r, &b, err), "not UTF-8");
  const char *const twice[2] = {"a", "a"};
  const double half[2] = {0.5, 0.5};
  r = (rmx_export_request){.names = twice, .weights = half, .D = 2};
  must_fail(rmx_export("json", &r, &b, err), "given twice");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, own_files);
  tcase_add_test(tc, doremi);
  tcase_add_test(tc, megatron);
  tcase_add_test(tc, megatron_splits);
  tcase_add_test(tc, nemo);
  tcase_add_test(tc, gpt_neox);
  tcase_add_test(tc, nanotron);
  tcase_add_test(tc, streaming);
  tcase_add_test(tc, streaming_epoch);
  tcase_add_test(tc, repetition);
  tcase_add_test(tc, axolotl);
  tcase_add_test(tc, levanter);
  tcase_add_test(tc, many_sources);
  tcase_add_test(tc, dclm);
  tcase_add_test(tc, olmo_core);
  tcase_add_test(tc, lingua);
  tcase_add_test(tc, python);
  tcase_add_test(tc, numbers);
  tcase_add_test(tc, every_format);
  tcase_add_test(tc, refuses);
}
