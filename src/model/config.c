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

// Bounds far above any use, so that no size computed from a config overflows 64 bits.
rmx_status rmx__model_config_check(const rmx_model_config *c, rmx_err *err) {
  const struct {
    const char *name;
    int64_t value, max;
  } sizes[] = {
      {"layers", c->layers, 1024}, {"heads", c->heads, 1024},    {"width", c->width, 1 << 16},
      {"ffn", c->ffn, 1 << 20},    {"vocab", c->vocab, 1 << 24}, {"context", c->context, 1 << 20},
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].value < 1 || sizes[i].value > sizes[i].max)
      return rmx_fail(err, RMX_EINPUT, "model: %s is %lld, must lie in 1 .. %lld", sizes[i].name,
                      (long long)sizes[i].value, (long long)sizes[i].max);
  if (c->width % c->heads)
    return rmx_fail(err, RMX_EINPUT, "model: width %lld is not a multiple of heads %lld",
                    (long long)c->width, (long long)c->heads);
  if (c->width / c->heads % 2)
    return rmx_fail(
        err, RMX_EINPUT,
        "model: width / heads is %lld, must be even (rotary embedding turns pairs of channels)",
        (long long)(c->width / c->heads));
  if (!(c->rope_base > 1) || !isfinite(c->rope_base))
    return rmx_fail(err, RMX_EINPUT, "model: rope_base is %g, must be above 1 (10000 is usual)",
                    c->rope_base);
  if (!(c->norm_eps > 0) || !(c->norm_eps < 1))
    return rmx_fail(err, RMX_EINPUT,
                    "model: norm_eps is %g, must lie between 0 and 1 (1e-5 is usual)", c->norm_eps);
  return RMX_OK;
}

size_t rmx_model_parameters_body(const rmx_model_config *c) {
  const size_t L = (size_t)c->layers, C = (size_t)c->width, F = (size_t)c->ffn;
  return L * (4 * C * C + 3 * C * F + 2 * C) + C;
}

size_t rmx_model_parameters(const rmx_model_config *c) {
  return rmx_model_parameters_body(c) + 2 * (size_t)c->vocab * (size_t)c->width;
}

double rmx_model_flop_per_token(const rmx_model_config *c, int T) {
  const double L = (double)c->layers, C = (double)c->width, F = (double)c->ffn,
               V = (double)c->vocab;
  return 6 * (L * (4 * C * C + 3 * C * F) + V * C) + 6 * L * T * C;
}
