"""What to watch in a batch of attempts, under the names the field uses."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from statistics import fmean, pstdev

from sharpen.core.judging import by_problem
from sharpen.core.records import Judged, Stop


def monitors(marks: Sequence[Judged]) -> dict[str, float]:
    """Mean and spread of the score, share of problems whose attempts all score the same (they teach a policy gradient
    nothing), mean length in tokens, the share of attempts cut off at the token limit, and of those that found no room
    to go on in the model's context."""
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
        "train/too_long": fmean(mark.attempt.stop is Stop.FULL for mark in marks),
    }


def auroc(scored: Sequence[tuple[float, bool]]) -> float:
    """The chance that a right one scores above a wrong one, equal scores counting half, in [0, 1]; 0.5 where there are
    not both."""
    right = [score for score, is_right in scored if is_right]
    wrong = sorted(score for score, is_right in scored if not is_right)
    if not right or not wrong:
        return 0.5
    above = sum(bisect_left(wrong, score) + bisect_right(wrong, score) for score in right)
    return above / (2 * len(right) * len(wrong))
