"""Scoring: log-probabilities of given texts, eight after each prompt, all prompts with the same worked examples."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from benchmarks.alternation import Contender, Reading, clock
from benchmarks.bench import Bench, Figure, Subject, compared
from benchmarks.bodies import ours
from benchmarks.peers import score
from benchmarks.results import Result, Target
from benchmarks.works import EASY, few_shot, solved
from sharpen.core.tokens import Ints
from sharpen.models.local import LocalModel

PER_PROMPT = 8
ROWS = 2048
"""Tokens in the matrix products of a pass over whole texts."""
PEER = "transformers forward, as TRL scores"
AGREE = 2e-3
"""Nats by which the two may differ in one token: float32 in another order."""


def measure(model_name: str, prompts: int, shots: int, figure: str, bench: Bench) -> list[Result]:
    """Ours and transformers on the same texts; raises ValueError where they do not give the same numbers."""
    prompts = 2 if bench.quick else prompts
    model = ours(model_name, bench.device)
    encoder = model.encoder
    chats = [chat for chat in few_shot(prompts, shots) for _ in range(PER_PROMPT)]
    texts = [encoder.reply(solution) for _, solution in solved(len(chats), EASY)]
    rows = [(encoder.encode(chat).ids, text.ids) for chat, text in zip(chats, texts, strict=True)]
    scored = sum(len(text) for _, text in rows)
    told: dict[str, list[float]] = {}

    def read(_: int) -> Reading:
        policy = model.at(model.base)
        start = clock(bench.device)
        found = policy.logprobs(chats, texts)
        seconds = clock(bench.device) - start
        told["ours"] = np.concatenate(found).tolist()
        return Reading(scored, seconds)

    def peer() -> Callable[[int], Reading]:
        run = score(model_name, bench.device, rows)

        def read_by_peer(_: int) -> Reading:
            start = clock(bench.device)
            found = run()
            seconds = clock(bench.device) - start
            told["theirs"] = [value for row in found for value in row]
            return Reading(scored, seconds)

        return read_by_peer

    contenders = [Contender("sharpen", lambda: read), Contender(PEER, peer)]
    contest = bench.contest(contenders)
    if "theirs" in told and not np.allclose(told["ours"], told["theirs"], rtol=0, atol=AGREE):
        apart = float(np.abs(np.subtract(told["ours"], told["theirs"])).max())
        raise ValueError(
            f"expected the same log-probabilities from both, got {apart:.1e} nats apart; find out why first"
        )
    flops = _flops(model, rows)
    ceiling = scored / bench.rates.least(model_name, ROWS, flops)
    subject = Subject(figure, model_name, "tokens/s", ceiling=ceiling, targets=(("", Target(ratio=2)),))
    return compared(bench, contest, contenders, subject)


def _flops(model: LocalModel, rows: Sequence[tuple[Ints, Ints]]) -> float:
    """The fewest operations: each distinct prompt read once, each text once, logits where a token is scored."""
    prompts = {prompt.tobytes(): len(prompt) for prompt, _ in rows}.values()
    tokens = sum(prompts) + sum(len(text) for _, text in rows)
    seen = sum(n * (n + 1) / 2 for n in prompts)
    seen += sum(len(prompt) * len(text) + len(text) * (len(text) + 1) / 2 for prompt, text in rows)
    return model.body.flops(tokens, seen / tokens, sum(len(text) for _, text in rows))


FIGURES = tuple(
    Figure(f"scoring-{model}", minutes, partial(measure, model, prompts, shots, f"scoring-{model}"), ((model, ROWS),))
    for model, minutes, prompts, shots in (("nano", 2, 32, 4), ("smollm2", 10, 4, 4))
)
