"""Learning by imitation: useful tokens a second and peak memory, on solutions of many lengths, a process each."""

import tempfile
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from benchmarks.alternation import Contender, Reading, clock
from benchmarks.bench import Bench, Figure, Subject, compared
from benchmarks.bodies import folder, ours, theirs, tokenizer
from benchmarks.contender import apart, peak
from benchmarks.results import Result, Target
from benchmarks.works import solved
from sharpen.models.encoder import ChatEncoder

ROWS = 2048
"""Tokens in the matrix products of a micro-batch."""
RATE = 1e-5
TRL, CHECKPOINTED = "TRL SFTTrainer", "TRL SFTTrainer, gradient checkpointing"


@dataclass(frozen=True, slots=True)
class Course:
    """What is learned: so many lessons once, in steps of `batch`, in float32, by AdamW without decay."""

    model: str
    device: str
    lessons: int
    batch: int


def measure(
    model: str, lessons: int, batch: int, targets: tuple[Target, Target], figure: str, bench: Bench
) -> list[Result]:
    """Ours and TRL's trainer on the same tokens."""
    course = Course(model, bench.device, 8 if bench.quick else lessons, 4 if bench.quick else batch)
    told = asdict(course)
    contenders = [
        Contender("sharpen", lambda: lambda _: Reading(**apart("learning:sharpen", **told)), warm=False),
        Contender(TRL, lambda: lambda _: Reading(**apart("learning:trl", checkpoint=False, **told)), warm=False),
        Contender(
            CHECKPOINTED, lambda: lambda _: Reading(**apart("learning:trl", checkpoint=True, **told)), warm=False
        ),
    ]
    contest = bench.contest(contenders)
    flops = contest.median("sharpen", lambda reading: reading.flops / reading.amount)
    ceiling = bench.rates.products[model, ROWS] / flops
    speed = Subject(figure, model, "tokens/s", ceiling=ceiling, targets=(("", targets[0]),))
    memory = Subject(
        figure, model, "MiB at the peak", of=lambda reading: reading.memory / 2**20, targets=(("", targets[1]),)
    )
    return compared(bench, contest, contenders, speed) + compared(bench, contest, contenders, memory)


def sharpen(model: str, device: str, lessons: int, batch: int) -> Reading:
    """Ours, after one step that does not count; encoding the lessons and naming the weights is in the seconds."""
    from sharpen.core.lessons import Term, demonstration
    from sharpen.core.objectives import Imitate
    from sharpen.core.training import Training

    learner = ours(model, device)
    taught = [demonstration(problem.chat, solution) for problem, solution in solved(lessons)]
    how = Training(epochs=1, batch=batch, rate=RATE)
    learner.learn(learner.base, [Term(Imitate(), taught[:2])], how)
    start = clock(device)
    learned = learner.learn(learner.base, [Term(Imitate(), taught)], how)
    seconds = clock(device) - start
    if learned.metrics["lessons"] != lessons:
        raise ValueError(f"expected {lessons} lessons to be learned, got {learned.metrics['lessons']:g}")
    return Reading(learned.spend.learned, seconds, peak(device), learned.spend.flops)


def trl(model: str, device: str, lessons: int, batch: int, checkpoint: bool) -> Reading:
    """TRL's, on tokens encoded beforehand, after one step that does not count; `checkpoint`: its default, which
    computes activations twice and keeps few of them."""
    from datasets import Dataset

    encoder = ChatEncoder(folder(model))
    rows = []
    for problem, solution in solved(lessons):
        prompt, said = encoder.encode(problem.chat).ids.tolist(), encoder.reply(solution).ids.tolist()
        rows.append({"input_ids": prompt + said, "completion_mask": [0] * len(prompt) + [1] * len(said)})
    network = theirs(model, device)
    _fitted(network, model, Dataset.from_list(rows[:2]), device, 2, checkpoint)
    seconds = _fitted(network, model, Dataset.from_list(rows), device, batch, checkpoint)
    return Reading(float(np.sum([len(row["input_ids"]) for row in rows])), seconds, peak(device))


def _fitted(network: object, model: str, data: object, device: str, batch: int, checkpoint: bool) -> float:
    """Seconds of one epoch, from where training begins to where it ends."""
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    times: list[float] = []

    class Watch(TrainerCallback):
        """Looks at the clock."""

        def on_train_begin(self, *_: object, **__: object) -> None:
            times.append(clock(device))

        def on_train_end(self, *_: object, **__: object) -> None:
            times.append(clock(device))

    with tempfile.TemporaryDirectory() as place:
        config = SFTConfig(
            **quiet(place, device),
            per_device_train_batch_size=batch,
            num_train_epochs=1,
            learning_rate=RATE,
            lr_scheduler_type="constant",
            completion_only_loss=True,
            gradient_checkpointing=checkpoint,
        )
        trainer = SFTTrainer(
            network, config, train_dataset=data, processing_class=tokenizer(model), callbacks=[Watch()]
        )
        trainer.train()
    return times[-1] - times[0]


def quiet(place: str, device: str) -> dict[str, object]:
    """Settings that make TRL's trainers do the work in float32 and nothing beside it."""
    return {
        "output_dir": place,
        "use_cpu": device == "cpu",
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "weight_decay": 0.0,
        "dataloader_num_workers": 0,
        "seed": 0,
    }


def _figure(device: str, model: str, minutes: float, sizes: tuple[int, int], targets: tuple[Target, Target]) -> Figure:
    name = f"learning-{model}"
    return Figure(name, minutes, partial(measure, model, *sizes, targets, name), ((model, ROWS),), (device,))


FIGURES = (
    _figure("cpu", "nano", 4, (512, 32), (Target(1.5), Target(0.6, most=True))),
    _figure("cpu", "smollm2", 20, (16, 8), (Target(1.5), Target(0.6, most=True))),
    _figure("cuda", "nano", 4, (512, 32), (Target(1.5), Target(0.5, most=True))),
    _figure("cuda", "smollm2", 5, (512, 32), (Target(1.5, share=0.35), Target(0.5, most=True))),
)
