//! Renders one instance: which children there are, what they look like, what is
//! still waited for, and what the status says.
//!
//! It evaluates a program against the instance and what was observed. It keeps
//! nothing between two calls.

mod nodes;

use std::collections::BTreeMap;

use guest_sdk::{Failure, Observed, Rendering};
use serde_json::{Map, Value};

use crate::{
    MAX_DEPTH,
    expression::evaluate::{Engine, Error, Scope},
    is_too_deep,
    problem::{Pointer, Problems},
    program::{Program, Template},
    refused, structural,
};
use nodes::Nodes;

/// What the instance amounts to.
pub(crate) fn render(program: &[u8], instance: &Value, observed: &[Observed]) -> Result<Rendering, Failure> {
    refuse_deep(instance, observed)?;
    let program = Program::from_bytes(program).map_err(|error| Failure::Internal(error.to_string()))?;
    let mut problems = Problems::default();
    let (schema, defaults) = complete(&program, instance, &mut problems);
    if problems.any_error() {
        return Err(refused(problems));
    }
    let live: BTreeMap<&str, &Value> = observed.iter().map(|it| (it.id.as_str(), &it.object)).collect();
    let engine = Engine::default();
    let nodes = Nodes::new(&program, &schema, &live, &engine, &mut problems);
    let mut rendering = nodes.render()?;
    problems.into_result()?;
    rendering.defaults = defaults;
    let scope = status_scope(&schema, &live, &rendering, &engine);
    rendering.status = status(&program, &scope)?;
    Ok(rendering)
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

/// What expressions see as `schema`, and the defaults that were filled in.
fn complete(program: &Program, instance: &Value, problems: &mut Problems) -> (Value, Map<String, Value>) {
    let mut schema = Map::new();
    for name in ["apiVersion", "kind", "metadata"] {
        if let Some(value) = instance.get(name) {
            schema.insert(name.to_owned(), value.clone());
        }
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

/// What status fields see: an excluded resource is none, even if it still
/// exists.
fn status_scope<'v>(
    schema: &'v Value,
    live: &BTreeMap<&'v str, &'v Value>,
    rendering: &Rendering,
    engine: &'v Engine,
) -> Scope<'v> {
    let excluded = |id: &str| rendering.excluded.iter().any(|it| it.id == id);
    let mut variables = vec![("schema", schema)];
    variables.extend(live.iter().filter(|(id, _)| !excluded(id)).map(|(id, object)| (*id, *object)));
    Scope::new(variables, engine)
}

/// The status fields that can be told; each stands for itself.
fn status(program: &Program, scope: &Scope) -> Result<Map<String, Value>, Failure> {
    let mut fields = project(&program.status, scope)?;
    // These two are the host's, whatever the definition says.
    fields.remove("state");
    fields.remove("conditions");
    Ok(fields)
}

fn project(fields: &[(&str, Template)], scope: &Scope) -> Result<Map<String, Value>, Failure> {
    let mut projected = Map::new();
    for (name, template) in fields {
        let value = match template {
            Template::Map(below) => Some(Value::Object(project(below, scope)?)).filter(|value| !is_empty(value)),
            leaf => match leaf.fill(&mut |code| scope.evaluate(code)) {
                Ok(value) => Some(value),
                Err(Error::Internal(message)) => return Err(Failure::Internal(message)),
                Err(Error::Missing { .. } | Error::Failed(_)) => None,
            },
        };
        if let Some(value) = value {
            projected.insert((*name).to_owned(), value);
        }
    }
    Ok(projected)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}
