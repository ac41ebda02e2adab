// SPDX-License-Identifier: Apache-2.0
// Prints the version, commit and compiler of the program, and the processor level and BLAS that it
// would use.
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

void cli_print_version(bool json) {
  char blas[RMX_BLAS_NAME];
  rmx_blas_name(blas);
  if (json) {
    cli_print_json(json_pack("{s:s, s:o, s:s, s:s, s:s}", "version", rmx_version(), "commit",
                             *cli_commit ? json_string(cli_commit) : json_null(), "compiler",
                             compiler(), "blas", blas, "isa", level()));
    return;
  }
  printf("regmix %s\n", rmx_version());
  if (*cli_commit) printf("commit           %s\n", cli_commit);
  printf("compiler         %s\nBLAS             %s\nprocessor level  %s\n", compiler(), blas,
         level());
}

void cli_tell_version(const rmx_listener *to) {
  char blas[RMX_BLAS_NAME];
  rmx_blas_name(blas);
  rmx_detail(to, "regmix %s%s%s, compiled with %s", rmx_version(), *cli_commit ? ", commit " : "",
             cli_commit, compiler());
  rmx_detail(to, "processor level %s, %d processors, BLAS %s", level(), rmx_processors(), blas);
}
