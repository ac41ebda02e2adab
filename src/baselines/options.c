// SPDX-License-Identifier: Apache-2.0
// The options of the ways, one table: keys of the config, `--set`, the man page. Defaults are the published settings.
#include <regmix/baselines.h>

#define AT(member) offsetof(rmx_baseline_options, member)
const rmx_option rmx_baseline_option_table[] = {
    {"compare.human", RMX_TEXT, AT(human), NULL, 0, 0, "FILE", "human: the mixture people chose"},
    {"doremi.form", RMX_CHOICE, AT(doremi.form), "paper", 0, 0, "paper|code",
     "how a step weighs the domains; paper: each by its mean loss; code: token weights normalised over the batch"},
    {"doremi.rounds", RMX_INT, AT(doremi.rounds), "1", 1, 100, "N", "rounds at most, each with the last one's mixture as reference"},
    {"doremi.eta", RMX_REAL, AT(doremi.eta), "1", 0, 1e6, "X", "step of the domain weights"},
    {"doremi.smoothing", RMX_REAL, AT(doremi.smoothing), "1e-3", 0, 1, "X", "share of the uniform mixture in them"},
    {"doremi.tolerance", RMX_REAL, AT(doremi.tolerance), "1e-3", 0, 1, "X", "rounds have converged when no weight moves by more"},
    {"odm.form", RMX_CHOICE, AT(odm.form), "paper", 0, 0, "paper|code",
     "paper: EXP3 with importance weights; code: smoothed means of exp(loss), linear"},
    {"odm.smoothing", RMX_REAL, AT(odm.smoothing), "0.9", 0, 1, "X", "share of the old reward in the new"},
    {"odm.warmup", RMX_REAL, AT(odm.warmup), "0.02", 0, 1, "SHARE", "share of the steps on the natural mixture, first"},
    {"odm.explore", RMX_REAL, AT(odm.explore), "1", 0, 1, "X", "times the scheduled exploration"},
    {"ppl.band", RMX_CHOICE, AT(ppl.band), "middle", 0, 0, "low|middle|high", "which part of the documents, by perplexity, is kept"},
    {"ppl.keep", RMX_REAL, AT(ppl.keep), "0.5", 1e-6, 1, "SHARE", "share of the training tokens kept"},
    {"ppl.by_domain", RMX_BOOL, AT(ppl.by_domain), "false", 0, 0, NULL, "rank in each domain, which keeps the mixture; else one rank over all"},
    {"rho.keep", RMX_REAL, AT(rho.keep), "0.6", 1e-6, 1, "SHARE", "share of a batch's tokens that count"},
    {"rho.warmup", RMX_REAL, AT(rho.warmup), "0.1", 0, 1, "SHARE", "share of the steps in which all tokens count, first"},
    {"law.mixtures", RMX_INT, AT(law.mixtures), "20", 3, 1e6, "N", "mixing law: mixtures sampled"},
    {"law.sizes", RMX_INT, AT(law.sizes), "2", 1, 8, "N", "mixing law: sizes of proxies, from which the large model's losses are extrapolated"},
    {"aioli.eta", RMX_REAL, AT(aioli.eta), "0", 0, 1e6, "X", "step of the mixture; 0: as published for so many domains"},
    {"aioli.one_hot", RMX_REAL, AT(aioli.one_hot), "0", 0, 1, "SHARE", "of the domain explored, the others share the rest; 0: as published for so many domains"},
    {"aioli.sweeps", RMX_INT, AT(aioli.sweeps), "0", 0, 1000, "N", "times each domain is explored in a round; 0: as published for so many domains"},
    {"aioli.explore", RMX_REAL, AT(aioli.explore), "0", 0, 1, "SHARE", "of a round's steps spent exploring; 0: as published for so many domains"},
    {"aioli.rounds", RMX_INT, AT(aioli.rounds), "0", 0, 1e6, "N", "updates of the mixture in a training; 0: by its length"},
    {"aioli.smoothing", RMX_REAL, AT(aioli.smoothing), "0", 0, 0.9999999, "X",
     "share of the old in a moving mean of what exploring tells, the code's form; 0: the paper's, which moves the last mixture on"},
    {"aioli.eval_tokens", RMX_INT, AT(aioli.eval_tokens), "4096", 16, 1e12, "TOKENS", "validation tokens of a domain at each look; fewer where the budget is less"},
    {"climb.rounds", RMX_INT, AT(climb.rounds), "3", 1, 100, "N", "rounds of propose, train, fit, each of half the runs of the last"},
    {"climb.pool", RMX_INT, AT(climb.pool), "10000", 10, 1e8, "N", "candidates ranked in a round"},
    {"climb.top", RMX_REAL, AT(climb.top), "0.02", 1e-6, 1, "SHARE", "of them, from which the next runs are drawn"},
    {"mixmin.window", RMX_INT, AT(mixmin.window), "0", 0, 1e9, "TOKENS", "target text taken as one document; 0: documents as they are"},
    {"mixmin.tolerance", RMX_REAL, AT(mixmin.tolerance), "1e-6", 1e-15, 1, "X", "of the certificate"},
    {"olmix.kl", RMX_REAL, AT(olmix.kl), "0.05", 0, 1e6, "X", "times the divergence from the prior is added to the loss"},
    {"olmix.repeat", RMX_REAL, AT(olmix.repeat), "4", 0, 1e9, "X", "times a domain may be repeated at most; 0: no cap"},
    {"unimax.epochs", RMX_REAL, AT(unimax.epochs), "1", 1e-6, 1e9, "X", "times a domain may be repeated at most"},
};
#undef AT
const size_t rmx_baseline_option_table_n = sizeof rmx_baseline_option_table / sizeof *rmx_baseline_option_table;
