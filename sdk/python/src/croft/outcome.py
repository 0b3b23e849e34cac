"""What a render comes to: everything that was declared is accounted for, what depends on something that is not ready
is blocked, and what strays from the declaration is refused.
"""

from typing import Optional, Set

from .context import Context, Objects
from .contract import BlockedId, ExcludedId, Failure, Json, Read, Readiness, RenderedChild, Rendering
from .halt import Excluded, Halt, Invalid, Waiting
from .kind import live
from .plan import Declared
from .shape import LONGEST_KEY, is_reason, is_word


def outcome(cx: Context, ended: Optional[Halt]) -> Rendering:
    """The rendering, after the render ended so."""
    _account(cx, ended)
    _check(cx)
    if cx.faults:
        raise Failure([], "; ".join(cx.faults))
    if cx.problems:
        raise Failure(cx.problems)
    done, cycle = cx.plan.order()
    if cycle:
        raise Failure([], f"a cycle of {', '.join(cycle)}")
    verdicts = _Verdicts(cx)
    for node in done:
        verdicts.add(node)
    return verdicts.rendering


def _account(cx: Context, halt: Optional[Halt]) -> None:
    """Gives what has not been stated the reason for which the render ended."""
    for node in cx.plan.nodes:
        if node in cx.said:
            continue
        if halt is None:
            cx.faults.append(f"the render says nothing of `{node.id}`: state it, or exclude it and say why")
        elif isinstance(halt, (Waiting, Excluded)):
            cx.said[node] = halt
    if halt is not None and not isinstance(halt, (Waiting, Excluded)):
        cx.refuse(halt)


def _check(cx: Context) -> None:
    """Finds what is not as it was declared, and what the contract does not take."""
    for node, said in cx.said.items():
        if isinstance(said, Waiting) and not node.is_after(said.on):
            cx.faults.append(_undeclared(node.id, said.on.id))
        elif isinstance(said, list) and node.role == "collection":
            _check_keys(cx, node, said)
        elif isinstance(said, Read) and said.name == "":
            cx.faults.append(f"`{node.id}` is read without a name")
    seen: Set[str] = set()
    for condition in cx.conditions:
        if not is_word(condition.type):
            cx.faults.append(f"`{condition.type}` is not the type of a condition: it is a PascalCase word")
        if not is_reason(condition.reason):
            cx.faults.append(f"the reason of the condition `{condition.type}` is not one short line")
        if condition.type in seen:
            cx.faults.append(f"the condition `{condition.type}` is stated twice in one render")
        seen.add(condition.type)


def _undeclared(id: str, on: str) -> str:
    if id == on:
        return f"`{id}` waits for itself"
    return (
        f"`{id}` waits for `{on}`, and was not declared so: declare it `.after({on})`, or state it before the wait"
    )


def _check_keys(cx: Context, node: Declared, objects: Objects) -> None:
    """Keys come from the instance, most of the time, and so does one that is there twice."""
    seen: Set[str] = set()
    for key, _ in objects:
        message = ""
        if not key:
            message = f"an object of `{node.id}` has an empty key"
        elif len(key.encode()) > LONGEST_KEY:
            message = f"a key of `{node.id}` is longer than {LONGEST_KEY} bytes"
        elif key in seen:
            message = f"two objects of `{node.id}` have the key `{key}`"
        seen.add(key)
        if message:
            cx.refuse(Invalid("spec", message, code="InvalidKey", hint="give each element a name of its own"))


class _Verdicts:
    """What becomes of each id, in topological order: those before one are settled."""

    def __init__(self, cx: Context):
        self._cx = cx
        self._ready: Set[Declared] = set()
        self._excluded: Set[Declared] = set()
        self.rendering = Rendering(status=cx.stated, conditions=cx.conditions, suspended=cx.suspended)

    def add(self, node: Declared) -> None:
        said, rendering = self._cx.said[node], self.rendering
        # What depends on something that should not be, should not be either.
        gone = next((before for before in node.after if before in self._excluded), None)
        if gone is not None:
            said = Excluded(f"`{gone.id}` is excluded")
        if isinstance(said, Excluded):
            self._excluded.add(node)
            rendering.excluded.append(ExcludedId(node.id, said.message))
        elif isinstance(said, Waiting):
            rendering.blocked.append(BlockedId(node.id, [said.on.id], said.message))
        elif isinstance(said, Read):
            self._found(node)
            rendering.reads.append(said)
        else:
            self._settle(node, said)

    def _settle(self, node: Declared, objects: Objects) -> None:
        waits_for = sorted({before.id for before in node.after if before not in self._ready})
        if waits_for:
            message = f"waits for `{'`, `'.join(waits_for)}` to be ready"
            self.rendering.blocked.append(BlockedId(node.id, waits_for, message))
            return
        seen, all_ready = self._cx.seen.get(node.id, {}), True
        for key, manifest in objects:
            message = _unreadiness(node, seen[key]) if key in seen else f"`{node.id}` does not exist yet"
            all_ready = self._say(node, key, message) and all_ready
            self.rendering.children.append(RenderedChild(node.id, key, manifest, node.before()))
        if all_ready:
            self._ready.add(node)

    def _found(self, node: Declared) -> None:
        """Whether what is somebody else's is as it is waited for."""
        objects = sorted(self._cx.seen.get(node.id, {}).items())
        all_ready = all([self._say(node, key, _unreadiness(node, object)) for key, object in objects])
        if not objects and node.role == "external":
            all_ready = self._say(node, "", f"`{node.id}` is not found")
        if all_ready:
            self._ready.add(node)

    def _say(self, node: Declared, key: str, message: str) -> bool:
        self.rendering.readiness.append(Readiness(node.id, key, message))
        return not message


def _unreadiness(node: Declared, object: Json) -> str:
    """What an object that is there still waits for, or nothing."""
    if node.ready is None:
        return ""
    what, test = node.ready
    try:
        return "" if test(live(node.model, object)) else f"waits until {what}"
    except Exception as error:
        return f"it is not what the module takes it for: {error}"
