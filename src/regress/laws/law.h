// SPDX-License-Identifier: Apache-2.0
// What the laws share. A law is a curve of the mixture with few parameters, fitted by penalised
// least squares (marquardt.h) to y scaled to a standard deviation of 1 and a min of 0. The strength
// of the penalty is chosen by cross-validation inside the runs. Predictions far beyond the values
// seen are clipped softly.
#ifndef RMX_REGRESS_LAW_H
#define RMX_REGRESS_LAW_H

#include <regmix/regress.h>

#include "base/json.h"
#include "marquardt.h"

struct rmx__law_type;

// The state of a law begins with this.
struct rmx__law {
  const struct rmx__law_type *type;
  size_t D, P;
  double *p;        // (P) parameters, then type->extra * D numbers for the type's own use
  double strength;  // of the penalty
  // the metric is shift + scale * y; scale 0: it is constant; below 0: it rises as y falls
  double shift, scale;
  double seen[2];  // min and max of the metric
  bool robust;     // Student's t errors
  char **names;    // (D) or NULL
};

// The runs that a law is fitted to: the context of a curve.
struct rmx__law_runs {
  struct rmx__law *law;
  size_t N;
  const double *X;  // (N, D)
  double *extra;    // the type's own, in the arena
};

struct rmx__law_care {  // when a fit stops: see rmx__marquardt()
  double tolerance;
  int steps;
};

struct rmx__law_type {
  const char *what;  // for messages: "a power law"
  size_t size;       // bytes of its state
  size_t extra;
  const double *strengths;  // (n_strengths) to choose from, descending
  size_t n_strengths;
  // A fit goes down the strengths and begins each at the minimum of the one before. It need not
  // reach those minima, only the last one. warm: a refit that begins at another fit.
  struct rmx__law_care on_the_way, last, warm;
  // Sets evaluate, centre, stiffness and bounds of a curve, and runs->extra.
  rmx_status (*curve)(struct rmx__law_runs *runs, const rmx_dataset *data, rmx_arena *arena,
                      rmx__curve *c, rmx_err *err);
  // Moves p (P) from the centre to where a fit begins. NULL: the centre.
  void (*begin)(const struct rmx__law *l, double *p);
  // Sets l->p to the law `near` in the units of l. NULL: refits begin as fits do.
  void (*begin_at)(struct rmx__law *l, const struct rmx__law *near);
  // Computes what `at` needs besides p. NULL: nothing.
  void (*derive)(struct rmx__law *l, const double *p);
  // The law at w (D) for a run like those it is fitted to, before the soft clip.
  double (*at)(const struct rmx__law *l, const double *p, const double *w);
  // The same for the run to be predicted, with the fitted parameters. NULL: `at`.
  double (*at_large)(const struct rmx__law *l, const double *w);
  // How the file names p: `numbers`, then `vectors` (D numbers each). NULL: "parameters" (P).
  const char *const *numbers, *const *vectors;
  size_t n_numbers, n_vectors;
  bool harms;  // the law knows what is bad, so a score can only be its mirror image
};

// An unfitted law; NULL if memory is short. `extra` holds zeros.
void *rmx__law_make(const struct rmx__law_type *type, size_t D, size_t P);
void rmx__law_release(void *state);
// Fits l, which has its options already, and gives it to *state; releases it after a failure. near:
// a fit to other runs, whose strength is used again; NULL: the strength is chosen.
rmx_status rmx__law_fit(struct rmx__law *l, const rmx_dataset *data, uint64_t seed,
                        const struct rmx__law *near, void **state, rmx_err *err);
void rmx__law_predict(const void *state, const double *X, size_t n, double *mean, double *sd);
// The prediction at w (D) before the soft clip.
double rmx__law_at(const void *state, const double *w);
// For a law that is convex before the soft clip: see rmx__soft_clip_convex().
bool rmx__law_convex(const struct rmx__law *l, double *below);

// The file: "domains", the keys of `own` (a reference that is taken; may be NULL), what all laws
// have, the parameters. NULL if memory is short.
json_t *rmx__law_json(const struct rmx__law *l, json_t *own);
// Reads what rmx__law_json() wrote, less the keys of `own`, into l and gives it to *state; releases
// it where that fails.
rmx_status rmx__law_read(struct rmx__law *l, const json_t *o, const char *path, void **state,
                         size_t *D, rmx_err *err);
// An unfitted law with as many domains as the file has numbers in its first vector.
rmx_status rmx__law_open(const struct rmx__law_type *type, const json_t *o, const char *path,
                         struct rmx__law **out, rmx_err *err);

#endif
