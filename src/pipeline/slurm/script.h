// SPDX-License-Identifier: Apache-2.0
// The scripts that Slurm gets, for people to read.
#ifndef RMX_PIPELINE_SLURM_SCRIPT_H
#define RMX_PIPELINE_SLURM_SCRIPT_H

#include <regmix/pipeline.h>

struct rmx__slurm_job {
  const rmx_pipeline *p;
  const rmx_launch_request *request;
  const char *experiment, *program, *folder;  // absolute; folder: of this launch
  size_t runs, all, tasks;                    // runs of the job, of the experiment
  int64_t cpus, jobs;                         // of a task: processors, and runs at a time
  int64_t then_cpus;                          // of the job after them
  int64_t notice_s;                           // before the time limit
  bool gpu, redo;
};
// A task that trains a part of the runs.
void rmx__slurm_array(const struct rmx__slurm_job *j, rmx_buf *out);
// The steps after training.
void rmx__slurm_then(const struct rmx__slurm_job *j, rmx_buf *out);

#endif
