// SPDX-License-Identifier: Apache-2.0
// pipeline REGMIX.YAML PROGRAM: runs a whole experiment, from text to report, as `regmix run` does.
// PROGRAM is the `regmix` program, which trains the runs as worker processes. Run it again after an
// interruption: it continues.
//
//   cc pipeline.c $(pkg-config --cflags --libs regmix) -o pipeline
#include <regmix/pipeline.h>
#include <stdio.h>
#include <stdlib.h>

static void note(void *context, const char *message) {
  (void)context;
  puts(message);
}

static void warn(void *context, const char *message) {
  (void)context;
  fprintf(stderr, "warning: %s\n", message);
}

static void progress(void *context, const char *what, double done, double total, const char *unit,
                     const char *detail) {
  (void)context, (void)unit, (void)detail;
  fprintf(stderr, "\r%s: %3.0f %%", what, total > 0 ? 100 * done / total : 0);
}

int main(int argc, char **argv) {
  rmx_err err = {0};
  rmx_pipeline p = {.listener = {.note = note, .warn = warn, .progress = progress}};
  if (argc != 3) return fprintf(stderr, "usage: pipeline REGMIX.YAML PROGRAM\n"), 2;
  p.program = argv[2];
  rmx_status status = rmx_pipeline_open(&p, NULL, argv[1], NULL, 0, &err);
  if (status == RMX_OK) status = rmx_pipeline_run(&p, &err);
  rmx_pipeline_release(&p);
  if (status != RMX_OK) fprintf(stderr, "pipeline: %s\n", err.message);
  return status == RMX_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
