// SPDX-License-Identifier: Apache-2.0
// Functions that the files of this room share.
#ifndef RMX_REPORT_PARTS_H
#define RMX_REPORT_PARTS_H

#include <regmix/report.h>

#include "base/asset.h"
#include "base/json.h"

// The files of the page, embedded at build time.
extern const rmx__asset rmx__assets[];
extern const size_t rmx__assets_n;

// The name of a target of several metrics, which is shown as one more metric.
#define RMX__WEIGHTED "weighted target"

// Values of the tree (values.c). object[key] = value, array += value; They take ownership of
// `value`; NULL means that there was no memory for it.
rmx_status rmx__put(json_t *object, const char *key, json_t *value, rmx_err *err);
rmx_status rmx__add(json_t *array, json_t *value, rmx_err *err);
// A string; bytes that are not UTF-8 become '?'.
json_t *rmx__text(const char *s);
// A number by key, or NaN where there is none.
double rmx__get(const json_t *object, const char *key);

// The time of the last change of the file in seconds since 1970, but never after SOURCE_DATE_EPOCH;
// 0 if the file is missing (dates.c).
int64_t rmx__changed(const char *path);
// "2026-11-28", of UTC: a new reference.
json_t *rmx__date(int64_t when);
// Raises data["changed"], which becomes the date of the page, to the date of the file.
rmx_status rmx__note_change(json_t *data, const char *path, rmx_err *err);

// {run: true} of the runs that a fit to several sizes is judged by (sizes.c): a new reference.
// NULL: all runs, since they have one size.
rmx_status rmx__judged_runs(const json_t *fit, json_t **out, rmx_err *err);

// Each reads its files under `folder` and adds its part to `data`; an absent file adds nothing.
// runs, waiting, effects, half_agreement; with experiment = false from the fit alone
rmx_status rmx__collect_runs(const char *folder, bool experiment, json_t *data, rmx_err *err);
rmx_status rmx__collect_folds(const char *fit_folder, json_t *data, rmx_err *err);  // folds
// curves, results, proxies
rmx_status rmx__collect_curves(const char *folder, json_t *data, rmx_err *err);
rmx_status rmx__collect_methods(const char *folder, json_t *data, rmx_err *err);  // methods
// next: `path` must exist if `named`, since the user gave it.
rmx_status rmx__collect_next(const char *path, bool named, json_t *data, rmx_err *err);
rmx_status rmx__collect_large(const char *folder, json_t *data, rmx_err *err);  // large
// tokens, budget_tokens. config: the experiment's, or NULL
rmx_status rmx__collect_budget(const rmx_report_files *files, const json_t *config, json_t *data,
                               rmx_err *err);
// functions: the data of each fitted function, with which the page predicts. Needs fit, with its
// mixtures, and optimum.
rmx_status rmx__collect_functions(const char *fit_folder, json_t *data, rmx_err *err);
// The checked LightGBM text at `path` as one object (trees.c): a new reference.
rmx_status rmx__pack_trees(const char *path, json_t **out, rmx_err *err);
rmx_status rmx__collect_verdicts(json_t *data, rmx_err *err);  // after comparison and methods
// warnings: doubts about the result, from everything that was collected.
rmx_status rmx__collect_warnings(json_t *data, rmx_err *err);

// A file that was changed by hand since regmix wrote it, for a warning.
rmx_status rmx__note_edited(json_t *data, const char *name, rmx_err *err);

#endif
