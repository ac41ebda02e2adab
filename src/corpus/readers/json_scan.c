// SPDX-License-Identifier: Apache-2.0
// Most of a line of JSON is the text that is wanted. Many programs write the rest, not always
// correctly. So the rest is skipped by its brackets, commas and quotes, and only what is wanted is
// decoded (json_decode.c).
#include "json_scan.h"

#include <string.h>

#include "corpus/sixteen.h"

struct scan {
  const char *start, *at, *end;
  rmx__json_look *look;
  size_t n;                 // paths
  rmx__json_value *values;  // (n)
};

static bool broken(struct scan *s, const char *at, const char *what) {
  s->look->what = what;
  s->look->column = (size_t)(at - s->start) + 1;
  return false;
}

static bool too_deep(struct scan *s, const char *at) {
  s->look->too_deep = true;
  return broken(s, at, "brackets within more than 256 others");
}

static void skip_space(struct scan *s) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n'))
    s->at++;
}

// ---- values that are not wanted ----------------------------------------------------------------

const char *rmx__json_special(const char *p, const char *end) {
  return rmx__find_either(p, end, '"', '\\');
}

// Skips the string at s->at; *from .. *to is what is between its quotes.
static bool skip_string(struct scan *s, const char **from, const char **to) {
  const char *p = s->at + 1;
  *from = p;
  while ((p = rmx__json_special(p, s->end)) < s->end && *p == '\\') {
    if (s->end - p < 2) return broken(s, s->at, "a string without an end");
    p += 2;
  }
  if (p == s->end) return broken(s, s->at, "a string without an end");
  *to = p;
  s->at = p + 1;
  return true;
}

// Numbers, true, false, null, and what some programs write instead: NaN, -Infinity, 1e999.
static bool is_scalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '+' || c == '_';
}

static bool skip_scalar(struct scan *s) {
  const char *from = s->at;
  while (s->at < s->end && is_scalar(*s->at)) s->at++;
  return s->at > from || broken(s, from, "wanted a value");
}

// Skips `"key":` of an object.
static bool skip_key(struct scan *s, const char **from, const char **to) {
  if (s->at == s->end || *s->at != '"') return broken(s, s->at, "wanted a name in quotes");
  if (!skip_string(s, from, to)) return false;
  skip_space(s);
  if (s->at == s->end || *s->at != ':') return broken(s, s->at, "wanted a colon");
  s->at++;
  skip_space(s);
  return true;
}

// After an opening bracket or a value: *over: the bracket at `open` was closed. If not, an element
// follows.
static bool skip_comma(struct scan *s, const char *open, bool first, bool *over) {
  const char close = *open == '{' ? '}' : ']';
  skip_space(s);
  if (s->at == s->end) return broken(s, open, "a bracket that is never closed");
  *over = *s->at == close;
  if (*over) {
    s->at++;
    return true;
  }
  if (first) return true;
  if (*s->at != ',')
    return broken(s, s->at, close == '}' ? "wanted a comma or }" : "wanted a comma or ]");
  s->at++;
  skip_space(s);
  return s->at < s->end || broken(s, open, "a bracket that is never closed");
}

// Skips a value inside `depth` brackets. Its own brackets are in `open`, so nothing is recursive.
static bool skip_value(struct scan *s, int depth) {
  const char *open[RMX__JSON_DEPTH], *from, *to;
  int n = 0;
  do {
    bool over = false, first = false;
    if (s->at == s->end) return broken(s, s->at, "wanted a value");
    if (*s->at == '{' || *s->at == '[') {
      if (depth + n == RMX__JSON_DEPTH) return too_deep(s, s->at);
      open[n++] = s->at++;
      first = true;
    } else if (!(*s->at == '"' ? skip_string(s, &from, &to) : skip_scalar(s))) {
      return false;
    }
    for (; n > 0; n--, first = false) {
      if (!skip_comma(s, open[n - 1], first, &over)) return false;
      if (!over) break;
    }
    if (n > 0 && *open[n - 1] == '{' && !skip_key(s, &from, &to)) return false;
  } while (n > 0);
  return true;
}

// ---- values that are wanted --------------------------------------------------------------------

// The rest of a wanted path after this key: "" if the key is all of it, NULL if it is another key.
static const char *rest_after(const char *wanted, const char *key, size_t size) {
  if (!wanted || strncmp(wanted, key, size) != 0 || memchr(key, '\0', size)) return NULL;
  if (wanted[size] == '\0') return wanted + size;
  return wanted[size] == '.' ? wanted + size + 1 : NULL;
}

// The rests of all paths after a key; *any is a path that it begins, *deeper one that has a rest.
static bool match_key(struct scan *s, const char *const *wanted, const char *from, const char *to,
                      const char **rests, bool *any, bool *deeper) {
  rmx_buf key = {0};
  rmx__json_look look = {0};
  const bool escaped = memchr(from, '\\', (size_t)(to - from));
  const rmx__json_value string = {RMX__JSON_STRING, from, to, NULL};
  if (escaped && !rmx__json_decode(s->start, string, &key, &look)) {
    rmx_buf_release(&key);
    return broken(s, s->start + look.column - 1, look.what);
  }
  const char *name = escaped ? key.data : from;
  const size_t size = escaped ? key.size : (size_t)(to - from);
  *any = *deeper = false;
  for (size_t i = 0; i < s->n; i++) {
    rests[i] = key.failed ? NULL : rest_after(wanted[i], name, size);
    *any = *any || rests[i];
    *deeper = *deeper || (rests[i] && *rests[i]);
  }
  rmx_buf_release(&key);
  return true;
}

static rmx__json_kind kind_of(const char *from, const char *to) {
  if (*from == '"') return RMX__JSON_STRING;
  if (*from == '[') return RMX__JSON_ARRAY;
  if (*from == '{') return RMX__JSON_OBJECT;
  return to - from == 4 && memcmp(from, "null", 4) == 0 ? RMX__JSON_NULL : RMX__JSON_SCALAR;
}

// Scans the object at s->at. wanted: of each path what is left of it, or NULL. As deep as the
// longest path and no deeper.
static bool scan_object(struct scan *s, const char *const *wanted, int depth) {
  const char *const open = s->at, *from, *to, *rests[RMX__JSON_PATHS];
  bool over = false, any = false, deeper = false;
  if (depth > RMX__JSON_DEPTH) return too_deep(s, open);
  s->at++;
  for (bool first = true; skip_comma(s, open, first, &over); first = false) {
    if (over) return true;
    if (!skip_key(s, &from, &to)) return false;
    if (!match_key(s, wanted, from, to, rests, &any, &deeper)) return false;
    from = s->at;
    if (!(deeper && from < s->end && *from == '{' ? scan_object(s, rests, depth + 1)
                                                  : skip_value(s, depth)))
      return false;
    const bool string = any && *from == '"';
    for (size_t i = 0; any && i < s->n; i++)
      if (rests[i] && !*rests[i])
        s->values[i] = (rmx__json_value){kind_of(from, s->at), from + string, s->at - string, NULL};
    for (size_t i = 0; deeper && *from == '[' && i < s->n; i++)
      if (rests[i] && *rests[i])
        s->values[i] = (rmx__json_value){RMX__JSON_EACH, from, s->at, rests[i]};
  }
  return false;
}

bool rmx__json_scan(const char *line, size_t size, const char *const *paths, size_t n,
                    rmx__json_value *values, rmx__json_look *look) {
  *look = (rmx__json_look){0};
  for (size_t i = 0; i < n; i++) values[i] = (rmx__json_value){0};
  struct scan s = {line, line, line + size, look, n, values};
  skip_space(&s);
  const bool object = s.at < s.end && *s.at == '{';
  if (!(object ? scan_object(&s, paths, 1) : skip_value(&s, 0))) return false;
  skip_space(&s);
  if (s.at < s.end) return broken(&s, s.at, "more text after its end");
  look->no_object = !object;
  return object;
}

// ---- the values of an array that was scanned ------------------------------------------------

// Moves array->from after the next element, and gives it. False: there is none.
static bool next_element(rmx__json_value *array, rmx__json_value *element) {
  rmx__json_look look;
  struct scan s = {array->from, array->from, array->to, &look, 0, NULL};
  s.at++;  // the bracket, or the comma after the element before
  skip_space(&s);
  const char *from = s.at;
  if (s.at == s.end || *s.at == ']' || !skip_value(&s, 0)) return false;
  const bool string = *from == '"';
  *element = (rmx__json_value){kind_of(from, s.at), from + string, s.at - string, NULL};
  skip_space(&s);
  array->from = s.at;
  return true;
}

// The recursion is as deep as the brackets of the line, which are limited.
bool rmx__json_each(const rmx__json_value *array, rmx__json_visit *each, void *context) {
  rmx__json_value rest = *array, element, found;
  rmx__json_look look;
  while (next_element(&rest, &element)) {
    if (array->kind == RMX__JSON_EACH) {
      found = (rmx__json_value){element.kind == RMX__JSON_ARRAY ? RMX__JSON_EACH : RMX__JSON_NONE,
                                element.from, element.to, array->rest};
      if (element.kind == RMX__JSON_OBJECT &&
          !rmx__json_scan(element.from, (size_t)(element.to - element.from), &array->rest, 1,
                          &found, &look))
        return false;
    } else {
      found = element;
    }
    const bool nested = found.kind == RMX__JSON_EACH || found.kind == RMX__JSON_ARRAY;
    if (nested ? !rmx__json_each(&found, each, context) : !each(context, &found)) return false;
  }
  return true;
}
