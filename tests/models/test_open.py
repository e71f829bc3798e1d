"""A name opens the model it names, or says in one sentence why not."""

from pathlib import Path
from shutil import copytree

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Sampling, user
from sharpen.models.open import EMBEDDED, NANO, open_model


@pytest.mark.parametrize("name", ["linear", *EMBEDDED])
def test_an_embedded_model_opens_and_speaks(name: str, tmp_path: Path) -> None:
    model = open_model(name, tmp_path)
    assert model.name == name and "learn" in model.offers
    assert model.at(model.base).sample([(user("Work out 3 + 4."),)], Sampling(max_tokens=4))[0][0].text
    assert not list(tmp_path.iterdir())


def test_a_folder_opens_as_the_model_in_it(tmp_path: Path) -> None:
    copytree(NANO, tmp_path / "mine")
    mine = open_model(str(tmp_path / "mine"), tmp_path)
    assert mine.base.id == open_model("nano", tmp_path).base.id
    assert mine.name == str(tmp_path / "mine") and mine.base.body.startswith("mine-")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nanoo", "did you mean 'nano'"),
        ("someone/never-downloaded", "local Hugging Face cache.*path of a model folder"),
        ("./no/such/folder", "expected a model folder"),
        ("openai:model", "openai:MODEL@URL"),
    ],
)
def test_a_name_that_opens_nothing_says_why_in_one_sentence(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=why) as refused:
        open_model(name, tmp_path)
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"config\.json"):
        open_model(str(tmp_path), tmp_path)
