// SPDX-License-Identifier: Apache-2.0
// Categories of characters: from utf8proc, with what its version 2.8 (Unicode 15.0) lacks of
// Unicode 16. The tokenizers that others made were made with these. The first 65,536 characters
// have a table, which is filled when it is first needed.
#include "category.h"

#include <pthread.h>
#include <utf8proc.h>

#define U RMX__UPPER
#define L RMX__LOWER
#define C RMX__CASELESS
#define M RMX__MARK
#define N RMX__DIGIT
#define S RMX__SIGN
#define B RMX__BLANK
#define R RMX__NEWLINE

const uint8_t rmx__ascii_category[128] = {
    // tab, line feed, vertical tab, form feed, return
    0, 0, 0, 0, 0, 0, 0, 0, 0, B, R, B, B, R, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  //
    B, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,  // space ! " # ...
    N, N, N, N, N, N, N, N, N, N, S, S, S, S, S, S,  // 0 1 2 ...
    S, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,  // @ A B C ...
    U, U, U, U, U, U, U, U, U, U, U, S, S, S, S, S,  //
    S, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,  // ` a b c ...
    L, L, L, L, L, L, L, L, L, L, L, S, S, S, S, 0,  //
};

// Characters of Unicode 15.1 and 16.0, in ascending order.
static const struct {
  int32_t first, last;
  uint8_t category;
} newer[] = {
    {0x0897, 0x0897, M},   {0x1B4E, 0x1B4F, S},   {0x1B7F, 0x1B7F, S},   {0x1C89, 0x1C89, U},
    {0x1C8A, 0x1C8A, L},   {0x2427, 0x2429, S},   {0x2FFC, 0x2FFF, S},   {0x31E4, 0x31E5, S},
    {0x31EF, 0x31EF, S},   {0xA7CB, 0xA7CC, U},   {0xA7CD, 0xA7CD, L},   {0xA7DA, 0xA7DA, U},
    {0xA7DB, 0xA7DB, L},   {0xA7DC, 0xA7DC, U},   {0x105C0, 0x105F3, C}, {0x10D40, 0x10D49, N},
    {0x10D4A, 0x10D4F, C}, {0x10D50, 0x10D65, U}, {0x10D69, 0x10D6D, M}, {0x10D6E, 0x10D6E, S},
    {0x10D6F, 0x10D6F, C}, {0x10D70, 0x10D85, L}, {0x10D8E, 0x10D8F, S}, {0x10EC2, 0x10EC4, C},
    {0x10EFC, 0x10EFC, M}, {0x11380, 0x11389, C}, {0x1138B, 0x1138B, C}, {0x1138E, 0x1138E, C},
    {0x11390, 0x113B5, C}, {0x113B7, 0x113B7, C}, {0x113B8, 0x113C0, M}, {0x113C2, 0x113C2, M},
    {0x113C5, 0x113C5, M}, {0x113C7, 0x113CA, M}, {0x113CC, 0x113D0, M}, {0x113D1, 0x113D1, C},
    {0x113D2, 0x113D2, M}, {0x113D3, 0x113D3, C}, {0x113D4, 0x113D5, S}, {0x113D7, 0x113D8, S},
    {0x113E1, 0x113E2, M}, {0x116D0, 0x116E3, N}, {0x11BC0, 0x11BE0, C}, {0x11BE1, 0x11BE1, S},
    {0x11BF0, 0x11BF9, N}, {0x11F5A, 0x11F5A, M}, {0x13460, 0x143FA, C}, {0x16100, 0x1611D, C},
    {0x1611E, 0x1612F, M}, {0x16130, 0x16139, N}, {0x16D40, 0x16D6C, C}, {0x16D6D, 0x16D6F, S},
    {0x16D70, 0x16D79, N}, {0x18CFF, 0x18CFF, C}, {0x1CC00, 0x1CCEF, S}, {0x1CCF0, 0x1CCF9, N},
    {0x1CD00, 0x1CEB3, S}, {0x1E5D0, 0x1E5ED, C}, {0x1E5EE, 0x1E5EF, M}, {0x1E5F0, 0x1E5F0, C},
    {0x1E5F1, 0x1E5FA, N}, {0x1E5FF, 0x1E5FF, S}, {0x1F8B2, 0x1F8BB, S}, {0x1F8C0, 0x1F8C1, S},
    {0x1FA89, 0x1FA89, S}, {0x1FA8F, 0x1FA8F, S}, {0x1FABE, 0x1FABE, S}, {0x1FAC6, 0x1FAC6, S},
    {0x1FADC, 0x1FADC, S}, {0x1FADF, 0x1FADF, S}, {0x1FAE9, 0x1FAE9, S}, {0x1FBCB, 0x1FBEF, S},
    {0x2EBF0, 0x2EE5D, C},
};

static uint8_t newer_category(int32_t code) {
  size_t low = 0, high = sizeof newer / sizeof *newer;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (newer[middle].last < code)
      low = middle + 1;
    else
      high = middle;
  }
  const bool found = low < sizeof newer / sizeof *newer && newer[low].first <= code;
  return found ? newer[low].category : 0;
}

static uint8_t look_up(int32_t code) {
  static const uint8_t of[] = {
      [UTF8PROC_CATEGORY_LU] = U, [UTF8PROC_CATEGORY_LT] = U, [UTF8PROC_CATEGORY_LL] = L,
      [UTF8PROC_CATEGORY_LM] = C, [UTF8PROC_CATEGORY_LO] = C, [UTF8PROC_CATEGORY_MN] = M,
      [UTF8PROC_CATEGORY_MC] = M, [UTF8PROC_CATEGORY_ME] = M, [UTF8PROC_CATEGORY_ND] = N,
      [UTF8PROC_CATEGORY_NL] = N, [UTF8PROC_CATEGORY_NO] = N, [UTF8PROC_CATEGORY_PC] = S,
      [UTF8PROC_CATEGORY_PD] = S, [UTF8PROC_CATEGORY_PS] = S, [UTF8PROC_CATEGORY_PE] = S,
      [UTF8PROC_CATEGORY_PI] = S, [UTF8PROC_CATEGORY_PF] = S, [UTF8PROC_CATEGORY_PO] = S,
      [UTF8PROC_CATEGORY_SM] = S, [UTF8PROC_CATEGORY_SC] = S, [UTF8PROC_CATEGORY_SK] = S,
      [UTF8PROC_CATEGORY_SO] = S, [UTF8PROC_CATEGORY_ZS] = B, [UTF8PROC_CATEGORY_ZL] = B,
      [UTF8PROC_CATEGORY_ZP] = B, [UTF8PROC_CATEGORY_CO] = 0,
  };
  if (code < 128) return rmx__ascii_category[code];
  if (code == 0x85) return B;  // next line: a control character, yet white space
  const utf8proc_category_t category = utf8proc_category(code);
  return category == UTF8PROC_CATEGORY_CN ? newer_category(code) : of[category];
}

enum { TABLE = 0x10000 };
static uint8_t table[TABLE];
static atomic_bool filled;

static void fill(void) {
  for (int32_t code = 0; code < TABLE; code++) table[code] = look_up(code);
  atomic_store(&filled, true);
}

uint8_t rmx__category(int32_t code) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (code >= TABLE) return look_up(code);
  if (!atomic_load_explicit(&filled, memory_order_acquire)) pthread_once(&once, fill);
  return table[code];
}
