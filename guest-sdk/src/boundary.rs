//! The boundary of a component without its ABI: JSON text is parsed on the way
//! in and written on the way out.
//!
//! The component and the test kit both go through [`prepare`] and [`render`],
//! so that what is tested and measured natively is what runs on wasm.

use contract as rust;
use serde_json::{Map, Value};

use crate::{TextComposer, bindings::croft::composition::types as wit, document};

/// `prepare` of the contract.
pub(crate) fn prepare<C: TextComposer>(
    definition: &str,
    schemas: Vec<wit::Schema>,
) -> Result<wit::Preparation, wit::Failure> {
    let definition = parse(definition, || "the definition".to_owned())?;
    let schemas = schemas.into_iter().map(schema).collect::<Result<_, _>>()?;
    C::prepare(definition, schemas).map(preparation).map_err(failure)
}

/// `render` of the contract.
pub(crate) fn render<C: TextComposer>(
    program: &[u8],
    instance: &str,
    observed: Vec<wit::Observed>,
) -> Result<wit::Rendering, wit::Failure> {
    let instance = parse(instance, || "the instance".to_owned())?;
    let observed = all(observed, |it| rust::Observed { id: it.id, key: it.key, object: it.object });
    C::render(program, instance, observed).map(rendering).map_err(failure)
}

fn parse(text: &str, what: impl FnOnce() -> String) -> Result<Value, wit::Failure> {
    document::parse(text).map_err(|error| wit::Failure::Internal(not_json(&what(), &error)))
}

fn not_json(what: &str, error: &serde_json::Error) -> String {
    format!("{what} that the host passed is not JSON: {error}")
}

fn schema(schema: wit::Schema) -> Result<rust::Schema, wit::Failure> {
    let openapi = parse(&schema.openapi, || format!("the schema of `{}`", schema.kind.kind))?;
    Ok(rust::Schema { kind: gvk_in(schema.kind), plural: schema.plural, scope: scope_in(schema.scope), openapi })
}

/// An object that was passed as text, as a value.
pub(crate) fn seen(seen: rust::Observed<String>) -> Result<rust::Observed, rust::Failure> {
    let read = parsed(&seen, &document::Fields::All);
    unfreed(seen);
    read
}

/// An object that was passed as text, as a value with those fields that are asked
/// for.
///
/// # Errors
/// It is not JSON.
pub fn parsed(seen: &rust::Observed<String>, fields: &document::Fields) -> Result<rust::Observed, rust::Failure> {
    let object = document::parse_fields(&seen.object, fields)
        .map_err(|error| rust::Failure::Internal(not_json(&format!("the object of `{}`", seen.id), &error)))?;
    Ok(rust::Observed { id: seen.id.clone(), key: seen.key.clone(), object })
}

/// A rendering with its manifests as text.
pub(crate) fn written(rendering: rust::Rendering) -> rust::Rendering<String> {
    // One buffer that grows with the largest, and not one that grows for each.
    let mut buffer = Vec::new();
    let written = rendering.try_map(|manifest| {
        buffer.clear();
        serde_json::to_writer(&mut buffer, &manifest).expect("a JSON value has string keys");
        unfreed(manifest);
        Ok::<_, std::convert::Infallible>(str::from_utf8(&buffer).expect("JSON is UTF-8").to_owned())
    });
    written.unwrap_or_else(|never| match never {})
}

fn preparation(preparation: rust::Preparation) -> wit::Preparation {
    match preparation {
        rust::Preparation::Ready(prepared) => wit::Preparation::Ready(wit::Prepared {
            blueprint: blueprint(prepared.blueprint),
            program: prepared.program,
            warnings: all(prepared.warnings, problem),
        }),
        rust::Preparation::Needs(kinds) => wit::Preparation::Needs(all(kinds, gvk)),
    }
}

fn blueprint(blueprint: rust::Blueprint) -> wit::Blueprint {
    let api = blueprint.api;
    wit::Blueprint {
        api: wit::Api { kind: gvk(api.kind), plural: api.plural, scope: scope(api.scope), crd: text(&api.crd) },
        kinds: all(blueprint.kinds, |used| wit::UsedKind { kind: gvk(used.kind), access: access(used.access) }),
        nodes: all(blueprint.nodes, |node| wit::Node {
            id: node.id,
            role: role(node.role),
            kind: gvk(node.kind),
            depends_on: node.depends_on,
        }),
    }
}

fn rendering(rendering: rust::Rendering<String>) -> wit::Rendering {
    wit::Rendering {
        defaults: object(rendering.defaults),
        children: all(rendering.children, |it| wit::Child {
            id: it.id,
            key: it.key,
            manifest: it.manifest,
            depends_on: it.depends_on,
        }),
        blocked: all(rendering.blocked, |it| wit::Blocked { id: it.id, waits_for: it.waits_for, message: it.message }),
        excluded: all(rendering.excluded, |it| wit::Excluded { id: it.id, message: it.message }),
        reads: all(rendering.reads, |it| wit::Read { id: it.id, kind: gvk(it.kind), select: selection(it.select) }),
        readiness: all(rendering.readiness, |it| wit::Readiness {
            id: it.id,
            key: it.key,
            ready: it.ready,
            message: it.message,
        }),
        status: object(rendering.status),
        conditions: all(rendering.conditions, condition),
        suspended: rendering.suspended,
    }
}

/// Lets go of a value that is not needed any more. A component's memory is as
/// short-lived as the call: to free a document piece by piece would be a tenth
/// of what a render costs.
pub fn unfreed<T>(value: T) {
    if cfg!(target_family = "wasm") {
        std::mem::forget(value);
    }
}

fn selection(selection: rust::Selection) -> wit::Selection {
    match selection {
        rust::Selection::Named { namespace, name } => wit::Selection::Named((namespace, name)),
        rust::Selection::Labelled { namespace, selector } => wit::Selection::Labelled((namespace, text(&selector))),
    }
}

fn condition(condition: rust::Condition) -> wit::Condition {
    let status = match condition.status {
        rust::ConditionStatus::True => wit::ConditionStatus::IsTrue,
        rust::ConditionStatus::False => wit::ConditionStatus::IsFalse,
        rust::ConditionStatus::Unknown => wit::ConditionStatus::Unknown,
    };
    wit::Condition { type_: condition.kind, status, reason: condition.reason, message: condition.message }
}

fn failure(failure: rust::Failure) -> wit::Failure {
    match failure {
        rust::Failure::Invalid(problems) => wit::Failure::Invalid(all(problems, problem)),
        rust::Failure::Internal(message) => wit::Failure::Internal(message),
    }
}

fn problem(problem: rust::Problem) -> wit::Problem {
    let severity = match problem.severity {
        rust::Severity::Error => wit::Severity::Error,
        rust::Severity::Warning => wit::Severity::Warning,
    };
    let rust::Problem { severity: _, code, at, span, message, hint } = problem;
    wit::Problem { severity, code, at, span, message, hint }
}

fn gvk(gvk: rust::Gvk) -> wit::GroupVersionKind {
    wit::GroupVersionKind { group: gvk.group, version: gvk.version, kind: gvk.kind }
}

fn gvk_in(gvk: wit::GroupVersionKind) -> rust::Gvk {
    rust::Gvk { group: gvk.group, version: gvk.version, kind: gvk.kind }
}

fn scope(scope: rust::Scope) -> wit::Scope {
    match scope {
        rust::Scope::Namespaced => wit::Scope::Namespaced,
        rust::Scope::Cluster => wit::Scope::Cluster,
    }
}

fn scope_in(scope: wit::Scope) -> rust::Scope {
    match scope {
        wit::Scope::Namespaced => rust::Scope::Namespaced,
        wit::Scope::Cluster => rust::Scope::Cluster,
    }
}

fn access(access: rust::Access) -> wit::Access {
    match access {
        rust::Access::Read => wit::Access::Read,
        rust::Access::Manage => wit::Access::Manage,
    }
}

fn role(role: rust::Role) -> wit::Role {
    match role {
        rust::Role::Child => wit::Role::Child,
        rust::Role::Collection => wit::Role::Collection,
        rust::Role::External => wit::Role::External,
        rust::Role::ExternalCollection => wit::Role::ExternalCollection,
    }
}

fn all<A, B>(items: Vec<A>, each: impl FnMut(A) -> B) -> Vec<B> {
    items.into_iter().map(each).collect()
}

fn object(map: Map<String, Value>) -> String {
    text(&Value::Object(map))
}

fn text(value: &Value) -> String {
    serde_json::to_string(value).expect("a JSON value has string keys and can always be written")
}
