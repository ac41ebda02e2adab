// SPDX-License-Identifier: Apache-2.0
// A loop shared by threads. Items are handed out one by one: their order is no one's
// business, since each may write only what its own index says.
#include <pthread.h>
#include <regmix/base.h>
#include <sched.h>
#include <unistd.h>

enum { MAX_THREADS = 256 };

struct loop {
  atomic_size_t next;
  size_t n;
  void (*work)(void *context, size_t i);
  void *context;
};

static void *take_items(void *argument) {
  struct loop *loop = argument;
  for (;;) {
    size_t i = atomic_fetch_add(&loop->next, 1);
    if (i >= loop->n) return NULL;
    loop->work(loop->context, i);
  }
}

void rmx_parallel(int threads, size_t n, void (*work)(void *context, size_t i), void *context) {
  struct loop loop = {.n = n, .work = work, .context = context};
  pthread_t helpers[MAX_THREADS];
  int started = 0;
  // If a thread cannot be created, there are fewer: the caller's own always works.
  while (started + 1 < threads && (size_t)started + 1 < n && started < MAX_THREADS &&
         pthread_create(&helpers[started], NULL, take_items, &loop) == 0)
    started++;
  take_items(&loop);
  for (int i = 0; i < started; i++) pthread_join(helpers[i], NULL);
}

static int all_processors(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (int)n : 1;
}

static int limit;  // 0: none

void rmx_limit_processors(int n) {
  limit = n;
}

int rmx_processors(void) {
  const int n = all_processors();
  return limit > 0 && limit < n ? limit : n;
}
