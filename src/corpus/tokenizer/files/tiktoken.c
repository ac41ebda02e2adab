// SPDX-License-Identifier: Apache-2.0
// Files of ranks (".tiktoken", Llama 3's "tokenizer.model"): lines of a token in base64 and its
// rank, which is its id. The pattern that cuts words and the special tokens are in the program that
// uses the file. So they are known here by the number of ranks, or by the file's name.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base64.h"
#include "foreign.h"

static const char cl100k[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char qwen[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char o200k[] =
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}|"
    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

// A vocabulary that is known. Several may have the same number of ranks: then the first one whose
// name is in the file's name, else the first one.
static const struct known {
  const char *name;
  size_t ranks;
  const char *pattern;   // NULL: GPT-2's
  bool nfc;              // the program normalises a text first
  const char *specials;  // "<|a|> 100 <|b|> 101 "
  int64_t reserved;      // ids from this one to reserved_end - 1 that no special token above has
  int64_t reserved_end;  // are <|reserved_special_token_0|>, and so on
} table[] = {
    {"gpt2", 50256, NULL, false, "<|endoftext|> 50256 ", 0, 0},
    {"r50k", 50256, NULL, false, "<|endoftext|> 50256 ", 0, 0},
    {"p50k", 50280, NULL, false, "<|endoftext|> 50256 ", 0, 0},
    {"gpt-neox", 50254, NULL, false, "", 0, 0},
    {"cl100k", 100256, cl100k, false,
     "<|endoftext|> 100257 <|fim_prefix|> 100258 <|fim_middle|> 100259 <|fim_suffix|> 100260 "
     "<|endofprompt|> 100276 ",
     0, 0},
    {"o200k", 199998, o200k, false, "<|endoftext|> 199999 <|endofprompt|> 200018 ", 0, 0},
    {"llama3", 128000, cl100k, false,
     "<|begin_of_text|> 128000 <|end_of_text|> 128001 <|start_header_id|> 128006 "
     "<|end_header_id|> 128007 <|eot_id|> 128009 ",
     128002, 128256},
    {"llama-3", 128256, cl100k, false, "", 0, 0},
    {"qwen", 151643, qwen, true, "<|endoftext|> 151643 <|im_start|> 151644 <|im_end|> 151645 ", 0,
     0},
    {"glm", 151329, cl100k, false, "<|endoftext|> 151329 ", 0, 0},
};
enum { KNOWN = sizeof table / sizeof *table };

// ---- lines -----------------------------------------------------------------------------

struct line {
  const char *token;
  size_t size;  // of the token in base64
  int64_t rank;
};

// Reads the line at `at`: "IQ== 0", or nothing, which has no token. *next is the start of the next
// one. False: it is not like that.
static bool read_line(const char *data, size_t size, size_t at, struct line *line, size_t *next) {
  const char *feed = memchr(data + at, '\n', size - at);
  size_t end = feed ? (size_t)(feed - data) : size;
  *next = feed ? end + 1 : size;
  while (end > at && (data[end - 1] == '\r' || data[end - 1] == ' ')) end--;
  *line = (struct line){0};
  if (end == at) return true;
  const char *space = memchr(data + at, ' ', end - at);
  if (!space) return false;
  *line = (struct line){data + at, (size_t)(space - data) - at, 0};
  size_t digit = at + line->size + 1;
  if (line->size == 0 || digit == end || end - digit > 9) return false;
  for (; digit < end; digit++) {
    if (data[digit] < '0' || data[digit] > '9') return false;
    line->rank = 10 * line->rank + (data[digit] - '0');
  }
  return true;
}

static bool is_tiktoken(const char *data, size_t size) {
  struct line line;
  size_t next, n;
  char token[3 * 64];
  return size > 0 && read_line(data, size, 0, &line, &next) && line.token && line.size <= 4 * 64 &&
         rmx__base64_decode(line.token, line.size, token, &n);
}

// A token like <|endoftext|>, which some files have among the others.
static bool is_special(const char *token, size_t size) {
  return size > 4 && memcmp(token, "<|", 2) == 0 && memcmp(token + size - 2, "|>", 2) == 0;
}

static rmx_status read_token(rmx__foreign *f, const struct line *line, size_t number,
                             rmx_err *err) {
  const char *where = f->list.where;
  char *bytes = rmx_arena_alloc(&f->list.arena, line->size / 4 * 3, 1);
  size_t n;
  if (!bytes) return rmx_fail_memory(err, line->size, "a token");
  if (!rmx__base64_decode(line->token, line->size, bytes, &n) || n == 0)
    return rmx_fail(err, RMX_EINPUT, "%s:%zu: \"%.*s\" is not base64", where, number,
                    line->size < 60 ? (int)line->size : 60, line->token);
  if (line->rank < f->list.n && f->list.kinds[line->rank] != RMX__TOKEN_NONE)
    return rmx_fail(err, RMX_EINPUT, "%s:%zu: another line has the rank %lld", where, number,
                    (long long)line->rank);
  const uint8_t kind =
      (is_special(bytes, n) ? RMX__TOKEN_SPECIAL : RMX__TOKEN_BYTES) | RMX__IN_MODEL;
  return rmx__token_list_set(&f->list, line->rank, bytes, n, kind, err);
}

static rmx_status read_tokens(rmx__foreign *f, const char *data, size_t size, size_t *ranks,
                              rmx_err *err) {
  size_t number = 1, lines = 0;
  for (size_t at = 0; at < size; at++) lines += data[at] == '\n';
  for (size_t at = 0, next; at < size; at = next, number++) {
    struct line line;
    if (!read_line(data, size, at, &line, &next))
      return rmx_fail(err, RMX_EINPUT,
                      "%s:%zu: a line of a tiktoken file is a token in base64, a space and its "
                      "rank; this one is not; the file may be cut off",
                      f->list.where, number);
    if (!line.token) continue;
    if ((size_t)line.rank > 2 * lines + 4096)
      return rmx_fail(err, RMX_EINPUT, "%s:%zu: the rank %lld is too large for a file of %zu lines",
                      f->list.where, number, (long long)line.rank, lines);
    RMX_TRY(read_token(f, &line, number, err));
    (*ranks)++;
  }
  return RMX_OK;
}

// ---- which one it is -------------------------------------------------------------------

static bool named(const char *where, const char *name) {
  const char *file = rmx__file_name(where);
  for (const size_t n = strlen(name); strlen(file) >= n; file++)
    if (strncasecmp(file, name, n) == 0) return true;
  return false;
}

static rmx_status choose(const char *where, size_t ranks, const struct known **kind, rmx_err *err) {
  *kind = NULL;
  for (size_t i = 0; i < KNOWN; i++) {
    const bool better = !*kind || (!named(where, (*kind)->name) && named(where, table[i].name));
    if (table[i].ranks == ranks && better) *kind = &table[i];
  }
  for (size_t i = 0; i < KNOWN && !*kind; i++)
    if (named(where, table[i].name)) *kind = &table[i];
  if (*kind) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: a tiktoken file of %zu ranks. Its pattern is not in the file, and no known "
      "vocabulary has this number. If its pattern is that of GPT-2, cl100k, o200k or "
      "Qwen, put gpt2, cl100k, o200k or qwen into the file's name; else convert it to a "
      "tokenizer.json",
      where, ranks);
}

static rmx_status add_special(rmx__foreign *f, int64_t id, const char *text, size_t size,
                              rmx_err *err) {
  if (id < f->list.n && f->list.kinds[id] != RMX__TOKEN_NONE)
    return rmx_fail(err, RMX_EINPUT, "%s: the id %lld of %.*s is the rank of another token",
                    f->list.where, (long long)id, (int)size, text);
  return rmx__foreign_special(f, id, text, size, err);
}

static rmx_status add_specials(rmx__foreign *f, const struct known *kind, size_t ranks,
                               rmx_err *err) {
  // special tokens that are lines of the file
  for (int i = 0; i < f->list.n; i++)
    if (f->list.kinds[i] == (RMX__TOKEN_SPECIAL | RMX__IN_MODEL))
      RMX_TRY(
          rmx__foreign_add(f, i, f->list.tokens[i].data, f->list.tokens[i].size, true, false, err));
  if (kind->ranks != ranks) return add_special(f, f->list.n, "<|endoftext|>", 13, err);
  for (const char *at = kind->specials; *at;) {
    const size_t size = strcspn(at, " ");
    char *end;
    const int64_t id = strtoll(at + size, &end, 10);
    RMX_TRY(add_special(f, id, at, size, err));
    at = end + 1;
  }
  int n = 0;
  for (int64_t id = kind->reserved; id < kind->reserved_end; id++) {
    char name[48];
    if (id < f->list.n && f->list.kinds[id] != RMX__TOKEN_NONE) continue;
    snprintf(name, sizeof name, "<|reserved_special_token_%d|>", n++);
    RMX_TRY(add_special(f, id, name, strlen(name), err));
  }
  return RMX_OK;
}

static rmx_status read_tiktoken(const char *data, size_t size, const char *where, rmx__foreign *out,
                                rmx_err *err) {
  size_t ranks = 0;
  const struct known *kind;
  out->list.where = where;
  RMX_TRY(read_tokens(out, data, size, &ranks, err));
  RMX_TRY(choose(where, ranks, &kind, err));
  RMX_TRY(rmx__foreign_byte_level(out, kind->pattern, kind->nfc, err));
  RMX_TRY(add_specials(out, kind, ranks, err));
  return rmx__foreign_merge(out, err);
}

const rmx__foreign_type rmx__tiktoken_type = {is_tiktoken, read_tiktoken};
