// SPDX-License-Identifier: Apache-2.0
// The steps of a pre-tokenizer, one behind the other: each asks the one before it for a piece, and
// gives the pieces of it one by one. So no list of pieces is ever in memory.
//
// A step sees a piece as ranges: the places that it finds, and what lies between them. Its
// behaviour makes pieces of the ranges, as in Hugging Face's library.
#include <stdlib.h>
#include <string.h>

#include "corpus/utf8.h"
#include "pre_tokenizer.h"

struct rmx__walk {
  const rmx__pre_tokenizer *p;
  rmx__cutter *cutters;  // (p->n)
  rmx__piece text;
  bool taken;   // the text was given to the first step
  bool direct;  // the only step finds words everywhere, so each place is a piece
  size_t at;    // then: where the next word starts
};

struct rmx__walk *rmx__walk_new(const rmx__pre_tokenizer *p) {
  struct rmx__walk *w = rmx_calloc(1, sizeof *w);
  if (!w) return NULL;
  w->p = p;
  w->cutters = rmx_calloc(p->n, sizeof *w->cutters);
  bool good = w->cutters != NULL;
  for (size_t i = 0; i < p->n && good; i++) {
    rmx__cutter *c = &w->cutters[i];
    c->step = &p->steps[i];
    if (!c->step->pattern.code) continue;
    c->match = pcre2_match_data_create_from_pattern(c->step->pattern.code, NULL);
    good = c->match != NULL;
  }
  if (good) return w;
  rmx__walk_free(w);
  return NULL;
}

void rmx__walk_free(struct rmx__walk *w) {
  if (!w) return;
  for (size_t i = 0; w->cutters && i < w->p->n; i++) {
    rmx_buf_release(&w->cutters[i].changed);
    pcre2_match_data_free(w->cutters[i].match);
  }
  free(w->cutters);
  free(w);
}

static bool is_direct(const rmx__pre_tokenizer *p, rmx__piece text) {
  const rmx__step *s = p->n == 1 ? p->steps : NULL;
  return s && s->known && s->known->all && text.size && (!s->add || text.text[0] == ' ') &&
         s->behaviour == (s->invert ? RMX__REMOVED : RMX__ISOLATED) &&
         rmx__utf8_valid_prefix(text.text, text.size) == text.size;
}

void rmx__walk_start(struct rmx__walk *w, rmx__piece text) {
  w->text = text;
  w->taken = text.size == 0;
  w->direct = is_direct(w->p, text);
  w->at = 0;
  for (size_t i = 0; i < w->p->n; i++) {
    w->cutters[i].in.size = w->cutters[i].at = 0;
    w->cutters[i].has_range = false;
  }
}

// ---- ranges ------------------------------------------------------------------------------

struct range {
  size_t start, end;
  bool is_place;
};

// The next range. All ranges together are the piece. False at the end, or on failure.
static bool next_range(rmx__cutter *c, struct range *r, rmx_err *err) {
  if (c->has_range) {
    *r = (struct range){c->range_start, c->range_end, c->is_place};
    c->has_range = false;
    return true;
  }
  if (!c->has_place) {
    if (c->at >= c->in.size && c->from > c->in.size) return false;
    c->kept = false;
    if (c->from > c->in.size)
      c->has_place = false;
    else if (c->step->type->find(c, c->from, &c->has_place, &c->start, &c->end, err) != RMX_OK)
      return false;
    if (!c->has_place) c->from = SIZE_MAX;
  }
  if (c->has_place && c->at >= c->start) {
    *r = (struct range){c->start, c->end, c->kept ? false : !c->step->invert};
    c->at = c->from = c->end;
    c->has_place = false;
    return true;
  }
  *r = (struct range){c->at, c->has_place ? c->start : c->in.size, c->step->invert};
  c->at = r->end;
  return r->start < r->end;
}

static void put_back(rmx__cutter *c, struct range r) {
  c->has_range = true;
  c->range_start = r.start;
  c->range_end = r.end;
  c->is_place = r.is_place;
}

// Whether a range with the next one is one piece.
static bool together(rmx__behaviour b, bool is_place, bool next_is_place) {
  return (b == RMX__CONTIGUOUS && is_place == next_is_place) ||
         (b == RMX__TO_PREVIOUS && !is_place && next_is_place) ||
         (b == RMX__TO_NEXT && is_place && !next_is_place);
}

// The next piece of c->in. It may be empty. False at the end, or on failure.
static bool next_cut(rmx__cutter *c, rmx__piece *out, rmx_err *err) {
  struct range r, next;
  rmx__behaviour b = c->step->behaviour;
  if (!next_range(c, &r, err)) return false;
  if (b == RMX__REMOVED && r.is_place) r.end = r.start;
  while (b > RMX__REMOVED && next_range(c, &next, err)) {
    bool joined = together(b, r.is_place, next.is_place);
    if (joined)
      r.end = next.end;
    else
      put_back(c, next);
    if (!joined || b != RMX__CONTIGUOUS) break;
  }
  *out = (rmx__piece){c->in.text + r.start, r.end - r.start, c->in.first && r.start == 0};
  return err->status == RMX_OK;
}

// ---- pieces -------------------------------------------------------------------------------

static bool take(rmx__cutter *c, rmx__piece in, rmx_err *err) {
  const rmx__step_type *type = c->step->type;
  c->changed.size = 0;
  if (type->change && type->change(c->step, in, &c->changed)) {
    in.text = c->changed.data;
    in.size = c->changed.size;
  }
  if (c->changed.failed) {
    rmx_fail_memory(err, in.size, "a text to encode");
    return false;
  }
  c->in = in;
  c->at = c->from = c->valid_start = c->valid_end = 0;
  c->has_place = c->has_range = false;
  if (!type->find) c->from = SIZE_MAX;
  return true;
}

static bool next_piece(struct rmx__walk *w, size_t step, rmx__piece *out, rmx_err *err) {
  if (step == 0) {
    if (w->taken) return false;
    w->taken = true;
    *out = w->text;
    return true;
  }
  rmx__cutter *c = &w->cutters[step - 1];
  for (;;) {
    rmx__piece in;
    while (c->at < c->in.size || c->has_range) {
      if (!next_cut(c, out, err)) break;
      if (out->size) return true;
    }
    if (err->status != RMX_OK || !next_piece(w, step - 1, &in, err) || !take(c, in, err))
      return false;
  }
}

bool rmx__walk_next(struct rmx__walk *w, rmx__piece *word, rmx_err *err) {
  if (!w->direct) return next_piece(w, w->p->n, word, err);
  size_t start = w->at;
  if (start == w->text.size) return false;
  w->at = w->p->steps->known->scan(w->text.text, w->text.size, start, &start);
  *word = (rmx__piece){w->text.text + start, w->at - start, w->text.first && start == 0};
  return true;
}
