// SPDX-License-Identifier: Apache-2.0
// The options of a problem and of its search: the keys of the config's section `optimize`, which
// are the flags of `regmix optimize` and `regmix suggest` too.

#include "optimize/problem.h"

#define HOW(member) offsetof(rmx_search_options, how.member)
#define PROBLEM(member) offsetof(rmx_search_options, problem.member)
const rmx_option rmx_search_option_table[] = {
    {"method", RMX_CHOICE, HOW(method), "auto", 0, 0, "auto|simulate|search",
     "how to search. search: descend the gradient from many starts; simulate: predict many "
     "mixtures "
     "drawn around the prior and average the best; auto: search where the functions have a "
     "gradient (trees have none)"},
    {"samples", RMX_INT, HOW(samples), "100k", 1, 1e10, "N", "number of mixtures to simulate"},
    {"top", RMX_INT, HOW(top), "128", 1, 1e6, "K",
     "average the K best simulated mixtures; their mean is the optimum"},
    {"strength", RMX_REAL, HOW(strength), "1", 1e-6, 1e6, "X",
     "concentration of the Dirichlet that simulated mixtures are drawn from"},
    {"starts", RMX_INT, HOW(starts), "16", 1, 1e5, "N",
     "number of mixtures that a search starts from"},
    {"guard", RMX_BOOL, HOW(guard), "true", 0, 0, NULL,
     "propose no mixture far from all runs, and no weight outside the range they covered"},
    {"replicates", RMX_INT, HOW(replicates), "200", 0, 1e5, "N",
     "number of bootstrap replicates for the intervals, 20 or more; 0: no intervals"},
    {"level", RMX_REAL, HOW(level), "0.9", 0.5, 0.999, "SHARE",
     "coverage of the intervals, 0.5 to 0.999"},
    {"for", RMX_TEXT, PROBLEM(scale), NULL, 0, 0, "SIZE,TOKENS",
     "parameters and tokens of the model to answer for, as in 1.2B,100G, if the fit has runs of "
     "several sizes or lengths; default, in an experiment: its large model"},
    {"floor", RMX_LIST, PROBLEM(floor), NULL, 0, 0, "DOMAIN=WEIGHT",
     "smallest weight a domain (or a node of their tree) may have; may be given several times"},
    {"cap", RMX_LIST, PROBLEM(cap), NULL, 0, 0, "DOMAIN=WEIGHT",
     "largest weight a domain (or a node of their tree) may have; may be given several times"},
    {"fix", RMX_LIST, PROBLEM(fix), NULL, 0, 0, "DOMAIN=WEIGHT",
     "exact weight of a domain (or a node of their tree); may be given several times"},
    {"share", RMX_LIST, PROBLEM(share), NULL, 0, 0, "NAME=LOW..HIGH:DOMAIN,...",
     "bounds on the total weight of a group of domains; without :DOMAIN,... NAME is a node; may be "
     "given several times"},
    {"ordered", RMX_LIST, PROBLEM(ordered), NULL, 0, 0, "A<B<C",
     "domains (or nodes) whose weights do not fall from left to right, such as levels of quality; "
     "may be given several times"},
    {"drop_below", RMX_REAL, PROBLEM(drop_below), "0", 0, 1, "X",
     "every weight is 0 or at least X, in each phase"},
    {"reference", RMX_TEXT, PROBLEM(reference), NULL, 0, 0, "FILE",
     "mixture that the optimum should stay near; default: the prior"},
    {"max_kl", RMX_REAL, PROBLEM(max_kl), "none", 1e-9, 1e3, "NATS",
     "largest allowed KL divergence from the reference, in nats"},
    {"kl_penalty", RMX_REAL, PROBLEM(kl_penalty), "0", 0, 1e9, "X",
     "weight of the KL divergence from the reference in the score"},
    {"metric_group", RMX_LIST, PROBLEM(metric_group), NULL, 0, 0, "NAME=METRIC,...",
     "a group of metrics (names or patterns such as '*_acc'); NAME can be a target and stands for "
     "their mean; may be given several times"},
    {"weigh", RMX_CHOICE, PROBLEM(weigh), "equal", 0, 0, "equal|signal",
     "how the metrics of the target count. equal: as given; signal: each in units of its standard "
     "deviation over the runs, and less the more of it is noise"},
    {"min_signal", RMX_REAL, PROBLEM(min_signal), "0", 0, 1e6, "X",
     "leave metrics out of the target whose signal to noise is below X (1: as much noise as "
     "signal); regmix fit prints it"},
    {"no_worse", RMX_LIST, PROBLEM(no_worse), NULL, 0, 0, "METRIC[=SLACK]",
     "metric (or group) that must not be predicted worse than at the mixture to compare with, by "
     "more than SLACK; may be given several times"},
    {"than", RMX_TEXT, PROBLEM(than), NULL, 0, 0, "FILE",
     "the mixture to compare with: a metric must be no worse than there (default: the prior)"},
    {"worst", RMX_BOOL, PROBLEM(worst), "false", 0, 0, NULL,
     "improve the worst of the target's metrics, relative to the mixture to compare with, not "
     "their sum"},
};
const size_t rmx_search_option_table_n =
    sizeof(rmx_search_option_table) / sizeof(rmx_search_option_table[0]);

rmx_status rmx__check_replicates(const rmx_optimize_options *o, rmx_err *err) {
  if (o->replicates <= 0 || o->replicates >= RMX__FEWEST_REPLICATES) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "optimize.replicates: %lld are too few for intervals; wanted %d or more, or 0 "
                  "for no intervals",
                  (long long)o->replicates, RMX__FEWEST_REPLICATES);
}
