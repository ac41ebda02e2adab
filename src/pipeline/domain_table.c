// SPDX-License-Identifier: Apache-2.0
// The table of the domains of a prepared corpus.
#include "steps.h"

static double number(const json_t *domain, const char *key) {
  return json_number_value(json_object_get(domain, key));
}

void rmx_corpus_facts(json_t *index) {
  const json_t *domains = json_object_get(index, "domains");
  size_t i;
  json_t *d;
  double total = 0;
  json_array_foreach(domains, i, d) total += number(d, "train_tokens");
  json_array_foreach(domains, i, d) {
    const double tokens = number(d, "train_tokens") + number(d, "valid_tokens"),
                 bytes = number(d, "train_bytes") + number(d, "valid_bytes"),
                 documents = number(d, "documents");
    const bool trained = !json_is_true(json_object_get(d, "valid_only"));
    json_object_set_new(d, "tokens", json_integer((json_int_t)tokens));
    json_object_set_new(d, "bytes_per_token", tokens > 0 ? json_real(bytes / tokens) : json_null());
    json_object_set_new(d, "mean_bytes",
                        documents > 0 ? json_real(bytes / documents) : json_null());
    json_object_set_new(
        d, "prior",
        trained && total > 0 ? json_real(number(d, "train_tokens") / total) : json_null());
  }
}

// A number with some digits after the point; "-" if there is none.
static const char *cell(const json_t *domain, const char *key, int digits, char out[32]) {
  const json_t *value = json_object_get(domain, key);
  snprintf(out, 32, "-");
  if (json_is_number(value)) snprintf(out, 32, "%.*f", digits, json_number_value(value));
  return out;
}

void rmx__note_domains(const rmx_pipeline *p, const json_t *index) {
  json_t *copy = json_deep_copy(index);
  rmx_corpus_facts(copy);
  const json_t *domains = json_object_get(copy, "domains");
  size_t i;
  json_t *d;
  int width = 6;
  json_array_foreach(domains, i, d) {
    const size_t n = json_string_length(json_object_get(d, "name"));
    if ((int)n > width && n < 60) width = (int)n;
  }
  rmx_note(&p->listener, "%-*s %10s %8s %11s %11s %10s %7s", width, "domain", "documents", "tokens",
           "bytes/token", "mean length", "duplicates", "prior");
  json_array_foreach(domains, i, d) {
    char tokens[16], ratio[32], mean[32], prior[32];
    rmx_note(&p->listener, "%-*s %10.0f %8s %11s %11s %10.0f %7s", width,
             json_string_value(json_object_get(d, "name")), number(d, "documents"),
             rmx_count(number(d, "tokens"), tokens), cell(d, "bytes_per_token", 2, ratio),
             cell(d, "mean_bytes", 0, mean), number(d, "duplicates"), cell(d, "prior", 4, prior));
  }
  json_decref(copy);
}
