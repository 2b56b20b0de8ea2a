"""What MODEL on the command line stands for: a folder, a hub repository or the shipped pocket model. Knows where files
lie; does not read them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from convert.errors import InputError
from convert.hub import download
from convert.minicpm import CONFIG
from convert.vocabulary import ADDED_TOKENS, CHAT_TEMPLATE, TOKENIZER_CONFIG, TOKENIZER_MODEL

if TYPE_CHECKING:
    from convert.progress import Progress

POCKET = "pocket"
_REQUIRED = (CONFIG, TOKENIZER_MODEL)
_SETTINGS = (CONFIG, TOKENIZER_MODEL, TOKENIZER_CONFIG, ADDED_TOKENS, CHAT_TEMPLATE)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Source:
    """Where a model's files are: the folder of its weights, and each of the small files by name.

    `name` names the output file, `label` and `revision` go into its metadata.
    """

    folder: Path
    files: dict[str, Path]
    name: str
    label: str
    revision: str | None


def locate(model: str, revision: str | None, tokenizer: Path | None, progress: Progress) -> Source:
    """Finds, and for a hub id downloads, the files of `model`; those that it lacks are taken from `tokenizer`.

    Raises `InputError`, naming them, where files are missing in both.
    """
    if tokenizer is not None and not tokenizer.is_dir():
        raise InputError(f"--tokenizer {tokenizer}: there is no such folder")
    folder, name, commit = Path(model), model, None
    if model == POCKET:
        folder = Path(__file__).resolve().parent.parent / "models" / POCKET
        if not folder.is_dir():
            raise InputError(f"{folder}: the pocket model is not there; it comes with a checkout of this project")
    elif folder.is_dir():
        name = folder.resolve().name
    elif folder.exists():
        raise InputError(f"{model}: is a file; give the folder that holds the checkpoint")
    elif _HUB_ID.fullmatch(model):
        name = model.rpartition("/")[2]
        folder, commit = download(model, revision, _SETTINGS, progress)
    else:
        raise InputError(f"{model}: there is no such folder, and it is no hub id (owner/name)")
    if revision is not None and commit is None:
        raise InputError(f"--revision {revision}: only a hub repository has revisions, and {model} is a folder")

    files = {}
    for file in _SETTINGS:
        for place in (folder, tokenizer):
            if file not in files and place is not None and (place / file).is_file():
                files[file] = place / file
    missing = [file for file in _REQUIRED if file not in files]
    if missing:
        where = f"{folder}" if tokenizer is None else f"{folder} and {tokenizer}"
        raise InputError(f"{where}: {' and '.join(missing)} missing; --tokenizer DIR takes them from another folder")
    return Source(folder, files, name, name if commit is None else model, commit)
