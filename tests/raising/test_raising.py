"""Raising goes on where it stopped, and leaves a folder that others can load."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from raising.nano import Plan, Raising
from raising.tokenizer import write

PLAN = Plan(blocks=4, lessons=48, easy=1, settling=1, tokens=1536, warmup=4, kept=1)


def test_an_interrupted_raising_ends_in_the_same_weights_and_counts(tmp_path: Path) -> None:
    straight, first = Raising(0, PLAN), Raising(0, PLAN)
    for _ in range(4):
        straight.teach()
    for _ in range(2):
        first.teach()
    first.save(tmp_path / "raising.pt")
    second = Raising(0, PLAN)
    second.restore(tmp_path / "raising.pt")
    for _ in range(2):
        second.teach()
    assert second.seen == straight.seen
    assert (second.steps, second.loss) == (straight.steps, straight.loss)
    for name, tensor in straight.model.state_dict().items():
        assert torch.equal(tensor, second.model.state_dict()[name]), name


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    Raising(0, PLAN).save(tmp_path / "raising.pt")
    with pytest.raises(ValueError, match="this plan and seed"):
        Raising(1, PLAN).restore(tmp_path / "raising.pt")


def test_what_is_raised_is_an_ordinary_folder_within_its_size(tmp_path: Path) -> None:
    raising = Raising(0, PLAN)
    raising.model.save_pretrained(tmp_path)
    write(raising.tokenizer, tmp_path)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    assert model.num_parameters() <= 2_000_000
    ids = tokenizer.apply_chat_template([{"role": "user", "content": "Work out 7+5."}], return_tensors="pt")
    found = model(ids["input_ids"] if not torch.is_tensor(ids) else ids).logits
    assert found.shape[-1] == len(tokenizer) <= 1000
