"""What texts of the contract have to look like. croft checks them too; what is said here says it to the module's
author.
"""

import re

from .contract import Gvk

LONGEST_KEY = 512
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_KIND = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_WORD = re.compile(r"[A-Za-z]([A-Za-z0-9_,:./-]{0,251}[A-Za-z0-9_])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def is_kind(kind: Gvk) -> bool:
    labels = kind.group.split(".") if kind.group else []
    is_group = len(kind.group) <= 253 and all(map(_LABEL.fullmatch, labels))
    return is_group and bool(_LABEL.fullmatch(kind.version)) and bool(_KIND.fullmatch(kind.kind))


def is_word(text: str) -> bool:
    """One word, perhaps with a domain before it."""
    return _WORD.fullmatch(text) is not None


def is_reason(text: str) -> bool:
    return len(text.encode()) <= 1024 and _CONTROL.search(text) is None
