// SPDX-License-Identifier: Apache-2.0
// Chooses the corpus of an experiment. A new corpus is prepared in .set-aside/new and replaces the
// old one by a rename, after the user has agreed that finished runs go out of use. The old corpus
// is kept in .set-aside/<hash of its sources> and is used again if its text and settings return. A
// kill between two renames loses neither of them.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kept.h"
#include "base/move.h"
#include "base/stamp.h"
#include "corpus/prepare/documents.h"
#include "corpus/readers/own_files.h"
#include "corpus/tokenizer/of_corpus.h"
#include "outdated.h"
#include "steps.h"

typedef struct place {
  char *folder;   // that holds corpus/
  json_t *index;  // its corpus.json; NULL: none
} place;

static const char *text_of(const place *p, const char *key) {
  const char *text = json_string_value(json_object_get(p->index, key));
  return text ? text : "";
}
// What it was made from; "" if there is no corpus.
static const char *fingerprint_of(const place *p) {
  const char *found = rmx__fingerprint_in(p->index, "source_hash");
  return found ? found : "";
}

// A corpus.json that is damaged is none. One that cannot be read now may be that of a good corpus.
static rmx_status look_at(place *p, char *folder, rmx_err *err) {
  *p = (place){.folder = folder};
  RMX_OWNED char *path = folder ? rmx_format("%s/corpus/corpus.json", folder) : NULL;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  const rmx_status status = rmx_exists(path) ? rmx__json_read(path, &p->index, err) : RMX_OK;
  return status == RMX_EINPUT ? RMX_OK : status;
}

static void forget(place *p) {
  json_decref(p->index);
  free(p->folder);
  *p = (place){0};
}

// Whether the corpus is complete; if not, *why explains what is wrong.
static bool opens(const place *p, rmx_err *why) {
  rmx_corpus *corpus = NULL;
  if (!p->index || rmx_corpus_open(p->folder, &corpus, why) != RMX_OK) return false;
  rmx_corpus_free(corpus);
  return true;
}

// ---- corpora of version 0.1.0

// Their hash includes paths, times and the target, and the target may have been any of the domains.
static bool is_0_1(const rmx_experiment *e, const rmx_sources *s, const place *p) {
  const char *had = fingerprint_of(p);
  char hex[17];
  uint64_t hash;
  rmx_err ignored;
  if (!p->index || json_object_get(p->index, "tokenizer_asked")) return false;
  for (size_t i = 0; i <= s->n + 1; i++) {
    const bool config = i == s->n, none = i > s->n;
    const rmx_corpus_request r = {.options = &e->config.corpus,
                                  .sources = s->domains,
                                  .n = s->n,
                                  .targets = config ? s->targets : &i,
                                  .ntargets = config ? s->n_targets : !none,
                                  .base = e->folder};
    if (rmx_corpus_source_hash_0_1(&r, &hash, &ignored) != RMX_OK) return false;
    rmx__hex(hash, hex);
    if (strcmp(hex, had) == 0) return true;
  }
  return false;
}

static rmx_status copy(const char *from, const char *to, rmx_err *err) {
  RMX_OWNED char *data = NULL;
  size_t size;
  RMX_TRY(rmx_read_file(from, &data, &size, err));
  return rmx_write_file(to, data, size, err);
}

// From here on, the hash is of the content of its text and settings.
static rmx_status adopt_0_1(const rmx_experiment *e, const char *wanted, const json_t *memo,
                            place *p, rmx_err *err) {
  RMX_OWNED char *index = rmx_experiment_path(e, "corpus/corpus.json"),
                 *files = rmx_experiment_path(e, "corpus/files.json");
  RMX_OWNED char *tokenizer = rmx_experiment_path(e, "tokenizer.json"),
                 *beside = rmx_experiment_path(e, "corpus/tokenizer.json");
  if (!index || !files || !tokenizer || !beside) return rmx_fail_memory(err, 0, "a path");
  if (rmx_exists(tokenizer)) RMX_TRY(copy(tokenizer, beside, err));
  RMX_TRY(rmx__json_write(files, memo, err));
  json_object_set_new(p->index, "fingerprint", json_string(wanted));
  return rmx__json_seal(p->index) ? rmx__json_write(index, p->index, err)
                                  : rmx_fail_memory(err, 0, "a corpus");
}

// ---- finished runs of a corpus

// Whether the finished run in `folder` used the corpus with this hash; *result: a new reference.
static bool finished_of(const char *folder, const char *corpus, json_t **result) {
  rmx_run run;
  rmx_err ignored;
  char hex[17], *path = rmx_path_in(folder, "result.json");
  *result = NULL;
  bool good = path && rmx_exists(path) && rmx_run_read(folder, &run, &ignored) == RMX_OK;
  if (good) {
    rmx__hex(run.corpus_hash, hex);
    rmx_run_release(&run);
    good = strcmp(hex, corpus) == 0 && rmx__json_read(path, result, &ignored) == RMX_OK;
  }
  free(path);
  return good;
}

static bool aside_of(const char *run, const char *corpus) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  rmx_err ignored;
  bool found = false;
  RMX_OWNED char *shelf = rmx_run_shelf(run);
  if (shelf && rmx_list(shelf, &names, &ignored) == RMX_OK)
    for (size_t i = 0; i < names.n && !found; i++) {
      json_auto_t *result = NULL;
      RMX_OWNED char *folder = rmx_path_in(shelf, names.items[i]);
      found = folder && finished_of(folder, corpus, &result);
    }
  return found;
}

// The runs directly below `parent`; missing counts those without a finished run of the other corpus
// in .set-aside/.
static void count_below(const char *parent, const char *now, const char *next, rmx__finished *f,
                        size_t *missing) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  rmx_err ignored;
  if (rmx_list(parent, &names, &ignored) != RMX_OK) return;
  for (size_t i = 0; i < names.n; i++) {
    json_auto_t *result = NULL;
    RMX_OWNED char *folder = rmx_path_in(parent, names.items[i]);
    if (folder && finished_of(folder, now, &result)) {
      rmx__count_finished(f, result);
      *missing += !aside_of(folder, next);
    }
  }
}

static rmx_status ask_first(rmx_pipeline *p, const char *now, const char *next, rmx_err *err) {
  rmx__finished f = {0};
  size_t missing = 0;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED char *runs = rmx_experiment_path(&p->experiment, "runs"),
                 *compare = rmx_experiment_path(&p->experiment, "compare"),
                 *large = rmx_experiment_path(&p->experiment, "large");
  RMX_TRY(runs && compare && large ? rmx_list(large, &names, err)
                                   : rmx_fail_memory(err, 0, "a path"));
  if (strcmp(now, next) != 0) {
    count_below(runs, now, next, &f, &missing);
    count_below(compare, now, next, &f, &missing);
    for (size_t i = 0; i < names.n; i++) {
      RMX_OWNED char *folder = rmx_path_in(large, names.items[i]);
      if (folder) count_below(folder, now, next, &f, &missing);
    }
    if (missing) RMX_TRY(rmx__agree(p, &f, "would no longer be used (the corpus changed)", err));
  }
  return RMX_OK;
}

// ---- replacing the corpus

static rmx_status move(const char *from, const char *to, rmx_err *err) {
  return rmx__move(from, to) ? RMX_OK : rmx_fail_errno(err, "cannot move %s to %s", from, to);
}

// The corpus may be on another disk.
static void tell_of_link(rmx_pipeline *p, const char *corpus) {
  char first;
  RMX_OWNED char *target = readlink(corpus, &first, 1) > 0 ? rmx_realpath(corpus) : NULL;
  if (target)
    rmx_warn(&p->listener,
             "prepare: %s was a link to %s; the link is set aside, and the corpus of the present "
             "settings is a folder in its place",
             corpus, target);
}

// Moves corpus/ to .set-aside/<source hash>/corpus; a damaged corpus is deleted.
static rmx_status put_aside(rmx_pipeline *p, const place *now, bool damaged, rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  char *corpus = rmx_experiment_path(e, "corpus");
  rmx_status status = corpus ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && (damaged || !now->index)) status = rmx_remove_tree(corpus, err);
  for (int i = 1; status == RMX_OK && rmx_exists(corpus); i++) {
    char *folder =
        i == 1 ? rmx_format("%s/" RMX_SET_ASIDE "/%s", now->folder, fingerprint_of(now))
               : rmx_format("%s/" RMX_SET_ASIDE "/%s-%d", now->folder, fingerprint_of(now), i);
    char *to = folder ? rmx_path_in(folder, "corpus") : NULL,
         *tokenizer = rmx_experiment_path(e, "tokenizer.json");
    char *beside = rmx_experiment_path(e, "corpus/tokenizer.json");
    if (!to || !tokenizer || !beside) status = rmx_fail_memory(err, 0, "a path");
    if (status == RMX_OK && !rmx_exists(beside) && rmx_exists(tokenizer))
      status = copy(tokenizer, beside, err);
    if (status == RMX_OK && !rmx_exists(to)) {
      status = rmx_mkdirs(folder, err);
      if (status == RMX_OK) tell_of_link(p, corpus);
      if (status == RMX_OK) status = move(corpus, to, err);
    }
    free(folder), free(to), free(tokenizer), free(beside);
  }
  free(corpus);
  return status;
}

static bool same_text(const char *path, const char *text, size_t size) {
  RMX_OWNED char *data = NULL;
  size_t n;
  rmx_err ignored;
  return rmx_read_file(path, &data, &n, &ignored) == RMX_OK && n == size &&
         memcmp(data, text, size) == 0;
}

// A tokenizer.json that no corpus here was made with is somebody else's, or was changed.
static rmx_status keep_other_tokenizer(const rmx_experiment *e, const char *path, const char *text,
                                       size_t size, rmx_err *err) {
  if (!size) return RMX_OK;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings former = {0};
  RMX_OWNED char *pattern = rmx_experiment_path(e, RMX_SET_ASIDE "/*/corpus/tokenizer.json");
  RMX_TRY(pattern ? rmx_glob(pattern, &former, err) : rmx_fail_memory(err, 0, "a path"));
  for (size_t i = 0; i < former.n; i++)
    if (same_text(former.items[i], text, size)) return RMX_OK;
  return rmx__keep(path, err);
}

// The config names this file as the tokenizer to use.
static bool is_given(const rmx_experiment *e, const char *path) {
  const char *given = e->config.corpus.tokenizer;
  RMX_OWNED char *full = given && given[0] != '/' ? rmx_experiment_path(e, given) : NULL;
  struct stat info;
  return given && rmx__same_file(full ? full : given, path, &info);
}

// tokenizer.json becomes the tokenizer of the corpus.
static rmx_status put_tokenizer(const rmx_experiment *e, rmx_err *err) {
  RMX_OWNED char *beside = rmx_experiment_path(e, "corpus/tokenizer.json"),
                 *path = rmx_experiment_path(e, "tokenizer.json"), *had = NULL, *wanted = NULL;
  size_t had_size = 0, size = 0;
  rmx_err why;
  if (!beside || !path) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(beside) || is_given(e, path)) return RMX_OK;
  RMX_TRY(rmx_read_file(beside, &wanted, &size, err));
  if (rmx_exists(path) && rmx_read_file(path, &had, &had_size, &why) == RMX_OK) {
    if (had_size == size && memcmp(had, wanted, size) == 0) return RMX_OK;
    RMX_TRY(keep_other_tokenizer(e, path, had, had_size, err));
  }
  return rmx_write_file(path, wanted, size, err);
}

// A whole copy of the tokenizer of the corpus in `folder`: in the experiment, or in the folder of a
// model that was trained on the corpus. NULL: there is none.
static char *find_tokenizer(const rmx_experiment *e, const char *folder) {
  static const char *const places[] = {"corpus/tokenizer.json", "tokenizer.json",
                                       "large/*/*/tokenizer.json", "runs/*/tokenizer.json"};
  rmx_err ignored;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    RMX_OWNED_BY(rmx_strings_release) rmx_strings found = {0};
    RMX_OWNED char *pattern = rmx_experiment_path(e, places[i]);
    if (pattern) rmx_glob(pattern, &found, &ignored);
    for (size_t k = 0; k < found.n; k++)
      if (rmx__tokenizer_check(found.items[k], folder, &ignored) == RMX_OK)
        return rmx_strdup(found.items[k]);
  }
  return NULL;
}

// Makes a damaged tokenizer of the corpus in `folder` again, at `path`. *lost: there is no copy.
static rmx_status mend_tokenizer(rmx_pipeline *p, const char *folder, const char *path, bool *lost,
                                 rmx_err *err) {
  rmx_err why;
  *lost = false;
  if (rmx_exists(path) && rmx__tokenizer_check(path, folder, &why) == RMX_OK) return RMX_OK;
  RMX_OWNED char *whole = find_tokenizer(&p->experiment, folder);
  *lost = !whole;
  if (!whole || p->would) return RMX_OK;
  if (rmx_exists(path))
    rmx_warn(&p->listener, "prepare: %s is damaged or was changed; it is made again from %s", path,
             whole);
  return copy(whole, path, err);
}

// The tokenizers of the corpus and of its parts, which the proxies read.
static rmx_status mend_tokenizers(rmx_pipeline *p, bool *lost, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings parts = {0};
  RMX_OWNED char *beside = rmx_experiment_path(&p->experiment, "corpus/tokenizer.json"),
                 *pattern = rmx_experiment_path(&p->experiment, "matched/*/tokenizer.json");
  RMX_TRY(beside && pattern ? mend_tokenizer(p, p->experiment.folder, beside, lost, err)
                            : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(rmx_glob(pattern, &parts, err));
  for (size_t i = 0; i < parts.n; i++) {
    bool no_copy;
    RMX_OWNED char *folder =
        rmx_format("%.*s", (int)(strrchr(parts.items[i], '/') - parts.items[i]), parts.items[i]);
    RMX_TRY(folder ? mend_tokenizer(p, folder, parts.items[i], &no_copy, err)
                   : rmx_fail_memory(err, 0, "a path"));
  }
  return RMX_OK;
}

// The caller has asked whether the candidate may be used.
static rmx_status use(rmx_pipeline *p, const place *now, bool damaged, const place *next,
                      rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  RMX_OWNED char *corpus = rmx_experiment_path(e, "corpus"),
                 *from = rmx_path_in(next->folder, "corpus");
  RMX_TRY(corpus && from ? put_aside(p, now, damaged, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(move(from, corpus, err));
  RMX_TRY(put_tokenizer(e, err));
  RMX_TRY(rmx_remove_tree(next->folder, err));
  RMX_OWNED char *aside = rmx_experiment_path(e, RMX_SET_ASIDE);
  if (aside) rmdir(aside);  // fails unless it is empty
  return RMX_OK;
}

// Where a new corpus would take the place of somebody else's files.
rmx_status rmx__corpus_is_own(const rmx_experiment *e, rmx_err *err) {
  RMX_OWNED char *corpus = rmx_experiment_path(e, "corpus"), *found = NULL;
  RMX_TRY(corpus ? rmx__foreign_file(corpus, &found, err) : rmx_fail_memory(err, 0, "a path"));
  if (!found) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: `prepare` replaces the folder corpus/ of the experiment, but did not write "
                  "this file: move it out of %s, or make the experiment in another folder",
                  found, corpus);
}

// ---- which one

// A corpus that was prepared earlier for the same text and settings. Without one, *next has no
// index.
static rmx_status find_candidate(rmx_pipeline *p, const char *wanted, place *next, rmx_err *err) {
  rmx_err why;
  RMX_TRY(look_at(next, rmx_experiment_path(&p->experiment, RMX_SET_ASIDE "/new"), err));
  if (next->index && strcmp(fingerprint_of(next), wanted) == 0 && opens(next, &why)) {
    rmx_note(&p->listener, "prepare: the corpus was already prepared and is used now");
    return RMX_OK;
  }
  forget(next);
  RMX_TRY(look_at(next, rmx_format("%s/" RMX_SET_ASIDE "/%s", p->experiment.folder, wanted), err));
  if (next->index && strcmp(fingerprint_of(next), wanted) == 0 && opens(next, &why)) {
    rmx_note(&p->listener,
             "prepare: the corpus of this text and these settings was set aside earlier and is "
             "used again");
    return RMX_OK;
  }
  forget(next);
  return RMX_OK;
}

rmx_corpus_request rmx__corpus_request(const rmx_pipeline *p, const rmx_sources *s) {
  return (rmx_corpus_request){.options = &p->experiment.config.corpus,
                              .sources = s->domains,
                              .n = s->n,
                              .targets = s->apart,
                              .ntargets = s->n_apart,
                              .expected = s->unknown,
                              .n_expected = s->n_unknown,
                              .base = p->experiment.folder,
                              .before = p->experiment.folder,
                              .threads = rmx_worker_jobs(&p->experiment),
                              .listener = &p->listener};
}

static rmx_status prepare_new(rmx_pipeline *p, const rmx_sources *s, bool new_tokenizer,
                              const json_t *memo, place *next, rmx_err *err) {
  char *folder = rmx_experiment_path(&p->experiment, RMX_SET_ASIDE "/new"),
       *corpus = folder ? rmx_path_in(folder, "corpus") : NULL;
  char *files = corpus ? rmx_path_in(corpus, "files.json") : NULL;
  // Files that were already read are not read again.
  rmx_status status = files ? rmx__sources_list(p, s, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_mkdirs(corpus, err);
  if (status == RMX_OK) status = rmx__json_write(files, memo, err);
  free(corpus), free(files);
  rmx_corpus_request request = rmx__corpus_request(p, s);
  request.folder = folder;
  request.new_tokenizer = new_tokenizer;
  if (status == RMX_OK) status = rmx_corpus_prepare(&request, err);
  if (status == RMX_OK) return look_at(next, folder, err);
  free(folder);
  return status;
}

// Of a dry run.
static rmx_status say_what(rmx_pipeline *p, const rmx_sources *s, bool current, bool new_tokenizer,
                           const char *wanted, place *next, rmx_err *err) {
  if (!current && !new_tokenizer) RMX_TRY(find_candidate(p, wanted, next, err));
  if (current)
    rmx__would(p, "prepare", false, "the corpus is up to date");
  else if (next->index)
    rmx__would(p, "prepare", true, "would use a corpus that was prepared earlier");
  else
    rmx__would(p, "prepare", true, "would turn the text of %zu domain%s into tokens", s->n,
               rmx_s(s->n));
  return RMX_OK;
}

// Files that were hashed for the corpus, or for one that was not finished.
static json_t *files_seen(const rmx_pipeline *p) {
  json_t *known = rmx_corpus_files_seen(p->experiment.folder);
  char *next = rmx_experiment_path(&p->experiment, RMX_SET_ASIDE "/new");
  json_t *begun = next ? rmx_corpus_files_seen(next) : NULL;
  free(next);
  if (known && begun) json_object_update_missing(known, begun);
  if (known) json_decref(begun);
  return known ? known : begun;
}

static rmx_status prepare_alone(rmx_pipeline *p, const rmx_sources *s, bool new_tokenizer,
                                rmx_err *err) {
  place now = {0}, next = {0};
  rmx_err why = {0};
  uint64_t hash;
  char wanted[17];
  json_t *known = files_seen(p), *memo = json_object();
  bool damaged = false, current = false;
  const rmx_corpus_request request = rmx__corpus_request(p, s);
  rmx_status status = memo ? look_at(&now, rmx_strdup(p->experiment.folder), err)
                           : rmx_fail_memory(err, 0, "a list of files");
  if (status == RMX_OK) status = rmx_corpus_source_hash(&request, known, memo, &hash, err);
  if (status == RMX_OK) {
    rmx__hex(hash, wanted);
    const bool old = is_0_1(&p->experiment, s, &now);
    current = !new_tokenizer && (old || strcmp(fingerprint_of(&now), wanted) == 0);
    damaged = now.index && !opens(&now, &why);
    if (damaged && why.status != RMX_EINPUT) *err = why, status = why.status;
    bool lost = false;
    if (status == RMX_OK && current && !damaged) status = mend_tokenizers(p, &lost, err);
    if (lost) snprintf(why.message, sizeof why.message, "no whole copy of tokenizer.json is left");
    damaged = damaged || lost;
    if (status == RMX_OK && damaged)
      rmx_warn(&p->listener, "prepare: the corpus is damaged; the damaged part is made again: %s",
               why.message);
    if (status == RMX_OK && current && !damaged && old && !p->would)
      status = adopt_0_1(&p->experiment, wanted, memo, &now, err);
  }
  if (status == RMX_OK && p->would) {
    status = say_what(p, s, current && !damaged, new_tokenizer, wanted, &next, err);
  } else if (status == RMX_OK && current && !damaged) {
    char *files = rmx_experiment_path(&p->experiment, "corpus/files.json");
    rmx_note(&p->listener, "prepare: the corpus is up to date");
    // a file was touched
    if (files && !json_equal(known, memo)) status = rmx__json_write(files, memo, err);
    free(files);
    if (status == RMX_OK) status = put_tokenizer(&p->experiment, err);
  } else if (status == RMX_OK) {
    status = rmx__corpus_is_own(&p->experiment, err);
    if (status == RMX_OK && now.index && !damaged && !new_tokenizer)
      rmx_note(&p->listener,
               "prepare: the text or its settings changed; preparing the corpus again");
    if (status == RMX_OK && !new_tokenizer) status = find_candidate(p, wanted, &next, err);
    if (status == RMX_OK && !next.index &&
        (status = prepare_new(p, s, new_tokenizer, memo, &next, err)) != RMX_OK)
      status = rmx__refused_setting(p, err);
    if (status == RMX_OK && now.index)
      status = ask_first(p, text_of(&now, "hash"), text_of(&next, "hash"), err);
    if (status == RMX_OK) status = use(p, &now, damaged, &next, err);
    if (status == RMX_OK) rmx__note_domains(p, next.index);
  }
  forget(&now);
  forget(&next);
  json_decref(known);
  json_decref(memo);
  return status;
}

// Two processes would write into the same .set-aside/new.
static rmx_status prepare_corpus(rmx_pipeline *p, const rmx_sources *s, bool new_tokenizer,
                                 rmx_err *err) {
  if (p->would) return prepare_alone(p, s, new_tokenizer, err);
  rmx_lock lock;
  RMX_TRY(rmx_mkdirs(p->experiment.folder, err));
  RMX_TRY(rmx_folder_lock(
      p->experiment.folder,
      "prepare: another process is preparing or cleaning this experiment; waiting until it ends",
      &p->listener, &lock, err));
  rmx_status status = prepare_alone(p, s, new_tokenizer, err);
  rmx_folder_unlock(&lock);
  return status;
}

rmx_status rmx__step_prepare(rmx_pipeline *p, rmx_err *err) {
  RMX_OWNED_BY(rmx_sources_release) rmx_sources s = {0};
  RMX_TRY(rmx_sources_find(p, &s, err));
  rmx_sources_tell(p, &s);
  return prepare_corpus(p, &s, p->new_tokenizer, err);
}

// The files of the text that the corpus was not made from.
static void name_new_files(const rmx_experiment *e, const rmx_sources *s, rmx_buf *why) {
  json_auto_t *seen = rmx_corpus_files_seen(e->folder);
  const size_t n = strlen(e->folder);
  rmx_few fresh = {0};
  for (size_t i = 0; seen && i < s->n; i++) {
    rmx__files found;
    rmx_err ignored;
    if (rmx__files_find(&s->domains[i], e->folder, &found, &ignored) != RMX_OK) continue;
    for (size_t k = 0; k < found.train.n + found.valid.n; k++) {
      const char *path =
          k < found.train.n ? found.train.items[k] : found.valid.items[k - found.train.n];
      if (strncmp(path, e->folder, n) == 0 && path[n] == '/') path += n + 1;
      if (!json_object_get(seen, path)) rmx_few_add(&fresh, path);
    }
    rmx__files_release(&found);
  }
  if (fresh.n)
    rmx_buf_printf(why, ", with %zu new file%s: %s", fresh.n, rmx_s(fresh.n), fresh.text);
}

void rmx__corpus_outdated(const rmx_experiment *e, rmx_buf *why) {
  RMX_OWNED_BY(rmx_sources_release) rmx_sources s = {0};
  RMX_OWNED_BY(forget) place now = {0};
  rmx_pipeline silent = {.experiment = *e};
  rmx_err ignored;
  bool current;
  if (look_at(&now, rmx_strdup(e->folder), &ignored) != RMX_OK ||
      rmx_sources_find(&silent, &s, &ignored) != RMX_OK)
    return;  // the text may be on another machine
  const rmx_corpus_request request = rmx__corpus_request(&silent, &s);
  if (rmx_corpus_is_current(&request, e->folder, &current, &ignored) == RMX_OK && !current &&
      !is_0_1(e, &s, &now)) {
    rmx_buf_puts(why, "changed: the text or its settings");
    name_new_files(e, &s, why);
  }
}
