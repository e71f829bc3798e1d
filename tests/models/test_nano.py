"""The embedded models as others find them: ordinary Hugging Face folders with a card that tells the truth."""

from hashlib import sha256
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

import sharpen.models
from sharpen.core.records import user
from sharpen.models.open import EMBEDDED, open_folder
from sharpen.tasks.arithmetic import Arithmetic
from sharpen.tasks.expressions import answered
from sharpen.tasks.ladder import Ladder, Sizes


@pytest.fixture(scope="module", params=EMBEDDED)
def folder(request: pytest.FixtureRequest) -> Path:
    return EMBEDDED[request.param]


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def model(folder: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def test_all_of_them_hold_twelve_megabytes_in_half_precision() -> None:
    models = [AutoModelForCausalLM.from_pretrained(folder) for folder in EMBEDDED.values()]
    assert sum(2 * model.num_parameters() for model in models) <= 12_000_000
    shipped = Path(sharpen.models.__file__).parent.rglob("model.safetensors")
    assert {file.parent for file in shipped} == set(EMBEDDED.values())


def test_it_is_a_llama_of_at_most_two_million_parameters(model: PreTrainedModel) -> None:
    assert model.config.architectures == ["LlamaForCausalLM"]
    assert model.num_parameters() <= 2_000_000
    assert model.config.max_position_embeddings >= 512


def test_transformers_gives_the_same_likelihoods(
    folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    ours = open_folder("it", folder)
    asked, said = "Ada has 7 apples. Ada loses 2. How many has Ada?", "7-2=5\nAnswer: 5"
    (mine,) = ours.at(ours.base).logprobs([(user(asked),)], [said])
    shown = f"<|user|>{asked}<|end|><|assistant|>"
    before, after = (tokenizer(text, return_tensors="pt")["input_ids"] for text in (shown, f"{said}<|end|>"))
    logits = model(torch.cat([before, after], dim=1)).logits[0, before.shape[1] - 1 : -1]
    theirs = logits.log_softmax(-1).gather(1, after[0, :, None])[:, 0]
    assert torch.allclose(torch.tensor(mine)[: len(theirs)], theirs[: len(mine)], atol=1e-4)


def test_the_card_names_these_weights(folder: Path, model: PreTrainedModel) -> None:
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    assert f"model.safetensors sha256: `{sha256((folder / 'model.safetensors').read_bytes()).hexdigest()}`" in card
    assert f"{model.num_parameters():,}" in card


@pytest.mark.parametrize("digit", "0123456789")
def test_a_digit_is_one_token(tokenizer: PreTrainedTokenizerBase, digit: str) -> None:
    assert len(tokenizer(f"{digit}{digit}+{digit}")["input_ids"]) == 4


@pytest.mark.parametrize(
    "text",
    [
        "".join(map(chr, range(32, 127))),
        "Work out 7+5.\n7+5=12\nAnswer: 12",
        "  two  spaces\tand a tab\n\n",
        "naïve — ℝ 🦋",
        "Answer:12 Answer : 12 Workout Work out",
    ],
)
def test_what_it_reads_it_writes(tokenizer: PreTrainedTokenizerBase, text: str) -> None:
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert max(ids) < len(tokenizer)


def test_every_role_has_its_mark(tokenizer: PreTrainedTokenizerBase) -> None:
    chat = [{"role": role, "content": role[0]} for role in ("system", "user", "assistant", "tool")]
    shown = "<|system|>s<|end|><|user|>u<|end|><|assistant|>a<|end|><|tool|>t<|end|>"
    assert tokenizer.apply_chat_template(chat, tokenize=False) == shown
    assert tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) == shown + "<|assistant|>"
    ids = tokenizer(shown)["input_ids"]
    assert len(ids) == 12
    assert tokenizer.decode(ids, skip_special_tokens=True) == "suat"


def test_a_foreign_role_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    with pytest.raises(Exception, match="expected a role"):
        tokenizer.apply_chat_template([{"role": "critic", "content": "no"}], tokenize=False)


def test_a_started_reply_can_be_continued(tokenizer: PreTrainedTokenizerBase) -> None:
    chat = [{"role": "user", "content": "Work out 7+5."}, {"role": "assistant", "content": "7+5="}]
    shown = tokenizer.apply_chat_template(chat, tokenize=False, continue_final_message=True)
    assert shown == "<|user|>Work out 7+5.<|end|><|assistant|>7+5="


def test_it_solves_most_sums_of_level_1_and_none_of_level_8(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    assert greedy_accuracy(model, tokenizer, 1) >= 0.7
    assert greedy_accuracy(model, tokenizer, 8) <= 0.1


def greedy_accuracy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, level: int) -> float:
    """Of forty dev problems, one by one."""
    task = Ladder(Arithmetic(), levels=(level,), sizes=Sizes(train=1, dev=40, test=1))
    right = 0
    for problem in task.problems("dev"):
        chat = [{"role": message.role, "content": message.text} for message in problem.chat]
        asked = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        said = model.generate(**asked, do_sample=False, max_new_tokens=task.env.max_tokens)
        text = tokenizer.decode(said[0, asked["input_ids"].shape[1] :], skip_special_tokens=True)
        right += answered(text) == int(task.oracle.reveal(problem).answer)
    return right / len(task.problems("dev"))
