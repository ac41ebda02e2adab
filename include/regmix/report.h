/* report.h: an experiment as one page to look at.
 *
 * Uses: base, mixture, regress, export.
 */
#ifndef RMX_REPORT_H
#define RMX_REPORT_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a page is made from. Only `folder` must be given; whatever is NULL or 0 is looked for, and
 * may be absent. */
typedef struct rmx_report_files {
  /* the experiment's (docs/design/files.md), or one that holds a fit and an optimum.yaml */
  const char *folder;
  /* a fit's folder; NULL: <folder>/fit, or <folder> itself where fit.json is in it */
  const char *fit;
  /* NULL: optimum.yaml in <folder>, else in the fit's folder, else beside that */
  const char *optimum;
  const char *next; /* CSV of the mixtures to train next; NULL: <folder>/next.csv */
  /* tokens of the real training run; 0: those of the large models, of the config, of the fit */
  double budget;
  /* (n_domains) with tokens (n_domains): how many there are of each domain */
  const char *const *domains;
  const double *tokens; /* NULL: as the corpus has it, else the fit */
  size_t n_domains;
} rmx_report_files;

/* Reads the files and writes one self-contained HTML page to `path` (NULL: <folder>/report.html).
 * The page needs no network and no other file: numbers, styles, scripts and chart library are
 * inside. Any file may be absent; its section then says which command makes it. The same files with
 * the same times of change give the same bytes: the page has the date of the newest file, or
 * SOURCE_DATE_EPOCH if that variable is set.
 *
 * RMX_EINPUT where a file that is there cannot be read as what it should be, or one that was named
 * is not there; RMX_EIO where the page cannot be written. Cost: every file is read once; the page
 * holds at most about 60,000 points of learning curves, whatever the number of runs. */
rmx_status rmx_report_write(const rmx_report_files *files, const char *path, rmx_err *err);

/* The same without the page: the JSON object that the page is drawn from, for plots of your own.
 * A new reference.
 *   runs       {ids (N), domains (D), metrics (M), mixtures (N,D), values (N,M), half (N,M) or
 *              null}
 *   waiting    {ids, mixtures}            rows of mixtures.csv that have no metrics yet
 *   next       {ids, domains, mixtures}   what to train next, of `next`
 *   results    {run: {status, wall_s, tokens, epochs, most}}
 *              epochs: those of the domain `most`, which has the most
 *   effects    {spearman (D,M), n}
 *              rank correlation of a domain's weight with a metric over the runs
 *   correlations  which validation loss predicts which score: rmx_correlations_json() and "text";
 *              absent where the runs have no losses or no scores
 *   folds      {metric: {run, true, predicted, scores}}   out-of-fold predictions
 *   curves     [{run, diverged, tokens, loss, valid: [[tokens, target loss], ...]}]
 *   functions  {metrics: [{name, function}], domains (D), mixtures (N,D), optimum (D), prior (D),
 *              formats}
 *              what the page predicts with: each metric's file of the fit without what no
 *              prediction needs; of Gaussian processes `rows` says which of the N mixtures they
 *              were fitted on (null: all), trees are packed (src/report/trees.c)
 *   optimum, comparison, corpus, fit      the files as they are
 *   large      {model, parameters, tokens} of the first large model that is done
 *   methods    compare/methods.json, where there is one; the tracks of its notes are under tracks
 *              {method: {tokens (T), mixture: {domain: (T)}}}, at most 200 points each
 *   tokens     {domain: tokens there are} and budget_tokens, of the real run
 *   experiment true where the folder holds an experiment, whose losses are nats per token
 *   date       "2026-11-28"
 *   target, proxies, half_agreement, config, warnings, title, version */
rmx_status rmx_report_collect(const rmx_report_files *files, struct json_t **out, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
