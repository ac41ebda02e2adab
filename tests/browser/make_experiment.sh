#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make_experiment.sh FOLDER RUNS DOMAINS METRICS STEPS [gp]: an experiment that never took place, in the files of docs/design/files.md.
# Losses fall with the share of the metric's own domain and of its neighbour; everything comes from awk's seeded numbers.
# Domain 1 has a name that would be markup in careless hands. METRICS <= DOMAINS. The fitted functions are lines, or with
# gp Gaussian processes of made-up parameters, which cost as much as real ones.
set -eu
folder=$1 runs=$2 domains=$3 metrics=$4 steps=$5 kind=${6:-ridge}
mkdir -p "$folder/fit" "$folder/corpus" "$folder/large" "$folder/runs"
i=1
while [ "$i" -le "$runs" ]; do mkdir -p "$folder/runs/$(printf %04d "$i")"; i=$((i + 1)); done

awk -v folder="$folder" -v N="$runs" -v D="$domains" -v M="$metrics" -v S="$steps" -v kind="$kind" '
function noise(s) { return s * (rand() + rand() + rand() - 1.5) }
function csv(name) { gsub(/"/, "\"\"", name); return "\"" name "\"" }
function json(name) { gsub(/"/, "\\\"", name); return "\"" name "\"" }
function truth(m, w,   own, next_to) { own = w[m]; next_to = w[m % D + 1]; return 3.2 + 0.13 * (m % 7) + 1.6 * exp(-9 * own) + 0.5 * exp(-6 * next_to) }
function map(w, name,   d, s) { s = ""; for (d = 1; d <= D; d++) s = s (d > 1 ? ", " : "") name[d] ": " sprintf("%.4f", w[d]); return "{" s "}" }
BEGIN {
  srand(7)
  split("pile_cc wikipedia_en arxiv github stackexchange pubmed_central freelaw gutenberg hackernews ubuntu_irc europarl uspto pubmed_abstracts dm_mathematics nih_exporter philpapers enron_emails", known, " ")
  for (d = 1; d <= D; d++) { name[d] = d == 1 ? "<b>&\"'\''bold" : (d <= 17 ? known[d] : "domain_" d); prior[d] = exp(noise(2.5)); total += prior[d] }
  for (d = 1; d <= D; d++) { prior[d] /= total; quoted[d] = json(name[d]) }

  mixtures = folder "/mixtures.csv"; ends = folder "/metrics.csv"; halves = folder "/metrics-half.csv"; cv = folder "/fit/cross-validation.csv"
  head = "run"; for (d = 1; d <= D; d++) head = head "," csv(name[d]); print head > mixtures
  head = "run"; for (m = 1; m <= M; m++) head = head "," csv(name[m] "_val_loss"); print head > ends; print head > halves
  print "run,metric,fold,true,predicted" > cv
  for (i = 1; i <= N; i++) {
    run = sprintf("%04d", i); sum = 0
    for (d = 1; d <= D; d++) { w[d] = exp(noise(4)) * prior[d]; sum += w[d] }
    row = run; for (d = 1; d <= D; d++) { w[d] = int(w[d] / sum * 5000) / 5000; row = row "," w[d]; flat = flat (i + d > 2 ? ", " : "") w[d] } print row > mixtures
    nested = nested (i > 1 ? ", [" : "[") substr(row, 6) "]"
    row = run; half = run; valid = ""; losses = ""; earlier = ""
    for (m = 1; m <= M; m++) {
      y = truth(m, w) + noise(0.03); h = y + 0.35 + noise(0.06)
      row = row "," sprintf("%.5f", y); half = half "," sprintf("%.5f", h)
      fold[m] = fold[m] run "," csv(name[m] "_val_loss") "," (i % 5) "," sprintf("%.5f,%.5f", y, y + noise(0.12)) "\n"
      losses = losses (m > 1 ? ", " : "") quoted[m] ": " sprintf("%.5f", y); earlier = earlier (m > 1 ? ", " : "") quoted[m] ": " sprintf("%.5f", h)
    }
    print row > ends; print half > halves
    log_file = folder "/runs/" run "/log.jsonl"; last = 2.6 + 2 * rand()
    for (s = 1; s <= S; s++) {
      printf "{\"step\": %d, \"tokens\": %d, \"loss_nats\": %.4f, \"lr\": 0.003}\n", s, s * 2048, last + 4.5 * (s + 1) ^ -0.55 + noise(0.05) > log_file
      if (s == int(S / 2)) printf "{\"step\": %d, \"tokens\": %d, \"valid_nats\": {%s}}\n", s, s * 2048, earlier > log_file
    }
    printf "{\"step\": %d, \"tokens\": %d, \"valid_nats\": {%s}}\n", S, S * 2048, losses > log_file
    close(log_file)
    result = folder "/runs/" run "/result.json"
    printf "{\"run\": \"%s\", \"status\": \"done\", \"seed\": 42, \"model\": {\"layers\": 2, \"heads\": 4, \"width\": 64, \"ffn\": 128, \"vocab\": 1024, \"context\": 128}, \"parameters\": 213000, \"steps\": %d, \"tokens\": %d, \"flops\": 5.5e11, \"wall_s\": 12.5, \"loss_nats\": {%s}, \"answers\": \"9f0c\", \"made_by\": {\"version\": \"0.1.0\", \"isa\": \"avx2\", \"corpus\": \"77aa01\"}}\n", run, S, S * 2048, losses > result
    close(result)
  }
  for (m = 1; m <= M; m++) printf "%s", fold[m] > cv

  fit = folder "/fit/fit.json"
  printf "{\"version\": 1, \"domains\": [" > fit
  for (d = 1; d <= D; d++) printf "%s%s", (d > 1 ? ", " : ""), quoted[d] > fit
  printf "], \"raw\": false, \"runs\": %d, \"mixtures\": [%s], \"metrics\": [", N, nested > fit
  for (m = 1; m <= M; m++) printf "%s{\"name\": %s, \"regressor\": \"" kind "\", \"file\": \"%d.json\", \"cross_validation\": {\"folds\": 5, \"n\": %d, \"spearman\": 0.9, \"mse\": 0.01, \"mae\": 0.08, \"r2\": 0.9}}", (m > 1 ? ", " : ""), json(name[m] "_val_loss"), m, N > fit
  printf "], \"half_agreement\": {}, \"made_by\": {\"version\": \"0.1.0\", \"isa\": \"avx2\", \"seed\": 42}}\n" > fit

  for (m = 1; m <= M; m++) {
    file = folder "/fit/" m ".json"
    printf "{\"regressor\": \"%s\", \"version\": 1, \"domains\": null, ", kind > file
    if (kind == "ridge") {
      printf "\"sqrt\": true, \"alpha\": 1, \"intercept\": 4.9, \"coefficients\": [" > file
      for (d = 1; d <= D; d++) printf "%s%.3f", (d > 1 ? ", " : ""), (d == m ? -1.6 : d == m % D + 1 ? -0.5 : 0.1 + noise(0.2)) > file
    } else {
      printf "\"runs\": %d, \"shift\": 4, \"scale\": 0.5, \"seen\": [3, 5.5], \"leave_one_out_rmse\": 0.1, \"log_ripple\": -0.5, \"log_linear\": 0.1, \"log_noise\": -2", N > file
      printf ", \"log_length\": [" > file; for (d = 1; d <= D; d++) printf "%s%.3f", (d > 1 ? ", " : ""), noise(0.5) > file
      printf "], \"log_eps\": [" > file; for (d = 1; d <= D; d++) printf "%s%.3f", (d > 1 ? ", " : ""), noise(1) - 3 > file
      printf "], \"alpha\": [" > file; for (i = 1; i <= N; i++) printf "%s%.4f", (i > 1 ? ", " : ""), noise(0.2) > file
      printf "], \"row_weights\": [" > file; for (i = 1; i <= N; i++) printf "%s1", (i > 1 ? ", " : "") > file
      printf "], \"mixtures\": [%s", flat > file
    }
    printf "]}\n" > file
    close(file)
  }

  best[2] = 0.46; best[3 > D ? 1 : 3] = 0.2; left = 1; for (d = 1; d <= D; d++) left -= best[d]
  for (d = 1; d <= D; d++) best[d] += left * prior[d]
  target = json(name[2] "_val_loss")
  optimum = folder "/optimum.yaml"
  for (d = 1; d <= D; d++) spread[d] = best[d] * 0.2
  printf "mixture: %s\nspread: %s\nprior: %s\ntarget: {%s: 1}\n", map(best, quoted), map(spread, quoted), map(prior, quoted), target > optimum
  at = truth(2, best); old = truth(2, prior)
  printf "predicted: {%s: %.4f}\npredicted_prior: {%s: %.4f}\nscore: %.4f\nscore_prior: %.4f\nbest_run_score: %.4f\n", target, at, target, old, at, old, at + 0.02 > optimum
  printf "method: simulate\nsamples: 100000\ntop: 128\ndistance: 0.11\ntypical_distance: 0.15\noutside: [%s]\nmade_by: {version: 0.1.0, seed: 42, isa: avx2}\n", quoted[1] > optimum

  # What newer optima say beside; a line each, so that a test can take them away.
  printf "level: 0.9\nreplicates: 200\ninterval: {" > optimum
  for (d = 1; d <= D; d++) printf "%s%s: [%.4f, %.4f]", (d > 1 ? ", " : ""), quoted[d], best[d] * 0.8, best[d] * 1.2 > optimum
  printf "}\ngain: {predicted: %.4f, interval: [%.4f, %.4f]}\nexpected_error: 0.03\n", old - at, old - at - 0.05, old - at + 0.05 > optimum
  printf "versus: {prior: {score: %.4f, gain: %.4f, interval: [%.4f, %.4f], probability: 0.99}, \"a/other.yaml\": {score: 4, gain: -0.01, interval: [-0.1, 0.08], probability: 0.41}}\n", old, old - at, old - at - 0.05, old - at + 0.05 > optimum
  print "learning_curve: {runs: [8, 16, 24], rmse: [0.09, 0.06, 0.05], spearman: [0.7, 0.8, 0.9], regret: [0.03, 0.02, 0.01], more_runs: 24, expected_gain: 0.004, sentence: \"24 more runs would be expected to gain 0.004 nats\"}" > optimum
  printf "attribution: {" > optimum
  for (p = 0; p < 2; p++) {
    printf "%s: {", (p ? "optimum" : "prior") > optimum
    for (m = 1; m <= M; m++) {
      printf "%s%s: {", (m > 1 ? ", " : ""), json(name[m] "_val_loss") > optimum
      for (d = 1; d <= D; d++) printf "%s%s: %.5f", (d > 1 ? ", " : ""), quoted[d], (d == m ? -0.02 : 0.002) + noise(0.001) > optimum
      printf "}" > optimum
    }
    printf "}, " > optimum
  }
  printf "without: {" > optimum
  for (d = 1; d <= D; d++) printf "%s%s: {score: %.4f, loss: %.4f}", (d > 1 ? ", " : ""), quoted[d], at + best[d] / 4, best[d] / 4 > optimum
  printf "}}\npareto: [" > optimum
  for (p = 0; p < 5; p++) printf "%s{share: %.2f, mixture: %s, predicted: {%s: %.3f, %s: %.3f}}", (p ? ", " : ""), p / 4, map(best, quoted), target, 4 + p * p / 16, json(name[3] "_val_loss"), 5 - p / 8 > optimum
  print "]" > optimum

  comparison = folder "/large/comparison.json"
  split("optimum prior uniform best_single best_run", rows, " ")
  printf "{\"target\": {%s: 1}, \"seeds\": [1, 2, 3], \"tokens\": 600000, \"rows\": [", target > comparison
  for (r = 1; r <= 5; r++) {
    printf "%s{\"name\": \"%s\"%s, \"n\": 3, \"target_loss\": {\"mean\": %.4f, \"se\": %.4f}, \"against_optimum\": {\"mean\": %.4f, \"se\": %.4f, \"n\": 3}, \"flops\": 1e12, \"loss_nats\": {", (r > 1 ? ", " : ""), rows[r], (r == 4 ? ", \"domain\": " quoted[2] : r == 5 ? ", \"run\": \"0003\"" : ""), at + 0.05 * (r - 1), 0.004 + 0.002 * r, 0.05 * (r - 1), (r > 1 ? 0.006 : 0) > comparison
    for (m = 1; m <= M; m++) printf "%s%s: {\"mean\": %.4f, \"se\": 0.01}", (m > 1 ? ", " : ""), quoted[m], 3 + 0.1 * m + noise(0.2) > comparison
    printf "}}" > comparison
  }
  printf "]}\n" > comparison

  corpus = folder "/corpus/corpus.json"
  printf "{\"version\": 1, \"vocab\": 1024, \"end_of_text\": 0, \"tokenizer_hash\": \"ab12\", \"hash\": \"77aa01\", \"source_hash\": \"cd34\", \"domains\": [" > corpus
  for (d = 1; d <= D; d++) { n = int(prior[d] * 4000000) + 900; printf "%s{\"name\": %s, \"valid_only\": false, \"documents\": %d, \"train_documents\": %d, \"valid_documents\": %d, \"train_tokens\": %d, \"valid_tokens\": %d, \"train_bytes\": %d, \"valid_bytes\": %d, \"duplicates\": %d, \"overlaps\": %d, \"bad_lines\": 0, \"invalid_utf8\": 0}", (d > 1 ? ", " : ""), quoted[d], n / 100, n / 105, n / 2000, n, n / 20, n * 3.1, n * 0.155, d % 4, d % 3 > corpus }
  printf "]}\n" > corpus
  printf "# every default\nseed: 42\nproxy:\n  steps: %d\n  lr: 0.003\nlarge:\n  tokens: 600000\nnote: \"</script><script>window.broken = true</script>\"\n", S > (folder "/resolved.yaml")
}'
