"""Bytes live while they are named, reach the disk whole or not at all, and come back as they were."""

import errno
import gc
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import sharpen.models.store as store_module
from sharpen.core.errors import CorruptRecord, InvalidInput, SharpenError
from sharpen.core.records import Weights
from sharpen.core.training import Adapter, Head
from sharpen.models.lora import new_adapter
from sharpen.models.mount import full_state, mount, with_head
from sharpen.models.store import Store, Stored, read, write
from tests.models.tiny import BODY, decoder, logits

IDS = [3, 20, 30, 1, 4, 25]


def some(value: float = 1.0, of: Weights | None = None) -> Stored:
    return Stored({"layer.weight": torch.full((2, 3), value)}, of=of)


def test_bytes_live_while_somebody_holds_the_name() -> None:
    store = Store()
    held = store.put("a", BODY, some())
    again = Weights("a", BODY)
    assert store.get(again) is store.get(held)
    del held
    assert store.get(again).tensors["layer.weight"].sum() == 6
    del again
    gc.collect()
    with pytest.raises(CorruptRecord, match="weights a, got none in memory"):
        store.get(Weights("a", BODY))


def test_what_a_live_name_sits_on_lives_too() -> None:
    store = Store()
    base = store.put("base", BODY, some())
    top = store.put("top", BODY, some(2.0, of=base))
    del base
    gc.collect()
    assert store.get(Weights("base", BODY)) is not None
    del top
    gc.collect()
    for name in ("top", "base"):
        with pytest.raises(CorruptRecord):
            store.get(Weights(name, BODY))


def test_given_bytes_stay_and_are_never_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("base", BODY, some(), given=True)
    gc.collect()
    assert store.get(Weights("base", BODY)) is not None
    store.keep([Weights("base", BODY)])
    assert not list(tmp_path.iterdir())


def test_what_is_written_reads_back_equal(tmp_path: Path) -> None:
    weights = Weights("x/1", "some body")
    stored = Stored(
        {"a.lora_A": torch.randn(2, 3), "heads.value.0.weight": torch.randn(1, 4)},
        Weights("base", BODY),
        Adapter(2, 4.0, ("a", "b")),
        {"value": Head("value", link="sigmoid")},
        {"a.lora_A.exp_avg": torch.randn(2, 3)},
        7,
    )
    write(tmp_path / "file", weights, stored)
    back = read(tmp_path / "file", weights)
    assert (back.of, back.adapter, dict(back.heads), back.step) == (stored.of, stored.adapter, dict(stored.heads), 7)
    assert back.moments is not None and stored.moments is not None
    for ours, theirs in ((back.tensors, stored.tensors), (back.moments, stored.moments)):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_keeping_writes_the_live_and_forgets_the_rest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base = store.put("base", BODY, some())
    first, second = store.put("first", BODY, some(2.0, of=base)), store.put("second", BODY, some(3.0))
    store.keep([first])
    assert len(list(tmp_path.iterdir())) == 2
    with pytest.raises(CorruptRecord):
        store.get(second)
    again = Store(tmp_path)
    assert again.get(Weights("first", BODY)).of == base
    assert again.get(Weights("base", BODY)).tensors["layer.weight"].sum() == 6
    third = store.put("third", BODY, some(4.0))
    store.keep([third])
    assert [file.name for file in tmp_path.iterdir()] == ["tiny--third.safetensors"]


def test_files_of_another_body_are_left_alone(tmp_path: Path) -> None:
    ours, theirs = Store(tmp_path), Store(tmp_path)
    theirs.keep([theirs.put("teacher", "large", some())])
    ours.keep([ours.put("a", BODY, some())])
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("harm", ["cut", "foreign", "renamed", "noise"])
def test_a_file_that_cannot_be_used_is_named_in_a_sentence(tmp_path: Path, harm: str) -> None:
    store = Store(tmp_path)
    weights = store.put("a", BODY, some())
    store.keep([weights])
    file = next(tmp_path.iterdir())
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-5])
    elif harm == "foreign":
        save_file({"x": torch.zeros(1)}, file)
    elif harm == "renamed":
        write(file, Weights("b", BODY), some())
    else:
        file.write_bytes(b"\xff" * 100)
    with pytest.raises(CorruptRecord, match=rf"{re.escape(file.name)}.*delete it and resume"):
        Store(tmp_path).get(weights)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    old, new = store.put("old", BODY, some()), store.put("new", BODY, some(2.0))
    store.keep([old, new])
    (tmp_path / "tiny--new.safetensors").unlink()
    store = Store(tmp_path)
    new = store.put("new", BODY, some(2.0))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    with pytest.raises(SharpenError, match=r"No space left.*free some space"):
        store.keep([new])
    assert [file.name for file in tmp_path.iterdir()] == ["tiny--old.safetensors"]
    assert store.get(new) is not None


def test_mounting_swaps_pointers_and_gives_the_heads() -> None:
    body, other = decoder(0), decoder(1)
    expected = logits(other, IDS)
    store = Store()
    base = store.put("base", BODY, Stored(full_state(body)))
    before = {name: tensor.clone() for name, tensor in store.get(base).tensors.items()}
    second = store.put("second", BODY, Stored(full_state(other)))
    valued = store.put("valued", BODY, with_head(second, store.get(second), Head("value", depth=1), body.width, 3))
    heads = mount(body, store.get(valued), store.get)
    assert torch.equal(logits(body, IDS), expected)
    assert not heads["value"](torch.randn(2, 5, body.width)).any()
    assert mount(body, store.get(base), store.get) == {}
    assert all(torch.equal(store.get(base).tensors[name], before[name]) for name in before)
    assert body.model.embed_tokens.weight.data_ptr() == store.get(base).tensors["model.embed_tokens.weight"].data_ptr()


def test_a_second_head_of_one_name_is_refused() -> None:
    weights, stored = Weights("w", BODY), some()
    valued = with_head(weights, stored, Head("value"), 4, 0)
    with pytest.raises(InvalidInput, match="choose another"):
        with_head(weights, valued, Head("value"), 4, 0)


def test_mounting_weights_of_another_shape_is_refused() -> None:
    body, wide = decoder(), decoder(width=32)
    with pytest.raises(CorruptRecord, match="of another body"):
        mount(body, Stored(full_state(wide)), Store().get)


def test_an_adapter_is_mounted_merged_and_gone_afterwards() -> None:
    body, adapter, store = decoder(), Adapter(2, 4.0, ("q_proj",)), Store()
    plain = logits(body, IDS)
    base = store.put("base", BODY, Stored(full_state(body)))
    tensors = {name: torch.randn_like(tensor) for name, tensor in new_adapter(body, adapter, 0).items()}
    top = store.put("top", BODY, Stored(tensors, base, adapter))
    mount(body, store.get(top), store.get)
    assert (logits(body, IDS) - plain).abs().max() > 0.01
    mount(body, store.get(base), store.get)
    assert torch.equal(logits(body, IDS), plain)
