#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Exit codes: 0 done, 1 failed (the data), 2 misuse (the command line, found early or late), 130 interrupted.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# is CODE COMMAND...: the command ends with CODE.
is() {
  wanted=$1
  shift
  "$@" > stdout.txt 2> stderr.txt < /dev/null
  code=$?
  shift
  if [ $code -eq "$wanted" ]; then ok "$wanted: $*"; else not_ok "$wanted: $*" "exit $code
$(tail -n 3 stderr.txt)"; fi
}

make_tables 120
printf 'a: 0.2\nb: 0.3\nc: 0.5\n' > prior.yaml
printf 'a: 1M\nb: 2M\nzebra: 3M\nc: 3M\n' > tokens.yaml
printf 'nonsense\n' > bad.yaml
make_corpus divided 3
fit="$REGMIX fit --mixtures m.csv --metrics l.csv --out fit"
optimize="$REGMIX optimize --fit fit --quick"
# shellcheck disable=SC2086
{
  is 0 $fit --regressor ridge
  is 0 $optimize --target a

  # ---- misuse that the table of options finds
  is 2 "$REGMIX"
  is 2 "$REGMIX" nonsense
  is 2 "$REGMIX" -C exp run
  is 2 $fit --nonsense
  is 2 $fit --regressor nonsense
  is 2 $fit --json=maybe
  is 2 $fit --set nonsense=1
  is 2 $fit --set nonsense
  is 2 $fit --set ridge.alpha=x
  is 2 $fit --set ridge.alpha=-1
  is 2 $fit --set sample.phases=0.5,0.2
  is 2 "$REGMIX" sample --prior prior.yaml --set sample.phases=x
  is 2 "$REGMIX" sample --prior prior.yaml --set sample.grid=0.3
  is 2 "$REGMIX" sample --prior prior.yaml --set sample.cap_ratio=0.5
  is 2 $optimize --target a --level 7
  is 2 $optimize --target a --samples 1.5
  is 2 $optimize --target a --method nonsense
  is 2 "$REGMIX" help nonsense
  is 2 "$REGMIX" man nonsense
  is 2 "$REGMIX" completion nonsense
  is 2 "$REGMIX" status too many

  # ---- misuse that only the data show
  is 2 $fit --metric zebra
  is 2 $fit --metric a --metric a_val_loss
  is 2 $fit --mixture-columns 'zebra*'
  is 2 $fit --metric-columns 'zebra*'
  is 2 "$REGMIX" fit --mixtures m.csv
  is 2 "$REGMIX" predict --fit fit
  is 2 "$REGMIX" score --fit fit
  is 2 "$REGMIX" export --mixture prior.yaml
  is 2 "$REGMIX" export --mixture prior.yaml --to nonsense
  is 2 "$REGMIX" export --mixture prior.yaml --to megatron --data zebra=x
  is 2 "$REGMIX" export --mixture prior.yaml --to megatron --data a
  is 2 "$REGMIX" export --mixture prior.yaml --to megatron
  is 2 $optimize
  is 2 "$REGMIX" prepare -C divided --set corpus.domain_field=lang
  is 2 "$REGMIX" prepare -C divided --set corpus.classifier=x.bin
  is 2 $optimize --target zebra
  is 2 $optimize --target a=x
  is 2 $optimize --maximize zebra
  is 2 $optimize --set target=zebra
  is 2 $optimize --target a --cap x
  is 2 $optimize --target a --cap zebra=0.1
  is 2 $optimize --target a --cap a=2
  is 2 $optimize --target a --floor a=-1
  is 2 $optimize --target a --fix a=x
  is 2 $optimize --target a --set optimize.cap=zebra=0.1
  is 2 $optimize --target a --set optimize.for=7B
  is 2 $optimize --target a --set optimize.metric_group=nonsense
  is 2 $optimize --target a --set optimize.method=simulate --set optimize.samples=50 --set optimize.top=500
  is 2 $optimize --target a --share x
  is 2 $optimize --target a --share s=0.9..0.1:a,b
  is 2 $optimize --target a --share s=0..1:zebra
  is 2 $optimize --target a --no-worse zebra
  is 2 $optimize --target a --no-worse b=-1
  is 2 $optimize --target g --metric-group g
  is 2 $optimize --target g --metric-group g=zebra
  is 2 $optimize --target a --than prior.yaml
  is 2 $optimize --target a --reference prior.yaml
  is 2 $fit --higher-is-better zebra
  is 2 $fit --lower-is-better zebra
  is 2 $fit --set fit.higher_is_better=zebra
  is 2 "$REGMIX" plan --cores 0
  is 2 "$REGMIX" train --jobs 0
  is 2 $optimize --pareto a
  is 2 $optimize --pareto a,zebra
  is 2 $optimize --target a --max-epochs 4
  is 2 "$REGMIX" suggest --fit fit --no-curve -n 0
  is 2 "$REGMIX" suggest --fit fit --no-curve --target zebra
  is 2 "$REGMIX" domains --mixtures m.csv
  is 2 "$REGMIX" domains --mixtures m.csv --rename zebra=horse
  is 2 "$REGMIX" domains --mixtures m.csv --add a
  is 2 "$REGMIX" domains --mixtures m.csv --split a=x
  is 2 "$REGMIX" encode
  is 2 "$REGMIX" eval
  is 2 "$REGMIX" eval --model .
  is 2 $fit --id zebra
  is 2 "$REGMIX" predict --fit fit --mixtures m.csv --id zebra
  is 2 $fit --regressor scaling
  is 2 $fit --regressor exposure
  is 2 $fit --phases 0.5,0.5
  sed '1s/.*/run,phase_0_a,phase_0_b,phase_1_a/' m.csv | awk -F, -v OFS=, 'NR == 1 { print $0, "phase_1_b"; next } { print $1, $2, 1 - $2, $3, 1 - $3 }' > phases.csv
  phases="$REGMIX fit --mixtures phases.csv --metrics l.csv --out fit-phases"
  is 0 $phases --regressor ridge
  is 2 $phases --phases 0.5,0.3,0.2
  is 2 $phases --regressor exposure
  is 2 $optimize --target a --metric-group g=zebra
  is 2 $optimize --target a --samples 10 --top 100
  is 1 "$REGMIX" eval --model . --tasks m.csv
  is 2 "$REGMIX" logits --model .
  is 1 "$REGMIX" generate --model none.bin a
  is 2 "$REGMIX" encode --tokenizer m.csv --specials nonsense
  is 2 "$REGMIX" bench --model nonsense
  is 2 "$REGMIX" bench --isa nonsense

  # ---- the data
  is 1 "$REGMIX" fit --mixtures none.csv --metrics l.csv --out fit2
  is 1 "$REGMIX" fit --mixtures bad.yaml --metrics l.csv --out fit2
  is 1 "$REGMIX" predict --fit nofit --mixtures m.csv
  is 1 $optimize --target a --prior none.yaml
  is 1 $optimize --target a --prior bad.yaml
  is 1 $optimize --target a --tokens bad.yaml --budget 1M
  is 1 $optimize --target a --tokens none.yaml --budget 1M
  is 1 "$REGMIX" export --mixture none.yaml --to megatron
  is 1 "$REGMIX" export --mixture prior.yaml --to megatron --prefix x --out no/such/folder
  is 1 "$REGMIX" sample --prior bad.yaml
  is 1 "$REGMIX" sample --prior bad.yaml --set sample.grid=0.3
  is 1 "$REGMIX" status -C nowhere
  mkdir empty
  is 1 "$REGMIX" status -C empty
  is 1 "$REGMIX" run -C empty
  is 1 "$REGMIX" run none.yaml
  is 1 "$REGMIX" report -C nowhere
  is 1 "$REGMIX" init exp2 --text nowhere
  is 1 "$REGMIX" encode --tokenizer m.csv
  is 1 "$REGMIX" encode --tokenizer none.json
}

# ---- an experiment: the same word is misuse on the command line, and a failure in regmix.yaml
make_corpus exp 60
is 2 "$REGMIX" plan -C exp --set proxy.model=nonsense --set proxy.layers=0 --set proxy.width=0 --set proxy.heads=0 --set proxy.ffn=0
is 2 "$REGMIX" prepare -C exp --set isa=nonsense
is 2 "$REGMIX" prepare -C exp --set target=zebra
is 2 "$REGMIX" compare -C exp --methods nonsense
is 2 "$REGMIX" compare -C exp --methods prior,prior
is 2 "$REGMIX" compare -C exp --methods ''
is 2 "$REGMIX" compare -C exp --methods ,
is 2 "$REGMIX" compare -C exp --methods prior --budget nonsense
is 2 "$REGMIX" run -C exp --set compare.methods=nonsense
[ ! -e exp/corpus ] && ok "and nothing was done before it was found" || not_ok "and nothing was done before it was found" "$(ls exp)"
is 2 "$REGMIX" run -C exp --set optimize.metric_group=nonsense
is 2 "$REGMIX" prepare -C exp --set corpus.encoding=nonsense
is 0 "$REGMIX" prepare -C exp -q
is 2 "$REGMIX" pretrain -C exp --mixture nonsense
is 1 "$REGMIX" pretrain -C exp --mixture none.yaml
is 2 "$REGMIX" compare -C exp --set target=zebra
is 2 "$REGMIX" compare -C exp --set target=zebra --methods prior
is 2 "$REGMIX" init exp1 --text exp/text --target zebra
is 2 "$REGMIX" pretrain -C exp --mixture single:zebra
is 2 "$REGMIX" train -C exp --jobs x
cp exp/regmix.yaml good.yaml
sed 's/^target: exam/target: zebra/' good.yaml > exp/regmix.yaml
is 1 "$REGMIX" prepare -C exp
is 1 "$REGMIX" compare -C exp
sed 's/^compare: .*/compare: {seeds: 1, methods: nonsense}/' good.yaml > exp/regmix.yaml
is 1 "$REGMIX" run -C exp
cp good.yaml exp/regmix.yaml

# ---- a reader that leaves, a stdout that is closed or full
(bash -c 'set -o pipefail; "$1" help config | true' - "$REGMIX") 2> stderr.txt
code=$?
[ $code -eq 141 ] && [ ! -s stderr.txt ] && ok "a reader that left: silent, the status of SIGPIPE" || not_ok "a reader that left: silent, the status of SIGPIPE" "exit $code: $(cat stderr.txt)"
(bash -c 'set -o pipefail; "$1" report --fit fit --out - | head -c 1 > /dev/null' - "$REGMIX") 2> stderr.txt
code=$?
[ $code -eq 141 ] && [ ! -s stderr.txt ] && ok "and of --out -" || not_ok "and of --out -" "exit $code: $(cat stderr.txt)"
"$REGMIX" --version >&- 2> stderr.txt
code=$?
[ $code -eq 1 ] && grep -q "cannot write the output" stderr.txt && ok "a closed stdout is noticed" || not_ok "a closed stdout is noticed" "exit $code: $(cat stderr.txt)"
"$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge --out closed >&- 2> stderr.txt
grep -rq "spearman *r2" closed && not_ok "what is printed to a closed stdout goes into no file" || ok "what is printed to a closed stdout goes into no file"
if [ -e /dev/full ]; then
  for command in "--version" "--help" "help config" "predict --fit fit --mixtures m.csv" "predict --fit fit --mixtures m.csv --json" "report --fit fit --out -"; do
    # shellcheck disable=SC2086
    "$REGMIX" $command > /dev/full 2> stderr.txt
    code=$?
    [ $code -eq 1 ] && grep -q "No space left" stderr.txt && ok "a full stdout is an error: $command" || not_ok "a full stdout is an error: $command" "exit $code: $(cat stderr.txt)"
  done
fi

# ---- interrupted: 130, soon, whatever it was doing
# interrupt SIGNAL AFTER NAME COMMAND...: the signal comes after AFTER seconds; it ends with 130 within three seconds more.
interrupt() {
  signal=$1 after=$2 name=$3
  shift 3
  python3 - "$signal" "$after" "$@" << 'END' > result.txt 2>&1
import resource, signal, subprocess, sys, time
p = subprocess.Popen(sys.argv[3:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
time.sleep(float(sys.argv[2]))
if p.poll() is not None: sys.exit("ended by itself with %d: %s" % (p.returncode, p.stderr.read()[-300:]))
began = time.time()
p.send_signal(getattr(signal, sys.argv[1]))
try: code = p.wait(60)
except subprocess.TimeoutExpired:
    p.kill()
    sys.exit("still there after a minute")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
took = min(time.time() - began, used.ru_utime + used.ru_stime)  # a busy machine gives it little time
if code != 130: sys.exit("exit %d: %s" % (code, p.stderr.read()[-300:]))
if took > (30 if 'asan' in sys.argv[3] or 'tsan' in sys.argv[3] else 3): sys.exit("took %.1f s" % took)
END
  # shellcheck disable=SC2181
  if [ $? -eq 0 ]; then ok "$name"; else not_ok "$name" "$(cat result.txt)"; fi
}
# Tables that are slow to fit: 400 runs, 12 domains, 6 metrics.
awk 'BEGIN { s = 11; D = 12
  printf "run" > "bm.csv"; for (j = 0; j < D; j++) printf ",d%d", j > "bm.csv"; print "" > "bm.csv"
  printf "run" > "bl.csv"; for (k = 0; k < 6; k++) printf ",m%d_loss", k > "bl.csv"; print "" > "bl.csv"
  for (i = 1; i <= 400; i++) {
    t = 0
    for (j = 0; j < D; j++) { s = (s * 16807) % 2147483647; w[j] = -log(s / 2147483647); t += w[j] }
    printf "%d", i > "bm.csv"; for (j = 0; j < D; j++) printf ",%.6f", w[j] / t > "bm.csv"; print "" > "bm.csv"
    printf "%d", i > "bl.csv"
    for (k = 0; k < 6; k++) { s = (s * 16807) % 2147483647; printf ",%.6f", 3 - sqrt(w[k] / t) - 0.3 * sqrt(w[k + 1] / t) + 0.01 * s / 2147483647 > "bl.csv" }
    print "" > "bl.csv"
  } }'
for regressor in trees gp exp power shared ensemble auto; do
  interrupt SIGINT 0.4 "an interrupted fit: $regressor" "$REGMIX" fit --mixtures bm.csv --metrics bl.csv --regressor $regressor --set trees.rounds=30000 --set fit.folds=50 --out big
done
"$REGMIX" fit --mixtures bm.csv --metrics bl.csv --regressor ridge --out big -q > /dev/null 2>&1
interrupt SIGINT 0.4 "an interrupted simulation" "$REGMIX" optimize --fit big --target m0_loss --samples 1G --quick
interrupt SIGINT 0.4 "an interrupted bootstrap" "$REGMIX" optimize --fit big --target m0_loss --replicates 100000
interrupt SIGTERM 0.4 "SIGTERM is an interrupt too" "$REGMIX" optimize --fit big --target m0_loss --samples 1G --quick
sed 's/tokens: 8k/tokens: 80M/' good.yaml > exp/regmix.yaml
interrupt SIGINT 1 "an interrupted training" "$REGMIX" run -C exp
interrupt SIGTERM 1 "a training that was told to end" "$REGMIX" train -C exp
interrupt SIGINT 0.3 "an interrupted measurement" "$REGMIX" bench --seconds 100 --model nano
done_testing
