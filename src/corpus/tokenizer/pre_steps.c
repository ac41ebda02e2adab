// SPDX-License-Identifier: Apache-2.0
// What the steps of a pre-tokenizer do to a piece of text, and the places that they find in it.
#include <string.h>

#include "byte_alphabet.h"
#include "characters.h"
#include "corpus/utf8.h"
#include "gpt2_words.h"
#include "pre_tokenizer.h"

static rmx_status found_at(bool *found, size_t *start, size_t *end, size_t from, size_t to) {
  *found = true;
  *start = from;
  *end = to;
  return RMX_OK;
}

// ---- bytes ------------------------------------------------------------------------

static bool add_space(const rmx__step *s, rmx__piece in, rmx_buf *out) {
  if (!s->add || in.text[0] == ' ') return false;
  rmx_buf_puts(out, " ");
  rmx_buf_add(out, in.text, in.size);
  return true;
}

static rmx_status find_gpt2(rmx__cutter *c, size_t from, bool *found, size_t *start, size_t *end,
                            rmx_err *err) {
  (void)err;
  if (from >= c->in.size) return RMX_OK;
  return found_at(found, start, end, from, rmx__gpt2_word_end(c->in.text, c->in.size, from));
}

static bool spell(const rmx__step *s, rmx__piece in, rmx_buf *out) {
  (void)s;
  rmx__spell_bytes(in.text, in.size, out);
  return true;
}

static bool unspell(const rmx__step *s, rmx__piece in, rmx_buf *out) {
  (void)s;
  return rmx__unspell_bytes(in.text, in.size, out);
}

const rmx__step_type rmx__step_gpt2 = {add_space, find_gpt2};
const rmx__step_type rmx__step_bytes = {add_space, NULL};
const rmx__step_type rmx__step_spell = {spell, NULL};
const rmx__step_type rmx__step_unspell = {unspell, NULL};

// ---- patterns and strings ------------------------------------------------------------

// PCRE2 and the scanners need valid UTF-8. They get the valid parts, each alone, so that what they
// look at before a match is valid, too. Each bad byte is a piece of its own.
static rmx_status find_regex(rmx__cutter *c, size_t from, bool *found, size_t *start, size_t *end,
                             rmx_err *err) {
  if (from >= c->valid_end && from < c->in.size) {
    c->valid_start = from;
    c->valid_end = from + rmx__utf8_valid_prefix(c->in.text + from, c->in.size - from);
    c->search = (rmx__search){0, SIZE_MAX};
  }
  const char *text = c->in.text + c->valid_start;
  const size_t size = c->valid_end - c->valid_start, at = from - c->valid_start;
  if (c->step->known) {
    *end = at < size ? c->step->known->scan(text, size, at, start) : 0;
    *found = *end > 0;
  } else {
    RMX_TRY(rmx__pattern_next(&c->step->pattern, c->match, text, size, &c->search, found, start,
                              end, err));
  }
  *start += c->valid_start;
  *end += c->valid_start;
  if (*found || c->valid_end == c->in.size) return RMX_OK;
  c->kept = true;
  return found_at(found, start, end, c->valid_end, c->valid_end + 1);
}

// The place is near where words are cut, and far in other texts.
static const char *find_near(const char *p, const char *end, const char *text, size_t size) {
  enum { NEAR = 32 };
  const char *stop = (size_t)(end - p) > NEAR + size ? p + NEAR : end - size + 1;
  if ((size_t)(end - p) < size) return NULL;
  for (; p < stop; p++)
    if (*p == *text && memcmp(p, text, size) == 0) return p;
  return memmem(p, (size_t)(end - p), text, size);
}

static rmx_status find_string(rmx__cutter *c, size_t from, bool *found, size_t *start, size_t *end,
                              rmx_err *err) {
  (void)err;
  const rmx__step *s = c->step;
  const char *stop = c->in.text + c->in.size,
             *at = from < c->in.size ? find_near(c->in.text + from, stop, s->text, s->size) : NULL;
  if (!at) return RMX_OK;
  size_t place = (size_t)(at - c->in.text);
  return found_at(found, start, end, place, place + s->size);
}

const rmx__step_type rmx__step_regex = {NULL, find_regex};
const rmx__step_type rmx__step_string = {NULL, find_string};

// ---- spaces as characters --------------------------------------------------------------

static bool metaspace(const rmx__step *s, rmx__piece in, rmx_buf *out) {
  bool has = in.text[0] == ' ' || (in.size >= s->size && memcmp(in.text, s->text, s->size) == 0);
  if (!has && s->add && (in.first || !s->only_first)) rmx_buf_add(out, s->text, s->size);
  for (const char *p = in.text, *end = in.text + in.size, *space; p < end; p = space + 1) {
    space = memchr(p, ' ', (size_t)(end - p));
    rmx_buf_add(out, p, (size_t)((space ? space : end) - p));
    if (!space) break;
    rmx_buf_add(out, s->text, s->size);
  }
  return true;
}

const rmx__step_type rmx__step_metaspace = {metaspace, find_string};
const rmx__step_type rmx__step_metaspace_whole = {metaspace, NULL};

// ---- classes of characters ---------------------------------------------------------------

static rmx_status find_class(bool (*is)(int32_t), rmx__cutter *c, size_t from, bool *found,
                             size_t *start, size_t *end) {
  const char *stop = c->in.text + c->in.size;
  int32_t code;
  for (size_t at = from, n; at < c->in.size; at += n) {
    n = rmx__character(c->in.text + at, stop, &code);
    if (is(code)) return found_at(found, start, end, at, at + n);
  }
  return RMX_OK;
}

static rmx_status find_digit(rmx__cutter *c, size_t from, bool *found, size_t *start, size_t *end,
                             rmx_err *err) {
  (void)err;
  return find_class(rmx__is_numeric, c, from, found, start, end);
}

static rmx_status find_punctuation(rmx__cutter *c, size_t from, bool *found, size_t *start,
                                   size_t *end, rmx_err *err) {
  (void)err;
  return find_class(rmx__is_punctuation, c, from, found, start, end);
}

static rmx_status find_whitespace(rmx__cutter *c, size_t from, bool *found, size_t *start,
                                  size_t *end, rmx_err *err) {
  (void)err;
  return find_class(rmx__is_whitespace, c, from, found, start, end);
}

// \w+|[^\w\s]+
static rmx_status find_words(rmx__cutter *c, size_t from, bool *found, size_t *start, size_t *end,
                             rmx_err *err) {
  (void)err;
  const char *stop = c->in.text + c->in.size;
  int kind = 0;  // 1: words, 2: neither words nor spaces
  size_t at = from, begin = from;
  for (size_t n; at < c->in.size; at += n) {
    int32_t code;
    n = rmx__character(c->in.text + at, stop, &code);
    int now = rmx__is_word(code) ? 1 : rmx__is_whitespace(code) ? 0 : 2;
    if (!kind) begin = at;
    if (kind && now != kind) break;
    kind = now;
  }
  return kind ? found_at(found, start, end, begin, at) : RMX_OK;
}

static rmx_status find_fixed_length(rmx__cutter *c, size_t from, bool *found, size_t *start,
                                    size_t *end, rmx_err *err) {
  (void)err;
  const char *stop = c->in.text + c->in.size;
  int32_t code;
  size_t at = from;
  for (size_t i = 0; i < c->step->size && at < c->in.size; i++)
    at += rmx__character(c->in.text + at, stop, &code);
  return at > from ? found_at(found, start, end, from, at) : RMX_OK;
}

const rmx__step_type rmx__step_digits = {NULL, find_digit};
const rmx__step_type rmx__step_punctuation = {NULL, find_punctuation};
const rmx__step_type rmx__step_whitespace = {NULL, find_whitespace};
const rmx__step_type rmx__step_words = {NULL, find_words};
const rmx__step_type rmx__step_fixed_length = {NULL, find_fixed_length};
