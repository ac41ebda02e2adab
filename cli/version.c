// SPDX-License-Identifier: Apache-2.0
// Prints the version, commit and compiler of the program, and the processor level and BLAS that it
// would use.
#include <regmix/comm.h>
#include <regmix/corpus.h>
#include <regmix/kernels.h>
#include <regmix/regress.h>
#include <string.h>

#include "cli.h"

static const char *compiler(void) {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}

static const char *level(void) {
  const rmx_kernels *k;
  rmx_err err;
  return rmx_kernels_get(NULL, &k, &err) == RMX_OK ? rmx_kernels_name(k) : "none";
}

// "liblzma, libbz2": libraries for kinds of text that are there, or not.
static const char *libraries(bool there, char out[200]) {
  size_t n, at = 0;
  const rmx_library *all = rmx_corpus_libraries(&n);
  out[0] = '\0';
  for (size_t i = 0; i < n; i++)
    if (all[i].there == there)
      at += (size_t)snprintf(out + at, 200 - at, "%s%s", at ? ", " : "", all[i].name);
  return *out ? out : "none";
}

static json_t *libraries_json(void) {
  json_t *o = json_object();
  size_t n;
  const rmx_library *all = rmx_corpus_libraries(&n);
  for (size_t i = 0; i < n; i++) json_object_set_new(o, all[i].name, json_boolean(all[i].there));
  return o;
}

void cli_print_version(bool json) {
  char blas[RMX_BLAS_NAME];
  rmx_blas_name(blas);
  if (json) {
    cli_print_json(json_pack("{s:s, s:o, s:s, s:s, s:s, s:s?, s:o}", "version", rmx_version(),
                             "commit", *cli_commit ? json_string(cli_commit) : json_null(),
                             "compiler", compiler(), "blas", blas, "isa", level(), "mpi",
                             rmx_comm_library(), "libraries", libraries_json()));
    return;
  }
  printf("regmix %s\n", rmx_version());
  if (*cli_commit) printf("commit           %s\n", cli_commit);
  char with[200], without[200];
  printf("compiler         %s\nBLAS             %s\nprocessor level  %s\n", compiler(), blas,
         level());
  if (rmx_comm_library()) printf("MPI              %s\n", rmx_comm_library());
  printf("text             with %s; without %s\n", libraries(true, with),
         libraries(false, without));
}

void cli_tell_version(const rmx_listener *to) {
  char blas[RMX_BLAS_NAME];
  rmx_blas_name(blas);
  rmx_detail(to, "regmix %s%s%s, compiled with %s", rmx_version(), *cli_commit ? ", commit " : "",
             cli_commit, compiler());
  rmx_detail(to, "processor level %s, %d processors, BLAS %s", level(), rmx_processors(), blas);
}
