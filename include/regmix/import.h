/* import.h: tables of mixtures and of metrics as other programs write them, read into rmx_table.
 *
 * Uses: base, mixture.
 *
 * A table is recognised by looking, never by an option:
 *   csv            a row for each run, its name in the first column (our own files, and those of
 *                  RegMix's authors); if the first column has fractions, the rows are numbered
 *   long           CSV with a row for each run and domain, or run and metric
 *   olmix          Olmix's ratios.csv and metrics.csv: run_id or run, then name, index, then the
 *                  columns
 *   wandb          a Weights & Biases export: a row for each run, columns Name and State, config
 *                  and summary
 *   wandb-chart    the export of a chart: a column for each run; the last value counts
 *   wandb-offline  a folder with run-ID.wandb files
 *   mlflow         runs of MLflow as CSV
 *   tensorboard    event files, or a folder of them: the last step of each scalar counts
 *   yaml           a folder of RegMix's n1.yaml, n2.yaml, ...: a mixture a file, or one such file
 *   megatron       a folder of files "weight path weight path ...", or a file with one a line
 *   harness        results_<date>.json of lm-evaluation-harness or lighteval, metrics of OLMES: one
 *                  file, a folder of them, or a glob pattern
 */
#ifndef RMX_IMPORT_H
#define RMX_IMPORT_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rmx_import_what { RMX_IMPORT_MIXTURES, RMX_IMPORT_METRICS } rmx_import_what;

typedef struct rmx_import_options {
  rmx_import_what what;
  /* (n_columns) glob patterns of the columns wanted; none: the form's own rule */
  const char *const *columns;
  size_t n_columns;
  bool mixed; /* the table holds mixtures and metrics both: columns are chosen by their names */
  /* the column that names the runs; "row": the number of the row does; NULL: the form's own rule */
  const char *id;
  bool any_sum; /* mixtures need not sum to 1 */
  /* columns of CSV with the size and the tokens of each run ("122M", "1.2B", "680000000"), which
   * are then no columns of values; NULL: none. A table without such a column has no such list. */
  const char *size_column, *tokens_column;
} rmx_import_options;

/* Reads a table in any of the formats above. Column rule where no patterns are given: csv and olmix
 * take every column that holds numbers and tell which hold text; wandb and mixed tables take
 * `mixture.<domain>` (also mixture/, mixtures, mix, weights, domain_weights, with or without
 * `config.` before it) as the mixture, and metric/, metrics/, eval/, val/, valid/, validation/,
 * test/, summary. and *loss as metrics. The name of a domain is what follows such a prefix;
 * names of metrics stay as they are. Runs of wandb that did not finish are left out, with a
 * warning.
 *
 * A missing cell (empty, NA, NaN, null, none, -) is a NaN among metrics and RMX_EINPUT in a
 * mixture; so is any cell that is not a number; both name line and column. A metric that is
 * infinite counts as missing. A domain that a YAML file does not name has weight 0. out->better is
 * filled where the form says it (harness). Cost: O(cells), and of harness O(files * metrics). */
rmx_status rmx_import_table(const char *path, const rmx_import_options *options,
                            const rmx_listener *listener, rmx_table *out, rmx_err *err);

/* The id_name of a table that has no names of runs: its ids are the numbers of the rows. */
#define RMX_ROW_NUMBERS "(row)"

/* Joins the runs of two tables. If one has no names of runs (its id_name is RMX_ROW_NUMBERS), the
 * rows are joined in their order, with a warning; both must then have as many. Where they share a
 * name, nothing is done. Where they share none, but each table names its runs by one prefix (or
 * none) and a number (n1, n2; 1, 2; 0001; tinyllama_1M_n1), the numbers identify them: the runs of
 * `metrics` get the names in `mixtures`, with a warning. Where the prefixes differ, a number that
 * only one table has is RMX_EINPUT: they may not count from the same number. Else RMX_EINPUT, with
 * the names of both. */
rmx_status rmx_import_join(const rmx_table *mixtures, rmx_table *metrics,
                           const rmx_listener *listener, rmx_err *err);
/* Rows of the metrics with one name are runs of one mixture: each gets a name of its own (m1, m1#2)
 * and a row of the mixtures. Rows that are equal to an earlier one of the same name are left out.
 * Names that the mixtures give to different rows stay. one_file: both tables come from one file,
 * whose rows have both. */
rmx_status rmx_import_replicates(rmx_table *mixtures, rmx_table *metrics, bool one_file,
                                 const rmx_listener *listener, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
