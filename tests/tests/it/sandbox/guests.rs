//! The modules in `guests/`, assembled, and a call of everything they have.
//!
//! A line `;; include FILE` stands for that file; nothing else is replaced.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use host_core::fault::Fault;
use sandbox::{Answer, Error, Limits, Module, Sandbox};
use serde_json::{Value, json};

/// Where the guests are.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")
}

/// A guest's bytes.
pub(crate) fn binary(name: &str) -> Vec<u8> {
    let text = expand(&format!("{name}.wat"));
    wat::parse_str(&text).unwrap_or_else(|error| panic!("guest `{name}` does not assemble: {error}"))
}

fn expand(file: &str) -> String {
    let text = fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("guest `{file}`: {error}"));
    let mut whole = String::new();
    for line in text.lines() {
        match line.trim().strip_prefix(";; include ") {
            Some(part) => whole.push_str(&expand(part)),
            None => writeln!(whole, "{line}").unwrap(),
        }
    }
    whole
}

/// A sandbox with the limits that croft runs with.
pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new(Limits::default(), None).unwrap()
}

/// A guest in a sandbox of its own.
pub(crate) fn module(name: &str) -> Module {
    sandbox().load(&binary(name)).unwrap()
}

/// An object that the guests can render as a child.
pub(crate) fn instance(name: &str) -> Value {
    json!({"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": name}})
}

/// Loads and prepares a guest, and renders one instance with it.
pub(crate) fn run(sandbox: &Sandbox, wasm: &[u8]) -> Result<Answer<contract::Rendering>, Error> {
    let module = sandbox.load(wasm)?;
    let program = match module.prepare(&json!({"kind": "Definition"}), &[])?.value {
        contract::Preparation::Ready(prepared) => prepared.program,
        contract::Preparation::Needs(kinds) => panic!("needs {kinds:?}"),
    };
    module.render(&program, &instance("one"), &[])
}

/// What went wrong in one line: reason, blame and the chain of texts.
pub(crate) fn told(error: &Error) -> String {
    let mut text = format!("{}, {}: {error}", error.reason(), error.blame());
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        write!(text, ": {next}").unwrap();
        cause = next.source();
    }
    match error.digest() {
        Some(digest) => text.replace(digest.as_str(), "DIGEST"),
        None => text,
    }
}
