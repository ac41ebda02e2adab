// SPDX-License-Identifier: Apache-2.0
// Finds the old runs that are points of the new simplex after a domain was added, removed, split,
// merged or renamed.
//
// A run that drew from P with weight w drew from the parts of P in their natural proportions, so a
// split keeps every run: w_A = s_A w, w_B = s_B w. A merge keeps only runs with these proportions:
// w_A / (w_A + w_B) = s_A. A domain that did not exist had weight 0; a removed domain must have had
// weight 0.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <regmix/mixture.h>

#include "base/c_number.h"
#include "base/num.h"

typedef struct part {
  char *name;
  double share;
} part;

typedef struct change {
  char *whole;  // P, OLD or NAME
  part *parts;  // (n) A, B, ...; of a renaming NEW
  size_t n;
} change;

static void release(change *c) {
  for (size_t k = 0; c->parts && k < c->n; k++) free(c->parts[k].name);
  free(c->parts);
  free(c->whole);
  *c = (change){0};
}

static const char *const kinds[] = {"rename", "split", "merge", "add", "remove"};
static const char *const forms[] = {"OLD=NEW", "P=A:0.3,B:0.7", "P=A:0.4,B:0.6", "NAME", "NAME"};

static rmx_status does_not_read(rmx_redomain_kind kind, const char *text, const char *why,
                                rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s \"%.200s\": %s; wanted %s", kinds[kind], text, why,
                  forms[kind]);
}

// "A:0.3,B:0.7". The share is after the last colon, so names may contain colons.
static rmx_status parse_parts(rmx_redomain_kind kind, const char *text, const char *list, change *c,
                              rmx_err *err) {
  size_t max = 1;
  for (const char *p = list; *p; p++) max += *p == ',';
  if (!(c->parts = rmx_calloc(max, sizeof *c->parts)))
    return rmx_fail_memory(err, max, "a change of domains");
  double sum = 0;
  for (const char *p = list;;) {
    size_t n = strcspn(p, ",");
    char *piece = rmx_format("%.*s", (int)n, p);
    if (!piece) return rmx_fail_memory(err, n, "a change of domains");
    part *q = &c->parts[c->n++];
    q->name = piece;
    char *colon = strrchr(piece, ':'), *end = NULL;
    if (!colon || colon == piece) return does_not_read(kind, text, "a part is NAME:SHARE", err);
    *colon = '\0';
    q->share = rmx__strtod(colon + 1, &end);
    if (end == colon + 1 || *end || !(q->share > 0 && q->share < 1))
      return does_not_read(kind, text, "a share is a number between 0 and 1", err);
    for (size_t k = 0; k + 1 < c->n; k++)
      if (strcmp(c->parts[k].name, q->name) == 0)
        return does_not_read(kind, text, "a part is given twice", err);
    sum += q->share;
    if (!p[n]) break;
    p += n + 1;
  }
  if (c->n < 2) return does_not_read(kind, text, "a single part is a renaming", err);
  if (!rmx__is_one(sum, 0.01))
    return does_not_read(kind, text, "the shares must sum to 1 (they are shares of P's tokens)",
                         err);
  if (fabs(sum - 1) > 1e-9)  // exact sums are not changed
    for (size_t k = 0; k < c->n; k++) c->parts[k].share /= sum;
  return RMX_OK;
}

static rmx_status parse(rmx_redomain_kind kind, const char *text, change *c, rmx_err *err) {
  bool alone = kind == RMX_DOMAIN_ADD || kind == RMX_DOMAIN_REMOVE;
  const char *equals = alone ? NULL : strchr(text, '=');
  if (!*text || (!alone && (!equals || equals == text || !equals[1])))
    return does_not_read(kind, text, "a name is missing", err);
  c->whole = equals ? rmx_format("%.*s", (int)(equals - text), text) : rmx_strdup(text);
  if (!c->whole) return rmx_fail_memory(err, 64, "a change of domains");
  if (alone) return RMX_OK;
  if (kind != RMX_DOMAIN_RENAME) return parse_parts(kind, text, equals + 1, c, err);
  if (!(c->parts = rmx_calloc(1, sizeof *c->parts)) ||
      !(c->parts[c->n++].name = rmx_strdup(equals + 1)))
    return rmx_fail_memory(err, 64, "a change of domains");
  return RMX_OK;
}

// ---- the new table: each column is a sum of old ones, and each row is kept or left out

typedef struct plan {
  const rmx_table *t;
  size_t D;
  const char **names;  // (D)
  double *map;         // (D, t->D) new column = map . old row
  bool *redo;          // (N)
  rmx_redomain_report *report;
} plan;

static rmx_status find(const plan *p, const char *name, size_t *d, rmx_err *err) {
  return rmx_find_name("domain", name, (const char *const *)p->t->names, p->t->D, d, err);
}

// The name of a new column must not be the name of a column that stays.
static rmx_status check_new(const plan *p, const char *name, const bool *goes, rmx_err *err) {
  for (size_t d = 0; d < p->t->D; d++)
    if (!goes[d] && strcmp(p->t->names[d], name) == 0)
      return rmx_fail(err, RMX_EINPUT, "a domain \"%s\" already exists", name);
  return RMX_OK;
}

static void keep_column(plan *p, size_t d) {
  p->names[p->D] = p->t->names[d];
  p->map[p->D++ * p->t->D + d] = 1;
}

static rmx_status redo(plan *p, size_t i, char *why, rmx_err *err) {
  bool good = why && rmx_strings_add(&p->report->redo, p->t->ids[i]) &&
              rmx_strings_add(&p->report->why, why);
  free(why);
  p->redo[i] = true;
  return good ? RMX_OK : rmx_fail_memory(err, 64, "a report");
}

static rmx_status add_text(rmx_strings *list, char *text, rmx_err *err) {
  bool good = text && rmx_strings_add(list, text);
  free(text);
  return good ? RMX_OK : rmx_fail_memory(err, 64, "a report");
}

// Split, rename and add: old column `whole` (SIZE_MAX: none) becomes the parts, in its place or at
// the end.
static rmx_status plan_parts(plan *p, rmx_redomain_kind kind, const change *c, rmx_err *err) {
  size_t whole = SIZE_MAX, D = p->t->D;
  bool *goes = rmx_calloc(D, sizeof *goes);
  rmx_status status = goes ? RMX_OK : rmx_fail_memory(err, D, "a change of domains");
  if (status == RMX_OK && kind != RMX_DOMAIN_ADD) status = find(p, c->whole, &whole, err);
  if (status == RMX_OK && whole != SIZE_MAX) goes[whole] = true;
  for (size_t k = 0; status == RMX_OK && k < c->n; k++)
    status = check_new(p, c->parts[k].name, goes, err);
  if (status == RMX_OK && kind == RMX_DOMAIN_ADD) status = check_new(p, c->whole, goes, err);
  free(goes);
  RMX_TRY(status);
  for (size_t d = 0; d < D; d++) {
    if (d != whole) {
      keep_column(p, d);
      continue;
    }
    for (size_t k = 0; k < c->n; k++) {
      p->names[p->D] = c->parts[k].name;
      p->map[p->D++ * D + d] = kind == RMX_DOMAIN_RENAME ? 1 : c->parts[k].share;
    }
  }
  if (kind == RMX_DOMAIN_ADD) {
    p->names[p->D++] = c->whole;
    RMX_TRY(add_text(
        &p->report->unseen,
        rmx_format("%s compared with all other domains: no run drew from it", c->whole), err));
    return add_text(&p->report->measure, rmx_strdup(c->whole), err);
  }
  for (size_t k = 0; kind == RMX_DOMAIN_SPLIT && k < c->n; k++) {
    RMX_TRY(add_text(&p->report->measure, rmx_strdup(c->parts[k].name), err));
    if (k == 0) continue;
    RMX_TRY(add_text(
        &p->report->unseen,
        rmx_format("%s compared with %s: every run drew them %.3g : %.3g", c->parts[0].name,
                   c->parts[k].name, c->parts[0].share, c->parts[k].share),
        err));
  }
  return RMX_OK;
}

static rmx_status plan_merge(plan *p, const change *c, const rmx_redomain_options *o,
                             rmx_err *err) {
  size_t D = p->t->D, first = SIZE_MAX;
  RMX_OWNED bool *goes = rmx_calloc(D, sizeof *goes);
  RMX_OWNED size_t *column = rmx_calloc(c->n, sizeof *column);
  if (!goes || !column) return rmx_fail_memory(err, D, "a change of domains");
  for (size_t k = 0; k < c->n; k++) {
    RMX_TRY(find(p, c->parts[k].name, &column[k], err));
    if (goes[column[k]])
      return rmx_fail(err, RMX_EINPUT, "merge: domain \"%s\" is given twice",
                      p->t->names[column[k]]);
    goes[column[k]] = true;
    if (column[k] < first) first = column[k];
  }
  RMX_TRY(check_new(p, c->whole, goes, err));
  for (size_t d = 0; d < D; d++) {
    if (!goes[d]) keep_column(p, d);
    if (d != first) continue;
    p->names[p->D] = c->whole;
    for (size_t k = 0; k < c->n; k++) p->map[p->D * D + column[k]] = 1;
    p->D++;
  }
  for (size_t i = 0; i < p->t->N; i++) {
    const double *w = p->t->x + i * D;
    double sum = 0, worst = 0;
    size_t which = 0;
    for (size_t k = 0; k < c->n; k++) sum += w[column[k]];
    for (size_t k = 0; k < c->n && sum > 0; k++) {
      double off = fabs(w[column[k]] / sum - c->parts[k].share);
      if (off > worst) {
        worst = off;
        which = k;
      }
    }
    // A difference of exactly the tolerance is allowed, however the division rounds.
    if (sum <= 0 || worst <= o->tolerance + 1e-12) continue;
    RMX_TRY(
        redo(p, i,
             rmx_format("%.3g of its %s was %s; the natural share is %.3g", w[column[which]] / sum,
                        c->whole, c->parts[which].name, c->parts[which].share),
             err));
  }
  return RMX_OK;
}

static rmx_status plan_removal(plan *p, const change *c, const rmx_redomain_options *o,
                               rmx_err *err) {
  size_t D = p->t->D, gone, used = 0;
  RMX_TRY(find(p, c->whole, &gone, err));
  if (D == 1) return rmx_fail(err, RMX_EINPUT, "remove \"%s\": it is the only domain", c->whole);
  const char *name = p->t->names[gone];
  for (size_t i = 0; i < p->t->N; i++) {
    double w = p->t->x[i * D + gone];
    used += w > 0;
    if (w > 0 && o->drop)
      RMX_TRY(redo(p, i, rmx_format("%.3g of its tokens were %s", w, name), err));
  }
  bool stays = used && !o->drop;
  for (size_t d = 0; d < D; d++)
    if (d != gone || stays) keep_column(p, d);
  return stays ? add_text(&p->report->fix, rmx_strdup(name), err) : RMX_OK;
}

static rmx_status carry_out(const plan *p, rmx_table *out, rmx_err *err) {
  const rmx_table *t = p->t;
  size_t N = 0, row = 0;
  for (size_t i = 0; i < t->N; i++) N += !p->redo[i];
  RMX_TRY(rmx_table_make(out, t->id_name, N, p->D, err));
  bool good = !t->path || (out->path = rmx_strdup(t->path)) != NULL;
  for (size_t d = 0; d < p->D; d++)
    good = (out->names[d] = rmx_strdup(p->names[d])) != NULL && good;
  for (size_t i = 0; i < t->N; i++) {
    if (p->redo[i]) continue;
    good = (out->ids[row] = rmx_strdup(t->ids[i])) != NULL && good;
    out->lines[row] = t->lines ? t->lines[i] : 0;
    for (size_t d = 0; d < p->D; d++) {
      double sum = 0;
      for (size_t k = 0; k < t->D; k++)
        if (p->map[d * t->D + k] != 0) sum += p->map[d * t->D + k] * t->x[i * t->D + k];
      out->x[row * p->D + d] = sum;
    }
    row++;
  }
  return good ? RMX_OK : rmx_fail_memory(err, N * p->D * sizeof(double), "a table");
}

rmx_status rmx_redomain(rmx_table *t, rmx_redomain_kind kind, const char *text,
                        const rmx_redomain_options *options, rmx_redomain_report *report,
                        rmx_err *err) {
  change c = {0};
  rmx_table next = {0};
  plan p = {.t = t, .report = report};
  rmx_status status = parse(kind, text, &c, err);
  if (status != RMX_OK) goto done;
  size_t max = t->D + c.n + 1;
  p.names = rmx_calloc(max, sizeof *p.names);
  p.map = t->D > SIZE_MAX / max ? NULL : rmx_calloc(max * t->D, sizeof *p.map);
  p.redo = rmx_calloc(t->N, sizeof *p.redo);
  if (!p.names || !p.map || !p.redo) {
    status = rmx_fail_memory(err, max * t->D * sizeof *p.map, "a change of domains");
    goto done;
  }
  if (kind == RMX_DOMAIN_MERGE)
    status = plan_merge(&p, &c, options, err);
  else if (kind == RMX_DOMAIN_REMOVE)
    status = plan_removal(&p, &c, options, err);
  else
    status = plan_parts(&p, kind, &c, err);
  if (status == RMX_OK) status = carry_out(&p, &next, err);
  if (status == RMX_OK) {
    rmx_table_release(t);
    *t = next;
    next = (rmx_table){0};
  }
done:
  rmx_table_release(&next);
  free(p.names);
  free(p.map);
  free(p.redo);
  release(&c);
  return status;
}

void rmx_redomain_report_release(rmx_redomain_report *r) {
  rmx_strings_release(&r->redo);
  rmx_strings_release(&r->why);
  rmx_strings_release(&r->unseen);
  rmx_strings_release(&r->fix);
  rmx_strings_release(&r->measure);
  *r = (rmx_redomain_report){0};
}

// ---- the number of directions in which the runs differ

rmx_status rmx_mixture_rank(const rmx_table *t, size_t *rank, rmx_err *err) {
  static const double min = 1e-6;
  size_t N = t->N, D = t->D;
  *rank = 0;
  if (N < 2) return RMX_OK;
  // Columns of the centred rows, orthogonalised one after the other, largest first.
  RMX_OWNED double *a = rmx_calloc(N * D, sizeof *a);  // (D, N)
  RMX_OWNED bool *done = rmx_calloc(D, sizeof *done);
  if (!a || !done) return rmx_fail_memory(err, N * D * sizeof *a, "the rank of a table");
  for (size_t i = 0; i < N; i++) {
    double sum = 0;
    for (size_t d = 0; d < D; d++) sum += t->x[i * D + d];
    for (size_t d = 0; d < D; d++) a[d * N + i] = sum > 0 ? t->x[i * D + d] / sum : 0;
  }
  for (size_t d = 0; d < D; d++) {
    double mean = 0;
    for (size_t i = 0; i < N; i++) mean += a[d * N + i] / (double)N;
    for (size_t i = 0; i < N; i++) a[d * N + i] -= mean;
  }
  for (;;) {
    size_t best = D;
    double max = min * min * (double)N;
    for (size_t d = 0; d < D; d++) {
      double norm = 0;
      for (size_t i = 0; i < N; i++) norm += a[d * N + i] * a[d * N + i];
      if (!done[d] && norm > max) {
        max = norm;
        best = d;
      }
    }
    if (best == D) break;
    done[best] = true;
    ++*rank;
    for (size_t d = 0; d < D; d++) {
      if (done[d]) continue;
      double dot = 0;
      for (size_t i = 0; i < N; i++) dot += a[d * N + i] * a[best * N + i];
      for (size_t i = 0; i < N; i++) a[d * N + i] -= dot / max * a[best * N + i];
    }
  }
  return RMX_OK;
}
