use contract::Scope;
use serde_json::{Map, json};

use super::*;

const ANY_FIELDS: &str = "x-kubernetes-preserve-unknown-fields";

fn gvk(group: &str, version: &str, kind: &str) -> Gvk {
    Gvk { group: group.into(), version: version.into(), kind: kind.into() }
}

/// What becomes of a schema among definitions.
fn expanded(schema: Value, definitions: Value) -> Value {
    expand::expand_schema(&schema, &[definitions.as_object().unwrap()])
}

fn walk(schema: &Value, see: &mut impl FnMut(&Map<String, Value>)) {
    match schema {
        Value::Object(fields) => {
            see(fields);
            fields.values().for_each(|value| walk(value, see));
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, see)),
        _ => {}
    }
}

fn values(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(values).sum::<usize>(),
        Value::Array(all) => 1 + all.iter().map(values).sum::<usize>(),
        _ => 1,
    }
}

fn document() -> Value {
    let kind = json!({"group": "example.org", "version": "v1", "kind": "Lamp"});
    json!({
        "openapi": "3.0.0",
        "paths": {
            "/apis/example.org/v1/lamps": {"get": {KIND: kind}},
            "/apis/example.org/v1/namespaces/{namespace}/lamps": {"post": {KIND: kind}},
            "/apis/example.org/v1/namespaces/{namespace}/lamps/{name}": {"get": {KIND: kind}},
        },
        "components": {"schemas": {
            "org.example.v1.Lamp": {
                KIND: [kind],
                "description": "A lamp.",
                "type": "object",
                "properties": {
                    "description": {"type": "string", "description": "Where it stands."},
                    "metadata": {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"},
                    "spec": {"allOf": [{"$ref": "#/components/schemas/org.example.v1.LampSpec"}], "default": {}},
                },
            },
            "org.example.v1.LampSpec": {
                "type": "object", "required": ["watts"], "default": {"watts": 5},
                "properties": {"watts": {"type": "integer", "format": "int32", "maximum": 100}},
            },
        }},
    })
}

const KIND: &str = "x-kubernetes-group-version-kind";

fn lamp_crd() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "spec": {
            "group": "example.org", "scope": "Cluster", "names": {"kind": "Lamp", "plural": "lampen"},
            "versions": [
                {"name": "v1", "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "metadata": {"type": "object"},
                        "spec": {"type": "object", "properties": {
                            "pod": {"type": "object", "x-kubernetes-embedded-resource": true, ANY_FIELDS: true},
                        }},
                    },
                }}},
                {"name": "v2"},
            ],
        },
    })
}

#[test]
fn a_document_says_how_its_kinds_are_addressed_and_look() {
    let lamp = Document::new(document()).unwrap().schema(&gvk("example.org", "v1", "Lamp")).unwrap();
    assert_eq!((lamp.plural.as_str(), lamp.scope), ("lamps", Scope::Namespaced));
    let properties = &lamp.openapi["properties"];
    assert_eq!(properties["description"], json!({"type": "string"}));
    // The sibling of a reference counts before what is referred to.
    let watts = json!({"type": "integer", "format": "int32"});
    let spec = json!({"type": "object", "required": ["watts"], "default": {}, "properties": {"watts": watts}});
    assert_eq!(properties["spec"], spec);
    // What the document refers to but does not have is Kubernetes' own.
    assert_eq!(properties["metadata"]["properties"]["name"], json!({"type": "string"}));
}

#[test]
fn a_document_knows_no_other_version_and_no_other_kind() {
    let document = Document::new(document()).unwrap();
    assert_eq!(document.schema(&gvk("example.org", "v2", "Lamp")), None);
    assert_eq!(document.address(&gvk("example.org", "v1", "Socket")), None);
    assert!(Document::new(json!({"swagger": "2.0"})).is_none());
}

#[test]
fn a_definition_within_itself_is_cut() {
    let definitions = json!({"Tree": {"type": "object", "properties": {
        "name": {"type": "string"}, "branches": {"type": "array", "items": {"$ref": "Tree"}},
    }}});
    let branches = json!({"type": "array", "items": {"type": "object", ANY_FIELDS: true}});
    let tree = json!({"type": "object", "properties": {"name": {"type": "string"}, "branches": branches}});
    assert_eq!(expanded(json!({"$ref": "#/components/schemas/Tree"}), definitions), tree);
}

#[test]
fn a_definition_beside_itself_is_not_cut() {
    let definitions = json!({"Text": {"type": "string"}});
    let pair = json!({"properties": {"a": {"$ref": "Text"}, "b": {"$ref": "Text"}}});
    let text = json!({"type": "string"});
    assert_eq!(expanded(pair, definitions), json!({"properties": {"a": text, "b": text}}));
}

#[test]
fn what_is_referred_to_in_a_circle_or_not_there_takes_any_value() {
    let definitions = json!({"A": {"$ref": "B"}, "B": {"$ref": "A"}});
    assert_eq!(expanded(json!({"$ref": "A"}), definitions), json!({ANY_FIELDS: true}));
    assert_eq!(expanded(json!({"$ref": "C", "default": 1}), json!({})), json!({ANY_FIELDS: true, "default": 1}));
}

#[test]
fn texts_that_may_be_numbers_are_marked_however_they_are_written() {
    let marked = json!({"x-kubernetes-int-or-string": true});
    for schema in [
        json!({"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"}),
        json!({"type": "string", "format": "int-or-string"}),
        json!({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true}),
    ] {
        assert_eq!(expanded(schema.clone(), json!({})), marked, "{schema}");
    }
    let quantity = json!({"oneOf": [{"type": "string"}, {"type": "number"}]});
    let mut marked = quantity.clone();
    marked["x-kubernetes-int-or-string"] = true.into();
    assert_eq!(expanded(quantity, json!({})), marked);
}

#[test]
fn alternatives_stay_whole_or_go() {
    let required = json!([{"required": ["a"], "description": "A."}, {"required": ["b"]}]);
    let kept = expanded(json!({"type": "object", "oneOf": required}), json!({}));
    assert_eq!(kept, json!({"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}));
    let partly = json!([{"not": {"required": ["a"]}}, {"required": ["a"]}]);
    assert_eq!(expanded(json!({"type": "object", "oneOf": partly}), json!({})), json!({"type": "object"}));
}

#[test]
fn a_small_document_cannot_describe_a_large_schema() {
    let mut definitions = Map::new();
    for n in 0..40 {
        let next = json!({"$ref": format!("D{}", n + 1)});
        definitions.insert(format!("D{n}"), json!({"properties": {"a": next, "b": next}}));
    }
    let bomb = expanded(json!({"$ref": "D0"}), Value::Object(definitions));
    assert!(values(&bomb) < 150_000, "{}", values(&bomb));
}

#[test]
fn a_deep_schema_can_be_read_as_json() {
    let mut schema = json!({"enum": [[[[[["x"]]]]]]});
    for _ in 0..100 {
        schema = json!({"type": "object", "properties": {"a": schema}, "default": {"a": {"a": {}}}});
    }
    let text = expanded(schema, json!({})).to_string();
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    assert!(text.contains(ANY_FIELDS));
}

#[test]
fn every_builtin_kind_has_a_schema_without_references() {
    for kind in [
        gvk("", "v1", "ConfigMap"),
        gvk("apps", "v1", "Deployment"),
        gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
        gvk("autoscaling", "v1", "HorizontalPodAutoscaler"),
        gvk("resource.k8s.io", "v1", "ResourceClaim"),
    ] {
        let schema = builtin(&kind).unwrap();
        walk(&schema.openapi, &mut |fields: &Map<String, Value>| {
            assert!(!fields.get("$ref").is_some_and(Value::is_string), "{kind}: {fields:?}");
        });
        assert_eq!(schema.openapi["properties"]["kind"], json!({"type": "string"}), "{kind}");
    }
}

#[test]
fn fields_of_builtin_kinds_have_their_types() {
    let deployment = builtin(&gvk("apps", "v1", "Deployment")).unwrap();
    assert_eq!((deployment.plural.as_str(), deployment.scope), ("deployments", Scope::Namespaced));
    let at = |pointer: &str| deployment.openapi.pointer(&pointer.replace('.', "/properties/")).cloned().unwrap();
    assert_eq!(at(".spec.replicas"), json!({"type": "integer", "format": "int32"}));
    let containers = ".spec.template.spec.containers/items";
    assert_eq!(at(&format!("{containers}.image")), json!({"type": "string"}));
    let limits = at(&format!("{containers}.resources.limits"));
    assert_eq!(limits["additionalProperties"]["x-kubernetes-int-or-string"], true);
    assert_eq!(at(".metadata.creationTimestamp"), json!({"type": "string", "format": "date-time"}));
    let secret = builtin(&gvk("", "v1", "Secret")).unwrap();
    assert_eq!(secret.openapi["properties"]["data"]["additionalProperties"]["format"], "byte");
    let revision = builtin(&gvk("apps", "v1", "ControllerRevision")).unwrap();
    assert_eq!(revision.openapi["properties"]["data"], json!({"type": "object", ANY_FIELDS: true}));
}

#[test]
fn a_crd_gives_a_schema_for_each_version() {
    let mut schemas = Schemas::default();
    schemas.add(&lamp_crd()).unwrap();
    let lamp = schemas.get(&gvk("example.org", "v1", "Lamp")).unwrap();
    assert_eq!((lamp.plural.as_str(), lamp.scope), ("lampen", Scope::Cluster));
    for object in ["", "/properties/spec/properties/pod"] {
        let properties = lamp.openapi.pointer(&format!("{object}/properties")).unwrap();
        assert_eq!(properties["apiVersion"], json!({"type": "string"}), "{object}");
        assert_eq!(properties["metadata"]["properties"]["generation"]["format"], "int64", "{object}");
    }
    let later = schemas.get(&gvk("example.org", "v2", "Lamp")).unwrap();
    assert_eq!(later.openapi[ANY_FIELDS], true);
}

#[test]
fn an_api_resource_schema_is_read_like_a_crd() {
    let mut schema = lamp_crd();
    let openapi = schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take();
    schema["spec"]["versions"][0]["schema"] = openapi;
    schema["apiVersion"] = "apis.kcp.io/v1alpha1".into();
    schema["kind"] = "APIResourceSchema".into();
    let (mut one, mut other) = (Schemas::default(), Schemas::default());
    one.add(&schema).unwrap();
    other.add(&lamp_crd()).unwrap();
    let kind = gvk("example.org", "v1", "Lamp");
    assert_eq!(one.get(&kind), other.get(&kind));
}

#[test]
fn what_was_given_is_found_and_what_says_nothing_is_refused() {
    let kind = gvk("example.org", "v1", "Lamp");
    let mut schemas = Schemas::default();
    schemas.add(&document()).unwrap();
    assert_eq!(schemas.address(&kind).unwrap().plural, "lamps");
    schemas.add(&lamp_crd()).unwrap();
    assert_eq!(schemas.address(&kind).unwrap().plural, "lampen");
    assert_eq!(schemas.add(&json!({"kind": "Lamp"})), Err(Error::NoSource));
    let mut nobody = lamp_crd();
    nobody["spec"]["group"].take();
    assert_eq!(schemas.add(&nobody), Err(Error::Incomplete { at: "/spec/group" }));
}

#[test]
fn a_misspelt_kind_of_kubernetes_is_told_from_others() {
    let similar = |group: &str, version: &str, kind: &str| {
        let kind = Gvk { group: group.into(), version: version.into(), kind: kind.into() };
        let schema = unknown(kind.clone(), crate::kinds::guess(&kind));
        schema.openapi["x-croft-similar"].as_str().map(str::to_owned)
    };
    assert_eq!(similar("apps", "v1", "Deploymnet").as_deref(), Some("apps/v1 Deployment"));
    assert_eq!(similar("", "v1", "Configmap").as_deref(), Some("v1 ConfigMap"));
    assert_eq!(similar("extensions", "v1beta1", "Ingress").as_deref(), Some("networking.k8s.io/v1 Ingress"));
    assert_eq!(similar("", "v1", "Deployment").as_deref(), Some("apps/v1 Deployment"));
    assert_eq!(similar("example.org", "v1", "Database"), None);
    assert_eq!(similar("example.org", "v1", "Service"), None);
}

#[test]
fn an_unknown_kind_is_told_from_one_with_any_fields() {
    let kind = gvk("example.org", "v1", "Lamp");
    let schema = unknown(kind.clone(), crate::kinds::guess(&kind));
    assert_eq!(schema.openapi[UNKNOWN], true);
    assert_eq!(schema.openapi[ANY_FIELDS], true);
}
