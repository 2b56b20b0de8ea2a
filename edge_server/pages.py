"""The page to talk to, and its files: a fixed table, read once. What is not in the table is not there.

Knows files and HTTP's headers; no sockets.
"""

from __future__ import annotations

import hashlib
import http
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "static"
FILES = {
    "/": "index.html",
    **{
        f"/static/{name}": name
        for name in (
            *("style.css", "icon.svg"),
            *(
                "app.js",
                "conversation.js",
                "files.js",
                "log.js",
                "picture.js",
                "protocol.js",
                "recording.js",
                "speech.js",
                "timeline.js",
            ),
        )
    },
}
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'"),
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    )
)
HEADERS = {
    "Cache-Control": "no-cache",  # kept, and asked for again: another version of the server shows at once
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True)
class Answer:
    """What a browser gets: a status, headers (without a length), a text."""

    status: http.HTTPStatus
    headers: dict[str, str]
    text: str = ""


class Pages:
    """The files as they were when the server started."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """Raises OSError: a file of the package is missing."""
        self._answers: dict[str, Answer] = {}
        for path, name in FILES.items():
            data = (folder / name).read_bytes()
            tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
            headers = {"Content-Type": _TYPES[Path(name).suffix], "ETag": tag, **HEADERS}
            self._answers[path] = Answer(http.HTTPStatus.OK, headers, data.decode())

    def find(self, path: str, if_none_match: str = "") -> Answer | None:
        """What is at a path, without its query; None: nothing. ``if_none_match``: the header of that name."""
        answer = self._answers.get(path)
        if answer is None:
            return None
        known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        if known & {answer.headers["ETag"], "*"}:
            headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
            return Answer(http.HTTPStatus.NOT_MODIFIED, headers)
        return answer
