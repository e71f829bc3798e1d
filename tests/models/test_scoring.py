"""Texts are scored as if each were read alone behind its prompt; prompts are read once, and the bill says so."""

import numpy as np
import pytest
import torch

from sharpen.core.budget import Spend
from sharpen.core.records import Chat, user
from sharpen.models.body import Body
from sharpen.models.linear import ANSWERS, newborn
from sharpen.models.losses import selected
from sharpen.models.scoring import logprobs
from sharpen.models.words import WordEncoder
from tests.models.tiny import ENCODER, decoder

CHATS: list[Chat] = [(user(words),) for words in ("cat", "red dog", "cat", "blue cat dog", "cat", "red dog")]
SAID = ["dog", "blue", "red cat blue", "", "blue dog", "cat cat cat"]


def alone(body: Body, encoder: WordEncoder, chat: Chat, text: str) -> list[float]:
    """The reference: one whole sequence, nothing shared, nothing padded beside it."""
    prompt, said = encoder.encode(chat).ids, encoder.reply(text).ids
    ids = torch.from_numpy(np.concatenate([prompt, said]).astype(np.int64))[None]
    mask = torch.arange(ids.shape[1])[None] >= len(prompt)
    with torch.inference_mode():
        hidden = body.hidden(ids, torch.tensor([ids.shape[1]]))
        numbers: list[float] = selected(body, hidden, ids, mask)[0][mask].tolist()
    return numbers


@pytest.mark.parametrize("body", [decoder(), decoder(3, tied=True), newborn(ENCODER, ANSWERS)])
def test_shared_prompts_change_no_number(body: Body) -> None:
    found = logprobs(body, ENCODER, CHATS, SAID)
    for chat, text, numbers in zip(CHATS, SAID, found, strict=True):
        assert numbers.tolist() == pytest.approx(alone(body, ENCODER, chat, text), abs=1e-5)


def test_work_is_billed_row_by_row_and_a_prompt_is_paid_once() -> None:
    bills: list[tuple[Spend, Spend]] = []
    body = decoder()
    logprobs(body, ENCODER, CHATS, SAID, lambda work, paid: bills.append((work, paid)))
    work, paid = (sum((bill[kind] for bill in bills), Spend()) for kind in (0, 1))
    prompts = [len(ENCODER.encode(chat)) for chat in CHATS]
    texts = [len(ENCODER.reply(text)) for text in SAID]
    assert work.read == sum(prompts) + sum(texts)
    assert paid.read == prompts[0] + prompts[1] + prompts[3] + sum(texts)
    assert paid.flops < work.flops


def test_what_a_text_scores_does_not_depend_on_its_company() -> None:
    body = decoder(5)
    together = logprobs(body, ENCODER, CHATS * 40, SAID * 40)
    few = logprobs(body, ENCODER, CHATS, SAID)
    for number, scores in enumerate(together):
        assert np.allclose(scores, few[number % len(few)], rtol=0, atol=1e-6)
