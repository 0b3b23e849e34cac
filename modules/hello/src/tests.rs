//! What `hello` promises, through the native test kit.

use guest_sdk::{
    Blueprint, Child as Rendered, Problem,
    test::{Trial, converge, prepare, problems},
};

use super::*;

/// The definition that the module stands in for.
fn definition() -> Value {
    json!({
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGroup",
        "metadata": {"name": "greeting"},
        "spec": {
            "schema": {
                "apiVersion": "v1alpha1",
                "kind": "Greeting",
                "spec": {"name": "string | required=true", "greeting": "string | default=\"Hello\""},
                "status": {"message": "${card.data.message}"},
            },
            "resources": [
                {"id": "card", "template": {
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": "${schema.spec.name}-card"},
                    "data": {"message": "${schema.spec.greeting}, ${schema.spec.name}!"},
                }},
                {"id": "seal", "template": {
                    "apiVersion": "v1", "kind": "Secret",
                    "metadata": {"name": "${schema.spec.name}-seal"},
                    "stringData": {"signature": "sealed on card ${card.metadata.uid}"},
                }},
            ],
        },
    })
}

fn greeting(name: &str, greeting: &str) -> Trial<Hello> {
    Trial::new(Greeting::new("g", GreetingSpec { name: name.to_owned(), greeting: greeting.to_owned() }))
}

/// What is wrong with a definition.
fn refused(definition: Value) -> Problem {
    problems(prepare::<Hello>(definition).unwrap_err()).remove(0)
}

/// What is wrong with an instance that has this `spec`.
fn refused_instance(spec: Value) -> Problem {
    let program = prepare::<Hello>(definition()).unwrap().program;
    problems(converge::<Hello>(&program, json!({"metadata": {"name": "g"}, "spec": spec}), &[], live).unwrap_err())
        .remove(0)
}

/// A child as the API server would show it.
fn live(child: &Rendered) -> Value {
    let mut live = child.manifest.clone();
    live["metadata"]["uid"] = json!(format!("uid-of-{}", child.id));
    live
}

#[test]
fn the_seal_waits_for_the_card() {
    let first = greeting("ada", "Hello").render().unwrap();
    assert_eq!(first.blocked("seal"), Some("`metadata.uid` of `card` is not there yet"));
    assert_eq!(first.rendering.blocked[0].waits_for, ["card"]);
    assert_eq!(first.child::<ConfigMap>("card").metadata.name.as_deref(), Some("ada-card"));
    assert!(!first.is_ready() && first.rendering.status.is_empty());
}

#[test]
fn both_children_are_there_in_the_end() {
    let end = greeting("ada", "Hello").converge().unwrap();
    let card: ConfigMap = end.child("card");
    assert_eq!(card.data.unwrap(), strings([("message", "Hello, ada!"), ("language", "English")]));
    let seal: Secret = end.child("seal");
    assert_eq!(seal.string_data.unwrap()["signature"], "sealed on card uid-of-card");
    assert_eq!(end.status::<GreetingStatus>().message.as_deref(), Some("Hello, ada!"));
    assert!(end.is_ready());
}

#[test]
fn the_greeting_of_the_instance_decides_the_language() {
    let end = greeting("ada", "Merhaba").converge().unwrap();
    assert_eq!(end.child::<ConfigMap>("card").data.unwrap()["language"], "Turkish");
}

#[test]
fn who_says_nothing_is_greeted_with_hello() {
    let program = prepare::<Hello>(definition()).unwrap().program;
    let instance = json!({"metadata": {"name": "g", "namespace": "default"}, "spec": {"name": "ada"}});
    let end = converge::<Hello>(&program, instance, &[], live).unwrap();
    assert_eq!(end.instance["spec"]["greeting"], "Hello");
    assert_eq!(end.rendering.status["message"], "Hello, ada!");
}

#[test]
fn a_name_that_no_object_can_have_is_refused_with_its_place() {
    for name in ["Ada", "", "-ada", "a b"] {
        let problem = refused_instance(json!({"name": name}));
        assert_eq!((&*problem.code, &*problem.at), ("InvalidName", "/spec/name"), "{name}");
        assert!(problem.hint.unwrap().contains("such as `ada`"));
    }
    let problem = refused_instance(json!({}));
    assert_eq!((&*problem.code, &*problem.at, &*problem.message), ("MissingField", "/spec", "`name` is required"));
    let problem = refused_instance(json!({"name": 3}));
    assert_eq!((&*problem.code, &*problem.at), ("InvalidValue", "/spec/name"));
    assert_eq!(problem.hint.as_deref(), Some("`kubectl explain greetings.spec.name` says what it takes"));
}

#[test]
fn a_definition_of_another_kind_is_refused_with_a_hint() {
    let mut other = definition();
    other["spec"]["schema"]["kind"] = json!("Farewell");
    let problem = refused(other);
    assert_eq!(problem.at, "/spec/schema/kind");
    assert_eq!(problem.message, "the module serves the kind `Greeting`, the definition has \"Farewell\"");
    assert_eq!(problem.hint.as_deref(), Some("write `kind: Greeting`, or a `Composition`"));
}

#[test]
fn an_object_that_is_no_definition_is_refused() {
    let problem = refused(json!({"apiVersion": "v1", "kind": "ConfigMap"}));
    assert_eq!((&*problem.code, &*problem.at), ("UnsupportedKind", "/kind"));
}

#[test]
fn a_composition_and_a_resource_group_come_to_the_same() {
    let composition = Blueprint::clone(greeting("ada", "Hello").blueprint());
    assert_eq!(composition, prepare::<Hello>(definition()).unwrap().blueprint);
    assert_eq!(composition.order(), ["card", "seal"]);
    assert_eq!(composition.api.crd["metadata"]["name"], "greetings.kro.run");
}

/// A provider can go from the definition to code without consumers noticing.
#[test]
fn the_api_is_what_the_kro_language_makes_of_the_definition() {
    let code = prepare::<Hello>(definition()).unwrap().blueprint;
    let language = prepare::<kro::Kro>(definition()).unwrap().blueprint;
    assert_eq!(code.nodes, language.nodes);
    assert_eq!(code.kinds, language.kinds);
    let (code, language) = (code.api, language.api);
    assert_eq!((&code.kind, &code.plural, code.scope), (&language.kind, &language.plural, language.scope));
    let root = |crd: &Value| crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    let (of_code, of_language) = (root(&code.crd), root(&language.crd));
    assert_eq!(of_code.get("required"), of_language.get("required"));
    for field in ["apiVersion", "kind", "metadata"] {
        assert_eq!(of_code["properties"][field], of_language["properties"][field]);
    }
    let spec = |crd: &Value| {
        let mut spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"].clone();
        // Code has words for people that the language has not.
        for schema in std::iter::once("").chain(["/properties/name", "/properties/greeting"]) {
            spec.pointer_mut(schema).unwrap().as_object_mut().unwrap().remove("description");
        }
        spec
    };
    assert_eq!(spec(&code.crd), spec(&language.crd));
}

#[test]
fn the_children_differ_from_the_kro_languages_in_nothing_but_the_language() {
    let program = prepare::<kro::Kro>(definition()).unwrap().program;
    let instance =
        json!({"metadata": {"name": "g", "namespace": "default"}, "spec": {"name": "ada", "greeting": "Hi"}});
    let language = converge::<kro::Kro>(&program, instance, &[], live).expect("the instance is valid");
    let mut code = greeting("ada", "Hi").converge().unwrap().rendering;
    let data = code.children[0].manifest["data"].as_object_mut().unwrap();
    assert_eq!(data.remove("language"), Some(json!("English")));
    assert_eq!(code.children, language.rendering.children);
    assert_eq!(code.status, language.rendering.status);
}
