// SPDX-License-Identifier: Apache-2.0
// Opens a model: its sizes, then its tensors, each with the shape that the sizes give it.
#include <regmix/model.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "base/stamp.h"
#include "lm.h"
#include "model/model.h"
#include "safetensors.h"

enum { MAX_SHARDS = 4096 };

// ---- memory ----------------------------------------------------------------

static float *take(float **at, size_t n) {
  float *piece = *at;
  *at += n;
  return piece;
}

// Points into `block`, or only counts where it is NULL.
static size_t place(rmx_lm *m, float *block) {
  const rmx_lm_config *c = &m->c;
  const size_t C = (size_t)c->width, F = (size_t)c->ffn, V = (size_t)c->vocab,
               HS = (size_t)(c->heads * c->head_width), Q = rmx__lm_qkv(c);
  const size_t layer = C + Q * C + C * HS + C + 2 * F * C + C * F;
  const size_t all = (c->tied ? 1 : 2) * V * C + C + (size_t)c->layers * layer;
  if (!block) return all;
  float *at = block;
  m->embedding = take(&at, V * C);
  for (size_t l = 0; l < (size_t)c->layers; l++)
    m->layers[l] = (struct rmx__lm_layer){.attention_norm = take(&at, C),
                                          .qkv = take(&at, Q * C),
                                          .out = take(&at, C * HS),
                                          .ffn_norm = take(&at, C),
                                          .gate_up = take(&at, 2 * F * C),
                                          .down = take(&at, C * F)};
  m->norm = take(&at, C);
  m->head = c->tied ? m->embedding : take(&at, V * C);
  return all;
}

rmx_status rmx__lm_lay_out(rmx_lm *m, rmx_err *err) {
  m->numbers = place(m, NULL);
  m->layers = rmx_calloc((size_t)m->c.layers, sizeof *m->layers);
  m->frequency = rmx_calloc((size_t)m->c.head_width / 2, sizeof *m->frequency);
  m->block = rmx_calloc(m->numbers, sizeof *m->block);
  if (!m->layers || !m->frequency || !m->block)
    return rmx_fail_memory(err, m->numbers * sizeof(float), "the weights of a model");
  place(m, m->block);
  for (size_t i = 0; i < (size_t)m->c.head_width / 2; i++)
    m->frequency[i] = rmx__model_frequency(&m->c, i);
  return RMX_OK;
}

// ---- tensors ----------------------------------------------------------------

struct shards {
  rmx__safetensors *files;  // (n)
  rmx_strings paths;
  size_t n;
  json_t *map;  // of the index: the file of each tensor; NULL: there is no index
};

static void release_shards(struct shards *s) {
  for (size_t i = 0; i < s->n; i++) rmx__safetensors_release(&s->files[i]);
  free(s->files);
  rmx_strings_release(&s->paths);
  json_decref(s->map);
  *s = (struct shards){0};
}

// The files that the index names; a name that leaves the folder is refused.
static rmx_status list_shards(const char *folder, const char *index, rmx_strings *out,
                              json_t **map_of, rmx_err *err) {
  json_t *o, *file;
  const char *tensor;
  RMX_TRY(rmx__json_read(index, &o, err));
  rmx_status status = RMX_OK;
  json_t *map = json_object_get(o, "weight_map");
  if (!json_is_object(map)) status = rmx_fail(err, RMX_EINPUT, "%s: has no \"weight_map\"", index);
  json_object_foreach(map, tensor, file) {
    const char *name = json_string_value(file);
    if (!name || strchr(name, '/') || out->n >= MAX_SHARDS)
      status = rmx_fail(err, RMX_EINPUT, "%s: \"%.60s\" is in a file with an impossible name",
                        index, tensor);
    if (status != RMX_OK) break;
    RMX_OWNED char *path = rmx_path_in(folder, name);
    if (!path || (!rmx_strings_have(out, path) && !rmx_strings_add(out, path)))
      status = rmx_fail_memory(err, 0, "the names of the files of a model");
  }
  if (status == RMX_OK && map_of) *map_of = json_incref(map);
  json_decref(o);
  return status;
}

// Models of PyTorch's own format are common, so they are named.
static rmx_status refuse_pickles(const char *folder, rmx_err *err) {
  static const char *const names[] = {"pytorch_model.bin", "pytorch_model.bin.index.json",
                                      "consolidated.00.pth"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    RMX_OWNED char *path = rmx_path_in(folder, names[i]);
    if (path && rmx_exists(path))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: has its weights in %s; convert them to safetensors "
                      "(model.save_pretrained(DIR, safe_serialization=True) of transformers)",
                      folder, names[i]);
  }
  return RMX_OK;
}

// The files of a model: one, or its shards. *map (may be NULL) is that of the index.
static rmx_status list_files(const char *folder, rmx_strings *out, json_t **map, rmx_err *err) {
  RMX_OWNED char *one = rmx_path_in(folder, "model.safetensors");
  RMX_OWNED char *index = rmx_path_in(folder, "model.safetensors.index.json");
  if (!one || !index) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(one) && rmx_exists(index)) return list_shards(folder, index, out, map, err);
  if (!rmx_exists(one)) RMX_TRY(refuse_pickles(folder, err));
  return rmx_strings_add(out, one) ? RMX_OK : rmx_fail_memory(err, 0, "a path");
}

static bool is_rotary(const char *name) {
  return strstr(name, "rotary_emb.inv_freq") != NULL;
}

// The index and the shards agree on where each tensor is.
static rmx_status check_index(const struct shards *s, const char *folder, rmx_err *err) {
  const char *name;
  json_t *file;
  for (size_t i = 0; s->map && i < s->n; i++) {
    const char *own = rmx__file_name(s->paths.items[i]);
    for (size_t j = 0; j < s->files[i].n; j++) {
      const char *of = s->files[i].tensors[j].name;
      const char *said = json_string_value(json_object_get(s->map, of));
      if (is_rotary(of) || (said && strcmp(said, own) == 0)) continue;
      return rmx_fail(err, RMX_EINPUT, "%s: tensor \"%.80s\" is in %s, the index says %s", folder,
                      of, own, said ? said : "nothing of it");
    }
    json_object_foreach(s->map, name, file)
      if (strcmp(json_string_value(file), own) == 0 && !rmx__safetensors_find(&s->files[i], name))
        return rmx_fail(err, RMX_EINPUT,
                        "%s: the index says that tensor \"%.80s\" is in %s, where it is not",
                        folder, name, own);
  }
  return RMX_OK;
}

static rmx_status open_shards(const char *folder, struct shards *s, rmx_err *err) {
  RMX_TRY(list_files(folder, &s->paths, &s->map, err));
  s->files = rmx_calloc(s->paths.n + 1, sizeof *s->files);
  if (!s->files) return rmx_fail_memory(err, s->paths.n * sizeof *s->files, "a list of files");
  for (size_t i = 0; i < s->paths.n; i++, s->n++)
    RMX_TRY(rmx__safetensors_open(&s->files[i], s->paths.items[i], err));
  // What this program wrote must be as it was written.
  for (size_t i = 0; i < s->n; i++)
    if (rmx__safetensors_text(&s->files[i], "regmix"))
      RMX_TRY(rmx__safetensors_check(&s->files[i], s->paths.items[i], err));
  return check_index(s, folder, err);
}

// By their bits: a compiler may believe that all numbers are finite.
static rmx_status check_finite(const float *x, size_t n, const char *path, const char *name,
                               rmx_err *err) {
  size_t wrong = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    wrong += (bits & 0x7f800000) == 0x7f800000;
  }
  if (!wrong) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: %zu of %zu numbers of tensor \"%.80s\" are NaN or infinite; the training that "
      "made the model may have diverged",
      path, wrong, n, name);
}

// "2 x 3"
static const char *shape_of(const rmx__safetensor *t, char out[128]) {
  size_t at = (size_t)snprintf(out, 128, "%s", t->ndim ? "" : "without dimensions");
  for (size_t d = 0; d < t->ndim && at < 100; d++)
    at += (size_t)snprintf(out + at, 128 - at, "%s%zu", d ? " x " : "", t->shape[d]);
  return out;
}

// Reads a tensor of (rows, columns), or of (rows) where columns is 0.
static rmx_status read_into(struct shards *s, const char *folder, const char *name, size_t rows,
                            size_t columns, float *out, rmx_err *err) {
  const rmx__safetensor *t = NULL;
  char wanted[64], shape[128];
  size_t in = 0;
  while (in < s->n && !(t = rmx__safetensors_find(&s->files[in], name))) in++;
  if (!t)
    return rmx_fail(err, RMX_EINPUT, "%s: there is no tensor \"%s\", which config.json asks for",
                    folder, name);
  if (!rmx__safetensor_readable(t))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: tensor \"%s\" has numbers of the type %s; F32, F16 and BF16 can be read",
                    s->paths.items[in], name, t->type);
  snprintf(wanted, sizeof wanted, columns ? "%zu x %zu" : "%zu", rows, columns);
  if (t->ndim != (columns ? 2 : 1) || t->shape[0] != rows || (columns && t->shape[1] != columns))
    return rmx_fail(err, RMX_EINPUT, "%s: tensor \"%s\" has the shape %s, config.json wants %s",
                    s->paths.items[in], name, shape_of(t, shape), wanted);
  rmx__safetensor_floats(t, out);
  s->files[in].tensors[t - s->files[in].tensors].taken = true;
  return check_finite(out, t->numbers, s->paths.items[in], name, err);
}

static rmx_status read_layer(struct shards *s, const char *folder, const rmx_lm *m, size_t l,
                             rmx_err *err) {
  const struct rmx__lm_layer *to = &m->layers[l];
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn,
               HS = (size_t)(m->c.heads * m->c.head_width),
               KS = (size_t)(m->c.kv_heads * m->c.head_width);
  const struct {
    const char *name;
    size_t rows, columns;
    float *out;
  } tensors[] = {{"input_layernorm", C, 0, to->attention_norm},
                 {"self_attn.q_proj", HS, C, to->qkv},
                 {"self_attn.k_proj", KS, C, to->qkv + HS * C},
                 {"self_attn.v_proj", KS, C, to->qkv + (HS + KS) * C},
                 {"self_attn.o_proj", C, HS, to->out},
                 {"post_attention_layernorm", C, 0, to->ffn_norm},
                 {"mlp.gate_proj", F, C, to->gate_up},
                 {"mlp.up_proj", F, C, to->gate_up + F * C},
                 {"mlp.down_proj", C, F, to->down}};
  for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
    char name[96];
    snprintf(name, sizeof name, "model.layers.%zu.%s.weight", l, tensors[i].name);
    RMX_TRY(read_into(s, folder, name, tensors[i].rows, tensors[i].columns, tensors[i].out, err));
  }
  return RMX_OK;
}

// A tensor beyond those of the config would change the results: a bias, a norm of queries, one more
// layer. What can be computed from the others may be there.
static rmx_status check_others(const struct shards *s, const rmx_lm *m, rmx_err *err) {
  size_t others = 0, file = 0;
  const char *name = NULL;
  for (size_t i = 0; i < s->n; i++)
    for (size_t j = 0; j < s->files[i].n; j++) {
      const rmx__safetensor *t = &s->files[i].tensors[j];
      if (t->taken || is_rotary(t->name)) continue;
      if (m->c.tied && strcmp(t->name, "lm_head.weight") == 0) continue;
      if (others++ == 0) name = t->name, file = i;
    }
  if (others == 0) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: has %zu tensor%s that a Llama of config.json's sizes does not have: \"%.80s\"%s",
      s->paths.items[file], others, rmx_s((double)others), name, others > 1 ? ", ..." : "");
}

static rmx_status read_tensors(const char *folder, rmx_lm *m, rmx_err *err) {
  RMX_OWNED_BY(release_shards) struct shards s = {0};
  const size_t C = (size_t)m->c.width, V = (size_t)m->c.vocab, wanted = place(m, NULL);
  size_t bytes = 0;
  RMX_TRY(open_shards(folder, &s, err));
  for (size_t i = 0; i < s.n; i++) bytes += s.files[i].map.size;
  if (wanted > bytes / 2)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: config.json wants %zu numbers, and the safetensors files have %zu bytes; "
                    "they may belong to another model",
                    folder, wanted, bytes);
  RMX_TRY(rmx__lm_lay_out(m, err));
  RMX_TRY(read_into(&s, folder, "model.embed_tokens.weight", V, C, m->embedding, err));
  for (size_t l = 0; l < (size_t)m->c.layers; l++) RMX_TRY(read_layer(&s, folder, m, l, err));
  RMX_TRY(read_into(&s, folder, "model.norm.weight", C, 0, m->norm, err));
  if (!m->c.tied) RMX_TRY(read_into(&s, folder, "lm_head.weight", V, C, m->head, err));
  return check_others(&s, m, err);
}

// ---- files of this program, with the config inside -----------------------------

// The tensors of a model of this program lie in the order of place(), but for the head's.
static rmx_status copy_model(const char *path, const rmx_model_config *c, rmx_lm *m, rmx_err *err) {
  rmx_model *from;
  RMX_TRY(rmx_model_new(c, 1, 1, false, m->threaded.k, 0, &from, err));
  rmx_status status = rmx_model_load(from, path, NULL, err);
  const rmx_tensor *tensors;
  const size_t n = rmx_model_tensors(from, &tensors);
  float *to = m->block;
  for (size_t i = 0; status == RMX_OK && i < n; i++) {
    memcpy(to, rmx_model_weights(from) + tensors[i].offset, tensors[i].size * sizeof *to);
    status = check_finite(to, tensors[i].size, path, tensors[i].name, err);
    to += tensors[i].size;
  }
  rmx_model_free(from);
  return status;
}

static rmx_status read_own(const char *path, rmx_lm *m, rmx_err *err) {
  rmx_model_config c;
  RMX_TRY(rmx_model_read_config(path, &c, err));
  m->c = c;
  RMX_TRY(rmx__lm_lay_out(m, err));
  return copy_model(path, &c, m, err);
}

// ---- open ------------------------------------------------------------------

static rmx_status set_threads(rmx_lm *m, int threads, rmx_err *err) {
  const size_t each = rmx__gemm_scratch();
  if (threads < 1 || threads > RMX__MAX_THREADS)
    return rmx_fail(err, RMX_EUSAGE, "%d threads, wanted 1 to %d", threads, RMX__MAX_THREADS);
  m->scratch = rmx_calloc(each * (size_t)threads, sizeof *m->scratch);
  if (!m->scratch) return rmx_fail_memory(err, each * sizeof(float), "the threads of a model");
  for (int i = 0; i < threads; i++) m->threaded.scratch[i] = m->scratch + (size_t)i * each;
  m->threaded.threads = (size_t)threads;
  return threads > 1 ? rmx_pool_new(threads, &m->threaded.pool, err) : RMX_OK;
}

// Which of the kinds of models is at `path`: *own is the file of one with its config inside, or
// NULL if there is a config.json.
static rmx_status look(const char *path, char **own, rmx_err *err) {
  RMX_OWNED char *config = rmx_path_in(path, "config.json");
  RMX_OWNED char *inside = rmx_path_in(path, ".");
  *own = NULL;
  if (!config || !inside) return rmx_fail_memory(err, 0, "a path");
  if (rmx_exists(config)) return RMX_OK;
  const bool folder = rmx_exists(inside);
  if (!(*own = folder ? rmx_model_path(path) : rmx_strdup(path)))
    return rmx_fail_memory(err, 0, "a path");
  if (!folder || rmx_exists(*own)) return RMX_OK;
  RMX_TRY(refuse_pickles(path, err));
  return rmx_fail(err, RMX_EINPUT,
                  "%s: holds no model: wanted config.json with model.safetensors, or model.bin",
                  path);
}

// ---- the hash that identifies a model ------------------------------------------------

static rmx_status hash_file(const char *path, uint64_t *hash, rmx_err *err) {
  rmx_err ignored;
  uint64_t own;
  if (rmx_model_file_hash(path, &own, &ignored) != RMX_OK)
    return rmx__file_hash(path, *hash, hash, err);
  *hash = rmx_hash(&own, sizeof own, *hash);
  return RMX_OK;
}

rmx_status rmx_lm_hash(const char *path, uint64_t *hash, rmx_err *err) {
  RMX_OWNED char *own = NULL;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings files = {0};
  *hash = 0;
  RMX_TRY(look(path, &own, err));
  if (own) return hash_file(own, hash, err);
  RMX_OWNED char *config = rmx_path_in(path, "config.json");
  if (!config) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(list_files(path, &files, NULL, err));
  RMX_TRY(rmx__file_hash(config, 0, hash, err));
  for (size_t i = 0; i < files.n; i++) RMX_TRY(hash_file(files.items[i], hash, err));
  return RMX_OK;
}

// ---- open ------------------------------------------------------------------

static rmx_status read_config(const char *path, rmx_lm_config *out, rmx_err *err) {
  RMX_OWNED char *config = rmx_path_in(path, "config.json");
  return config ? rmx__lm_read_config(config, out, err) : rmx_fail_memory(err, 0, "a path");
}

static rmx_status read_any(const char *path, rmx_lm *m, rmx_err *err) {
  RMX_OWNED char *own = NULL;
  RMX_TRY(look(path, &own, err));
  if (own) return read_own(own, m, err);
  RMX_TRY(read_config(path, &m->c, err));
  return read_tensors(path, m, err);
}

rmx_status rmx_lm_read_config(const char *path, rmx_lm_config *out, rmx_err *err) {
  RMX_OWNED char *own = NULL;
  RMX_TRY(look(path, &own, err));
  return own ? rmx_model_read_config(own, out, err) : read_config(path, out, err);
}

rmx_status rmx_lm_open(const char *path, const rmx_kernels *k, int threads, rmx_lm **out,
                       rmx_err *err) {
  rmx_lm *m = rmx_calloc(1, sizeof *m);
  if (!m) return rmx_fail_memory(err, sizeof *m, "a model");
  m->threaded.k = k;
  rmx_status status = set_threads(m, threads, err);
  if (status == RMX_OK) status = read_any(path, m, err);
  if (status != RMX_OK) {
    rmx_lm_free(m);
    return status;
  }
  *out = m;
  return RMX_OK;
}

void rmx_lm_free(rmx_lm *m) {
  if (!m) return;
  rmx_pool_free(m->threaded.pool);
  free(m->layers);
  free(m->frequency);
  free(m->block);
  free(m->scratch);
  free(m);
}

const rmx_lm_config *rmx_lm_config_of(const rmx_lm *m) {
  return &m->c;
}

size_t rmx_lm_parameters(const rmx_lm *m) {
  return m->numbers;
}

rmx_status rmx_lm_kernels(const char *isa, const rmx_kernels **out, rmx_err *err) {
  const char *names[16];
  RMX_TRY(rmx_kernels_get(isa, out, err));
  for (size_t n = rmx_kernels_available(names, 16); (*out)->bf16 && n > 0; n--)
    RMX_TRY(rmx_kernels_get(names[n - 1], out, err));
  return RMX_OK;
}
