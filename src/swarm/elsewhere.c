// SPDX-License-Identifier: Apache-2.0
// Finished runs under other names. A result is of the run that has its fingerprint, whatever the
// name of its folder: names change in a spreadsheet, or with the name of a swarm. Such a folder is
// moved to where the run would have been set aside, and is taken back from there.
#include <stdlib.h>
#include <string.h>

#include "base/move.h"
#include "base/stamp.h"
#include "look.h"

// A folder with a result.
struct place {
  char *folder;
  char fingerprint[17];
  bool taken;
};

struct places {
  struct place *all;
  size_t n;
};

static void release(struct places *p) {
  for (size_t i = 0; i < p->n; i++) free(p->all[i].folder);
  free(p->all);
}

static rmx_status add_place(struct places *p, const char *folder, rmx_err *err) {
  json_auto_t *result = rmx__read_in(folder, "result.json");
  const char *fingerprint = rmx__fingerprint_in(result, "answers");
  if (!fingerprint || strlen(fingerprint) != 16) return RMX_OK;
  struct place *all = rmx_realloc(p->all, p->n + 1, sizeof *all);
  if (!all) return rmx_fail_memory(err, sizeof *all, "runs");
  p->all = all;
  all[p->n] = (struct place){.folder = rmx_strdup(folder)};
  if (!all[p->n].folder) return rmx_fail_memory(err, 0, "a path");
  memcpy(all[p->n++].fingerprint, fingerprint, 17);
  return RMX_OK;
}

// The folders in a folder; depth: how many levels further down they are.
static rmx_status find_places(struct places *p, const char *folder, int depth, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  if (!rmx_exists(folder)) return RMX_OK;
  RMX_TRY(rmx_list(folder, &names, err));
  for (size_t i = 0; i < names.n; i++) {
    RMX_OWNED char *path = rmx_path_in(folder, names.items[i]);
    if (!path) return rmx_fail_memory(err, 0, "a path");
    if (strcmp(names.items[i], RMX_SET_ASIDE) == 0) continue;
    RMX_TRY(depth ? find_places(p, path, depth - 1, err) : add_place(p, path, err));
  }
  return RMX_OK;
}

static bool is_missing(const rmx_run *r) {
  const rmx_run_state state = rmx_run_look(r, NULL);
  return state < RMX_RUN_DIVERGED && state != RMX_RUN_RUNNING && state != RMX_RUN_DAMAGED &&
         !rmx_run_is_aside(r);
}

// The folders of runs that have their result there are theirs.
static void mark_own(struct places *p, const rmx_run *runs, size_t n) {
  for (size_t i = 0; i < n; i++) {
    char wanted[17];
    RMX_OWNED char *shelf = rmx_run_shelf(runs[i].folder);
    rmx_run_fingerprint(&runs[i], wanted);
    const size_t length = shelf ? strlen(shelf) : 0;
    for (size_t k = 0; k < p->n; k++) {
      struct place *one = &p->all[k];
      const bool there =
          strcmp(one->folder, runs[i].folder) == 0 ||
          (length && strncmp(one->folder, shelf, length) == 0 && one->folder[length] == '/');
      if (there && strcmp(wanted, one->fingerprint) == 0) one->taken = true;
    }
  }
}

static struct place *place_of(struct places *p, const rmx_run *r) {
  char wanted[17];
  rmx_run_fingerprint(r, wanted);
  for (size_t k = 0; k < p->n; k++)
    if (!p->all[k].taken && strcmp(wanted, p->all[k].fingerprint) == 0 &&
        rmx__finished_in(p->all[k].folder, r))
      return &p->all[k];
  return NULL;
}

static rmx_status put_on_shelf(const rmx_run *r, const struct place *from, rmx_err *err) {
  RMX_OWNED char *shelf = rmx_run_shelf(r->folder),
                 *to = shelf ? rmx_path_in(shelf, from->fingerprint) : NULL;
  if (!to) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx_mkdirs(shelf, err));
  rmx__move(from->folder, to);  // if not, another process has moved it
  return RMX_OK;
}

static rmx_status find_parts(struct places *p, const rmx_run *runs, rmx_err *err) {
  const char *slash = strrchr(runs[0].folder, '/');
  RMX_OWNED char *parent = slash ? rmx_format("%.*s", (int)(slash - runs[0].folder), runs[0].folder)
                                 : rmx_strdup("."),
                 *shelves = parent ? rmx_path_in(parent, RMX_SET_ASIDE) : NULL;
  if (!shelves) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(find_places(p, parent, 0, err));
  return find_places(p, shelves, 1, err);
}

rmx_status rmx__runs_elsewhere(const rmx_run *runs, size_t n, bool move, rmx_strings *names,
                               rmx_strings *folders, rmx_err *err) {
  RMX_OWNED_BY(release) struct places places = {0};
  RMX_OWNED bool *missing = rmx_calloc(n + 1, sizeof *missing);
  bool some = false;
  if (!missing) return rmx_fail_memory(err, n, "runs");
  for (size_t i = 0; i < n; i++) some |= missing[i] = is_missing(&runs[i]);
  if (!some) return RMX_OK;
  RMX_TRY(find_parts(&places, runs, err));
  if (places.n == 0) return RMX_OK;
  mark_own(&places, runs, n);
  for (size_t i = 0; i < n; i++) {
    struct place *found = missing[i] ? place_of(&places, &runs[i]) : NULL;
    if (!found) continue;
    found->taken = true;
    if (!rmx_strings_add(names, runs[i].name) || !rmx_strings_add(folders, found->folder))
      return rmx_fail_memory(err, 0, "names of runs");
    if (move) RMX_TRY(put_on_shelf(&runs[i], found, err));
  }
  return RMX_OK;
}
