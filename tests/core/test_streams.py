import subprocess
import sys
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sharpen.core.streams import SPLITS, split_of, stream, stream_key


def test_a_path_names_the_same_stream_in_every_process() -> None:
    script = "from sharpen.core.streams import stream; print(stream(0, 'draw', 3).random())"
    runs = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert runs == {str(stream(0, "draw", 3).random())}


def test_the_key_of_a_path_stays_what_it_is() -> None:
    assert stream_key(0, "draw", 3) == 1874276338848388634  # a change would make every run another run


def test_other_paths_name_other_streams() -> None:
    paths: list[tuple[str | int, ...]] = [(), (0,), ("0",), (0, "a"), (0, "b"), ("0a",), (0, "a", 1), ("(0, 'a')",)]
    assert len({stream_key(*path) for path in paths}) == len(paths)


def test_asking_again_starts_again() -> None:
    first = stream("x")
    first.random()
    assert stream("x").random() == stream("x").random() != first.random()


def test_splits_have_about_their_shares() -> None:
    counts = Counter(split_of(f"question {i}") for i in range(20_000))
    assert set(counts) == set(SPLITS)
    assert abs(counts["test"] - 2000) < 5 * 43 and abs(counts["dev"] - 2000) < 5 * 43  # five standard deviations


@given(st.text(max_size=20), st.integers(0, 50), st.integers(0, 50))
def test_white_space_does_not_move_a_question(text: str, dev: int, test: int) -> None:
    assert split_of(f"  {text}\n", dev, test) == split_of(" ".join(text.split()), dev, test)
    assert split_of(text, 0, 0) == "train"
    assert split_of(text, 0, 100) == "test"


@given(st.text(max_size=20))
def test_more_problems_for_test_never_move_one_out_of_it(text: str) -> None:
    ranks = [split_of(text, 10, test) == "test" for test in range(0, 91, 10)]
    assert ranks == sorted(ranks)
