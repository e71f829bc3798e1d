import pytest

from sharpen.core.errors import LacksNeed
from sharpen.judge.likelihood import Likelihood
from tests.spoken import attempt


def test_the_sum_and_the_mean_of_the_log_probabilities() -> None:
    attempts = [attempt("p", "a", (-1.0, -2.0)), attempt("p", "b", (-2.0,))]
    assert [v.score for v in Likelihood()(attempts)] == pytest.approx([-3.0, -2.0])
    assert [v.score for v in Likelihood(per_token=True)(attempts)] == pytest.approx([-1.5, -2.0])


def test_a_model_without_log_probabilities_is_told_so() -> None:
    with pytest.raises(LacksNeed, match="log-probabilities"):
        Likelihood()([attempt("p", "a")])
