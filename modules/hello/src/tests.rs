//! What `hello` promises, through the native test kit.

use guest_sdk::test::{Converged, converge, prepare};

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

fn settle(spec: Value) -> Converged {
    let instance = json!({"metadata": {"name": "g", "namespace": "default"}, "spec": spec});
    converge::<Hello>(b"", instance, &[], live).expect("the instance is valid")
}

/// A child as the API server would show it.
fn live(child: &Child) -> Value {
    let mut live = child.manifest.clone();
    live["metadata"]["uid"] = json!(format!("uid-of-{}", child.id));
    live
}

fn problem(failure: Failure) -> Problem {
    match failure {
        Failure::Invalid(mut problems) => problems.remove(0),
        Failure::Internal(message) => panic!("{message}"),
    }
}

#[test]
fn the_seal_waits_for_the_card() {
    let first = Hello::render(b"", json!({"spec": {"name": "ada"}}), Vec::new()).unwrap();
    assert_eq!(first.children.len(), 1);
    assert_eq!(first.blocked[0].id, "seal");
    assert_eq!(first.blocked[0].waits_for, ["card"]);
    assert!(!first.readiness[0].ready);
    assert!(first.status.is_empty());
}

#[test]
fn both_children_are_there_in_the_end() {
    let end = settle(json!({"name": "ada"}));
    let manifests: Vec<_> = end.rendering.children.iter().map(|child| child.manifest.clone()).collect();
    assert_eq!(
        manifests,
        [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ada-card"},
                "data": {"message": "Hello, ada!", "language": "English"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ada-seal"},
                "stringData": {"signature": "sealed on card uid-of-card"}}),
        ]
    );
    assert!(end.rendering.readiness.iter().all(|one| one.ready));
    assert_eq!(end.rendering.status["message"], "Hello, ada!");
    assert_eq!(end.instance["spec"]["greeting"], "Hello");
}

#[test]
fn the_greeting_of_the_instance_decides_the_language() {
    let end = settle(json!({"name": "ada", "greeting": "Merhaba"}));
    assert_eq!(end.rendering.children[0].manifest["data"]["language"], "Turkish");
    assert_eq!(end.instance["spec"]["greeting"], "Merhaba");
}

#[test]
fn a_name_that_no_object_can_have_is_refused_with_its_place() {
    for name in ["Ada", "", "-ada", "a b"] {
        let failure = Hello::render(b"", json!({"spec": {"name": name}}), Vec::new()).unwrap_err();
        assert_eq!(problem(failure).at, "/spec/name", "{name}");
    }
    let failure = Hello::render(b"", json!({}), Vec::new()).unwrap_err();
    assert_eq!(problem(failure).code, "MissingField");
}

#[test]
fn a_definition_of_another_kind_is_refused_with_a_hint() {
    let mut other = definition();
    other["spec"]["schema"]["kind"] = json!("Farewell");
    let problem_found = problem(prepare::<Hello>(other).unwrap_err());
    assert_eq!(problem_found.at, "/spec/schema/kind");
    assert_eq!(problem_found.message, "`hello` serves the kind `Greeting`, the definition has \"Farewell\"");
    assert_eq!(problem_found.hint.as_deref(), Some("write `kind: Greeting`"));
}

#[test]
fn an_object_that_is_no_resource_group_is_refused() {
    let failure = prepare::<Hello>(json!({"apiVersion": "v1", "kind": "ConfigMap"})).unwrap_err();
    assert_eq!(problem(failure).code, "UnsupportedKind");
}

#[test]
fn the_blueprint_names_the_children_in_order() {
    let blueprint = prepare::<Hello>(definition()).unwrap().blueprint;
    assert_eq!(blueprint.order(), ["card", "seal"]);
    assert_eq!(blueprint.api.crd["metadata"]["name"], "greetings.kro.run");
}

/// A provider can go from the definition to code without consumers noticing.
#[test]
fn the_api_is_what_the_kro_language_makes_of_the_definition() {
    let code = prepare::<Hello>(definition()).unwrap().blueprint;
    let language = prepare::<kro::Kro>(definition()).unwrap().blueprint;
    assert_eq!(code.api, language.api);
    assert_eq!(code.nodes, language.nodes);
    assert_eq!(code.kinds, language.kinds);
}

#[test]
fn the_children_differ_from_the_kro_languages_in_nothing_but_the_language() {
    let program = prepare::<kro::Kro>(definition()).unwrap().program;
    let instance =
        json!({"metadata": {"name": "g", "namespace": "default"}, "spec": {"name": "ada", "greeting": "Hi"}});
    let language = converge::<kro::Kro>(&program, instance, &[], live).expect("the instance is valid");
    let mut code = settle(json!({"name": "ada", "greeting": "Hi"}));
    let data = code.rendering.children[0].manifest["data"].as_object_mut().unwrap();
    assert_eq!(data.remove("language"), Some(json!("English")));
    assert_eq!(code.rendering.children, language.rendering.children);
    assert_eq!(code.rendering.status, language.rendering.status);
}
