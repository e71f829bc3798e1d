"""The chat encoder, on a byte tokenizer with a few merges whose every token can be worked out by hand."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from sharpen.core.errors import ForeignTokens, InvalidInput
from sharpen.core.ports import Encoder
from sharpen.core.records import Chat, Message, user
from sharpen.core.tokens import Tokens
from sharpen.models.encoder import ChatEncoder

MARKS = ["<pad>", "<bos>", "<eos>", "<turn>", "<end>", "<step>"]
TEMPLATE = (
    "<bos>{% for message in messages %}"
    "{% if message['role'] == 'tool' %}{{ raise_exception('no tools here') }}{% endif %}"
    "{{ '<turn>' + message['role'] + '\n' + message['content'] | trim + '<end>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<turn>assistant\n' }}{% endif %}"
)


def written(folder: Path, template: str | None = TEMPLATE) -> Path:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("1", "2"), ("Ċ", "Ċ"), ("a", "b")]
    pieces = [*MARKS, *alphabet, *("".join(pair) for pair in merges)]
    tokenizer = Tokenizer(models.BPE(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(mark, special=True, normalized=False) for mark in MARKS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        chat_template=template,
    )
    fast.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> ChatEncoder:
    return ChatEncoder(written(tmp_path_factory.mktemp("tokenizer")))


def shown(encoder: ChatEncoder, tokens: Tokens) -> str:
    """All tokens as text, marks included."""
    pieces = AutoTokenizer.from_pretrained(encoder.folder).convert_ids_to_tokens(tokens.ids.tolist())
    return "|".join(pieces).replace("Ċ", "/").replace("Ġ", "_")


def assistant(text: str, tokens: Tokens | None = None) -> Message:
    return Message("assistant", text, tokens)


def test_a_chat_is_what_transformers_makes_of_it(encoder: ChatEncoder) -> None:
    port: Encoder = encoder
    chat = (Message("system", "ab"), user("12 "), assistant("1"), user("ab\n\n12"))
    dicts = [{"role": m.role, "content": m.text} for m in chat]
    text = AutoTokenizer.from_pretrained(encoder.folder).apply_chat_template(
        dicts, add_generation_prompt=True, tokenize=False
    )
    ids = AutoTokenizer.from_pretrained(encoder.folder)(text, add_special_tokens=False)["input_ids"]
    assert port.encode(chat).ids.tolist() == ids


def test_a_chat_ends_where_the_assistant_speaks_or_continues(encoder: ChatEncoder) -> None:
    assert (
        shown(encoder, encoder.encode((user("12"),))) == "<bos>|<turn>|u|s|e|r|/|12|<end>|/|<turn>|a|s|s|i|s|t|a|n|t|/"
    )
    continued = encoder.encode((user("12"), assistant("\nab ")))
    assert continued == encoder.encode((user("12"),)) + encoder.encode((Message("text", "\nab "),))


def test_words_continued_are_the_tokens_that_were_said(encoder: ChatEncoder) -> None:
    said = encoder.reply("1")[:-1]
    by_words = encoder.encode((user("x"), assistant("1")))
    assert encoder.encode((user("x"), assistant("1", said))) == by_words
    assert by_words + encoder.reply("2") == encoder.encode((user("x"),)) + said + encoder.reply("2")


def test_a_lone_text_is_raw(encoder: ChatEncoder) -> None:
    assert shown(encoder, encoder.encode((Message("text", "a b12"),))) == "a|_|b|12"
    assert shown(encoder, encoder.encode((Message("text", "a"), assistant("b")))) == "a|b"


def test_tokens_of_a_message_win_over_its_text(encoder: ChatEncoder) -> None:
    odd = Tokens([*encoder.reply("1").ids[:-1], *encoder.reply("2").ids[:-1]], encoder.fingerprint)
    spliced = encoder.encode((user("x"), assistant("never read", odd), user("y")))
    plain = encoder.encode((user("x"), assistant("12"), user("y")))
    assert shown(encoder, spliced) == shown(encoder, plain).replace("|12|", "|1|2|")
    assert encoder.encode((user("x"), assistant("", odd)))[-2:] == odd


def test_an_end_of_turn_that_was_sampled_is_written_once(encoder: ChatEncoder) -> None:
    said = encoder.reply("ab")
    assert encoder.encode((user("x"), assistant("ab", said), user("y"))) == encoder.encode(
        (user("x"), assistant("ab"), user("y"))
    )


def test_equal_chats_of_other_tokens_are_not_confused(encoder: ChatEncoder) -> None:
    one, two = (encoder.encode((user("x"), assistant("a", encoder.reply(text)), user("y"))) for text in ("1", "2"))
    assert one != two


def test_tokens_of_another_tokenizer_are_refused(encoder: ChatEncoder) -> None:
    foreign = Tokens([7, 8], "another")
    for wrong in (lambda: encoder.decode(foreign), lambda: encoder.encode((user("x"), assistant("", foreign)))):
        with pytest.raises(ForeignTokens, match="another"):
            wrong()


def test_a_reply_ends_with_the_mark_the_template_ends_it_with(encoder: ChatEncoder) -> None:
    assert shown(encoder, encoder.reply("12")) == "12|<end>"
    assert encoder.ends == {MARKS.index("<end>"), MARKS.index("<eos>")}


def test_decoding_leaves_out_ends_and_keeps_other_marks(encoder: ChatEncoder) -> None:
    ids = [MARKS.index("<bos>"), *encoder.reply("12<step>ab").ids.tolist(), MARKS.index("<pad>")]
    assert encoder.decode(Tokens(ids, encoder.fingerprint)) == "12<step>ab"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: "<" not in text))
def test_a_reply_decodes_to_its_words(encoder: ChatEncoder, text: str) -> None:
    assert encoder.decode(encoder.reply(text)) == text


def test_spans_cover_their_matches(encoder: ChatEncoder) -> None:
    said = encoder.reply("ab 12<step>3 é4")
    assert shown(encoder, said) == "ab|_|12|<step>|3|_|Ã|©|4|<end>"
    assert encoder.spans(said, "<step>") == [(3, 4)]
    assert encoder.spans(said, r"\d+") == [(2, 3), (4, 5), (8, 9)]
    assert encoder.spans(said, "2|é") == [(2, 3), (6, 8)]
    assert encoder.spans(said, "x*") == []


@given(st.text("ab12é\n <", max_size=20), st.sampled_from(["12", "[ab]+", "é", r"\s+", "1.*b"]))
def test_each_span_decodes_to_text_that_holds_its_match(encoder: ChatEncoder, text: str, pattern: str) -> None:
    said = encoder.reply(text)
    matches = [match[0] for match in re.finditer(pattern, text)]
    spans = encoder.spans(said, pattern)
    assert len(spans) == len(matches)
    for (start, stop), match in zip(spans, matches, strict=True):
        assert match in encoder.decode(said[start:stop])


def test_the_fingerprint_tells_templates_apart_and_folders_not(encoder: ChatEncoder, tmp_path: Path) -> None:
    assert ChatEncoder(written(tmp_path / "same")).fingerprint == encoder.fingerprint
    assert ChatEncoder(written(tmp_path / "other", TEMPLATE + "\n")).fingerprint != encoder.fingerprint


def test_without_a_template_messages_are_plain_lines(tmp_path: Path) -> None:
    plain = ChatEncoder(written(tmp_path, None))
    chat = (user("12"), assistant("a"), user("b"))
    assert (
        shown(plain, plain.encode(chat)).replace("|", "") == "user:_12<eos>/assistant:_a<eos>/user:_b<eos>/assistant:"
    )
    assert shown(plain, plain.reply(" 12")) == "_|12|<eos>"


@pytest.mark.parametrize(
    ("chat", "sentence"),
    [
        ((), "at least one message"),
        ((user("x"), Message("text", "y")), "text message alone"),
        ((Message("tool", "x"),), "refused tool: no tools here"),
    ],
)
def test_a_chat_that_cannot_be_encoded_is_refused(encoder: ChatEncoder, chat: Chat, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        encoder.encode(chat)


def test_a_template_that_hides_a_message_is_refused_where_its_tokens_matter(tmp_path: Path) -> None:
    last_only = "{{ '<turn>' + messages[-1]['content'] + '<end>' }}"
    blind = ChatEncoder(written(tmp_path, last_only))
    with pytest.raises(InvalidInput, match="each message once, got 0 times"):
        blind.encode((user("x"), assistant("a", blind.reply("a")), user("y")))


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="expected a tokenizer in"):
        ChatEncoder(tmp_path)
