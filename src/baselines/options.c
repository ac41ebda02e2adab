// SPDX-License-Identifier: Apache-2.0
// The options of the methods, one table: keys of the config, `--set`, the man page. Defaults are
// the published settings.
#include <regmix/baselines.h>

#define AT(member) offsetof(rmx_baseline_options, member)
const rmx_option rmx_baseline_option_table[] = {
    {"compare.human", RMX_TEXT, AT(human), NULL, 0, 0, "FILE",
     "file of the mixture that the method human uses, such as the mixture in use today"},
    {"doremi.form", RMX_CHOICE, AT(doremi.form), "paper", 0, 0, "paper|code",
     "DoReMi: how a step weights the domains; paper: by the mean loss of each domain; code: by "
     "token weights that are normalised over the batch"},
    {"doremi.rounds", RMX_INT, AT(doremi.rounds), "1", 1, 100, "N",
     "DoReMi: largest number of rounds; each round uses the mixture of the last one for its "
     "reference"},
    {"doremi.eta", RMX_REAL, AT(doremi.eta), "1", 0, 1e6, "X",
     "DoReMi: step size of the domain weights"},
    {"doremi.smoothing", RMX_REAL, AT(doremi.smoothing), "1e-3", 0, 1, "X",
     "DoReMi: share of the uniform mixture that is mixed into the domain weights"},
    {"doremi.tolerance", RMX_REAL, AT(doremi.tolerance), "1e-3", 0, 1, "X",
     "DoReMi: the rounds have converged if no weight changes by more than this"},
    {"odm.form", RMX_CHOICE, AT(odm.form), "paper", 0, 0, "paper|code",
     "ODM: how losses become a mixture; paper: EXP3 with importance weights; code: shares of "
     "smoothed means of exp(loss)"},
    {"odm.smoothing", RMX_REAL, AT(odm.smoothing), "0.9", 0, 1, "X",
     "ODM: share of the old reward in the new one"},
    {"odm.warmup", RMX_REAL, AT(odm.warmup), "0.02", 0, 1, "SHARE",
     "ODM: share of the steps at the start that use the prior as mixture"},
    {"odm.explore", RMX_REAL, AT(odm.explore), "1", 0, 1, "X",
     "ODM: factor on the published schedule of exploration; 0: no exploration"},
    {"ppl.band", RMX_CHOICE, AT(ppl.band), "middle", 0, 0, "low|middle|high",
     "ppl: which documents are kept: those with low, middle or high perplexity"},
    {"ppl.keep", RMX_REAL, AT(ppl.keep), "0.5", 1e-6, 1, "SHARE",
     "ppl: share of the training tokens that is kept"},
    {"ppl.by_domain", RMX_BOOL, AT(ppl.by_domain), "false", 0, 0, NULL,
     "ppl: rank the documents inside each domain, which keeps the mixture; false: rank the "
     "documents of all domains together"},
    {"rho.keep", RMX_REAL, AT(rho.keep), "0.6", 1e-6, 1, "SHARE",
     "Rho-1: share of the tokens of a batch that count in the loss"},
    {"rho.warmup", RMX_REAL, AT(rho.warmup), "0.1", 0, 1, "SHARE",
     "Rho-1: share of the steps at the start in which all tokens count"},
    {"law.mixtures", RMX_INT, AT(law.mixtures), "20", 3, 1e6, "N",
     "mixing law: number of mixtures to draw"},
    {"law.sizes", RMX_INT, AT(law.sizes), "2", 1, 8, "N",
     "mixing law: number of sizes of proxies; the losses of the large model are extrapolated from "
     "them"},
    {"aioli.eta", RMX_REAL, AT(aioli.eta), "0", 0, 1e6, "X",
     "Aioli: step size of the mixture; 0: the published value for this number of domains"},
    {"aioli.one_hot", RMX_REAL, AT(aioli.one_hot), "0", 0, 1, "SHARE",
     "Aioli: weight of the domain that is explored, while the others share the rest; 0: the "
     "published value for this number of domains"},
    {"aioli.sweeps", RMX_INT, AT(aioli.sweeps), "0", 0, 1000, "N",
     "Aioli: how many times a round explores each domain; 0: the published value for this number "
     "of domains"},
    {"aioli.explore", RMX_REAL, AT(aioli.explore), "0", 0, 1, "SHARE",
     "Aioli: share of the steps of a round that explore; 0: the published value for this number of "
     "domains"},
    {"aioli.rounds", RMX_INT, AT(aioli.rounds), "0", 0, 1e6, "N",
     "Aioli: number of updates of the mixture in a training; 0: depends on the length of the "
     "training"},
    {"aioli.smoothing", RMX_REAL, AT(aioli.smoothing), "0", 0, 0.9999999, "X",
     "Aioli: share of the old values in the moving mean of the learnt effects, as in the published "
     "code; 0: no moving mean, as in the paper"},
    {"aioli.eval_tokens", RMX_INT, AT(aioli.eval_tokens), "4096", 16, 1e12, "TOKENS",
     "Aioli: validation tokens per domain in each evaluation; fewer if the budget does not pay for "
     "them"},
    {"climb.rounds", RMX_INT, AT(climb.rounds), "3", 1, 100, "N",
     "CLIMB: number of rounds (propose, train, fit); each round has half as many runs as the last "
     "one"},
    {"climb.pool", RMX_INT, AT(climb.pool), "10000", 10, 1e8, "N",
     "CLIMB: number of candidates that a round ranks"},
    {"climb.top", RMX_REAL, AT(climb.top), "0.02", 1e-6, 1, "SHARE",
     "CLIMB: share of the candidates, the best ones, that the next runs are drawn from"},
    {"mixmin.window", RMX_INT, AT(mixmin.window), "0", 0, 1e9, "TOKENS",
     "MixMin: length of the pieces of target text that count as a document; 0: the documents as "
     "they are"},
    {"mixmin.tolerance", RMX_REAL, AT(mixmin.tolerance), "1e-6", 1e-15, 1, "X",
     "MixMin: how exactly the mixture is solved for: the largest allowed gap to the best possible "
     "objective"},
    {"merge.start", RMX_REAL, AT(merge.start), "0.5", 0.01, 0.99, "SHARE",
     "merge: share of the training budget that trains the common start of all models"},
    {"merge.score", RMX_REAL, AT(merge.score), "0.2", 0.001, 0.9, "SHARE",
     "merge: largest share of the budget that is spent on scoring mixtures"},
    {"merge.lr", RMX_REAL, AT(merge.lr), "0.3", 1e-6, 10, "X",
     "merge: peak learning rate of the models of the domains, as a multiple of the proxy's"},
    {"merge.mixtures", RMX_INT, AT(merge.mixtures), "2000", 16, 1e8, "N",
     "merge: largest number of mixtures to score"},
    {"merge.eval_tokens", RMX_INT, AT(merge.eval_tokens), "4096", 16, 1e12, "TOKENS",
     "merge: validation tokens of each domain of the target in each score"},
    {"olmix.kl", RMX_REAL, AT(olmix.kl), "0.05", 0, 1e6, "X",
     "Olmix: weight of the divergence from the prior in the objective"},
    {"olmix.repeat", RMX_REAL, AT(olmix.repeat), "4", 0, 1e9, "X",
     "Olmix: largest number of times that a domain may be repeated; 0: no cap"},
    {"unimax.epochs", RMX_REAL, AT(unimax.epochs), "1", 1e-6, 1e9, "X",
     "UniMax: largest number of times that a domain may be repeated"},
};
#undef AT
const size_t rmx_baseline_option_table_n =
    sizeof rmx_baseline_option_table / sizeof *rmx_baseline_option_table;
