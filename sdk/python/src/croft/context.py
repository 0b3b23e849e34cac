"""What a render states and reads: children, what was observed, status and conditions."""

from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Type, Union

from pydantic import BaseModel

from .contract import Condition, Json, Observed, Problem, Read
from .halt import Excluded, Fault, Halt, Invalid, Waiting, halt_of
from .kind import live, written
from .plan import Declared, Handle, Plan

Objects = List[Tuple[str, Json]]
Said = Union[Objects, Waiting, Excluded, Read]


class Context:
    """One render."""

    def __init__(self, plan: Plan, observed: List[Observed], namespace: str, status: Optional[Type[BaseModel]]):
        self.plan = plan
        self.said: Dict[Declared, Said] = {}
        self.seen: Dict[str, Dict[str, Json]] = {}
        self.conditions: List[Condition] = []
        self.problems: List[Problem] = []
        self.faults: List[str] = []
        self.stated: Json = {}
        self.suspended: Optional[str] = None
        self._namespace, self._status = namespace, status
        for seen in observed:
            self.seen.setdefault(seen.id, {})[seen.key] = seen.object

    def child(self, child: Handle[Any], object: Any) -> None:
        """States an object: a model, a dictionary, or a function that makes one.

        `apiVersion` and `kind` are those that were declared; it needs a name, and without a namespace goes where the
        instance is. A function may have to wait, by itself: where it waits or excludes, this child does, and those
        that were declared after it.
        """
        self._state(child.declared, lambda: [("", object() if callable(object) else object)])

    def collection(
        self,
        collection: Handle[Any],
        objects: Union[Iterable[Tuple[str, Any]], Callable[[], Iterable[Tuple[str, Any]]]],
    ) -> None:
        """States all objects of a collection, each with a key that stays the same while it means the same: the name
        of an element, and not its place."""
        self._state(collection.declared, lambda: objects() if callable(objects) else objects)

    def exclude(self, handle: Handle[Any], message: str) -> None:
        """Says that there should be no object under an id, and which condition says so. One that is there is
        deleted, and what was declared after it too."""
        self._say(handle.declared, Excluded(message))

    def observed(self, handle: Handle[Any]) -> Any:
        """What is there of one object: what croft made of a child, or what a read found. `None` if nothing is."""
        for object in self.seen.get(handle.id, {}).values():
            return self._live(handle, object)
        return None

    def observed_all(self, handle: Handle[Any]) -> Dict[str, Any]:
        """What is there of several objects. Those of a collection have its keys, those of others `namespace/name`,
        or `name` for kinds without namespaces."""
        objects = sorted(self.seen.get(handle.id, {}).items())
        return {key: self._live(handle, object) for key, object in objects}

    def wait(self, on: Handle[Any], field: str) -> Any:
        """A field of an object, such as `metadata.uid`, or else whoever needs it waits.

        What waits has to be declared `after` the object. In a function that is given to `child` that child waits,
        else all that has not been stated yet.
        """
        value: Any = next(iter(self.seen.get(on.id, {}).values()), None)
        for name in field.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            raise Waiting(on, f"`{field}` of `{on.id}` is not there yet")
        return value

    def read(self, external: Handle[Any], name: str, namespace: str = "") -> Any:
        """Reads an object of somebody else, in the instance's namespace if its kind has any and none is given. The
        first render that asks sees `None`; the next one sees what was found."""
        self._say(external.declared, Read(external.id, external.declared.kind.gvk, namespace, name=name))
        return self.observed(external)

    def find(self, externals: Handle[Any], selector: Json, namespace: Optional[str] = None) -> Dict[str, Any]:
        """Finds the objects of somebody else that a label selector matches, in the instance's namespace if their
        kind has any; an empty one stands for all."""
        kind = externals.declared.kind
        own = self._namespace if kind.namespaced else ""
        where = own if namespace is None else namespace
        self._say(externals.declared, Read(externals.id, kind.gvk, where, selector=selector))
        return self.observed_all(externals)

    def status(self, status: BaseModel) -> None:
        """The instance's status, of the model that the API has for it. A field that is `None` is left out. What is
        stated before a `wait` holds while it waits."""
        if self._status is None:
            self.faults.append("the API has no status: give it a model, `Api(…, status=…)`")
        elif not isinstance(status, self._status):
            found, wanted = type(status).__name__, self._status.__name__
            self.faults.append(f"the status is a `{found}`, and the API has a `{wanted}`")
        else:
            self.stated = written(status)

    def condition(self, type: str, holds: Optional[bool], reason: str, message: str = "") -> None:
        """A condition of the instance: a PascalCase type, whether it holds (`None` if nobody can tell), a
        PascalCase reason, and a message."""
        self.conditions.append(Condition(type, holds, reason, message))

    def suspend(self, reason: str) -> None:
        """Leaves everything as it is, for this reason: nothing is made, changed or deleted."""
        self.suspended = reason

    def refuse(self, halt: Halt) -> None:
        """Notes that the instance is wrong, and goes on, so that everything that is wrong is said at once. The
        render fails in the end."""
        if isinstance(halt, Invalid):
            self.problems.append(halt.problem)
        elif isinstance(halt, Fault):
            self.faults.append(halt.message)
        else:
            self.faults.append("`refuse` takes what is `Invalid`; what waits is raised")

    def _live(self, handle: Handle[Any], object: Json) -> Any:
        try:
            return live(handle.declared.model, object)
        except ValueError as error:
            kind = handle.declared.kind.gvk
            raise Fault(f"the {kind} of `{handle.id}` is not what the module takes it for: {error}") from error

    def _state(self, node: Declared, objects: Callable[[], Iterable[Tuple[str, Any]]]) -> None:
        try:
            self._say(node, [(key, _manifest(node, object)) for key, object in objects()])
        except Exception as raised:
            halt = halt_of(raised)
            if isinstance(halt, (Waiting, Excluded)):
                self._say(node, halt)
            else:
                # Said of it is that it is wrong; the render fails.
                self._say(node, [])
                self.refuse(halt)

    def _say(self, node: Declared, said: Said) -> None:
        if node.plan is not self.plan:
            self.faults.append(f"`{node.id}` is not an id that this render declared")
        elif node in self.said:
            self.faults.append(f"`{node.id}` is stated twice in one render")
        else:
            self.said[node] = said


def _manifest(node: Declared, object: Any) -> Json:
    """An object as JSON, of the kind that was declared."""
    fields, kind = written(object), node.kind.gvk
    if not isinstance(fields, dict):
        raise Fault(f"`{node.id}` is not an object")
    for field, wanted in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        found = fields.setdefault(field, wanted)
        if found != wanted:
            raise Fault(f'the {field} of `{node.id}` is "{found}", and `{wanted}` was declared')
    if not (fields.get("metadata") or {}).get("name"):
        raise Fault(f"`{node.id}` has no `metadata.name`")
    return fields
