// SPDX-License-Identifier: Apache-2.0
// A build without MPI.
#include "comm.h"

const struct rmx__mpi rmx__mpi = {0};
