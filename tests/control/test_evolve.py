"""Who breeds and who survives, by hand, and against numpy's percentile."""

import numpy as np
import pytest

from sharpen.control.evolve import Breeding, Tried, elite_count, enough, leading
from sharpen.core.errors import InvalidInput
from sharpen.core.records import Message
from sharpen.core.streams import stream


def tried(name: str, fitness: float, score: float | None = None) -> Tried:
    return Tried((Message("text", name),), fitness, score)


def names(found: tuple[Tried, ...]) -> str:
    return "".join(one.prompt[0].text for one in found)


def test_a_tournament_of_two_among_two_is_won_by_the_fitter_three_times_in_four() -> None:
    rng, members = stream("tournament"), [("weak", 0.0), ("strong", 1.0)]
    wins = sum(Breeding(share=1.0).parent(members, rng) == "strong" for _ in range(4000))
    assert 2900 < wins < 3100  # with replacement: the weaker meets itself in a quarter


def test_a_fifth_of_few_members_is_a_tournament_of_one() -> None:
    rng, members = stream("alone"), [(place, float(place)) for place in range(9)]
    parents = [Breeding(share=0.2).parent(members, rng) for _ in range(3000)]
    assert set(parents) == set(range(9))
    assert np.mean(parents) == pytest.approx(4.0, abs=0.2)
    thirty = [(place, float(place)) for place in range(30)]
    best_of_six = [Breeding(share=0.2).parent(thirty, rng) for _ in range(3000)]
    assert np.mean(best_of_six) == pytest.approx(sum(1 - (k / 30) ** 6 for k in range(1, 30)), abs=0.3)


def test_the_fittest_children_are_the_next_population_however_few() -> None:
    children = [("a", 1.0), ("b", 3.0), ("c", 2.0)]
    assert Breeding(population=2).survivors(children) == (("b", 3.0), ("c", 2.0))
    assert Breeding(population=9).survivors(children) == (("b", 3.0), ("c", 2.0), ("a", 1.0))
    assert Breeding().survivors([]) == ()


@pytest.mark.parametrize("explored", [1, 2, 9, 10, 11, 12, 21, 100, 101, 641])
def test_elites_are_those_at_or_above_numpys_percentile(explored: int) -> None:
    fitness = np.array([stream("fitness", i).random() for i in range(explored)])
    for share in (0.0, 0.1, 0.25, 1.0):
        assert elite_count(explored, share) == (fitness >= np.percentile(fitness, 100 * (1 - share)) - 1e-12).sum()


def test_the_leading_are_each_once_best_first_and_of_equals_the_newest() -> None:
    before = leading((), [tried("a", 1.0), tried("b", 2.0), tried("c", 2.0)], 9)
    assert names(before) == "cba"
    assert names(leading(before, [tried("d", 2.0), tried("e", 0.5)], 4)) == "dcba"
    ranked = (tried("c", 2.0, 0.75), tried("a", 1.0))
    assert leading(ranked, [tried("c", 2.0)], 9) == ranked


def test_who_is_kept_along_the_way_is_who_leads_in_the_end() -> None:
    rng = stream("history")
    history = [tried(chr(200 + i), rng.random()) for i in range(120)]
    most, kept = elite_count(120, 0.1), tuple[Tried, ...]()
    for start in range(0, 120, 8):
        kept = leading(kept, history[start : start + 8], most)
        explored = elite_count(start + 8, 0.1)
        assert kept[:explored] == leading((), history[: start + 8], 120)[:explored]


def test_a_step_is_accepted_within_the_tolerance_of_the_best() -> None:
    assert enough(0.96, 1.0, 0.04) and not enough(0.95, 1.0, 0.04)
    assert enough(-10.3, -10.0, 0.04) and not enough(-10.5, -10.0, 0.04)
    assert enough(0.0, 0.0, 0.04) and not enough(-0.1, 0.0, 0.04)
    assert enough(1.1, 1.0, None) and not enough(1.0, 1.0, None)


def test_settings_out_of_range_are_refused() -> None:
    for make in (lambda: Breeding(population=0), lambda: Breeding(share=0.0), lambda: elite_count(0, 0.1)):
        with pytest.raises(InvalidInput):
            make()
