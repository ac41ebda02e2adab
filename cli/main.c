// SPDX-License-Identifier: Apache-2.0
// regmix: the command line. It finds the command, parses its options, runs it and turns the
// library's status into an exit code: 0 done, 1 failed, 2 misuse, 130 interrupted, 75 interrupted
// by SIGUSR1.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/asset.h"
#include "cli.h"

// In the order of the pipeline: --help and the man page list them so.
static const rmx_command *const commands[] = {
    &cli_run,        &cli_init,     &cli_check,    &cli_plan,    &cli_prepare, &cli_sample,
    &cli_train,      &cli_launch,   &cli_fit,      &cli_score,   &cli_predict, &cli_correlate,
    &cli_optimize,   &cli_suggest,  &cli_pretrain, &cli_compare, &cli_report,  &cli_export,
    &cli_domains,    &cli_status,   &cli_gc,       &cli_encode,  &cli_eval,    &cli_logits,
    &cli_generate,   &cli_doctor,   &cli_bench,    &cli_worker,  &cli_help,    &cli_man,
    &cli_completion, &cli_complete,
};
// docs/commands/, by the build.
extern const rmx__asset cli_texts[];
extern const size_t cli_texts_n;
static const char *text_of(const char *command) {
  for (size_t i = 0; i < cli_texts_n; i++)
    if (strcmp(cli_texts[i].name, command) == 0) return cli_texts[i].data;
  return NULL;
}

static const rmx_program program = {.commands = commands,
                                    .n = sizeof commands / sizeof *commands,
                                    .common = cli_common_options,
                                    .n_common = N_COMMON,
                                    .text = text_of};

// LATER: a batch system asked for the end, with SIGUSR1, before a time limit, and is to start the
// command again. EX_TEMPFAIL of sysexits.h.
enum { DONE = 0, FAILED = 1, MISUSE = 2, LATER = 75, INTERRUPTED = 130 };

static volatile sig_atomic_t interrupt_code = INTERRUPTED;
// The second signal ends the program at once: every file is whole at any moment. One that comes
// within a second is the first once more: batch systems signal every process of a job, and then its
// script passes the signal on.
static void on_signal(int number) {
  static volatile double first_s;
  if (!rmx_interrupted()) {
    first_s = rmx_now();
  } else if (rmx_now() - first_s > 1) {
    rmx_abandon_files();
    _exit(interrupt_code);
  }
  if (number == SIGUSR1) interrupt_code = LATER;
  rmx_interrupt();
}

// Writes fail if the reader has closed the pipe (regmix ... | head). This tells it apart from a
// full disk.
static volatile sig_atomic_t reader_left;
static void on_broken_pipe(int number) {
  reader_left = 1;
}

static void take_signals(void) {
  const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  struct sigaction action = {.sa_handler = on_signal};
  for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
    struct sigaction had;
    // nohup ignores SIGHUP on purpose. A shell script that starts us in the background also ignores
    // SIGINT for us, but may still send it.
    if (stops[i] == SIGHUP && sigaction(stops[i], NULL, &had) == 0 && had.sa_handler == SIG_IGN)
      continue;
    sigaction(stops[i], &action, NULL);
  }
  action.sa_handler = on_broken_pipe;
  sigaction(SIGPIPE, &action, NULL);
  signal(SIGXFSZ, SIG_IGN);  // beyond `ulimit -f` a write then fails, with a message
}

// If a small allocation fails, the program ends at once, as after a kill, which every file
// survives. jansson in particular would silently leave parts out of its trees. If a large
// allocation fails, the caller reports what it was for.
static bool json_wanted;
static void on_shortage(size_t bytes) {
  static const char json[] = "{\"error\": {\"message\": \"no memory\", \"exit_code\": 1}}\n";
  enum { MUCH = 1 << 20 };
  char text[128];
  if (bytes >= MUCH) return;
  int n = snprintf(
      text, sizeof text,
      "regmix: no memory: the system refused %zu bytes; the files on disk are complete\n", bytes);
  rmx_abandon_files();
  if (write(STDERR_FILENO, text, (size_t)n) < 0 ||
      (json_wanted && !cli_printed_json() && write(STDOUT_FILENO, json, sizeof json - 1) < 0))
    _exit(FAILED);
  _exit(FAILED);
}

static void *json_memory(size_t bytes) {
  return rmx_realloc(NULL, bytes, 1);
}

static void watch_memory(bool json) {
  json_wanted = json;
  rmx_on_shortage(on_shortage);
  json_set_alloc_funcs(json_memory, free);
}

// If stdin, stdout or stderr is closed, the next file that is opened gets its number, and printed
// text would go into that file. So each closed one is opened for the wrong direction: using it then
// fails, as it should.
static void hold_standard_files(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
        open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
      _exit(FAILED);
}

// If stdout and stderr are one file, as with `2>&1`, stdout is written line by line. So the lines
// of both keep their order, and none begins within another.
static void keep_order_of_lines(void) {
  struct stat out, err;
  if (fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
      out.st_dev == err.st_dev && out.st_ino == err.st_ino)
    setvbuf(stdout, NULL, _IOLBF, 0);
}

static int code_of(rmx_status status) {
  if (status == RMX_OK) return DONE;
  // after an interrupt, a failure counts as the interrupt
  if (status == RMX_EINTERRUPTED || rmx_interrupted()) return interrupt_code;
  return status == RMX_EUSAGE ? MISUSE : FAILED;
}

// A pipe without a reader. Files that `--out -` writes there have a stream of their own.
static bool stdout_is_broken(void) {
  struct pollfd out = {.fd = STDOUT_FILENO};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

// The end of every command. It flushes stdout; if that fails, the command has failed. A failure is
// printed on stderr and, with --json, as the one object on stdout.
static int finish(const char *name, rmx_status status, rmx_err *err, bool json) {
  if (status == RMX_OK && json && !cli_printed_json())
    status = rmx_fail_memory(err, 0, "the result");
  if (status == RMX_OK && (fflush(stdout) != 0 || ferror(stdout)))
    status = rmx_fail_errno(err, "cannot write the output");
  // end as a program that does not catch the signal
  if (status != RMX_OK && reader_left && (ferror(stdout) || stdout_is_broken())) {
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  const int code = code_of(status);
  if (status == RMX_OK) return code;
  RMX_OWNED char *line =
      rmx_format("regmix%s%s: %s\n", name ? " " : "", name ? name : "", err->message);
  if (line) rmx_print_wrapped(stderr, line, 0);
  if (json && !cli_printed_json())
    cli_print_json(
        json_pack("{s:{s:s, s:i}}", "error", "message", err->message, "exit_code", code));
  fflush(stdout);
  return code;
}

static rmx_status unknown_command(const char *name, rmx_err *err) {
  const char *names[64];
  for (size_t i = 0; i < program.n; i++) names[i] = commands[i]->name;
  int nearest = rmx_nearest(name, names, program.n);
  if (nearest >= 0)
    return rmx_fail(err, RMX_EUSAGE, "no command \"%s\"; did you mean \"%s\"?", name,
                    names[nearest]);
  return rmx_fail(err, RMX_EUSAGE, "no command \"%s\"; `regmix --help` lists them", name);
}

// The path of the running program, for starting workers. PATH could name another one.
static char *own_path(const char *argv0) {
  char path[4096];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  if (n <= 0) return rmx_strdup(argv0);
  path[n] = '\0';
  return rmx_strdup(path);
}

// The other ranks wait for what the first one has to train. One that fails alone ends all.
static rmx_status serve(cli *c, rmx_err *err) {
  c->listener = rmx_terminal(true, false);
  const rmx_status status = rmx_swarm_serve(&(rmx_ranks){c->comm, c->program, &c->listener}, err);
  if (status == RMX_OK) return status;
  fprintf(stderr, "regmix: rank %d: %s\n", rmx_comm_rank(c->comm), err->message);
  rmx_comm_abort(c->comm, code_of(status));
  return status;
}

// srun starts as many processes as a job has tasks, if it is not told otherwise.
static void warn_of_tasks(const cli *c) {
  const char *number = getenv("SLURM_PROCID");
  const int n = rmx_comm_tasks();
  if (n < 2 || c->part || !number || strcmp(number, "0") != 0) return;
  rmx_warn(&c->listener,
           "srun started %d processes of this command, and this regmix was built without MPI: each "
           "of them does all of it, though no run is trained twice. `srun -n 1` starts one",
           n);
}

// All ranks were given the same options.
static rmx_status are_alike(const cli *c, int argc, char **argv, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf line = {0};
  if (rmx_comm_size(c->comm) < 2) return RMX_OK;
  rmx_buf_puts(&line, c->command->name);
  for (int i = 0; i < argc; i++) rmx_buf_printf(&line, " %s", argv[i]);
  if (!line.failed) return rmx_comm_alike(c->comm, line.data, err);
  rmx_comm_abort(c->comm, FAILED);
  return rmx_fail_memory(err, line.size, "the command line");
}

// The first rank, or the only process, runs the command. Processes that are given parts of the runs
// work alone if this build has no MPI, whoever started them, and if srun started them: each has a
// part of its own then. Of mpirun they are ranks that train one part together.
static rmx_status run_ranks(cli *c, int argc, char **argv, rmx_err *err) {
  const bool alone = c->part && (!rmx_comm_library() || rmx_comm_by_srun());
  if (!alone) RMX_TRY(rmx_comm_open(&c->comm, err));
  RMX_TRY(are_alike(c, argc, argv, err));
  warn_of_tasks(c);
  if (rmx_comm_rank(c->comm) > 0) return serve(c, err);
  rmx_comm_listen(c->comm, &c->listener);
  c->pipeline.comm = c->comm;
  const rmx_status status = c->command->run(c, err);
  rmx_swarm_dismiss(c->comm);
  return status;
}

static rmx_status run_command(cli *c, int argc, char **argv, bool json, rmx_err *err) {
  bool help = false;
  c->own = rmx_calloc(1, c->command->own_size);
  if (!c->own) return rmx_fail_memory(err, 0, "options");
  RMX_TRY(cli_parse(c, argc, argv, &help, err));
  if (help) {
    if (json)  // --json may follow --help
      cli_print_json(rmx_help_command_json(&program, c->command));
    else
      rmx_help_command(&program, c->command, stdout);
    return RMX_OK;
  }
  c->listener = rmx_terminal(c->common.quiet, c->common.verbose);
  cli_tell_version(&c->listener);
  const double began = rmx_now();
  char time[32];
  rmx_status status = run_ranks(c, argc, argv, err);
  rmx_terminal_clear();
  const rmx_strings *kept = rmx_kept_others();
  for (size_t i = 0; i < kept->n; i++)
    rmx_note(&c->listener, "what was in that file is kept in %s", kept->items[i]);
  rmx_detail(&c->listener, "%s took %s", c->command->name, rmx_duration(rmx_now() - began, time));
  return status;
}

static void release(cli *c) {
  size_t n;
  const rmx_option *options = rmx_command_options(c->command, &n);
  if (c->own) rmx_options_release(options, n, c->own);
  rmx_strings_release(&c->given);
  rmx_strings_release(&c->how);
  rmx_forget_others();
  rmx_options_release(cli_common_options, N_COMMON, &c->common);
  rmx_strings_release(&c->words);
  rmx_pipeline_release(&c->pipeline);
  free(c->own);
  free((char *)c->program);
}

static bool is_among(int argc, char **argv, const char *word) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (strcmp(argv[i], word) == 0) return true;
  return false;
}

// Typed words appear in the output, and JSON may contain only UTF-8.
static rmx_status only_utf8(int argc, char **argv, rmx_err *err) {
  size_t at;
  for (int i = 2; i < argc; i++)
    if (!rmx_is_utf8(argv[i], strlen(argv[i]), &at))
      return rmx_fail(
          err, RMX_EUSAGE,
          "\"%s\" is not UTF-8, but JSON must be UTF-8; leave out --json, or give another name",
          argv[i]);
  return RMX_OK;
}

static int run(int argc, char **argv) {
  hold_standard_files();
  keep_order_of_lines();
  take_signals();
  rmx_err err = {0};
  const char *name = argc > 1 ? argv[1] : "";
  // looked up before the command line is parsed, which may fail
  const bool json = is_among(argc, argv, "--json");
  watch_memory(json);
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    if (json)
      cli_print_json(rmx_help_overview_json(&program));
    else
      rmx_help_overview(&program, stdout);
    return finish(NULL, RMX_OK, &err, json);
  }
  if (strcmp(name, "--version") == 0) {
    cli_print_version(json);
    return finish(NULL, RMX_OK, &err, json);
  }
  if (!*name) {
    rmx_help_overview(&program, stderr);
    return MISUSE;
  }
  if (name[0] == '-')
    return finish(NULL,
                  rmx_fail(&err, RMX_EUSAGE,
                           "the command must come before its options: regmix COMMAND [options]"),
                  &err, json);
  cli c = {.all = &program, .command = rmx_command_find(&program, name)};
  if (!c.command) return finish(NULL, unknown_command(name, &err), &err, json);
  if (json && only_utf8(argc, argv, &err) != RMX_OK) return finish(name, err.status, &err, json);
  c.program = own_path(argv[0]);
  rmx_status status = c.program ? run_command(&c, argc - 2, argv + 2, json, &err)
                                : rmx_fail_memory(&err, 0, "a path");
  int code = rmx_comm_rank(c.comm) > 0 ? code_of(status) : finish(name, status, &err, json);
  rmx_comm_close(c.comm);
  release(&c);
  return code;
}

int main(int argc, char **argv) {
  const int code = run(argc, argv);
  struct rlimit space;
  // If address space is limited, the threads of OpenBLAS may wait for memory for ever, and its exit
  // handler waits for these threads.
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
    fflush(NULL);
    _exit(code);
  }
  return code;
}
