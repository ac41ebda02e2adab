// SPDX-License-Identifier: Apache-2.0
// See compare_names.h.

#include "compare_names.h"

#include <stdbool.h>
#include <string.h>

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Compares the numbers that *a and *b begin with, and moves both to the end of theirs.
static int compare_numbers(const char **a, const char **b) {
  while (**a == '0') ++*a;
  while (**b == '0') ++*b;
  const char *x = *a, *y = *b;
  while (is_digit(**a)) ++*a;
  while (is_digit(**b)) ++*b;
  const size_t n = (size_t)(*a - x), m = (size_t)(*b - y);
  return n != m ? (n < m ? -1 : 1) : memcmp(x, y, n);
}

int rmx__compare_names(const char *a, const char *b) {
  const char *x = a, *y = b;
  while (*x && *y) {
    if (is_digit(*x) && is_digit(*y)) {
      const int order = compare_numbers(&x, &y);
      if (order) return order;
    } else if (*x == *y) {
      x++, y++;
    } else {
      break;
    }
  }
  return *x != *y ? ((unsigned char)*x < (unsigned char)*y ? -1 : 1) : strcmp(a, b);
}
