// SPDX-License-Identifier: Apache-2.0
// Allocation with checked sizes: arrays, arenas, growing buffers, lists of strings.
#include "base/memory.h"

#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"

static void (*_Atomic shortage_handler)(size_t bytes);

void rmx_on_shortage(void (*handler)(size_t bytes)) {
  atomic_store(&shortage_handler, handler);
}

void rmx__short_of(size_t bytes) {
  void (*handler)(size_t) = atomic_load(&shortage_handler);
  if (handler) handler(bytes);
}

// Every allocation of the house goes through here.
static void *got(void *p, size_t bytes) {
  if (!p) rmx__short_of(bytes);
  return p;
}

void *rmx_calloc(size_t n, size_t size) {
  return got(calloc(n ? n : 1, size ? size : 1), size && n > SIZE_MAX / size ? SIZE_MAX : n * size);
}

void *rmx_realloc(void *p, size_t n, size_t size) {
  if (size && n > SIZE_MAX / size) return NULL;
  size_t bytes = n * size;
  return got(realloc(p, bytes ? bytes : 1), bytes);
}

void rmx_free_at(void *pointer) {
  void *block;
  memcpy(&block, pointer, sizeof block);
  free(block);
}

char *rmx_strdup(const char *s) {
  size_t size = strlen(s) + 1;
  char *copy = got(malloc(size), size);
  if (copy) memcpy(copy, s, size);
  return copy;
}

char *rmx_format(const char *fmt, ...) {
  va_list args, again;
  va_start(args, fmt);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  char *text = size < 0 ? NULL : got(malloc((size_t)size + 1), (size_t)size + 1);
  if (text) vsnprintf(text, (size_t)size + 1, fmt, again);
  va_end(again);
  return text;
}

// The address sanitizer sees the blocks of an arena, not the allocations inside them. So the bytes
// between two allocations are marked as forbidden.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
enum { ARENA_GAP = 64 };
#else
#define ASAN_POISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(p, size) ((void)(p), (void)(size))
enum { ARENA_GAP = 0 };
#endif

// An arena is a list of blocks; each allocation is a bump in the newest one.
enum { ARENA_ALIGN = 64, ARENA_BLOCK = 1 << 18 };

struct rmx_arena_block {
  struct rmx_arena_block *next;
  size_t size, used;  // of the bytes after this header
};

static size_t rounded_up(size_t n) {
  return (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

void *rmx_arena_alloc(rmx_arena *arena, size_t n, size_t size) {
  if (size && n > (SIZE_MAX / 2) / size) return NULL;
  size_t bytes = rounded_up(n * size > 0 ? n * size : 1) + ARENA_GAP;
  struct rmx_arena_block *block = arena->head;
  if (!block || block->size - block->used < bytes) {
    size_t header = rounded_up(sizeof *block);
    size_t room = bytes > ARENA_BLOCK ? bytes : ARENA_BLOCK;
    block = got(aligned_alloc(ARENA_ALIGN, header + room), header + room);
    if (!block) return NULL;
    memset(block, 0, header + room);
    *block = (struct rmx_arena_block){arena->head, room, 0};
    arena->head = block;
    ASAN_POISON_MEMORY_REGION((char *)block + header, room);
  }
  char *p = (char *)block + rounded_up(sizeof *block) + block->used;
  ASAN_UNPOISON_MEMORY_REGION(p, n * size);
  block->used += bytes;
  return p;
}

char *rmx_arena_strdup(rmx_arena *arena, const char *s) {
  size_t size = strlen(s) + 1;
  char *copy = rmx_arena_alloc(arena, size, 1);
  if (copy) memcpy(copy, s, size);
  return copy;
}

void rmx_arena_release(rmx_arena *arena) {
  while (arena->head) {
    struct rmx_arena_block *next = arena->head->next;
    ASAN_UNPOISON_MEMORY_REGION(arena->head, rounded_up(sizeof *next) + arena->head->size);
    free(arena->head);
    arena->head = next;
  }
}

bool rmx__buf_reserve(rmx_buf *b, size_t more) {
  if (b->failed) return false;
  if (more > SIZE_MAX / 4 - b->size) return !(b->failed = true);
  size_t wanted = b->size + more + 1;
  if (wanted <= b->capacity) return true;
  size_t capacity = b->capacity ? b->capacity : 64;
  while (capacity < wanted) capacity *= 2;
  char *data = got(realloc(b->data, capacity), capacity);
  if (!data) return !(b->failed = true);
  b->data = data;
  b->capacity = capacity;
  return true;
}

void rmx_buf_add(rmx_buf *b, const void *data, size_t size) {
  if (!rmx__buf_reserve(b, size)) return;
  if (size) memcpy(b->data + b->size, data, size);
  b->size += size;
  b->data[b->size] = '\0';
}

void rmx_buf_puts(rmx_buf *b, const char *s) {
  rmx_buf_add(b, s, strlen(s));
}

void rmx_buf_printf(rmx_buf *b, const char *fmt, ...) {
  va_list args, again;
  va_start(args, fmt);
  va_copy(again, args);
  int size = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  if (size < 0) {
    b->failed = true;
  } else if (rmx__buf_reserve(b, (size_t)size)) {
    vsnprintf(b->data + b->size, (size_t)size + 1, fmt, again);
    b->size += (size_t)size;
  }
  va_end(again);
}

void rmx_buf_release(rmx_buf *b) {
  free(b->data);
  *b = (rmx_buf){0};
}

bool rmx_strings_add(rmx_strings *s, const char *item) {
  if (s->n == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 8;
    char **items = rmx_realloc(s->items, capacity, sizeof *items);
    if (!items) return false;
    s->items = items;
    s->capacity = capacity;
  }
  char *copy = rmx_strdup(item);
  if (!copy) return false;
  s->items[s->n++] = copy;
  return true;
}

bool rmx_strings_have(const rmx_strings *s, const char *item) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->items[i], item) == 0) return true;
  return false;
}

void rmx_strings_sort(rmx_strings *s) {
  if (s->n > 1) qsort(s->items, s->n, sizeof *s->items, rmx__by_text);
}

void rmx_strings_release(rmx_strings *s) {
  for (size_t i = 0; i < s->n; i++) free(s->items[i]);
  free(s->items);
  *s = (rmx_strings){0};
}
