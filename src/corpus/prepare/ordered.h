// SPDX-License-Identifier: Apache-2.0
// ordered.h: a loop in three stages over items whose number is not known before.
#ifndef RMX_CORPUS_PREPARE_ORDERED_H
#define RMX_CORPUS_PREPARE_ORDERED_H

#include <regmix/base.h>

// `take` and `put` run in the order of the items, one item at a time each; `work` runs on all
// threads. So what is put does not depend on the number of threads.
typedef struct rmx__ordered {
  size_t item_size;  // an item is a struct that is zero at first and is used again
  // Makes the next item, and says how many bytes it will need; *more is false at the end.
  rmx_status (*take)(void *context, void *item, uint64_t *bytes, bool *more, rmx_err *err);
  rmx_status (*work)(void *context, void *item, rmx_err *err);
  // *more = false ends the loop early. NULL: nothing to do.
  rmx_status (*put)(void *context, void *item, bool *more, rmx_err *err);
  void (*release)(void *item);
} rmx__ordered;

// The error is that of the first item that has one. At any time the items need RMX__IN_FLIGHT bytes
// and those of one more item, or less. RMX_EINTERRUPTED.
enum { RMX__IN_FLIGHT = 32 << 20 };
rmx_status rmx__ordered_run(const rmx__ordered *o, int threads, void *context, rmx_err *err);

#endif
