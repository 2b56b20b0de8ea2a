"""The final check fails a file that is wrong, and says where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from convert.errors import ConversionError
from convert.gguf_file import float_types, write_header
from convert.minicpm import read_config
from convert.verify import ReferenceTokenizer, check_header, check_in_llama, probes
from convert.vocabulary import Vocabulary, read_vocabulary
from tests.convert.models import VOCABULARY, config, sentencepiece_model, write_folder, write_json
from tests.convert.test_conversion import run

PLAN = read_config(config(), "c").tensors()
TYPES = float_types(PLAN, "bf16")


def vocabulary(folder: Path) -> Vocabulary:
    return read_vocabulary({path.name: path for path in folder.iterdir()}, VOCABULARY)


def test_a_header_as_planned_passes(tmp_path: Path) -> None:
    write_header(tmp_path / "a", [], PLAN, TYPES)
    check_header(tmp_path / "a", PLAN, TYPES)


def test_each_deviation_of_a_header_is_found(tmp_path: Path) -> None:
    write_header(tmp_path / "a", [], PLAN[:-1], TYPES)
    with pytest.raises(ConversionError, match=r"has 19 tensors, not 20; first: blk\.1\.ffn_down\.weight"):
        check_header(tmp_path / "a", PLAN, TYPES)
    write_header(tmp_path / "a", [], PLAN, {**TYPES, "blk.0.ffn_up.weight": "f16"})
    with pytest.raises(ConversionError, match=r"has blk\.0\.ffn_up\.weight as \[96, 64\] f16, not \[96, 64\] bf16"):
        check_header(tmp_path / "a", PLAN, TYPES)
    other = read_config(config(intermediate_size=128), "c").tensors()
    write_header(tmp_path / "a", [], other, TYPES)
    with pytest.raises(ConversionError, match=re.escape("as [128, 64] bf16, not [96, 64] bf16")):
        check_header(tmp_path / "a", PLAN, TYPES)


def test_probes_hold_the_markers_the_added_tokens_and_user_defined_pieces(tmp_path: Path) -> None:
    texts = probes(vocabulary(write_folder(tmp_path / "m")))
    for needed in ("<用户><AI>", "<idle>", "</s>", "<td>", "Australia,<用户>"):
        assert any(needed in text for text in texts), needed
    assert len(texts) > 100


def test_the_reference_cuts_out_added_tokens_only_where_special_tokens_count(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m")
    tokenizer = ReferenceTokenizer(vocabulary(folder), folder / "tokenizer.model")
    idle = VOCABULARY - 2
    assert tokenizer.encode("a<idle></s>", parse_special=True)[1:] == [idle, 2]
    assert not {idle, 2} & set(tokenizer.encode("a<idle></s>", parse_special=False))


@pytest.mark.real
def test_a_wrong_space_prefix_is_found(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m")
    run(folder, tmp_path / "m.gguf")
    count = check_in_llama(tmp_path / "m.gguf", vocabulary(folder), folder / "tokenizer.model")
    assert count == len(probes(vocabulary(folder)))
    settings = (folder / "tokenizer_config.json").read_text(encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(
        settings.replace('"add_prefix_space": false', '"add_prefix_space": true')
    )
    with pytest.raises(ConversionError, match=r"llama\.cpp cuts .* into .*, the reference tokenizer into"):
        check_in_llama(tmp_path / "m.gguf", vocabulary(folder), folder / "tokenizer.model")


@pytest.mark.real
def test_a_tokenizer_whose_control_tokens_could_be_forged_is_found(tmp_path: Path) -> None:
    """llama.cpp merges pieces into any token's text: with a piece "<s", text that spells <s> would begin a sequence."""
    from tests.convert.models import ADDED, NORMAL, PIECES

    folder = write_folder(tmp_path / "m", settings=config(vocab_size=VOCABULARY + 1))
    (folder / "tokenizer.model").write_bytes(sentencepiece_model([*PIECES, ("<s", NORMAL)]))
    write_json(folder / "added_tokens.json", {text: number + 1 for text, number in ADDED.items()})
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(
        ConversionError, match=r"llama\.cpp cuts '<s>' into \[1\], the reference tokenizer into \[\d+, \d+\]"
    ):
        run(folder, tmp_path / "m.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
