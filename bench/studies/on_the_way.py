#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""on_the_way.py REGMIX FOLDER TEXT: of runs with two phases, do the values measured on the way help the fit? Trains two swarms of 40 runs of
25 thousand tokens with phases of 80 and 20 %, on models of 13 and 53 thousand parameters, in FOLDER (some minutes; it takes up where it stopped).
TEXT: a folder with the quickstart's text. A quarter of the mixtures is left out in turn, in two orders; the losses at the end of the runs of the
largest size are predicted, by fits to the ends alone and to the ends with some of the values on the way."""
import csv
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

DOMAINS = ["foldoc", "bible", "faq", "c", "python", "german"]
SHARES = [0.8, 0.2]
SMALL, LARGE = 13408, 53440  # parameters without embeddings
METRICS = [f"{d}_val_loss" for d in DOMAINS + ["fortunes"]]
ROWS = {  # the share of its tokens that a run had seen -> whether the fit gets the value
    "ends alone": lambda seen: seen == 1,
    "and at half": lambda seen: seen in (1, 0.48, 0.5, 0.52),
    "and all of the first phase": lambda seen: seen == 1 or seen <= 0.8,
    "and the end of the first phase": lambda seen: seen in (1, 0.8),
}


def config(text):
    domains = "".join(f"    {d}: {text}/{d}.txt\n" for d in DOMAINS)
    return f"""corpus:
  domains:
{domains}    fortunes: {{files: {text}/fortunes.txt, valid_only: true}}
  vocab: 1024
  max_valid_tokens: 20k
target: fortunes
sample: {{runs: 40, phases: {SHARES}}}
proxy: {{model: nano, layers: 1, heads: 2, width: 32, ffn: 96, context: 64, tokens: 25k, batch_tokens: 1024, eval_tokens: 2k, evals: 5, repeat: none}}
swarms:
  wide: {{width: 64, ffn: 192, runs: 40}}
large: {{model: micro, context: 64, tokens: 400k}}
"""


def rows_of(folder):
    """[(mixture's name, parameters, share seen, row)], of the values up to the end of the first phase and at the end."""
    rows = []
    for path in sorted(folder.glob("runs/*/result.json")):
        result = json.loads(path.read_text())
        name, size = result["run"].split("-")[-1], LARGE if result["run"].startswith("wide") else SMALL
        for line in map(json.loads, (path.parent / "log.jsonl").read_text().splitlines()):
            seen = round(line.get("step", 0) / result["steps"], 2)
            if "valid_nats" not in line or 0.8 < seen < 1:
                continue
            phases = [result["phases"][k if seen == 1 else 0]["mixture"] for k in range(2)]
            row = {"run": f"{result['run']}@{line['tokens']}", "size": size, "tokens": line["tokens"]}
            row |= {f"mixture.phase_{k}_{d}": SHARES[k] * phases[k].get(d, 0) for k in range(2) for d in DOMAINS}
            row |= {f"{d}_val_loss": line["valid_nats"][d] for d in DOMAINS + ["fortunes"]}
            rows.append((name, size, seen, row))
    return rows


def write(path, rows):
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, rows[0][3].keys())
        table.writeheader()
        table.writerows(row[3] for row in rows)


def errors(regmix, train, test):
    """The mean squared error of each metric."""
    with tempfile.TemporaryDirectory() as folder:
        write(f"{folder}/fit.csv", train)
        write(f"{folder}/test.csv", test)
        columns = ["--mixture-columns", "mixture.*", "--metric-columns", "*_val_loss"]
        several = len({(row["size"], row["tokens"]) for *_, row in train}) > 1
        scales = ["--size-column", "size", "--tokens-column", "tokens"] if several else []
        fit = ["fit", "-q", "--phases", "0.8,0.2", "--out", f"{folder}/out", *scales]
        for command in (fit, ["score", "-q", "--json", "--fit", f"{folder}/out"]):
            table = f"{folder}/{'fit' if command[0] == 'fit' else 'test'}.csv"
            done = subprocess.run([regmix, *command, "--mixtures", table, "--metrics", table, *columns], capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
        scores = json.loads(done.stdout)["metrics"]
        return [scores[m]["mse"] for m in METRICS]


def judge(regmix, rows, size, few, seed, wanted):
    """The root mean squared error over the left-out mixtures, over the standard deviation; the mean over the metrics. few: mixtures that were
    trained at this size."""
    names = sorted({row[0] for row in rows})
    random.Random(seed).shuffle(names)
    squares = []
    for k in range(4):
        known = [n for n in names if n not in names[k::4]]
        train = [r for r in rows if r[0] in known and wanted(r[2]) and (r[1] != size or r[0] in known[:few])]
        test = [r for r in rows if r[0] not in known and r[1] == size and r[2] == 1]
        squares.append(errors(regmix, train, test))
    ends = [r[3] for r in rows if r[1] == size and r[2] == 1]
    return statistics.mean(math.sqrt(statistics.mean(s[m] for s in squares)) / statistics.pstdev(e[name] for e in ends)
                           for m, name in enumerate(METRICS))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    regmix, folder, text = str(Path(sys.argv[1]).resolve()), Path(sys.argv[2]), Path(sys.argv[3]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "regmix.yaml").exists():
        (folder / "regmix.yaml").write_text(config(text))
    for step in ("prepare", "sample", "train"):
        subprocess.run([regmix, step, "-q", "-C", folder], check=True)
    rows = rows_of(folder)
    small = [r for r in rows if r[1] == SMALL]
    print("| values | one size | two sizes | two sizes, 10 runs of the larger |\n| --- | --- | --- | --- |")
    for name, wanted in ROWS.items():
        cells = [statistics.mean(judge(regmix, of, size, few, seed, wanted) for seed in (1, 2))
                 for of, size, few in ((small, SMALL, 40), (rows, LARGE, 40), (rows, LARGE, 10))]
        print(f"| {name} | " + " | ".join(f"{x:.3f}" for x in cells) + " |", flush=True)


main()
