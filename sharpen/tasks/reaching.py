"""Reaching a target: which signs, or which chain of sums, differences and products, lead there from given numbers."""

from collections.abc import Sequence

LARGEST = 999  # what a chain may come to at any step

Move = tuple[str, int]
"""A sign and the number that follows it: what is done to the number carried."""


def solve(numbers: Sequence[int], target: int) -> tuple[int, list[Move]] | None:
    """The number to begin with and the moves that lead from it to the target, always the same, by + and - alone where
    that is enough; None where no such chain within 0 to 999 uses each number once."""
    signs = signs_for(numbers, target)
    if signs:
        added = [n for n, sign in zip(numbers, signs, strict=True) if sign == "+"]
        taken = [n for n, sign in zip(numbers, signs, strict=True) if sign == "-"]
        return added[0], [*(("+", n) for n in added[1:]), *(("-", n) for n in taken)]
    return _chain(tuple(sorted(numbers, reverse=True)), target, set())


def signs_for(numbers: Sequence[int], target: int) -> str:
    """A sign for each number so that they add up to the target; empty where there are none."""
    half, odd = divmod(sum(numbers) + target, 2)
    reached = [1]
    for n in numbers:
        reached.append(reached[-1] | reached[-1] << n)
    if odd or not reached[-1] >> half & 1:
        return ""
    signs = ""
    for at in range(len(numbers) - 1, -1, -1):
        left_out = reached[at] >> half & 1
        signs += "-" if left_out else "+"
        half -= 0 if left_out else numbers[at]
    return signs[::-1]


def _chain(
    numbers: tuple[int, ...], target: int, hopeless: set[tuple[tuple[int, ...], int]]
) -> tuple[int, list[Move]] | None:
    """Backwards from the target: which number came last, and by which sign; `hopeless` fills with what cannot be."""
    if len(numbers) == 1:
        return (target, []) if numbers[0] == target else None
    if (numbers, target) in hopeless:
        return None
    for at, n in enumerate(numbers):
        if at and numbers[at - 1] == n:
            continue
        rest = (*numbers[:at], *numbers[at + 1 :])
        before = (("*", target // n, target % n == 0), ("+", target - n, n <= target), ("-", target + n, True))
        for sign, carried, possible in before:
            found = _chain(rest, carried, hopeless) if possible and carried <= LARGEST else None
            if found:
                return found[0], [*found[1], (sign, n)]
    hopeless.add((numbers, target))
    return None
