// SPDX-License-Identifier: Apache-2.0
/* import_folder.h: a folder of tables, and what was said of them in `told`. */
#ifndef RMX_TESTS_IMPORT_FOLDER_H
#define RMX_TESTS_IMPORT_FOLDER_H

#include "testing.h"

static char folder[64];
static char told[8192];

static inline void listen_to(void *context, const char *message) {
  (void)context;
  size_t n = strlen(told);
  snprintf(told + n, sizeof told - n, "%s\n", message);
}
static const rmx_listener listener = {.note = listen_to, .warn = listen_to};

static inline void begin(void) {
  told[0] = '\0';
  snprintf(folder, sizeof folder, "%s/XXXXXX", scratch_folder);
  ck_assert_ptr_nonnull(mkdtemp(folder));
}
static inline void end(void) {
  must(rmx_remove_tree(folder, err));
}
static inline void heard(const char *text) {
  ck_assert_msg(strstr(told, text) != NULL, "nobody told \"%s\", but: %s", text, told);
}

/* Writes a file under the folder, with the folders above it. The last eight paths stay. */
static inline const char *file_of(const char *name, const void *data, size_t size) {
  static char path[8][256];
  static int turn;
  char *p = path[turn++ % 8];
  snprintf(p, 256, "%s/%s", folder, name);
  char *slash = strrchr(p, '/');
  *slash = '\0';
  must(rmx_mkdirs(p, err));
  *slash = '/';
  must(rmx_write_file(p, data, size, err));
  return p;
}
static inline const char *file(const char *name, const char *text) {
  return file_of(name, text, strlen(text));
}

#endif
