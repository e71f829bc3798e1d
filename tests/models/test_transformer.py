"""The decoder, against transformers' of the same weights and against itself with and without a cache."""

from dataclasses import replace

import pytest
import torch
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Json
from sharpen.models.body import Body
from sharpen.models.cache import FIRST, KeyValues
from sharpen.models.shape import Shape, Stretch
from sharpen.models.transformer import Decoder

SIZES = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 112,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
FAMILIES = {
    "llama": (LlamaConfig, LlamaForCausalLM, {}),
    "llama3": (LlamaConfig, LlamaForCausalLM, {"rope_parameters": LLAMA3}),
    "llama_one_group": (LlamaConfig, LlamaForCausalLM, {"num_key_value_heads": 4}),
    "mistral": (MistralConfig, MistralForCausalLM, {"sliding_window": None}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {}),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, {"head_dim": 24}),
}
TINY = Shape(vocabulary=11, width=8, layers=2, heads=2, kv_heads=1, head_dim=4, hidden=12, context=32, tied=True)


def pair(family: str, tied: bool) -> tuple[Decoder, PreTrainedModel]:
    make_config, make_model, extra = FAMILIES[family]
    torch.manual_seed(0)
    config = make_config(**{**SIZES, **extra}, tie_word_embeddings=tied)
    model = make_model(config).eval()
    for weight in model.parameters():
        weight.data.normal_(0, 0.3)
    decoder = Decoder(Shape.from_config({**config.to_dict(), "architectures": [make_model.__name__]}))
    decoder.load_state_dict({n: t for n, t in model.state_dict().items() if not (tied and n == "lm_head.weight")})
    return decoder, model


def tiny() -> Decoder:
    torch.manual_seed(0)
    return Decoder(TINY)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_logits_are_those_of_transformers_with_and_without_a_cache(family: str, tied: bool) -> None:
    decoder, model = pair(family, tied)
    ids = torch.randint(0, 97, (5, 60))
    lengths = torch.tensor([40, 3, 17, 1, 29])
    expected = model(ids).logits
    assert float(expected.std()) > 0.5
    whole = decoder.unembed(decoder.hidden(ids, lengths))
    assert torch.allclose(whole, expected, atol=1e-4)
    rows = torch.arange(5)
    padded = ids[:, :40].masked_fill(torch.arange(40) >= lengths[:, None], 0)
    cache, hidden = decoder.prefill(padded, lengths, room=20)
    for t in range(20):
        assert torch.allclose(decoder.unembed(hidden), expected[rows, lengths - 1 + t], atol=1e-4)
        hidden = decoder.step(cache, ids[rows, lengths + t])


@torch.inference_mode()
def test_padding_is_seen_by_no_real_position() -> None:
    body: Body = tiny()
    ids, lengths = torch.randint(0, 11, (3, 9)), torch.tensor([4, 9, 1])
    other = ids.masked_fill(torch.arange(9) >= lengths[:, None], 7)
    real = torch.arange(9) < lengths[:, None]
    assert torch.equal(body.hidden(ids, lengths)[real], body.hidden(other, lengths)[real])


@torch.inference_mode()
def test_rows_repeated_and_left_out_go_on_as_the_rows_they_come_from() -> None:
    body: Body = tiny()
    ids, lengths = torch.randint(0, 11, (3, 6)), torch.tensor([2, 6, 4])
    more = torch.randint(0, 11, (3, 5))
    index = torch.tensor([2, 0, 0])
    cache, _ = body.prefill(ids, lengths, room=5)
    chosen = body.prefill(ids, lengths, room=5)[0].rows(index)
    for t in range(5):
        expected = body.step(cache, more[:, t])
        assert torch.allclose(body.step(chosen, more[index, t]), expected[index], atol=1e-6)


@torch.inference_mode()
def test_copied_rows_do_not_share_what_is_written_later() -> None:
    body: Body = tiny()
    ids, lengths = torch.tensor([[1, 2, 3]]), torch.tensor([3])
    cache = body.prefill(ids, lengths, room=2)[0].rows(torch.tensor([0, 0]))
    body.step(cache, torch.tensor([4, 5]))
    after = body.step(cache, torch.tensor([6, 6]))
    alone = body.hidden(torch.tensor([[1, 2, 3, 4, 6], [1, 2, 3, 5, 6]]), torch.tensor([5, 5]))[:, -1]
    assert torch.allclose(after, alone, atol=1e-6)


@pytest.mark.parametrize("prompt", [6, 300])
@torch.inference_mode()
def test_texts_behind_a_cache_are_read_as_whole_sequences_and_leave_it_as_it_was(prompt: int) -> None:
    body = Decoder(Shape(50, width=32, layers=2, heads=4, kv_heads=2, head_dim=8, hidden=44, context=400))
    ids, lengths = torch.randint(0, 50, (3, prompt)), torch.tensor([prompt, 2, prompt - 1])
    index, texts = torch.tensor([2, 0, 2, 1, 0]), torch.randint(0, 50, (5, 21))
    cache = body.prefill(ids, lengths, room=3)[0].rows(index)
    found = body.after(cache, texts)
    for row, source in enumerate(index.tolist()):
        whole = torch.cat([ids[source, : lengths[source]], texts[row]])[None]
        expected = body.hidden(whole, torch.tensor([whole.shape[1]]))[0, lengths[source] :]
        assert torch.allclose(found[row], expected, atol=1e-5)
    assert torch.allclose(body.step(cache, texts[:, 0]), found[:, 0], atol=1e-5)


@torch.inference_mode()
def test_a_cache_grows_as_it_is_used() -> None:
    body = Decoder(Shape(50, width=32, layers=2, heads=4, kv_heads=2, head_dim=8, hidden=44, context=400))
    ids, said = torch.randint(0, 50, (2, 5)), torch.randint(0, 50, (6, 3 * FIRST))
    index = torch.tensor([0, 0, 0, 0, 1, 1])
    cache, _ = body.prefill(ids, torch.tensor([5, 3]), room=3 * FIRST)
    cache = cache.rows(index)
    assert isinstance(cache, KeyValues) and cache.keys.shape[3] == FIRST
    steps = [body.step(cache, said[:, t]) for t in range(3 * FIRST)]
    whole = torch.cat([ids[0], said[0]])[None]
    expected = body.hidden(whole, torch.tensor([whole.shape[1]]))[0, 5:]
    assert torch.allclose(torch.stack([step[0] for step in steps]), expected, atol=1e-5)


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"), reason="sums run in an order of their own"
)
@torch.inference_mode()
def test_samples_of_one_prompt_do_not_change_a_bit_by_how_many_they_are() -> None:
    torch.manual_seed(0)
    body = Decoder(Shape(50, width=32, layers=3, heads=4, kv_heads=2, head_dim=8, hidden=44, context=400))
    ids, lengths = torch.randint(0, 50, (3, 280)), torch.tensor([280, 7, 31])
    more = torch.randint(0, 50, (60, 40))

    def heard(prompts: slice, index: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        mine = lengths[prompts]
        cache = body.prefill(ids[prompts, : int(mine.max())], mine, room=40)[0].rows(index)
        return torch.stack([body.step(cache, more[rows, t]) for t in range(40)])

    every = torch.arange(60)
    together = heard(slice(0, 3), every // 20, every)
    alone = heard(slice(1, 3), torch.arange(20) // 17, torch.arange(23, 43))
    assert torch.equal(alone, together[:, 23:43])


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"), reason="sums run in an order of their own"
)
@pytest.mark.parametrize("company", [slice(0, 8), slice(8, 24), slice(3, 40)])
@torch.inference_mode()
def test_company_does_not_change_a_bit(company: slice) -> None:
    torch.manual_seed(0)
    body = Decoder(Shape(50, width=32, layers=3, heads=4, kv_heads=2, head_dim=8, hidden=44, context=128))
    lengths = torch.arange(40) // 2 + 1
    ids, more = torch.randint(0, 50, (40, 20)), torch.randint(0, 50, (40, 60))

    def heard(rows: slice) -> torch.Tensor:
        mine = lengths[rows]
        cache, hidden = body.prefill(ids[rows, : int(mine.max())], mine, room=60)
        return torch.stack([hidden, *(body.step(cache, more[rows, t]) for t in range(60))])

    assert torch.equal(heard(company), heard(slice(0, 40))[:, company])


def test_gradients_reach_every_weight() -> None:
    body = tiny()
    body.unembed(body.hidden(torch.randint(0, 11, (2, 7)), torch.tensor([7, 5]))).sum().backward()
    assert [name for name, weight in body.named_parameters() if weight.grad is None] == []


def test_a_full_cache_and_a_too_long_row_are_refused() -> None:
    body = tiny()
    cache, _ = body.prefill(torch.zeros(1, 32, dtype=torch.long), torch.tensor([32]), room=4)
    for _ in range(4):
        body.step(cache, torch.tensor([1]))
    with pytest.raises(InvalidInput, match="full at 4 tokens after the prompt"):
        body.step(cache, torch.tensor([1]))
    with pytest.raises(InvalidInput, match="at most 32 tokens"):
        body.hidden(torch.zeros(1, 33, dtype=torch.long), torch.tensor([33]))


def test_flops_are_those_counted_by_hand() -> None:
    # Per layer q 8x8, k and v 8x4, o 8x8, and three 8x12 matrices: 480; attention 4 * 2 layers * 8 * context.
    assert TINY.matrices == 2 * 480
    assert tiny().flops(10, 5.0, 3) == 10 * (2 * 960 + 4 * 2 * 8 * 5.0) + 3 * 2 * 11 * 8
    assert replace(TINY, tied=False).flops(1, 0, 1) == TINY.flops(1, 0, 1)


def test_matrices_are_all_of_the_networks_but_embedding_and_head() -> None:
    layers = [weight for name, weight in tiny().named_parameters() if ".layers." in name and weight.dim() == 2]
    assert TINY.matrices == sum(weight.numel() for weight in layers)


@pytest.mark.parametrize(
    "shape",
    [
        TINY,
        replace(TINY, tied=False, rope_base=5e5, stretch=Stretch(8.0, 1.0, 4.0, 16)),
        replace(TINY, qkv_bias=True),
        replace(TINY, qk_norm=True, head_dim=6),
    ],
)
def test_a_shape_survives_its_config(shape: Shape) -> None:
    assert Shape.from_config(shape.to_config()) == shape


def test_rope_is_read_from_the_fields_of_older_configs() -> None:
    old = {k: v for k, v in TINY.to_config().items() if k != "rope_parameters"}
    scaling: Json = {**LLAMA3, "rope_theta": None}
    read = Shape.from_config({**old, "rope_theta": 7e4, "rope_scaling": scaling})
    assert (read.rope_base, read.stretch) == (7e4, Stretch(8.0, 1.0, 4.0, 32))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_act", "gelu"),
        ("attention_bias", True),
        ("mlp_bias", True),
        ("rope_parameters", {"rope_type": "yarn", "factor": 2.0}),
        ("layer_types", ["full_attention", "sliding_attention"]),
        ("quantization_config", {"bits": 4}),
        ("partial_rotary_factor", 0.5),
        ("architectures", ["MambaForCausalLM"]),
        ("hidden_size", "eight"),
        ("num_key_value_heads", 0),
    ],
)
def test_a_config_that_is_not_implemented_is_refused_by_its_field(field: str, value: Json) -> None:
    named = {"num_key_value_heads": "kv_heads"}.get(field, field)
    with pytest.raises(InvalidInput, match=named):
        Shape.from_config({**TINY.to_config(), field: value})


def test_a_sliding_window_in_use_is_refused_and_one_not_in_use_is_not() -> None:
    qwen = {**replace(TINY, qkv_bias=True).to_config(), "sliding_window": 4096}
    assert Shape.from_config({**qwen, "use_sliding_window": False}).qkv_bias
    with pytest.raises(InvalidInput, match="sliding_window = 4096"):
        Shape.from_config({**qwen, "use_sliding_window": True})
    with pytest.raises(InvalidInput, match="sliding_window = 4096"):
        Shape.from_config({**qwen, "architectures": ["MistralForCausalLM"]})
