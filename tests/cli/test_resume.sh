#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Killed at 20 random moments, inside steps and inside writes, and taken up again: the same bits as
# a run never stopped. Checkpoints are written after every step here, so that the
# kills fall into their writing as often as into training.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
. "$here/synthetic.sh"
settings="--set proxy.checkpoint_s=0 --set large.checkpoint_s=0 --set proxy.tokens=24k --set large.tokens=24k"

# What must be the same: every number that training and search came to, and the models' bits.
fingerprint() {
  (
    cd "$1" || exit 1
    cat corpus/*/*.bin tokenizer.json mixtures.csv metrics.csv metrics-half.csv optimum.yaml large/comparison.json
    cat large/*/*/model.bin
    for f in runs/*/result.json large/*/*/result.json; do grep -v -E '"(wall_s|tokens_per_s)"' "$f"; done
    # Steps and losses of the logs, without their times.
    sed -E 's/,"(tokens_per_s|wall_s)":[0-9.e+-]+//g' runs/*/log.jsonl large/*/*/log.jsonl
  ) | cksum
}

make_corpus "$SCRATCH/straight" 200
# shellcheck disable=SC2086
try "an experiment runs through" 0 "optimum" "$REGMIX" run "$SCRATCH/straight/regmix.yaml" $settings

mkdir "$SCRATCH/killed" && cp -r "$SCRATCH/straight/text" "$SCRATCH/straight/regmix.yaml" "$SCRATCH/killed/"
# The text keeps its times, which the corpus remembers.
for f in "$SCRATCH"/straight/text/*; do touch -r "$f" "$SCRATCH/killed/text/$(basename "$f")"; done

started=$(date +%s%N)
# shellcheck disable=SC2086
"$REGMIX" run "$SCRATCH/straight/regmix.yaml" $settings -q > /dev/null 2>&1
again_ms=$(( ($(date +%s%N) - started) / 1000000 ))

kills=0
seed=${REGMIX_TEST_SEED:-1}
while [ $kills -lt 20 ]; do
  # shellcheck disable=SC2086
  setsid "$REGMIX" run "$SCRATCH/killed/regmix.yaml" $settings -q > "$SCRATCH/log" 2>&1 &
  pid=$!
  seed=$(( (seed * 1103515245 + 12345) % 2147483648 ))
  ms=$(( 20 + seed / 65536 % 380 ))
  sleep "0.$(printf %03d $ms)"
  # Every third time only the supervisor dies: its workers must notice.
  if [ $((kills % 3)) -eq 2 ]; then kill -9 $pid 2> /dev/null; else kill -9 -- -$pid 2> /dev/null; fi
  wait $pid 2> /dev/null
  kills=$((kills + 1))
done
left=$(find "$SCRATCH/killed/runs" -name result.json 2> /dev/null | wc -l)
echo "# 20 kills; $left proxies had been finished by then; taking up a finished experiment takes $again_ms ms"
# shellcheck disable=SC2086
try "taken up after 20 kills" 0 "optimum" "$REGMIX" run "$SCRATCH/killed/regmix.yaml" $settings
if [ "$(fingerprint "$SCRATCH/straight")" = "$(fingerprint "$SCRATCH/killed")" ]; then
  ok "the same bits as one never stopped"
else
  not_ok "the same bits as one never stopped" "$(diff -rq "$SCRATCH/straight" "$SCRATCH/killed" | head -20)"
fi
if find "$SCRATCH/killed" -name 'checkpoint.bin' -o -name claim | grep -q .; then
  not_ok "nothing is left lying about" "$(find "$SCRATCH/killed" -name 'checkpoint.bin' -o -name claim)"
else
  ok "nothing is left lying about"
fi

# Ctrl-C: ends soon, with a checkpoint, and says how to go on.
rm -rf "$SCRATCH/killed/runs"
# shellcheck disable=SC2086
"$REGMIX" run "$SCRATCH/killed/regmix.yaml" $settings --set proxy.tokens=4M --set proxy.checkpoint_s=1000 > /dev/null 2> "$SCRATCH/stderr" &
pid=$!
sleep 1
kill -INT $pid
wait $pid
code=$?
if [ $code -eq 1 ] && grep -q "goes on from here" "$SCRATCH/stderr" && [ -n "$(find "$SCRATCH/killed/runs" -name checkpoint.bin)" ]; then
  ok "an interrupt leaves checkpoints and says how to go on"
else
  not_ok "an interrupt leaves checkpoints and says how to go on" "exit $code: $(cat "$SCRATCH/stderr")"
fi
if [ $again_ms -lt 2000 ]; then ok "a finished experiment says so in a second or two"; else not_ok "a finished experiment says so in a second or two" "$again_ms ms"; fi
done_testing
