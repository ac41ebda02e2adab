// SPDX-License-Identifier: Apache-2.0
// See blas.h. Some builds of OpenBLAS pick kernels that compute wrongly on processors newer than
// the build, so a system whose solution is known is solved once. BLAS uses one thread, so that sums
// have one order; the threads are ours.
//
// OpenBLAS built for one thread hands out its scratch memory without a lock. Two of our threads
// inside it can get the same scratch and compute wrong results, so a lock admits one at a time.

#include "blas.h"

#include <lapacke.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

extern void openblas_set_num_threads(int n) __attribute__((weak));
extern char *openblas_get_config(void) __attribute__((weak));
extern char *openblas_get_corename(void) __attribute__((weak));
extern int openblas_get_parallel(void) __attribute__((weak));  // 0: built for one thread
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

void rmx__blas_enter(void) {
  if (openblas_get_parallel && openblas_get_parallel() == 0) pthread_mutex_lock(&one_at_a_time);
}

void rmx__blas_leave(void) {
  if (openblas_get_parallel && openblas_get_parallel() == 0) pthread_mutex_unlock(&one_at_a_time);
}

enum { ORDER = 96 };  // large enough for the blocked, packed kernels
static pthread_once_t once = PTHREAD_ONCE_INIT;
static double residual;

// A = L L' with L_ij = 1 / (1 + i - j) (unit diagonal times 4), x = 1..n: then b = A x and x is
// known.
static void try_cholesky(void) {
  static double a[ORDER * ORDER], b[ORDER];
  residual = 0;
  for (int i = 0; i < ORDER; i++)
    for (int j = 0; j <= i; j++) {
      double sum = 0;
      for (int k = 0; k <= j; k++)
        sum += (i == k ? 4 : 1.0 / (1 + i - k)) * (j == k ? 4 : 1.0 / (1 + j - k));
      a[i * ORDER + j] = a[j * ORDER + i] = sum;
    }
  for (int i = 0; i < ORDER; i++) {
    b[i] = 0;
    for (int j = 0; j < ORDER; j++) b[i] += a[i * ORDER + j] * (j + 1);
  }
  if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', ORDER, a, ORDER) != 0 ||
      LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', ORDER, 1, a, ORDER, b, 1) != 0) {
    residual = INFINITY;
    return;
  }
  for (int i = 0; i < ORDER; i++) {
    double off = fabs(b[i] - (i + 1));
    if (!(off <= residual)) residual = off;
  }
}

// OpenBLAS maps a scratch for each thread that calls it. Where the system refuses, it tries again
// for ever. So we first map what it may want, and unmap it: 32 MiB for each of our threads and for
// two of its own, and the same again for the stack and the heap of each thread.
static pthread_once_t mapping_once = PTHREAD_ONCE_INIT;
static size_t lacking;

static void try_mapping(void) {
  enum { SCRATCH = 64 << 20, ITS_OWN = 2 };
  const size_t bytes = (size_t)SCRATCH * (size_t)(rmx_processors() + ITS_OWN);
  void *p =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED)
    lacking = bytes;
  else
    munmap(p, bytes);
}

rmx_status rmx__blas_ready(rmx_err *err) {
  pthread_once(&mapping_once, try_mapping);
  if (lacking)
    return rmx_fail(err, RMX_ENOMEM,
                    "no %.0f MB of address space for the linear algebra (OpenBLAS): raise the "
                    "limit (`ulimit -v` shows it, in kB; "
                    "`ulimit -v unlimited` lifts it)",
                    (double)lacking / 1e6);
  if (openblas_set_num_threads) openblas_set_num_threads(1);
  pthread_once(&once, try_cholesky);
  if (residual < 1e-8) return RMX_OK;
  return rmx_fail(
      err, RMX_ENUMERIC,
      "the BLAS library solves a known %d x %d system wrongly (off by %g): its kernels do not "
      "suit this processor; set "
      "OPENBLAS_CORETYPE=Haswell in the environment, or install a newer OpenBLAS",
      ORDER, ORDER, residual);
}

rmx_status rmx_blas_check(rmx_err *err) {
  return rmx__blas_ready(err);
}

void rmx_blas_name(char out[RMX_BLAS_NAME]) {
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the first two words.
  const char *config = openblas_get_config ? openblas_get_config() : "not OpenBLAS";
  size_t n = strcspn(config, " ");
  if (config[n]) n += 1 + strcspn(config + n + 1, " ");
  const char *core = openblas_get_corename ? openblas_get_corename() : NULL;
  snprintf(out, RMX_BLAS_NAME, "%.*s%s%s", (int)n, config, core ? ", kernels " : "",
           core ? core : "");
}
