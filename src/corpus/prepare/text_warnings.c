// SPDX-License-Identifier: Apache-2.0
// Files whose separator seems to be wrong, and files that are not text. Facts about the ranges of
// one file are summed up first.
#include <stdlib.h>
#include <string.h>

#include "documents.h"
#include "prepare.h"

static void add(rmx__warned *w, const char *path, const rmx__file_facts *f) {
  if (w->files++) return;
  w->path = path;
  w->replaced = f->invalid_utf8;
  w->bytes = f->bytes;
  memcpy(w->guessed, f->guessed, sizeof w->guessed);
}

static void look_at_file(const rmx__file_facts *f, const char *path, const char *separator,
                         rmx__documents *out) {
  enum { FEW_LINES = 3, MUCH_TEXT = 10000000 };
  const double replaced = rmx__share_replaced(f->invalid_utf8, f->bytes);
  out->other_ids += f->other_ids;
  if (replaced > RMX__MANY_REPLACED) add(&out->foreign, path, f);
  const bool seen[RMX__TEXT_WARNINGS] = {
      [RMX__WARN_END_TOKEN] = f->end_tokens >= FEW_LINES,
      [RMX__WARN_COMMENTS] =
          f->separators && f->comment_lines >= FEW_LINES && f->comment_lines >= f->separators,
      [RMX__WARN_NO_SEPARATOR] = f->text && f->separators == 0 && f->end_tokens < FEW_LINES &&
                                 f->bytes >= MUCH_TEXT && strcmp(separator, "none") != 0,
      [RMX__WARN_GUESSED] = *f->guessed != '\0',
      [RMX__WARN_NO_DOCUMENT] = f->no_document,
      [RMX__WARN_HTML] = f->text && f->html,
      [RMX__WARN_NOT_AS_NAMED] = f->not_as_named,
      [RMX__WARN_CHARSET] = replaced > RMX__SOME_REPLACED,
  };
  for (size_t i = 0; i < RMX__TEXT_WARNINGS; i++)
    if (seen[i]) add(&out->warnings[i], path, f);
}

// The facts about the next file: those of one part, or of all ranges of a file. The parts of a
// source are next to each other. False: there is no more.
static bool next_file(const rmx__spool *s, size_t source, size_t *part, size_t *at,
                      rmx__file_facts *out) {
  while (*part < s->n && (s->parts[*part].source != source || *at == s->parts[*part].n_facts)) {
    ++*part;
    *at = 0;
  }
  if (*part == s->n) return false;
  const rmx__part *first = &s->parts[*part];
  *out = first->facts[(*at)++];
  for (size_t i = *part + 1; first->end && i < s->n; i++) {  // each range has its facts
    const rmx__part *p = &s->parts[i];
    if (p->source != source || p->valid != first->valid || p->from != first->from) break;
    out->bytes += p->facts[0].bytes;
    out->invalid_utf8 += p->facts[0].invalid_utf8;
    out->no_document = out->no_document && p->facts[0].no_document;
    *part = i;
    *at = 1;
  }
  return true;
}

// With skip_bad a few lines may be broken, or too long. If many bytes are, something else is wrong.
static rmx_status check_lost(const rmx__spool *s, size_t source, const rmx__documents *d,
                             rmx_err *err) {
  enum { FEW_BYTES = 1000000, FEW_LINES = 10 };
  rmx__losses lost = {0};
  uint64_t bytes = 0;
  for (size_t i = 0; i < s->n; i++) {
    if (s->parts[i].source != source) continue;
    rmx__losses_add(&lost, &s->parts[i].lost);
    bytes += s->parts[i].bytes;
  }
  const double share = (double)lost.bad_bytes / (double)(bytes + lost.bad_bytes + 1);
  if (lost.bad_lines <= FEW_LINES || lost.bad_bytes <= FEW_BYTES || share <= RMX__MANY_REPLACED)
    return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "domain \"%s\": %llu of %llu bytes of its text are in %llu broken lines, more "
      "than corpus.skip_bad takes: `corpus.skip_bad: false` says what is wrong with the "
      "first",
      d->name, (unsigned long long)lost.bad_bytes, (unsigned long long)(bytes + lost.bad_bytes),
      (unsigned long long)lost.bad_lines);
}

rmx_status rmx__text_warnings(const rmx__spool *s, const rmx__collect *c, size_t source,
                              rmx__documents *out, rmx_err *err) {
  const rmx__reader_options how = rmx__reader_options_of(c->options, c->sources[source]);
  size_t part = 0, at = 0;
  rmx__file_facts facts;
  while (next_file(s, source, &part, &at, &facts)) {
    const rmx_strings *list =
        s->parts[part].valid ? &c->files[source].valid : &c->files[source].train;
    if (facts.file < list->n) look_at_file(&facts, list->items[facts.file], how.separator, out);
  }
  RMX_TRY(check_lost(s, source, out, err));
  return out->foreign.files && !how.skip_bad
             ? rmx__fail_charset(out->name, out->foreign.path, how.encoding, out->foreign.replaced,
                                 out->foreign.bytes, out->foreign.files - 1, err)
             : RMX_OK;
}
