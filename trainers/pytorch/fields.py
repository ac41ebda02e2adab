# SPDX-License-Identifier: Apache-2.0
"""The fields that this trainer reads: of run.json, of the config.json of a model that a training
begins with, of --speed. Each has a type and a range, which are checked before any training. The
ranges of the settings are those of regmix (src/train/training.c)."""
import json
import os


class Refused(Exception):
    """The message says what was found, what was wanted, and what to do."""


class Wanted:
    def __init__(self, text, fits):
        self.text, self.fits = text, fits

    def or_null(self):
        return Wanted(self.text + ", or null", lambda x: x is None or self.fits(x))


def whole(low, high):
    return Wanted("a whole number from %d to %d" % (low, high),
                  lambda x: type(x) is int and low <= x <= high)  # True is no number


def real(low, high):
    return Wanted("a number from %g to %g" % (low, high),
                  lambda x: type(x) in (int, float) and low <= x <= high)


def choice(*names):
    return Wanted("one of " + ", ".join(names), lambda x: isinstance(x, str) and x in names)


def is_path(x):
    try:
        return isinstance(x, str) and x != "" and "\0" not in x and bool(os.fsencode(x))
    except UnicodeError:
        return False


TEXT = Wanted("text", lambda x: isinstance(x, str))
NAME = Wanted("a text that is not empty", lambda x: isinstance(x, str) and x != "")
PATH = Wanted("a path", is_path)
YES = Wanted("true or false", lambda x: isinstance(x, bool))
MAP = Wanted("a map", lambda x: isinstance(x, dict))
FULL_MAP = Wanted("a map that is not empty", lambda x: isinstance(x, dict) and bool(x))
LIST = Wanted("a list that is not empty", lambda x: isinstance(x, list) and bool(x))
COUNT = whole(0, 10**15)
SHARE = Wanted("a number from 0 to 1", real(0, 1.01).fits)  # they may be rounded; sums are checked

# {field: (what is wanted, whether it must be there)}
RUN = {"name": (NAME, True), "folder": (PATH, False), "mixture": (FULL_MAP, True),
       "domains": (FULL_MAP, True), "training": (MAP, True),
       "seed": (whole(-2**63, 2**64 - 1), True), "vocab": (whole(2, 2**31 - 1), True),
       "end_of_text": (whole(0, 2**31 - 1).or_null(), False), "tokenizer": (PATH.or_null(), False),
       "corpus": (PATH, True), "corpus_hash": (TEXT, False), "keep_model": (YES, False),
       "steering": (MAP.or_null(), False), "fingerprint": (TEXT, False),
       "phases": (LIST.or_null(), False), "init_hash": (TEXT.or_null(), False)}
DOMAIN = {"train": (PATH.or_null(), True), "valid": (PATH, True), "train_tokens": (COUNT, True),
          "valid_tokens": (COUNT, True), "train_bytes": (COUNT, False),
          "valid_bytes": (COUNT, True)}
PHASE = {"share": (SHARE, True), "mixture": (FULL_MAP, True)}
# Those that need not be there change nothing here.
TRAINING = {"init": (PATH.or_null(), True), "model": (TEXT.or_null(), True),
            "layers": (whole(0, 1024), True), "heads": (whole(0, 1024), True),
            "width": (whole(0, 65536), True), "ffn": (whole(0, 262144), True),
            "context": (whole(8, 65536), True), "tokens": (whole(1, 10**14), True),
            "batch_tokens": (whole(1, 10**9), True), "micro_tokens": (whole(1, 10**8), True),
            "lr": (real(0, 10), True), "min_lr": (real(0, 1), True), "warmup": (real(0, 1), True),
            "schedule": (choice("constant", "cosine"), True),
            "beta1": (real(0, 0.9999999), True), "beta2": (real(0, 0.9999999), True),
            "eps": (real(1e-30, 1), True), "weight_decay": (real(0, 10), True),
            "clip": (real(0, 1e9), True), "eval_tokens": (whole(0, 10**12), True),
            "eval_half": (YES, True), "evals": (whole(0, 10**6), True),
            "checkpoint_s": (real(0, 1e9), True), "threads": (whole(0, 64), False),
            "trainer": (choice("regmix", "pytorch", "command").or_null(), False),
            "command": (TEXT.or_null(), False), "timeout": (real(0, 1e9), False),
            "grace": (real(0, 1e6), False), "may_fail": (real(0, 1), False)}
SETTINGS = [key for key, (_, needed) in TRAINING.items() if needed]
SIZE = whole(1, 2**31 - 1)
# config.json has many fields more, which mean nothing here
MODEL = {"num_hidden_layers": (SIZE, True), "num_attention_heads": (SIZE, True),
         "hidden_size": (SIZE, True), "intermediate_size": (SIZE, True),
         "vocab_size": (SIZE, True), "max_position_embeddings": (SIZE, True),
         "num_key_value_heads": (SIZE.or_null(), False), "head_dim": (SIZE.or_null(), False),
         "tie_word_embeddings": (YES.or_null(), False), "rope_theta": (real(0, 1e30), False),
         "rms_norm_eps": (real(0, 1), False), "rope_parameters": (MAP.or_null(), False),
         "rope_scaling": (MAP.or_null(), False)}
SPEED = {"training": (MAP, True), "vocab": RUN["vocab"], "runs": (whole(1, 10**6), True)}


def shown(x):
    text = json.dumps(x)
    return text if len(text) <= 60 else text[:57] + "..."


def check(o, table, where, closed=True):
    """closed: a field that is not in the table is an error."""
    if not isinstance(o, dict):
        raise Refused("%s is %s; wanted a map" % (where, shown(o)))
    unknown = sorted(set(o) - set(table))
    if unknown and closed:
        raise Refused('%s: this trainer does not know "%s", so it could train something else than '
                      "what was asked for. Use the trainer of the same version as regmix"
                      % (where, '", "'.join(unknown)))
    missing = [key for key, (_, needed) in table.items() if needed and key not in o]
    if missing:
        raise Refused('%s: "%s" is missing; `regmix train` writes it'
                      % (where, '", "'.join(missing)))
    for key, x in o.items():
        if key in table and not table[key][0].fits(x):
            raise Refused('%s: "%s" is %s; wanted %s' % (where, key, shown(x), table[key][0].text))


def check_run(o, where):
    """run.json: each field alone; run.py checks what must fit together."""
    check(o, RUN, where)
    check(o["training"], TRAINING, where + ": training")
    for name, domain in o["domains"].items():
        check(domain, DOMAIN, '%s: domain "%s"' % (where, name))
    phases = o.get("phases") or []
    for phase in phases:
        check(phase, PHASE, where + ": phases")
    for weights in [o["mixture"]] + [phase["mixture"] for phase in phases]:
        check(weights, {name: (SHARE, True) for name in weights}, where + ": mixture")


def read_json(path):
    with open(path, encoding="utf-8") as file:
        try:
            return json.load(file)
        except RecursionError:
            raise ValueError("too many brackets in brackets")
