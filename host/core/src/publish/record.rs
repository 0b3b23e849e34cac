//! What croft writes into the status of every instance, as part of an API's
//! schema: a server drops in silence what its schema does not have.

use serde_json::{Value, json};

use super::Error;

/// The fields of a condition that croft writes.
const CONDITION: [(&str, &str); 6] = [
    ("type", "string"),
    ("status", "string"),
    ("reason", "string"),
    ("message", "string"),
    ("lastTransitionTime", "string"),
    ("observedGeneration", "integer"),
];

/// A CRD whose status takes `state`, `conditions` and croft's own record, in
/// every version. What the CRD has already stays as it is.
pub(super) fn with_record(crd: &Value) -> Result<Value, Error> {
    let mut crd = crd.clone();
    let versions = crd.pointer_mut("/spec/versions").and_then(Value::as_array_mut);
    let versions = versions.filter(|versions| !versions.is_empty()).ok_or(Error::MalformedCrd("spec.versions"))?;
    for version in versions {
        let schema = version.pointer_mut("/schema/openAPIV3Schema").filter(|schema| schema.is_object());
        add(schema.ok_or(Error::MalformedCrd("schema"))?)?;
        let version = version.as_object_mut().expect("its schema was just found");
        let subresources = version.entry("subresources").or_insert_with(|| json!({}));
        *subresources = Some(subresources.take()).filter(Value::is_object).unwrap_or_else(|| json!({}));
        subresources["status"] = json!({});
    }
    Ok(crd)
}

fn add(schema: &mut Value) -> Result<(), Error> {
    let status = object_at(schema, "status")?;
    if status.pointer("/properties/croft").is_some() {
        return Err(Error::StatusFieldTaken);
    }
    status["type"] = "object".into();
    let is_open = keeps_anything(status);
    let croft = object_at(status, "croft")?;
    *croft = json!({
        "type": "object",
        "description": "What croft did for this object: its children, and the digests of the last render.",
        "x-kubernetes-preserve-unknown-fields": true,
    });
    let known = |status: &Value, field: &str| status.pointer(&format!("/properties/{field}")).is_some();
    // A status that keeps whatever is written needs no more, but has to have
    // what it says of it right.
    if known(status, "state") || !is_open {
        typed(object_at(status, "state")?, "state", "string")?;
    }
    if known(status, "conditions") || !is_open {
        conditions(object_at(status, "conditions")?)?;
    }
    Ok(())
}

/// A list of conditions with every field that croft writes.
fn conditions(schema: &mut Value) -> Result<(), Error> {
    typed(schema, "conditions", "array")?;
    if keeps_anything(schema) {
        return Ok(());
    }
    let list = schema.as_object_mut().ok_or(Error::MalformedCrd("schema"))?;
    let items = list.entry("items").or_insert_with(|| json!({}));
    typed(items, "conditions[]", "object")?;
    if keeps_anything(items) {
        return Ok(());
    }
    for (field, kind) in CONDITION {
        typed(object_at(items, field)?, &format!("conditions[].{field}"), kind)?;
    }
    Ok(())
}

/// A property, made if it is not there.
fn object_at<'a>(schema: &'a mut Value, property: &str) -> Result<&'a mut Value, Error> {
    let schema = schema.as_object_mut().ok_or(Error::MalformedCrd("schema"))?;
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    let properties = properties.as_object_mut().ok_or(Error::MalformedCrd("schema"))?;
    Ok(properties.entry(property).or_insert_with(|| json!({})))
}

/// Gives a schema a type, or finds that it has this one.
fn typed(schema: &mut Value, field: &str, kind: &'static str) -> Result<(), Error> {
    let found = schema.get("type").and_then(Value::as_str);
    match found {
        Some(found) if found == kind => Ok(()),
        Some(found) => {
            Err(Error::StatusFieldOfAnotherType { field: field.to_owned(), found: found.to_owned(), wanted: kind })
        }
        None if keeps_anything(schema) => Ok(()),
        None => {
            let schema = schema.as_object_mut().ok_or(Error::MalformedCrd("schema"))?;
            schema.insert("type".to_owned(), kind.into());
            Ok(())
        }
    }
}

fn keeps_anything(schema: &Value) -> bool {
    schema.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true))
}
