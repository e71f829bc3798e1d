from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma2ForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM

from sharpen.core.errors import InvalidInput
from sharpen.core.lessons import Term, demonstration
from sharpen.core.objectives import Imitate
from sharpen.core.records import Sampling, user
from sharpen.core.training import Adapter, Training
from sharpen.models.checkpoint import copy_tokenizer
from sharpen.models.local import LocalModel
from sharpen.models.open import NANO, open_model
from sharpen.models.pretrained import Pretrained

CHATS = [(user("Work out 7 + 5."),), (user("1"),), (user("Work out 7 + 5 - 3 * 2 + 11."),)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny GPT-NeoX with the embedded model's tokenizer: an architecture the decoder here does not implement."""
    path = tmp_path_factory.mktemp("neox")
    torch.manual_seed(0)
    config = GPTNeoXConfig(
        vocab_size=1024, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=128, initializer_range=0.3, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPTNeoXForCausalLM(config).save_pretrained(path)
    copy_tokenizer(NANO, path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> LocalModel:
    opened = open_model(str(folder), folder)
    assert isinstance(opened, LocalModel) and isinstance(opened.body, Pretrained)
    return opened


def test_prefill_and_steps_agree_with_the_whole_sequence(model: LocalModel) -> None:
    ids = torch.randint(0, 256, (3, 9), generator=torch.Generator().manual_seed(1))
    lengths = torch.tensor([9, 4, 6])
    with torch.inference_mode():
        cache, last = model.body.prefill(ids, lengths, 3)
        cache = cache.rows(torch.tensor([2, 0, 0]))
        more = torch.tensor([[1, 2, 3], [4, 5, 6], [4, 5, 6]])
        at_once = model.body.after(cache, more)
        steps = torch.stack([model.body.step(cache, more[:, t]) for t in range(3)], dim=1)
        for row, source in enumerate([2, 0, 0]):
            whole = torch.cat([ids[source, : lengths[source]], more[row]])[None]
            states = model.body.hidden(whole, torch.tensor([whole.shape[1]]))[0]
            assert torch.allclose(states[-3:], steps[row], atol=1e-5)
            assert torch.allclose(states[-3:], at_once[row], atol=1e-5)
            assert torch.allclose(states[-4], last[source], atol=1e-5)


def test_logits_are_those_of_transformers(model: LocalModel, folder: Path) -> None:
    ids = torch.randint(0, 256, (2, 7), generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        theirs = AutoModelForCausalLM.from_pretrained(folder)(input_ids=ids).logits
        ours = model.body.unembed(model.body.hidden(ids, torch.tensor([7, 7])))
    assert torch.allclose(theirs, ours, atol=1e-4)


def test_what_it_says_does_not_depend_on_company_and_scores_as_sampled(model: LocalModel) -> None:
    policy = model.at(model.base, ("test",))
    how = Sampling(n=3, max_tokens=12)
    together = policy.sample(CHATS, how)
    alone = [policy.sample([chat], how)[0] for chat in CHATS]
    assert [[c.text for c in group] for group in together] == [[c.text for c in group] for group in alone]
    pairs = [(chat, c.piece) for chat, group in zip(CHATS, together, strict=True) for c in group]
    scored = policy.logprobs([chat for chat, _ in pairs], [piece.known for _, piece in pairs])
    for (_, piece), logprobs in zip(pairs, scored, strict=True):
        assert np.allclose(piece.likelihood, logprobs, atol=1e-4)


@pytest.mark.parametrize("adapter", [None, Adapter(rank=2, targets=("query_key_value", "dense"))])
def test_learns_whole_or_by_an_adapter_and_exports_what_it_learned(
    model: LocalModel, tmp_path: Path, adapter: Adapter | None
) -> None:
    terms = [Term(Imitate(), [demonstration(CHATS[0], "Answer: 12")])]
    learned = model.learn(model.base, terms, Training(steps=12, rate=1e-2, adapter=adapter))
    policies = (model.at(weights) for weights in (model.base, learned.weights))
    before, after = (float(policy.logprobs([CHATS[0]], ["Answer: 12"])[0].sum()) for policy in policies)
    assert after > before + 1
    model.export(learned.weights, tmp_path / "out", "hf")
    again = open_model(str(tmp_path / "out"), tmp_path)
    assert float(again.at(again.base).logprobs([CHATS[0]], ["Answer: 12"])[0].sum()) == pytest.approx(after, abs=1e-3)


def test_soft_capped_logits_are_refused() -> None:
    config = Gemma2Config(
        vocab_size=64, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1, head_dim=8,
        intermediate_size=16, final_logit_softcapping=0.5, initializer_range=1.0,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="soft caps"):
        Pretrained(Gemma2ForCausalLM(config), "gemma2")
