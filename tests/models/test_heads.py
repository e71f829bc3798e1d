"""Heads read from hidden states: zero at first, linked, and able to learn through their hidden layers."""

import pytest
import torch

from sharpen.core.errors import InvalidInput
from sharpen.core.training import Head
from sharpen.models.heads import Reader, new_head, reader

CPU = torch.device("cpu")


def test_a_new_head_says_zero_and_follows_from_its_key() -> None:
    head = Head("value", outputs=3, depth=2)
    tensors = new_head(head, 8, 5)
    assert not reader({"value": head}, tensors, "value", CPU)(torch.randn(2, 4, 8)).any()
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items() if name.endswith("weight")} == {
        "heads.value.0.weight": (8, 8),
        "heads.value.1.weight": (8, 8),
        "heads.value.2.weight": (3, 8),
    }
    assert torch.equal(tensors["heads.value.0.weight"], new_head(head, 8, 5)["heads.value.0.weight"])
    assert not torch.equal(tensors["heads.value.0.weight"], new_head(head, 8, 6)["heads.value.0.weight"])


def test_links_worked_by_hand() -> None:
    layers = ((torch.tensor([[2.0, 0.0]]), torch.tensor([1.0])),)
    state = torch.tensor([0.5, 9.0])
    expected = {"identity": 2.0, "sigmoid": 0.880797, "tanh": 0.964028}
    for link, value in expected.items():
        read = Reader(Head("value", link=link), layers)  # type: ignore[arg-type]  # a literal in a loop
        assert float(read.raw(state)) == 2.0
        assert float(read(state)) == pytest.approx(value, abs=1e-6)


def test_hidden_layers_pass_through_gelu() -> None:
    layers = ((torch.tensor([[1.0]]), torch.tensor([0.0])), (torch.tensor([[3.0]]), torch.tensor([0.0])))
    assert float(Reader(Head("value", depth=1), layers)(torch.tensor([-1.0]))) == pytest.approx(3 * -0.158655, abs=1e-5)


def test_an_unknown_head_is_named_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"did you mean 'value'.*model.head"):
        reader({"value": Head("value")}, {}, "valeu", CPU)
