// SPDX-License-Identifier: Apache-2.0
// The values of a template: the checked sources with their paths and with the weights in the unit
// of the trainer.
#ifndef RMX_EXPORT_BLEND_H
#define RMX_EXPORT_BLEND_H

#include <regmix/export.h>

enum { RMX__MOST_PASSES = 10000 };  // over one source, in formats that list them

typedef struct rmx__source {
  const char *name;
  const char *path;   // NULL: has none; never NULL if the format needs one
  const char *valid;  // path of the validation data; NULL: has none
  double weight;
  double epochs;  // passes over it in the budget; 0: unknown
} rmx__source;

typedef struct rmx__blend {
  size_t n;                         // at least 1
  rmx__source *sources;             // (n)
  bool has_valid;                   // all sources have validation data
  bool has_epochs;                  // the epochs of all sources are known
  double budget;                    // tokens of the training; 0: not known
  double sequence_length, samples;  // tokens of a sample, samples of the training; 0: not known
  // for trainers that draw in blocks: each source has a whole sequence in one of this many
  double block_size;
  size_t stage;         // of a training with phases
  double share, start;  // its part of the tokens; its first step, from 1
  const char *unit;     // the unit of the weights, for a comment; one line
} rmx__blend;

// The template of a format (template.c), or NULL if it has none; and the function that writes a
// blend into it.
const char *rmx__export_template(const char *format);
void rmx__export_write(const char *text, const rmx__blend *b, rmx_buf *out);

#endif
