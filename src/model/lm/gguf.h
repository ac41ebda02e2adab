// SPDX-License-Identifier: Apache-2.0
// gguf.h: the keys of a GGUF file, and the tokenizer among them.
#ifndef RMX_MODEL_LM_GGUF_H
#define RMX_MODEL_LM_GGUF_H

#include <regmix/lm.h>

// Keys and values as they lie in the file; text.failed: memory is short.
struct rmx__gguf_keys {
  rmx_buf text;
  size_t n;
};
static inline void rmx__gguf_keys_release(struct rmx__gguf_keys *k) {
  rmx_buf_release(&k->text);
}
static inline void rmx__gguf_put_u32(rmx_buf *b, uint32_t x) {
  rmx_buf_add(b, &x, sizeof x);
}
static inline void rmx__gguf_put_u64(rmx_buf *b, uint64_t x) {
  rmx_buf_add(b, &x, sizeof x);
}
// The length of a text, and the text.
void rmx__gguf_put_text(rmx_buf *b, const char *text);
void rmx__gguf_u32(struct rmx__gguf_keys *k, const char *name, uint32_t x);
void rmx__gguf_f32(struct rmx__gguf_keys *k, const char *name, float x);
void rmx__gguf_bool(struct rmx__gguf_keys *k, const char *name, bool x);
void rmx__gguf_string(struct rmx__gguf_keys *k, const char *name, const char *x);
void rmx__gguf_strings(struct rmx__gguf_keys *k, const char *name, const char *const *x, size_t n);
void rmx__gguf_i32s(struct rmx__gguf_keys *k, const char *name, const int32_t *x, size_t n);

// Adds the tokenizer of a tokenizer.json, with `vocab` entries. RMX_EINPUT: llama.cpp has no such
// tokenizer.
rmx_status rmx__gguf_tokenizer(struct rmx__gguf_keys *k, const char *path, size_t vocab,
                               rmx_err *err);

#endif
