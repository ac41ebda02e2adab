/* experiment.h: what was asked (regmix.yaml), with every default, and where its files are.
 *
 * Uses: base, mixture, corpus, kernels, model, train, regress, optimize, baselines.
 *
 * One list of sections, each a prefix and an option table, is the config: `proxy.lr` is option `lr`
 * of section `proxy`. The YAML, `--set proxy.lr=1e-3`, resolved.yaml, `init`'s commented file and
 * the man page are all read off it.
 */
#ifndef RMX_EXPERIMENT_H
#define RMX_EXPERIMENT_H

#include <regmix/base.h>
#include <regmix/baselines.h>
#include <regmix/corpus.h>
#include <regmix/mixture.h>
#include <regmix/optimize.h>
#include <regmix/regress.h>
#include <regmix/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rmx_compare_options {
  int64_t seeds;       /* paired: each mixture is trained once with each */
  int64_t first_seed;  /* number of the first: others are other models */
  rmx_strings against; /* prior, uniform, best_single, best_run, single:DOMAIN, or a mixture file */
  /* names of rmx_baselines (or of mixtures), compared with each other; none: no such comparison */
  rmx_strings methods;
  /* of each method's search: FLOPs, or "20Mtokens" of the proxy; NULL: what the swarm takes */
  char *budget;
} rmx_compare_options;

/* One metric of the target and its weight; negative: to be maximised. */
typedef struct rmx_target_term {
  char *metric;
  double weight;
} rmx_target_term;

/* What the proxies are trained on: in the section `proxy`, beside their training. */
typedef struct rmx_proxy_options {
  /* "match": each domain is cut to proxy.tokens / large.tokens of its documents, so a proxy repeats
   * it as often as the large run will; "none": all documents; "auto": see rmx_repeat_matches */
  char *repeat;
  bool keep_models; /* each run leaves its model */
} rmx_proxy_options;

/* What the models are scored on: the section `eval`. */
typedef struct rmx_task_options {
  rmx_strings tasks; /* files or patterns, from the folder of the experiment */
  int64_t limit;     /* items of each file; 0: all */
} rmx_task_options;

typedef struct rmx_general_options {
  int64_t seed;
  int64_t jobs; /* worker processes; 0: one per processor */
  char *isa;    /* processor level of the kernels */
} rmx_general_options;

/* A further swarm, of proxies of another size or length. It trains the first of the mixtures. */
typedef struct rmx_swarm_config {
  char *name;            /* heads the names of its runs: "larger-0001" */
  int64_t runs;          /* the number of mixtures that it trains; 0: all */
  rmx_strings settings;  /* "key=value", over those of the section `proxy` */
  rmx_training training; /* what that comes to; owned */
} rmx_swarm_config;

typedef struct rmx_config {
  rmx_general_options general;
  rmx_corpus_options corpus;
  rmx_domain_source *domains; /* (n_domains) of corpus.domains */
  size_t n_domains;
  rmx_target_term *target; /* (n_target) */
  size_t n_target;
  rmx_sample_options sample;
  rmx_training proxy, large;
  rmx_swarm_config *swarms; /* (n_swarms) beside that of `proxy` */
  size_t n_swarms;
  rmx_proxy_options proxies;
  bool large_tokens_given; /* large.tokens is not the default */
  rmx_task_options eval;
  rmx_compare_options compare;
  rmx_baseline_options baselines; /* of the methods compared */
  rmx_regress_options regress;
  rmx_search_options search; /* the section `optimize` */
} rmx_config;

typedef struct rmx_section {
  /* "proxy"; "": the keys stand by themselves (some have dots of their own) */
  const char *prefix;
  const rmx_option *table;
  const size_t *n;
  size_t offset;    /* of the struct the table fills, in rmx_config */
  const char *help; /* one sentence */
} rmx_section;
extern const rmx_section rmx_config_sections[];
extern const size_t rmx_config_sections_n;

/* Defaults, then the YAML file (NULL: none), then `settings` (n) of "key=value". Unknown keys name
 * file, line and the nearest known one. */
rmx_status rmx_config_read(const char *path, const char *const *settings, size_t n, rmx_config *out,
                           rmx_err *err);
/* One "key=value" on top. */
rmx_status rmx_config_set(rmx_config *c, const char *setting, rmx_err *err);
void rmx_config_release(rmx_config *c);
/* The whole config with every default: what resolved.yaml holds. A new reference. */
struct json_t *rmx_config_json(const rmx_config *c);
/* What a key is where nothing sets it ("large.tokens": "4M"); NULL: nothing. `key` as typed,
 * `option` its table entry. */
const char *rmx_config_initial(const char *key, const rmx_option *option);

/* What a new config is about. All may be NULL. */
typedef struct rmx_config_wanted {
  const char *folder;    /* of the experiment: what it writes there is not text */
  char *text;            /* the folder whose domains are written; NULL: examples */
  char *domain_field;    /* divides its documents; NULL: its folders and files are the domains */
  rmx_strings leave_out; /* patterns of what is not read in it */
} rmx_config_wanted;
/* A commented regmix.yaml to begin with, appended to `out`. *target: the domain to be improved, or
 * NULL; it becomes the name that the text has for it (free() it). Files that are left out are
 * noted. */
rmx_status rmx_config_text(const rmx_config_wanted *w, const rmx_listener *to, char **target,
                           rmx_buf *out, rmx_err *err);

/* An experiment: a folder and its config. */
typedef struct rmx_experiment {
  char *folder;
  char *config_path; /* NULL: there is no regmix.yaml */
  rmx_config config;
} rmx_experiment;
/* Opens the experiment in `folder`, or, with `yaml` given, the one whose config that is (its
 * folder, unless `folder` is given too). */
rmx_status rmx_experiment_open(const char *folder, const char *yaml, const char *const *settings,
                               size_t n, rmx_experiment *out, rmx_err *err);
void rmx_experiment_release(rmx_experiment *e);
/* <folder>/<name>; NULL if memory is short; free() it. */
char *rmx_experiment_path(const rmx_experiment *e, const char *name);

#ifdef __cplusplus
}
#endif
#endif
