/* report.h: an experiment as one page to look at.
 *
 * Uses: base, mixture, regress, export.
 */
#ifndef REGMIX_REPORT_H
#define REGMIX_REPORT_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the files of the experiment folder `folder` (docs/design/files.md) and writes one self-contained HTML
 * page to `path` (NULL: <folder>/report.html). The page needs no network and no other file: numbers, styles,
 * scripts and chart library are inside. Any file may be absent; its section then says which command makes it.
 * A fit folder alone (fit.json, cross-validation.csv, perhaps optimum.yaml) will do as well.
 *
 * RMX_EINPUT where a file that is there cannot be read as what it should be; RMX_EIO where the page cannot be
 * written. Cost: every file is read once; the page holds at most about 60,000 points of learning curves,
 * whatever the number of runs. */
rmx_status rmx_report_write(const char *folder, const char *path, rmx_err *err);

/* The same without the page: the JSON object the page is drawn from, for whoever prefers their own plots. New
 * reference. runs       {ids (N), domains (D), metrics (M), mixtures (N,D), values (N,M), half (N,M) or null}
 *   effects    {spearman (D,M), n}        rank correlation of a domain's weight with a metric over the runs
 *   folds      {metric: {run, true, predicted, scores}}   out-of-fold predictions
 *   curves     [{run, diverged, tokens, loss, valid: [[tokens, target loss], ...]}]
 *   functions  {metrics: [{name, function}], domains (D), mixtures (N,D), optimum (D), prior (D), formats}
 *              what the page predicts with: each metric's file of the fit without what no prediction needs;
 *              of Gaussian processes `rows` says which of the N mixtures they were fitted on (null: all),
 *              trees are packed (src/report/trees.c)
 *   optimum, comparison, corpus, fit      the files as they are
 *   methods    compare/methods.json, where there is one; the tracks of its notes are under tracks
 *              {method: {tokens (T), mixture: {domain: (T)}}}, at most 200 points each
 *   target, budget_tokens, proxies, half_agreement, config, warnings, title, version */
rmx_status rmx_report_collect(const char *folder, json_t **out, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
