// SPDX-License-Identifier: Apache-2.0
// The option tables of the config, section by section. Those of a training and of the regressors
// stand in their own rooms, since `run.json` and `fit --set` use them too.
#include <regmix/experiment.h>
#include <string.h>

#define COUNT(table) (sizeof table / sizeof *(table))

#define AT(member) offsetof(rmx_general_options, member)
static const rmx_option general_table[] = {
    {"seed", RMX_INT, AT(seed), "42", 0, 0, "N", "seed of mixtures, weights and orders"},
    {"jobs", RMX_INT, AT(jobs), "0", 0, 512, "N", "worker processes; 0: one per processor"},
    {"isa", RMX_TEXT, AT(isa), NULL, 0, 0, "LEVEL",
     "processor level of the kernels: auto, ref, simd128, avx2, avx512, avx512bf16, amx"},
};
#undef AT

#define AT(member) offsetof(rmx_corpus_options, member)
static const rmx_option corpus_table[] = {
    {"folder", RMX_TEXT, AT(folder), NULL, 0, 0, "DIR",
     "a folder per domain in it, or files <domain>-0001.jsonl; instead of corpus.domains"},
    {"leave_out", RMX_LIST, AT(leave_out), NULL, 0, 0, "PATTERN",
     "files or folders in corpus.folder that are not read, by name or path"},
    {"text_field", RMX_TEXT, AT(text_field), "text", 0, 0, "NAME",
     "field of JSON that holds the text; a.b is field b of the object in field a"},
    {"separator", RMX_TEXT, AT(separator), "%", 0, 0, "LINE",
     "line that ends a document of .txt files; empty: a blank line; none: a file is one document"},
    {"valid_fraction", RMX_REAL, AT(valid_fraction), "0.05", 0, 0.9, "SHARE",
     "share of documents kept for validation"},
    {"max_valid_tokens", RMX_INT, AT(max_valid_tokens), "200k", 0, 1e12, "TOKENS",
     "validation tokens kept of a domain at most; 0: all"},
    {"max_bytes", RMX_INT, AT(max_bytes), "0", 0, 1e15, "BYTES",
     "text read of a domain at most; 0: all"},
    {"max_document", RMX_INT, AT(max_document), "256M", 0, 1e12, "BYTES",
     "longest document, or line of JSON, that is read; a longer one is an error; 0: any"},
    {"skip_bad", RMX_BOOL, AT(skip_bad), "false", 0, 0, NULL,
     "count JSON lines that are broken or lack the text, instead of stopping at the first, and "
     "take "
     "files in another character set than UTF-8 with the bytes replaced"},
    {"dedup", RMX_BOOL, AT(dedup), "true", 0, 0, NULL, "drop exact duplicates of documents"},
    {"protect", RMX_LIST, AT(protect), NULL, 0, 0, "DOMAIN",
     "a training domain whose validation text is kept out of the training text (see overlap), as "
     "that of every valid_only domain is"},
    {"overlap", RMX_INT, AT(overlap), "13", 0, 1000, "WORDS",
     "drop training documents that share so many words in a row with the target's text (not those "
     "that more than ten documents of "
     "the domain have: boilerplate); 0: keep them"},
    {"max_overlap", RMX_REAL, AT(max_overlap), "0.5", 0, 1, "SHARE",
     "of a domain's text that may be dropped for that; more is an error"},
    {"tokenizer", RMX_TEXT, AT(tokenizer), NULL, 0, 0, "FILE",
     "a tokenizer.json to use; else one is trained"},
    {"vocab", RMX_INT, AT(vocab), "4096", 257, 1e6, "N",
     "entries of the tokenizer that is trained"},
    {"tokenizer_bytes", RMX_INT, AT(tokenizer_bytes), "10M", 1000, 1e12, "BYTES",
     "text the tokenizer is trained on"},
};
#undef AT

#define AT(member) offsetof(rmx_sample_options, member)
static const rmx_option sample_table[] = {
    {"runs", RMX_INT, AT(runs), "64", 1, 1e6, "N", "mixtures to draw: proxies to train"},
    {"temper", RMX_REAL, AT(temper), "0.5", 0, 1, "X",
     "exponent on the prior before drawing; 0: from the uniform mixture"},
    {"min_strength", RMX_REAL, AT(min_strength), "0.1", 1e-6, 1e6, "X",
     "least strength of the Dirichlet"},
    {"max_strength", RMX_REAL, AT(max_strength), "5", 1e-6, 1e6, "X",
     "greatest strength of the Dirichlet"},
    {"strengths", RMX_INT, AT(strengths), "15", 1, 1000, "N", "strengths between them, log-spaced"},
    {"tries", RMX_INT, AT(tries), "100", 1, 1e6, "N", "candidates drawn per mixture wanted"},
    {"grid", RMX_REAL, AT(grid), "2e-4", 1e-9, 0.5, "X",
     "weights are multiples of it; smaller ones are 0"},
    {"cap_ratio", RMX_REAL, AT(cap_ratio), "15", 0, 1e9, "X",
     "weight at most so many times the prior (where large.tokens does not cap it)"},
    {"max_epochs", RMX_REAL, AT(max_epochs), "4", 0, 1e9, "X",
     "times a domain may be repeated in large.tokens at most; 0: cap by cap_ratio instead"},
    {"min_coverage", RMX_REAL, AT(min_coverage), "0.1", 0, 1, "SHARE",
     "share of the mixtures each domain is in at least"},
};
#undef AT

#define AT(member) offsetof(rmx_compare_options, member)
static const rmx_option compare_table[] = {
    {"seeds", RMX_INT, AT(seeds), "3", 1, 1000, "N",
     "large models trained on each mixture, seeds paired"},
    {"first_seed", RMX_INT, AT(first_seed), "1", 1, 1e9, "N",
     "number of the first: settings tuned on some seeds are to be compared on others"},
    {"against", RMX_LIST, AT(against), NULL, 0, 0, "NAME",
     "what the optimum is compared with: prior, uniform, best_single, best_run, single:DOMAIN, a "
     "mixture file"},
    {"methods", RMX_LIST, AT(methods), NULL, 0, 0, "NAME",
     "methods to choose data, compared with each other: see regmix-compare(1)"},
    {"budget", RMX_TEXT, AT(budget), NULL, 0, 0, "FLOPS|TOKENS",
     "what each method may spend to find its mixture: 1e15, or 20Mtokens of the proxy; default: "
     "what the proxies take"},
};
#undef AT

static const size_t general_n = COUNT(general_table), corpus_n = COUNT(corpus_table),
                    sample_n = COUNT(sample_table);
static const size_t compare_n = COUNT(compare_table);

#define AT(member) offsetof(rmx_config, member)
const rmx_section rmx_config_sections[] = {
    {"", general_table, &general_n, AT(general), "of the whole experiment"},
    {"corpus", corpus_table, &corpus_n, AT(corpus), "text to tokens"},
    {"sample", sample_table, &sample_n, AT(sample), "the mixtures of the proxies"},
    {"proxy", rmx_training_options, &rmx_training_options_n, AT(proxy),
     "the small models, one per mixture"},
    {"", rmx_regress_option_table, &rmx_regress_option_table_n, AT(regress),
     "from mixtures to metrics"},
    {"optimize", rmx_search_option_table, &rmx_search_option_table_n, AT(search),
     "the search for the best mixture"},
    {"large", rmx_training_options, &rmx_training_options_n, AT(large),
     "the large models that prove it"},
    {"compare", compare_table, &compare_n, AT(compare), "what the optimum is measured against"},
    {"", rmx_baseline_option_table, &rmx_baseline_option_table_n, AT(baselines),
     "the methods to choose data that are compared"},
};
#undef AT
const size_t rmx_config_sections_n = COUNT(rmx_config_sections);

// Where the same table serves two sections, what differs between them.
static const struct {
  const char *key, *value;
} initials[] = {
    {"proxy.model", "nano"},      {"large.model", "mini"},      {"large.tokens", "4M"},
    {"large.schedule", "cosine"}, {"large.eval_half", "false"},
};

const char *rmx_config_initial(const char *key, const rmx_option *option) {
  for (size_t i = 0; i < COUNT(initials); i++)
    if (strcmp(initials[i].key, key) == 0) return initials[i].value;
  return option->initial;
}
