#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oom.py REGMIX LIBRARY [--every N] [--most N] [--all] [--command NAME] [--jobs N]: memory is short once, everywhere.

For each command on a small experiment one allocation after the other returns NULL (fail_allocation.c). The command
must then end with exit code 1 and a message, or do what it does with memory enough: print and write the same.
Anything else fails the test: a crash, a hang, another exit code, another result at exit code 0.

As most allocations of a program come from the same places, one allocation is failed for each place (stack of callers) that allocates.
--all: every single allocation; --every N: each N-th of those that would be tried; --most N: no more than N for a
command, spread over it. Speaks TAP, a test a command.
"""
import argparse
import concurrent.futures
import gzip
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zlib

CONFIG = """\
corpus:
  domains:
    a: text/a.jsonl
    b: text/b.jsonl.gz
    noise: text/noise.jsonl
    exam: {files: text/exam.jsonl, valid_only: true}
  vocab: 300
  overlap: 0
  max_valid_tokens: 2k
target: exam
sample: {runs: 8, cap_ratio: 1000, max_epochs: 0}
proxy: {layers: 1, heads: 2, width: 16, ffn: 32, model: nano, context: 16, tokens: 2k, batch_tokens: 256, micro_tokens: 256, threads: 1}
large: {layers: 1, heads: 2, width: 16, ffn: 32, model: nano, context: 16, tokens: 2k, batch_tokens: 256, micro_tokens: 256, threads: 1}
fit: {regressor: ridge}
compare: {seeds: 2}
optimize: {starts: 2}
jobs: 1
"""

# name, arguments, step of the experiment that it finds (see STEPS); {exp} of the pipeline is the current folder.
COMMANDS = [
    ("version", "--version", "new"),
    ("help", "--help", "new"),
    ("help of a command", "fit --help", "new"),
    ("man", "man", "new"),
    ("completion", "completion bash", "new"),
    ("init", "init other --text text --target exam", "new"),
    ("plan", "plan", "new"),
    ("plan as JSON", "plan --json", "new"),
    ("status", "status", "compared"),
    ("status as JSON", "status --json", "compared"),
    ("prepare", "prepare", "new"),
    ("encode", "encode --tokenizer tokenizer.json text/a.jsonl", "prepared"),
    ("sample", "sample", "prepared"),
    ("worker", "worker runs/{run}", "claimed"),
    ("train", "train", "sampled"),
    ("fit", "fit", "trained"),
    ("fit by a process", "fit --regressor gp", "trained"),
    ("fit by trees", "fit --regressor trees --set trees.rounds=20 --set trees.min_data_in_leaf=2", "trained"),
    ("fit by a power law", "fit --regressor power", "trained"),
    ("fit that chooses", "fit --regressor auto", "trained"),
    ("score", "score --mixtures mixtures.csv --metrics metrics.csv", "fitted"),
    ("predict", "predict --mixtures mixtures.csv", "fitted"),
    ("optimize", "optimize", "fitted"),
    ("optimize as JSON", "optimize --json", "fitted"),
    ("simulate", "optimize --samples 500", "fitted"),
    ("suggest", "suggest --runs 2", "fitted"),
    ("pretrain", "pretrain", "optimised"),
    ("compare", "compare --methods uniform,doremi", "compared"),
    ("report", "report", "compared"),
    ("gc", "gc", "compared"),
    ("export", "export --to yaml", "optimised"),
    ("export as JSON", "export --to json --json", "optimised"),
    ("domains", "domains --rename a=c", "sampled"),
    ("run", "run", "prepared"),
]
STEPS = [("new", None), ("prepared", "prepare"), ("sampled", "sample"), ("trained", "train"), ("fitted", "fit"), ("optimised", "optimize"),
         ("compared", "pretrain")]
# Times and speeds are never the same twice: those of files, and those that a command prints (" 0.5 s", "3 min 20 s", "2.1 days").
VOLATILE = re.compile(rb'"?(\w*wall_s|tokens_per_s|written|made_at|date|time|started|finished|hours?)"?: ?"?[0-9.e+:TZ -]+"?'
                      rb'| *\b\d+(\.\d)? (s|days)\b| *\b\d+ (min|h) \d+ (s|min)\b')


def words(text):
    return [text] if text.startswith("--") else text.split()


class Experiment:
    """The folders that commands find, and what they do there with memory enough."""

    def __init__(self, regmix, library, scratch):
        self.regmix, self.library, self.scratch = regmix, library, scratch
        self.environment = dict(os.environ, OPENBLAS_NUM_THREADS="1", LC_ALL="C", REGMIX_SEED="", HOME=scratch)
        self.environment.pop("LD_PRELOAD", None)
        folder = f"{scratch}/new"
        os.makedirs(f"{folder}/text")
        draw = random.Random(1)
        stems = {"a": ["red", "green", "blue"], "b": ["one", "two", "three"], "noise": ["x", "yz", "q"], "exam": ["red", "one", "green"]}
        for name, list_of_words in stems.items():
            lines = [" ".join(draw.choice(list_of_words) for _ in range(12)) for _ in range(150)]
            opened = gzip.open(f"{folder}/text/b.jsonl.gz", "wt") if name == "b" else open(f"{folder}/text/{name}.jsonl", "w", encoding="utf-8")
            with opened as f:
                f.writelines('{"text": "%s"}\n' % line for line in lines)
        with open(f"{folder}/regmix.yaml", "w") as f:
            f.write(CONFIG)
        at = folder
        for step, command in STEPS[1:]:
            shutil.copytree(at, f"{scratch}/{step}", symlinks=True)
            at = f"{scratch}/{step}"
            done = self.start(words(command), at, {})
            if done.returncode:
                sys.exit(f"regmix {command} fails with memory enough: {done.stderr.decode(errors='replace')}")
        shutil.copytree(f"{scratch}/trained", f"{scratch}/claimed")
        self.run = sorted(os.listdir(f"{scratch}/claimed/runs"))[0]
        for name in ("result.json", "log.jsonl"):
            os.remove(f"{scratch}/claimed/runs/{self.run}/{name}")

    def start(self, arguments, folder, more):
        # One processor, so that the same allocation is the k-th each time. The orders are for regmix, not for taskset.
        command = ["taskset", "-c", str(zlib.crc32(folder.encode()) % os.cpu_count())] if shutil.which("taskset") else []
        command += ["env"] + [f"{key}={value}" for key, value in more.items()]
        return subprocess.run(command + [self.regmix] + arguments, cwd=folder, env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def copy(self, step):
        folder = tempfile.mkdtemp(prefix="try-", dir=self.scratch)
        shutil.rmtree(folder)
        shutil.copytree(f"{self.scratch}/{step}", folder, symlinks=True)
        return folder

    def left(self, folder, stdout):
        """What a command printed and wrote, without times: name -> hash."""
        def mask(data):
            return VOLATILE.sub(b"", data.replace(folder.encode(), b"@"))
        got = {"(stdout)": hashlib.sha256(mask(stdout)).hexdigest()}
        for path, _, files in os.walk(folder):
            for name in files:
                whole = os.path.join(path, name)
                with open(whole, "rb") as f:
                    got[os.path.relpath(whole, folder)] = hashlib.sha256(mask(f.read())).hexdigest()
        return got

    def normal(self, arguments, step):
        """What is the same in three runs, and the places that allocate."""
        lefts = []
        for i in range(3):
            folder = self.copy(step)
            more = {"LD_PRELOAD": self.library, "OOM_PLACES": f"{self.scratch}/places"} if i == 2 else {}
            done = self.start(arguments, folder, more)
            if done.returncode:
                return None, done.stderr.decode(errors="replace"), 0
            lefts.append(self.left(folder, done.stdout))
            shutil.rmtree(folder)
        same = {k: v for k, v in lefts[0].items() if all(other.get(k) == v for other in lefts[1:])}
        varies = sorted({k for other in lefts for k in other} - set(same))
        with open(f"{self.scratch}/places") as f:
            numbers = [int(line) for line in f]
        return (same, varies), sorted(numbers[1:]), numbers[0]

    def attempt(self, arguments, step, normal, k):
        """None if all is well, else what is not."""
        same, varies = normal
        folder = self.copy(step)
        try:
            done = self.start(arguments, folder, {"LD_PRELOAD": self.library, "OOM_FAIL": str(k)})
            told = done.stderr.decode(errors="replace").strip()
            if done.returncode == 1:
                return ("error", None) if told else ("error", "exit 1 without a word")
            if done.returncode:
                return "bad", f"exit {done.returncode}: {told[-200:]}"
            left = self.left(folder, done.stdout)
            differ = [n for n in same if left.get(n) != same[n]] + [n for n in left if n not in same and n not in varies]
            return "same", f"exit 0, but these differ: {' '.join(sorted(differ)[:4])}; {told[-100:]}" if differ else None
        except subprocess.TimeoutExpired:
            return "bad", "does not end"
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("regmix")
    parser.add_argument("library")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--most", type=int)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--command", action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    o = parser.parse_args()
    failed = number = 0
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        e = Experiment(os.path.abspath(o.regmix), os.path.abspath(o.library), scratch)
        for name, text, step in COMMANDS:
            if o.command and name not in o.command:
                continue
            number += 1
            arguments = words(text.replace('{run}', e.run))
            normal, ks, total = e.normal(arguments, step)
            if normal is None:
                failed += 1
                print(f"not ok {number} - {name}: fails with memory enough\n# {ks[-300:]}", flush=True)
                continue
            if o.all:
                ks = list(range(1, total + 1))
            ks = ks[::max(o.every, -(-len(ks) // o.most) if o.most else 1)]
            found = list(pool.map(lambda k: e.attempt(arguments, step, normal, k), ks))
            wrong = [(k, what) for k, (_, what) in zip(ks, found) if what]
            errors = sum(kind == "error" for kind, _ in found)
            print(f"{'not ok' if wrong else 'ok'} {number} - {name}: {len(ks)} of {total} allocations fail, {errors} end the command", flush=True)
            if normal[1]:
                print(f"# not compared: {' '.join(normal[1])[:300]}")
            for k, what in wrong[:40]:
                print(f"# OOM_FAIL={k}: " + what.replace("\n", " | "))
            if len(wrong) > 40:
                print(f"# and {len(wrong) - 40} more")
            failed += bool(wrong)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
