#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_report.sh WRITE_REPORT MAKE_FIT REGMIX: writes reports of made-up experiments, opens them in Chromium and compares
# the marks of every chart with the rows of the input files, counted here; what the page predicts and exports with what
# regmix predict and export say. Speaks TAP.
#
# A start of Chromium costs more than a page. So pages are shown in frames of one page, each frame as
# wide as its window would be, in two batches: the first is shown while the second is written. The
# answers are read afterwards. Only what is about real time has a start of its own.
set -u
write_report=$1 make_fit=$2 regmix=$(realpath "$3")
here=$(cd "$(dirname "$0")" && pwd)
browser=
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then browser=$name; break; fi
done
if [ -z "$browser" ]; then echo "1..0 # SKIP no Chromium here (Debian: apt install chromium)"; exit 0; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tests=0 failed=0

same() { # same WHAT GOT WANTED
  tests=$((tests + 1))
  if [ "$2" = "$3" ]; then echo "ok $tests - $1"; return; fi
  echo "not ok $tests - $1"; echo "# got \"$2\", wanted \"$3\""; failed=$((failed + 1))
}
less() { # less WHAT GOT LIMIT
  tests=$((tests + 1))
  if [ "${2:-none}" != none ] && [ "$2" -lt "$3" ]; then echo "ok $tests - $1 ($2 < $3)"; return; fi
  echo "not ok $tests - $1"; echo "# got \"$2\", wanted less than $3"; failed=$((failed + 1))
}

browse() { # browse NAME PAGE OPTIONS...: the DOM after the scripts; profile and log are NAME's
  name=$1 page=$2; shift 2
  timeout 240 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --disable-extensions --user-data-dir="$work/profile-$name" \
    --enable-logging=stderr "$@" --dump-dom "file://$page" 2>"$work/log-$name"
}
mkdir -p "$work/pages"
: >"$work/more.html"
: >"$work/frames"
batch=1
add_page() { # add_page NAME FOLDER WIDTH [SCHEME]: the report of FOLDER as it is now, to be shown in a frame
  "$write_report" "$2" "$work/page.html" || { echo "Bail out! the report of $2 was not written"; exit 1; }
  cat "$work/page.html" "$work/more.html" "$here/self_check.html" >"$work/pages/$1.html"
  wc -c <"$work/page.html" >"$work/pages/$1.bytes"
  echo "$1 $3 ${4:-light}" >>"$work/frames"
}
show_pages() { # starts to show what was added since the last call
  {
    echo '<!doctype html><meta charset="utf-8"><body><script>'
    cat <<'END'
addEventListener('message', ({data: {page, lines}}) => {
  const out = document.createElement('pre'), name = page.replace(/^.*\/|\.html$/g, '');
  out.textContent = `\n${lines.map((line) => `self-check: ${name} ${line}`).join('\n')}\n`;
  document.body.append(out);
  show();
});
// One after the other: what is open at a time is one page.
const waiting = [];
function show() {
  document.querySelector('iframe')?.remove();
  if (!waiting.length) return;
  const [name, width, scheme] = waiting.shift(), frame = document.createElement('iframe');
  frame.style.colorScheme = scheme;  // what the page sees as the paper that its reader prefers
  frame.width = width;
  frame.height = 900;
  frame.src = `${name}.html`;
  document.body.append(frame);
}
END
    while read -r name width scheme; do echo "waiting.push(['$name', $width, '$scheme']);"; done <"$work/frames"
    echo 'show();</script>'
  } >"$work/pages/frames-$batch.html"
  mv "$work/frames" "$work/frames-$batch"
  browse "$batch" "$work/pages/frames-$batch.html" --window-size=1300,900 --virtual-time-budget=300000 >"$work/dom-$batch" &
  : >"$work/frames"
  batch=$((batch + 1))
}
read_pages() { # waits for all batches; every page's lines go to pages/NAME.said
  wait
  while [ "$batch" -gt 1 ]; do
    batch=$((batch - 1))
    while read -r name width scheme; do
      sed -n "s/^self-check: $name //p" "$work/dom-$batch" >"$work/pages/$name.said"
      grep CONSOLE "$work/log-$batch" | grep "/$name.html" >"$work/pages/$name.console"
    done <"$work/frames-$batch"
  done
}
about() { said_in=$work/pages/$1.said console=$work/pages/$1.console; } # about NAME: what is asked from now on
said() { sed -n "s/^$1 //p" "$said_in"; }
chart() { # chart WHEN NAME: rows it says, marks it has
  said "$1 $2"
}
no_errors() {
  same "$1: the page gets ready" "$(said ready)" yes
  same "$1: no error on the page" "$(said errors)" none
  same "$1: nothing on the console" "$(cat "$console")" ""
  same "$1: loads nothing" "$(said loaded)" 0
  same "$1: no NaN or undefined in the text" "$(said not-a-number)" no
  same "$1: no horizontal scrolling" "$(said wider-than-window)" no
}
has() { # has WHAT TEXT PART: TEXT contains PART
  case "$2" in *"$3"*) same "$1" yes yes ;; *) same "$1" "$2" "... $3 ..." ;; esac
}

what_if() { # what_if WHAT DOMAINS METRICS
  same "$1: what if: a slider a domain, a row a metric" "$(said 'what-if sliders')" "$2 metrics $3"
  same "$1: what if: shares always sum to 1" "$(said 'what-if wrong-sums')" 0
  same "$1: what if: a slider moved there and back changes nothing" "$(said 'what-if way-back')" yes
  same "$1: what if: a second slider starts where the first ended" "$(said 'what-if builds-on')" yes
  same "$1: what if: a locked domain stays" "$(said 'what-if locked')" stays
  same "$1: what if: at the prior nothing differs from the prior" "$(said 'what-if no-change-at-prior')" 0
  same "$1: what if: other weights name the command" "$(said 'what-if asks-again')" =2
  same "$1: what if: reset" "$(said 'what-if reset')" yes
  same "$1: what if: the page knows every regressor and format" "$(said regressors-missing) $(said formats-missing)" "0 0"
}

# Every chart against the input files. The names have no comma in them, so that counting commas counts columns.
whole_experiment() { # whole_experiment WHAT FOLDER PAGE
  what=$1 folder=$2
  about "$3"
  no_errors "$what"
  domains=$(head -n 1 "$folder/mixtures.csv" | tr -cd , | wc -c)
  metrics=$(head -n 1 "$folder/metrics.csv" | tr -cd , | wc -c)
  runs=$(($(wc -l <"$folder/metrics.csv") - 1))
  models=$(tr '{' '\n' <"$folder/large/comparison.json" | grep -c '^"name"')
  logs=$(find "$folder/runs" -name log.jsonl | wc -l)
  halves=$(awk -F, 'NR > 1 && $2 != "" && $3 != ""' "$folder/metrics-half.csv" | wc -l)
  folded=$(grep -c 'wikipedia_en_val_loss' "$folder/fit/cross-validation.csv")
  for when in chart changed; do
    same "$what: $when: mixture has two bars a domain" "$(chart $when mixture)" "$((2 * domains)) $((2 * domains))"
    same "$what: $when: a dot for each large model" "$(chart $when comparison)" "$models $models"
    same "$what: $when: a dot for each run predicted" "$(chart $when predicted)" "$folded $folded"
    same "$what: $when: a dot for each run half way" "$(chart $when half)" "$halves $halves"
    same "$what: $when: a dot for each run and domain" "$(chart $when facets)" "$((runs * domains)) $((runs * domains))"
    same "$what: $when: a field for each domain and metric" "$(chart $when effects)" "$((domains * metrics)) $((domains * metrics))"
    same "$what: $when: a field of attribution for each domain and metric" "$(chart $when attribution)" "$((domains * metrics)) $((domains * metrics))"
    same "$what: $when: a bar for each domain taken away" "$(chart $when without)" "$domains $domains"
    same "$what: $when: two learning curves of three" "$(chart $when learning)" "6 6"
    same "$what: $when: a dot for each trade-off, and the optimum" "$(chart $when pareto)" "5 5"
    same "$what: $when: a line for each log" "$(chart $when curves)" "$logs $logs"
    same "$what: $when: a line for each run, the optimum and the prior" "$(chart $when swarm)" "$((runs + 2)) $((runs + 2))"
  done
  same "$what: a dot tells its run" "$(said tooltip)" "run #, predicted #, true #"
  same "$what: all sections" "$(said sections)" answer,compared,whatif,budget,next,fit,runs,domains,curves,corpus,made
  what_if "$what" "$domains" "$metrics"
  same "$what: nothing is absent" "$(said absent)" 0
  same "$what: a name like markup stays text" "$(said bold-elements) $(said name-shown) $(said name-in-chart)" "0 yes yes"
  same "$what: text of the config does not run" "$(said injected)" no
  same "$what: the table of runs shows some rows at first" "$(said runs-table | cut -d ' ' -f 1)" 15
  same "$what: a click on a head sorts all runs, a second turns them round" "$(said runs-sorted)" "$runs yes"
  best=$(cut -d, -f 1,3 "$folder/metrics.csv" | sed 1d | sort -t, -k 2 -g | head -n 1 | cut -d, -f 1)
  same "$what: sorted by the target the best run is first" "$(said runs-first)" "$best"
  same "$what: a budget can be typed" "$(said budget-typed)" "Tokens of each domain in 1.2 T tokens"
  same "$what: a budget that is none is told" "$(said budget-wrong)" told
  same "$what: the date is that of the newest file" "$(said date)" 2026-05-04
  has "$what: predicted stands apart from measured" "$(said predicted)" "gain over the prior"
  has "$what: measured stands apart from predicted" "$(said measured)" "Measured gain over the prior"
}

# The comparison of methods: marks against the file, counted here, names where they can be read. Its absence is in all others.
methods_section() { # methods_section WHAT FOLDER DOMAINS PAGE
  what=$1 folder=$2 d=$3
  about "$4"
  no_errors "$what"
  same "$what: the section stands behind the large models" "$(said sections)" answer,compared,methods,whatif,budget,next,fit,runs,domains,curves,corpus,made
  all=$(grep -o '"target_loss"' "$folder/compare/methods.json" | wc -l)
  failed_n=$(grep -o '"weights": null' "$folder/compare/methods.json" | wc -l)
  moved=$(grep -o '"track"' "$folder/compare/methods.json" | wc -l)
  same "$what: the file is as this test expects" "$all $failed_n $moved" "12 1 2"
  same "$what: a dot for each method but the far one and that without a loss" "$(chart chart methods-loss)" "10 10"
  same "$what: a dot for each method with a loss" "$(chart chart methods-cost)" "11 11"
  same "$what: a field for each domain and method with weights" "$(chart chart methods-weights)" "$((11 * d)) $((11 * d))"
  same "$what: a line for each domain and method with a track" "$(chart chart methods-tracks)" "$((2 * d)) $((2 * d))"
  missing=
  for name in regmix climb doremi odm law mixmin olmix unimax uniform prior human rho1; do
    case "$(said 'texts methods-loss')" in *"|$name|"*) ;; *) missing="$missing loss:$name" ;; esac
    [ $name = rho1 ] && continue
    case "$(said 'texts methods-cost')" in *"|$name|"*) ;; *"|$name 5.310 ↑|"*) ;; *) missing="$missing cost:$name" ;; esac
  done
  same "$what: every method is named in both charts" "$missing" ""
  missing=
  for text in "search diverged" "5.310 ± 0.0074 →" "exam validation loss (nats/token)"; do
    case "$(said 'texts methods-loss')" in *"|$text|"*) ;; *) missing="$missing $text" ;; esac
  done
  for text in 0 1e12 1e13 budget "FLOPs of the search (log axis; 0 apart)" "exam validation loss (nats/token)"; do
    case "$(said 'texts methods-cost')" in *"|$text|"*) ;; *) missing="$missing $text" ;; esac
  done
  for text in doremi odm github "training tokens" "share of the tokens (%)"; do
    case "$(said 'texts methods-tracks')" in *"|$text|"*) ;; *) missing="$missing $text" ;; esac
  done
  same "$what: the charts say what they show" "$missing" ""
  for name in loss cost tracks; do
    same "$what: labels can be read: methods-$name" "$(said "labels methods-$name")" "overlapping 0 cut 0"
  done
  table=$(said 'methods-table 0')
  same "$what: the table has the lowest loss first" "${table%% *}" climb
  same "$what: the table has a row for each method" "$(echo "$table" | tr '|' '\n' | wc -l)" "$all"
  same "$what: the table's row of a method" "$(echo "$table" | tr '|' '\n' | sed -n 's/^olmix [^ ]* [^ ]* //p')" "+0.0090 −0.013 to +0.031 yes 4.0e13 17 min 3 –"
  same "$what: the table has no time for a search inside the training" "$(echo "$table" | tr '|' '\n' | grep -c '^odm .* no 8.1e10 – 3 –$')" 1
  has "$what: methods that do not see the target are named" "$(said methods-lead)" "Not all methods see the target: "
  same "$what: the table says who diverged" "$(echo "$table" | tr '|' '\n' | grep -c -e '^rho1 .* 0 search diverged$' -e '^law .* 2 1 of 3 seeds diverged$')" 2
  same "$what: the table says who converged" "$(echo "$table" | tr '|' '\n' | grep -c -e '^climb .* converged$' -e '^doremi .* did not converge$')" 2
  same "$what: a row for the loss of each domain and of the target's" "$(said 'methods-table 1' | tr '|' '\n' | wc -l)" "$((d + 1))"
  same "$what: the notes say the form and why one failed" "$(said methods-notes | grep -c -e 'form: paper, both laws; mixtures: 20; parameters: 51.200, 118.000; kept share of: (.*search diverged: the loss of step 12 is not a number')" 1
}
# ---- the pages ----

SOURCE_DATE_EPOCH=1777852800  # 2026-05-04
export SOURCE_DATE_EPOCH
sh "$here/make_experiment.sh" "$work/exp" 24 6 4 120
add_page exp "$work/exp" 1200
add_page exp-narrow "$work/exp" 400
same "the same files give the same page" "$("$write_report" "$work/exp" "$work/again.html"; cmp "$work/again.html" "$work/page.html" && echo same)" same

# The measured best is not the optimum, two seeds, a fit that knows nothing, other metrics that get worse; runs to be trained, one
# diverged, and mixtures suggested.
cp -r "$work/exp" "$work/honest"
sed -i -E 's/"name": "best_run"(.*"target_loss": \{"mean": )[0-9.]+(.*"against_optimum": \{"mean": )[0-9.]+/"name": "best_run"\13.0\2-0.4/' "$work/honest/large/comparison.json"
sed -i -E 's/"name": "prior"(.*)/"name": "prior"\1/; s/"n": 3, "target_loss"/"n": 2, "target_loss"/g; s/"n": 3\}/"n": 2}/g' "$work/honest/large/comparison.json"
sed -i -E 's/^predicted: \{/predicted: {"arxiv_val_loss": 5.5, "github_val_loss": 4, /; s/^predicted_prior: \{/predicted_prior: {"arxiv_val_loss": 5.1, "github_val_loss": 4.2, /; s/^gain: .*/gain: {predicted: 1.1, estimate: 0.31, interval: [0.25, 0.4]}/; s/^versus: .*/versus: {prior: {score: 5, gain: 1.1, estimate: 0.31, interval: [0.25, 0.4], probability: 0.97}}/' "$work/honest/optimum.yaml"
echo 'prior_text: "the mean of the 24 runs"' >>"$work/honest/optimum.yaml"
awk -F, 'NR == 1 {print; next} {$5 = 9 - $4; print}' OFS=, "$work/honest/fit/cross-validation.csv" >"$work/cv" && mv "$work/cv" "$work/honest/fit/cross-validation.csv"
printf '0025,0.1,0.2,0.3,0.1,0.1,0.2\n0026,0.2,0.1,0.3,0.1,0.1,0.2\n' >>"$work/honest/mixtures.csv"
mkdir "$work/honest/runs/0026"
printf '{"status": "diverged", "loss_nats": null, "epochs": {"arxiv": 5.5}, "wall_s": 3}\n' >"$work/honest/runs/0026/result.json"
{ head -n 1 "$work/honest/mixtures.csv"; printf 's1,0.3,0.2,0.1,0.1,0.1,0.2\n'; } >"$work/honest/next.csv"
add_page honest "$work/honest" 1200

sh "$here/make_methods.sh" "$work/exp" 6 500
add_page methods "$work/exp" 1200
add_page methods-narrow "$work/exp" 400
cp -r "$work/exp/compare" "$work/compare"
sh "$here/make_experiment.sh" "$work/wide" 24 12 4 60
sh "$here/make_methods.sh" "$work/wide" 12 500
add_page wide "$work/wide" 1200
add_page wide-narrow "$work/wide" 400
with=$(wc -c <"$work/page.html")
# One seed, nothing spent, the first of the list without a result.
sed -i -E 's/"se": [0-9.]+/"se": null/g; s/"search_flops": [0-9.e]+/"search_flops": 0/g; s/"order": \["regmix", (.*), "rho1"\]/"order": ["rho1", "regmix", \1]/; s/"against_first": \{[^}]*\}/"against_first": {"mean": null, "se": null, "n": 0}/g; s/"seeds": 3/"seeds": 1/' \
  "$work/exp/compare/methods.json"
add_page methods-one "$work/exp" 1200
# No method has a result.
sed -i -E 's/"weights": \{[^}]*\}/"weights": null/g; s/"mean": [0-9.]+/"mean": null/g; s/"track": /"trick": /g' "$work/exp/compare/methods.json"
add_page methods-none "$work/exp" 1200
rm -r "$work/exp/compare"
mv "$work/wide/compare" "$work/wide-compare"
"$write_report" "$work/wide" "$work/page.html"
less "12 methods on 12 domains: bytes of the page for them, of 500 points a track" "$((with - $(wc -c <"$work/page.html")))" 100000

# A cell is missing at half way, a log ends in the middle of a line.
cp -r "$work/exp" "$work/holes"
sed -i '3s/,[^,]*$/,/' "$work/holes/metrics-half.csv"
printf '{"step": 121, "tok' >>"$work/holes/runs/0002/log.jsonl"
add_page holes "$work/holes" 1200

# A fit by itself, and an optimum of an older program.
mkdir -p "$work/fit"
cp "$work/exp/fit"/* "$work/fit"
grep -v -E '^(level|replicates|interval|gain|expected_error|versus|learning_curve|attribution|pareto):' "$work/exp/optimum.yaml" >"$work/fit/optimum.yaml"
add_page fit "$work/fit" 1200

# Without its functions a fit is still reported.
rm "$work/fit"/[0-9].json
add_page no-functions "$work/fit" 1200
mkdir -p "$work/empty"
add_page empty "$work/empty" 1200

# Two CSV files, three commands: an accuracy, which is raised, and a loss. Long names that differ at their ends alone.
mkdir "$work/csv"
(cd "$work/csv" && awk 'BEGIN { srand(3); a = "a_domain_with_a_very_long_name_indeed_from_2024_v"; print "run," a "1," a "2,code" > "m.csv"; print "run,gsm8k_acc,web_loss" > "l.csv"
  for (i = 1; i <= 30; i++) { x = rand(); y = rand(); z = rand(); s = x + y + z; printf "r%d,%.6f,%.6f,%.6f\n", i, x / s, y / s, z / s > "m.csv"
    printf "r%d,%.5f,%.5f\n", i, 0.2 + 0.5 * z / s + 0.01 * rand(), 3 - x / s + 0.02 * rand() > "l.csv" } }')
(cd "$work/csv" && "$regmix" fit -q --mixtures m.csv --metrics l.csv && "$regmix" optimize -q --fit fit --target gsm8k_acc >answer.txt && "$regmix" report) >"$work/csv.out" 2>&1 ||
  sed 's/^/# /' "$work/csv.out"
same "two CSV files: the page is written" "$(tail -n 1 "$work/csv.out")" report.html
add_page csv "$work/csv" 1200
(cd "$work/csv" && rm -f optimum.yaml)
add_page csv-no-optimum "$work/csv" 1200

# Dark paper: a page of before, for a reader who prefers it.
add_page dark "$work/honest" 1200 dark
show_pages

# As many domains and metrics as published swarms have.
sh "$here/make_experiment.sh" "$work/many" 96 64 64 4
add_page many "$work/many" 1200

# Every regressor: what the page predicts and exports against the program.
"$make_fit" "$work/made" && "$regmix" predict -q --fit "$work/made/fit" --mixtures "$work/made/queries.csv" >"$work/wanted.csv" ||
  { echo "Bail out! no fit of every regressor"; exit 1; }
{
  echo '<script type="text/csv" id="queries">'; cat "$work/made/queries.csv"; echo '</script>'
  echo '<script type="text/csv" id="wanted">'; cat "$work/wanted.csv"; echo '</script>'
} >"$work/more.html"
add_page regressors "$work/made" 1200
: >"$work/more.html"
sh "$here/make_experiment.sh" "$work/large" 512 17 13 300
add_page large "$work/large" 1200
cp "$work/page.html" "$work/large.html"
show_pages
read_pages

# ---- what they say ----

whole_experiment "24 runs" "$work/exp" exp
has "24 runs: an old gain is told as what it is" "$(said leads)" "It is not corrected"
whole_experiment "24 runs, narrow" "$work/exp" exp-narrow

about honest
no_errors "honest"
has "honest: the corrected estimate is the headline" "$(said leads)" "The expected gain over the prior (the mean of the 24 runs) is 0.310 nats/token: 90 % interval 0.250 to 0.400"
has "honest: who was measured best is said first" "$(said leads)" "the best run (0003) reached the best wikipedia_en validation loss of 5 mixtures"
has "honest: two seeds give no verdict" "$(said leads)" "too few seeds to tell"
has "honest: R2 below 0 is a warning" "$(said warned)" "The fit has learnt nothing about wikipedia_en_val_loss"
has "honest: metrics that get worse are listed" "$(said warned)" "1 of 2 other metrics is predicted to be worse than at the prior. The worst one is arxiv_val_loss, by 0.4000"
same "honest: the runs to train are told, the diverged one is not" "$(said next)" "s1 / 0025 / "
same "honest: the table says which run is to be trained and which diverged" "$(said runs-status)" "0025 to be trained –|0026 diverged –"

mkdir -p "$work/exp/compare"
cp "$work/compare/methods.json" "$work/exp/compare/methods.json"
methods_section "methods" "$work/exp" 6 methods
methods_section "methods, narrow" "$work/exp" 6 methods-narrow
mv "$work/wide-compare" "$work/wide/compare"
methods_section "12 methods on 12 domains" "$work/wide" 12 wide
methods_section "12 methods on 12 domains, narrow" "$work/wide" 12 wide-narrow
about methods-one
no_errors "methods, one seed, free, the first diverged"
same "methods, one seed, free, the first diverged: the losses are drawn, no cost" "$(chart chart methods-loss) $(chart chart methods-cost)" "10 10 "
about methods-none
no_errors "methods, all diverged"
same "methods, all diverged: twelve rows" "$(said 'methods-table 0' | tr '|' '\n' | wc -l)" 12

about holes
no_errors "holes"
last=$(awk -F, 'NR > 1 && $NF != ""' "$work/holes/metrics-half.csv" | wc -l)
same "holes: the run without the metric is left out" "$(chart changed half)" "$last $last"

about fit
no_errors "fit alone"
same "fit alone: the optimum is drawn" "$(chart chart mixture)" "12 12"
same "fit alone: the fit is drawn" "$(chart chart predicted)" "24 24"
same "fit alone: nothing is asked for that only an experiment has" "$(said sections) $(said absent)" "answer,whatif,budget,next,fit,runs,domains,made 1"
same "fit alone: nothing of what an older optimum lacks" "$(chart chart attribution)$(chart chart learning)$(chart chart pareto)" ""
what_if "fit alone" 6 4
about no-functions
no_errors "fit without functions"
same "fit without functions: what if says how to make it" "$(said absent)" 2
about empty
no_errors "empty folder"
same "empty folder: each section says how to make it" "$(said absent)" 8

about csv
no_errors "two CSV files"
has "two CSV files: the answer raises the accuracy" "$(said leads)" "% code"
same "two CSV files: nothing is called nats" "$(said units)" 0
has "two CSV files: the prior's origin is told" "$(said leads)" "over the prior (the mean of the 30 runs)"
has "two CSV files: a score is to be raised" "$(said predicted)" "Expected gain over the prior+0."
has "two CSV files: nothing was measured" "$(said measured)" "Nothing yet"
has "two CSV files: the next runs have their command" "$(said next)" "regmix suggest --fit fit"
same "two CSV files: long names differ" "$(said ticks | tr '|' '\n' | sort -u | wc -l)" 3
has "two CSV files: long names are cut in the middle" "$(said ticks)" "_v1"
same "two CSV files: without the experiment's sections" "$(said sections)" answer,whatif,budget,next,fit,runs,domains,made
about csv-no-optimum
no_errors "two CSV files, no optimum"
about many
no_errors "64 domains, 64 metrics"
less "64 domains, 64 metrics: elements on the page" "$(said elements)" 60000
same "64 domains, 64 metrics: no axis label lies on another" "$(said 'labels mixture')" "overlapping 0 cut 0"

about regressors
no_errors "every regressor"
metrics=$(head -n 1 "$work/wanted.csv" | tr -cd , | wc -c)
what_if "every regressor" 5 "$metrics"
same "every regressor: predictions as those of regmix predict, to 1e-9" "$(said predictions)" "$((40 * metrics)) wrong 0"
echo "# greatest relative difference: $(said worst)"
# The page does not know the tokens of a training, which axolotl needs.
exports=$("$regmix" export --help | sed -n '/^Formats:/,/^$/p' | grep -E '^  [a-z]' | grep -v -c '^  axolotl ')
same "every regressor: every format of the program" "$(grep -c '^export optimum' "$said_in")" "$exports"
for what in optimum moved; do
  said "export $what yaml" | base64 -d >"$work/moved.yaml"
  mixture=; [ $what = moved ] && mixture="--mixture $work/moved.yaml"
  for format in $(sed -n "s/^export $what \([^ ]*\) .*/\1/p" "$said_in"); do
    said "export $what $format" | base64 -d >"$work/got"
    # shellcheck disable=SC2086
    "$regmix" export -q -C "$work/made" $mixture --to "$format" --prefix /my_data/ --suffix _text >"$work/program" 2>"$work/errors"
    tests=$((tests + 1))
    if cmp -s "$work/got" "$work/program"; then echo "ok $tests - export of the mixture ($what) as $format is the program's"
    else
      echo "not ok $tests - export of the mixture ($what) as $format is the program's"; failed=$((failed + 1))
      diff "$work/program" "$work/got" | head -n 6 | sed 's/^/# /'; sed 's/^/# /' "$work/errors"
    fi
  done
done

# The size the recipe asks for.
whole_experiment "512 runs" "$work/large" large
less "512 runs: the page's bytes" "$(cat "$work/pages/large.bytes")" 5000000

# ---- dark paper: the same page ----

about dark
no_errors "dark"
same "dark: the page is on dark paper, others are not" "$(said dark) $(about honest; said dark)" "yes no"

# ---- real time. Other programs run on this machine too: up to three tries ----

tries() { # tries PAGE ATTRIBUTE LIMIT: the least of what <html> says of ATTRIBUTE, at most three times
  least=
  for _ in 1 2 3; do
    browse real "$1" --window-size=1200,900 --timeout=20000 >"$work/dom"
    now=$(sed -n "s/.*<html[^>]* $2=\"\([0-9]*\)\".*/\1/p" "$work/dom" | head -n 1)
    if [ -n "$now" ] && [ "$now" -lt "${least:-999999}" ]; then least=$now; fi
    [ "${least:-999999}" -ge "$3" ] || break
  done
  echo "$least"
}
less "512 runs: milliseconds until all is drawn" "$(tries "$work/large.html" data-ready 3000)" 3000

# Thirteen Gaussian processes on 512 runs: a slider follows the hand. Moved while the page loads, where the clock is real.
sh "$here/make_experiment.sh" "$work/slow" 512 17 13 20 gp
"$write_report" "$work/slow" "$work/page.html"
cat "$work/page.html" - >"$work/moving.html" <<'END'
<script>
const times = [];
document.querySelectorAll('#whatif input[type="range"]').forEach((range, i) => [3, 40].forEach((value) => {
  const before = performance.now();
  range.value = value + i;
  range.dispatchEvent(new Event('input'));
  document.getElementById('whatif').getBoundingClientRect();  // the layout too
  times.push(performance.now() - before);
}));
document.documentElement.dataset.move = Math.ceil(times.sort((a, b) => a - b)[times.length >> 1]);
</script>
END
less "512 runs, 13 Gaussian processes: milliseconds a slider's move takes, median" "$(tries "$work/moving.html" data-move 16)" 16

echo "1..$tests"
[ "$failed" -eq 0 ]
