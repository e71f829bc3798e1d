"""The text the embedded model is raised on: the same from the same seed, with nothing that is kept for examination."""

from dataclasses import replace
from hashlib import blake2b
from random import Random

import pytest
import torch

from raising.mixture import lesson, mixture
from raising.muon import Muon, orthogonal
from raising.nano import CONTEXT, drawn, written
from raising.solving import Spoken
from raising.speaking import SKILLS
from raising.tokenizer import MARKS, ROLES, build
from raising.variants import NANO, NANO_CRITIC, Plan, Variant
from sharpen.tasks.families import FAMILIES
from sharpen.tasks.family import split_for
from sharpen.tasks.ladder import Ladder, Sizes

PLAN = Plan(blocks=10, lessons=400, easy=1, settling=1)
SMALL = replace(NANO, plan=PLAN)
SMALL_CRITIC = replace(NANO_CRITIC, plan=PLAN)


@pytest.fixture(scope="module", params=[SMALL, SMALL_CRITIC], ids=lambda variant: variant.name)
def lessons(request: pytest.FixtureRequest) -> list[tuple[str, Spoken]]:
    return [one for block in range(5) for one in drawn(7, block, request.param)]


@pytest.mark.parametrize("variant", [SMALL, SMALL_CRITIC], ids=lambda variant: variant.name)
def test_the_same_seed_gives_the_same_text_block_by_block(variant: Variant) -> None:
    assert drawn(3, 2, variant) == drawn(3, 2, variant)
    assert drawn(3, 2, variant) != drawn(4, 2, variant)


def test_a_variant_reads_none_of_the_lessons_of_its_start() -> None:
    same = replace(SMALL, name="again", start=NANO_CRITIC.start)
    assert drawn(3, 2, same) != drawn(3, 2, SMALL)


def test_a_variant_meets_the_faults_of_the_end_in_every_block() -> None:
    plan = NANO_CRITIC.plan
    assert plan.easy == 0 and plan.settling == plan.blocks


@pytest.mark.parametrize(
    ("block", "digest"), [(0, "6f701952bfd7bc17"), (60, "131d01b14f827f59"), (127, "a88ee9a5984c9f6a")]
)
def test_the_text_is_that_of_the_model_in_the_package(block: int, digest: str) -> None:
    lessons = drawn(0, block, replace(NANO, plan=replace(NANO.plan, lessons=200)))
    assert blake2b(repr(lessons).encode(), digest_size=8).hexdigest() == digest


def test_every_family_and_every_skill_is_in_it(lessons: list[tuple[str, Spoken]]) -> None:
    assert {name for name, _ in lessons} == {*FAMILIES, *SKILLS, "facts"}


def test_every_lesson_ends_in_what_the_assistant_says(lessons: list[tuple[str, Spoken]]) -> None:
    for _, spoken in lessons:
        assert spoken.chat[-1].role == "assistant"
        assert spoken.chat[-1].text
        assert 0 < spoken.start < len(spoken.chat)


def test_no_question_in_it_is_of_another_split_or_in_a_held_out_wording(lessons: list[tuple[str, Spoken]]) -> None:
    found = 0
    for _, spoken in lessons:
        for message in spoken.chat:
            lines = message.text.split("\n")
            for text in (message.text, "\n".join(lines[:-1]), *(line.removeprefix("Task: ") for line in lines)):
                for family in FAMILIES.values():
                    try:
                        _, _, held_out = family.place(text)
                    except ValueError:
                        continue
                    found += 1
                    assert not held_out, text
                    assert split_for(family, text) == "train", text
    assert found > len(lessons) / 2


@pytest.mark.parametrize("name", FAMILIES)
def test_no_test_problem_stands_anywhere_in_it(name: str, lessons: list[tuple[str, Spoken]]) -> None:
    text = "\n\n".join(message.text for _, spoken in lessons for message in spoken.chat)
    task = Ladder(FAMILIES[name], levels=(1, 2, 3), sizes=Sizes(1, 1, 60))
    assert [p for p in task.problems("test") if f"\n{p.chat[-1].text}\n" in text] == []


def test_faults_settle_at_the_end() -> None:
    early, late = mixture(False, False).faults, mixture(False, True).faults
    assert late.habit[2] > 0.5 > early.habit[2]


def test_the_tokenizer_keeps_digits_signs_and_marks_single_and_loses_nothing(lessons: list[tuple[str, Spoken]]) -> None:
    tokenizer = build(CONTEXT, (message.text for _, spoken in lessons for message in spoken.chat))
    assert len(tokenizer) <= 1000
    for mark in (*MARKS, *ROLES.values(), "Answer:"):
        assert len(tokenizer(mark)["input_ids"]) == 1
    for text in ("47+38=85\n", "naïve — 🦋 ", "k a t e"):
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids) == text
    assert len(tokenizer("47+38=85\n")["input_ids"]) == 9
    longest = max(sum(len(tokenizer(text)["input_ids"]) for text, _ in written(spoken)) for _, spoken in lessons)
    assert longest <= CONTEXT


def test_only_what_the_assistant_says_is_learned() -> None:
    name, spoken = lesson(mixture(True, False), Random(0))
    stretches = written(spoken)
    assert name
    assert [learned for _, learned in stretches].count(True) == sum(
        message.role == "assistant" and place >= spoken.start for place, message in enumerate(spoken.chat)
    )


def test_orthogonal_matrices_have_singular_values_near_one() -> None:
    matrices = torch.randn(3, 24, 40, generator=torch.Generator().manual_seed(0))
    for made in (orthogonal(matrices), orthogonal(matrices.mT)):
        values = torch.linalg.svdvals(made)
        assert 0.5 < float(values.min()) <= float(values.max()) < 1.4


def test_muon_goes_downhill() -> None:
    torch.manual_seed(0)
    weight, goal = torch.nn.Parameter(torch.zeros(8, 8)), torch.randn(8, 8)
    optimizer = Muon([weight], lr=0.05)
    losses = []
    for _ in range(60):
        loss = (weight - goal).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 4
