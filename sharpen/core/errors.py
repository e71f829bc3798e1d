"""The errors: one small hierarchy; each message is one sentence: what was expected, what was got, what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class SharpenError(Exception):
    """Anything a user can read and act on; the command line prints its sentence and exits with `code`."""

    code = 1


class InvalidInput(SharpenError):
    """A setting, name, row or file that cannot be used as it stands."""

    code = 2


class CorruptRecord(SharpenError):
    """A stored record or cache entry that does not read back as what it claims to be."""


class ForeignTokens(SharpenError):
    """Tokens of one tokenizer were handed to a model of another."""


class Unanswerable(SharpenError):
    """The oracle was asked about a problem that is not the task's own."""


class LacksNeed(SharpenError):
    """A method needs what the model or the task does not offer."""

    code = 2


class WontFit(SharpenError):
    """The work would not fit into memory."""


class ServerFailed(SharpenError):
    """A remote model did not answer after every retry."""


class WorkerDied(SharpenError):
    """A process working for the run ended before it answered."""


class BudgetExhausted(SharpenError):
    """The next piece of work would overdraw the budget; only the arena catches it."""


def nearest(kind: str, name: str, known: Iterable[str]) -> str:
    """The sentence for an unknown name: what it was taken for, the nearest known one, and all that are known."""
    options = sorted(known)
    close = get_close_matches(name, options, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"unknown {kind} {name!r}; {hint}known: {', '.join(options) or 'none'}"
