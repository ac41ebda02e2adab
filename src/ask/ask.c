// SPDX-License-Identifier: Apache-2.0
// A question: its options by name, as the command line takes them.
#include "ask.h"

#include <stdlib.h>
#include <string.h>

static const rmx__ask_kind *find_kind(const char *name) {
  for (size_t i = 0; i < rmx__ask_kinds_n; i++)
    if (strcmp(rmx__ask_kinds[i].command.name, name) == 0) return &rmx__ask_kinds[i];
  return NULL;
}

rmx_status rmx_ask_new(const char *name, rmx_ask **out, rmx_err *err) {
  const rmx__ask_kind *kind = find_kind(name);
  if (!kind) return rmx_fail(err, RMX_EUSAGE, "no question \"%s\"", name);
  rmx_ask *a = rmx_calloc(1, sizeof *a);
  if (!a) return rmx_fail_memory(err, sizeof *a, "a question");
  size_t n;
  const rmx_option *options = rmx_command_options(&kind->command, &n);
  a->kind = kind;
  a->own = rmx_calloc(1, kind->command.own_size);
  const rmx_status status = a->own ? rmx_options_init(options, n, a->own, err)
                                   : rmx_fail_memory(err, kind->command.own_size, "a question");
  if (status != RMX_OK) {
    rmx_ask_free(a);
    return status;
  }
  *out = a;
  return RMX_OK;
}

void rmx_ask_free(rmx_ask *a) {
  if (!a) return;
  size_t n;
  const rmx_option *options = rmx_command_options(&a->kind->command, &n);
  if (a->own) rmx_options_release(options, n, a->own);
  free(a->own);
  rmx_strings_release(&a->settings);
  rmx_strings_release(&a->how);
  rmx__outputs_release(&a->outputs);
  rmx_pipeline_release(&a->pipeline);
  free(a);
}

static rmx_status add_setting(rmx_ask *a, const char *value, rmx_err *err) {
  return rmx_strings_add(&a->settings, value) ? RMX_OK : rmx_fail_memory(err, 0, "a setting");
}

rmx_status rmx_ask_set(rmx_ask *a, const char *name, const char *value, rmx_err *err) {
  if (strcmp(name, "set") == 0) return add_setting(a, value, err);
  size_t n;
  const rmx_option *table = rmx_command_options(&a->kind->command, &n),
                   *o = rmx_option_find(table, n, name);
  if (o) RMX_TRY(rmx_check_place(o, value, err));
  rmx_status status = rmx_option_set(table, n, a->own, name, value, err);
  if (status == RMX_EINPUT) status = rmx_fail(err, RMX_EUSAGE, "--%.900s", err->message);
  RMX_TRY(status);
  if (rmx_names_output(o) && !rmx_strings_add(&a->outputs.given, value))
    return rmx_fail_memory(err, strlen(value), "a path");
  return rmx_command_keep_how(&a->kind->command, o, value, &a->how, err);
}

rmx_status rmx_ask_tables(rmx_ask *a, const rmx_table *mixtures, const rmx_table *metrics,
                          rmx_err *err) {
  a->mixtures = mixtures;
  a->metrics = metrics;
  return RMX_OK;
}

// A pipeline of no experiment: the settings over the defaults.
static rmx_status open_pipeline(rmx_ask *a, const rmx_listener *listener, rmx_err *err) {
  rmx_experiment *e = &a->pipeline.experiment;
  if (listener) a->pipeline.listener = *listener;
  if (e->folder) return RMX_OK;
  RMX_TRY(rmx_config_read(NULL, (const char *const *)a->settings.items, a->settings.n, &e->config,
                          err));
  e->folder = rmx_strdup(".");
  return e->folder ? RMX_OK : rmx_fail_memory(err, 0, "a path");
}

rmx_status rmx_ask_answer(rmx_ask *a, const rmx_listener *listener, char **json, rmx_err *err) {
  json_auto_t *tree = NULL;
  RMX_TRY(open_pipeline(a, listener, err));
  rmx__outputs_exchange(&a->outputs);  // this thread writes them
  const rmx_status status = a->kind->answer(a, &tree, err);
  rmx__outputs_exchange(&a->outputs);
  rmx__outputs_tell(&a->outputs, &a->pipeline.listener);
  RMX_TRY(status);
  *json = rmx__json_dump(tree);
  return *json ? RMX_OK : rmx_fail_memory(err, 0, "the answer");
}

rmx_status rmx_ask_regressor(rmx_ask *a, const rmx_dataset *data, const rmx_listener *listener,
                             rmx_regressor **out, rmx_err *err) {
  if (a->kind != find_kind("fit")) return rmx_fail(err, RMX_EUSAGE, "ask for a fit");
  RMX_TRY(open_pipeline(a, listener, err));
  const rmx_fit_request *request = a->own;
  rmx_config *config = &a->pipeline.experiment.config;
  if (request->regressor) {
    RMX_OWNED char *setting = rmx_format("fit.regressor=%s", request->regressor);
    RMX_TRY(setting ? rmx_config_set(config, setting, err) : rmx_fail_memory(err, 0, "a setting"));
  }
  return rmx_regress_fit(&config->regress, data, (uint64_t)config->general.seed, listener, out,
                         err);
}

char *rmx_ask_options(const char *name) {
  static const char *const types[] = {
      [RMX_BOOL] = "bool",         [RMX_INT] = "int",   [RMX_REAL] = "real",
      [RMX_DURATION] = "duration", [RMX_TEXT] = "text", [RMX_CHOICE] = "choice",
      [RMX_LIST] = "list"};
  const rmx__ask_kind *kind = find_kind(name);
  if (!kind) return NULL;
  size_t n;
  const rmx_option *o = rmx_command_options(&kind->command, &n);
  json_auto_t *list = json_array();
  for (size_t i = 0; i < n; i++)
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:s, s:s}", "key", o[i].key, "type", types[o[i].type], "value",
                        o[i].choices ? o[i].choices : "", "help", o[i].help));
  return rmx__json_dump(list);
}
