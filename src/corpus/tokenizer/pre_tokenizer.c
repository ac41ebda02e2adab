// SPDX-License-Identifier: Apache-2.0
// Reads the steps of a pre-tokenizer from a tokenizer.json.
#include "pre_tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "part.h"

enum { MAX_STEPS = 64 };

static rmx_status add(rmx__pre_tokenizer *p, rmx__step step, rmx_err *err) {
  rmx__step *steps = p->n < MAX_STEPS ? rmx_realloc(p->steps, p->n + 1, sizeof *steps) : NULL;
  if (!steps) {
    rmx__pattern_release(&step.pattern);
    free(step.text);
    return p->n < MAX_STEPS
               ? rmx_fail_memory(err, sizeof step, "a tokenizer")
               : rmx_fail(err, RMX_EINPUT, "a pre_tokenizer of more than %d steps", MAX_STEPS);
  }
  p->steps = steps;
  steps[p->n++] = step;
  return RMX_OK;
}

static rmx_status add_text(rmx__pre_tokenizer *p, rmx__step step, const char *text, rmx_err *err) {
  step.text = rmx_strdup(text);
  step.size = strlen(text);
  if (step.text) return add(p, step, err);
  rmx__pattern_release(&step.pattern);
  return rmx_fail_memory(err, step.size, "a tokenizer");
}

static rmx_status behaviour_of(const rmx__part *part, const char *missing, rmx__behaviour *out,
                               rmx_err *err) {
  static const char *const names[] = {"Isolated", "Removed", "Contiguous", "MergedWithPrevious",
                                      "MergedWithNext"};
  const char *name = missing;
  if (!missing || json_object_get(part->json, "behavior"))
    RMX_TRY(rmx__part_string(part, "behavior", &name, err));
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    *out = (rmx__behaviour)i;
    if (strcmp(name, names[i]) == 0) return RMX_OK;
  }
  return rmx__part_fail(part, err,
                        "\"behavior\" is none of Isolated, Removed, Contiguous, "
                        "MergedWithPrevious, MergedWithNext");
}

// ---- the parts --------------------------------------------------------------------------

static rmx_status read_byte_level(const rmx__part *part, void *into, rmx_err *err) {
  rmx__pre_tokenizer *p = into;
  rmx__step step = {0};
  bool use_regex;
  if (p->byte_level) return rmx__part_fail(part, err, "the text is in bytes already");
  RMX_TRY(rmx__part_flag(part, "add_prefix_space", false, &step.add, err));
  RMX_TRY(rmx__part_flag(part, "use_regex", true, &use_regex, err));
  step.type = use_regex ? &rmx__step_gpt2 : &rmx__step_bytes;
  step.known = use_regex ? rmx__known_pattern_of(rmx__gpt2_pattern) : NULL;
  p->byte_level = p->spelt = true;
  RMX_TRY(use_regex || step.add ? add(p, step, err) : RMX_OK);
  return add(p, (rmx__step){.type = &rmx__step_spell}, err);
}

static rmx_status read_split(const rmx__part *part, void *into, rmx_err *err) {
  rmx__step step = {0};
  const char *text;
  bool regex;
  RMX_TRY(behaviour_of(part, NULL, &step.behaviour, err));
  RMX_TRY(rmx__part_flag(part, "invert", false, &step.invert, err));
  RMX_TRY(rmx__part_pattern(part, &text, &regex, err));
  step.type = regex ? &rmx__step_regex : &rmx__step_string;
  if (!regex) {
    if (!*text) return rmx__part_fail(part, err, "\"pattern\" is an empty string");
    return add_text(into, step, text, err);
  }
  char where[512];
  snprintf(where, sizeof where, "%s: pre_tokenizer: part %zu of %zu", part->where, part->i,
           part->n);
  step.known = rmx__known_pattern_of(text);
  if (!step.known) RMX_TRY(rmx__pattern_compile(text, where, &step.pattern, err));
  return add_text(into, step, text, err);
}

static rmx_status read_digits(const rmx__part *part, void *into, rmx_err *err) {
  bool individual;
  RMX_TRY(rmx__part_flag(part, "individual_digits", false, &individual, err));
  return add(into,
             (rmx__step){.type = &rmx__step_digits,
                         .behaviour = individual ? RMX__ISOLATED : RMX__CONTIGUOUS},
             err);
}

static rmx_status read_punctuation(const rmx__part *part, void *into, rmx_err *err) {
  rmx__step step = {.type = &rmx__step_punctuation};
  RMX_TRY(behaviour_of(part, "Isolated", &step.behaviour, err));
  return add(into, step, err);
}

static rmx_status read_metaspace(const rmx__part *part, void *into, rmx_err *err) {
  rmx__pre_tokenizer *p = into;
  if (p->spelt) return rmx__part_fail(part, err, "the text is in bytes already");
  const char *replacement, *scheme = "always";
  bool split, add_space;
  RMX_TRY(rmx__part_character(part, "replacement", &replacement, err));
  if (json_object_get(part->json, "prepend_scheme"))
    RMX_TRY(rmx__part_string(part, "prepend_scheme", &scheme, err));
  RMX_TRY(rmx__part_flag(part, "split", true, &split, err));
  RMX_TRY(rmx__part_flag(part, "add_prefix_space", true, &add_space, err));
  bool first = strcmp(scheme, "first") == 0, never = strcmp(scheme, "never") == 0;
  if (!first && !never && strcmp(scheme, "always") != 0)
    return rmx__part_fail(part, err, "\"prepend_scheme\" is none of first, always, never");
  const rmx__step step = {.type = split ? &rmx__step_metaspace : &rmx__step_metaspace_whole,
                          .behaviour = RMX__TO_NEXT,
                          .add = !never && add_space,
                          .only_first = first};
  return add_text(into, step, replacement, err);
}

static rmx_status read_whitespace(const rmx__part *part, void *into, rmx_err *err) {
  (void)part;
  return add(into, (rmx__step){.type = &rmx__step_words, .behaviour = RMX__REMOVED, .invert = true},
             err);
}

static rmx_status read_whitespace_split(const rmx__part *part, void *into, rmx_err *err) {
  (void)part;
  return add(into, (rmx__step){.type = &rmx__step_whitespace, .behaviour = RMX__REMOVED}, err);
}

static rmx_status read_bert(const rmx__part *part, void *into, rmx_err *err) {
  RMX_TRY(read_whitespace_split(part, into, err));
  return add(into, (rmx__step){.type = &rmx__step_punctuation}, err);
}

static rmx_status read_delimiter(const rmx__part *part, void *into, rmx_err *err) {
  const char *delimiter;
  RMX_TRY(rmx__part_character(part, "delimiter", &delimiter, err));
  return add_text(into, (rmx__step){.type = &rmx__step_string, .behaviour = RMX__REMOVED},
                  delimiter, err);
}

static rmx_status read_fixed_length(const rmx__part *part, void *into, rmx_err *err) {
  rmx__step step = {.type = &rmx__step_fixed_length};
  RMX_TRY(rmx__part_count(part, "length", 5, &step.size, err));
  if (!step.size) return rmx__part_fail(part, err, "\"length\" is 0");
  return add(into, step, err);
}

static const rmx__part_type types[] = {
    {"BertPreTokenizer", read_bert},        {"ByteLevel", read_byte_level},
    {"CharDelimiterSplit", read_delimiter}, {"Digits", read_digits},
    {"FixedLength", read_fixed_length},     {"Metaspace", read_metaspace},
    {"Punctuation", read_punctuation},      {"Split", read_split},
    {"Whitespace", read_whitespace},        {"WhitespaceSplit", read_whitespace_split},
};

// ---- all of them ---------------------------------------------------------------------------

// A model gets bytes. So spelling them in GPT-2's alphabet as the last step, and back, is left out.
static rmx_status end_in_bytes(rmx__pre_tokenizer *p, rmx_err *err) {
  if (!p->spelt) return RMX_OK;
  if (p->n && p->steps[p->n - 1].type == &rmx__step_spell) {
    p->n--;
    return RMX_OK;
  }
  return add(p, (rmx__step){.type = &rmx__step_unspell}, err);
}

rmx_status rmx__pre_tokenizer_read(const json_t *root, bool spelt, const char *where,
                                   rmx__pre_tokenizer *out, rmx_err *err) {
  *out = (rmx__pre_tokenizer){.byte_level = spelt, .spelt = spelt};
  RMX_TRY(rmx__parts_read(root, "pre_tokenizer", "pretokenizers", types,
                          sizeof types / sizeof *types, where, out, err));
  return end_in_bytes(out, err);
}

void rmx__pre_tokenizer_release(rmx__pre_tokenizer *p) {
  for (size_t i = 0; i < p->n; i++) {
    rmx__pattern_release(&p->steps[i].pattern);
    free(p->steps[i].text);
  }
  free(p->steps);
  *p = (rmx__pre_tokenizer){0};
}
