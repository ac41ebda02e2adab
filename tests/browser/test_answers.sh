#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_answers.sh REGMIX: what the page says of answers of other forms than one mixture from runs of one size: phases, several
# sizes, and nothing learnt. Each page is of a small table; its text is read after its scripts ran in Chromium.
. "$(dirname "$0")/../cli/tap.sh"
browser=
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then browser=$name; break; fi
done
if [ -z "$browser" ]; then echo "1..0 # SKIP no Chromium here (Debian: apt install chromium)"; exit 0; fi
cd "$SCRATCH" || exit 1

# text NAME: the page of the folder as lines of text, one for each element.
text() {
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
    --user-data-dir="$SCRATCH/profile" --virtual-time-budget=60000 --dump-dom "file://$SCRATCH/$1/report.html" 2>/dev/null |
    awk '/<script/ { hidden = 1 } !hidden { print } /<\/script>/ { hidden = 0 }' | sed 's/<[^>]*>/\n/g; s/\xc2\xa0/ /g; s/\xe2\x80\xaf/ /g' |
    grep -v '^ *$' >"$1.txt"
}
says() { if grep -q -- "$2" "$1.txt"; then ok "$1: $2"; else not_ok "$1: $2" "$(head -c 2000 "$1.txt" | tail -n 30)"; fi; }
never() { if grep -q -- "$2" "$1.txt"; then not_ok "$1: never $2" "$(grep -- "$2" "$1.txt" | head -n 3)"; else ok "$1: never $2"; fi; }

# Two phases of three domains: a first, b last.
mkdir phases
awk 'BEGIN { srand(1); print "run,phase_0_a,phase_0_b,phase_0_c,phase_1_a,phase_1_b,phase_1_c,v_loss"
  for (i = 0; i < 30; i++) { s = t = 0; for (d = 0; d < 3; d++) { s += x[d] = -log(1 - rand()); t += y[d] = -log(1 - rand()) }
    printf "r%d,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%.5f\n", i, x[0] / s, x[1] / s, x[2] / s, y[0] / t, y[1] / t, y[2] / t, 3 - 0.3 * x[0] / s - 0.2 * y[1] / t + 0.001 * rand() } }' >phases/t.csv
printf 'a: 10G\nb: 1G\nc: 5G\n' >phases/tokens.yaml
(cd phases && "$REGMIX" fit -q --mixtures t.csv --metrics t.csv --mixture-columns 'phase_*' --metric-columns v_loss --phases 0.8,0.2 >/dev/null &&
  "$REGMIX" optimize -q --fit fit --target v_loss --replicates 20 >answer && "$REGMIX" report -q --tokens tokens.yaml --budget 20G >/dev/null) ||
  not_ok "phases: a page"
text phases
says phases '^In phase 0 (80.0 % of the tokens) train on [0-9.]* % a.* In phase 1 (20.0 % of the tokens) train on [0-9.]* % b'
says phases '^The mixture of each phase$'
says phases '^b in phase 1$'
says phases '^epochs at the prior$'
says phases '^phases$'
says phases 'better with probability over 95 %'
never phases 'share phase 0'
never phases 'outside the range'
never phases 'is not known'
never phases '^phase_0_a$'

# Two sizes: at the larger one the runs are in another order, and the sizes differ much more than the mixtures.
mkdir sizes
awk 'BEGIN { srand(2); print "run,size,tok,a,b,c,x_loss"
  for (i = 0; i < 16; i++) { s = 0; for (d = 0; d < 3; d++) s += x[d] = -log(1 - rand())
    for (k = 0; k < 2; k++) printf "r%d_%d,%d,%d,%.6f,%.6f,%.6f,%.5f\n", i, k, k ? 50e6 : 10e6, 1e9, x[0] / s, x[1] / s, x[2] / s, 4.5 - k + 0.1 * (x[0] / s - 0.5) ^ 2 + 0.05 * x[1] / s + 0.03 * rand() } }' >sizes/t.csv
(cd sizes && "$REGMIX" fit --mixtures t.csv --metrics t.csv --mixture-columns '[abc]' --metric-columns x_loss --size-column size --tokens-column tok >fitted 2>&1 &&
  "$REGMIX" optimize -q --fit fit --target x_loss --for 200M,1G --quick >answer && "$REGMIX" report -q >/dev/null) || not_ok "sizes: a page" "$(cat sizes/fitted)"
text sizes
r2=$(python3 -c 'import json; print("%.3f" % json.load(open("sizes/fit/fit.json"))["metrics"][0]["cross_validation"]["r2"])' | sed 's/^-/−/')
says sizes "R² $r2 .*16 runs of the largest size"
says sizes '^Each dot is a run of the largest size\.'
says sizes '^Each line is a run of the largest size'
says sizes '^The real training run has 1 G tokens'
says sizes 'can.t compute the regressor of this fit'
never sizes 'There are no fitted functions'

# Nothing but noise.
mkdir noise
awk 'BEGIN { srand(5); print "run,a,b,c" >"noise/m.csv"; print "run,x_loss" >"noise/l.csv"
  for (i = 0; i < 20; i++) { s = 0; for (d = 0; d < 3; d++) s += x[d] = -log(1 - rand())
    printf "r%d,%.6f,%.6f,%.6f\n", i, x[0] / s, x[1] / s, x[2] / s >"noise/m.csv"; printf "r%d,%.5f\n", i, 3 + 0.01 * rand() >"noise/l.csv" } }'
(cd noise && "$REGMIX" fit -q --mixtures m.csv --metrics l.csv >/dev/null && "$REGMIX" optimize -q --fit fit --target x_loss >answer && "$REGMIX" report -q >/dev/null) ||
  not_ok "noise: a page"
if grep -q '^method: prior' noise/optimum.yaml; then ok "noise: the answer is the prior"; else not_ok "noise: the answer is the prior"; fi
text noise
says noise '^The answer is the prior (the mean of the 20 runs): .* No gain is expected\.$'
never noise 'guess'
never noise 'looks too good'
done_testing
