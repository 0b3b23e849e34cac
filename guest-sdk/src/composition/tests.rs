//! What a module as code promises, and how the SDK tells its author of mistakes.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Secret},
};

use crate::{
    Composer, ConditionStatus, Failure, Scope, Selection, Severity,
    prelude::*,
    test::{Trial, definition, prepare, problems},
};

/// A shop: pages that its owner lists, an app that a controller starts, a banner
/// of somebody else, and a theme that it names.
#[derive(CustomResource, JsonSchema, Deserialize, Serialize, Clone, Debug, Default)]
#[kube(group = "example.org", version = "v1", kind = "Shop", namespaced, status = "ShopStatus")]
#[serde(rename_all = "camelCase")]
struct ShopSpec {
    #[serde(default)]
    pages: Vec<Page>,
    theme: Option<String>,
    #[serde(default = "three")]
    copies: i32,
    #[serde(default)]
    style: Style,
    limits: Option<Style>,
    #[serde(default)]
    closed: bool,
}

#[derive(JsonSchema, Deserialize, Serialize, Clone, Debug, Default)]
struct Page {
    slug: String,
    title: Option<String>,
}

#[derive(JsonSchema, Deserialize, Serialize, Clone, Debug)]
struct Style {
    #[serde(default = "three")]
    width: i32,
    color: Option<String>,
}

impl Default for Style {
    fn default() -> Style {
        Style { width: 3, color: None }
    }
}

#[derive(JsonSchema, Deserialize, Serialize, Clone, Debug, Default, PartialEq)]
struct ShopStatus {
    pages: usize,
    color: Option<String>,
}

fn three() -> i32 {
    3
}

#[derive(Deserialize, Default)]
struct Config {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    nested: Option<Page>,
}

struct Shops {
    prefix: String,
    banners: External<ConfigMap>,
    themes: Externals<ConfigMap>,
    pages: Collection<ConfigMap>,
    app: Child<Deployment>,
    key: Child<Secret>,
    route: Child<Value>,
}

impl Composition for Shops {
    type Api = Shop;

    fn declare(plan: &Plan) -> Result<Shops> {
        let config: Config = plan.config()?;
        if config.nested.is_some() {
            plan.warn("spec.config.nested", "it is not read yet");
        }
        // Declared before what it comes after.
        let route = plan.child_of(Kind::namespaced("gateway.networking.k8s.io/v1", "HTTPRoute"), "route");
        let banners = plan.external("banners").ready_when("it is on", |banner: &ConfigMap| banner.data.is_some());
        let pages = plan.collection("pages");
        let app = plan.child("app").after(&pages).after(&banners).ready_when("a copy runs", |app: &Deployment| {
            app.status.as_ref().and_then(|status| status.available_replicas).is_some_and(|copies| copies > 0)
        });
        let key = plan.child("key").after(&app);
        let route = route.after(&key).after(&key);
        Ok(Shops { prefix: config.prefix, themes: plan.externals("themes"), banners, pages, app, key, route })
    }

    fn render(&self, shop: &Shop, cx: &Context<Shop>) -> Result {
        let spec = &shop.spec;
        cx.read(&self.banners, "banner")?;
        let themes = cx.find(&self.themes, matching([("kind", "theme")]))?;
        let color = themes.values().find_map(|theme| theme.data.as_ref()?.get("color").cloned());
        cx.status(ShopStatus { pages: spec.pages.len(), color });
        cx.condition("Open", !spec.closed, "Asked", "");
        let page = |page: &Page| {
            let data = strings([("title", page.title.clone().unwrap_or_default())]);
            let metadata = named(format!("{}{}", self.prefix, page.slug));
            (page.slug.clone(), ConfigMap { metadata, data: Some(data), ..ConfigMap::default() })
        };
        cx.collection(&self.pages, spec.pages.iter().map(page));
        if spec.closed {
            cx.exclude(&self.app, "`spec.closed` is true");
        } else {
            cx.child(&self.app, Deployment { metadata: named("app"), ..Deployment::default() });
        }
        for page in spec.pages.iter().filter(|page| page.slug.contains('/')) {
            cx.refuse(invalid("spec.pages", format!("`{}` has a slash", page.slug)).hint("leave it out"));
        }
        cx.child(&self.key, Secret { metadata: named("key"), ..Secret::default() });
        let uid = cx.wait(&self.key, "metadata.uid", |key| key.metadata.uid)?;
        cx.child(&self.route, json!({"metadata": {"name": "route"}, "spec": {"key": uid}}));
        Ok(())
    }
}

fn pages(slugs: &[&str]) -> Vec<Page> {
    slugs.iter().map(|slug| Page { slug: (*slug).to_owned(), title: None }).collect()
}

fn shop(slugs: &[&str]) -> Shop {
    Shop::new("shop", ShopSpec { pages: pages(slugs), copies: 3, ..ShopSpec::default() })
}

fn banner() -> ConfigMap {
    ConfigMap { metadata: named("banner"), data: Some(strings([("a", "b")])), ..ConfigMap::default() }
}

fn running(app: &mut Deployment) {
    app.status.get_or_insert_default().available_replicas = Some(1);
}

#[test]
fn the_blueprint_is_what_was_declared_in_topological_order() {
    let trial = Trial::<Shops>::new(shop(&[]));
    let blueprint = trial.blueprint();
    assert_eq!(blueprint.order(), ["pages", "banners", "app", "key", "route", "themes"]);
    let depends_on = |id: &str| &blueprint.nodes.iter().find(|node| node.id == id).unwrap().depends_on;
    assert_eq!(
        (depends_on("app"), depends_on("route")),
        (&vec!["pages".into(), "banners".into()], &vec!["key".into()])
    );
    let kinds: Vec<String> = blueprint
        .kinds
        .iter()
        .map(|used| format!("{:?} {} {}", used.access, used.kind.api_version(), used.kind.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            "Manage v1 ConfigMap",
            "Read v1 ConfigMap",
            "Manage apps/v1 Deployment",
            "Manage v1 Secret",
            "Manage gateway.networking.k8s.io/v1 HTTPRoute"
        ]
    );
    assert_eq!((&*blueprint.api.plural, blueprint.api.scope), ("shops", Scope::Namespaced));
    assert_eq!(blueprint.api.crd["spec"]["names"]["listKind"], "ShopList");
    let described = &blueprint.api.crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"];
    assert!(described.as_str().unwrap().starts_with("A shop: pages"), "{described}");
}

#[test]
fn what_comes_after_something_waits_until_it_is_ready() {
    let mut trial = Trial::<Shops>::new(shop(&["a", "b"]));
    let first = trial.render().unwrap();
    assert_eq!(first.blocked("app"), Some("waits for `banners`, `pages` to be ready"));
    assert_eq!(first.blocked("key"), Some("waits for `app` to be ready"));
    assert_eq!(first.blocked("route"), Some("`metadata.uid` of `key` is not there yet"));
    assert_eq!(first.children::<ConfigMap>("pages").into_keys().collect::<Vec<_>>(), ["a", "b"]);
    let select = Selection::Named { namespace: String::new(), name: "banner".into() };
    assert!(first.rendering.reads.iter().any(|read| read.id == "banners" && read.select == select));

    trial.find("banners", banner());
    let second = trial.converge().unwrap();
    let row = |id: &str| second.rendering.readiness.iter().find(|row| row.id == id).unwrap().message.clone();
    assert_eq!((&*row("app"), &*row("banners")), ("waits until a copy runs", ""));
    assert_eq!(second.blocked("key"), Some("waits for `app` to be ready"));

    trial.update("app", running);
    let end = trial.converge().unwrap();
    assert!(end.is_ready());
    assert_eq!(end.child::<Value>("route")["spec"]["key"], "uid-of-key");
    assert_eq!(end.child::<Value>("route")["apiVersion"], "gateway.networking.k8s.io/v1");
}

#[test]
fn what_comes_after_something_excluded_is_excluded() {
    let mut trial = Trial::<Shops>::new(shop(&[]));
    trial.find("banners", banner());
    trial.converge().unwrap();
    trial.update("app", running);
    trial.converge().unwrap();
    trial.change(|shop| shop.spec.closed = true);
    let end = trial.converge().unwrap();
    assert_eq!(end.excluded("app"), Some("`spec.closed` is true"));
    assert_eq!(end.excluded("key"), Some("`app` is excluded"));
    assert_eq!(end.excluded("route"), Some("`key` is excluded"));
    assert_eq!(end.rendering.conditions[0].status, ConditionStatus::False);
}

#[test]
fn what_others_own_is_read_by_name_and_by_label() {
    let mut trial = Trial::<Shops>::new(shop(&["a"]));
    let theme = ConfigMap { metadata: named("blue"), data: Some(strings([("color", "blue")])), ..ConfigMap::default() };
    trial.find("themes", theme);
    let rendered = trial.converge().unwrap();
    assert_eq!(rendered.status::<ShopStatus>(), ShopStatus { pages: 1, color: Some("blue".into()) });
    let themes = rendered.rendering.reads.iter().find(|read| read.id == "themes").unwrap();
    let Selection::Labelled { namespace, selector } = &themes.select else { panic!("{themes:?}") };
    assert_eq!((&**namespace, selector), ("default", &json!({"matchLabels": {"kind": "theme"}})));
    let row = rendered.rendering.readiness.iter().find(|row| row.id == "themes").unwrap();
    assert_eq!((&*row.key, row.ready), ("blue", true));
}

#[test]
fn a_status_field_that_is_none_is_left_out() {
    let rendered = Trial::<Shops>::new(shop(&[])).render().unwrap();
    assert_eq!(Value::Object(rendered.rendering.status), json!({"pages": 0}));
}

fn defaults(spec: Value) -> Value {
    let program = prepare::<Shops>(definition(Value::Null)).unwrap().program;
    let instance = json!({"metadata": {"name": "s", "namespace": "n"}, "spec": spec});
    let rendering = <Shops as Composer>::render(&program, instance, Vec::new()).unwrap();
    Value::Object(rendering.defaults)
}

#[test]
fn defaults_are_those_of_the_type() {
    let all = json!({"pages": [], "copies": 3, "closed": false, "style": {"width": 3}});
    assert_eq!(defaults(json!({})), all);
    // A field that the instance has is not filled up with the default of the whole,
    // but fields in it that have one of their own are.
    let given = json!({"pages": [], "copies": 3, "closed": false, "style": {"width": 3}, "limits": {"width": 3}});
    assert_eq!(defaults(json!({"style": {"color": "red"}, "limits": {}})), given);
}

#[test]
fn everything_wrong_with_an_instance_is_said_at_once() {
    let failure = Trial::<Shops>::new(shop(&["a/b", "c/d", "e", "e"])).render().unwrap_err();
    let messages: Vec<String> = problems(failure).into_iter().map(|problem| problem.message).collect();
    assert_eq!(messages, ["`a/b` has a slash", "`c/d` has a slash", "two objects of `pages` have the key `e`"]);
}

#[test]
fn an_instance_that_does_not_fit_is_refused_with_its_place() {
    let program = prepare::<Shops>(definition(Value::Null)).unwrap().program;
    for (spec, code, at) in [
        (json!({"copies": "3"}), "InvalidValue", "/spec/copies"),
        (json!({"pages": [{"slug": "a"}, {}]}), "MissingField", "/spec/pages/1"),
        (json!({"style": {"width": true}}), "InvalidValue", "/spec/style/width"),
        (json!([]), "InvalidValue", "/spec"),
    ] {
        let instance = json!({"metadata": {"name": "s"}, "spec": spec});
        let problem = problems(<Shops as Composer>::render(&program, instance, Vec::new()).unwrap_err()).remove(0);
        assert_eq!((&*problem.code, &*problem.at), (code, at), "{problem:?}");
        assert!(problem.hint.unwrap().contains("kubectl explain shops"));
    }
}

#[test]
fn a_configuration_is_a_type_and_is_refused_with_its_place() {
    let mut trial = Trial::<Shops>::with_config(json!({"prefix": "my-"}), shop(&["a"]));
    assert_eq!(trial.render().unwrap().children::<ConfigMap>("pages")["a"].metadata.name.as_deref(), Some("my-a"));
    for (config, code, at) in [
        (json!({"prefx": ""}), "UnknownField", "/spec/config/prefx"),
        (json!({"nested": {"slug": "a", "a/b": 1}}), "UnknownField", "/spec/config/nested/a~1b"),
        (json!({"prefix": 3}), "InvalidValue", "/spec/config/prefix"),
        (json!({"nested": {}}), "MissingField", "/spec/config/nested"),
        (json!("text"), "InvalidValue", "/spec/config"),
    ] {
        let problem = problems(prepare::<Shops>(definition(config)).unwrap_err()).remove(0);
        assert_eq!((&*problem.code, &*problem.at), (code, at), "{problem:?}");
    }
    let prepared = prepare::<Shops>(definition(json!({"nested": {"slug": "a"}}))).unwrap();
    assert_eq!((prepared.warnings[0].severity, &*prepared.warnings[0].at), (Severity::Warning, "/spec/config/nested"));
}

/// A module whose declaration and rendering are functions, to make mistakes with.
#[derive(CustomResource, JsonSchema, Deserialize, Serialize, Clone, Debug, Default)]
#[kube(group = "example.org", version = "v1", kind = "Slip", namespaced, status = "SlipStatus")]
struct SlipSpec {}

#[derive(JsonSchema, Deserialize, Serialize, Clone, Debug, Default)]
struct SlipStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<bool>,
}

macro_rules! slip {
    ($name:ident, |$plan:ident| $declare:block, |$ids:pat, $cx:ident| $render:block) => {
        struct $name([Child<ConfigMap>; 2]);

        impl Composition for $name {
            type Api = Slip;

            fn declare($plan: &Plan) -> Result<$name> {
                Ok($name($declare))
            }

            fn render(&self, _slip: &Slip, $cx: &Context<Slip>) -> Result {
                let $ids = &self.0;
                $render
            }
        }
    };
}

fn map(name: &str) -> ConfigMap {
    ConfigMap { metadata: named(name), ..ConfigMap::default() }
}

/// What the SDK says of a module whose declaration is wrong.
fn declared<C: Composition>() -> String {
    match prepare::<C>(definition(Value::Null)).unwrap_err() {
        Failure::Internal(message) => message,
        Failure::Invalid(problems) => panic!("{problems:?}"),
    }
}

/// What the SDK says of a module that strays in a render.
fn strayed<C: Composition<Api = Slip>>() -> String {
    match Trial::<C>::new(Slip::new("slip", SlipSpec {})).converge().unwrap_err() {
        Failure::Internal(message) => message,
        Failure::Invalid(problems) => panic!("{problems:?}"),
    }
}

#[test]
fn a_declaration_that_would_stray_is_refused_when_a_definition_is_prepared() {
    slip!(Twice, |plan| { [plan.child("a"), plan.child("a")] }, |_, _cx| { Ok(()) });
    assert_eq!(declared::<Twice>(), "the id `a` is declared twice");

    slip!(Names, |plan| { [plan.child("9"), plan.child("a b")] }, |_, _cx| { Ok(()) });
    let said = declared::<Names>();
    assert!(
        said.contains("`9` is not an id: it begins with a letter") && said.contains("`a b` is not an id"),
        "{said}"
    );

    slip!(
        Cycle,
        |plan| {
            let (a, b) = (plan.child("a"), plan.child("b"));
            let b = b.after(&a);
            let a = a.after(&b);
            [a, b]
        },
        |_, _cx| { Ok(()) }
    );
    assert_eq!(declared::<Cycle>(), "these wait for each other: `a` → `b` → `a`");

    slip!(
        Foreign,
        |plan| {
            let other = Plan::new(Value::Null);
            let foreign: Child<Secret> = other.child("elsewhere");
            [plan.child("a"), plan.child("b").after(&foreign)]
        },
        |_, _cx| { Ok(()) }
    );
    assert_eq!(declared::<Foreign>(), "`b` is declared after `elsewhere`, which is of another plan");

    slip!(
        Own,
        |plan| {
            let _: Child<Slip> = plan.child("slip");
            plan.child_of(Kind::namespaced("v1", "no kind"), "odd");
            [plan.child("a"), plan.child("b")]
        },
        |_, _cx| { Ok(()) }
    );
    let said = declared::<Own>();
    assert!(said.contains("`slip` is of the API's own kind, Slip.example.org"), "{said}");
    assert!(said.contains("`v1 no kind` of `odd` is not a kind"), "{said}");

    slip!(
        Early,
        |plan| {
            plan.config::<Config>().and_then(|_| Err(excluded("no")))?;
            [plan.child("a"), plan.child("b")]
        },
        |_, _cx| { Ok(()) }
    );
    assert!(declared::<Early>().contains("`declare` cannot wait"));
}

#[test]
fn a_render_that_strays_from_the_declaration_is_the_modules_fault() {
    slip!(Silent, |plan| { [plan.child("a"), plan.child("b")] }, |[a, _], cx| {
        cx.child(a, map("a"));
        Ok(())
    });
    assert_eq!(strayed::<Silent>(), "`render` says nothing of `b`: state it, or `exclude` it and say why");

    slip!(Undeclared, |plan| { [plan.child("a"), plan.child("b")] }, |[a, b], cx| {
        cx.child(a, map("a"));
        cx.wait(a, "metadata.uid", |a| a.metadata.uid)?;
        cx.child(b, map("b"));
        Ok(())
    });
    let said = strayed::<Undeclared>();
    assert!(said.starts_with("`b` waits for `a`, and was not declared so: declare it `.after(&a)`"), "{said}");

    slip!(Itself, |plan| { [plan.child("a"), plan.child("b")] }, |[a, b], cx| {
        cx.child(b, map("b"));
        cx.try_child(a, || Ok(map(&cx.wait(a, "metadata.uid", |a| a.metadata.uid)?)));
        Ok(())
    });
    assert_eq!(strayed::<Itself>(), "`a` waits for itself");

    slip!(Again, |plan| { [plan.child("a"), plan.child("b")] }, |[a, b], cx| {
        cx.child(a, map("a"));
        cx.child(a, map("a"));
        cx.exclude(b, "no");
        cx.condition("no word", true, "", "");
        cx.condition("Done", None, "two\nlines", "");
        cx.condition("Done", true, "", "");
        Ok(())
    });
    let said = strayed::<Again>();
    for expected in [
        "`a` is stated twice in one render",
        "`no word` is not the type of a condition",
        "the reason of the condition `Done` is not one short line",
        "the condition `Done` is stated twice",
    ] {
        assert!(said.contains(expected), "{said}");
    }

    slip!(Nameless, |plan| { [plan.child("a"), plan.child("b")] }, |[a, b], cx| {
        cx.child(a, ConfigMap::default());
        cx.try_child(b, || Err(fault("lost")));
        Ok(())
    });
    assert_eq!(strayed::<Nameless>(), "`a` has no `metadata.name`; lost");
}

#[test]
fn a_status_that_takes_a_field_of_the_hosts_is_refused() {
    #[derive(CustomResource, JsonSchema, Deserialize, Serialize, Clone, Debug)]
    #[kube(group = "example.org", version = "v1", kind = "Taken", namespaced, status = "TakenStatus")]
    struct TakenSpec {}

    #[derive(JsonSchema, Deserialize, Serialize, Clone, Debug)]
    struct TakenStatus {
        croft: String,
        state: i32,
        conditions: Vec<Value>,
    }

    struct Takes;

    impl Composition for Takes {
        type Api = Taken;

        fn declare(_plan: &Plan) -> Result<Takes> {
            Ok(Takes)
        }

        fn render(&self, _taken: &Taken, _cx: &Context<Taken>) -> Result {
            Ok(())
        }
    }

    let said = declared::<Takes>();
    assert!(said.contains("the status has a field `croft`"), "{said}");
    assert!(said.contains("a field `state` of type integer, and croft writes one of type string"), "{said}");
    assert!(said.contains("the API's field `status.conditions[]` has no `type`"), "{said}");
}

#[test]
fn a_definition_that_configures_what_takes_no_configuration_is_refused() {
    slip!(Plain, |plan| { [plan.child("a"), plan.child("b")] }, |[a, b], cx| {
        cx.status(SlipStatus { done: Some(true) });
        cx.suspend("not today");
        cx.child(a, map("a"));
        cx.child(b, map("b"));
        Ok(())
    });
    let problem = problems(prepare::<Plain>(definition(json!({"size": 3}))).unwrap_err()).remove(0);
    assert_eq!((&*problem.at, &*problem.message), ("/spec/config", "the module takes no configuration"));
    let rendered = Trial::<Plain>::new(Slip::new("slip", SlipSpec {})).render().unwrap();
    assert_eq!(rendered.rendering.suspended.as_deref(), Some("not today"));
}
