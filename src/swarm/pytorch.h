// SPDX-License-Identifier: Apache-2.0
// How trainers/pytorch is started.
#ifndef RMX_SWARM_PYTORCH_H
#define RMX_SWARM_PYTORCH_H

#include <regmix/swarm.h>

struct rmx__batch;  // command.h

// The command that trains the runs of a batch, stacked: the python of REGMIX_PYTHON (python3), the
// train.py of REGMIX_PYTORCH, and their folders. NULL if memory is short; free() it.
char *rmx__pytorch_command(const struct rmx__batch *batch);

// How far the runs of a batch are, by the last lines of their logs: steps, tokens and loss of all
// runs together. Its speed is left 0.
void rmx__pytorch_progress(const struct rmx__batch *batch, rmx_train_state *out);

// The train.py that belongs to this program: installed with it, or beside its build folder. NULL:
// there is none; free() it.
char *rmx__pytorch_file(const char *program);

// Whether the python of REGMIX_PYTHON (python3) is there and has PyTorch, in some 50 ms: PyTorch is
// not loaded. With REGMIX_PYTORCH, which names a trainer of one's own, nothing is known: RMX_OK.
rmx_status rmx__pytorch_check(rmx_err *err);

// GPUs that this process may use, one for each worker: those of CUDA_VISIBLE_DEVICES, else those of
// the machine; 1 where there is none.
int rmx__pytorch_gpus(void);

// CUDA_VISIBLE_DEVICES for a worker: the GPU of its slot. NULL: none is known, or memory is short;
// free() it.
char *rmx__pytorch_gpu(int slot);

#endif
