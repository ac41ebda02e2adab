// SPDX-License-Identifier: Apache-2.0
// The option tables of the config, section by section. The tables of a training and of the
// regressors are in their own rooms, since `run.json` and `fit --set` use them too.
#include <regmix/experiment.h>
#include <string.h>

#define COUNT(table) (sizeof table / sizeof *(table))

#define AT(member) offsetof(rmx_general_options, member)
static const rmx_option general_table[] = {
    {"seed", RMX_INT, AT(seed), "42", 0, 0, "N",
     "random seed of the mixtures, the initial weights and the data order"},
    {"jobs", RMX_INT, AT(jobs), "0", 0, 512, "N",
     "number of worker processes; 0: one per processor"},
    {"isa", RMX_TEXT, AT(isa), NULL, 0, 0, "LEVEL",
     "instruction set of the kernels: auto, ref, simd128, avx2, avx512, avx512bf16 or amx"},
};
#undef AT

#define AT(member) offsetof(rmx_corpus_options, member)
static const rmx_option corpus_table[] = {
    {"folder", RMX_TEXT, AT(folder), NULL, 0, 0, "DIR",
     "folder of the text, used instead of corpus.domains: it has one folder per domain, or files "
     "named <domain>-0001.jsonl"},
    {"leave_out", RMX_LIST, AT(leave_out), NULL, 0, 0, "PATTERN",
     "name or path of a file or folder in corpus.folder that is not read"},
    {"domain_field", RMX_TEXT, AT(domain_field), NULL, 0, 0, "FIELD",
     "divide the documents of corpus.folder by this field, such as meta.source, or by the web host "
     "in it, as host(url); several fields are joined with \":\""},
    {"classifier", RMX_LIST, AT(classifier), NULL, 0, 0, "FILE",
     "divide the documents of corpus.folder by the label that this fastText model (.bin or .ftz) "
     "gives to their text"},
    {"min_probability", RMX_REAL, AT(min_probability), "0", 0, 1, "P",
     "smallest probability of a label; with a smaller one a document belongs to the domain other"},
    {"hosts", RMX_LIST, AT(hosts), NULL, 0, 0, "HOST",
     "web host that is a domain, with all hosts below it; the other hosts become the domain other"},
    {"max_hosts", RMX_INT, AT(max_hosts), "20", 1, 10000, "N",
     "number of the largest web hosts that become domains, if corpus.hosts names none"},
    {"max_domains", RMX_INT, AT(max_domains), "1000", 2, 1e6, "N",
     "largest number of domains that the documents may be divided into; more is an error"},
    {"text_field", RMX_TEXT, AT(text_field), "text", 0, 0, "NAME",
     "JSON field that contains the text; a.b is field b of the object in field a; with several "
     "names "
     "and commas between them, the first that has text is taken"},
    {"separator", RMX_TEXT, AT(separator), "%", 0, 0, "LINE",
     "line that ends a document in a .txt file; empty: a blank line; none: the whole file is one "
     "document"},
    {"encoding", RMX_TEXT, AT(encoding), NULL, 0, 0, "NAME",
     "character set of text that is not UTF-8, such as windows-1251 (`iconv -l` lists them); a "
     "file "
     "that is UTF-8 is read as UTF-8; empty: UTF-16 and UTF-32 are recognised, other sets guessed"},
    {"valid_fraction", RMX_REAL, AT(valid_fraction), "0.05", 0, 0.9, "SHARE",
     "share of the documents that is used for validation"},
    {"max_valid_tokens", RMX_INT, AT(max_valid_tokens), "200k", 0, 1e12, "TOKENS",
     "largest number of validation tokens per domain; 0: no limit"},
    {"max_bytes", RMX_INT, AT(max_bytes), "0", 0, 1e15, "BYTES",
     "largest amount of text that is read per domain, or of corpus.folder as a whole where its "
     "documents are divided; 0: no limit"},
    {"max_document", RMX_INT, AT(max_document), "256M", 0, 1e12, "BYTES",
     "length of the longest document (or JSON line) that is allowed; a longer one is an error; 0: "
     "no limit"},
    {"skip_bad", RMX_BOOL, AT(skip_bad), "false", 0, 0, NULL,
     "skip and count lines that are broken or have no text, and read files that are mostly not "
     "UTF-8 with the bytes replaced; without it these are errors; up to a tenth of the bytes of a "
     "file is always replaced, counted and reported"},
    {"dedup", RMX_BOOL, AT(dedup), "true", 0, 0, NULL, "drop documents that are exact duplicates"},
    {"near_duplicates", RMX_REAL, AT(near_duplicates), "0", 0, 1, "SHARE",
     "drop documents that have this share of their rows of 5 words in common with an earlier one, "
     "such as 0.8; in Chinese and other text without spaces a letter is a word; 0: off"},
    {"protect", RMX_LIST, AT(protect), NULL, 0, 0, "DOMAIN",
     "training domain whose validation text is kept out of all training text (see overlap); "
     "valid_only domains are always protected"},
    {"overlap", RMX_INT, AT(overlap), "13", 0, 1000, "WORDS",
     "drop a training document if this many consecutive words also occur in protected validation "
     "text (words that occur in more than ten documents of the domain are boilerplate and don't "
     "count); 0: drop none"},
    {"max_overlap", RMX_REAL, AT(max_overlap), "0.5", 0, 1, "SHARE",
     "largest share of a domain's text that may be dropped because of overlap; more is an error"},
    {"tokenizer", RMX_TEXT, AT(tokenizer), NULL, 0, 0, "FILE",
     "tokenizer to use (tokenizer.json and other kinds); without it one is trained"},
    {"end_of_text", RMX_TEXT, AT(end_of_text), NULL, 0, 0, "NAME",
     "token of corpus.tokenizer that ends each document; without it a name that is known, such as "
     "<|endoftext|> or </s>"},
    {"specials", RMX_CHOICE, AT(specials), "text", 0, 0, "text|tokens",
     "what special tokens that are written in the text become: text, so that no document contains "
     "the token that ends it, or the tokens themselves"},
    {"vocab", RMX_INT, AT(vocab), "4096", 257, 1e6, "N",
     "vocabulary size of the trained tokenizer"},
    {"tokenizer_bytes", RMX_INT, AT(tokenizer_bytes), "10M", 1000, 1e12, "BYTES",
     "amount of text that the tokenizer is trained on"},
};
#undef AT

#define AT(member) offsetof(rmx_sample_options, member)
static const rmx_option sample_table[] = {
    {"runs", RMX_INT, AT(runs), "64", 1, 1e6, "N",
     "number of mixtures to draw; one proxy is trained on each"},
    {"temper", RMX_REAL, AT(temper), "0.5", 0, 1, "X",
     "exponent applied to the prior before drawing; 0: draw around the uniform mixture"},
    {"min_strength", RMX_REAL, AT(min_strength), "0.1", 1e-6, 1e6, "X",
     "smallest concentration of the Dirichlet distribution that the mixtures are drawn from"},
    {"max_strength", RMX_REAL, AT(max_strength), "5", 1e-6, 1e6, "X",
     "largest concentration of the Dirichlet distribution"},
    {"strengths", RMX_INT, AT(strengths), "15", 1, 1000, "N",
     "number of concentrations from min_strength to max_strength, log-spaced"},
    {"tries", RMX_INT, AT(tries), "100", 1, 1e6, "N", "candidates drawn per requested mixture"},
    {"grid", RMX_REAL, AT(grid), "2e-4", 1e-9, 0.5, "X",
     "step of the weights: each weight is a multiple of it, and smaller weights become 0"},
    {"cap_ratio", RMX_REAL, AT(cap_ratio), "15", 0, 1e9, "X",
     "largest weight of a domain, as a multiple of its prior (used if max_epochs gives no cap)"},
    {"max_epochs", RMX_REAL, AT(max_epochs), "4", 0, 1e9, "X",
     "largest number of times that a domain may be repeated in large.tokens; 0: use cap_ratio "
     "instead"},
    {"phases", RMX_LIST, AT(phases), NULL, 0, 0, "SHARE",
     "shares of the tokens of phases with mixtures of their own, such as [0.8, 0.2]; they must sum "
     "to 1"},
    {"domain_epochs", RMX_LIST, AT(domain_epochs), NULL, 0, 0, "DOMAIN=X",
     "another max_epochs for one domain (max_epochs: {DOMAIN: X} means the same)"},
    {"min_coverage", RMX_REAL, AT(min_coverage), "0.1", 0, 1, "SHARE",
     "smallest share of the mixtures that each domain must be part of"},
    {"tree", RMX_BOOL, AT(tree), "true", 0, 0, NULL,
     "if the names of the domains form a tree (source:topic), draw the weights of the sources "
     "first and then those of the topics in each; false: draw all domains at once"},
};
#undef AT

#define AT(member) offsetof(rmx_proxy_options, member)
static const rmx_option proxy_table[] = {
    {"repeat", RMX_CHOICE, AT(repeat), "auto", 0, 0, "auto|match|none",
     "match: cut each domain to proxy.tokens / large.tokens of its documents, so that the proxies "
     "repeat it as often as the large model will; none: use all documents; auto: match, if "
     "large.tokens is set and a mixture may repeat a domain in it"},
    {"keep_models", RMX_BOOL, AT(keep_models), "false", 0, 0, NULL,
     "keep the model of each proxy in runs/<run>/, as pretrain does"},
};
#undef AT

#define AT(member) offsetof(rmx_task_options, member)
static const rmx_option eval_table[] = {
    {"tasks", RMX_LIST, AT(tasks), NULL, 0, 0, "FILE",
     "file of a task or of text (or a pattern of such files) that the proxies and the large models "
     "are scored on; the scores are metrics, named TASK/bits_per_byte, TASK/acc and so on, and the "
     "models are kept; for small models bits_per_byte is the better target"},
    {"limit", RMX_INT, AT(limit), "0", 0, 1e9, "N",
     "number of items (or documents) of each file that are used, the first ones; 0: all"},
};
#undef AT

#define AT(member) offsetof(rmx_compare_options, member)
static const rmx_option compare_table[] = {
    {"seeds", RMX_INT, AT(seeds), "3", 1, 1000, "N",
     "number of large models trained on each mixture, with paired seeds"},
    {"first_seed", RMX_INT, AT(first_seed), "1", 1, 1e9, "N",
     "number of the first seed; compare on seeds that were not used to tune settings"},
    {"against", RMX_LIST, AT(against), NULL, 0, 0, "NAME",
     "mixture that the optimum is compared with: prior, uniform, best_single, best_run, "
     "single:DOMAIN or a mixture file"},
    {"methods", RMX_LIST, AT(methods), NULL, 0, 0, "NAME",
     "method to choose data that `regmix compare` compares with the others: see regmix-compare(1)"},
    {"budget", RMX_TEXT, AT(budget), NULL, 0, 0, "FLOPS|TOKENS",
     "budget of each method to find its mixture: FLOPs (1e15) or tokens of the proxy (20Mtokens); "
     "default: the cost of the proxies"},
};
#undef AT

static const size_t general_n = COUNT(general_table), corpus_n = COUNT(corpus_table),
                    sample_n = COUNT(sample_table);
static const size_t eval_n = COUNT(eval_table);
static const size_t compare_n = COUNT(compare_table), proxy_n = COUNT(proxy_table);

#define AT(member) offsetof(rmx_config, member)
const rmx_section rmx_config_sections[] = {
    {"", general_table, &general_n, AT(general), "settings of the whole experiment"},
    {"corpus", corpus_table, &corpus_n, AT(corpus), "how text becomes tokens"},
    {"sample", sample_table, &sample_n, AT(sample), "how the mixtures of the proxies are drawn"},
    {"proxy", rmx_training_options, &rmx_training_options_n, AT(proxy),
     "the small models, one per mixture"},
    {"proxy", proxy_table, &proxy_n, AT(proxies), "the text that the small models read"},
    {"", rmx_regress_option_table, &rmx_regress_option_table_n, AT(regress),
     "the functions that predict metrics from mixtures"},
    {"optimize", rmx_search_option_table, &rmx_search_option_table_n, AT(search),
     "the search for the best mixture"},
    {"large", rmx_training_options, &rmx_training_options_n, AT(large),
     "the large models that test the result"},
    {"eval", eval_table, &eval_n, AT(eval), "what the models are scored on"},
    {"compare", compare_table, &compare_n, AT(compare), "what the optimum is compared with"},
    {"", rmx_baseline_option_table, &rmx_baseline_option_table_n, AT(baselines),
     "settings of the methods that choose data"},
};
#undef AT
const size_t rmx_config_sections_n = COUNT(rmx_config_sections);

// Defaults that differ between two sections with the same table.
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
