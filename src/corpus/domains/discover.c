// SPDX-License-Identifier: Apache-2.0
// Finds the domains in a folder of text. A domain of which nothing can be read is an error.
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>

#include "corpus/readers/format.h"
#include "corpus/readers/shard_name.h"
#include "walk_text.h"

static bool has_domain(const rmx_discovery *f, const char *name) {
  for (size_t i = 0; i < f->n; i++)
    if (strcmp(f->domains[i].name, name) == 0) return true;
  return false;
}

static rmx_status check_lost(rmx__walk *w) {
  const rmx__lost *first = NULL;
  size_t domains = 0;
  rmx_buf names = {0};
  for (size_t i = 0; i < w->n_lost; i++) {
    const rmx__lost *l = &w->lost[i];
    if (has_domain(w->out, l->domain)) continue;
    if (!first) first = l;
    if (++domains <= 3) rmx_buf_printf(&names, "%s\"%s\"", domains > 1 ? ", " : "", l->domain);
  }
  if (domains > 3) rmx_buf_printf(&names, " and %zu more", domains - 3);
  rmx_status status = RMX_OK;
  if (names.failed)
    status = rmx__no_files(w);
  else if (first)
    status = rmx_fail(w->err, RMX_EINPUT,
                      "%s: %zu domain%s would be lost: %s. No file of \"%s\" can be read (%zu; the "
                      "first is %s: %s). Repair the files, or leave the domain out with "
                      "corpus.leave_out: %s",
                      w->folder, domains, domains == 1 ? "" : "s", names.data, first->domain,
                      first->n, first->path, first->why, first->domain);
  rmx_buf_release(&names);
  return status;
}

// The name of the first domain that is named like a training split, or like another one.
static const char *name_of_role(const rmx_discovery *f, bool train) {
  for (size_t i = 0; i < f->n; i++) {
    const rmx__role role = rmx__role_of_word(f->domains[i].name, strlen(f->domains[i].name));
    if (role != RMX__ROLE_NONE && (role == RMX__ROLE_TRAIN) == train) return f->domains[i].name;
  }
  return "";
}

// train.jsonl and valid.jsonl in the corpus folder itself are one domain, not two.
static rmx_status check_names(rmx__walk *w) {
  const rmx_discovery *f = w->out;
  size_t of_role[RMX__ROLES] = {0};
  for (size_t i = 0; i < f->n; i++)
    of_role[rmx__role_of_word(f->domains[i].name, strlen(f->domains[i].name))]++;
  if (of_role[RMX__ROLE_TRAIN] == 0 || of_role[RMX__ROLE_VALID] + of_role[RMX__ROLE_TEST] == 0)
    return RMX_OK;
  return rmx_fail(w->err, RMX_EINPUT,
                  "%s: \"%s\" and \"%s\" are splits of one domain, not domains: put them into a "
                  "folder with the name of the domain, or name the files in corpus.domains",
                  w->folder, name_of_role(f, true), name_of_role(f, false));
}

static rmx_status check_some(rmx__walk *w) {
  if (w->out->n) return RMX_OK;
  rmx_buf known = {0};
  rmx__formats_known(&known);
  rmx_status status = rmx_fail(w->err, RMX_EINPUT,
                               "%s: no domains here; wanted a folder for each domain, or files "
                               "<domain>-0001.jsonl; formats that are read: %s",
                               w->folder, known.data ? known.data : "");
  rmx_buf_release(&known);
  return status;
}

static rmx_status note_unused_patterns(rmx__walk *w) {
  for (size_t i = 0; w->leave_out && i < w->leave_out->n; i++) {
    if (w->left_out_hits[i]) continue;
    char *note = rmx_format("corpus.leave_out: nothing in %s matches \"%s\"", w->folder,
                            w->leave_out->items[i]);
    bool good = note && rmx_strings_add(&w->out->notes, note);
    free(note);
    if (!good) return rmx__no_files(w);
  }
  return RMX_OK;
}

static int by_why(const void *a, const void *b) {
  const rmx_left_out *x = a, *y = b;
  if (x->matters != y->matters) return x->matters ? -1 : 1;
  int order = strcmp(x->why, y->why);
  return order ? order : strcmp(x->path, y->path);
}

static rmx_status discover(rmx__walk *w) {
  RMX_TRY(rmx__walk_text(w));
  RMX_TRY(rmx__find_roles(w));
  RMX_TRY(rmx__make_domains(w));
  RMX_TRY(check_lost(w));
  RMX_TRY(check_some(w));
  RMX_TRY(check_names(w));
  RMX_TRY(note_unused_patterns(w));
  if (w->out->n_left_out)
    qsort(w->out->left_out, w->out->n_left_out, sizeof *w->out->left_out, by_why);
  return RMX_OK;
}

// whole: see rmx__walk.
static rmx_status discover_in(const char *folder, const char *whole, const rmx_strings *leave,
                              const char *base, rmx_discovery *out, rmx_err *err) {
  *out = (rmx_discovery){0};
  rmx__walk w = {
      .folder = folder, .base = base, .whole = whole, .leave_out = leave, .out = out, .err = err};
  rmx_status status = discover(&w);
  for (size_t i = 0; i < w.n; i++)
    free(w.files[i].domain), free(w.files[i].inside), free(w.files[i].kept), free(w.files[i].stem);
  for (size_t i = 0; i < w.n_lost; i++) free(w.lost[i].domain), free(w.lost[i].path);
  free(w.files);
  free(w.lost);
  free(w.left_out_hits);
  if (status != RMX_OK) rmx_discovery_release(out);
  return status;
}

rmx_status rmx_corpus_discover(const char *folder, const rmx_strings *leave, const char *base,
                               rmx_discovery *out, rmx_err *err) {
  return discover_in(folder, NULL, leave, base, out, err);
}

rmx_status rmx_corpus_discover_files(const char *folder, const rmx_strings *leave, const char *base,
                                     rmx_discovery *out, rmx_err *err) {
  const char *slash = strrchr(folder, '/'), *name = slash && slash[1] ? slash + 1 : folder;
  return discover_in(folder, *name == '.' || strchr(name, '/') ? "text" : name, leave, base, out,
                     err);
}

void rmx_discovery_report(const rmx_discovery *f, const rmx_listener *to) {
  for (size_t i = 0; i < f->notes.n; i++) rmx_note(to, "%s", f->notes.items[i]);
  for (size_t i = 0, j; i < f->n_left_out; i = j) {
    const rmx_left_out *first = &f->left_out[i];
    rmx_buf names = {0};
    for (j = i; j < f->n_left_out && f->left_out[j].matters == first->matters &&
                strcmp(f->left_out[j].why, first->why) == 0;
         j++)
      if (j - i < 3) rmx_buf_printf(&names, "%s%s", j > i ? ", " : "", f->left_out[j].path);
    (first->matters ? rmx_warn : rmx_note)(to, "not read: %zu (%s%s): %s", j - i,
                                           names.data ? names.data : "", j - i > 3 ? ", ..." : "",
                                           first->why);
    rmx_buf_release(&names);
  }
}

void rmx_domain_sources_release(rmx_domain_source *sources, size_t n) {
  for (size_t i = 0; i < n; i++) {
    free(sources[i].name);
    free(sources[i].text_field);
    free(sources[i].separator);
    free(sources[i].encoding);
    rmx_strings_release(&sources[i].files);
    rmx_strings_release(&sources[i].valid_files);
    rmx_strings_release(&sources[i].values);
  }
  free(sources);
}

void rmx_discovery_release(rmx_discovery *f) {
  rmx_domain_sources_release(f->domains, f->n);
  for (size_t i = 0; i < f->n_left_out; i++) free(f->left_out[i].path);
  free(f->left_out);
  rmx_strings_release(&f->notes);
  *f = (rmx_discovery){0};
}
