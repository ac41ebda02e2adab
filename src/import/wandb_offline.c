// SPDX-License-Identifier: Apache-2.0
// Runs that Weights & Biases keeps on disk: wandb/offline-run-DATE-ID/run-ID.wandb (and
// wandb/run-DATE-ID). Each becomes a row of the table that an export would have: Name, ID, State,
// config.*, and the last value of each key that was logged. Nested keys are joined by dots in the
// config and as logged in the summary.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "base/protobuf.h"
#include "formats.h"
#include "gather.h"
#include "records.h"

// The numbers of the fields of Record, and of what is in it.
enum { HISTORY = 2, SUMMARY = 3, CONFIG = 5, RUN = 17, EXIT = 18 };
enum { RUN_ID = 1, RUN_CONFIG = 4, RUN_SUMMARY = 5, DISPLAY_NAME = 8 };
enum { ITEMS = 1, KEY = 1, NESTED_KEY = 2, VALUE_JSON = 16, EXIT_CODE = 1 };
enum { DEEPEST = 8 };  // levels of a value

static bool is_run_file(const char *path) {
  return rmx__ends_in(path, ".wandb");
}

static bool sniff(const rmx__source *s) {
  if (s->cells) return false;
  if (!s->folder && !s->pattern) return is_run_file(s->path);
  for (size_t i = 0; i < s->files.n; i++)
    if (is_run_file(s->files.items[i])) return true;
  return false;
}

typedef struct run {
  char *id, *name;
  json_t *values;  // column: text
  const char *state;
} run;

static void release_run(run *r) {
  free(r->id), free(r->name);
  json_decref(r->values);
}

static rmx_status keep(run *r, const char *column, const char *text, rmx_err *err) {
  return json_object_set_new_nocheck(r->values, column, json_string_nocheck(text)) == 0
             ? RMX_OK
             : rmx_fail_memory(err, 64, "a run");
}

// Numbers, texts and truth values become cells; maps are entered; all else is left out.
static rmx_status take_json(run *r, const char *column, const json_t *value, int depth,
                            rmx_err *err) {
  char text[32];
  const char *key;
  json_t *inner;
  if (json_is_string(value)) return keep(r, column, json_string_value(value), err);
  if (json_is_number(value)) {
    rmx_double_text(json_number_value(value), text);
    return keep(r, column, text, err);
  }
  if (json_is_boolean(value)) return keep(r, column, json_is_true(value) ? "true" : "false", err);
  if (!json_is_object(value) || depth >= DEEPEST) return RMX_OK;
  json_object_foreach((json_t *)value, key, inner) {
    RMX_OWNED char *name = rmx_format("%s.%s", column, key);
    RMX_TRY(name ? take_json(r, name, inner, depth + 1, err) : rmx_fail_memory(err, 64, "a run"));
  }
  return RMX_OK;
}

static bool is_text(const rmx__proto_field *f) {
  size_t at;
  return f->kind == RMX__PROTO_BYTES && !memchr(f->data, '\0', f->size) &&
         rmx_is_utf8(f->data, f->size, &at);
}

static char *text_of(const rmx__proto_field *f) {
  return rmx_format("%.*s", (int)f->size, f->data);
}

// {key or nested keys, value_json}
static rmx_status take_item(run *r, const char *prefix, const rmx__proto_field *item,
                            rmx_err *err) {
  rmx__proto p = {.data = item->data, .size = item->size};
  rmx__proto_field f, json = {0};
  RMX_OWNED_BY(rmx_buf_release) rmx_buf name = {0};
  bool any = false;
  rmx_buf_puts(&name, prefix);
  while (rmx__proto_next(&p, &f)) {
    if ((f.number == KEY || f.number == NESTED_KEY) && is_text(&f) && f.size) {
      if (any) rmx_buf_puts(&name, ".");
      rmx_buf_add(&name, f.data, f.size);
      any = true;
    }
    if (f.number == VALUE_JSON && is_text(&f)) json = f;
  }
  if (name.failed) return rmx_fail_memory(err, name.size, "a run");
  if (p.broken || !any || !json.size || name.data[strlen(prefix)] == '_') return RMX_OK;
  json_auto_t *value = json_loadb(json.data, json.size, JSON_DECODE_ANY, NULL);  // NULL: NaN
  return value ? take_json(r, name.data, value, 0, err) : keep(r, name.data, "NaN", err);
}

static rmx_status take_items(run *r, const char *prefix, const rmx__proto_field *list,
                             rmx_err *err) {
  rmx__proto p = {.data = list->data, .size = list->size};
  rmx__proto_field f;
  while (list->kind == RMX__PROTO_BYTES && rmx__proto_next(&p, &f))
    if (f.number == ITEMS && f.kind == RMX__PROTO_BYTES) RMX_TRY(take_item(r, prefix, &f, err));
  return RMX_OK;
}

static rmx_status take_run(run *r, const rmx__proto_field *record, rmx_err *err) {
  rmx__proto p = {.data = record->data, .size = record->size};
  rmx__proto_field f;
  while (record->kind == RMX__PROTO_BYTES && rmx__proto_next(&p, &f)) {
    if ((f.number == RUN_ID || f.number == DISPLAY_NAME) && is_text(&f) && f.size) {
      char **to = f.number == RUN_ID ? &r->id : &r->name;
      free(*to);
      if (!(*to = text_of(&f))) return rmx_fail_memory(err, f.size, "a run");
    }
    if (f.number == RUN_CONFIG) RMX_TRY(take_items(r, "config.", &f, err));
    if (f.number == RUN_SUMMARY) RMX_TRY(take_items(r, "", &f, err));
  }
  return RMX_OK;
}

static void take_exit(run *r, const rmx__proto_field *record) {
  rmx__proto p = {.data = record->data, .size = record->size};
  rmx__proto_field f;
  r->state = "finished";
  while (record->kind == RMX__PROTO_BYTES && rmx__proto_next(&p, &f))
    if (f.number == EXIT_CODE && f.value != 0) r->state = "failed";
}

static rmx_status take_record(run *r, const rmx_buf *record, rmx_err *err) {
  rmx__proto p = {.data = record->data, .size = record->size};
  rmx__proto_field f;
  while (rmx__proto_next(&p, &f)) {
    if (f.number == HISTORY || f.number == SUMMARY) RMX_TRY(take_items(r, "", &f, err));
    if (f.number == CONFIG) RMX_TRY(take_items(r, "config.", &f, err));
    if (f.number == RUN) RMX_TRY(take_run(r, &f, err));
    if (f.number == EXIT) take_exit(r, &f);
  }
  return RMX_OK;
}

// The file begins with ":W&B", a number of two bytes and a version, which are a part of the first
// block.
static rmx_status take_head(rmx__records *r, rmx_err *err) {
  char head[7];
  if (fread(head, 1, sizeof head, r->file) != sizeof head || memcmp(head, ":W&B", 4) != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: not a run of Weights & Biases: it does not begin with \":W&B\"", r->path);
  if (head[6] != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: version %d of the .wandb files, which is not known; upload the run with "
                    "`wandb sync` and export the table of runs as CSV",
                    r->path, head[6]);
  r->at = sizeof head;
  return RMX_OK;
}

static rmx_status read_run(const char *path, run *out, rmx_err *err) {
  rmx__records r;
  bool more = false;
  *out = (run){.values = json_object(), .state = "running"};
  if (!out->values) return rmx_fail_memory(err, 64, "a run");
  rmx_status status = rmx__records_open(&r, path, err);
  if (status == RMX_OK) status = take_head(&r, err);
  while (status == RMX_OK) {
    status = rmx__records_next_leveldb(&r, &more, err);
    if (status != RMX_OK || !more) break;
    status = take_record(out, &r.data, err);
  }
  rmx__records_close(&r);
  return status;
}

// A row is named by its file until all are known: names repeat.
static rmx_status put_row(rmx__gather *g, const char *path, const run *r, rmx_err *err) {
  const char *column, *id = rmx__file_name(r->id ? r->id : path);
  json_t *value;
  RMX_TRY(rmx__gather_put(g, path, "Name", r->name ? r->name : id, 0, NULL, err));
  RMX_TRY(rmx__gather_put(g, path, "ID", id, 0, NULL, err));
  RMX_TRY(rmx__gather_put(g, path, "State", r->state, 0, NULL, err));
  json_object_foreach(r->values, column, value)
    RMX_TRY(rmx__gather_put(g, path, column, json_string_value(value), 0, NULL, err));
  return RMX_OK;
}

static rmx_status read_folder(const rmx__source *s, rmx_table *out, rmx_err *err) {
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  const char *const alone[] = {s->path};
  const bool many = s->folder || s->pattern;
  const char *const *paths = many ? (const char *const *)s->files.items : alone;
  for (size_t i = 0; i < (many ? s->files.n : 1); i++) {
    if (!is_run_file(paths[i])) continue;
    run r;
    rmx_status status = read_run(paths[i], &r, err);
    if (status == RMX_OK) status = put_row(&g, paths[i], &r, err);
    release_run(&r);
    RMX_TRY(status);
  }
  rmx_note(s->listener, "%s: %zu run%s that Weights & Biases left on disk", s->path, g.n_rows,
           rmx_s(g.n_rows));
  RMX_OWNED_BY(rmx_cells_release) rmx_cells cells = {0};
  RMX_TRY(rmx__gather_cells(&g, s->path, "file", "", &cells, err));
  rmx__source table = *s;
  table.cells = &cells;
  return rmx__format_wandb.read(&table, out, err);
}

const rmx__table_format rmx__format_wandb_offline = {
    .name = "wandb-offline",
    .help = "runs that Weights & Biases keeps on disk (run-ID.wandb)",
    .sniff = sniff,
    .read = read_folder,
};
