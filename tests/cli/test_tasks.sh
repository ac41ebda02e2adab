#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# eval.tasks: the models of an experiment are scored, the scores are metrics and targets, and a new task trains nothing again.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 40
quick="--set proxy.tokens=4k --set large.tokens=4k --set compare.seeds=1 --set compare.against=prior --set optimize.replicates=0"
awk 'BEGIN { for (i = 0; i < 30; i++) {
  printf "{\"context\": \"w%d x%d\", \"choices\": [\" y%d\", \" zz%d\"], \"answer\": %d}\n", i, i % 7, i % 5, i % 3, i % 2 } }' > exp/quiz.jsonl
head -c 2000 exp/text/exam.txt > exp/prose.txt
head -5 exp/quiz.jsonl | sed 's/y/a/' > exp/more.jsonl
tasks='eval: {tasks: [quiz.jsonl, prose.txt]}'

# ---- experiments that kept no models
try "an experiment without tasks" 0 "" "$REGMIX" run -q -C exp $quick
[ -f exp/runs/0001/model.safetensors ] && not_ok "keeps no models" "" || ok "keeps no models"
first=$(ls exp/runs | head -1)
cp -R exp before
for setting in compare.seeds=2 jobs=1 doremi.eta=2 eval.limit=3; do
  "$REGMIX" run -C before $quick --dry-run --set $setting 2>&1 | grep -q '^optimize  up to date' &&
    ok "the search does not depend on $setting" || not_ok "the search does not depend on $setting" "$("$REGMIX" run -C before $quick --dry-run --set $setting 2>&1)"
done
"$REGMIX" run -C before $quick --dry-run --set optimize.starts=3 2>&1 | grep -q '^optimize  would search' && ok "but on its own settings" || not_ok "but on its own settings" ""
echo "$tasks" >> exp/regmix.yaml
try "a file that is not there is named before anything is trained" 1 'no file exp/nothing.jsonl' "$REGMIX" train -C exp $quick --set eval.tasks=nothing.jsonl
try "so does check" 1 'nothing.jsonl' "$REGMIX" check -C exp --set eval.tasks=nothing.jsonl
try "tasks for runs without models must be agreed to" 1 '6 finished runs, which took' "$REGMIX" train -C exp $quick
try "and the reason is given" 1 'did not keep their models, which eval.tasks needs' "$REGMIX" run -C exp $quick
cmp -s exp/metrics.csv before/metrics.csv && ok "and nothing was changed" || not_ok "and nothing was changed" "$(head -2 exp/metrics.csv)"
try "with --redo they are trained again and scored" 0 'train: 6 models scored on 2 tasks' "$REGMIX" train -C exp $quick --redo
! grep -q damaged stderr && grep -q 'train: 6 runs did not keep their models, and are trained again' stderr && ok "and nothing is called damaged" || not_ok "and nothing is called damaged" "$(cat stderr)"
head -1 exp/metrics.csv | grep -q ',quiz/acc,quiz/acc_norm,quiz/bits_per_byte,prose/word_perplexity,prose/byte_perplexity,prose/bits_per_byte$' &&
  ok "the scores are metrics" || not_ok "the scores are metrics" "$(head -1 exp/metrics.csv)"
cut -d, -f1-5 exp/metrics.csv | cmp -s - before/metrics.csv && ok "and the losses have the same bits" || not_ok "and the losses have the same bits" "$(head -2 exp/metrics.csv)"

# ---- plan
plan() { "$REGMIX" plan -C exp $quick --json "$@" 2> /dev/null; }
same "plan counts the scoring in the time of each row, and of all" "$(plan | jq -c '[(.proxies.score_seconds > 0), (.large.score_seconds > 0),
  (.score_seconds - .proxies.score_seconds - .large.score_seconds | fabs < 1e-9), (.seconds - .prepare.seconds - .proxies.seconds - .large.seconds | fabs < 1e-9),
  (.proxies.seconds > .proxies.score_seconds + .proxies.valid_seconds)]')" '[true,true,true,true,true]'
same "without tasks there is none" "$("$REGMIX" plan -C before $quick --json 2> /dev/null | jq -c '[.score_seconds == 0, .proxies.score_seconds == 0]')" '[true,true]'
seq 100 | while read -r _; do cat exp/quiz.jsonl; done > exp/long.jsonl
scoring() { plan --set eval.tasks=long.jsonl "$@" | jq .score_seconds; }
[ "$(jq -n "$(scoring) > 20 * $(scoring --set eval.limit=3)")" = true ] && ok "and only of the items that are used" || not_ok "and only of the items that are used" "$(scoring) $(scoring --set eval.limit=3)"
"$REGMIX" plan -C exp $quick 2> /dev/null | grep -q '^Scoring the models on the tasks takes .* of it\.$' && ok "and prints it" || not_ok "and prints it" "$("$REGMIX" plan -C exp $quick 2>&1)"
try "plan names a task that is not there" 1 'no file exp/nothing.jsonl' "$REGMIX" plan -C exp --set eval.tasks=nothing.jsonl

# ---- the numbers
"$REGMIX" eval --model "exp/runs/$first" --tasks exp/quiz.jsonl,exp/prose.txt --json > eval.json 2> /dev/null
[ "$(jq -S .results eval.json)" = "$(jq -S .results "exp/runs/$first/scores.json")" ] && ok "scores are those of eval" || not_ok "scores are those of eval" "$(cat "exp/runs/$first/scores.json")"
[ "$(jq '.results.quiz["bits_per_byte,none"]' eval.json)" = "$(awk -F, -v r="$first" '$1 == r { print $8 }' exp/metrics.csv)" ] && ok "and those of metrics.csv" || not_ok "and those of metrics.csv" "$(cat exp/metrics.csv)"
same "directions, chance and standard errors" "$(jq -c '[.higher_is_better["quiz/acc"], .higher_is_better["prose/bits_per_byte"], .scores["quiz/acc"].chance, (.scores["quiz/acc"].standard_error > 0)]' exp/metrics.json)" '[true,false,0.5,true]'

# ---- texts that are not whole
printf '{"text": "one two"}\n{"text": null}\n{"text": " "}\n{"text": "a \\ud800 b"}\n{"text": "\377 b"}\n' > holes.jsonl
try "what is lost of a text is named" 0 'holes.jsonl: lines without text were left out: 1; texts that are empty were left out: 1; bytes that are not UTF-8 were replaced: 1; halves of surrogate pairs were replaced: 1' "$REGMIX" eval --model "exp/runs/$first" --tasks holes.jsonl

# ---- parts of a file
awk 'BEGIN { for (i = 0; i < 6; i++)
  printf "{\"context\": \"w%d\", \"choices\": [\" y\", \" zz\"], \"answer\": %d, \"task\": \"%s\"}\n", i, i % 2, i < 3 ? "p" : "q"; print "" }' > set.jsonl
cp set.jsonl set_p.jsonl
samples() { "$REGMIX" eval --model "exp/runs/$first" --tasks set.jsonl --limit "$1" --json 2> /dev/null | jq -c '.["n-samples"] | [.set, .set_p, .set_q | .original, .effective]'; }
same "a part of which some items were left out says so" "$(samples 4)" '[6,4,3,3,3,1]'
same "with all items, none is limited, and a blank line is none" "$(samples 6)" '[6,6,3,3,3,3]'
try "a part with the name of another task is an error" 1 'set.jsonl: another file has the task "set_p" already' "$REGMIX" eval --model "exp/runs/$first" --tasks set_p.jsonl,set.jsonl

# ---- another task
cp "exp/runs/$first/result.json" result.json
try "another task trains nothing" 0 'train: 6 models scored on 3 tasks' "$REGMIX" train -C exp $quick --set eval.tasks=quiz.jsonl,prose.txt,more.jsonl
cmp -s result.json "exp/runs/$first/result.json" && ok "the results stay" || not_ok "the results stay" ""
head -1 exp/metrics.csv | grep -q 'more/bits_per_byte' && ok "and has its columns" || not_ok "and has its columns" "$(head -1 exp/metrics.csv)"
"$REGMIX" train -C exp $quick --set eval.tasks=quiz.jsonl,prose.txt,more.jsonl 2>&1 | grep -q 'scored on' && not_ok "what is scored is not scored again" "" || ok "what is scored is not scored again"
try "an accuracy at chance is a warning" 0 'quiz/bits_per_byte is the better target for small models' "$REGMIX" train -C exp $quick
sed 's/zz/qq/' exp/quiz.jsonl > q && mv q exp/quiz.jsonl
try "a changed file is scored again" 0 'train: 6 models scored on 2 tasks' "$REGMIX" train -C exp $quick
try "gc says what the models that it deletes are for" 0 "If eval.tasks is set later, these runs are trained again" "$REGMIX" gc --dry-run -C exp $quick --set 'eval.tasks=[]'

awk 'BEGIN { printf "{\"context\": \"w"; for (i = 0; i < 3000; i++) printf " x%d", i; print "\", \"choices\": [\" a\", \" b\"], \"answer\": 0}" }' > exp/wide.jsonl
"$REGMIX" train -C exp $quick --set eval.tasks=quiz.jsonl,prose.txt,wide.jsonl 2>&1 | grep -c 'wide: 1 of 1 items are longer than the context' > count
same "an item that is longer than the context is one warning for all models" "$(cat count)" 1

# ---- targets
try "a score is the target of a whole run" 0 "" "$REGMIX" run -q -C exp $quick --redo --set target=prose/bits_per_byte
same "and of the comparison" "$(jq -c '[(.target["prose/bits_per_byte"] | floor), (.rows[1].target_loss.mean == .rows[1].scores["prose/bits_per_byte"].mean), (.rows[0].target_loss.mean > 0)]' exp/large/comparison.json)" '[1,true,true]'
"$REGMIX" compare -C exp $quick --set target=prose/bits_per_byte > shown.txt 2> /dev/null
grep -q 'target score' shown.txt && grep -q '(target score: prose/bits_per_byte; differences' shown.txt && ! grep -q 'nats\|target loss' shown.txt &&
  ok "whose table names the score" || not_ok "whose table names the score" "$(cat shown.txt)"
try "an accuracy is raised" 0 "" "$REGMIX" run -q -C exp $quick --redo --set target=quiz/acc
same "with a minus sign in the comparison" "$(jq -c '[(.target["quiz/acc"] | floor), (.rows[0].target_loss.mean == -.rows[0].scores["quiz/acc"].mean)]' exp/large/comparison.json)" '[-1,true]'
try "a score that no task has" 2 'unknown target "quiz/f1"' "$REGMIX" run -q -C exp $quick --set target=quiz/f1
try "methods want a loss" 1 'the target has the score "prose/bits_per_byte"' "$REGMIX" compare -C exp $quick --redo --methods prior --set target=prose/bits_per_byte
try "pretrain scores its model" 0 'prose/bits_per_byte' "$REGMIX" pretrain -C exp $quick --mixture uniform --json
try "correlate shows which loss predicts them" 0 'prose/bits_per_byte (lower is better' "$REGMIX" correlate -C exp
grep -q '"correlations":{"losses"' exp/report.html && ok "and the page has the matrix" || not_ok "and the page has the matrix" ""

# ---- a trainer of the user's
KEPT=$PWD/kept
export KEPT
mkdir kept own && cp -R exp/runs/* kept && rm -f "kept/$first/model.safetensors"
cp -R exp/tokenizer.json exp/corpus exp/text exp/mixtures.csv exp/mixtures.json exp/quiz.jsonl exp/prose.txt exp/regmix.yaml own
cat > own/train.sh << 'END'
#!/bin/sh
mkdir -p model
cp "$KEPT/$REGMIX_RUN/config.json" "$KEPT/$REGMIX_RUN/model.safetensors" model
printf '{"loss_nats": {"a": 1, "b": 2, "noise": 3, "exam": 4}, "metrics": {"human": 0.5}}' > result.json
END
chmod +x own/train.sh
try "its models are scored, if it leaves them" 0 'train: 5 models scored on 2 tasks' "$REGMIX" train -C own $quick --set proxy.command=./train.sh
try "a run without one is named" 0 "1 of 6 runs has no model that could be scored: $first" "$REGMIX" train -C own $quick --set proxy.command=./train.sh
head -1 own/metrics.csv | grep -q 'human,quiz/acc' && ok "with the metrics of the trainer" || not_ok "with the metrics of the trainer" "$(head -1 own/metrics.csv)"
same "and the same scores" "$(sed -n 4p own/metrics.csv | cut -d, -f7-)" "$(sed -n 4p exp/metrics.csv | cut -d, -f6-)"
done_testing
