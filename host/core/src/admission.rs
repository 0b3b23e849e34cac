//! What a server would do to an instance before anybody sees it: check it
//! against the structural schema of its CRD and fill in the schema's defaults.
//!
//! It does not check what takes an engine, `pattern` and
//! `x-kubernetes-validations`, which the kro module does when it renders, nor
//! `format`, `allOf`, `anyOf`, `oneOf` and `not`; a server does.

mod metadata;

use std::collections::HashMap;

use contract::{Api, Problem, Scope, Severity};
use serde_json::{Map, Number, Value};

use crate::object;

/// An instance of an API as a server would store it, from what a user sent.
///
/// # Errors
/// What is wrong with it, each at its place.
pub fn instance(api: &Api, sent: &Value) -> Result<Value, Vec<Problem>> {
    // A status is the host's to write: a server ignores what a user sends.
    let mut sent = sent.clone();
    if let Some(fields) = sent.as_object_mut() {
        fields.remove("status");
    }
    let (mut instance, mut problems) = admit(&api.crd, &sent);
    metadata::check(&api.kind, &instance["metadata"], &mut problems);
    if object::text(&instance, "/metadata/name").is_empty() && !is_noted(&problems, "/metadata/name") {
        let message = "an instance needs a name".to_owned();
        problems.push(problem("MissingField", "/metadata/name", message, None));
    }
    let has_namespace = !object::text(&instance, "/metadata/namespace").is_empty();
    match (api.scope, has_namespace) {
        (Scope::Cluster, true) => {
            let message = format!("{} is cluster-scoped: its instances have no namespace", api.kind);
            problems.push(problem("UnexpectedNamespace", "/metadata/namespace", message, None));
        }
        (Scope::Namespaced, false) if problems.is_empty() => {
            instance["metadata"]["namespace"] = "default".into();
        }
        _ => {}
    }
    if problems.is_empty() { Ok(instance) } else { Err(problems) }
}

/// Whether something is wrong with a place, or with what it stands in.
fn is_noted(problems: &[Problem], at: &str) -> bool {
    problems.iter().any(|problem| at == problem.at || at.starts_with(&format!("{}/", problem.at)))
}

/// The instance with the defaults of its CRD's schema, and what is wrong with
/// it.
pub fn admit(crd: &Value, instance: &Value) -> (Value, Vec<Problem>) {
    let mut instance = instance.clone();
    let mut problems = Vec::new();
    if let Some(schema) = crd.pointer("/spec/versions/0/schema/openAPIV3Schema") {
        let mut root = schema.clone();
        for field in ["apiVersion", "kind"] {
            root["properties"][field] = serde_json::json!({"type": "string"});
        }
        root["properties"]["metadata"] = metadata::schema();
        fill(&root, &mut instance);
        check(&root, &instance, &mut String::new(), &mut problems);
    }
    (instance, problems)
}

/// Defaults, and takes away what a server does not keep: the null of a field or of a
/// value of a map that must not be null and has no default. The null of an element
/// stays, and is of the wrong type.
fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, schema) in object(schema, "properties").filter(|(_, schema)| schema.get("default").is_some()) {
                fields.entry(name.clone()).or_insert_with(|| schema["default"].clone());
            }
            fields.retain(|name, value| {
                let Some(schema) = field_schema(schema, name) else { return true };
                replace_null(schema, value);
                fill(schema, value);
                !is_forbidden_null(schema, value)
            });
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items") else { return };
            for item in items {
                replace_null(schema, item);
                fill(schema, item);
            }
        }
        Value::Number(number) if schema["type"] == "integer" => {
            if let Some(whole) = whole(number) {
                *value = whole.into();
            }
        }
        _ => {}
    }
}

fn is_forbidden_null(schema: &Value, value: &Value) -> bool {
    value.is_null() && schema["nullable"] != true
}

fn replace_null(schema: &Value, value: &mut Value) {
    if let (true, Some(default)) = (is_forbidden_null(schema, value), schema.get("default")) {
        *value = default.clone();
    }
}

/// The integer that a server reads from a number that is written with a fraction of
/// zero. Beyond 2^53 not every integer is a double, and it reads none.
fn whole(number: &Number) -> Option<i64> {
    let number = number.as_f64().filter(|_| number.is_f64())?;
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// An error at a place in an object, a JSON pointer.
pub fn problem(code: &str, at: &str, message: String, hint: Option<String>) -> Problem {
    Problem { severity: Severity::Error, code: code.to_owned(), at: at.to_owned(), span: None, message, hint }
}

fn check(schema: &Value, value: &Value, at: &mut String, problems: &mut Vec<Problem>) {
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if let Some(expected) = wrong_type(schema, value) {
        let message = format!("{} must be {expected}, not {}", named(at), described(value));
        problems.push(problem("WrongType", at, message, type_hint(expected, value)));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array).filter(|allowed| !allowed.contains(value)) {
        let allowed: Vec<String> = allowed.iter().map(|value| format!("`{}`", plain(value))).collect();
        let message = format!("{} must be one of {}", named(at), allowed.join(", "));
        let hint = closest(&plain(value), allowed.iter().map(|allowed| allowed.trim_matches('`')));
        problems.push(problem("NotAllowed", at, message, hint));
    }
    bounds(schema, value, at, problems);
    match value {
        Value::Object(fields) => check_fields(schema, fields, at, problems),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                within(at, &index.to_string(), |at| check(&schema["items"], item, at, problems));
            }
            check_unique(schema, items, at, problems);
        }
        _ => {}
    }
}

/// Names what is repeated in a list of which each element, or each combination of
/// keys, may be there once.
fn check_unique(schema: &Value, items: &[Value], at: &mut String, problems: &mut Vec<Problem>) {
    let keys: Vec<&str> = match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => Vec::new(),
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            keys.into_iter().flatten().filter_map(Value::as_str).collect()
        }
        _ => return,
    };
    let mut first: HashMap<String, usize> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let identity = if keys.is_empty() { item.to_string() } else { identity(&keys, item) };
        let earlier = *first.entry(identity.clone()).or_insert(index);
        if earlier != index {
            within(at, &index.to_string(), |at| {
                let message = format!("{} repeats `[{earlier}]`: {identity}", named(at));
                let hint = match keys.as_slice() {
                    [] => "each element may be there once".to_owned(),
                    keys => format!("tell the elements apart by {}", quoted(keys)),
                };
                problems.push(problem("Repeated", at, message, Some(hint)));
            });
        }
    }
}

/// What tells an element apart, as JSON. One that lacks a key has none.
fn identity(keys: &[&str], item: &Value) -> String {
    let present = keys.iter().filter_map(|key| Some(((*key).to_owned(), item.get(*key)?.clone())));
    Value::Object(present.collect()).to_string()
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

fn check_fields(schema: &Value, fields: &Map<String, Value>, at: &mut String, problems: &mut Vec<Problem>) {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required.filter(|name| !fields.contains_key(*name)) {
        within(at, name, |at| {
            problems.push(problem("MissingField", at, format!("{} is required", named(at)), None));
        });
    }
    for (name, value) in fields {
        within(at, name, |at| match field_schema(schema, name) {
            Some(schema) => check(schema, value, at, problems),
            None if is_open(schema) => {}
            None => {
                let known = object(schema, "properties").map(|(name, _)| name.as_str());
                let message = format!("{} is not a field of this API", named(at));
                problems.push(problem("UnknownField", at, message, closest(name, known)));
            }
        });
    }
}

/// The sizes and limits that a schema can set, each as the bound's name, what is
/// measured, whether the bound is the smallest, and how it is said.
fn bounds(schema: &Value, value: &Value, at: &str, problems: &mut Vec<Problem>) {
    let (measure, pairs) = match value {
        Value::Number(number) => (number.as_f64(), [("minimum", true, ""), ("maximum", false, "")]),
        Value::String(text) => {
            let length = Some(text.chars().count() as f64);
            (length, [("minLength", true, " characters"), ("maxLength", false, " characters")])
        }
        Value::Array(items) => {
            (Some(items.len() as f64), [("minItems", true, " items"), ("maxItems", false, " items")])
        }
        Value::Object(fields) => {
            (Some(fields.len() as f64), [("minProperties", true, " fields"), ("maxProperties", false, " fields")])
        }
        _ => return,
    };
    let Some(measure) = measure else { return };
    for (name, is_least, unit) in pairs {
        let Some(bound) = schema.get(name).and_then(Value::as_f64) else { continue };
        let exclusive =
            schema[if is_least { "exclusiveMinimum" } else { "exclusiveMaximum" }] == true && unit.is_empty();
        let fits = match (is_least, exclusive) {
            (true, true) => measure > bound,
            (true, false) => measure >= bound,
            (false, true) => measure < bound,
            (false, false) => measure <= bound,
        };
        if !fits {
            let relation = match (is_least, exclusive) {
                (true, true) => "more than",
                (true, false) => "at least",
                (false, true) => "less than",
                (false, false) => "at most",
            };
            let verb = if unit.is_empty() { "be" } else { "have" };
            let message = format!("{} must {verb} {relation} {bound}{unit}", named(at));
            problems.push(problem("OutOfRange", at, message, None));
        }
    }
}

fn object<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    schema.get(key).and_then(Value::as_object).into_iter().flatten()
}

fn field_schema<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let own = schema.get("properties").and_then(|properties| properties.get(name));
    own.or_else(|| schema.get("additionalProperties").filter(|schema| schema.is_object()))
}

/// Whether the schema lets unknown fields be.
fn is_open(schema: &Value) -> bool {
    schema["x-kubernetes-preserve-unknown-fields"] == true
        || schema["additionalProperties"] == true
        || schema.get("type").is_none()
}

fn wrong_type(schema: &Value, value: &Value) -> Option<&'static str> {
    if schema["x-kubernetes-int-or-string"] == true {
        let fits = value.is_i64() || value.is_u64() || value.is_string();
        return (!fits).then_some("an integer or a string");
    }
    let (fits, expected) = match schema.get("type").and_then(Value::as_str)? {
        "string" => (value.is_string(), "a string"),
        "integer" => (value.is_i64() || value.is_u64(), "an integer"),
        "number" => (value.is_number(), "a number"),
        "boolean" => (value.is_boolean(), "a boolean"),
        "array" => (value.is_array(), "a list"),
        "object" => (value.is_object(), "an object"),
        _ => return None,
    };
    (!fits).then_some(expected)
}

fn type_hint(expected: &str, value: &Value) -> Option<String> {
    match (expected, value) {
        ("a string", Value::Number(_) | Value::Bool(_)) => Some("put it in quotes".to_owned()),
        ("a number" | "an integer" | "a boolean", Value::String(text))
            if text.parse::<f64>().is_ok() || matches!(text.as_str(), "true" | "false") =>
        {
            Some(format!("leave the quotes out: `{text}`"))
        }
        _ => None,
    }
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        // A whole number that fits no 64 bits is read as a double.
        Value::Number(number) if number.as_f64().is_some_and(|it| it.abs() >= 9_223_372_036_854_775_807.0) => {
            "a number beyond 64 bits"
        }
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `/spec/list/0/name` as people write it: `spec.list[0].name`.
fn named(pointer: &str) -> String {
    let mut path = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match token.parse::<usize>() {
            Ok(index) => path += &format!("[{index}]"),
            Err(_) if path.is_empty() => path = token,
            Err(_) => path += &format!(".{token}"),
        }
    }
    format!("`{path}`")
}

fn within(at: &mut String, token: &str, inner: impl FnOnce(&mut String)) {
    let length = at.len();
    at.push('/');
    at.push_str(&token.replace('~', "~0").replace('/', "~1"));
    inner(at);
    at.truncate(length);
}

/// `did you mean …?`, if one of the known words is close, else all of them.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.collect();
    let best = known.iter().map(|other| (distance(word, other), other)).min();
    match best {
        // A third of the word may be wrong.
        Some((distance, other)) if distance * 3 <= word.chars().count().max(3) => {
            Some(format!("did you mean `{other}`?"))
        }
        Some(_) if known.len() <= 20 => {
            Some(format!("there is {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    }
}

/// The number of letters to insert, drop or replace (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn crd() -> Value {
        let spec = json!({
            "type": "object", "required": ["name"],
            "properties": {
                "name": {"type": "string", "minLength": 2}, "size": {"type": "integer", "default": 3, "minimum": 1},
                "ratio": {"type": "number", "maximum": 1, "exclusiveMaximum": true},
                "mode": {"type": "string", "enum": ["fast", "slow"]}, "maybe": {"type": "string", "nullable": true},
                "ports": {"type": "array", "maxItems": 2, "items": {"x-kubernetes-int-or-string": true}},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "deep": {"type": "object", "default": {}, "properties": {"on": {"type": "boolean", "default": true}}},
            },
        });
        json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}]}})
    }

    fn problems(spec: Value) -> String {
        let object = json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": spec});
        let said = |problem: &Problem| match &problem.hint {
            Some(hint) => format!("{} {problem} ({hint})", problem.code),
            None => format!("{} {problem}", problem.code),
        };
        admit(&crd(), &object).1.iter().map(said).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn defaults_are_filled_in_as_a_server_would() {
        let (instance, problems) = admit(&crd(), &json!({"spec": {"name": "ab", "size": null, "maybe": null}}));
        assert_eq!(problems, []);
        assert_eq!(instance["spec"], json!({"name": "ab", "size": 3, "maybe": null, "deep": {"on": true}}));
    }

    #[test]
    fn a_null_that_may_not_be_is_as_good_as_absent() {
        let admitted = |object: Value| admit(&crd(), &object);
        let (instance, problems) = admitted(json!({"spec": {
            "name": "ab", "ratio": null, "labels": {"a": null, "b": "c"}, "any": {"x": null}, "deep": {"on": null},
        }}));
        assert_eq!(problems, []);
        let spec = json!({"name": "ab", "size": 3, "labels": {"b": "c"}, "any": {"x": null}, "deep": {"on": true}});
        assert_eq!(instance["spec"], spec);
        // A list keeps its places, and what is required has to be said.
        assert_eq!(admitted(json!({"spec": {"name": "ab", "ports": [null]}})).1[0].code, "WrongType");
        assert_eq!(admitted(json!({"spec": {"name": null}})).1[0].code, "MissingField");
        assert_eq!(admitted(json!({"spec": null})), (json!({}), Vec::new()));
    }

    /// What is left of a `spec`, with what is wrong with it.
    fn admitted(schema: &Value, spec: Value) -> (Value, Vec<String>) {
        let root = json!({"type": "object", "properties": {"spec": schema}});
        let crd = json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": root}}]}});
        let (mut instance, problems) = admit(&crd, &json!({"spec": spec}));
        (instance["spec"].take(), problems.iter().map(|problem| format!("{} {problem}", problem.code)).collect())
    }

    #[test]
    fn a_null_goes_where_none_may_be() {
        let text = json!({"type": "string"});
        let inner = json!({"type": "object", "required": ["must"], "properties": {"must": text, "may": text}});
        let filled = json!({"type": "string", "default": "x"});
        let schema = json!({"type": "object", "properties": {
            "text": text, "object": inner, "list": {"type": "array", "items": inner},
            "map": {"type": "object", "additionalProperties": text}, "nullable": {"type": "string", "nullable": true},
            "both": {"type": "string", "nullable": true, "default": "x"}, "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "texts": {"type": "array", "items": text}, "filled": {"type": "array", "items": filled},
        }});
        for (spec, left) in [
            (json!({"text": null}), json!({"both": "x"})),
            (json!({"object": null, "list": null, "map": null}), json!({"both": "x"})),
            (json!({"object": {"must": "a", "may": null}}), json!({"both": "x", "object": {"must": "a"}})),
            (json!({"list": [{"must": "a", "may": null}]}), json!({"both": "x", "list": [{"must": "a"}]})),
            (json!({"map": {"a": null, "b": "c"}}), json!({"both": "x", "map": {"b": "c"}})),
            (json!({"nullable": null, "both": null}), json!({"nullable": null, "both": null})),
            (json!({"open": {"a": null}}), json!({"both": "x", "open": {"a": null}})),
            (json!({"filled": [null, "y"]}), json!({"both": "x", "filled": ["x", "y"]})),
            (Value::Null, Value::Null),
        ] {
            assert_eq!(admitted(&schema, spec.clone()), (left, vec![]), "{spec}");
        }
        for (spec, expected) in [
            (json!({"object": {"must": null}}), "MissingField `spec.object.must` is required at `/spec/object/must`"),
            (json!({"texts": ["a", null]}), "WrongType `spec.texts[1]` must be a string, not null at `/spec/texts/1`"),
            (json!({"unknown": null}), "UnknownField `spec.unknown` is not a field of this API at `/spec/unknown`"),
        ] {
            assert_eq!(admitted(&schema, spec.clone()).1, [expected], "{spec}");
        }
    }

    #[test]
    fn an_integer_may_be_written_with_a_fraction_of_zero() {
        let schema = json!({"type": "object", "properties": {"size": {"type": "integer", "enum": [2]}}});
        assert_eq!(admitted(&schema, json!({"size": 2.0})), (json!({"size": 2}), vec![]));
        assert_eq!(admitted(&schema, json!({"size": 9_007_199_254_740_992.0})).1.len(), 1);
    }

    #[test]
    fn what_may_be_there_once_is_there_once() {
        let set = json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"});
        let port = json!({"type": "object", "properties": {"port": {"type": "integer", "default": 1}, "name": {"type": "string"}}});
        let map = |keys: Value| json!({"type": "array", "items": port, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys});
        let schema = json!({"type": "object", "properties": {
            "set": set, "sets": {"type": "object", "additionalProperties": set},
            "one": map(json!(["port"])), "two": map(json!(["port", "name"])),
            "any": {"type": "array", "items": {"type": "string"}},
        }});
        for (spec, expected) in [
            (json!({"set": ["a", "b"], "any": ["a", "a"]}), ""),
            (json!({"one": [{}, {"port": 2}], "two": [{"name": "a"}, {"name": "b"}, {}]}), ""),
            (json!({"set": ["a", "b", "a"]}), "Repeated `spec.set[2]` repeats `[0]`: \"a\" at `/spec/set/2`"),
            (json!({"sets": {"k": ["a", "a"]}}), "Repeated `spec.sets.k[1]` repeats `[0]`: \"a\" at `/spec/sets/k/1`"),
            (
                json!({"one": [{"port": 1, "name": "a"}, {"name": "b"}]}),
                "Repeated `spec.one[1]` repeats `[0]`: {\"port\":1} at `/spec/one/1`",
            ),
            (
                json!({"two": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}),
                "Repeated `spec.two[2]` repeats `[0]`: {\"name\":\"a\",\"port\":1} at `/spec/two/2`",
            ),
        ] {
            assert_eq!(admitted(&schema, spec.clone()).1.join("\n"), expected, "{spec}");
        }
    }

    #[test]
    fn what_fits_is_accepted() {
        let spec = json!({"name": "ab", "size": 1, "ratio": 0.5, "mode": "slow", "ports": [1, "http"], "labels": {"a/b": "c"}, "any": {"x": [1]}});
        assert_eq!(problems(spec), "");
    }

    #[test]
    fn everything_that_does_not_fit_is_named_with_what_would() {
        for (spec, expected) in [
            (json!({}), "MissingField `spec.name` is required at `/spec/name`"),
            (
                json!({"name": 12}),
                "WrongType `spec.name` must be a string, not a number at `/spec/name` (put it in quotes)",
            ),
            (json!({"name": "a"}), "OutOfRange `spec.name` must have at least 2 characters at `/spec/name`"),
            (
                json!({"name": "ab", "size": "3"}),
                "WrongType `spec.size` must be an integer, not a string at `/spec/size` (leave the quotes out: `3`)",
            ),
            (
                json!({"name": "ab", "size": 1.5}),
                "WrongType `spec.size` must be an integer, not a fraction at `/spec/size`",
            ),
            (
                json!({"name": "ab", "size": 1e20}),
                "WrongType `spec.size` must be an integer, not a number beyond 64 bits at `/spec/size`",
            ),
            (json!({"name": "ab", "size": 0}), "OutOfRange `spec.size` must be at least 1 at `/spec/size`"),
            (json!({"name": "ab", "ratio": 1}), "OutOfRange `spec.ratio` must be less than 1 at `/spec/ratio`"),
            (
                json!({"name": "ab", "mode": "fats"}),
                "NotAllowed `spec.mode` must be one of `fast`, `slow` at `/spec/mode` (there is `fast`, `slow`)",
            ),
            (
                json!({"name": "ab", "mode": "slo"}),
                "NotAllowed `spec.mode` must be one of `fast`, `slow` at `/spec/mode` (did you mean `slow`?)",
            ),
            (
                json!({"name": "ab", "ports": [true]}),
                "WrongType `spec.ports[0]` must be an integer or a string, not a boolean at `/spec/ports/0`",
            ),
            (
                json!({"name": "ab", "ports": [1, 2, 3]}),
                "OutOfRange `spec.ports` must have at most 2 items at `/spec/ports`",
            ),
            (
                json!({"name": "ab", "labels": {"a/b": 1}}),
                "WrongType `spec.labels.a/b` must be a string, not a number at `/spec/labels/a~1b` (put it in quotes)",
            ),
            (
                json!({"name": "ab", "szie": 1}),
                "UnknownField `spec.szie` is not a field of this API at `/spec/szie` (there is `any`, `deep`, `labels`, `maybe`, `mode`, `name`, `ports`, `ratio`, `size`)",
            ),
            (
                json!({"name": "ab", "label": {}}),
                "UnknownField `spec.label` is not a field of this API at `/spec/label` (did you mean `labels`?)",
            ),
        ] {
            assert_eq!(problems(spec), expected);
        }
    }
}
