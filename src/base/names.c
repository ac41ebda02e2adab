// SPDX-License-Identifier: Apache-2.0
// Names as people type them: the nearest known one, and domains and metrics without their prefixes.
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 128 };

// Levenshtein distance in one row of the table; long names are as good as unequal.
static int edit_distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  if (n >= NAME_MAX_LENGTH || m >= NAME_MAX_LENGTH) return NAME_MAX_LENGTH;
  int row[NAME_MAX_LENGTH + 1];
  for (size_t j = 0; j <= m; j++) row[j] = (int)j;
  for (size_t i = 1; i <= n; i++) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= m; j++) {
      int above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);
      if (above + 1 < best) best = above + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = above;
      row[j] = best;
    }
  }
  return row[m];
}

int rmx_nearest(const char *name, const char *const *names, size_t n) {
  int nearest = -1, least = (int)(strlen(name) + 4) / 3 + 1;
  for (size_t i = 0; i < n; i++) {
    int distance = edit_distance(name, names[i]);
    if (distance < least) {
      least = distance;
      nearest = (int)i;
    }
  }
  return nearest;
}

static size_t shared_prefix(const char *const *names, size_t n) {
  if (n < 2) return 0;
  size_t length = strlen(names[0]);
  for (size_t i = 1; i < n; i++) {
    size_t k = 0;
    while (k < length && names[i][k] == names[0][k]) k++;
    length = k;
  }
  // Cut at a separator, and never eat a whole name.
  while (length > 0 && !strchr("_-/.", names[0][length - 1])) length--;
  for (size_t i = 0; i < n; i++)
    if (strlen(names[i]) == length) return 0;
  return length;
}

// The bare name: without the prefixes and the suffix that files put around it.
static void bare(const char *name, size_t drop, char out[NAME_MAX_LENGTH]) {
  static const char *const prefixes[] = {"metric/", "train_", "valid_", "metric/"};
  name += drop;
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    size_t k = strlen(prefixes[i]);
    if (strncmp(name, prefixes[i], k) == 0 && name[k]) name += k;
  }
  snprintf(out, NAME_MAX_LENGTH, "%s", name);
  char *tail = strstr(out, "_val_loss");
  if (tail && tail != out && !tail[strlen("_val_loss")]) *tail = '\0';
}

// How much of the bare name `whole` stands before `part`, which ends it behind a separator; 0: it does not.
static size_t head_before(const char *whole, const char *part) {
  size_t all = strlen(whole), end = strlen(part);
  if (end == 0 || all < end + 2 || strcmp(whole + all - end, part) != 0) return 0;
  return strchr("_-/.", whole[all - end - 1]) ? all - end : 0;
}

// The name that ends with what is wanted behind a part that all of them begin with: of one name alone nobody can tell
// where the prefix that names share ends, and several may share a word more than people leave out. n: there is none.
static size_t find_behind_head(const char *wanted, const char *const *names, size_t n) {
  char whole[NAME_MAX_LENGTH], other[NAME_MAX_LENGTH];
  size_t found = n;
  for (size_t i = 0; i < n; i++) {
    bare(names[i], 0, whole);
    size_t head = head_before(whole, wanted), k = 0;
    for (; head > 0 && k < n; k++) {
      bare(names[k], 0, other);
      if (strncmp(whole, other, head) != 0) break;
    }
    if (head == 0 || k < n) continue;
    if (found < n) return n;
    found = i;
  }
  return found;
}

rmx_status rmx_find_name(const char *what, const char *name, const char *const *names, size_t n, size_t *index,
                         rmx_err *err) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(name, names[i]) == 0) {
      *index = i;
      return RMX_OK;
    }
  // What all names share may be dropped on their side, and on the user's if it is there.
  size_t drop = shared_prefix(names, n);
  char wanted[2][NAME_MAX_LENGTH], other[2][NAME_MAX_LENGTH];
  bare(name, 0, wanted[0]);
  bool has_prefix = drop > 0 && strncmp(name, names[0], drop) == 0 && name[drop];
  bare(name, has_prefix ? drop : 0, wanted[1]);
  size_t found = 0, first = 0, second = 0;
  for (size_t i = 0; i < n; i++) {
    bare(names[i], 0, other[0]);
    bare(names[i], drop, other[1]);
    bool same = false;
    for (int a = 0; a < 2; a++)
      for (int b = 0; b < 2; b++) same = same || strcmp(wanted[a], other[b]) == 0;
    // "metric/the_pile_x" against "train_the_pile_x": one bare name ends with the other behind a separator.
    size_t wl = strlen(wanted[1]), ol = strlen(other[1]);
    if (!same && wl > ol + 1) same = strcmp(wanted[1] + (wl - ol), other[1]) == 0 && wanted[1][wl - ol - 1] == '_';
    if (!same) continue;
    if (found == 0) first = i;
    second = i;
    found++;
  }
  if (found == 1) {
    *index = first;
    return RMX_OK;
  }
  if (found > 1) {
    // The suffix rule may match loosely; a bare name that is equal wins over it.
    size_t equal = 0, which = 0;
    for (size_t i = 0; i < n; i++) {
      bare(names[i], drop, other[1]);
      bare(names[i], 0, other[0]);
      if (strcmp(wanted[0], other[1]) == 0 || strcmp(wanted[0], other[0]) == 0 || strcmp(wanted[1], other[1]) == 0) {
        equal++;
        which = i;
      }
    }
    if (equal == 1) {
      *index = which;
      return RMX_OK;
    }
    return rmx_fail(err, RMX_EINPUT, "%s \"%s\" is ambiguous: it could be \"%s\" or \"%s\"; give the whole name", what,
                    name, names[first], names[second]);
  }
  size_t behind = find_behind_head(wanted[0], names, n);
  if (behind < n) {
    *index = behind;
    return RMX_OK;
  }
  int nearest = rmx_nearest(name, names, n);
  if (nearest < 0) {
    char(*text)[NAME_MAX_LENGTH] = rmx_calloc(n, sizeof *text);
    const char **bares = rmx_calloc(n, sizeof *bares);
    for (size_t i = 0; text && bares && i < n; i++) {
      bare(names[i], drop, text[i]);
      bares[i] = text[i];
    }
    if (text && bares) nearest = rmx_nearest(wanted[1], bares, n);
    free(text);
    free(bares);
  }
  if (nearest >= 0)
    return rmx_fail(err, RMX_EINPUT, "unknown %s \"%s\"; did you mean \"%s\"?", what, name, names[nearest]);
  rmx_buf known = {0};
  size_t told = 0;
  for (; told < n && known.size < 400; told++) rmx_buf_printf(&known, "%s%s", told ? ", " : "", names[told]);
  if (told < n) rmx_buf_printf(&known, " and %zu more", n - told);
  rmx_status status = rmx_fail(err, RMX_EINPUT, "unknown %s \"%s\"; there are: %s", what, name,
                               known.data ? known.data : "none");
  rmx_buf_release(&known);
  return status;
}

void rmx_few_add(rmx_few *f, const char *name) {
  enum { SHOWN = 3, LONGEST = 76 };
  size_t at = strlen(f->text), n = strlen(name);
  if (f->n == SHOWN) snprintf(f->text + at, sizeof f->text - at, ", ...");
  if (f->n++ >= SHOWN) return;
  bool cut = n > LONGEST;
  for (n = cut ? LONGEST - 3 : n; cut && n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80;) n--;  // not inside a character
  snprintf(f->text + at, sizeof f->text - at, "%s%.*s%s", at ? ", " : "", (int)n, name, cut ? "..." : "");
}
