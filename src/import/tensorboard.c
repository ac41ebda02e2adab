// SPDX-License-Identifier: Apache-2.0
// Scalars in event files of TensorBoard. Of each tag the value of the last step counts. A run is
// the first folder in which the paths of the files differ; folders below it, if runs have several,
// are part of the names of its metrics, as for writers of "train" and "eval".

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/protobuf.h"
#include "formats.h"
#include "gather.h"
#include "records.h"

// The numbers of the fields: of Event, Summary, Value, TensorProto.
enum { STEP = 2, SUMMARY = 5 };
enum { VALUE = 1 };
enum { TAG = 1, SIMPLE_VALUE = 2, TENSOR = 8 };
enum { TYPE = 1, CONTENT = 4, FLOATS = 5, DOUBLES = 6 };
enum { TYPE_FLOAT = 1, TYPE_DOUBLE = 2 };

static bool is_event_file(const char *path) {
  return strstr(rmx__file_name(path), ".tfevents.") != NULL;
}

static bool sniff(const rmx__source *s) {
  if (s->options->what != RMX_IMPORT_METRICS || s->cells) return false;
  if (!s->folder && !s->pattern) return is_event_file(s->path);
  for (size_t i = 0; i < s->files.n; i++)
    if (is_event_file(s->files.items[i])) return true;
  return false;
}

// A number of 4 or 8 bytes; NaN: there are more, or fewer.
static double number_in(const char *data, size_t size, bool is_double) {
  float x;
  double y;
  if (!is_double && size == sizeof x) return memcpy(&x, data, sizeof x), (double)x;
  if (is_double && size == sizeof y) return memcpy(&y, data, sizeof y), y;
  return NAN;
}

// The only number of a tensor; NaN: it has another type or several numbers.
static double number_of_tensor(const rmx__proto_field *tensor) {
  rmx__proto p = {.data = tensor->data, .size = tensor->size};
  rmx__proto_field f, values = {0};
  uint64_t type = 0;
  while (rmx__proto_next(&p, &f)) {
    if (f.number == TYPE && f.kind == RMX__PROTO_VARINT) type = f.value;
    if (f.number == CONTENT || f.number == FLOATS || f.number == DOUBLES) values = f;
  }
  if (type != TYPE_FLOAT && type != TYPE_DOUBLE) return NAN;
  if (values.kind == RMX__PROTO_32) return (double)rmx__proto_float(&values);
  if (values.kind == RMX__PROTO_64)
    return number_in((const char *)&values.value, sizeof values.value, true);
  return values.data ? number_in(values.data, values.size, type == TYPE_DOUBLE) : NAN;
}

// The scalars of a summary, in the columns `prefix` + tag.
static rmx_status take_value(const rmx__proto_field *value, const char *run, const char *prefix,
                             double step, rmx__gather *g, rmx_err *err) {
  rmx__proto p = {.data = value->data, .size = value->size};
  rmx__proto_field f, tag = {0};
  double x = NAN;
  bool any = false;
  size_t at;
  while (rmx__proto_next(&p, &f)) {
    if (f.number == TAG && f.kind == RMX__PROTO_BYTES) tag = f;
    if (f.number == SIMPLE_VALUE && f.kind == RMX__PROTO_32) {
      x = (double)rmx__proto_float(&f);
      any = true;
    }
    if (f.number == TENSOR && f.kind == RMX__PROTO_BYTES) {
      x = number_of_tensor(&f);
      any = any || !isnan(x);
    }
  }
  if (p.broken || !any || !tag.size || memchr(tag.data, '\0', tag.size) ||
      !rmx_is_utf8(tag.data, tag.size, &at))
    return RMX_OK;
  RMX_OWNED char *name =
      rmx_format("%s%s%.*s", prefix, *prefix ? "/" : "", (int)tag.size, tag.data);
  return name ? rmx__gather_number(g, run, name, x, step, err)
              : rmx_fail_memory(err, tag.size, "a tag");
}

static rmx_status take_event(const rmx_buf *event, const char *run, const char *prefix,
                             rmx__gather *g, rmx_err *err) {
  rmx__proto p = {.data = event->data, .size = event->size};
  rmx__proto_field f, summary = {0}, value;
  double step = 0;
  while (rmx__proto_next(&p, &f)) {
    if (f.number == STEP && f.kind == RMX__PROTO_VARINT) step = (double)(int64_t)f.value;
    if (f.number == SUMMARY && f.kind == RMX__PROTO_BYTES) summary = f;
  }
  rmx__proto values = {.data = summary.data, .size = summary.size};
  while (summary.data && rmx__proto_next(&values, &value))
    if (value.number == VALUE && value.kind == RMX__PROTO_BYTES)
      RMX_TRY(take_value(&value, run, prefix, step, g, err));
  return RMX_OK;
}

static rmx_status take_file(const char *path, const char *run, const char *prefix, rmx__gather *g,
                            bool *cut, rmx_err *err) {
  rmx__records r;
  bool more = false;
  rmx_status status = rmx__records_open(&r, path, err);
  while (status == RMX_OK) {
    status = rmx__records_next_tf(&r, &more, err);
    if (status != RMX_OK || !more) break;
    status = take_event(&r.data, run, prefix, g, err);
  }
  *cut = r.cut;
  rmx__records_close(&r);
  return status;
}

// Whether some run has event files in several folders.
static bool has_parts(const rmx__run_files *files) {
  for (size_t i = 1; i < files->n; i++)
    if (strcmp(files->items[i].run, files->items[i - 1].run) == 0 &&
        strcmp(files->items[i].below, files->items[i - 1].below) != 0)
      return true;
  return false;
}

static rmx_status take_files(const rmx__source *s, const rmx__run_files *files, rmx__gather *g,
                             rmx_err *err) {
  rmx_few unfinished = {0};
  const bool parts = has_parts(files);
  for (size_t i = 0; i < files->n; i++) {
    const rmx__run_file *f = &files->items[i];
    bool cut = false;
    RMX_TRY(take_file(f->path, f->run, parts ? f->below : "", g, &cut, err));
    if (cut) rmx_few_add(&unfinished, f->run);
  }
  if (unfinished.n)
    rmx_warn(s->listener,
             "%s: %zu event file%s in the middle of a record, so the training was stopped or "
             "goes on: %s; what comes before is read",
             s->path, unfinished.n, unfinished.n == 1 ? " ends" : "s end", unfinished.text);
  if (g->n == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %zu event file%s of TensorBoard without a scalar; wanted scalars, such as "
                    "add_scalar writes",
                    s->path, files->n, rmx_s(files->n));
  return RMX_OK;
}

static rmx_status read_events(const rmx__source *s, rmx_table *out, rmx_err *err) {
  static const rmx__file_kind kind = {
      is_event_file, "event file of TensorBoard (with .tfevents. in its name)", false};
  RMX_OWNED_BY(rmx__run_files_release) rmx__run_files files = {0};
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  RMX_TRY(rmx__run_files_find(s, &kind, &files, err));
  RMX_TRY(take_files(s, &files, &g, err));
  RMX_TRY(rmx__gather_tell_short(&g, s->path, s->listener, err));
  RMX_TRY(rmx__import_gathered(s, &g, "run", "", true, out, err));
  rmx_note(s->listener,
           "%s: %zu metric%s of %zu run%s from event files of TensorBoard; the last step of each "
           "counts",
           s->path, out->D, rmx_s(out->D), out->N, rmx_s(out->N));
  return RMX_OK;
}

const rmx__table_format rmx__format_tensorboard = {
    .name = "tensorboard",
    .help = "event files of TensorBoard",
    .sniff = sniff,
    .read = read_events,
};
