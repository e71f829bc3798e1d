"""A hashed log-linear model over words: a body that learns and samples like the real ones, in milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sharpen.core.errors import InvalidInput
from sharpen.models.body import Cache
from sharpen.models.local import LocalModel, local_model
from sharpen.models.words import CHARACTERS, END, MARKS, WordEncoder

LAST, PAIR, BAG = 256, 256, 512
"""Places for the newest token (one each), for the last two words (hashed), and for all words so far (hashed)."""
SCALE = 1000.0
"""What a feature that is present counts: so much that a few dozen steps at the usual rate for this width teach it."""
SPACE = len(MARKS) + CHARACTERS.index(" ")
NOTHING = 0
"""Stands for a word that is not there yet; the padding mark is never a word."""

ANSWERS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
_LISTED = (
    "Answer Question Step Work Think Check What Which Give Let Yes No True False Right Wrong Good Bad "
    "answer question step work out think check what which give first next then so wait again "
    "is are was the an and or not "
    "of to in on by for from with plus minus times equals sum yes no true false right wrong good bad correct "
    "red green blue black white one two three four five six seven eight nine ten zero cat dog bird fish tree house "
    "family hint note rule lesson memory problem solution add subtract animal colour"
)
WORDS = tuple(_LISTED.split())


class Places(nn.Module):
    """The output layer, the only thing this model learns; its features are computed, not learned."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.out = nn.Linear(LAST + PAIR + BAG, vocabulary)


@dataclass
class Heard:
    """What a row needs to remember: which features of words were present, its first word, its last two words, and the
    newest token. bag bool[B, BAG], the others int64[B]."""

    bag: Tensor
    first: Tensor
    before: Tensor
    word: Tensor
    newest: Tensor

    def rows(self, index: Tensor) -> "Heard":
        """A cache of the rows int64[M], repeated or left out."""
        return Heard(self.bag[index], self.first[index], self.before[index], self.word[index], self.newest[index])


class HashedLinear:
    """Logits linear in features of the words so far: the newest token, the last two words, and the presence of each
    word, of each pair of neighbours, and of each word together with the first (the family)."""

    def __init__(self, vocabulary: int, context: int = 2048) -> None:
        self.module = Places(vocabulary)
        self.width = LAST + PAIR + BAG
        self.vocabulary = vocabulary
        self.context = context

    def hidden(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """float32[B, T, D] of int64[B, T]."""
        return _features(*self._read(ids))

    def unembed(self, hidden: Tensor) -> Tensor:
        """float32[..., V] of float32[..., D]."""
        logits: Tensor = self.module.out(hidden)
        return logits

    def prefill(self, ids: Tensor, lengths: Tensor, room: int) -> tuple[Heard, Tensor]:
        """The features of each row's last token, and what it takes to go on."""
        row = torch.arange(len(ids), device=ids.device)
        bag, first, before, word, newest = (feature[row, lengths - 1] for feature in self._read(ids))
        return Heard(bag, first, before, word, newest), _features(bag, first, before, word, newest)

    def step(self, cache: Cache, tokens: Tensor) -> Tensor:
        """float32[B, D] after one more token int64[B] per row."""
        cache = _mine(cache)
        is_word = tokens >= len(MARKS)
        is_word &= tokens != SPACE
        cache.first = torch.where(is_word & (cache.first == NOTHING), tokens, cache.first)
        speaks = tokens != SPACE
        cache.before = torch.where(speaks, cache.word, cache.before)
        cache.word = torch.where(speaks, tokens, cache.word)
        cache.newest = tokens
        added = _places(cache.first, cache.before, cache.word)
        row = is_word.nonzero()[:, 0]
        cache.bag[row[:, None], added[row]] = True
        return _features(cache.bag, cache.first, cache.before, cache.word, cache.newest)

    def after(self, cache: Cache, ids: Tensor) -> Tensor:
        """float32[B, T, D], token by token."""
        heard = _mine(cache).rows(torch.arange(len(ids), device=ids.device))
        return torch.stack([self.step(heard, ids[:, t]) for t in range(ids.shape[1])], 1)

    @property
    def token_bytes(self) -> int:
        """A row is remembered by its features, however long it is; counted as if it were by the token."""
        return self.width

    def flops(self, tokens: int, context: float, logits: int) -> float:
        """One addition per feature and token, and the output layer where it is asked."""
        return float(tokens * self.width + 2 * logits * self.width * self.vocabulary)

    def _read(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """bag bool[B, T, BAG] and first, before, word, newest int64[B, T], each as known after token t."""
        places = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        speaks = ids != SPACE
        is_word = speaks & (ids >= len(MARKS))
        at = torch.where(speaks, places, -1).cummax(1).values
        word = _at(ids, at)
        before = _at(word, at - 1)
        count = is_word.cumsum(1)
        beginning = torch.where(is_word & (count == 1), places, -1).cummax(1).values
        first = _at(ids, beginning)
        present = torch.zeros(*ids.shape, BAG, device=ids.device)
        present.scatter_(2, _places(first, before, word), is_word[..., None].expand(*ids.shape, 3).float())
        return present.cumsum(1) > 0, first, before, word, ids


def _mine(cache: Cache) -> Heard:
    if not isinstance(cache, Heard):
        raise TypeError(f"expected a cache that this body made, got {type(cache).__name__}")
    return cache


def _at(values: Tensor, index: Tensor) -> Tensor:
    return torch.where(index < 0, NOTHING, values.gather(1, index.clamp(min=0)))


def _hashed(a: Tensor, b: Tensor, kind: int, size: int) -> Tensor:
    mixed = (a * 7919 + b * 104729 + kind * 15485863) * 2654435761 % 2147483647
    return mixed % size


def _places(first: Tensor, before: Tensor, word: Tensor) -> Tensor:
    """int64[..., 3]: where in the bag the word, the pair it ends, and it with the first word are."""
    nothing = torch.zeros_like(word)
    return torch.stack(
        [_hashed(word, nothing, 1, BAG), _hashed(before, word, 2, BAG), _hashed(first, word, 3, BAG)], dim=-1
    )


def _features(bag: Tensor, first: Tensor, before: Tensor, word: Tensor, newest: Tensor) -> Tensor:
    """float32[..., D]; the bag shrinks as it grows full, so that long chats do not shout."""
    hidden = torch.zeros(*newest.shape, LAST + PAIR + BAG, device=newest.device)
    hidden.scatter_(-1, newest[..., None], SCALE)
    hidden.scatter_(-1, LAST + _hashed(before * 1009 + word, newest, 4, PAIR)[..., None], SCALE)
    full = bag.sum(-1, keepdim=True).clamp(min=1)
    hidden[..., LAST + PAIR :] = bag * (2 * SCALE * full.rsqrt())
    return hidden


def newborn(encoder: WordEncoder, answers: Sequence[str]) -> HashedLinear:
    """A body that says one of the answers, evenly, and then mostly ends its turn; all else is possible but rare."""
    if len(encoder) > LAST:
        raise InvalidInput(
            f"expected a vocabulary of at most {LAST} tokens, marks and characters included, got {len(encoder)}"
        )
    unknown = [answer for answer in answers if answer not in encoder.strings]
    if unknown:
        raise InvalidInput(
            f"expected answers that are tokens of the vocabulary, got {', '.join(unknown)}; add them to it"
        )
    body = HashedLinear(len(encoder))
    with torch.no_grad():
        out = body.module.out
        out.weight.zero_()
        out.bias.fill_(-5.0)
        out.bias[: len(MARKS)] = -9.0
        out.bias[END] = -2.0
        for answer in answers:
            out.bias[encoder.place(answer)] = 0.0
            out.weight[END, encoder.place(answer)] = 7.0 / SCALE
    return body


def linear_model(vocabulary: Sequence[str] = WORDS, answers: Sequence[str] = ANSWERS) -> LocalModel:
    """The model of the contract tests: at first it says one of `answers` (words of the vocabulary, or characters)."""
    encoder = WordEncoder(vocabulary)
    return local_model("linear", newborn(encoder, answers), encoder)
