"""A module as code: its API is made of models, and a function states the children of an instance."""

import json
from typing import Any, Callable, Generic, List, Optional, TypeVar

from pydantic import BaseModel

from .api import Api, Instance, check_definition
from .context import Context
from .contract import Blueprint, Failure, Json, Observed, Prepared, Rendering
from .halt import Excluded, Halt, Invalid, Waiting, halt_of
from .outcome import outcome
from .plan import Plan, used_kinds
from .schema import form_of, missing, read_spec

Spec = TypeVar("Spec", bound=BaseModel)
Render = Callable[[Instance[Spec], Context], None]
Declare = Callable[[Plan], Render[Any]]


class Composition(Generic[Spec]):
    """A module: the API that it serves, the objects that an instance is made of, and how they follow from the
    instance. The decorator `composition` makes one."""

    def __init__(self, api: Api[Spec], declare: Declare):
        self._api, self._declare = api, declare

    def prepare(self, definition: Json) -> Prepared:
        config = (definition.get("spec") or {}).get("config")
        plan = Plan(config)

        def declare() -> None:
            check_definition(definition, self._api.gvk)
            self._declare(plan)
            plan.check_config()

        _outside(declare)
        faults: List[str] = []
        api = self._api.served(faults)
        nodes = plan.blueprint(api.kind, faults)
        if faults:
            raise Failure([], "; ".join(faults))
        schema = api.crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        program = {"form": form_of(schema["properties"]["spec"]), "config": config}
        return Prepared(Blueprint(api, used_kinds(nodes), nodes), json.dumps(program).encode(), plan.warnings)

    def render(self, program: bytes, instance: Json, observed: List[Observed]) -> Rendering:
        prepared = json.loads(program)
        plan = Plan(prepared["config"])
        states = _outside(lambda: self._declare(plan))
        given = instance.get("spec")
        given = {} if given is None else given
        spec = read_spec(self._api.spec, prepared["form"], given, self._api.plural)
        typed = Instance(instance, spec)
        cx = Context(plan, observed, typed.namespace, self._api.status)
        rendering = outcome(cx, _ended(lambda: states(typed, cx)))
        rendering.defaults = missing(prepared["form"], given)
        return rendering


def composition(api: Api[Spec]) -> Callable[[Declare], Composition[Spec]]:
    """Makes a module of a function that declares the objects that an instance may be made of, and those that it
    reads, and returns the function that states them.

    It is called for each definition and again for each render, and has to declare the same for the same
    configuration. Kinds, rights, the graph and its order follow from it.
    """
    return lambda declare: Composition(api, declare)


def _ended(act: Callable[[], None]) -> Optional[Halt]:
    """Why a render stopped, if it did."""
    try:
        act()
    except Failure:
        raise
    except Exception as raised:
        return halt_of(raised)
    return None


def _outside(act: Callable[[], Any]) -> Any:
    """Outside of a render nothing waits and nothing is switched off."""
    try:
        return act()
    except Failure:
        raise
    except Exception as raised:
        halt = halt_of(raised)
        if isinstance(halt, Invalid):
            raise Failure([halt.problem]) from raised
        if isinstance(halt, (Waiting, Excluded)):
            message = "a declaration cannot wait and cannot exclude: there is no instance yet"
            raise Failure([], message) from raised
        raise Failure([], str(halt)) from raised
