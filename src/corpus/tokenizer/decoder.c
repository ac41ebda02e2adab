// SPDX-License-Identifier: Apache-2.0
// The steps of a decoder. Each gets a list of texts and makes another, as in Hugging Face's
// library.
#include "decoder.h"

#include <stdlib.h>
#include <string.h>

#include "byte_alphabet.h"
#include "characters.h"
#include "corpus/utf8.h"
#include "part.h"

void rmx__texts_end(rmx__texts *t) {
  if (t->n == t->capacity) {
    size_t capacity = t->capacity ? 2 * t->capacity : 64;
    size_t *ends = rmx_realloc(t->ends, capacity, sizeof *ends);
    if (!ends) {
      t->bytes.failed = true;
      return;
    }
    t->ends = ends;
    t->capacity = capacity;
  }
  t->ends[t->n++] = t->bytes.size;
}

void rmx__texts_release(rmx__texts *t) {
  rmx_buf_release(&t->bytes);
  free(t->ends);
  *t = (rmx__texts){0};
}

struct slice {
  const char *text;
  size_t size;
};

static struct slice text_at(const rmx__texts *t, size_t i) {
  size_t start = i ? t->ends[i - 1] : 0;
  return (struct slice){t->bytes.data ? t->bytes.data + start : "", t->ends[i] - start};
}

static void add_text(rmx__texts *t, const char *text, size_t size) {
  rmx_buf_add(&t->bytes, text, size);
  rmx__texts_end(t);
}

// ---- steps ---------------------------------------------------------------------------

static rmx_status from_bytes(const rmx__undo *u, const rmx__texts *in, rmx__texts *out,
                             rmx_err *err) {
  (void)u, (void)err;
  for (size_t i = 0; i < in->n; i++) {
    struct slice s = text_at(in, i);
    if (!rmx__unspell_bytes(s.text, s.size, &out->bytes)) rmx_buf_add(&out->bytes, s.text, s.size);
  }
  rmx__texts_end(out);
  return RMX_OK;
}

static int hex_digit(char c) {
  const char *digits = "0123456789ABCDEFabcdef", *at = c ? strchr(digits, c) : NULL;
  return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

// The byte of "<0x0A>", or -1.
static int byte_of(struct slice s) {
  if (s.size != 6 || memcmp(s.text, "<0x", 3) != 0 || s.text[5] != '>') return -1;
  int high = hex_digit(s.text[3]), low = hex_digit(s.text[4]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

// Bytes that are no text together become one U+FFFD each.
static void add_bytes(rmx__texts *out, const rmx_buf *bytes) {
  if (rmx__utf8_valid_prefix(bytes->data, bytes->size) == bytes->size) {
    add_text(out, bytes->data, bytes->size);
    return;
  }
  for (size_t i = 0; i < bytes->size; i++) add_text(out, "\xEF\xBF\xBD", 3);
}

static rmx_status from_byte_tokens(const rmx__undo *u, const rmx__texts *in, rmx__texts *out,
                                   rmx_err *err) {
  (void)u, (void)err;
  rmx_buf bytes = {0};
  for (size_t i = 0; i <= in->n; i++) {
    struct slice s = i < in->n ? text_at(in, i) : (struct slice){0};
    int byte = i < in->n ? byte_of(s) : -1;
    char one = (char)byte;
    if (byte >= 0) {
      rmx_buf_add(&bytes, &one, 1);
      continue;
    }
    if (bytes.size) add_bytes(out, &bytes);
    bytes.size = 0;
    if (i < in->n) add_text(out, s.text, s.size);
  }
  out->bytes.failed = out->bytes.failed || bytes.failed;
  rmx_buf_release(&bytes);
  return RMX_OK;
}

static rmx_status fuse(const rmx__undo *u, const rmx__texts *in, rmx__texts *out, rmx_err *err) {
  (void)u, (void)err;
  add_text(out, in->bytes.data ? in->bytes.data : "", in->bytes.size);
  return RMX_OK;
}

static rmx_status strip(const rmx__undo *u, const rmx__texts *in, rmx__texts *out, rmx_err *err) {
  (void)err;
  size_t one = strlen(u->text);
  for (size_t i = 0; i < in->n; i++) {
    struct slice s = text_at(in, i);
    for (size_t k = 0; k < u->start && s.size >= one && memcmp(s.text, u->text, one) == 0; k++) {
      s.text += one;
      s.size -= one;
    }
    for (size_t k = 0;
         k < u->stop && s.size >= one && memcmp(s.text + s.size - one, u->text, one) == 0; k++)
      s.size -= one;
    add_text(out, s.text, s.size);
  }
  return RMX_OK;
}

static void put_replaced(rmx_buf *out, struct slice s, const char *what, const char *by) {
  size_t size = strlen(what);
  for (const char *at; (at = memmem(s.text, s.size, what, size));) {
    rmx_buf_add(out, s.text, (size_t)(at - s.text));
    rmx_buf_puts(out, by);
    s.size -= (size_t)(at - s.text) + size;
    s.text = at + size;
  }
  rmx_buf_add(out, s.text, s.size);
}

static rmx_status replace_regex(const rmx__undo *u, const rmx__texts *in, rmx__texts *out,
                                rmx_err *err) {
  pcre2_match_data *match = pcre2_match_data_create_from_pattern(u->pattern.code, NULL);
  if (!match) return rmx_fail_memory(err, 0, "a pattern");
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < in->n && status == RMX_OK; i++) {
    struct slice s = text_at(in, i);
    rmx__search search = {0, SIZE_MAX};
    size_t at = 0, start, end;
    bool found = rmx__utf8_valid_prefix(s.text, s.size) == s.size;
    while (found &&
           (status = rmx__pattern_next(&u->pattern, match, s.text, s.size, &search, &found, &start,
                                       &end, err)) == RMX_OK &&
           found) {
      rmx_buf_add(&out->bytes, s.text + at, start - at);
      rmx_buf_puts(&out->bytes, u->content);
      at = end;
    }
    add_text(out, s.text + at, s.size - at);
  }
  pcre2_match_data_free(match);
  return status;
}

static rmx_status replace_string(const rmx__undo *u, const rmx__texts *in, rmx__texts *out,
                                 rmx_err *err) {
  (void)err;
  for (size_t i = 0; i < in->n; i++) {
    put_replaced(&out->bytes, text_at(in, i), u->text, u->content);
    rmx__texts_end(out);
  }
  return RMX_OK;
}

static rmx_status metaspace(const rmx__undo *u, const rmx__texts *in, rmx__texts *out,
                            rmx_err *err) {
  (void)err;
  for (size_t i = 0; i < in->n; i++) {
    put_replaced(&out->bytes, text_at(in, i), u->text, i == 0 && u->flag ? "" : " ");
    rmx__texts_end(out);
  }
  return RMX_OK;
}

static rmx_status end_of_words(const rmx__undo *u, const rmx__texts *in, rmx__texts *out,
                               rmx_err *err) {
  (void)err;
  for (size_t i = 0; i < in->n; i++) {
    put_replaced(&out->bytes, text_at(in, i), u->text, i + 1 == in->n ? "" : " ");
    rmx__texts_end(out);
  }
  return RMX_OK;
}

static const char *const cleanups[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                          {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                          {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                          {" 've", "'ve"}, {" 're", "'re"}};

static void put_clean(rmx_buf *out, struct slice s) {
  rmx_buf one = {0}, two = {0};
  rmx_buf_add(&one, s.text, s.size);
  for (size_t i = 0; i < sizeof cleanups / sizeof *cleanups; i++) {
    two.size = 0;
    put_replaced(&two, (struct slice){one.data ? one.data : "", one.size}, cleanups[i][0],
                 cleanups[i][1]);
    rmx_buf kept = one;
    one = two;
    two = kept;
  }
  if (one.size) rmx_buf_add(out, one.data, one.size);
  out->failed = out->failed || one.failed || two.failed;
  rmx_buf_release(&one);
  rmx_buf_release(&two);
}

static rmx_status word_pieces(const rmx__undo *u, const rmx__texts *in, rmx__texts *out,
                              rmx_err *err) {
  (void)err;
  size_t prefix = strlen(u->text);
  rmx_buf one = {0};
  for (size_t i = 0; i < in->n; i++) {
    struct slice s = text_at(in, i);
    bool goes_on = s.size >= prefix && memcmp(s.text, u->text, prefix) == 0;
    one.size = 0;
    if (i && !goes_on) rmx_buf_puts(&one, " ");
    size_t cut = i && goes_on ? prefix : 0;
    rmx_buf_add(&one, s.text + cut, s.size - cut);
    if (u->flag)
      put_clean(&out->bytes, (struct slice){one.data ? one.data : "", one.size});
    else if (one.size)
      rmx_buf_add(&out->bytes, one.data, one.size);
    rmx__texts_end(out);
  }
  out->bytes.failed = out->bytes.failed || one.failed;
  rmx_buf_release(&one);
  return RMX_OK;
}

// ---- reading ----------------------------------------------------------------------------

static void release(rmx__undo *u) {
  rmx__pattern_release(&u->pattern);
  free(u->text);
  free(u->content);
}

enum { MAX_STEPS = 64 };

// Takes copies of the texts, which can be NULL.
static rmx_status add(rmx__decoder *d, rmx__undo step, const char *text, const char *content,
                      const rmx__part *part, rmx_err *err) {
  rmx_status status = RMX_OK;
  step.text = text ? rmx_strdup(text) : NULL;
  step.content = content ? rmx_strdup(content) : NULL;
  if (d->n == MAX_STEPS) status = rmx__part_fail(part, err, "there are more than 64 steps");
  rmx__undo *steps = status == RMX_OK ? rmx_realloc(d->steps, d->n + 1, sizeof *steps) : NULL;
  if (steps) d->steps = steps;
  if (status == RMX_OK && (!steps || (text && !step.text) || (content && !step.content)))
    status = rmx_fail_memory(err, sizeof step, "a tokenizer");
  if (status == RMX_OK)
    steps[d->n++] = step;
  else
    release(&step);
  return status;
}

static rmx_status read_byte_level(const rmx__part *part, void *into, rmx_err *err) {
  return add(into, (rmx__undo){.run = from_bytes}, NULL, NULL, part, err);
}

static rmx_status read_byte_fallback(const rmx__part *part, void *into, rmx_err *err) {
  return add(into, (rmx__undo){.run = from_byte_tokens}, NULL, NULL, part, err);
}

static rmx_status read_fuse(const rmx__part *part, void *into, rmx_err *err) {
  return add(into, (rmx__undo){.run = fuse}, NULL, NULL, part, err);
}

static rmx_status read_strip(const rmx__part *part, void *into, rmx_err *err) {
  rmx__undo step = {.run = strip};
  const char *content;
  RMX_TRY(rmx__part_character(part, "content", &content, err));
  RMX_TRY(rmx__part_count(part, "start", 0, &step.start, err));
  RMX_TRY(rmx__part_count(part, "stop", 0, &step.stop, err));
  return add(into, step, content, NULL, part, err);
}

static rmx_status read_replace(const rmx__part *part, void *into, rmx_err *err) {
  rmx__undo step = {0};
  const char *text, *content;
  bool regex;
  RMX_TRY(rmx__part_pattern(part, &text, &regex, err));
  RMX_TRY(rmx__part_string(part, "content", &content, err));
  if (!*text) return rmx__part_fail(part, err, "\"pattern\" is empty");
  if (regex) RMX_TRY(rmx__pattern_compile(text, part->where, &step.pattern, err));
  step.run = regex ? replace_regex : replace_string;
  return add(into, step, text, content, part, err);
}

static rmx_status read_metaspace(const rmx__part *part, void *into, rmx_err *err) {
  rmx__undo step = {.run = metaspace};
  const char *replacement, *scheme = "always";
  RMX_TRY(rmx__part_character(part, "replacement", &replacement, err));
  if (json_object_get(part->json, "prepend_scheme"))
    RMX_TRY(rmx__part_string(part, "prepend_scheme", &scheme, err));
  RMX_TRY(rmx__part_flag(part, "add_prefix_space", true, &step.flag, err));
  step.flag = step.flag && strcmp(scheme, "never") != 0;
  return add(into, step, replacement, NULL, part, err);
}

static rmx_status read_bpe(const rmx__part *part, void *into, rmx_err *err) {
  const char *suffix = "</w>";
  if (json_object_get(part->json, "suffix"))
    RMX_TRY(rmx__part_string(part, "suffix", &suffix, err));
  if (!*suffix) return rmx__part_fail(part, err, "\"suffix\" is empty");
  return add(into, (rmx__undo){.run = end_of_words}, suffix, NULL, part, err);
}

static rmx_status read_word_piece(const rmx__part *part, void *into, rmx_err *err) {
  rmx__undo step = {.run = word_pieces};
  const char *prefix;
  RMX_TRY(rmx__part_string(part, "prefix", &prefix, err));
  RMX_TRY(rmx__part_flag(part, "cleanup", true, &step.flag, err));
  return add(into, step, prefix, NULL, part, err);
}

static const rmx__part_type types[] = {
    {"BPEDecoder", read_bpe}, {"ByteFallback", read_byte_fallback}, {"ByteLevel", read_byte_level},
    {"Fuse", read_fuse},      {"Metaspace", read_metaspace},        {"Replace", read_replace},
    {"Strip", read_strip},    {"WordPiece", read_word_piece},
};

rmx_status rmx__decoder_read(const json_t *root, const char *where, rmx__decoder *out,
                             rmx_err *err) {
  return rmx__parts_read(root, "decoder", "decoders", types, sizeof types / sizeof *types, where,
                         out, err);
}

bool rmx__decodes_bytes(const rmx__decoder *d) {
  return d->steps[0].run == from_bytes;
}

void rmx__decoder_release(rmx__decoder *d) {
  for (size_t i = 0; i < d->n; i++) release(&d->steps[i]);
  free(d->steps);
  *d = (rmx__decoder){0};
}

rmx_status rmx__decoder_run(const rmx__decoder *d, rmx__texts *tokens, rmx_buf *out, rmx_err *err) {
  rmx__texts made = {0};
  rmx_status status = tokens->bytes.failed ? rmx_fail_memory(err, 0, "a decoded text") : RMX_OK;
  for (size_t i = 0; i < d->n && tokens->n && status == RMX_OK; i++) {
    made.bytes.size = made.n = 0;
    status = d->steps[i].run(&d->steps[i], tokens, &made, err);
    if (status == RMX_OK && made.bytes.failed)
      status = rmx_fail_memory(err, made.bytes.size, "a decoded text");
    rmx__texts kept = *tokens;
    *tokens = made;
    made = kept;
  }
  for (size_t i = 0; i < tokens->n && status == RMX_OK; i++) {
    struct slice s = text_at(tokens, i);
    if (i && !d->n) rmx_buf_puts(out, " ");
    rmx_buf_add(out, s.text, s.size);
  }
  rmx__texts_release(&made);
  return status;
}
