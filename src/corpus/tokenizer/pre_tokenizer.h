// SPDX-License-Identifier: Apache-2.0
// pre_tokenizer.h: cuts text into the words that a model never crosses, in one or several steps.
#ifndef RMX_CORPUS_TOKENIZER_PRE_TOKENIZER_H
#define RMX_CORPUS_TOKENIZER_PRE_TOKENIZER_H

#include "base/json.h"
#include "pattern.h"
#include "scanners.h"

// What becomes of the places that a step finds.
typedef enum rmx__behaviour {
  RMX__ISOLATED,     // each is a piece
  RMX__REMOVED,      // they are left out
  RMX__CONTIGUOUS,   // neighbours are one piece
  RMX__TO_PREVIOUS,  // each is the end of the piece before it
  RMX__TO_NEXT,      // each is the start of the piece after it
} rmx__behaviour;

struct rmx__step_type;
struct rmx__cutter;
typedef struct rmx__step {
  const struct rmx__step_type *type;
  rmx__behaviour behaviour;
  bool invert;                      // what lies between the places is what the behaviour is about
  const rmx__known_pattern *known;  // of a "Split" by a known regular expression
  rmx__pattern pattern;             // of a "Split" by another one
  char *text;                       // the string of a "Split"; the replacement of "Metaspace"
  size_t size;                      // of text; the length of "FixedLength"
  bool add, only_first;             // something is put before a piece, or only before the first one
} rmx__step;

typedef struct rmx__pre_tokenizer {
  rmx__step *steps;  // (n)
  size_t n;
  bool byte_level;  // the model sees bytes
  bool spelt;       // the text is in GPT-2's alphabet already
} rmx__pre_tokenizer;
// Reads "pre_tokenizer" of a tokenizer.json. spelt: the normalizer has spelt the bytes in GPT-2's
// alphabet.
rmx_status rmx__pre_tokenizer_read(const json_t *root, bool spelt, const char *where,
                                   rmx__pre_tokenizer *out, rmx_err *err);
void rmx__pre_tokenizer_release(rmx__pre_tokenizer *p);

// A part of a text. It is valid until the step that gave it gives the next one.
typedef struct rmx__piece {
  const char *text;
  size_t size;
  bool first;  // it starts where the document starts
} rmx__piece;

// What a step does to a piece, and where it cuts it (pre_steps.c).
typedef struct rmx__step_type {
  // Writes the text that a piece becomes to `out`. False: the piece stays as it is. NULL: all stay.
  bool (*change)(const rmx__step *s, rmx__piece in, rmx_buf *out);
  // Finds the next place in c->in, at or after `from`. NULL: the piece is not cut.
  rmx_status (*find)(struct rmx__cutter *c, size_t from, bool *found, size_t *start, size_t *end,
                     rmx_err *err);
} rmx__step_type;
extern const rmx__step_type rmx__step_gpt2, rmx__step_bytes, rmx__step_spell, rmx__step_unspell,
    rmx__step_regex, rmx__step_string, rmx__step_metaspace, rmx__step_metaspace_whole,
    rmx__step_digits, rmx__step_punctuation, rmx__step_whitespace, rmx__step_words,
    rmx__step_fixed_length;

// A step at work on one piece (walk.c).
typedef struct rmx__cutter {
  const rmx__step *step;
  rmx__piece in;             // what is cut
  size_t at;                 // the end of the last range that was given
  bool has_place;            // the next place is known
  bool kept;                 // it is a byte that is not UTF-8, which is never removed
  size_t start, end;         // of it
  size_t from;               // where to look for the next
  bool has_range, is_place;  // a range was read ahead, and what it is
  size_t range_start, range_end;
  size_t valid_start, valid_end;  // of a pattern: this part of in.text is valid UTF-8
  rmx__search search;             // of a pattern, in this part
  rmx_buf changed;                // the text, if the step changes it
  pcre2_match_data *match;        // of step->pattern
} rmx__cutter;

// A walk over the words of a text. One per thread.
struct rmx__walk;
struct rmx__walk *rmx__walk_new(const rmx__pre_tokenizer *p);
void rmx__walk_free(struct rmx__walk *w);
void rmx__walk_start(struct rmx__walk *w, rmx__piece text);
// The next word, never empty. False at the end, or on failure, which sets err->status.
bool rmx__walk_next(struct rmx__walk *w, rmx__piece *word, rmx_err *err);

#endif
