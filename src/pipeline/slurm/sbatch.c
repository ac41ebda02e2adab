// SPDX-License-Identifier: Apache-2.0
// Gives a script to sbatch, and reads its answer.
#include "sbatch.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/call.h"

rmx_status rmx__sbatch_hidden(const rmx_launch_request *r, const rmx_listener *listener,
                              rmx_strings *out, rmx_err *err) {
  static const char *const own[] = {"ARRAY_INX", "OUTPUT", "ERROR", "OPEN_MODE",  "SIGNAL",
                                    "REQUEUE",   "WAIT",   "INPUT", "NO_REQUEUE", "TIMELIMIT"};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  bool good = true;
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    good = good && rmx_strings_add(&names, own[i]);
  if (r->partition) good = good && rmx_strings_add(&names, "PARTITION");
  if (r->gpus) good = good && rmx_strings_add(&names, "GRES");
  for (size_t i = 0; i < r->sbatch.n; i++) {
    const char *name = r->sbatch.items[i] + strspn(r->sbatch.items[i], "-");
    RMX_OWNED char *key = rmx_format("%.*s", (int)strcspn(name, "= "), name);
    for (char *c = key; c && *c; c++) *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    good = good && key && rmx_strings_add(&names, key);
  }
  for (size_t i = 0; good && i < names.n; i++) {
    RMX_OWNED char *name = rmx_format("SBATCH_%s", names.items[i]);
    if (!name) good = false;
    if (!name || !getenv(name)) continue;
    good = rmx_strings_add(out, name);
    rmx_note(listener, "launch: sbatch does not get %s of the environment%s", name,
             strcmp(names.items[i], "TIMELIMIT") == 0 ? "; --time sets the limit"
                                                      : ", which would override the script");
  }
  return good ? RMX_OK : rmx_fail_memory(err, 0, "names of variables");
}

static const char *advice_for(const char *why) {
  static const struct {
    const char *part, *advice;
  } known[] = {{"partition", "`sinfo` lists the partitions; --partition chooses one"},
               {"ime limit", "`sinfo` shows the limits; --time sets a shorter one"},
               {"array", "--tasks N makes fewer tasks, each with more runs"},
               {"account", "--sbatch account=NAME names the account"},
               {"QOS", "--sbatch qos=NAME names a quality of service that you may use"},
               {"gres", "`sinfo -o %G` lists the GPUs of the nodes; --partition chooses others"},
               {"configuration is not available",
                "--cpus and --gpus may ask for more than a node "
                "has; `sinfo -N -l` lists the nodes"},
               {"ontact", "Slurm's controller does not answer; try again later"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strstr(why, known[i].part)) return known[i].advice;
  return "change the options, or submit the script by hand with other ones";
}

// The number of a job in a line "77", "77;cluster" or "Submitted batch job 77 on cluster x".
static size_t job_in(const char **line) {
  static const char words[] = "Submitted batch job ";
  const bool long_form = strncmp(*line, words, sizeof words - 1) == 0;
  if (long_form) *line += sizeof words - 1;
  const size_t digits = strspn(*line, "0123456789");
  const char after = (*line)[digits + strspn(*line + digits, " \t\r")];
  const bool ends = long_form || strchr("\n;", after);
  return digits && digits <= 10 && **line != '0' && ends ? digits : 0;
}

// Of the last line that has one. NULL: no line has, or there is no memory.
static char *last_job(const char *text) {
  char *id = NULL;
  for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
    const char *line = at;
    const size_t digits = job_in(&line);
    if (!digits) continue;
    free(id);
    id = rmx_format("%.*s", (int)digits, line);
  }
  return id;
}

// Why it is not known whether Slurm has the script; NULL: it is known.
static const char *doubt_in(struct rmx__reply *r, bool interrupted, const char *id) {
  static char text[64];
  *text = '\0';
  if (interrupted) return "this command was stopped before sbatch answered";
  if (r->timed_out) snprintf(text, sizeof text, "sbatch did not answer within %d s", RMX__SUBMIT_S);
  if (r->timed_out) return text;
  if (r->signal) snprintf(text, sizeof text, "sbatch was killed by signal %d", r->signal);
  if (r->signal) return text;
  if (r->missing) return NULL;
  // as a shell reports a program that was killed: sbatch may be a script that calls the real one
  if (r->code > 128 && r->code < 255 && r->errors.size == 0)
    snprintf(text, sizeof text, "sbatch ended with code %d and printed no reason", r->code);
  if (*text) return text;
  if (r->code != 0 && id) return "sbatch printed the number of a job and failed";
  if (r->code != 0 && strstr(rmx__reply_why(r), "timed out"))
    return "sbatch lost the connection to Slurm's controller";
  return r->code == 0 && !id ? "sbatch printed no number of a job" : NULL;
}

rmx_status rmx__sbatch(const char *const *words, const rmx_strings *hidden, const char *path,
                       char **id, bool *known, rmx_err *err) {
  RMX_OWNED_BY(rmx__reply_release) struct rmx__reply r = {0};
  const rmx_status status = rmx__call_without(words, hidden, RMX__SUBMIT_S, &r, err);
  if (status != RMX_OK && status != RMX_EINTERRUPTED) return status;
  RMX_OWNED char *found = last_job(rmx__reply_text(&r));
  const char *doubt = doubt_in(&r, status == RMX_EINTERRUPTED, found);
  *known = !doubt;
  if (doubt)
    return rmx_fail(
        err, status == RMX_OK ? RMX_EIO : status,
        "%s, so it is not known whether Slurm took %s; look with `squeue --me`. Before "
        "the next launch, end what is there of it with scancel and remove %s" RMX__ASKED,
        doubt, path, path);
  if (r.missing)
    return rmx_fail(err, RMX_EINPUT,
                    "sbatch cannot be started: the interpreter that its first line names is "
                    "missing. Nothing was submitted");
  if (r.code == 0) {
    *id = found;
    found = NULL;
    return RMX_OK;
  }
  const char *why = rmx__reply_why(&r);
  return rmx_fail(err, RMX_EINPUT, "sbatch refused %s: %s; %s. Nothing of it was submitted", path,
                  why, advice_for(why));
}
