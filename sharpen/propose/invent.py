"""New problems in the model's own words, from a few given ones (self-instruct, as in arXiv:2401.10020)."""

from collections.abc import Sequence
from dataclasses import replace

from sharpen.core.ports import Sampler
from sharpen.core.records import Problem, Sampling, user
from sharpen.core.speech import more_like
from sharpen.core.streams import Rng, stream_key


def invent(policy: Sampler, seeds: Sequence[Problem], n: int, rng: Rng, how: Sampling, shown: int = 8) -> list[Problem]:
    """Up to `n` distinct problems unlike the seeds: each asked for with `shown` of them as examples. No answer comes
    with them: whoever uses them brings a judge."""
    asked = []
    for _ in range(n):
        examples = rng.sample(list(seeds), min(shown, len(seeds)))
        asked.append(more_like([problem.chat[-1].text for problem in examples]))
    known = {problem.chat[-1].text for problem in seeds}
    once = replace(how, n=1, stop=(*how.stop, "\nTask:"))
    texts = [said[0].text.strip().removeprefix("Task:").strip() for said in policy.sample(asked, once)]
    fresh = dict.fromkeys(text for text in texts if text and text not in known)
    return [Problem(f"invented-{stream_key(text):016x}", (user(text),), "invented") for text in fresh]
