// SPDX-License-Identifier: Apache-2.0
#include "move.h"

#include <errno.h>
#include <regmix/base.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool rmx__move(const char *from, const char *to) {
  char first = '/';
  if (readlink(from, &first, 1) < 0 || first == '/') return rename(from, to) == 0;
  RMX_OWNED char *target = rmx_realpath(from);
  if (!target) return rename(from, to) == 0;  // it leads to nothing already
  return symlink(target, to) == 0 && unlink(from) == 0;
}
