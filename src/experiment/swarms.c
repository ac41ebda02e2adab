// SPDX-License-Identifier: Apache-2.0
// Further swarms: proxies of other sizes or lengths. Each has the training of the section `proxy`
// with keys of its own, and trains the first of the same mixtures. So a swarm that is added or
// removed leaves the runs of the others as they are.
#include "swarms.h"

#include <stdlib.h>
#include <string.h>

rmx_status rmx__swarms_add(rmx_config *c, const char *name, rmx_err *err) {
  if (!*name || strpbrk(name, "/.,=\" \t\n\r\\@") || *name == '-' || strlen(name) > 64)
    return rmx_fail(err, RMX_EINPUT,
                    "swarms: \"%.80s\" can't be a name, since it heads the names of runs; wanted "
                    "up to 64 characters without / . , = @ \" and spaces",
                    name);
  rmx_swarm_config *all = rmx_realloc(c->swarms, c->n_swarms + 1, sizeof *all);
  if (all) c->swarms = all;
  char *copy = rmx_strdup(name);
  if (!all || !copy) {
    free(copy);
    return rmx_fail_memory(err, 0, "a swarm");
  }
  c->swarms[c->n_swarms++] = (rmx_swarm_config){.name = copy};
  return RMX_OK;
}

static rmx_status find(rmx_config *c, const char *name, rmx_swarm_config **out, rmx_err *err) {
  for (size_t i = 0; i < c->n_swarms; i++)
    if (strcmp(c->swarms[i].name, name) == 0) return *out = &c->swarms[i], RMX_OK;
  RMX_OWNED const char **names = rmx_calloc(c->n_swarms + 1, sizeof *names);
  if (!names) return rmx_fail_memory(err, 0, "a swarm");
  for (size_t i = 0; i < c->n_swarms; i++) names[i] = c->swarms[i].name;
  const int nearest = rmx_nearest(name, names, c->n_swarms);
  if (nearest >= 0)
    return rmx_fail(err, RMX_EUSAGE, "swarms: no swarm \"%s\"; did you mean \"%s\"?", name,
                    names[nearest]);
  RMX_TRY(rmx__swarms_add(c, name, err));
  *out = &c->swarms[c->n_swarms - 1];
  return RMX_OK;
}

static rmx_status apply(rmx_training *t, const char *key, const char *value, rmx_err *err) {
  return rmx_option_set(rmx_training_options, rmx_training_options_n, t, key, value, err);
}

static const rmx_option runs_option = {
    "runs", RMX_INT, offsetof(rmx_swarm_config, runs), "all", 1, 1e6, "N", "mixtures"};

// A bad value is refused where it stands, so it is set on a copy first.
static rmx_status set_in(rmx_swarm_config *s, const char *key, const char *value, rmx_err *err) {
  if (strcmp(key, "runs") == 0) return rmx_option_set(&runs_option, 1, s, key, value, err);
  rmx_training scratch = {0};
  const rmx_status status = apply(&scratch, key, value, err);
  rmx_options_release(rmx_training_options, rmx_training_options_n, &scratch);
  RMX_TRY(status);
  RMX_OWNED char *text = rmx_format("%s=%s", key, value);
  return text && rmx_strings_add(&s->settings, text) ? RMX_OK : rmx_fail_memory(err, 0, "a swarm");
}

rmx_status rmx__swarms_set(rmx_config *c, const char *key, const char *value, rmx_err *err) {
  const char *dot = strchr(key, '.');
  if (!dot || !dot[1])
    return rmx_fail(err, RMX_EUSAGE,
                    "swarms: wanted a map from a name to settings, as in `swarms: {larger: "
                    "{model: 1M, runs: 16}}`");
  RMX_OWNED char *name = rmx_format("%.*s", (int)(dot - key), key);
  rmx_swarm_config *s = NULL;
  RMX_TRY(name ? find(c, name, &s, err) : rmx_fail_memory(err, 0, "a swarm"));
  return set_in(s, dot + 1, value, err) == RMX_OK ? RMX_OK : rmx_fail_in(err, "swarms.%s", name);
}

// ---- the trainings

static rmx_status copy_training(const rmx_training *from, rmx_training *to, rmx_err *err) {
  *to = *from;
  bool good = true;
  for (size_t i = 0; i < rmx_training_options_n; i++) {
    const rmx_option *o = &rmx_training_options[i];
    if (o->type != RMX_TEXT && o->type != RMX_CHOICE) continue;
    char **member = (char **)((char *)to + o->offset);
    if (!*member) continue;
    *member = good ? rmx_strdup(*member) : NULL;  // the others stay the proxy's own
    good = good && *member;
  }
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a swarm");
}

static bool gives(const rmx_swarm_config *s, const char *key) {
  const size_t n = strlen(key);
  for (size_t i = 0; i < s->settings.n; i++)
    if (strncmp(s->settings.items[i], key, n) == 0 && s->settings.items[i][n] == '=') return true;
  return false;
}

static rmx_status settle(const rmx_config *c, rmx_swarm_config *s, rmx_err *err) {
  rmx_options_release(rmx_training_options, rmx_training_options_n, &s->training);
  RMX_TRY(copy_training(&c->proxy, &s->training, err));
  // sizes and weights of the proxy's model are not those of another one
  if (gives(s, "model")) {
    s->training.layers = s->training.heads = s->training.width = s->training.ffn = 0;
    free(s->training.init);
    s->training.init = NULL;
  }
  for (size_t i = 0; i < s->settings.n; i++) {
    const char *text = s->settings.items[i], *equals = strchr(text, '=');
    RMX_OWNED char *key = rmx_format("%.*s", (int)(equals - text), text);
    RMX_TRY(key ? apply(&s->training, key, equals + 1, err) : rmx_fail_memory(err, 0, "a swarm"));
  }
  RMX_OWNED char *section = rmx_format("swarms.%s", s->name);
  return section ? rmx_training_settle(&s->training, section, err)
                 : rmx_fail_memory(err, 0, "a swarm");
}

// Whether two trainings are of one size and length, so that a fit can't tell them apart.
static bool same_scale(const rmx_training *a, const rmx_training *b) {
  enum { ANY_VOCABULARY = 4096 };
  rmx_model_config x, y;
  rmx_err ignored;
  return rmx_training_model(a, ANY_VOCABULARY, &x, &ignored) == RMX_OK &&
         rmx_training_model(b, ANY_VOCABULARY, &y, &ignored) == RMX_OK &&
         rmx_model_parameters_body(&x) == rmx_model_parameters_body(&y) && a->tokens == b->tokens;
}

rmx_status rmx__swarms_settle(rmx_config *c, const char *path, rmx_err *err) {
  for (size_t i = 0; i < c->n_swarms; i++) {
    rmx_swarm_config *s = &c->swarms[i];
    if (settle(c, s, err) != RMX_OK) return rmx_fail_in(err, "%s", path);
    bool same = same_scale(&s->training, &c->proxy);
    const char *other = "the section proxy";
    for (size_t k = 0; k < i && !same; k++)
      if ((same = same_scale(&s->training, &c->swarms[k].training))) other = c->swarms[k].name;
    if (same)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: swarms.%s: its models have the size and the tokens of %s; give it "
                      "another model or other tokens",
                      path, s->name, other);
  }
  return RMX_OK;
}

// ---- back to a tree

json_t *rmx__swarms_json(const rmx_config *c) {
  json_t *all = json_object();
  for (size_t i = 0; i < c->n_swarms; i++) {
    const rmx_swarm_config *s = &c->swarms[i];
    json_t *one = json_pack("{s:o}", "runs", rmx__option_json(&runs_option, s));
    for (size_t k = 0; k < rmx_training_options_n; k++)
      json_object_set_new(one, rmx_training_options[k].key,
                          rmx__option_json(&rmx_training_options[k], &s->training));
    json_object_set_new(all, s->name, one);
  }
  return all;
}

void rmx__swarms_release(rmx_config *c) {
  for (size_t i = 0; i < c->n_swarms; i++) {
    rmx_swarm_config *s = &c->swarms[i];
    rmx_options_release(rmx_training_options, rmx_training_options_n, &s->training);
    rmx_strings_release(&s->settings);
    free(s->name);
  }
  free(c->swarms);
}
