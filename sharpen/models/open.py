"""Names of models to models: the embedded ones, folders, the hub's local cache, and servers."""

import re
from functools import partial
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError

from sharpen.core.errors import InvalidInput, nearest
from sharpen.core.ports import Model
from sharpen.models.checkpoint import load_folder, read_json, save_folder
from sharpen.models.linear import linear_model
from sharpen.models.local import LocalModel, Origin, local_model
from sharpen.models.shape import Shape
from sharpen.models.smollm2 import smollm2_folder

NANO = Path(__file__).parent / "nano"
EMBEDDED = {"nano": NANO, "nano-critic": NANO.with_name("nano-critic")}
"""The folders that ship with the package."""
NAMES = ("linear", *EMBEDDED, "smollm2")
_SERVER = re.compile(r"openai:(?P<model>[^@]+)@(?P<url>https?://.+)")
_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def open_model(name: str, cache: Path, key: str | None = None) -> Model:
    """The model of a name: one of NAMES, a model folder, a Hugging Face id in the local cache, or
    `openai:MODEL@URL`. What has to be unpacked goes under `cache`; raises InvalidInput for any other name."""
    if name == "linear":
        return linear_model()
    if name.startswith("openai:"):
        server = _SERVER.fullmatch(name)
        if not server:
            raise InvalidInput(f"expected openai:MODEL@URL, such as openai:qwen@http://localhost:8000/v1, got {name!r}")
        from sharpen.models.remote import RemoteModel  # an HTTP client that other models do without
        from sharpen.models.server import Server

        return RemoteModel(server["model"], Server(server["url"], key))
    return open_folder(name, _folder(name, cache))


def open_folder(name: str, folder: Path) -> LocalModel:
    """The model in a Hugging Face folder, under the name the user called it by: on the decoder here where it is
    implemented, through transformers otherwise."""
    if not (folder / "config.json").is_file():
        raise InvalidInput(f"expected a model folder with a config.json, got {folder}; give a folder with one")
    try:
        Shape.from_config(read_json(folder / "config.json"))
    except InvalidInput:
        from sharpen.models.pretrained import load_pretrained, saving  # loads transformers, which takes seconds

        body, speech = load_pretrained(folder)
        return local_model(name, body, speech, Origin(str(folder), saving(folder)))
    decoder, encoder = load_folder(folder)
    save = partial(save_folder, shape=decoder.shape, source=folder)
    return local_model(name, decoder, encoder, Origin(str(folder), save))


def _folder(name: str, cache: Path) -> Path:
    if name in EMBEDDED:
        return EMBEDDED[name]
    if name == "smollm2":
        return smollm2_folder(cache)
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if not _HUB.fullmatch(name):
        if "/" in name:
            raise InvalidInput(
                f"expected a model folder, got {name!r}, which is none; give the path of a Hugging Face folder"
            )
        raise InvalidInput(nearest("model", name, NAMES) + ", a model folder, a Hugging Face id, openai:MODEL@URL")
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError:
        raise InvalidInput(
            f"expected {name!r} in the local Hugging Face cache, got nothing there; "
            "download it first, or give the path of a model folder"
        ) from None
