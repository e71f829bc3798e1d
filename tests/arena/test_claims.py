"""Claim files: what they say is read exactly, and every mistake in one is named before anything is run."""

from dataclasses import replace
from pathlib import Path

import pytest

from sharpen.arena.claims import Claims, claim_files, read_claims
from sharpen.arena.quantities import quantity
from sharpen.arena.registry import METHODS
from sharpen.arena.replicate import opened
from sharpen.core.errors import CorruptRecord, InvalidInput
from sharpen.core.ports import Model
from tests.arena.workshop import OPENERS, linear

STATED = """
model = "linear"
task = "toy"
budget = "2e8flops"
seeds = [0, 1, 2, 3, 4]
dev = 10
test = 20
exams = ["toy:hard"]
departures = ["a toy"]

[arms.climb]
settings.training.rate = 0.03
tried = ["rate 0.03", "rate 0.3"]

[arms.slow]
method = "climb:small"
settings.batch = 11
exams = []

[arms.poll]
method = "poll"
settings.voters = 3

[claims.gains]
says = "it gains"
source = "the sheet, 1"
statistic = "value"
of = "gain"
arm = "climb"
threshold = 0
margin = 0.02

[claims.beats]
says = "it ends above the vote on hard problems"
source = "the sheet, 2"
statistic = "difference"
of = "score"
arm = "climb"
than = "poll"
exam = "toy:hard"
threshold = 0.0
margin = 0.02

[claims.learns]
says = "what it keeps grows"
source = "the sheet, 3"
statistic = "value"
of = "trend/kept"
arm = "climb"
threshold = 0.0
margin = 0.1
"""


def written(below: Path, text: str = STATED, name: str = "climb") -> Path:
    """A claim file in a folder of its own."""
    path = below / "claims" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def stated(below: Path, text: str = STATED) -> Claims:
    return read_claims(written(below, text), OPENERS.methods)


def test_a_claim_file_is_read_with_what_it_leaves_out(tmp_path: Path) -> None:
    claims = stated(tmp_path)
    climb, slow, poll = claims.arms
    assert (climb.method, slow.method, poll.method) == ("climb", "climb:small", "poll")
    assert climb.settings == {"training": {"rate": 0.03}} and climb.exams == ("toy:hard",) and slow.exams == ()
    gains, beats, learns = claims.claims
    assert (gains.id, gains.relation, gains.than, gains.threshold) == ("gains", "above", None, 0.0)
    assert beats.arms == ("climb", "poll") and learns.of == "trend/kept"
    assert [(claims.arm_of(order).name, order.seed) for order in claims.orders()[:4]] == [
        ("climb", 0),
        ("slow", 0),
        ("poll", 0),
        ("climb", 1),
    ]


def test_the_digest_is_of_what_is_said_and_not_of_how(tmp_path: Path) -> None:
    plain = stated(tmp_path).digest
    assert stated(tmp_path, "# a remark\n" + STATED.replace('model = "linear"\n', "") + "\n").digest != plain
    reordered = STATED.replace('model = "linear"\ntask = "toy"', '# a remark\ntask   = "toy"\nmodel = "linear"')
    assert stated(tmp_path, reordered).digest == plain
    assert stated(tmp_path, STATED.replace("margin = 0.1", "margin = 0.2")).digest != plain


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('task = "toy"', 'taks = "toy"', "did you mean 'task'"),
        ('task = "toy"', "", "expected task in climb.toml"),
        ('budget = "2e8flops"', 'budget = "3"', "3e13flops"),
        ("[0, 1, 2, 3, 4]", "[0, 1, 2]", "at least 5 seeds"),
        ("[0, 1, 2, 3, 4]", "[0, 1, 2, 3, 3]", "at least 5 seeds"),
        ("[0, 1, 2, 3, 4]", '"0-4"', "seeds: "),
        ('method = "poll"', 'method = "pol"', "did you mean 'poll'"),
        ("settings.voters", "settings.voter", "did you mean 'voters'"),
        ("climb:small", "climb:smal", "did you mean 'small'"),
        ('tried = ["rate 0.03", "rate 0.3"]', 'tried = ["a", "b", "c", "d", "e"]', "at most 4"),
        ("tried =", "tired =", "did you mean 'tried'"),
        (
            'method = "poll"\nsettings.voters = 3',
            'method = "climb:small"\nsettings.batch = 11\nexams = []',
            "slow and poll, which are the same",
        ),
        ('method = "poll"\nsettings.voters = 3', 'method = "climb"\nsettings.batch = 12', "climb and poll, which are"),
        ('method = "poll"\nsettings.voters = 3', 'method = "climb"\nsettings.batch = 11', "slow and poll, which are"),
        ('method = "poll"', 'method = "poll"\nteacher = "nano"', "no teacher in arm poll of climb.toml"),
        ('task = "toy"', 'task = "toy"\njudge = "nano"', "an arm that asks a judge in climb.toml"),
        ('task = "toy"', 'task = "toy"\nteacher = 3', "teacher"),
        ('exams = ["toy:hard"]', 'exams = ["toy"]', "other tasks than its own"),
        ("margin = 0.1", "", "expected margin in claim learns"),
        ("margin = 0.1", "margin = 0", "margin > 0"),
        ("margin = 0.1", 'margin = "a"', "claim learns of climb.toml: margin"),
        ("threshold = 0.0\nmargin = 0.1", "threshold = nan\nmargin = 0.1", "a threshold"),
        ('statistic = "difference"', 'statistic = "diference"', "'difference'"),
        ('statistic = "difference"', 'statistic = "value"', "`than`"),
        ('statistic = "difference"\nof = "score"', 'statistic = "ratio"\nof = "scor"', "did you mean 'score'"),
        ('than = "poll"', "", "`than`"),
        ('than = "poll"', 'than = "pool"', "did you mean 'poll'"),
        ('than = "poll"', 'than = "climb"', "another arm"),
        ('than = "poll"', 'than = "slow"', "exam of arm slow"),
        ('of = "score"', 'of = "flops"', "quantity of an exam"),
        ('of = "trend/kept"', 'of = "trend/"', "unknown quantity"),
        ("[claims.gains]", "[claims.gains]\nrelation = 'over'", "'above'"),
        ('source = "the sheet, 1"', "", "expected source"),
        ("[arms.climb]", "[arms.climb", "in TOML"),
    ],
)
def test_a_mistake_is_named_in_one_sentence(old: str, new: str, hint: str, tmp_path: Path) -> None:
    assert STATED.count(old) >= 1
    with pytest.raises(InvalidInput) as wrong:
        stated(tmp_path, STATED.replace(old, new, 1))
    assert hint in str(wrong.value)
    assert "\n" not in str(wrong.value) and "Head" not in str(wrong.value)


def test_a_file_without_claims_or_of_no_method_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="state them"):
        stated(tmp_path, STATED.partition("[claims.gains]")[0] + "[claims]\n")
    with pytest.raises(InvalidInput, match="did you mean 'climb'"):
        read_claims(written(tmp_path, name="clim"), OPENERS.methods)


def test_a_folder_without_claim_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"is not there.*--claims"):
        claim_files(tmp_path / "absent")
    with pytest.raises(InvalidInput, match="has none"):
        claim_files(tmp_path)
    assert claim_files(written(tmp_path).parent) == {"climb": tmp_path / "claims" / "climb.toml"}


EXAM = {"before": {"score": 0.25}, "after": {"score": 0.5, "measures": {"length": 7.0}, "inference": {"sampled": 3.0}}}
RESULT = {
    "run": "folder",
    "exam": EXAM,
    "spend": {"flops": 1e9, "work": {"labelled": 12}},
    "elsewhere": {"toy:hard": {"exam": {"before": {"score": 0.5}, "after": {"score": 0.25}}}},
    "metrics": {"up": [1.0, 2.0, 2.5, 7.0], "down": [3.0, 2.0, 1.0], "flat": [1.0, 1.0], "absent": []},
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gain", 0.25),
        ("score", 0.5),
        ("answer_tokens", 3.0),
        ("measure/length", 7.0),
        ("flops", 1e9),
        ("labelled", 12.0),
        ("mean/up", 3.125),
        ("trend/up", 1.0),
        ("trend/down", -1.0),
        ("trend/flat", 0.0),
    ],
)
def test_a_quantity_is_read_off_the_result(name: str, value: float) -> None:
    assert quantity(RESULT, name) == pytest.approx(value)


def test_a_quantity_of_another_exam_is_read_off_that() -> None:
    assert quantity(RESULT, "gain", "toy:hard") == -0.25


def test_a_quantity_that_is_not_there_is_named() -> None:
    with pytest.raises(CorruptRecord, match=r"measures\.width"):
        quantity(RESULT, "measure/width")
    for metric in ("absent", "unheard"):
        with pytest.raises(InvalidInput, match=metric):
            quantity(RESULT, f"mean/{metric}")
    with pytest.raises(InvalidInput, match="did you mean 'flat'"):
        quantity({**RESULT, "logged": ["flat", "up"]}, "mean/flap")


ASKING = """
task = "toy"
budget = "2e8flops"
seeds = [0, 1, 2, 3, 4]
teacher = "big"
[arms.tt_si]
[arms.tt_d]
method = "tt_si:tt_d"
[arms.other]
method = "tt_si:tt_d"
teacher = "bigger"
[claims.better]
says = "a teacher helps"
source = "nowhere"
statistic = "difference"
of = "score"
arm = "tt_d"
than = "tt_si"
threshold = 0.0
margin = 0.02
"""


def test_a_teacher_is_asked_by_the_arms_that_need_one(tmp_path: Path) -> None:
    claims = read_claims(written(tmp_path, ASKING, "tt_si"))
    assert [order.cast for order in claims.orders()[:3]] == [
        {"model": "nano"},
        {"model": "nano", "teacher": "big"},
        {"model": "nano", "teacher": "bigger"},
    ]


def test_every_arm_is_opened_with_the_models_it_asks_each_opened_once(tmp_path: Path) -> None:
    opening: list[str] = []

    def noted(name: str) -> Model:
        opening.append(name)
        return linear(name)

    opened(read_claims(written(tmp_path, ASKING, "tt_si")), replace(OPENERS, model=noted, methods=METHODS))
    assert opening == ["nano", "big", "bigger"]


def test_an_arm_without_the_teacher_that_it_needs_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a teacher in arm tt_d of tt_si\.toml"):
        read_claims(written(tmp_path, ASKING.replace('teacher = "big"\n', ""), "tt_si"))


def test_a_judge_of_its_own_is_as_a_teacher(tmp_path: Path) -> None:
    arm = '[arms.prompt_tournament]\nsettings.judges = ["judge"]\njudge = "big"\n'
    text = ASKING[: ASKING.index("teacher =")] + arm + ASKING[ASKING.index("[claims") :]
    text = text.replace('"difference"', '"value"').replace('arm = "tt_d"\nthan = "tt_si"', 'arm = "prompt_tournament"')
    claims = read_claims(written(tmp_path, text, "prompt_tournament"))
    assert claims.orders()[0].cast == {"model": "nano", "judge": "big"}
