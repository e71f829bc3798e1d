"""The tokenizer of `nano`: common words, digits and signs over bytes, and marks for who speaks and what is meant."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from sharpen.core.speech import REFINE

ROLES = {
    "pad": "<|pad|>",
    "end": "<|end|>",
    "system": "<|system|>",
    "user": "<|user|>",
    "assistant": "<|assistant|>",
    "tool": "<|tool|>",
}
MARKS = (REFINE, "<|continue|>", "<|reflect|>", "<|explore|>")
"""What methods write between steps; kept when decoding."""
PHRASES = ("Answer:",)
SIZE = 704

TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] not in ['system', 'user', 'assistant', 'tool'] %}"
    "{{ raise_exception('expected a role of system, user, assistant or tool, got ' + message['role']) }}"
    "{% endif %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def build(context: int, texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Byte-pair merges within words, learned from texts; a digit, a sign, a space before one and a line end stay single
    tokens, nothing is unknown, and decoding gives the text back."""
    tokenizer = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(r" ?[A-Za-z]+|[0-9]|\s|[^\sA-Za-z0-9]"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE - len(MARKS) - len(PHRASES),
        min_frequency=20,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=list(ROLES.values()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(role, special=True, normalized=False) for role in ROLES.values()])
    tokenizer.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in (*MARKS, *PHRASES)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=ROLES["end"],
        pad_token=ROLES["pad"],
        additional_special_tokens=[ROLES[name] for name in ("system", "user", "assistant", "tool")],
        chat_template=TEMPLATE,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def write(tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json, worded so that transformers 4 and 5 both read them."""
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": tokenizer.model_max_length,
        "clean_up_tokenization_spaces": False,
        "eos_token": ROLES["end"],
        "pad_token": ROLES["pad"],
        "additional_special_tokens": [ROLES[name] for name in ("system", "user", "assistant", "tool")],
        "chat_template": TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
