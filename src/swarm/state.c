// SPDX-License-Identifier: Apache-2.0
// How a run stands, read off its folder.
#include <regmix/swarm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "claim.h"

const char *const rmx_run_state_names[] = {"to do", "started", "running", "outdated", "diverged", "done"};

static json_t *read_in(const char *folder, const char *name) {
  json_t *tree = NULL;
  rmx_err ignored;
  char *path = rmx_path_in(folder, name);
  struct stat info;
  // A pipe in its place would be waited for without end.
  if (path && stat(path, &info) == 0 && S_ISREG(info.st_mode)) rmx_json_read(path, &tree, &ignored);
  free(path);
  return tree;
}

static bool has(const char *folder, const char *name) {
  char *path = rmx_path_in(folder, name);
  bool there = path && rmx_exists(path);
  free(path);
  return there;
}

rmx_run_state rmx_run_look(const rmx_run *r, json_t **result) {
  rmx_run_state state = has(r->folder, "checkpoint.bin") ? RMX_RUN_STARTED : RMX_RUN_TODO;
  json_t *o = read_in(r->folder, "result.json");
  // Without "answers" it is what a command of the user's left to a worker that was killed: of no checked result.
  const char *answers = json_string_value(json_object_get(o, "answers"));
  if (answers) {
    const char *status = json_string_value(json_object_get(o, "status"));
    if (!rmx_run_answered_by(r, answers)) state = RMX_RUN_OUTDATED;
    else state = status && strcmp(status, "diverged") == 0 ? RMX_RUN_DIVERGED : RMX_RUN_DONE;
    // A model that was asked for must be there too.
    if (state == RMX_RUN_DONE && r->keep_model && !r->training.command && !has(r->folder, "model.bin"))
      state = RMX_RUN_OUTDATED;
  }
  if (state != RMX_RUN_DONE && state != RMX_RUN_DIVERGED && rmx__claim_held(r->folder)) state = RMX_RUN_RUNNING;
  if (result) *result = o;
  else json_decref(o);
  return state;
}

static void differences(const json_t *old, const json_t *new, const char *prefix, rmx_buf *out) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)new, key, value) {
    const json_t *before = json_object_get(old, key);
    if (before && json_equal((json_t *)before, value)) continue;
    if (json_is_object(value) && json_is_object(before) && strcmp(key, "training") == 0)
      differences(before, value, "", out);
    else
      rmx_buf_printf(out, "%s%s%s", out->size ? ", " : "", prefix, key);
  }
}

void rmx_run_difference(const rmx_run *r, rmx_buf *out) {
  json_t *old = read_in(r->folder, "run.json"), *new = rmx_run_json(r);
  if (old) differences(old, new, "", out);
  json_decref(old);
  json_decref(new);
}
