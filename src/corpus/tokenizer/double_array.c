// SPDX-License-Identifier: Apache-2.0
// Building walks the sorted keys: those with one beginning are one range of them. Unused nodes form
// a list, in which the children of a node look for a place. They give up after a few, and go to the
// end: a search for the best place would take most of the time and save little memory.
#include "double_array.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 48, ALPHABET = 256 };
#define UNUSED UINT32_MAX
#define NOBODY (UINT32_MAX - 1)  // the parent of the root

// ---- the order of keys ---------------------------------------------------------------

struct sortable {
  uint64_t head;  // the first eight bytes
  const rmx__token_text *key;
  uint32_t index;
};

static int compare(const void *a, const void *b) {
  const struct sortable *x = a, *y = b;
  const size_t n = x->key->size < y->key->size ? x->key->size : y->key->size;
  const int order = n > 8 ? memcmp(x->key->data + 8, y->key->data + 8, n - 8) : 0;
  if (order != 0) return order;
  if (x->key->size != y->key->size) return x->key->size < y->key->size ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

// Sorts by the heads, from the last byte to the first, with a second list of n as scratch memory.
static void sort_heads(struct sortable *list, struct sortable *scratch, size_t n) {
  for (unsigned shift = 0; shift < 64; shift += 8) {
    size_t starts[ALPHABET + 1] = {0};
    for (size_t i = 0; i < n; i++) starts[(list[i].head >> shift & 0xFF) + 1]++;
    for (size_t c = 0; c < ALPHABET; c++) starts[c + 1] += starts[c];
    for (size_t i = 0; i < n; i++) scratch[starts[list[i].head >> shift & 0xFF]++] = list[i];
    struct sortable *swap = list;
    list = scratch;
    scratch = swap;
  }
}

static void sort_tails(struct sortable *list, size_t n) {
  for (size_t from = 0, to; from < n; from = to) {
    for (to = from + 1; to < n && list[to].head == list[from].head;) to++;
    if (to - from > 1) qsort(list + from, to - from, sizeof *list, compare);
  }
}

uint32_t *rmx__sorted_keys(const rmx__token_text *keys, size_t n) {
  struct sortable *list = rmx_calloc(2 * n, sizeof *list);
  uint32_t *order = rmx_calloc(n, sizeof *order);
  if (!list || !order) {
    free(list);
    free(order);
    return NULL;
  }
  for (size_t i = 0; i < n; i++) {
    list[i] = (struct sortable){.key = &keys[i], .index = (uint32_t)i};
    for (size_t k = 0; k < 8; k++)
      list[i].head = list[i].head << 8 | (k < keys[i].size ? (uint8_t)keys[i].data[k] : 0);
  }
  sort_heads(list, list + n, n);
  sort_tails(list, n);
  for (size_t i = 0; i < n; i++) order[i] = list[i].index;
  free(list);
  return order;
}

// ---- building ------------------------------------------------------------------------

// The keys order[from .. to-1] all begin with the `depth` bytes of this node.
struct range {
  uint32_t node, from, to, depth;
};

struct building {
  rmx__double_array *trie;
  const rmx__token_text *keys;
  uint32_t *order;
  uint32_t capacity, last;  // last: of the list of unused nodes
  uint32_t end;             // after the last node in use
  struct range *todo;       // a stack
  size_t ntodo, todo_capacity;
};

// An unused node has the next unused one in `base`, the one before in `value`. Node 0, the root, is
// the head of the list while the trie is built.
static void link_node(struct building *b, uint32_t i) {
  rmx__double_array_node *nodes = b->trie->nodes;
  nodes[i] = (rmx__double_array_node){.base = UNUSED, .parent = UNUSED, .value = b->last};
  nodes[b->last].base = i;
  b->last = i;
}

static void unlink_node(struct building *b, uint32_t i) {
  rmx__double_array_node *nodes = b->trie->nodes;
  nodes[nodes[i].value].base = nodes[i].base;
  if (nodes[i].base == UNUSED)
    b->last = nodes[i].value;
  else
    nodes[nodes[i].base].value = nodes[i].value;
}

static bool grow(struct building *b, size_t wanted) {
  if (wanted <= b->capacity) return true;
  size_t capacity = b->capacity ? b->capacity : 1024;
  while (capacity < wanted) capacity += capacity / 2;
  if (capacity >= NOBODY) return false;
  rmx__double_array_node *nodes = rmx_realloc(b->trie->nodes, capacity, sizeof *nodes);
  if (!nodes) return false;
  b->trie->nodes = nodes;
  if (!b->capacity) nodes[0] = (rmx__double_array_node){UNUSED, NOBODY, RMX__NO_TOKEN};
  for (uint32_t i = b->capacity ? b->capacity : 1; i < capacity; i++) {
    b->capacity = i + 1;
    link_node(b, i);
  }
  return true;
}

static bool fits(const struct building *b, uint32_t base, const uint8_t *bytes, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (base + bytes[i] >= b->capacity || b->trie->nodes[base + bytes[i]].parent != UNUSED)
      return false;
  return true;
}

// A base for children (n) with these bytes, in ascending order. False: memory is short.
static bool find_base(struct building *b, const uint8_t *bytes, size_t n, uint32_t *base) {
  const rmx__double_array_node *nodes = b->trie->nodes;
  uint32_t at = nodes[0].base;
  for (int i = 0; i < TRIES && at != UNUSED; i++, at = nodes[at].base) {
    if (at <= bytes[0]) continue;
    *base = at - bytes[0];
    if (fits(b, *base, bytes, n)) return grow(b, (size_t)*base + ALPHABET);
  }
  *base = b->end > bytes[0] ? b->end - bytes[0] : 1;
  return grow(b, (size_t)*base + ALPHABET);
}

static bool push(struct building *b, struct range r) {
  if (b->ntodo == b->todo_capacity) {
    const size_t capacity = b->todo_capacity ? 2 * b->todo_capacity : 1024;
    struct range *todo = rmx_realloc(b->todo, capacity, sizeof *todo);
    if (!todo) return false;
    b->todo = todo;
    b->todo_capacity = capacity;
  }
  b->todo[b->ntodo++] = r;
  return true;
}

// Gives a node its value and its children, which are put on the stack.
static bool expand(struct building *b, struct range r) {
  uint8_t bytes[ALPHABET];
  uint32_t ends[ALPHABET], from = r.from, value = RMX__NO_TOKEN, base = 0;
  size_t n = 0;
  for (; from < r.to && b->keys[b->order[from]].size == r.depth; from++) value = b->order[from];
  for (uint32_t i = from; i < r.to; i++) {
    const uint8_t byte = (uint8_t)b->keys[b->order[i]].data[r.depth];
    if (n == 0 || bytes[n - 1] != byte) bytes[n++] = byte;
    ends[n - 1] = i + 1;
  }
  if (n && !find_base(b, bytes, n, &base)) return false;
  for (size_t i = 0; i < n; i++) {
    const uint32_t node = base + bytes[i];
    unlink_node(b, node);
    if (node >= b->end) b->end = node + 1;
    b->trie->nodes[node] = (rmx__double_array_node){0, r.node, RMX__NO_TOKEN};
    if (!push(b, (struct range){node, i ? ends[i - 1] : from, ends[i], r.depth + 1})) return false;
  }
  // The root keeps the list of unused nodes until all is built; its base is always the first one.
  if (r.node != 0) b->trie->nodes[r.node].base = base;
  b->trie->nodes[r.node].value = value;
  return true;
}

rmx_status rmx__double_array_make(rmx__double_array *t, const rmx__token_text *keys,
                                  const bool *include, size_t n, rmx_err *err) {
  struct building b = {.trie = t, .keys = keys, .order = rmx__sorted_keys(keys, n), .end = 1};
  size_t kept = 0;
  *t = (rmx__double_array){0};
  bool good = b.order && n < UNUSED && grow(&b, ALPHABET);
  for (size_t i = 0; good && i < n; i++)
    if (keys[b.order[i]].size && (!include || include[b.order[i]])) b.order[kept++] = b.order[i];
  uint32_t root = 0;
  good = good && push(&b, (struct range){0, 0, (uint32_t)kept, 0});
  while (good && b.ntodo) {
    const struct range r = b.todo[--b.ntodo];
    good = expand(&b, r);
    if (r.node == 0) root = b.ntodo ? b.todo[0].node - (uint8_t)keys[b.order[0]].data[0] : 0;
  }
  if (good) t->nodes[0].base = root;
  free(b.order);
  free(b.todo);
  if (good) return RMX_OK;
  rmx__double_array_release(t);
  return rmx_fail_memory(err, n * sizeof *t->nodes, "a trie of tokens");
}

void rmx__double_array_release(rmx__double_array *t) {
  free(t->nodes);
  t->nodes = NULL;
}

uint32_t rmx__double_array_find(const rmx__double_array *t, const char *text, size_t size) {
  uint32_t at = 0;
  for (size_t i = 0; i < size; i++)
    if (!rmx__double_array_step(t, &at, text[i])) return RMX__NO_TOKEN;
  return at ? t->nodes[at].value : RMX__NO_TOKEN;
}
