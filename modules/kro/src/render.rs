//! Renders one instance: which children there are, what they look like, what is
//! still waited for, and what the status says.
//!
//! It evaluates a program against the instance and what was observed. It keeps
//! nothing between two calls.

mod collection;
mod conditions;
mod metadata;
mod missing;
mod nodes;
mod scope;
mod selector;

use std::collections::BTreeMap;

use guest_sdk::{Failure, Observed, Rendering, UNADMITTED, document::Fields, parsed, unfreed};
use serde_json::{Map, Value};

use crate::{
    MAX_DEPTH, bounds, is_too_deep,
    problem::{Pointer, Problems},
    program::{Program, Template},
    refused, structural, validation,
};
use nodes::{Nodes, Outcome};
use scope::Scope;

/// The annotation that leaves an instance alone, as kro has it.
const RECONCILE: &str = "kro.run/reconcile";

/// What the instance amounts to.
pub(crate) fn render(
    program: &[u8],
    instance: &Value,
    observed: Vec<Observed<String>>,
) -> Result<Rendering<String>, Failure> {
    let program = Program::from_bytes(program).map_err(|error| Failure::Internal(error.to_string()))?;
    let seen = read(&program, &observed)?;
    let rendering = rendered(&program, instance, &seen);
    unfreed((program, observed, seen));
    rendering
}

/// Of each object the fields that the definition reads.
fn read(program: &Program, observed: &[Observed<String>]) -> Result<Vec<Observed>, Failure> {
    let fields: BTreeMap<&str, &Fields> = program.nodes.iter().map(|node| (node.id, &node.reads)).collect();
    let none = Fields::none();
    observed.iter().map(|it| parsed(it, fields.get(it.id.as_str()).copied().unwrap_or(&none))).collect()
}

fn rendered(program: &Program, instance: &Value, observed: &[Observed]) -> Result<Rendering<String>, Failure> {
    refuse_deep(instance, observed)?;
    let mut problems = Problems::default();
    let (schema, defaults) = complete(program, instance, &mut problems);
    if is_unadmitted(instance) {
        validation::validate(&program.rules, schema.get("spec").unwrap_or(&Value::Null), &mut problems);
    }
    if problems.any_error() {
        return Err(refused(problems));
    }
    let mut live: BTreeMap<&str, Vec<&Observed>> = BTreeMap::new();
    for it in observed {
        live.entry(it.id.as_str()).or_default().push(it);
    }
    let mut nodes = Nodes::new(program, &schema, &live, &mut problems);
    nodes.run();
    let Outcome { scope, mut rendering, children, all_ready } = nodes.finish();
    problems.into_result()?;
    rendering.defaults = defaults;
    rendering.status = status(program, &scope);
    rendering.conditions = conditions::of(program, &schema, scope, all_ready);
    rendering.suspended = suspension(program, instance);
    bounds::rendering(&rendering, children)?;
    unfreed((schema, live));
    Ok(rendering)
}

/// Takes the word off that no server has checked the instance: it says something of
/// the call.
fn admitted(metadata: &mut Map<String, Value>) {
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    if annotations.remove(UNADMITTED).is_some() && annotations.is_empty() {
        metadata.remove("annotations");
    }
}

/// Whether no server has checked the instance.
fn is_unadmitted(instance: &Value) -> bool {
    let annotations = instance.get("metadata").and_then(|metadata| metadata.get("annotations"));
    annotations.is_some_and(|annotations| annotations.get(UNADMITTED).is_some())
}

fn refuse_deep(instance: &Value, observed: &[Observed]) -> Result<(), Failure> {
    let mut problems = Problems::default();
    let message = |what: &str| format!("{what} is nested more than {MAX_DEPTH} levels deep");
    if is_too_deep(instance) {
        problems.error("TooDeep", &Pointer::root(), message("the instance"));
    }
    for it in observed.iter().filter(|it| is_too_deep(&it.object)) {
        problems.error("TooDeep", &Pointer::root(), message(&format!("the object of `{}`", it.id)));
    }
    problems.into_result().map(drop)
}

/// Why the instance is left alone, if it is.
fn suspension(program: &Program, instance: &Value) -> Option<String> {
    let annotations = instance.get("metadata").and_then(|metadata| metadata.get("annotations"));
    let value = annotations.and_then(|annotations| annotations.get(RECONCILE)).and_then(Value::as_str)?;
    // The first is today's word, the other that of earlier versions.
    let suspended = !program.strict && matches!(value, "suspended" | "disabled");
    suspended.then(|| format!("the annotation `{RECONCILE}` is `{value}`"))
}

/// What expressions see as `schema`, and the defaults that were filled in.
fn complete(program: &Program, instance: &Value, problems: &mut Problems) -> (Value, Map<String, Value>) {
    let mut schema = Map::new();
    for name in ["apiVersion", "kind", "metadata"] {
        if let Some(value) = instance.get(name) {
            schema.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(metadata) = schema.get_mut("metadata").and_then(Value::as_object_mut) {
        admitted(metadata);
    }
    // Without a spec there is nothing to default: the API server does the same.
    let mut defaults = Map::new();
    if let Some(spec) = instance.get("spec").filter(|spec| !spec.is_null()) {
        let completed = structural::complete(&program.spec, spec, problems);
        defaults = completed.defaults;
        schema.insert("spec".to_owned(), Value::Object(completed.value));
    }
    (Value::Object(schema), defaults)
}

/// The status fields that can be told; each stands for itself.
fn status(program: &Program, scope: &Scope) -> Map<String, Value> {
    let mut fields = project(&program.status, scope);
    // These two are the host's, whatever the definition says.
    fields.remove("state");
    fields.remove("conditions");
    fields
}

fn project(fields: &[(&str, Template)], scope: &Scope) -> Map<String, Value> {
    let mut projected = Map::new();
    for (name, template) in fields {
        let value = match template {
            Template::Map(below) => Some(Value::Object(project(below, scope))).filter(|value| !is_empty(value)),
            // A server drops a null of a field that may not be null: it is absent.
            leaf => leaf.fill(&mut |expression| scope.json(expression)).ok().flatten().filter(|it| !it.is_null()),
        };
        if let Some(value) = value {
            projected.insert((*name).to_owned(), value);
        }
    }
    projected
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}
