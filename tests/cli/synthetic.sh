# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# make_corpus FOLDER DOCUMENTS: the synthetic corpus and a regmix.yaml for tiny models in FOLDER.
make_corpus() {
  mkdir -p "$1/text"
  for domain in a b noise exam; do
    awk -v domain=$domain -v documents="$2" -v share=0.7 -f "$ROOT/tests/cli/synthetic.awk" > "$1/text/$domain.txt"
  done
  cat > "$1/regmix.yaml" << 'END'
corpus:
  domains:
    a: text/a.txt
    b: text/b.txt
    noise: text/noise.txt
    exam: {files: text/exam.txt, valid_only: true}
  vocab: 320
  overlap: 0
  max_valid_tokens: 4k
target: exam
sample: {runs: 6, cap_ratio: 1000, max_epochs: 0}
proxy: {layers: 1, heads: 2, width: 32, ffn: 64, model: nano, context: 32, tokens: 8k, batch_tokens: 512, micro_tokens: 512}
large: {layers: 1, heads: 2, width: 32, ffn: 64, model: nano, context: 32, tokens: 8k, batch_tokens: 512, micro_tokens: 512}
fit: {regressor: ridge}
ridge: {sqrt: true, alpha: 0.01}
compare: {seeds: 2}
optimize: {samples: 2000}
END
}

# make_tables RUNS: m.csv and l.csv here, mixtures of a, b, c and the losses a_val_loss, b_val_loss, c_val_loss that follow from them.
make_tables() {
  awk -v runs="$1" 'BEGIN { print "run,a,b,c" > "m.csv"; print "run,a_val_loss,b_val_loss,c_val_loss" > "l.csv"
    s = 7
    for (i = 1; i <= runs; i++) {
      for (j = 0; j < 3; j++) { s = (s * 16807) % 2147483647; w[j] = s / 2147483647 }
      t = w[0] + w[1] + w[2]
      printf "%d,%.6f,%.6f,%.6f\n", i, w[0] / t, w[1] / t, w[2] / t > "m.csv"
      printf "%d,%.6f,%.6f,%.6f\n", i, 3 - sqrt(w[0] / t), 4 - sqrt(w[1] / t), 4 - sqrt(w[2] / t) > "l.csv"
    } }'
}
