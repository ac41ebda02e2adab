#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# When only some domains change, the others keep the ratios of an old optimum: the small space is
# sampled, fitted and searched, and its optimum has all domains. Nodes and orders on the command
# line. Needs jq and awk.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1
holds() { # holds NAME FILTER FILE: jq -e
  if jq -e "$2" "$3" > /dev/null; then ok "$1"; else not_ok "$1" "$(head -c 600 "$3")"; fi
}

cat > old.yaml <<EOF
mixture: {wiki: 0.3, "web:a": 0.5, "web:b": 0.2, gone: 0.0}
EOF
cat > new.yaml <<EOF
{wiki: 0.2, "web:a": 0.3, "web:b": 0.1, "pdf:x": 0.25, "pdf:y": 0.15}
EOF
cat > tokens.yaml <<EOF
{wiki: 3G, "web:a": 90G, "web:b": 90G, "pdf:x": 90G, "pdf:y": 90G}
EOF

# ---- the small space

try "the prior of the small space" 0 '"existing" stands for 3 domains' "$REGMIX" domains --reuse old.yaml --prior new.yaml --out small.yaml
"$REGMIX" domains --reuse old.yaml --prior new.yaml --json > small.json 2> /dev/null
holds "kept domains keep their ratios" '.reuse.existing | (.wiki - 0.3 | fabs) < 1e-12 and (.["web:a"] - 0.5 | fabs) < 1e-12 and length == 3' small.json
holds "and the virtual domain has their prior" '.mixture | (.existing - 0.6 | fabs) < 1e-12 and .["pdf:x"] == 0.25 and length == 3' small.json
"$REGMIX" domains --reuse old.yaml --prior new.yaml --changed web:b --name kept --json > changed.json 2> /dev/null
holds "a domain whose text changed is not kept" '(.reuse.kept | keys == ["web:a", "wiki"]) and .mixture["web:b"] == 0.1' changed.json
try "no change" 1 "no domain of old.yaml changed" "$REGMIX" domains --reuse old.yaml --prior old.yaml
try "too few stay" 1 "wanted two or more" "$REGMIX" domains --reuse old.yaml --prior new.yaml --changed web
try "a name that is taken" 1 'a domain "wiki" already exists' "$REGMIX" domains --reuse old.yaml --prior new.yaml --name wiki
try "a name that is not there" 2 'did you mean "wiki"?' "$REGMIX" domains --reuse old.yaml --prior new.yaml --changed wkii
try "a prior without an optimum" 2 "goes with --reuse" "$REGMIX" domains --prior new.yaml

# ---- sample, train elsewhere, fit, optimize

"$REGMIX" sample --prior small.yaml --set sample.runs=40 --out mixtures.csv -q
try "the mixtures to train on" 0 "" "$REGMIX" domains --reuse small.yaml --mixtures mixtures.csv --out full.csv
if [ "$(head -1 full.csv)" = "run,wiki,web:a,web:b,pdf:x,pdf:y" ]; then ok "have all domains"; else not_ok "have all domains" "$(head -1 full.csv)"; fi
"$REGMIX" domains --reuse small.yaml --mixtures full.csv --out back.csv -q
if awk -F, 'NR == FNR { was[$1] = $2 } NR > FNR && FNR > 1 && (was[$1] - $2) ^ 2 > 1e-20 { bad = 1 } END { exit bad }' mixtures.csv back.csv; then ok "and lead back to the small space"; else not_ok "and lead back to the small space" "$(head -3 back.csv)"; fi
awk -F, 'NR == 1 { print "run,a_loss"; next } { print $1 "," 4 - sqrt($2) - 0.9 * sqrt($3) - 0.3 * sqrt($4) }' mixtures.csv > metrics.csv
"$REGMIX" fit --mixtures mixtures.csv --metrics metrics.csv --regressor power --out fit -q > /dev/null 2>&1
"$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --json > optimum.json 2> log
holds "the optimum has all domains" '(.mixture | keys | length) == 5 and ([.mixture[]] | add - 1 | fabs) < 1e-9' optimum.json
holds "kept ones in their ratios" '.mixture | (.wiki / .["web:a"] - 0.6 | fabs) < 1e-9' optimum.json
holds "with prior and intervals" '.prior.wiki > 0.17 and .interval.wiki[0] <= .mixture.wiki and .mixture.wiki <= .interval.wiki[1]' optimum.json
holds "and the mixture as it was searched" '.searched.mixture.existing > 0.2 and .reuse.existing.wiki > 0.29' optimum.json
"$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --tokens tokens.yaml --budget 100G --quick --json > capped.json 2> /dev/null
holds "the scarcest member caps the virtual domain" '(.searched.mixture.existing <= 0.4 + 1e-6) and .constraints.cap.existing == 0.4' capped.json
for x in 0.05 0.1 0.19; do
  "$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --quick --drop-below $x --json > dropped.json 2> /dev/null
  holds "--drop-below $x counts for each member" ".searched.mixture.existing > 0.2 and ([.mixture[] | select(. > 1e-9 and . < $x - 1e-6)] | length) == 0" dropped.json
done
try "a weight that the ratios do not allow" 1 '--drop-below 0.25: "web:b" is 0.2 of "existing"' "$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --quick --drop-below 0.25
"$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --quick -q > /dev/null 2>&1
try "an export has all domains" 0 "web:b" "$REGMIX" export --to yaml
try "the page has the small space" 0 "" "$REGMIX" report --fit fit

# ---- nodes and orders

small() { "$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --quick --json "$@"; }
optimize() { "$REGMIX" optimize --fit fit --target a_loss --quick --json "$@"; }
optimize --cap pdf=0.3 > node.json 2> /dev/null
holds "a cap on a node" '.mixture["pdf:x"] + .mixture["pdf:y"] <= 0.3 + 1e-6 and .constraints.share.pdf.high == 0.3' node.json
optimize --ordered 'pdf:x<pdf:y' > order.json 2> /dev/null
holds "an order" '.mixture["pdf:x"] <= .mixture["pdf:y"] + 1e-6 and .constraints.ordered == ["pdf:x<pdf:y"]' order.json
"$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --quick --fold 1 -q > folded 2> /dev/null
if grep -q '^  pdf  ' folded && ! grep -q 'pdf:x' folded; then ok "a table of nodes"; else not_ok "a table of nodes" "$(cat folded)"; fi
optimize --fold 1 > node.json 2> /dev/null
holds "--fold with --json" '.folded.levels == 1 and (.folded.mixture.pdf - .mixture["pdf:x"] - .mixture["pdf:y"] | fabs) < 1e-9' node.json
"$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --replicates 20 --fold 1 --out nodes_of.yaml > folded 2> /dev/null
if grep -q '^folded:' nodes_of.yaml && sed -n '/^folded:/,$p' nodes_of.yaml | grep -q 'interval:'; then ok "and with --out"; else not_ok "and with --out" "$(cat nodes_of.yaml)"; fi
small --fold 1 > node.json 2> /dev/null
holds "kept domains count in their own nodes" '. as $o | .folded as $f | [$f.mixture, $f.prior] | all(keys == ["pdf", "web", "wiki"]) and ($f.mixture.web - $o.mixture["web:a"] - $o.mixture["web:b"] | fabs) < 1e-9 and ($f.mixture.wiki - $o.mixture.wiki | fabs) < 1e-9 and ($f.prior.web - $o.prior["web:a"] - $o.prior["web:b"] | fabs) < 1e-9' node.json
same "in the table, too" 1 "$(grep -c '^  web  ' folded)"
same "and in the intervals" 1 "$(sed -n '/^folded:/,$p' nodes_of.yaml | sed -n '/interval:/,$p' | grep -c '^ *web:$')"
try "an export of nodes" 0 "inside the nodes" "$REGMIX" export --to yaml --fold 1 --out nodes.yaml
if [ "$(grep -c . nodes.yaml)" = 3 ] && grep -q '^web: 0' nodes.yaml; then ok "has their totals"; else not_ok "has their totals" "$(cat nodes.yaml)"; fi
try "a node that is not there" 2 'unknown domain or node "pfd"; did you mean "pdf"?' optimize --cap pfd=0.3
try "a cycle" 2 "form a cycle" optimize --ordered 'pdf:x<pdf:y<existing' --ordered 'existing<pdf:x'
try "a clash names the node" 1 "--floor pdf=0.7 and --cap pdf=0.3 cannot both be kept" optimize --floor pdf=0.7 --cap pdf=0.3

# ---- constraints on kept domains

small --cap wiki=0.06 --floor web:b=0.02 > member.json 2> /dev/null
holds "a cap on a kept domain caps the virtual one" '.mixture.wiki <= 0.06 + 1e-6 and .mixture["web:b"] >= 0.02 - 1e-6 and (.constraints.cap.existing - 0.2 | fabs) < 1e-9 and (.constraints.floor.existing - 0.1 | fabs) < 1e-9' member.json
small --fix wiki=0.09 > member.json 2> /dev/null
holds "a fixed one fixes it" '(.mixture.wiki - 0.09 | fabs) < 1e-6 and (.searched.mixture.existing - 0.3 | fabs) < 1e-6' member.json
small --share web=0.1..0.21 > member.json 2> /dev/null
holds "a node of kept domains" '(.mixture["web:a"] + .mixture["web:b"]) as $web | $web <= 0.21 + 1e-6 and $web > 0.2' member.json
small --share 'mixed=..0.2:wiki,pdf:x' > member.json 2> /dev/null
holds "a group of kept and new ones" '.mixture.wiki + .mixture["pdf:x"] <= 0.2 + 1e-6' member.json
small --ordered 'web:a<pdf:x' > member.json 2> /dev/null
holds "an order of them" '.mixture["web:a"] <= .mixture["pdf:x"] + 1e-6' member.json
small --cap existing=0.2 > member.json 2> /dev/null
holds "the virtual domain itself" '.searched.mixture.existing <= 0.2 + 1e-6' member.json
try "more than its ratio allows" 1 'is 0.3 of "existing", so its weight cannot exceed that' small --floor wiki=0.4
try "an order that the ratios have" 0 "" small --ordered 'wiki<web:a'
try "an order against the ratios" 1 'keep their ratio, which is the other way round' small --ordered 'web:a<wiki'
try "a clash names what was typed" 1 "--cap wiki=0.03" small --cap wiki=0.03 --floor existing=0.5
try "epochs of a kept domain" 2 '"wiki" is part of "existing"' small --tokens tokens.yaml --budget 100G --max-epochs wiki=2
try "a mixture of all domains" 1 'have to name "existing"' small --max-kl 0.1 --reference new.yaml
try "to compare with, too" 1 'have to name "existing"' "$REGMIX" optimize --fit fit --prior small.yaml --target a_loss --set optimize.replicates=20 --against new.yaml
try "a kept domain that is not there" 2 'did you mean "wiki"?' small --cap wkii=0.1
try "suggest keeps them too" 0 "" "$REGMIX" suggest --fit fit --prior small.yaml --target a_loss --cap wiki=0.06 -n 3 --no-curve --out next.csv
if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "existing") c = i; next } $c > 0.2 + 1e-6 { bad = 1 } END { exit bad || !c }' next.csv; then ok "in each suggested run"; else not_ok "in each suggested run" "$(cat next.csv)"; fi
done_testing
