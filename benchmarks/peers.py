"""Who samples and scores instead of us: transformers, by batch and continuously."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.alternation import Reading, clock
from benchmarks.bodies import theirs
from sharpen.core.tokens import Ints

SIDE_BY_SIDE = 16
"""Texts that a transformers user scores at once."""
PAGE = 256
"""Tokens in a page of transformers' paged cache, by its defaults."""


@dataclass(frozen=True, slots=True)
class Request:
    """Prompts int32[T], `n` samples of each at temperature 1, at most `most` new tokens, ended by any of `ends`."""

    model: str
    device: str
    prompts: Sequence[Ints]
    n: int
    most: int
    ends: Collection[int]


def useful(tokens: Sequence[int], ends: Collection[int]) -> int:
    """How many of a row's new tokens count: those up to its first end of turn, that one included."""
    return next((place + 1 for place, token in enumerate(tokens) if token in ends), len(tokens))


def generate(request: Request) -> Callable[[int], Reading]:
    """transformers' `generate` on one batch of all prompts, padded on the left."""
    model = theirs(request.model, request.device)
    ids, mask = _left_padded(request.prompts, request.device)

    def run(number: int) -> Reading:
        torch.manual_seed(number)
        start = clock(request.device)
        with torch.inference_mode():
            said = model.generate(input_ids=ids, attention_mask=mask, generation_config=_drawing(request))
        seconds = clock(request.device) - start
        rows = said[:, ids.shape[1] :].tolist()
        return Reading(sum(useful(row, request.ends) for row in rows), seconds)

    return run


def continuous(request: Request) -> Callable[[int], Reading]:
    """transformers' continuous batching (what `generate_batch` drives), with room for all rows at once.

    Its thread starts before a run is timed and ends after it, so that it takes nothing from the others."""
    import logging

    from transformers import ContinuousBatchingConfig

    logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)
    model = theirs(request.model, request.device)
    prompts = [prompt.tolist() for prompt in request.prompts for _ in range(request.n)]
    pages = sum(-(-(len(prompt) + request.most) // PAGE) for prompt in prompts)
    room = ContinuousBatchingConfig(num_blocks=pages + len(prompts), max_batch_tokens=max(1024, len(prompts)))

    def run(number: int) -> Reading:
        torch.manual_seed(number)
        manager = model.init_continuous_batching(
            generation_config=_drawing(request, several=False), continuous_batching_config=room
        )
        if not manager.warmed_up:
            manager.warmup()
        manager.start()
        try:
            start = clock(request.device)
            manager.add_requests(inputs=prompts, max_new_tokens=request.most)
            rows = [one.generated_tokens for one in _finished(manager, len(prompts))]
            seconds = clock(request.device) - start
        finally:
            manager.stop(block=True, keep_for_next_session=True)
        return Reading(sum(useful(row, request.ends) for row in rows), seconds)

    return run


def _finished(manager: Any, count: int) -> list[Any]:
    """All answers of a manager; raises RuntimeError where one failed or the manager died."""
    found: list[Any] = []
    while len(found) < count:
        one = manager.get_result(timeout=1)
        if one is None and not manager.is_running():
            raise RuntimeError(f"expected {count} answers of continuous batching, got {len(found)} before it stopped")
        if one is not None and one.error is not None:
            raise RuntimeError(f"continuous batching failed at a prompt: {one.error}")
        if one is not None and one.is_finished():
            found.append(one)
    return found


def score(model_name: str, device: str, rows: Sequence[tuple[Ints, Ints]]) -> Callable[[], list[list[float]]]:
    """[row] nats of each token of the texts after their prompts, as TRL's trainers compute them: prompts padded on the
    left, texts on the right, logits of the texts alone."""
    model = theirs(model_name, device)

    def run() -> list[list[float]]:
        scores: list[list[float]] = []
        with torch.inference_mode():
            for start in range(0, len(rows), SIDE_BY_SIDE):
                part = rows[start : start + SIDE_BY_SIDE]
                ids, mask = _left_padded([prompt for prompt, _ in part], device)
                longest = max(len(text) for _, text in part)
                texts = torch.zeros(len(part), longest, dtype=torch.int64)
                known = torch.zeros_like(texts)
                for place, (_, text) in enumerate(part):
                    texts[place, : len(text)] = torch.from_numpy(text.astype("int64"))
                    known[place, : len(text)] = 1
                texts, known = texts.to(device), known.to(device)
                out = model(
                    input_ids=torch.cat([ids, texts], 1),
                    attention_mask=torch.cat([mask, known], 1),
                    logits_to_keep=longest + 1,
                    use_cache=False,
                )
                log = out.logits[:, :-1].log_softmax(-1).gather(-1, texts[..., None])[..., 0].cpu()
                scores += [log[place, : len(text)].tolist() for place, (_, text) in enumerate(part)]
        return scores

    return run


def _left_padded(prompts: Sequence[Ints], device: str) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, prompts))
    ids = torch.zeros(len(prompts), longest, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for place, prompt in enumerate(prompts):
        ids[place, longest - len(prompt) :] = torch.from_numpy(prompt.astype("int64"))
        mask[place, longest - len(prompt) :] = 1
    return ids.to(device), mask.to(device)


def _drawing(request: Request, several: bool = True) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        max_new_tokens=request.most,
        num_return_sequences=request.n if several else 1,
        eos_token_id=sorted(request.ends),
        pad_token_id=0,
    )
