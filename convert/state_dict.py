"""Reads the pickle inside a PyTorch checkpoint without running it. Knows pickle's opcodes and a state dict's few
globals; does not know where the tensors' bytes are.

Python's own unpickler calls whatever a pickle names, and even an overridden `find_class` leaves it attribute
setting and the size of its memo. So this is a small machine of its own: it executes only the opcodes that
`torch.save` writes for a state dict, on inert values of its own, and a name that is not in `_GLOBALS` stops it.
"""

from __future__ import annotations

import pickletools
from dataclasses import dataclass
from typing import Any, Literal

from convert.errors import InputError

DType = Literal["bf16", "f16", "f32"]

_STORAGES: dict[str, DType] = {
    "torch.BFloat16Storage": "bf16",
    "torch.HalfStorage": "f16",
    "torch.FloatStorage": "f32",
}
_ORDERED_DICT = "collections.OrderedDict"
_REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2"
_REBUILD_PARAMETER = "torch._utils._rebuild_parameter"
_GLOBALS = frozenset({_ORDERED_DICT, _REBUILD_TENSOR, _REBUILD_PARAMETER, *_STORAGES})
_MAX_DIMENSIONS = 8


@dataclass(frozen=True)
class StorageRef:
    """A storage: `numel` elements of `dtype` in the archive's member `data/<key>`."""

    dtype: DType
    key: str
    numel: int


@dataclass(frozen=True)
class TensorRef:
    """A view into a storage. `offset` and `strides` count elements, as PyTorch does."""

    storage: StorageRef
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class _Global:
    name: str


class _Mark:
    """What MARK pushes."""


_MARK = _Mark()
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
)
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read_state_dict(data: bytes, where: str) -> dict[str, TensorRef]:
    """The tensors that the pickle `data` describes, by name.

    `where` names the file in messages. Raises `InputError` for a pickle that asks for anything but what a state dict
    needs (naming it), that is damaged, or whose content is not a flat dict of tensors.
    """
    try:
        state = _Machine(where).run(data)
    except (ValueError, IndexError, KeyError, TypeError) as error:  # pickletools and the machine's stack
        raise InputError(f"{where}: the pickle inside is damaged ({error}); download the file again") from error
    if not isinstance(state, dict):
        raise InputError(f"{where}: holds a {type(state).__name__}, not a state dict of named tensors")
    for name, value in state.items():
        if not isinstance(value, TensorRef):
            raise InputError(f"{where}: entry {name!r} is not a tensor; save the model's state_dict() alone")
    return state


class _Machine:
    def __init__(self, where: str) -> None:
        self._where = where
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for opcode, argument, _position in pickletools.genops(data):
            if opcode.name == "STOP":
                return self._pop()
            self._step(opcode.name, argument)
        raise ValueError("no end")  # pragma: no cover - genops itself reports a missing STOP

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name in _TUPLES:
            stack.append(tuple(self._take(_TUPLES[name])))
        elif name == "TUPLE":
            stack.append(tuple(self._take_to_mark()))
        elif name == "APPEND":
            self._extend(self._take(1))
        elif name == "APPENDS":
            self._extend(self._take_to_mark())
        elif name == "SETITEM":
            self._set_items(self._take(2))
        elif name == "SETITEMS":
            self._set_items(self._take_to_mark())
        elif name == "GLOBAL":
            stack.append(self._admit(argument.replace(" ", ".")))
        elif name == "STACK_GLOBAL":
            stack.append(self._admit(".".join(str(part) for part in self._take(2))))
        elif name == "BINPERSID":
            stack.append(self._storage(self._pop()))
        elif name == "REDUCE":
            stack.append(self._call(*self._take(2)))
        elif name == "BUILD":
            self._pop()
            self._check_attributes_fit(stack[-1])
        elif name not in ("PROTO", "FRAME"):
            called = f" {argument.replace(' ', '.')!r}" if name == "INST" else ""
            raise self._refused(f"the pickle opcode {name}{called}")

    def _refused(self, what: str) -> InputError:
        return InputError(
            f"{self._where}: refused, nothing was run: it asks for {what}, which a state dict never needs"
        )

    def _pop(self) -> Any:
        return self._take(1)[0]

    def _take(self, count: int) -> list[Any]:
        taken = self._stack[-count:]
        if len(taken) < count or any(value is _MARK for value in taken):
            raise ValueError("stack underflow")
        del self._stack[-count:]
        return taken

    def _take_to_mark(self) -> list[Any]:
        taken: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]

    def _extend(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise ValueError("append to something that is no list")
        target.extend(values)

    def _set_items(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(values) % 2:
            raise ValueError("items set in something that is no dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            if not isinstance(key, str):
                raise ValueError(f"a {type(key).__name__} as a name")
            if key in target:
                raise ValueError(f"{key!r} occurs twice")
            target[key] = value

    def _admit(self, name: str) -> _Global:
        if name not in _GLOBALS:
            raise self._refused(repr(name))
        return _Global(name)

    def _storage(self, identity: Any) -> StorageRef:
        """`torch.save`'s persistent id: ("storage", type, key, device, number of elements)."""
        if not (isinstance(identity, tuple) and len(identity) == 5 and identity[0] == "storage"):
            raise ValueError("not a storage's id")
        _, kind, key, _device, numel = identity
        if not isinstance(kind, _Global) or kind.name not in _STORAGES:
            raise ValueError("a storage of no known type")
        if not isinstance(key, str) or not key.isalnum():
            raise ValueError(f"storage key {key!r}")
        return StorageRef(_STORAGES[kind.name], key, _natural(numel))

    def _call(self, function: Any, arguments: Any) -> Any:
        if not isinstance(function, _Global) or not isinstance(arguments, tuple):
            raise ValueError("a call of something that is no function")
        if function.name == _ORDERED_DICT and not arguments:
            return {}
        if function.name == _REBUILD_PARAMETER and len(arguments) == 3 and isinstance(arguments[0], TensorRef):
            return arguments[0]
        if function.name == _REBUILD_TENSOR and len(arguments) in (6, 7) and isinstance(arguments[0], StorageRef):
            storage, offset, shape, strides = arguments[:4]
            if not isinstance(shape, tuple) or not isinstance(strides, tuple) or len(shape) != len(strides):
                raise ValueError("a tensor's shape and strides do not match")
            if len(shape) > _MAX_DIMENSIONS:
                raise ValueError(f"a tensor of {len(shape)} dimensions")
            return TensorRef(storage, _natural(offset), tuple(map(_natural, shape)), tuple(map(_natural, strides)))
        raise ValueError(f"{function.name} with unexpected arguments")

    def _check_attributes_fit(self, target: Any) -> None:
        """A state dict carries its modules' versions as an attribute of the OrderedDict; they are dropped."""
        if not isinstance(target, dict):
            raise self._refused("attributes on something that is no dict")


def _natural(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError(f"{value!r} where a size belongs")
    return value
