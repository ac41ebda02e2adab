// SPDX-License-Identifier: Apache-2.0
// Reads the config: defaults, then the YAML file, then the command line, all through the same
// tables. The map of domains and the target have free keys and so no table.
#include <regmix/experiment.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "swarms.h"

static rmx_option *named_options(size_t *n, rmx_err *err);

// ---- finding a key: section and option

static bool in_section(const rmx_section *s, const char *key, const char **rest) {
  size_t n = strlen(s->prefix);
  if (n == 0)
    *rest = key;
  else if (strncmp(key, s->prefix, n) == 0 && key[n] == '.')
    *rest = key + n + 1;
  else
    return false;
  return true;
}

static rmx_status set_key(rmx_config *c, const char *key, const char *value, rmx_err *err) {
  static const char epochs[] = "sample.max_epochs.";  // sample.max_epochs: {DOMAIN: X, "*": X}
  if (strncmp(key, epochs, sizeof epochs - 1) == 0 && key[sizeof epochs - 1]) {
    const char *domain = key + sizeof epochs - 1;
    if (strcmp(domain, "*") == 0) return set_key(c, "sample.max_epochs", value, err);
    RMX_OWNED char *text = rmx_format("%s=%s", domain, value);
    return text ? set_key(c, "sample.domain_epochs", text, err)
                : rmx_fail_memory(err, 0, "the config");
  }
  if (strncmp(key, "swarms", 6) == 0 && (key[6] == '.' || !key[6]))
    return rmx__swarms_set(c, key[6] ? key + 7 : "", value, err);
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    const char *rest;
    if (!in_section(s, key, &rest) || !rmx_option_find(s->table, *s->n, rest)) continue;
    if (strcmp(key, "large.tokens") == 0) c->large_tokens_given = true;
    if (rmx_option_set(s->table, *s->n, (char *)c + s->offset, rest, value, err) == RMX_OK)
      return RMX_OK;
    return *s->prefix ? rmx_fail_in(err, "%s", s->prefix) : err->status;
  }
  size_t n;
  rmx_option *all = named_options(&n, err);
  if (!all) return err->status;
  rmx_status status = rmx_option_set(all, n, c, key, value, err);  // Fails, and suggests the
                                                                   // nearest key.
  for (size_t i = 0; i < n; i++) free((char *)all[i].key);
  free(all);
  return status == RMX_OK ? rmx_fail(err, RMX_EUSAGE, "unknown key \"%s\"", key) : status;
}

// The full name of every key, only for "did you mean".
static rmx_option *named_options(size_t *n, rmx_err *err) {
  static const char *const maps[] = {"corpus.domains", "target", "swarms"};
  *n = sizeof maps / sizeof *maps;
  for (size_t i = 0; i < rmx_config_sections_n; i++) *n += *rmx_config_sections[i].n;
  rmx_option *all = rmx_calloc(*n, sizeof *all);
  size_t at = 0;
  for (size_t i = 0; all && i < sizeof maps / sizeof *maps; i++)
    all[at++].key = rmx_strdup(maps[i]);
  for (size_t i = 0; all && i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    for (size_t j = 0; j < *s->n; j++)
      all[at++].key = rmx_format("%s%s%s", s->prefix, *s->prefix ? "." : "", s->table[j].key);
  }
  bool good = all != NULL;
  for (size_t i = 0; good && i < *n; i++) good = all[i].key != NULL;
  if (good) return all;
  for (size_t i = 0; all && i < *n; i++) free((char *)all[i].key);
  free(all);
  rmx_fail_memory(err, 0, "option names");
  return NULL;
}

// ---- the parts with free keys

static rmx_status scalar_text(const json_t *node, char number[32], const char **text) {
  *text = number;
  if (json_is_string(node))
    *text = json_string_value(node);
  else if (json_is_integer(node))
    snprintf(number, 32, "%lld", (long long)json_integer_value(node));
  else if (json_is_real(node))
    rmx_double_text(json_real_value(node), number);
  else if (json_is_boolean(node))
    *text = json_is_true(node) ? "true" : "false";
  else
    return RMX_EINPUT;
  return RMX_OK;
}

struct reading {
  rmx_config *config;
  const char *path;
  const rmx__yaml *yaml;
  rmx_err *err;
};

static rmx_status at_line(struct reading *r, const json_t *node, const char *fmt, ...)
    RMX_PRINTF(3, 4);
static rmx_status at_line(struct reading *r, const json_t *node, const char *fmt, ...) {
  char what[800];
  va_list args;
  va_start(args, fmt);
  vsnprintf(what, sizeof what, fmt, args);
  va_end(args);
  int line = rmx__yaml_line(r->yaml, node);
  if (line) return rmx_fail(r->err, RMX_EINPUT, "%s:%d: %s", r->path, line, what);
  return rmx_fail(r->err, RMX_EINPUT, "%s: %s", r->path, what);
}

static rmx_status files_of(struct reading *r, const json_t *node, const char *key,
                           rmx_strings *out) {
  if (json_is_string(node))
    return rmx_strings_add(out, json_string_value(node)) ? RMX_OK
                                                         : rmx_fail_memory(r->err, 0, r->path);
  size_t i;
  json_t *item;
  if (!json_is_array(node))
    return at_line(r, node, "%s: wanted a file name or a list of them", key);
  json_array_foreach(node, i, item) {
    if (!json_is_string(item)) return at_line(r, item, "%s: wanted file names", key);
    if (!rmx_strings_add(out, json_string_value(item))) return rmx_fail_memory(r->err, 0, r->path);
  }
  return RMX_OK;
}

static rmx_status domain_key(struct reading *r, const char *domain, const char *key,
                             const json_t *value, rmx_domain_source *s) {
  static const char *const known[] = {"files",     "valid_files", "valid_only", "text_field",
                                      "separator", "encoding",    "values"};
  if (strcmp(key, "values") == 0) return files_of(r, value, key, &s->values);
  if (strcmp(key, "files") == 0) return files_of(r, value, key, &s->files);
  if (strcmp(key, "valid_files") == 0) return files_of(r, value, key, &s->valid_files);
  if (strcmp(key, "valid_only") == 0) {
    if (!json_is_boolean(value))
      return at_line(r, value, "corpus.domains.%s.valid_only: wanted true or false", domain);
    s->valid_only = json_is_true(value);
    return RMX_OK;
  }
  char **member = strcmp(key, "text_field") == 0  ? &s->text_field
                  : strcmp(key, "separator") == 0 ? &s->separator
                  : strcmp(key, "encoding") == 0  ? &s->encoding
                                                  : NULL;
  if (!member) {
    int nearest = rmx_nearest(key, known, sizeof known / sizeof *known);
    return at_line(r, value, "corpus.domains.%s: unknown key \"%s\"%s%s%s", domain, key,
                   nearest < 0 ? "" : "; did you mean \"", nearest < 0 ? "" : known[nearest],
                   nearest < 0 ? "" : "\"?");
  }
  if (!json_is_string(value))
    return at_line(r, value, "corpus.domains.%s.%s: wanted text", domain, key);
  free(*member);
  *member = rmx_strdup(json_string_value(value));
  return *member ? RMX_OK : rmx_fail_memory(r->err, 0, r->path);
}

// Shares that do not sum to 1 are an error before any work.
static rmx_status check_phases(const rmx_config *c, const char *path, rmx_err *err) {
  RMX_OWNED double *share = NULL;
  size_t n;
  if (rmx_phase_shares(&c->sample.phases, "sample.phases", &share, &n, err) != RMX_OK)
    return rmx_fail_in(err, "%s", path);
  return RMX_OK;
}

// A domain without files is selected by its name, or by its values, in what corpus.domain_field
// divides.
static rmx_status check_domains(rmx_config *c, const char *path, rmx_err *err) {
  for (size_t i = 0; i < c->n_domains; i++) {
    rmx_domain_source *s = &c->domains[i];
    if (s->files.n) continue;
    if (!rmx_corpus_is_divided(&c->corpus))
      return rmx_fail(err, RMX_EINPUT,
                      "%s: corpus.domains.%s: no \"files\"; only corpus.domain_field and "
                      "corpus.classifier give documents to a domain without files",
                      path, s->name);
    if (s->values.n == 0 && !rmx_strings_add(&s->values, s->name))
      return rmx_fail_memory(err, 0, "the config");
  }
  return RMX_OK;
}

// A list of names is a map without files.
static rmx_status domains_of(struct reading *r, const json_t *node);
static rmx_status domains_of_list(struct reading *r, const json_t *list) {
  json_t *map = json_object(), *name;
  size_t i;
  rmx_status status = map ? RMX_OK : rmx_fail_memory(r->err, 0, r->path);
  json_array_foreach(list, i, name) {
    if (status != RMX_OK) break;
    if (!json_is_string(name) || json_object_get(map, json_string_value(name)))
      status = at_line(r, name, "corpus.domains: wanted different names, or a map `domain: files`");
    else
      json_object_set_new(map, json_string_value(name), json_null());
  }
  if (status == RMX_OK) status = domains_of(r, map);
  json_decref(map);
  return status;
}

static rmx_status domains_of(struct reading *r, const json_t *node) {
  if (json_is_array(node) && json_array_size(node)) return domains_of_list(r, node);
  if (!json_is_object(node) || json_object_size(node) == 0)
    return at_line(r, node, "corpus.domains: wanted a map `domain: files`");
  r->config->domains = rmx_calloc(json_object_size(node), sizeof *r->config->domains);
  if (!r->config->domains) return rmx_fail_memory(r->err, 0, r->path);
  const char *name, *key;
  json_t *value, *part;
  json_object_foreach((json_t *)node, name, value) {
    rmx_domain_source *s = &r->config->domains[r->config->n_domains++];
    if (!(s->name = rmx_strdup(name))) return rmx_fail_memory(r->err, 0, r->path);
    if (!*name || strpbrk(name, "/,\"\n\r=") || name[0] == '.' || name[0] == '-')
      return at_line(r, value,
                     "corpus.domains: \"%s\" can't be a name, since it becomes a folder and a "
                     "column; wanted a name without / , \" =",
                     name);
    if (json_is_null(value)) continue;
    if (!json_is_object(value)) {
      RMX_TRY(files_of(r, value, name, &s->files));
      continue;
    }
    json_object_foreach(value, key, part) RMX_TRY(domain_key(r, name, key, part, s));
    if (s->files.n && s->values.n)
      return at_line(r, value, "corpus.domains.%s: give either files or values", name);
  }
  return RMX_OK;
}

static rmx_status add_target(rmx_config *c, const char *metric, double weight, rmx_err *err) {
  rmx_target_term *terms = rmx_realloc(c->target, c->n_target + 1, sizeof *terms);
  if (terms) c->target = terms;
  char *copy = rmx_strdup(metric);
  if (!terms || !copy) {
    free(copy);
    return rmx_fail_memory(err, 0, "the target");
  }
  c->target[c->n_target++] = (rmx_target_term){copy, weight};
  return RMX_OK;
}

static rmx_status target_of(struct reading *r, const json_t *node) {
  const char *metric;
  json_t *weight;
  if (json_is_string(node)) return add_target(r->config, json_string_value(node), 1.0, r->err);
  if (!json_is_object(node) || json_object_size(node) == 0)
    return at_line(r, node, "target: wanted a metric, or a map `metric: weight`");
  json_object_foreach((json_t *)node, metric, weight) {
    if (!json_is_number(weight))
      return at_line(r, weight, "target.%s: the weight is not a number", metric);
    RMX_TRY(add_target(r->config, metric, json_number_value(weight), r->err));
  }
  return RMX_OK;
}

// The settings of each swarm are then taken as those of other sections are.
static rmx_status swarms_of(struct reading *r, const json_t *node) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)node, name, value) {
    rmx_err err;
    if (!json_is_object(value))
      return at_line(r, value, "swarms.%s: wanted a map of settings, such as {model: 1M}", name);
    if (rmx__swarms_add(r->config, name, &err) != RMX_OK)
      return err.status == RMX_EINPUT ? at_line(r, value, "%s", err.message)
                                      : rmx_fail_memory(r->err, 0, r->path);
  }
  return RMX_OK;
}

// ---- the file

static rmx_status take_node(struct reading *r, const char *key, const json_t *node) {
  if (strcmp(key, "corpus.domains") == 0) return domains_of(r, node);
  if (strcmp(key, "target") == 0) return target_of(r, node);
  char name[512], number[32];
  const char *part, *text;
  json_t *value;
  if (strcmp(key, "swarms") == 0) RMX_TRY(swarms_of(r, node));
  if (json_is_object(node)) {
    json_object_foreach((json_t *)node, part, value) {
      snprintf(name, sizeof name, "%s%s%s", key, *key ? "." : "", part);
      RMX_TRY(take_node(r, name, value));
    }
    return RMX_OK;
  }
  size_t i;
  if (json_is_array(node)) {
    json_array_foreach(node, i, value) RMX_TRY(take_node(r, key, value));
    return RMX_OK;
  }
  if (json_is_null(node)) return RMX_OK;
  if (scalar_text(node, number, &text) != RMX_OK)
    return at_line(r, node, "%s: wanted a value", key);
  if (set_key(r->config, key, text, r->err) == RMX_OK) return RMX_OK;
  char message[sizeof r->err->message];
  memcpy(message, r->err->message, sizeof message);
  return at_line(r, node, "%.780s", message);
}

rmx_status rmx_config_set(rmx_config *c, const char *setting, rmx_err *err) {
  const char *equals = strchr(setting, '=');
  if (!equals || equals == setting)
    return rmx_fail(err, RMX_EUSAGE, "--set %s: wanted key=value, as in --set proxy.tokens=1M",
                    setting);
  char *key = rmx_format("%.*s", (int)(equals - setting), setting);
  if (!key) return rmx_fail_memory(err, 0, "a setting");
  rmx_status status;
  if (strncmp(key, "target.", 7) == 0) {
    double weight;
    status = rmx_parse_real(equals + 1, key, &weight, err);
    if (status == RMX_OK) status = add_target(c, key + 7, weight, err);
  } else if (strcmp(key, "target") == 0 && !equals[1]) {
    status = rmx_fail(err, RMX_EUSAGE, "--set target=: wanted the name of a domain or a metric");
  } else if (strcmp(key, "target") == 0) {
    for (size_t i = 0; i < c->n_target; i++) free(c->target[i].metric);
    c->n_target = 0;
    status = add_target(c, equals + 1, 1.0, err);
  } else {
    status = set_key(c, key, equals + 1, err);
  }
  if (status == RMX_EINPUT) err->status = status = RMX_EUSAGE;
  free(key);
  return status;
}

// The option of a key and its section, or NULL: the user names such keys (corpus.domains.NAME), or
// the key is unknown.
static const rmx_option *option_of(const char *key, const rmx_section **of) {
  const rmx_option *o = NULL;
  for (size_t i = 0; i < rmx_config_sections_n && !o; i++) {
    const char *rest;
    *of = &rmx_config_sections[i];
    if (in_section(*of, key, &rest)) o = rmx_option_find((*of)->table, *(*of)->n, rest);
  }
  return o;
}

// The list of a key, or NULL: the key is unknown, or has one value.
static rmx_strings *list_of(rmx_config *c, const char *key) {
  const rmx_section *s;
  const rmx_option *o = option_of(key, &s);
  return o && o->type == RMX_LIST ? (rmx_strings *)(void *)((char *)c + s->offset + o->offset)
                                  : NULL;
}

// Of a list the first setting replaces that of the file, and later ones add to it. "[a, b]" is as
// in the file.
static rmx_status set_nth(rmx_config *c, const char *const *settings, size_t i, rmx_err *err) {
  const char *equals = strchr(settings[i], '=');
  if (!equals) return rmx_config_set(c, settings[i], err);
  const size_t length = (size_t)(equals - settings[i]);
  RMX_OWNED char *key = rmx_format("%.*s", (int)length, settings[i]);
  if (!key) return rmx_fail_memory(err, 0, "a setting");
  rmx_strings *list = list_of(c, key);
  if (!list) return rmx_config_set(c, settings[i], err);
  bool first = true;
  for (size_t j = 0; j < i; j++) first &= strncmp(settings[j], settings[i], length + 1) != 0;
  if (first) rmx_strings_release(list);
  const size_t n = strlen(equals + 1);
  if (n < 2 || equals[1] != '[' || equals[n] != ']') return rmx_config_set(c, settings[i], err);
  for (const char *at = equals + 2, *end = equals + n; at < end;) {
    at += strspn(at, " ");
    size_t size = strcspn(at, ",]");
    const size_t step = size + 1;
    while (size > 0 && at[size - 1] == ' ') size--;
    RMX_OWNED char *one = rmx_format("%s=%.*s", key, (int)size, at);
    if (!one) return rmx_fail_memory(err, 0, "a setting");
    if (size > 0) RMX_TRY(rmx_config_set(c, one, err));
    at += step;
  }
  return RMX_OK;
}

static rmx_status set_defaults(rmx_config *c, rmx_err *err) {
  char key[128];
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    for (size_t j = 0; j < *s->n; j++) {
      snprintf(key, sizeof key, "%s%s%s", s->prefix, *s->prefix ? "." : "", s->table[j].key);
      const char *value = rmx_config_initial(key, &s->table[j]);
      if (value)
        RMX_TRY(
            rmx_option_set(s->table, *s->n, (char *)c + s->offset, s->table[j].key, value, err));
    }
  }
  return RMX_OK;
}

// Whether a key, or one below it, was set on the command line.
static bool was_set(const char *const *settings, size_t n, const char *key) {
  const size_t length = strlen(key);
  for (size_t i = 0; i < n; i++)
    if (strncmp(settings[i], key, length) == 0 && settings[i][length] == '=') return true;
  return false;
}

static rmx_status read_into(const char *path, const char *const *settings, size_t n,
                            rmx_config *out, rmx_err *err) {
  RMX_TRY(set_defaults(out, err));
  if (path) {
    rmx__yaml yaml;
    RMX_TRY(rmx__yaml_read(path, &yaml, err));
    struct reading r = {out, path, &yaml, err};
    rmx_status status = json_is_object(yaml.root)
                            ? take_node(&r, "", yaml.root)
                            : rmx_fail(err, RMX_EINPUT, "%s: wanted a map of settings", path);
    rmx__yaml_release(&yaml);
    RMX_TRY(status);
  }
  for (size_t i = 0; i < n; i++) RMX_TRY(set_nth(out, settings, i, err));
  RMX_TRY(check_domains(out, path ? path : "the config", err));
  RMX_TRY(rmx_training_settle(&out->proxy, "proxy", err));
  RMX_TRY(rmx_training_settle(&out->large, "large", err));
  RMX_TRY(rmx__swarms_settle(out, path ? path : "the config", err));
  const bool typed = was_set(settings, n, "sample.phases");
  if (check_phases(out, typed ? "--set" : path ? path : "the config", err) != RMX_OK) {
    if (typed && err->status == RMX_EINPUT) err->status = RMX_EUSAGE;
    return err->status;
  }
  static const char *const usual[] = {"prior", "uniform", "best_single", "best_run"};
  bool none = out->compare.against.n == 0;
  for (size_t i = 0; none && i < sizeof usual / sizeof *usual; i++)
    if (!rmx_strings_add(&out->compare.against, usual[i]))
      return rmx_fail_memory(err, 0, "the config");
  return RMX_OK;
}

rmx_status rmx_config_read(const char *path, const char *const *settings, size_t n, rmx_config *out,
                           rmx_err *err) {
  *out = (rmx_config){0};
  rmx_status status = read_into(path, settings, n, out, err);
  if (status != RMX_OK) rmx_config_release(out);
  return status;
}

void rmx_config_release(rmx_config *c) {
  for (size_t i = 0; i < rmx_config_sections_n; i++)
    rmx_options_release(rmx_config_sections[i].table, *rmx_config_sections[i].n,
                        (char *)c + rmx_config_sections[i].offset);
  for (size_t i = 0; i < c->n_domains; i++) {
    rmx_domain_source *s = &c->domains[i];
    rmx_strings_release(&s->files);
    rmx_strings_release(&s->valid_files);
    rmx_strings_release(&s->values);
    free(s->name), free(s->text_field), free(s->separator), free(s->encoding);
  }
  for (size_t i = 0; i < c->n_target; i++) free(c->target[i].metric);
  rmx__swarms_release(c);
  free(c->domains);
  free(c->target);
  *c = (rmx_config){0};
}

// ---- back to a tree

static json_t *domains_json(const rmx_config *c) {
  json_t *domains = json_object();
  for (size_t i = 0; i < c->n_domains; i++) {
    const rmx_domain_source *s = &c->domains[i];
    json_t *o = json_object();
    if (s->files.n) json_object_set_new(o, "files", rmx__strings_json(&s->files));
    if (s->values.n) json_object_set_new(o, "values", rmx__strings_json(&s->values));
    if (s->valid_files.n) json_object_set_new(o, "valid_files", rmx__strings_json(&s->valid_files));
    if (s->valid_only) json_object_set_new(o, "valid_only", json_true());
    if (s->text_field) json_object_set_new(o, "text_field", json_string(s->text_field));
    if (s->separator) json_object_set_new(o, "separator", json_string(s->separator));
    if (s->encoding) json_object_set_new(o, "encoding", json_string(s->encoding));
    json_object_set_new(domains, s->name, o);
  }
  return domains;
}

// Sets a value under a dotted key, and makes the maps that it needs.
static void set_path(json_t *root, const char *key, json_t *value) {
  const char *dot = strchr(key, '.');
  if (!dot) {
    json_object_set_new(root, key, value);
    return;
  }
  char part[128];
  snprintf(part, sizeof part, "%.*s", (int)(dot - key), key);
  json_t *child = json_object_get(root, part);
  if (!child) {
    child = json_object();
    json_object_set_new(root, part, child);
  }
  set_path(child, dot + 1, value);
}

json_t *rmx_config_json(const rmx_config *c) {
  json_t *root = json_object(), *target = json_object();
  char key[128];
  for (size_t i = 0; i < c->n_target; i++)
    json_object_set_new(target, c->target[i].metric, json_real(c->target[i].weight));
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    for (size_t j = 0; j < *s->n; j++) {
      snprintf(key, sizeof key, "%s%s%s", s->prefix, *s->prefix ? "." : "", s->table[j].key);
      set_path(root, key, rmx__option_json(&s->table[j], (const char *)c + s->offset));
    }
    if (i == 0) json_object_set_new(root, "target", target);
    if (strcmp(s->prefix, "corpus") == 0 && c->n_domains)
      set_path(root, "corpus.domains", domains_json(c));
  }
  // a key that did not exist when older optima were found
  if (!c->search.problem.scale) json_object_del(json_object_get(root, "optimize"), "for");
  if (c->n_swarms) json_object_set_new(root, "swarms", rmx__swarms_json(c));
  return root;
}
