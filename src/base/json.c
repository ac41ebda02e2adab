// SPDX-License-Identifier: Apache-2.0
// JSON files through jansson, with messages that name file and line.
#include "json.h"

#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>

const char *rmx__json_why(const json_error_t *error) {
  return strstr(error->text, "JSON_ALLOW_NUL")
             ? "a text has the character \\u0000, which cannot be read"
             : error->text;
}

static rmx_status refused(const char *name, const json_error_t *error, rmx_err *err) {
  const bool number = json_error_code(error) == json_error_numeric_overflow;
  return rmx_fail(err, RMX_EINPUT, "%s:%d: %s: %s", name, error->line,
                  number ? "a number is too large to be read" : "not JSON", rmx__json_why(error));
}

// Bytes of a byte order mark, which editors of Windows put before a text.
static size_t mark_of(const char *text, size_t size) {
  return size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

rmx_status rmx__json_read(const char *path, json_t **out, rmx_err *err) {
  char *text;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  json_error_t where;
  const size_t mark = mark_of(text, size);
  json_t *tree = json_loadb(text + mark, size - mark, JSON_REJECT_DUPLICATES, &where);
  free(text);
  if (!tree) return refused(path, &where, err);
  *out = tree;
  return RMX_OK;
}

// indent < 0: all on one line, without spaces.
static void break_line(rmx_buf *b, int indent, int depth) {
  if (indent >= 0) rmx_buf_printf(b, "\n%*s", indent * depth, "");
}

static void write_node(rmx_buf *b, const json_t *node, int indent, int depth) {
  const bool object = json_is_object(node);
  const char *key;
  json_t *value;
  size_t i;
  switch (json_typeof(node)) {
    case JSON_STRING:
      rmx_put_quoted(b, json_string_value(node));
      return;
    case JSON_REAL:
      rmx_put_number(b, json_real_value(node));
      return;
    case JSON_INTEGER:
      rmx_buf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(node));
      return;
    case JSON_TRUE:
      rmx_buf_puts(b, "true");
      return;
    case JSON_FALSE:
      rmx_buf_puts(b, "false");
      return;
    case JSON_NULL:
      rmx_buf_puts(b, "null");
      return;
    default:
      break;
  }
  bool any = false;
  rmx_buf_puts(b, object ? "{" : "[");
  if (object) {
    json_object_foreach((json_t *)node, key, value) {
      if (any) rmx_buf_puts(b, ",");
      any = true;
      break_line(b, indent, depth + 1);
      rmx_put_quoted(b, key);
      rmx_buf_puts(b, indent >= 0 ? ": " : ":");
      write_node(b, value, indent, depth + 1);
    }
  } else {
    json_array_foreach(node, i, value) {
      if (any) rmx_buf_puts(b, ",");
      any = true;
      break_line(b, indent, depth + 1);
      write_node(b, value, indent, depth + 1);
    }
  }
  if (any) break_line(b, indent, depth);
  rmx_buf_puts(b, object ? "}" : "]");
}

void rmx__put_json(rmx_buf *out, const json_t *tree) {
  if (tree)
    write_node(out, tree, -1, 0);
  else
    out->failed = true;
}

// Words of Python outside of strings are replaced.
static void replace_words(const char *text, size_t size, const char *instead, rmx_buf *out) {
  static const char *const words[] = {"-Infinity", "Infinity", "NaN"};
  bool quoted = false;
  size_t from = 0;
  for (size_t i = 0; i < size; i++) {
    if (quoted && text[i] == '\\') {
      i++;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (text[i] == 'N' || text[i] == 'I' || text[i] == '-')) {
      for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
        size_t n = strlen(words[k]);
        if (size - i < n || memcmp(text + i, words[k], n) != 0) continue;
        rmx_buf_add(out, text + from, i - from);
        rmx_buf_puts(out, instead);
        from = i + n;
        i = from - 1;
        break;
      }
    }
  }
  rmx_buf_add(out, text + from, size - from);
}

rmx_status rmx__json_parse_python(const char *text, size_t size, const char *name,
                                  const char *instead, json_t **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf clean = {0};
  json_error_t where;
  const size_t mark = mark_of(text, size);
  replace_words(text + mark, size - mark, instead, &clean);
  if (clean.failed) return rmx_fail_memory(err, size, name);
  *out = json_loadb(clean.data ? clean.data : "", clean.size, JSON_REJECT_DUPLICATES, &where);
  if (*out) return RMX_OK;
  return refused(name, &where, err);
}

rmx_status rmx__json_read_python(const char *path, const char *instead, json_t **out,
                                 rmx_err *err) {
  RMX_OWNED char *text = NULL;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  return rmx__json_parse_python(text, size, path, instead, out, err);
}

char *rmx__json_dump(const json_t *tree) {
  rmx_buf b = {0};
  if (tree) write_node(&b, tree, 2, 0);
  rmx_buf_puts(&b, "\n");
  if (!tree || b.failed) rmx_buf_release(&b);
  return b.data;
}

rmx_status rmx__json_write(const char *path, const json_t *tree, rmx_err *err) {
  RMX_OWNED char *text = rmx__json_dump(tree);
  if (!text) return rmx_fail_memory(err, 0, path);
  return rmx_write_file(path, text, strlen(text), err);
}

json_t *rmx__json_known(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

json_t *rmx__strings_json(const rmx_strings *list) {
  json_t *array = json_array();
  for (size_t i = 0; i < list->n; i++) json_array_append_new(array, json_string(list->items[i]));
  return array;
}

rmx_status rmx__json_number(const json_t *object, const char *key, double *out, const char *what,
                            rmx_err *err) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_number(value))
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is missing or not a number", what, key);
  *out = json_number_value(value);
  return RMX_OK;
}

rmx_status rmx__json_string(const json_t *object, const char *key, const char **out,
                            const char *what, rmx_err *err) {
  const json_t *value = json_object_get(object, key);
  if (!json_is_string(value))
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is missing or not a string", what, key);
  *out = json_string_value(value);
  return RMX_OK;
}

json_t *rmx__table_json(const rmx_table *t) {
  json_t *root = json_object();
  for (size_t i = 0; i < t->N; i++) {
    json_t *row = json_object();
    for (size_t j = 0; j < t->D; j++) {
      const double x = t->x[i * t->D + j];
      json_object_set_new(row, t->names[j], rmx__json_known(x));
    }
    json_object_set_new(root, t->ids[i], row);
  }
  return root;
}
