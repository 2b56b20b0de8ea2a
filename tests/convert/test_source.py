"""MODEL is a folder, a hub id or the pocket model; files that it lacks come from --tokenizer or are named."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from convert import source
from convert.errors import InputError
from convert.progress import Progress
from convert.source import locate
from tests.convert.models import write_folder

QUIET = Progress(io.StringIO())


def test_a_folder_gives_its_name_and_no_revision(tmp_path: Path) -> None:
    found = locate(str(write_folder(tmp_path / "parrot")), None, None, QUIET)
    assert (found.name, found.label, found.revision) == ("parrot", "parrot", None)
    assert found.files["config.json"] == tmp_path / "parrot" / "config.json"


def test_the_current_folder_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_folder(tmp_path / "parrot"))
    assert locate(".", None, None, QUIET).name == "parrot"


def test_missing_files_come_from_the_tokenizer_folder(tmp_path: Path) -> None:
    model, other = write_folder(tmp_path / "m"), write_folder(tmp_path / "t")
    (model / "tokenizer.model").unlink()
    (model / "added_tokens.json").unlink()
    files = locate(str(model), None, other, QUIET).files
    assert files["tokenizer.model"] == other / "tokenizer.model"
    assert files["added_tokens.json"] == other / "added_tokens.json"
    assert files["config.json"] == model / "config.json"


def test_what_is_missing_in_both_is_named(tmp_path: Path) -> None:
    model, empty = write_folder(tmp_path / "m"), tmp_path / "t"
    empty.mkdir()
    (model / "tokenizer.model").unlink()
    (model / "config.json").unlink()
    with pytest.raises(InputError, match=r"m: config\.json and tokenizer\.model missing; --tokenizer DIR"):
        locate(str(model), None, None, QUIET)
    with pytest.raises(InputError, match=r"m and .*t: config\.json and tokenizer\.model missing"):
        locate(str(model), None, empty, QUIET)


def test_the_pocket_model_is_the_checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_folder(tmp_path / "models" / "pocket")
    monkeypatch.setattr(source, "__file__", str(tmp_path / "convert" / "source.py"))
    found = locate("pocket", None, None, QUIET)
    assert (found.folder, found.name) == (tmp_path / "models" / "pocket", "pocket")


def test_a_missing_pocket_model_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "__file__", str(tmp_path / "convert" / "source.py"))
    with pytest.raises(InputError, match="the pocket model is not there"):
        locate("pocket", None, None, QUIET)


@pytest.mark.parametrize("model", ["nowhere", "./nowhere", "a/b/c", "/no/such/folder", "../x", "owner/"])
def test_what_is_neither_folder_nor_hub_id_is_refused(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(source, "download", lambda *_: pytest.fail("asked the hub"))
    with pytest.raises(InputError, match="no such folder"):
        locate(model, None, None, QUIET)


def test_a_file_a_revision_of_a_folder_and_a_missing_tokenizer_folder_are_refused(tmp_path: Path) -> None:
    model = write_folder(tmp_path / "m")
    with pytest.raises(InputError, match="is a file; give the folder"):
        locate(str(model / "config.json"), None, None, QUIET)
    with pytest.raises(InputError, match=r"--revision main: only a hub repository has revisions"):
        locate(str(model), "main", None, QUIET)
    with pytest.raises(InputError, match=r"--tokenizer .*none: there is no such folder"):
        locate(str(model), None, tmp_path / "none", QUIET)
