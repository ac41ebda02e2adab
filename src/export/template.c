// SPDX-License-Identifier: Apache-2.0
// Writes a blend into a template: the files of formats/, which look like what they make. The page
// of the report has the same function in JavaScript (src/report/assets/export.js), and a test
// compares the two.
//
//   %% text          a comment of ours: it names the trainer's source that the template follows
//   %each ... %end   once for each source
//   %passes ... %end within %each: once for each pass over the source
//   %if X ... %else ... %end
//                    X is valid, epochs, samples or parts; %else may be absent
//   <<field>>        a field of the source or of the blend, as it is
//   <<field:how>>    the field as how: quoted (JSON and Python), yaml, key (of a YAML map, colon
//                    included), csv, shell
//   <<|text>>        text, except after the last source
//   %stage           in formats/NAME.stages: what follows is written for each phase (<<stage>>,
//                    <<share>>, <<start>>), what is before it once
//   a line that ends with \ goes on with the next one
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/asset.h"
#include "export/blend.h"

extern const rmx__asset rmx__export_templates[];
extern const size_t rmx__export_templates_n;

struct writing {
  const rmx__blend *blend;
  const rmx__source *source;  // of %each; NULL outside
  size_t left;                // sources after it
  // of %passes: the pass is this part of `parts`; parts 0: all of the source
  int64_t part, parts;
  int indent;  // of the line
  rmx_buf *out;
};

const char *rmx__export_template(const char *format) {
  for (size_t i = 0; i < rmx__export_templates_n; i++)
    if (strcmp(rmx__export_templates[i].name, format) == 0) return rmx__export_templates[i].data;
  return NULL;
}

static void put_integer(rmx_buf *out, double x) {
  rmx_buf_printf(out, "%.0f", x);
}

static bool is(const char *field, size_t n, const char *name) {
  return strlen(name) == n && strncmp(field, name, n) == 0;
}

// The template already contains the indent; a long key needs it a second time.
static void put_key(rmx_buf *out, const char *key, int indent) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf line = {0};
  rmx_put_yaml_key(&line, indent, key);
  if (line.failed)
    out->failed = true;
  else
    rmx_buf_puts(out, line.data + indent);
}

static void put_text(const struct writing *w, const char *text, const char *how, size_t n) {
  rmx_buf *out = w->out;
  if (is(how, n, "key")) {
    put_key(out, text, w->indent);
    return;
  }
  static const struct {
    const char *name;
    void (*put)(rmx_buf *out, const char *text);
  } ways[] = {{"quoted", rmx_put_quoted},
              {"yaml", rmx_put_yaml},
              {"csv", rmx_csv_field},
              {"shell", rmx_put_shell}};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    if (!is(how, n, ways[i].name)) continue;
    ways[i].put(out, text);
    return;
  }
  rmx_buf_puts(out, text);
}

// The name of the validation set of a training set, as the RegMix authors use it.
static void put_valid_name(const struct writing *w, const char *how, size_t n) {
  const char *name = w->source->name;
  RMX_OWNED char *changed =
      strncmp(name, "train_", 6) == 0 ? rmx_format("valid_%s", name + 6) : rmx_strdup(name);
  if (changed)
    put_text(w, changed, how, n);
  else
    w->out->failed = true;
}

// The number of passes that a trainer must allow: whole passes, and one more if the last one is
// almost full, since trainers drop tokens that do not fill a sequence.
static double most_passes(const rmx__source *s) {
  return s->epochs > 0.99 ? ceil(1.01 * s->epochs) : 1;
}

static void put_field(struct writing *w, const char *field, size_t size) {
  const char *colon = memchr(field, ':', size), *how = colon ? colon + 1 : "";
  const size_t n = colon ? (size_t)(colon - field) : size, how_n = colon ? size - n - 1 : 0;
  const rmx__blend *b = w->blend;
  const rmx__source *s = w->source;
  if (is(field, n, "unit"))
    rmx_buf_puts(w->out, b->unit);
  else if (is(field, n, "budget"))
    put_integer(w->out, b->budget);
  else if (is(field, n, "samples"))
    put_integer(w->out, b->samples);
  else if (is(field, n, "sequence_length"))
    put_integer(w->out, b->sequence_length);
  else if (is(field, n, "stage"))
    put_integer(w->out, (double)b->stage);
  else if (is(field, n, "share"))
    rmx_put_number(w->out, b->share);
  else if (is(field, n, "start"))
    put_integer(w->out, b->start);
  else if (is(field, n, "block_size"))
    put_integer(w->out, b->block_size);
  else if (is(field, n, "part"))
    put_integer(w->out, (double)w->part);
  else if (is(field, n, "parts"))
    put_integer(w->out, (double)w->parts);
  else if (s && is(field, n, "name"))
    put_text(w, s->name, how, how_n);
  else if (s && is(field, n, "valid_name"))
    put_valid_name(w, how, how_n);
  else if (s && is(field, n, "path"))
    put_text(w, s->path, how, how_n);
  else if (s && is(field, n, "valid"))
    put_text(w, s->valid, how, how_n);
  else if (s && is(field, n, "where"))
    rmx_buf_puts(w->out, strstr(s->path, "://") ? "remote" : "local");
  else if (s && is(field, n, "weight"))
    rmx_put_number(w->out, s->weight);
  else if (s && is(field, n, "passes"))
    rmx_put_number(w->out, most_passes(s));
  // a wrong template; a test looks for it
  else
    rmx_buf_printf(w->out, "<<%.*s>>", (int)size, field);
}

static bool holds(const struct writing *w, const char *condition, size_t n) {
  if (is(condition, n, "valid")) return w->blend->has_valid;
  if (is(condition, n, "epochs")) return w->blend->has_epochs;
  if (is(condition, n, "samples")) return w->blend->samples > 0;
  return is(condition, n, "parts") && w->parts > 0;
}

static void write_line(struct writing *w, const char *at, size_t n) {
  w->indent = (int)strspn(at, " ");
  const bool joined = n > 0 && at[n - 1] == '\\';
  const char *end = at + n - joined, *open;
  while ((open = memmem(at, (size_t)(end - at), "<<", 2))) {
    const char *close = memmem(open, (size_t)(end - open), ">>", 2);
    if (!close) break;
    rmx_buf_add(w->out, at, (size_t)(open - at));
    if (open[2] != '|')
      put_field(w, open + 2, (size_t)(close - open) - 2);
    else if (w->left > 0)
      rmx_buf_add(w->out, open + 3, (size_t)(close - open) - 3);
    at = close + 2;
  }
  rmx_buf_add(w->out, at, (size_t)(end - at));
  if (!joined) rmx_buf_puts(w->out, "\n");
}

static const char *write_block(struct writing *w, const char *at, bool on, bool *ended_at_else);

static const char *write_each(struct writing *w, const char *body, bool on) {
  const char *end = body;
  for (size_t i = 0; i < w->blend->n; i++) {
    w->source = &w->blend->sources[i];
    w->left = w->blend->n - i - 1;
    end = write_block(w, body, on, NULL);
  }
  w->source = NULL;
  w->left = 0;
  return end;
}

// The fraction taken/parts nearest to x in (0, 1), with the smallest possible number of parts.
static void nearest_fraction(double x, int64_t *taken, int64_t *parts) {
  enum { MOST_PARTS = 24 };
  const double enough = 0.01 * x;
  double nearest = 2;
  for (int64_t q = 1; q <= MOST_PARTS && nearest > enough; q++) {
    const int64_t p = llround(x * (double)q);
    const double off = fabs((double)p / (double)q - x);
    if (off >= nearest) continue;
    nearest = off;
    *taken = p;
    *parts = q;
  }
  if (*taken > 0) return;
  *taken = 1;  // less than half of the smallest part
  *parts = llround(fmin(1 / x, 1e9));
}

// Whole passes, then a part of a pass, so that the sum is about the epochs of the source.
static const char *write_passes(struct writing *w, const char *body, bool on) {
  const char *end = write_block(w, body, false, NULL);
  double whole = floor(w->source->epochs);
  const double rest = w->source->epochs - whole;
  int64_t taken = 0, parts = 1;
  if (rest > 0.01 * w->source->epochs) nearest_fraction(rest, &taken, &parts);
  if (parts == 1) whole += (double)taken;
  for (double i = 0; i < whole && i < RMX__MOST_PASSES; i++) write_block(w, body, on, NULL);
  w->parts = parts;
  for (w->part = 0; parts > 1 && w->part < taken; w->part++) write_block(w, body, on, NULL);
  w->parts = 0;
  return end;
}

static const char *write_if(struct writing *w, const char *condition, size_t n, const char *body,
                            bool on) {
  const bool yes = holds(w, condition, n);
  bool has_else = false;
  const char *end = write_block(w, body, on && yes, &has_else);
  return has_else ? write_block(w, end, on && !yes, NULL) : end;
}

// Writes (if `on`) up to the %end or %else of this block. Returns what comes after it.
static const char *write_block(struct writing *w, const char *at, bool on, bool *ended_at_else) {
  while (*at) {
    const size_t n = strcspn(at, "\n");
    const char *line = at, *next = at + n + (at[n] == '\n');
    at = next;
    if (n >= 2 && strncmp(line, "%%", 2) == 0) continue;
    if (is(line, n, "%end")) return at;
    if (is(line, n, "%else")) {
      if (ended_at_else) *ended_at_else = true;
      return at;
    }
    if (is(line, n, "%each"))
      at = write_each(w, at, on);
    else if (is(line, n, "%passes"))
      at = write_passes(w, at, on);
    else if (n > 4 && strncmp(line, "%if ", 4) == 0)
      at = write_if(w, line + 4, n - 4, at, on);
    else if (on)
      write_line(w, line, n);
  }
  return at;
}

void rmx__export_write(const char *text, const rmx__blend *b, rmx_buf *out) {
  struct writing w = {.blend = b, .out = out};
  write_block(&w, text, true, NULL);
}
