// SPDX-License-Identifier: Apache-2.0
// regmix help, man, completion and complete: print the tables of commands and options.
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static rmx_status unknown(const char *name, rmx_err *err) {
  return rmx_fail(err, RMX_EUSAGE, "no command \"%s\"; `regmix help` lists them", name);
}

static rmx_status run_help(cli *c, rmx_err *err) {
  const char *word = c->words.n ? c->words.items[0] : NULL;
  const bool json = c->common.json, config = word && strcmp(word, "config") == 0;
  const rmx_command *command = word && !config ? rmx_command_find(c->all, word) : NULL;
  if (word && !config && !command) return unknown(word, err);
  if (json)
    cli_print_json(config    ? rmx_help_config_json()
                   : command ? rmx_help_command_json(c->all, command)
                             : rmx_help_overview_json(c->all));
  else if (config)
    rmx_help_config(stdout);
  else if (command)
    rmx_help_command(c->all, command, stdout);
  else
    rmx_help_overview(c->all, stdout);
  return RMX_OK;
}

static void print_man(const cli *c, const rmx_command *command, bool config, FILE *f) {
  if (config)
    rmx_man_config(f);
  else if (command)
    rmx_man_command(c->all, command, f);
  else
    rmx_man_overview(c->all, f);
}

static rmx_status run_man(cli *c, rmx_err *err) {
  const char *word = c->words.n ? c->words.items[0] : NULL;
  const bool config = word && strcmp(word, "config") == 0;
  const rmx_command *command = word && !config ? rmx_command_find(c->all, word) : NULL;
  if (word && !config && !command) return unknown(word, err);
  if (!c->common.json) {
    print_man(c, command, config, stdout);
    return RMX_OK;
  }
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (f) print_man(c, command, config, f);
  const bool good = f && fclose(f) == 0;
  if (good) cli_print_json(json_pack("{s:s}", "text", text));
  free(text);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a text");
}

static rmx_status run_completion(cli *c, rmx_err *err) {
  const char *shell = c->words.n ? c->words.items[0] : "bash",
             *script = rmx_completion_script(shell);
  if (!script)
    return rmx_fail(err, RMX_EUSAGE, "no completion for \"%s\"; wanted bash, zsh or fish", shell);
  if (c->common.json)
    cli_print_json(json_pack("{s:s}", "text", script));
  else
    fputs(script, stdout);
  return RMX_OK;
}

static rmx_status run_complete(cli *c, rmx_err *err) {
  (void)err;
  json_t *list = c->common.json ? json_array() : NULL;
  rmx_complete(c->all, c->words.items, c->words.n, stdout, list);
  if (list) cli_print_json(json_pack("{s:o}", "candidates", list));
  return RMX_OK;
}

const rmx_command cli_help = {
    .name = "help",
    .words = "[COMMAND|config]",
    .max_words = 1,
    .run = run_help,
    .summary = "print the help of a command, or of the keys of regmix.yaml (`regmix help config`)",
};
const rmx_command cli_man = {
    .name = "man",
    .words = "[COMMAND|config]",
    .max_words = 1,
    .run = run_man,
    .hidden = true,
    .summary = "print a man page",
};
const rmx_command cli_completion = {
    .name = "completion",
    .words = "[bash|zsh|fish]",
    .max_words = 1,
    .run = run_completion,
    .hidden = true,
    .summary = "print the completion script of a shell",
};
const rmx_command cli_complete = {
    .name = "complete",
    .words = "[WORD...]",
    .max_words = 100000,
    .run = run_complete,
    .hidden = true,
    .summary = "print the candidates for the last word of a command line, one per line",
};
