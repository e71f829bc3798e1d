"""Losses named as data: one frozen record per loss, stating its normaliser; the arithmetic is in models/losses.py."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from sharpen.core.errors import InvalidInput

Normaliser = Literal["tokens", "sequences", "constant"]


@dataclass(frozen=True, slots=True)
class Imitate:
    """Weighted negative log-likelihood: -sum_t w_t log pi(y_t) over a normaliser.

    per = tokens     divided by the number of weighted tokens of the batch
    per = sequences  mean over lessons of each lesson's mean over its weighted tokens
    per = constant   divided by `length` (tokens) times the number of lessons
    The batch is that of the optimiser step; a token is weighted where w_t is not 0; lessons without one do not count.
    """

    per: Normaliser = "tokens"
    length: int = 1


@dataclass(frozen=True, slots=True)
class Prefer:
    """Direct preference optimisation over groups of two, the better first (arXiv:2305.18290, Eq. 7); mean over pairs.

    -log sigmoid(beta * [(log pi - log anchor)(better) - (log pi - log anchor)(worse)]), log-probabilities summed over
    tokens of weight other than 0, each once; plus `imitate` * NLL(better) / |better| (IRPO, arXiv:2404.19733).
    Needs the term's anchor.
    """

    beta: float = 0.1
    imitate: float = 0.0

    def __post_init__(self) -> None:
        if self.beta <= 0:
            raise InvalidInput(f"beta must be > 0, got {self.beta}")


@dataclass(frozen=True, slots=True)
class PolicyGradient:
    """Policy gradient on weighted tokens, the weight being the advantage A.

    clip = None      -A * ratio, ratio = pi / sampled: on-policy its gradient is REINFORCE's, -A grad log pi
    clip = (a, b)    -min(ratio * A, clamp(ratio, 1 - a, 1 + b) * A) (PPO, arXiv:1707.06347, Eq. 7)
    ratio            of each token, or of the whole sequence (the exponential of the summed difference; RLOO,
                     arXiv:2402.14740)
    per              sequences: mean over lessons of each lesson's token mean (GRPO, arXiv:2402.03300, Eq. 3);
                     tokens: over all weighted tokens of the batch (DAPO, arXiv:2503.14476);
                     constant: divided by `length` times the number of lessons (Dr. GRPO, arXiv:2503.20783)
    kl               the divergence from the term's anchor added per token with the lesson's leash:
                     k2 = d^2 / 2, k3 = exp(d) - d - 1, with d = log anchor - log pi (gradient through pi)
    temperature      logits are divided by it, so that what is learned is the distribution that was sampled
    A token counts where its part is the policy's own: weight, leash or sampled given. Tokens with A = 0 still count
    in the normaliser.
    """

    clip: tuple[float, float] | None = None
    ratio: Literal["token", "sequence"] = "token"
    per: Normaliser = "sequences"
    length: int = 1
    kl: Literal["k2", "k3"] = "k3"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.clip is not None and not (0 < self.clip[0] <= 1 and self.clip[1] > 0):
            raise InvalidInput(f"clip must be (low in (0, 1], high > 0), got {self.clip}")
        if self.temperature <= 0:
            raise InvalidInput(f"temperature must be > 0, got {self.temperature}")


@dataclass(frozen=True, slots=True)
class Regress:
    """A head's output against each part's target at its last token; mean over targets.

    mse: squared error of the linked output. bce: binary cross-entropy of its sigmoid, targets in [0, 1].
    """

    kind: Literal["mse", "bce"] = "mse"
    head: str = "value"


Objective: TypeAlias = Imitate | Prefer | PolicyGradient | Regress
