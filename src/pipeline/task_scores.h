// SPDX-License-Identifier: Apache-2.0
// The tasks of a config, and what a run keeps of its scores on them: task_files.c lists the files,
// task_scores.c scores models, task_columns.c makes columns of metrics.csv.
#ifndef RMX_PIPELINE_TASK_SCORES_H
#define RMX_PIPELINE_TASK_SCORES_H

#include <jansson.h>

#include <regmix/experiment.h>
#include <regmix/swarm.h>

typedef struct rmx__task {
  char *path, *name;
  char hash[17];  // of the file
} rmx__task;
typedef struct rmx__tasks {
  rmx__task *list;  // (n)
  size_t n;
} rmx__tasks;

// The tasks of eval.tasks, with the hash of each file, which reads all of it.
rmx_status rmx__tasks_read(const rmx_experiment *e, rmx__tasks *t, rmx_err *err);
void rmx__tasks_release(rmx__tasks *t);

// The folder of the model of a run: its own, or `model` in it, as trainers of the user's may leave
// it; NULL: there is none. *hash is of the numbers.
char *rmx__scored_model(const rmx_run *r, char hash[17]);
// scores.json of the run, or an empty object; NULL: no memory.
json_t *rmx__scores_read(const rmx_run *r);
// Whether these scores have the task, for the model of this hash.
bool rmx__is_scored(const json_t *scores, const rmx__task *t, const char *model);

#endif
