//! Reads a `ResourceGroup` as kro v0.1.0 has it.
//!
//! It says what is not shaped like one. Whether names, types and expressions
//! make sense is for `check`.

use guest_sdk::Gvk;
use serde_json::{Map, Value};

use crate::{
    model::{Definition, Resource},
    problem::{Pointer, Problems, nearest},
    simple_schema::kind_of,
};

/// The group of the API that a ResourceGroup defines: v0.1.0 knows no other.
const GROUP: &str = "kro.run";

/// The definition, as far as it can be read. `None` if it cannot be told from
/// something else entirely; everything wrong with its shape is noted.
pub(crate) fn read(object: &Value, problems: &mut Problems) -> Option<Definition> {
    let root = Pointer::root();
    let gvk = Gvk::of(object);
    if !gvk.as_ref().is_some_and(|gvk| gvk.group == GROUP && gvk.kind == "ResourceGroup") {
        let what = gvk.map_or_else(|| "an object without apiVersion and kind".to_owned(), |gvk| format!("`{gvk}`"));
        problems
            .error("UnsupportedKind", &root.field("kind"), format!("{what} is no definition that this module knows"))
            .hint("this module takes `ResourceGroup` of `kro.run/v1alpha1`");
        return None;
    }
    let mut reader = Reader { problems };
    let spec_at = root.field("spec");
    let spec = reader.map(object.get("spec"), &spec_at, Presence::Required)?;
    reader.unknown_fields(spec, &["schema", "resources", "defaultServiceAccounts"], &spec_at);
    let resources = reader.resources(spec.get("resources"), &spec_at.field("resources"));
    let schema_at = spec_at.field("schema");
    let schema = reader.map(spec.get("schema"), &schema_at, Presence::Required)?;
    reader.unknown_fields(schema, &["apiVersion", "kind", "spec", "status", "validation"], &schema_at);
    Some(Definition {
        group: GROUP.to_owned(),
        version: reader.text(schema, "apiVersion", &schema_at),
        kind: reader.text(schema, "kind", &schema_at),
        spec: reader.optional_map(schema, "spec", &schema_at),
        status: reader.optional_map(schema, "status", &schema_at),
        schema_at,
        resources,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

struct Reader<'p> {
    problems: &'p mut Problems,
}

impl Reader<'_> {
    fn wrong_type(&mut self, at: &Pointer, wanted: &str, got: &Value) {
        let message = format!("must be {wanted}, got {}", kind_of(got));
        self.problems.error("WrongType", at, message).hint(format!("write {wanted} here"));
    }

    fn missing(&mut self, at: &Pointer, name: &str) {
        self.problems.error("MissingField", at, format!("{name} is required"));
    }

    fn map<'v>(
        &mut self,
        value: Option<&'v Value>,
        at: &Pointer,
        presence: Presence,
    ) -> Option<&'v Map<String, Value>> {
        match value {
            Some(Value::Object(map)) => return Some(map),
            None | Some(Value::Null) if presence == Presence::Optional => {}
            None | Some(Value::Null) => self.missing(at, "this map"),
            Some(other) => self.wrong_type(at, "a map", other),
        }
        None
    }

    fn optional_map(&mut self, parent: &Map<String, Value>, name: &str, at: &Pointer) -> Map<String, Value> {
        self.map(parent.get(name), &at.field(name), Presence::Optional).cloned().unwrap_or_default()
    }

    fn text(&mut self, parent: &Map<String, Value>, name: &str, at: &Pointer) -> String {
        match parent.get(name) {
            Some(Value::String(text)) => return text.clone(),
            None | Some(Value::Null) => self.missing(&at.field(name), name),
            Some(other) => self.wrong_type(&at.field(name), "a string", other),
        }
        String::new()
    }

    fn list<'v>(&mut self, value: Option<&'v Value>, at: &Pointer) -> &'v [Value] {
        match value {
            Some(Value::Array(elements)) => elements,
            None | Some(Value::Null) => &[],
            Some(other) => {
                self.wrong_type(at, "a list", other);
                &[]
            }
        }
    }

    fn resources(&mut self, value: Option<&Value>, at: &Pointer) -> Vec<Resource> {
        let elements = self.list(value, at).iter().enumerate();
        elements.filter_map(|(index, element)| self.resource(element, at.index(index))).collect()
    }

    fn resource(&mut self, value: &Value, at: Pointer) -> Option<Resource> {
        let fields = self.map(Some(value), &at, Presence::Required)?;
        self.unknown_fields(fields, &["id", "template", "readyWhen", "includeWhen"], &at);
        let id = self.text(fields, "id", &at);
        let template = self.map(fields.get("template"), &at.field("template"), Presence::Required)?.clone();
        let ready_when = self.texts(fields.get("readyWhen"), &at.field("readyWhen"));
        let include_when = self.texts(fields.get("includeWhen"), &at.field("includeWhen"));
        Some(Resource { id, at, template, ready_when, include_when })
    }

    /// The texts of a list. A wrong element is noted and stands as an empty
    /// text, so that the others keep their index.
    fn texts(&mut self, value: Option<&Value>, at: &Pointer) -> Vec<String> {
        let mut texts = Vec::new();
        for (index, element) in self.list(value, at).iter().enumerate() {
            if !element.is_string() {
                self.wrong_type(&at.index(index), "a string", element);
            }
            texts.push(element.as_str().unwrap_or_default().to_owned());
        }
        texts
    }

    /// A misspelt field would be dropped by the API server and its meaning lost
    /// silently: say so, but do not refuse what the server would take.
    fn unknown_fields(&mut self, fields: &Map<String, Value>, known: &[&str], at: &Pointer) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let hint = nearest(name, known.iter().copied()).map(|known| format!("did you mean `{known}`?"));
            let message = format!("unknown field `{name}` is ignored");
            self.problems.warning("UnknownField", &at.field(name), message).maybe_hint(hint);
        }
    }
}
