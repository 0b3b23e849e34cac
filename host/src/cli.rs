//! The command line: what can be asked of croft, and how an answer is given.
//!
//! Arguments are read here and in the modules below; what they lead to is in
//! the rest of the library. stdout is for data, stderr for people.

pub mod adopt;
pub mod bind;
pub mod check;
pub mod completions;
pub mod definition;
pub mod dev;
pub mod explain;
pub mod files;
pub mod graph;
pub mod keys;
pub mod kubeconfig;
pub mod log;
pub mod module;
mod offline;
pub mod output;
pub mod publish;
pub mod render;
pub mod run;
pub mod supply;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use kcp::Connection;

use crate::report::{self, Exit, Failure};

/// A composition runtime for kcp: runs a provider's module in a sandbox for
/// every instance of its API
///
/// A provider publishes an API as one definition (`croft publish`), consumers
/// bind it (`croft bind`) and create instances, and `croft run` renders and
/// applies the children of every instance in the consumer's workspace. `croft
/// render` does the same offline, for the author of a definition.
#[derive(Debug, Parser)]
#[command(name = "croft", version, after_help = EXIT_STATUS, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "\
Exit status:
  0  done
  1  the input was refused; the message says what would be right
  2  croft failed, or was called in a way that it does not know";

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Global {
    /// The kubeconfig file to use
    ///
    /// Without it the files that $KUBECONFIG lists, separated by colons, or
    /// else ~/.kube/config.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use, instead of its current one
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    pub context: Option<String>,
    /// How much to tell of what is being done.
    #[command(flatten)]
    pub log: log::Args,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
enum Command {
    Publish(publish::Args),
    Bind(bind::Args),
    Kubeconfig(kubeconfig::Args),
    Render(render::Args),
    Check(check::Args),
    Explain(explain::Args),
    Graph(graph::Args),
    Module(module::Args),
    Dev(dev::Args),
    Adopt(adopt::Args),
    Run(run::Args),
    Completions(completions::Args),
}

/// Reads the command line and does what it asks.
pub fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let usual = if matches!(command, Command::Run(_)) { "info" } else { "warn" };
    log::start(&global.log, usual);
    match run(&global, command) {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            report::failure(&failure);
            failure.exit().into()
        }
    }
}

fn run(global: &Global, command: Command) -> Result<(), Failure> {
    match command {
        Command::Publish(args) => publish::run(global, args),
        Command::Bind(args) => bind::run(global, args),
        Command::Kubeconfig(args) => kubeconfig::run(global, args),
        Command::Render(args) => render::run(args),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Graph(args) => graph::run(args),
        Command::Module(args) => module::run(args),
        Command::Dev(args) => dev::run(global, args),
        Command::Adopt(args) => adopt::run(global, args),
        Command::Run(args) => run::run(global, args),
        Command::Completions(args) => completions::run(args),
    }
}

/// Waits for what a server has to be asked.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::host)?;
    let outcome = runtime.block_on(work);
    // What still runs in threads, such as a module, is not waited for.
    runtime.shutdown_background();
    outcome
}

/// The server and credentials that the global options name.
async fn connect(global: &Global) -> Result<Connection, Failure> {
    let connection = Connection::open(global.kubeconfig.as_deref(), global.context.as_deref()).await;
    connection.map_err(run::refused)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_options_of_a_command_collide() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does_and_shows_how() {
        let cli = Cli::command();
        let mut commands: Vec<_> = cli.get_subcommands().collect();
        while let Some(command) = commands.pop() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            assert!(command.get_after_help().is_some(), "{}", command.get_name());
            commands.extend(command.get_subcommands());
        }
    }
}
