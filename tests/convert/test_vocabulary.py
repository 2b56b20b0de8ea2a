"""The tokenizer's files become one vocabulary; contradictions between them are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convert.errors import InputError
from convert.sentencepiece_model import PieceType
from convert.vocabulary import Vocabulary, read_vocabulary
from tests.convert.models import (
    ADDED,
    NORMAL,
    PIECES,
    TEMPLATE,
    USER_DEFINED,
    VOCABULARY,
    sentencepiece_model,
    tokenizer_config,
    write_json,
)


def read(folder: Path, *, size: int = VOCABULARY, added: Any = ADDED, **changes: Any) -> Vocabulary:
    (folder / "tokenizer.model").write_bytes(sentencepiece_model())
    write_json(folder / "tokenizer_config.json", tokenizer_config(**changes))
    write_json(folder / "added_tokens.json", added)
    return read_vocabulary({path.name: path for path in folder.iterdir()}, size)


def entries(vocabulary: Vocabulary) -> dict[str, Any]:
    return {entry.key: entry.value for entry in vocabulary.metadata()}


def test_the_flags_are_the_tokenizers(tmp_path: Path) -> None:
    found = entries(read(tmp_path))
    assert found["tokenizer.ggml.model"] == "llama"
    assert found["tokenizer.ggml.add_bos_token"] is True
    assert found["tokenizer.ggml.add_eos_token"] is False
    assert found["tokenizer.ggml.add_space_prefix"] is False
    assert [found[f"tokenizer.ggml.{name}_token_id"] for name in ("unknown", "bos", "eos")] == [0, 1, 2]
    assert found["tokenizer.chat_template"] == TEMPLATE


@pytest.mark.parametrize("name", ["add_bos_token", "add_eos_token", "add_prefix_space"])
@pytest.mark.parametrize("value", [True, False])
def test_each_flag_follows_its_setting(tmp_path: Path, name: str, value: bool) -> None:
    key = {"add_prefix_space": "add_space_prefix"}.get(name, name)
    assert entries(read(tmp_path, **{name: value}))[f"tokenizer.ggml.{key}"] is value


def test_idle_and_the_other_added_tokens_are_control_tokens(tmp_path: Path) -> None:
    """The files call them not special; as anything else than CONTROL, user text could forge them."""
    vocabulary = read(tmp_path)
    assert vocabulary.idle_id == ADDED["<idle>"]
    assert all(vocabulary.pieces[number].kind is PieceType.CONTROL for number in ADDED.values())


def test_user_defined_pieces_stay_what_they_are(tmp_path: Path) -> None:
    found = entries(read(tmp_path))
    types, tokens = found["tokenizer.ggml.token_type"], found["tokenizer.ggml.tokens"]
    own = [number for number, (_, kind) in enumerate(PIECES) if kind == USER_DEFINED]
    assert [types[number] for number in own] == [USER_DEFINED] * len(own)
    assert [tokens[number] for number in own] == ["\n", "<td>", "  "]  # llama.cpp looks for these in the raw text
    assert "▁the" in tokens


def test_an_added_token_that_repeats_a_piece_is_taken_whole(tmp_path: Path) -> None:
    number = next(number for number, (text, _) in enumerate(PIECES) if text == "AI")
    listed = {**tokenizer_config()["added_tokens_decoder"], str(number): {"content": "AI", "special": False}}
    vocabulary = read(tmp_path, added_tokens_decoder=listed)
    assert PIECES[number][1] == NORMAL
    assert vocabulary.pieces[number].kind is PieceType.USER_DEFINED
    listed[str(number)]["special"] = True
    vocabulary = read(tmp_path, added_tokens_decoder=listed)
    assert vocabulary.pieces[number].kind is PieceType.CONTROL


def test_one_of_the_two_lists_of_added_tokens_is_enough(tmp_path: Path) -> None:
    assert read(tmp_path, added={}).idle_id == ADDED["<idle>"]
    assert read(tmp_path, added_tokens_decoder={}).idle_id == ADDED["<idle>"]


def test_tokenizer_model_alone_is_enough_for_a_plain_model(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(sentencepiece_model(prefix=1))
    vocabulary = read_vocabulary({path.name: path}, len(PIECES))
    assert vocabulary.idle_id is None
    assert vocabulary.adds_space_prefix
    assert vocabulary.chat_template is None
    assert (vocabulary.user_marker, vocabulary.assistant_marker) == ("<用户>", "<AI>")


@pytest.mark.parametrize(
    ("template", "markers"),
    [
        (TEMPLATE, ("<用户>", "<AI>")),
        (TEMPLATE.replace("<用户>", "[U]").replace("<AI>", "[A]"), ("[U]", "[A]")),
        (TEMPLATE.replace("'", '"'), ("<用户>", "<AI>")),
        (TEMPLATE.replace("%}{", "%}\n  {").replace("{% else", "{%- else") + "\n", ("<用户>", "<AI>")),
    ],
)
def test_the_markers_come_from_the_chat_template(tmp_path: Path, template: str, markers: tuple[str, str]) -> None:
    vocabulary = read(tmp_path, chat_template=template)
    assert (vocabulary.user_marker, vocabulary.assistant_marker) == markers


def test_a_template_in_a_file_of_its_own_is_found(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").write_text(TEMPLATE.replace("<AI>", "<BOT>"), encoding="utf-8")
    assert read(tmp_path, chat_template=None).assistant_marker == "<BOT>"


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ m }}{% endfor %}",
        TEMPLATE.replace(".strip()", ""),
        TEMPLATE + "{{ eos_token }}",
        TEMPLATE.replace("'<AI>'", "''"),
        [{"name": "default", "template": TEMPLATE}],
    ],
)
def test_any_other_form_of_template_is_refused(tmp_path: Path, template: Any) -> None:
    with pytest.raises(InputError, match="chat template does not have MiniCPM's form"):
        read(tmp_path, chat_template=template)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": VOCABULARY + 1}, f"has {VOCABULARY} tokens and config.json says vocab_size {VOCABULARY + 1}"),
        ({"added": {"<idle>": VOCABULARY}}, rf"'<idle>' is {VOCABULARY - 2} here and {VOCABULARY} in added_tokens"),
        ({"added": {"<new>": VOCABULARY + 5}}, f"has id {VOCABULARY + 5}, but {VOCABULARY} is the next free one"),
        ({"added": {"<new>": VOCABULARY - 1}}, "two added tokens have the same id"),
        ({"added": {"the": 3}}, r"token 3 is '\\n' in the model and 'the' among the added tokens"),
        ({"added": {"<new>": "7"}}, "token '<new>' has the id '7'"),
        ({"added": {"th": VOCABULARY}, "size": VOCABULARY + 1}, "a token occurs twice"),
        ({"bos_token": "<begin>"}, "bos_token is '<begin>', which is not in the vocabulary"),
        ({"eos_token": None}, "eos_token is None"),
        ({"add_bos_token": "yes"}, "add_bos_token is 'yes'"),
        ({"added_tokens_decoder": []}, "added_tokens_decoder is not an object"),
        ({"added_tokens_decoder": {"x": {}}}, "added token 'x' is damaged"),
        ({"added_tokens_decoder": {"1": {"content": "<s>", "lstrip": True}}}, "'<s>' has lstrip true"),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, **changes)


def test_a_settings_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("[]")
    with pytest.raises(InputError, match="a JSON list where an object belongs"):
        read_vocabulary({path.name: path for path in tmp_path.iterdir()}, VOCABULARY)
