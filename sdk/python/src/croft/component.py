"""A module as the exports of a component: the values of the contract as componentize-py has them.

`croft-componentize` writes the few lines that call it. The package `wit_world` exists in a component alone.
"""

import json
from typing import Any, Callable, List

from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world.imports import log as host  # type: ignore[import-not-found]
from wit_world.imports import types as wit  # type: ignore[import-not-found]

from .contract import Condition, Failure, Gvk, Module, Observed, Prepared, Problem, Read, Rendering
from .halt import halt_of
from .log import on_log


def composer(module: Module) -> type:
    """The class that exports the interface `composer`."""
    # First: there is no host to hear anything while the component is made.
    _warm_up(module)
    on_log(lambda level, message: host.log(host.Level[level.upper()], message))

    class Composer:
        def prepare(self, definition: str, schemas: List[Any]) -> Any:
            return _answer(lambda: _prepared(module.prepare(json.loads(definition))))

        def render(self, program: bytes, instance: str, observed: List[Any]) -> Any:
            seen = [Observed(one.id, one.key, json.loads(one.object)) for one in observed]
            return _answer(lambda: _rendering(module.render(program, json.loads(instance), seen)))

    return Composer


def _warm_up(module: Module) -> None:
    """Has everything that a call may need imported and in its caches, and finds a module that is wrong now."""
    try:
        prepared = module.prepare({"apiVersion": "croft.run/v1alpha1", "kind": "Composition", "spec": {}})
        module.render(prepared.program, {"metadata": {"name": "warm-up"}, "spec": {}}, [])
    except Failure as failure:
        if failure.internal is not None:
            raise


def _answer(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Failure as failure:
        if failure.internal is None:
            raise Err(wit.Failure_Invalid([_problem(problem) for problem in failure.problems])) from None
        message = failure.internal
    except Exception as raised:
        message = str(halt_of(raised))
    raise Err(wit.Failure_Internal(message))


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _gvk(kind: Gvk) -> Any:
    return wit.GroupVersionKind(kind.group, kind.version, kind.kind)


def _problem(problem: Problem) -> Any:
    severity = wit.Severity[problem.severity.upper()]
    return wit.Problem(severity, problem.code, problem.at, None, problem.message, problem.hint)


def _prepared(prepared: Prepared) -> Any:
    api = prepared.blueprint.api
    scope = wit.Scope.NAMESPACED if api.namespaced else wit.Scope.CLUSTER
    kinds = [wit.UsedKind(_gvk(used.kind), wit.Access[used.access.upper()]) for used in prepared.blueprint.kinds]
    nodes = [
        wit.Node(node.id, wit.Role[node.role.upper().replace("-", "_")], _gvk(node.kind), node.depends_on)
        for node in prepared.blueprint.nodes
    ]
    blueprint = wit.Blueprint(wit.Api(_gvk(api.kind), api.plural, scope, _text(api.crd)), kinds, nodes)
    warnings = [_problem(warning) for warning in prepared.warnings]
    return wit.Preparation_Ready(wit.Prepared(blueprint, prepared.program, warnings))


def _rendering(rendering: Rendering) -> Any:
    return wit.Rendering(
        _text(rendering.defaults),
        [wit.Child(it.id, it.key, _text(it.manifest), it.depends_on) for it in rendering.children],
        [wit.Blocked(it.id, it.waits_for, it.message) for it in rendering.blocked],
        [wit.Excluded(it.id, it.message) for it in rendering.excluded],
        [wit.Read(it.id, _gvk(it.kind), _selection(it)) for it in rendering.reads],
        [wit.Readiness(it.id, it.key, it.ready, it.message) for it in rendering.readiness],
        _text(rendering.status),
        [_condition(it) for it in rendering.conditions],
        rendering.suspended,
    )


def _selection(read: Read) -> Any:
    if read.selector is None:
        return wit.Selection_Named((read.namespace, read.name or ""))
    return wit.Selection_Labelled((read.namespace, _text(read.selector)))


def _condition(condition: Condition) -> Any:
    statuses = {True: wit.ConditionStatus.IS_TRUE, False: wit.ConditionStatus.IS_FALSE}
    status = wit.ConditionStatus.UNKNOWN if condition.holds is None else statuses[condition.holds]
    return wit.Condition(condition.type, status, condition.reason, condition.message)
