// SPDX-License-Identifier: Apache-2.0
// Opens a file with the format that its name has, and reads its documents one after the other.
#include "reader.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "corpus/utf8.h"
#include "file_type.h"
#include "format.h"

enum { LOOKED_AT = 4096 };  // first bytes, which tell the type of a file

// ---- the table ------------------------------------------------------------------------------

static const rmx__format *const formats[] = {
    &rmx__format_json,    &rmx__format_text,  &rmx__format_cells,  &rmx__format_warc,
    &rmx__format_parquet, &rmx__format_arrow, &rmx__format_tokens, &rmx__format_file,
};
enum { NFORMATS = sizeof formats / sizeof *formats };

// The format of a name without its compression (size bytes), and the length of its ending.
static const rmx__format *find(const char *path, size_t size, size_t *ending) {
  for (size_t i = 0; i < NFORMATS; i++)
    for (const char *const *e = formats[i]->endings; *e; e++) {
      *ending = strlen(*e);
      if (*ending < size && strncasecmp(path + size - *ending, *e, *ending) == 0) return formats[i];
    }
  return NULL;
}

const rmx__format *rmx__format_of(const char *path) {
  size_t stem, ending;
  rmx__compression_of(path, &stem);
  return find(path, stem, &ending);
}

size_t rmx__stem(const char *path) {
  size_t stem, ending;
  rmx__compression_of(path, &stem);
  return find(path, stem, &ending) ? stem - ending : stem;
}

// The endings of all formats that have this flag (0: neither RANDOM nor FILE).
static void add_endings(unsigned flag, rmx_buf *out) {
  const char *separator = "";
  for (size_t i = 0; i < NFORMATS; i++)
    for (const char *const *e = formats[i]->endings;
         *e && (formats[i]->flags & (RMX__FORMAT_RANDOM | RMX__FORMAT_FILE)) == flag; e++) {
      rmx_buf_printf(out, "%s%s", separator, *e);
      separator = ", ";
    }
}

void rmx__formats_known(rmx_buf *out) {
  add_endings(0, out);
  rmx_buf_printf(out, ", .md, .html and source code, each as it is or compressed (%s), and ",
                 rmx__compressions_known);
  add_endings(RMX__FORMAT_RANDOM, out);
}

// ---- what formats have in common ---------------------------------------------------------------

bool rmx__is_blank(const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!strchr(" \t\r\n\v\f", text[i]) || text[i] == '\0') return false;
  return true;
}

bool rmx__next_alternative(const char **at, const char **name, size_t *size) {
  if (!*at) return false;
  const char *end = *at + strcspn(*at, ",");
  *name = *at + strspn(*at, " ");
  while (end > *name && end[-1] == ' ') end--;
  *size = end > *name ? (size_t)(end - *name) : 0;
  *at += strcspn(*at, ",");
  *at = **at ? *at + 1 : NULL;
  return true;
}

void rmx__losses_add(rmx__losses *to, const rmx__losses *from) {
  uint64_t *sums = (uint64_t *)to;
  const uint64_t *more = (const uint64_t *)from;
  for (size_t i = 0; i < RMX__LOSSES; i++) sums[i] += more[i];
}

void rmx__set_field(rmx__reader *r, size_t i, const char *value, size_t size) {
  r->values[i].size = 0;
  rmx_buf_add(&r->values[i], value, size);
  r->has[i] = true;
}

rmx_status rmx__unusable(rmx__reader *r, uint64_t *counter, uint64_t bytes, const char *what,
                         rmx_err *err) {
  if (r->o.skip_bad) {
    ++*counter;
    if (counter == &r->lost.bad_lines) r->lost.bad_bytes += bytes;
    return RMX_OK;
  }
  return rmx_fail(err, RMX_EINPUT,
                  "%s:%zu: %s; repair the line, or set corpus.skip_bad to skip such lines", r->path,
                  r->line_number, what);
}

rmx_status rmx__too_long(const rmx__reader *r, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "%s:%zu: %s of more than %llu bytes: divide it, or raise corpus.max_document "
                  "(it must fit into memory)",
                  r->path, r->line_number, what, (unsigned long long)r->o.max_document);
}

// ---- a file ------------------------------------------------------------------------------------

static rmx_status unknown(const char *path, rmx_err *err) {
  rmx_buf known = {0};
  rmx__formats_known(&known);
  rmx__file_use use;
  const char *why = rmx__type_of_name(rmx__file_name(path), &use);
  rmx_status status = rmx_fail(err, RMX_EINPUT, "%s: unknown type of file; known are %s%s%s", path,
                               known.data ? known.data : "", use == RMX__FILE_DATA ? "; " : "",
                               use == RMX__FILE_DATA ? why : "");
  rmx_buf_release(&known);
  return status;
}

rmx_status rmx__reader_open(rmx__reader *r, const char *path, const rmx__reader_options *o,
                            rmx_err *err) {
  *r = (rmx__reader){.path = path, .o = *o, .format = rmx__format_of(path)};
  if (!r->format) return unknown(path, err);
  const size_t n = rmx__fields(r);
  r->values = rmx_calloc(n, sizeof *r->values);
  r->has = rmx_calloc(n, sizeof *r->has);
  rmx_status status =
      r->values && r->has
          ? rmx__input_open(&r->input, path, r->format->flags & RMX__FORMAT_RANDOM, err)
          : rmx_fail_memory(err, n * sizeof *r->values, path);
  if (status != RMX_OK) rmx__reader_close(r);
  return status;
}

// Refuses a file that is not text, before anything is read, and says what it is.
static rmx_status look(rmx__reader *r, rmx_err *err) {
  rmx__input *s = &r->input;
  RMX_TRY(rmx__choose_charset(r, err));
  RMX_TRY(rmx__input_peek(s, LOOKED_AT, err));
  size_t n = s->end - s->at < LOOKED_AT ? s->end - s->at : LOOKED_AT;
  char page[160];
  const char *first = s->block + s->at, *kind = rmx__type_of_bytes(first, n);
  const bool text = r->format->flags & (RMX__FORMAT_TEXT | RMX__FORMAT_FILE);
  const char *sent = rmx__page_of_bytes(first, n, page);
  r->html = sent;
  if (!kind && !text) kind = sent;
  if (!kind) return RMX_OK;
  const rmx__compression *inner = rmx__compression_of_bytes(first, n);
  if (s->compression && inner)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: it is compressed twice: in this %s file is a %s file; uncompress it once",
                    r->path, s->compression->name, inner->name);
  return rmx_fail(err, RMX_EINPUT, "%s: this is %s", r->path, kind);
}

static rmx_status begin(rmx__reader *r, rmx_err *err) {
  if (!(r->format->flags & RMX__FORMAT_RANDOM)) RMX_TRY(look(r, err));
  r->begun = true;
  return r->format->open ? r->format->open(r, err) : RMX_OK;
}

// The text and the fields become valid UTF-8.
static rmx_status repair(rmx__reader *r, rmx_err *err) {
  if (r->text.size && !r->valid) r->lost.invalid_utf8 += rmx__utf8_repair(&r->text, &r->scratch);
  r->lost.invalid_utf8 += r->input.undecodable;
  r->input.undecodable = 0;
  bool failed = r->text.failed;
  for (size_t i = 0; i < rmx__fields(r); i++) {
    if (r->has[i] && r->values[i].size) rmx__utf8_repair(&r->values[i], &r->scratch);
    failed = failed || r->values[i].failed;
  }
  return failed ? rmx_fail_memory(err, r->text.size, r->path) : RMX_OK;
}

rmx_status rmx__reader_next(rmx__reader *r, bool *more, rmx_err *err) {
  if (!r->begun) RMX_TRY(begin(r, err));
  do {
    r->text.size = 0;
    r->valid = r->document = false;
    for (size_t i = 0; i < rmx__fields(r); i++) r->has[i] = false;
    RMX_TRY(r->format->next(r, more, err));
    if (!*more) return RMX_OK;
    RMX_TRY(repair(r, err));
    if (!rmx__is_blank(r->text.data, r->text.size)) return RMX_OK;
    r->lost.empty += r->document;
  } while (true);
}

void rmx__reader_close(rmx__reader *r) {
  if (r->begun && r->format->close) r->format->close(r);
  rmx__input_close(&r->input);
  for (size_t i = 0; r->values && i < rmx__fields(r); i++) rmx_buf_release(&r->values[i]);
  free(r->values);
  free(r->has);
  rmx_buf_release(&r->text);
  rmx_buf_release(&r->line);
  rmx_buf_release(&r->scratch);
  *r = (rmx__reader){0};
}
