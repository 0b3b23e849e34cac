//! Whatever stands anywhere in a definition, an instance or an observed object,
//! the module answers: it never panics and never blames itself.
//!
//! Every place of a working example is replaced by every odd value in turn.

use guest_sdk::{Failure, Observed, Preparation, Prepared};
use serde_json::{Value, json};

fn definition() -> Value {
    json!({
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGroup",
        "metadata": {"name": "things"},
        "spec": {
            "schema": {
                "apiVersion": "v1alpha1",
                "kind": "Thing",
                "spec": {"name": "string | required=true", "n": "integer | default=2", "nested": {"list": "[]string | default=[\"a\"]"}},
                "status": {"uid": "${config.metadata.uid}", "nested": {"text": "a ${config.data.a} b"}},
            },
            "resources": [
                {
                    "id": "config",
                    "template": {
                        "apiVersion": "v1",
                        "kind": "ConfigMap",
                        "metadata": {"name": "${schema.spec.name}"},
                        "data": {"a": "${schema.spec.nested.list.map(e, e + 'x').join(',')}", "n": "${schema.spec.n * 2}"},
                    },
                    "readyWhen": ["${config.data.a != ''}"],
                    "includeWhen": ["${schema.spec.n > 1}"],
                },
                {
                    "id": "secret",
                    "template": {
                        "apiVersion": "v1",
                        "kind": "Secret",
                        "metadata": {"name": "s-${config.metadata.name}"},
                        "stringData": {"map": "${{'k': config.data}}", "size": "${config.data.size()}"},
                    },
                },
            ],
        },
    })
}

fn instance() -> Value {
    json!({
        "apiVersion": "kro.run/v1alpha1",
        "kind": "Thing",
        "metadata": {"name": "t", "namespace": "default"},
        "spec": {"name": "app", "n": 3, "nested": {"list": ["a", "b"]}},
    })
}

fn config() -> Value {
    json!({"metadata": {"name": "app", "uid": "u"}, "data": {"a": "ax,bx"}})
}

fn odd_values() -> Vec<Value> {
    let texts = [
        "",
        "${",
        "${}",
        "${x",
        "}",
        "${schema}",
        "${schema.spec}",
        "${config}",
        "${secret.data}",
        "${a ${b}}",
        "${'}",
        "${\"\\",
        "é${schema.spec.name}é",
        "${[1, 2].map(x, x)}",
        "${lists.range(3).sortBy(e, -e)}",
        "${1 / 0}",
        "${type(1)}",
        "${int}",
        "${'a'.matches('(')}",
        "string | default=\"",
        "[][][][][][][][][][][][][][][][][][][][]string",
        "map[string]",
        "| =",
        "integer | default={",
        "\u{0}",
        "a/b",
    ];
    let mut values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    let deep = (0..100).fold(json!("${schema.spec.name}"), |inner, _| json!([inner]));
    values.extend([
        json!(null),
        json!(true),
        json!(-1.5),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!([[{"": null}]]),
        deep,
    ]);
    values
}

/// The pointers of everything in a document.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, it)| places(it, &format!("{at}/{index}"), found));
        }
        Value::Object(fields) => fields.iter().for_each(|(name, it)| places(it, &format!("{at}/{name}"), found)),
        _ => {}
    }
}

/// The document with each place replaced by each odd value.
fn variants(document: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    places(document, "", &mut found);
    let replaced = |at: &String, odd: &Value| {
        let mut variant = document.clone();
        if let Some(place) = variant.pointer_mut(at) {
            *place = odd.clone();
        }
        variant
    };
    let odd_values = odd_values();
    found.iter().flat_map(|at| odd_values.iter().map(move |odd| replaced(at, odd))).collect()
}

fn prepare(definition: &Value) -> Option<Box<Prepared>> {
    match kro::prepare(definition, &[]) {
        Ok(Preparation::Ready(prepared)) => Some(prepared),
        Ok(Preparation::Needs(kinds)) => panic!("it asks for {kinds:?}"),
        Err(failure) => {
            assert_blames_input(failure, definition);
            None
        }
    }
}

fn assert_blames_input(failure: Failure, document: &Value) {
    match failure {
        Failure::Invalid(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                let parent = problem.at.rsplit_once('/').map_or("", |(parent, _)| parent);
                assert!(document.pointer(parent).is_some(), "`{}` points nowhere in {document}", problem.at);
            }
        }
        Failure::Internal(message) => panic!("{message} for {document}"),
    }
}

fn observed(id: &str, object: Value) -> Observed {
    Observed { id: id.to_owned(), key: String::new(), object }
}

#[test]
fn any_definition_is_accepted_or_refused_and_what_is_accepted_renders() {
    let mut accepted = 0;
    for definition in variants(&definition()) {
        let Some(prepared) = prepare(&definition) else { continue };
        accepted += 1;
        for live in [vec![], vec![observed("config", config())]] {
            let rendered = guest_sdk::test::render::<kro::Kro>(&prepared.program, &instance(), &live);
            assert_eq!(rendered, guest_sdk::test::render::<kro::Kro>(&prepared.program, &instance(), &live));
            if let Err(Failure::Internal(message)) = rendered {
                panic!("{message} for {definition}");
            }
        }
    }
    assert!(accepted > 100, "only {accepted} were accepted");
}

#[test]
fn any_instance_and_any_object_renders_or_is_refused() {
    let definition = definition();
    let program = prepare(&definition).expect("the example is accepted").program;
    for instance in variants(&instance()) {
        if let Err(failure) = guest_sdk::test::render::<kro::Kro>(&program, &instance, &[observed("config", config())])
        {
            assert_blames_input(failure, &instance);
        }
    }
    for object in variants(&config()) {
        let live = [observed("config", object.clone()), observed("stranger", object)];
        if let Err(failure) = guest_sdk::test::render::<kro::Kro>(&program, &instance(), &live) {
            assert_blames_input(failure, &instance());
        }
    }
}
