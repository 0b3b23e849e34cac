"""What a module declares: its ids with kind, role and order, and what it takes for its configuration.

All that is wrong with it is said at once, when a definition is prepared.
"""

from typing import Any, Callable, Generic, List, Optional, Tuple, Type, TypeVar

from pydantic import BaseModel

from .contract import Gvk, Node, Problem, UsedKind
from .halt import Fault, Invalid
from .kind import Kind, Object, Typed
from .schema import read_config
from .shape import is_id, is_kind

Live = TypeVar("Live")
Config = TypeVar("Config", bound=BaseModel)


class Declared:
    """One id as it was declared."""

    def __init__(self, plan: "Plan", id: str, role: str, kind: Kind, model: Optional[Type[Object]]):
        self.plan, self.id, self.role, self.kind, self.model = plan, id, role, kind, model
        self.after: List["Declared"] = []
        self.ready: Optional[Tuple[str, Callable[[Any], bool]]] = None

    @property
    def is_external(self) -> bool:
        return self.role.startswith("external")

    def before(self) -> List[str]:
        """The ids that it was declared after, each once."""
        return list(dict.fromkeys(other.id for other in self.after))

    def is_after(self, other: "Declared") -> bool:
        """Whether another one has to be ready before it, perhaps by way of a third."""
        return any(before is other or before.is_after(other) for before in self.after)

    def wrong(self, api: Gvk) -> List[str]:
        """What is wrong with it by itself."""
        wrong, kind = [], self.kind.gvk
        if not is_id(self.id):
            wrong.append(
                f"`{self.id}` is not an id: it begins with a letter and has at most 63 letters, digits, `_` and `-`"
            )
        if not is_kind(kind):
            wrong.append(f"`{kind.api_version} {kind.kind}` of `{self.id}` is not a kind")
        if (kind.group, kind.kind) == (api.group, api.kind) and not self.is_external:
            wrong.append(
                f"`{self.id}` is of the API's own kind, {kind}: an instance may not create instances of its API"
            )
        for other in self.after:
            if other.plan is not self.plan:
                wrong.append(f"`{self.id}` is declared after `{other.id}`, which is of another plan")
        return wrong


class Handle(Generic[Live]):
    """Stands for an id. Only a `Plan` makes one, so that nothing is stated that was not declared."""

    def __init__(self, declared: Declared):
        self.declared = declared

    @property
    def id(self) -> str:
        return self.declared.id

    def after(self, *others: "Handle[Any]") -> "Handle[Live]":
        """Says that others have to be ready before this one can be stated. This one is deleted first."""
        self.declared.after.extend(other.declared for other in others)
        return self

    def ready_when(self, what: str, test: Callable[[Live], bool]) -> "Handle[Live]":
        """Says when an object that is there does what it is for. Without, it is enough that it is there. The
        words complete “waits until …”."""
        self.declared.ready = (what, test)
        return self


class Plan:
    """Takes what a module declares."""

    def __init__(self, config: Any = None):
        self.nodes: List[Declared] = []
        self.warnings: List[Problem] = []
        self._config = config
        self._config_is_read = False

    def child(self, id: str, model: Typed) -> Handle[Any]:
        """An object that instances are made of, of a model or of a kind."""
        return self._declare(id, "child", model)

    def collection(self, id: str, model: Typed) -> Handle[Any]:
        """Any number of objects of a kind."""
        return self._declare(id, "collection", model)

    def external(self, id: str, model: Typed) -> Handle[Any]:
        """An object of somebody else, which is read by its name."""
        return self._declare(id, "external", model)

    def externals(self, id: str, model: Typed) -> Handle[Any]:
        """Objects of somebody else, which are found by their labels."""
        return self._declare(id, "external-collection", model)

    def _declare(self, id: str, role: str, model: Typed) -> Handle[Any]:
        kind, type_ = (model, None) if isinstance(model, Kind) else (getattr(model, "croft_kind", None), model)
        if kind is None:
            raise Fault(
                f"the model of `{id}` does not say its kind: "
                'write `class ConfigMap(croft.Object, api_version="v1", kind="ConfigMap")`'
            )
        node = Declared(self, id, role, kind, type_)
        self.nodes.append(node)
        return Handle(node)

    def config(self, model: Type[Config]) -> Config:
        """The definition's `spec.config` as a model. A field that the model does not have is refused.

        A definition without `config` is read as one with an empty object; one with a `config` that is never
        asked for is refused.
        """
        self._config_is_read = True
        return read_config(model, {} if self._config is None else self._config)

    def warn(self, field: str, message: str) -> None:
        """Says something to the definition's author that does not stop it, about a field such as
        `spec.config.size`."""
        problem = Invalid(field, message).problem
        problem.severity = "warning"
        self.warnings.append(problem)

    def check_config(self) -> None:
        """Refuses a configuration that nobody reads: it is a mistake."""
        if self._config not in (None, {}) and not self._config_is_read:
            message = "the module takes no configuration"
            raise Invalid("spec.config", message, code="UnknownField", hint="remove `config`")

    def blueprint(self, api: Gvk, faults: List[str]) -> List[Node]:
        """The graph in topological order; what is wrong with it is added to `faults`."""
        seen = set()
        for node in self.nodes:
            faults.extend(node.wrong(api))
            if node.id in seen:
                faults.append(f"the id `{node.id}` is declared twice")
            seen.add(node.id)
        done, cycle = self.order()
        if cycle:
            faults.append(f"these wait for each other: `{'` → `'.join(cycle)}`")
        return [Node(node.id, node.role, node.kind.gvk, node.before()) for node in done]

    def order(self) -> Tuple[List[Declared], List[str]]:
        """All nodes, each after those that it depends on and otherwise as declared; or the ids of a cycle."""
        done: List[Declared] = []

        def visit(node: Declared, path: List[Declared]) -> List[str]:
            if node in done:
                return []
            if node in path:
                return [on.id for on in path[path.index(node) :] + [node]]
            for other in node.after:
                cycle = visit(other, path + [node]) if other.plan is self else []
                if cycle:
                    return cycle
            done.append(node)
            return []

        for node in self.nodes:
            cycle = visit(node, [])
            if cycle:
                return [], cycle
        return done, []


def used_kinds(nodes: List[Node]) -> List[UsedKind]:
    """The kinds that the nodes touch, each once for what is done with it."""
    used = (UsedKind(node.kind, "read" if node.role.startswith("external") else "manage") for node in nodes)
    return list(dict.fromkeys(used))
