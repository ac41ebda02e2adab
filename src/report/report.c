// SPDX-License-Identifier: Apache-2.0
// Writes the page: a template whose {{marks}} are replaced by the parts and the numbers. Text of
// the user (names, the config) is inserted only as JSON; the script of the page shows it as text,
// never as markup.
#include <regmix/report.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

static const rmx__asset *asset(const char *name) {
  for (size_t i = 0; i < rmx__assets_n; i++)
    if (strcmp(rmx__assets[i].name, name) == 0) return &rmx__assets[i];
  return NULL;
}

// In HTML a script ends at every "</script", also inside a string.
static void add_script(rmx_buf *page, const rmx__asset *script) {
  const char *at = script->data, *end = script->data + script->size;
  for (const char *close; (close = strstr(at, "</script")); at = close + 2) {
    rmx_buf_add(page, at, (size_t)(close - at));
    rmx_buf_puts(page, "<\\/");
  }
  rmx_buf_add(page, at, (size_t)(end - at));
}

// The chart library: one script, or functions by name that assets/vega.js combines.
static void add_library(rmx_buf *page) {
  const rmx__asset *whole = asset("vega.min.js");
  if (whole) add_script(page, whole);
  rmx_buf_puts(page, "\nconst vegaModules = {};\n");
  for (size_t i = 0; i < rmx__assets_n; i++) {
    if (strncmp(rmx__assets[i].name, "vega-", 5) != 0) continue;
    rmx_buf_printf(page, "vegaModules[\"%s\"] = function (exports, module, require) {\n",
                   rmx__assets[i].name);
    add_script(page, &rmx__assets[i]);
    rmx_buf_puts(page, "\n};\n");
  }
}

static void add_escaped(rmx_buf *page, const char *text) {
  for (; *text; text++) {
    if (*text == '<')
      rmx_buf_puts(page, "&lt;");
    else if (*text == '&')
      rmx_buf_puts(page, "&amp;");
    else
      rmx_buf_add(page, text, 1);
  }
}

// The JSON never contains "<", so it contains neither "</script" nor "<!--".
static void add_json(rmx_buf *page, const char *text) {
  if (!text) page->failed = true;
  const char *at = text;
  for (const char *angle; at && (angle = strchr(at, '<')); at = angle + 1) {
    rmx_buf_add(page, at, (size_t)(angle - at));
    rmx_buf_puts(page, "\\u003c");
  }
  if (at) rmx_buf_puts(page, at);
}

// Drawn values need 7 digits. The functions, which predict, need all digits and are written
// separately.
static void add_data(rmx_buf *page, const json_t *data) {
  json_auto_t *drawn = json_copy((json_t *)data);
  json_object_del(drawn, "functions");
  RMX_OWNED char *text = drawn ? json_dumps(drawn, JSON_COMPACT | JSON_REAL_PRECISION(7)) : NULL;
  add_json(page, text);
}

static void add_functions(rmx_buf *page, const json_t *data) {
  const json_t *functions = json_object_get(data, "functions");
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  if (functions)
    rmx__put_json(&text, functions);
  else
    rmx_buf_puts(&text, "null");
  add_json(page, text.failed ? NULL : text.data);
}

static void add_part(rmx_buf *page, const char *name, size_t length, const json_t *data) {
  char key[32];
  snprintf(key, sizeof key, "%.*s", (int)length, name);
  const rmx__asset *part = asset(key);
  if (strcmp(key, "title") == 0)
    add_escaped(page, json_string_value(json_object_get(data, "title")));
  else if (strcmp(key, "data") == 0)
    add_data(page, data);
  else if (strcmp(key, "functions") == 0)
    add_functions(page, data);
  else if (strcmp(key, "library") == 0)
    add_library(page);
  else if (part)
    add_script(page, part);
}

static void add_page(rmx_buf *page, const json_t *data) {
  const char *at = asset("page.html")->data;
  for (const char *open; (open = strstr(at, "{{"));) {
    rmx_buf_add(page, at, (size_t)(open - at));
    const char *close = strstr(open, "}}");
    add_part(page, open + 2, (size_t)(close - open - 2), data);
    at = close + 2;
  }
  rmx_buf_puts(page, at);
}

rmx_status rmx_report_write(const rmx_report_files *files, const char *path, rmx_err *err) {
  json_auto_t *data = NULL;
  RMX_TRY(rmx_report_collect(files, &data, err));
  RMX_OWNED char *beside = path ? NULL : rmx_path_in(files->folder, "report.html");
  if (!path) path = beside;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf page = {0};
  if (path) add_page(&page, data);
  if (!path || page.failed) return rmx_fail_memory(err, page.size, "the report");
  return rmx_write_file(path, page.data, page.size, err);
}
