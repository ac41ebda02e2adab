// SPDX-License-Identifier: Apache-2.0
#include "top_hosts.h"

#include <stdlib.h>
#include <string.h>

struct counter {
  char *name;
  uint64_t count, hash;
  size_t at;  // place in the heap
};

struct rmx__top_hosts {
  size_t n, most, slots;     // slots: a power of two
  struct counter *counters;  // (most)
  size_t *heap;              // (most) indices of counters; the least is first
  size_t *table;             // (slots) index of a counter plus 1, by hash; 0: free
};

rmx__top_hosts *rmx__top_hosts_new(size_t counters) {
  rmx__top_hosts *t = rmx_calloc(1, sizeof *t);
  if (!t) return NULL;
  t->most = counters ? counters : 1;
  for (t->slots = 16; t->slots < 2 * t->most;) t->slots *= 2;
  t->counters = rmx_calloc(t->most, sizeof *t->counters);
  t->heap = rmx_calloc(t->most, sizeof *t->heap);
  t->table = rmx_calloc(t->slots, sizeof *t->table);
  if (t->counters && t->heap && t->table) return t;
  rmx__top_hosts_free(t);
  return NULL;
}

void rmx__top_hosts_free(rmx__top_hosts *t) {
  if (!t) return;
  for (size_t i = 0; t->counters && i < t->n; i++) free(t->counters[i].name);
  free(t->counters);
  free(t->heap);
  free(t->table);
  free(t);
}

// ---- the heap: a name that comes later in the alphabet is less than another with its count

static bool less(const struct counter *a, const struct counter *b) {
  return a->count != b->count ? a->count < b->count : strcmp(a->name, b->name) > 0;
}

static void place(rmx__top_hosts *t, size_t at, size_t counter) {
  t->heap[at] = counter;
  t->counters[counter].at = at;
}

static void sift(rmx__top_hosts *t, size_t at) {
  const size_t moved = t->heap[at];
  const struct counter *c = t->counters;
  for (; at > 0 && less(&c[moved], &c[t->heap[(at - 1) / 2]]); at = (at - 1) / 2)
    place(t, at, t->heap[(at - 1) / 2]);
  for (size_t child; (child = 2 * at + 1) < t->n; at = child) {
    if (child + 1 < t->n && less(&c[t->heap[child + 1]], &c[t->heap[child]])) child++;
    if (!less(&c[t->heap[child]], &c[moved])) break;
    place(t, at, t->heap[child]);
  }
  place(t, at, moved);
}

// ---- the table, with linear probing

static size_t slot_of(const rmx__top_hosts *t, const char *name, uint64_t hash) {
  size_t slot = hash & (t->slots - 1);
  for (; t->table[slot]; slot = (slot + 1) & (t->slots - 1)) {
    const struct counter *c = &t->counters[t->table[slot] - 1];
    if (c->hash == hash && strcmp(c->name, name) == 0) break;
  }
  return slot;
}

// Frees a slot, and moves up those after it that would no longer be found.
static void clear(rmx__top_hosts *t, size_t slot) {
  const size_t mask = t->slots - 1;
  t->table[slot] = 0;
  for (size_t next = (slot + 1) & mask; t->table[next]; next = (next + 1) & mask) {
    const size_t home = t->counters[t->table[next] - 1].hash & mask;
    if (((next - home) & mask) < ((next - slot) & mask)) continue;
    t->table[slot] = t->table[next];
    t->table[next] = 0;
    slot = next;
  }
}

bool rmx__top_hosts_add(rmx__top_hosts *t, const char *name, uint64_t count) {
  const uint64_t hash = rmx_hash_string(name, 0);
  size_t slot = slot_of(t, name, hash), which;
  if (t->table[slot]) {
    which = t->table[slot] - 1;
    t->counters[which].count += count;
    sift(t, t->counters[which].at);
    return true;
  }
  char *copy = rmx_strdup(name);
  if (!copy) return false;
  if (t->n < t->most) {
    which = t->n++;
    place(t, which, which);
  } else {
    which = t->heap[0];
    clear(t, slot_of(t, t->counters[which].name, t->counters[which].hash));
    slot = slot_of(t, name, hash);
    free(t->counters[which].name);
  }
  struct counter *c = &t->counters[which];
  c->name = copy;
  c->hash = hash;
  c->count += count;
  t->table[slot] = which + 1;
  sift(t, c->at);
  return true;
}

static int by_count(const void *a, const void *b) {
  const struct counter *x = *(const struct counter *const *)a,
                       *y = *(const struct counter *const *)b;
  return less(x, y) - less(y, x);
}

static const struct counter **sorted(const rmx__top_hosts *t) {
  const struct counter **list = rmx_calloc(t->n, sizeof *list);
  for (size_t i = 0; list && i < t->n; i++) list[i] = &t->counters[i];
  if (list) qsort(list, t->n, sizeof *list, by_count);
  return list;
}

bool rmx__top_hosts_merge(rmx__top_hosts *into, const rmx__top_hosts *from) {
  const struct counter **list = sorted(from);
  bool good = list != NULL;
  for (size_t i = 0; good && i < from->n; i++)
    good = rmx__top_hosts_add(into, list[i]->name, list[i]->count);
  free(list);
  return good;
}

bool rmx__top_hosts_largest(const rmx__top_hosts *t, size_t n, rmx_strings *names,
                            uint64_t *counts) {
  const struct counter **list = sorted(t);
  bool good = list != NULL;
  for (size_t i = 0; good && i < t->n && i < n; i++) {
    good = rmx_strings_add(names, list[i]->name);
    if (counts) counts[i] = list[i]->count;
  }
  free(list);
  return good;
}
