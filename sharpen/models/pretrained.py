"""Any causal language model that transformers loads, as a body: for what the decoder here does not implement."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM
from transformers.cache_utils import DynamicCache

from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.models.body import Cache
from sharpen.models.checkpoint import copy_tokenizer, fresh_folder
from sharpen.models.encoder import ChatEncoder


@dataclass(eq=False)
class Remembered:
    """transformers' own cache of rows padded on the right; `seen` bool[B, T] marks what is no padding."""

    past: DynamicCache
    seen: Tensor
    lengths: Tensor

    def rows(self, index: Tensor) -> "Remembered":
        """A cache of the rows int64[M], repeated or left out."""
        past = copy.copy(self.past)
        past.layers = [copy.copy(layer) for layer in self.past.layers]
        past.batch_select_indices(index)
        return Remembered(past, self.seen[index], self.lengths[index].clone())


class Pretrained:
    """The port `Body` over an AutoModelForCausalLM. Raises InvalidInput for one whose logits are more than its output
    layer on its last hidden states (a soft cap, a scale), since the losses here would leave that out."""

    def __init__(self, model: Any, kind: str) -> None:
        self.module: nn.Module = model.eval().requires_grad_(False)
        self._model = model
        self._trunk = getattr(model, model.base_model_prefix)
        self._head = model.get_output_embeddings()
        config = model.config.get_text_config()
        self.width = int(config.hidden_size)
        self.vocabulary = int(self._head.weight.shape[0])
        self.context = int(getattr(config, "max_position_embeddings", 2048))
        self._layers = int(config.num_hidden_layers)
        outside = (model.get_input_embeddings().weight, self._head.weight)
        self._matrices = sum(p.numel() for p in model.parameters() if all(p is not weight for weight in outside))
        self._require_plain_logits(kind)

    def hidden(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """float32[B, T, D]; rows are padded on the right, which no causal layer sees."""
        said = self._trunk(input_ids=ids, attention_mask=_real(ids, lengths), use_cache=False)
        states: Tensor = said.last_hidden_state
        return states

    def unembed(self, hidden: Tensor) -> Tensor:
        """float32[..., V]."""
        logits: Tensor = self._head(hidden)
        return logits

    def prefill(self, ids: Tensor, lengths: Tensor, room: int) -> tuple[Remembered, Tensor]:
        """transformers' cache grows by itself; `room` is not needed."""
        seen = _real(ids, lengths)
        past = DynamicCache(config=self._model.config)
        states = self._trunk(input_ids=ids, attention_mask=seen, past_key_values=past, use_cache=True).last_hidden_state
        last: Tensor = states[torch.arange(len(ids), device=ids.device), lengths - 1]
        return Remembered(past, seen, lengths.clone()), last

    def step(self, cache: Cache, tokens: Tensor) -> Tensor:
        """One token a row, each at its own position; columns of padding stay masked."""
        cache = _mine(cache)
        seen = torch.cat([cache.seen, torch.ones_like(cache.seen[:, :1])], dim=1)
        states = self._trunk(
            input_ids=tokens[:, None],
            attention_mask=seen,
            position_ids=cache.lengths[:, None],
            past_key_values=cache.past,
            use_cache=True,
        ).last_hidden_state
        cache.seen = seen
        cache.lengths.add_(1)
        last: Tensor = states[:, -1]
        return last

    def after(self, cache: Cache, ids: Tensor) -> Tensor:
        """float32[B, T, D] of texts behind what the rows have read; the cache stays as it is."""
        seen = _mine(cache)
        read = seen.rows(torch.arange(len(ids), device=ids.device))
        states: Tensor = self._trunk(
            input_ids=ids,
            attention_mask=torch.cat([seen.seen, torch.ones_like(ids, dtype=torch.bool)], dim=1),
            position_ids=seen.lengths[:, None] + torch.arange(ids.shape[1], device=ids.device),
            past_key_values=read.past,
            use_cache=True,
        ).last_hidden_state
        return states

    @property
    def token_bytes(self) -> int:
        """What transformers' cache takes for a token, in float32."""
        config = self._model.config.get_text_config()
        heads = int(config.num_attention_heads)
        groups = int(getattr(config, "num_key_value_heads", None) or heads)
        return 8 * self._layers * self.width * groups // heads

    def flops(self, tokens: int, context: float, logits: int) -> float:
        """Two per weight outside the embeddings, four per layer, width and place attended to, and the output head."""
        inside: float = 2.0 * self._matrices + 4.0 * self._layers * self.width * context
        head: float = 2.0 * self.width * self.vocabulary
        return tokens * inside + logits * head

    def _require_plain_logits(self, kind: str) -> None:
        ids = torch.arange(1, 6)[None] % self.vocabulary
        with torch.inference_mode():
            whole = self._model(input_ids=ids).logits
            parts = self.unembed(self.hidden(ids, torch.tensor([5])))
        if not torch.allclose(whole, parts, rtol=1e-4, atol=1e-4):
            raise InvalidInput(
                f"expected logits that are the output layer of the last hidden states, got more than that in {kind!r}; "
                "choose a model without soft caps or scales on its logits"
            )


def _mine(cache: Cache) -> Remembered:
    if not isinstance(cache, Remembered):
        raise InvalidInput(f"expected a cache of this body, got {type(cache).__name__}; prefill here first")
    return cache


def _real(ids: Tensor, lengths: Tensor) -> Tensor:
    return torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]


def load_pretrained(folder: Path) -> tuple[Pretrained, ChatEncoder]:
    """The body and encoder of a model folder, in float32; raises InvalidInput for what transformers cannot load."""
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    except (ValueError, KeyError) as failure:
        reason = " ".join(str(failure).split())[:160]
        raise InvalidInput(f"expected a causal model that transformers loads in {folder}, got: {reason}") from None
    except OSError as failure:
        reason = " ".join(str(failure).split())[:160]
        raise CorruptRecord(f"expected the files of a whole model in {folder}, got: {reason}; fetch it again") from None
    return Pretrained(model, model.config.model_type), ChatEncoder(folder)


def saving(folder: Path) -> partial[None]:
    """How a whole state of the model in `folder` is written as a folder like it."""
    return partial(_save, source=folder)


def _save(path: Path, tensors: Mapping[str, Tensor], source: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(source, local_files_only=True, dtype=torch.float32)
    named = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in tensors.items():
            named[name].copy_(tensor)
    with fresh_folder(path) as folder:
        model.save_pretrained(folder)
        copy_tokenizer(source, folder)
