//! The kro language as a croft module: reads a definition, checks it, and
//! renders its instances. A library natively, a component on wasm.
//!
//! It does no I/O and keeps nothing between two calls. It accepts `ResourceGroup`
//! of kro v0.1 and `ResourceGraphDefinition` of v0.9; `docs/kro-compatibility.md`
//! says what it does differently from kro, and why.
//!
//! Read on in the order of the modules: a front end maps what was written onto
//! one `model`; `check` finds everything wrong with it; `assemble` makes the
//! CRD and the `program`; `render` evaluates that against an instance.

mod assemble;
mod bounds;
mod check;
mod collect;
mod crd;
mod graph;
mod kinds;
mod model;
mod naming;
mod print;
mod problem;
mod program;
mod reader;
mod render;
mod resource_graph;
mod resource_group;
mod shell;
mod simple_schema;
mod site;
mod skeleton;
mod structural;
mod template;
mod validation;

use guest_sdk::{Failure, Gvk, Observed, Preparation, Rendering, Schema, TextComposer, shape};
use serde_json::Value;

use check::Schemas;
use kinds::Kinds;
use model::Dialect;
use problem::{Pointer, Problems};

/// Documents nested deeper than this are refused: everything here recurses
/// once a level.
const MAX_DEPTH: usize = 64;

/// The module.
pub struct Kro;

impl TextComposer for Kro {
    fn prepare(definition: Value, schemas: Vec<Schema>) -> Result<Preparation, Failure> {
        prepare(&definition, &schemas)
    }

    fn render(program: &[u8], instance: Value, observed: Vec<Observed<String>>) -> Result<Rendering<String>, Failure> {
        let rendering = render::render(program, &instance, observed);
        guest_sdk::unfreed(instance);
        rendering
    }
}

guest_sdk::export!(Kro);

/// Checks a definition and prepares it. v0.9's definitions are checked against
/// the schemas of their children, which are asked for; v0.1's are not.
pub fn prepare(definition: &Value, schemas: &[Schema]) -> Result<Preparation, Failure> {
    let mut problems = Problems::default();
    if is_too_deep(definition) {
        let message = format!("the definition is nested more than {MAX_DEPTH} levels deep");
        problems.error("TooDeep", &Pointer::root(), message).hint("flatten it");
    }
    // Nothing below may look at a document that is too deep to walk.
    if problems.any_error() {
        return Err(refused(problems));
    }
    let Some(mut definition) = reader::read(definition, &mut problems) else {
        return Err(refused(problems));
    };
    // One that could not be read is left out, and the others close up.
    for (index, resource) in definition.resources.iter_mut().enumerate() {
        resource.index = index;
    }
    let v09 = definition.dialect == Dialect::V09;
    let kinds = Kinds::new(if v09 { schemas } else { &[] });
    let used: Vec<Gvk> = definition.resources.iter().filter_map(model::Resource::gvk).collect();
    // What is not a kind is told as an error below.
    let missing = kinds.missing(used.iter().filter(|kind| v09 && shape::is_kind(kind)));
    if !missing.is_empty() {
        return Ok(Preparation::Needs(missing));
    }
    let spec = simple_schema::spec(&definition, &mut problems);
    naming::check(&definition, &mut problems);
    let schemas = Schemas::new(&definition, &spec, kinds.clone());
    let collected = collect::collect(&definition, kinds, &mut problems);
    let checked = check::check(&definition, &collected, &schemas, &mut problems);
    let spec_at = Pointer::root().fields(["spec", "schema", "spec"]);
    let known = validation::known(&spec);
    let stated = validation::stated(&known, &spec_at, &mut problems);
    let rules = validation::checked(&stated, &spec_at, &mut problems);
    let rules = validation::against_defaults(rules, &known, &spec_at, &mut problems);
    let warnings = problems.into_result()?;
    let prepared = assemble::prepared(&definition, &collected, &checked, &schemas, &spec, rules, warnings)?;
    bounds::prepared(&prepared)?;
    Ok(Preparation::Ready(Box::new(prepared)))
}

/// The failure with problems of which one is an error.
fn refused(problems: Problems) -> Failure {
    problems.into_result().err().unwrap_or_else(|| Failure::Internal("nothing is wrong and yet it failed".to_owned()))
}

fn is_too_deep(document: &Value) -> bool {
    fn exceeds(value: &Value, left: usize) -> bool {
        match value {
            Value::Array(elements) => left == 0 || elements.iter().any(|element| exceeds(element, left - 1)),
            Value::Object(fields) => left == 0 || fields.values().any(|value| exceeds(value, left - 1)),
            _ => false,
        }
    }
    exceeds(document, MAX_DEPTH)
}
