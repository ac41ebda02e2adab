// SPDX-License-Identifier: Apache-2.0
// Encodes files of text into lines of ids, and decodes such lines. A file is read in pieces of
// whole lines. In each round the threads convert some pieces, which are then written in order. So
// the memory depends on the longest line and not on the size of the file. If the input comes
// slowly, as from a person, a round takes the lines that have arrived.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <regmix/corpus.h>

#include "base/json.h"
#include "utf8.h"

enum { PIECE_BYTES = 1 << 18, PIECES_A_THREAD = 4, BLOCK_BYTES = 1 << 16 };

struct piece {
  rmx_buf text, out, scratch;
  rmx_tokens tokens;  // of one line
  rmx_encode_counts counts;
  rmx_err err;
};

struct input {
  const char *name;
  int fd;
  bool end;
  rmx_buf rest;  // the beginning of a line that is not complete
  char block[BLOCK_BYTES];
};

// ---- reading ---------------------------------------------------------------------

// Whether there is something to read, or the end, within some milliseconds.
static bool has_more(const struct input *in, int milliseconds) {
  struct pollfd wait = {.fd = in->fd, .events = POLLIN};
  return poll(&wait, 1, milliseconds) > 0;
}

static rmx_status read_block(struct input *in, rmx_buf *into, rmx_err *err) {
  enum { BETWEEN_CHECKS = 100 };
  ssize_t n;
  do {
    // A signal just before a read would not end it, so no read is begun before there is data.
    while (!rmx_interrupted() && !has_more(in, BETWEEN_CHECKS)) continue;
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", in->name);
    n = read(in->fd, in->block, sizeof in->block);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return rmx_fail_errno(err, "cannot read %s", in->name);
  if (n == 0) in->end = true;
  rmx_buf_add(into, in->block, (size_t)n);
  return into->failed ? rmx_fail_memory(err, into->size, "a text to encode") : RMX_OK;
}

// A fifo is opened when it has a writer.
static rmx_status open_input(struct input *in, const char *path, rmx_err *err) {
  do in->fd = open(path, O_RDONLY | O_CLOEXEC);
  while (in->fd < 0 && errno == EINTR && !rmx_interrupted());
  if (in->fd >= 0) return RMX_OK;
  if (errno == EINTR)
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was opened", path);
  return rmx_fail_errno(err, "cannot open %s", path);
}

// Reads whole lines into a piece, or with `whole` the whole file.
static rmx_status fill(struct input *in, bool whole, rmx_buf *text, rmx_err *err) {
  text->size = 0;
  if (in->rest.size) rmx_buf_add(text, in->rest.data, in->rest.size);
  in->rest.size = 0;
  size_t lines = 0;  // bytes of whole lines
  while (!in->end && (lines == 0 || (text->size < PIECE_BYTES && has_more(in, 0)))) {
    const size_t had = text->size;
    RMX_TRY(read_block(in, text, err));
    if (whole) continue;
    for (size_t at = text->size; at > had && lines <= had; at--)
      if (text->data[at - 1] == '\n') lines = at;
  }
  if (in->end) return RMX_OK;
  rmx_buf_add(&in->rest, text->data + lines, text->size - lines);
  text->size = lines;
  return in->rest.failed ? rmx_fail_memory(err, text->size, "a text to encode") : RMX_OK;
}

// ---- converting ------------------------------------------------------------------

static void put_ids(rmx_buf *out, const uint32_t *ids, size_t n) {
  enum { LONGEST = 11 };
  char block[4096];
  size_t size = 0;
  for (size_t i = 0; i < n; i++) {
    char digits[LONGEST], *at = digits + LONGEST;
    uint32_t id = ids[i];
    do *--at = (char)('0' + id % 10);
    while (id /= 10);
    if (i) *--at = ' ';
    const size_t length = (size_t)(digits + LONGEST - at);
    memcpy(block + size, at, length);
    size += length;
    if (size > sizeof block - LONGEST) {
      rmx_buf_add(out, block, size);
      size = 0;
    }
  }
  rmx_buf_add(out, block, size);
}

static rmx_status encode_line(const rmx_encode_job *job, struct piece *p, const char *line,
                              size_t size, rmx_err *err) {
  p->tokens.n = 0;
  RMX_TRY(rmx_tokenizer_encode(job->tokenizer, job->specials, line, size, &p->tokens, err));
  p->counts.bytes += size;
  p->counts.tokens += p->tokens.n;
  if (!job->out) return RMX_OK;
  put_ids(&p->out, p->tokens.ids, p->tokens.n);
  rmx_buf_puts(&p->out, "\n");
  return RMX_OK;
}

static rmx_status not_an_id(const rmx_encode_job *job, const char *word, size_t size,
                            rmx_err *err) {
  char shown[32];
  snprintf(shown, sizeof shown, "%.*s", size < 24 ? (int)size : 24, word);
  rmx_make_printable(shown, "");
  return rmx_fail(err, RMX_EINPUT,
                  "\"%s\" is not a token id; wanted whole numbers from 0 to %d with spaces between "
                  "them",
                  shown, rmx_tokenizer_vocab(job->tokenizer) - 1);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static rmx_status read_ids(const rmx_encode_job *job, const char *line, size_t size,
                           rmx_tokens *ids, rmx_err *err) {
  ids->n = 0;
  for (size_t at = 0; at < size;) {
    if (is_blank(line[at])) {
      at++;
      continue;
    }
    const size_t start = at;
    uint64_t id = 0;
    bool number = true;
    for (; at < size && !is_blank(line[at]); at++) {
      const unsigned digit = (unsigned char)line[at] - '0';
      number = number && digit <= 9 && (id = 10 * id + digit) <= UINT32_MAX;
    }
    if (!number) return not_an_id(job, line + start, at - start, err);
    if (ids->n == ids->capacity) {
      const size_t capacity = ids->capacity ? 2 * ids->capacity : 256;
      uint32_t *more = rmx_realloc(ids->ids, capacity, sizeof *more);
      if (!more) return rmx_fail_memory(err, capacity * sizeof *more, "the ids of a line");
      ids->ids = more;
      ids->capacity = capacity;
    }
    ids->ids[ids->n++] = (uint32_t)id;
  }
  return RMX_OK;
}

static rmx_status decode_line(const rmx_encode_job *job, struct piece *p, const char *line,
                              size_t size, rmx_err *err) {
  RMX_TRY(read_ids(job, line, size, &p->tokens, err));
  const size_t had = p->out.size;
  rmx_status status =
      rmx_tokenizer_decode(job->tokenizer, p->tokens.ids, p->tokens.n, &p->out, err);
  if (status != RMX_OK) {
    p->out.size = had;
    return status;
  }
  p->counts.bytes += p->out.size - had;
  p->counts.tokens += p->tokens.n;
  if (!job->out)
    p->out.size = 0;
  else if (!job->whole)
    rmx_buf_puts(&p->out, "\n");
  return RMX_OK;
}

struct round {
  const rmx_encode_job *job;
  struct piece *pieces;
};

static void convert_piece(void *context, size_t i) {
  const struct round *round = context;
  const rmx_encode_job *job = round->job;
  struct piece *p = &round->pieces[i];
  p->out.size = 0;
  p->counts = (rmx_encode_counts){0};
  rmx_status status = RMX_OK;
  if (!job->decode) p->counts.replaced = rmx__utf8_repair(&p->text, &p->scratch);
  const char *at = p->text.data ? p->text.data : "", *end = at + p->text.size;
  if (job->whole && !job->decode) {
    status = encode_line(job, p, at, p->text.size, &p->err);
    p->counts.lines++;
    at = end;
  }
  while (at < end && status == RMX_OK) {
    const char *feed = memchr(at, '\n', (size_t)(end - at)), *stop = feed ? feed : end;
    status = (job->decode ? decode_line : encode_line)(job, p, at, (size_t)(stop - at), &p->err);
    p->counts.lines++;
    at = feed ? feed + 1 : end;
  }
  if (status == RMX_OK && (p->text.failed || p->out.failed || p->scratch.failed))
    rmx_fail_memory(&p->err, p->text.size + p->out.size, "a converted text");
}

// ---- writing -----------------------------------------------------------------------

static void make_printable(rmx_buf *text) {
  for (char *zero; (zero = memchr(text->data, 0, text->size));) *zero = '?';
  rmx_make_printable(text->data, "\n\t");
  text->size = strlen(text->data);
}

// Gives back the memory of an unusually long line.
static void trim(rmx_buf *b) {
  if (b->capacity > 16 * PIECE_BYTES) rmx_buf_release(b);
}

// Writes what a piece has, which is nothing after the line with an error.
static rmx_status write_piece(const rmx_encode_job *job, const char *name, struct piece *p,
                              rmx_encode_counts *counts, uint64_t *lines, rmx_err *err) {
  if (p->out.size && job->printable) make_printable(&p->out);
  errno = 0;
  if (p->out.size && fwrite(p->out.data, 1, p->out.size, job->out) != p->out.size)
    return rmx_fail_errno(err, "cannot write the %s", job->decode ? "text" : "ids");
  *lines += p->counts.lines;
  counts->lines += p->counts.lines;
  counts->bytes += p->counts.bytes;
  counts->tokens += p->counts.tokens;
  counts->replaced += p->counts.replaced;
  if (p->err.status == RMX_OK) return RMX_OK;
  *err = p->err;
  if (err->status != RMX_EINPUT) return err->status;
  return job->whole && !job->decode ? rmx_fail_in(err, "%s", name)
                                    : rmx_fail_in(err, "%s:%llu", name, (unsigned long long)*lines);
}

// ---- a file --------------------------------------------------------------------------

static rmx_status convert(const rmx_encode_job *job, struct input *in, struct piece *pieces,
                          size_t max, rmx_encode_counts *counts, rmx_err *err) {
  struct round round = {job, pieces};
  const bool whole = job->whole && !job->decode;
  uint64_t lines = 0;
  while (!in->end) {
    size_t n = 0;
    do RMX_TRY(fill(in, whole, &pieces[n].text, err));
    while (++n < max && !in->end && has_more(in, 0));
    rmx_parallel(job->threads, n, convert_piece, &round);
    for (size_t i = 0; i < n; i++)
      RMX_TRY(write_piece(job, in->name, &pieces[i], counts, &lines, err));
    if (job->out && fflush(job->out) != 0) return rmx_fail_errno(err, "cannot write the output");
    for (size_t i = 0; i < n; i++)
      trim(&pieces[i].text), trim(&pieces[i].out), trim(&pieces[i].scratch);
  }
  return RMX_OK;
}

static double processor_time(void) {
  struct timespec t = {0};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

rmx_status rmx_encode_file(const rmx_encode_job *job, const char *path, rmx_encode_counts *counts,
                           rmx_err *err) {
  const bool standard = strcmp(path, "-") == 0;
  const double began = rmx_now(), processor = processor_time();
  const uint64_t replaced = counts->replaced;
  const size_t max = (size_t)(job->threads > 1 ? job->threads : 1) * PIECES_A_THREAD;
  struct piece *pieces = rmx_calloc(max, sizeof *pieces);
  struct input *in = rmx_calloc(1, sizeof *in);
  rmx_status status = RMX_OK;
  if (!pieces || !in) {
    status = rmx_fail_memory(err, max * sizeof *pieces, "texts to encode");
    goto done;
  }
  in->name = standard ? "standard input" : path;
  in->fd = STDIN_FILENO;
  if (!standard) RMX_TRY_GOTO(open_input(in, path, err), done);
  status = convert(job, in, pieces, max, counts, err);
  if (!standard) close(in->fd);
  counts->files++;
  counts->seconds += rmx_now() - began;
  counts->processor_seconds += processor_time() - processor;
  if (counts->replaced > replaced)
    rmx_warn(job->listener, "%s: %llu byte%s not UTF-8; each was read as U+FFFD", in->name,
             (unsigned long long)(counts->replaced - replaced),
             counts->replaced - replaced == 1 ? " is" : "s are");
done:
  for (size_t i = 0; pieces && i < max; i++) {
    rmx_buf_release(&pieces[i].text);
    rmx_buf_release(&pieces[i].out);
    rmx_buf_release(&pieces[i].scratch);
    rmx_tokens_release(&pieces[i].tokens);
  }
  if (in) rmx_buf_release(&in->rest);
  free(in);
  free(pieces);
  return status;
}

json_t *rmx_encode_counts_json(const rmx_encode_counts *n) {
  const double mb = (double)n->bytes / 1e6;
  return json_pack(
      "{s:I, s:I, s:I, s:I, s:o, s:I, s:f, s:f, s:f, s:o, s:o}", "files", (json_int_t)n->files,
      "lines", (json_int_t)n->lines, "bytes", (json_int_t)n->bytes, "tokens", (json_int_t)n->tokens,
      "bytes_per_token", rmx__json_known((double)n->bytes / (double)n->tokens), "bytes_replaced",
      (json_int_t)n->replaced, "load_seconds", n->load_seconds, "seconds", n->seconds,
      "processor_seconds", n->processor_seconds, "mb_per_s", rmx__json_known(mb / n->seconds),
      "mb_per_processor_s", rmx__json_known(mb / n->processor_seconds));
}
