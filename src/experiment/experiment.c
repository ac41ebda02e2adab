// SPDX-License-Identifier: Apache-2.0
// An experiment is a folder with a regmix.yaml in it.
#include <stdlib.h>
#include <string.h>

#include "files.h"

char *rmx_experiment_path(const rmx_experiment *e, const char *name) {
  return rmx_path_in(e->folder, name);
}

static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return rmx_strdup(".");
  return slash == path ? rmx_strdup("/") : rmx_format("%.*s", (int)(slash - path), path);
}

static rmx_status find_config(rmx_experiment *e, const char *folder, const char *yaml,
                              rmx_err *err) {
  if (yaml) {
    e->config_path = rmx_strdup(yaml);
    e->folder = folder ? rmx_strdup(folder) : folder_of(yaml);
  } else {
    e->folder = rmx_strdup(folder ? folder : ".");
    e->config_path = e->folder ? rmx_path_in(e->folder, "regmix.yaml") : NULL;
  }
  if (!e->folder || !e->config_path) return rmx_fail_memory(err, 0, "a path");
  if (!yaml && !rmx_exists(e->config_path)) {
    free(e->config_path);
    e->config_path = NULL;
  }
  return RMX_OK;
}

rmx_status rmx_experiment_open(const char *folder, const char *yaml, const char *const *settings,
                               size_t n, rmx_experiment *out, rmx_err *err) {
  *out = (rmx_experiment){0};
  rmx_status status = find_config(out, folder, yaml, err);
  if (status == RMX_OK) status = rmx_config_read(out->config_path, settings, n, &out->config, err);
  if (status == RMX_OK) status = rmx_training_find_init(&out->config.proxy, out->folder, err);
  if (status == RMX_OK) status = rmx_training_find_init(&out->config.large, out->folder, err);
  for (size_t k = 0; status == RMX_OK && k < out->config.n_swarms; k++)
    status = rmx_training_find_init(&out->config.swarms[k].training, out->folder, err);
  if (status != RMX_OK) rmx_experiment_release(out);
  return status;
}

void rmx_experiment_release(rmx_experiment *e) {
  rmx_config_release(&e->config);
  free(e->folder);
  free(e->config_path);
  *e = (rmx_experiment){0};
}

bool rmx__experiment_has(const rmx_experiment *e, const char *name) {
  RMX_OWNED char *path = rmx_experiment_path(e, name);
  return path && rmx_exists(path);
}

rmx_status rmx__experiment_read(const rmx_experiment *e, const char *name, json_t **out,
                                rmx_err *err) {
  *out = NULL;
  RMX_OWNED char *path = rmx_experiment_path(e, name);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  return rmx_exists(path) ? rmx__json_read(path, out, err) : RMX_OK;
}

rmx_status rmx__experiment_write(const rmx_experiment *e, const char *name, json_t *tree,
                                 rmx_err *err) {
  char *path = rmx_experiment_path(e, name);
  rmx_status status =
      path && tree ? rmx__json_write(path, tree, err) : rmx_fail_memory(err, 0, name);
  free(path);
  json_decref(tree);
  return status;
}
