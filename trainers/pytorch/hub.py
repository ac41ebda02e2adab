# SPDX-License-Identifier: Apache-2.0
"""A model as Hugging Face's library keeps a Llama: model.safetensors, config.json, the tokenizer
and the small files beside it. src/model/lm/write.c and src/model/checkpoint.c write the same."""
import ctypes
import functools
import json
import os
import struct

import torch

from fields import Refused, read_json
from xxh3 import xxh3

NAMES = {"embedding": "model.embed_tokens", "norm": "model.norm", "head": "lm_head",
         "attention.norm": "input_layernorm", "attention.wq": "self_attn.q_proj",
         "attention.wk": "self_attn.k_proj", "attention.wv": "self_attn.v_proj",
         "attention.wo": "self_attn.o_proj", "ffn.norm": "post_attention_layernorm",
         "ffn.gate": "mlp.gate_proj", "ffn.up": "mlp.up_proj", "ffn.down": "mlp.down_proj"}
ZEROS = "0" * 16


def write_whole(path, parts):
    """Under another name at first: the file is whole, or it is not there."""
    temporary = path + ".tmp-%d" % os.getpid()
    with open(temporary, "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def memory_of(tensor):
    """The bytes of a contiguous tensor on the CPU, without a copy (numpy may not be installed)."""
    size = tensor.numel() * tensor.element_size()
    return (ctypes.c_char * size).from_address(tensor.data_ptr())


def hub_name(name):
    if not name.startswith("layers."):
        return NAMES[name] + ".weight"
    _, layer, rest = name.split(".", 2)
    return "model.layers.%s.%s.weight" % (layer, NAMES[rest])


def write_tensors(path, run, weights):
    """The hash is of all that follows, and its seed is that of what is before, with zeros for its
    own digits."""
    layers, heads, width, ffn = run.sizes
    config = {"layers": layers, "heads": heads, "width": width, "ffn": ffn, "vocab": run.vocab,
              "context": run.longest, "rope_base": 10000.0, "norm_eps": 1e-5}
    own = json.dumps({"config": config, "step": run.steps, "state": False})
    header, at = {"__metadata__": {"xxh3": ZEROS, "format": "pt", "regmix": own}}, 0
    for name, w in weights.items():
        end = at + 4 * w.numel()
        header[hub_name(name)] = {"dtype": "F32", "shape": list(w.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    size = (8 + len(text) + 63) // 64 * 64 - 8
    front = struct.pack("<Q", size) + text.ljust(size)
    floats = torch.cat([w.reshape(-1) for w in weights.values()]).view(torch.uint8)
    digits = "%016x" % xxh3(floats, xxh3(front))
    write_whole(path, [front.replace(ZEROS.encode(), digits.encode(), 1), memory_of(floats)])
    return digits


def read_file(path, found):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    front = 8 + struct.unpack("<Q", data[:8])[0]
    for name, entry in json.loads(bytes(data[8:front])).items():
        dtype = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}.get(
            entry.get("dtype"))
        if dtype:
            start, end = entry["data_offsets"]
            numbers = torch.frombuffer(data[front + start:front + end], dtype=dtype)
            found[name] = numbers.float().reshape(entry["shape"])


def read_weights(folder):
    """{name of Hugging Face's library: float32} of a model, which may be in several files."""
    try:
        return read_files(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, OverflowError,
            struct.error) as error:
        if "memory" in str(error):
            raise
        raise Refused("init: the weights in %s cannot be read (%s): the file is damaged or cut "
                      "off; copy the model again"
                      % (folder, str(error).split("\n")[0][:200] or repr(error)))


def read_files(folder):
    found, index = {}, os.path.join(folder, "model.safetensors.index.json")
    names = ["model.safetensors"]
    if not os.path.exists(os.path.join(folder, names[0])) and os.path.exists(index):
        with open(index) as file:
            names = sorted(set(json.load(file)["weight_map"].values()))
    for name in names:
        read_file(os.path.join(folder, name), found)
    return found


def config_of(run, end):
    layers, heads, width, ffn = run.sizes
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False,
            "mlp_bias": False, "hidden_act": "silu", "torch_dtype": "float32",
            "num_hidden_layers": layers, "num_attention_heads": heads,
            "num_key_value_heads": heads, "head_dim": width // heads, "hidden_size": width,
            "intermediate_size": ffn, "vocab_size": run.vocab,
            "max_position_embeddings": run.longest, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
            "rope_scaling": None, "tie_word_embeddings": False, "bos_token_id": end,
            "eos_token_id": end}


def token_text(tokenizer, id):
    """The text of a token of a tokenizer.json, or None."""
    for token in tokenizer.get("added_tokens") or []:
        if token["id"] == id:
            return token["content"]
    vocabulary = tokenizer["model"]["vocab"]
    if isinstance(vocabulary, list):  # Unigram
        return vocabulary[id][0] if id is not None and id < len(vocabulary) else None
    return next((text for text, i in vocabulary.items() if i == id), None)


@functools.lru_cache()
def check_tokenizer(path, end):
    """The tokenizer is needed when the model is written: too late to find that it is damaged."""
    try:
        token_text(read_json(path), end)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise Refused("the tokenizer %s cannot be used (%s); `regmix prepare` writes it"
                      % (path, getattr(error, "strerror", None) or repr(error)))


def write_model(run, weights):
    """Returns the hash of model.safetensors, which is written last."""
    end, files = run.json.get("end_of_text"), {}
    if run.json.get("tokenizer"):
        with open(run.json["tokenizer"], "rb") as file:
            tokenizer = file.read()
        text = token_text(json.loads(tokenizer), end)
        special = {"bos_token": text, "eos_token": text}
        write_whole(os.path.join(run.folder, "tokenizer.json"), [tokenizer])
        files["special_tokens_map.json"] = special if text else {}
        files["tokenizer_config.json"] = {
            "tokenizer_class": "PreTrainedTokenizerFast", **special,
            "clean_up_tokenization_spaces": False, "model_max_length": run.longest}
    files["generation_config.json"] = {"_from_model_config": True}
    if end is not None:
        files["generation_config.json"].update(bos_token_id=end, eos_token_id=end)
    files["config.json"] = config_of(run, end)
    for name, o in files.items():
        write_whole(os.path.join(run.folder, name), [json.dumps(o, indent=1).encode()])
    return write_tensors(os.path.join(run.folder, "model.safetensors"), run, weights)
