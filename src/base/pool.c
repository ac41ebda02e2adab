// SPDX-License-Identifier: Apache-2.0
// pool.c: threads that stay, for loops of microseconds, where starting a thread would cost more
// than the loop.
//
// What is to do is one number, n * 2^32 + the next item: whoever exchanges it for the number above
// has that item, whichever loop it is of, so a helper that comes late does no harm and is not
// waited for. Helpers spin for some microseconds after the last item, since the next loop usually
// follows at once, and then sleep.
#include <pthread.h>
#include <regmix/base.h>
#include <sched.h>
#include <stdlib.h>

enum { MAX_THREADS = 256, SPINS = 1000 };

struct rmx_pool {
  atomic_uint_fast64_t to_do;  // n << 32 | next
  atomic_size_t done;
  rmx_pool_work *work;
  void *context;
  int threads;  // the caller's too
  atomic_int asleep;
  bool end;  // guarded by mutex
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  struct helper {
    rmx_pool *pool;
    int number;  // from 1
    pthread_t thread;
  } helpers[MAX_THREADS];
};

static void breathe(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static bool has_items(rmx_pool *p) {
  const uint64_t now = atomic_load(&p->to_do);
  return (now & UINT32_MAX) < now >> 32;
}

// Does items as long as there are any; false: there was none.
static bool take_items(rmx_pool *p, int thread) {
  bool any = false;
  for (;;) {
    uint64_t now = atomic_load(&p->to_do);
    const uint64_t item = now & UINT32_MAX;
    if (item >= now >> 32) return any;
    if (!atomic_compare_exchange_weak(&p->to_do, &now, now + 1)) continue;
    p->work(p->context, (size_t)item, thread);
    atomic_fetch_add(&p->done, 1);
    any = true;
  }
}

static void *help(void *argument) {
  const struct helper *h = argument;
  rmx_pool *p = h->pool;
  for (int idle = 0;; idle++) {
    if (take_items(p, h->number)) idle = 0;
    breathe();
    if (idle < SPINS) continue;
    pthread_mutex_lock(&p->mutex);
    atomic_fetch_add(&p->asleep, 1);
    while (!has_items(p) && !p->end) pthread_cond_wait(&p->wake, &p->mutex);
    atomic_fetch_sub(&p->asleep, 1);
    const bool end = p->end;
    pthread_mutex_unlock(&p->mutex);
    if (end) return NULL;
    idle = 0;
  }
}

rmx_status rmx_pool_new(int threads, rmx_pool **out, rmx_err *err) {
  rmx_pool *p = rmx_calloc(1, sizeof *p);
  if (!p) return rmx_fail_memory(err, sizeof *p, "a pool of threads");
  pthread_mutex_init(&p->mutex, NULL);
  pthread_cond_init(&p->wake, NULL);
  p->threads = 1;
  // If a thread cannot be created, there are fewer: the caller's own always works.
  while (p->threads < threads && p->threads < MAX_THREADS) {
    struct helper *h = &p->helpers[p->threads];
    *h = (struct helper){.pool = p, .number = p->threads};
    if (pthread_create(&h->thread, NULL, help, h) != 0) break;
    p->threads++;
  }
  *out = p;
  return RMX_OK;
}

void rmx_pool_free(rmx_pool *p) {
  if (!p) return;
  pthread_mutex_lock(&p->mutex);
  p->end = true;
  pthread_cond_broadcast(&p->wake);
  pthread_mutex_unlock(&p->mutex);
  for (int i = 1; i < p->threads; i++) pthread_join(p->helpers[i].thread, NULL);
  pthread_cond_destroy(&p->wake);
  pthread_mutex_destroy(&p->mutex);
  free(p);
}

void rmx_pool_run(rmx_pool *p, size_t n, rmx_pool_work *work, void *context) {
  if (!p || p->threads == 1 || n < 2) {
    for (size_t i = 0; i < n; i++) work(context, i, 0);
    return;
  }
  p->work = work;
  p->context = context;
  atomic_store(&p->done, 0);
  atomic_store(&p->to_do, (uint64_t)n << 32);
  if (atomic_load(&p->asleep)) {
    pthread_mutex_lock(&p->mutex);
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->mutex);
  }
  take_items(p, 0);
  for (int spins = 0; atomic_load(&p->done) < n; spins++) {
    breathe();
    if (spins > SPINS) sched_yield();
  }
}
