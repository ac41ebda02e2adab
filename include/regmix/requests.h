/* requests.h: the options of the commands that use fits, by name: one table for the command line,
 * its help, and other languages. Part of the door of the room `pipeline`.
 */
#ifndef RMX_REQUESTS_H
#define RMX_REQUESTS_H

#include <regmix/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each table fills the request of its name: see rmx_options_init() and rmx_option_set(). Those of
 * rmx_answer_request and rmx_next_request are followed by rmx_search_option_table: see
 * rmx_command_options(). */
enum {
  RMX_FIT_OPTIONS = 19,
  RMX_OPTIMIZE_OPTIONS = 16,
  RMX_SUGGEST_OPTIONS = 14,
  RMX_SCORE_OPTIONS = 7,
  RMX_REPORT_OPTIONS = 6,
  RMX_EXPORT_OPTIONS = 16,
};
/* of rmx_fit_request, rmx_answer_request, rmx_next_request */
extern const rmx_option rmx_fit_option_table[RMX_FIT_OPTIONS];
extern const rmx_option rmx_optimize_option_table[RMX_OPTIMIZE_OPTIONS];
extern const rmx_option rmx_suggest_option_table[RMX_SUGGEST_OPTIONS];
/* of rmx_score_request, rmx_report_request, rmx_export_job */
extern const rmx_option rmx_score_option_table[RMX_SCORE_OPTIONS];
extern const rmx_option rmx_report_option_table[RMX_REPORT_OPTIONS];
extern const rmx_option rmx_export_option_table[RMX_EXPORT_OPTIONS];

/* ---- options that several tables have */

/* A command that reads tables has one rmx_table_form, `tables`, and options of these names. */
#define RMX_MIXTURE_COLUMNS_OPTION(type, tables)                                                \
  {                                                                                             \
    "mixture-columns", RMX_LIST, offsetof(type, tables.mixture_columns), NULL, 0, 0, "PATTERN", \
        "columns of --mixtures that contain weights, for example 'config.mixture.*'; may be "   \
        "given several times"                                                                   \
  }
#define RMX_METRIC_COLUMNS_OPTION(type, tables)                                               \
  {                                                                                           \
    "metric-columns", RMX_LIST, offsetof(type, tables.metric_columns), NULL, 0, 0, "PATTERN", \
        "columns of --metrics to read, for example '*_loss'; may be given several times"      \
  }
#define RMX_ID_OPTION(type, tables)                                                            \
  {                                                                                            \
    "id", RMX_TEXT, offsetof(type, tables.id), NULL, 0, 0, "COLUMN",                           \
        "column with the names of the runs; row: the number of the row is the name; default: " \
        "the first column"                                                                     \
  }
#define RMX_FOR_OPTION(type, member)                                                        \
  {                                                                                         \
    "for", RMX_TEXT, offsetof(type, member), NULL, 0, 0, "SIZE,TOKENS",                     \
        "parameters and tokens of the model to answer for, as in 1.2B,100G; needed if the " \
        "fit has runs of several sizes or lengths"                                          \
  }

/* A command that asks something of a fit has one rmx_problem_request, `problem`, these options, and
 * those of rmx_search_option_table. */
#define RMX_PROBLEM_OPTION(type, key, kind, member, low, high, value, help) \
  { key, kind, offsetof(type, problem.member), NULL, low, high, value, help }
#define RMX_PROBLEM_OPTIONS(type)                                                                  \
  RMX_PROBLEM_OPTION(type, "target", RMX_LIST, target, 0, 0, "NAME[=WEIGHT]",                      \
                     "metric (or group of metrics) to improve: it is lowered, or raised if it is " \
                     "known to be a score; may be given several times"),                           \
      RMX_PROBLEM_OPTION(type, "maximize", RMX_LIST, maximize, 0, 0, "NAME[=WEIGHT]",              \
                         "metric to raise, such as an accuracy; may be given several times"),      \
      RMX_PROBLEM_OPTION(type, "prior", RMX_TEXT, prior, 0, 0, "FILE",                             \
                         "prior mixture, to draw mixtures around and to measure the gain from; "   \
                         "default: from the corpus, or else the mean of the runs"),                \
      RMX_PROBLEM_OPTION(type, "budget", RMX_REAL, budget, 1, 1e18, "TOKENS",                      \
                         "number of tokens of the large run, for caps by epochs"),                 \
      RMX_PROBLEM_OPTION(type, "max-epochs", RMX_LIST, max_epochs, 0, 0, "[DOMAIN=]X",             \
                         "largest number of times the large run may repeat a domain (default 4), " \
                         "or one domain; may be given several times"),                             \
      RMX_PROBLEM_OPTION(type, "phases", RMX_LIST, phases, 0, 0, "SHARE,SHARE",                    \
                         "shares of the tokens of the phases, for runs with phases"),              \
      RMX_PROBLEM_OPTION(type, "given", RMX_LIST, given, 0, 0, "FILE",                             \
                         "mixture that the first phase keeps, while the others are searched"),     \
      RMX_PROBLEM_OPTION(type, "tokens", RMX_TEXT, tokens, 0, 0, "FILE",                           \
                         "number of tokens available in each domain, YAML or CSV")

#ifdef __cplusplus
}
#endif
#endif
