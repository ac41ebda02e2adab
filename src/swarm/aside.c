// SPDX-License-Identifier: Apache-2.0
// Nothing that was trained is overwritten: a run's folder that answers another question is moved to
// <beside it>/.set-aside/<name>/<hash>, and moved back when its question returns. Each move is one
// rename within one folder, so a kill between two of them leaves every file in one place or the
// other, and both are looked at.
#include <errno.h>
#include <regmix/swarm.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/move.h"
#include "base/stamp.h"
#include "base/temporary.h"
#include "claim.h"
#include "look.h"

char *rmx_run_shelf(const char *folder) {
  const char *slash = strrchr(folder, '/');
  return slash ? rmx_format("%.*s/" RMX_SET_ASIDE "/%s", (int)(slash - folder), folder, slash + 1)
               : rmx_format(RMX_SET_ASIDE "/%s", folder);
}

// The question that the files in a folder are of: that of the result, else that of run.json.
static void question_of(const char *folder, char out[17]) {
  json_t *result = rmx__read_in(folder, "result.json");
  const char *fingerprint = rmx__fingerprint_in(result, "answers");
  rmx_run was;
  rmx_err ignored;
  snprintf(out, 17, "unknown");
  if (fingerprint && strlen(fingerprint) == 16 && strspn(fingerprint, "0123456789abcdef") == 16) {
    memcpy(out, fingerprint, 17);
  } else if (rmx_run_read(folder, &was, &ignored) == RMX_OK) {
    rmx_run_fingerprint(&was, out);
    rmx_run_release(&was);
  }
  json_decref(result);
}

// It is not an error if another process moved the folder first, or uses it: the caller looks again.
static rmx_status move(const char *from, const char *to, bool *moved, rmx_err *err) {
  *moved = rmx__move(from, to);
  // EISDIR and ENOTDIR: one of them is a link to a folder
  if (*moved || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST || errno == EISDIR ||
      errno == ENOTDIR)
    return RMX_OK;
  return rmx_fail_errno(err, "cannot move %s to %s", from, to);
}

static rmx_status put_on_shelf(const char *folder, rmx__claim *claim, rmx_err *err) {
  char question[17];
  RMX_OWNED char *shelf = rmx_run_shelf(folder);
  question_of(folder, question);
  if (!shelf) return rmx_fail_memory(err, 0, "a path");
  bool moved = false;
  for (int i = 1; !moved && rmx_exists(folder); i++) {
    RMX_OWNED char *to =
        i == 1 ? rmx_format("%s/%s", shelf, question) : rmx_format("%s/%s-%d", shelf, question, i);
    // again each time: `regmix gc` may delete the shelf
    RMX_TRY(to ? rmx_mkdirs(shelf, err) : rmx_fail_memory(err, 0, "a path"));
    if (!rmx_exists(to)) RMX_TRY(move(folder, to, &moved, err));
    if (moved) RMX_TRY(rmx__claim_moved(claim, to, err));
  }
  return RMX_OK;
}

static void sweep_shelf(const char *shelf) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  rmx_err ignored;
  if (!rmx_exists(shelf) || rmx_list(shelf, &names, &ignored) != RMX_OK) return;
  for (size_t i = 0; i < names.n; i++) {
    RMX_OWNED char *folder = rmx_path_in(shelf, names.items[i]);
    if (folder) rmx__sweep(folder);
  }
}

void rmx__sweep_shelves(const rmx_run *runs, size_t n) {
  for (size_t i = 0; i < n; i++) {
    RMX_OWNED char *shelf = rmx_run_shelf(runs[i].folder);
    if (shelf) sweep_shelf(shelf);
  }
}

rmx_status rmx_run_set_aside(const rmx_run *r, rmx_err *err) {
  RMX_OWNED_BY(rmx__claim_release) rmx__claim claim = {.fd = -1};
  bool taken;
  if (!rmx_exists(r->folder)) return RMX_OK;
  RMX_TRY(rmx__claim_take(&claim, r->folder, &taken, err));
  if (taken) RMX_TRY(put_on_shelf(r->folder, &claim, err));
  return RMX_OK;
}

// The folder that was set aside and holds what `wanted` says; NULL: there is none.
static char *find_on_shelf(const rmx_run *r, bool (*wanted)(const char *folder, const rmx_run *r)) {
  char *shelf = rmx_run_shelf(r->folder), *found = NULL;
  rmx_strings names = {0};
  rmx_err ignored;
  if (shelf && rmx_list(shelf, &names, &ignored) == RMX_OK)
    for (size_t i = 0; i < names.n && !found; i++) {
      char *folder = rmx_path_in(shelf, names.items[i]);
      if (folder && wanted(folder, r))
        found = folder;
      else
        free(folder);
    }
  rmx_strings_release(&names);
  free(shelf);
  return found;
}

bool rmx_run_is_aside(const rmx_run *r) {
  char *found = find_on_shelf(r, rmx__finished_in);
  free(found);
  return found != NULL;
}

// Whether a training of r that was set aside is worth more than what is in the folder: nothing, a
// result of other settings, or a training of other settings that has not ended either.
static bool may_go_on(const rmx_run *r) {
  const rmx_run_state state = rmx_run_look(r, NULL);
  return state == RMX_RUN_TODO || state == RMX_RUN_OUTDATED ||
         (state == RMX_RUN_STARTED && rmx_run_is_another(r));
}

rmx_status rmx_run_take_back(const rmx_run *r, bool *taken, rmx_err *err) {
  *taken = false;
  RMX_OWNED char *found = find_on_shelf(r, rmx__finished_in);
  if (!found && may_go_on(r)) found = find_on_shelf(r, rmx__begun_in);
  if (!found) return RMX_OK;
  RMX_TRY(move(found, r->folder, taken, err));  // onto nothing, or an empty folder
  if (!*taken) RMX_TRY(rmx_run_set_aside(r, err));
  if (!*taken) RMX_TRY(move(found, r->folder, taken, err));
  return RMX_OK;
}
