// SPDX-License-Identifier: Apache-2.0
// How fast a training goes here: whole optimiser steps, data among them, on a corpus of random
// tokens.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/c_number.h"
#include "base/order.h"
#include "step.h"

enum { MAX_STEPS = 4096 };

struct measured {
  rmx_domain domain;
  rmx_corpus corpus;
  const char *name;
  uint32_t *ids;
  rmx_model_config config;
  struct rmx__stepper stepper;
  double *step_s;  // (MOST_STEPS) seconds of each
  double *parts;   // (rmx_model_parts_n)
  double data_s;
};

static double processor_s(void) {
  struct timespec t;
  return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0
             ? (double)t.tv_sec + 1e-9 * (double)t.tv_nsec
             : 0;
}

static rmx_status set_up(struct measured *m, const rmx_training *t, int vocab,
                         const rmx_kernels *kernels, rmx_err *err) {
  RMX_TRY(rmx_training_model(t, vocab, &m->config, err));
  const size_t T = (size_t)t->context, n = T < 1 << 16 ? (size_t)1 << 20 : 16 * T;
  m->ids = rmx_calloc(n, sizeof *m->ids);
  m->step_s = rmx_calloc(MAX_STEPS + rmx_model_parts_n, sizeof *m->step_s);
  if (!m->ids || !m->step_s) return rmx_fail_memory(err, n * sizeof *m->ids, "a measurement");
  m->parts = m->step_s + MAX_STEPS;
  rmx_rng rng = rmx_rng_make(0, 0, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) m->ids[i] = (uint32_t)rmx_rng_below(&rng, (uint64_t)vocab);
  m->name = "random";
  m->domain = (rmx_domain){.train_tokens = n, .width = 4, .train = m->ids};
  m->corpus =
      (rmx_corpus){.D = 1, .D_train = 1, .domains = &m->domain, .names = &m->name, .vocab = vocab};
  m->stepper.training = t;
  m->stepper.data_s = &m->data_s;
  RMX_TRY(rmx__stepper_make(&m->stepper, err));
  RMX_TRY(rmx_stream_fixed(&m->corpus, (double[]){1}, (int)T, 0, &m->stepper.stream, err));
  RMX_TRY(rmx_model_new(&m->config, m->stepper.micro, (int)T, true, kernels, 0, &m->stepper.model,
                        err));
  return rmx_model_threads(m->stepper.model, rmx_training_threads(t, 1), err);
}

// The first step warms caches and pages and is not counted. The median, since other load on the
// machine is not a property of the training.
static rmx_status train(struct measured *m, double seconds, rmx_speed *out, rmx_err *err) {
  size_t n = 0;
  double whole = 0, loss, norm;
  RMX_TRY(rmx__stepper_take(&m->stepper, 1e-4, &loss, &norm, err));
  m->data_s = 0;
  if (out->parts) rmx_model_clock(m->stepper.model, m->parts);
  const double processor = processor_s();
  while (n == 0 || (whole < seconds && n < MAX_STEPS)) {
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while measuring");
    const double before = rmx_now();
    RMX_TRY(rmx__stepper_take(&m->stepper, 1e-4, &loss, &norm, err));
    m->step_s[n] = rmx_now() - before;
    whole += m->step_s[n++];
  }
  rmx_model_clock(m->stepper.model, NULL);
  out->processor = (processor_s() - processor) / whole;
  double accounted = m->data_s;
  for (size_t i = 0; i < rmx_model_parts_n; i++) accounted += m->parts[i];
  for (size_t i = 0; out->parts && i < rmx_model_parts_n; i++) out->parts[i] = m->parts[i] / whole;
  out->data = m->data_s / whole;
  out->other = 1 - accounted / whole;
  qsort(m->step_s, n, sizeof *m->step_s, rmx__ascending);
  const rmx_training *t = m->stepper.training;
  out->tokens_per_s = (double)(rmx_training_batch(t) * t->context) / m->step_s[n / 2];
  return RMX_OK;
}

static void validate(struct measured *m, double seconds, rmx_speed *out) {
  const rmx_batch *b = &m->stepper.batch;
  size_t n = 0;
  for (double whole = 0; n == 0 || (whole < seconds && n < MAX_STEPS && !rmx_interrupted());) {
    const double before = rmx_now();
    rmx_model_losses(m->stepper.model, b->tokens, b->labels, b->B, b->T, m->stepper.losses);
    m->step_s[n] = rmx_now() - before;
    whole += m->step_s[n++];
  }
  qsort(m->step_s, n, sizeof *m->step_s, rmx__ascending);
  out->valid_tokens_per_s = (double)b->B * b->T / m->step_s[n / 2];
}

// "VmRSS" or "RssAnon" of this process.
static double memory_mib(const char *key) {
  char line[256];
  double kib = 0;
  FILE *f = rmx_fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
      kib = rmx__strtod(line + strlen(key) + 1, NULL);
  if (f) fclose(f);
  return kib / 1024.0;
}

rmx_status rmx_training_speed(const rmx_training *t, int vocab, const rmx_kernels *kernels,
                              double seconds, rmx_speed *out, rmx_err *err) {
  struct measured m = {0};
  rmx_status status = set_up(&m, t, vocab, kernels, err);
  if (status == RMX_OK) status = train(&m, seconds, out, err);
  if (status == RMX_OK) validate(&m, seconds / 4, out);
  out->rss_mib = memory_mib("VmRSS");
  out->rss_anon_mib = memory_mib("RssAnon");
  if (m.stepper.stream) m.stepper.stream->type->free(m.stepper.stream);
  rmx_model_free(m.stepper.model);
  rmx__stepper_release(&m.stepper);
  free(m.ids);
  free(m.step_s);
  return status;
}
