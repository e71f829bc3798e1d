"""Low-rank adapters (LoRA, arXiv:2106.09685) on linear layers: attached by hooks, merged, or saved for peft."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from sharpen.core.errors import InvalidInput, SharpenError
from sharpen.core.training import Adapter

DOWN, UP = ".lora_A", ".lora_B"


class _LowRank:
    """A forward hook that adds scale * (x A^T) B^T to what its linear layer gives."""

    def __init__(self, down: Tensor, up: Tensor, scale: float) -> None:
        self.down, self.up, self.scale = down, up, scale

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        small = nn.functional.linear(inputs[0], self.down)
        return output + nn.functional.linear(small, self.up) * self.scale


def scale_of(adapter: Adapter) -> float:
    """alpha / rank."""
    return adapter.alpha / adapter.rank


def adapted(module: nn.Module, adapter: Adapter) -> dict[str, nn.Linear]:
    """The linear layers an adapter sits on, by name; raises InvalidInput where a target matches none."""
    linears = {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Linear)}
    found: dict[str, nn.Linear] = {}
    for target in adapter.targets:
        hit = {name: layer for name, layer in linears.items() if name == target or name.endswith(f".{target}")}
        if not hit:
            endings = sorted({name.rsplit(".", 1)[-1] for name in linears})
            raise InvalidInput(f"adapter target {target!r} matches no linear layer; known: {', '.join(endings)}")
        found |= hit
    return {name: linears[name] for name in linears if name in found}


def new_adapter(module: nn.Module, adapter: Adapter, key: int) -> dict[str, Tensor]:
    """A float32[rank, in] (Kaiming uniform as in peft, from the generator of `key`) and B float32[out, rank] (zero)."""
    dice = torch.Generator().manual_seed(key % 2**63)
    tensors: dict[str, Tensor] = {}
    for name, layer in adapted(module, adapter).items():
        bound = 1 / math.sqrt(layer.in_features)
        down = torch.empty(adapter.rank, layer.in_features).uniform_(-bound, bound, generator=dice)
        tensors[name + DOWN] = down
        tensors[name + UP] = torch.zeros(layer.out_features, adapter.rank)
    return tensors


def attach(module: nn.Module, adapter: Adapter, tensors: Mapping[str, Tensor]) -> None:
    """Adds the adapter to what its layers give, on top of what is attached already, until `detach`."""
    for name, layer in adapted(module, adapter).items():
        down, up = (tensors[name + part].to(layer.weight.device) for part in (DOWN, UP))
        layer.register_forward_hook(_LowRank(down, up, scale_of(adapter)))


def detach(module: nn.Module) -> None:
    """Takes every adapter off the network."""
    for layer in module.modules():
        hooks = layer._forward_hooks
        for key in [key for key, hook in hooks.items() if isinstance(hook, _LowRank)]:
            del hooks[key]


@contextmanager
def attached(module: nn.Module, adapter: Adapter, tensors: Mapping[str, Tensor]) -> Iterator[None]:
    """The network with this adapter, and none afterwards."""
    attach(module, adapter, tensors)
    try:
        yield
    finally:
        detach(module)


def merged(base: Mapping[str, Tensor], adapter: Adapter, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The base with scale * B A added to the adapted weights, in new tensors; all others are shared."""
    result = dict(base)
    with torch.no_grad():
        for name in tensors:
            if name.endswith(DOWN):
                layer = name.removesuffix(DOWN)
                weight = base[f"{layer}.weight"]
                change = tensors[layer + UP] @ tensors[name] * scale_of(adapter)
                result[f"{layer}.weight"] = weight + change.to(weight.device)
    return result


def to_peft(
    folder: Path,
    adapter: Adapter,
    tensors: Mapping[str, Tensor],
    base: str,
    rename: Callable[[str], str] = str,
) -> None:
    """Writes adapter_config.json and adapter_model.safetensors as peft reads them.

    `base` is what peft calls base_model_name_or_path; `rename` gives the Hugging Face name of a layer.
    """
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": adapter.rank,
        "lora_alpha": adapter.alpha,
        "target_modules": sorted(adapter.targets),
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": True,
    }
    saved = {
        f"base_model.model.{rename(name[: -len(DOWN)])}{name[-len(DOWN) :]}.weight": tensor.detach().cpu().contiguous()
        for name, tensor in tensors.items()
        if name.endswith((DOWN, UP))
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(saved, folder / "adapter_model.safetensors")
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        raise SharpenError(
            f"expected to write {folder}, got: {error}; free some space or choose another folder, then try again"
        ) from error
