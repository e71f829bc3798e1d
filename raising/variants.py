"""The models that are raised: of what text, how long and how fast, and from which weights each starts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raising.mixture import BASE, CRITIC, Shares

MODELS = Path(__file__).parent.parent / "sharpen" / "models"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how fast and in what batches it is raised.

    blocks x lessons   the text, drawn block by block, each from a stream of its own
    easy, settling     of these, the first blocks, with levels 1 and 2 alone, and the last, in which the faults settle
    tokens             a batch holds at most, padding included
    heard              weight of the loss on what the assistant hears (what it says: 1): so it learns what questions are
                       like, and to use what stands before, also inside a question
    matrix_rate, rate  peaks of Muon's (matrices) and AdamW's (the rest); linear over `warmup` steps, then flat, then
                       linear to 5 % over the last `decay` share of blocks
    kept               a checkpoint every so many blocks
    """

    blocks: int = 128
    lessons: int = 4096
    easy: int = 17
    settling: int = 12
    tokens: int = 6144
    heard: float = 0.2
    matrix_rate: float = 2e-2
    rate: float = 3e-3
    warmup: int = 100
    decay: float = 0.3
    kept: int = 4


@dataclass(frozen=True, slots=True)
class Variant:
    """A model by name and in a few words: the shares of its text, its plan, and the folder of the model that it starts
    from (None: from random weights, with a tokenizer of its own)."""

    name: str
    about: str
    shares: Shares
    plan: Plan
    start: Path | None = None

    def stream(self, seed: int) -> str:
        """Names its draws, so that a variant reads no text that its start has read."""
        return str(seed) if self.start is None else f"{seed} {self.name}"


NANO = Variant("nano", "A language model small enough to be improved while one watches", BASE, Plan())
NANO_CRITIC = Variant(
    "nano-critic",
    "trained further on a text that leans to judging solutions and putting them right",
    CRITIC,
    Plan(blocks=36, easy=0, settling=36, heard=0.05, matrix_rate=1e-2, rate=1.5e-3, decay=0.6),
    start=MODELS / "nano",
)
"""The faults are the settled ones throughout. What it hears counts less than when it had yet to learn what questions
are like, so that a verdict of one token weighs more. The rates are half of the base's, and fall for most of the time:
at a fifth of them, seven blocks taught it none of what nano does not know."""

VARIANTS: Mapping[str, Variant] = {"critic": NANO_CRITIC}
