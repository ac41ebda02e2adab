// SPDX-License-Identifier: Apache-2.0
// Categories of characters: from utf8proc, with what its version 2.8 (Unicode 15.0) lacks of
// Unicode 16. The first 65,536 characters have a table, which is filled when it is first needed.
#include "category.h"

#include <pthread.h>
#include <utf8proc.h>

#include "newer_characters.h"

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

static uint8_t of_newer(const char *category) {
  switch (category[0]) {
    case 'L':
      return category[1] == 'u' ? U : category[1] == 'l' ? L : C;
    case 'M':
      return M;
    case 'N':
      return N;
    default:
      return category[0] == 'P' || category[0] == 'S' ? S : 0;
  }
}

static uint8_t newer_category(int32_t code) {
  size_t low = 0, high = rmx__newer_ranges_n;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (rmx__newer_ranges[middle].last < code)
      low = middle + 1;
    else
      high = middle;
  }
  const rmx__newer_range *found = &rmx__newer_ranges[low];
  return low < rmx__newer_ranges_n && found->first <= code ? of_newer(found->category) : 0;
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
