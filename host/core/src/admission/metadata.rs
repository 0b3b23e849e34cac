//! What a server takes for the metadata of an instance: `ObjectMeta` of
//! `meta/v1`, and the rules of `apimachinery/pkg/api/validation`.

use contract::{Gvk, Problem, metadata};
use serde_json::{Map, Value, json};

use super::{named, problem, within};

/// The schema of `metadata`. A server sets some of the fields; they are there in
/// what `kubectl get -o yaml` prints.
pub(super) fn schema() -> Value {
    let [text, integer, boolean] = ["string", "integer", "boolean"].map(|of| json!({"type": of}));
    let texts = json!({"type": "object", "additionalProperties": text});
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let owner = json!({
        "type": "object",
        "required": ["apiVersion", "kind", "name", "uid"],
        "properties": {
            "apiVersion": text,
            "kind": text,
            "name": text,
            "uid": text,
            "controller": boolean,
            "blockOwnerDeletion": boolean,
        },
    });
    json!({"type": "object", "properties": {
        "name": text,
        "generateName": text,
        "namespace": text,
        "selfLink": text,
        "uid": text,
        "resourceVersion": text,
        "generation": integer,
        "creationTimestamp": text,
        "deletionTimestamp": text,
        "deletionGracePeriodSeconds": integer,
        "labels": texts,
        "annotations": texts,
        "ownerReferences": {"type": "array", "items": owner},
        "finalizers": {"type": "array", "items": text},
        "managedFields": {"type": "array", "items": open},
    }})
}

/// Notes what a server would refuse in metadata whose fields have the right types;
/// the others are noted already.
pub(super) fn check(kind: &Gvk, fields: &Value, problems: &mut Vec<Problem>) {
    names(kind, fields, problems);
    keys(fields, "labels", problems);
    keys(fields, "annotations", problems);
    for (key, value) in map(fields, "labels") {
        if let Some(value) = value.as_str().filter(|value| !metadata::is_label_value(value)) {
            let why = format!("is `{value}`, which no label can have for its value");
            let hint = "a value is empty, or has at most 63 letters, digits, `-`, `_` and `.`";
            at_key("labels", key, |at| note(problems, "InvalidLabel", at, &why, Some(hint.to_owned())));
        }
    }
    if fields["annotations"].as_object().is_some_and(|all| !metadata::is_small(all)) {
        note(problems, "TooLong", "/metadata/annotations", "has more than 256 KiB", None);
    }
    for (index, finalizer) in fields["finalizers"].as_array().into_iter().flatten().enumerate() {
        if let Some(finalizer) = finalizer.as_str().filter(|finalizer| !metadata::is_key(finalizer)) {
            let why = format!("is `{finalizer}`, which is not the name of a finalizer");
            let hint = Some("a finalizer is named like a label, such as `example.com/cleanup`".to_owned());
            note(problems, "InvalidFinalizer", &format!("/metadata/finalizers/{index}"), &why, hint);
        }
    }
}

fn names(kind: &Gvk, fields: &Value, problems: &mut Vec<Problem>) {
    let text = |field: &str| fields[field].as_str().filter(|text| !text.is_empty());
    if let Some(name) = text("name")
        && let Err(why) = metadata::name(kind, name)
    {
        note(problems, "InvalidName", "/metadata/name", &format!("is `{name}`, and {why}"), lower(name));
    }
    if let Some(namespace) = text("namespace").filter(|namespace| !metadata::is_namespace(namespace)) {
        let why = format!("is `{namespace}`, and a namespace has at most 63 lower-case letters, digits and `-`");
        note(problems, "InvalidName", "/metadata/namespace", &why, lower(namespace));
    }
}

fn keys(fields: &Value, field: &str, problems: &mut Vec<Problem>) {
    for (key, _) in map(fields, field).filter(|(key, _)| !metadata::is_key(key)) {
        let what = field.trim_end_matches('s');
        let message = format!("`metadata.{field}` has the key `{key}`, which no {what} can have");
        let hint = "a key has at most 63 letters, digits, `-`, `_` and `.`, perhaps after a domain and `/`";
        at_key(field, key, |at| problems.push(problem("InvalidLabel", at, message, Some(hint.to_owned()))));
    }
}

fn map<'a>(fields: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    fields[field].as_object().into_iter().flat_map(Map::iter)
}

fn at_key(field: &str, key: &str, note: impl FnOnce(&str)) {
    within(&mut format!("/metadata/{field}"), key, |at| note(at));
}

fn note(problems: &mut Vec<Problem>, code: &str, at: &str, why: &str, hint: Option<String>) {
    problems.push(problem(code, at, format!("{} {why}", named(at)), hint));
}

/// What a name was probably meant to be: in lower case, with `-` for `_` and
/// spaces.
fn lower(name: &str) -> Option<String> {
    let likely = name.trim().to_lowercase().replace(['_', ' '], "-");
    metadata::is_namespace(&likely).then(|| format!("did you mean `{likely}`?"))
}

#[cfg(test)]
mod tests {
    use contract::{Api, Scope};

    use super::*;

    fn refusals(metadata: Value) -> Vec<String> {
        let api = Api {
            kind: Gvk { group: "kro.run".into(), version: "v1".into(), kind: "Thing".into() },
            plural: "things".into(),
            scope: Scope::Namespaced,
            crd: json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": {"type": "object", "properties": {}}}}]}}),
        };
        let sent = json!({"apiVersion": "kro.run/v1", "kind": "Thing", "metadata": metadata});
        let problems = super::super::instance(&api, &sent).err().unwrap_or_default();
        problems.into_iter().map(|it| format!("{} {} {}", it.code, it.at, it.message)).collect()
    }

    #[test]
    fn what_kubectl_prints_of_an_instance_is_taken() {
        let metadata = json!({
            "name": "a.b-c", "namespace": "team-1", "uid": "1", "resourceVersion": "5", "generation": 1,
            "creationTimestamp": null, "labels": {"a/b": ""}, "annotations": {"a": "any thing"},
            "finalizers": ["croft.run/children"], "managedFields": [{"manager": "kubectl"}],
            "ownerReferences": [{"apiVersion": "v1", "kind": "A", "name": "a", "uid": "1", "controller": true}],
        });
        assert_eq!(refusals(metadata), Vec::<String>::new());
    }

    #[test]
    fn what_no_server_takes_is_refused_where_it_stands() {
        for (metadata, expected) in [
            (json!({}), "MissingField /metadata/name"),
            (json!(null), "MissingField /metadata/name"),
            (json!({"generateName": "a-"}), "MissingField /metadata/name"),
            (json!([]), "WrongType /metadata "),
            (json!({"name": 5}), "WrongType /metadata/name "),
            (json!({"name": "One_Two"}), "InvalidName /metadata/name "),
            (json!({"name": "a", "namespace": "a b"}), "InvalidName /metadata/namespace "),
            (json!({"name": "a", "lables": {}}), "UnknownField /metadata/lables "),
            (json!({"name": "a", "labels": {"x y": "1"}}), "InvalidLabel /metadata/labels/x y "),
            (json!({"name": "a", "labels": {"a/b": "a b"}}), "InvalidLabel /metadata/labels/a~1b "),
            (json!({"name": "a", "labels": {"a": 1}}), "WrongType /metadata/labels/a "),
            (json!({"name": "a", "annotations": {"a": true}}), "WrongType /metadata/annotations/a "),
            (json!({"name": "a", "annotations": {"-": ""}}), "InvalidLabel /metadata/annotations/- "),
            (json!({"name": "a", "annotations": {"a": "x".repeat(262_144)}}), "TooLong /metadata/annotations "),
            (json!({"name": "a", "finalizers": "x"}), "WrongType /metadata/finalizers "),
            (json!({"name": "a", "finalizers": ["x y"]}), "InvalidFinalizer /metadata/finalizers/0 "),
            (json!({"name": "a", "ownerReferences": [{"kind": "A"}]}), "MissingField /metadata/ownerReferences/0/"),
        ] {
            let refusals = refusals(metadata.clone());
            assert!(refusals.first().is_some_and(|first| first.starts_with(expected)), "{metadata}: {refusals:?}");
            let names = refusals.iter().filter(|it| it.contains(" /metadata/name ")).count();
            assert!(names < 2, "{metadata}: {refusals:?}");
        }
    }
}
