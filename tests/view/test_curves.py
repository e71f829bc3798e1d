"""The figures: where lines run and names stand."""

from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sharpen.view.chart import spread
from sharpen.view.curves import NARROW, WIDE, Shape, costs, curve, learning, middle
from sharpen.view.runs import read_run
from tests.view.journals import FIVE, Made, rows_over, write_run, written


def test_the_middle_of_two_curves_is_their_mean_where_both_are() -> None:
    mean, low, high = middle([((0.0, 0.2), (10.0, 0.4)), ((0.0, 0.2), (20.0, 1.0))])
    assert mean[0] == (0.0, pytest.approx(0.2))
    assert mean[-1] == (10.0, pytest.approx(0.5))
    assert (low[-1][1], high[-1][1]) == (pytest.approx(0.4), pytest.approx(0.6))


@given(st.lists(st.floats(0, 300), min_size=1, max_size=12))
def test_names_never_touch_where_there_is_room(wanted: list[float]) -> None:
    placed = sorted(spread(wanted, 17.0, 0.0, 300.0))
    assert all(after - before >= 17.0 - 1e-6 for before, after in pairwise(placed))
    assert placed[-1] <= 300.0 + 1e-6


def test_names_that_have_room_stay_where_they_are() -> None:
    assert spread([100.0, 10.0], 17.0, 0.0, 300.0) == [100.0, 10.0]


def test_a_curve_begins_at_the_start(tmp_path: Path) -> None:
    run = written(tmp_path, FIVE[:1], 1)[0]
    assert curve(run)[0] == (0.0, pytest.approx(0.25))
    assert len(curve(run)) == 13


@pytest.mark.parametrize("shape", [WIDE, NARROW], ids=lambda shape: shape.kind)
def test_figures_are_whole_pictures_that_name_every_method_where_there_is_room(tmp_path: Path, shape: Shape) -> None:
    runs = written(tmp_path)
    order = {made.name: place for place, made in enumerate(FIVE)}
    for picture in (learning(runs, order, shape), costs(rows_over(runs), order, shape)):
        texts = "".join(fromstring(picture).itertext())
        assert all((made.name in texts) == shape.named for made in FIVE)


def test_no_line_leaves_its_frame(tmp_path: Path) -> None:
    order = {made.name: place for place, made in enumerate(FIVE)}
    picture = fromstring(learning(written(tmp_path), order, WIDE))
    for path in picture.iter("{http://www.w3.org/2000/svg}path"):
        points = [pair.split(",") for pair in path.attrib["d"].strip("MZ").split("L")]
        assert all(0 <= float(x) <= WIDE.width and 0 <= float(y) <= WIDE.height for x, y in points)


def test_there_is_no_figure_of_runs_without_rounds(tmp_path: Path) -> None:
    folder = write_run(tmp_path, Made("grpo", 0.1), 0, finished=False)
    (folder / "rounds.jsonl").unlink()
    assert learning([read_run(folder)], {"grpo": 0}, WIDE) == ""
    assert costs([], {}, WIDE) == ""
