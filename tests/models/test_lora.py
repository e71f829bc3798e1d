"""Adapters: what hooks add is what merging adds, and what peft reads."""

from pathlib import Path

import pytest
import torch
import transformers
from torch import Tensor

from sharpen.core.errors import InvalidInput
from sharpen.core.training import Adapter
from sharpen.models.lora import adapted, attached, merged, new_adapter, to_peft
from sharpen.models.mount import full_state, place
from sharpen.models.transformer import Decoder
from tests.models.tiny import decoder, logits

IDS = [3, 20, 30, 1, 4, 25]
ADAPTER = Adapter(3, 6.0, ("q_proj", "down_proj"))


def drawn(body: Decoder, adapter: Adapter = ADAPTER) -> dict[str, Tensor]:
    torch.manual_seed(5)
    return {name: 0.3 * torch.randn_like(tensor) for name, tensor in new_adapter(body, adapter, 0).items()}


def test_a_new_adapter_changes_nothing_and_follows_from_its_key() -> None:
    body = decoder()
    plain = logits(body, IDS)
    first, again, other = (new_adapter(body, ADAPTER, key) for key in (1, 1, 2))
    with attached(body, ADAPTER, first):
        assert torch.equal(logits(body, IDS), plain)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_attached_adds_what_the_formula_says() -> None:
    body, tensors = decoder(), drawn(decoder())
    layer, x = body.model.layers[0].self_attn.q_proj, torch.randn(4, 16)
    down, up = (tensors[f"model.layers.0.self_attn.q_proj.lora_{part}"] for part in "AB")
    plain = layer(x)
    with attached(body, ADAPTER, tensors):
        torch.testing.assert_close(layer(x), plain + 2.0 * x @ down.T @ up.T)
    assert torch.equal(layer(x), plain)


def test_merged_speaks_as_attached() -> None:
    body = decoder()
    tensors, base = drawn(body), full_state(body)
    with attached(body, ADAPTER, tensors):
        hooked = logits(body, IDS)
    place(body, merged(base, ADAPTER, tensors))
    torch.testing.assert_close(logits(body, IDS), hooked, rtol=1e-4, atol=1e-5)
    assert merged(base, ADAPTER, tensors)["model.embed_tokens.weight"] is base["model.embed_tokens.weight"]


def test_a_target_is_the_end_of_a_name() -> None:
    assert len(adapted(decoder(), Adapter(2, 2.0, ("self_attn.q_proj",)))) == 2
    assert list(adapted(decoder(), Adapter(2, 2.0, ("layers.1.mlp.up_proj",)))) == ["model.layers.1.mlp.up_proj"]


def test_a_target_that_matches_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"'query' matches no linear layer; known: .*q_proj"):
        adapted(decoder(), Adapter(2, 2.0, ("q_proj", "query")))


def test_peft_loads_it_with_equal_logits(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    body = decoder()
    shape = body.shape
    config = transformers.LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        intermediate_size=shape.hidden,
        rms_norm_eps=shape.norm_eps,
        max_position_embeddings=shape.context,
        tie_word_embeddings=False,
    )
    theirs = transformers.LlamaForCausalLM(config).eval()
    theirs.load_state_dict(body.state_dict())
    tensors = drawn(body)
    to_peft(tmp_path, ADAPTER, tensors, "tiny")
    loaded = peft.PeftModel.from_pretrained(theirs, str(tmp_path)).eval()
    with attached(body, ADAPTER, tensors), torch.no_grad():
        torch.testing.assert_close(loaded(torch.tensor([IDS])).logits[0], logits(body, IDS), rtol=1e-4, atol=1e-4)
