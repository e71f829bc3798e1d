"""What to watch in a batch of attempts, under the names the field uses."""

from collections.abc import Sequence
from statistics import fmean, pstdev

from sharpen.core.judging import by_problem
from sharpen.core.records import Judged, Stop


def monitors(marks: Sequence[Judged]) -> dict[str, float]:
    """Mean and spread of the score, share of problems whose attempts all score the same (they teach a policy gradient
    nothing), mean length in tokens, and the share of attempts cut off at the token limit."""
    if not marks:
        return {}
    scores = [mark.verdict.score for mark in marks]
    groups = [{mark.verdict.score for mark in group} for group in by_problem(marks).values()]
    return {
        "train/reward": fmean(scores),
        "train/reward_std": pstdev(scores),
        "train/frac_reward_zero_std": fmean(len(group) == 1 for group in groups),
        "train/completion_length": fmean(mark.attempt.length for mark in marks),
        "train/clipped_ratio": fmean(mark.attempt.stop is Stop.LENGTH for mark in marks),
    }
