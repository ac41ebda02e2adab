// SPDX-License-Identifier: Apache-2.0
// Names as people type them: the nearest known one, and domains and metrics without their prefixes.
#include <ctype.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 128, SHORTEST_BEGINNING = 3 };

static bool same_letter(char a, char b) {
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Insertions, deletions, replacements and swaps of neighbours that make one name of the other,
// whatever the case, in three rows of the table. Long names count as unequal.
static int edit_distance(const char *a, const char *b) {
  const size_t n = strlen(a), m = strlen(b);
  if (n >= NAME_MAX_LENGTH || m >= NAME_MAX_LENGTH) return NAME_MAX_LENGTH;
  int rows[3][NAME_MAX_LENGTH + 1];
  for (size_t j = 0; j <= m; j++) rows[0][j] = (int)j;
  for (size_t i = 1; i <= n; i++) {
    int *row = rows[i % 3];
    const int *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    row[0] = (int)i;
    for (size_t j = 1; j <= m; j++) {
      int best = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
      if (above[j] + 1 < best) best = above[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]) &&
          before[j - 2] + 1 < best)
        best = before[j - 2] + 1;
      row[j] = best;
    }
  }
  return rows[n % 3][m];
}

// The only one of the names that begins with `name`; n: none does, or several do.
static size_t only_longer(const char *name, const char *const *names, size_t n) {
  const size_t length = strlen(name);
  size_t found = n;
  for (size_t i = 0; i < n && length >= SHORTEST_BEGINNING; i++) {
    size_t k = 0;
    while (k < length && same_letter(name[k], names[i][k])) k++;
    if (k < length) continue;
    if (found < n) return n;
    found = i;
  }
  return found;
}

int rmx_nearest(const char *name, const char *const *names, size_t n) {
  const size_t length = strlen(name);
  int nearest = -1, min = NAME_MAX_LENGTH;
  for (size_t i = 0; i < n; i++) {
    const int distance = edit_distance(name, names[i]);
    const size_t other = strlen(names[i]), longer = length > other ? length : other;
    if (3 * (size_t)distance > longer || distance >= min) continue;
    min = distance;
    nearest = (int)i;
  }
  const size_t begun = nearest < 0 ? only_longer(name, names, n) : n;
  return begun < n ? (int)begun : nearest;
}

// A part of a name, borrowed.
typedef struct slice {
  const char *s;
  size_t n;
} slice;

static bool same(slice a, slice b) {
  return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

// Length of what all names begin with, up to a separator; 0 where that is a whole name.
static size_t shared_prefix(const char *const *names, size_t n) {
  if (n < 2) return 0;
  size_t length = strlen(names[0]);
  for (size_t i = 1; i < n; i++) {
    size_t k = 0;
    while (k < length && names[i][k] == names[0][k]) k++;
    length = k;
  }
  while (length > 0 && !strchr("_-/.:", names[0][length - 1])) length--;
  for (size_t i = 0; i < n; i++)
    if (strlen(names[i]) == length) return 0;
  return length;
}

// The bare name: without the prefixes and the suffix that files put around it.
static slice bare(const char *name, size_t drop) {
  static const char *const prefixes[] = {"metric/", "train_", "valid_", "metric/"},
                           suffix[] = "_val_loss";
  name += drop;
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    size_t k = strlen(prefixes[i]);
    if (strncmp(name, prefixes[i], k) == 0 && name[k]) name += k;
  }
  const size_t n = strlen(name), tail = sizeof suffix - 1;
  return (slice){name, n > tail && strcmp(name + n - tail, suffix) == 0 ? n - tail : n};
}

// How much of `whole` stands before `part`, which ends it behind a separator; 0: it does not.
static size_t head_before(slice whole, slice part) {
  if (part.n == 0 || whole.n < part.n + 2 ||
      memcmp(whole.s + whole.n - part.n, part.s, part.n) != 0)
    return 0;
  return strchr("_-/.:", whole.s[whole.n - part.n - 1]) ? whole.n - part.n : 0;
}

// The name that ends with what is wanted behind a part that all of them begin with: of one name
// alone nobody can tell where the prefix that names share ends, and several may share a word more
// than people leave out. n: there is none.
static size_t find_behind_head(slice wanted, const char *const *names, size_t n) {
  size_t found = n;
  for (size_t i = 0; i < n; i++) {
    const slice whole = bare(names[i], 0);
    size_t head = head_before(whole, wanted), k = 0;
    for (; head > 0 && k < n; k++) {
      const slice other = bare(names[k], 0);
      if (other.n < head || memcmp(whole.s, other.s, head) != 0) break;
    }
    if (head == 0 || k < n) continue;
    if (found < n) return n;
    found = i;
  }
  return found;
}

// Whether `part` is what stands before or behind a colon of the name: Swift and stack-edu of
// stack-edu:Swift.
static bool beside_colon(const char *name, slice part) {
  const slice whole = bare(name, 0);
  if (part.n == 0 || part.n >= whole.n) return false;
  return (whole.s[part.n] == ':' && memcmp(whole.s, part.s, part.n) == 0) ||
         (whole.s[whole.n - part.n - 1] == ':' &&
          memcmp(whole.s + whole.n - part.n, part.s, part.n) == 0);
}

static rmx_status ambiguous(const char *what, const char *name, const char *a, const char *b,
                            rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "%s \"%s\" is ambiguous: it could be \"%s\" or \"%s\"; give the whole name", what,
                  name, a, b);
}

rmx_status rmx_find_name(const char *what, const char *name, const char *const *names, size_t n,
                         size_t *index, rmx_err *err) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(name, names[i]) == 0) {
      *index = i;
      return RMX_OK;
    }
  // What all names share may be dropped on their side, and on the user's if it is there.
  const size_t drop = shared_prefix(names, n);
  const bool has_prefix = drop > 0 && strncmp(name, names[0], drop) == 0 && name[drop];
  const slice wanted[2] = {bare(name, 0), bare(name, has_prefix ? drop : 0)};
  size_t hits[2] = {n, n}, colon[2] = {n, n};
  for (size_t i = 0; i < n; i++) {
    const slice other[2] = {bare(names[i], 0), bare(names[i], drop)};
    bool hit = false;
    for (int k = 0; k < 4; k++) hit |= same(wanted[k / 2], other[k % 2]);
    size_t *into = hit ? hits : beside_colon(names[i], wanted[0]) ? colon : NULL;
    if (into) into[into[0] < n] = i;
  }
  const size_t *of = hits[0] < n ? hits : colon,
               behind = hits[0] < n ? n : find_behind_head(wanted[0], names, n);
  if (of[1] < n) return ambiguous(what, name, names[of[0]], names[of[1]], err);
  if (of[0] == n && behind == n) return rmx_unknown_name(what, name, names, n, err);
  *index = of[0] < n ? of[0] : behind;
  return RMX_OK;
}

bool rmx_match_name(const char *const *given, size_t n, size_t i, const char *const *names,
                    size_t D, size_t *index) {
  for (size_t d = 0; d < D; d++)
    if (strcmp(given[i], names[d]) == 0) {
      *index = d;
      return true;
    }
  const size_t theirs = shared_prefix(given, n), ours = shared_prefix(names, D);
  const slice whole = bare(given[i], 0), part = bare(given[i], theirs);
  size_t found = 0;
  for (size_t d = 0; d < D; d++) {
    const slice other = bare(names[d], 0);
    if (!same(whole, other) && !same(part, other) && !same(whole, bare(names[d], ours))) continue;
    *index = d;
    found++;
  }
  return found == 1;
}

rmx_status rmx_match_names(const char *what, const char *const *given, size_t n,
                           const char *const *names, size_t D, size_t *index, rmx_err *err) {
  for (size_t i = 0; i < n; i++) {
    if (!rmx_match_name(given, n, i, names, D, &index[i])) index[i] = D;
    for (size_t k = 0; k < i && index[i] < D; k++)
      if (index[k] == index[i])
        return rmx_fail(err, RMX_EINPUT, "%s \"%s\" is given twice, as \"%s\" and as \"%s\"", what,
                        names[index[i]], given[k], given[i]);
  }
  return RMX_OK;
}

// As rmx_nearest(), of the bare names.
static int nearest_bare(const char *name, const char *const *names, size_t n, size_t drop) {
  char **bares = rmx_calloc(n + 1, sizeof *bares);
  bool whole = bares != NULL;
  for (size_t i = 0; whole && i <= n; i++) {
    const slice b = i < n ? bare(names[i], drop) : bare(name, 0);
    whole = (bares[i] = rmx_format("%.*s", (int)b.n, b.s)) != NULL;
  }
  const int nearest = whole ? rmx_nearest(bares[n], (const char *const *)bares, n) : -1;
  for (size_t i = 0; bares && i <= n; i++) free(bares[i]);
  free(bares);
  return nearest;
}

rmx_status rmx_unknown_name(const char *what, const char *name, const char *const *names, size_t n,
                            rmx_err *err) {
  int nearest = rmx_nearest(name, names, n);
  if (nearest < 0) nearest = nearest_bare(name, names, n, shared_prefix(names, n));
  if (nearest >= 0)
    return rmx_fail(err, RMX_EINPUT, "unknown %s \"%s\"; did you mean \"%s\"?", what, name,
                    names[nearest]);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf known = {0};
  size_t listed = 0;
  for (; listed < n && known.size < 400; listed++)
    rmx_buf_printf(&known, "%s%s", listed ? ", " : "", names[listed]);
  if (listed < n) rmx_buf_printf(&known, " and %zu more", n - listed);
  return rmx_fail(err, RMX_EINPUT, "unknown %s \"%s\"; there are: %s", what, name,
                  known.data ? known.data : "none");
}

const char *rmx_full_stop(const char *text) {
  const size_t n = strlen(text);
  return n >= 3 && strcmp(text + n - 3, "...") == 0 ? "" : ".";
}

void rmx_few_add(rmx_few *f, const char *name) {
  enum { SHOWN = 3, LONGEST = 76 };
  size_t at = strlen(f->text), n = strlen(name);
  if (f->n == SHOWN) snprintf(f->text + at, sizeof f->text - at, ", ...");
  if (f->n++ >= SHOWN) return;
  bool cut = n > LONGEST;
  // not inside a character
  for (n = cut ? LONGEST - 3 : n; cut && n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80;) n--;
  snprintf(f->text + at, sizeof f->text - at, "%s%.*s%s", at ? ", " : "", (int)n, name,
           cut ? "..." : "");
}
