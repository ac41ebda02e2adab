// SPDX-License-Identifier: Apache-2.0
/* walking.h: a pre-tokenizer of one step, and a walk over a text. */
#ifndef RMX_TESTS_UNIT_WALKING_H
#define RMX_TESTS_UNIT_WALKING_H

#include "corpus/tokenizer/pre_tokenizer.h"
#include "testing.h"

struct walking {
  rmx__step step;
  rmx__pre_tokenizer p;
  struct rmx__walk *walk;
};

static inline void walk_by(struct walking *w, const char *regex) {
  *w = (struct walking){.step = {.type = regex ? &rmx__step_regex : &rmx__step_gpt2}};
  if (regex) must(rmx__pattern_compile(regex, "test", &w->step.pattern, err));
  w->p = (rmx__pre_tokenizer){.steps = &w->step, .n = 1};
  w->walk = rmx__walk_new(&w->p);
  ck_assert_ptr_nonnull(w->walk);
}

static inline void walk_over(struct walking *w, const char *text, size_t size) {
  rmx__walk_start(w->walk, (rmx__piece){text, size, true});
}

static inline void walk_end(struct walking *w) {
  rmx__walk_free(w->walk);
  rmx__pattern_release(&w->step.pattern);
}

#endif
