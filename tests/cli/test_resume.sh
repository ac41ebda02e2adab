#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Killed at random moments of the whole pipeline, inside steps and inside writes, and taken up again: the same bits as
# a run never stopped. Checkpoints are written after every step here, so that the kills fall into their writing as often
# as into training. REGMIX_KILLS=50 (make kills) kills so often; REGMIX_TEST_SEED=N chooses other moments.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
settings="--set proxy.checkpoint_s=0 --set large.checkpoint_s=0 --set proxy.tokens=24k --set large.tokens=24k"

# What must be the same: every number that training and search came to, and the models' bits.
fingerprint() {
  (
    cd "$1" || exit 1
    cat corpus/*/*.bin tokenizer.json mixtures.csv metrics.csv metrics-half.csv optimum.yaml large/comparison.json
    cat large/*/*/model.safetensors
    for f in runs/*/result.json large/*/*/result.json; do grep -v -E '"(wall_s|tokens_per_s)"' "$f"; done
    # Steps and losses of the logs, without their times.
    sed -E 's/,"(tokens_per_s|wall_s)":[0-9.e+-]+//g' runs/*/log.jsonl large/*/*/log.jsonl
  ) | cksum
}

make_corpus "$SCRATCH/straight" 200
started=$(date +%s%N)
# shellcheck disable=SC2086
try "an experiment runs through" 0 "optimum" "$REGMIX" run "$SCRATCH/straight/regmix.yaml" $settings
straight_ms=$(( ($(date +%s%N) - started) / 1000000 ))

# The experiment as it was before anything was done. The text keeps its times, which the corpus remembers.
fresh() {
  rm -rf "$1" && mkdir "$1" && cp -r "$SCRATCH/straight/text" "$SCRATCH/straight/regmix.yaml" "$1/"
  for f in "$SCRATCH"/straight/text/*; do touch -r "$f" "$1/text/$(basename "$f")"; done
}
same_bits() { [ "$(fingerprint "$SCRATCH/straight")" = "$(fingerprint "$1")" ]; }
left_over() { find "$1" -name checkpoint.safetensors -o -name claim -o -name '*.tmp'; }

started=$(date +%s%N)
# shellcheck disable=SC2086
"$REGMIX" run "$SCRATCH/straight/regmix.yaml" $settings -q > /dev/null 2>&1
again_ms=$(( ($(date +%s%N) - started) / 1000000 ))

seed=${REGMIX_TEST_SEED:-1}
random_ms() { # $ms: from 20 to 20 + $1
  seed=$(( (seed * 1103515245 + 12345) % 2147483648 ))
  ms=$(( 20 + seed / 65536 % $1 ))
}
# The step that comes next in a folder.
stage_of() {
  for step in prepare:corpus/corpus.json sample:mixtures.csv train:metrics.csv fit:fit/fit.json optimize:optimum.yaml compare:large/comparison.json \
    report:report.html; do
    if [ ! -e "$1/${step#*:}" ]; then echo "${step%%:*}"; return; fi
  done
  echo nothing
}
# kill_often COUNT LONGEST FOLDER SAME RENEW COMMAND...: starts the command COUNT times and kills it at a random moment, LONGEST ms
# after its start at most. What ends by itself before is no kill: it is compared (SAME FOLDER), and the experiment begun anew (RENEW
# FOLDER). Every third time only the supervisor dies: its workers must notice. Counts those that hit in $hits, those that ended
# wrongly in $wrong.
kill_often() {
  wanted=$1 longest=$2 folder=$3 same=$4 renew=$5
  shift 5
  hits=0 sent=0 ended=0 wrong=0
  while [ $sent -lt "$wanted" ] && [ $ended -lt "$wanted" ]; do
    setsid "$@" > "$SCRATCH/log" 2>&1 &
    pid=$!
    random_ms "$longest"
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    if kill -s 0 $pid 2> /dev/null && ! grep -q '^State:.Z' /proc/$pid/status 2> /dev/null; then
      sent=$((sent + 1))
      # A process is the leader of its own group a moment after its start; dash knows no `kill -9 -- -PID`.
      if [ $((sent % 3)) -eq 2 ]; then kill -s KILL $pid; else kill -s KILL -- -$pid; fi
      wait $pid 2> /dev/null
      if [ $? -eq 137 ]; then
        hits=$((hits + 1))
      else  # it ended by itself between the look and the kill
        sent=$((sent - 1)) ended=$((ended + 1))
      fi
    else
      wait $pid || wrong=$((wrong + 1))
      ended=$((ended + 1))
      "$same" "$folder" || wrong=$((wrong + 1))
      "$renew" "$folder"
    fi
    stage_of "$folder" >> "$SCRATCH/where"
  done
}
# all_hit NAME: every kill that was sent hit, and what ended by itself had the same bits.
all_hit() {
  if [ $hits -eq "$wanted" ] && [ $wrong -eq 0 ]; then ok "$1"; else not_ok "$1" "$hits of $sent kills hit, $wanted wanted; $wrong runs ended wrongly"; fi
}

kills=${REGMIX_KILLS:-16}
fresh "$SCRATCH/killed"
: > "$SCRATCH/where"
# shellcheck disable=SC2086
kill_often "$kills" $((400 + straight_ms / 8)) "$SCRATCH/killed" same_bits fresh "$REGMIX" run "$SCRATCH/killed/regmix.yaml" $settings
all_hit "$kills kills at random moments, all of them hit"
echo "# a run takes $straight_ms ms; ended by itself and begun anew $ended times; taking up a finished experiment takes $again_ms ms"
echo "# the step each was at: $(sort "$SCRATCH/where" | uniq -c | sed 's/  */ /g' | tr '\n' ',')"
# shellcheck disable=SC2086
try "taken up after $kills kills" 0 "optimum" "$REGMIX" run "$SCRATCH/killed/regmix.yaml" $settings
if same_bits "$SCRATCH/killed"; then
  ok "the same bits as one never stopped"
else
  not_ok "the same bits as one never stopped" "$(diff -rq "$SCRATCH/straight" "$SCRATCH/killed" | head -20)"
fi
if [ -z "$(left_over "$SCRATCH/killed")" ]; then ok "nothing is left lying about"; else not_ok "nothing is left lying about" "$(left_over "$SCRATCH/killed")"; fi

# The same with a trainer of the user's own: its losses follow from the mixture, and no process of it stays behind.
cat > "$SCRATCH/own.sh" << 'END'
#!/bin/sh
sleep 0.1 && sleep 0.1
awk -F '[:,]' '/"(a|b|noise)":/ && !n[$1]++ { sum += NR * $2 } END { printf "{\"loss_nats\": {\"a\": %g, \"b\": 2, \"noise\": 3, \"exam\": %g}}\n", sum, sum / 2 }' run.json > result.json
END
chmod +x "$SCRATCH/own.sh"
own="--set proxy.command=$SCRATCH/own.sh --set proxy.grace=1s --set proxy.tokens=24k"
processes_of() { grep -lzx "REGMIX_EXPERIMENT=$1" /proc/[0-9]*/environ 2> /dev/null; }
own_metrics() { grep -c . "$1/metrics.csv"; cksum < "$1/metrics.csv"; }
fresh "$SCRATCH/own" && fresh "$SCRATCH/straight_own"
for f in own straight_own; do "$REGMIX" prepare -C "$SCRATCH/$f" -q > "$SCRATCH/log" 2>&1 && "$REGMIX" sample -C "$SCRATCH/$f" -q > "$SCRATCH/log" 2>&1; done
# shellcheck disable=SC2086
try "a trainer of the user's own" 0 "6 runs done" "$REGMIX" train -C "$SCRATCH/straight_own" $own
same_metrics() { [ "$(own_metrics "$SCRATCH/straight_own")" = "$(own_metrics "$1")" ]; }
without_runs() { rm -rf "${1:?}/runs" "$1/metrics.csv"; }
# shellcheck disable=SC2086
kill_often "$((kills / 2))" 200 "$SCRATCH/own" same_metrics without_runs "$REGMIX" train -C "$SCRATCH/own" $own
all_hit "$((kills / 2)) kills of its training, all of them hit"
i=0
while [ -n "$(processes_of "$SCRATCH/own")" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
if [ -z "$(processes_of "$SCRATCH/own")" ]; then ok "and no process of it stays behind"; else not_ok "and no process of it stays behind" "$(processes_of "$SCRATCH/own")"; fi
# shellcheck disable=SC2086
try "taken up after them" 0 "" "$REGMIX" train -C "$SCRATCH/own" $own
if same_metrics "$SCRATCH/own" && [ -z "$(left_over "$SCRATCH/own")" ]; then ok "with the same metrics, and nothing left"; else not_ok "with the same metrics, and nothing left" "$(left_over "$SCRATCH/own")"; fi

# Ctrl-C: ends soon, with a checkpoint, and says how to go on.
rm -rf "$SCRATCH/killed/runs"
# shellcheck disable=SC2086
"$REGMIX" run "$SCRATCH/killed/regmix.yaml" $settings --set proxy.tokens=4M --set proxy.checkpoint_s=1000 > /dev/null 2> "$SCRATCH/stderr" &
pid=$!
i=0
while [ -z "$(find "$SCRATCH/killed/runs" -name log.jsonl -size +0 2> /dev/null)" ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done
kill -INT $pid
wait $pid
code=$?
if [ $code -eq 130 ] && grep -q "continues from here" "$SCRATCH/stderr" && [ -n "$(find "$SCRATCH/killed/runs" -name checkpoint.safetensors)" ]; then
  ok "an interrupt leaves checkpoints and says how to go on"
else
  not_ok "an interrupt leaves checkpoints and says how to go on" "exit $code: $(cat "$SCRATCH/stderr")"
fi
if [ $again_ms -lt 2000 ]; then ok "a finished experiment says so in a second or two"; else not_ok "a finished experiment says so in a second or two" "$again_ms ms"; fi
done_testing
