// SPDX-License-Identifier: Apache-2.0
// Random mixtures of phases: each phase is drawn as one mixture is. The caps hold for all phases
// together, so a phase of a fifth of the tokens may have five times as much of a domain. Rows that
// then have too much give some of it back, in their first phases.

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

// Brings the phases of one row (n, D) under the caps, the last phase first.
static void keep_caps(const double *share, size_t n, const double *cap, size_t D, double *row,
                      double *room, double *most) {
  memcpy(room, cap, D * sizeof *room);
  for (size_t k = n; k-- > 0;) {
    double *w = row + k * D;
    bool over = false;
    for (size_t d = 0; d < D; d++) {
      most[d] = fmin(1, fmax(room[d], 0) / share[k]);
      over = over || w[d] > most[d];
    }
    if (over) rmx_mixture_cap(w, most, D);
    for (size_t d = 0; d < D; d++) room[d] -= share[k] * w[d];
  }
}

rmx_status rmx_sample_phases(const rmx_sample_options *o, const rmx_phases *phases,
                             const double *prior, const double *cap, const char *const *names,
                             uint64_t seed, double *out, rmx_err *err) {
  const size_t n = phases->n, D = phases->D, N = (size_t)o->runs;
  const uint64_t apart = 0x9E3779B97F4A7C15u;
  RMX_OWNED double *rows = rmx_calloc(N, D * sizeof *rows), *most = rmx_calloc(D, sizeof *most),
                   *room = rmx_calloc(D, sizeof *room);
  if (!rows || !most || !room) return rmx_fail_memory(err, N * D * sizeof *rows, "mixtures");
  for (size_t k = 0; k < n; k++) {
    for (size_t d = 0; d < D; d++) most[d] = fmin(1, cap[d] / phases->share[k]);
    RMX_TRY(rmx_sample_mixtures(o, prior, most, names, D, seed + k * apart, rows, err));
    for (size_t i = 0; i < N; i++) memcpy(out + (i * n + k) * D, rows + i * D, D * sizeof *rows);
  }
  for (size_t i = 0; i < N; i++) keep_caps(phases->share, n, cap, D, out + i * n * D, room, most);
  return RMX_OK;
}
