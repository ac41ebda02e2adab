// SPDX-License-Identifier: Apache-2.0
#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool rmx__base64_decode(const char *text, size_t size, char *out, size_t *n) {
  *n = 0;
  if (size % 4 != 0) return false;
  for (size_t i = 0; i < size; i += 4) {
    const size_t padding = i + 4 < size ? 0 : (size_t)(text[i + 3] == '=') + (text[i + 2] == '=');
    uint32_t bits = 0;
    for (size_t k = 0; k < 4; k++) {
      const int value = k < 4 - padding ? value_of(text[i + k]) : 0;
      if (value < 0) return false;
      bits = bits << 6 | (uint32_t)value;
    }
    if (padding && bits & (padding == 1 ? 0xFFu : 0xFFFFu)) return false;
    for (size_t k = 0; k < 3 - padding; k++) out[(*n)++] = (char)(bits >> (16 - 8 * k));
  }
  return true;
}

void rmx__base64_encode(const char *data, size_t size, rmx_buf *out) {
  for (size_t i = 0; i < size; i += 3) {
    const size_t left = size - i;
    const uint32_t bits = (uint32_t)(uint8_t)data[i] << 16 |
                          (left > 1 ? (uint32_t)(uint8_t)data[i + 1] << 8 : 0) |
                          (left > 2 ? (uint32_t)(uint8_t)data[i + 2] : 0);
    char four[4];
    for (size_t k = 0; k < 4; k++) four[k] = k <= left ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
    rmx_buf_add(out, four, 4);
  }
}
