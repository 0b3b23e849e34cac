"""Why a piece of code does not come to its end: it waits, it is switched off, the input is
wrong, or the module is. All of them are raised.
"""

import re
from typing import TYPE_CHECKING, Optional

from .contract import Problem

if TYPE_CHECKING:
    from .plan import Declared, Handle


class Halt(Exception):
    """Stops a render, or the making of one child."""


class Waiting(Halt):
    """Something of another object is missing, and the message says what. Where it is a field, `cx.wait` says
    it by itself."""

    def __init__(self, on: "Handle", message: str):
        super().__init__(message)
        self.on: "Declared" = on.declared
        self.message = message


class Excluded(Halt):
    """The object should not be, and the message says which condition says so."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


class Invalid(Halt):
    """The definition or the instance is wrong at a field, such as `spec.name` or `spec.pages[2].title`.

    `hint` says what would be right. `code` is a PascalCase word for programs that never changes.
    """

    def __init__(self, field: str, message: str, *, hint: Optional[str] = None, code: str = "Invalid"):
        super().__init__(message)
        self.problem = Problem(code=code, at=pointer(field), message=message, hint=hint)


class Fault(Halt):
    """The module is wrong: nobody who uses it can do anything about it."""

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


def halt_of(raised: BaseException) -> Halt:
    """Whatever was raised as a halt: anything unknown says that the module is wrong."""
    if isinstance(raised, Halt):
        return raised
    place, frames = "", raised.__traceback__
    while frames is not None:
        place = f" ({frames.tb_frame.f_code.co_filename}:{frames.tb_lineno})"
        frames = frames.tb_next
    return Fault(f"{type(raised).__name__}: {raised}{place}")


def pointer(field: str) -> str:
    """`spec.pages[2].title` as an RFC 6901 pointer. One that is given stays."""
    if not field or field.startswith("/"):
        return field
    parts = (part.removesuffix("]") for part in re.split(r"[.\[]", field))
    return "".join(f"/{escaped(part)}" for part in parts)


def escaped(part: object) -> str:
    """A segment of a pointer."""
    return str(part).replace("~", "~0").replace("/", "~1")
