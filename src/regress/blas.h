// SPDX-License-Identifier: Apache-2.0
// BLAS and LAPACK, checked before they are used.
#ifndef RMX_REGRESS_BLAS_H
#define RMX_REGRESS_BLAS_H

#include <regmix/regress.h>

// Holds BLAS to one thread. The first call also solves a system whose solution is known.
// RMX_ENUMERIC: BLAS solves it wrongly; RMX_ENOMEM: BLAS lacks address space.
rmx_status rmx__blas_ready(rmx_err *err);
// To be called before and after BLAS and LAPACK: some builds work in one thread only.
void rmx__blas_enter(void);
void rmx__blas_leave(void);

#endif
