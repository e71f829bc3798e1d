"""Sampling: useful tokens a second at temperature 1, nano on 128 prompts x 8, SmolLM2 on 16 prompts x 8 (x 16)."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks.alternation import Contender, Reading, clock
from benchmarks.bench import Bench, Figure, Subject, compared
from benchmarks.bodies import ours
from benchmarks.ceiling import moved_by_decoding, shape_of
from benchmarks.llama import llama_cpp
from benchmarks.peers import Request, continuous, generate
from benchmarks.results import Result, Target
from benchmarks.works import asked
from sharpen.core.records import Completion, Sampling
from sharpen.models.local import LocalModel

GENERATE, CONTINUOUS, LLAMA = "transformers generate", "transformers continuous batching", "llama.cpp"
PACKED = "4-bit file (Q4_1), integer products; the others have its values as float32; not tuned beyond its defaults"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sampled."""

    model: str
    prompts: int
    n: int
    tokens: int

    @property
    def rows(self) -> int:
        """Rows at once."""
        return self.prompts * self.n


def measure(size: Size, targets: tuple[tuple[str, Target], ...], figure: str, bench: Bench) -> list[Result]:
    """Ours and the peers on the same prompts."""
    full, size = size, (replace(size, prompts=4, n=2, tokens=6) if bench.quick else size)
    model = ours(size.model, bench.device)
    chats = asked(size.model, size.prompts)
    prompts = [model.encoder.encode(chat).ids for chat in chats]
    request = Request(size.model, bench.device, prompts, size.n, size.tokens, model.encoder.ends)
    least: list[float] = []

    def sample(number: int) -> Reading:
        policy = model.at(model.base, ("benchmark", number))
        start = clock(bench.device)
        said = policy.sample(chats, Sampling(n=size.n, max_tokens=size.tokens))
        seconds = clock(bench.device) - start
        tokens = sum(len(one.piece.known) for group in said for one in group)
        least.append(tokens / _least_seconds(model, [len(prompt) for prompt in prompts], said, full, bench))
        return Reading(tokens, seconds)

    contenders = [
        Contender("sharpen", lambda: sample),
        Contender(GENERATE, partial(generate, request)),
        Contender(CONTINUOUS, partial(continuous, request)),
    ]
    if size.model == "smollm2":
        contenders.append(Contender(LLAMA, partial(llama_cpp, request), same=False, note=PACKED))
    contest = bench.contest(contenders)
    ceiling = float(np.median(least[1:]))
    return compared(
        bench, contest, contenders, Subject(figure, size.model, "tokens/s", ceiling=ceiling, targets=targets)
    )


def _least_seconds(
    model: LocalModel, prompts: list[int], said: list[list[Completion]], full: Size, bench: Bench
) -> float:
    """The fewest seconds for these very tokens: every prompt read once, every new token but the last of a row read
    once, logits where one is drawn."""
    shape = shape_of(full.model)
    lengths = [(prompt, len(one.piece.known)) for prompt, group in zip(prompts, said, strict=True) for one in group]
    read = sum(prompts)
    steps = sum(new - 1 for _, new in lengths)
    seen = sum(prompt * (new - 1) + (new - 1) * new / 2 for prompt, new in lengths)
    flops = model.body.flops(read, sum(p * (p + 1) / 2 for p in prompts) / read, len(prompts))
    flops += model.body.flops(steps, seen / max(steps, 1), steps)
    moved = moved_by_decoding(shape, max(new for _, new in lengths), seen)
    return bench.rates.least(full.model, full.rows, flops, moved)


def _figure(device: str, minutes: float, size: Size, *targets: tuple[str, Target]) -> Figure:
    name = f"sampling-{size.model}"
    return Figure(name, minutes, partial(measure, size, targets, name), ((size.model, size.rows),), (device,))


FIGURES = (
    _figure("cpu", 4, Size("nano", 128, 8, 64), (GENERATE, Target(ratio=12))),
    _figure("cpu", 16, Size("smollm2", 16, 8, 48), ("", Target(ratio=2, share=0.6))),
    _figure("cuda", 2, Size("nano", 128, 8, 64), (GENERATE, Target(ratio=5))),
    _figure("cuda", 2, Size("smollm2", 16, 16, 48), ("", Target(ratio=4, share=0.5))),
)
