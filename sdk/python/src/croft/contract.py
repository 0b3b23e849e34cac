"""The values that cross between croft and a module, with JSON parsed.

`composition.wit` says what each means.
"""

from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional, Protocol

Json = Dict[str, Any]


class Gvk(NamedTuple):
    """A Kubernetes kind. The core group is the empty string."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


@dataclass
class Problem:
    """One thing that is wrong with a definition or an instance."""

    code: str
    """A PascalCase word that never changes."""
    at: str
    """An RFC 6901 JSON pointer into the document."""
    message: str
    hint: Optional[str] = None
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.message} at `{self.at}`" if self.at else self.message


class Failure(Exception):
    """A call has no answer: the definition or the instance is wrong (`problems`), or else the module is."""

    def __init__(self, problems: List[Problem], internal: Optional[str] = None):
        super().__init__(internal or "; ".join(map(str, problems)))
        self.problems = problems
        self.internal = internal


@dataclass
class Node:
    id: str
    role: str
    """`child`, `collection`, `external` or `external-collection`."""
    kind: Gvk
    depends_on: List[str]


@dataclass
class ServedApi:
    kind: Gvk
    plural: str
    namespaced: bool
    crd: Json


class UsedKind(NamedTuple):
    kind: Gvk
    access: str
    """`manage` or `read`."""


@dataclass
class Blueprint:
    api: ServedApi
    kinds: List[UsedKind]
    nodes: List[Node]


@dataclass
class Prepared:
    blueprint: Blueprint
    program: bytes
    warnings: List[Problem]


@dataclass
class Observed:
    id: str
    key: str
    object: Json


@dataclass
class RenderedChild:
    id: str
    key: str
    manifest: Json
    depends_on: List[str]


@dataclass
class BlockedId:
    id: str
    waits_for: List[str]
    message: str


@dataclass
class ExcludedId:
    id: str
    message: str


@dataclass
class Read:
    id: str
    kind: Gvk
    namespace: str
    name: Optional[str] = None
    selector: Optional[Json] = None


@dataclass
class Readiness:
    id: str
    key: str
    message: str

    @property
    def ready(self) -> bool:
        return not self.message


@dataclass
class Condition:
    type: str
    holds: Optional[bool]
    """`None` if nobody can tell."""
    reason: str
    message: str


@dataclass
class Rendering:
    """What an instance amounts to."""

    defaults: Json = field(default_factory=dict)
    children: List[RenderedChild] = field(default_factory=list)
    blocked: List[BlockedId] = field(default_factory=list)
    excluded: List[ExcludedId] = field(default_factory=list)
    reads: List[Read] = field(default_factory=list)
    readiness: List[Readiness] = field(default_factory=list)
    status: Json = field(default_factory=dict)
    conditions: List[Condition] = field(default_factory=list)
    suspended: Optional[str] = None


class Module(Protocol):
    """What croft calls, and what the test kit does. Both raise a `Failure`."""

    def prepare(self, definition: Json) -> Prepared: ...

    def render(self, program: bytes, instance: Json, observed: List[Observed]) -> Rendering: ...
