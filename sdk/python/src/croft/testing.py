"""Runs a module as croft would, without WebAssembly and without a server: renders an instance, shows the children
back, lets a controller or a user do something, and renders again.
"""

import base64
import copy
from typing import Any, Callable, Dict, List, Optional, Tuple

from .contract import Failure, Json, Module, Observed, Problem, RenderedChild, Rendering
from .kind import written

# As many renders as a host makes for the largest definition.
MOST_RENDERS = 1000


def definition(config: Any = None) -> Json:
    """A `Composition` with this configuration."""
    spec = {"module": "file:module.wasm", **({} if config is None else {"config": config})}
    return {"apiVersion": "croft.run/v1alpha1", "kind": "Composition", "metadata": {"name": "test"}, "spec": spec}


class Rendered:
    """What a render came to."""

    def __init__(self, rendering: Rendering):
        self.rendering = rendering

    def child(self, id: str) -> Json:
        """A child. Fails if it was not rendered."""
        children = self.children(id)
        assert "" in children, f"`{id}` was not rendered: {self._why_not(id)}"
        return children[""]

    def children(self, id: str) -> Dict[str, Json]:
        """The objects of a collection, by key."""
        return {child.key: child.manifest for child in self.rendering.children if child.id == id}

    def blocked(self, id: str) -> Optional[str]:
        """What an id waits for, if it does."""
        return next((it.message for it in self.rendering.blocked if it.id == id), None)

    def excluded(self, id: str) -> Optional[str]:
        """Why there is no object under an id, if there should be none."""
        return next((it.message for it in self.rendering.excluded if it.id == id), None)

    @property
    def status(self) -> Json:
        return self.rendering.status

    @property
    def is_ready(self) -> bool:
        """Whether nothing waits and all that is there is ready."""
        return not self.rendering.blocked and all(one.ready for one in self.rendering.readiness)

    def _why_not(self, id: str) -> str:
        blocked, excluded = self.blocked(id), self.excluded(id)
        if blocked is not None:
            return f"blocked, {blocked}"
        return "there is no such child" if excluded is None else f"excluded, {excluded}"


class Trial:
    """One instance of a module's API, and the objects that the module is shown. It plays the host, admits everything,
    and lets children be ready at once."""

    def __init__(self, module: Module, spec: Any, *, config: Any = None, metadata: Optional[Json] = None):
        self.module = module
        self.prepared = module.prepare(definition(config))
        place = {"namespace": "default"} if self.prepared.blueprint.api.namespaced else {}
        given = {"name": "test", **place, "uid": "uid-of-the-instance", **(metadata or {})}
        self.instance: Json = {"metadata": given, "spec": copy.deepcopy(written(spec))}
        self._children: Dict[Tuple[str, str], Json] = {}
        self._found: List[Observed] = []

    def find(self, id: str, object: Any) -> None:
        """Lets an external read find an object of somebody else."""
        found = copy.deepcopy(written(object))
        role = next((node.role for node in self.prepared.blueprint.nodes if node.id == id), "")
        metadata = found["metadata"]
        place = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
        self._found.append(Observed(id, place if role == "external-collection" else "", found))

    def update(self, id: str, change: Callable[[Json], None], key: str = "") -> None:
        """Changes a child that exists, as its controller does: it writes a status."""
        assert (id, key) in self._children, f"`{id}` `{key}` does not exist yet"
        change(self._children[id, key])

    def render(self) -> Rendered:
        """Renders once, and shows the children back as a server has them. Raises a `Failure`."""
        children = [Observed(id, key, object) for (id, key), object in self._children.items()]
        observed = copy.deepcopy(children + self._found)
        rendering = self.module.render(self.prepared.program, copy.deepcopy(self.instance), observed)
        _fill_in(self.instance["spec"], rendering.defaults)
        if rendering.suspended is None:
            self._show_back(rendering)
        return Rendered(copy.deepcopy(rendering))

    def converge(self) -> Rendered:
        """Renders until nothing changes. Raises a `Failure`."""
        before: Any = None
        for _ in range(MOST_RENDERS):
            rendered = self.render()
            now = (rendered.rendering, copy.deepcopy(self.instance), copy.deepcopy(self._children))
            if now == before:
                return rendered
            before = now
        raise AssertionError(
            f"the rendering still changes after {MOST_RENDERS} renders: it is not a function of what it is shown"
        )

    def problems(self) -> List[Problem]:
        """What the module says is wrong with the instance. Fails if nothing is."""
        return problems(self.render)

    def _show_back(self, rendering: Rendering) -> None:
        """Children of blocked ids stay, others that were not rendered go."""
        blocked = {it.id for it in rendering.blocked}
        children = {place: object for place, object in self._children.items() if place[0] in blocked}
        for child in rendering.children:
            children[child.id, child.key] = self._live(child)
        self._children = children

    def _live(self, child: RenderedChild) -> Json:
        """A child as a server has it: with what a server adds, and with the status that its controller wrote."""
        live = copy.deepcopy(child.manifest)
        before = self._children.get((child.id, child.key), {})
        if "status" in before:
            live["status"] = before["status"]
        namespace = self.instance["metadata"].get("namespace")
        if namespace is not None:
            live["metadata"].setdefault("namespace", namespace)
        uid = f"uid-of-{child.id}" + (f"-{child.key}" if child.key else "")
        live["metadata"].update(uid=uid, resourceVersion="1", creationTimestamp="2026-01-01T00:00:00Z")
        if (live["apiVersion"], live["kind"]) == ("v1", "Secret"):
            # A server keeps the texts of a Secret in `data`.
            for name, text in live.pop("stringData", {}).items():
                live.setdefault("data", {})[name] = base64.b64encode(text.encode()).decode()
        return live


def problems(act: Callable[[], Any]) -> List[Problem]:
    """What a call says is wrong with its input. Fails if nothing is, or if the module itself is wrong."""
    failure = _failure(act)
    assert failure.internal is None, f"the module is wrong: {failure.internal}"
    return failure.problems


def internal(act: Callable[[], Any]) -> str:
    """What the SDK says to the module's author. Fails if the module is not wrong."""
    failure = _failure(act)
    assert failure.internal is not None, f"the module is not wrong, its input is: {failure}"
    return failure.internal


def _failure(act: Callable[[], Any]) -> Failure:
    try:
        act()
    except Failure as failure:
        return failure
    raise AssertionError("it is not refused")


def _fill_in(target: Any, defaults: Json) -> None:
    for name, value in defaults.items():
        if name not in target:
            target[name] = copy.deepcopy(value)
        elif isinstance(target[name], dict) and isinstance(value, dict):
            _fill_in(target[name], value)
