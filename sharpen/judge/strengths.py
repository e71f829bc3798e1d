"""Strengths out of who beat whom, all games at once (Bradley and Terry, 1952), with their doubt over contexts."""

from collections.abc import Sequence
from itertools import combinations
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from sharpen.core.streams import Rng
from sharpen.judge.duel import Bout

Doubles: TypeAlias = npt.NDArray[np.float64]
PRIOR = 0.1  # games, our choice: keeps the strength finite of a player that won or lost all
CLOSE = 1e-8  # nats: where the iteration stops
MOST = 10_000  # steps


def wins(bouts: Sequence[Bout], players: int) -> Doubles:
    """[contexts][players][players]: what one player won of another over each context, a draw half for either; contexts
    in the order in which they first appear."""
    places = {context: place for place, context in enumerate(dict.fromkeys(bout.context for bout in bouts))}
    won = np.zeros((len(places), players, players))
    for bout in bouts:
        won[places[bout.context], bout.one, bout.other] += bout.score
        won[places[bout.context], bout.other, bout.one] += 1 - bout.score
    return won


def win_rates(won: Doubles) -> Doubles:
    """[players]: the share of its games that each won, of [players][players]; a half where it played none."""
    played = (won + won.T).sum(1)
    return np.where(played > 0, won.sum(1) / np.maximum(played, 1), 0.5)


def bradley_terry(won: Doubles) -> Doubles:
    """[..., players] strengths in nats, their mean 0, of wins [..., players, players]: i beats j with the probability
    logistic(s_i - s_j). Most likely ones, by the iteration of Hunter (2004, Eq. 3), where each pair has drawn PRIOR
    games more."""
    players = won.shape[-1]
    won = won + PRIOR / 2 * (1 - np.eye(players))
    played, total = won + np.swapaxes(won, -1, -2), won.sum(-1)
    strengths = np.zeros(total.shape)
    for _ in range(MOST):
        worth = np.exp(strengths)
        moved = np.log(total / (played / (worth[..., :, None] + worth[..., None, :])).sum(-1))
        moved -= moved.mean(-1, keepdims=True)
        still = np.abs(moved - strengths).max() < CLOSE
        strengths = moved
        if still:
            break
    return strengths


def resampled(won: Doubles, draws: int, rng: Rng) -> Doubles:
    """[draws][players][players]: wins over as many contexts as there are, drawn anew with all their games, since those
    over one context stand or fall together (cluster bootstrap)."""
    contexts = len(won)
    taken = np.array([np.bincount(rng.choices(range(contexts), k=contexts), minlength=contexts) for _ in range(draws)])
    return np.tensordot(taken, won, 1)


def intransitive(won: Doubles) -> float:
    """The share of triples, of those whose three pairs each have a winner, in which each beats the next in a circle; 0
    where there are none."""
    ahead = np.sign(won - won.T)
    triples = [(ahead[i, j], ahead[j, k], ahead[k, i]) for i, j, k in combinations(range(len(won)), 3)]
    decided = [triple for triple in triples if all(triple)]
    return sum(abs(sum(triple)) == 3 for triple in decided) / len(decided) if decided else 0.0
