#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""collect.py FOLDER [--into DATA] [--machine TEXT] [--shrink]: the runs of the study as tables.

FOLDER has the experiments of examples/study, trained or half trained. Every finished run becomes a
row of DATA/<experiment>.csv (default docs/study/data), and what methods cost rows of methods.csv.
domains.csv has the sizes of the text, made.csv says when and on what machine. The same folders give
the same tables. Rows of runs that FOLDER lacks are kept: several machines may train an experiment,
each with a FOLDER of its own, if they have the same text. --shrink removes these rows.
"""
import argparse
import csv
import json
import sys
import time
from pathlib import Path

from tables import COLUMNS, DATA, DOMAINS, SCORES, TARGET, TASKS, write

EXPERIMENTS = ("small unseen repetition matched seeds interactions recipe proposals methods "
               "methods-tenth").split()
RIVALS = ("methods", "methods-tenth")
METHOD_COLUMNS = ("experiment method large_tokens seed bpb search_flops large_flops sees_target "
                  "status").split() + [f"w_{d}" for d in DOMAINS]


def short(x, digits=4):
    """A number with fixed digits, without zeros at its end; nothing for None."""
    if x is None:
        return ""
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def fixed(x, digits=4):
    return "" if x is None else f"{x:.{digits}f}"


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def half_bits(result):
    """Bits per byte at half way. The bits per nat of a domain are those at the end."""
    half = (result.get("half") or {}).get("loss_nats") or {}
    bits, nats = result["bits_per_byte"], result["loss_nats"]
    return {d: half[d] * bits[d] / nats[d] for d in half if half[d] is not None and nats.get(d)}


def scores_in(folder, whole):
    """The scores of a model: those of the whole files (`whole`) before those of thinned ones."""
    for path in (whole, folder / "scores.json"):
        if path and path.exists():
            found = load(path)
            return found["results"], found["n-samples"], found["chance"]
    return {}, {}, {}


def row_of(experiment, swarm, run, folder, whole):
    result = load(folder / "result.json")
    if result.get("status") != "done" or not result.get("bits_per_byte"):
        return None
    row = {"experiment": experiment, "swarm": swarm, "run": run, "seed": str(result["seed"]),
           "parameters": str(result["parameters"]), "tokens": f"{result['tokens']:.0f}",
           "flops": f"{result['flops']:.5g}", "valid_flops": f"{result['valid_flops']:.5g}",
           "wall_s": short(result["wall_s"], 1)}
    for d in DOMAINS:
        row[f"w_{d}"] = short(result["mixture"].get(d, 0.0), 6)
    half = half_bits(result)
    for d in DOMAINS + [TARGET]:
        row[f"{d}_bpb"] = fixed(result["bits_per_byte"].get(d))
        row[f"half_{d}"] = fixed(half.get(d))
    results, items, chance = scores_in(folder, whole)
    for task in TASKS:
        for column, key in SCORES:
            if key in results.get(task, {}):
                row[f"{task}_{column}"] = fixed(results[task][key])
    row["about"] = {
        "items": {t: (items[t]["effective"], chance.get(t)) for t in TASKS if t in items},
        "time": (folder / "result.json").stat().st_mtime,
        "isa": result.get("made_by", {}).get("isa", "")}
    return row


def runs_of(folder, experiment):
    """The rows of an experiment, in the order of swarm and run."""
    rows = []
    for path in sorted((folder / experiment / "runs").glob("*/result.json")):
        run = path.parent.name
        swarm = run.rsplit("-", 1)[0] if "-" in run else "proxies"
        whole = folder / "scores" / experiment / f"{run}.json"
        rows.append(row_of(experiment, swarm, run, path.parent, whole))
    for path in sorted((folder / experiment / "large").glob("*/*/result.json")):
        run = f"{path.parent.parent.name}/{path.parent.name}"
        rows.append(row_of(experiment, "large", run, path.parent, None))
    return [r for r in rows if r]


def methods_of(folder, experiment):
    """A row a method, number of tokens of the large model, and seed."""
    rows = []
    for path in sorted((folder / experiment).glob("methods-*.json")):
        found = load(path)
        per_byte = bits_per_nat(folder / experiment)
        for name in found["order"]:
            m = found["methods"][name]
            for seed, loss in enumerate(m.get("target_loss_by_seed") or [None], 1):
                row = {"experiment": experiment, "method": name,
                       "large_tokens": f"{found['tokens']:.0f}", "seed": str(seed),
                       "bpb": fixed(loss * per_byte if loss is not None else None),
                       "search_flops": f"{m['search_flops'] or 0:.5g}",
                       "large_flops": f"{m['large_flops'] or 0:.5g}",
                       "sees_target": "1" if m.get("sees_target") else "0",
                       "status": m["status"].replace(",", ";")}
                for d in DOMAINS:
                    row[f"w_{d}"] = short((m.get("weights") or {}).get(d), 6)
                rows.append(row)
    return rows


def bits_per_nat(experiment):
    """Of the target: any run of the experiment tells."""
    for path in sorted(experiment.glob("*/**/result.json")):
        result = load(path)
        if (result.get("bits_per_byte") or {}).get(TARGET):
            return result["bits_per_byte"][TARGET] / result["loss_nats"][TARGET]
    sys.exit(f"collect.py: {experiment} has methods-*.json, but no finished run")


def domains_of(folder):
    """The text of the domains that models are trained on, as `small` has it."""
    path = folder / "small/corpus/corpus.json"
    found = load(path)["domains"] if path.exists() else []
    return [{"domain": d["name"], **{k: f"{d[k]:.0f}" for k in ("train_tokens", "train_bytes")}}
            for d in found if d["name"] in DOMAINS]


def date(seconds):
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def every_result(experiment):
    """Time, seconds and kernels of all that an experiment trained, set aside or not."""
    out = []
    for path in sorted(experiment.glob("**/result.json")):
        result = load(path)
        out.append((path.stat().st_mtime, result["wall_s"],
                    result.get("made_by", {}).get("isa", "")))
    return out


def made_of(experiment, results, machine):
    times = [time for time, _, _ in results]
    return {"experiment": experiment, "runs": str(len(results)), "first": date(min(times)),
            "last": date(max(times)), "machine": machine, "isa": results[0][2],
            "hours": short(sum(seconds for _, seconds, _ in results) / 3600, 2)}


def known(path):
    """The rows of a table, as texts."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Tables:
    """The tables in DATA, where rows of runs that FOLDER lacks stay."""

    def __init__(self, data, machine, shrink):
        self.data, self.machine, self.shrink = data, machine, shrink
        self.made = {(r["experiment"], r["machine"]): r for r in known(data / "made.csv")}
        self.tasks = {(r["experiment"], r["swarm"], r["task"]): r
                      for r in known(data / "tasks.csv")}

    def put(self, name, columns, rows, keys):
        """Writes the rows, and those of the table that have other keys, which are returned."""
        path = self.data / f"{name}.csv"
        new = {tuple(r[k] for k in keys) for r in rows}
        kept = [r for r in known(path) if tuple(r[k] for k in keys) not in new]
        if self.shrink:
            kept = []
        rows = rows + kept
        if kept:
            rows.sort(key=lambda r: tuple(r[k] for k in keys))
        if write(path, columns, rows):
            print(f"{path.name}: {len(rows)} rows" +
                  (f", {len(kept)} of them kept from before" if kept else ""))
        return kept

    def note(self, experiment, results, kept):
        """Notes who trained what. Kept rows are those of the other machines."""
        for (name, machine), row in list(self.made.items()):
            if name != experiment:
                continue
            if machine == self.machine or not kept:
                del self.made[name, machine]
            else:
                row["runs"] = str(len(kept))
                row["hours"] = short(sum(float(r["wall_s"]) for r in kept) / 3600, 2)
        self.made[experiment, self.machine] = made_of(experiment, results, self.machine)

    def close(self):
        order = {e: i for i, e in enumerate(EXPERIMENTS)}
        write(self.data / "made.csv", "experiment runs first last machine isa hours".split(),
              [self.made[k] for k in sorted(self.made, key=lambda k: (order[k[0]], k[1]))])
        write(self.data / "tasks.csv", "experiment swarm task items chance".split(),
              [self.tasks[k] for k in sorted(self.tasks)])


def collect_runs(folder, experiment, tables):
    rows = runs_of(folder, experiment)
    if not rows:
        return
    kept = tables.put(experiment, COLUMNS, rows, ("swarm", "run"))
    tables.note(experiment, [(r["about"]["time"], float(r["wall_s"]), r["about"]["isa"])
                             for r in rows], kept)
    for r in rows:
        for task, (n, chance) in r["about"]["items"].items():
            tables.tasks[experiment, r["swarm"], task] = {
                "experiment": experiment, "swarm": r["swarm"], "task": task,
                "items": f"{n:.0f}", "chance": short(chance)}


def collect_methods(folder, tables):
    rows = []
    for experiment in RIVALS:
        found = methods_of(folder, experiment)
        if found:
            tables.note(experiment, every_result(folder / experiment), [])
        rows += found
    if rows:
        tables.put("methods", METHOD_COLUMNS, rows,
                   ("experiment", "large_tokens", "method", "seed"))


def same_text(folder, data, shrink):
    """Writes domains.csv. Rows from other text are no rows of one study."""
    domains, had = domains_of(folder), known(data / "domains.csv")
    if not domains:
        return
    if had and had != domains and not shrink:
        sys.exit(f"collect.py: the text in {folder} is not the text of {data / 'domains.csv'}: "
                 "its domains have other sizes. Fetch the same text, or replace all rows with "
                 "--shrink")
    write(data / "domains.csv", ["domain", "train_tokens", "train_bytes"], domains)


def collect(folder, data, machine, shrink):
    same_text(folder, data, shrink)
    tables = Tables(data, machine, shrink)
    for experiment in EXPERIMENTS:
        if experiment not in RIVALS:
            collect_runs(folder, experiment, tables)
    collect_methods(folder, tables)
    tables.close()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--into", type=Path, default=DATA)
    parser.add_argument("--machine", default="C")
    parser.add_argument("--shrink", action="store_true")
    o = parser.parse_args(arguments)
    if not any((o.folder / e).is_dir() for e in EXPERIMENTS):
        print(f"collect.py: {o.folder} has none of: {', '.join(EXPERIMENTS)}", file=sys.stderr)
        return 1
    collect(o.folder, o.into, o.machine, o.shrink)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
