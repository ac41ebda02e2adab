// SPDX-License-Identifier: Apache-2.0
// Lines of ids to logits, in NumPy's format.
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/npy.h"
#include "items.h"

struct ids {
  int32_t *list;
  size_t n, capacity;
};

static rmx_status parse(const char *line, size_t size, const char *where, struct ids *ids,
                        rmx_err *err) {
  ids->n = 0;
  for (const char *p = line;; ids->n++) {
    while (isspace((unsigned char)*p)) p++;
    if (p == line + size) return RMX_OK;
    char *end;
    errno = 0;
    const long x = strtol(p, &end, 10);
    if (end == p || errno || x < 0 || x > INT32_MAX || (*end && !isspace((unsigned char)*end)))
      return rmx_fail(err, RMX_EINPUT, "%s: number %zu of the line is not an id", where,
                      ids->n + 1);
    if (ids->n == ids->capacity) {
      const size_t more = ids->capacity ? 2 * ids->capacity : 256;
      int32_t *grown = rmx_realloc(ids->list, more, sizeof *grown);
      if (!grown) return rmx_fail_memory(err, more * sizeof *grown, "a sequence of ids");
      ids->list = grown;
      ids->capacity = more;
    }
    ids->list[ids->n] = (int32_t)x;
    p = end;
  }
}

static rmx_status write_line(rmx_lm *m, const char *line, size_t size, const char *where,
                             struct ids *ids, FILE *out, rmx_err *err) {
  const size_t V = (size_t)rmx_lm_config_of(m)->vocab;
  RMX_TRY(parse(line, size, where, ids, err));
  if (ids->n == 0) return RMX_OK;
  if (ids->n > (size_t)rmx_lm_config_of(m)->context)  // before memory for it is asked for
    return rmx_fail(err, RMX_EINPUT, "%s: %zu ids are longer than the model's context of %lld",
                    where, ids->n, (long long)rmx_lm_config_of(m)->context);
  RMX_OWNED float *logits = rmx_calloc(ids->n * V, sizeof *logits);
  if (!logits) return rmx_fail_memory(err, ids->n * V * sizeof *logits, "logits");
  if (rmx_lm_logits(m, ids->list, ids->n, logits, err) != RMX_OK)
    return rmx_fail_in(err, "%s", where);
  fwrite(logits, sizeof *logits, ids->n * V, out);
  return rmx_interrupted() ? rmx_fail(err, RMX_EINTERRUPTED, "interrupted") : RMX_OK;
}

static rmx_status write_lines(rmx_lm *m, FILE *in, const char *name, FILE *out, size_t *rows,
                              rmx_err *err) {
  RMX_OWNED char *line = NULL;
  size_t capacity = 0, number = 1;
  ssize_t size;
  struct ids ids = {0};
  rmx_status status = RMX_OK;
  for (; status == RMX_OK && (size = getline(&line, &capacity, in)) >= 0; number++) {
    RMX_OWNED char *where = rmx_format("%s:%zu", name, number);
    status = where ? write_line(m, line, (size_t)size, where, &ids, out, err)
                   : rmx_fail_memory(err, 0, "a place in a file");
    *rows += ids.n;
  }
  free(ids.list);
  if (status == RMX_OK && ferror(in)) return rmx_fail_errno(err, "cannot read %s", name);
  return status;
}

rmx_status rmx_eval_logits(rmx_lm *m, FILE *in, const char *name, const char *path, rmx_err *err) {
  const size_t V = (size_t)rmx_lm_config_of(m)->vocab;
  rmx_outfile out = {0};
  size_t rows = 0;
  RMX_TRY(rmx_outfile_open(&out, path, err));
  rmx__npy_header(out.file, "<f4", 0, V);  // the rows are known at the end
  rmx_status status = write_lines(m, in, name, out.file, &rows, err);
  if (status == RMX_OK && rows == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: has no ids: wanted a line of numbers a sequence", name);
  if (status == RMX_OK && fseek(out.file, 0, SEEK_SET) != 0)
    status =
        rmx_fail(err, RMX_EUSAGE,
                 "%s: the size of the array is known only at the end, so it must be a file", path);
  if (status == RMX_OK) rmx__npy_header(out.file, "<f4", rows, V);
  if (status == RMX_OK) return rmx_outfile_commit(&out, err);
  rmx_outfile_discard(&out);
  return status;
}
