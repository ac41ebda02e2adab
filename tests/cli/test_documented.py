#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_documented.py REGMIX: runs every command that the README, the documents and the help texts print, as it is printed.

The man pages are made of the help texts. The files that the commands name are made here, small, and /data/text of the documents is
a folder of the test (see as_run). What is not run is listed in NOT_RUN with its reason. Speaks TAP.
"""
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_RUN = {  # a regular expression: why
    r"examples/(quickstart|overnight|rivals|phases)": "needs text that is fetched (make demo runs it)",
    r"examples/(pile|web)": "needs the user's text (cli_domains runs them on text of its own)",
    r"--budget 1e15": "trains for 1e15 FLOP",
}
SMALLER = {"proxy.tokens=5M": "proxy.tokens=50k", "large.tokens=20M": "large.tokens=200k", "sample.runs=128": "sample.runs=24",
           "--samples 1M": "--samples 20k", "bench --model 1M": "bench --seconds 0.3 --model nano"}
DOMAINS = ["pile_cc", "github", "stackexchange", "books", "web", "python", "c", "forum"]


def commands_of_markdown(path):
    """The lines of code blocks that start with regmix, without the comment after them; a backslash goes on with the next line."""
    fenced, shell, line = False, False, ""
    for text in path.read_text().splitlines():
        if text.startswith("```"):
            fenced = not fenced
            shell = fenced and text[3:].strip() in ("", "sh", "console")
            continue
        line = line[:-1] + text if line.endswith("\\") else text.removeprefix("$ ")
        if shell and line.startswith("regmix ") and not line.endswith("\\"):
            yield re.sub(r"\s+#.*", "", line)


def commands_of_help(regmix):
    overview = subprocess.run([regmix, "--help"], capture_output=True, text=True, check=True).stdout
    for name in re.findall(r"^  (?!regmix )([a-z]+) +[a-z]", overview, re.MULTILINE):
        text = subprocess.run([regmix, name, "--help"], capture_output=True, text=True, check=True).stdout
        _, _, examples = text.partition("Examples:")
        examples = re.sub(r"\\\n\s*", "", examples)
        yield from re.findall(r"^ +(regmix .*)$", examples, re.MULTILINE)


def write_tables(folder):
    draw = random.Random(7)
    mixtures, losses, wandb, names = [], [], [], ["pile_cc", "github", "hellaswag"]
    for run in range(48):
        w = [draw.expovariate(1) for _ in DOMAINS]
        w[6] = 1.5 * w[5]  # c and python in the proportions that an example merges them by
        w = [x / sum(w) for x in w]
        y = [3 - w[0] ** 0.5 - 0.2 * w[4], 2.5 - w[1] ** 0.5, 0.3 + 0.2 * w[0]]
        y = [a + draw.gauss(0, 0.003) for a in y]
        mixtures.append([run, *w])
        losses.append([run, *y])
        wandb.append([f"run-{run}", "finished", *w, *y])

    def table(name, header, rows):
        Path(folder, name).write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")

    for name in ("mixtures.csv", "m.csv"):
        table(name, ["run", *DOMAINS], mixtures[:36])
    for name in ("losses.csv", "l.csv"):
        table(name, ["run", *names], losses[:36])
    table("tasks.csv", ["run", "a_acc", "b_acc", "a_bpb"], [[run, 1 / y[0], 1 / y[1], y[0]] for run, *y in losses[:36]])
    table("test_mixtures.csv", ["run", *DOMAINS], mixtures[36:])
    table("candidates.csv", ["run", *DOMAINS], mixtures[36:])
    table("running.csv", ["run", *DOMAINS], mixtures[36:38])
    table("test_losses.csv", ["run", *names], losses[36:])
    table("wandb.csv", ["Name", "State", *(f"mixture.{d}" for d in DOMAINS), *(f"eval/{n}" for n in names)], wandb[36:])
    # Runs of two sizes, of two phases, and of domains that form a tree.
    sized = [[f"{i}-{size}", size, tokens, *row[1:], losses[i][1] + 0.2 * (size == "60M")]
             for i, row in enumerate(mixtures[:24]) for size, tokens in (("60M", "1G"), ("300M", "6G"))]
    table("sized.csv", ["run", "model_size", "n_tokens", *(f"w_{d}" for d in DOMAINS), "pile_cc"], sized)
    table("runs.csv", ["run", "model_size", "n_tokens", *(f"weight_{d}" for d in DOMAINS), "pile_cc_loss"], sized)
    table("phased.csv", ["run", *(f"phase_{k}_{d}" for k in (0, 1) for d in DOMAINS)],
          [[*row, *mixtures[(i + 7) % 36][1:]] for i, row in enumerate(mixtures[:36])])
    tree = ["pile_cc", "github", "stackexchange", "books", "web:q0", "web:q1", "web:q2", "forum"]
    table("tree.csv", ["run", *tree], mixtures[:36])
    Path(folder, "first.yaml").write_text("".join(f"{d}: 0.125\n" for d in DOMAINS))
    Path(folder, "new.yaml").write_text("".join(f"{d}: 0.1\n" for d in DOMAINS) + "pdf: 0.2\n")
    Path(folder, "tokens.yaml").write_text("".join(f"{d}: {100 + i}G\n" for i, d in enumerate(DOMAINS)))
    Path(folder, "prior.yaml").write_text("".join(f"{d}: 0.125\n" for d in DOMAINS))
    Path(folder, "text.txt").write_text("Some lines\n\nof text.\n")
    Path(folder, "mixture_config/config_1m").mkdir(parents=True)
    for run, *w in mixtures[:3]:
        Path(folder, f"mixture_config/config_1m/n{run + 1}.yaml").write_text(
            "train:\n" + "".join(f"  {d}: {x:.6f}\n" for d, x in zip(DOMAINS, w)))


def write_experiment(folder, regmix):
    """exp/ is done, so that each step has what it needs; mine.yaml is a mixture of its domains."""
    script = f'ROOT={ROOT}; . "$ROOT/tests/cli/synthetic.sh"; make_corpus exp 80; make_corpus text-of 30'
    subprocess.run(["sh", "-c", script], cwd=folder, check=True)
    text = Path(folder, "data-text")
    for domain in ("a", "b"):
        Path(text, domain).mkdir(parents=True)
        shutil.copy(Path(folder, f"text-of/text/{domain}.txt"), text / domain)
    Path(text, "wikipedia").mkdir()
    shutil.copy(Path(folder, "text-of/text/exam.txt"), text / "wikipedia")
    Path(text, "pile").mkdir()
    Path(text, "pile/00.jsonl").write_text("".join(
        json.dumps({"text": f"document {i}", "meta": {"pile_set_name": name}}) + "\n" for i in range(20) for name in ("ArXiv", "Github")))
    subprocess.run([regmix, "run", "-q", "-C", "exp"], cwd=folder, check=True, capture_output=True)
    Path(folder, "mine.yaml").write_text("a: 0.5\nb: 0.4\nnoise: 0.1\n")
    shutil.copy(Path(folder, "mine.yaml"), Path(folder, "exp"))  # the paths of a config are those from its folder
    shutil.copytree(Path(folder, "exp"), Path(folder, "exp-done"))
    write_model(folder)


def write_model(folder):
    """Models and tasks, as the commands that score models name them."""
    shutil.copytree(Path(folder, "exp/large"), Path(folder, "large"))
    shutil.copytree(Path(folder, "exp/large/optimum/1"), Path(folder, "hub"))
    for place in (".", "hub"):
        shutil.copy(Path(folder, "exp/tokenizer.json"), Path(folder, place))
    Path(folder, "ids.txt").write_text("1 2 3\n4 5 6\n")
    Path(folder, "evals").mkdir()  # of each run, as the harness writes them
    for row in Path(folder, "losses.csv").read_text().split()[1:]:
        run, loss = row.split(",")[:2]
        Path(folder, "evals", run + ".json").write_text(json.dumps({"results": {
            "copa": {"acc,none": 1 / float(loss), "bits_per_byte,none": float(loss) / 2}}}))
    for task in ("piqa", "copa"):
        with gzip.open(Path(folder, task + ".jsonl.gz"), "wt") as out:
            out.write(json.dumps({"context": "A question", "choices": [" one", " two"], "answer": 1}) + "\n")


FITS = {  # what a command contains: the fit that it needs
    "--for ": ["--mixtures", "sized.csv", "--metrics", "sized.csv", "--mixture-columns", "w_*", "--metric-columns", "pile_cc",
               "--size-column", "model_size", "--tokens-column", "n_tokens"],
    "--weigh ": ["--mixtures", "m.csv", "--metrics", "tasks.csv", "--regressor", "ridge"],
    "--phases ": ["--mixtures", "phased.csv", "--metrics", "l.csv", "--regressor", "ridge", "--phases", "0.8,0.2"],
    "web:q0<": ["--mixtures", "tree.csv", "--metrics", "l.csv", "--regressor", "ridge"],
    "": ["--mixtures", "m.csv", "--metrics", "l.csv", "--regressor", "power"],
}


def fit_for(folder, regmix, command):
    """Puts the fit there that a command needs, unless it makes one."""
    kind = next(k for k in FITS if k in command)
    made = Path(folder, "fit/kind")
    if Path(folder, "fit/fit.json").exists():
        sized = '"scales"' in Path(folder, "fit/fit.json").read_text()  # an example may have made it
        if sized == (kind == "--for ") and (made.read_text() if made.exists() else "") == kind:
            return
    shutil.rmtree(Path(folder, "fit"), ignore_errors=True)
    candidates = Path(folder, "candidates.csv").read_text().split("\n")
    candidates[0] = ",".join(["run", *(("w_" if kind == "--for " else "") + d for d in DOMAINS)])
    Path(folder, "candidates.csv").write_text("\n".join(candidates))
    done = subprocess.run([regmix, "fit", "-q", *FITS[kind]], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        print(f"# the fit for {command}: {done.stderr}")
    else:
        made.write_text(kind)


def ready(folder, regmix, command):
    """Puts back what an earlier command changed."""
    if " exp" in command:
        shutil.rmtree(Path(folder, "exp"), ignore_errors=True)
        if not command.startswith("regmix init"):
            shutil.copytree(Path(folder, "exp-done"), Path(folder, "exp"))
    if command == "regmix correlate -C exp":  # its runs have scores
        lines = Path(folder, "exp/metrics.csv").read_text().split()
        rows = [line + "," + ("copa/bits_per_byte" if i == 0 else line.split(",")[1]) for i, line in enumerate(lines)]
        Path(folder, "exp/metrics.csv").write_text("\n".join(rows) + "\n")
    if "first.csv" in command:  # the first runs of all: there is no fit yet
        shutil.rmtree(Path(folder, "fit"))
    else:
        fit_for(folder, regmix, command)
    if not Path(folder, "optimum.yaml").exists():
        subprocess.run([regmix, "optimize", "-q", "--fit", "fit", "--target", "pile_cc", "--out", "optimum.yaml"], cwd=folder, check=True,
                       capture_output=True)


def as_run(command, folder):
    """The command over text of this test, with amounts that do not take minutes."""
    command = command.replace("/data/text", f"{folder}/data-text")
    for printed, small in SMALLER.items():
        command = command.replace(printed, small)
    return command


def main():
    regmix = str(Path(sys.argv[1]).resolve())
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    commands = [c for path in documents for c in commands_of_markdown(path)] + list(commands_of_help(regmix))
    commands = list(dict.fromkeys(commands))
    folder = tempfile.mkdtemp()
    number = failed = 0
    try:
        write_tables(folder)
        write_experiment(folder, regmix)
        Path(folder, "bin").mkdir()
        Path(folder, "bin/regmix").symlink_to(regmix)
        shutil.copytree(ROOT / "examples", Path(folder, "examples"))
        published = Path(folder, "examples/published/regmix.yaml")  # plan trains a little of each of its models
        published.write_text(re.sub(r"(vocab|context|batch_tokens|micro_tokens): \d+M?", r"\1: 512", published.read_text()))
        for name, text in (("sbatch", "echo 7"), ("squeue", ":")):  # tests/cluster has a real Slurm
            Path(folder, "bin", name).write_text(f"#!/bin/sh\n{text}\n")
            Path(folder, "bin", name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "COLUMNS": "80"}
        for command in commands:
            number += 1
            reason = next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), None)
            if reason:
                print(f"ok {number} - {command} # SKIP {reason}")
                continue
            ready(folder, regmix, command)
            began = time.monotonic()
            done = subprocess.run(["sh", "-c", as_run(command, folder)], cwd=folder, env=environment,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
            word = "ok" if done.returncode == 0 else "not ok"
            failed += done.returncode != 0
            print(f"{word} {number} - {command}\n# {time.monotonic() - began:.1f} s", flush=True)
            if done.returncode != 0:
                print(f"# exit status {done.returncode}")
                for line in done.stderr.splitlines()[-6:]:
                    print(f"# {line}")
    finally:
        shutil.rmtree(folder)
    print(f"1..{number}")
    return 1 if failed or number < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
