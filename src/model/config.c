// SPDX-License-Identifier: Apache-2.0
// config.c: the sizes of models: presets, bounds, what they cost.
#include <math.h>
#include <string.h>

#include "model.h"

// 1M, 60M and 1B are those of the RegMix paper (ICLR 2025); the smaller ones are for processors,
// their widths whole tiles and their learning rates measured: small models bear large ones.
const rmx_model_preset rmx_model_presets[] = {
    {"nano", 2, 2, 64, 128, 6e-3, "tests and demonstrations: seconds a run on one processor core"},
    {"micro", 2, 3, 96, 256, 5e-3, "proxies on a few processor cores"},
    {"mini", 3, 4, 128, 384, 3e-3, "proxies on a processor, a minute per million tokens"},
    {"midi", 4, 6, 192, 512, 2e-3, "the large model of an experiment with nano or micro proxies"},
    {"1M", 2, 8, 256, 512, 4e-4, "the proxy of the RegMix paper"},
    {"60M", 10, 8, 768, 1536, 4e-4, "the larger proxy of the RegMix paper"},
    {"1B", 22, 16, 2048, 5632, 4e-4, "the large model of the RegMix paper"},
};
const size_t rmx_model_presets_n = sizeof rmx_model_presets / sizeof *rmx_model_presets;

const rmx_model_preset *rmx_model_preset_find(const char *name) {
  for (size_t i = 0; i < rmx_model_presets_n; i++)
    if (!strcmp(name, rmx_model_presets[i].name)) return &rmx_model_presets[i];
  return NULL;
}

rmx_model_config rmx__model_config_full(const rmx_model_config *c) {
  rmx_model_config full = *c;
  if (!full.kv_heads) full.kv_heads = full.heads;
  if (!full.head_width && full.heads > 0) full.head_width = full.width / full.heads;
  if (full.rope_factor == 0) full.rope_factor = 1;
  return full;
}

static rmx_status check_attention(const rmx_model_config *c, rmx_err *err) {
  if (c->head_width * c->heads != c->width && c->head_width == c->width / c->heads)
    return rmx_fail(err, RMX_EINPUT, "model: width %lld is not a multiple of heads %lld",
                    (long long)c->width, (long long)c->heads);
  if (c->head_width % 2)
    return rmx_fail(
        err, RMX_EINPUT,
        "model: width / heads is %lld, must be even (rotary embedding turns pairs of channels)",
        (long long)c->head_width);
  if (c->heads % c->kv_heads)
    return rmx_fail(err, RMX_EINPUT,
                    "model: %lld heads are not a multiple of %lld heads of keys and values",
                    (long long)c->heads, (long long)c->kv_heads);
  return RMX_OK;
}

static rmx_status check_rope(const rmx_model_config *c, rmx_err *err) {
  if (!(c->rope_base > 1) || !isfinite(c->rope_base))
    return rmx_fail(err, RMX_EINPUT, "model: rope_base is %g, must be above 1 (10000 is usual)",
                    c->rope_base);
  if (!(c->rope_factor > 0) || !isfinite(c->rope_factor))
    return rmx_fail(err, RMX_EINPUT, "model: rope_factor is %g, must be above 0", c->rope_factor);
  const bool scaled = c->rope_original != 0;
  if (scaled && !(c->rope_original > 0 && c->rope_low > 0 && c->rope_high > c->rope_low &&
                  isfinite(c->rope_high)))
    return rmx_fail(err, RMX_EINPUT, "model: rope_low, rope_high or rope_original is not possible");
  return RMX_OK;
}

// Bounds far above any use, so that no size computed from a config overflows 64 bits.
rmx_status rmx__model_config_check(const rmx_model_config *c, rmx_err *err) {
  const struct {
    const char *name;
    int64_t value, max;
  } sizes[] = {
      {"layers", c->layers, 1024},     {"heads", c->heads, 1024},
      {"width", c->width, 1 << 16},    {"ffn", c->ffn, 1 << 20},
      {"vocab", c->vocab, 1 << 24},    {"context", c->context, 1 << 24},
      {"kv_heads", c->kv_heads, 1024}, {"head_width", c->head_width, 1 << 16},
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].value < 1 || sizes[i].value > sizes[i].max)
      return rmx_fail(err, RMX_EINPUT, "model: %s is %lld, must lie in 1 .. %lld", sizes[i].name,
                      (long long)sizes[i].value, (long long)sizes[i].max);
  RMX_TRY(check_attention(c, err));
  RMX_TRY(check_rope(c, err));
  if (!(c->norm_eps > 0) || !(c->norm_eps < 1))
    return rmx_fail(err, RMX_EINPUT,
                    "model: norm_eps is %g, must lie between 0 and 1 (1e-5 is usual)", c->norm_eps);
  return RMX_OK;
}

// Llama 3's scaling leaves fast pairs as they are, divides slow ones by the factor, and goes
// smoothly from one to the other between them.
double rmx__model_frequency(const rmx_model_config *c, size_t i) {
  const double plain = pow(c->rope_base, -2.0 * (double)i / (double)c->head_width);
  double kept = 0;  // the share that is not divided
  if (c->rope_original > 0) {
    const double turns = c->rope_original * plain / (2 * 3.14159265358979323846);
    kept = fmin(fmax((turns - c->rope_low) / (c->rope_high - c->rope_low), 0), 1);
  }
  return kept * plain + (1 - kept) * plain / c->rope_factor;
}

// Of the matrices of a layer.
static size_t layer_products(const rmx_model_config *c) {
  const size_t C = (size_t)c->width, F = (size_t)c->ffn;
  return 2 * C * (rmx__model_queries(c) + rmx__model_keys(c)) + 3 * C * F;
}

size_t rmx_model_parameters_body(const rmx_model_config *config) {
  const rmx_model_config c = rmx__model_config_full(config);
  const size_t L = (size_t)c.layers, C = (size_t)c.width;
  return L * (layer_products(&c) + 2 * C) + C;
}

size_t rmx_model_parameters(const rmx_model_config *c) {
  return rmx_model_parameters_body(c) + (c->tied ? 1 : 2) * (size_t)c->vocab * (size_t)c->width;
}

double rmx_model_flop_per_token(const rmx_model_config *config, int T) {
  const rmx_model_config c = rmx__model_config_full(config);
  const double L = (double)c.layers, products = (double)layer_products(&c),
               head = (double)c.vocab * (double)c.width;
  return 6 * (L * products + head) + 6 * L * T * (double)rmx__model_queries(&c);
}
