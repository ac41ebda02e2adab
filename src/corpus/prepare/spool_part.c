// SPDX-License-Identifier: Apache-2.0
// A part of the spool, written and found again. The files get their names when they are whole. They
// are not flushed to disk: each text has its hash in the index, so what a power failure damaged is
// recognised.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "spool.h"

static const char magic[8] = {'R', 'M', 'X', 'S', 'P', 'O', 'O', 'L'};

// The first bytes of an index. The records follow, then JSON with the rest of the part.
struct header {
  char magic[8];
  uint64_t key, documents, bytes;
  uint64_t records_hash;
  uint64_t rest;  // bytes of the JSON
  uint64_t zero[2];
};
_Static_assert(sizeof(struct header) == 64, "the header is 64 bytes");

struct output {
  char *path, *temporary;
  FILE *file;
};

struct rmx__part_writer {
  rmx__part *part;
  struct output text, index;
  uint64_t records_hash;
  // names of domains: slots (mask + 1) have 1 + the number of a name, or 0
  uint32_t *slots;
  size_t mask, last;
};

static void discard(struct output *o) {
  if (o->file) fclose(o->file);
  if (o->temporary) unlink(o->temporary);
  free(o->path);
  free(o->temporary);
  *o = (struct output){0};
}

static rmx_status open_output(struct output *o, const rmx__spool *s, const rmx__part *part,
                              const char *ending, rmx_err *err) {
  enum { BUFFERED = 1 << 18 };
  o->path = rmx_format("%s/%016llx.%s", s->folder, (unsigned long long)part->key, ending);
  // Two domains may have the same file, whose parts are the same: each is written by itself.
  o->temporary = o->path ? rmx_format("%s.%zx.new", o->path, (size_t)(uintptr_t)part) : NULL;
  if (!o->temporary) return rmx_fail_memory(err, 0, "a path");
  if (!(o->file = rmx_fopen(o->temporary, "wb")))
    return rmx_fail_errno(err, "cannot write %s", o->temporary);
  setvbuf(o->file, NULL, _IOFBF, BUFFERED);
  return RMX_OK;
}

static rmx_status cannot_write(const rmx__part_writer *w, rmx_err *err) {
  if (errno == 0) errno = EIO;
  return rmx_fail_errno(err, "cannot write %llu bytes of text to the temporary file %s",
                        (unsigned long long)w->part->bytes, w->text.temporary);
}

static rmx_status commit_output(struct output *o, rmx_err *err) {
  errno = 0;
  const bool good = !ferror(o->file) && fclose(o->file) == 0;
  o->file = NULL;
  if (good && rename(o->temporary, o->path) == 0) {
    free(o->temporary);
    o->temporary = NULL;
    return RMX_OK;
  }
  if (errno == 0) errno = EIO;
  return rmx_fail_errno(err, "cannot write the temporary file %s", o->path);
}

rmx_status rmx__part_writer_open(const rmx__spool *s, rmx__part *part, rmx__part_writer **out,
                                 rmx_err *err) {
  rmx__part_writer *w = rmx_calloc(1, sizeof *w);
  if (!w) return rmx_fail_memory(err, sizeof *w, "a part of the text");
  w->part = part;
  part->counts = rmx_calloc(1, sizeof *part->counts);
  const struct header blank = {0};
  rmx_status status = part->counts ? open_output(&w->text, s, part, "text", err)
                                   : rmx_fail_memory(err, 8, "a part");
  if (status == RMX_OK) status = open_output(&w->index, s, part, "index", err);
  if (status == RMX_OK && fwrite(&blank, sizeof blank, 1, w->index.file) != 1)
    status = cannot_write(w, err);
  if (status != RMX_OK) rmx__part_writer_free(w);
  *out = status == RMX_OK ? w : NULL;
  return status;
}

// ---- names of domains

static uint32_t *slot_of(const rmx__part_writer *w, const char *name) {
  size_t at = rmx_hash_string(name, 0) & w->mask;
  while (w->slots[at] && strcmp(w->part->names.items[w->slots[at] - 1], name) != 0)
    at = (at + 1) & w->mask;
  return &w->slots[at];
}

static bool grow_names(rmx__part_writer *w) {
  const size_t n = w->part->names.n;
  uint64_t *counts = rmx_realloc(w->part->counts, n + 1, sizeof *counts);
  if (!counts) return false;
  w->part->counts = counts;
  counts[n] = 0;
  if (w->slots && 2 * (n + 1) <= w->mask) return true;
  uint32_t *had = w->slots;
  const size_t mask = w->mask ? 2 * w->mask + 1 : 63;
  w->slots = rmx_calloc(mask + 1, sizeof *w->slots);
  if (!w->slots) return w->slots = had, false;
  free(had);
  w->mask = mask;
  for (size_t i = 0; i < n; i++) *slot_of(w, w->part->names.items[i]) = (uint32_t)i + 1;
  return true;
}

// The number of a name in the part's table, where it is added if it is new.
static rmx_status number_of(rmx__part_writer *w, const char *name, size_t *out, rmx_err *err) {
  rmx_strings *names = &w->part->names;
  if (w->last < names->n && strcmp(names->items[w->last], name) == 0) return *out = w->last, RMX_OK;
  const uint32_t had = w->slots ? *slot_of(w, name) : 0;
  if (!had) {
    if (!grow_names(w) || !rmx_strings_add(names, name))
      return rmx_fail_memory(err, strlen(name), "the name of a domain");
    *slot_of(w, name) = (uint32_t)names->n;
  }
  *out = w->last = had ? had - 1 : names->n - 1;
  return RMX_OK;
}

// ---- documents

rmx_status rmx__part_writer_add(rmx__part_writer *w, const char *text, size_t size,
                                const char *name, rmx_err *err) {
  size_t number = 0;
  if (name) RMX_TRY(number_of(w, name, &number, err));
  const rmx__document d = {rmx_hash(text, size, 0), w->part->bytes, size, number};
  errno = 0;
  w->part->bytes += size;
  w->part->documents++;
  w->part->counts[number]++;
  if (fwrite(text, 1, size, w->text.file) != size || fwrite(&d, sizeof d, 1, w->index.file) != 1)
    return cannot_write(w, err);
  w->records_hash = rmx_hash(&d, sizeof d, w->records_hash);
  return RMX_OK;
}

rmx_status rmx__part_add_stray(rmx__part *part, const char *why, rmx_err *err) {
  enum { REASONS = 4 };
  part->no_domain++;
  return rmx_strings_have(&part->why, why) || part->why.n == REASONS ||
                 rmx_strings_add(&part->why, why)
             ? RMX_OK
             : rmx_fail_memory(err, strlen(why), "a reason");
}

rmx_status rmx__part_add_facts(rmx__part *part, const rmx__file_facts *facts, rmx_err *err) {
  rmx__file_facts *list = rmx_realloc(part->facts, part->n_facts + 1, sizeof *list);
  if (!list) return rmx_fail_memory(err, (part->n_facts + 1) * sizeof *list, "facts about files");
  part->facts = list;
  list[part->n_facts++] = *facts;
  return RMX_OK;
}

static json_t *rest_of(const rmx__part *p) {
  json_t *names = json_array(), *counts = json_array(), *facts = json_array(), *why = json_array();
  for (size_t i = 0; i < p->why.n; i++) json_array_append_new(why, json_string(p->why.items[i]));
  for (size_t i = 0; i < p->names.n; i++)
    json_array_append_new(names, json_string(p->names.items[i]));
  for (size_t i = 0; i < (p->names.n ? p->names.n : 1); i++)
    json_array_append_new(counts, json_integer((json_int_t)p->counts[i]));
  for (size_t i = 0; i < p->n_facts; i++) {
    const rmx__file_facts *f = &p->facts[i];
    json_array_append_new(
        facts,
        json_pack("[I, I, I, I, I, I, I, b, b, s, b, b]", (json_int_t)f->file, (json_int_t)f->bytes,
                  (json_int_t)f->invalid_utf8, (json_int_t)f->separators, (json_int_t)f->end_tokens,
                  (json_int_t)f->comment_lines, (json_int_t)f->other_ids, f->text, f->html,
                  f->guessed, f->not_as_named, f->no_document));
  }
  json_t *lost = json_array();
  const uint64_t *numbers = (const uint64_t *)&p->lost;
  for (size_t i = 0; i < RMX__LOSSES; i++)
    json_array_append_new(lost, json_integer((json_int_t)numbers[i]));
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "why", why, "names", names, "counts", counts,
                   "facts", facts, "lost", lost, "no_domain", (json_int_t)p->no_domain);
}

rmx_status rmx__part_writer_commit(rmx__part_writer *w, rmx_err *err) {
  json_t *tree = rest_of(w->part);
  char *rest = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
  json_decref(tree);
  if (!rest) return rmx_fail_memory(err, 0, "the index of a part");
  struct header h = {.key = w->part->key,
                     .documents = w->part->documents,
                     .bytes = w->part->bytes,
                     .records_hash = w->records_hash,
                     .rest = strlen(rest)};
  memcpy(h.magic, magic, sizeof magic);
  errno = 0;
  bool good = fwrite(rest, 1, h.rest, w->index.file) == h.rest;
  good = good && fseeko(w->index.file, 0, SEEK_SET) == 0 &&
         fwrite(&h, sizeof h, 1, w->index.file) == 1;
  free(rest);
  if (!good) return cannot_write(w, err);
  RMX_TRY(commit_output(&w->text, err));
  return commit_output(&w->index, err);
}

void rmx__part_writer_free(rmx__part_writer *w) {
  if (!w) return;
  discard(&w->text);
  discard(&w->index);
  free(w->slots);
  free(w);
}

// ---- found again

static bool take_facts(rmx__part *p, const json_t *list) {
  size_t i;
  const json_t *f;
  rmx_err ignored;
  json_array_foreach(list, i, f) {
    json_int_t n[7];
    for (size_t k = 0; k < 7; k++) n[k] = json_integer_value(json_array_get(f, k));
    rmx__file_facts facts = {.file = (size_t)n[0],
                             .bytes = (uint64_t)n[1],
                             .invalid_utf8 = (uint64_t)n[2],
                             .separators = (uint64_t)n[3],
                             .end_tokens = (uint64_t)n[4],
                             .comment_lines = (uint64_t)n[5],
                             .other_ids = (uint64_t)n[6],
                             .text = json_is_true(json_array_get(f, 7)),
                             .html = json_is_true(json_array_get(f, 8)),
                             .not_as_named = json_is_true(json_array_get(f, 10)),
                             .no_document = json_is_true(json_array_get(f, 11))};
    const char *guessed = json_string_value(json_array_get(f, 9));
    snprintf(facts.guessed, sizeof facts.guessed, "%s", guessed ? guessed : "");
    if (rmx__part_add_facts(p, &facts, &ignored) != RMX_OK) return false;
  }
  return true;
}

static bool take_rest(rmx__part *p, const json_t *tree) {
  const json_t *names = json_object_get(tree, "names"), *counts = json_object_get(tree, "counts"),
               *lost = json_object_get(tree, "lost");
  const size_t n = json_array_size(counts);
  if (n == 0 || json_array_size(names) > n || json_array_size(lost) != RMX__LOSSES) return false;
  p->counts = rmx_calloc(n, sizeof *p->counts);
  for (size_t i = 0; i < n && p->counts; i++)
    p->counts[i] = (uint64_t)json_integer_value(json_array_get(counts, i));
  for (size_t i = 0; i < json_array_size(names); i++) {
    const char *name = json_string_value(json_array_get(names, i));
    if (!name || !rmx_strings_add(&p->names, name)) return false;
  }
  const json_t *why = json_object_get(tree, "why");
  for (size_t i = 0; i < json_array_size(why); i++) {
    const char *text = json_string_value(json_array_get(why, i));
    if (!text || !rmx_strings_add(&p->why, text)) return false;
  }
  uint64_t *numbers = (uint64_t *)&p->lost;
  for (size_t i = 0; i < RMX__LOSSES; i++)
    numbers[i] = (uint64_t)json_integer_value(json_array_get(lost, i));
  p->no_domain = (uint64_t)json_integer_value(json_object_get(tree, "no_domain"));
  return p->counts && take_facts(p, json_object_get(tree, "facts"));
}

// Whether the texts have the hashes of the records, and the records that of the header.
static bool verify(FILE *text, FILE *index, const struct header *h) {
  uint64_t at = 0, hash = 0;
  char *data = NULL;
  size_t room = 0;
  bool good = true;
  for (uint64_t i = 0; i < h->documents && good && !rmx_interrupted(); i++) {
    rmx__document d;
    good = fread(&d, sizeof d, 1, index) == 1 && d.offset == at && d.size <= h->bytes - at &&
           rmx__make_room(&data, &room, d.size) && fread(data, 1, d.size, text) == d.size &&
           rmx_hash(data, d.size, 0) == d.hash;
    if (!good) break;
    at += d.size;
    hash = rmx_hash(&d, sizeof d, hash);
  }
  free(data);
  return good && at == h->bytes && hash == h->records_hash && !rmx_interrupted();
}

static bool read_part(rmx__part *p, FILE *text, FILE *index) {
  struct header h;
  if (fread(&h, sizeof h, 1, index) != 1 || memcmp(h.magic, magic, sizeof magic) != 0 ||
      h.key != p->key || h.rest > 1u << 30 || !verify(text, index, &h))
    return false;
  char *rest = rmx_calloc(h.rest + 1, 1);
  json_t *tree = NULL;
  if (rest && fread(rest, 1, h.rest, index) == h.rest) tree = json_loadb(rest, h.rest, 0, NULL);
  const bool good = tree && take_rest(p, tree);
  json_decref(tree);
  free(rest);
  p->documents = h.documents;
  p->bytes = h.bytes;
  return good;
}

void rmx__part_clear(rmx__part *p) {
  rmx_strings_release(&p->names);
  rmx_strings_release(&p->why);
  free(p->domains);
  free(p->counts);
  free(p->stray);
  free(p->facts);
  p->domains = NULL;
  p->counts = NULL;
  p->stray = NULL;
  p->facts = NULL;
  p->n_facts = 0;
  p->lost = (rmx__losses){0};
  p->documents = p->bytes = p->no_domain = 0;
}

bool rmx__part_again(const rmx__spool *s, rmx__part *part) {
  char *text = rmx_format("%s/%016llx.text", s->folder, (unsigned long long)part->key),
       *index = rmx_format("%s/%016llx.index", s->folder, (unsigned long long)part->key);
  FILE *t = text && index && rmx_exists(index) ? rmx_fopen(text, "rb") : NULL,
       *i = t ? rmx_fopen(index, "rb") : NULL;
  part->again = t && i && read_part(part, t, i);
  if (!part->again) rmx__part_clear(part);
  if (t) fclose(t);
  if (i) fclose(i);
  free(text);
  free(index);
  return part->again;
}
