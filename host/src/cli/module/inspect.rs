//! `croft module inspect`: what a module is, and whether croft would run it.
//!
//! It loads the module as a host does and runs nothing of it.

use std::path::PathBuf;

use clap::ValueEnum;
use host_core::name::Digest;
use sandbox::{Form, Interface};
use serde_json::{Value, json};

use crate::{
    cli::{definition, output},
    report::Failure,
};

/// Tell what a module is, and whether croft would run it
///
/// Prints its digest, its size, the contract that it speaks, what it imports and
/// what it exports. A module that croft would not run is described too; why it is
/// refused is said on stderr.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The module
    #[arg(value_name = "FILE")]
    module: PathBuf,
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
  # the digest alone, to pin it in a definition
  croft module inspect hello.wasm -o json | jq -r .digest";

/// Where the names of the contract's interfaces begin.
const CONTRACT: &str = "croft:composition/";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { module, output } = args;
    let wasm = definition::read_module(&module)?;
    let loaded = definition::load_wasm(&module.display().to_string(), &wasm);
    let Ok(interface) = Interface::of(&wasm) else {
        // Not even its outside can be read: there is nothing to print.
        return loaded.map(drop);
    };
    let told = told(&module.display().to_string(), &wasm, &interface, loaded.is_ok());
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

/// The contract that it exports, such as `croft:composition@0.1.0`.
fn contract(interface: &Interface) -> Option<String> {
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
    let rows = [
        ("Module", vec![word("file"), format!("{} of {} bytes", word("form"), told["bytes"])]),
        ("Digest", vec![word("digest")]),
        ("Contract", vec![word("contract")]),
        ("Imports", list("imports")),
        ("Exports", list("exports")),
        ("Usable", vec![if told["usable"] == true { "yes" } else { "no" }.to_owned()]),
    ];
    let mut text = String::new();
    for (name, lines) in rows {
        for (index, line) in lines.iter().enumerate() {
            text += &format!("{:10}{line}\n", if index == 0 { name } else { "" });
        }
    }
    text
}
