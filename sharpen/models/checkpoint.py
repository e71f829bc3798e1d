"""Hugging Face model folders in and out: a decoder and its tokenizer, read strictly, written whole or not at all."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from sharpen.core.errors import CorruptRecord, InvalidInput, SharpenError
from sharpen.core.records import Json
from sharpen.models.encoder import ChatEncoder
from sharpen.models.shape import Shape
from sharpen.models.transformer import Decoder

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "chat_template.json",
    "generation_config.json",
    "LICENSE",
    "LICENSE.txt",
    "LICENSE.md",
    "NOTICE",
)
"""What is copied from one model folder to the next."""

_MARKS = ("bos_token_id", "eos_token_id", "pad_token_id")


def load_folder(path: Path) -> tuple[Decoder, ChatEncoder]:
    """The decoder (float32) and encoder of a Hugging Face model folder.

    Raises InvalidInput for a folder that is no model or one not built here, CorruptRecord for files that do not read.
    """
    if not (path / "config.json").is_file():
        raise InvalidInput(f"expected a model folder with a config.json, got {path}; give a folder with one")
    shape = Shape.from_config(read_json(path / "config.json"))
    with torch.device("meta"):
        decoder = Decoder(shape)
    expected = {name: tensor.shape for name, tensor in decoder.state_dict().items()}
    tensors = {name: tensor.float() for name, tensor in read_tensors(path).items() if _is_weight(name, shape)}
    _require_same(path, expected, {name: tensor.shape for name, tensor in tensors.items()})
    decoder.load_state_dict(tensors, assign=True)
    return decoder.eval(), ChatEncoder(path)


def save_folder(path: Path, tensors: Mapping[str, Tensor], shape: Shape, source: Path) -> None:
    """Writes a folder that transformers loads: `tensors` (a decoder's whole state) and the tokenizer files of `source`.

    A model folder that is there already is replaced; at no time is there half a one. Raises InvalidInput for tensors
    that are not of this shape, for a folder that cannot be written, and for one that holds anything but a model.
    """
    if path.exists() and not (path.is_dir() and ((path / "config.json").is_file() or not any(path.iterdir()))):
        raise InvalidInput(f"expected a new, an empty or a model folder to save to, got {path}; choose another")
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in Decoder(shape).state_dict().items()}
    got = {name: tensor.shape for name, tensor in tensors.items()}
    wrong = _difference(expected, got)
    if wrong:
        raise InvalidInput(f"expected a decoder's whole state to save, but {wrong}; merge adapters and drop heads")
    with fresh_folder(path) as folder:
        fill_folder(folder, tensors, shape, source)


def fill_folder(folder: Path, tensors: Mapping[str, Tensor], shape: Shape, source: Path) -> None:
    """Writes config, tensors and the tokenizer files of `source` into a folder that is there."""
    dtype = next(iter(tensors.values())).dtype
    config = _config(shape, source) | {"torch_dtype": str(dtype).removeprefix("torch.")}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    # Every file gets its own copy of a tensor: two names of one storage are refused by the format.
    copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    save_file(copies, folder / "model.safetensors", metadata={"format": "pt"})
    copy_tokenizer(source, folder)


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Copies the tokenizer, its chat template, the generation defaults and the licence, those that are there."""
    for name in TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


@contextmanager
def fresh_folder(path: Path, keep: Callable[[Path], bool] = lambda _: False) -> Iterator[Path]:
    """A folder to fill, which takes the place of `path` once it is full, and is removed where filling it fails.

    keep: asked about a folder that is at `path` by then; True leaves it (two processes made the same). Raises
    InvalidInput where there can be no such folder, SharpenError where the disk does not take what is written.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error}; choose a folder that can be written") from error
    try:
        yield folder
        folder.chmod(0o755)
        _put_in_place(folder, path, keep)
    except (OSError, SafetensorError) as error:
        raise SharpenError(
            f"expected to write {path}, got: {error}; free some space or choose another folder, then try again"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, path: Path, keep: Callable[[Path], bool]) -> None:
    """Renames, which is atomic; what was there before is moved aside first and removed last."""
    try:
        folder.rename(path)
    except OSError:
        if not path.exists():
            raise
        if keep(path):
            return
        aside = folder.with_name(folder.name + ".old")
        path.rename(aside)
        folder.rename(path)
        shutil.rmtree(aside, ignore_errors=True)


def read_json(path: Path) -> dict[str, Json]:
    """The object in a JSON file; raises CorruptRecord where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptRecord(f"expected a JSON object in {path}, got {error}; fetch the file again") from error
    if not isinstance(value, dict):
        raise CorruptRecord(f"expected a JSON object in {path}, got {type(value).__name__}; fetch the file again")
    return value


def read_tensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a folder: model.safetensors, or the shards that its index names, as stored."""
    index = path / "model.safetensors.index.json"
    files = [path / "model.safetensors"]
    if not files[0].is_file() and index.is_file():
        shards = read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
            raise CorruptRecord(f"expected a weight_map of file names in {index}; fetch the file again")
        files = [path / name for name in sorted(set(shards.values()))]
    tensors: dict[str, Tensor] = {}
    for file in files:
        if not file.is_file():
            raise CorruptRecord(f"expected weights in {file}, got no such file; fetch the model as safetensors")
        try:
            tensors.update(load_file(file))
        except (OSError, SafetensorError) as error:
            raise CorruptRecord(f"expected tensors in {file}, got {error}; fetch the file again") from error
    return tensors


def _is_weight(name: str, shape: Shape) -> bool:
    """Old checkpoints also hold rotary tables, and some tied ones the head a second time."""
    return not name.endswith("rotary_emb.inv_freq") and not (shape.tied and name == "lm_head.weight")


def _require_same(path: Path, expected: Mapping[str, torch.Size], got: Mapping[str, torch.Size]) -> None:
    wrong = _difference(expected, got)
    if wrong:
        raise CorruptRecord(f"the weights in {path} are not what its config.json describes: {wrong}; fetch it again")


def _difference(expected: Mapping[str, torch.Size], got: Mapping[str, torch.Size]) -> str:
    for name in sorted(expected.keys() | got.keys()):
        if name not in got:
            return f"{name} is missing"
        if name not in expected:
            return f"{name} is not part of it"
        if expected[name] != got[name]:
            return f"{name} should be {list(expected[name])} and is {list(got[name])}"
    return ""


def _config(shape: Shape, source: Path) -> dict[str, Json]:
    config = shape.to_config()
    if (source / "config.json").is_file():
        before = read_json(source / "config.json")
        config.update({name: before[name] for name in _MARKS if before.get(name) is not None})
    return config
