// SPDX-License-Identifier: Apache-2.0
#include "result.h"

#include <errno.h>
#include <math.h>
#include <regmix/lm.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/stamp.h"

// What a bare NaN or Infinity is read as: no text that a trainer would write.
#define NO_NUMBER "\\u0001no number"
static const char no_number[] = "\1no number";
// No loss of a model that learns. Greater numbers cannot be computed with: their squares overflow.
static const double MOST = 1e100;
enum { LARGEST = 64 << 20 };  // bytes of a result.json

typedef struct left {
  const char *path;
  json_t *root, *domains;  // of run.json: domain: its files; NULL: not known
  const json_t *asked;     // run.json; NULL: not known
  bool diverged;
} left;

static const double SAME_SHARE = 1e-3;  // by which a share may be rounded

// ---- messages: what stands there

static void describe(const json_t *x, char out[80]) {
  if (!x)
    snprintf(out, 80, "nothing");
  else if (json_is_string(x) && strcmp(json_string_value(x), no_number) == 0)
    snprintf(out, 80, "not a number (NaN or Infinity)");
  else if (json_is_string(x))
    snprintf(out, 80, "the text \"%.40s\"", json_string_value(x));
  else if (json_is_number(x))
    snprintf(out, 80, "the number %g", json_number_value(x));
  else
    snprintf(out, 80, "%s",
             json_is_null(x)      ? "null"
             : json_is_boolean(x) ? (json_is_true(x) ? "true" : "false")
             : json_is_array(x)   ? "a list"
                                  : "a map");
}

static rmx_status wanted(const left *r, const char *key, const json_t *got, const char *what,
                         rmx_err *err) {
  char had[80];
  describe(got, had);
  return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is %s; wanted %s", r->path, key, had, what);
}

static bool is_no_number(const json_t *x) {
  return json_is_string(x) && strcmp(json_string_value(x), no_number) == 0;
}

// The key of `map` nearest to `name`, or NULL: for "did you mean".
static const char *nearest_key(const json_t *map, const char *name) {
  size_t n = 0;
  const char **names = rmx_calloc(json_object_size(map), sizeof *names), *key;
  json_t *value;
  if (!names) return NULL;
  json_object_foreach((json_t *)map, key, value) names[n++] = key;
  int at = rmx_nearest(name, names, n);
  const char *found = at < 0 ? NULL : names[at];
  free(names);
  return found;
}

// ---- the file

static rmx_status read_result(left *r, rmx_err *err) {
  struct stat info;
  if (lstat(r->path, &info) != 0 && errno == ENOENT)
    return rmx_fail(err, RMX_EINPUT, "the command ended with code 0, but did not write %s",
                    r->path);
  if (stat(r->path, &info) != 0) return rmx_fail_errno(err, "cannot read %s", r->path);
  if (!S_ISREG(info.st_mode))  // a pipe would be waited for without end
    return rmx_fail(err, RMX_EINPUT, "%s is %s; wanted a regular file", r->path,
                    S_ISDIR(info.st_mode)    ? "a folder"
                    : S_ISFIFO(info.st_mode) ? "a named pipe"
                                             : "a device or socket");
  if (info.st_size > LARGEST)
    return rmx_fail(err, RMX_EINPUT, "%s has %.0f MB; wanted %d MB or less", r->path,
                    (double)info.st_size / 1e6, LARGEST >> 20);
  RMX_TRY(rmx__json_read_python(r->path, "\"" NO_NUMBER "\"", &r->root, err));
  if (!json_is_object(r->root))
    return rmx_fail(err, RMX_EINPUT, "%s: wanted a map {\"status\": ..., \"loss_nats\": ...}",
                    r->path);
  return RMX_OK;
}

// A misspelt key must not be a key left out; what is like no known key is the user's own.
static rmx_status check_keys(const left *r, rmx_err *err) {
  // clang-format off
  static const char *const known[] = {
      "status", "loss_nats", "metrics", "higher_is_better", "half", "error", "run", "seed",
      "mixture", "model", "parameters", "steps", "tokens", "flops", "wall_s", "tokens_per_s",
      "bits_per_byte", "epochs", "tokens_by_domain", "valid_flops", "answers", "fingerprint",
      "made_by",
      "nats_hash", "log_hash", "model_hash", "lr",
  };
  // clang-format on
  const size_t n = sizeof known / sizeof *known;
  const char *key;
  json_t *value;
  json_object_foreach(r->root, key, value) {
    bool exact = false;
    for (size_t i = 0; i < n; i++) exact = exact || strcmp(key, known[i]) == 0;
    int near = exact ? -1 : rmx_nearest(key, known, n);
    if (near >= 0)
      return rmx_fail(err, RMX_EINPUT, "%s: unknown key \"%s\"; did you mean \"%s\"?", r->path, key,
                      known[near]);
  }
  static const char *const numbers[] = {"tokens",       "steps",      "flops",      "wall_s",
                                        "tokens_per_s", "parameters", "valid_flops"};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    const json_t *x = json_object_get(r->root, numbers[i]);
    if (x && !(json_is_number(x) && json_number_value(x) >= 0))
      return wanted(r, numbers[i], x, "a number of 0 or more", err);
  }
  return RMX_OK;
}

// ---- losses

static rmx_status check_loss(left *r, const char *where, const char *domain, const json_t *x,
                             rmx_err *err) {
  char key[400];
  snprintf(key, sizeof key, "%s.%s", where, domain);
  if (r->domains && !json_object_get(r->domains, domain)) {
    const char *near = nearest_key(r->domains, domain);
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"%s\" in %s is not a domain of the corpus%s%s%s (scores that are not the "
                    "loss of a domain belong in \"metrics\")",
                    r->path, domain, where, near ? "; did you mean \"" : "", near ? near : "",
                    near ? "\"?" : "");
  }
  if (is_no_number(x) || (json_is_number(x) && json_number_value(x) > MOST)) {
    r->diverged = true;
    return RMX_OK;
  }
  if (!json_is_number(x))
    return wanted(r, key, x, "a loss in nats per token, a number (NaN says that the run diverged)",
                  err);
  if (json_number_value(x) < 0)
    return wanted(r, key, x, "0 or more: a cross-entropy in nats per token is never negative", err);
  return RMX_OK;
}

static rmx_status check_losses(left *r, const json_t *losses, const char *where, rmx_err *err) {
  const char *domain;
  json_t *value;
  if (!json_is_object(losses))
    return wanted(r, where, losses, "a map {domain: loss in nats per token}", err);
  json_object_foreach((json_t *)losses, domain, value)
    RMX_TRY(check_loss(r, where, domain, value, err));
  RMX_OWNED_BY(rmx_buf_release) rmx_buf missing = {0};
  size_t n = 0;
  json_object_foreach(r->domains, domain, value) {
    if (json_number_value(json_object_get(value, "valid_tokens")) < 2 ||
        json_object_get(losses, domain))
      continue;
    if (n < 3) rmx_buf_printf(&missing, "%s\"%s\"", n ? ", " : "", domain);
    n++;
  }
  if (n)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: %s has no loss for %zu of %zu domains (%s%s); wanted a loss for each domain", r->path,
        where, n, json_object_size(r->domains), missing.data ? missing.data : "",
        n > 3 ? ", ..." : "");
  return RMX_OK;
}

// ---- metrics

static bool is_loss_column(const left *r, const char *name) {
  static const char tail[] = "_val_loss";
  size_t n = strlen(name), k = sizeof tail - 1;
  if (n <= k || strcmp(name + n - k, tail) != 0) return false;
  RMX_OWNED char *domain = rmx_format("%.*s", (int)(n - k), name);
  return domain && json_object_get(r->domains, domain);
}

static rmx_status check_metric_name(const left *r, const char *name, rmx_err *err) {
  bool odd = !*name || strcmp(name, "run") == 0;
  for (const char *p = name; *p; p++) odd = odd || (unsigned char)*p < ' ' || *p == 127;
  if (odd)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the name \"%s\" in metrics cannot be a column (it is empty, has a control "
                    "character, or is that of the first column)",
                    r->path, name);
  if (is_loss_column(r, name))
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: \"%s\" in metrics is the column of a domain's loss; give it in \"loss_nats\"", r->path,
        name);
  return RMX_OK;
}

// A metric that is null or no number was not measured: its cell in metrics.csv is empty.
static rmx_status check_metrics(const left *r, rmx_err *err) {
  json_t *metrics = json_object_get(r->root, "metrics"), *value;
  const char *name;
  void *next;
  if (!metrics) return RMX_OK;
  if (!json_is_object(metrics)) return wanted(r, "metrics", metrics, "a map {name: number}", err);
  char key[400];
  json_object_foreach_safe(metrics, next, name, value) {
    RMX_TRY(check_metric_name(r, name, err));
    snprintf(key, sizeof key, "metrics.%s", name);
    if (json_is_null(value) || is_no_number(value))
      json_object_set_new(metrics, name, json_null());
    else if (!json_is_number(value) || fabs(json_number_value(value)) > MOST)
      return wanted(r, key, value, "a number up to 1e100", err);
  }
  return RMX_OK;
}

// "higher_is_better": a list of names, or a map name: truth. Kept as the map.
static rmx_status check_directions(const left *r, rmx_err *err) {
  json_t *directions = json_object_get(r->root, "higher_is_better"), *value;
  const json_t *metrics = json_object_get(r->root, "metrics");
  if (!directions) return RMX_OK;
  json_t *map = json_object();
  rmx_status status = RMX_OK;
  size_t i;
  const char *name;
  if (json_is_array(directions)) {
    json_array_foreach(directions, i, value) {
      if (json_is_string(value))
        json_object_set_new(map, json_string_value(value), json_true());
      else
        status = wanted(r, "higher_is_better", value, "names of metrics", err);
    }
  } else if (json_is_object(directions)) {
    json_object_foreach(directions, name, value) {
      if (json_is_boolean(value))
        json_object_set(map, name, value);
      else
        status = wanted(r, "higher_is_better", value, "true or false for each metric", err);
    }
  } else {
    status = wanted(r, "higher_is_better", directions,
                    "a list of names of metrics, or a map {metric: true or false}", err);
  }
  json_object_foreach(map, name, value) {
    if (status != RMX_OK || json_object_get(metrics, name)) continue;
    const char *near = nearest_key(metrics, name);
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: \"%s\" in higher_is_better is none of the metrics%s%s%s", r->path, name,
                      near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  }
  json_object_set_new(r->root, "higher_is_better", map);
  return status;
}

// ---- the run itself: another mixture or seed is that of another run

static rmx_status check_share(const left *r, const char *domain, const json_t *said,
                              const json_t *asked, rmx_err *err) {
  const double share = json_number_value(said), wanted_share = json_number_value(asked);
  if (said && !json_is_number(said)) return wanted(r, "mixture", said, "a share", err);
  if (fabs(share - wanted_share) <= SAME_SHARE) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: its mixture has %g of \"%.60s\", but run.json asks for %g; train the mixture of "
      "run.json, or leave \"mixture\" out",
      r->path, share, domain, wanted_share);
}

static rmx_status check_mixture(const left *r, rmx_err *err) {
  json_t *mixture = json_object_get(r->root, "mixture"), *share,
         *asked = json_object_get(r->asked, "mixture");
  const char *domain;
  if (!mixture || !asked) return RMX_OK;
  if (!json_is_object(mixture)) return wanted(r, "mixture", mixture, "a map {domain: share}", err);
  json_object_foreach(mixture, domain, share)
    RMX_TRY(check_share(r, domain, share, json_object_get(asked, domain), err));
  json_object_foreach(asked, domain, share)
    RMX_TRY(check_share(r, domain, json_object_get(mixture, domain), share, err));
  return RMX_OK;
}

// Steps and epochs may round the tokens; half of them, or twice as many, are another training.
static rmx_status check_tokens(const left *r, rmx_err *err) {
  const json_t *training = json_object_get(r->asked, "training"),
               *said = json_object_get(r->root, "tokens");
  const double tokens = json_number_value(said),
               asked = json_number_value(json_object_get(training, "tokens")),
               step = json_number_value(json_object_get(training, "batch_tokens"));
  if (!json_is_number(said) || !(asked > 0) ||
      (tokens > 0.5 * asked - step && tokens < 2 * asked + step))
    return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: it was trained on %.0f tokens, but run.json asks for %.0f; train on these, "
                  "or leave \"tokens\" out",
                  r->path, tokens, asked);
}

static rmx_status check_run(const left *r, rmx_err *err) {
  const json_t *seed = json_object_get(r->root, "seed"), *asked = json_object_get(r->asked, "seed"),
               *model = json_object_get(r->root, "model");
  if (model && !json_is_object(model) && !json_is_string(model))
    return wanted(r, "model", model, "a map or text", err);
  if (seed && !json_is_integer(seed)) return wanted(r, "seed", seed, "a whole number", err);
  if (seed && asked && json_integer_value(seed) != json_integer_value(asked))
    return rmx_fail(err, RMX_EINPUT, "%s: its seed is %lld, but run.json asks for %lld", r->path,
                    (long long)json_integer_value(seed), (long long)json_integer_value(asked));
  RMX_TRY(check_tokens(r, err));
  return check_mixture(r, err);
}

// ---- all of it

static rmx_status check_status(left *r, rmx_err *err) {
  const json_t *status = json_object_get(r->root, "status");
  const char *text = status ? json_string_value(status) : "done";
  if (!text) return wanted(r, "status", status, "\"done\", \"diverged\" or \"failed\"", err);
  if (strcmp(text, "failed") == 0) {
    const char *why = json_string_value(json_object_get(r->root, "error"));
    return rmx_fail(err, RMX_EINPUT, "%s: \"status\" is \"failed\"%s%.300s", r->path,
                    why ? ": " : "", why ? why : "");
  }
  r->diverged = strcmp(text, "diverged") == 0;
  if (!r->diverged && strcmp(text, "done") != 0)
    return wanted(r, "status", status, "\"done\", \"diverged\" or \"failed\"", err);
  return RMX_OK;
}

static rmx_status check(left *r, rmx_err *err) {
  RMX_TRY(read_result(r, err));
  RMX_TRY(check_keys(r, err));
  RMX_TRY(check_status(r, err));
  if (r->diverged) return RMX_OK;  // whatever else it says is not used
  RMX_TRY(check_losses(r, json_object_get(r->root, "loss_nats"), "loss_nats", err));
  json_t *half = json_object_get(r->root, "half");
  if (half && !json_is_object(half))
    return wanted(r, "half", half, "a map {\"loss_nats\": {domain: loss}}", err);
  if (half) RMX_TRY(check_losses(r, json_object_get(half, "loss_nats"), "half.loss_nats", err));
  RMX_TRY(check_directions(r, err));
  RMX_TRY(check_run(r, err));
  return check_metrics(r, err);
}

// JSON has no NaN: what was one becomes null.
static void without_marks(json_t *tree) {
  const char *key;
  json_t *value;
  size_t i;
  if (json_is_object(tree)) {
    json_object_foreach(tree, key, value) {
      if (is_no_number(value))
        json_object_set_new(tree, key, json_null());
      else
        without_marks(value);
    }
  } else if (json_is_array(tree)) {
    json_array_foreach(tree, i, value) {
      if (is_no_number(value))
        json_array_set_new(tree, i, json_null());
      else
        without_marks(value);
    }
  }
}

static rmx_status add_log_hash(const rmx_run *r, json_t *o, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(r->folder, "log.jsonl"), *text = NULL;
  struct stat info;
  size_t size;
  json_object_del(o, "log_hash");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return RMX_OK;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  uint64_t hash;
  RMX_TRY(rmx_log_hash(text, size, &hash, err));
  json_object_set_new(o, "log_hash", rmx__hex_json(hash));
  return RMX_OK;
}

static rmx_status complete(const rmx_run *r, left *l, rmx_err *err) {
  json_t *o = l->root;
  char fingerprint[17];
  rmx_run_fingerprint(r, fingerprint);
  without_marks(o);
  json_object_set_new(o, "fingerprint", json_string(fingerprint));
  json_object_set_new(o, "run", json_string(r->name));
  json_object_set_new(o, "status", json_string(l->diverged ? "diverged" : "done"));
  if (l->diverged) json_object_set_new(o, "loss_nats", json_null());
  if (!json_object_get(o, "mixture"))
    json_object_set_new(o, "mixture",
                        rmx_mixture_json(r->mixture, (const char *const *)r->domains, r->D));
  if (!json_object_get(o, "tokens"))
    json_object_set_new(o, "tokens", json_integer(r->training.tokens));
  RMX_TRY(add_log_hash(r, o, err));
  rmx_result_seal(o);
  return rmx__json_write(l->path, o, err);
}

// ---- whether the command had the files that the run is of

// Another process may have written run.json for other settings.
static rmx_status check_asked(const rmx_run *r, rmx_err *err) {
  RMX_OWNED_BY(rmx_run_release) rmx_run now = {0};
  char fingerprint[17];
  RMX_TRY(rmx_run_read(r->folder, &now, err));
  rmx_run_fingerprint(&now, fingerprint);
  if (rmx_run_has_fingerprint(r, fingerprint, NULL)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s/run.json is of other settings than when the run began: another process works "
                  "in this folder. Wait until it has ended and give the same command again, or use "
                  "a folder for each of them",
                  r->folder);
}

static rmx_status check_corpus(const rmx_run *r, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(r->corpus, "corpus/corpus.json");
  json_auto_t *corpus = NULL;
  char wanted[17];
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(path)) return RMX_OK;  // the tokens may lie elsewhere
  RMX_TRY(rmx__json_read(path, &corpus, err));
  const char *hash = json_string_value(json_object_get(corpus, "hash"));
  rmx__hex(r->corpus_hash, wanted);
  if (!hash || strcmp(hash, wanted) == 0) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "run %s was made for another corpus than the one in %s, which was prepared again "
                  "meanwhile; run `regmix train` again",
                  r->name, r->corpus);
}

// What the command begins with. Something that is no model to us is known by its name alone.
static rmx_status check_init(const rmx_run *r, rmx_err *err) {
  const rmx_training *t = &r->training;
  rmx_err ignored;
  uint64_t hash;
  if (!t->init || rmx_lm_hash(t->init, &hash, &ignored) != RMX_OK || hash == t->init_hash)
    return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "run %s: the model in %s is not the one that the run was made for; run the "
                  "command again",
                  r->name, t->init);
}

rmx_status rmx__run_check_files(const rmx_run *r, rmx_err *err) {
  RMX_TRY(check_asked(r, err));
  RMX_TRY(check_corpus(r, err));
  return check_init(r, err);
}

// ---- a good result until regmix's own is written: a full disk or a kill must not lose it

static rmx_status keep_until_written(const rmx_run *r, left *l, rmx_err *err) {
  RMX_OWNED char *kept = rmx_path_in(r->folder, RMX__KEPT_RESULT);
  if (!kept) return rmx_fail_memory(err, 0, "a path");
  if (rename(l->path, kept) != 0) return rmx_fail_errno(err, "cannot move %s to %s", l->path, kept);
  RMX_TRY(complete(r, l, err));
  unlink(kept);
  return RMX_OK;
}

rmx_status rmx__result_take_kept(const rmx_run *r, bool *taken, rmx_err *err) {
  RMX_OWNED char *kept = rmx_path_in(r->folder, RMX__KEPT_RESULT),
                 *path = rmx_path_in(r->folder, "result.json");
  *taken = false;
  if (!kept || !path) return rmx_fail_memory(err, 0, "a path");
  if (rename(kept, path) != 0) return RMX_OK;
  const rmx_status status = rmx__result_accept(r, err);
  *taken = status == RMX_OK;
  return status == RMX_EINPUT ? RMX_OK : status;
}

rmx_status rmx__result_accept(const rmx_run *r, rmx_err *err) {
  char *path = rmx_path_in(r->folder, "result.json"),
       *run_path = rmx_path_in(r->folder, "run.json");
  char *rejected = rmx_path_in(r->folder, "result.rejected.json");
  json_t *run = NULL;
  rmx_status status = path && run_path && rejected ? rmx__json_read(run_path, &run, err)
                                                   : rmx_fail_memory(err, 0, "a path");
  left l = {.path = path, .domains = json_object_get(run, "domains"), .asked = run};
  if (status == RMX_OK) {
    status = check(&l, err);
    if (status == RMX_OK) status = rmx__run_check_files(r, err);
    if (status == RMX_OK)
      status = keep_until_written(r, &l, err);
    else if (status == RMX_EINPUT)
      rename(path, rejected);
  }
  json_decref(l.root);
  json_decref(run);
  free(path), free(run_path), free(rejected);
  return status;
}
