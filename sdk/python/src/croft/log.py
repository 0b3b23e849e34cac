"""What a module says to the operator. Never part of the result: croft may drop every line."""

from typing import Callable

Listener = Callable[[str, str], None]

_hear: Listener = lambda level, message: None  # noqa: E731


def on_log(listener: Listener) -> None:
    """Lets a test, or a component, hear what is logged."""
    global _hear
    _hear = listener


def error(message: str) -> None:
    _hear("error", message)


def warn(message: str) -> None:
    _hear("warn", message)


def info(message: str) -> None:
    _hear("info", message)


def debug(message: str) -> None:
    _hear("debug", message)
