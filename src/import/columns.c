// SPDX-License-Identifier: Apache-2.0
// Turns the cells of a CSV file into a table of numbers: chooses the columns of values and reads
// each cell.

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <regmix/mixture.h>

#include "base/c_number.h"
#include "base/num.h"
#include "base/number_advice.h"
#include "base/path.h"
#include "formats.h"
#include "gather.h"

typedef struct choice {
  const rmx__source *s;
  const rmx__view *view;
  bool *chosen;   // (C)
  size_t *strip;  // (C) bytes before the name of the domain
} choice;

bool rmx__is_missing(const char *text) {
  static const char *const marks[] = {"", "-", "na", "n/a", "nan", "null", "none"};
  for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
    if (strcasecmp(text, marks[i]) == 0) return true;
  return false;
}

static const double MAX = 1e100;  // its square is a number

// Infinities are numbers here; hexadecimal is not, though strtod accepts it.
bool rmx__is_number(const char *text, double *out) {
  char *end;
  *out = rmx__strtod(text, &end);
  return end != text && !*end && !strpbrk(text, "xX");
}

static bool is_row(const choice *c, size_t i) {
  return !c->view->out || !c->view->out[i];
}
static bool is_value(const choice *c, size_t j) {
  return j != c->view->id && !(c->view->skip && c->view->skip[j]) && !rmx__is_scale(c->s, j);
}

// A column of text has cells, and no cell is a number.
static bool is_text(const choice *c, size_t j) {
  const rmx_cells *t = c->s->cells;
  bool given = false;
  double ignored;
  for (size_t i = 0; i < t->N; i++) {
    const char *cell = t->cells[i * t->C + j];
    if (!is_row(c, i) || rmx__is_missing(cell)) continue;
    if (rmx__is_number(cell, &ignored)) return false;
    given = true;
  }
  return given;
}

// The first cell of a column of text that looks like a number, and what to do with it; "": none.
static const char *advised(const choice *c, size_t j, const char **advice) {
  const rmx_cells *t = c->s->cells;
  for (size_t i = 0; i < t->N; i++) {
    *advice = is_row(c, i) ? rmx__number_advice(t->cells[i * t->C + j]) : "";
    if (**advice) return t->cells[i * t->C + j];
  }
  return "";
}

static bool has_number(const choice *c, size_t j) {
  const rmx_cells *t = c->s->cells;
  double ignored;
  for (size_t i = 0; i < t->N; i++)
    if (is_row(c, i) && !rmx__is_missing(t->cells[i * t->C + j]) &&
        rmx__is_number(t->cells[i * t->C + j], &ignored))
      return true;
  return false;
}

static bool mixtures(const choice *c) {
  return c->s->options->what == RMX_IMPORT_MIXTURES;
}

// The first dozen names of columns with numbers, for a message.
static void list_columns(const choice *c, rmx_buf *out) {
  const rmx_cells *t = c->s->cells;
  size_t n = 0;
  for (size_t j = 0; j < t->C; j++) {
    if (!is_value(c, j) || !has_number(c, j)) continue;
    if (n < 12) rmx_buf_printf(out, "%s%s", n ? ", " : "", t->header[j]);
    n++;
  }
  if (n > 12) rmx_buf_printf(out, ", ... (%zu in all)", n);
  if (n == 0) rmx_buf_puts(out, "none");
}

static rmx_status cannot_tell(const choice *c, const char *why, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf names = {0};
  list_columns(c, &names);
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: %s; choose the columns with --%s-columns 'PATTERN' (columns with numbers: %.500s)",
      c->s->path, why, mixtures(c) ? "mixture" : "metric", names.failed ? "?" : names.data);
}

// "config.mixture.*": the prefix up to the last . or / before the first wildcard is not part of a
// domain's name.
static size_t literal_prefix(const char *pattern) {
  size_t n = strcspn(pattern, "*?[\\");
  if (!pattern[n]) return 0;
  while (n > 0 && pattern[n - 1] != '.' && pattern[n - 1] != '/') n--;
  return n;
}

// Whether a column holds the errors of another one, as acc_stderr next to acc.
static bool is_error(const choice *c, size_t j) {
  static const char *const tails[] = {"_stderr", "_std"};
  const rmx_cells *t = c->s->cells;
  for (size_t k = 0; k < 2 && !mixtures(c); k++) {
    if (!rmx__ends_in(t->header[j], tails[k])) continue;
    const size_t n = strlen(t->header[j]) - strlen(tails[k]);
    for (size_t e = 0; e < t->C && n; e++)
      if (is_value(c, e) && strncmp(t->header[e], t->header[j], n) == 0 &&
          (!t->header[e][n] || strcmp(t->header[e] + n, "_mean") == 0))
        return true;
  }
  return false;
}

// Reports the columns with numbers that are not read.
static void tell_not_taken(const choice *c) {
  const rmx_cells *t = c->s->cells;
  rmx_few left = {0};
  for (size_t j = 0; j < t->C; j++)
    if (is_value(c, j) && !c->chosen[j] && has_number(c, j) &&
        (c->s->options->n_columns || !is_error(c, j)))
      rmx_few_add(&left, t->header[j]);
  if (left.n)
    rmx_note(c->s->listener, "%s: %zu other column%s with numbers %s not read as %s: %s",
             c->s->path, left.n, rmx_s(left.n), rmx_is(left.n),
             mixtures(c) ? "the mixture" : "metrics", left.text);
}

static const char id_advice[] =
    "choose another column with the names of the runs with --id COLUMN, or use the row numbers "
    "with --id row";

static rmx_status choose_by_patterns(choice *c, rmx_err *err) {
  const rmx_cells *t = c->s->cells;
  for (size_t p = 0; p < c->s->options->n_columns; p++) {
    const char *pattern = c->s->options->columns[p];
    size_t found = 0;
    for (size_t j = 0; j < t->C; j++) {
      if (fnmatch(pattern, t->header[j], 0) != 0) continue;
      if (j == c->view->id && !c->s->options->id && has_number(c, j))
        return rmx_fail(err, RMX_EINPUT,
                        "%s: \"%.120s\" matches the column \"%.80s\", but that column contains the "
                        "names of the runs; %s",
                        t->path, pattern, t->header[j], id_advice);
      if (j == c->view->id || rmx__is_scale(c->s, j)) continue;
      found++;
      if (c->chosen[j]) continue;
      c->chosen[j] = true;
      c->strip[j] = mixtures(c) ? literal_prefix(pattern) : 0;
    }
    if (found) continue;
    char why[200];
    snprintf(why, sizeof why, "no column matches \"%.120s\"", pattern);
    cannot_tell(c, why, err);
    return err->status = RMX_EUSAGE;  // the pattern is the caller's own
  }
  tell_not_taken(c);
  return RMX_OK;
}

// Length of the prefix of a column of weights: "config.mixture.", "mixture/"; 0: it is not one.
static size_t weight_prefix(const char *name) {
  static const char *const nouns[] = {"mixture_weights", "domain_weights", "mixtures",
                                      "mixture",         "weights",        "mix"};
  size_t n = strncasecmp(name, "config.", 7) == 0 || strncasecmp(name, "config/", 7) == 0 ||
                     strncasecmp(name, "params.", 7) == 0
                 ? 7
                 : 0;
  for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
    size_t k = strlen(nouns[i]);
    if (strncasecmp(name + n, nouns[i], k) == 0 && (name[n + k] == '.' || name[n + k] == '/') &&
        name[n + k + 1])
      return n + k + 1;
  }
  return 0;
}

static bool metric_name(const char *name) {
  static const char *const patterns[] = {"metric/*",  "metrics/*", "eval/*",       "eval_*/*",
                                         "val/*",     "valid/*",   "validation/*", "test/*",
                                         "summary.*", "*_loss",    "*/loss",       "loss"};
  if (weight_prefix(name) || strncasecmp(name, "config", 6) == 0 ||
      strncasecmp(name, "train/", 6) == 0)
    return false;
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
    if (fnmatch(patterns[i], name, 0) == 0) return true;
  return false;
}

// Reports columns of errors.
static void tell_errors(const choice *c) {
  const rmx_cells *t = c->s->cells;
  rmx_few names = {0};
  for (size_t j = 0; j < t->C; j++)
    if (is_value(c, j) && is_error(c, j) && has_number(c, j)) rmx_few_add(&names, t->header[j]);
  if (names.n)
    rmx_note(c->s->listener,
             "%s: %zu column%s the errors of other columns and %s not read as metrics: %s "
             "(--metric-columns chooses them)",
             t->path, names.n, names.n == 1 ? " has" : "s have", rmx_is(names.n), names.text);
}

static void tell_choice(const choice *c, size_t n) {
  const rmx_cells *t = c->s->cells;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf names = {0};
  size_t listed = 0;
  for (size_t j = 0; j < t->C && listed < 8; j++)
    if (c->chosen[j]) rmx_buf_printf(&names, "%s%s", listed++ ? ", " : "", t->header[j]);
  rmx_note(c->s->listener, "%s: %zu column%s taken as %s: %s%s (--%s-columns chooses others)",
           c->s->path, n, rmx_s(n), mixtures(c) ? "the mixture" : "metrics",
           names.failed ? "" : names.data, n > listed ? ", ..." : "",
           mixtures(c) ? "mixture" : "metric");
}

// Reports columns that are called like metrics but have no number, so that they are not read.
static void tell_without_numbers(const choice *c) {
  const rmx_cells *t = c->s->cells;
  const char *advice = "", *cell = "";
  rmx_few text = {0};
  for (size_t j = 0; j < t->C; j++) {
    if (mixtures(c) || !is_value(c, j) || !metric_name(t->header[j]) || has_number(c, j)) continue;
    rmx_few_add(&text, t->header[j]);
    if (!*advice) cell = advised(c, j, &advice);
  }
  if (text.n)
    rmx_warn(c->s->listener, "%s: %zu column%s without a number %s not read: %s%s%.40s%s%s",
             t->path, text.n, rmx_s(text.n), rmx_is(text.n), text.text, *advice ? "; \"" : "", cell,
             *advice ? "\" looks like a number" : "", advice);
}

static rmx_status choose_by_names(choice *c, rmx_err *err) {
  const rmx_cells *t = c->s->cells;
  size_t n = 0, first = SIZE_MAX;
  for (size_t j = 0; j < t->C; j++) {
    if (!is_value(c, j)) continue;
    size_t prefix = weight_prefix(t->header[j]);
    if (mixtures(c) ? !prefix : !metric_name(t->header[j]) || !has_number(c, j)) continue;
    if (is_error(c, j)) continue;
    if (mixtures(c) && n &&
        (c->strip[first] != prefix || strncmp(t->header[first], t->header[j], prefix) != 0)) {
      char why[300];
      snprintf(why, sizeof why, "two sets of columns could be the mixture: \"%.80s\" and \"%.80s\"",
               t->header[first], t->header[j]);
      return cannot_tell(c, why, err);
    }
    c->chosen[j] = true;
    c->strip[j] = mixtures(c) ? prefix : 0;
    if (n++ == 0) first = j;
  }
  if (n == 0)
    return cannot_tell(
        c,
        mixtures(c)
            ? "no column has a name like mixture.DOMAIN, so the weights are not known"
            : "no column of metrics was found: no name looks like metric/..., eval/... or ..._loss",
        err);
  tell_choice(c, n);
  tell_without_numbers(c);
  tell_errors(c);
  tell_not_taken(c);
  return RMX_OK;
}

static rmx_status choose_numbers(choice *c, rmx_err *err) {
  const rmx_cells *t = c->s->cells;
  rmx_few text = {0};
  const char *advice = "", *cell = "";
  size_t n = 0;
  for (size_t j = 0; j < t->C; j++) {
    if (!is_value(c, j) || is_error(c, j)) continue;
    if (is_text(c, j)) {
      rmx_few_add(&text, t->header[j]);
      if (!*advice) cell = advised(c, j, &advice);
    } else {
      c->chosen[j] = true;
      n++;
    }
  }
  const char *last = t->cells[t->C - 1];
  const rmx__chosen read = {c->s, c->chosen, c->view->out};
  rmx_status status = RMX_OK;
  if (n == 0 && text.n)
    status = rmx_fail(
        err, RMX_EINPUT, "%s:%d: column \"%s\": \"%.40s\" is not a number%s", t->path, t->lines[0],
        t->header[t->C - 1], last,
        *rmx__number_advice(last) ? rmx__number_advice(last) : ", and no other column has numbers");
  else if (n == 0)
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: no columns after the name of the run; wanted a column of run names, "
                      "then columns of numbers, separated by commas",
                      t->path);
  else if (text.n)
    rmx_warn(c->s->listener, "%s: %zu column%s of text %s not read: %s%s%.40s%s%s", t->path, text.n,
             rmx_s(text.n), rmx_is(text.n), text.text, *advice ? "; \"" : "", cell,
             *advice ? "\" looks like a number" : "", advice);
  if (status == RMX_OK) tell_errors(c);
  if (status == RMX_OK && !mixtures(c)) rmx__tell_settings(&read);
  if (status == RMX_OK && mixtures(c)) status = rmx__check_weights(&read, err);
  return status;
}

static rmx_status cell_value(const choice *c, size_t i, size_t j, double *out, rmx_err *err) {
  const rmx_cells *t = c->s->cells;
  const char *text = t->cells[i * t->C + j];
  *out = NAN;
  bool none = rmx__is_missing(text);
  if (none && mixtures(c))
    return rmx_fail(err, RMX_EINPUT,
                    "%s:%d: column \"%s\": the weight is missing; give 0 if a domain is not used",
                    t->path, t->lines[i], t->header[j]);
  if (none) return RMX_OK;
  if (!rmx__is_number(text, out) || (mixtures(c) && !isfinite(*out)))
    return rmx_fail(err, RMX_EINPUT, "%s:%d: column \"%s\": \"%.40s\" is not a number%s", t->path,
                    t->lines[i], t->header[j], text, rmx__number_advice(text));
  if (isfinite(*out) && fabs(*out) > MAX)
    return rmx_fail(err, RMX_EINPUT,
                    "%s:%d: column \"%s\": %s is too large; wanted 1e100 or less (leave the cell "
                    "empty if the run failed)",
                    t->path, t->lines[i], t->header[j], text);
  if (!isfinite(*out)) *out = NAN;  // a diverged loss counts as not measured
  return RMX_OK;
}

static rmx_status fill(const choice *c, rmx_table *out, rmx_err *err) {
  const rmx_cells *t = c->s->cells;
  size_t N = 0, D = 0;
  for (size_t i = 0; i < t->N; i++) N += is_row(c, i);
  for (size_t j = 0; j < t->C; j++) D += c->chosen[j];
  bool by_row = c->view->id == SIZE_MAX;
  RMX_TRY(rmx_table_make(out,
                         !by_row             ? t->header[c->view->id]
                         : c->s->options->id ? "row"
                                             : RMX_ROW_NUMBERS,
                         N, D, err));
  size_t d = 0;
  for (size_t j = 0; j < t->C; j++) {
    if (!c->chosen[j]) continue;
    const char *name = t->header[j] + c->strip[j];
    if (!*name) return rmx_fail(err, RMX_EINPUT, "%s:1: column %zu has no name", t->path, j + 1);
    for (size_t k = 0; k < d; k++)
      if (strcmp(out->names[k], name) == 0)
        return rmx_fail(err, RMX_EINPUT, "%s:1: there are two columns \"%s\"; rename one of them",
                        t->path, name);
    if (!(out->names[d] = rmx_strdup(name))) return rmx_fail_memory(err, strlen(name), t->path);
    size_t row = 0;
    for (size_t i = 0; i < t->N; i++)
      if (is_row(c, i)) RMX_TRY(cell_value(c, i, j, &out->x[row++ * D + d], err));
    d++;
  }
  size_t row = 0;
  for (size_t i = 0; i < t->N; i++) {
    if (!is_row(c, i)) continue;
    out->lines[row] = t->lines[i];
    char number_of_row[24];
    snprintf(number_of_row, sizeof number_of_row, "%zu", i + 1);
    if (!(out->ids[row++] = rmx_strdup(by_row ? number_of_row : t->cells[i * t->C + c->view->id])))
      return rmx_fail_memory(err, 64, t->path);
  }
  return RMX_OK;
}

// The column that the user chose for the names of the runs.
static rmx_status asked_id(const rmx__source *s, size_t *id, rmx_err *err) {
  const rmx_cells *t = s->cells;
  rmx_few names = {0};
  for (size_t j = 0; j < t->C; j++) {
    if (strcmp(t->header[j], s->options->id) == 0) return *id = j, RMX_OK;
    rmx_few_add(&names, t->header[j]);
  }
  *id = SIZE_MAX;
  if (strcmp(s->options->id, "row") == 0) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE,
                  "%s: no column \"%.80s\" for the names of the runs; the %zu columns are: %s",
                  t->path, s->options->id, names.n, names.text);
}

// Whether a column has only numbers; *at: a row with a fraction, or N.
static bool is_numbers(const rmx_cells *t, size_t j, size_t *at) {
  double x;
  *at = t->N;
  for (size_t i = 0; i < t->N; i++) {
    if (!rmx__is_number(t->cells[i * t->C + j], &x)) return false;
    if (x != floor(x) && *at == t->N) *at = i;
  }
  return true;
}

// Whether the rows are mixtures only with column j.
static bool is_weight(const choice *c, size_t j) {
  const rmx_cells *t = c->s->cells;
  bool needed = false;
  if (t->C < 2) return false;
  for (size_t i = 0; i < t->N; i++) {
    double sum = 0, own = 0, x;
    for (size_t k = 0; k < t->C; k++) {
      if (!rmx__is_number(t->cells[i * t->C + k], &x) || x < 0) return false;
      sum += x;
      if (k == j) own = x;
    }
    if (!rmx__is_one(sum, 0.01)) return false;
    needed = needed || !rmx__is_one(sum - own, 0.01);
  }
  return needed;
}

// Names of runs are text or whole numbers; a column of fractions is a weight or a loss. Sets *id
// to SIZE_MAX if the table has no names.
static rmx_status check_id(const choice *c, size_t *id, rmx_err *err) {
  const rmx_cells *t = c->s->cells;
  const size_t j = *id;
  size_t at;
  const bool numbers = is_numbers(t, j, &at), fractions = numbers && at < t->N;
  if (!fractions && !(numbers && mixtures(c) && c->view->may_lack_names && is_weight(c, j)))
    return RMX_OK;
  if (!c->view->may_lack_names)
    return rmx_fail(err, RMX_EINPUT,
                    "%s:%d: the column \"%.80s\" should contain the names of the runs, but it "
                    "contains numbers such as %.40s; %s",
                    t->path, t->lines[at], t->header[j], t->cells[at * t->C + j], id_advice);
  *id = SIZE_MAX;
  rmx_warn(c->s->listener,
           "%s: no column has the names of the runs (the first one, \"%.80s\", has numbers such as "
           "%.40s), so the runs are numbered by their rows (--id COLUMN names another column)",
           t->path, t->header[j], t->cells[(fractions ? at : 0) * t->C + j]);
  return RMX_OK;
}

// Chooses the columns of phases (phase_0_web, phase_1_web), if there are two phases or more. What
// is before "phase" is no part of the name.
static bool choose_phases(choice *c) {
  const rmx_cells *t = c->s->cells;
  long first = -1, number;
  bool several = false;
  if (!mixtures(c)) return false;
  for (size_t j = 0; j < t->C; j++) {
    c->chosen[j] = is_value(c, j) && has_number(c, j) && rmx_phase_of(t->header[j], &number);
    if (!c->chosen[j]) continue;
    several = several || (first >= 0 && number != first);
    first = number;
    c->strip[j] = weight_prefix(t->header[j]);
  }
  for (size_t j = 0; j < t->C && !several; j++) c->chosen[j] = false, c->strip[j] = 0;
  return several;
}

rmx_status rmx__import_view(const rmx__source *s, const rmx__view *of_form, rmx_table *out,
                            rmx_err *err) {
  size_t C = s->cells->C;
  rmx__view asked = *of_form;
  const rmx__view *view = &asked;
  if (s->options->id) RMX_TRY(asked_id(s, &asked.id, err));
  choice c = {s, view, rmx_calloc(C, sizeof(bool)), rmx_calloc(C, sizeof(size_t))};
  rmx_status status = c.chosen && c.strip ? RMX_OK : rmx_fail_memory(err, C, s->path);
  if (status == RMX_OK && !s->options->id && !view->guess) status = check_id(&c, &asked.id, err);
  if (status == RMX_OK && s->options->n_columns)
    status = choose_by_patterns(&c, err);
  else if (status == RMX_OK && choose_phases(&c))
    tell_not_taken(&c);
  else if (status == RMX_OK && (view->guess || s->options->mixed))
    status = choose_by_names(&c, err);
  else if (status == RMX_OK)
    status = choose_numbers(&c, err);
  if (status == RMX_OK) status = fill(&c, out, err);
  if (status == RMX_OK) status = rmx__import_scales(s, view->out, out, err);
  free(c.chosen);
  free(c.strip);
  return status;
}

rmx_status rmx__import_gathered(const rmx__source *s, const rmx__gather *g, const char *id,
                                const char *missing, bool guess, rmx_table *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_cells_release) rmx_cells cells = {0};
  rmx_import_options options = *s->options;
  rmx__source table = *s;
  options.mixed = false;
  table.options = &options;
  table.cells = &cells;
  RMX_TRY(rmx__gather_cells(g, s->path, id, missing, &cells, err));
  return rmx__import_view(&table, &(rmx__view){.id = 0, .guess = guess}, out, err);
}
