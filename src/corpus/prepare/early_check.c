// SPDX-License-Identifier: Apache-2.0
// Finds within a second what would stop `prepare` after hours: a tokenizer that is refused, a name
// of an unknown type, a field without text.
#include <stdlib.h>
#include <string.h>

#include "prepare.h"

enum { FILES_A_LIST = 8 };  // of which the first document is read

static rmx_status check_first_document(const char *path, const rmx__reader_options *o,
                                       rmx_err *err) {
  rmx__reader r;
  bool more;
  RMX_TRY(rmx__reader_open(&r, path, o, err));
  rmx_status status = rmx__reader_next(&r, &more, err);
  rmx__reader_close(&r);
  return status;
}

// Opens files that are evenly spread over the list. Of the others it looks at the name.
static rmx_status check_list(const rmx_strings *files, const rmx__reader_options *o, rmx_err *err) {
  const size_t step = files->n > FILES_A_LIST ? files->n / FILES_A_LIST : 1;
  for (size_t i = 0; i < files->n; i++) {
    const char *path = files->items[i];
    if (i % step == 0 || !rmx__format_of(path)) RMX_TRY(check_first_document(path, o, err));
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", path);
  }
  return RMX_OK;
}

rmx_status rmx__tokenizer_open(const rmx_corpus_options *o, const char *base, rmx_tokenizer **out,
                               rmx_err *err) {
  rmx_tokenizer *t = NULL;
  char *path = rmx_path_in(base, o->tokenizer);
  rmx_status status = path ? rmx_tokenizer_read(path, &t, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_tokenizer_set_end_of_text(t, o->end_of_text, err);
  free(path);
  if (status == RMX_OK)
    *out = t;
  else
    rmx_tokenizer_free(t);
  return status;
}

rmx_status rmx__end_of_text_check(const rmx_corpus_options *o, rmx_err *err) {
  static const char trained[] = "<|endoftext|>";
  if (o->tokenizer || !o->end_of_text || strcmp(o->end_of_text, trained) == 0) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "corpus.end_of_text: a tokenizer that is trained has no token \"%s\", but \"%s\"; "
      "remove the setting, or set corpus.tokenizer to the tokenizer with this token",
      o->end_of_text, trained);
}

static rmx_status check_tokenizer(const rmx_corpus_request *r, rmx_err *err) {
  rmx_tokenizer *t = NULL;
  if (!r->options->tokenizer) return rmx__end_of_text_check(r->options, err);
  RMX_TRY(rmx__tokenizer_open(r->options, r->base, &t, err));
  rmx_tokenizer_free(t);
  return RMX_OK;
}

static rmx_status check_values(const rmx_corpus_request *r, rmx_err *err) {
  if (!rmx_corpus_is_divided(r->options)) return RMX_OK;
  rmx_values_look look;
  RMX_TRY(rmx_corpus_values(r->options, r->sources, r->n, r->base, &look, err));
  rmx_values_look_release(&look);
  return RMX_OK;
}

rmx_status rmx__early_check(const rmx_corpus_request *r, rmx_err *err) {
  RMX_TRY(check_tokenizer(r, err));
  RMX_TRY(check_values(r, err));
  for (size_t i = 0; i < r->n; i++) {
    const rmx__reader_options o = rmx__reader_options_of(r->options, &r->sources[i]);
    rmx__files files;
    RMX_TRY(rmx__files_find(&r->sources[i], r->base, &files, err));
    rmx_status status = check_list(&files.train, &o, err);
    if (status == RMX_OK) status = check_list(&files.valid, &o, err);
    rmx__files_release(&files);
    RMX_TRY(status);
  }
  return RMX_OK;
}
