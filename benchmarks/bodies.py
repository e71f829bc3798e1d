"""The same weights as we open them and as transformers does."""

from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

from sharpen.cli import environment
from sharpen.models.checkpoint import load_folder, save_folder
from sharpen.models.local import LocalModel, Origin, local_model
from sharpen.models.open import NANO
from sharpen.models.smollm2 import smollm2_folder


@cache
def folder(model: str) -> Path:
    """The Hugging Face folder of a model; raises InvalidInput where its package is missing."""
    return NANO if model == "nano" else smollm2_folder(environment.cache())


def ours(model: str, device: str) -> LocalModel:
    """The model on our decoder, in float32."""
    decoder, encoder = load_folder(folder(model))
    save = partial(save_folder, shape=decoder.shape, source=folder(model))
    return local_model(model, decoder.to(device), encoder, Origin(str(folder(model)), save))


def theirs(model: str, device: str) -> Any:
    """The model in transformers, in float32, with the attention it picks by itself."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(folder(model), dtype=torch.float32).to(device).eval()


def tokenizer(model: str) -> Any:
    """The tokenizer in transformers."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder(model))
