// SPDX-License-Identifier: Apache-2.0
// Keys and values as they lie in a GGUF file.
#include <string.h>

#include "gguf.h"

enum { U32 = 4, I32 = 5, F32 = 6, BOOL = 7, STRING = 8, ARRAY = 9 };  // types of values

void rmx__gguf_put_text(rmx_buf *b, const char *text) {
  rmx__gguf_put_u64(b, strlen(text));
  rmx_buf_add(b, text, strlen(text));
}

static void key(struct rmx__gguf_keys *k, const char *name, uint32_t type) {
  rmx__gguf_put_text(&k->text, name);
  rmx__gguf_put_u32(&k->text, type);
  k->n++;
}
void rmx__gguf_u32(struct rmx__gguf_keys *k, const char *name, uint32_t x) {
  key(k, name, U32);
  rmx__gguf_put_u32(&k->text, x);
}
void rmx__gguf_f32(struct rmx__gguf_keys *k, const char *name, float x) {
  key(k, name, F32);
  rmx_buf_add(&k->text, &x, sizeof x);
}
void rmx__gguf_bool(struct rmx__gguf_keys *k, const char *name, bool x) {
  const char byte = x;
  key(k, name, BOOL);
  rmx_buf_add(&k->text, &byte, 1);
}
void rmx__gguf_string(struct rmx__gguf_keys *k, const char *name, const char *x) {
  key(k, name, STRING);
  rmx__gguf_put_text(&k->text, x);
}
void rmx__gguf_strings(struct rmx__gguf_keys *k, const char *name, const char *const *x, size_t n) {
  key(k, name, ARRAY);
  rmx__gguf_put_u32(&k->text, STRING);
  rmx__gguf_put_u64(&k->text, n);
  for (size_t i = 0; i < n; i++) rmx__gguf_put_text(&k->text, x[i]);
}
void rmx__gguf_i32s(struct rmx__gguf_keys *k, const char *name, const int32_t *x, size_t n) {
  key(k, name, ARRAY);
  rmx__gguf_put_u32(&k->text, I32);
  rmx__gguf_put_u64(&k->text, n);
  rmx_buf_add(&k->text, x, n * sizeof *x);
}
