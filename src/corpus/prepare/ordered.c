// SPDX-License-Identifier: Apache-2.0
// Items are in a ring. A thread takes the next item, works on it, and marks it as done. Whoever
// finds that the oldest item is done, and that nobody puts, puts all that are done in their order.
#include "ordered.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_A_THREAD = 4, MAX_THREADS = 256, LARGE = 4 << 20 };

struct slot {
  void *item;
  uint64_t bytes;
  bool done;
  rmx_status status;
};

struct loop {
  const rmx__ordered *o;
  void *context;
  pthread_mutex_t lock, taking;
  pthread_cond_t moved;  // an item was put
  struct slot *slots;    // (n)
  size_t n;
  uint64_t next, turn;  // the item to take, the item to put
  uint64_t in_flight;   // bytes
  bool ended;           // nothing more is taken
  bool over;            // nothing more is put
  bool putting;
  rmx_err err;      // of the first item that failed
  rmx_err *errors;  // (n) of the items
};

// Puts an item, unless it or one before it failed.
static void put_one(struct loop *l, struct slot *s, rmx_err *err) {
  bool more = true;
  rmx_status status = s->status;
  if (status == RMX_OK && l->o->put) status = l->o->put(l->context, s->item, &more, err);
  if (status != RMX_OK) l->err = *err;
  l->over = status != RMX_OK || !more;
}

// A slot does not keep the memory of a very large item.
static void clear(struct loop *l, struct slot *s) {
  if (s->bytes > LARGE) {
    l->o->release(s->item);
    memset(s->item, 0, l->o->item_size);
  }
}

// Puts the items that are done, in their order. The lock is held, but not while an item is put.
static void put_done(struct loop *l) {
  if (l->putting) return;
  l->putting = true;
  for (struct slot *s; s = &l->slots[l->turn % l->n], l->turn < l->next && s->done;) {
    pthread_mutex_unlock(&l->lock);
    if (!l->over) put_one(l, s, &l->errors[s - l->slots]);
    clear(l, s);
    pthread_mutex_lock(&l->lock);
    s->done = false;
    l->in_flight -= s->bytes;
    l->turn++;
    l->ended = l->ended || l->over;
    pthread_cond_broadcast(&l->moved);
  }
  l->putting = false;
}

// Waits for a free slot and takes the next item into it. NULL: there is none.
static struct slot *take(struct loop *l, size_t *at) {
  struct slot *s = NULL;
  pthread_mutex_lock(&l->taking);
  pthread_mutex_lock(&l->lock);
  while (!l->ended &&
         (l->next - l->turn >= l->n || (l->in_flight > RMX__IN_FLIGHT && l->next > l->turn)))
    pthread_cond_wait(&l->moved, &l->lock);
  bool more = !l->ended;
  pthread_mutex_unlock(&l->lock);
  if (more) {
    rmx_err err;
    *at = l->next % l->n;
    s = &l->slots[*at];
    s->bytes = 0;
    rmx_status status = rmx_interrupted() ? rmx_fail(&err, RMX_EINTERRUPTED, "interrupted")
                                          : l->o->take(l->context, s->item, &s->bytes, &more, &err);
    pthread_mutex_lock(&l->lock);
    if (status != RMX_OK || !more) {
      // Items before this one may fail as well, and their error comes first.
      l->errors[*at] = err;
      s->status = status;
      s->done = status != RMX_OK;
      l->next += s->done;
      l->ended = true;
      put_done(l);
      pthread_cond_broadcast(&l->moved);
      s = NULL;
    } else {
      l->next++;
      l->in_flight += s->bytes;
    }
    pthread_mutex_unlock(&l->lock);
  }
  pthread_mutex_unlock(&l->taking);
  return s;
}

static void *run_thread(void *argument) {
  struct loop *l = argument;
  size_t at;
  for (struct slot *s; (s = take(l, &at));) {
    s->status = l->o->work(l->context, s->item, &l->errors[at]);
    pthread_mutex_lock(&l->lock);
    s->done = true;
    put_done(l);
    pthread_mutex_unlock(&l->lock);
  }
  return NULL;
}

static void run_threads(struct loop *l, int threads) {
  pthread_t helpers[MAX_THREADS];
  int started = 0;
  // A thread that cannot be started is done without.
  while (started + 1 < threads && started < MAX_THREADS &&
         pthread_create(&helpers[started], NULL, run_thread, l) == 0)
    started++;
  run_thread(l);
  for (int i = 0; i < started; i++) pthread_join(helpers[i], NULL);
}

rmx_status rmx__ordered_run(const rmx__ordered *o, int threads, void *context, rmx_err *err) {
  struct loop l = {.o = o, .context = context};
  l.n = (size_t)(threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads) * ITEMS_A_THREAD;
  l.slots = rmx_calloc(l.n, sizeof *l.slots);
  l.errors = rmx_calloc(l.n, sizeof *l.errors);
  char *items = rmx_calloc(l.n, o->item_size);
  rmx_status status = l.slots && l.errors && items
                          ? RMX_OK
                          : rmx_fail_memory(err, l.n * sizeof *l.errors, "a loop of threads");
  if (status == RMX_OK) {
    for (size_t i = 0; i < l.n; i++) l.slots[i].item = items + i * o->item_size;
    pthread_mutex_init(&l.lock, NULL);
    pthread_mutex_init(&l.taking, NULL);
    pthread_cond_init(&l.moved, NULL);
    run_threads(&l, threads);
    pthread_mutex_destroy(&l.lock);
    pthread_mutex_destroy(&l.taking);
    pthread_cond_destroy(&l.moved);
    for (size_t i = 0; i < l.n; i++) o->release(l.slots[i].item);
    status = l.err.status;
    if (status != RMX_OK) *err = l.err;
  }
  free(l.slots);
  free(l.errors);
  free(items);
  return status;
}
