# SPDX-License-Identifier: Apache-2.0
"""A run as its run.json describes it (docs/trainer.md), and what follows from it: the sizes of the
model, the number of steps, the learning rate of each step. As src/train/training.c has it."""
import hashlib
import json
import math
import os


class Refused(Exception):
    """The message says what was found, what was wanted, and what to do."""


# src/model/config.c: layers, heads, width, ffn, learning rate
PRESETS = {"nano": (2, 2, 64, 128, 6e-3), "micro": (2, 3, 96, 256, 5e-3),
           "mini": (3, 4, 128, 384, 3e-3), "midi": (4, 6, 192, 512, 2e-3),
           "1M": (2, 8, 256, 512, 4e-4), "60M": (10, 8, 768, 1536, 4e-4),
           "1B": (22, 16, 2048, 5632, 4e-4)}
FIELDS = {"name", "folder", "mixture", "domains", "training", "seed", "vocab", "end_of_text",
          "tokenizer", "corpus", "corpus_hash", "keep_model", "steering", "fingerprint",
          "phases", "init_hash"}
# The keys of `training`; False: it changes nothing here.
TRAINING = {"init": True, "model": True, "layers": True, "heads": True, "width": True, "ffn": True,
            "context": True, "tokens": True, "batch_tokens": True, "micro_tokens": True, "lr": True,
            "min_lr": True, "warmup": True, "schedule": True, "beta1": True, "beta2": True,
            "eps": True, "weight_decay": True, "clip": True, "eval_tokens": True,
            "eval_half": True, "evals": True, "checkpoint_s": True, "threads": False,
            "trainer": False, "command": False, "timeout": False, "grace": False,
            "may_fail": False}


def refuse_unknown(found, known, where):
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise Refused('%s: this trainer does not know "%s", so it could train something else than '
                      "what was asked for. Use the trainer of the same version as regmix"
                      % (where, '", "'.join(unknown)))


class Run:
    def __init__(self, folder):
        self.path = os.path.join(folder, "run.json")
        try:
            with open(self.path) as file:
                self.json = json.load(file)
        except OSError as error:
            raise Refused("%s: %s. `regmix train` writes this file; give the folder of a run, such "
                          "as runs/0001" % (self.path, error.strerror))
        except ValueError as error:
            raise Refused("%s is not JSON: %s" % (self.path, error))
        self.read(folder)

    def read(self, folder):
        o = self.json
        if not isinstance(o, dict):
            raise Refused("%s: wanted a map" % self.path)
        refuse_unknown(o, FIELDS, self.path)
        for key in ("name", "mixture", "domains", "training", "seed", "vocab", "corpus"):
            if o.get(key) is None:
                raise Refused('%s: "%s" is missing; `regmix train` writes it' % (self.path, key))
        if o.get("steering") is not None:
            raise Refused('%s: the method "%s" controls this training while it goes on, which only '
                          "regmix's own trainer can do; leave the method out, or set "
                          "proxy.trainer: regmix" % (self.path, o["steering"].get("method")))
        refuse_unknown(o["training"], TRAINING, self.path + ": training")
        self.folder, self.name, self.domains = folder, o["name"], o["domains"]
        self.seed, self.corpus_vocab = o["seed"] % (1 << 64), o["vocab"]
        self.keep_model = bool(o.get("keep_model"))
        self.read_training(o["training"])
        self.read_mixture(o["mixture"])
        self.read_phases(o.get("phases") or [])

    def read_training(self, t):
        missing = sorted(k for k, used in TRAINING.items() if used and k not in t)
        if missing:
            raise Refused('%s: training has no "%s"; `regmix train` writes it'
                          % (self.path, '", "'.join(missing)))
        self.t = t
        preset = PRESETS.get(t["model"])
        if t["model"] is not None and not preset:
            raise Refused('%s: no preset "%s"; there are: %s'
                          % (self.path, t["model"], ", ".join(PRESETS)))
        own = [t[k] for k in ("layers", "heads", "width", "ffn")]
        self.vocab, self.longest = self.corpus_vocab, t["context"]
        if t["init"]:
            preset = None
            self.read_init(t["init"])
        else:
            self.sizes = [mine or theirs for mine, theirs in zip(own, preset or (0, 0, 0, 0))]
        layers, heads, width, ffn = self.sizes
        if not all(self.sizes) or width % heads or width // heads % 2:
            raise Refused("%s: a model of %d layers, %d heads, width %d and ffn %d; give a preset, "
                          "or all four, the width a multiple of heads times an even number"
                          % (self.path, layers, heads, width, ffn))
        self.context = t["context"]
        self.batch = max(t["batch_tokens"] // self.context, 1)  # sequences of a step
        self.micro = min(max(t["micro_tokens"] // self.context, 1), self.batch)
        self.step_tokens = self.batch * self.context
        self.steps = max(-(-int(t["tokens"]) // self.step_tokens), 1)
        self.half = self.steps // 2 if t["eval_half"] else -1
        as_preset = preset and not (t["layers"] or t["width"] or t["ffn"])
        self.lr = t["lr"] if t["lr"] > 0 else preset[4] if as_preset else \
            min(max(1 / math.sqrt(self.body_parameters()), 4e-4), 6e-3)

    def read_init(self, folder):
        """The sizes of the model in the folder; regmix has checked the rest of it."""
        try:
            with open(os.path.join(folder, "config.json")) as file:
                c = json.load(file)
        except (OSError, ValueError) as error:
            raise Refused("%s: init: no config.json can be read in %s: %s"
                          % (self.path, folder, error))
        heads, width = c["num_attention_heads"], c["hidden_size"]
        scaling = c.get("rope_parameters") or c.get("rope_scaling") or {}
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        base = scaling.get("rope_theta", c.get("rope_theta", 10000))
        missing = [what for what, there in (
            ("grouped-query attention", c.get("num_key_value_heads", heads) != heads),
            ("heads of another width", (c.get("head_dim") or width // heads) * heads != width),
            ("tied embeddings", c.get("tie_word_embeddings")),
            ("scaled positions (%s)" % kind, kind != "default"),
            ("rope_theta %g" % base, base != 10000),
            ("rms_norm_eps %g" % c.get("rms_norm_eps", 1e-6), c.get("rms_norm_eps", 1e-6) != 1e-5),
        ) if there]
        if missing:
            raise Refused("%s: init: the model in %s has %s, which this trainer does not have; set "
                          "proxy.trainer: regmix, which has it"
                          % (self.path, folder, ", ".join(missing)))
        self.sizes = [c["num_hidden_layers"], heads, width, c["intermediate_size"]]
        self.vocab, self.longest = c["vocab_size"], c["max_position_embeddings"]

    def read_mixture(self, mixture):
        self.names, self.mixture = list(mixture), [float(w) for w in mixture.values()]
        total = sum(self.mixture)
        if not all(w >= 0 for w in self.mixture) or not abs(total - 1) <= 0.01:
            raise Refused("%s: the weights of the mixture sum to %g, wanted 1, each 0 or more"
                          % (self.path, total))
        if abs(total - 1) > 1e-9:
            self.mixture = [w / total for w in self.mixture]
        for name, weight in zip(self.names, self.mixture):
            domain = self.domains.get(name)
            if weight > 0 and (not domain or domain["train"] is None):
                raise Refused('%s: the mixture has "%s", which has no tokens to train on'
                              % (self.path, name))
            if weight > 0 and domain["train_tokens"] <= self.context:
                raise Refused('%s: domain "%s" has %d training tokens; a sequence needs %d: '
                              "shorten the context, give the domain more text, or leave it out "
                              "of the mixture"
                              % (self.path, name, domain["train_tokens"], self.context + 1))

    def read_phases(self, phases):
        """[(share of the steps, mixture)], one after the other; none: one mixture."""
        self.phases = []
        for phase in phases:
            refuse_unknown(phase, {"share", "mixture"}, self.path + ": phases")
            if list(phase["mixture"]) != self.names:
                raise Refused("%s: the domains of a phase are not those of the mixture" % self.path)
            self.phases.append((phase["share"], [float(w) for w in phase["mixture"].values()]))
        seen = {self.phase_at(step) for step in range(self.steps)} if phases else set()
        if len(seen) < len(phases):
            raise Refused("%s: %d steps are too few for its %d phases; raise the tokens, or lower "
                          "batch_tokens" % (self.path, self.steps, len(phases)))

    def phase_at(self, step):
        before = 0.0
        for k, (share, _) in enumerate(self.phases[:-1]):
            before += share
            if step < math.floor(before * self.steps + 0.5):
                return k
        return max(len(self.phases) - 1, 0)

    def mixture_at(self, step):
        return self.phases[self.phase_at(step)][1] if self.phases else self.mixture

    def together(self):
        """Runs for which this is the same can be stacked."""
        t = {k: self.t[k] for k, used in TRAINING.items() if used and k != "checkpoint_s"}
        return json.dumps([self.json.get("corpus_hash"), self.vocab, self.names, self.domains, t])

    def question(self):
        """What the answer depends on, as 16 digits: of checkpoints and results."""
        no = ("checkpoint_s", "micro_tokens", "evals")  # only how the work is cut up, and the log
        t = {k: self.t[k] for k, used in TRAINING.items() if used and k not in no}
        if t.pop("init"):
            t["init"] = self.json.get("init_hash")
        asked = [self.json.get("corpus_hash"), self.vocab, self.names, self.mixture, self.seed, t]
        asked += [self.phases] if self.phases else []
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

    def is_done(self):
        """result.json is there, and this trainer wrote it for this very run."""
        try:
            with open(os.path.join(self.folder, "result.json")) as file:
                made_by = json.load(file)["made_by"]
            kept = any(os.path.exists(os.path.join(self.folder, name))
                       for name in ("model.safetensors", "model.bin"))  # .bin: version 0.1.0
            return made_by["question"] == self.question() and (not self.keep_model or kept)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def body_parameters(self):
        layers, _, width, ffn = self.sizes
        return layers * (4 * width * width + 3 * width * ffn + 2 * width) + width

    def parameters(self):
        return self.body_parameters() + 2 * self.vocab * self.sizes[2]

    def flop_per_token(self):
        layers, _, width, ffn = self.sizes
        products = layers * (4 * width * width + 3 * width * ffn) + self.vocab * width
        return 6 * products + 6 * layers * self.context * width

    def lr_of(self, step):
        warm = math.ceil(self.t["warmup"] * self.steps)
        if step < warm:
            return self.lr * (step + 1) / warm
        if self.t["schedule"] == "constant" or self.steps <= warm:
            return self.lr
        low, done = self.t["min_lr"], (step - warm) / (self.steps - warm)
        return self.lr * (low + (1 - low) * 0.5 * (1 + math.cos(math.pi * done)))

    def evaluation_due(self, step):
        evals = self.t["evals"]
        return step * evals // self.steps > (step - 1) * evals // self.steps

    def valid_tokens(self, domain):
        n, most = max(self.domains[domain]["valid_tokens"] - 1, 0), self.t["eval_tokens"]
        return min(n, most) if most > 0 else n
