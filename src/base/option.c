// SPDX-License-Identifier: Apache-2.0
// Options: one table says name, type, default, bounds and help of each; the command line,
// the config, resolved.yaml, --help and the man pages all read that table.
#include <errno.h>
#include <math.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "json.h"

// A number, then an optional k, M, G (or B) or T: powers of 1000.
static bool parse_number(const char *text, double *out) {
  char *end;
  errno = 0;
  double x = rmx__strtod(text, &end);
  if (end == text || errno == ERANGE || strpbrk(text, "xX")) return false;  // "0x10" is no number
  switch (*end) {
    case 'k':
    case 'K':
      x *= 1e3;
      end++;
      break;
    case 'M':
      x *= 1e6;
      end++;
      break;
    case 'G':
    case 'B':
      x *= 1e9;
      end++;
      break;
    case 'T':
      x *= 1e12;
      end++;
      break;
    default:
      break;
  }
  *out = x;
  return !*end && isfinite(x);
}

rmx_status rmx_parse_int(const char *text, const char *what, int64_t *out, rmx_err *err) {
  char *end;
  errno = 0;
  long long exact = strtoll(text, &end, 10);
  if (end != text && !*end && errno == 0) {
    *out = exact;
    return RMX_OK;
  }
  double x;
  if (!parse_number(text, &x) || x != floor(x) || fabs(x) > 9e18)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"%s\" is not a whole number (as 600000, 600k, 1.5M, 2G, 1T)", what, text);
  *out = (int64_t)x;
  return RMX_OK;
}

rmx_status rmx_parse_real(const char *text, const char *what, double *out, rmx_err *err) {
  if (!parse_number(text, out))
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is not a number (as 0.5, 3e-4, 600k, 2G, 1T)",
                    what, text);
  return RMX_OK;
}

rmx_status rmx_parse_count(const char *text, const char *what, double *out, rmx_err *err) {
  const size_t n = strlen(text);
  RMX_OWNED char *upper = rmx_strdup(text);
  if (!upper) return rmx_fail_memory(err, n, "a number");
  if (n && upper[n - 1] == 'b') upper[n - 1] = 'B';
  return rmx_parse_real(upper, what, out, err);
}

rmx_status rmx_parse_duration(const char *text, const char *what, double *out, rmx_err *err) {
  static const struct {
    const char *unit;
    double seconds;
  } units[] = {{"", 1}, {"s", 1}, {"sec", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}};
  char *end;
  double x = rmx__strtod(text, &end);
  while (end != text && *end == ' ') end++;
  for (size_t i = 0; end != text && i < sizeof units / sizeof *units; i++)
    if (strcmp(end, units[i].unit) == 0 && x >= 0 && isfinite(x)) {
      *out = x * units[i].seconds;
      return RMX_OK;
    }
  return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is not a duration (90s, 15min, 12h, 2d)", what,
                  text);
}

// Whether the option's default is the word for its 0 ("none").
static bool word_of_zero(const rmx_option *o) {
  double number;
  return o->type == RMX_REAL && o->initial && !parse_number(o->initial, &number);
}

static rmx_status within(const rmx_option *o, double x, const char *text, rmx_err *err) {
  if ((o->min == 0 && o->max == 0) || (x >= o->min && x <= o->max)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: %s is out of bounds; it goes from %.10g to %.10g%s%s",
                  o->key, text, o->min, o->max, word_of_zero(o) ? ", or is " : "",
                  word_of_zero(o) ? o->initial : "");
}

static bool is_choice(const char *choices, const char *value) {
  size_t n = strlen(value);
  for (const char *c = choices; c && *c && n;) {
    size_t k = strcspn(c, "|");
    if (k == n && strncmp(c, value, n) == 0) return true;
    c += k + (c[k] == '|');
  }
  return false;
}

static rmx_status set_text(char **member, const char *value, rmx_err *err) {
  char *copy = rmx_strdup(value);
  if (!copy) return rmx_fail_memory(err, strlen(value), "an option");
  free(*member);
  *member = copy;
  return RMX_OK;
}

static rmx_status set_option(const rmx_option *o, void *into, const char *value, rmx_err *err) {
  void *member = (char *)into + o->offset;
  switch (o->type) {
    case RMX_BOOL:
      if (strcmp(value, "true") == 0 || strcmp(value, "yes") == 0)
        *(bool *)member = true;
      else if (strcmp(value, "false") == 0 || strcmp(value, "no") == 0)
        *(bool *)member = false;
      else
        return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is neither true nor false", o->key, value);
      return RMX_OK;
    case RMX_INT: {
      int64_t x;
      RMX_TRY(rmx_parse_int(value, o->key, &x, err));
      RMX_TRY(within(o, (double)x, value, err));
      *(int64_t *)member = x;
      return RMX_OK;
    }
    case RMX_REAL:
    case RMX_DURATION: {
      double x;
      if (word_of_zero(o) && strcmp(value, o->initial) == 0) {
        *(double *)member = 0;
        return RMX_OK;
      }
      RMX_TRY(o->type == RMX_REAL ? rmx_parse_real(value, o->key, &x, err)
                                  : rmx_parse_duration(value, o->key, &x, err));
      RMX_TRY(within(o, x, value, err));
      *(double *)member = x;
      return RMX_OK;
    }
    case RMX_TEXT:
      return set_text(member, value, err);
    case RMX_CHOICE:
      if (!is_choice(o->choices, value))
        return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is none of %s", o->key, value, o->choices);
      return set_text(member, value, err);
    case RMX_LIST:
      if (!rmx_strings_add(member, value)) return rmx_fail_memory(err, strlen(value), "an option");
      return RMX_OK;
  }
  return RMX_OK;
}

rmx_status rmx_options_init(const rmx_option *table, size_t n, void *into, rmx_err *err) {
  for (size_t i = 0; i < n; i++)
    if (table[i].initial) RMX_TRY(set_option(&table[i], into, table[i].initial, err));
  return RMX_OK;
}

const rmx_option *rmx_option_find(const rmx_option *table, size_t n, const char *key) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(table[i].key, key) == 0) return &table[i];
  return NULL;
}

rmx_status rmx_option_set(const rmx_option *table, size_t n, void *into, const char *key,
                          const char *value, rmx_err *err) {
  const rmx_option *o = rmx_option_find(table, n, key);
  if (o) return set_option(o, into, value, err);
  const char **keys = rmx_calloc(n, sizeof *keys);
  if (!keys) return rmx_fail_memory(err, n * sizeof *keys, "option names");
  for (size_t i = 0; i < n; i++) keys[i] = table[i].key;
  int nearest = rmx_nearest(key, keys, n);
  free(keys);
  if (nearest >= 0)
    return rmx_fail(err, RMX_EUSAGE, "unknown key \"%s\"; did you mean \"%s\"?", key,
                    table[nearest].key);
  return rmx_fail(err, RMX_EUSAGE, "unknown key \"%s\"", key);
}

json_t *rmx__option_json(const rmx_option *o, const void *from) {
  const void *member = (const char *)from + o->offset;
  switch (o->type) {
    case RMX_BOOL:
      return json_boolean(*(const bool *)member);
    case RMX_INT:
      return json_integer(*(const int64_t *)member);
    case RMX_REAL:
    case RMX_DURATION:
      return word_of_zero(o) && *(const double *)member == 0 ? json_string(o->initial)
                                                             : json_real(*(const double *)member);
    case RMX_TEXT:
    case RMX_CHOICE: {
      const char *text = *(char *const *)member;
      return text ? json_string(text) : json_null();
    }
    case RMX_LIST: {
      const rmx_strings *list = member;
      json_t *array = json_array();
      for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_string(list->items[i]));
      return array;
    }
  }
  return NULL;
}

void rmx_options_release(const rmx_option *table, size_t n, void *into) {
  for (size_t i = 0; i < n; i++) {
    void *member = (char *)into + table[i].offset;
    if (table[i].type == RMX_TEXT || table[i].type == RMX_CHOICE) {
      free(*(char **)member);
      *(char **)member = NULL;
    } else if (table[i].type == RMX_LIST) {
      rmx_strings_release(member);
    }
  }
}
