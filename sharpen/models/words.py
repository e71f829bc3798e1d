"""A tokenizer of whole words from a small fixed vocabulary that spells all others; decoding gives the text back."""

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from sharpen.core.errors import InvalidInput
from sharpen.core.records import Chat, Message
from sharpen.core.tokens import Tokens

MARKS = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|unknown|>")
END = MARKS.index("<|end|>")
UNKNOWN = MARKS.index("<|unknown|>")
CHARACTERS = ("\n", *(chr(code) for code in range(32, 127)))
UNREADABLE = "\ufffd"


class WordEncoder:
    """Marks first, then the printable ASCII characters and the newline, then the words.

    A word of the vocabulary is one token where it stands alone; everything else is spelled, marks that somebody wrote
    into a text too. A character outside ASCII becomes the unknown mark, the one thing that does not decode to itself.
    """

    def __init__(self, words: Sequence[str]) -> None:
        for word in words:
            if not word.isascii() or not word.isprintable() or len(word) < 2 or word in MARKS:
                raise InvalidInput(f"a word must be two or more printable ASCII characters and no mark, got {word!r}")
        self.strings: tuple[str, ...] = (*MARKS, *CHARACTERS, *dict.fromkeys(words))
        self.fingerprint = blake2b(repr(self.strings).encode(), digest_size=8).hexdigest()
        self.ends: frozenset[int] = frozenset({END})
        self._places = {string: place for place, string in enumerate(self.strings)}
        longest_first = sorted(self.strings[len(MARKS) + len(CHARACTERS) :], key=lambda word: (-len(word), word))
        alone = (rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])" for word in longest_first)
        self._pattern = re.compile("|".join((*alone, ".")), re.DOTALL)

    def __len__(self) -> int:
        return len(self.strings)

    def place(self, string: str) -> int:
        """The token of a mark, character or word."""
        return self._places[string]

    def encode(self, chat: Chat) -> Tokens:
        """Role, words and end of turn of each message, up to where the assistant speaks or continues."""
        if not chat:
            raise InvalidInput("expected a chat of at least one message, got none")
        continued = chat[-1] if chat[-1].role == "assistant" else None
        before = chat[:-1] if continued else chat
        if len(before) == 1 and before[0].role == "text":
            return self._tokens([*self._spoken(before[0]), *(self._spoken(continued) if continued else ())])
        ids: list[int] = []
        for message in before:
            if message.role == "text":
                raise InvalidInput(
                    "expected a text message alone (or before one of the assistant), got it among others"
                )
            ids += [self._places[f"<|{message.role}|>"], *self._spoken(message)]
            # Sampled tokens bring their end of turn along.
            ids += [] if ids[-1] == END else [END]
        return self._tokens([*ids, self._places["<|assistant|>"], *(self._spoken(continued) if continued else ())])

    def reply(self, text: str) -> Tokens:
        """The words, and the end of turn."""
        return self._tokens([*self._read(text), END])

    def decode(self, tokens: Tokens) -> str:
        """The words; marks of turns and padding left out."""
        tokens.require(self.fingerprint)
        return "".join(map(self._shown, tokens.ids.tolist()))

    def spans(self, tokens: Tokens, pattern: str) -> list[tuple[int, int]]:
        """Token ranges [start, stop) that cover each match of a regular expression in the decoded text."""
        lengths = [len(self._shown(place)) for place in tokens.require(self.fingerprint).ids.tolist()]
        edges = np.concatenate([[0], np.cumsum(lengths)])
        return [
            (int(np.searchsorted(edges, match.start(), "right")) - 1, int(np.searchsorted(edges, match.end(), "left")))
            for match in re.finditer(pattern, self.decode(tokens))
        ]

    def _shown(self, place: int) -> str:
        if place >= len(MARKS):
            return self.strings[place]
        return UNREADABLE if place == UNKNOWN else ""

    def _spoken(self, message: Message) -> list[int]:
        if message.tokens is None:
            return self._read(message.text)
        ids: list[int] = message.tokens.require(self.fingerprint).ids.tolist()
        return ids

    def _read(self, text: str) -> list[int]:
        return [self._places.get(string, UNKNOWN) for string in self._pattern.findall(text)]

    def _tokens(self, ids: Sequence[int]) -> Tokens:
        return Tokens(np.array(ids, dtype=np.int32), self.fingerprint)
