// SPDX-License-Identifier: Apache-2.0
#include "shard_name.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_part(char c) {
  return c == '-' || c == '_' || c == '.';
}

// The start of the digits that end at `end`.
static size_t digits_before(const char *name, size_t end) {
  while (end > 0 && is_digit(name[end - 1])) end--;
  return end;
}

static bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The start of hexadecimal digits in groups of these lengths, joined by minus signs, at the end of
// a name; size if there are none.
static size_t groups_before(const char *name, size_t size, const size_t *groups, size_t n) {
  size_t at = size;
  for (size_t g = n; g-- > 0;) {
    for (size_t i = 0; i < groups[g]; i++)
      if (at == 0 || !is_hex(name[--at])) return size;
    if (g > 0 && (at == 0 || name[--at] != '-')) return size;
  }
  return at > 0 && !is_part(name[at - 1]) ? size : at;
}

// The start of a UUID, whole or without its last group, at the end of a name; size if there is
// none.
static size_t uuid_before(const char *name, size_t size) {
  static const size_t groups[] = {8, 4, 4, 4, 12};
  const size_t whole = groups_before(name, size, groups, 5);
  return whole < size ? whole : groups_before(name, size, groups, 4);
}

size_t rmx__hex_before(const char *name, size_t size) {
  size_t at = size;
  while (at > 0 && is_hex(name[at - 1])) at--;
  return size - at >= 8 && (at == 0 || is_part(name[at - 1])) ? at : size;
}

// The start of a hash: 12 or more hexadecimal digits with several digits and letters, or 8 or more
// in which digits and letters also take turns, unlike in a word with a year.
static size_t hash_before(const char *name, size_t size) {
  const size_t at = rmx__hex_before(name, size);
  size_t digits = 0, turns = 0;
  for (size_t i = at; i < size; i++) {
    digits += is_digit(name[i]);
    turns += i > at && is_digit(name[i]) != is_digit(name[i - 1]);
  }
  const size_t n = size - at, letters = n - digits;
  const bool is = n >= 12 ? digits >= 3 && letters >= 3 : digits >= 2 && letters >= 2 && turns >= 2;
  return n && is ? at : size;
}

// Length of a name without the UUID or the hash of its shard, and without the "-c000" that Spark
// writes after it; 0 if there is nothing else.
static size_t without_id(const char *name, size_t size) {
  size_t end = size;
  if (size > 5 && is_part(name[size - 5]) && name[size - 4] == 'c' &&
      digits_before(name, size) == size - 3)
    end -= 5;
  size_t from = uuid_before(name, end);
  if (from == end) from = hash_before(name, end);
  if (from == end) return size;
  return from > 0 ? from - 1 : 0;
}

bool rmx__is_shard_id(const char *name) {
  return name[strspn(name, "0123456789-_.")] == '\0' || without_id(name, strlen(name)) == 0;
}

// Length of a name without the hash that Hugging Face's names have after "-of-00010".
static size_t without_hash(const char *name, size_t size) {
  size_t i = size;
  while (i > 0 && (is_digit(name[i - 1]) || (name[i - 1] >= 'a' && name[i - 1] <= 'f'))) i--;
  return size - i >= 8 && i > 1 && is_part(name[i - 1]) && is_digit(name[i - 2]) ? i - 1 : size;
}

// The start of "00000-of-01024" at the end of a name; size if there is none.
static size_t one_of_many(const char *name, size_t size) {
  size_t total = digits_before(name, size);
  if (total == size || total < 5 || !is_part(name[total - 1]) ||
      strncasecmp(name + total - 3, "of", 2) != 0 || !is_part(name[total - 4]))
    return size;
  size_t number = digits_before(name, total - 4);
  return number < total - 4 ? number : size;
}

size_t rmx__without_shard(const char *name, size_t size) {
  const size_t named = without_id(name, size);
  if (named < size) return named ? rmx__without_shard(name, named) : size;
  size_t hashless = without_hash(name, size), from = one_of_many(name, hashless);
  const bool of = from < hashless;
  if (!of) from = digits_before(name, size);
  if (from == size || from == 0) return size;
  if (is_part(name[from - 1])) return from > 1 ? from - 1 : size;
  return of || (name[from] == '0' && size - from > 1) ? from : size;
}

size_t rmx__without_folder_number(const char *name) {
  const size_t size = strlen(name), from = one_of_many(name, size);
  if (from == size || from < 2) return size;
  return is_part(name[from - 1]) ? from - 1 : from;
}

static const struct {
  const char *word;
  rmx__role role;
} words[] = {
    {"train", RMX__ROLE_TRAIN},      {"training", RMX__ROLE_TRAIN}, {"valid", RMX__ROLE_VALID},
    {"validation", RMX__ROLE_VALID}, {"val", RMX__ROLE_VALID},      {"dev", RMX__ROLE_VALID},
    {"eval", RMX__ROLE_VALID},       {"heldout", RMX__ROLE_VALID},  {"test", RMX__ROLE_TEST},
};

rmx__role rmx__role_of_word(const char *word, size_t size) {
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strlen(words[i].word) == size && strncasecmp(words[i].word, word, size) == 0)
      return words[i].role;
  return RMX__ROLE_NONE;
}

rmx__role rmx__role_in_name(const char *name, size_t *from, size_t *size) {
  const size_t n = strlen(name);
  size_t first = 0, last = n;
  while (first < n && !is_part(name[first])) first++;
  while (last > 0 && !is_part(name[last - 1])) last--;
  if (last == 0) return RMX__ROLE_NONE;  // one word
  *from = last;
  *size = n - last;
  rmx__role role = rmx__role_of_word(name + last, n - last);
  if (role != RMX__ROLE_NONE) return role;
  *from = 0;
  *size = first;
  return rmx__role_of_word(name, first);
}

rmx__role rmx__role_of_path(const char *path) {
  for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
    rmx__role role = rmx__role_of_word(path, (size_t)(slash - path));
    if (role != RMX__ROLE_NONE) return role;
  }
  return RMX__ROLE_NONE;
}
