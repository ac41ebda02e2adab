#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_study.py REGMIX: the study's collector, tables, words and page, on runs that never took
place; and the committed page against the committed tables. Speaks TAP."""
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts/study"
sys.path.insert(0, str(SCRIPTS))
sys.dont_write_bytecode = True
import analysis  # noqa: E402
import measures  # noqa: E402
import page  # noqa: E402
import verdicts  # noqa: E402
from tables import DOMAINS, TARGET, TASKS, read, rows_of  # noqa: E402

REGMIX = str(Path(sys.argv[1]).resolve())
draw = random.Random(11)
count = [0, 0]


def ok(what, good, why=""):
    count[0] += 1
    if good:
        print(f"ok {count[0]} - {what}")
    else:
        count[1] += 1
        print(f"not ok {count[0]} - {what}")
        for line in str(why).splitlines()[:12]:
            print(f"# {line}")


def script(name, *arguments):
    return subprocess.run([sys.executable, "-B", SCRIPTS / name, *map(str, arguments)],
                          capture_output=True, text=True, check=False)


def mixture(seed):
    r = random.Random(seed)
    w = [r.gammavariate(0.5, 1) for _ in DOMAINS]
    return {d: x / sum(w) for d, x in zip(DOMAINS, w)}


def losses(w, level, noise):
    """The target likes bible and novels; every domain likes itself."""
    out = {d: level + 2 - 1.5 * w[d] ** 0.5 + draw.gauss(0, noise) for d in DOMAINS}
    out[TARGET] = level + 2 - w["bible"] - 0.6 * w["novels"] + draw.gauss(0, noise)
    return out


def run(folder, w, level=1.0, noise=0.002, tokens=1000):
    """The files of a finished run."""
    folder.mkdir(parents=True)
    bits = losses(w, level, noise)
    nats = {d: 2 * b for d, b in bits.items()}
    (folder / "result.json").write_text(json.dumps({
        "run": folder.name, "status": "done", "seed": 1, "mixture": w, "parameters": 5,
        "tokens": tokens, "flops": 6.0 * tokens, "valid_flops": 10.0, "wall_s": 1.25,
        "loss_nats": nats, "bits_per_byte": bits, "made_by": {"isa": "none"},
        "half": {"loss_nats": {d: x + 1 for d, x in nats.items()}}}))
    acc = 0.5 + 0.1 * w["bible"]
    (folder / "scores.json").write_text(json.dumps({
        "results": {t: {"acc,none": acc + draw.gauss(0, 0.01), "acc_norm,none": 0.5,
                        "bits_per_byte,none": bits[TARGET]} for t in TASKS},
        "n-samples": {t: {"effective": 100.0} for t in TASKS},
        "chance": {t: 0.5 for t in TASKS}}))


def make_runs(folder):
    for i in range(24):
        run(folder / f"small/runs/{i:04d}", mixture(i))
    for i in range(12):
        run(folder / f"unseen/runs/{i:04d}", mixture(100 + i), 0.9)
        run(folder / f"unseen/runs/big-{i:04d}", mixture(100 + i), 0.5)
    for seed in (1, 2, 3):
        run(folder / f"seeds/large/best/{seed}", mixture(7), 0.5)
        run(folder / f"seeds/large/worst/{seed}", mixture(8), 0.5)
    broken = folder / "small/runs/0099"
    broken.mkdir()
    (broken / "result.json").write_text('{"status": "diverged", "loss_nats": null}')


def collector(work):
    runs, study = work / "runs", work / "study"
    make_runs(runs)
    done = script("collect.py", runs, "--into", study / "data", "--machine", "X")
    ok("the collector ends well", done.returncode == 0, done.stderr)
    small = read("small", data=study / "data")
    ok("a row a finished run, none for one that diverged", len(small) == 24, len(small))
    row, result = small[3], json.loads((runs / "small/runs/0003/result.json").read_text())
    ok("losses, half-way losses in bits per byte, and weights are those of the run",
       abs(row["bible_bpb"] - result["bits_per_byte"]["bible"]) < 1e-4
       and abs(row["half_bible"] - result["bits_per_byte"]["bible"] - 0.5) < 2e-4
       and abs(row["w_bible"] - result["mixture"]["bible"]) < 1e-6, row)
    ok("large models are rows with their seeds",
       [r["run"] for r in read("seeds", "large", study / "data")][:3]
       == ["best/1", "best/2", "best/3"])
    before = {p: p.read_bytes() for p in (study / "data").iterdir()}
    again = script("collect.py", runs, "--into", study / "data", "--machine", "X")
    ok("the same runs give the same tables", again.stdout == "" and before == {
        p: p.read_bytes() for p in (study / "data").iterdir()}, again.stdout)
    (runs / "small/runs/0000").rename(work / "gone")
    made = rows_of(study / "data/made.csv")
    ok("the machine is named", {r["machine"] for r in made} == {"X"}, made)
    less = script("collect.py", runs, "--into", study / "data", "--machine", "Y")
    ok("rows of runs that are not there are kept as they are",
       before[study / "data/small.csv"] == (study / "data/small.csv").read_bytes(), less.stderr)
    made = {(r["experiment"], r["machine"]): r["runs"] for r in rows_of(study / "data/made.csv")}
    ok("each machine is named with what it trained", made["small", "X"] == 1
       and made["small", "Y"] == 23 and ("unseen", "X") not in made, made)
    (study / "data/domains.csv").write_text("domain,train_tokens,train_bytes\nbible,1,2\n")
    (runs / "small/corpus").mkdir()
    (runs / "small/corpus/corpus.json").write_text(json.dumps(
        {"domains": [{"name": "bible", "train_tokens": 1, "train_bytes": 3}]}))
    other = script("collect.py", runs, "--into", study / "data")
    ok("runs on other text are refused", other.returncode == 1 and "other sizes" in other.stderr,
       other.stderr)
    (study / "data/domains.csv").unlink()
    shutil.rmtree(runs / "small/corpus")
    shorter = script("collect.py", runs, "--into", study / "data", "--machine", "X", "--shrink")
    ok("--shrink removes them", len(read("small", data=study / "data")) == 23, shorter.stdout)
    (work / "gone").rename(runs / "small/runs/0000")
    script("collect.py", runs, "--into", study / "data", "--machine", "X")
    nothing = script("collect.py", work / "gone", "--into", study / "data")
    ok("a folder without experiments is an error", nothing.returncode == 1, nothing)
    return study


def maker(study):
    done = script("make.py", REGMIX, "--study", study)
    ok("tables, figures and the page are made", done.returncode == 0, done.stderr)
    if done.returncode != 0:
        return
    html = (study / "index.html").read_text()
    rows = {(r["regressor"], r["size"]): r for r in rows_of(study / "tables/regression.csv")}
    ok("fits rank a made-up target nearly perfectly", rows["auto", "big"]["spearman"] > 0.9,
       rows["auto", "big"])
    ok("parts without runs say so", html.count(verdicts.STATES["untrained"]) >= 4)
    ok("each figure of the page has its table and its file", all(
        f'data-table="{n}"' in html and (study / f"figures/{n}.svg").exists()
        for n in ("regression", "number", "ranks", "matters", "losses")))
    ok("nothing is left to fill in", "{{" not in html)
    check = script("make.py", "--check", "--study", study)
    ok("--check takes what was made", check.returncode == 0, check.stderr)
    page_file, data_file = study / "index.html", study / "data/small.csv"
    page_file.write_text(html.replace("RegMix", "Regmix"))
    check = script("make.py", "--check", "--study", study)
    ok("--check refuses a changed page", check.returncode == 1 and "index.html" in check.stderr)
    page_file.write_text(html)
    data_file.write_text(data_file.read_text() + "\n")
    check = script("make.py", "--check", "--study", study)
    ok("--check refuses other data", check.returncode == 1 and "not of" in check.stderr)


def known_numbers():
    ok("ranks share ties", measures.ranks([3, 1, 3]) == [2.5, 1, 2.5])
    ok("Spearman", abs(measures.spearman([1, 2, 3, 4], [1, 3, 2, 4]) - 0.8) < 1e-12)
    ok("regret", measures.regret([2, 1, 3], [5.0, 6.0, 4.0]) == 2.0)
    ok("MSE of differences forgets the level",
       measures.mse_of_differences([1, 2, 3], [11, 12, 13]) < 1e-18)
    ok("Holm", measures.holm([0.01, 0.04, 0.03, 0.005]) == [0.03, 0.06, 0.06, 0.02])
    ok("p of Student's t", abs(measures.p_of_t(2.228, 10) - 0.05) < 1e-4)
    low, high = measures.paired([1, 2, 3, 4], [0, 0.5, 2.5, 3])[1:3]
    ok("a paired t interval", abs(low - 0.3504) < 1e-3 and abs(high - 1.6496) < 1e-3, (low, high))


def turned_signs():
    answer = {"spearman": [[-0.5, 0.5]], "agreement": [[0.5, 0.5]], "low": [[-0.8, 0.1]],
              "high": [[-0.2, 0.9]]}
    ok("an interval has the sign of its agreement",
       analysis.with_sign(answer, 0, 0) == {"agreement": 0.5, "low": 0.2, "high": 0.8}
       and analysis.with_sign(answer, 0, 1) == {"agreement": 0.5, "low": 0.1, "high": 0.9})
    many = [{"size": z, "loss": "c", "score": "copa_bits", "clear": 1.0, "agreement": 0.5,
             "low": 0.1, "high": 0.9} for z in ("proxies", "big") for _ in range(50)]
    html = page.table("losses", many)
    ok("a table of many rows begins with the largest size, and says what it leaves out",
       html.index(verdicts.SIZE_NAMES["big"]) < html.index(verdicts.SIZE_NAMES["proxies"])
       and "60 of 100" in html)


def judged(name, **changed):
    tables = {n: [] for n in ("regression", "others", "ceiling", "number", "ranks", "half",
                              "matters", "losses", "crawl", "methods", "effects", "entries",
                              "recipe")}
    tables.update(changed)
    return next(v for n, _, v in verdicts.all_verdicts(tables) if n == name)


def proposals(difference, high, runs=128):
    return [{"proposal": "recipe", "runs": 512.0, "flops": 8e9},
            {"proposal": f"auto-{runs}", "runs": float(runs), "flops": runs * 1.5e7,
             "to_recipe": difference, "to_low": difference - 0.1, "to_high": high}]


def pairs_of_seeds():
    """Two proposals whose seeds move both by much, and their difference by little."""
    with tempfile.TemporaryDirectory() as folder:
        for seed, moved in ((1, 0.0), (2, 0.5), (3, 1.0)):
            for name, off in (("recipe", 0.0), ("auto-8", -0.1 - 0.001 * seed)):
                run(Path(folder) / f"runs/proposals/large/{name}/{seed}", mixture(1),
                    1 + moved + off, 0.0)
        for i in range(8):
            run(Path(folder) / f"runs/recipe/runs/{i:04d}", mixture(i))
            run(Path(folder) / f"runs/small/runs/{i:04d}", mixture(i))
        script("collect.py", f"{folder}/runs", "--into", f"{folder}/data")
        rows = {r["proposal"]: r for r in analysis.recipe(Path(folder) / "data", None)}
    found = rows["auto-8"]
    ok("proposals are compared seed by seed", abs(found["to_recipe"] + 0.102) < 1e-3
       and -0.11 < found["to_low"] < found["to_high"] < -0.09, found)
    ok("a proposal costs the runs that it was made from, with their evaluations",
       found["runs"] == 8 and found["flops"] == 8 * 6010, found)


def beside_uniform():
    def compared(doremi, tenth):
        rows = {"regmix": {}, "doremi": {"to_regmix": 0.5, "holm": 0.01, "to_uniform": doremi,
                                         "to_uniform_low": doremi - 0.1,
                                         "to_uniform_high": doremi + 0.1},
                "regmix, a tenth": {"to_doremi": -0.4, "to_doremi_low": -0.5,
                                    "to_doremi_high": -0.3, "to_uniform": tenth,
                                    "to_uniform_low": tenth - 0.1, "to_uniform_high": tenth + 0.1}}
        flops = {"doremi": 1e10}
        return judged("methods", methods=[
            {"method": m, "tokens": 8e5, "search_flops": flops.get(m, 1e9), **r}
            for m, r in rows.items()])
    ok("better than DoReMi, where uniform is better too: said", all(
        compared(0.5, tenth).state == "yes" and words in compared(0.5, tenth).more
        and "Uniform weights" in compared(0.5, tenth).sentence
        for tenth, words in ((0.0, "not clearly different from that of uniform"),
                             (-0.2, "lower than that of uniform"),
                             (0.2, "higher than that of uniform"))))
    ok("where DoReMi is as good as uniform: nothing to say", compared(0.05, 0.0).more == ""
       and "Uniform" not in compared(0.05, 0.0).sentence)


def words():
    ok("no tables: not trained yet", all(
        judged(n).state == "untrained" for n, _, _ in verdicts.PARTS))
    ok("a quarter of the runs, clearly", judged("recipe", recipe=proposals(-0.1, -0.01)).state
       == "yes")
    ok("a quarter, not clearly", judged("recipe", recipe=proposals(-0.1, 0.1)).state == "unclear")
    ok("too many runs", judged("recipe", recipe=proposals(-0.1, -0.01, 256)).state == "no")
    ok("never reached", judged("recipe", recipe=proposals(0.1, 0.2)).state == "no")

    def rank(low, high):
        return judged("ranks", ranks=[
            {"kind": "size", "pair": "nano, midi", "domain": d, "n": 16.0,
             "spearman": (low + high) / 2, "low": low, "high": high} for d in ("bible", "mean")])
    ok("ranks: above, below, neither", [rank(*x).state for x in (
        (0.92, 0.99), (0.5, 0.8), (0.8, 0.95))] == ["yes", "no", "unclear"])
    def tested(low, high):
        return judged("interactions", entries=[
            {"domain": "bible", "loss": "c", "change": -0.02, "measured": (low + high) / 2,
             "low": low, "high": high, "holm": 0.01 if high < 0 else 1.0,
             "holds": float(high < 0)}]).state
    ok("entries: hold, are contradicted, neither", [tested(*x) for x in (
        (-0.03, -0.01), (-0.005, 0.01), (-0.03, 0.01))] == ["yes", "no", "unclear"])
    ok("nothing is sure before all runs are there", verdicts.all_verdicts(
        dict.fromkeys([*verdicts.NEEDS, "crawl"], ()) | {"others": [], "ceiling": [], "half": [],
                                             "effects": [], "entries": [],
                                             "recipe": proposals(0.1, 0.2)},
        {"small": 960, "recipe": 64})[-1][2].state == "unclear")
    ok("the runs of all machines count together", page.runs_of(
        [{"experiment": "small", "runs": 900.0}, {"experiment": "small", "runs": 60.0},
         {"experiment": "seeds", "runs": 6.0}]) == {"small": 960, "seeds": 6})
    beside_uniform()
    ok("a domain that breaks the order is named", "bible" in rank(0.5, 0.8).sentence)
    first = page.summary([("a", "It works", verdicts.Verdict("yes", "So.")),
                          ("b", "It fails", verdicts.Verdict("no", "Not so."))])
    ok("what did not replicate is first", first.index("It fails") < first.index("It works"))


def committed():
    done = script("make.py", "--check")
    ok("docs/study is what make.py makes of its tables", done.returncode == 0, done.stderr)
    size = sum(p.stat().st_size for p in (ROOT / "docs/study/data").iterdir())
    ok("the tables are below 1 MB", size < 1e6, size)


with tempfile.TemporaryDirectory() as folder:
    known_numbers()
    pairs_of_seeds()
    turned_signs()
    words()
    maker(collector(Path(folder)))
    committed()
print(f"1..{count[0]}")
sys.exit(1 if count[1] else 0)
