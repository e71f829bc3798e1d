"""Model folders: what is written is read back, by us and by transformers, and what is broken is named."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.records import user
from sharpen.models.checkpoint import fresh_folder, load_folder, save_folder
from sharpen.models.shape import Shape, Stretch
from sharpen.models.transformer import Decoder

SIZES = {"vocabulary": 300, "width": 16, "layers": 2, "heads": 4, "kv_heads": 2, "hidden": 24, "context": 64}
SHAPES = {
    "llama": Shape(**SIZES, head_dim=4, tied=True),
    "llama3": Shape(**SIZES, head_dim=6, stretch=Stretch(4.0, 1.0, 4.0, 16), rope_base=500.0),
    "qwen2": Shape(**SIZES, head_dim=4, qkv_bias=True),
    "qwen3": Shape(**SIZES, head_dim=8, qk_norm=True, tied=True),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    vocabulary = {piece: i for i, piece in enumerate(["<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>").save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({"eos_token_id": 0}))
    return folder


def decoder(shape: Shape = SHAPES["llama"]) -> Decoder:
    torch.manual_seed(0)
    made = Decoder(shape)
    for weight in made.parameters():
        weight.data.normal_(0, 0.3)
    return made


@pytest.mark.parametrize("name", SHAPES)
@torch.inference_mode()
def test_a_saved_folder_gives_the_same_logits_here_and_in_transformers(name: str, source: Path, tmp_path: Path) -> None:
    made = decoder(SHAPES[name])
    save_folder(tmp_path / "saved", made.state_dict(), made.shape, source)
    ids, lengths = torch.randint(0, 300, (2, 40)), torch.tensor([40, 40])
    expected = made.unembed(made.hidden(ids, lengths))
    loaded, encoder = load_folder(tmp_path / "saved")
    assert loaded.shape == made.shape
    assert torch.equal(loaded.unembed(loaded.hidden(ids, lengths)), expected)
    theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    assert theirs.config.eos_token_id == 0
    assert torch.allclose(theirs(ids).logits, expected, atol=1e-4)
    assert encoder.decode(encoder.encode((user("hello"),))) == "user: hello\nassistant:"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved"]


def test_shards_old_tables_a_tied_head_and_half_precision_are_read(source: Path, tmp_path: Path) -> None:
    made = decoder()
    save_folder(tmp_path / "m", {n: t.bfloat16() for n, t in made.state_dict().items()}, made.shape, source)
    assert json.loads((tmp_path / "m" / "config.json").read_text())["torch_dtype"] == "bfloat16"
    tensors = load_file(tmp_path / "m" / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(2)
    (tmp_path / "m" / "model.safetensors").unlink()
    names = sorted(tensors)
    files = {name: f"shard-{i % 2}.safetensors" for i, name in enumerate(names)}
    for file in set(files.values()):
        save_file({name: tensors[name] for name in names if files[name] == file}, tmp_path / "m" / file)
    (tmp_path / "m" / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    loaded = load_folder(tmp_path / "m")[0].state_dict()
    assert loaded.keys() == made.state_dict().keys()
    for name, tensor in made.state_dict().items():
        assert loaded[name].dtype == torch.float32
        assert torch.equal(loaded[name], tensor.bfloat16().float())


def test_a_model_folder_is_replaced_and_any_other_is_not(source: Path, tmp_path: Path) -> None:
    made = decoder()
    for scale in (1.0, 2.0):
        save_folder(tmp_path / "m", {n: t * scale for n, t in made.state_dict().items()}, made.shape, source)
    again = load_folder(tmp_path / "m")[0].state_dict()["model.norm.weight"]
    assert torch.equal(again, made.state_dict()["model.norm.weight"] * 2)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("keep me")
    with pytest.raises(InvalidInput, match="expected a new, an empty or a model folder"):
        save_folder(tmp_path / "letters", made.state_dict(), made.shape, source)
    assert (tmp_path / "letters" / "dear.txt").read_text() == "keep me"


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("before")
    with pytest.raises(RuntimeError), fresh_folder(tmp_path / "m") as folder:
        (folder / "config.json").write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert (tmp_path / "m" / "config.json").read_text() == "before"


@pytest.mark.parametrize(("keeps", "stays"), [(True, "first"), (False, "second")])
def test_of_two_who_make_the_same_folder_one_stays(tmp_path: Path, keeps: bool, stays: str) -> None:
    with fresh_folder(tmp_path / "m", keep=lambda _: keeps) as second:
        (second / "who").write_text("second")
        with fresh_folder(tmp_path / "m") as first:
            (first / "who").write_text("first")
    assert (tmp_path / "m" / "who").read_text() == stays
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_tensors_that_are_not_the_whole_state_are_not_saved(source: Path, tmp_path: Path) -> None:
    state = decoder().state_dict()
    with pytest.raises(InvalidInput, match=r"head\.value is not part of it"):
        save_folder(tmp_path / "m", {**state, "head.value": torch.ones(1)}, SHAPES["llama"], source)
    assert list(tmp_path.iterdir()) == []


def test_what_is_broken_is_named(source: Path, tmp_path: Path) -> None:
    folder, made = tmp_path / "m", decoder()
    with pytest.raises(InvalidInput, match=r"with a config\.json"):
        load_folder(folder)
    save_folder(folder, made.state_dict(), made.shape, source)
    config, weights = (folder / "config.json").read_text(), (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-5])
    with pytest.raises(CorruptRecord, match=r"expected tensors in .*model\.safetensors"):
        load_folder(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(CorruptRecord, match="no such file"):
        load_folder(folder)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text(config.replace('"intermediate_size": 24', '"intermediate_size": 25'))
    with pytest.raises(CorruptRecord, match=r"down_proj\.weight should be \[16, 25\] and is \[16, 24\]"):
        load_folder(folder)
    (folder / "config.json").write_text(config[:-5])
    with pytest.raises(CorruptRecord, match=r"expected a JSON object in .*config\.json"):
        load_folder(folder)
