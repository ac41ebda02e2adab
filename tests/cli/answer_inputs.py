# SPDX-License-Identifier: Apache-2.0
"""The files that the commands of tests/cli/answers read: a function for each file of answers."""
import json
import random

from small_experiment import CONFIG, Experiment

DOMAINS = ["web:news", "web:forum", "code", "books"]


def put(folder, **texts):
    for name, text in texts.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")


def mixture(draw, n, strength=1.0):
    w = [draw.gammavariate(strength, 1) for _ in range(n)]
    return [x / sum(w) for x in w]


def rows(head, values):
    return "\n".join([head] + [",".join([name, *(f"{x:.9g}" for x in v)]) for name, v in values]) + "\n"


def measured(draw, w, noise=1.0):
    """Three losses, an accuracy and a measure that is mostly noise."""
    gauss = lambda s: draw.gauss(0, s * noise)
    return [3 - sum(a * x ** 0.5 for a, x in zip((0.5, 0.4, 0.2, 0.3), w)) + gauss(0.01), 2.5 - 0.8 * w[2] ** 0.5 + 0.4 * w[3] ** 2 + gauss(0.01),
            2 + 0.5 * (w[3] - 0.4) ** 2 - 0.2 * w[0] * w[1] + gauss(0.01), 0.3 + 0.3 * w[2] * w[3] + 0.1 * w[0] + gauss(0.005),
            1 + gauss(0.1)]


METRICS = "run,news_loss,code_loss,books_loss,exam_acc,odd_bpb"


def tables(folder, runs=36):
    """A swarm of one size, runs it has not seen, and what options read."""
    draw = random.Random(11)
    x, y = [], []
    for i in range(runs):
        w = x[-1][1] if i in (9, 17, 25) else mixture(draw, 4)  # equal runs show the noise
        x.append((f"r{i}", w))
        y.append((f"r{i}", measured(draw, w)))
    put(folder, m_csv=rows("run," + ",".join(DOMAINS), x), l_csv=rows(METRICS, y))
    seen = [(f"t{i}", mixture(draw, 4)) for i in range(7)]
    put(folder, t_csv=rows("run," + ",".join(DOMAINS), seen), u_csv=rows(METRICS, [(n, measured(draw, w)) for n, w in seen]))
    put(folder, prior_yaml="web:news: 0.4\nweb:forum: 0.3\ncode: 0.2\nbooks: 0.1\n", other_yaml="web:news: 0.1\nweb:forum: 0.1\ncode: 0.4\nbooks: 0.4\n",
        tokens_yaml="web:news: 40G\nweb:forum: 30G\ncode: 2G\nbooks: 1500M\n",
        pending_csv=rows("run," + ",".join(DOMAINS), [("r36", [0.1, 0.2, 0.3, 0.4]), ("r37", [0.4, 0.1, 0.1, 0.4])]))


def sizes(folder):
    """Runs of three sizes and two lengths; fewer of the largest."""
    draw = random.Random(12)
    out = []
    for size, tokens, runs in (("20M", "400M", 14), ("20M", "1G", 14), ("60M", "1.2G", 14), ("200M", "4G", 5)):
        n, t = float(size[:-1]) * 1e6, float(tokens[:-1]) * (1e9 if tokens[-1] == "G" else 1e6)
        for i in range(runs):
            w = mixture(random.Random(100 + i), 4)
            level = 1.2 + 30 / n ** 0.3 + 100 / t ** 0.3
            a, b = measured(draw, w)[:2]
            out.append(f"r{i},{size},{tokens}," + ",".join(f"{x:.9g}" for x in w) + f",{level * (0.7 + a / 10):.6f},{level + b / 4:.6f}")
    head = "run,size,tokens," + ",".join(DOMAINS) + ",news_loss,code_loss"
    put(folder, s_csv="\n".join([head] + out) + "\n", prior_yaml="web:news: 0.4\nweb:forum: 0.3\ncode: 0.2\nbooks: 0.1\n")
    seen = [f"t{i},200M,4G," + ",".join(f"{x:.9g}" for x in mixture(draw, 4)) + f",{2.5 + i / 50},{2.6 - i / 40}" for i in range(5)]
    put(folder, t_csv="\n".join([head] + seen) + "\n")


def phases(folder):
    """Runs of two phases of three domains: what is late counts more."""
    draw = random.Random(13)
    x, y = [], []
    for i in range(40):
        first, last = mixture(draw, 3), mixture(draw, 3)
        w = [0.4 * a + 1.2 * b for a, b in zip(first, last)]
        x.append((f"r{i}", first + last))
        y.append((f"r{i}", [3 - 0.5 * w[0] ** 0.5 - 0.3 * w[1] ** 0.5 - 0.2 * w[2] ** 0.5 + draw.gauss(0, 0.005), 2 - 0.4 * w[2] ** 0.5 + draw.gauss(0, 0.005)]))
    names = [f"phase_{k}_{d}" for k in (0, 1) for d in ("web", "code", "math")]
    put(folder, m_csv=rows("run," + ",".join(names), x), l_csv=rows("run,all_loss,math_loss", y), given_yaml="web: 0.5\ncode: 0.3\nmath: 0.2\n",
        prior_yaml="web: 0.6\ncode: 0.3\nmath: 0.1\n", tokens_yaml="web: 50G\ncode: 20G\nmath: 1G\n")


def mixtures(folder):
    """Tables and mixtures for what needs no fit."""
    tables(folder, 8)
    draw = random.Random(14)
    put(folder, new_yaml="web:news: 0.3\nweb:forum: 0.25\ncode: 0.2\nbooks: 0.15\nmath: 0.1\n", tree_yaml="a:x:q0: 0.2\na:x:q1: 0.1\na:y: 0.3\nb: 0.4\n",
        half_csv=rows("run,a,b,c", [(f"r{i}", [0.3 * w, 0.7 * w + (0.01 if i == 2 else 0), 1 - w - (0.01 if i == 2 else 0)])
                                    for i, w in enumerate((0.5, 0.2, 0.9, 0, 1))] + [("odd", mixture(draw, 3))]),
        stages_yaml="mixture:\n  web: 0.5\n  code: 0.5\nphases:\n  shares: [0.75, 0.25]\n  mixtures:\n    - {web: 0.6, code: 0.4}\n    - {web: 0.2, code: 0.8}\n")


# What the page has of its own: the rest is in the files, which other commands print.
PAGE = """\
import json, re, sys
data = json.loads(re.search(r'id="data">(.*?)</script>', sys.stdin.read(), re.S).group(1))
print(json.dumps({k: v for k, v in data.items() if k not in ("fit", "optimum", "corpus", "comparison")}))
"""


def experiment(folder):
    """The experiment of small_experiment.py, and a task."""
    folder.rmdir()
    Experiment("", str(folder), CONFIG)
    draw = random.Random(15)
    with open(folder / "quiz.jsonl", "w", encoding="utf-8") as f:
        for i in range(12):
            words = [f"{draw.choice(['red', 'green'])}{draw.randrange(30)}" for _ in range(6)]
            f.write(json.dumps({"context": " ".join(words[:3]), "choices": [" " + words[3], " " + words[4]], "answer": i % 2}) + "\n")
    (folder / "empty").mkdir()
    put(folder, page_py=PAGE, ids_txt="5 6 7 8\n9 10\n", note_txt="red1 one2 x3\nÄpfel\n")


def variants(folder):
    """Experiments with phases, with swarms of two sizes, and with tasks."""
    experiment(folder)
    text = (folder / "regmix.yaml").read_text()
    (folder / "regmix.yaml").unlink()
    small = text.replace("layers: 1, heads: 2, width: 16, ffn: 32, ", "layers: 1, heads: 1, width: 8, ffn: 16, ", 1)  # the proxies
    for name, config in (("phased", text.replace("runs: 8", "runs: 10, phases: [0.75, 0.25]")),
                         ("swarms", small.replace("compare:", "swarms:\n  larger: {width: 16, heads: 2, ffn: 32, tokens: 3k, runs: 5}\ncompare:").replace(
                             "fit: {regressor: ridge}", "fit: {regressor: scaling}")),
                         ("tasks", text + "eval: {tasks: [../quiz.jsonl, ../text/c.jsonl], limit: 8}\n"),
                         ("repeated", text.replace("max_epochs: 0", "max_epochs: 4").replace("compare:", "corpus_budget:\ncompare:").replace("corpus_budget:\n", "")
                          .replace("large: {", "large: {").replace("tokens: 2k", "tokens: 20k", 2).replace("tokens: 20k", "tokens: 2k", 1))):
        (folder / name).mkdir()
        (folder / name / "text").symlink_to("../text")
        (folder / name / "regmix.yaml").write_text(config)


def corpora(folder):
    """Text in several formats, with fields, addresses, duplicates, and bytes that are wrong."""
    draw = random.Random(17)
    words = "red green blue one two three stone river cloud paper light early never house garden".split()
    sentence = lambda n: " ".join(draw.choice(words) for _ in range(n))
    (folder / "text").mkdir()
    with open(folder / "text" / "all.jsonl", "w", encoding="utf-8") as f:
        for i in range(240):
            text = sentence(30)
            host = ["a.example.com", "b.example.com", "other.org", "www.Third.co.uk", "x.third.co.uk"][i * i % 5]
            item = {"text": text, "url": f"https://{host}/p/{i}", "meta": {"source": ["news", "forum", "books"][i % 3], "lang": "en" if i % 4 else "de"}}
            if i == 7:
                del item["meta"]
            if i == 8:
                item["text"] = ""
            if i == 9:
                del item["text"]
            f.write(json.dumps(item) + "\n")
            if i in (20, 40, 60):
                f.write(json.dumps(item) + "\n")  # a duplicate
            if i in (30, 50):
                f.write(json.dumps({**item, "text": text.rsplit(" ", 1)[0] + " end"}) + "\n")  # nearly
    (folder / "files").mkdir()
    (folder / "files" / "code").mkdir()
    for i in range(12):
        (folder / "files" / "code" / f"f{i}.py").write_text(f"def f{i}(x):\n    return x + {i}\n\n\n# {sentence(8)}\n")
    (folder / "files" / "fortunes.txt").write_text("\n%\n".join(sentence(9) for _ in range(30)) + "\n")
    (folder / "files" / "table.csv").write_text("id,text\n" + "".join(f'{i},"{sentence(12)}, ""{i}"""\n' for i in range(40)))
    (folder / "files" / "latin.txt").write_bytes("\n%\n".join(f"{sentence(6)} caf\u00e9 {i}" for i in range(25)).encode("latin-1"))
    (folder / "files" / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (folder / "files" / "bad.jsonl").write_text("".join('{"text": "%s"}\n' % sentence(10) if i != 5 else '{"text": \n' for i in range(30)))
    put(folder, line_txt="red1 green\n\u00c4pfel  und\tBirnen\n", empty_txt="")


def imports(folder):
    """Six runs in the formats of other programs."""
    draw = random.Random(16)
    runs = [(f"r{i}", mixture(draw, 3), [round(3 + i / 10 - i * i / 50, 3), round(0.3 + i / 20, 3)]) for i in range(6)]
    put(folder, plain_csv=rows("run,a,b,c", [(n, w) for n, w, _ in runs]), scores_csv=rows("run,x_loss,y_acc", [(n, y) for n, _, y in runs]))
    put(folder, long_csv="run,domain,weight\n" + "".join(f"{n},{d},{x:.6f}\n" for n, w, _ in runs for d, x in zip("abc", w)))
    put(folder, percent_csv=rows("run,a,b,c", [(n, [100 * x for x in w]) for n, w, _ in runs]))
    put(folder, wandb_csv='"Name","State","config.mix.a","config.mix.b","config.mix.c","eval/x_loss","eval/y_acc","_step"\n' + "".join(
        f'"{n}","{"finished" if n != "r5" else "crashed"}",{w[0]:.6f},{w[1]:.6f},{w[2]:.6f},{y[0]},{y[1]},{100 + i}\n' for i, (n, w, y) in enumerate(runs)))
    put(folder, mlflow_csv="Start Time,Duration,Run ID,Name,params.w.a,params.w.b,params.w.c,metrics.x_loss,metrics.y_acc\n" + "".join(
        f"2026-01-0{i + 1},1h,{i:032x},{n},{w[0]:.6f},{w[1]:.6f},{w[2]:.6f},{y[0]},{y[1]}\n" for i, (n, w, y) in enumerate(runs)))
    put(folder, twice_csv=rows("run,x_loss,y_acc", [(n, [v + k / 50 for v in y]) for n, _, y in runs for k in range(1 + (n in ("r1", "r2")))]))
    put(folder, holes_csv="run,x_loss,y_acc\n" + "".join(f"{n},{'' if n == 'r3' else y[0]},{'nan' if n == 'r1' else y[1]}\n" for n, _, y in runs))
    put(folder, other_csv=rows("run,z_loss", [(n, [y[0] * 2]) for n, _, y in runs[1:]] + [("r9", [1.0])]))
    for name in ("yaml", "blends", "harness", "light", "olmes"):
        (folder / name).mkdir()
    for i, (n, w, y) in enumerate(runs):
        (folder / "yaml" / f"n{i + 1}.yaml").write_text("train:\n" + "".join(f"  {d}: {x:.6f}\n" for d, x in zip("abc", w)))
        (folder / "blends" / f"r{i}.txt").write_text(" ".join(f"{x:.6f} data/{d}_text_document" for d, x in zip("abc", w)) + "\n")
        (folder / "harness" / n).mkdir()
        (folder / "harness" / n / "results_2026-01-01.json").write_text(json.dumps(
            {"results": {"arc": {"alias": "arc", "acc,none": y[1], "acc_stderr,none": 0.01, "acc_norm,none": y[1] / 2}, "text": {"bits_per_byte,none": y[0] / 3}},
             "higher_is_better": {"arc": {"acc": True, "acc_norm": True}, "text": {"bits_per_byte": False}}, "n-shot": {"arc": 5}}))
        (folder / "light" / n).mkdir()
        (folder / "light" / n / "results_2026.json").write_text(json.dumps(
            {"config_general": {"model_name": n}, "results": {"lighteval|arc:easy|25|0": {"acc": y[1], "acc_stderr": 0.02}, "all": {"acc": y[1]}}}))
        (folder / "olmes" / n).mkdir()
        task = {"task_name": "arc_easy", "metrics": {"primary_score": y[1], "acc_raw": y[1] - 0.1, "bits_per_byte": y[0], "num_instances": 7}, "task_config": {"primary_metric": "acc_raw", "num_shots": 5}}
        (folder / "olmes" / n / "metrics.json").write_text(json.dumps({"tasks": [task, task] + [{**task, "task_name": "boolq"}]}))


def refusals(folder):
    """A good swarm and a fit, and files that are wrong in one place each."""
    tables(folder, 12)
    lines = (folder / "m.csv").read_text().splitlines()
    wrong = {
        "empty": "", "head": lines[0] + "\n", "short": "\n".join(lines[:3] + [lines[3].rsplit(",", 1)[0]]), "word": "\n".join(lines[:2] + ["x,a,0.2,0.3,0.4"]),
        "negative": "\n".join(lines[:2] + ["x,-0.1,0.3,0.4,0.4"]), "sum": "\n".join(lines[:2] + ["x,0.1,0.3,0.4,0.1"]), "twice": "\n".join(lines[:3] + [lines[2]]),
        "column": "run,a,a,b\nr0,0.1,0.2,0.7\n", "quote": 'run,a,b\nr0,0.5,"0.5\n', "infinite": "run,a,b\nr0,inf,0.5\n", "unnamed": "run,a,\nr0,0.5,0.5\n", "blank": "run,a,b\n,0.5,0.5\n",
        "runs": "\n".join([lines[0]] + ["q" + x for x in lines[1:]]), "zero": "run,a,b\nr0,0,0\n",
    }
    for name, text in wrong.items():
        (folder / f"{name}.csv").write_text(text + ("" if text.endswith("\n") or not text else "\n"), encoding="utf-8")
    mixtures_ = {"list": "- 1\n", "no-sum": "a: 0.2\nb: 0.2\n", "minus": "a: 1.2\nb: -0.2\n", "text": "a: much\n", "key-twice": "a: 0.5\na: 0.5\n", "nothing": "", "broken": "a: [0.5\n",
                 "other-names": "web:news: 0.5\ncodes: 0.5\n", "part": "web:news: 0.5\ncode: 0.5\n"}
    for name, text in mixtures_.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


MAKE = {"experiment": experiment, "fits": tables, "imports": imports, "methods": experiment, "mixtures": mixtures, "optima": tables, "phases": phases,
        "refusals": refusals, "sizes": sizes, "variants": variants, "corpora": corpora}
