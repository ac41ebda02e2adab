/* base.h: what every room of the house stands on: status and errors, memory,
 * random numbers, files, tables, trees of configuration, options, threads.
 *
 * Uses: nothing of regmix.
 *
 * Conventions. What can fail returns rmx_status and takes `rmx_err *err` last
 * (never NULL); on failure outputs are untouched or released. The library never prints
 * and never exits. Arrays carry their shape in a comment: (N, D) is row-major,
 * N rows of D.
 */
#ifndef RMX_BASE_H
#define RMX_BASE_H

#include <dirent.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A tree of JSON values (jansson's json_t). The functions that take or give one are for programs
 * that use jansson as well; for all others it is opaque. */
struct json_t;

/* ---- status and errors ------------------------------------------------ */

typedef enum rmx_status {
  RMX_OK = 0,
  RMX_EINPUT,       /* the data or the config is wrong; the message says where */
  RMX_EUSAGE,       /* the call or the command line is wrong */
  RMX_EIO,          /* the operating system refused */
  RMX_ENOMEM,       /* an allocation failed */
  RMX_ENUMERIC,     /* a computation did not work out (NaN, singular, diverged) */
  RMX_EINTERRUPTED, /* rmx_interrupt() was called */
} rmx_status;

/* The message says where, what was found, what was wanted, and what to do. */
typedef struct rmx_err {
  rmx_status status;
  char message[1024];
  int os_error; /* errno, where the operating system refused; else 0 */
} rmx_err;

#if defined(__GNUC__)
#define RMX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define RMX_PRINTF(fmt, args)
#endif

/* Fills `err`, returns `status`: `return rmx_fail(err, RMX_EINPUT, "...", ...)`. */
rmx_status rmx_fail(rmx_err *err, rmx_status status, const char *fmt, ...) RMX_PRINTF(3, 4);
/* The same with ": <strerror(errno)>" after the message, and status RMX_EIO. */
rmx_status rmx_fail_errno(rmx_err *err, const char *fmt, ...) RMX_PRINTF(2, 3);
/* Puts "context: " before the message `err` already has; returns its status. */
rmx_status rmx_fail_in(rmx_err *err, const char *fmt, ...) RMX_PRINTF(2, 3);
rmx_status rmx_fail_memory(rmx_err *err, size_t bytes, const char *for_what);

/* Forwards a failure: `RMX_TRY(rmx_csv_read(path, &table, err));` */
#define RMX_TRY(call)                              \
  do {                                             \
    rmx_status try_status_ = (call);               \
    if (try_status_ != RMX_OK) return try_status_; \
  } while (0)
/* The same where something must be released first: jumps to `label` with
 * `status` (a local of that name) set. */
#define RMX_TRY_GOTO(call, label)     \
  do {                                \
    status = (call);                  \
    if (status != RMX_OK) goto label; \
  } while (0)

/* Locals that are released where their scope ends, whichever `return` ends it (GCC and Clang):
 *   RMX_OWNED char *path = rmx_path_in(folder, name);
 *   RMX_OWNED_BY(rmx_strings_release) rmx_strings files = {0};
 * They must have a value from the start. A pointer that is given away is set to NULL. */
#if defined(__GNUC__)
#define RMX_OWNED_BY(release) __attribute__((cleanup(release)))
#define RMX_OWNED RMX_OWNED_BY(rmx_free_at)
#endif
void rmx_free_at(void *pointer); /* free() of the pointer that `pointer` points to */

const char *rmx_version(void); /* "0.2.0"; do not free it */

/* ---- being asked to stop, and reporting progress --------------------- */

/* Async-signal-safe. Long work looks at rmx_interrupted() and returns
 * RMX_EINTERRUPTED with everything on disk in order. */
void rmx_interrupt(void);
bool rmx_interrupted(void);
/* Takes rmx_interrupt() back, for a program that goes on after the work has stopped. */
void rmx_uninterrupt(void);

/* How the library tells its caller what happens; any member may be NULL, and
 * so may a pointer to the listener. Calls come from one thread at a time. */
typedef struct rmx_listener {
  void *context;
  /* Of the work `what`, `done` of `total` units are done; `detail` may be NULL. Called often. */
  void (*progress)(void *context, const char *what, double done, double total, const char *unit,
                   const char *detail);
  /* One finished fact worth a line ("corpus: 6 domains, 5.1 M tokens"). */
  void (*note)(void *context, const char *message);
  /* Something the user should act upon, though work goes on. */
  void (*warn)(void *context, const char *message);
  /* From now on, progress belongs to part i (from 1) of n of larger work ("step" 3 of 7). n = 0: it
   * is not part of larger work. */
  void (*part)(void *context, const char *noun, size_t i, size_t n);
  /* A line for those who want to know more, such as the time that a step took. */
  void (*detail)(void *context, const char *message);
} rmx_listener;

/* Call the member of the same name, if there is a listener and it has that member. The text of
 * rmx_note, rmx_warn and rmx_detail is formatted as by printf and cut after 1023 bytes. */
void rmx_progress(const rmx_listener *to, const char *what, double done, double total,
                  const char *unit, const char *detail);
void rmx_note(const rmx_listener *to, const char *fmt, ...) RMX_PRINTF(2, 3);
void rmx_warn(const rmx_listener *to, const char *fmt, ...) RMX_PRINTF(2, 3);
void rmx_part(const rmx_listener *to, const char *noun, size_t i, size_t n);
void rmx_detail(const rmx_listener *to, const char *fmt, ...) RMX_PRINTF(2, 3);

/* "1.23 M", "12 k": a count in few characters. */
const char *rmx_count(double x, char out[16]);
/* What a count needs after it: "1 run is", "2 runs are". */
const char *rmx_s(double n);   /* "" for 1, else "s" */
const char *rmx_is(double n);  /* "is" or "are" */
const char *rmx_has(double n); /* "has" or "have" */
/* "3 s", "4 min 10 s", "2 h 5 min". */
const char *rmx_duration(double seconds, char out[32]);

double rmx_now(void); /* seconds of a monotonic clock */

/* ---- memory ----------------------------------------------------------- */

/* n * size bytes, zeroed; NULL when that overflows or memory is short.
 * n = 0 gives a valid pointer. Released with free(). */
void *rmx_calloc(size_t n, size_t size);
void *rmx_realloc(void *p, size_t n, size_t size); /* overflow-checked; old block kept on NULL */
char *rmx_strdup(const char *s);
char *rmx_format(const char *fmt, ...) RMX_PRINTF(1, 2); /* asprintf; NULL when memory is short */

/* The library calls `handler` when an allocation fails, in the thread of the allocation, before the
 * caller sees the failure. A program that cannot continue may end there. NULL is the default. */
void rmx_on_shortage(void (*handler)(size_t bytes));

/* Blocks of one lifetime: many allocations, one release. Zeroed memory,
 * 64-byte aligned. rmx_arena a = {0} is ready for use. */
typedef struct rmx_arena {
  struct rmx_arena_block *head;
} rmx_arena;
void *rmx_arena_alloc(rmx_arena *arena, size_t n, size_t size); /* NULL when memory is short */
char *rmx_arena_strdup(rmx_arena *arena, const char *s);
void rmx_arena_release(rmx_arena *arena);

/* A growing text or byte buffer. rmx_buf b = {0} is ready for use; data is
 * always NUL-terminated once anything was added. A failed allocation sets
 * `failed` and makes later calls do nothing: check once, at the end. */
typedef struct rmx_buf {
  char *data;
  size_t size, capacity;
  bool failed;
} rmx_buf;
void rmx_buf_add(rmx_buf *b, const void *data, size_t size);
void rmx_buf_puts(rmx_buf *b, const char *s);
void rmx_buf_printf(rmx_buf *b, const char *fmt, ...) RMX_PRINTF(2, 3);
void rmx_buf_release(rmx_buf *b);

/* A list of owned strings. rmx_strings s = {0} is ready for use. */
typedef struct rmx_strings {
  char **items; /* (n) */
  size_t n, capacity;
} rmx_strings;
bool rmx_strings_add(rmx_strings *s, const char *item); /* copies; false when memory is short */
bool rmx_strings_have(const rmx_strings *s, const char *item);
void rmx_strings_sort(rmx_strings *s);
void rmx_strings_release(rmx_strings *s);

/* A listener that tells all to `to` (may be NULL), and keeps each warning once in `texts`. The
 * caller releases them. Both pointers are borrowed for as long as it listens. */
typedef struct rmx_kept_warnings {
  const rmx_listener *to;
  rmx_strings texts;
} rmx_kept_warnings;
rmx_listener rmx_keep_warnings(rmx_kept_warnings *kept, const rmx_listener *to);

/* ---- names ------------------------------------------------------------ */

/* Index of the name that `name` may be a slip for, whatever the case, or -1: for "did you mean".
 * That is the nearest one, with at most a third of the longer name's letters changed, or else the
 * only one that begins with `name`. */
int rmx_nearest(const char *name, const char *const *names, size_t n);
/* Finds the domain or metric a user typed: an exact name wins, else the one unique
 * match after dropping `train_`, `valid_`, `metric/`, `_val_loss` and whatever
 * prefix all names share, on both sides, or everything before or after a colon ("Swift" for
 * "stack-edu:Swift"). Unknown and ambiguous names are RMX_EINPUT, with
 * the nearest name; `what` is the noun for the message ("domain", "metric"). */
rmx_status rmx_find_name(const char *what, const char *name, const char *const *names, size_t n,
                         size_t *index, rmx_err *err);
/* Which of names (D) the i-th name given in a file (n of them) means: stricter than rmx_find_name,
 * since no person checks each one. It is the same name, or the same once `train_`, `valid_`,
 * `metric/` and `_val_loss` are dropped on both sides, and what the names of one of the two lists
 * share. False: none, or more than one. */
bool rmx_match_name(const char *const *given, size_t n, size_t i, const char *const *names,
                    size_t D, size_t *index);
/* The same for all: index (n), D for a name that means none. Two that mean the same one are
 * RMX_EINPUT. */
rmx_status rmx_match_names(const char *what, const char *const *given, size_t n,
                           const char *const *names, size_t D, size_t *index, rmx_err *err);
/* RMX_EINPUT: "unknown <what>", with the nearest of the names, or those there are. */
rmx_status rmx_unknown_name(const char *what, const char *name, const char *const *names, size_t n,
                            rmx_err *err);

/* ---- which way a metric is better --------------------------------------- */

typedef enum rmx_better {
  RMX_BETTER_UNSAID = 0, /* not known */
  RMX_BETTER_LOW,        /* a loss, an error */
  RMX_BETTER_HIGH,       /* a score */
} rmx_better;
/* What the words of a metric's name say: gsm8k_acc, eval/hellaswag/acc_norm, pass@1 and the like
 * are scores; pile_cc_val_loss, word_perplexity, bpb and the like are losses. The table of words is
 * in src/base/better.c. */
rmx_better rmx_better_by_name(const char *name);
/* The same, unless all values y[0], y[step], ... (n; NaN: missing) contradict it: those of a loss
 * or an accuracy are negative, or those of a negated one (neg_loss) are positive. Then the sign
 * may have been changed, and RMX_BETTER_UNSAID is returned. */
rmx_better rmx_better_by_values(const char *name, const double *y, size_t n, size_t step);
/* Whether a metric is called by an evaluation task alone (mmlu, eval/arc_easy_5shot): it may be the
 * accuracy or the loss on it. */
bool rmx_is_task_name(const char *name);

/* What a metric measures. Numbers of different kinds do not add up. */
typedef enum rmx_metric_kind {
  RMX_KIND_UNKNOWN = 0,
  RMX_KIND_ACCURACY, /* a share of right answers, 0 to 1 or 0 to 100 */
  RMX_KIND_BITS,     /* bits per byte */
  RMX_KIND_LOSS,     /* nats per token */
  RMX_KIND_PERPLEXITY,
} rmx_metric_kind;
/* What the words of a metric's name say, by the same table. */
rmx_metric_kind rmx_kind_by_name(const char *name);
/* "unknown", "accuracy", "bits_per_byte", "loss", "perplexity". */
const char *rmx_metric_kind_text(rmx_metric_kind kind);

/* The first three of many names, for a message such as "12 metrics (a, b, c, ...)". rmx_few f = {0}
 * is ready. */
typedef struct rmx_few {
  size_t n;       /* names added */
  char text[256]; /* "a, b, c, ..."; a long name is cut */
} rmx_few;
void rmx_few_add(rmx_few *f, const char *name);
/* "." for the end of a sentence after a text; "" if the text ends in "...". */
const char *rmx_full_stop(const char *text);

/* ---- is a difference more than noise? ----------------------------------- */

#define RMX_VERDICT_LEVEL 0.95
/* The t with |T| <= t in probability `level`, where T has Student's distribution with df degrees of
 * freedom; NaN if there is none. 4.303 for level 0.95 and df 2. */
double rmx_student_width(double level, double df);
/* ---- hashing (XXH3, 64 bits) ------------------------------------------- */

/* The same on every machine. The hash of several things: that of one is the seed of the next. A
 * string is hashed without its NUL. */
uint64_t rmx_hash(const void *data, size_t size, uint64_t seed);
uint64_t rmx_hash_string(const char *s, uint64_t seed);

/* ---- random numbers: Philox4x32-10 (Salmon et al., SC 2011) ------------- */

/* What a random number is for: part of its key, so that one purpose never
 * shifts the numbers of another. Append only. */
typedef enum rmx_purpose {
  RMX_FOR_TEST = 0,
  RMX_FOR_MIXTURES,
  RMX_FOR_WEIGHTS,
  RMX_FOR_ORDER,
  RMX_FOR_FOLDS,
  RMX_FOR_SIMULATION,
  RMX_FOR_BOOTSTRAP,
  RMX_FOR_STARTS,
  RMX_FOR_CANDIDATES,
  RMX_FOR_NOISE,
  RMX_FOR_EXPLORATION,
} rmx_purpose;

/* A stream of numbers keyed by (seed, run, purpose): the i-th number depends on
 * nothing else. Copyable; saving it is saving `position`. */
typedef struct rmx_rng {
  uint32_t key[2];
  uint32_t run, purpose;
  uint64_t position; /* blocks of four words used */
  uint32_t block[4];
  int left; /* words of block not yet given out */
} rmx_rng;

/* The stream from its first number; it owns no memory. */
rmx_rng rmx_rng_make(uint64_t seed, uint64_t run, rmx_purpose purpose);
uint32_t rmx_rng_u32(rmx_rng *r);               /* 32 random bits */
uint64_t rmx_rng_u64(rmx_rng *r);               /* 64 random bits */
double rmx_rng_uniform(rmx_rng *r);             /* [0, 1), 53 bits */
uint64_t rmx_rng_below(rmx_rng *r, uint64_t n); /* 0 .. n-1, unbiased; n > 0 */
double rmx_rng_normal(rmx_rng *r);              /* N(0, 1), Box-Muller */
double rmx_rng_gamma(rmx_rng *r, double shape); /* Gamma(shape, 1), Marsaglia-Tsang; shape > 0 */
/* Puts items (n) into random order (Fisher-Yates): every order is equally probable. */
void rmx_rng_shuffle(rmx_rng *r, size_t *items, size_t n);
/* The bare block function, for counter-based use: out = Philox(counter, key). */
void rmx_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* ---- files ------------------------------------------------------------- */

/* fopen, fdopen, opendir and realpath of the system, which need memory too: if they get none, the
 * handler of rmx_on_shortage is called. */
FILE *rmx_fopen(const char *path, const char *mode);
FILE *rmx_fdopen(int fd, const char *mode);
DIR *rmx_opendir(const char *path);
char *rmx_realpath(const char *path);

/* The library calls `handler` for each file that it opened to read, or has written, in any thread.
 * NULL is the default. */
void rmx_on_file(void (*handler)(const char *path, bool wrote));

/* A file, folder or other thing is at the path; a link that leads nowhere is not. */
bool rmx_exists(const char *path);
rmx_status rmx_mkdirs(const char *path, rmx_err *err);      /* mkdir -p */
rmx_status rmx_remove_tree(const char *path, rmx_err *err); /* rm -rf; absent is fine */
/* Reads a whole file; *data has a NUL after its last byte; free() it. */
rmx_status rmx_read_file(const char *path, char **data, size_t *size, rmx_err *err);
/* As rmx_outfile does: a reader sees the old file or the whole new one. */
rmx_status rmx_write_file(const char *path, const void *data, size_t size, rmx_err *err);
/* The paths that match a glob pattern, sorted, appended to `out`; it is not an error if there are
 * none. */
rmx_status rmx_glob(const char *pattern, rmx_strings *out, rmx_err *err);
/* Names in a folder (no dot files), sorted, appended; an absent folder is empty. */
rmx_status rmx_list(const char *folder, rmx_strings *out, rmx_err *err);
/* `path` as seen from `folder`: unchanged if absolute; "~/" is the home. free() it; NULL if memory
 * is short. */
char *rmx_path_in(const char *folder, const char *path);

/* A file being written beside its final place. rmx_outfile o = {0} first. Write with stdio to
 * o.file; then commit (flush, fsync, check every error, rename) or discard. A full disk is found at
 * commit at the latest, and named. Links are followed and stay; a regular file that is replaced
 * leaves its permissions to the new one; devices, pipes and /dev/stdout are written in place. */
typedef struct rmx_outfile {
  FILE *file;
  char *path, *target; /* as given; where its links lead */
  char *temporary;     /* NULL: written in place */
} rmx_outfile;
rmx_status rmx_outfile_open(rmx_outfile *o, const char *path, rmx_err *err);
rmx_status rmx_outfile_commit(rmx_outfile *o, rmx_err *err);
void rmx_outfile_discard(rmx_outfile *o);

/* A name that a user gave, for what this thread writes. If a file of this name begins otherwise
 * than the outfile that replaces it, the commit first moves it to NAME~ (or NAME~2, ...). Runs of
 * digits count as one. */
rmx_status rmx_keep_others(const char *path, rmx_err *err);
/* Where such files are now. */
const rmx_strings *rmx_kept_others(void);
void rmx_forget_others(void); /* releases both lists */
/* Writes a file whose name a user gave: rmx_write_file() with rmx_keep_others(). A warning
 * to the listener names a file that is kept. */
rmx_status rmx_write_named(const char *path, const void *data, size_t size, const rmx_listener *to,
                           rmx_err *err);

/* A folder being written beside its final place. rmx_outfolder o = {0} first. Write files into
 * o.temporary; then commit or discard. A link to a folder is followed. Leftovers of writers that
 * are gone are removed on the way. */
typedef struct rmx_outfolder {
  char *path, *temporary;
  bool inside; /* temporary lies in the old folder, since nothing can be made beside it */
} rmx_outfolder;
rmx_status rmx_outfolder_open(rmx_outfolder *o, const char *path, rmx_err *err);
/* Puts the folder in place of the old one, in one step where the system can. Files of the old
 * folder named in `ours` go, its others stay. Where folders cannot be exchanged (a mount point, the
 * current folder) the files are moved into the old one, `last` last. */
rmx_status rmx_outfolder_commit(rmx_outfolder *o, const rmx_strings *ours, const char *last,
                                rmx_err *err);
void rmx_outfolder_discard(rmx_outfolder *o);

/* A lock on a folder against other processes that lock it; the end of the process frees it. */
typedef struct rmx_lock {
  int fd;
  bool elsewhere; /* another process holds it */
} rmx_lock;
/* Where another process holds the lock, `waiting` is noted and the lock is waited for; with NULL
 * for `waiting`, out->elsewhere is set at once. If the file system cannot lock folders, there is a
 * warning and no lock. */
rmx_status rmx_folder_lock(const char *folder, const char *waiting, const rmx_listener *to,
                           rmx_lock *out, rmx_err *err);
void rmx_folder_unlock(rmx_lock *lock);

/* Removes the temporary files of outfiles and outfolders, for a program that ends at once.
 * Async-signal-safe. */
void rmx_abandon_files(void);

/* A file mapped read-only; an empty file gives data = NULL, size = 0. */
typedef struct rmx_map {
  const void *data;
  size_t size;
} rmx_map;
rmx_status rmx_map_open(rmx_map *map, const char *path, rmx_err *err);
void rmx_map_release(rmx_map *map);

/* ---- numbers and strings as text ---------------------------------------- */

/* Changes a text, in place, so that a terminal shows it as it is: bytes that are not UTF-8, and
 * control characters except those in `kept`, become "?". */
void rmx_make_printable(char *text, const char *kept);
/* Whether it would leave all of the text as it is, with nothing kept. */
bool rmx_is_printable(const char *text);
/* Whether `size` bytes are UTF-8. *at: where they stop to be, else size. */
bool rmx_is_utf8(const char *text, size_t size, size_t *at);
/* The fewest digits that read back to the same double, as "%g" writes them. out: 32 bytes. */
void rmx_double_text(double x, char out[32]);
/* The same with a point, always: JSON, YAML 1.1 and 1.2, and Python read it back as the same
 * double, never as an integer or a string. x is finite. */
void rmx_put_number(rmx_buf *out, double x);
/* A string in double quotes, the same text for JSON, YAML and Python. `s` is UTF-8. */
void rmx_put_quoted(rmx_buf *out, const char *s);
/* A YAML scalar: plain where no reader could take it for something else, else quoted. */
void rmx_put_yaml(rmx_buf *out, const char *s);
/* `key` as a line's beginning in a block map, its colon included; a long one in the form that
 * readers take at any length. */
void rmx_put_yaml_key(rmx_buf *out, int indent, const char *key);
/* One word for a POSIX shell, in single quotes. */
void rmx_put_shell(rmx_buf *out, const char *s);

/* ---- CSV tables of numbers ---------------------------------------------- */

/* A table whose first column names the rows. Empty, NA and NaN cells are NaN. */
typedef struct rmx_table {
  char *path;    /* where it came from, for messages */
  char *id_name; /* header of the first column */
  size_t N, D;
  char **ids;         /* (N) */
  int *lines;         /* (N) line of each row in the file */
  char **names;       /* (D) */
  double *x;          /* (N, D) */
  rmx_better *better; /* (D) which way each column is better, as its file says; NULL: it does not */
  /* (N) of the run in each row, the parameters of its model and the tokens it was trained on; NULL:
   * the table does not say */
  double *sizes, *tokens;
} rmx_table;
/* RFC 4180 quoting, LF or CRLF, a byte order mark is skipped. A cell that is not a number,
 * a row of the wrong length, a name given twice: RMX_EINPUT with path:line. */
rmx_status rmx_csv_read(const char *path, rmx_table *out, rmx_err *err);
/* The same file as text, for tables that are not numbers alone: cells (N, C), of the header and of
 * N rows. Empty and repeated names are left to the caller. rmx_cells c = {0} may be released. */
typedef struct rmx_cells {
  char *path, *text; /* the cells point into text */
  size_t N, C;
  const char **header; /* (C) */
  const char **cells;  /* (N, C) */
  int *lines;          /* (N) */
} rmx_cells;
rmx_status rmx_csv_cells(const char *path, rmx_cells *out, rmx_err *err);
void rmx_cells_release(rmx_cells *c);
/* Shortest decimal that reads back to the same double; NaN is an empty cell. */
rmx_status rmx_csv_write(const char *path, const rmx_table *t, rmx_err *err);
/* whole, or nothing where memory is short */
rmx_status rmx_csv_print(FILE *f, const rmx_table *t, rmx_err *err);
/* NULL names and ids, zero x */
rmx_status rmx_table_make(rmx_table *out, const char *id_name, size_t N, size_t D, rmx_err *err);
void rmx_table_release(rmx_table *t);
/* A field of CSV, quoted only if it must be. */
void rmx_csv_field(rmx_buf *out, const char *text);

/* ---- options: one table for parsing, bounds, help, config keys, man pages */

typedef enum rmx_option_type {
  RMX_BOOL,     /* bool */
  RMX_INT,      /* int64_t; "600k", "1.5M", "1G" are taken as well, powers of 1000 */
  RMX_REAL,     /* double */
  RMX_DURATION, /* double, seconds; "90", "90s", "15min", "12h" and "2d" are taken */
  RMX_TEXT,     /* char *, owned by the struct; NULL when not given */
  RMX_CHOICE,   /* char *, one of `choices` */
  RMX_LIST,     /* rmx_strings: may be given several times */
} rmx_option_type;

typedef struct rmx_option {
  const char *key;      /* "proxy.lr", or the long flag "mixtures" */
  rmx_option_type type; /* RMX_LIST may be given several times, the others once */
  size_t offset;        /* of the member in the struct it fills */
  /* the default, as text; NULL: none. A word as default of a number ("none") stands for its 0,
   * which the bounds leave out: it is what is typed and written for it */
  const char *initial;
  double min, max;     /* of numbers, inclusive; both 0: no bounds */
  const char *choices; /* "ridge|trees" of RMX_CHOICE; metavariable ("FILE") of the others */
  const char *help;    /* one sentence, lower case, no full stop */
} rmx_option;

/* A table (n) and `into`, the struct that it fills. rmx_options_init sets the defaults; a member
 * without one stays as it is, so begin with zeros. rmx_option_set takes the value of a key as text;
 * texts are copied, and a list grows by the value. RMX_EUSAGE: the key is unknown; the message
 * suggests the nearest. RMX_EINPUT: the value is not of the type or out of bounds.
 * rmx_option_find: NULL if the key is unknown. rmx_options_release frees the texts and lists, which
 * are empty afterwards. */
rmx_status rmx_options_init(const rmx_option *table, size_t n, void *into, rmx_err *err);
rmx_status rmx_option_set(const rmx_option *table, size_t n, void *into, const char *key,
                          const char *value, rmx_err *err);
const rmx_option *rmx_option_find(const rmx_option *table, size_t n, const char *key);
void rmx_options_release(const rmx_option *table, size_t n, void *into);
/* "600k", "1.5M", "2e6" -> 600000, ...; RMX_EINPUT names `what`. */
rmx_status rmx_parse_int(const char *text, const char *what, int64_t *out, rmx_err *err);
rmx_status rmx_parse_real(const char *text, const char *what, double *out, rmx_err *err);
/* The same for a number of parameters or tokens, where b is B: 7b. */
rmx_status rmx_parse_count(const char *text, const char *what, double *out, rmx_err *err);
/* "90", "90s", "15min", "12h", "2d" -> seconds, not negative. */
rmx_status rmx_parse_duration(const char *text, const char *what, double *out, rmx_err *err);

/* ---- threads ------------------------------------------------------------ */

/* Calls work(context, i) for i in 0..n-1 on up to `threads` threads (the caller's is
 * one), each i once, in no order; returns when all are done. What `work` writes
 * must depend on i alone, then results depend on no number of threads. */
void rmx_parallel(int threads, size_t n, void (*work)(void *context, size_t i), void *context);
/* Threads that stay, for loops of microseconds. `work` is also told which thread it runs on, 0 (the
 * caller's) to threads - 1, and may use what belongs to that thread as scratch. One loop at a time;
 * n below 2^32. A NULL pool is the caller's thread alone. */
typedef struct rmx_pool rmx_pool;
typedef void rmx_pool_work(void *context, size_t i, int thread);
rmx_status rmx_pool_new(int threads, rmx_pool **out, rmx_err *err);
void rmx_pool_free(rmx_pool *p);
void rmx_pool_run(rmx_pool *p, size_t n, rmx_pool_work *work, void *context);
int rmx_processors(void); /* processors this process may use, at least 1 */
/* From now on it is no more than n: the others belong to processes beside this one. 0: no limit. */
void rmx_limit_processors(int n);

#ifdef __cplusplus
}
#endif
#endif
