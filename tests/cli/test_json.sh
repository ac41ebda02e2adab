#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --json: every command prints one JSON object on stdout and nothing else there, when it works and when it fails.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# object NAME CODE KEY COMMAND...: it ends with CODE, and all of its stdout is one object that has KEY.
object() {
  name=$1 wanted=$2 key=$3
  shift 3
  "$@" > stdout.json 2> stderr.txt < /dev/null
  code=$?
  if [ $code -ne "$wanted" ]; then
    not_ok "$name" "exit $code, wanted $wanted
$(tail -n 5 stderr.txt)"
  elif why=$(python3 -c '
import json, sys
tree = json.loads(open("stdout.json", encoding="utf-8").read(), parse_constant=lambda x: sys.exit("%s is not JSON" % x))
key = sys.argv[1]
assert isinstance(tree, dict), "no object"
assert key in tree, "no \"%s\" among %s" % (key, list(tree))
if key == "error":
    assert set(tree["error"]) == {"message", "exit_code"} and tree["error"]["exit_code"] == int(sys.argv[2]), tree
    assert tree["error"]["message"] in open("stderr.txt", encoding="utf-8").read(), "stderr says something else"
' "$key" "$wanted" 2>&1); then
    ok "$name"
  else
    not_ok "$name" "$why
$(head -c 300 stdout.json)"
  fi
  echo "$name" | cut -d' ' -f1 >> tried
}

make_tables 30
printf 'a: 0.2\nb: 0.3\nc: 0.5\n' > prior.yaml

object "fit" 0 cross_validation "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge --json
object "predict" 0 predicted "$REGMIX" predict --fit fit --mixtures m.csv --json
object "score" 0 metrics "$REGMIX" score --fit fit --mixtures m.csv --metrics l.csv --json
object "correlate" 0 spearman "$REGMIX" correlate --metrics l.csv --losses 'a*' --scores 'c*' --json
object "optimize" 0 mixture "$REGMIX" optimize --fit fit --target a --samples 1000 --replicates 20 --json
object "optimize --quick" 0 mixture "$REGMIX" optimize --fit fit --target a --quick --json
object "suggest" 0 suggestions "$REGMIX" suggest -n 2 --fit fit --target a --no-curve --json
object "suggest --out" 0 suggestions "$REGMIX" suggest -n 2 --fit fit --target a --no-curve --out next.csv --json
object "export" 0 text "$REGMIX" export --to megatron --mixture prior.yaml --prefix x --json
object "export --out" 0 out "$REGMIX" export --to megatron --mixture prior.yaml --prefix x --out mix.txt --json
object "domains" 0 mixtures "$REGMIX" domains --mixtures m.csv --add d --json
object "domains --out" 0 out "$REGMIX" domains --mixtures m.csv --add d --out m2.csv --json
object "sample --prior" 0 mixtures "$REGMIX" sample --prior prior.yaml --set sample.runs=3 --json
object "sample --prior --out" 0 path "$REGMIX" sample --prior prior.yaml --set sample.runs=3 --out s.csv --json
object "bench" 0 tokens_per_s "$REGMIX" bench --seconds 0.05 --model nano --seq 32 --batch_tokens 512 --micro_tokens 512 --vocab 320 --json

# ---- an experiment
make_corpus exp 200
quick="--set proxy.tokens=2k --set large.tokens=2k --set sample.runs=5 --set compare.seeds=1 --set optimize.replicates=20"
object "init" 0 config "$REGMIX" init fresh --text exp/text --target exam --json
# shellcheck disable=SC2086
{
  object "check" 0 problems "$REGMIX" check -C exp $quick --json
  object "plan" 0 seconds "$REGMIX" plan -C exp $quick --json
  object "status before anything" 0 folder "$REGMIX" status -C exp --json
  object "prepare" 0 domains "$REGMIX" prepare -C exp --json
  object "sample" 0 mixtures "$REGMIX" sample -C exp $quick --json
  object "train" 0 proxies "$REGMIX" train -C exp $quick --json
  object "launch" 0 script "$REGMIX" launch slurm -C exp $quick --dry-run --json
  object "fit of an experiment" 0 cross_validation "$REGMIX" fit -C exp $quick --json
  object "optimize of an experiment" 0 mixture "$REGMIX" optimize -C exp $quick --json
  object "pretrain" 0 mixture "$REGMIX" pretrain -C exp $quick --json
  object "compare" 0 rows "$REGMIX" compare -C exp $quick --set compare.against=prior --json
  object "compare --methods" 0 methods "$REGMIX" compare -C exp $quick --methods prior,uniform --seeds 1 --json
  object "run" 0 report "$REGMIX" run -C exp $quick --set compare.against=prior --json
  object "report" 0 report "$REGMIX" report -C exp --json
  object "status" 0 proxies "$REGMIX" status -C exp $quick --json
}
object "check" 0 domains "$REGMIX" check -C exp --json
object "doctor" 0 checks "$REGMIX" doctor -C exp --json
object "run --dry-run" 0 steps "$REGMIX" run -C exp --dry-run --json
object "gc" 0 deleted "$REGMIX" gc -C exp --json
object "worker of a finished run" 0 run "$REGMIX" worker exp/runs/0001 --json

# ---- what prints text
object "help" 0 commands "$REGMIX" help --json
object "help COMMAND" 0 options "$REGMIX" help fit --json
object "help config" 0 keys "$REGMIX" help config --json
object "fit --help" 0 options "$REGMIX" fit --json --help
object "fit --help before --json" 0 options "$REGMIX" fit --help --json
object "--help" 0 commands "$REGMIX" --help --json
object "--version" 0 version "$REGMIX" --version --json
object "man" 0 text "$REGMIX" man fit --json
object "man of all" 0 text "$REGMIX" man --json
object "complete" 0 candidates "$REGMIX" complete --json -- fit --m
object "completion" 0 text "$REGMIX" completion bash --json

encode="$REGMIX encode --tokenizer exp/tokenizer.json --json"
# shellcheck disable=SC2086
{
  object "encode" 0 mb_per_s $encode m.csv
  object "encode of nothing" 0 tokens $encode
  object "encode of a file that is not there" 1 error $encode none.txt
  object "encode without a tokenizer" 2 error "$REGMIX" encode --json m.csv
}

printf '{"context": "a", "choices": ["b", "c"], "answer": 0}\n' > task.jsonl
object "eval" 0 results "$REGMIX" eval --model exp/large/optimum/1 --tasks task.jsonl --json
object "eval without tasks" 2 error "$REGMIX" eval --model exp/large/optimum/1 --json
printf '1 2 3\n' > ids
object "logits" 0 vocab "$REGMIX" logits --model exp/large/optimum/1 --out logits.npy ids --json
object "generate" 0 text "$REGMIX" generate --model exp/large/optimum/1 --tokens 3 --json

# ---- failures
object "a name that is not UTF-8" 2 error "$REGMIX" optimize --fit fit --target "$(printf 'a\377')" --json
object "a command that is not UTF-8" 2 error "$REGMIX" "$(printf 'a\377')" --json
object "an unknown command" 2 error "$REGMIX" frobnicate --json
object "no command" 2 error "$REGMIX" --json
object "an unknown option before --json" 2 error "$REGMIX" fit --frob --json
object "a bad value" 2 error "$REGMIX" optimize --fit fit --level 7 --json
object "a file that is not there" 1 error "$REGMIX" predict --fit fit --mixtures none.csv --json
object "score of a fit that is not there" 1 error "$REGMIX" score --fit none --mixtures m.csv --metrics l.csv --json
object "status of nothing" 1 error "$REGMIX" status -C nowhere --json
for command in run plan prepare sample train compare pretrain; do
  object "$command without an experiment" 1 error "$REGMIX" $command -C nowhere --json
done
for command in score predict export domains suggest optimize; do
  object "$command without what it needs" 2 error "$REGMIX" $command --json --fit fit
done 2> /dev/null

# Every command that the program has is tried above: a new one gets a line there.
"$REGMIX" help --json | python3 -c 'import json, sys
tried = set(open("tried").read().split())
names = [c["name"] for c in json.load(sys.stdin)["commands"]]
missing = [n for n in names if n not in tried]
print("missing: " + " ".join(missing) if missing else "all")' > all.txt
if [ "$(cat all.txt)" = all ]; then ok "every command is tried"; else not_ok "every command is tried" "$(cat all.txt)"; fi
done_testing
