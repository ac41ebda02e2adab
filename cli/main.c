// SPDX-License-Identifier: Apache-2.0
// regmix: the command line. Finds the command, parses its options, runs it, and turns
// the library's status into an exit code: 0 done, 1 failed, 2 misuse.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

// In the order of the pipeline: --help and the man page list them so.
const cli_command *const cli_commands[] = {
    &cli_run,   &cli_init,    &cli_plan,     &cli_prepare,  &cli_sample,  &cli_train,  &cli_fit,
    &cli_score, &cli_predict, &cli_optimize, &cli_suggest, &cli_pretrain, &cli_compare, &cli_report, &cli_export, &cli_domains, &cli_status, &cli_gc,
    &cli_bench, &cli_worker,  &cli_help,     &cli_man,      &cli_completion,
};
const size_t cli_commands_n = sizeof cli_commands / sizeof *cli_commands;

const cli_command *cli_find(const char *name) {
  for (size_t i = 0; i < cli_commands_n; i++)
    if (strcmp(cli_commands[i]->name, name) == 0) return cli_commands[i];
  return NULL;
}

// The second Ctrl-C ends the program at once: every file is whole at any moment.
static void on_signal(int number) {
  if (rmx_interrupted()) _exit(128 + number);
  rmx_interrupt();
}

static int misuse(const char *message) {
  fprintf(stderr, "regmix: %s\n", message);
  return 2;
}

static int unknown_command(const char *name) {
  const char *names[64];
  for (size_t i = 0; i < cli_commands_n; i++) names[i] = cli_commands[i]->name;
  int nearest = rmx_nearest(name, names, cli_commands_n);
  if (nearest >= 0) fprintf(stderr, "regmix: no command \"%s\"; did you mean \"%s\"?\n", name, names[nearest]);
  else fprintf(stderr, "regmix: no command \"%s\"; `regmix --help` lists them\n", name);
  return 2;
}

// The file of this program, for starting workers: the one that runs, not what PATH says.
static char *own_path(const char *argv0) {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return rmx_strdup(argv0);
  path[n] = '\0';
  return rmx_strdup(path);
}

static int run_command(const cli_command *command, int argc, char **argv, const char *program) {
  rmx_err err = {0};
  bool help = false, may_redo = false;
  cli c = {.command = command, .program = program, .may_redo = &may_redo, .own = rmx_calloc(1, command->own_size)};
  rmx_status status = c.own ? cli_parse(&c, argc, argv, &help, &err) : rmx_fail_memory(&err, 0, "options");
  if (status == RMX_OK && help) {
    cli_print_help(stdout, command);
  } else if (status == RMX_OK) {
    c.listener = cli_terminal(c.common.quiet);
    status = command->run(&c, &err);
    cli_clear_progress();
    if (status == RMX_OK && (fflush(stdout) != 0 || ferror(stdout))) status = rmx_fail_errno(&err, "cannot write the output");
  }
  if (status != RMX_OK) fprintf(stderr, "regmix %s: %s\n", command->name, err.message);
  rmx_options_release(command->options, command->n_options, c.own);
  rmx_options_release(cli_common_options, cli_common_options_n, &c.common);
  rmx_strings_release(&c.words);
  free(c.own);
  return status == RMX_OK ? 0 : status == RMX_EUSAGE ? 2 : 1;
}

int main(int argc, char **argv) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  signal(SIGPIPE, SIG_IGN);  // a reader that left is a write error like any other
  if (argc < 2) {
    cli_print_overview(stderr);
    return 2;
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    cli_print_overview(stdout);
    return 0;
  }
  if (strcmp(name, "--version") == 0) {
    printf("regmix %s\n", rmx_version());
    return 0;
  }
  if (name[0] == '-') return misuse("the command comes first, its options behind it: regmix COMMAND [options]");
  const cli_command *command = cli_find(name);
  if (!command) return unknown_command(name);
  char *program = own_path(argv[0]);
  if (!program) return misuse("no memory");
  int code = run_command(command, argc - 2, argv + 2, program);
  free(program);
  return code;
}
