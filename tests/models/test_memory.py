"""How much memory learning will take: worked by hand, and halved until it fits."""

import pytest
import torch

from sharpen.core.errors import WontFit
from sharpen.models.memory import TOKENS, available, estimate, fitting
from tests.models.tiny import ENCODER, decoder

FEW = TOKENS["cpu"]


def test_an_estimate_worked_by_hand() -> None:
    # Two layers of 16 wide: q 16+16, k and v 16+8 each, o 16+16, gate and up 16+32 each, down 32+16.
    wide = 2 * (32 + 24 + 24 + 32 + 48 + 48 + 48)
    need = estimate(decoder(), 1000, 10)
    assert (need.weights, need.gradients, need.moments) == (4000, 4000, 8000)
    assert need.activations == 2 * 4 * wide * 10
    assert need.logits == 3 * 4 * 10 * len(ENCODER)
    assert need.total == sum((4000, 4000, 8000, need.activations, need.logits))


def test_micro_batches_shrink_until_they_fit() -> None:
    body = decoder()
    assert fitting(body, 1000, 50, 10**12) == FEW
    free = estimate(body, 1000, FEW // 4).total
    assert fitting(body, 1000, 50, free) == FEW // 4
    assert fitting(body, 1000, 50, estimate(body, 1000, 50).total) == 50
    with pytest.raises(WontFit, match=r"activations 0.00"):
        fitting(body, 1000, 50, estimate(body, 1000, 50).total - 1)


def test_a_lesson_longer_than_a_micro_batch_has_one_of_its_own() -> None:
    assert fitting(decoder(), 1000, 2 * FEW, 10**12) == 2 * FEW


def test_some_memory_is_available() -> None:
    assert 0 < available(torch.device("cpu")) < 2**60
