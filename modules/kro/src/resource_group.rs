//! Reads a `ResourceGroup` as kro v0.1.0 has it.
//!
//! It says what is not shaped like one. Whether names, types and expressions
//! make sense is for `naming`, `simple_schema` and `check`.

use std::collections::BTreeMap;

use guest_sdk::Scope;
use serde_json::{Map, Value};

use crate::{
    model::{Body, Definition, Dialect, Resource},
    problem::{Pointer, Problems},
    reader::{GROUP, Presence, Reader},
};

/// The definition, as far as it can be read. `None` if nothing of it can;
/// everything wrong with its shape is noted.
pub(crate) fn read(object: &Value, problems: &mut Problems) -> Option<Definition> {
    let mut reader = Reader { problems };
    let spec_at = Pointer::root().field("spec");
    let spec = reader.map(object.get("spec"), &spec_at, Presence::Required)?;
    reader.unknown_fields(spec, &["schema", "resources", "defaultServiceAccounts"], &spec_at);
    let (resources, unreadable) = reader.resources(spec, &spec_at, resource);
    // kro v0.1 has these two and does not look at them either.
    reader.never_used(spec, "defaultServiceAccounts", &spec_at);
    let schema_at = spec_at.field("schema");
    let schema = reader.map(spec.get("schema"), &schema_at, Presence::Required)?;
    reader.unknown_fields(schema, &["apiVersion", "kind", "spec", "status", "validation"], &schema_at);
    reader.never_used(schema, "validation", &schema_at);
    Some(Definition {
        dialect: Dialect::V01,
        // v0.1.0 knows no other group and no other scope.
        group: GROUP.to_owned(),
        scope: Scope::Namespaced,
        version: reader.text(schema, "apiVersion", &schema_at),
        kind: reader.text(schema, "kind", &schema_at),
        short_names: Vec::new(),
        categories: Vec::new(),
        crd_labels: BTreeMap::new(),
        crd_annotations: BTreeMap::new(),
        printer_columns: None,
        spec: reader.optional_map(schema, "spec", &schema_at),
        types: Map::new(),
        status: reader.optional_map(schema, "status", &schema_at),
        conditions: Vec::new(),
        schema_at,
        resources,
        unreadable,
    })
}

fn resource(reader: &mut Reader, fields: &Map<String, Value>, at: Pointer, index: usize) -> Option<Resource> {
    reader.unknown_fields(fields, &["id", "template", "readyWhen", "includeWhen"], &at);
    let id = reader.text(fields, "id", &at);
    let template = reader.map(fields.get("template"), &at.field("template"), Presence::Required)?.clone();
    let ready_when = reader.texts(fields, "readyWhen", &at);
    let include_when = reader.texts(fields, "includeWhen", &at);
    Some(Resource { id, at, index, body: Body::Template(template), ready_when, include_when, for_each: Vec::new() })
}
