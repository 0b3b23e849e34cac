//! `croft module inspect`: what a module is, and whether croft would run it.
//!
//! It loads the module as a host does, and asks it for its API as any definition
//! would.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use contract::{Blueprint, Preparation};
use host_core::{name::Digest, object};
use sandbox::{Form, Interface, Module};
use serde_json::{Value, json};

use super::fixtures::{self, Definitions, Prepared, answer, case::Case};
use crate::{
    cli::{definition, offline::Cost, output},
    report::Failure,
};

/// Tell what a module is, and whether croft would run it
///
/// Prints its digest, its size, the contract that it speaks, what it imports and
/// what it exports. A module that croft would not run is described too; why it is
/// refused is said on stderr.
///
/// The API and the kinds are those of a `Composition` without configuration. With
/// `--fixtures` they are those of their definitions, and what each fixture takes is
/// told too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The module
    #[arg(value_name = "FILE")]
    module: PathBuf,
    /// A project or fixtures of the module: tells its API and its kinds, and what each takes
    #[arg(long, value_name = "DIR")]
    fixtures: Vec<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
}

/// How to print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

const EXAMPLES: &str = "\
Examples:
  # for people
  croft module inspect hello.wasm
  # with its API and its kinds, as the definition of this project has them
  croft module inspect build/hello.wasm --fixtures .
  # the digest alone, to pin it in a definition
  croft module inspect hello.wasm -o json | jq -r .digest";

/// Where the names of the contract's interfaces begin.
const CONTRACT: &str = "croft:composition/";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { module, fixtures, output } = args;
    let wasm = definition::read_module(&module)?;
    let loaded = definition::load_wasm(&module.display().to_string(), &wasm);
    let Ok(interface) = Interface::of(&wasm) else {
        // Not even its outside can be read: there is nothing to print.
        return loaded.map(drop);
    };
    let mut told = told(&module.display().to_string(), &wasm, &interface, loaded.is_ok());
    match &loaded {
        Ok(_) if !fixtures.is_empty() => (told["serves"], told["fixtures"]) = on_fixtures(&module, &fixtures)?,
        Ok(loaded) => told["serves"] = on_its_own(loaded).into_iter().collect(),
        Err(_) => {}
    }
    match output {
        Format::Json => output::text(&format!("{told:#}\n"))?,
        Format::Text => output::text(&text(&told))?,
    }
    loaded.map(drop)
}

fn told(file: &str, wasm: &[u8], interface: &Interface, usable: bool) -> Value {
    json!({
        "file": file,
        "digest": Digest::of(wasm).to_string(),
        "bytes": wasm.len(),
        "form": match interface.form { Form::Component => "component", Form::CoreModule => "core module" },
        "contract": contract(interface),
        "imports": interface.imports,
        "exports": interface.exports,
        "usable": usable,
    })
}

/// The API that it serves without configuration, with its kinds. A language for
/// definitions wants a definition of its own, and serves nothing without.
fn on_its_own(module: &Module) -> Option<Value> {
    let definition = json!({
        "apiVersion": "croft.run/v1alpha1",
        "kind": "Composition",
        "metadata": {"name": "inspected"},
        "spec": {"module": format!("file:module.wasm@{}", module.digest())},
    });
    match module.prepare(&definition, &[]).ok()?.value {
        Preparation::Ready(prepared) => Some(served(&prepared.blueprint)),
        Preparation::Needs(_) => None,
    }
}

fn served(blueprint: &Blueprint) -> Value {
    let shown = answer::blueprint(blueprint);
    json!({"api": shown["api"], "kinds": shown["kinds"]})
}

/// The APIs that it serves with their kinds, and what each fixture takes.
fn on_fixtures(module: &Path, folders: &[PathBuf]) -> Result<(Value, Value), Failure> {
    let fixtures = fixtures::find(folders)?;
    let labels = fixtures::labels(&fixtures);
    let chosen = definition::Chosen::file(module.to_owned());
    let mut definitions = Definitions::new(&chosen);
    let (mut served, mut costs) = (Vec::new(), Vec::new());
    for (fixture, name) in fixtures.into_iter().zip(labels) {
        let case = Case::read(fixture, &mut definitions)?;
        if let Some(Prepared { definition, .. }) = case.prepared() {
            let one = self::served(&definition.prepared.blueprint);
            if !served.contains(&one) {
                served.push(one);
            }
        }
        if let Some(cost) = case.answer()?.cost {
            costs.push(json!({"name": name, "fuel": cost.fuel, "memory": cost.memory}));
        }
    }
    Ok((served.into(), costs.into()))
}

/// The contract that it exports, such as `croft:composition@0.1.0`.
pub(super) fn contract(interface: &Interface) -> Option<String> {
    let composer = interface.exports.iter().find_map(|name| name.strip_prefix(CONTRACT)?.strip_prefix("composer@"));
    composer.map(|version| format!("croft:composition@{version}"))
}

/// The same for people.
fn text(told: &Value) -> String {
    let word = |name: &str| told[name].as_str().unwrap_or("-").to_owned();
    let list = |name: &str| -> Vec<String> {
        let names = told[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let names: Vec<String> = names.collect();
        if names.is_empty() { vec!["nothing".to_owned()] } else { names }
    };
    let mut rows = vec![
        ("Module", vec![word("file"), format!("{} of {} bytes", word("form"), told["bytes"])]),
        ("Digest", vec![word("digest")]),
        ("Contract", vec![word("contract")]),
        ("Imports", list("imports")),
        ("Exports", list("exports")),
        ("Usable", vec![if told["usable"] == true { "yes" } else { "no" }.to_owned()]),
    ];
    for served in told["serves"].as_array().into_iter().flatten() {
        let text = |pointer: &str| object::text(served, pointer).to_owned();
        let scope = text("/api/scope").to_lowercase();
        let api = format!("{} {}, {}, {scope}", text("/api/apiVersion"), text("/api/kind"), text("/api/plural"));
        rows.push(("API", vec![api]));
        let kinds = served["kinds"].as_array().into_iter().flatten().map(|used| {
            let text = |pointer: &str| object::text(used, pointer).to_owned();
            format!("{} {} ({})", text("/kind"), text("/apiVersion"), text("/access"))
        });
        rows.push(("Kinds", kinds.collect()));
    }
    let fixtures = told["fixtures"].as_array().into_iter().flatten().map(|fixture| {
        let number = |name: &str| fixture[name].as_u64().unwrap_or_default();
        let cost = Cost { fuel: number("fuel"), memory: number("memory") as usize };
        format!("{}: {cost}", object::text(fixture, "/name"))
    });
    rows.push(("Fixtures", fixtures.collect()));
    let mut text = String::new();
    for (name, lines) in rows {
        for (index, line) in lines.iter().enumerate() {
            text += &format!("{:10}{line}\n", if index == 0 { name } else { "" });
        }
    }
    text
}
