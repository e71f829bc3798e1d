"""Learning: the start stays, the same gives the same, memory and bills are told beforehand, and each loss teaches."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sharpen.core.budget import Spend
from sharpen.core.errors import BudgetExhausted, ForeignTokens, InvalidInput, WontFit
from sharpen.core.lessons import Lesson, Part, Term, demonstration, preference, valuation
from sharpen.core.objectives import Imitate, PolicyGradient, Prefer, Regress
from sharpen.core.records import Message, Piece, Weights, user
from sharpen.core.tokens import Tokens
from sharpen.core.training import Adapter, Head, Training
from sharpen.models import learner as learner_module
from sharpen.models.memory import TOKENS
from sharpen.models.mount import mount, with_head
from sharpen.models.names import derived_name
from sharpen.models.shape import Shape
from sharpen.models.store import Stored
from sharpen.models.threads import Hands, pool
from sharpen.models.trainee import trained_size
from sharpen.models.transformer import Decoder
from tests.models.tiny import BODY, CHAT, ENCODER, decoder, desk, logits, says

HOW = Training(epochs=20, batch=4, rate=3e-3)
ANSWERS = ("red", "blue", "red dog", "blue cat blue", "dog", "a long way to say red")
DEMOS = [Term(Imitate(), [demonstration((user(f"cat {i}"),), answer) for i, answer in enumerate(ANSWERS)])]


@dataclass
class Bill:
    """Adds up what is charged."""

    work: Spend = Spend()
    paid: Spend = Spend()
    charges: list[Spend] = field(default_factory=list)

    def __call__(self, work: Spend, paid: Spend) -> None:
        self.work, self.paid = self.work + work, self.paid + paid
        self.charges.append(work)


class Stingy(Decoder):
    """A decoder whose memory ends at so many padded tokens."""

    limit = 10**9

    def hidden(self, ids: Tensor, lengths: Tensor) -> Tensor:
        if ids.numel() > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate")
        return super().hidden(ids, lengths)


def drawn(text: str, advantage: float, *, leash: float = 0.0, group: int = 0, sampled: bool = False) -> Lesson:
    said = says(text)
    logprobs = np.full(len(said), -1.0, np.float32) if sampled else None
    return Lesson((Part(CHAT), Part(said, advantage, logprobs, leash)), group)


def likelihood(body: Decoder, text: str) -> float:
    """Nats of a reply after the chat, by what is mounted."""
    before, said = ENCODER.encode(CHAT).ids, says(text).ids
    scores = logits(body, [*before, *said]).log_softmax(-1)
    return sum(float(scores[len(before) + i - 1, token]) for i, token in enumerate(said))


def same(ours: Stored, theirs: Stored) -> bool:
    return ours.tensors.keys() == theirs.tensors.keys() and all(
        torch.equal(ours.tensors[name], theirs.tensors[name]) for name in ours.tensors
    )


def test_learning_leaves_the_start_as_it_was() -> None:
    learner, store, start = desk(decoder())
    before = {name: tensor.clone() for name, tensor in store.get(start).tensors.items()}
    stored, spend, metrics = learner.learn(start, DEMOS, HOW)
    assert all(torch.equal(store.get(start).tensors[name], before[name]) for name in before)
    assert not any(torch.equal(stored.tensors[name], before[name]) for name in before)
    assert not any(tensor.requires_grad for tensor in stored.tensors.values())
    assert metrics["steps"] == stored.step == 30
    assert metrics["tokens"] == spend.learned > 0


def test_the_same_twice_is_the_same_to_the_bit() -> None:
    found = []
    for stream in (("a",), ("a",), ("b",)):
        learner, _, start = desk(decoder(), stream=stream)
        found.append((learner.learn(start, DEMOS, HOW)[0], derived_name(start, DEMOS, HOW, stream)))
    (first, name), (again, same_name), (other, other_name) = found
    assert same(first, again) and name == same_name
    assert not same(first, other) and name != other_name


def test_threads_share_the_pieces_of_a_step_and_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOKENS, "cpu", 40)
    found = []
    for hands in (Hands(1), Hands(3, pool(3))):
        monkeypatch.setattr(learner_module, "hands_of", lambda body, chosen=hands: chosen)
        learner, _, start = desk(decoder())
        found.append(learner.learn(start, DEMOS, HOW))
    (one, _, told), (three, _, told_by_three) = found
    assert same(one, three) and told == told_by_three


def test_a_pool_leaves_the_threads_of_others_as_they_were() -> None:
    before = torch.get_num_threads()
    hands = Hands(2, pool(2))
    assert list(hands(lambda _: torch.get_num_threads(), range(4))) == [1] * 4
    assert torch.get_num_threads() == before
    with pytest.raises(ZeroDivisionError):
        list(hands(lambda number: 1 / number, [1, 0]))


def test_pieces_add_up_to_the_gradient_of_the_whole_step(monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    for tokens in (10_000, 40):
        monkeypatch.setitem(TOKENS, "cpu", tokens)
        learner, _, start = desk(decoder())
        norms.append(learner.learn(start, DEMOS, replace(HOW, steps=1, batch=6))[2]["grad_norm"])
    assert norms[1] == pytest.approx(norms[0], rel=1e-6)


def test_a_name_follows_from_all_that_matters() -> None:
    start = Weights("s", BODY)
    part = Part(says("red"), 1.0, np.zeros(len(says("red")), np.float32))
    lesson = Lesson((Part(CHAT), part))
    lessons = [
        lesson,
        Lesson((Part(CHAT), part), 1),
        Lesson((Part((user("dog"),)), part)),
        Lesson((Part(CHAT), replace(part, weight=2.0))),
        Lesson((Part(CHAT), replace(part, leash=2.0))),
        Lesson((Part(CHAT), replace(part, target=2.0))),
        Lesson((Part(CHAT), replace(part, sampled=None))),
        Lesson((Part(CHAT), Part("red", 1.0))),
    ]
    names = [derived_name(start, [Term(Imitate(), [one])], HOW, ()) for one in lessons]
    names += [
        derived_name(start, [Term(Imitate("sequences"), [lesson])], HOW, ()),
        derived_name(start, [Term(Imitate(), [lesson], 2.0)], HOW, ()),
        derived_name(start, [Term(Imitate(), [lesson], anchor=start)], HOW, ()),
        derived_name(start, [Term(Imitate(), [lesson])] * 2, HOW, ()),
        derived_name(start, [Term(Imitate(), [lesson, lesson])], HOW, ()),
        derived_name(start, [Term(Imitate(), [lesson])], Training(batch=2), ()),
    ]
    assert len(set(names)) == len(names)
    assert derived_name(start, [Term(Imitate(), [])], HOW, ()) == start.id


def test_without_lessons_the_start_comes_back() -> None:
    bill = Bill()
    learner, store, start = desk(decoder(), charge=bill)
    stored, spend, _ = learner.learn(start, [Term(Imitate(), [])], HOW)
    assert stored is store.get(start) and spend == Spend() and not bill.charges


def test_lessons_longer_than_the_context_are_left_out_and_counted() -> None:
    learner, store, start = desk(decoder(context=32))
    long = demonstration(CHAT, "x" * 40)
    assert learner.learn(start, [Term(Imitate(), [long])], HOW)[0] is store.get(start)
    _, _, metrics = learner.learn(start, [Term(Imitate(), [*DEMOS[0].lessons, long])], HOW)
    assert metrics["too_long"] == 1
    pair = preference(CHAT, "red", "x" * 40, 3)
    _, _, metrics = learner.learn(
        start, [Term(Prefer(), [*pair, *preference(CHAT, "red", "blue", 4)], anchor=start)], HOW
    )
    assert metrics["too_long"] == 2


def test_what_is_billed_is_what_the_arithmetic_says() -> None:
    bill = Bill()
    body = decoder()
    learner, store, start = desk(body, charge=bill)
    lessons = [drawn("red", 1.0, leash=0.1), drawn("blue cat", -1.0, leash=0.1)]
    other = store.put("other", BODY, Stored({name: t + 0.01 for name, t in store.get(start).tensors.items()}))
    _, spend, metrics = learner.learn(
        start, [Term(PolicyGradient(), lessons, anchor=other)], Training(epochs=2, batch=2)
    )
    prompt, said = len(ENCODER.encode(CHAT)), [len(says("red")), len(says("blue cat"))]
    lengths = [prompt + n for n in said]
    context = sum(n * (n + 1) / 2 for n in lengths) / sum(lengths)
    forward = body.flops(sum(lengths), context, sum(said))
    # Two steps of learning; before them the anchor and the start, each read once.
    assert spend == bill.work == bill.paid
    assert (spend.learned, spend.read) == (2 * sum(lengths), 2 * sum(lengths))
    assert spend.flops == pytest.approx((2 * 3 + 2) * forward)
    assert metrics["kl"] > 0


def test_one_step_from_the_start_reads_nothing_beforehand() -> None:
    learner, _, start = desk(decoder())
    how = Training(steps=1, batch=2)
    _, spend, metrics = learner.learn(
        start, [Term(PolicyGradient(clip=(0.2, 0.2)), [drawn("red", 1.0, leash=1)] * 2, anchor=start)], how
    )
    assert spend.read == 0
    assert metrics["ratio"] == 1 and metrics["kl"] == 0 and metrics["clip_ratio"] == 0


def test_memory_that_ends_halves_the_micro_batch_and_changes_no_work() -> None:
    found = []
    for limit in (10**9, 100):
        torch.manual_seed(0)
        body = Stingy(Shape(len(ENCODER), 16, 2, 2, 1, 8, 32, 64)).eval()
        body.limit = limit
        bill = Bill()
        learner, _, start = desk(body, charge=bill)
        stored, _, metrics = learner.learn(start, DEMOS, Training(steps=2, batch=6, rate=1e-3))
        found.append((stored, bill, metrics))
    (large, plain, one), (small, again, two) = found
    assert plain.work == again.work and again.paid.learned > again.work.learned
    assert one["grad_norm"] == pytest.approx(two["grad_norm"], rel=1e-5)
    for name, tensor in large.tensors.items():
        torch.testing.assert_close(tensor, small.tensors[name], rtol=1e-3, atol=2e-4)


def test_a_lesson_that_never_fits_is_told_in_a_sentence() -> None:
    body = Stingy(Shape(len(ENCODER), 16, 2, 2, 1, 8, 32, 64))
    body.limit = 5
    learner, _, start = desk(body)
    with pytest.raises(WontFit, match=r"set training.adapter"):
        learner.learn(start, DEMOS, HOW)


def test_work_that_would_not_fit_is_refused_before_it_is_billed() -> None:
    bill = Bill()
    learner, _, start = desk(decoder(), charge=bill)
    learner.free = lambda _device: 1000
    with pytest.raises(WontFit, match=r"fit into 0.00 GiB, got an estimate of .* set training.adapter"):
        learner.learn(start, DEMOS, HOW)
    assert not bill.charges


def test_a_budget_that_ends_leaves_the_start_usable() -> None:
    def broke(work: Spend, _paid: Spend) -> None:
        if work.learned:
            raise BudgetExhausted("spent")

    body = decoder()
    expected = logits(body, [1, 20, 30])
    learner, store, start = desk(body, charge=broke)
    with pytest.raises(BudgetExhausted):
        learner.learn(start, DEMOS, HOW)
    mount(body, store.get(start), store.get)
    assert torch.equal(logits(body, [1, 20, 30]), expected)


def refused(terms: Sequence[Term], how: Training = HOW) -> None:
    learner, _, start = desk(decoder())
    learner.learn(start, terms, how)


def test_what_cannot_be_learned_is_refused_with_a_sentence() -> None:
    foreign = Lesson((Part(CHAT), Part(Tokens([1, 2], "other"), 1.0)))
    with pytest.raises(ForeignTokens):
        refused([Term(Imitate(), [foreign])])
    with pytest.raises(InvalidInput, match="two lessons in every group of Prefer, got 3 in group 0"):
        refused([Term(Prefer(), [drawn("red", 1.0)] * 3, anchor=Weights("base", BODY))])
    with pytest.raises(InvalidInput, match="Prefer needs its term's anchor"):
        refused([Term(Prefer(), preference(CHAT, "red", "blue", 0))])
    with pytest.raises(InvalidInput, match="leash pulls towards its term's anchor"):
        refused([Term(PolicyGradient(), [drawn("red", 1.0, leash=0.1)])])
    with pytest.raises(InvalidInput, match="use this model's"):
        refused([Term(Prefer(), preference(CHAT, "red", "blue", 0), anchor=Weights("x", "large"))])
    with pytest.raises(InvalidInput, match=r"model.head\(weights, Head\('value'\)\)"):
        refused([Term(Regress(), [valuation(CHAT, "red", 1.0)])])
    with pytest.raises(InvalidInput, match="begin with all that stands before it"):
        refused([Term(Imitate(), [Lesson((Part(CHAT), Part(says("red"), 1.0), Part((user("dog"),))))])])
    with pytest.raises(InvalidInput, match="matches no linear layer"):
        refused(DEMOS, replace(HOW, adapter=Adapter(targets=("query",))))


def test_a_full_copy_of_a_large_body_is_refused() -> None:
    class Large(Decoder):
        @property
        def module(self) -> nn.Module:
            return nn.Linear(50_000, 50_000, device="meta")

    with pytest.raises(InvalidInput, match=r"2.5e9 parameters.*set training.adapter"):
        trained_size(Large(decoder().shape), HOW)


def test_inherited_moments_go_on_as_if_there_had_been_no_break() -> None:
    lesson = [Term(Imitate(), [demonstration(CHAT, "red dog")])]
    how = Training(steps=8, rate=1e-2, schedule="cosine", warmup=2, inherit="moments")
    learner, _, start = desk(decoder())
    whole, _, _ = learner.learn(start, lesson, how)
    learner, store, start = desk(decoder())
    link = start
    for turn in range(2):
        stored, _, _ = learner.learn(link, lesson, replace(how, steps=4).at(turn, 2))
        link = store.put(f"turn {turn}", BODY, stored)
    assert same(whole, store.get(link)) and store.get(link).step == 8
    assert whole.moments is not None


def test_moments_that_were_not_kept_cannot_be_inherited() -> None:
    learner, store, start = desk(decoder())
    link = store.put("link", BODY, learner.learn(start, DEMOS, HOW)[0])
    with pytest.raises(InvalidInput, match="moments with weights link, got none"):
        learner.learn(link, DEMOS, replace(HOW, inherit="moments"))


def test_a_fresh_optimiser_leaves_the_starts_moments_behind_and_can_be_gone_on_from() -> None:
    learner, store, start = desk(decoder())
    how = replace(HOW, inherit="moments", rate=1e-2)
    link = store.put("link", BODY, learner.learn(start, DEMOS, how)[0])
    bare = store.put("bare", BODY, replace(store.get(link), moments=None))
    afresh, _, _ = learner.learn(link, DEMOS, replace(how, inherit="afresh"))
    inherited, _, _ = learner.learn(link, DEMOS, how)
    assert same(afresh, learner.learn(bare, DEMOS, replace(how, inherit="nothing"))[0])
    assert not same(afresh, inherited)
    assert afresh.moments is not None
    learner.learn(store.put("next", BODY, afresh), DEMOS, how)


def test_an_adapter_is_learned_on_an_untouched_start_and_goes_on() -> None:
    body, adapter = decoder(), Adapter(4, 8.0)
    learner, store, start = desk(body)
    how = replace(HOW, adapter=adapter, rate=1e-2)
    first, _, before = learner.learn(start, DEMOS, how)
    assert first.of == start and all(".lora_" in name for name in first.tensors)
    one = store.put("one", BODY, first)
    second, _, after = learner.learn(one, DEMOS, how)
    assert second.of == start and after["loss"] < before["loss"]
    on_top, _, _ = learner.learn(one, DEMOS, replace(how, adapter=Adapter(2)))
    assert on_top.of == one
    full, _, further = learner.learn(one, DEMOS, HOW)
    assert full.of is None and full.tensors.keys() == store.get(start).tensors.keys()
    assert further["loss"] < before["loss"]


def test_each_loss_teaches_what_it_names() -> None:
    how = Training(steps=20, batch=4, rate=3e-3)
    terms = {
        "imitate": Term(Imitate(), [demonstration(CHAT, "red")]),
        "prefer": Term(Prefer(), preference(CHAT, "red", "blue", 1), anchor=Weights("base", BODY)),
        "reinforce": Term(PolicyGradient(clip=(0.2, 0.2)), [drawn("red", 1.0), drawn("blue", -1.0)]),
    }
    for term in terms.values():
        body = decoder()
        learner, store, start = desk(body)
        before = likelihood(body, "red") - likelihood(body, "blue")
        stored, _, _ = learner.learn(start, [term], how)
        mount(body, stored, store.get)
        assert likelihood(body, "red") - likelihood(body, "blue") > before + 0.1


def test_a_head_learns_its_targets() -> None:
    body = decoder()
    learner, store, start = desk(body)
    valued = store.put("valued", BODY, with_head(start, store.get(start), Head("value", link="sigmoid"), body.width, 0))
    lessons = [valuation(CHAT, "red", 0.9), valuation(CHAT, "blue", 0.1)]
    stored, _, metrics = learner.learn(valued, [Term(Regress(), lessons)], Training(steps=60, batch=2, rate=1e-2))
    reader = mount(body, stored, store.get)["value"]
    for text, target in (("red", 0.9), ("blue", 0.1)):
        ids = torch.tensor([[*ENCODER.encode(CHAT).ids, *says(text).ids]])
        with torch.no_grad():
            value = float(reader(body.hidden(ids, torch.tensor([ids.shape[1]]))[0, -1]))
        assert value == pytest.approx(target, abs=0.1)
    assert metrics["loss"] < 0.16


def test_terms_add_up_with_their_coefficients() -> None:
    how = Training(steps=1, batch=8)
    norms = []
    for terms in (DEMOS, [replace(DEMOS[0], coefficient=0.25), replace(DEMOS[0], coefficient=0.75)]):
        learner, _, start = desk(decoder())
        norms.append(learner.learn(start, terms, how)[2])
    assert norms[0]["loss"] == pytest.approx(norms[1]["loss"], rel=1e-6)
    assert norms[0]["grad_norm"] == pytest.approx(norms[1]["grad_norm"], rel=1e-5)


def test_a_gradient_that_is_not_finite_is_not_applied() -> None:
    learner, store, start = desk(decoder())
    stored, _, metrics = learner.learn(start, [replace(DEMOS[0], coefficient=float("inf"))], Training(steps=2))
    assert metrics["skipped"] == 2 and "grad_norm" not in metrics
    assert same(stored, store.get(start))


def test_tokens_count_only_where_the_policy_spoke() -> None:
    looked_up = Piece("blue", says("blue"), author="world")
    spoken = demonstration(CHAT, (Piece("red", says("red")), looked_up))
    learner, _, start = desk(decoder())
    ours = learner.learn(start, [Term(Imitate(), [spoken])], Training(steps=1))[2]
    alone = learner.learn(start, [Term(Imitate(), [demonstration(CHAT, "red")])], Training(steps=1))[2]
    assert ours["loss"] == pytest.approx(alone["loss"], rel=1e-5)
    later = (*CHAT, Message("assistant", "red"), user("dog"))
    turns = Lesson((Part(CHAT), Part("red", 1.0), Part(later), Part("blue", 0.0)))
    assert learner.learn(start, [Term(Imitate(), [turns])], Training(steps=1))[2]["loss"] == pytest.approx(
        alone["loss"], rel=1e-5
    )
