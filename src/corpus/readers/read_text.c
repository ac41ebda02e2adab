// SPDX-License-Identifier: Apache-2.0
// Text with a line that ends each document.
#include <string.h>

#include "format.h"

static bool is_separator(const char *separator, const char *line, size_t size) {
  if (size && line[size - 1] == '\r') size--;
  if (!*separator) return rmx__is_blank(line, size);
  return strlen(separator) == size && memcmp(line, separator, size) == 0;
}

// Counts lines which suggest that the separator is wrong.
static void look_at_line(rmx__reader *r, const char *line, size_t size) {
  static const char *const ends[] = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>",
                                     "<|im_end|>"};
  if (size && line[size - 1] == '\r') size--;
  if (size == 0) return;
  if (line[0] == '%') {
    r->comment_lines += size > 1 && r->o.separator[0] == '%' && !r->o.separator[1];
    return;
  }
  for (size_t i = 0; line[0] == '<' && i < sizeof ends / sizeof *ends; i++)
    if (strlen(ends[i]) == size && memcmp(line, ends[i], size) == 0) r->end_tokens++;
}

static rmx_status next_text(rmx__reader *r, bool *more, rmx_err *err) {
  const bool whole = strcmp(r->o.separator, "none") == 0;
  rmx__line line;
  *more = false;
  for (bool first = true, another;; first = false) {
    RMX_TRY(rmx__input_line(&r->input, r->o.max_document, &line, &another, err));
    if (!another) return RMX_OK;
    *more = true;
    r->line_number++;
    if (!whole && !line.cut && is_separator(r->o.separator, line.data, line.size)) {
      r->separators++;
      return RMX_OK;
    }
    look_at_line(r, line.data, line.size);
    if (line.cut || (r->o.max_document && r->text.size + line.size + !first > r->o.max_document))
      return rmx__too_long(r, "a document", err);
    if (!first) rmx_buf_puts(&r->text, "\n");
    rmx_buf_add(&r->text, line.data, line.size);
    if (r->text.failed) return rmx_fail_memory(err, r->text.size, r->path);
  }
}

static const char *const endings[] = {".txt", NULL};
const rmx__format rmx__format_text = {
    .endings = endings,
    .next = next_text,
    .flags = RMX__FORMAT_TEXT,
};
