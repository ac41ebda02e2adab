// SPDX-License-Identifier: Apache-2.0
// What a worker has in its environment.
#include <regmix/comm.h>
#include <stdlib.h>
#include <string.h>

#include "base/call.h"
#include "pytorch.h"
#include "supervisor.h"

// What mpirun tells a rank, which a program that a rank starts is not.
static bool is_of_rank(const char *variable) {
  static const char *const starts[] = {"OMPI_", "PMIX_", "PMI_"};
  bool found = false;
  for (size_t i = 0; rmx_comm_is_rank() && i < sizeof starts / sizeof *starts; i++)
    found = found || strncmp(variable, starts[i], strlen(starts[i])) == 0;
  return found && strncmp(variable, "OMPI_ALLOW_", 11) != 0;
}

struct own {
  char *const *variables;
  size_t n;
};
static bool is_replaced(const char *variable, const void *of) {
  const struct own *own = of;
  bool replaced = is_of_rank(variable);
  for (size_t k = 0; k < own->n; k++)
    replaced =
        replaced || strncmp(variable, own->variables[k], strcspn(own->variables[k], "=") + 1) == 0;
  return replaced;
}
char **rmx__worker_environment(char *const own[], size_t n) {
  return rmx__environment(is_replaced, &(struct own){own, n}, own, n);
}

void rmx__own_environment(const rmx__supervisor *s, const rmx__worker *w, char *own[RMX__OWN]) {
  const rmx_run *r = &s->runs[w->runs[0]];
  const bool pytorch = rmx_training_is_pytorch(&r->training);
  const char *experiment = s->options->experiment ? s->options->experiment : r->corpus;
  const int slot = (int)(w - s->workers);
  RMX_OWNED char *real = rmx_realpath(experiment);
  RMX_OWNED char *gpu = pytorch ? rmx__pytorch_gpu(slot) : NULL;
  own[0] = rmx_format("REGMIX_EXPERIMENT=%s", real ? real : experiment);
  own[1] = rmx_format("REGMIX_SLOT=%d", slot);
  own[2] = rmx_format("REGMIX_TRY=%d", s->tries[w->runs[0]] + 1);
  own[3] = s->pytorch ? rmx_format("REGMIX_PYTORCH=%s", s->pytorch) : NULL;
  own[4] = gpu ? rmx_format("CUDA_VISIBLE_DEVICES=%s", gpu) : NULL;
}
