"""Our losses against TRL's trainers on the same weights and tokens: imitation, preference, and policy gradients."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sharpen.core.objectives import Imitate, Objective, PolicyGradient, Prefer
from sharpen.models.batches import Row, padded
from sharpen.models.losses import imitate, policy_gradient, prefer, selected, shares
from sharpen.models.transformer import Decoder
from tests.models.tiny import ENCODER, decoder

trl = pytest.importorskip("trl")
datasets = pytest.importorskip("datasets")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

pytestmark = pytest.mark.peer

PROMPTS = [[10, 11, 12], [20, 21, 22]]
SAID = [[30, 31, 32, 1], [40, 41, 42, 1], [50, 51, 52, 1], [60, 61, 62, 1]]
CPU = torch.device("cpu")


def llama(body: Decoder) -> Any:
    shape = body.shape
    config = transformers.LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        intermediate_size=shape.hidden,
        rms_norm_eps=shape.norm_eps,
        max_position_embeddings=shape.context,
        pad_token_id=0,
        eos_token_id=1,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    model.load_state_dict(body.state_dict())
    return model


def words() -> Any:
    known = {string: place for place, string in enumerate(ENCODER.strings)}
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(known, unk_token="<|unknown|>"))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<|pad|>", eos_token="<|end|>", unk_token="<|unknown|>"
    )


def settings(folder: Path) -> dict[str, Any]:
    return {"output_dir": str(folder), "use_cpu": True, "report_to": "none", "bf16": False, "max_steps": 1}


def row(prompt: Sequence[int], said: Sequence[int], weight: float = 1.0) -> Row:
    counted = np.array([False] * len(prompt) + [True] * len(said))
    nan, zero = np.full(len(counted), np.nan, np.float32), np.zeros(len(counted), np.float32)
    return Row(
        np.array([*prompt, *said], np.int32), counted, counted * np.float32(weight), zero, nan.copy(), nan.copy()
    )


def ours(body: Decoder, objective: Objective, rows: list[Row]) -> Tensor:
    share = shares(objective, [int(one.counted.sum()) for one in rows])
    batch = padded(rows, share, CPU)
    logprobs, _ = selected(body, body.hidden(batch.ids, batch.lengths), batch.ids, batch.counted)
    if isinstance(objective, Prefer):
        return prefer(objective, batch, logprobs).value
    if isinstance(objective, PolicyGradient):
        return policy_gradient(objective, batch, logprobs).value
    return imitate(batch, logprobs).value


def known(body: Decoder, rows: list[Row]) -> list[np.ndarray]:
    batch = padded(rows, [0.0] * len(rows), CPU)
    with torch.no_grad():
        logprobs, _ = selected(body, body.hidden(batch.ids, batch.lengths), batch.ids, batch.counted)
    return [values[: len(one.ids)] for values, one in zip(logprobs.numpy(), rows, strict=True)]


def agree(body: Decoder, value: Tensor, model: Any, theirs: Tensor) -> None:
    """The same number, and the same gradient of every parameter."""
    assert float(value.detach()) == pytest.approx(float(theirs.detach()), rel=1e-5, abs=1e-6)
    body.zero_grad()
    model.zero_grad()
    value.backward()
    theirs.backward()
    gradients = dict(model.named_parameters())
    for name, parameter in body.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[name].grad, rtol=1e-3, atol=1e-6)


def test_imitation_is_trls(tmp_path: Path) -> None:
    body = decoder()
    model = llama(body)
    said = [SAID[0], SAID[1][:2]]
    rows = [row(prompt, words) for prompt, words in zip(PROMPTS, said, strict=True)]
    data = datasets.Dataset.from_list(
        [{"input_ids": one.ids.tolist(), "completion_mask": one.counted.astype(int).tolist()} for one in rows]
    )
    trainer = trl.SFTTrainer(
        model,
        trl.SFTConfig(**settings(tmp_path), completion_only_loss=True),
        train_dataset=data,
        processing_class=words(),
    )
    model.eval()
    batch = trainer.data_collator(list(trainer.train_dataset))
    agree(body, ours(body, Imitate("tokens"), rows), model, trainer.compute_loss(model, batch))


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_preference_is_trls(tmp_path: Path, alpha: float) -> None:
    body, anchor = decoder(0), decoder(1)
    model, frozen = llama(body), llama(anchor)
    rows = [row(PROMPTS[i // 2], SAID[i]) for i in range(4)]
    for one, values in zip(rows, known(anchor, rows), strict=True):
        one.anchor = np.where(one.counted, values, np.nan).astype(np.float32)
    data = datasets.Dataset.from_list([{"prompt": "red", "chosen": "blue", "rejected": "dog"}])
    config = trl.DPOConfig(
        **settings(tmp_path),
        beta=0.3,
        loss_type=["sigmoid", "sft"] if alpha else ["sigmoid"],
        loss_weights=[1.0, alpha] if alpha else None,
    )
    trainer = trl.DPOTrainer(model, frozen, config, train_dataset=data, processing_class=words())
    model.eval()
    examples = [
        {"prompt_ids": PROMPTS[i], "chosen_ids": SAID[2 * i], "rejected_ids": SAID[2 * i + 1]} for i in range(2)
    ]
    batch = trainer.data_collator(examples)
    agree(body, ours(body, Prefer(0.3, imitate=alpha), rows), model, trainer.compute_loss(model, batch))


@pytest.mark.parametrize(
    ("kind", "objective"),
    [
        ("grpo", PolicyGradient(clip=(0.2, 0.28))),
        ("dapo", PolicyGradient(clip=(0.2, 0.28), per="tokens")),
        ("dr_grpo", PolicyGradient(clip=(0.2, 0.28), per="constant", length=9)),
    ],
)
def test_policy_gradients_are_trls(tmp_path: Path, kind: str, objective: PolicyGradient) -> None:
    body, old, anchor = decoder(0), decoder(2), decoder(1)
    with torch.no_grad():
        for now, then in zip(body.parameters(), old.parameters(), strict=True):
            then.copy_(now + 0.02 * then)
    advantages = [1.4997, -0.4999, -0.4999, -0.4999]
    said = [SAID[0], SAID[1][:2], SAID[2][:3], SAID[3]]
    rows = [row(PROMPTS[0], words, advantage) for words, advantage in zip(said, advantages, strict=True)]
    for one, then, far in zip(rows, known(old, rows), known(anchor, rows), strict=True):
        one.sampled, one.anchor = np.where(one.counted, then, np.nan).astype(np.float32), far.astype(np.float32)
        one.leash = one.counted * np.float32(0.04)
    model = llama(body)
    config = trl.GRPOConfig(
        **settings(tmp_path),
        beta=0.0,
        epsilon=0.2,
        epsilon_high=0.28,
        loss_type=kind,
        max_completion_length=9,
        per_device_train_batch_size=4,
        num_generations=4,
        temperature=1.0,
    )
    data = datasets.Dataset.from_list([{"prompt": "red"}])
    trainer = trl.GRPOTrainer(
        model, lambda completions, **_: [0.0] * len(completions), config, train_dataset=data, processing_class=words()
    )
    # A trainer made with beta wants to load its reference by name; here the reference's numbers are in the batch.
    trainer.beta = 0.04
    # Ours is k3 as in the paper; newer versions of TRL multiply it by the importance ratio unless told not to.
    trainer.args.use_bias_correction_kl = False
    model.eval()
    width = max(map(len, said))
    mask = torch.tensor([[1] * len(one) + [0] * (width - len(one)) for one in said])
    spoken = torch.tensor([[*one, *[0] * (width - len(one))] for one in said])

    def after(values: Sequence[float]) -> list[float]:
        tail = list(values[len(PROMPTS[0]) :])
        return [*tail, *[0.0] * (width - len(tail))]

    batch = {
        "prompt_ids": torch.tensor([PROMPTS[0]] * 4),
        "prompt_mask": torch.ones(4, len(PROMPTS[0]), dtype=torch.long),
        "completion_ids": spoken,
        "completion_mask": mask,
        "advantages": torch.tensor(advantages),
        "old_per_token_logps": torch.tensor([after(one.sampled) for one in rows]),
        "ref_per_token_logps": torch.tensor([after(one.anchor) for one in rows]),
        "num_items_in_batch": mask.sum(),
    }
    agree(body, ours(body, objective, rows), model, trainer.compute_loss(model, batch))
