# SPDX-License-Identifier: Apache-2.0
"""An experiment of a second, for the tests that are written in Python, and their TAP."""
import json
import os
import random
import subprocess
import sys
import tempfile

CONFIG = """\
corpus:
  domains:
    a: text/a.jsonl
    b: text/b.jsonl
    c: text/c.jsonl
    exam: {files: text/exam.jsonl, valid_only: true}
  vocab: 300
target: exam
sample: {runs: 8, max_epochs: 0}
proxy: {MODEL}
large: {MODEL}
fit: {regressor: ridge}
compare: {seeds: 2}
optimize: {starts: 2}
jobs: 1
""".replace("MODEL", "layers: 1, heads: 2, width: 16, ffn: 32, model: nano, context: 16, tokens: 2k, batch_tokens: 256, "
            "micro_tokens: 256, threads: 1")

count = {"tests": 0, "failed": 0}


def ok(good, name, why=""):
    count["tests"] += 1
    count["failed"] += not good
    print(f"{'ok' if good else 'not ok'} {count['tests']} - {name}", flush=True)
    if not good:
        print("# " + str(why).replace("\n", "\n# "), flush=True)


def tests(do):
    """Calls do(REGMIX, folder), where REGMIX is the first argument of the program. Its exit code."""
    with tempfile.TemporaryDirectory() as scratch:
        do(os.path.abspath(sys.argv[1]), f"{scratch}/exp")
    print(f"1..{count['tests']}")
    return 1 if count["failed"] else 0


class Experiment:
    """Four domains of 150 short documents each, of which `exam` is the target."""

    def __init__(self, regmix, folder, config=CONFIG):
        self.regmix, self.folder = regmix, folder
        draw = random.Random(1)
        os.makedirs(f"{folder}/text")
        stems = {"a": ["red", "green", "blue"], "b": ["one", "two"], "c": ["x", "yz", "q"], "exam": ["red", "one", "green"]}
        for name, words in stems.items():
            with open(f"{folder}/text/{name}.jsonl", "w", encoding="utf-8") as f:
                for _ in range(150):
                    f.write('{"text": "%s"}\n' % " ".join(f"{draw.choice(words)}{draw.randrange(30)}" for _ in range(12)))
        self.put("regmix.yaml", config)

    def put(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, name):
        with open(f"{self.folder}/{name}", encoding="utf-8") as f:
            return json.load(f)

    def call(self, *arguments, before=()):
        done = subprocess.run([*before, self.regmix, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def json(self, *arguments, settings=()):
        """What a command prints as JSON; the message of its error if it prints none."""
        code, out, said = self.call(*arguments, "--json", *(x for s in settings for x in ("--set", s)))
        tree = json.loads(out) if out else {}
        return said if "error" in tree or not tree else tree

    def would(self, command, *settings):
        """{step: what} that a dry run would do, or the message of the error."""
        tree = self.json(command, "--dry-run", settings=settings)
        return tree if isinstance(tree, str) else {s["step"]: s["what"] for s in tree["steps"] if s["to_do"]}

    def results(self):
        return sorted(f"{self.folder}/runs/{name}/result.json" for name in os.listdir(f"{self.folder}/runs"))
