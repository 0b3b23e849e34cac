//! `croft module`: what the author of a module needs between the first line of
//! code and a definition that names it.
//!
//! Each subcommand has a file of its own below.

pub mod inspect;

use clap::Subcommand;

use crate::report::Failure;

/// Look at modules, the WebAssembly components that render instances
///
/// A module is named by a definition (`spec.module`) and runs in croft's sandbox.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  # what a file is, and whether croft would run it
  croft module inspect hello.wasm";

/// What can be done with a module.
#[derive(Debug, Subcommand)]
enum Command {
    Inspect(inspect::Args),
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { command } = args;
    match command {
        Command::Inspect(args) => inspect::run(args),
    }
}
