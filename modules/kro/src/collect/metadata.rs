//! What a template says literally of its object's metadata: what no API server
//! takes is found before the first instance.

use guest_sdk::metadata;
use serde_json::{Map, Value};

use super::Collector;
use crate::{model::Resource, problem::Pointer, template};

impl Collector<'_, '_, '_> {
    pub(super) fn literal_metadata(&mut self, resource: &Resource, fields: &Map<String, Value>, at: &Pointer) {
        self.literal_name(resource, fields, at);
        self.not_written(resource, fields, at);
        for (field, what) in [("labels", "label"), ("annotations", "annotation")] {
            let pairs = fields.get(field).and_then(Value::as_object).into_iter().flatten();
            for (key, value) in pairs {
                self.pair(resource, what, (key, value), &at.field(field).field(key));
            }
        }
    }

    fn literal_name(&mut self, resource: &Resource, fields: &Map<String, Value>, at: &Pointer) {
        let id = &resource.id;
        if let (Some(kind), Some(name)) = (resource.gvk(), fields.get("name").and_then(literal))
            && let Err(why) = metadata::name(&kind, name)
        {
            let likely = likely(name).filter(|likely| metadata::name(&kind, likely).is_ok());
            let message = format!("the name of resource `{id}` is `{name}`, and {why}");
            let expression =
                name.find("{schema").and_then(|at| name.get(at..)).map(|rest| rest.split('}').next().unwrap_or(rest));
            let likely = likely.filter(|_| expression.is_none());
            let written = expression.map(|expression| format!("an expression is written `${expression}}}`"));
            let hint = written.unwrap_or_else(|| {
                likely.map_or_else(
                    || "write a name, such as `${schema.metadata.name}-data`".to_owned(),
                    |likely| format!("did you mean `{likely}`?"),
                )
            });
            self.problems.error("InvalidName", &at.field("name"), message).hint(hint);
        }
        let namespace = fields.get("namespace").and_then(literal).filter(|namespace| !namespace.is_empty());
        if let Some(namespace) = namespace.filter(|namespace| !metadata::is_namespace(namespace)) {
            let message = format!(
                "the namespace of resource `{id}` is `{namespace}`, and a namespace has at most 63 lower-case letters, \
                 digits and `-`"
            );
            let likely = likely(namespace).filter(|likely| metadata::is_namespace(likely));
            self.problems
                .error("InvalidName", &at.field("namespace"), message)
                .maybe_hint(likely.map(|likely| format!("did you mean `{likely}`?")));
        }
    }

    fn not_written(&mut self, resource: &Resource, fields: &Map<String, Value>, at: &Pointer) {
        // Without a name, that is what is said.
        let is_told = |field: &str| field == "generateName" && !fields.contains_key("name");
        let written = metadata::NOT_WRITTEN.into_iter().filter(|field| fields.contains_key(*field));
        for field in written.filter(|field| !is_told(field)) {
            let message = format!("`metadata.{field}` of resource `{}` cannot be set", resource.id);
            let hint = match field {
                "generateName" => "a child is found again by its name: write `metadata.name`",
                _ => "a server sets it: leave it out",
            };
            self.problems.error("ReservedMetadata", &at.field(field), message).hint(hint);
        }
    }

    /// A label or an annotation.
    fn pair(&mut self, resource: &Resource, what: &str, (key, value): (&str, &Value), at: &Pointer) {
        let id = &resource.id;
        if !metadata::is_key(key) {
            let message = format!("`{key}` of resource `{id}` is not the key of {} {what}", article(what));
            self.problems.error("InvalidLabel", at, message).hint(
                "a key has at most 63 letters, digits, `-`, `_` and `.`, and begins and ends with a letter or a digit, \
                 perhaps after a domain and `/`, such as `example.org/team`",
            );
        }
        match value {
            Value::String(text) => {
                let is_odd = what == "label" && literal(value).is_some() && !metadata::is_label_value(text);
                if is_odd {
                    let message = format!("the label `{key}` of resource `{id}` cannot have the value `{text}`");
                    self.problems.error("InvalidLabel", at, message).hint(
                        "a value is empty, or has at most 63 letters, digits, `-`, `_` and `.`, and begins and ends with \
                         a letter or a digit",
                    );
                }
            }
            // With a schema the type is checked where fields are.
            _ if resource.gvk().is_some_and(|kind| self.kinds.schema(&kind).is_some()) => {}
            other => {
                let got = crate::simple_schema::kind_of(other);
                let message = format!("the {what} `{key}` of resource `{id}` must be a string, got {got}");
                self.problems.error("WrongType", at, message).hint("put it in quotes");
            }
        }
    }
}

fn article(what: &str) -> &'static str {
    if what.starts_with('a') { "an" } else { "a" }
}

/// The text of a value that has no expression.
fn literal(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    // What is not closed is said where it is.
    let parts = template::split(text).ok().filter(|_| !text.contains("${"))?;
    parts.expressions().next().is_none().then_some(text)
}

/// A name as it was probably meant.
fn likely(name: &str) -> Option<String> {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let likely: String = name.chars().map(kept).collect();
    let likely = likely.trim_matches(['-', '.']);
    (!likely.is_empty()).then(|| likely.to_owned())
}
