//! What a module that is written as code costs a render, whose API is a Rust type
//! and whose children are: `modules/hello`, against the least that a render costs
//! the host, with a module that looks at nothing.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use contract::{Observed, Preparation};
use sandbox::{Module, Sandbox};
use serde_json::{Value, json};

use crate::{
    guests,
    options::Options,
    render::live,
    samples::{Samples, timed},
    table::{Figure, Table, Target},
};

/// What reading types and writing them may cost, in microseconds.
const TARGET: f64 = 60.0;

/// Measures an instance of which everything is there.
pub(crate) fn measure(sandbox: &Sandbox, options: Options, table: &mut Table) -> Result<()> {
    table.heading("one render: a module as code");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/hello.wasm");
    let wasm = fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let (code, floor) = (sandbox.load(&wasm)?, sandbox.load(&guests::binary("obedient"))?);
    let (program, least) = (program(&code)?, program(&floor)?);
    let instance = json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "Greeting",
        "metadata": {"name": "g", "namespace": "default", "uid": "5b0c1d9e-5f51-4c5e-9a40-000000000000", "generation": 1},
        "spec": {"name": "ada", "greeting": "Hello"},
    });
    let observed = observed(&code, &program, &instance)?;
    let fuel = code.render(&program, &instance, &observed)?.fuel;
    let (mut typed, mut bare) = (Samples::default(), Samples::default());
    for _ in 0..options.number(2_000, 50) {
        let (time, answer) = timed(|| code.render(&program, &instance, &observed));
        answer?;
        typed.push(time);
        let (time, answer) = timed(|| floor.render(&least, &instance, &observed));
        answer?;
        bare.push(time);
    }
    let figure = Figure {
        what: format!("a greeting, {} KiB, {fuel} fuel", wasm.len() / 1024),
        measured: typed.to_string(),
        compared: format!("a module that looks at nothing: {bare}"),
        value: (typed.median().as_secs_f64() - bare.median().as_secs_f64()) * 1e6,
        ..Figure::default()
    };
    table.add(figure, Target::AtMost(TARGET, " µs more"));
    Ok(())
}

fn program(module: &Module) -> Result<Vec<u8>> {
    let definition =
        json!({"apiVersion": "croft.run/v1alpha1", "kind": "Composition", "metadata": {"name": "a"}, "spec": {}});
    match module.prepare(&definition, &[])?.value {
        Preparation::Ready(prepared) => Ok(prepared.program),
        Preparation::Needs(kinds) => anyhow::bail!("the module needs the schemas of {kinds:?}"),
    }
}

/// The children, once all of them are there.
fn observed(module: &Module, program: &[u8], instance: &Value) -> Result<Vec<Observed>> {
    let mut observed: Vec<Observed> = Vec::new();
    loop {
        let children = module.render(program, instance, &observed)?.value.children;
        let seen =
            children.iter().map(|child| Observed { id: child.id.clone(), key: child.key.clone(), object: live(child) });
        let seen: Vec<Observed> = seen.collect();
        if seen == observed {
            return Ok(seen);
        }
        observed = seen;
    }
}
