"""How much better an attempt was than could be expected: rewards into advantages."""

from collections.abc import Sequence
from statistics import fmean, pstdev, stdev


def group_mean(rewards: Sequence[float], scale: bool = True) -> list[float]:
    """(r - mean) / (std + 1e-4) within one group, with the sample standard deviation (GRPO, arXiv:2402.03300);
    r - mean without `scale` (Dr. GRPO, arXiv:2503.20783). A group of one, or of equals, gives zeros."""
    mean = fmean(rewards)
    spread = stdev(rewards) + 1e-4 if scale and len(rewards) > 1 else 1.0
    return [(reward - mean) / spread for reward in rewards]


def leave_one_out(rewards: Sequence[float]) -> list[float]:
    """r_i - mean of the others (RLOO, arXiv:2402.14740); a group of one gives zero."""
    n, total = len(rewards), sum(rewards)
    return [reward - (total - reward) / (n - 1) if n > 1 else 0.0 for reward in rewards]


def penalised(reward: float, own: float, anchored: float, beta: float) -> float:
    """r - beta * (log pi_old - log pi_ref), log-probabilities summed over an attempt: the k1 estimate of the
    divergence, inside the reward."""
    return reward - beta * (own - anchored)


def progress(first: float, second: float, bonus: float) -> tuple[float, float]:
    """What each of two tries is paid: (r1, r2 + bonus * (r2 - r1)), the bonus being alpha (SCoRe, arXiv:2409.12917,
    stage II). The first try is paid for nothing but itself."""
    return first, second + bonus * (second - first)


def by_turn(rewards: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """[attempt][turn] of one group: `leave_one_out` of every turn by itself, so that no turn is credited with what came
    after it or before."""
    return list(zip(*map(leave_one_out, zip(*rewards, strict=True)), strict=True))


def scaled(advantages: Sequence[float]) -> list[float]:
    """Divided by their standard deviation (over the whole batch) plus 1e-4; not centred again. Equals of 0 stay 0."""
    spread = pstdev(advantages) + 1e-4
    return [advantage / spread for advantage in advantages]
