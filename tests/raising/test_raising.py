"""Raising goes on where it stopped, and leaves a folder that others can load."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from raising.nano import Raising, drawn
from raising.tokenizer import write
from raising.variants import NANO, NANO_CRITIC, Plan, Variant

PLAN = Plan(blocks=4, lessons=48, easy=1, settling=1, tokens=1536, warmup=4, kept=1)
SMALL = replace(NANO, plan=PLAN)
SMALL_CRITIC = replace(NANO_CRITIC, plan=replace(PLAN, easy=0, settling=4))


@pytest.mark.parametrize("variant", [SMALL, SMALL_CRITIC], ids=lambda variant: variant.name)
def test_an_interrupted_raising_ends_in_the_same_weights_and_counts(variant: Variant, tmp_path: Path) -> None:
    straight, first = Raising(0, variant), Raising(0, variant)
    for _ in range(4):
        straight.teach()
    for _ in range(2):
        first.teach()
    first.save(tmp_path / "raising.pt")
    second = Raising(0, variant)
    second.restore(tmp_path / "raising.pt")
    for _ in range(2):
        second.teach()
    assert second.seen == straight.seen
    assert (second.steps, second.loss) == (straight.steps, straight.loss)
    for name, tensor in straight.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[name]), name


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    Raising(0, SMALL).save(tmp_path / "raising.pt")
    for other in (
        Raising(1, SMALL),
        Raising(0, replace(SMALL, plan=replace(PLAN, blocks=5))),
        Raising(0, SMALL_CRITIC),
    ):
        with pytest.raises(ValueError, match="by this plan and seed"):
            other.restore(tmp_path / "raising.pt")


def test_what_is_raised_is_an_ordinary_folder_within_its_size(tmp_path: Path) -> None:
    raising = Raising(0, SMALL)
    raising.model.save_pretrained(tmp_path)
    write(raising.tokenizer, tmp_path)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert model.num_parameters() <= 2_000_000
    ids = tokenizer.apply_chat_template([{"role": "user", "content": "Work out 7+5."}], return_tensors="pt")
    found = model(ids["input_ids"] if not torch.is_tensor(ids) else ids).logits
    assert found.shape[-1] == len(tokenizer) <= 1000


def test_a_variant_starts_from_the_weights_and_the_tokenizer_of_the_shipped_model(tmp_path: Path) -> None:
    raising, start = Raising(0, SMALL_CRITIC), AutoModelForCausalLM.from_pretrained(NANO_CRITIC.start)
    for name, tensor in start.state_dict().items():
        assert torch.equal(tensor, raising.model.state_dict()[name]), name
    write(raising.tokenizer, tmp_path)
    assert NANO_CRITIC.start is not None
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / file).read_bytes() == (NANO_CRITIC.start / file).read_bytes()


def test_the_text_of_nano_is_what_its_shipped_weights_were_raised_on() -> None:
    told, few = sha256(), replace(NANO, plan=replace(NANO.plan, lessons=300))
    for block in (0, 60, 127):
        for name, spoken in drawn(0, block, few):
            chat = [(message.role, message.text) for message in spoken.chat]
            told.update(repr((name, chat, spoken.start)).encode())
    assert told.hexdigest() == "f268d6aeb6edba9b5bd4b6d644208b39f4a04a80ad4f6a12ed8caa3bdad01ad7"
