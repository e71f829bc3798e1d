"""Chats to tokens and back, by the tokenizer and chat template of a Hugging Face folder."""

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from jinja2 import TemplateError

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Chat, Message
from sharpen.core.tokens import Tokens, frozen_ints

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PLAIN = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + eos_token + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"
)
"""The template of a folder that has none: a line `role: text` with the end of sequence, per message."""

_REMEMBERED = 16384


class ChatEncoder:
    """The port `Encoder` over a folder's tokenizer.

    A folder without a chat template gets plain lines: `user: text<end>`, then `assistant:`. What the assistant says is
    encoded by itself, never together with what stands before it, so that a chat continued after n sampled tokens is the
    same sequence of tokens as the one they were sampled in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tokenizer = _tokenizer_of(folder)
        self._backend = self._tokenizer.backend_tokenizer
        template = self._tokenizer.chat_template
        self._template = template if isinstance(template, str) else (template or {}).get("default", PLAIN)
        self.fingerprint = self._fingerprint()
        # What a raw text starts with; tokenizers that also add something at its end are asked not to.
        opening = self._tokenizer.bos_token_id
        self._opening = [opening] if self._tokenizer.encode("", add_special_tokens=True)[:1] == [opening] else []
        self.end = self._end_of_turn()
        self.ends = frozenset([self.end, *self._ends_of_sequence()])
        self._unseen = self.ends | {m for m in (opening, self._tokenizer.pad_token_id) if m is not None}
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._encoded)

    def encode(self, chat: Chat) -> Tokens:
        """The chat up to where the assistant speaks, or continues to; tokens of a message win over its text.

        Raises InvalidInput for an empty chat and for one that the template refuses or changes.
        """
        return self._remembered(chat)

    def reply(self, text: str) -> Tokens:
        """The assistant's words and the end of turn."""
        return self._tokens([*self._ids(text), self.end])

    def decode(self, tokens: Tokens) -> str:
        """The text without ends of turn, openings and padding; other special marks are kept."""
        ids = tokens.require(self.fingerprint).ids.tolist()
        return self._text([token for token in ids if token not in self._unseen])

    def spans(self, tokens: Tokens, pattern: str) -> list[tuple[int, int]]:
        """Token ranges [start, stop) that cover each non-empty match in the decoded text, in order."""
        ids = tokens.require(self.fingerprint).ids.tolist()
        bounds = self._bounds(ids)
        text = self.decode(tokens)
        spans = []
        for match in re.finditer(pattern, text):
            # The first token that reaches past the match's start, and the first that begins at its end.
            start = int(np.searchsorted(bounds[1:], match.start(), "right"))
            stop = int(np.searchsorted(bounds[:-1], match.end(), "left"))
            while start > 0 and bounds[start] == bounds[start - 1] and ids[start - 1] not in self._unseen:
                start -= 1  # the first bytes of a character that a later token completes
            if match.end() > match.start():
                spans.append((start, stop))
        return spans

    def _encoded(self, chat: Chat) -> Tokens:
        if not chat:
            raise InvalidInput("expected a chat of at least one message, got none")
        continued = chat[-1] if chat[-1].role == "assistant" else None
        before = chat[:-1] if continued else chat
        ids = self._raw(before[0]) if len(before) == 1 and before[0].role == "text" else self._rendered(before)
        return self._tokens([*ids, *(self._said(continued) if continued else ())])

    def _raw(self, message: Message) -> list[int]:
        return self._said(message) if message.tokens is not None else [*self._opening, *self._ids(message.text)]

    def _said(self, message: Message) -> list[int]:
        if message.tokens is None:
            return self._ids(message.text)
        ids: list[int] = message.tokens.require(self.fingerprint).ids.tolist()
        return ids

    def _rendered(self, chat: Chat) -> list[int]:
        """The template around the messages; where a message has tokens, they stand in place of its text."""
        if any(message.role == "text" for message in chat):
            raise InvalidInput("expected a text message alone (or before one of the assistant), got it among others")
        exact = {_place(i): message for i, message in enumerate(chat) if message.tokens is not None}
        contents = [_place(i) if message.tokens is not None else message.text for i, message in enumerate(chat)]
        rest = self._render([message.role for message in chat], contents, speak=True)
        ids: list[int] = []
        for place, message in exact.items():
            if rest.count(place) != 1:
                raise InvalidInput(f"the chat template must show each message once, got {rest.count(place)} times")
            around, rest = rest.split(place)
            _extend(ids, self._ids(around), self.ends)
            ids += self._said(message)
        _extend(ids, self._ids(rest), self.ends)
        return ids

    def _render(self, roles: Sequence[str], contents: Sequence[str], speak: bool) -> str:
        messages = [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)]
        try:
            text = self._tokenizer.apply_chat_template(
                messages, chat_template=self._template, add_generation_prompt=speak, tokenize=False
            )
        except (TemplateError, TypeError, IndexError) as error:
            raise InvalidInput(f"the chat template of {self.folder} refused {', '.join(roles)}: {error}") from error
        return str(text)

    def _end_of_turn(self) -> int:
        """The special mark with which the template ends what the assistant says, or the end of sequence."""
        rendered = self._render(["user", "assistant"], ["x", _place(1)], speak=False)
        after = self._ids(rendered.partition(_place(1))[2])
        if after and after[0] in self._tokenizer.added_tokens_decoder:
            return after[0]
        if self._tokenizer.eos_token_id is None:
            raise InvalidInput(f"expected an end of turn in the tokenizer of {self.folder}; set its eos_token")
        end: int = self._tokenizer.eos_token_id
        return end

    def _ends_of_sequence(self) -> list[int]:
        """Ends the tokenizer and the generation defaults name."""
        named = [self._tokenizer.eos_token_id]
        defaults = self.folder / "generation_config.json"
        if defaults.is_file():
            ends = json.loads(defaults.read_text(encoding="utf-8")).get("eos_token_id")
            named += ends if isinstance(ends, list) else [ends]
        return [end for end in named if isinstance(end, int)]

    def _fingerprint(self) -> str:
        file = self.folder / "tokenizer.json"
        vocabulary = file.read_bytes() if file.is_file() else self._backend.to_str().encode()
        return blake2b(vocabulary + b"\0" + self._template.encode(), digest_size=8).hexdigest()

    def _bounds(self, ids: list[int]) -> npt.NDArray[np.int64]:
        """int64[T + 1]: characters of the decoded text that the first t tokens complete."""
        seen = [[] if token in self._unseen else [token] for token in ids]
        pieces = self._backend.decode_batch(seen, skip_special_tokens=False)
        shown = [token for one in seen for token in one]
        if "".join(pieces) == self._text(shown):
            return np.cumsum([0, *(len(piece) for piece in pieces)])
        # Some character spans tokens, or tokens look at their neighbours: decode every prefix.
        lengths = [0]
        for stop in range(1, len(ids) + 1):
            prefix = [token for one in seen[:stop] for token in one]
            lengths.append(max(lengths[-1], len(self._text(prefix).rstrip("\ufffd"))))
        return np.array([*lengths[:-1], len(self._text(shown))], dtype=np.int64)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        return ids

    def _text(self, ids: list[int]) -> str:
        text: str = self._backend.decode(ids, skip_special_tokens=False)
        return text

    def _tokens(self, ids: Iterable[int]) -> Tokens:
        return Tokens(frozen_ints(ids), self.fingerprint)


def _tokenizer_of(folder: Path) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer  # takes seconds to import; only those who encode wait for it

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InvalidInput(f"expected a tokenizer in {folder}, got: {reason}; save one there") from error
    if not tokenizer.is_fast:
        raise InvalidInput(f"expected a tokenizer.json in {folder}, got a slow tokenizer; convert it with transformers")
    return tokenizer


def _place(index: int) -> str:
    """Stands for a message while its template is rendered: characters of private use that no text has."""
    return f"\ue000{index}\ue001"


def _extend(ids: list[int], after: list[int], ends: frozenset[int]) -> None:
    """Sampled tokens bring their end of turn along: where the template writes it too, it is written once."""
    ids += after[1:] if ids and after and ids[-1] in ends and after[0] == ids[-1] else after
