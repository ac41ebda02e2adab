// SPDX-License-Identifier: Apache-2.0
// Parses the command line with the same tables that make the help.
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define AT(member) offsetof(cli_common, member)
const rmx_option cli_common_options[N_COMMON] = {
    {"experiment", RMX_TEXT, AT(folder), NULL, 0, 0, "DIR",
     "folder of the experiment (also -C); default: the current folder"},
    {"set", RMX_LIST, AT(settings), NULL, 0, 0, "KEY=VALUE",
     "setting that replaces the one in regmix.yaml; may be given several times"},
    {"json", RMX_BOOL, AT(json), "false", 0, 0, NULL,
     "print the result as one JSON object on stdout; an error is printed as {\"error\": "
     "{\"message\": ..., \"exit_code\": ...}}"},
    {"quiet", RMX_BOOL, AT(quiet), "false", 0, 0, NULL,
     "print no notes and no progress on stderr (also -q)"},
    {"verbose", RMX_BOOL, AT(verbose), "false", 0, 0, NULL,
     "print details on stderr: the program, the machine, the files that are read and written, the "
     "duration of each step (also -v)"},
};
#undef AT
_Static_assert(sizeof cli_common_options / sizeof *cli_common_options == N_COMMON,
               "count the common options");

static rmx_status unknown_option(const cli *c, const char *name, rmx_err *err) {
  const char *names[64];
  size_t n = 0, own_n;
  const rmx_option *own = rmx_command_options(c->command, &own_n);
  for (size_t i = 0; i < own_n && n < 56; i++) names[n++] = own[i].key;
  for (size_t i = 0; i < N_COMMON; i++) names[n++] = cli_common_options[i].key;
  int nearest = rmx_nearest(name, names, n);
  if (nearest >= 0)
    return rmx_fail(err, RMX_EUSAGE, "unknown option --%s; did you mean --%s?", name,
                    names[nearest]);
  return rmx_fail(err, RMX_EUSAGE, "unknown option --%s; `regmix %s --help` lists them", name,
                  c->command->name);
}

// An option that is no list has one value, which may be repeated.
static rmx_status check_once(cli *c, const rmx_option *o, const char *value, rmx_err *err) {
  if (o->type == RMX_LIST) return RMX_OK;
  for (size_t i = 0; i + 1 < c->given.n; i += 2) {
    const char *before = c->given.items[i + 1];
    if (strcmp(c->given.items[i], o->key) != 0) continue;
    if (strcmp(before, value) == 0) return RMX_OK;
    return rmx_fail(err, RMX_EUSAGE,
                    "--%s is given twice (%.200s, %.200s), and has one value; leave one of them "
                    "out",
                    o->key, before, value);
  }
  return rmx_strings_add(&c->given, o->key) && rmx_strings_add(&c->given, value)
             ? RMX_OK
             : rmx_fail_memory(err, strlen(value), "the command line");
}

// Sets one option given as `name` with `value` (NULL: none was attached). *used: whether the value
// came from `next`, the following word.
static rmx_status take_option(cli *c, const char *name, const char *value, const char *next,
                              bool *used, rmx_err *err) {
  size_t n;
  const rmx_option *table = rmx_command_options(c->command, &n);
  void *into = c->own;
  const rmx_option *o = rmx_option_find(table, n, name);
  if (!o) {
    table = cli_common_options;
    n = N_COMMON;
    into = &c->common;
    o = rmx_option_find(table, n, name);
  }
  *used = false;
  if (!o) return unknown_option(c, name, err);
  if (o->type == RMX_BOOL && !value) value = "true";
  if (!value) {
    if (!next)
      return rmx_fail(err, RMX_EUSAGE, "--%s needs a value (%s)", name,
                      o->choices ? o->choices : "VALUE");
    value = next;
    *used = true;
  }
  RMX_TRY(check_once(c, o, value, err));
  RMX_TRY(rmx_check_place(o, value, err));
  if (strcmp(o->key, "out") == 0 && cli_means_stdout(value)) {
    if (!o->choices || strcmp(o->choices, "FILE") != 0)
      return rmx_fail(err, RMX_EUSAGE,
                      "--out %s: a folder is written, which standard output cannot take; name one",
                      value);
    value = CLI_STDOUT;
    c->to_stdout = true;
  }
  c->part = c->part || strcmp(o->key, "slice") == 0;
  if (rmx_names_output(o)) RMX_TRY(rmx_keep_others(value, err));
  rmx_status status = rmx_option_set(table, n, into, name, value, err);
  if (status == RMX_EINPUT) status = rmx_fail(err, RMX_EUSAGE, "--%.900s", err->message);
  if (status == RMX_OK && into == c->own)
    status = rmx_command_keep_how(c->command, o, value, &c->how, err);
  return status;
}

static rmx_status take_word(cli *c, const char *word, rmx_err *err) {
  if ((int)c->words.n == c->command->max_words)
    return rmx_fail(err, RMX_EUSAGE, "\"%s\" is an unexpected word; see `regmix %s --help`", word,
                    c->command->name);
  return rmx_strings_add(&c->words, word) ? RMX_OK : rmx_fail_memory(err, 0, "the command line");
}

rmx_status cli_parse(cli *c, int argc, char **argv, bool *help, rmx_err *err) {
  *help = false;
  RMX_TRY(rmx_options_init(cli_common_options, N_COMMON, &c->common, err));
  size_t n;
  const rmx_option *options = rmx_command_options(c->command, &n);
  RMX_TRY(rmx_options_init(options, n, c->own, err));
  bool options_over = false;
  for (int i = 0; i < argc; i++) {
    const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;
    bool used = false;
    if (options_over || word[0] != '-' || !word[1]) {
      RMX_TRY(take_word(c, word, err));
    } else if (strcmp(word, "--") == 0) {
      options_over = true;
    } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
      *help = true;
      return RMX_OK;
    } else if (strcmp(word, "-q") == 0) {
      c->common.quiet = true;
    } else if (strcmp(word, "-v") == 0) {
      c->common.verbose = true;
    } else if (strncmp(word, "-C", 2) == 0) {
      RMX_TRY(take_option(c, "experiment", word[2] ? word + 2 : NULL, next, &used, err));
    } else if (strncmp(word, "-n", 2) == 0) {
      RMX_TRY(take_option(c, "runs", word[2] ? word + 2 : NULL, next, &used, err));
    } else if (word[1] == '-') {
      const char *equals = strchr(word, '=');
      char *name =
          equals ? rmx_format("%.*s", (int)(equals - word - 2), word + 2) : rmx_strdup(word + 2);
      if (!name) return rmx_fail_memory(err, 0, "the command line");
      rmx_status status = take_option(c, name, equals ? equals + 1 : NULL, next, &used, err);
      free(name);
      RMX_TRY(status);
    } else {
      return rmx_fail(err, RMX_EUSAGE,
                      "unknown option %s; options are written --name (or -C, -n, -q, -v, -h)",
                      word);
    }
    if (used) i++;
  }
  if (c->to_stdout && c->common.json)
    return rmx_fail(err, RMX_EUSAGE,
                    "--out to standard output and --json both want it; leave out one of them");
  return RMX_OK;
}
