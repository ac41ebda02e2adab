// SPDX-License-Identifier: Apache-2.0
// The pipeline of a command: it opens the experiment, asks a person and prints a dry run.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

// Asks a person before finished runs go out of use. A script must give --redo.
static bool ask(void *context, const char *message) {
  char line[64];
  rmx_terminal_clear();
  RMX_OWNED char *text = rmx_format(
      "regmix: %s. What is not used is set aside, not deleted. Continue? [y/N] ", message);
  if (text) rmx_print_wrapped(stderr, text, 0);
  fflush(stderr);
  if (!fgets(line, sizeof line, stdin)) {
    fputc('\n', stderr);
    return false;
  }
  return line[0] == 'y' || line[0] == 'Y';
}

// Whether a key of the config has one value, so that a later setting replaces an earlier one.
static bool has_one_value(const char *key, size_t length) {
  for (size_t i = 0; i < rmx_config_sections_n; i++) {
    const rmx_section *s = &rmx_config_sections[i];
    const size_t n = *s->prefix ? strlen(s->prefix) + 1 : 0;
    if (n >= length || strncmp(key, s->prefix, n ? n - 1 : 0) != 0 || (n && key[n - 1] != '.'))
      continue;
    for (size_t k = 0; k < *s->n; k++)
      if (strlen(s->table[k].key) == length - n &&
          strncmp(s->table[k].key, key + n, length - n) == 0)
        return s->table[k].type != RMX_LIST;
  }
  return false;
}

// A script may override its own settings, but by a slip a setting would be lost.
static void warn_of_repeated(const cli *c) {
  const rmx_strings *all = &c->common.settings;
  for (size_t i = 0; i < all->n; i++)
    for (size_t j = 0; j < i; j++) {
      const char *now = all->items[i], *before = all->items[j];
      const size_t n = strcspn(now, "=");
      if (n != strcspn(before, "=") || strncmp(now, before, n) != 0 || strcmp(now, before) == 0 ||
          !has_one_value(now, n))
        continue;
      rmx_warn(&c->listener, "--set %.*s is given twice; %s counts, and not %s", (int)n, now, now,
               before);
    }
}

rmx_status cli_open(cli *c, const char *yaml, bool needed, rmx_err *err) {
  c->pipeline.program = c->program;
  c->pipeline.listener = c->listener;
  warn_of_repeated(c);
  if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) c->pipeline.agree = ask;
  RMX_TRY(rmx_pipeline_open(&c->pipeline, c->common.folder, yaml,
                            (const char *const *)c->common.settings.items, c->common.settings.n,
                            err));
  if (needed && !c->pipeline.experiment.config_path)
    return rmx_fail(err, RMX_EINPUT,
                    "no regmix.yaml in %s; `regmix init` writes one, -C DIR chooses another folder",
                    c->pipeline.experiment.folder);
  return RMX_OK;
}

rmx_status cli_read(const cli *c, const char *name, json_t **tree, rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(&c->pipeline.experiment, name);
  RMX_TRY(path ? rmx__json_read(path, tree, err) : rmx_fail_memory(err, 0, "a path"));
  return rmx_pipeline_unchanged(&c->pipeline, err);
}

static void keep_step(void *context, const char *step, bool to_do, const char *what) {
  json_array_append_new(context,
                        json_pack("{s:s, s:b, s:s}", "step", step, "to_do", to_do, "what", what));
}

rmx_status cli_dry_run(cli *c, rmx_status (*steps)(rmx_pipeline *, rmx_err *), rmx_err *err) {
  rmx_pipeline *p = &c->pipeline;
  json_t *found = json_array(), *step;
  size_t i;
  p->would = keep_step;
  p->context = found;
  p->listener.note = NULL;  // what the steps find is the result
  rmx_status status = steps(p, err);
  if (status == RMX_OK && c->common.json) {
    cli_print_json(json_pack("{s:O, s:b}", "steps", found, "to_do", p->pending));
  } else if (status == RMX_OK) {
    json_array_foreach(found, i, step)
      cli_print("%-9s %s\n", cli_text(step, "step"), rmx_shown(cli_text(step, "what")));
    cli_print(p->pending ? "Nothing was done: this was a dry run.\n"
                         : "Nothing needs to be done.\n");
  }
  json_decref(found);
  return status;
}
