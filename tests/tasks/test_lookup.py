"""Lookup: the world is fixed, its facts are found by search, and the family's solutions are what they say they are."""

import pytest

from sharpen.core.errors import InvalidInput
from sharpen.core.ports import Env
from sharpen.core.records import Message, Problem, Scene, user
from sharpen.core.streams import stream
from sharpen.tasks.lexicon import CITIES, COUNTRIES, NAMES
from sharpen.tasks.lookup import KNOWN, NOTHING, Lookup, facts, hops, known, search
from sharpen.tasks.searching import SEARCHES

LOOKUP = Lookup()
PLACES = [(kind, level) for kind in LOOKUP.kinds for level in LOOKUP.levels]
FACTS = dict(line.split(": ") for line in facts())
TWO = "What is the pet of the boss of Ada?"
BOSS = FACTS["boss of Ada"]
PET = FACTS[f"pet of {BOSS}"]
FIRST = ("friend of Ada: Eli", "boss of Ada: Ivo", "city of Ada: Pisa")
ODD = [
    "",
    " ",
    "\n\n",
    "Answer:",
    "Answer: ",
    "Search:",
    "Search: ",
    ": ",
    " of ",
    "boss of",
    "boss of Ada:",
    "é",
    "\x00",
]


def drawn(kind: str, level: int, count: int, held_out: bool = False) -> list[str]:
    rng = stream("test lookup", kind, level)
    return [LOOKUP.draw(kind, level, rng, held_out) for _ in range(count)]


def said(env: Env, scene: Scene, text: str) -> Scene:
    return env.step_many([scene], [Message("assistant", text)])[0]


def opened(env: Env) -> Scene:
    return env.open(Problem("1", (user(TWO),)))


def test_the_world_is_the_same_on_every_machine() -> None:
    assert facts()[:3] == FIRST
    assert len(facts()) == len(FACTS) == 5 * len(NAMES) + 2 * len(CITIES) + len(COUNTRIES)


def test_nobody_is_their_own_friend_or_boss() -> None:
    for person in NAMES:
        assert person not in (FACTS[f"friend of {person}"], FACTS[f"boss of {person}"])


def test_half_the_people_are_known_and_lead_only_to_each_other() -> None:
    assert len(KNOWN) == len(NAMES) // 2
    for person in sorted(KNOWN):
        assert {FACTS[f"friend of {person}"], FACTS[f"boss of {person}"]} <= KNOWN


def test_only_true_facts_of_known_people_and_of_places_are_known() -> None:
    strangers = tuple(name for name in NAMES if name not in KNOWN)
    assert [line for line in facts() if not known(line)] == [
        line for line in facts() if line.split(": ")[0].endswith(strangers)
    ]
    assert not any(map(known, [*ODD, "pet of Ada: house", "country of Oslo: Oslo"]))


def test_works_as_by_hand() -> None:
    assert LOOKUP.work(TWO).text == f"boss of Ada: {BOSS}\npet of {BOSS}: {PET}\nAnswer: {PET}"
    assert hops(TWO) == ("boss of Ada", f"pet of {BOSS}")
    assert LOOKUP.place(TWO) == ("known" if "Ada" in KNOWN else "unknown", 2, False)


@pytest.mark.parametrize(
    ("question", "steps", "wrong"),
    [
        (TWO, ["pet of Ada"], 0),
        ("Find the friend of Ada.", ["boss of Ada"], 0),
        ("Find the colour of Borea.", ["colour of Corvia"], 0),
        ("Find the country of the city of Ada.", ["city of Ada"], 1),
        ("Find the friend of the friend of Ada.", ["friend of Ada"], 1),
        ("Find the fruit of the city of the boss of Ada.", ["city of Ada", f"fruit of {FACTS['city of Ada']}"], 0),
    ],
)
def test_has_its_habit_as_by_hand(question: str, steps: list[str], wrong: int) -> None:
    habit = LOOKUP.habit(question, stream("unused"))
    assert list(habit.steps) == [f"{step}: {FACTS[step]}" for step in steps]
    assert (habit.answer, habit.wrong) == (FACTS[steps[-1]], wrong)


SEVERAL = "Find the city and the pet of the boss of Ada."
CITY = FACTS[f"city of {BOSS}"]


def test_several_things_are_worked_as_by_hand() -> None:
    steps = (f"boss of Ada: {BOSS}", f"city of {BOSS}: {CITY}", f"pet of {BOSS}: {PET}")
    assert (LOOKUP.work(SEVERAL).steps, LOOKUP.work(SEVERAL).answer) == (steps, f"{CITY} {PET}")
    assert LOOKUP.place(SEVERAL)[1] == 3
    assert hops(SEVERAL) == ("boss of Ada", f"city of {BOSS}", f"pet of {BOSS}")


def test_several_things_are_told_in_any_order_and_answered_as_they_are_asked() -> None:
    found = f"boss of Ada: {BOSS}\nSearch: pet of {BOSS}\npet of {BOSS}: {PET}\ncity of {BOSS}: {CITY}\n"
    lines = LOOKUP.follow(SEVERAL, f"{found}Answer: {CITY} {PET}")
    assert [line.right for line in lines] == [True] * 5
    assert [line.left for line in lines[2:]] == [f"{PET} city of {BOSS}", f"{CITY} {PET}", f"{CITY} {PET}"]
    assert not LOOKUP.follow(SEVERAL, f"{found}Answer: {PET} {CITY}")[-1].right
    assert not LOOKUP.follow(SEVERAL, f"boss of Ada: {BOSS}\npet of {BOSS}: {PET}\nAnswer: {PET}")[-1].right


def test_a_wrong_one_of_several_things_is_carried_on() -> None:
    other = next(city for city in CITIES if city != CITY)
    text = f"boss of Ada: {BOSS}\ncity of {BOSS}: {other}\npet of {BOSS}: {PET}\nAnswer: {other} {PET}"
    assert [line.right for line in LOOKUP.follow(SEVERAL, text)] == [True, False, True, True]
    assert not LOOKUP.right(SEVERAL, f"{other} {PET}")


@pytest.mark.parametrize(
    ("question", "steps"),
    [(SEVERAL, ["city of Ada", "pet of Ada"]), ("Find the city and the pet of Ada.", ["city of Ada"])],
)
def test_the_habit_with_several_things_is_as_by_hand(question: str, steps: list[str]) -> None:
    habit = LOOKUP.habit(question, stream("unused"))
    assert list(habit.steps) == [f"{step}: {FACTS[step]}" for step in steps]
    assert habit.answer == " ".join(FACTS[step] for step in steps)


@pytest.mark.parametrize("kind", LOOKUP.kinds)
@pytest.mark.parametrize(("level", "words"), [(7, 2), (8, 3)])
def test_the_top_levels_ask_several_things_of_one_person(kind: str, level: int, words: int) -> None:
    for question in drawn(kind, level, 100):
        worked = LOOKUP.work(question)
        assert len(worked.answer.split(" ")) == words
        assert len({step.partition(":")[0].rpartition(" ")[2] for step in worked.steps[-words:]}) == 1
        assert not any(LOOKUP.right(question, word) for word in worked.answer.split(" "))


def test_a_wrong_fact_is_carried_on() -> None:
    other = next(name for name in NAMES if name not in ("Ada", BOSS))
    lines = LOOKUP.follow(TWO, f"boss of Ada: {other}\npet of {other}: {FACTS[f'pet of {other}']}\nAnswer: x")
    assert [line.right for line in lines] == [False, True, False]
    assert lines[0].left == f"pet of {other}"


def test_searches_for_what_is_due_are_right() -> None:
    searches = f"Search: boss of Ada\nboss of Ada: {BOSS}\nSearch: pet of Ada\npet of {BOSS}: {PET}\n"
    text = f"{searches}Answer: {PET}\nAnswer: {PET}"
    assert [line.right for line in LOOKUP.follow(TWO, text)] == [True, True, False, True, True, False]


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_its_steps_are_what_the_searches_find(kind: str, level: int) -> None:
    for question in drawn(kind, level, 100):
        worked = LOOKUP.work(question)
        assert len(worked.steps) == level == len(hops(question))
        assert [search(hop) for hop in hops(question)] == list(worked.steps)


@pytest.mark.parametrize("level", LOOKUP.levels)
def test_the_kind_says_whether_the_facts_are_known(level: int) -> None:
    assert all(known(step) for question in drawn("known", level, 100) for step in LOOKUP.work(question).steps)
    assert not any(known(LOOKUP.work(question).steps[0]) for question in drawn("unknown", level, 100))


@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_the_habit_shows_early(kind: str, level: int) -> None:
    for question in drawn(kind, level, 100):
        habit = LOOKUP.habit(question, stream("unused"))
        assert habit.wrong is None or habit.wrong <= 2


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize(("kind", "level"), PLACES)
def test_only_what_is_held_out_opens_with_tell_me(kind: str, level: int, held_out: bool) -> None:
    assert {question.startswith("Tell me") for question in drawn(kind, level, 100, held_out)} == {held_out}


@pytest.mark.parametrize(("kind", "level"), [place for place in PLACES if place[1] >= 4])
def test_long_chains_are_many(kind: str, level: int) -> None:
    assert len(set(drawn(kind, level, 8000))) >= 2000


@pytest.mark.parametrize(
    "answer", ["", " ", f"{PET}.", f"{PET} {PET}", f"a {PET}", f"Answer: {PET}", PET.upper(), "cat dog"]
)
def test_pays_for_the_word_alone(answer: str) -> None:
    assert LOOKUP.right(TWO, f" {PET} ")
    assert not LOOKUP.right(TWO, answer)


@pytest.mark.parametrize("text", [*ODD, "x" * 10**6, "boss of Ada: Ben\n" * 10**5, TWO])
def test_odd_text_is_wrong_and_raises_nothing(text: str) -> None:
    assert not LOOKUP.right(TWO, text)
    assert not all(line.right for line in LOOKUP.follow(TWO, text)) or not text.strip()
    assert search(text) == NOTHING


@pytest.mark.parametrize(
    "question",
    [
        *ODD,
        "What is the Ada?",
        "What is the boss of the Ada?",
        "What is the boss of Ada.",
        "What is the pet of boss of Ada?",
        "What is the boss of ada?",
        "What is the country of Ada?",
        "What is the boss of the pet of Ada?",
        f"What is the {'boss of the ' * 8}boss of Ada?",
        "What is the pet and the pet of Ada?",
        "What is the pet and the house of Ada?",
        "What is the boss of the pet and the city of Ada?",
        "What is the boss of the boss and the friend of Ada?",
        "What is the pet and city of Ada?",
        f"What is the {'boss of the ' * 10**5}boss of Ada?",
    ],
)
def test_what_is_no_question_of_the_family_is_refused(question: str) -> None:
    with pytest.raises(ValueError, match="expected a question"):
        LOOKUP.place(question)


@pytest.mark.parametrize(("kind", "level"), [("other", 1), ("known", 0), ("known", 9)])
def test_a_place_that_is_none_is_refused(kind: str, level: int) -> None:
    with pytest.raises(ValueError, match="expected a kind"):
        LOOKUP.draw(kind, level, stream("unused"))


def test_a_search_is_answered_and_the_scene_goes_on() -> None:
    env = LOOKUP.world(50)
    scene = said(env, opened(env), "I look it up.\nSearch: boss of Ada\n")
    assert scene.chat[-1] == Message("tool", f"boss of Ada: {BOSS}")
    assert not scene.done
    scene = said(env, scene, "Search: boss of nobody")
    assert (scene.chat[-1], scene.done) == (Message("tool", NOTHING), False)
    scene = said(env, scene, f"Answer: {PET}")
    assert (scene.chat[-1].role, scene.done, len(scene.chat)) == ("assistant", True, 6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "boss of Ada",
        "Search: boss of Ada\nboss of Ada: Ben",
        "Answer: cat\nSearch: boss of Ada",
        "My Search: x",
    ],
)
def test_a_move_without_a_search_at_its_end_or_with_an_answer_ends_the_scene(text: str) -> None:
    env = LOOKUP.world(50)
    scene = said(env, opened(env), text)
    assert (scene.done, scene.chat[-1].role) == (True, "assistant")


def test_no_more_searches_are_answered_than_allowed() -> None:
    env = LOOKUP.world(50)
    scene = opened(env)
    for _ in range(SEARCHES):
        scene = said(env, scene, "Search: boss of Ada")
        assert not scene.done
    scene = said(env, scene, "Search: boss of Ada")
    assert (scene.done, scene.chat[-1].role) == (True, "assistant")


def test_the_world_refuses_a_scene_that_is_done_and_moves_of_no_length() -> None:
    env = LOOKUP.world(50)
    done = said(env, opened(env), "Answer: cat")
    with pytest.raises(InvalidInput, match="still open"):
        said(env, done, "Answer: cat")
    with pytest.raises(InvalidInput, match="max_tokens must be >= 1, got 0"):
        LOOKUP.world(0)


def test_the_world_is_a_function_of_scenes() -> None:
    env = LOOKUP.world(50)
    scene = opened(env)
    assert said(env, scene, "Search: boss of Ada") == said(env, scene, "Search: boss of Ada")
    assert (env.deterministic, env.max_tokens, scene.chat) == (True, 50, (user(TWO),))


def test_spacing_is_put_right_and_odd_text_is_left_without_complaint() -> None:
    assert LOOKUP.tidy(f" {TWO}\n") == TWO
    assert all(isinstance(LOOKUP.tidy(text), str) for text in ODD)
