"""The values of the contract as a component hands them over, with the bindings that componentize-py makes of it."""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import croft
import pytest
from croft.testing import definition

CONFIG_MAP = croft.namespaced("v1", "ConfigMap")


class ShopSpec(croft.Model):
    name: str = ""
    size: int = 3


class ShopStatus(croft.Model):
    size: int


class Config(croft.Model):
    size: int = 0


Shop = croft.Api(group="example.org", version="v1", kind="Shop", spec=ShopSpec, status=ShopStatus)


@croft.composition(Shop)
def shops(plan):
    if plan.config(Config).size > 0:
        plan.warn("spec.config.size", "it is not read yet")
    banner = plan.external("banner", CONFIG_MAP)
    themes = plan.externals("themes", CONFIG_MAP)
    pages = plan.collection("pages", CONFIG_MAP)
    off = plan.child("off", CONFIG_MAP)
    late = plan.child("late", CONFIG_MAP).after(pages)

    def render(shop, cx):
        if shop.spec.name == "wrong":
            raise croft.Invalid("spec.name", "it is wrong", hint="another")
        if shop.spec.name == "fault":
            raise croft.Fault("lost")
        croft.log.info(f"size {shop.spec.size}")
        cx.read(banner, "banner")
        cx.find(themes, {"matchLabels": {"a": "b"}})
        cx.collection(pages, [("ä", {"metadata": {"name": "ä"}})])
        cx.exclude(off, "it is off")
        cx.child(late, {"metadata": {"name": "late"}})
        cx.status(ShopStatus(size=shop.spec.size))
        cx.condition("Open", True, "Asked", "yes")
        cx.condition("Known", None, "Unasked")
        cx.suspend("not today")

    return render


@pytest.fixture(scope="module")
def component(tmp_path_factory):
    """The module `croft.component`, which is there in a component alone."""
    componentize = shutil.which("componentize-py", path=str(Path(sys.executable).parent)) or shutil.which("componentize-py")
    if componentize is None:
        pytest.skip("componentize-py is not installed")
    folder = tmp_path_factory.mktemp("bindings")
    wit = Path(croft.__file__).parent / "composition.wit"
    subprocess.run([componentize, "-d", wit, "-w", "module", "bindings", folder], check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("croft.component")
    sys.path.remove(str(folder))


@pytest.fixture
def exported(component, monkeypatch):
    lines = []
    croft.log.on_log(lambda level, message: None)
    monkeypatch.setattr(component.host, "log", lambda level, message: lines.append((level.name, message)))
    composer = component.composer(shops)()
    assert lines == [], "there is no host to hear anything while the component is made"
    composer.lines = lines
    return composer


def rendered(component, exported, spec):
    wit = component.wit
    program = exported.prepare(json.dumps(definition()), []).value.program
    seen = wit.Observed("pages", "ä", '{"metadata":{"name":"ä","uid":"1"}}')
    instance = {"metadata": {"name": "s", "namespace": "n"}, "spec": spec}
    return exported.render(program, json.dumps(instance), [seen])


def test_a_definition_is_answered_in_the_words_of_the_contract(component, exported):
    wit = component.wit
    prepared = exported.prepare(json.dumps(definition({"size": 1})), []).value
    api = prepared.blueprint.api
    assert (api.kind, api.plural, api.scope) == (wit.GroupVersionKind("example.org", "v1", "Shop"), "shops", wit.Scope.NAMESPACED)
    assert json.loads(api.crd)["kind"] == "CustomResourceDefinition"
    assert [used.access for used in prepared.blueprint.kinds] == [wit.Access.READ, wit.Access.MANAGE]
    config_map = wit.GroupVersionKind("", "v1", "ConfigMap")
    assert prepared.blueprint.nodes[1] == wit.Node("themes", wit.Role.EXTERNAL_COLLECTION, config_map, [])
    assert prepared.blueprint.nodes[-1] == wit.Node("late", wit.Role.CHILD, config_map, ["pages"])
    warning = wit.Problem(wit.Severity.WARNING, "Invalid", "/spec/config/size", None, "it is not read yet", None)
    assert prepared.warnings == [warning]


def test_an_instance_is_answered_in_the_words_of_the_contract(component, exported):
    wit = component.wit
    config_map = wit.GroupVersionKind("", "v1", "ConfigMap")
    page = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ä"}}'
    late = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"late"}}'
    assert rendered(component, exported, {}) == wit.Rendering(
        defaults='{"name":"","size":3}',
        children=[wit.Child("pages", "ä", page, []), wit.Child("late", "", late, ["pages"])],
        blocked=[],
        excluded=[wit.Excluded("off", "it is off")],
        reads=[
            wit.Read("banner", config_map, wit.Selection_Named(("", "banner"))),
            wit.Read("themes", config_map, wit.Selection_Labelled(("n", '{"matchLabels":{"a":"b"}}'))),
        ],
        readiness=[
            wit.Readiness("banner", "", False, "`banner` is not found"),
            wit.Readiness("pages", "ä", True, ""),
            wit.Readiness("late", "", False, "`late` does not exist yet"),
        ],
        status='{"size":3}',
        conditions=[
            wit.Condition("Open", wit.ConditionStatus.IS_TRUE, "Asked", "yes"),
            wit.Condition("Known", wit.ConditionStatus.UNKNOWN, "Unasked", ""),
        ],
        suspended="not today",
    )
    assert exported.lines == [("INFO", "size 3")]


def test_a_failure_is_raised_in_the_words_of_the_contract(component, exported):
    wit = component.wit
    with pytest.raises(component.Err) as wrong:
        rendered(component, exported, {"name": "wrong"})
    problem = wit.Problem(wit.Severity.ERROR, "Invalid", "/spec/name", None, "it is wrong", "another")
    assert wrong.value.value == wit.Failure_Invalid([problem])
    with pytest.raises(component.Err) as fault:
        rendered(component, exported, {"name": "fault"})
    assert fault.value.value == wit.Failure_Internal("lost")


def test_a_module_that_is_wrong_is_refused_when_the_component_is_made(component):
    @croft.composition(Shop)
    def twice(plan):
        plan.child("a", CONFIG_MAP), plan.child("a", CONFIG_MAP)
        return lambda shop, cx: None

    with pytest.raises(croft.Failure, match="the id `a` is declared twice"):
        component.composer(twice)
