// SPDX-License-Identifier: Apache-2.0
// YAML through libyaml's events into jansson trees, so that config and results are
// walked by the same code as JSON; and back, for the files that people read.
#include <errno.h>
#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/c_number.h"
#include "base/memory.h"
#include "json.h"

// Where each node stood, for messages: a plain list, searched from the front; configs are small.
struct rmx__yaml_lines {
  size_t n, capacity;
  struct {
    const json_t *node;
    int line;
  } * items;
};

enum { DEEPEST = 64 };

struct reading {
  yaml_parser_t parser;
  const char *name;
  struct rmx__yaml_lines *lines;
  rmx_err *err;
};

static rmx_status wrong(struct reading *r, const yaml_mark_t *mark, const char *what) {
  return rmx_fail(r->err, RMX_EINPUT, "%s:%zu: %s", r->name, mark->line + 1, what);
}

static rmx_status next_event(struct reading *r, yaml_event_t *event) {
  if (yaml_parser_parse(&r->parser, event)) return RMX_OK;
  if (r->parser.error == YAML_MEMORY_ERROR) rmx__short_of(0);
  if (r->parser.error == YAML_MEMORY_ERROR) return rmx_fail_memory(r->err, 0, r->name);
  const char *problem = r->parser.problem ? r->parser.problem : "not YAML";
  const yaml_mark_t *mark = r->parser.problem_mark.line ? &r->parser.problem_mark : &r->parser.mark;
  return rmx_fail(r->err, RMX_EINPUT, "%s:%zu: not YAML: %s%s%s", r->name, mark->line + 1, problem,
                  r->parser.context ? " " : "", r->parser.context ? r->parser.context : "");
}

static rmx_status remember(struct reading *r, const json_t *node, const yaml_mark_t *mark) {
  struct rmx__yaml_lines *l = r->lines;
  if (l->n == l->capacity) {
    size_t capacity = l->capacity ? 2 * l->capacity : 64;
    void *items = rmx_realloc(l->items, capacity, sizeof *l->items);
    if (!items) return rmx_fail_memory(r->err, capacity, r->name);
    l->items = items;
    l->capacity = capacity;
  }
  l->items[l->n].node = node;
  l->items[l->n++].line = (int)mark->line + 1;
  return RMX_OK;
}

// The core schema's plain scalars. true/false/null are fresh values of jansson's
// shared ones, so their lines are not known; numbers and strings have theirs.
static json_t *scalar(const yaml_event_t *event) {
  const char *text = (const char *)event->data.scalar.value;
  size_t size = event->data.scalar.length;
  if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return json_stringn(text, size);
  if (size == 0 || strcmp(text, "~") == 0 || strcmp(text, "null") == 0) return json_null();
  if (strcmp(text, "true") == 0) return json_true();
  if (strcmp(text, "false") == 0) return json_false();
  if (strspn(text, "0123456789+-.eE") == size) {
    char *end;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    if (!*end && errno == 0) return json_integer(integer);
    double real = rmx__strtod(text, &end);
    if (!*end && isfinite(real)) return json_real(real);
  }
  return json_stringn(text, size);
}

static rmx_status node_of(struct reading *r, yaml_event_t *event, int depth, json_t **out);

static rmx_status map_of(struct reading *r, json_t *object, int depth) {
  for (;;) {
    yaml_event_t event;
    RMX_TRY(next_event(r, &event));
    yaml_mark_t mark = event.start_mark;
    if (event.type == YAML_MAPPING_END_EVENT) {
      yaml_event_delete(&event);
      return RMX_OK;
    }
    if (event.type != YAML_SCALAR_EVENT) {
      yaml_event_delete(&event);
      return wrong(r, &mark, "a key must be a plain name");
    }
    if (memchr(event.data.scalar.value, '\0', event.data.scalar.length)) {
      yaml_event_delete(&event);
      return wrong(r, &mark, "a key has a NUL character in it");
    }
    char *key = rmx_strdup((const char *)event.data.scalar.value);
    yaml_event_delete(&event);
    if (!key) return rmx_fail_memory(r->err, 0, r->name);
    rmx_status status = RMX_OK;
    json_t *value = NULL;
    if (json_object_get(object, key))
      status = rmx_fail(r->err, RMX_EINPUT, "%s:%zu: \"%s\" is given twice", r->name, mark.line + 1,
                        key);
    if (status == RMX_OK) status = next_event(r, &event);
    if (status == RMX_OK) status = node_of(r, &event, depth + 1, &value);
    if (status == RMX_OK && json_object_set_new(object, key, value) != 0)
      status =
          rmx_fail(r->err, RMX_EINPUT, "%s:%zu: \"%s\" is not UTF-8", r->name, mark.line + 1, key);
    free(key);
    RMX_TRY(status);
  }
}

static rmx_status list_of(struct reading *r, json_t *array, int depth) {
  for (;;) {
    yaml_event_t event;
    RMX_TRY(next_event(r, &event));
    if (event.type == YAML_SEQUENCE_END_EVENT) {
      yaml_event_delete(&event);
      return RMX_OK;
    }
    json_t *value = NULL;
    RMX_TRY(node_of(r, &event, depth + 1, &value));
    if (json_array_append_new(array, value) != 0) return rmx_fail_memory(r->err, 0, r->name);
  }
}

// Takes over `event`.
static rmx_status node_of(struct reading *r, yaml_event_t *event, int depth, json_t **out) {
  yaml_mark_t mark = event->start_mark;
  yaml_event_type_t type = event->type;
  json_t *node = NULL;
  if (type == YAML_SCALAR_EVENT) node = scalar(event);
  if (type == YAML_MAPPING_START_EVENT) node = json_object();
  if (type == YAML_SEQUENCE_START_EVENT) node = json_array();
  yaml_event_delete(event);
  if (type == YAML_ALIAS_EVENT)
    return wrong(r, &mark, "aliases (*name) are not supported; write the value out");
  if (!node) return wrong(r, &mark, "a value is missing or not UTF-8");
  rmx_status status = RMX_OK;
  if (depth > DEEPEST) status = wrong(r, &mark, "nested too deeply");
  if (status == RMX_OK) status = remember(r, node, &mark);
  if (status == RMX_OK && type == YAML_MAPPING_START_EVENT) status = map_of(r, node, depth);
  if (status == RMX_OK && type == YAML_SEQUENCE_START_EVENT) status = list_of(r, node, depth);
  if (status != RMX_OK) {
    json_decref(node);
    return status;
  }
  *out = node;
  return RMX_OK;
}

rmx_status rmx__yaml_parse(const char *text, size_t size, const char *name, rmx__yaml *out,
                           rmx_err *err) {
  *out = (rmx__yaml){0};
  struct reading r = {.name = name, .err = err};
  r.lines = rmx_calloc(1, sizeof *r.lines);
  if (!r.lines || !yaml_parser_initialize(&r.parser)) {
    free(r.lines);
    return rmx_fail_memory(err, 0, name);
  }
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
  json_t *root = NULL;
  rmx_status status = RMX_OK;
  for (bool done = false; status == RMX_OK && !done;) {
    yaml_event_t event;
    status = next_event(&r, &event);
    if (status != RMX_OK) break;
    switch (event.type) {
      case YAML_STREAM_START_EVENT:
      case YAML_DOCUMENT_START_EVENT:
      case YAML_DOCUMENT_END_EVENT:
        yaml_event_delete(&event);
        break;
      case YAML_STREAM_END_EVENT:
        yaml_event_delete(&event);
        done = true;
        break;
      default:
        if (root) {
          status = wrong(&r, &event.start_mark, "a second document; one is enough");
          yaml_event_delete(&event);
        } else {
          status = node_of(&r, &event, 0, &root);
        }
    }
  }
  yaml_parser_delete(&r.parser);
  if (status == RMX_OK && !root) root = json_object();
  *out = (rmx__yaml){root, r.lines};
  if (status != RMX_OK) rmx__yaml_release(out);
  return status;
}

rmx_status rmx__yaml_read(const char *path, rmx__yaml *out, rmx_err *err) {
  RMX_OWNED char *text = NULL;
  size_t size;
  *out = (rmx__yaml){0};
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  return rmx__yaml_parse(text, size, path, out, err);
}

int rmx__yaml_line(const rmx__yaml *y, const json_t *node) {
  if (!y->lines || json_is_true(node) || json_is_false(node) || json_is_null(node)) return 0;
  for (size_t i = 0; i < y->lines->n; i++)
    if (y->lines->items[i].node == node) return y->lines->items[i].line;
  return 0;
}

void rmx__yaml_release(rmx__yaml *y) {
  json_decref(y->root);
  if (y->lines) free(y->lines->items);
  free(y->lines);
  *y = (rmx__yaml){0};
}

// ---- writing: block style, strings quoted unless no reader could take them for something else

// readers look for the colon within 1024 characters, and a byte may take six
enum { LONGEST_SIMPLE_KEY = 128 };

static void write_scalar(rmx_buf *b, const json_t *node) {
  switch (json_typeof(node)) {
    case JSON_STRING:
      rmx_put_yaml(b, json_string_value(node));
      break;
    case JSON_INTEGER:
      rmx_buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(node));
      break;
    case JSON_REAL:
      rmx_put_number(b, json_real_value(node));
      break;
    case JSON_TRUE:
      rmx_buf_puts(b, "true");
      break;
    case JSON_FALSE:
      rmx_buf_puts(b, "false");
      break;
    case JSON_OBJECT:
      rmx_buf_puts(b, "{}");
      break;
    case JSON_ARRAY:
      rmx_buf_puts(b, "[]");
      break;
    default:
      rmx_buf_puts(b, "null");
  }
}

static void write_node(rmx_buf *b, const json_t *node, int indent);

// What stands behind a key's colon or an item's dash.
static void write_value(rmx_buf *b, const json_t *value, int indent) {
  if (json_object_size(value) > 0 || json_array_size(value) > 0) {
    rmx_buf_puts(b, "\n");
    write_node(b, value, indent + 2);
  } else {
    rmx_buf_puts(b, " ");
    write_scalar(b, value);
    rmx_buf_puts(b, "\n");
  }
}

void rmx_put_yaml_key(rmx_buf *out, int indent, const char *key) {
  rmx_buf_printf(out, "%*s", indent, "");
  if (strlen(key) <= LONGEST_SIMPLE_KEY) {
    rmx_put_yaml(out, key);
    rmx_buf_puts(out, ":");
  } else {
    rmx_buf_puts(out, "? ");
    rmx_put_yaml(out, key);
    rmx_buf_printf(out, "\n%*s:", indent, "");
  }
}

static void write_node(rmx_buf *b, const json_t *node, int indent) {
  const char *key;
  json_t *value;
  size_t i;
  json_object_foreach((json_t *)node, key, value) {
    rmx_put_yaml_key(b, indent, key);
    write_value(b, value, indent);
  }
  json_array_foreach(node, i, value) {
    rmx_buf_printf(b, "%*s-", indent, "");
    write_value(b, value, indent);
  }
}

rmx_status rmx__yaml_write(const char *path, const json_t *tree, const char *heading,
                           rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  for (const char *line = heading; line && *line;) {
    size_t n = strcspn(line, "\n");
    rmx_buf_printf(&b, "# %.*s\n", (int)n, line);
    line += n + (line[n] == '\n');
  }
  if (json_object_size(tree) > 0 || json_array_size(tree) > 0) {
    write_node(&b, tree, 0);
  } else {
    write_scalar(&b, tree);
    rmx_buf_puts(&b, "\n");
  }
  return b.failed ? rmx_fail_memory(err, b.size, path)
                  : rmx_write_file(path, b.data ? b.data : "", b.size, err);
}
