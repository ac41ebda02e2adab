// SPDX-License-Identifier: Apache-2.0
// The list of formats, and the steps before any of them is written: the weights are checked,
// converted if the trainer draws documents, zeros are left out if the trainer does not accept them,
// and each domain gets its path.
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "export/blend.h"

static const struct format {
  const char *name, *help;
  unsigned needs;
} formats[] = {
#define ENTRY(name, needs, help) {name, help, needs},
    RMX_EXPORT_FORMATS(ENTRY)
#undef ENTRY
};
enum { FORMATS = sizeof formats / sizeof *formats };

size_t rmx_export_formats(const char *names[], const char *help[], size_t max) {
  for (size_t i = 0; i < FORMATS && i < max; i++) {
    if (names) names[i] = formats[i].name;
    if (help) help[i] = formats[i].help;
  }
  return FORMATS;
}

const char *rmx_export_template(const char *format) {
  return rmx__export_template(format);
}

static rmx_status find_format(const char *name, const struct format **out, rmx_err *err) {
  const char *names[FORMATS];
  rmx_export_formats(names, NULL, FORMATS);
  for (size_t i = 0; i < FORMATS; i++) {
    if (strcmp(names[i], name) == 0) {
      *out = &formats[i];
      return RMX_OK;
    }
  }
  RMX_OWNED_BY(rmx_buf_release) rmx_buf list = {0};
  for (size_t i = 0; i < FORMATS; i++) rmx_buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
  int nearest = rmx_nearest(name, names, FORMATS);
  if (list.failed)
    return rmx_fail_memory(err, list.size, "a message");
  else if (nearest < 0)
    return rmx_fail(err, RMX_EUSAGE, "no export format \"%s\". Formats: %s", name, list.data);
  else
    return rmx_fail(err, RMX_EUSAGE, "no export format \"%s\"; did you mean \"%s\"? Formats: %s",
                    name, names[nearest], list.data);
}

rmx_status rmx_export_check(const char *format, rmx_err *err) {
  const struct format *found;
  if (strcmp(format, "gguf") == 0)
    return rmx_fail(err, RMX_EUSAGE,
                    "--to gguf writes a model, not a mixture; --model DIR is missing");
  return find_format(format, &found, err);
}

// prefix + name + suffix; it lives as long as the blend.
static rmx_status path_of(const char *prefix, const rmx_export_request *r, size_t d,
                          rmx_arena *arena, const char **out, rmx_err *err) {
  const char *suffix = r->suffix ? r->suffix : "";
  size_t size = strlen(prefix) + strlen(r->names[d]) + strlen(suffix) + 1;
  char *path = rmx_arena_alloc(arena, size, 1);
  if (!path) return rmx_fail_memory(err, size, "a path");
  snprintf(path, size, "%s%s%s", prefix, r->names[d], suffix);
  *out = path;
  return RMX_OK;
}

// Whether a text has what Python's str.split() takes for white space, in ASCII or beyond.
static bool has_white_space(const char *text) {
  static const char *const wide[] = {"\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80",
                                     "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF",
                                     "\xE2\x81\x9F", "\xE3\x80\x80"};
  for (const char *c = text; *c; c++) {
    const unsigned char *u = (const unsigned char *)c;
    if (isspace(*u) || (*u >= 0x1C && *u <= 0x1F)) return true;
    if (u[0] == 0xE2 && u[1] == 0x80 && u[2] >= 0x80 && u[2] <= 0x8A)
      return true;  // U+2000 to 200A
  }
  for (size_t k = 0; k < sizeof wide / sizeof *wide; k++)
    if (strstr(text, wide[k])) return true;
  return false;
}

static rmx_status find_paths(const struct format *f, const rmx_export_request *r, size_t d,
                             rmx_arena *arena, rmx__source *s, rmx_err *err) {
  s->path = r->paths ? r->paths[d] : NULL;
  if (!s->path && r->prefix) RMX_TRY(path_of(r->prefix, r, d, arena, &s->path, err));
  if (r->valid_prefix) RMX_TRY(path_of(r->valid_prefix, r, d, arena, &s->valid, err));
  if ((f->needs & RMX_EXPORT_PATHS) && !s->path)
    return rmx_fail(err, RMX_EUSAGE,
                    "%s: domain \"%s\" has no path; give the path of its data with --data %s=PATH, "
                    "or of all domains with --prefix TEXT (the path is TEXT followed by the name)",
                    f->name, s->name, s->name);
  const char *const texts[] = {s->name, s->path, s->valid};
  for (size_t i = 0; i < 3; i++) {
    size_t at;
    if (texts[i] && !rmx_is_utf8(texts[i], strlen(texts[i]), &at))
      return rmx_fail(err, RMX_EINPUT, "%s: a %s is not UTF-8: %s", f->name, i ? "path" : "domain",
                      texts[i]);
    if (i == 0 || !texts[i] || !(f->needs & RMX_EXPORT_NO_SPACES)) continue;
    if (has_white_space(texts[i]))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: the path \"%s\" of domain \"%s\" contains white space, at which "
                      "Megatron-LM would split it; use the format megatron-json, or another path",
                      f->name, texts[i], s->name);
  }
  return RMX_OK;
}

static rmx_status check_distinct(const struct format *f, const rmx__blend *b, rmx_err *err) {
  for (size_t i = 0; i < b->n; i++) {
    const rmx__source *s = &b->sources[i];
    for (size_t j = 0; j < i; j++) {
      const rmx__source *t = &b->sources[j];
      if (strcmp(s->name, t->name) == 0)
        return rmx_fail(err, RMX_EINPUT, "%s: the domain \"%s\" is given twice", f->name, s->name);
      if ((f->needs & RMX_EXPORT_PATHS) && strcmp(s->path, t->path) == 0)
        return rmx_fail(err, RMX_EINPUT, "%s: the domains \"%s\" and \"%s\" have the same path %s",
                        f->name, t->name, s->name, s->path);
    }
  }
  return RMX_OK;
}

// Token shares to document shares, in place: w_d / L_d, normalised.
static rmx_status to_documents(const struct format *f, const rmx_export_request *r, double *w,
                               rmx_err *err) {
  for (size_t d = 0; d < r->D; d++) {
    if (w[d] == 0) continue;
    if (!(r->tokens_per_document[d] > 0))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: this trainer draws documents, but domain \"%s\" has %g tokens per "
                      "document; wanted more than 0",
                      f->name, r->names[d], r->tokens_per_document[d]);
    w[d] /= r->tokens_per_document[d];
  }
  return rmx_mixture_normalise(w, r->D, err);
}

static rmx_status choose_unit(const struct format *f, const rmx_export_request *r, double *w,
                              rmx__blend *b, rmx_err *err) {
  b->unit = "Weights are shares of tokens.";
  if (!(f->needs & RMX_EXPORT_DOCUMENTS)) return RMX_OK;
  if (!r->tokens_per_document) {
    b->unit =
        "Weights are shares of tokens, but this trainer draws documents: domains with long "
        "documents will get more tokens.";
    rmx_warn(r->listener,
             "%s draws documents, but their mean lengths are unknown: the weights are shares of "
             "tokens, which is correct only if documents are equally long in all domains",
             f->name);
    return RMX_OK;
  }
  b->unit =
      "Weights are shares of documents: shares of tokens divided by mean tokens per document.";
  rmx_note(r->listener,
           "%s draws documents, so the weights are converted from shares of tokens with the mean "
           "tokens per document",
           f->name);
  return to_documents(f, r, w, err);
}

// Passes over each domain in the budget, and samples of the training.
static rmx_status find_epochs(const struct format *f, const rmx_export_request *r, rmx__blend *b,
                              rmx_err *err) {
  b->budget = r->budget;
  b->sequence_length = r->sequence_length;
  if (r->budget > 0 && r->sequence_length > 0) b->samples = ceil(r->budget / r->sequence_length);
  b->has_epochs = r->tokens && r->budget > 0;
  if (!b->has_epochs && (f->needs & RMX_EXPORT_EPOCHS))
    return rmx_fail(
        err, RMX_EUSAGE,
        "%s: this format lists the passes over each domain; give the available tokens of each "
        "domain with --tokens FILE, and the tokens of the training with --budget TOKENS",
        f->name);
  for (size_t d = 0, i = 0; b->has_epochs && i < b->n; d++) {
    if (r->names[d] != b->sources[i].name) continue;
    if (r->weights[d] > 0 && !(r->tokens[d] > 0))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: domain \"%s\" has weight %g but %g available tokens; wanted more than 0",
                      f->name, r->names[d], r->weights[d], r->tokens[d]);
    const double epochs = r->weights[d] > 0 ? r->weights[d] * r->budget / r->tokens[d] : 0;
    if ((f->needs & RMX_EXPORT_EPOCHS) && epochs > RMX__MOST_PASSES)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: the mixture passes %.6g times over domain \"%s\", and this format lists "
                      "every pass; wanted %d or fewer: a smaller --budget or weight",
                      f->name, epochs, r->names[d], RMX__MOST_PASSES);
    b->sources[i++].epochs = epochs;
  }
  return RMX_OK;
}

// Warns about weights that the trainer would silently handle badly.
static void tell_limits(const struct format *f, const rmx_export_request *r, rmx__blend *b) {
  enum { LEAST_BLOCK = 2048, MOST_BLOCK = 32768, MOST_SOURCES = 254 };
  double least = 1;
  const char *name = "";
  for (size_t i = 0; i < b->n; i++) {
    if (b->sources[i].weight >= least) continue;
    least = b->sources[i].weight;
    name = b->sources[i].name;
  }
  b->block_size = LEAST_BLOCK;
  while (b->block_size < MOST_BLOCK && b->block_size * least < 1) b->block_size *= 2;
  if ((f->needs & RMX_EXPORT_BLOCKS) && b->block_size * least < 1)
    rmx_warn(r->listener,
             "%s: domain \"%s\" has weight %.3g, less than one sequence of the largest block (%d): "
             "it will never be drawn",
             f->name, name, least, MOST_BLOCK);
  if ((f->needs & RMX_EXPORT_FEW) && b->n > MOST_SOURCES)
    rmx_warn(r->listener,
             "%s: this trainer accepts no more than %d sources, but the mixture has %zu", f->name,
             MOST_SOURCES, b->n);
}

static rmx_status make_blend(const struct format *f, const rmx_export_request *r, double *w,
                             rmx_arena *arena, rmx__blend *b, rmx_err *err) {
  b->sources = rmx_arena_alloc(arena, r->D, sizeof *b->sources);
  if (!b->sources) return rmx_fail_memory(err, r->D * sizeof *b->sources, "a mixture");
  // This is only a check; the weights are written as they were given.
  RMX_TRY(rmx_mixture_check(w, r->D, r->names, 1e-6, f->name, err));
  memcpy(w, r->weights, r->D * sizeof *w);
  RMX_TRY(choose_unit(f, r, w, b, err));
  size_t dropped = 0;
  for (size_t d = 0; d < r->D; d++) {
    if (w[d] == 0 && (f->needs & RMX_EXPORT_NO_ZEROS)) {
      dropped++;
      continue;
    }
    rmx__source *s = &b->sources[b->n++];
    *s = (rmx__source){.name = r->names[d], .weight = w[d]};
    RMX_TRY(find_paths(f, r, d, arena, s, err));
  }
  b->has_valid = r->valid_prefix != NULL;
  RMX_TRY(check_distinct(f, b, err));
  RMX_TRY(find_epochs(f, r, b, err));
  tell_limits(f, r, b);
  if (dropped > 0)
    rmx_note(r->listener, "%s: %zu domain%s of weight 0 left out", f->name, dropped,
             rmx_s(dropped));
  return RMX_OK;
}

// ---- phases

static rmx_status no_stages(const struct format *f, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf list = {0};
  for (size_t i = 0; i < FORMATS; i++) {
    RMX_OWNED char *name = rmx_format("%s.stages", formats[i].name);
    if (name && rmx__export_template(name))
      rmx_buf_printf(&list, "%s%s", list.size ? ", " : "", formats[i].name);
  }
  return rmx_fail(
      err, RMX_EUSAGE,
      "%s: the mixture has phases, which this format cannot hold; --phase 0 exports the "
      "first phase alone, and these formats hold all phases: %s",
      f->name, list.data ? list.data : "");
}

static double start_of(const rmx_export_request *r, double before) {
  return 1 + round(before * r->steps);
}

// The blend of phase k in the rest of a template.
static rmx_status write_stage(const struct format *f, const rmx_export_request *r, size_t k,
                              double before, const char *text, rmx_buf *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  const double share = r->phases->share[k];
  rmx_export_request one = *r;
  one.weights = r->phases->mixture + k * r->D;
  one.budget = r->budget * share;
  rmx__blend blend = {.stage = k, .share = share, .start = start_of(r, before)};
  double *w = rmx_arena_alloc(&arena, r->D, sizeof *w);
  if (!w) return rmx_fail_memory(err, r->D * sizeof *w, "a mixture");
  memcpy(w, one.weights, r->D * sizeof *w);
  RMX_TRY(make_blend(f, &one, w, &arena, &blend, err));
  rmx__export_write(text, &blend, out);
  return RMX_OK;
}

// Every stage has a step of its own.
static rmx_status check_steps(const struct format *f, const rmx_export_request *r, rmx_err *err) {
  double before = 0, next;
  for (size_t k = 0; k < r->phases->n; k++, before = next) {
    next = before + r->phases->share[k];
    const double end = k + 1 < r->phases->n ? start_of(r, next) : r->steps + 1;
    if (end > start_of(r, before) && start_of(r, before) <= r->steps) continue;
    return rmx_fail(err, RMX_EUSAGE,
                    "%s: stage %zu has %.3g %% of the tokens, which is not one of the %.0f steps; "
                    "give the optimiser steps of the whole training to --steps",
                    f->name, k, 100 * r->phases->share[k], r->steps);
  }
  return RMX_OK;
}

static rmx_status export_stages(const struct format *f, const rmx_export_request *r, rmx_buf *out,
                                rmx_err *err) {
  static const char mark[] = "%stage\n";
  RMX_OWNED char *name = rmx_format("%s.stages", f->name);
  const char *text = name ? rmx__export_template(name) : NULL;
  const char *body = text ? strstr(text, mark) : NULL;
  if (!name) return rmx_fail_memory(err, 0, "a name");
  if (!body) return no_stages(f, err);
  if (strstr(text, "<<start>>") && !(r->steps > 0))
    return rmx_fail(err, RMX_EUSAGE,
                    "%s: a stage begins at a step; give --steps N, the optimiser steps of the "
                    "training",
                    f->name);
  if (strstr(text, "<<start>>")) RMX_TRY(check_steps(f, r, err));
  RMX_OWNED char *head = rmx_format("%.*s", (int)(body - text), text);
  if (!head) return rmx_fail_memory(err, (size_t)(body - text), f->name);
  double before = 0;
  rmx__export_write(head, &(rmx__blend){.unit = "Weights are shares of tokens."}, out);
  for (size_t k = 0; k < r->phases->n; k++) {
    RMX_TRY(write_stage(f, r, k, before, body + sizeof mark - 1, out, err));
    before += r->phases->share[k];
  }
  return out->failed ? rmx_fail_memory(err, out->size, f->name) : RMX_OK;
}

rmx_status rmx_export(const char *format, const rmx_export_request *r, rmx_buf *out, rmx_err *err) {
  const struct format *f = NULL;
  RMX_TRY(find_format(format, &f, err));
  if (r->D == 0)
    return rmx_fail(err, RMX_EINPUT, "%s: the mixture has no domains; wanted at least one",
                    f->name);
  if (r->phases && r->phases->n) return export_stages(f, r, out, err);
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  rmx__blend blend = {0};
  double *w = rmx_arena_alloc(&arena, r->D, sizeof *w);
  if (!w) return rmx_fail_memory(err, r->D * sizeof *w, "a mixture");
  memcpy(w, r->weights, r->D * sizeof *w);
  RMX_TRY(make_blend(f, r, w, &arena, &blend, err));
  rmx__export_write(rmx__export_template(f->name), &blend, out);
  if (out->failed) return rmx_fail_memory(err, out->size, f->name);
  return RMX_OK;
}
