/* mixture.h: points on the simplex over the domains, and how random ones are drawn.
 *
 * Uses: base.
 *
 * A mixture w (D) is the share of training *tokens* from each domain: w_d >= 0, sum w = 1.
 */
#ifndef RMX_MIXTURE_H
#define RMX_MIXTURE_H

#include <regmix/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Checks weights (D) as a user gave them: finite, not negative, sum within `slack` of 1
 * (0.01 by convention); then normalises them. `where` ("m.csv:12") heads the message. */
rmx_status rmx_mixture_check(double *w, size_t D, const char *const *names, double slack,
                             const char *where, rmx_err *err);
/* Divides by the sum, unless that is 1 within 1e-9: such weights stay as they are, bit for bit.
 * RMX_ENUMERIC where that is not a positive number. */
rmx_status rmx_mixture_normalise(double *w, size_t D, rmx_err *err);
/* prior_d = tokens_d / sum tokens. */
void rmx_mixture_prior(const double *tokens, size_t D, double *prior);
/* out_d = p_d^exponent / sum: an exponent below 1 tempers a mixture towards uniform; 0 stays 0. */
void rmx_mixture_temper(const double *p, size_t D, double exponent, double *out);
/* Draws from Dirichlet(alpha) (D); some alpha may be 0 (the weight is then 0), not all. Works for
 * shapes far below 1 (gamma numbers are drawn in logarithms). */
void rmx_dirichlet(rmx_rng *rng, const double *alpha, size_t D, double *w);
/* The mixture nearest to w (in Kullback-Leibler divergence) that keeps the caps: w_d <- min(cap_d,
 * scale * w_d) with the one scale that makes the sum 1. If all weights that are not 0 are at
 * their caps, the rest goes to the others in proportion to their caps. Needs sum cap >= 1. Cost
 * O(D^2) at worst. */
void rmx_mixture_cap(double *w, const double *cap, size_t D);

/* The same share for each domain. w (D). */
void rmx_mixture_uniform(double *w, size_t D);

/* Reads one mixture: YAML map `domain: weight` (at top, or under `mixture:`/`train:` as in the
 * authors' files), JSON the same, CSV with columns domain,weight or with one row. Domains not
 * named get 0; unknown ones are an error. w (D). */
rmx_status rmx_mixture_read(const char *path, const char *const *names, size_t D, double *w,
                            rmx_err *err);
/* The names in such a file, in its order, appended to `names`. */
rmx_status rmx_mixture_names(const char *path, rmx_strings *names, rmx_err *err);
struct json_t *rmx_mixture_json(const double *w, const char *const *names,
                                size_t D); /* new reference */

/* ---- trees of domains: "source:topic" ---------------------------------------- */

/* A ":" or "/" in a name divides it into levels, three at most: "web:news:q0" lies in the nodes
 * "web" and "web:news". What follows the second separator is the last level, whatever is in it. */
/* Folds domains (D) into the nodes of `levels` levels (1: sources; 2: source:topic) that have
 * several domains: `folded` gets the names of nodes and of the domains outside them, in the order
 * of the domains; into (D) says where each domain is. A node with the name of a domain is "web:".
 * So a name of a node stands for all domains below it. */
rmx_status rmx_fold(const char *const *names, size_t D, size_t levels, rmx_strings *folded,
                    size_t *into, rmx_err *err);
/* The weights w (D) by what rmx_fold folded them into: out (n). */
void rmx_fold_sum(const size_t *into, size_t D, size_t n, const double *w, double *out);
/* Some node has more than one domain, but not all of them. */
bool rmx_names_form_a_tree(const char *const *names, size_t D);
/* The domains that a name stands for: member (D), and `whole` (or NULL), the name without
 * ambiguity, to be freed. In this order: the domain of exactly this name; the node of exactly this
 * name; the domain that rmx_find_name finds; the node that it finds. So where a domain and a node
 * have one name it is the domain, and "web:" (or "web/") is the node. RMX_EINPUT where there is
 * neither. */
rmx_status rmx_find_domains(const char *name, const char *const *names, size_t D, bool *member,
                            char **whole, rmx_err *err);

/* The recipe of RegMix for random mixtures (../../docs/method.md; RegMix code,
 * synthesize_mixture.py): temper the prior, Dirichlet at log-spaced strengths, caps, a grid. */
typedef struct rmx_sample_options {
  int64_t runs;                      /* N mixtures wanted */
  double temper;                     /* exponent on the prior before drawing: 0.5 */
  double min_strength, max_strength; /* 0.1 .. 5.0 */
  int64_t strengths;                 /* log-spaced steps between them: 15 */
  int64_t tries;                     /* candidates per mixture wanted: 100 */
  double grid;                       /* weights are multiples of it, smaller ones are 0: 2e-4 */
  double cap_ratio;   /* weight_d <= min(cap_ratio * prior_d, 1), where no budget is known: 15 */
  double max_epochs;  /* with a budget: weight_d <= max_epochs * tokens_d / budget: 4 */
  rmx_strings phases; /* shares of the tokens, see rmx_phase_shares(); none: one mixture */
  rmx_strings domain_epochs; /* "DOMAIN=X": another max_epochs for this domain; the caps have it */
  double min_coverage; /* each feasible domain is non-zero in this share of the mixtures: 0.1 */
  /* where the names form a tree: draw the weights of its nodes first, then of what is in each, all
   * with the strength of the mixture */
  bool tree;
} rmx_sample_options;

/* Draws options->runs mixtures. prior (D); cap (D) upper bounds (rmx_sample_caps). out (N, D).
 * Every returned row keeps its caps, lies on the grid, and differs from all others (so by 2 or
 * more grid steps in L1); each domain that can be non-zero (prior > 0, cap >= grid) is so in
 * ceil(min_coverage * N) rows or more. The first N distinct accepted candidates are kept, which is
 * a random choice of N among all of them. Where the caps reject too many, candidates are brought
 * under them (rmx_mixture_cap). Coverage: a Dirichlet vector given w_d in [lo, hi] is a truncated
 * Beta w_d and, independent of it, the rest scaled by 1 - w_d; so rows without a domain that is
 * short of coverage are given a w_d drawn so, and the rest of the row is scaled down. A request
 * that cannot be met is RMX_EINPUT and says which bound to loosen. */
rmx_status rmx_sample_mixtures(const rmx_sample_options *options, const double *prior,
                               const double *cap, const char *const *names, size_t D, uint64_t seed,
                               double *out, rmx_err *err);
/* Draws mixtures of phases: phases->n and share are given. out (N, n, D). The caps hold for the
 * mean of the phases, weighted by their shares: a row that breaks them gives up weight in its first
 * phases, which then leaves the grid. Errors as above. */
struct rmx_phases;
rmx_status rmx_sample_phases(const rmx_sample_options *options, const struct rmx_phases *phases,
                             const double *prior, const double *cap, const char *const *names,
                             uint64_t seed, double *out, rmx_err *err);
/* Which domains every sample leaves at 0, because the prior is 0 or the cap is below the grid:
 * excluded (D) or NULL; returns how many. For a warning to the user. */
size_t rmx_sample_excluded(const rmx_sample_options *options, const double *prior,
                           const double *cap, size_t D, bool *excluded);
/* cap_d = min(1, max_epochs * tokens_d / budget) with a budget > 0, else min(1, cap_ratio *
 * prior_d). */
void rmx_sample_caps(const rmx_sample_options *options, const double *prior, const double *tokens,
                     double budget, size_t D, double *cap);

/* ---- phases: a training that changes its mixture ---------------------------- */

/* n mixtures, one after the other. n = 0: no phases. */
typedef struct rmx_phases {
  size_t n, D;
  double *share;   /* (n) of the tokens: they sum to 1 */
  double *mixture; /* (n, D) */
} rmx_phases;
/* Makes room for n phases: release it. */
rmx_status rmx_phases_make(size_t n, size_t D, rmx_phases *out, rmx_err *err);
void rmx_phases_release(rmx_phases *p);
/* from may be NULL. */
rmx_status rmx_phases_copy(const rmx_phases *from, rmx_phases *to, rmx_err *err);
/* The mixture of all tokens: w_d = sum_k share_k mixture_kd. */
void rmx_phases_mean(const rmx_phases *p, double *w);
/* The phase of step `step` (0-based) of `steps`: phase k ends where the shares up to it, of all
 * steps, are rounded to a step. */
size_t rmx_phase_at(const rmx_phases *p, int64_t step, int64_t steps);
/* The shares of the phases, as typed: "0.8", "0.2", or "0.8,0.2". `what` heads the messages.
 * RMX_EINPUT: a share is not between 0 and 1, or they do not sum to 1. *share (*n): free() it; NULL
 * and 0 for no text. */
rmx_status rmx_phase_shares(const rmx_strings *texts, const char *what, double **share, size_t *n,
                            rmx_err *err);

/* The phase in the name of a column, and the name of its domain, a part of `name`: "phase_1_web",
 * "stage-1/web". NULL: it names no phase. */
const char *rmx_phase_of(const char *name, long *number);
/* What the columns of a table of phases are. */
typedef struct rmx_phase_columns {
  size_t n, D;         /* phases; columns. n = 0: the columns are of one mixture */
  size_t *of;          /* (D) phase of each column, from 0 */
  const char **domain; /* (D) domain of each column; borrowed from the names */
  size_t n_domains;
  const char **domains; /* (n_domains) each once, in the order of the columns */
  size_t *index;        /* (D) in domains */
} rmx_phase_columns;
/* Recognises columns of two or more phases. RMX_EINPUT: some columns are of phases and others are
 * not; the number of a phase is left out. Release the result. */
rmx_status rmx_phase_columns_find(const char *const *names, size_t D, rmx_phase_columns *out,
                                  rmx_err *err);
void rmx_phase_columns_release(rmx_phase_columns *c);
/* Turns a row x (D), in which the weights of each phase sum to 1 (or to its share), into shares of
 * all tokens, which sum to 1. `where` heads the message. RMX_EINPUT: a phase sums to something
 * else. */
rmx_status rmx_phases_of_row(const rmx_phase_columns *c, const double *share, double *x,
                             const char *where, rmx_err *err);

/* ---- a corpus whose domains change: what its old runs are still worth ------- */

typedef enum rmx_redomain_kind {
  RMX_DOMAIN_RENAME, /* OLD=NEW */
  /* P=A:0.3,B:0.7: P's tokens are 30 % A and 70 % B; w_A = 0.3 w_P, w_B = 0.7 w_P */
  RMX_DOMAIN_SPLIT,
  RMX_DOMAIN_MERGE,  /* P=A:0.4,B:0.6: A and B become P, whose tokens are 40 % A and 60 % B */
  RMX_DOMAIN_ADD,    /* NAME: no old run drew from it, w = 0 */
  RMX_DOMAIN_REMOVE, /* NAME: old runs without it are runs of the smaller corpus */
} rmx_redomain_kind;

typedef struct rmx_redomain_options {
  /* of a merge: how far a part's share in a run may be from its natural one: 0.02 */
  double tolerance;
  /* of a removal: the runs that used the domain are left out; else they stay, and its column */
  bool drop;
} rmx_redomain_options;

/* What happened to a table. rmx_redomain_report r = {0}, then any number of changes, then
 * release. */
typedef struct rmx_redomain_report {
  rmx_strings redo; /* runs that do not belong to the new corpus: left out of the table */
  rmx_strings why;  /* (redo.n) one reason each */
  /* directions of the new simplex that no run of the table says anything about */
  rmx_strings unseen;
  /* columns kept for the runs that used a removed domain: to be held at 0 from now on */
  rmx_strings fix;
  rmx_strings measure; /* new domains: no old run has a loss on their own text */
} rmx_redomain_report;

/* Changes the table `t` of mixtures in place. `text` as above; shares must sum to 1 within 1 %
 * (then they are normalised). Split and add keep every run: a run drew from the parts of P in P's
 * own proportions, so its point in the larger simplex is exact, but all runs lie in one hyperplane
 * of it. Merge keeps the runs whose A : B is the natural one within the tolerance, or that used
 * neither: in the others "P" was something else. Old names are matched by rmx_find_name; a new name
 * that is there already is RMX_EINPUT, as is a text that does not read. On failure the table is as
 * it was. Cost O(N D). */
rmx_status rmx_redomain(rmx_table *t, rmx_redomain_kind kind, const char *text,
                        const rmx_redomain_options *options, rmx_redomain_report *report,
                        rmx_err *err);
void rmx_redomain_report_release(rmx_redomain_report *r);

/* ---- a corpus of which only some domains change: the rest keep their ratios ---- */

/* One virtual domain in place of several that keep their ratios: w_member = ratio_member * w. */
typedef struct rmx_reuse {
  char *name;          /* of the virtual domain; NULL: there is none */
  rmx_strings members; /* (n) */
  double *ratio;       /* (n) sum 1 */
} rmx_reuse;
/* From the mixture found before, `optimum`, and the natural mixture of the new corpus, `prior`: the
 * domains in both, but for those that `changed` names (domains or nodes), become the domain `name`,
 * with the ratios of the optimum. *names and *w are the prior of the small space, the virtual
 * domain first; free() and release them. RMX_EINPUT where nothing changed, fewer than two domains
 * stay, or the optimum or the prior gives those no weight. */
typedef struct rmx_reuse_request {
  const char *optimum, *prior; /* files of mixtures */
  const rmx_strings *changed;
  const char *name;
} rmx_reuse_request;
rmx_status rmx_reuse_make(const rmx_reuse_request *q, rmx_reuse *out, rmx_strings *names,
                          double **w, rmx_err *err);
/* The `reuse: {NAME: {member: ratio}}` of a YAML file; out->name is NULL where it has none. */
rmx_status rmx_reuse_read(const char *path, rmx_reuse *out, rmx_err *err);
void rmx_reuse_release(rmx_reuse *r);
/* {NAME: {member: ratio}}: a new reference. */
struct json_t *rmx_reuse_json(const rmx_reuse *r);
/* A map by domain, of numbers or lists of numbers, with the members in place of the virtual domain:
 * a new reference. */
struct json_t *rmx_reuse_expand(const rmx_reuse *r, const struct json_t *map);
/* A table with the column of the virtual domain gets those of the members that have a weight; a
 * table with the columns of the members gets that of the virtual domain, as a merge. */
rmx_status rmx_reuse_table(const rmx_reuse *r, rmx_table *t, double tolerance,
                           rmx_redomain_report *report, rmx_err *err);
/* How many of the D - 1 directions of the simplex the mixtures of a table differ in: the rank of
 * its rows, each divided by its sum, less their mean. Differences below 1e-6 (root mean square)
 * count as none. Cost O(N D^2). */
rmx_status rmx_mixture_rank(const rmx_table *t, size_t *rank, rmx_err *err);

#ifdef __cplusplus
}
#endif
#endif
