"""Methods by name, and settings as a user writes them."""

import pytest

from sharpen.arena.registry import configured, load, merged, method_names, require, settings, variants
from sharpen.core.errors import InvalidInput, LacksNeed
from sharpen.core.ports import Model, Task
from sharpen.models.linear import linear_model
from tests.toy_methods import climb
from tests.toys import MuteToy, Toy

TOYS = "tests.toy_methods"


def test_the_folder_is_the_registry() -> None:
    assert method_names(TOYS) == ("climb", "listen", "poll")
    assert load("climb", TOYS).paper.title == "Climb"
    assert load("climb", TOYS).about == "Climb: keep what was right, imitate it, again."


def test_every_method_of_the_package_loads() -> None:
    assert [load(name).name for name in method_names()] == list(method_names())


def test_an_unknown_method_names_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'climb'"):
        load("clmib", TOYS)


def test_a_variant_is_a_ready_made_configuration_that_settings_depart_from() -> None:
    small = configured(load("climb:small", TOYS), settings(["how.n=2"]))
    assert isinstance(small, climb.Config)
    assert (small.batch, small.how.n) == (4, 2)
    assert variants(climb.Config) == ("small",)
    with pytest.raises(InvalidInput, match="did you mean 'small'"):
        load("climb:smal", TOYS)


def test_settings_reach_into_nested_records() -> None:
    config = configured(load("climb", TOYS), settings(["batch=7", "training.rate=2", "how.n=3", "training.steps=none"]))
    assert isinstance(config, climb.Config)
    assert (config.batch, config.training.rate, config.how.n, config.training.steps) == (7, 2.0, 3, None)
    assert config.training.inherit == "moments"


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("bacth=3", "did you mean 'batch'"),
        ("training.rat=3", "did you mean 'training.rate'"),
        ("batch=many", "batch"),
        ("batch=1.5", "batch"),
        ("batch=true", "batch"),
        ("training.inherit=all", "inherit"),
        ("how.n=0", "n must be >= 1"),
        ("how=3", "how"),
        ("batch", "expected a setting"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_a_sentence(pair: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        configured(load("climb", TOYS), settings([pair]))


def test_later_settings_win_and_leave_their_neighbours() -> None:
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}


def test_a_method_whose_needs_are_not_met_is_refused() -> None:
    model: Model = linear_model()
    task: Task = Toy()
    listen = load("listen", TOYS)
    require(listen, listen.config(), {"model": model}, task)
    with pytest.raises(LacksNeed, match="listen needs reveal"):
        require(listen, listen.config(), {"model": model}, MuteToy())


def test_settings_may_need_what_the_method_alone_does_not() -> None:
    model: Model = linear_model()
    star = load("expert_iteration")
    require(star, star.config(), {"model": model}, MuteToy())
    with pytest.raises(LacksNeed, match="needs reveal"):
        require(star, configured(star, {"rationalise": True}), {"model": model}, MuteToy())
