//! Finds a compiler for wasm32-unknown-unknown, and gets one where it can.
//!
//! In order: the `rustc` in use if it has the target; a complete one of the
//! distribution; `rustup target add`; `apt-get install`. What needs no download
//! goes first, and is the crate `toolchain`'s to find.
//! `CROFT_WASM_TOOLCHAIN=rustup` or `=distribution` asks for one.

mod apt;

use std::process::Command;

use anyhow::{Context, Error, Result};
use toolchain::{Choice, TARGET, Toolchain, hints, text};

use crate::phase::say;

/// Finds one, or gets one, or says what to install.
pub(super) fn find() -> Result<Toolchain> {
    let choice = Choice::of_environment().map_err(Error::msg)?;
    let problem = match choice {
        Choice::Any => "no Rust compiler here can make wasm",
        Choice::Rustup => "rustup cannot give a wasm target",
        Choice::Distribution => "the distribution's Rust cannot make wasm",
    };
    let found = Toolchain::installed(choice).or_else(|| add_target(choice)).or_else(|| install_distribution(choice));
    found.with_context(|| [vec![problem.to_owned()], hints()].concat().join("\n"))
}

fn add_target(choice: Choice) -> Option<Toolchain> {
    if choice == Choice::Distribution {
        return None;
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    text(Command::new("rustup").arg("--version"))?;
    say(format_args!("adding the wasm target: `rustup target add {TARGET}`"));
    let output = rustup.output().ok()?;
    if output.status.success() {
        return Toolchain::installed(Choice::Rustup);
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let reason = errors.lines().find(|line| line.starts_with("error")).unwrap_or("it says no reason");
    say(format_args!("rustup cannot add it: {reason}"));
    None
}

fn install_distribution(choice: Choice) -> Option<Toolchain> {
    if choice == Choice::Rustup || !apt::install() {
        return None;
    }
    Toolchain::installed(Choice::Distribution)
}
