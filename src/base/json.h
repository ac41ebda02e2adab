// SPDX-License-Identifier: Apache-2.0
// json.h: JSON and YAML files, both read into trees of jansson, and what is written from trees. Not
// part of the public interface: a program that uses the library needs no jansson.
#ifndef RMX_BASE_JSON_H
#define RMX_BASE_JSON_H

#include <jansson.h>
#include <regmix/base.h>

// What jansson says of a text that it cannot read, in words that fit this program.
const char *rmx__json_why(const json_error_t *error);
// The caller owns the tree (json_decref). Errors name file and line.
rmx_status rmx__json_read(const char *path, json_t **out, rmx_err *err);
// The same where Python may have written it: NaN, Infinity and -Infinity, which JSON has not, are
// read as `instead`, a JSON value ("null").
rmx_status rmx__json_read_python(const char *path, const char *instead, json_t **out, rmx_err *err);
// The same for a text; `name` heads messages.
rmx_status rmx__json_parse_python(const char *text, size_t size, const char *name,
                                  const char *instead, json_t **out, rmx_err *err);
rmx_status rmx__json_write(const char *path, const json_t *tree, rmx_err *err);
// The tree with 2-space indent, keys in their order, numbers as rmx_put_number writes them, and a
// line feed; free() it. NULL: memory is short, or there is no tree.
char *rmx__json_dump(const json_t *tree);
// The same on one line without spaces; a NULL tree sets out->failed.
void rmx__put_json(rmx_buf *out, const json_t *tree);
// A number, or null where it is not known: not finite. A new reference.
json_t *rmx__json_known(double x);
// A list of texts, without those that are not UTF-8: a new reference.
json_t *rmx__strings_json(const rmx_strings *list);
// {run: {column: number}}, null for values that are not known; NULL if there is no memory.
json_t *rmx__table_json(const rmx_table *t);
// Fetches with a type check: `what` (usually the file) heads the message.
rmx_status rmx__json_number(const json_t *object, const char *key, double *out, const char *what,
                            rmx_err *err);
rmx_status rmx__json_string(const json_t *object, const char *key, const char **out,
                            const char *what, rmx_err *err);

// A YAML document as a jansson tree: maps to objects (key order kept), sequences to
// arrays, plain scalars to null, true/false, integers, reals, else strings;
// quoted scalars to strings. No anchors, no tags. A key given twice is an error.
typedef struct rmx__yaml {
  json_t *root;  // owned
  struct rmx__yaml_lines *lines;
} rmx__yaml;
rmx_status rmx__yaml_read(const char *path, rmx__yaml *out, rmx_err *err);
rmx_status rmx__yaml_parse(const char *text, size_t size, const char *name, rmx__yaml *out,
                           rmx_err *err);
int rmx__yaml_line(const rmx__yaml *y, const json_t *node);  // 1-based; 0 if unknown
void rmx__yaml_release(rmx__yaml *y);
// Writes a tree as YAML (block style); `heading` (may be NULL) becomes comment lines on top.
rmx_status rmx__yaml_write(const char *path, const json_t *tree, const char *heading, rmx_err *err);

// Of what a tree says: the order of keys does not count, and numbers count by value.
uint64_t rmx__json_hash(const json_t *tree);
// Sets "content_hash", the last key of an object: the hash of all its other keys. False: memory is
// short.
bool rmx__json_seal(json_t *object);
// The object was changed after rmx__json_seal. One without a seal (of version 0.1.0) was not.
bool rmx__json_seal_broken(const json_t *object);

// Adds to {"mean", "se", "n"} of a paired difference over n seeds, other less reference: "low" and
// "high", its interval of "level" (RMX_VERDICT_LEVEL) with "df" = n - 1 degrees of freedom, and
// "verdict": "<reference> better", "<reference> worse", "no clear difference", or, with fewer than
// 3 seeds, "too few seeds to tell" and null for low, high and df. reference NULL: both are the
// same, and so "the same mixture" and null.
rmx_status rmx__verdict_add(json_t *difference, const char *reference, rmx_err *err);

// The value of an option as it would be written in the config: a new reference.
json_t *rmx__option_json(const rmx_option *option, const void *from);

#endif
