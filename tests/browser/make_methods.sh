#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_methods.sh FOLDER DOMAINS STEPS: FOLDER/compare/methods.json of a comparison that never took place: 12 methods with the
# names of domains of make_experiment.sh. rho1's search diverged, law lost one of three seeds, doremi and odm have tracks of
# STEPS points, prior, uniform and unimax cost nothing, human is far off, several spent all but the same.
set -eu
folder=$1 domains=$2 steps=$3
mkdir -p "$folder/compare"
awk -v D="$domains" -v T="$steps" '
function noise(s) { return s * (rand() + rand() + rand() - 1.5) }
function json(name) { gsub(/"/, "\\\"", name); return "\"" name "\"" }
function map(w, format,   d, s) { for (d = 1; d <= D; d++) s = s (d > 1 ? ", " : "") json(name[d]) ": " sprintf(format, w[d]); return "{" s "}" }
function draw(w, power,   d, sum) { for (d = 1; d <= D; d++) sum += w[d] = (0.02 + rand()) ^ power; for (d = 1; d <= D; d++) w[d] /= sum }
BEGIN {
  srand(5)
  split("pile_cc wikipedia_en arxiv github stackexchange pubmed_central freelaw gutenberg hackernews ubuntu_irc europarl uspto pubmed_abstracts dm_mathematics nih_exporter philpapers enron_emails", known, " ")
  for (d = 1; d <= D; d++) name[d] = d == 1 ? "<b>&\"'\''bold" : (d <= 17 ? known[d] : "domain_" d)
  M = split("regmix climb doremi odm law mixmin olmix unimax uniform prior human rho1", method, " ")
  split("3.412 3.409 3.496 3.451 3.438 3.444 3.421 3.534 3.536 3.552 5.31 0", mean, " ")
  split("4.02e13 3.98e13 5.9e12 8.1e10 4.1e13 6.3e12 4.02e13 0 0 0 0 1.1e12", flops, " ")
  printf "{\"methods\": {"
  for (m = 1; m <= M; m++) {
    x = method[m]; failed = x == "rho1"; n = failed ? 0 : x == "law" ? 2 : 3
    draw(w, x == "regmix" || x == "climb" || x == "olmix" ? 5 : 2)
    if (x == "uniform") for (d = 1; d <= D; d++) w[d] = 1 / D
    printf "%s\"%s\": {\"weights\": %s, ", (m > 1 ? ", " : ""), x, (failed ? "null" : map(w, "%.6f"))
    se = 0.003 + 0.0004 * m
    if (failed) printf "\"target_loss\": {\"mean\": null, \"se\": null, \"n\": 0}, \"against_first\": null, \"status\": \"search diverged\", \"why\": \"the loss of step 12 is not a number\", "
    else {
      printf "\"target_loss\": {\"mean\": %.4f, \"se\": %.4f, \"n\": %d}, \"status\": \"%s\", ", mean[m], se, n, (n < 3 ? "diverged" : "done")
      printf "\"against_first\": {\"mean\": %.4f, \"se\": %.4f, \"n\": %d}, \"loss_nats\": {", mean[m] - mean[1], (m > 1 ? 0.005 : 0), n
      for (d = 1; d <= D; d++) printf "%s: {\"mean\": %.4f, \"se\": 0.01}, ", json(name[d]), 3.9 - w[d] + noise(0.1)
      printf "\"exam\": {\"mean\": %.4f, \"se\": %.4f}}, ", mean[m], se
    }
    printf "\"search_flops\": %s, \"search_wall_s\": %.1f, \"large_flops\": 6e12, \"converged\": %s, \"chooses_while_training\": %s, \"sees_target\": " (x ~ /^(regmix|climb|law|mixmin|olmix)$/ ? "true" : "false") ", \"notes\": {", flops[m], (x == "odm" ? 0 : flops[m] / 4e10), (x == "doremi" ? "false" : x == "climb" ? "true" : "null"), (x == "odm" ? "true" : "false")
    if (x == "doremi" || x == "odm") {
      printf "\"form\": \"paper\", \"track\": ["
      draw(last, 3)
      for (t = 1; t <= T; t++) {
        for (d = 1; d <= D; d++) at[d] = (1 / D) * exp(-4 * t / T) + last[d] * (1 - exp(-4 * t / T))
        printf "%s{\"tokens\": %d, \"mixture\": %s}", (t > 1 ? ", " : ""), t * (x == "odm" ? 40960 : 8192), map(at, "%.5f")
      }
      printf "]"
    } else if (x == "regmix" || x == "olmix") printf "\"runs\": 24, \"regressor\": \"gp\", \"predicted\": 3.4012345, \"spearman_out_of_fold\": 0.91234"
    else if (x == "law") printf "\"form\": \"paper, both laws\", \"mixtures\": 20, \"parameters\": [51200, 118000], \"kept_share_of\": %s", map(w, "%.4f")
    printf "}}"
  }
  printf "}, \"order\": ["
  for (m = 1; m <= M; m++) printf "%s\"%s\"", (m > 1 ? ", " : ""), method[m]
  printf "], \"target\": {\"exam_val_loss\": 1}, \"budget_flops\": 4.0e13, \"seeds\": 3, \"tokens\": 20480000}\n"
}' >"$folder/compare/methods.json"
