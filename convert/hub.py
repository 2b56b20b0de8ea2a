"""Downloads what a conversion needs from the Hugging Face hub. Knows file names and the hub's failures; does not know
what is in the files. The hub's library is loaded only when a hub id is given.

The library makes the requests, but the files are kept here: its own cache throws an unfinished file away when the
download ends (since version 1), and the weights are too large to begin them anew each time.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote

from convert.checkpoint import WEIGHT_FILES, shard_names, weight_files
from convert.errors import ConversionError, InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    from convert.progress import Progress

_COMMIT = re.compile(r"[0-9a-f]{40}")


def download(repository: str, revision: str | None, settings: Collection[str], progress: Progress) -> tuple[Path, str]:
    """Fetches the weights and those of the files `settings` that the repository has; resumes what was begun before.

    Returns the folder with the files and the commit that `revision` (None: the default branch) stands for. Where the
    hub cannot be reached but all was fetched before, that is used. Raises `InputError` for a repository, revision or
    file that does not exist, `ConversionError` where the download fails.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    place = Path(constants.HF_HOME) / "edge-convert" / repository.replace("/", "--")
    try:
        return _fetch(repository, revision, settings, place, progress)
    except InputError:
        raise
    except GatedRepoError as error:
        raise InputError(
            f"{repository}: access is restricted; accept its terms on the hub, then `hf auth login`"
        ) from (error)
    except RevisionNotFoundError as error:
        raise InputError(f"{repository}: has no revision {revision!r}") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{repository}: no such folder here and no such repository on the hub") from error
    except Exception as error:
        # Which exceptions a broken connection raises depends on the library's version (requests', httpx's or its own).
        fetched = _fetched_before(place, revision)
        if fetched is None:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ConversionError(
                f"{repository}: the download from the hub failed ({reason}); run the same command again to resume it"
            ) from error
        return fetched


def _fetch(
    repository: str, revision: str | None, settings: Collection[str], place: Path, progress: Progress
) -> tuple[Path, str]:
    from huggingface_hub import HfApi

    info = HfApi().model_info(repository, revision=revision)
    commit = info.sha or ""
    names = [sibling.rfilename for sibling in info.siblings or ()]
    weights = weight_files(names)
    if weights is None or not _COMMIT.fullmatch(commit):
        raise InputError(f"{repository}: this hub repository holds no weights that can be converted")
    folder = place / commit
    folder.mkdir(parents=True, exist_ok=True)
    # The index comes before the shards that it names, and the small files before the large ones.
    for name in (*(name for name in settings if name in names), weights):
        _fetch_file(repository, commit, folder / name, progress)
    if weights.endswith(".json"):
        for name in sorted(set(shard_names(folder / weights).values())):
            _fetch_file(repository, commit, folder / name, progress)
    _reference(place, revision).write_text(commit, encoding="ascii")
    return folder, commit


def _fetch_file(repository: str, commit: str, target: Path, progress: Progress) -> None:
    """Downloads one file, from where an earlier attempt left off; takes it from the library's cache if it is there."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import (  # type: ignore[attr-defined]  # not in __all__
        WeakFileLock,
        build_hf_headers,
        disable_progress_bars,
    )

    partial = target.with_name(target.name + ".partial")
    with WeakFileLock(target.with_name(target.name + ".lock")):
        if target.exists():
            return
        cached = try_to_load_from_cache(repository, target.name, revision=commit)
        if isinstance(cached, str):
            target.symlink_to(cached)
            return
        url = hf_hub_url(repository, target.name, revision=commit)
        size = get_hf_file_metadata(url).size
        partial.touch()
        with partial.open("r+b") as file:
            start = file.seek(0, 2)
            if size is not None and start > size:  # not a part of this file
                start = file.truncate(file.seek(0))
            if start != size:
                progress.stage(f"downloading {target.name}", size or 0, in_bytes=True)
                progress.advance(start)
                disable_progress_bars()  # the library's own
                counted = cast("BinaryIO", _Counted(file, progress))
                http_get(url, counted, resume_size=start, headers=build_hf_headers(), expected_size=size)
        partial.replace(target)


class _Counted:
    """A file whose written bytes are reported."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def write(self, data: bytes) -> int:
        self._progress.advance(len(data))
        return self._file.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _reference(place: Path, revision: str | None) -> Path:
    """Remembers which commit a branch or tag was when it was last fetched."""
    return place / f"{quote(revision or 'HEAD', safe='')}.commit"


def _fetched_before(place: Path, revision: str | None) -> tuple[Path, str] | None:
    """What an earlier download left, if that was completed."""
    commit = revision or ""
    if _reference(place, revision).is_file():
        commit = _reference(place, revision).read_text(encoding="ascii")
    folder = place / commit
    if not _COMMIT.fullmatch(commit) or not any((folder / name).is_file() for name in WEIGHT_FILES):
        return None
    return folder, commit
