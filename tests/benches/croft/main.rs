//! `cargo xtask bench`: what croft costs, next to the least that the same work
//! can cost.
//!
//! Every figure that has a target is a ratio of two measurements of one run on
//! one machine, or a count: neither depends on how fast the machine is. A
//! missed target is a line in the table and no failure; a figure that cannot be
//! measured is one.

mod code;
mod growth;
#[path = "../../tests/it/sandbox/guests.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "of the tests' guests the benches take one, and a broken one ends them"
)]
mod guests;
mod kcp;
mod load;
mod options;
mod render;
mod samples;
mod start;
mod table;

use std::{env, process::ExitCode};

use anyhow::Result;

use crate::{
    options::{HELP, Options, Part, Task},
    table::Table,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match Task::parse(&arguments) {
        Err(problem) => {
            eprintln!("error: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
        Ok(Task::Help) => {
            print!("{HELP}");
            Ok(())
        }
        Ok(Task::StartOnce(artifacts)) => start::once(artifacts),
        Ok(Task::Bench(options)) => bench(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures what is asked for and prints the one table, also when a part fails:
/// what was measured before is worth having.
fn bench(options: Options) -> Result<()> {
    let mut table = Table::default();
    let done = measure(options, &mut table);
    print!("{table}");
    done
}

fn measure(options: Options, table: &mut Table) -> Result<()> {
    if options.wants(Part::Render) {
        render::measure(options, table)?;
    }
    if options.wants(Part::Start) {
        start::measure(options, table)?;
    }
    if options.wants(Part::Kcp) {
        kcp::measure(options, table)?;
    }
    Ok(())
}

/// Tells on stderr what goes on: a run takes minutes.
fn say(line: impl std::fmt::Display) {
    eprintln!("{line}");
}
