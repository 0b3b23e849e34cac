//! Reads a definition, of whichever kind it is: picks the front end, and has
//! what the front ends share, the reading of maps, lists and texts.
//!
//! It says what is not shaped as it should be. Whether names, types and
//! expressions make sense is for `naming`, `simple_schema` and `check`.

use std::collections::BTreeMap;

use guest_sdk::Gvk;
use serde_json::{Map, Value, json};

use crate::{
    model::{Definition, Resource},
    problem::{Pointer, Problems, nearest},
    resource_graph, resource_group,
    simple_schema::kind_of,
};

/// The group of all kinds of definitions, and of the APIs that name no other.
pub(crate) const GROUP: &str = "kro.run";
/// The one version that definitions have.
const VERSION: &str = "v1alpha1";

/// The definition, as far as it can be read. `None` if it cannot be told from
/// something else entirely; everything wrong with its shape is noted.
pub(crate) fn read(object: &Value, problems: &mut Problems) -> Option<Definition> {
    let gvk = Gvk::of(object);
    if let Some(given) = gvk.as_ref().filter(|gvk| gvk.group == GROUP && gvk.version != VERSION) {
        problems
            .error(
                "UnsupportedVersion",
                &Pointer::root().field("apiVersion"),
                format!("definitions have no version `{}`", given.version),
            )
            .hint(format!("write `{GROUP}/{VERSION}`"));
    }
    match gvk.as_ref().filter(|gvk| gvk.group == GROUP).map(|gvk| gvk.kind.as_str()) {
        Some("ResourceGroup") => resource_group::read(object, problems),
        Some("ResourceGraphDefinition") => resource_graph::read(object, problems),
        _ if gvk.as_ref().is_some_and(|it| (&*it.group, &*it.kind) == ("croft.run", "Composition")) => {
            let message = "a `Composition` is for a module that is written as code, and `builtin:kro` is a language";
            problems
                .error("UnsupportedKind", &Pointer::root().field("kind"), message.to_owned())
                .hint("name another module in `spec.module`, or write a `ResourceGraphDefinition`");
            None
        }
        _ => {
            let what =
                gvk.as_ref().map_or_else(|| "an object without apiVersion and kind".to_owned(), |it| format!("`{it}`"));
            let message = format!("{what} is not a definition that this module knows");
            problems
                .error("UnsupportedKind", &Pointer::root().field("kind"), message)
                .hint("this module takes `ResourceGraphDefinition` and `ResourceGroup` of `kro.run/v1alpha1`");
            None
        }
    }
}

/// Whether something has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has to.
    Required,
    /// It may be missing or null.
    Optional,
}

/// What a name is written like that is read as a boolean.
const BOOLEANS: [&str; 8] = ["on", "off", "yes", "no", "y", "n", "true", "false"];

/// Takes a document apart and notes what is not shaped as it should be.
pub(crate) struct Reader<'p> {
    /// What was noted.
    pub(crate) problems: &'p mut Problems,
}

impl Reader<'_> {
    /// Notes that a value has another type.
    pub(crate) fn wrong_type(&mut self, at: &Pointer, wanted: &str, got: &Value) {
        let message = format!("must be {wanted}, got {}", kind_of(got));
        let hint = unquoted(got).unwrap_or_else(|| match (wanted, got) {
            ("a string", Value::Bool(_)) => {
                "put it in quotes: without them `off`, `no`, `yes` and the like are booleans".to_owned()
            }
            ("a string", Value::Number(_)) => "put it in quotes".to_owned(),
            ("a list", Value::String(text)) => format!("write it as an element of a list: `- {text}`"),
            _ => format!("write {wanted} here"),
        });
        self.problems.error("WrongType", at, message).hint(hint);
    }

    /// Notes a field that is known and does nothing, if it is there.
    pub(crate) fn never_used(&mut self, parent: &Map<String, Value>, name: &str, at: &Pointer) {
        let is_empty = |value: &Value| value.is_null() || *value == json!([]) || *value == json!({});
        if parent.get(name).is_some_and(|value| !is_empty(value)) {
            self.problems.warning("UnusedField", &at.field(name), format!("the field `{name}` has no effect"));
        }
    }

    fn missing(&mut self, at: &Pointer, name: &str) {
        self.problems.error("MissingField", at, format!("{name} is required"));
    }

    fn empty(&mut self, at: &Pointer, name: &str) {
        self.problems.error("EmptyField", at, format!("{name} must not be empty"));
    }

    /// A map.
    pub(crate) fn map<'v>(
        &mut self,
        value: Option<&'v Value>,
        at: &Pointer,
        presence: Presence,
    ) -> Option<&'v Map<String, Value>> {
        match value {
            Some(Value::Object(map)) => return Some(map),
            None | Some(Value::Null) if presence == Presence::Optional => {}
            // An element has no name.
            Some(Value::Null) if at.name().bytes().all(|byte| byte.is_ascii_digit()) => {
                self.problems
                    .error("MissingField", at, "an element of the list is empty")
                    .hint("check the indentation below the `-`, or leave it out");
            }
            None | Some(Value::Null) => self.missing(at, at.name()),
            Some(other) => self.wrong_type(at, "a map", other),
        }
        None
    }

    /// A map that is empty if it is missing.
    pub(crate) fn optional_map(&mut self, parent: &Map<String, Value>, name: &str, at: &Pointer) -> Map<String, Value> {
        self.map(parent.get(name), &at.field(name), Presence::Optional).cloned().unwrap_or_default()
    }

    /// A text, or an empty one if it is missing or something else.
    pub(crate) fn text(&mut self, parent: &Map<String, Value>, name: &str, at: &Pointer) -> String {
        match parent.get(name) {
            None | Some(Value::Null) => self.missing(&at.field(name), name),
            Some(Value::String(text)) if text.is_empty() => self.empty(&at.field(name), name),
            Some(_) => {}
        }
        self.optional_text(parent, name, at).unwrap_or_default()
    }

    /// A text that may be missing.
    pub(crate) fn optional_text(&mut self, parent: &Map<String, Value>, name: &str, at: &Pointer) -> Option<String> {
        match parent.get(name) {
            Some(Value::String(text)) => return Some(text.clone()),
            None | Some(Value::Null) => {}
            Some(other) => self.wrong_type(&at.field(name), "a string", other),
        }
        None
    }

    /// The elements of a list, none if it is missing.
    pub(crate) fn list<'v>(&mut self, value: Option<&'v Value>, at: &Pointer) -> &'v [Value] {
        match value {
            Some(Value::Array(elements)) => elements,
            None | Some(Value::Null) => &[],
            Some(other) => {
                self.wrong_type(at, "a list", other);
                &[]
            }
        }
    }

    /// The texts of a list. A wrong element is noted and stands as an empty
    /// text, so that the others keep their index.
    pub(crate) fn texts(&mut self, parent: &Map<String, Value>, name: &str, at: &Pointer) -> Vec<String> {
        let at = at.field(name);
        let mut texts = Vec::new();
        for (index, element) in self.list(parent.get(name), &at).iter().enumerate() {
            if !element.is_string() {
                self.wrong_type(&at.index(index), "a string", element);
            }
            texts.push(element.as_str().unwrap_or_default().to_owned());
        }
        texts
    }

    /// A map whose values are texts.
    pub(crate) fn text_map(
        &mut self,
        parent: &Map<String, Value>,
        name: &str,
        at: &Pointer,
    ) -> BTreeMap<String, String> {
        let at = at.field(name);
        let mut texts = BTreeMap::new();
        for (key, value) in self.map(parent.get(name), &at, Presence::Optional).into_iter().flatten() {
            match value {
                Value::String(text) => drop(texts.insert(key.clone(), text.clone())),
                other => self.wrong_type(&at.field(key), "a string", other),
            }
        }
        texts
    }

    /// The resources below `spec`, each read by `read` from its fields, and the ids
    /// of those that cannot be read.
    pub(crate) fn resources(
        &mut self,
        spec: &Map<String, Value>,
        spec_at: &Pointer,
        read: impl Fn(&mut Self, &Map<String, Value>, Pointer, usize) -> Option<Resource>,
    ) -> (Vec<Resource>, Vec<String>) {
        let at = spec_at.field("resources");
        let (mut resources, mut unreadable) = (Vec::new(), Vec::new());
        for (index, element) in self.list(spec.get("resources"), &at).iter().enumerate() {
            let at = at.index(index);
            if let Some(fields) = self.map(Some(element), &at, Presence::Required) {
                // `id: off` is not an id, and what names it is not wrong besides.
                if fields.get("id").is_some_and(Value::is_boolean) {
                    unreadable.extend(BOOLEANS.map(str::to_owned));
                }
                match read(self, fields, at, index) {
                    Some(resource) => resources.push(resource),
                    None => unreadable.extend(fields.get("id").and_then(Value::as_str).map(str::to_owned)),
                }
            }
        }
        (resources, unreadable)
    }

    /// A misspelt field would be dropped by the API server and its meaning lost
    /// silently: say so, but do not refuse what the server would take.
    pub(crate) fn unknown_fields(&mut self, fields: &Map<String, Value>, known: &[&str], at: &Pointer) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let near = nearest(name, known.iter().copied()).map(|known| format!("did you mean `{known}`?"));
            let hint = near.or_else(|| misplaced(name, known).map(str::to_owned));
            let message = format!("unknown field `{name}` is ignored");
            self.problems.warning("UnknownField", &at.field(name), message).maybe_hint(hint);
        }
    }
}

/// What to do about a map that was meant as an expression: YAML takes `${a ? b : c}`
/// apart at `: `.
pub(crate) fn unquoted(value: &Value) -> Option<String> {
    let (key, rest) = value.as_object()?.iter().next()?;
    let rest = rest.as_str().unwrap_or("…");
    key.starts_with("${").then(|| format!("quote an expression that contains `: `, such as `'{key} : {rest}'`"))
}

/// Where a field belongs that stands among the `known` ones of another map, and
/// what says the same here as it says elsewhere.
fn misplaced(name: &str, known: &[&str]) -> Option<&'static str> {
    let (of_spec, of_schema, of_resource) =
        (known.contains(&"resources"), known.contains(&"status"), known.contains(&"readyWhen"));
    Some(match name {
        "types" if of_spec => "it belongs into `schema`: `spec.schema.types`",
        "types" if of_schema => "only a `ResourceGraphDefinition` has `types`",
        "status" | "group" | "scope" | "additionalPrinterColumns" | "shortNames" if of_spec => {
            "it belongs into `schema`"
        }
        "resources" if of_schema => "it belongs beside `schema`, into `spec`",
        "properties" | "openAPIV3Schema" | "fields" | "parameters" if of_schema => {
            "the fields of the API stand in `schema.spec`, such as `name: string`"
        }
        "dependsOn" | "depends_on" | "dependencies" | "after" if of_resource => {
            "the order follows from what is mentioned: use a value of the other resource in an expression, if need be \
             in an annotation such as `after: ${other.metadata.name}`"
        }
        "when" | "condition" | "conditions" | "if" | "enabled" | "include" if of_resource => {
            "write `includeWhen: [\"${…}\"]`"
        }
        "ready" | "readiness" | "readyIf" | "wait" | "waitFor" if of_resource => "write `readyWhen: [\"${…}\"]`",
        "name" if of_resource => "a resource is known by its `id`; the name of the object is `template.metadata.name`",
        "for" | "foreach" | "loop" | "each" | "with_items" | "range" if of_resource => {
            "write `forEach: [{item: \"${…}\"}]`"
        }
        "manifest" | "object" | "definition" | "resource" | "spec" | "apiVersion" | "kind" | "metadata"
            if of_resource =>
        {
            "the object to create stands in `template`"
        }
        _ if of_schema && !of_spec => "if it is a field of the API, it belongs into `schema.spec`",
        _ => return None,
    })
}
