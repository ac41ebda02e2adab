// SPDX-License-Identifier: Apache-2.0
// compare/methods.json: the comparison of the methods that choose data. It is copied, except for
// the tracks of methods whose mixture changes during training. A track may have a point per step,
// so tracks are thinned and turned into columns.
#include <math.h>
#include <regmix/report.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

enum { POINTS_A_TRACK = 200 };

// Every name in the order must have a map, or the page would draw missing methods.
static rmx_status check(const char *path, const json_t *file, rmx_err *err) {
  const json_t *methods = json_object_get(file, "methods"), *order = json_object_get(file, "order");
  if (!json_is_object(methods))
    return rmx_fail(err, RMX_EINPUT, "%s: wanted a map \"methods\"", path);
  if (!json_is_array(order)) return rmx_fail(err, RMX_EINPUT, "%s: wanted a list \"order\"", path);
  for (size_t i = 0; i < json_array_size(order); i++) {
    const char *name = json_string_value(json_array_get(order, i));
    if (!name) return rmx_fail(err, RMX_EINPUT, "%s: order: entry %zu is not a name", path, i + 1);
    if (!json_is_object(json_object_get(methods, name)))
      return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" in the order is not among the methods", path,
                      name);
  }
  return RMX_OK;
}

// [{"tokens", "mixture": {domain: w}}] as {"tokens": [], "mixture": {domain: []}}: evenly spaced
// points that include the first and the last one. They are not averaged, since a mixture that jumps
// has no value in between.
static rmx_status thin(const json_t *track, json_t **out, rmx_err *err) {
  const size_t n = json_array_size(track), most = n < POINTS_A_TRACK ? n : POINTS_A_TRACK;
  json_t *tokens = json_array(), *mixture = json_object(), *w;
  *out = json_pack("{s:o, s:o}", "tokens", tokens, "mixture", mixture);
  if (!*out) return rmx_fail_memory(err, most, "a track");
  const char *domain;
  json_object_foreach(json_object_get(json_array_get(track, 0), "mixture"), domain, w)
    RMX_TRY(rmx__put(mixture, domain, json_array(), err));
  for (size_t k = 0; k < most; k++) {
    const json_t *point = json_array_get(track, most > 1 ? k * (n - 1) / (most - 1) : 0);
    RMX_TRY(rmx__add(tokens, rmx__json_known(rmx__get(point, "tokens")), err));
    json_object_foreach(mixture, domain, w)
      RMX_TRY(
          rmx__add(w, rmx__json_known(rmx__get(json_object_get(point, "mixture"), domain)), err));
  }
  return RMX_OK;
}

static rmx_status take_tracks(json_t *file, rmx_err *err) {
  json_t *tracks = json_object(), *method;
  RMX_TRY(rmx__put(file, "tracks", tracks, err));
  const char *name;
  json_object_foreach(json_object_get(file, "methods"), name, method) {
    json_t *notes = json_object_get(method, "notes"), *track = json_object_get(notes, "track"),
           *thinned = NULL;
    if (json_array_size(track) == 0) continue;
    rmx_status status = thin(track, &thinned, err);
    if (status != RMX_OK) json_decref(thinned);
    RMX_TRY(status);
    RMX_TRY(rmx__put(tracks, name, thinned, err));
    json_object_del(notes, "track");
  }
  return RMX_OK;
}

rmx_status rmx__collect_methods(const char *folder, json_t *data, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, "compare/methods.json");
  if (!path) return rmx_fail_memory(err, strlen(folder), "a path");
  json_auto_t *file = NULL;
  RMX_TRY(rmx_exists(path) ? rmx__json_read(path, &file, err) : RMX_OK);
  if (rmx__json_seal_broken(file)) RMX_TRY(rmx__note_edited(data, "compare/methods.json", err));
  if (file) RMX_TRY(check(path, file, err));
  if (file) RMX_TRY(take_tracks(file, err));
  if (file) RMX_TRY(rmx__put(data, "methods", json_incref(file), err));
  return RMX_OK;
}
