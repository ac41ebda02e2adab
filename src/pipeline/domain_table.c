// SPDX-License-Identifier: Apache-2.0
// The table of the domains of a prepared corpus.
#include "steps.h"

static double number(const json_t *domain, const char *key) {
  return json_number_value(json_object_get(domain, key));
}

// Adds what follows from the other numbers of a domain.
static void add_facts(json_t *index) {
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
    if (!json_object_get(d, "near_duplicates"))
      json_object_set_new(d, "near_duplicates", json_integer(0));
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
  add_facts(copy);
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

// Files with unknown endings in folders that a pattern searches.
static rmx_status add_unread(const rmx_pipeline *p, const rmx_domain_source *d, json_t *list,
                             rmx_err *err) {
  rmx_source_look look;
  if (d->values.n) return RMX_OK;
  RMX_TRY(
      rmx_corpus_look(&p->experiment.config.corpus, d, p->experiment.folder, false, &look, err));
  if (look.unread.n)
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:I, s:s}", "domain", d->name, "path", look.unread.text,
                        "files", (json_int_t)look.unread.n, "why", "its ending is unknown"));
  return RMX_OK;
}

rmx_status rmx__left_out_json(const rmx_pipeline *p, const rmx_sources *s, json_t **out,
                              rmx_err *err) {
  json_auto_t *list = json_array();
  for (size_t i = 0; i < s->found.n_left_out; i++) {
    const rmx_left_out *l = &s->found.left_out[i];
    json_array_append_new(list, json_pack("{s:s, s:s}", "path", l->path, "why", l->why));
  }
  for (size_t i = 0; i < s->n; i++) RMX_TRY(add_unread(p, &s->domains[i], list, err));
  *out = json_incref(list);
  return RMX_OK;
}

rmx_status rmx_prepared_json(rmx_pipeline *p, json_t **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_sources_release) rmx_sources sources = {0};
  json_auto_t *tree = NULL, *left_out = NULL;
  RMX_TRY(rmx__experiment_read(&p->experiment, "corpus/corpus.json", &tree, err));
  RMX_TRY(rmx_sources_find(p, &sources, err));
  RMX_TRY(rmx__left_out_json(p, &sources, &left_out, err));
  if (!tree) return rmx_fail(err, RMX_EINPUT, "%s: no corpus", p->experiment.folder);
  add_facts(tree);
  json_object_set(tree, "left_out", left_out);
  *out = json_incref(tree);
  return RMX_OK;
}
