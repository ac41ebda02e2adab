#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ranks.py REGMIX [SIZE] : one model trained by 1 and by 2 ranks, and what 4 to 64 nodes would do.

Measured: seconds a step of the preset SIZE (60M), one thread a rank, by the clock and by the
processors' work. The work does not change where other programs share the machine, and leaves out
the time in which a rank waits for another one. Simulated: the same on more nodes, from the measured
work and a network that is stated. REGMIX is a build with MPI. Minutes."""
import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

CONTEXT, CHUNK = 256, 1 << 20  # CHUNK: floats, as in src/model/shards.c
SIZES = {"nano": (2, 64, 128), "mini": (3, 128, 384), "1M": (2, 256, 512), "60M": (10, 768, 1536)}
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
THREADS, MEMORY = 32, 8  # of a simulated node
NETWORKS = (("10 Gbit/s, 20 us", 10, 20e-6), ("100 Gbit/s, 5 us", 100, 5e-6))


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **ROOT}).stdout


def experiment(folder, args):
    """Words in Zipf's shares, tokenised."""
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefghijklmnop", k=5)) for _ in range(20000)]
    weights = [1 / (i + 1) for i in range(len(words))]
    for domain in ("a", "b"):
        texts = [" ".join(draw.choices(words, weights, k=200)) for _ in range(1500)]
        Path(folder, domain + ".txt").write_text("\n%\n".join(texts))
    Path(folder, "regmix.yaml").write_text(
        f"corpus: {{domains: {{a: a.txt, b: b.txt}}, vocab: {args.vocab}, max_valid_tokens: 1k}}\n"
        f"large: {{model: {args.size}, context: {CONTEXT}, batch_tokens: {args.batch}, threads: 1,\n"
        "  micro_tokens: 1024, eval_half: false, eval_tokens: 64}\n")
    run(args.regmix, "prepare", "-C", folder, "-q")


def work():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def train(folder, args, ranks, steps):
    """Seconds of each step by the clock, and all work of the processors."""
    before = work()
    run("mpirun", "-n", str(ranks), "--oversubscribe", args.regmix, "pretrain", "-C", folder, "-q",
        "--mixture", "uniform", "--redo", "--set", f"large.tokens={args.batch * steps}")
    log = Path(folder, "large", "uniform", "1", "log.jsonl").read_text().splitlines()
    run("rm", "-rf", f"{folder}/large")
    at = [json.loads(line)["wall_s"] for line in log if "loss_nats" in line]
    return [y - x for x, y in zip(at, at[1:])], work() - before


def measure(folder, args, ranks):
    """Of a step: seconds by the clock, and of the work of one rank. A short training is taken off:
    what starting costs."""
    _, short = train(folder, args, ranks, 1)
    steps, whole = train(folder, args, ranks, 1 + args.steps)
    return statistics.median(steps), (whole - short) / args.steps / ranks


def sections(size, vocab):
    """Floats of what the backward pass completes, in its order, and their share of its products."""
    layers, width, ffn = SIZES[size]
    table, layer = vocab * width, 4 * width**2 + 3 * width * ffn
    products = table + layers * layer
    return [(table + width, table / products)] + layers * [(layer + 2 * width, layer / products)] + \
        [(table, 0)]


def simulate(args, one, adamw, exchange, nodes, gbit, latency):
    """Seconds of a step on `nodes` nodes, each a rank. `one`: of one rank; `adamw`, `exchange`: its
    part, and what copying and adding up cost a rank of two. Two thirds of the computing are the
    backward pass. A piece leaves when its gradients are complete and the link of the node is free;
    the new weights go the same way after the step."""
    sequences, share = args.batch // CONTEXT, (nodes - 1) / nodes
    compute = (one - adamw) * -(-sequences // nodes) / sequences
    at, link, floats = compute / 3, 0.0, 0
    for size, part in sections(args.size, args.vocab):
        at += compute * 2 / 3 * part
        floats += size
        for piece in range(0, size, CHUNK):
            bits = min(CHUNK, size - piece) * 32 * share
            link = max(link, at) + bits / (gbit * 1e9) + latency
    back = floats * 32 * share / (gbit * 1e9) + latency * floats / CHUNK
    return max(link, at) + adamw / nodes + exchange * 2 * share + back


def simulation(args, batch, times):
    """times: of a step of args.batch tokens on one thread, of AdamW in it, and of the exchange. A
    node computes THREADS times as fast; memory, which the rest takes, is MEMORY times as fast."""
    one, adamw, exchange = times
    one = (one - adamw) * batch / args.batch / THREADS + adamw / MEMORY
    adamw, exchange, args.batch = adamw / MEMORY, exchange / MEMORY, batch
    print("\nSimulated: %d sequences of %d tokens a step, nodes of %d such threads; %.2f s on one node:\n"
          % (batch // CONTEXT, CONTEXT, THREADS, one))
    print("| nodes | " + " | ".join(n for n, _, _ in NETWORKS) + " |\n" + "| --- " * 3 + "|")
    for nodes in (4, 8, 16, 32, 64):
        times = [one / simulate(args, one, adamw, exchange, nodes, *net[1:]) for net in NETWORKS]
        print("| %d | %s |" % (nodes, " | ".join("%.1f times, %.0f %%" % (x, 100 * x / nodes) for x in times)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("regmix")
    parser.add_argument("size", nargs="?", default="60M", choices=SIZES)
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=4096, help="tokens of a step")
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    args.regmix = str(Path(args.regmix).resolve())
    rows = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        experiment(folder, args)
        for _ in range(args.rounds):
            for ranks in rows:  # in turn, so that other load falls on both
                rows[ranks].append(measure(folder, args, ranks))
    bench = json.loads(run(args.regmix, "bench", "--json", "--breakdown", "--model", args.size, "--vocab", str(args.vocab), "--seq",
                           str(CONTEXT), "--batch_tokens", str(args.batch), "--micro_tokens", "1024", "--threads", "1"))
    print("| ranks | seconds a step | work of a rank, seconds a step |\n| --- | --- | --- |")
    median = {ranks: [statistics.median(x) for x in zip(*found)] for ranks, found in rows.items()}
    for ranks, found in median.items():
        print("| %d | %.2f | %.2f |" % (ranks, *found))
    one, two = median[1][1], median[2][1]
    print("\nTwo ranks are %.2f times as fast by their work (rounds: %s), %.2f times by the clock."
          % (one / two, ", ".join("%.2f" % (a[1] / b[1]) for a, b in zip(rows[1], rows[2])),
             median[1][0] / median[2][0]))
    parts = bench["breakdown"]
    adamw = one * (parts["adamw"] + parts["clipping"])
    exchange = max(two - (one - adamw) / 2 - adamw / 2, 0)
    print("AdamW and clipping: %.0f %% of a step; copying and adding up: %.2f s a step and rank"
          % (100 * adamw / one, exchange))
    simulation(args, 1 << 17, (one, adamw, exchange))


if __name__ == "__main__":
    main()
