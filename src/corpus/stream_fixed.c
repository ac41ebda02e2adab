// SPDX-License-Identifier: Apache-2.0
// The fixed mixture: which domain gives the next sequence, and which window of it.
//
// Domains. Before sequence n, domain d has the credit c_d = n w_d - x_d: its share of n sequences,
// less the x_d that it gave. Of the domains with c_d > 0, the one whose next sequence is due first
// gives the sequence: that with the smallest (1 - c_d) / w_d. These are the tasks, releases and
// deadlines of proportionate fairness (Baruah, Cohen, Plaxton and Varvel, "Proportionate progress",
// Algorithmica 1996). Earliest deadline first meets all deadlines on one processor, so -1 < c_d < 1
// at all times. (Taking the largest credit looks simpler but is worse: with many small domains and
// one large domain, shares are then off by more than a sequence.)
//
// Windows. Epoch e of a domain starts at a random shift below T and visits the windows of T tokens
// after it in a random order. Both depend on (seed, domain, epoch) alone. So the state is a few
// numbers for each domain.
#include <inttypes.h>
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "permutation.h"

struct walk {
  uint64_t epoch, position;  // position: windows given in this epoch
  uint64_t windows, shift;   // computed from the epoch
  rmx__permutation order;
};

struct fixed {
  rmx_stream base;
  const rmx_corpus *corpus;
  int T;
  uint64_t seed;
  double *credit;      // (D)
  struct walk *walks;  // (D)
};

static void begin_epoch(struct fixed *f, size_t d, uint64_t epoch) {
  struct walk *w = &f->walks[d];
  uint64_t T = (uint64_t)f->T, tokens = f->corpus->domains[d].train_tokens;
  *w = (struct walk){.epoch = epoch};
  if (tokens < T + 1) return;  // no window at all
  // Each epoch has two blocks of random numbers, more than it needs.
  rmx_rng rng = rmx_rng_make(f->seed, d, RMX_FOR_ORDER);
  rng.position = 2 * epoch;
  uint32_t key[2] = {rmx_rng_u32(&rng), rmx_rng_u32(&rng)};
  uint64_t room = tokens - T;  // shifts that leave at least one window
  w->shift = rmx_rng_below(&rng, room < T ? room : T);
  w->windows = (tokens - 1 - w->shift) / T;
  w->order = rmx__permutation_make(w->windows, key);
}

static size_t next_domain(struct fixed *f) {
  size_t D = f->base.D, best = D;
  double soonest = 0;
  for (size_t d = 0; d < D; d++) f->credit[d] += f->base.mixture[d];
  for (size_t d = 0; d < D; d++) {
    if (!(f->credit[d] > 0) || !(f->base.mixture[d] > 0)) continue;
    double due = (1 - f->credit[d]) / f->base.mixture[d];
    if (best < D && due >= soonest) continue;
    best = d;
    soonest = due;
  }
  // Credits sum to 1, so one is positive. But `observe` may have set the weight of that domain to
  // 0.
  for (size_t d = 0; best == D && d < D; d++)
    if (f->base.mixture[d] > 0) best = d;
  if (best < D) f->credit[best] -= 1;
  return best;
}

static rmx_status too_short(const struct fixed *f, size_t d, rmx_err *err) {
  const rmx_domain *domain = &f->corpus->domains[d];
  return rmx_fail(err, RMX_EINPUT,
                  "domain \"%s\" has %zu training tokens; a sequence needs %d (%d, and the label "
                  "of the last): shorten the context, give the domain more text, or leave it out "
                  "of the mixture",
                  domain->name, domain->train_tokens, f->T + 1, f->T);
}

static void copy_window(const struct fixed *f, size_t d, uint64_t from, int32_t *tokens,
                        int32_t *labels) {
  const rmx_domain *domain = &f->corpus->domains[d];
  size_t T = (size_t)f->T;
  for (size_t t = 0; t < T; t++)
    tokens[t] = (int32_t)rmx_token_at(domain->train, domain->width, from + t);
  memcpy(labels, tokens + 1, (T - 1) * sizeof *labels);
  labels[T - 1] = (int32_t)rmx_token_at(domain->train, domain->width, from + T);
}

static rmx_status fixed_next(rmx_stream *s, rmx_batch *into, rmx_err *err) {
  struct fixed *f = (struct fixed *)s;
  size_t T = (size_t)f->T;
  if (into->T != f->T)
    return rmx_fail(err, RMX_EUSAGE, "a batch with %d tokens in a sequence; the stream has %d",
                    into->T, f->T);
  for (int b = 0; b < into->B; b++) {
    size_t d = next_domain(f), at = (size_t)b * T;
    if (d == s->D) return rmx_fail(err, RMX_ENUMERIC, "the mixture has no positive weight left");
    struct walk *w = &f->walks[d];
    if (w->windows == 0) return too_short(f, d, err);
    if (w->position == w->windows) begin_epoch(f, d, w->epoch + 1);
    copy_window(f, d, w->shift + T * rmx__permutation_at(&w->order, w->position++),
                into->tokens + at, into->labels + at);
    for (size_t t = 0; t < T; t++) into->weights[at + t] = 1.0f;
    into->domain[b] = (int32_t)d;
    s->sequences[d]++;
    s->epochs[d] = (double)w->epoch + (double)w->position / (double)w->windows;
  }
  return RMX_OK;
}

// ---- the state as JSON -------------------------------------------------------------------------

static json_t *fixed_save(const rmx_stream *s) {
  const struct fixed *f = (const struct fixed *)s;
  json_t *mixture = json_array(), *credit = json_array(), *sequences = json_array(),
         *epoch = json_array(), *position = json_array();
  for (size_t d = 0; d < s->D; d++) {
    json_array_append_new(mixture, json_real(s->mixture[d]));
    json_array_append_new(credit, json_real(f->credit[d]));
    json_array_append_new(sequences, json_integer((json_int_t)s->sequences[d]));
    json_array_append_new(epoch, json_integer((json_int_t)f->walks[d].epoch));
    json_array_append_new(position, json_integer((json_int_t)f->walks[d].position));
  }
  return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "stream", s->type->name,
                   "context", f->T, "seed", json_sprintf("%016" PRIx64, f->seed), "corpus",
                   json_sprintf("%016" PRIx64, f->corpus->hash), "mixture", mixture, "credit",
                   credit, "sequences", sequences, "epoch", epoch, "position", position);
}

static rmx_status check_origin(const struct fixed *f, const json_t *state, rmx_err *err) {
  char seed[17], corpus[17];
  snprintf(seed, sizeof seed, "%016" PRIx64, f->seed);
  snprintf(corpus, sizeof corpus, "%016" PRIx64, f->corpus->hash);
  struct {
    const char *key, *wanted;
  } facts[] = {{"stream", f->base.type->name}, {"seed", seed}, {"corpus", corpus}};
  for (size_t i = 0; i < 3; i++) {
    const char *got;
    RMX_TRY(rmx__json_string(state, facts[i].key, &got, "the state of a stream", err));
    if (strcmp(got, facts[i].wanted) != 0)
      return rmx_fail(err, RMX_EINPUT, "the state is of a stream with %s %.40s; this one has %s",
                      facts[i].key, got, facts[i].wanted);
  }
  double T;
  RMX_TRY(rmx__json_number(state, "context", &T, "the state of a stream", err));
  if (T != f->T)
    return rmx_fail(err, RMX_EINPUT, "the state is of a stream with context %g; this one has %d", T,
                    f->T);
  return RMX_OK;
}

static rmx_status fixed_load(rmx_stream *s, const json_t *state, rmx_err *err) {
  struct fixed *f = (struct fixed *)s;
  RMX_TRY(check_origin(f, state, err));
  static const char *const keys[] = {"mixture", "credit", "sequences", "epoch", "position"};
  const json_t *lists[5];
  for (size_t k = 0; k < 5; k++) {
    lists[k] = json_object_get(state, keys[k]);
    bool good = json_array_size(lists[k]) == s->D;
    for (size_t d = 0; d < s->D && good; d++) {
      const json_t *x = json_array_get(lists[k], d);
      good = k < 2 ? json_is_number(x) : json_is_integer(x) && json_integer_value(x) >= 0;
    }
    if (!good)
      return rmx_fail(err, RMX_EINPUT, "the state of a stream: \"%s\" is not a list of %zu numbers",
                      keys[k], s->D);
  }
  for (size_t d = 0; d < s->D; d++) {
    s->mixture[d] = json_number_value(json_array_get(lists[0], d));
    f->credit[d] = json_number_value(json_array_get(lists[1], d));
    s->sequences[d] = (uint64_t)json_integer_value(json_array_get(lists[2], d));
    begin_epoch(f, d, (uint64_t)json_integer_value(json_array_get(lists[3], d)));
    struct walk *w = &f->walks[d];
    w->position = (uint64_t)json_integer_value(json_array_get(lists[4], d));
    if (w->position > w->windows)
      return rmx_fail(err, RMX_EINPUT,
                      "the state of a stream: domain \"%s\" at window %" PRIu64 " of %" PRIu64,
                      f->corpus->domains[d].name, w->position, w->windows);
    s->epochs[d] = w->windows ? (double)w->epoch + (double)w->position / (double)w->windows : 0;
  }
  return RMX_OK;
}

static void fixed_free(rmx_stream *s) {
  struct fixed *f = (struct fixed *)s;
  free(s->mixture);
  free(s->sequences);
  free(s->epochs);
  free(f->credit);
  free(f->walks);
  free(f);
}

static const rmx_stream_type fixed_type = {"fixed",    fixed_next, NULL,
                                           fixed_save, fixed_load, fixed_free};

rmx_status rmx_stream_fixed(const rmx_corpus *corpus, const double *mixture, int T, uint64_t seed,
                            rmx_stream **out, rmx_err *err) {
  size_t D = corpus->D_train;
  if (T < 1) return rmx_fail(err, RMX_EUSAGE, "a context of %d tokens; wanted 1 or more", T);
  struct fixed *f = rmx_calloc(1, sizeof *f);
  if (!f) return rmx_fail_memory(err, sizeof *f, "a stream");
  f->base = (rmx_stream){.type = &fixed_type, .D = D};
  f->base.mixture = rmx_calloc(D, sizeof *f->base.mixture);
  f->base.sequences = rmx_calloc(D, sizeof *f->base.sequences);
  f->base.epochs = rmx_calloc(D, sizeof *f->base.epochs);
  f->credit = rmx_calloc(D, sizeof *f->credit);
  f->walks = rmx_calloc(D, sizeof *f->walks);
  f->corpus = corpus;
  f->T = T;
  f->seed = seed;
  rmx_status status = RMX_OK;
  if (!f->base.mixture || !f->base.sequences || !f->base.epochs || !f->credit || !f->walks) {
    status = rmx_fail_memory(err, D * sizeof *f->walks, "a stream");
  } else {
    memcpy(f->base.mixture, mixture, D * sizeof *mixture);
    status =
        rmx_mixture_check(f->base.mixture, D, corpus->names, 0.01, "the mixture of a stream", err);
  }
  for (size_t d = 0; d < D && status == RMX_OK; d++) {
    begin_epoch(f, d, 0);
    if (f->base.mixture[d] > 0 && f->walks[d].windows == 0) status = too_short(f, d, err);
  }
  if (status == RMX_OK)
    *out = &f->base;
  else
    fixed_free(&f->base);
  return status;
}
