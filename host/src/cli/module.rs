//! `croft module`: what the author of a module needs between the first line of
//! code and a definition that names it.
//!
//! Each subcommand has a file of its own below.

pub mod bench;
pub mod build;
pub(super) mod fixtures;
pub mod inspect;
pub mod language;
pub mod new;
pub mod pack;
pub mod pull;
pub mod push;
pub mod sign;
pub mod tags;
pub mod test;
pub mod verify;

use clap::Subcommand;

use crate::report::Failure;

/// Make, look at, test, measure and ship modules: the WebAssembly components that render instances
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
  # a project in Rust, built
  croft module new greeting --lang rust
  cd greeting && croft module build
  # what a file is, and whether croft would run it
  croft module inspect hello.wasm
  # a component of what a compiler wrote
  croft module pack core.wasm -o greeting.wasm
  # whether it does what its fixtures say
  croft module test
  # what each of its fixtures takes
  croft module bench
  # into a registry, and out of it
  croft module push hello.wasm oci://registry.example.org/team/hello:v1
  croft module pull oci://registry.example.org/team/hello:v1";

/// What can be done with a module.
#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Build(build::Args),
    Inspect(inspect::Args),
    Pack(pack::Args),
    Test(test::Args),
    Bench(bench::Args),
    Push(push::Args),
    Pull(pull::Args),
    Tags(tags::Args),
    Sign(sign::Args),
    Verify(verify::Args),
}

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { command } = args;
    match command {
        Command::New(args) => new::run(args),
        Command::Build(args) => build::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Pack(args) => pack::run(args),
        Command::Test(args) => test::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Push(args) => push::run(args),
        Command::Pull(args) => pull::run(args),
        Command::Tags(args) => tags::run(args),
        Command::Sign(args) => sign::run(args),
        Command::Verify(args) => verify::run(args),
    }
}
