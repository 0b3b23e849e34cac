//! The smallest composition module: one kind, `Greeting`, written as code.
//!
//! It serves the same API, under the same child ids and names, as the
//! ResourceGroup in its test, so that a provider can go from a definition to
//! code and consumers see no difference but the language that it adds. It reads
//! nothing of the definition but which kind it is for.

mod api;
mod language;

use guest_sdk::{
    Access, Blocked, Blueprint, Child, Composer, Failure, Gvk, Node, Observed, Preparation, Prepared, Problem,
    Readiness, Rendering, Role, Schema, Severity, UsedKind,
    serde_json::{Map, Value, json},
};

/// What the greeting is if the instance has none.
const DEFAULT_GREETING: &str = "Hello";

/// The module.
#[derive(Debug)]
pub struct Hello;

guest_sdk::export!(Hello);

impl Composer for Hello {
    fn prepare(definition: Value, _schemas: Vec<Schema>) -> Result<Preparation, Failure> {
        check(&definition)?;
        let blueprint = Blueprint {
            api: api::api(),
            kinds: ["ConfigMap", "Secret"].map(|kind| UsedKind { kind: core(kind), access: Access::Manage }).into(),
            nodes: vec![node("card", "ConfigMap", &[]), node("seal", "Secret", &["card"])],
        };
        // The code is the definition: nothing has to be remembered.
        Ok(Preparation::Ready(Box::new(Prepared { blueprint, program: Vec::new(), warnings: Vec::new() })))
    }

    fn render(_program: &[u8], instance: Value, observed: Vec<Observed>) -> Result<Rendering, Failure> {
        let name = name(&instance)?;
        let greeting = instance["spec"]["greeting"].as_str().unwrap_or(DEFAULT_GREETING);
        let live = |id: &str| observed.iter().find(|seen| seen.id == id).map(|seen| &seen.object);

        let mut rendering =
            Rendering { defaults: object(json!({"greeting": DEFAULT_GREETING})), ..Rendering::default() };
        rendering.children.push(card(name, greeting));
        match live("card").and_then(|card| card["metadata"]["uid"].as_str()) {
            Some(uid) => rendering.children.push(seal(name, uid)),
            None => rendering.blocked.push(Blocked {
                id: "seal".to_owned(),
                waits_for: vec!["card".to_owned()],
                message: "the signature is made from `metadata.uid` of `card`, which is not there yet".to_owned(),
            }),
        }
        if let Some(message) = live("card").and_then(|card| card["data"]["message"].as_str()) {
            rendering.status.insert("message".to_owned(), json!(message));
        }
        rendering.readiness = rendering.children.iter().map(|child| readiness(child, live(&child.id))).collect();
        Ok(rendering)
    }
}

/// Refuses a definition that is for something else.
fn check(definition: &Value) -> Result<(), Failure> {
    if Gvk::of(definition).is_none_or(|gvk| gvk.group != "kro.run" || gvk.kind != "ResourceGroup") {
        let message = "the definition is not a `ResourceGroup` of `kro.run`";
        return Err(invalid(
            "UnsupportedKind",
            "/kind",
            message,
            "`hello` is named in the `spec.module` of a ResourceGroup",
        ));
    }
    let served = api::kind();
    for (field, wanted) in [("kind", &served.kind), ("apiVersion", &served.version)] {
        let found = &definition["spec"]["schema"][field];
        if found.as_str() != Some(wanted) {
            let at = format!("/spec/schema/{field}");
            let message = format!("`hello` serves the {field} `{wanted}`, the definition has {found}");
            return Err(invalid("WrongApi", &at, &message, &format!("write `{field}: {wanted}`")));
        }
    }
    Ok(())
}

/// The name to greet. It is part of the children's names, so it has to be fit
/// for that.
fn name(instance: &Value) -> Result<&str, Failure> {
    let hint = "write a name of lower-case letters, digits and `-`, such as `ada`";
    let Some(name) = instance["spec"]["name"].as_str() else {
        return Err(invalid("MissingField", "/spec", "`name` is required", hint));
    };
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.starts_with('-') || !name.chars().all(fits) {
        return Err(invalid(
            "InvalidName",
            "/spec/name",
            &format!("`{name}` cannot be part of an object's name"),
            hint,
        ));
    }
    Ok(name)
}

fn card(name: &str, greeting: &str) -> Child {
    let data = json!({"message": format!("{greeting}, {name}!"), "language": language::of(greeting)});
    child("card", &[], manifest("ConfigMap", &format!("{name}-card"), "data", data))
}

fn seal(name: &str, card_uid: &str) -> Child {
    let data = json!({"signature": format!("sealed on card {card_uid}")});
    child("seal", &["card"], manifest("Secret", &format!("{name}-seal"), "stringData", data))
}

fn manifest(kind: &str, name: &str, field: &str, value: Value) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, field: value})
}

fn child(id: &str, depends_on: &[&str], manifest: Value) -> Child {
    Child { id: id.to_owned(), key: String::new(), manifest, depends_on: owned(depends_on) }
}

/// Neither kind has a state of its own: what exists is ready.
fn readiness(child: &Child, live: Option<&Value>) -> Readiness {
    let message = if live.is_some() { String::new() } else { format!("`{}` does not exist yet", child.id) };
    Readiness { id: child.id.clone(), key: String::new(), ready: live.is_some(), message }
}

fn node(id: &str, kind: &str, depends_on: &[&str]) -> Node {
    Node { id: id.to_owned(), role: Role::Child, kind: core(kind), depends_on: owned(depends_on) }
}

fn core(kind: &str) -> Gvk {
    Gvk { group: String::new(), version: "v1".to_owned(), kind: kind.to_owned() }
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn invalid(code: &str, at: &str, message: &str, hint: &str) -> Failure {
    Failure::Invalid(vec![Problem {
        severity: Severity::Error,
        code: code.to_owned(),
        at: at.to_owned(),
        span: None,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    }])
}

#[cfg(test)]
mod tests;
