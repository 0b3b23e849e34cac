//! The CustomResourceDefinition of a definition's API, in the shape that kro
//! gives it.
//!
//! It takes finished schemas and decides nothing about fields.

use guest_sdk::plural;
use serde_json::{Map, Value, json};

use crate::model::{Definition, Dialect};

/// What kro adds to the status of every API, unless the definition has a field
/// of that name.
fn injected() -> [(&'static str, Value); 2] {
    let condition = json!({"type": "object", "properties": {
        "type": {"type": "string"},
        "status": {"type": "string"},
        "reason": {"type": "string"},
        "message": {"type": "string"},
        "lastTransitionTime": {"type": "string"},
        "observedGeneration": {"type": "integer"},
    }});
    [("state", json!({"type": "string"})), ("conditions", json!({"type": "array", "items": condition}))]
}

/// The CRD with these schemas of `spec` and `status`.
pub(crate) fn build(definition: &Definition, spec: Value, status: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata(definition),
        "spec": {
            "group": definition.group,
            "names": names(definition),
            // Its serialized forms are Kubernetes' own words.
            "scope": definition.scope,
            "versions": [{
                "name": definition.version,
                "served": true,
                "storage": true,
                "subresources": {"status": {}},
                "additionalPrinterColumns": printer_columns(definition),
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec,
                        "status": with_injected(status),
                    },
                }},
            }],
        },
    })
}

fn metadata(definition: &Definition) -> Value {
    let mut metadata = json!({"name": format!("{}.{}", plural::of(&definition.kind), definition.group)});
    for (name, texts) in [("labels", &definition.crd_labels), ("annotations", &definition.crd_annotations)] {
        if !texts.is_empty() {
            metadata[name] = json!(texts);
        }
    }
    metadata
}

fn names(definition: &Definition) -> Value {
    let mut names = json!({
        "kind": definition.kind,
        "listKind": format!("{}List", definition.kind),
        "plural": plural::of(&definition.kind),
        "singular": definition.kind.to_lowercase(),
    });
    for (name, texts) in [("shortNames", &definition.short_names), ("categories", &definition.categories)] {
        if !texts.is_empty() {
            names[name] = json!(texts);
        }
    }
    names
}

fn with_injected(mut status: Value) -> Value {
    if let Value::Object(schema) = &mut status {
        let properties = schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(properties) = properties {
            for (name, schema) in injected() {
                properties.entry(name).or_insert(schema);
            }
        }
    }
    status
}

/// The definition's own, or those that kro gives every API of its dialect, in
/// kro's words.
fn printer_columns(definition: &Definition) -> Value {
    if let Some(columns) = &definition.printer_columns {
        return json!(columns);
    }
    let (state, ready) = match definition.dialect {
        Dialect::V01 => (
            "The state of a ResourceGroup instance",
            json!({
                "name": "Synced",
                "description": "Whether a ResourceGroup instance have been synced",
                "jsonPath": ".status.conditions[?(@.type==\"InstanceSynced\")].status",
                "type": "string",
            }),
        ),
        Dialect::V09 => (
            "The state of a ResourceGraphDefinition instance",
            json!({
                "name": "Ready",
                "description": "Whether a ResourceGraphDefinition instance is ready",
                "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status",
                "type": "string",
            }),
        ),
    };
    json!([
        {"name": "State", "description": state, "jsonPath": ".status.state", "type": "string"},
        ready,
        {
            "name": "Age",
            "description": "Age of the resource",
            "jsonPath": ".metadata.creationTimestamp",
            "type": "date",
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{problem::Problems, reader, simple_schema};

    /// The CRD of a definition whose API is described like this.
    fn crd(kind: &str, more: Value) -> Value {
        let mut schema = json!({"apiVersion": "v1", "kind": "WebApp"});
        schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let object = json!({"apiVersion": "kro.run/v1alpha1", "kind": kind, "spec": {"schema": schema}});
        let mut problems = Problems::default();
        let definition = reader::read(&object, &mut problems).unwrap();
        let spec = simple_schema::spec(&definition, &mut problems);
        assert!(matches!(problems.into_result(), Ok(warnings) if warnings.is_empty()));
        build(&definition, spec, json!({"type": "object"}))
    }

    fn columns(crd: &Value) -> Vec<&str> {
        let columns = crd["spec"]["versions"][0]["additionalPrinterColumns"].as_array().unwrap();
        columns.iter().map(|column| column["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn what_a_definition_says_of_its_api_is_in_the_crd_and_nothing_else() {
        let plain = crd("ResourceGraphDefinition", json!({}));
        assert_eq!(plain["metadata"], json!({"name": "webapps.kro.run"}));
        let names = json!({"kind": "WebApp", "listKind": "WebAppList", "plural": "webapps", "singular": "webapp"});
        assert_eq!((&plain["spec"]["names"], &plain["spec"]["scope"]), (&names, &json!("Namespaced")));
        let full = crd(
            "ResourceGraphDefinition",
            json!({
                "group": "example.com", "scope": "Cluster", "shortNames": ["wa"], "categories": ["all"],
                "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
            }),
        );
        let metadata = json!({"name": "webapps.example.com", "labels": {"a": "b"}, "annotations": {"c": "d"}});
        assert_eq!(full["metadata"], metadata);
        assert_eq!((&full["spec"]["scope"], &full["spec"]["group"]), (&json!("Cluster"), &json!("example.com")));
        let names = &full["spec"]["names"];
        assert_eq!((&names["shortNames"], &names["categories"]), (&json!(["wa"]), &json!(["all"])));
    }

    #[test]
    fn each_dialect_has_its_columns_and_a_definition_may_replace_them() {
        assert_eq!(columns(&crd("ResourceGroup", json!({}))), ["State", "Synced", "Age"]);
        assert_eq!(columns(&crd("ResourceGraphDefinition", json!({}))), ["State", "Ready", "Age"]);
        let own = json!({"additionalPrinterColumns": [{"name": "A", "type": "string", "jsonPath": ".spec.a"}]});
        assert_eq!(columns(&crd("ResourceGraphDefinition", own)), ["A"]);
    }
}
