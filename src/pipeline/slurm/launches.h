// SPDX-License-Identifier: Apache-2.0
// What was given to Slurm: <experiment>/slurm/<number>/ has the script, the list of its runs and,
// once Slurm took it, launch.json with the number of the job. Task I of T has every T-th run of the
// list, from the I-th. It writes how it stands to I.state.
#ifndef RMX_PIPELINE_SLURM_LAUNCHES_H
#define RMX_PIPELINE_SLURM_LAUNCHES_H

#include <regmix/experiment.h>
#include <regmix/swarm.h>

#define RMX__LAUNCHES "slurm"

// FAILED: it ended, was killed or was cancelled, and Slurm does not start it again. PREEMPTED: it
// was stopped with checkpoints.
typedef enum rmx__task_state {
  RMX__TASK_PENDING,
  RMX__TASK_RUNNING,
  RMX__TASK_DONE,
  RMX__TASK_FAILED,
  RMX__TASK_PREEMPTED,
  RMX__TASK_STATES
} rmx__task_state;
extern const char *const rmx__task_state_names[];

enum { RMX__REASON = 80 };

struct rmx__launch {
  long number;
  char *folder, *job, *then;  // then: the job after it; NULL: none
  size_t tasks, *runs, n;     // (n) indices; those that are no longer in mixtures.csv are left out
  size_t count[RMX__TASK_STATES];  // of its tasks, but those that a later launch has taken over
  bool live;                       // it has tasks that are pending or running
  bool other;                      // some of them train with other settings than those of `runs`
  bool then_counts;                // it has the last job for the steps after training; its state:
  rmx__task_state then_state;
  char why[RMX__REASON], then_why[RMX__REASON];  // Slurm's word why a task waits; "": none
  struct json_t *answers;  // the fingerprints of its runs, by name; NULL: not known
  bool asked;              // Slurm answered; else all is read off the folder
};
struct rmx__launches {
  struct rmx__launch *items;  // (n) the oldest first
  size_t n;
  bool *queued;  // (runs) an unfinished run of a task that is pending or running
};
// Reads them and asks Slurm. Where Slurm does not answer within seconds, the folder alone counts.
// Release in any case.
rmx_status rmx__launches_look(const rmx_experiment *e, const rmx_run *runs, size_t n,
                              struct rmx__launches *out, rmx_err *err);
void rmx__launches_release(struct rmx__launches *l);
struct json_t *rmx__launches_json(const struct rmx__launches *l);  // a new reference
// Adds to the record of a launch which folder it is of, so that a copy of the folder knows.
void rmx__launch_put_place(const char *experiment, struct json_t *record);

#endif
