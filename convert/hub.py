"""Downloads what a conversion needs from the Hugging Face hub. Knows file names and the hub's failures; does not know
what is in the files. The hub's library is loaded only when a hub id is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from convert.checkpoint import shard_names, weight_files
from convert.errors import ConversionError, InputError

if TYPE_CHECKING:
    from collections.abc import Collection


def download(repository: str, revision: str | None, settings: Collection[str]) -> tuple[Path, str]:
    """Fetches the weights and those of the files `settings` that the repository has; resumes what was begun before.

    Returns the folder in the hub's cache and the commit that `revision` (None: the default branch) stands for. Where
    the hub cannot be reached but all was fetched before, that is used. Raises `InputError` for a repository, revision
    or file that does not exist, `ConversionError` where the download fails.
    """
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        info = HfApi().model_info(repository, revision=revision)
        commit = info.sha
        names = [sibling.rfilename for sibling in info.siblings or ()]
        weights = weight_files(names)
        if commit is None or weights is None:
            raise InputError(f"{repository}: this hub repository holds no weights that can be converted")
        # The index comes before the shards that it names, and the small files before the large ones.
        path = Path()
        for name in (*(name for name in settings if name in names), weights):
            path = Path(hf_hub_download(repository, name, revision=commit))
        if weights.endswith(".json"):
            for name in sorted(set(shard_names(path).values())):
                hf_hub_download(repository, name, revision=commit)
        return path.parent, commit
    except InputError:
        raise
    except GatedRepoError as error:
        raise InputError(
            f"{repository}: access is restricted; accept its terms on the hub and run `hf auth login`"
        ) from (error)
    except RevisionNotFoundError as error:
        raise InputError(f"{repository}: has no revision {revision!r}") from error
    except RepositoryNotFoundError as error:
        raise InputError(f"{repository}: no such folder here and no such repository on the hub") from error
    except Exception as error:
        # Which exceptions a broken connection raises depends on the library's version (requests', httpx's or its own).
        cached = _cached(repository, revision)
        if cached is None:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ConversionError(
                f"{repository}: the download from the hub failed ({reason}); run the same command again to resume it"
            ) from error
        return cached


def _cached(repository: str, revision: str | None) -> tuple[Path, str] | None:
    """What earlier downloads left, if it is complete."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repository, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    weights = weight_files([path.name for path in folder.iterdir()])
    if weights is None:
        return None
    shards = set(shard_names(folder / weights).values()) if weights.endswith(".json") else set()
    return (folder, folder.name) if all((folder / shard).is_file() for shard in shards) else None
