"""A local model loads what it is asked with, names what it makes, and exports what others can load."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from sharpen.core.budget import Spend, free
from sharpen.core.errors import BudgetExhausted, InvalidInput
from sharpen.core.lessons import Lesson, Term, demonstration, preference
from sharpen.core.objectives import Imitate, Prefer
from sharpen.core.records import Chat, Finish, Message, Sampling, user
from sharpen.core.training import Adapter, Head, Training
from sharpen.models.linear import linear_model
from sharpen.models.local import LocalModel
from sharpen.models.open import NANO, open_folder

CHATS: list[Chat] = [(user(f"colour {word} of"),) for word in ("red", "green", "blue", "black")]
LESSONS = [demonstration(chat, str(place)) for place, chat in enumerate(CHATS)]


@pytest.fixture(scope="module")
def linear() -> LocalModel:
    return linear_model()


@pytest.fixture(scope="module")
def nano() -> LocalModel:
    return open_folder("nano", NANO)


def test_a_few_steps_teach_the_toy_answers(linear: LocalModel) -> None:
    learned = linear.learn(linear.base, [Term(Imitate(), LESSONS)], Training(steps=20, batch=4, rate=5e-5)).weights
    said = linear.at(learned).sample(CHATS, Sampling(n=20, max_tokens=4))
    assert [sum(answer.text == str(place) for answer in row) > 15 for place, row in enumerate(said)] == [True] * 4


def test_what_is_learned_by_an_adapter_goes_on_top_of_what_was(linear: LocalModel) -> None:
    how = Training(steps=30, batch=4, pace=4.0, adapter=Adapter(rank=4, targets=("out",)))
    first = linear.learn(linear.base, [Term(Imitate(), LESSONS[:2])], how).weights
    second = linear.learn(first, [Term(Imitate(), LESSONS[2:])], how).weights
    scores = [
        [float(score.sum()) for score in linear.at(weights).logprobs(CHATS, ["0", "1", "2", "3"])]
        for weights in (linear.base, first, second)
    ]
    assert scores[1][0] > scores[0][0] and scores[1][1] > scores[0][1]
    assert scores[2][2] > scores[1][2] and scores[2][3] > scores[1][3]


def test_what_does_not_fit_into_the_context_is_neither_said_nor_read_nor_charged() -> None:
    spent: list[Spend] = []
    model = linear_model().bind(lambda work, paid: spent.append(work))
    short, long = CHATS[0], (user("colour red of in to of"),)
    model.body.context = len(model.encoder.encode(long))  # type: ignore[misc]  # a smaller one for the test
    critic = model.at(model.head(model.base, Head("value")))
    policy = model.at(model.base, ("s",))
    alone = (
        policy.sample([short], Sampling(n=2))[0],
        policy.logprobs([short], ["7"])[0],
        policy.choices([short], "01")[0],
    )
    spent.clear()
    full = policy.sample([long], Sampling(n=2))[0]
    assert [(one.text, one.finish, len(one.piece.known)) for one in full] == [("", Finish.FULL, 0)] * 2
    assert policy.logprobs([long], ["7"])[0].tolist() == [-np.inf] * len(model.encoder.reply("7"))
    assert len(policy.logprobs([long], [full[0].piece.known])[0]) == 0
    assert policy.choices([long], "012")[0].tolist() == [-np.inf] * 3
    assert critic.values([(*long, Message("assistant", "7"))]) == [[]] and spent == []
    assert len(critic.values([long])[0]) == 1  # nothing need follow what a critic reads
    assert policy.sample([long, short], Sampling(n=2))[1] == alone[0]
    assert np.array_equal(policy.logprobs([long, short], ["7", "7"])[1], alone[1])
    assert np.array_equal(policy.choices([long, short], "01")[1], alone[2])
    room = len(model.encoder.encode(long)) - len(model.encoder.encode(short))
    assert np.isfinite(policy.logprobs([short], ["7" * (room - 1)])[0]).all()
    assert np.isneginf(policy.logprobs([short], ["7" * room])[0]).all()
    assert policy.sample([short], Sampling(temperature=0.0))[0][0].finish is not Finish.FULL


def test_preferences_move_towards_the_better(linear: LocalModel) -> None:
    pairs: list[Lesson] = [one for i, chat in enumerate(CHATS) for one in preference(chat, "7", "3", i)]
    term = Term(Prefer(beta=0.5), pairs, anchor=linear.base)
    learned = linear.learn(linear.base, [term], Training(steps=5, batch=8)).weights
    better, worse = linear.at(learned).choices(CHATS, ["7", "3"])[0]
    assert better > worse + 0.5


def test_two_runs_of_one_model_do_not_see_each_others_weights(linear: LocalModel) -> None:
    first, second = linear.bind(free, ("a",)), linear.bind(free, ("b",))
    learned = [
        run.learn(run.base, [Term(Imitate(), LESSONS)], Training(steps=2, batch=2)).weights for run in (first, second)
    ]
    assert learned[0] != learned[1]
    before = first.at(learned[0]).choices(CHATS, ["0", "1"])
    second.at(learned[1]).choices(CHATS, ["0", "1"])
    after = first.at(learned[0]).choices(CHATS, ["0", "1"])
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_nothing_is_loaded_before_it_is_asked(linear: LocalModel) -> None:
    learned = linear.learn(linear.base, [Term(Imitate(), LESSONS)], Training(steps=2)).weights
    linear.at(linear.base).choices(CHATS, ["0"])
    now = linear.body.module.state_dict()["out.weight"].data_ptr()
    linear.at(learned)
    assert linear.body.module.state_dict()["out.weight"].data_ptr() == now


def test_a_budget_used_up_stops_learning_and_leaves_the_start(linear: LocalModel) -> None:
    def broke(work: Spend, paid: Spend) -> None:
        raise BudgetExhausted("spent")

    before = linear.at(linear.base).choices(CHATS, ["0", "1"])
    with pytest.raises(BudgetExhausted):
        linear.bind(broke).learn(linear.base, [Term(Imitate(), LESSONS)], Training(steps=2))
    after = linear.at(linear.base).choices(CHATS, ["0", "1"])
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_bases_of_equal_content_have_one_name_and_others_another(nano: LocalModel) -> None:
    assert linear_model().base == linear_model().base
    assert linear_model().base != linear_model(answers=("yes", "no")).base
    assert open_folder("nano", NANO).base == nano.base
    assert nano.base.body.startswith("nano-")


def test_a_blend_of_nothing_is_refused_and_shared_heads_are_blended(linear: LocalModel) -> None:
    with pytest.raises(InvalidInput, match="share that is not 0"):
        linear.blend([(linear.base, 0.0)])
    start = linear.head(linear.base, Head("value"))
    blended = linear.blend([(start, 0.5), (start, 0.5)])
    assert linear.at(blended).values(CHATS[:1]) == [[[0.0]]]
    with pytest.raises(InvalidInput, match="head"):
        linear.at(linear.blend([(start, 0.5), (linear.base, 0.5)])).values(CHATS[:1])


def test_an_exported_folder_speaks_as_the_weights_did(nano: LocalModel, tmp_path: Path) -> None:
    chats: list[Chat] = [(user("Work out 3 + 4."),), (user("Work out 12 - 5."),)]
    lessons = [demonstration(chat, "Answer: 7") for chat in chats]
    how = Training(steps=2, adapter=Adapter(rank=2))
    learned = nano.head(nano.learn(nano.base, [Term(Imitate(), lessons)], how).weights, Head("value"))
    nano.export(learned, tmp_path / "out", "hf")
    again = open_folder("out", tmp_path / "out")
    for ours, theirs in zip(
        nano.at(learned).logprobs(chats, ["7", "7"]), again.at(again.base).logprobs(chats, ["7", "7"]), strict=True
    ):
        assert ours.tolist() == pytest.approx(theirs.tolist(), abs=1e-4)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").num_parameters() > 0


def test_an_exported_adapter_gives_peft_the_same_logits(nano: LocalModel, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    chat: Chat = (user("Work out 3 + 4."),)
    how = Training(steps=3, pace=5.0, adapter=Adapter(rank=2, targets=("q_proj", "down_proj")))
    learned = nano.learn(nano.base, [Term(Imitate(), [demonstration(chat, "Answer: 7")])], how).weights
    nano.export(learned, tmp_path / "adapter", "peft")
    theirs = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(NANO), tmp_path / "adapter")
    tokens = nano.encoder.encode(chat) + nano.encoder.reply("Answer: 7")
    with torch.no_grad():
        logits = theirs(torch.tensor(tokens.ids[None].astype("int64"))).logits[0].log_softmax(-1)
    said = nano.encoder.reply("Answer: 7").ids
    (ours,) = nano.at(learned).logprobs([chat], ["Answer: 7"])
    start = len(tokens) - len(said) - 1
    expected = [float(logits[start + place, token]) for place, token in enumerate(said)]
    assert ours.tolist() == pytest.approx(expected, abs=1e-4)


def test_weights_without_an_adapter_and_models_without_a_folder_are_not_exported(
    nano: LocalModel, linear: LocalModel, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="one adapter on the base, got 0"):
        nano.export(nano.base, tmp_path / "none", "peft")
    with pytest.raises(InvalidInput, match="no form that others can load"):
        linear.export(linear.base, tmp_path / "none", "hf")
    assert not (tmp_path / "none").exists()
