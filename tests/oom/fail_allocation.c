// SPDX-License-Identifier: Apache-2.0
// A library to be preloaded: memory is short once. Its orders stand in the environment:
//   OOM_FAIL=k       the k-th allocation of the process returns NULL; the following ones succeed
//   OOM_SAY=1        and the stack of its callers is printed on stderr
//   OOM_PLACES=FILE  writes the number of allocations, then the first k of each place (stack of
//                    callers) that allocates
// Allocations are counted from the beginning of main; starting a thread counts as one.
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

enum { DEPTH = 24, MOST_PLACES = 1 << 16 };
static atomic_ulong count;
static unsigned long fail_at;
static const char *places_file;
static int say;
static _Thread_local int inside;  // of this library: what it allocates itself is not counted
static struct {
  uint64_t stack;
  unsigned long first;
} places[MOST_PLACES];
static atomic_flag busy = ATOMIC_FLAG_INIT;

static void note_place(unsigned long k) {
  void *frames[DEPTH];
  uint64_t hash = 1469598103934665603u;
  inside = 1;
  int n = backtrace(frames, DEPTH);
  inside = 0;
  for (int i = 2; i < n; i++) hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
  while (atomic_flag_test_and_set(&busy)) {
  }
  for (size_t i = hash % MOST_PLACES, tries = 0; tries < MOST_PLACES;
       i = (i + 1) % MOST_PLACES, tries++) {
    if (places[i].first && places[i].stack != hash) continue;
    if (!places[i].first) places[i].first = k, places[i].stack = hash;
    break;
  }
  atomic_flag_clear(&busy);
}

static int fails(void) {
  if (inside || (!fail_at && !places_file)) return 0;
  unsigned long k = atomic_fetch_add(&count, 1) + 1;
  if (places_file) note_place(k);
  if (k != fail_at) return 0;
  if (say) {
    void *frames[DEPTH];
    inside = 1;
    backtrace_symbols_fd(frames, backtrace(frames, DEPTH), 2);
    inside = 0;
  }
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) {
  return fails() ? NULL : __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
  return fails() ? NULL : __libc_calloc(n, size);
}
void *realloc(void *p, size_t size) {
  return fails() ? NULL : __libc_realloc(p, size);
}
void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) {
  return fails() ? NULL : __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}
int posix_memalign(void **p, size_t alignment, size_t size) {
  void *got = memalign(alignment, size);
  if (!got) return ENOMEM;
  *p = got;
  return 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  inside = 1;
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  inside = 0;
  return fails() ? EAGAIN : real(thread, attributes, start, argument);
}

__attribute__((constructor)) static void begin(void) {
  void *frames[2];
  const char *at = getenv("OOM_FAIL");
  backtrace(frames, 2);  // loads what it needs
  places_file = getenv("OOM_PLACES");
  say = getenv("OOM_SAY") != NULL;
  fail_at = at ? strtoul(at, NULL, 10) : 0;
  unsetenv("OOM_PLACES");  // not for the processes that it starts
  unsetenv("OOM_FAIL");
}

__attribute__((destructor)) static void end(void) {
  if (!places_file) return;
  inside = 1;
  unsigned long n = count;
  FILE *f = fopen(places_file, "w");
  if (!f) return;
  fprintf(f, "%lu\n", n);
  for (size_t i = 0; i < MOST_PLACES; i++)
    if (places[i].first) fprintf(f, "%lu\n", places[i].first);
  fclose(f);
}
