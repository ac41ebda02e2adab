// SPDX-License-Identifier: Apache-2.0
// Reports the files that the library reads and writes to the handler of rmx_on_file.
#ifndef RMX_BASE_OPENED_H
#define RMX_BASE_OPENED_H

#include <stdbool.h>

void rmx__opened(const char *path, bool wrote);

#endif
