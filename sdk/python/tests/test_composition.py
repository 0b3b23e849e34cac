"""What a module as code promises."""

from pathlib import Path
from typing import Any, Dict, List, Optional

import croft
import pytest
from croft.testing import Trial, definition, problems
from pydantic import Field, validator


class Page(croft.Model):
    slug: str
    title: str = "Untitled"

    @validator("slug")
    def short(cls, slug: str) -> str:
        if len(slug) > 20:
            raise ValueError("is longer than 20 characters")
        return slug


class Style(croft.Model):
    width: int = 3
    color: Optional[str] = None


class ShopSpec(croft.Model):
    """Pages that the owner lists, an app that a controller starts, a banner of somebody else, and a theme."""

    pages: List[Page] = []
    copies: int = Field(3, gt=0)
    style: Style = Field(Style(), description="How it looks.")
    closed: Optional[bool] = None
    page_labels: Optional[Dict[str, str]] = None


class ShopStatus(croft.Model):
    pages: int
    color: Optional[str] = None


class Config(croft.Model):
    prefix: str = ""
    nested: Optional[Page] = None


class ConfigMap(croft.Object, api_version="v1", kind="ConfigMap"):
    data: Optional[Dict[str, str]] = None


class Deployment(croft.Object, api_version="apps/v1", kind="Deployment"):
    status: Optional[Dict[str, Any]] = None


Shop = croft.Api(group="example.org", version="v1", kind="Shop", spec=ShopSpec, status=ShopStatus)


@croft.composition(Shop)
def shops(plan: croft.Plan):
    config = plan.config(Config)
    if config.nested:
        plan.warn("spec.config.nested", "it is not read yet")
    # Declared before what it comes after.
    route = plan.child("route", croft.namespaced("gateway.networking.k8s.io/v1", "HTTPRoute"))
    banners = plan.external("banners", ConfigMap).ready_when("it is on", lambda banner: banner.data is not None)
    themes = plan.externals("themes", ConfigMap)
    pages = plan.collection("pages", ConfigMap)
    app = plan.child("app", Deployment).after(pages, banners)
    app.ready_when("a copy runs", lambda app: (app.status or {}).get("available", 0) > 0)
    key = plan.child("key", croft.namespaced("v1", "Secret")).after(app)
    route.after(key, key)

    def render(shop: croft.Instance[ShopSpec], cx: croft.Context) -> None:
        spec = shop.spec
        cx.read(banners, "banner")
        found = cx.find(themes, {"matchLabels": {"kind": "theme"}})
        color = next((theme.data["color"] for theme in found.values()), None)
        cx.status(ShopStatus(pages=len(spec.pages), color=color))
        cx.condition("Open", not spec.closed, "Asked")
        for page in spec.pages:
            if "/" in page.slug:
                cx.refuse(croft.Invalid("spec.pages", f"`{page.slug}` has a slash", hint="leave it out"))
        cx.collection(
            pages,
            [
                (page.slug, ConfigMap(metadata={"name": config.prefix + page.slug}, data={"title": page.title}))
                for page in spec.pages
            ],
        )

        def make_app() -> Deployment:
            if spec.closed:
                raise croft.Excluded("`spec.closed` is true")
            return Deployment(metadata={"name": "app"})

        cx.child(app, make_app)
        cx.child(key, {"metadata": {"name": "key"}})
        uid = cx.wait(key, "metadata.uid")
        cx.child(route, {"metadata": {"name": "route"}, "spec": {"key": uid, "none": None}})

    return render


def shop(*slugs: str, **more: Any) -> Trial:
    return Trial(shops, {"pages": [{"slug": slug} for slug in slugs], **more})


BANNER = ConfigMap(metadata={"name": "banner"}, data={"a": "b"})


def test_the_contract_is_the_one_of_croft():
    croft_wit = Path(__file__).parents[3] / "wit" / "composition.wit"
    if not croft_wit.exists():
        pytest.skip("croft's sources are not here")
    assert (Path(croft.__file__).parent / "composition.wit").read_text() == croft_wit.read_text()


def test_the_graph_follows_from_what_is_declared():
    blueprint = shop().prepared.blueprint
    order = [f"{node.id}<{','.join(node.depends_on)}" for node in blueprint.nodes]
    assert order == ["pages<", "banners<", "app<pages,banners", "key<app", "route<key", "themes<"]
    used = [f"{used.kind} {used.access}" for used in blueprint.kinds]
    assert used == [
        "ConfigMap manage",
        "ConfigMap read",
        "Deployment.apps manage",
        "Secret manage",
        "HTTPRoute.gateway.networking.k8s.io manage",
    ]


def test_the_crd_is_what_the_models_say():
    crd = shop().prepared.blueprint.api.crd
    assert crd["metadata"]["name"] == "shops.example.org"
    assert crd["spec"]["names"]["listKind"] == "ShopList"
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert spec["properties"]["pages"] == {
        "type": "array",
        "default": [],
        "items": {
            "type": "object",
            "properties": {"slug": {"type": "string"}, "title": {"type": "string", "default": "Untitled"}},
            "required": ["slug"],
        },
    }
    assert spec["properties"]["copies"] == {"type": "integer", "default": 3, "minimum": 0, "exclusiveMinimum": True}
    assert spec["properties"]["style"]["description"] == "How it looks."
    assert spec["properties"]["style"]["properties"]["width"] == {"type": "integer", "default": 3}
    assert spec["properties"]["pageLabels"] == {"type": "object", "additionalProperties": {"type": "string"}}
    assert "required" not in spec


def test_everything_comes_in_its_order():
    trial = shop("a", "b")
    waiting = trial.converge()
    assert waiting.blocked("app") == "waits for `banners` to be ready"
    assert waiting.children("pages")["a"]["data"] == {"title": "Untitled"}
    trial.find("banners", BANNER)
    assert trial.converge().blocked("key") == "waits for `app` to be ready"
    trial.update("app", lambda app: app.update(status={"available": 1}))
    end = trial.converge()
    assert end.child("route")["spec"] == {"key": "uid-of-key", "none": None}
    assert end.child("app") == {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"}}
    assert end.is_ready and end.status == {"pages": 2}


def test_what_depends_on_something_excluded_is_excluded_too():
    trial = shop("a", closed=True)
    trial.find("banners", BANNER)
    end = trial.converge()
    reasons = [end.excluded(id) for id in ("app", "key", "route")]
    assert reasons == ["`spec.closed` is true", "`app` is excluded", "`key` is excluded"]
    assert end.rendering.conditions[0].holds is False


def test_external_reads_find_by_name_and_by_label():
    trial = shop()
    trial.find("themes", ConfigMap(metadata={"name": "blue", "namespace": "default"}, data={"color": "blue"}))
    end = trial.converge()
    assert end.status["color"] == "blue"
    read = next(read for read in end.rendering.reads if read.id == "themes")
    assert (read.namespace, read.selector) == ("default", {"matchLabels": {"kind": "theme"}})
    ready = next(one for one in end.rendering.readiness if one.id == "themes")
    assert (ready.key, ready.ready) == ("default/blue", True)


@pytest.mark.parametrize(
    "spec, expected",
    [
        ({}, {"pages": [], "copies": 3, "style": {"width": 3}}),
        ({"copies": 5, "style": {}}, {"pages": [], "copies": 3, "style": {"width": 3}}),
        ({"style": {"color": "red"}}, {"pages": [], "copies": 3, "style": {"width": 3}}),
    ],
)
def test_defaults_are_those_of_the_models(spec, expected):
    assert Trial(shops, spec).render().rendering.defaults == expected


def test_everything_wrong_with_an_instance_is_said_at_once():
    messages = [problem.message for problem in shop("a/b", "c/d", "e", "e").problems()]
    assert messages == ["`a/b` has a slash", "`c/d` has a slash", "two objects of `pages` have the key `e`"]


@pytest.mark.parametrize(
    "spec, code, at",
    [
        ({"copies": "3"}, "InvalidValue", "/spec/copies"),
        ({"copies": 3.5}, "InvalidValue", "/spec/copies"),
        ({"copies": 0}, "InvalidValue", "/spec/copies"),
        ({"pages": [{"slug": "a"}, {}]}, "MissingField", "/spec/pages/1"),
        ({"pages": [{"slug": "a" * 21}]}, "InvalidValue", "/spec/pages/0/slug"),
        ({"style": {"width": True}}, "InvalidValue", "/spec/style/width"),
        ([], "InvalidValue", "/spec"),
        ({"pageLabels": {"a/b": 1}}, "InvalidValue", "/spec/pageLabels/a~1b"),
    ],
)
def test_what_is_wrong_with_an_instance_is_said_with_its_place(spec, code, at):
    problem = Trial(shops, spec).problems()[0]
    assert (problem.code, problem.at) == (code, at)
    assert problem.hint.startswith("`kubectl explain shops.spec")


@pytest.mark.parametrize(
    "config, code, at",
    [
        ({"prefx": ""}, "UnknownField", "/spec/config/prefx"),
        ({"nested": {"slug": "a", "a/b": 1}}, "UnknownField", "/spec/config/nested/a~1b"),
        ({"prefix": 3}, "InvalidValue", "/spec/config/prefix"),
        ({"nested": {}}, "MissingField", "/spec/config/nested"),
        ("text", "InvalidValue", "/spec/config"),
    ],
)
def test_a_configuration_is_refused_with_its_place(config, code, at):
    problem = problems(lambda: shops.prepare(definition(config)))[0]
    assert (problem.code, problem.at) == (code, at)


def test_a_configuration_is_a_model():
    trial = Trial(shops, {"pages": [{"slug": "a"}]}, config={"prefix": "my-"})
    assert trial.converge().children("pages")["a"]["metadata"]["name"] == "my-a"
    warning = shops.prepare(definition({"nested": {"slug": "a"}})).warnings[0]
    assert (warning.severity, warning.at) == ("warning", "/spec/config/nested")


GROUP = {"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGroup"}


@pytest.mark.parametrize(
    "definition, at, message",
    [
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "/kind", "the module does not read definitions of this kind"),
        (
            {**GROUP, "spec": {"schema": {"kind": "Shed", "apiVersion": "v1"}}},
            "/spec/schema/kind",
            'the module serves the kind `Shop`, the definition has "Shed"',
        ),
        (
            {**GROUP, "kind": "ResourceGraphDefinition", "spec": {"schema": {"kind": "Shop"}}},
            "/spec/schema/apiVersion",
            "the module serves the apiVersion `v1`, the definition has null",
        ),
    ],
)
def test_a_definition_of_another_kind_is_refused_with_a_hint(definition, at, message):
    problem = problems(lambda: shops.prepare(definition))[0]
    assert (problem.at, problem.message) == (at, message)
    assert problem.hint
