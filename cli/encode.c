// SPDX-License-Identifier: Apache-2.0
// regmix encode: prints text as the ids of a tokenizer, and ids as text.
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

struct encode_args {
  char *tokenizer, *specials;
  bool decode, whole;
  int64_t threads;
};

static rmx_status run_encode(cli *c, rmx_err *err) {
  const struct encode_args *args = c->own;
  if (!args->tokenizer) return rmx_fail(err, RMX_EUSAGE, "--tokenizer FILE is missing");
  rmx_tokenizer *tokenizer;
  rmx_encode_counts counts = {.load_seconds = -rmx_now()};
  RMX_TRY(rmx_tokenizer_read(args->tokenizer, &tokenizer, err));
  const rmx_encode_job job = {
      .tokenizer = tokenizer,
      .decode = args->decode,
      .whole = args->whole,
      .specials = strcmp(args->specials, "tokens") == 0 ? RMX_SPECIALS_TOKENS : RMX_SPECIALS_TEXT,
      .printable = isatty(STDOUT_FILENO),
      .threads = args->threads ? (int)args->threads : rmx_processors(),
      .out = c->common.json ? NULL : stdout,
      .listener = &c->listener};
  counts.load_seconds += rmx_now();
  rmx_status status = c->words.n ? RMX_OK : rmx_encode_file(&job, "-", &counts, err);
  for (size_t i = 0; i < c->words.n && status == RMX_OK; i++)
    status = rmx_encode_file(&job, c->words.items[i], &counts, err);
  if (status == RMX_OK && c->common.json) cli_print_json(rmx_encode_counts_json(&counts));
  rmx_tokenizer_free(tokenizer);
  return status;
}

#define AT(member) offsetof(struct encode_args, member)
static const rmx_option options[] = {
    {"tokenizer", RMX_TEXT, AT(tokenizer), NULL, 0, 0, "FILE",
     "tokenizer to use, as corpus.tokenizer"},
    {"decode", RMX_BOOL, AT(decode), "false", 0, 0, NULL, "read lines of ids and print their text"},
    {"specials", RMX_CHOICE, AT(specials), "text", 0, 0, "text|tokens",
     "what special tokens in the text become: ids of their letters, or their own ids"},
    {"whole", RMX_BOOL, AT(whole), "false", 0, 0, NULL,
     "a whole file is one text, not each of its lines"},
    {"threads", RMX_INT, AT(threads), "0", 0, 256, "K", "number of threads; 0: all processors"},
};
const rmx_command cli_encode = {
    .name = "encode",
    .words = "[FILE...]",
    .max_words = 1 << 30,
    .run = run_encode,
    CLI_OPTIONS(options, struct encode_args),
    .summary = "print text as the token ids of a tokenizer, or ids as text",
};
