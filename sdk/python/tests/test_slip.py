"""What the SDK says to the author of a module that is wrong."""

from typing import Any, List, Optional, Union

import croft
import pytest
from croft.testing import Trial, definition, internal, problems

CONFIG_MAP = croft.namespaced("v1", "ConfigMap")


class Empty(croft.Model):
    pass


class Done(croft.Model):
    done: Optional[bool] = None


class Tree(croft.Model):
    branches: List["Tree"] = []


Tree.update_forward_refs()


class Either(croft.Model):
    either: Union[str, bool]


class Taken(croft.Model):
    croft: str
    state: int


Slip = croft.Api(group="example.org", version="v1", kind="Slip", spec=Empty, status=Done)


def two(plan):
    return plan.child("a", CONFIG_MAP), plan.child("b", CONFIG_MAP)


def named(name):
    return {"metadata": {"name": name}}


def slip(declare, render=lambda a, b, cx: None, api=Slip):
    @croft.composition(api)
    def module(plan):
        a, b = declare(plan)
        return lambda _slip, cx: render(a, b, cx)

    return module


def twice(plan):
    return plan.child("a", CONFIG_MAP), plan.child("a", CONFIG_MAP)


def digit(plan):
    plan.child("9", CONFIG_MAP)
    return two(plan)


def cycle(plan):
    a, b = two(plan)
    return a.after(b), b.after(a)


def foreign(plan):
    a, b = two(plan)
    return a.after(croft.Plan().child("elsewhere", CONFIG_MAP)), b


def own(plan):
    plan.child("slip", croft.namespaced("example.org/v2", "Slip"))
    return two(plan)


def odd(plan):
    plan.child("odd", croft.namespaced("v1", "no kind"))
    return two(plan)


def kindless(plan):
    plan.child("page", croft.Object)
    return two(plan)


def early(plan):
    raise croft.Excluded("no")


@pytest.mark.parametrize(
    "declare, expected",
    [
        (twice, "the id `a` is declared twice"),
        (digit, "`9` is not an id: it begins with a letter"),
        (cycle, "these wait for each other: `a` → `b` → `a`"),
        (foreign, "`a` is declared after `elsewhere`, which is of another plan"),
        (own, "`slip` is of the API's own kind, Slip.example.org"),
        (odd, "`v1 no kind` of `odd` is not a kind"),
        (kindless, "the model of `page` does not say its kind"),
        (early, "a declaration cannot wait and cannot exclude"),
    ],
)
def test_a_declaration_that_would_stray_is_refused_when_a_definition_is_prepared(declare, expected):
    assert expected in internal(lambda: slip(declare).prepare(definition()))


def stop():
    raise croft.Excluded("no")


def undeclared(a, b, cx):
    cx.child(a, named("a"))
    cx.wait(a, "data.x")


def itself(a, b, cx):
    def wait():
        raise croft.Waiting(a, "itself")

    cx.child(b, named("b"))
    cx.child(a, wait)


def again(a, b, cx):
    cx.child(a, named("a"))
    cx.child(a, named("a"))
    stop()


def conditions(a, b, cx):
    cx.condition("no word", True, "")
    cx.condition("Done", True, "")
    cx.condition("Done", None, "two\nlines")
    stop()


def nameless(a, b, cx):
    cx.child(a, {})
    stop()


def another(a, b, cx):
    cx.child(a, {"kind": "Secret", **named("a")})
    stop()


def status(a, b, cx):
    cx.status(Empty())
    stop()


def lost(a, b, cx):
    raise croft.Fault("lost")


def broken(a, b, cx):
    return {}["field"]


@pytest.mark.parametrize(
    "render, expected",
    [
        (lambda a, b, cx: cx.child(a, named("a")), "the render says nothing of `b`: state it, or exclude it"),
        (undeclared, "`b` waits for `a`, and was not declared so: declare it `.after(a)`"),
        (itself, "`a` waits for itself"),
        (again, "`a` is stated twice in one render"),
        (conditions, "`no word` is not the type of a condition: it is a PascalCase word"),
        (conditions, "the reason of the condition `Done` is not one short line; the condition `Done` is stated twice"),
        (nameless, "`a` has no `metadata.name`"),
        (another, 'the kind of `a` is "Secret", and `ConfigMap` was declared'),
        (status, "the status is a `Empty`, and the API has a `Done`"),
        (lost, "lost"),
        (broken, "KeyError: 'field' ("),
    ],
)
def test_a_render_that_strays_from_the_declaration_is_the_modules_fault(render, expected):
    assert expected in internal(lambda: Trial(slip(two, render), {}).converge())


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"status": Taken}, "the status has a field `croft`"),
        ({"status": Taken}, "a field `state` of type integer, and croft writes one of type string"),
        ({"spec": Either}, "the API's field `spec.either` has no `type`"),
        ({"spec": Tree}, "holds itself, by way of `Tree`"),
    ],
)
def test_an_api_that_no_server_would_take_is_refused(options, expected):
    fields = {"group": "example.org", "version": "v1", "kind": "Slip", "spec": Empty, **options}
    module = slip(two, api=croft.Api(**fields))
    assert expected in internal(lambda: module.prepare(definition()))


@pytest.mark.parametrize("config", [{"size": 3}, "", 0, []])
def test_a_configuration_that_nobody_reads_is_refused(config):
    problem = problems(lambda: slip(two).prepare(definition(config)))[0]
    assert (problem.at, problem.message) == ("/spec/config", "the module takes no configuration")


@pytest.mark.parametrize("config", [None, {}])
def test_no_configuration_is_none(config):
    assert slip(two).prepare(definition(config)).blueprint.nodes


def test_a_suspended_instance_is_left_alone():
    def suspended(a, b, cx: Any):
        cx.suspend("not today")
        stop()

    assert Trial(slip(two, suspended), {}).converge().rendering.suspended == "not today"
