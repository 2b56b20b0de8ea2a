"""What a session of the JSON protocol is: what holds from its start, and what `session.update` makes of the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edge_server.context import Sampling
from edge_server.realtime_wire import Duplex, SessionParams, WireError


@dataclass(frozen=True)
class About:
    """What holds for a session from its start.

    ``duplex``: whether the model can; ``slice_ms``, ``idle_bias``: unless it is said; ``resume_window``: seconds.
    """

    session_id: str
    conversation_id: str
    model: str
    seed: int
    sampling: Sampling
    duplex: bool = True
    slice_ms: int = 2000
    idle_bias: float = 0.0
    resume_token: str = ""
    resume_window: float = 0.0

    @property
    def params(self) -> SessionParams:
        """How a session begins."""
        return SessionParams(temperature=float(self.sampling.temperature))

    def describe(self, params: SessionParams) -> dict[str, Any]:
        """`session` as events carry it."""
        return {
            "type": "realtime",
            "object": "realtime.session",
            "id": self.session_id,
            "conversation_id": self.conversation_id,
            "model": self.model,
            "output_modalities": ["text"],
            "instructions": params.instructions,
            "max_output_tokens": params.max_output_tokens,
            "temperature": params.temperature,
            "tools": [],
            "tool_choice": "none",
            "duplex": None if params.duplex is None else params.duplex.model_dump(),
            "resume": {"token": self.resume_token, "window": self.resume_window},
        }

    def updated(self, params: SessionParams, given: SessionParams, *, begun: bool) -> SessionParams:
        """The params with what is given of others. ``begun``: whether there are items. Raises WireError."""
        if given.model not in (None, self.model):
            text = f"this server runs {self.model}, and a session cannot change its model"
            raise WireError("invalid_value", text, "session.model")
        names = given.model_fields_set - {"type", "output_modalities", "model"}
        changes = {name: getattr(given, name) for name in names}
        if "duplex" in changes:
            changes["duplex"] = self._duplex(params.duplex, given.duplex, begun=begun)
        return params.model_copy(update=changes)

    def _duplex(self, now: Duplex | None, given: Duplex | None, *, begun: bool) -> Duplex | None:
        if given is not None and not self.duplex:
            raise WireError("unsupported_parameter", "this model is not a duplex model", "session.duplex")
        if (given is None) != (now is None) and begun:
            text = "duplex is switched before the first item: open another connection"
            raise WireError("duplex_too_late", text, "session.duplex")
        if given is None:
            return None
        changes = {name: getattr(given, name) for name in given.model_fields_set}
        return (now or Duplex(slice_ms=self.slice_ms, idle_bias=self.idle_bias)).model_copy(update=changes)
