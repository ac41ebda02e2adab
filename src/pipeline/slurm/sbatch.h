// SPDX-License-Identifier: Apache-2.0
// Gives a script to sbatch, and reads its answer.
#ifndef RMX_PIPELINE_SLURM_SBATCH_H
#define RMX_PIPELINE_SLURM_SBATCH_H

#include <regmix/pipeline.h>

enum { RMX__SUBMIT_S = 120 };  // sbatch may wait for a busy controller
// A script that was given to sbatch has a file beside it until sbatch's answer is known.
#define RMX__ASKED ".asked"

// The variables of the environment that would override what the script says: those that are set,
// with a note for each.
rmx_status rmx__sbatch_hidden(const rmx_launch_request *r, const rmx_listener *listener,
                              rmx_strings *out, rmx_err *err);
// Runs `words`, a call of sbatch with the script at `path`, without the variables in `hidden`. *id:
// the number of the job; free() it. *known: it was submitted, or it certainly was not. RMX_EINPUT:
// sbatch refused it; RMX_EIO: its answer is not clear.
rmx_status rmx__sbatch(const char *const *words, const rmx_strings *hidden, const char *path,
                       char **id, bool *known, rmx_err *err);

#endif
