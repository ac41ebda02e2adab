// SPDX-License-Identifier: Apache-2.0
// Gradient boosting with squared error (Friedman 2001), as LightGBM does it: start at the mean;
// each round grow a tree on the gradients score - y (kept as floats, like the labels) and add
// learning_rate of it. The mean is folded into the first tree's leaves. It ends early only when no
// leaf can be split.
//
// trees.rounds = 0: the rounds are those at which the squared error summed over five folds of the
// training runs is lowest, then all runs are fitted with as many. Data held out by the caller is
// never seen.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "regress/folds.h"
#include "regress/registry.h"
#include "trees.h"

enum { MAX_ROUNDS = 3000, INNER_FOLDS = 5 };

bool rmx__tree_make(rmx_arena *arena, int leaves, rmx__tree *t) {
  size_t L = (size_t)leaves, I = L > 1 ? L - 1 : 1;
  size_t doubles = 3 * I + 2 * L, ints = 5 * I + L;
  double *d =
      rmx_arena_alloc(arena, doubles * sizeof(double) + ints * sizeof(int) + I * sizeof(float), 1);
  if (!d) return false;
  int *i = (int *)(d + doubles);
  *t = (rmx__tree){.leaves = leaves, .shrinkage = 1};
  t->threshold = d;
  t->inner_value = d + I;
  t->inner_weight = d + 2 * I;
  t->value = d + 3 * I;
  t->weight = d + 3 * I + L;
  t->feature = i;
  t->type = i + I;
  t->left = i + 2 * I;
  t->right = i + 3 * I;
  t->inner_count = i + 4 * I;
  t->count = i + 5 * I;
  t->gain = (float *)(i + ints);
  return true;
}

static void copy_tree(rmx__tree *to, const rmx__tree *from) {
  size_t L = (size_t)from->leaves, I = L - 1;
  memcpy(to->threshold, from->threshold, I * sizeof(double));
  memcpy(to->inner_value, from->inner_value, I * sizeof(double));
  memcpy(to->inner_weight, from->inner_weight, I * sizeof(double));
  memcpy(to->value, from->value, L * sizeof(double));
  memcpy(to->weight, from->weight, L * sizeof(double));
  memcpy(to->feature, from->feature, I * sizeof(int));
  memcpy(to->type, from->type, I * sizeof(int));
  memcpy(to->left, from->left, I * sizeof(int));
  memcpy(to->right, from->right, I * sizeof(int));
  memcpy(to->inner_count, from->inner_count, I * sizeof(int));
  memcpy(to->count, from->count, L * sizeof(int));
  memcpy(to->gain, from->gain, I * sizeof(float));
  to->shrinkage = from->shrinkage;
}

static double unless_tiny(double x) {
  return fabs(x) <= RMX__ZERO ? 0 : x;
}

static void scale_tree(rmx__tree *t, double factor) {
  for (int i = 0; i < t->leaves; i++) t->value[i] = unless_tiny(t->value[i] * factor);
  for (int i = 0; i < t->leaves - 1; i++)
    t->inner_value[i] = unless_tiny(t->inner_value[i] * factor);
  t->shrinkage *= factor;
}

static void shift_tree(rmx__tree *t, double by) {
  for (int i = 0; i < t->leaves; i++) t->value[i] = unless_tiny(t->value[i] + by);
  for (int i = 0; i < t->leaves - 1; i++) t->inner_value[i] = unless_tiny(t->inner_value[i] + by);
  t->shrinkage = 1;
}

// What describes the domains in the text model: names without white space and JSON's own
// characters, ranges.
static rmx_status describe(rmx__forest *f, const rmx_dataset *data, const rmx__bins *bins,
                           const rmx_trees_options *o, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  bool failed = false;
  for (size_t d = 0; d < f->D && !failed; d++) {
    text.size = 0;
    if (data->domains)
      rmx_buf_puts(&text, data->domains[d]);
    else
      rmx_buf_printf(&text, "Column_%zu", d);
    for (size_t i = 0; i < text.size; i++)
      if ((unsigned char)text.data[i] <= ' ' || strchr("\",:[]{}", text.data[i]))
        text.data[i] = '_';
    f->names[d] = text.failed || !text.data ? NULL : rmx_arena_strdup(&f->arena, text.data);
    text.size = 0;
    if (bins->n[d] > 1)
      rmx_buf_printf(&text, "[%.17g:%.17g]", bins->min[d], bins->max[d]);
    else
      rmx_buf_puts(&text, "none");
    f->infos[d] = text.failed ? NULL : rmx_arena_strdup(&f->arena, text.data);
    failed = !f->names[d] || !f->infos[d];
  }
  text.size = 0;
  rmx_buf_printf(
      &text,
      "[boosting: gbdt]\n[objective: regression]\n[num_iterations: %zu]\n[learning_rate: "
      "%g]\n[num_leaves: "
      "%lld]\n"
      "[max_depth: %lld]\n[min_data_in_leaf: %lld]\n[min_sum_hessian_in_leaf: %g]\n[lambda_l1: "
      "%g]\n[lambda_l2: %g]\n"
      "[min_gain_to_split: %g]\n[max_bin: %lld]\n[min_data_in_bin: %lld]\n[boost_from_average: "
      "1]\n\n"
      "end of parameters\n\npandas_categorical:null\n",
      f->n, o->learning_rate, (long long)o->leaves, (long long)o->max_depth,
      (long long)o->min_data_in_leaf, o->min_hessian, o->lambda_l1, o->lambda_l2, o->min_gain,
      (long long)o->max_bin, (long long)o->min_data_in_bin);
  f->parameters = text.failed || failed ? NULL : rmx_arena_strdup(&f->arena, text.data);
  return f->parameters ? RMX_OK : rmx_fail_memory(err, f->D * 64, "a model of trees");
}

// What the rounds of boosting work on.
struct boosting {
  const rmx_trees_options *o;
  const rmx_dataset *data, *valid;  // valid: NULL, or rows whose errors are wanted
  double *score, *seen;             // (N), (V) of valid: the sum of the trees so far
  float *label, *gradient, *hessian;
  int *leaf_of;  // (N)
  rmx__grower *grower;
  rmx__tree tree;  // of this round
  double start;    // the mean of the labels
  double total;    // the sum of the row weights
  bool constant;
};

static bool allocate(rmx_arena *arena, const rmx__bins *bins, struct boosting *b) {
  const size_t N = b->data->N, V = b->valid ? b->valid->N : 0;
  size_t max_leaves = N / (size_t)b->o->min_data_in_leaf;  // a tree cannot have more
  if (max_leaves > (size_t)b->o->leaves) max_leaves = (size_t)b->o->leaves;
  if (max_leaves < 1) max_leaves = 1;
  b->score = rmx_arena_alloc(arena, N, sizeof(double));
  b->seen = rmx_arena_alloc(arena, V, sizeof(double));
  b->label = rmx_arena_alloc(arena, N, sizeof(float));
  b->gradient = rmx_arena_alloc(arena, N, sizeof(float));
  b->hessian = rmx_arena_alloc(arena, N, sizeof(float));
  b->leaf_of = rmx_arena_alloc(arena, N, sizeof(int));
  b->grower = rmx__grower_make(arena, bins, b->o, b->data->row_weights);
  return b->score && b->seen && b->label && b->gradient && b->hessian && b->leaf_of && b->grower &&
         rmx__tree_make(arena, (int)max_leaves, &b->tree);
}

// Every score is the mean at first. A constant is given as it came, not as its float.
static void start_at_mean(struct boosting *b) {
  const rmx_dataset *data = b->data;
  double sum = 0;
  b->constant = true;
  for (size_t i = 0; i < data->N; i++) {
    b->label[i] = (float)data->y[i];
    b->hessian[i] = data->row_weights ? (float)data->row_weights[i] : 1.0f;
    sum += data->row_weights ? (double)(b->label[i] * b->hessian[i]) : b->label[i];
    b->total += b->hessian[i];
    b->constant &= data->y[i] == data->y[0];
  }
  b->start = b->constant ? data->y[0] : sum / b->total;
  for (size_t i = 0; i < data->N; i++) b->score[i] = b->start;
  for (size_t i = 0; b->valid && i < b->valid->N; i++) b->seen[i] = b->start;
}

static void grow_on_gradients(struct boosting *b) {
  const rmx_dataset *data = b->data;
  for (size_t i = 0; i < data->N; i++) {
    float g = (float)(b->score[i] - b->label[i]);
    b->gradient[i] = data->row_weights ? (float)((b->score[i] - b->label[i]) * b->hessian[i]) : g;
  }
  b->tree.leaves = 1;
  if (!b->constant) rmx__grow(b->grower, b->gradient, b->hessian, &b->tree, b->leaf_of);
}

static void add_errors(const struct boosting *b, double *squared_error) {
  for (size_t i = 0; i < b->valid->N; i++)
    *squared_error += (b->seen[i] - b->valid->y[i]) * (b->seen[i] - b->valid->y[i]);
}

// Nothing can be split: the mean is the model.
static rmx_status put_mean(const struct boosting *b, rmx__forest *f, rmx_err *err) {
  rmx__tree *t = &f->trees[f->n++];
  if (!rmx__tree_make(&f->arena, 1, t)) return rmx_fail_memory(err, sizeof *t, "a tree");
  t->value[0] = b->start;
  t->count[0] = (int)b->data->N;
  t->weight[0] = b->total;
  return RMX_OK;
}

static rmx_status put_tree(struct boosting *b, rmx__forest *f, rmx_err *err) {
  if (f->n == 0) shift_tree(&b->tree, b->start);
  if (!rmx__tree_make(&f->arena, b->tree.leaves, &f->trees[f->n]))
    return rmx_fail_memory(err, sizeof b->tree, "a tree");
  copy_tree(&f->trees[f->n++], &b->tree);
  return RMX_OK;
}

// With rows to validate on, only the errors are wanted, and the forest stays empty.
static rmx_status do_rounds(struct boosting *b, size_t rounds, double *squared_error,
                            rmx__forest *f, rmx_err *err) {
  for (size_t r = 0; r < rounds; r++) {
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while fitting trees");
    grow_on_gradients(b);
    if (b->tree.leaves < 2) {
      for (size_t later = r; b->valid && later < rounds; later++)
        add_errors(b, &squared_error[later]);
      return r == 0 ? put_mean(b, f, err) : RMX_OK;
    }
    scale_tree(&b->tree, b->o->learning_rate);
    for (size_t i = 0; i < b->data->N; i++) b->score[i] += b->tree.value[b->leaf_of[i]];
    for (size_t i = 0; b->valid && i < b->valid->N; i++)
      b->seen[i] += rmx__tree_predict(&b->tree, b->valid->X + i * b->data->D);
    if (b->valid)
      add_errors(b, &squared_error[r]);
    else
      RMX_TRY(put_tree(b, f, err));
  }
  return RMX_OK;
}

rmx_status rmx__boost(const rmx_trees_options *o, size_t rounds, const rmx_dataset *data,
                      const rmx_dataset *valid, double *squared_error, rmx__forest **out,
                      rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  RMX_OWNED_BY(rmx__forest_free_at) rmx__forest *f = rmx__forest_make(data->D);
  struct boosting b = {.o = o, .data = data, .valid = valid && valid->N ? valid : NULL};
  rmx__bins bins;
  if (!f) return rmx_fail_memory(err, sizeof *f, "a model of trees");
  RMX_TRY(rmx__bins_make(&arena, data->X, data->N, data->D, o, &bins, err));
  f->trees = rmx_arena_alloc(&f->arena, rounds, sizeof(rmx__tree));
  if (!f->trees || !allocate(&arena, &bins, &b))
    return rmx_fail_memory(err, data->N * 32 + rounds * sizeof(rmx__tree), "boosting");
  start_at_mean(&b);
  RMX_TRY(do_rounds(&b, rounds, squared_error, f, err));
  *out = NULL;
  if (b.valid) return RMX_OK;
  RMX_TRY(describe(f, data, &bins, o, err));
  RMX_TRY(rmx__forest_compile(f, err));
  *out = f;
  f = NULL;
  return RMX_OK;
}

static rmx_status choose_rounds(const rmx_trees_options *o, const rmx_dataset *data, uint64_t seed,
                                size_t *rounds, rmx_err *err) {
  size_t N = data->N, D = data->D;
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  double *error = rmx_arena_alloc(&arena, MAX_ROUNDS, sizeof(double)),
         *X = rmx_arena_alloc(&arena, N * D, sizeof(double));
  double *y = rmx_arena_alloc(&arena, N, sizeof(double)),
         *weights = rmx_arena_alloc(&arena, N, sizeof(double));
  int *fold = rmx_arena_alloc(&arena, N, sizeof(int));
  if (!error || !X || !y || !weights || !fold)
    return rmx_fail_memory(err, N * D * sizeof(double), "choosing trees.rounds");
  size_t k = rmx__folds(data->groups, N, INNER_FOLDS, seed, fold);
  for (size_t held = 0; held < k && k > 1; held++) {
    // Training rows are gathered from the front, held ones from the back.
    size_t n = 0, back = N;
    for (size_t i = 0; i < N; i++) {
      size_t to = fold[i] == (int)held ? --back : n++;
      memcpy(X + to * D, data->X + i * D, D * sizeof(double));
      y[to] = data->y[i];
      weights[to] = data->row_weights ? data->row_weights[i] : 1;
    }
    rmx_dataset train = *data, valid = *data;
    train.N = n;
    train.X = X;
    train.y = y;
    train.row_weights = data->row_weights ? weights : NULL;
    valid.N = N - n;
    valid.X = X + n * D;
    valid.y = y + n;
    rmx__forest *none;
    RMX_TRY(rmx__boost(o, MAX_ROUNDS, &train, &valid, error, &none, err));
  }
  *rounds = 1;
  for (size_t r = 1; r < MAX_ROUNDS; r++)
    if (error[r] < error[*rounds - 1]) *rounds = r + 1;
  return RMX_OK;
}

static rmx_status fit(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                      const rmx_listener *listener, void **state, rmx_err *err) {
  const rmx_trees_options *o = &options->trees;
  const char *metric = data->metric ? data->metric : "";
  if (o->rounds < 0 || o->leaves < 2 || o->min_data_in_leaf < 1 || o->max_bin < 2 ||
      o->max_bin > 65535 || o->min_data_in_bin < 0 || !(o->learning_rate > 0) ||
      !(o->lambda_l1 >= 0) || !(o->lambda_l2 >= 0))
    return rmx_fail(
        err, RMX_EINPUT,
        "trees: wanted rounds >= 0, leaves >= 2, min_data_in_leaf >= 1, max_bin 2 to 65535, "
        "learning_rate > 0, "
        "penalties >= 0");
  size_t rounds = (size_t)o->rounds, needed = 2 * (size_t)o->min_data_in_leaf;
  if (data->N < needed)
    rmx_warn(listener,
             "metric \"%s\": %zu runs cannot be split into leaves of %lld: trees predict the mean "
             "everywhere; train %zu runs or more, "
             "lower trees.min_data_in_leaf, or use the ridge regressor",
             metric, data->N, (long long)o->min_data_in_leaf, needed);
  if (rounds == 0) {
    RMX_TRY(choose_rounds(o, data, seed, &rounds, err));
    rmx_note(listener, "metric \"%s\": %zu rounds of trees, by cross-validation inside the runs",
             metric, rounds);
  }
  rmx__forest *f = NULL;
  RMX_TRY(rmx__boost(o, rounds, data, NULL, NULL, &f, err));
  *state = f;
  return RMX_OK;
}

static void predict(const void *state, const double *X, size_t n, double *mean, double *sd) {
  rmx__forest_predict(state, X, n, mean);
  for (size_t i = 0; sd && i < n; i++) sd[i] = NAN;
}

static rmx_status write(const void *state, const char *path, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  RMX_TRY(rmx__forest_text(state, &text, err));
  return rmx_write_file(path, text.data, text.size, err);
}

static rmx_status read(const char *text, size_t size, const char *path, void **state, size_t *D,
                       rmx_err *err) {
  rmx__forest *f = NULL;
  RMX_TRY(rmx__forest_parse(text, size, path, &f, err));
  *state = f;
  *D = f->D;
  return RMX_OK;
}

static void release(void *state) {
  rmx__forest_free(state);
}

const rmx__regressor_kind rmx__trees = {
    .name = "trees",
    .help = "boosted trees, LightGBM's algorithm and files",
    .extension = "txt",
    .fit = fit,
    .predict = predict,
    .write = write,
    .read = read,
    .release = release,
};
