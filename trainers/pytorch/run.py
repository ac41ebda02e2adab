# SPDX-License-Identifier: Apache-2.0
"""A run as its run.json describes it (docs/trainer.md), and what follows from it: the sizes of the
model, the number of steps, the learning rate of each step. As src/train/training.c has it."""
import hashlib
import json
import math
import os
from itertools import accumulate

from fields import MODEL, SETTINGS, Refused, check, check_run, read_json, shown
from hub import check_tokenizer

# src/model/config.c: layers, heads, width, ffn, learning rate
PRESETS = {"nano": (2, 2, 64, 128, 6e-3), "micro": (2, 3, 96, 256, 5e-3),
           "mini": (3, 4, 128, 384, 3e-3), "midi": (4, 6, 192, 512, 2e-3),
           "1M": (2, 8, 256, 512, 4e-4), "60M": (10, 8, 768, 1536, 4e-4),
           "1B": (22, 16, 2048, 5632, 4e-4)}


class Run:
    def __init__(self, folder):
        self.path = os.path.join(folder, "run.json")
        try:
            self.json = read_json(self.path)
        except OSError as error:
            raise Refused("%s: %s. `regmix train` writes this file; give the folder of a run, such "
                          "as runs/0001" % (self.path, error.strerror))
        except ValueError as error:
            raise Refused("%s is not JSON: %s" % (self.path, error))
        self.read(folder)

    def read(self, folder):
        o = self.json
        check_run(o, self.path)
        if o.get("steering") is not None:
            method = o["steering"].get("method")
            raise Refused("%s: %s controls this training while it goes on, which only regmix's own "
                          "trainer can do; leave the method out, or set proxy.trainer: regmix"
                          % (self.path, 'the method "%s"' % method if method else '"steering"'))
        self.check_folder(folder)
        self.check_corpus()
        self.folder, self.name, self.domains = folder, o["name"], o["domains"]
        self.seed, self.corpus_vocab = o["seed"] % (1 << 64), o["vocab"]
        self.keep_model = bool(o.get("keep_model"))
        self.read_training(o["training"])
        self.read_mixture(o["mixture"])
        self.read_phases(o.get("phases") or [])
        if self.keep_model and o.get("tokenizer"):
            check_tokenizer(o["tokenizer"], o.get("end_of_text"))

    def check_folder(self, folder):
        """A run.json that was copied would have its results in a folder of another run."""
        named = self.json.get("folder", folder)
        if not os.path.isdir(named) or not os.path.samefile(named, folder):
            raise Refused('%s: "folder" is %s, which is another folder than this one. After an '
                          "experiment was moved, `regmix train` writes run.json again; in a copy, "
                          'correct "folder"' % (self.path, named))

    def check_corpus(self):
        """The tokens there are those that run.json was written for."""
        path = os.path.join(self.json["corpus"], "corpus", "corpus.json")
        wanted = self.json.get("corpus_hash")
        if wanted is None or not os.path.exists(path):
            return
        try:
            there = read_json(path).get("hash")
        except (OSError, ValueError, AttributeError) as error:
            raise Refused("%s: %s cannot be read: %s" % (self.path, path, error))
        if there is not None and there != wanted:
            raise Refused('%s: "corpus_hash" is %s, but the corpus in %s has %s: the tokens are of '
                          "another corpus. `regmix train` writes run.json again"
                          % (self.path, shown(wanted), self.json["corpus"], shown(there)))

    def read_training(self, t):
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
        path = os.path.join(folder, "config.json")
        try:
            c = read_json(path)
        except (OSError, ValueError) as error:
            raise Refused("%s: init: no config.json can be read in %s: %s"
                          % (self.path, folder, error))
        check(c, MODEL, path, closed=False)
        heads, width = c["num_attention_heads"], c["hidden_size"]
        scaling = c.get("rope_parameters") or c.get("rope_scaling") or {}
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        base = scaling.get("rope_theta", c.get("rope_theta", 10000))
        if not MODEL["rope_theta"][0].fits(base):
            raise Refused("%s: rope_theta is %s; wanted a number" % (path, shown(base)))
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
        if self.vocab < self.corpus_vocab:
            raise Refused('%s: "vocab" is %d, more than the %d tokens of the model in %s'
                          % (self.path, self.corpus_vocab, self.vocab, folder))

    def weights_of(self, mixture, where):
        weights = [float(w) for w in mixture.values()]
        if not abs(sum(weights) - 1) <= 0.01:
            raise Refused("%s: the weights of %s sum to %g, wanted 1"
                          % (self.path, where, sum(weights)))
        return weights

    def read_mixture(self, mixture):
        self.names, self.mixture = list(mixture), self.weights_of(mixture, "the mixture")
        total = sum(self.mixture)
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
            if list(phase["mixture"]) != self.names:
                raise Refused("%s: the domains of a phase are not those of the mixture" % self.path)
            weights = self.weights_of(phase["mixture"], "a phase")
            if any(w > 0 and not mean > 0 for w, mean in zip(weights, self.mixture)):
                raise Refused("%s: a phase has a domain that the mixture, the mean of the phases, "
                              "has not" % self.path)
            self.phases.append((phase["share"], weights))
        shares = sum(share for share, _ in self.phases)
        if phases and not abs(shares - 1) <= 0.01:
            raise Refused("%s: the shares of the phases sum to %g, wanted 1" % (self.path, shares))
        ends = [math.floor(x * self.steps + 0.5) for x in accumulate(s for s, _ in self.phases)]
        if phases and any(a >= b for a, b in zip([0] + ends[:-1], ends[:-1] + [self.steps])):
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
        t = {k: self.t[k] for k in SETTINGS if k != "checkpoint_s"}
        return json.dumps([self.json.get("corpus_hash"), self.vocab, self.names, self.domains, t])

    def question(self):
        """What the answer depends on, as 16 digits: of checkpoints and results."""
        no = ("checkpoint_s", "micro_tokens", "evals")  # only how the work is cut up, and the log
        t = {k: self.t[k] for k in SETTINGS if k not in no}
        if t.pop("init"):
            t["init"] = self.json.get("init_hash")
        asked = [self.json.get("corpus_hash"), self.vocab, self.names, self.mixture, self.seed, t]
        asked += [self.phases] if self.phases else []
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]

    def is_done(self):
        """result.json is there, and this trainer wrote it for this very run."""
        try:
            result = read_json(os.path.join(self.folder, "result.json"))
            kept = any(os.path.exists(os.path.join(self.folder, name))
                       for name in ("model.safetensors", "model.bin"))  # .bin: version 0.1.0
            keeps = self.keep_model and result["status"] == "done"  # one that diverged has no model
            return result["made_by"]["question"] == self.question() and (kept or not keeps)
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
