"""One whole GRPO step of nano: 32 problems x 8 attempts of at most 48 tokens, sampled, judged and learned from."""

import tempfile
from collections.abc import Iterator
from functools import partial

from benchmarks.alternation import Contender, Reading, clock
from benchmarks.bench import Bench, Figure, Subject, compared
from benchmarks.bodies import ours, theirs, tokenizer
from benchmarks.contender import apart, peak
from benchmarks.learning import quiet
from benchmarks.results import Result, Target
from benchmarks.works import sums
from sharpen.core.method import Lab, Round, Seat
from sharpen.core.records import Attempt, Piece, Sampling, Turn, Weights
from sharpen.core.training import Training
from sharpen.methods import grpo
from sharpen.models.local import LocalModel

RATE = 1e-6
"""So low that all steps are on the same policy: its answers stay as long as they were."""
TRL = "TRL GRPOTrainer"
UNNAMED = Weights("trl", "nano")
"""Who said what TRL's trainer lets the oracle judge."""


def measure(problems: int, steps: int, bench: Bench) -> list[Result]:
    """Ours and TRL's trainer, the same problems, rewards and loss."""
    told = {
        "device": bench.device,
        "problems": 4 if bench.quick else problems,
        "n": 2 if bench.quick else 8,
        "tokens": 8 if bench.quick else 48,
        "steps": 1 if bench.quick else steps,
    }
    contenders = [
        Contender("sharpen", lambda: lambda _: Reading(**apart("policy_gradient:sharpen", **told)), warm=False),
        Contender(TRL, lambda: lambda _: Reading(**apart("policy_gradient:trl", **told)), warm=False),
    ]
    contest = bench.contest(contenders)
    return compared(
        bench, contest, contenders, Subject("policy-gradient-nano", "nano", "steps/s", targets=(("", Target(2)),))
    )


def sharpen(device: str, problems: int, n: int, tokens: int, steps: int) -> Reading:
    """Ours, after one step that does not count."""
    rounds = unmetered(ours("nano", device), settings(problems, n, tokens))
    next(rounds)
    start = clock(device)
    for _ in range(steps):
        next(rounds)
    return Reading(steps, clock(device) - start, peak(device))


def settings(problems: int, n: int, tokens: int, batch: int | None = None) -> grpo.Config:
    """GRPO without a divergence; one optimiser step a round unless `batch` lessons make one."""
    return grpo.Config(
        problems=problems,
        how=Sampling(n=n, max_tokens=tokens),
        beta=0.0,
        training=Training(epochs=1, batch=batch or problems * n, inherit="moments", rate=RATE),
    )


def unmetered(model: LocalModel, config: grpo.Config, seed: int = 0) -> Iterator[Round]:
    """The rounds of the method alone: nothing is billed, examined or written down."""
    task = sums()
    lab = Lab(
        Seat({"model": model}, task.env, seed),
        task.oracle,
        task.problems("train"),
        task.problems("dev"),
        task,
        lambda: 1.0,
    )
    return grpo.run(lab, config)


def trl(device: str, problems: int, n: int, tokens: int, steps: int) -> Reading:
    """TRL's, after one step that does not count, judged by the same oracle."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    task = sums()
    asked = task.problems("train")[: problems * (steps + 1)]
    times: list[float] = []

    def reward(completions: list[list[dict[str, str]]], place: list[int], **_: object) -> list[float]:
        attempts = [
            Attempt(asked[at], (Turn(asked[at].chat, (Piece(said[0]["content"]),)),), UNNAMED)
            for said, at in zip(completions, place, strict=True)
        ]
        return [verdict.score for verdict in task.oracle.judge(attempts)]

    class Watch(TrainerCallback):
        """Looks at the clock after every step."""

        def on_step_end(self, *_: object, **__: object) -> None:
            times.append(clock(device))

    rows = [
        {"prompt": [{"role": "user", "content": problem.chat[-1].text}], "place": place}
        for place, problem in enumerate(asked)
    ]
    with tempfile.TemporaryDirectory() as place:
        config = GRPOConfig(
            **quiet(place, device),
            per_device_train_batch_size=problems * n,
            num_generations=n,
            steps_per_generation=1,
            max_completion_length=tokens,
            max_steps=steps + 1,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            loss_type="grpo",
            beta=0.0,
            gradient_checkpointing=False,
        )
        trainer = GRPOTrainer(
            theirs("nano", device),
            reward,
            config,
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer("nano"),
            callbacks=[Watch()],
        )
        trainer.train()
    return Reading(steps, times[-1] - times[0], peak(device))


FIGURES = (Figure("policy-gradient-nano", 5, partial(measure, 32, 4)),)
