// SPDX-License-Identifier: Apache-2.0
// The text in WARC files of web crawls (ISO 28500): the records of type `conversion`, which WET
// files consist of, and records whose content is plain text. Web pages are counted and skipped: the
// text of a page is what other programs extract.
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format.h"

enum { HEAD_LINES = 1000, HEAD_BYTES = 1 << 16 };  // of a record

struct warc {
  uint64_t texts, pages;  // records so far
  uint64_t left;          // bytes of the present record that are not read yet
  rmx_buf head;           // its header: lines, each with a zero at its end
  rmx_buf http;           // that of the page in it
};

// ---- headers -----------------------------------------------------------------------------------

// The value of a header, by its name in any case, or NULL.
static const char *header(const rmx_buf *head, const char *name) {
  const size_t n = strlen(name);
  for (const char *line = head->data, *end = line + head->size; line < end;
       line += strlen(line) + 1)
    if (strncasecmp(line, name, n) == 0 && line[n] == ':')
      return line + n + 1 + strspn(line + n + 1, " \t");
  return NULL;
}

static bool begins(const char *value, const char *with) {
  return value && strncasecmp(value, with, strlen(with)) == 0;
}

static rmx_status broken(const rmx__reader *r, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: record %zu: %s; fetch the file again", r->path,
                  r->line_number, what);
}

// Reads the lines of a header up to the blank one. *more is false if the file ends before the
// first; the lines do not count as bytes of the record.
static rmx_status read_head(rmx__reader *r, rmx_buf *head, bool *more, rmx_err *err) {
  rmx__line line;
  head->size = 0;
  for (size_t i = 0; i < HEAD_LINES && head->size < HEAD_BYTES; i++) {
    bool another;
    RMX_TRY(rmx__input_line(&r->input, HEAD_BYTES, &line, &another, err));
    if (i == 0) *more = another;
    if (!another) return i == 0 ? RMX_OK : broken(r, "the file ends within its header", err);
    if (line.size && line.data[line.size - 1] == '\r') line.size--;
    if (line.size == 0 && head->size == 0) {  // between two records
      i--;
      continue;
    }
    if (line.size == 0) return RMX_OK;
    rmx_buf_add(head, line.data, line.size);
    rmx_buf_add(head, "", 1);
    if (head->failed) return rmx_fail_memory(err, head->size, r->path);
  }
  return broken(r, "its header has no end", err);
}

// ---- the content of a record -------------------------------------------------------------------

// Reads what is left of the record into `into` (NULL: nowhere), at most `most` bytes.
static rmx_status read_content(rmx__reader *r, uint64_t most, rmx_buf *into, rmx_err *err) {
  rmx__input *s = &r->input;
  struct warc *w = r->state;
  for (uint64_t n = most < w->left ? most : w->left; n > 0;) {
    RMX_TRY(rmx__input_fill(s, err));
    if (s->ended) return broken(r, "the file ends within it", err);
    const size_t have = s->end - s->at, take = have < n ? have : (size_t)n;
    if (into) rmx_buf_add(into, s->block + s->at, take);
    if (into && into->failed) return rmx_fail_memory(err, into->size + take, r->path);
    s->at += take;
    w->left -= take;
    n -= take;
  }
  return RMX_OK;
}

// Splits the header of a web page off r->text; false: there is none.
static bool take_http(struct warc *w, rmx_buf *text) {
  const char *end = memmem(text->data, text->size, "\r\n\r\n", 4);
  if (!end) return false;
  const size_t size = (size_t)(end - text->data);
  w->http.size = 0;
  rmx_buf_add(&w->http, text->data, size);
  rmx_buf_add(&w->http, "", 1);
  for (size_t i = 0; i < w->http.size; i++)
    if (strchr("\r\n", w->http.data[i])) w->http.data[i] = '\0';
  memmove(text->data, end + 4, text->size - size - 4);
  text->size -= size + 4;
  text->data[text->size] = '\0';
  return true;
}

// Whether the content is text as it is. What it is not for certain is not read.
static rmx_status take_content(rmx__reader *r, rmx_err *err) {
  struct warc *w = r->state;
  const char *type = header(&w->head, "WARC-Type"), *content = header(&w->head, "Content-Type");
  const bool page = begins(type, "response");
  bool text = (begins(type, "conversion") && (!content || begins(content, "text/plain"))) ||
              (begins(type, "resource") && begins(content, "text/plain"));
  if (!text && !page) return read_content(r, UINT64_MAX, NULL, err);
  if (r->o.max_document && w->left > r->o.max_document) {
    if (!r->o.skip_bad) return rmx__too_long(r, "a record", err);
    r->lost.bad_lines++;
    return read_content(r, UINT64_MAX, NULL, err);
  }
  RMX_TRY(read_content(r, UINT64_MAX, &r->text, err));
  if (page)
    text = r->text.size && take_http(w, &r->text) &&
           begins(header(&w->http, "Content-Type"), "text/plain") &&
           !header(&w->http, "Content-Encoding") && !header(&w->http, "Transfer-Encoding");
  *(text ? &w->texts : &w->pages) += 1;
  r->document = text;
  if (text) return RMX_OK;
  r->text.size = 0;
  r->lost.no_text++;
  return RMX_OK;
}

static void give_fields(rmx__reader *r) {
  const struct warc *w = r->state;
  for (size_t i = 0; i < rmx__fields(r); i++) {
    const char *name = r->o.fields->items[i];
    const char *value = header(&w->head, strcasecmp(name, "url") == 0 ? "WARC-Target-URI" : name);
    if (value) rmx__set_field(r, i, value, strlen(value));
  }
}

static rmx_status at_end(const rmx__reader *r, rmx_err *err) {
  const struct warc *w = r->state;
  if (w->texts > 0 || w->pages == 0) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: its %llu web pages are not plain text, and there is no other text in it; "
                  "give the WET file of the same crawl (.warc.wet.gz), or extract the text of the "
                  "pages to JSON lines",
                  r->path, (unsigned long long)w->pages);
}

static rmx_status open_warc(rmx__reader *r, rmx_err *err) {
  return (r->state = rmx_calloc(1, sizeof(struct warc)))
             ? RMX_OK
             : rmx_fail_memory(err, sizeof(struct warc), r->path);
}

static rmx_status next_warc(rmx__reader *r, bool *more, rmx_err *err) {
  struct warc *w = r->state;
  r->line_number++;
  RMX_TRY(read_head(r, &w->head, more, err));
  if (!*more) return at_end(r, err);
  if (!begins(w->head.data, "WARC/")) return broken(r, "it does not begin with WARC/", err);
  const char *length = header(&w->head, "Content-Length");
  char *end = NULL;
  if (length && *length >= '0' && *length <= '9') w->left = strtoull(length, &end, 10);
  if (!end || end[strspn(end, " \t")]) return broken(r, "its Content-Length is not a number", err);
  RMX_TRY(take_content(r, err));
  give_fields(r);
  return RMX_OK;
}

static void close_warc(rmx__reader *r) {
  struct warc *w = r->state;
  if (!w) return;
  rmx_buf_release(&w->head);
  rmx_buf_release(&w->http);
  free(w);
}

static const char *const endings[] = {".warc", ".wet", NULL};
const rmx__format rmx__format_warc = {
    .endings = endings,
    .flags = RMX__FORMAT_COLUMNS,
    .open = open_warc,
    .next = next_warc,
    .close = close_warc,
};
