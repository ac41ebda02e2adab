// SPDX-License-Identifier: Apache-2.0
// Says what became of the text of a domain.
#include <string.h>

#include "prepare.h"

enum { FEW_VALID_TOKENS = 1000 };

// "0.9 M", "12,031"
static const char *amount(uint64_t x, char out[32]) {
  if (x >= 100000) {
    snprintf(out, 32, x >= 1000000000 ? "%.1f G" : "%.1f M",
             (double)x / (x >= 1000000000 ? 1e9 : 1e6));
    return out;
  }
  if (x < 1000)
    snprintf(out, 32, "%llu", (unsigned long long)x);
  else
    snprintf(out, 32, "%llu,%03llu", (unsigned long long)x / 1000, (unsigned long long)x % 1000);
  return out;
}

static const char *counted(uint64_t x, char out[32]) {  // exactly, with commas
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)x), at = 0;
  for (int i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0) out[at++] = ',';
    out[at++] = digits[i];
  }
  out[at] = '\0';
  return out;
}

static void print_warnings(const rmx__documents *d, const rmx_listener *to) {
  static const char *const warnings[RMX__TEXT_WARNINGS] = {
      [RMX__WARN_END_TOKEN] =
          "has lines inside its documents that are an end token, such as <|endoftext|>; "
          "if they end a document, set `separator: \"<|endoftext|>\"`",
      [RMX__WARN_COMMENTS] =
          "is cut at lines with only %, but has as many longer lines that begin with %, "
          "like comments of LaTeX and Erlang; if % does not end a document, set "
          "`separator` (none: a file is one document)",
      [RMX__WARN_NO_SEPARATOR] =
          "has no separator line, so it is one large document; set `separator` to the "
          "line that ends a document (\"\": a blank line)",
      [RMX__WARN_NO_DOCUMENT] = "has no text",
      [RMX__WARN_HTML] = "begins like a web page; if the download failed, fetch the file again",
      [RMX__WARN_GUESSED] =
          "is not UTF-8; its character set was guessed; if the guess is wrong, name "
          "the right one with corpus.encoding; the guess is ",
      [RMX__WARN_CHARSET] =
          "has bytes that are not UTF-8; each was replaced by U+FFFD; if the text is in "
          "another character set, name it with corpus.encoding",
      [RMX__WARN_NOT_AS_NAMED] =
          "is Unicode, so it was not read as the character set that corpus.encoding names",
  };
  if (d->other_ids)
    rmx_warn(to,
             "%s: %llu document%s of token files %s other ids than before, because "
             "corpus.tokenizer gives others for the text",
             d->name, (unsigned long long)d->other_ids, rmx_s((double)d->other_ids),
             d->other_ids == 1 ? "gets" : "get");
  for (size_t i = 0; i < RMX__TEXT_WARNINGS; i++) {
    const rmx__warned *w = &d->warnings[i];
    char more[64] = "", after[128] = "", guess[64];
    if (w->files == 0) continue;
    if (w->files > 1) snprintf(more, sizeof more, " (and %zu more of its files)", w->files - 1);
    if (i == RMX__WARN_GUESSED) snprintf(after, sizeof after, "%s", w->guessed);
    if (i == RMX__WARN_CHARSET && rmx__charset_guess_file(w->path, guess))
      snprintf(after, sizeof after, "; it looks like %s", guess);
    (i == RMX__WARN_NOT_AS_NAMED ? rmx_note : rmx_warn)(to, "%s: %s%s %s%s", d->name, w->path, more,
                                                        warnings[i], after);
  }
}

static void add_losses(const rmx__losses *lost, rmx_buf *out) {
  char a[32], b[32];
  if (lost->bad_lines)
    rmx_buf_printf(out, "; %s broken line%s skipped (%s bytes)", counted(lost->bad_lines, a),
                   rmx_s(lost->bad_lines), counted(lost->bad_bytes, b));
  if (lost->no_text)
    rmx_buf_printf(out, "; %s line%s without text skipped", counted(lost->no_text, a),
                   rmx_s(lost->no_text));
  if (lost->empty)
    rmx_buf_printf(out, "; %s document%s empty", counted(lost->empty, a),
                   lost->empty == 1 ? " is" : "s are");
  if (lost->invalid_utf8)
    rmx_buf_printf(out, "; %s %s not UTF-8 replaced", counted(lost->invalid_utf8, a),
                   lost->invalid_utf8 == 1 ? "byte that is" : "bytes that are");
  if (lost->surrogates)
    rmx_buf_printf(out, "; %s %s of a surrogate pair (such as \\ud800) replaced",
                   counted(lost->surrogates, a), lost->surrogates == 1 ? "half" : "halves");
}

uint64_t rmx__beyond_limit(const rmx__documents *d, const rmx__tokenised *valid) {
  return d->valid > valid->documents ? d->valid - valid->documents : 0;
}

void rmx__report_domain(const rmx__documents *d, const rmx__tokenised *train,
                        const rmx__tokenised *valid, bool kept, const rmx_listener *to) {
  char a[32], b[32], c[32];
  rmx_buf extra = {0};
  rmx_buf_add(&extra, "", 0);
  if (d->duplicates)
    rmx_buf_printf(&extra, "; %s duplicate%s dropped", counted(d->duplicates, a),
                   d->duplicates == 1 ? "" : "s");
  if (d->near)
    rmx_buf_printf(&extra, "; %s near duplicate%s dropped", counted(d->near, a),
                   d->near == 1 ? "" : "s");
  if (d->overlaps)
    rmx_buf_printf(&extra, "; %s dropped for overlap with a target", counted(d->overlaps, a));
  if (d->boilerplate)
    rmx_buf_printf(&extra, "; %s kept that share only boilerplate with a target",
                   counted(d->boilerplate, a));
  add_losses(&d->lost, &extra);
  const uint64_t beyond = rmx__beyond_limit(d, valid);
  if (beyond)
    rmx_buf_printf(&extra,
                   "; %s more document%s to validate with left out, beyond max_valid_tokens",
                   counted(beyond, a), rmx_s((double)beyond));
  if (kept) rmx_buf_puts(&extra, "; kept");
  const char *tail = extra.failed ? "" : extra.data;
  double mb = (double)(train->bytes + valid->bytes) / 1e6;
  const double documents = (double)(train->documents + valid->documents);
  counted(train->documents + valid->documents, a);
  if (d->valid_only)
    rmx_note(to, "%s: %s document%s, %.1f MB, %s token%s (validation only)%s", d->name, a,
             rmx_s(documents), mb, amount(valid->tokens, b), rmx_s((double)valid->tokens), tail);
  else
    rmx_note(to, "%s: %s document%s, %.1f MB, %s token%s to train on and %s to validate with%s",
             d->name, a, rmx_s(documents), mb, amount(train->tokens, b),
             rmx_s((double)train->tokens), amount(valid->tokens, c), tail);
  rmx_buf_release(&extra);
  print_warnings(d, to);
  if (valid->tokens < FEW_VALID_TOKENS)
    rmx_warn(to,
             "%s: only %llu validation token%s; its loss will be inexact; give more text or a "
             "larger valid_fraction",
             d->name, (unsigned long long)valid->tokens, rmx_s((double)valid->tokens));
}

// ---- divided sources

// The documents of a source (SIZE_MAX: of all) without a domain, and the different reasons.
static uint64_t count_strays(const rmx__preparing *p, size_t source, rmx_strings *why) {
  uint64_t strays = 0;
  for (size_t i = 0; i < p->spool.n; i++) {
    const rmx__part *part = &p->spool.parts[i];
    if (source != SIZE_MAX && part->source != source) continue;
    strays += part->no_domain;
    for (size_t j = 0; j < part->why.n && why->n < 64; j++) {
      bool new = true;
      for (size_t k = 0; k < why->n && new; k++)
        new = strcmp(why->items[k], part->why.items[j]) != 0;
      if (new) rmx_strings_add(why, part->why.items[j]);
    }
  }
  return strays;
}

static void report_strays(const rmx__preparing *p, size_t source) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings why = {0};
  const uint64_t strays = count_strays(p, source, &why);
  rmx_few few = {0};
  char a[32];
  for (size_t i = 0; i < why.n; i++) rmx_few_add(&few, why.items[i]);
  if (strays)
    rmx_warn(p->listener, "%s: %s document%s to no domain, and %s left out: %s",
             p->sources[source]->name, counted(strays, a), strays == 1 ? " belongs" : "s belong",
             strays == 1 ? "is" : "are", few.text);
}

// Documents whose value has too few documents to be a domain.
static uint64_t count_rare(const rmx__preparing *p) {
  uint64_t rare = 0;
  for (size_t i = 0; i < p->spool.n; i++)
    for (size_t j = 0; j < p->spool.parts[i].names.n; j++)
      if (p->spool.parts[i].stray[j]) rare += p->spool.parts[i].counts[j];
  return rare;
}

json_t *rmx__strays_json(const rmx__preparing *p) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings why = {0};
  const uint64_t rare = count_rare(p), strays = count_strays(p, SIZE_MAX, &why) + rare;
  json_t *reasons = json_array();
  for (size_t i = 0; i < why.n; i++) json_array_append_new(reasons, json_string(why.items[i]));
  if (rare) json_array_append_new(reasons, json_string("too few documents have the same value"));
  return json_pack("{s:I, s:o}", "documents", (json_int_t)strays, "why", reasons);
}

rmx_status rmx__report_divided(const rmx__preparing *p, const rmx__collect *c, size_t source,
                               rmx_err *err) {
  rmx__documents d = {.name = p->sources[source]->name};
  for (size_t i = 0; i < p->spool.n; i++) {
    const rmx__part *part = &p->spool.parts[i];
    if (part->source != source) continue;
    rmx__losses_add(&d.lost, &part->lost);
  }
  RMX_TRY(rmx__text_warnings(&p->spool, c, source, &d, err));
  report_strays(p, source);
  rmx_buf lost = {0};
  add_losses(&d.lost, &lost);
  if (lost.size && !lost.failed) rmx_note(p->listener, "%s: %s", d.name, lost.data + 2);
  rmx_buf_release(&lost);
  print_warnings(&d, p->listener);
  return RMX_OK;
}
