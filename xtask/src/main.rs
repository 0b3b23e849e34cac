//! `cargo xtask`: everything around the code that takes more than one cargo
//! call. It needs nothing installed but cargo; each subcommand gets or names
//! what else it takes.
//!
//! This file reads the command line and holds no step itself.

mod checks;
mod demo;
mod go;
mod modules;
mod oracles;
mod phase;
mod schemas;
mod shell;
mod tidy;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;

use crate::phase::{Phases, say};

const HELP: &str = "\
Everything around croft that takes more than one cargo call

Usage: cargo xtask <COMMAND>

Commands:
  modules [NAME…] [--force]  build the guest modules to `target/modules/<name>.wasm`; a
                             language without its tools is left out
  kcp                        print the path of a real kcp; build it if there is none
  demo [--keep]              show the whole flow on a real kcp; `--keep` leaves kcp running
  test [ARG…]                modules, kcp, the CEL specification's tests, the SDKs of
                             other languages, then
                             `cargo test --workspace ARG…`
  bench [--quick] [--only PART]
                             measure croft and print one table; PART is `render`, `start` or `kcp`
  bench modules              measure the same module in four languages
  schemas                    make the table of Kubernetes' own schemas again; takes Go
  tidy                       check formatting, lints and the layering of the code
  ci                         all that has to hold before a merge: test, then tidy
  help                       print this

Environment:
  KCP_BIN                    the kcp to use, 0.31 or newer
  CROFT_BUILD_COSIGN         build cosign, to compare signatures with; COSIGN_BIN is one to use
  CROFT_WASM_TOOLCHAIN       `rustup` or `distribution`: which Rust compiles modules
  XDG_CACHE_HOME             where `croft/` with kcp and finished modules is kept

Exit status: 0 done, 1 something failed, 2 the command line makes no sense
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let command = match Command::parse(&arguments) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("error: {problem}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.chain().skip(1).for_each(|cause| eprintln!("  caused by: {cause}"));
            ExitCode::FAILURE
        }
    }
}

/// The command line, understood.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Help,
    Modules { names: Vec<String>, force: bool },
    Kcp,
    Demo { keep: bool },
    Test { arguments: Vec<String> },
    Bench { arguments: Vec<String> },
    Schemas,
    Tidy,
    Ci,
}

impl Command {
    fn parse(arguments: &[String]) -> Result<Command, String> {
        let Some((name, rest)) = arguments.split_first() else { return Err("a command is missing".to_owned()) };
        // What follows `test` is cargo's, `--help` too.
        let (help, passes_on) = (rest.iter().any(|word| is_help(word)), name == "test");
        if is_help(name) || name == "help" || (help && !passes_on) {
            return Ok(Command::Help);
        }
        let (flags, names): (Vec<&String>, Vec<&String>) = rest.iter().partition(|word| word.starts_with('-'));
        let only = |known: &[&str], with_names: bool| {
            let strange = flags.iter().find(|flag| !known.contains(&flag.as_str()));
            match strange.or(names.first().filter(|_| !with_names)) {
                Some(word) => Err(format!("`{name}` does not take `{word}`")),
                None => Ok(()),
            }
        };
        match name.as_str() {
            "modules" => only(&["--force"], true)
                .map(|()| Command::Modules { names: names.into_iter().cloned().collect(), force: !flags.is_empty() }),
            "kcp" => only(&[], false).map(|()| Command::Kcp),
            "demo" => only(&["--keep"], false).map(|()| Command::Demo { keep: !flags.is_empty() }),
            "test" => Ok(Command::Test { arguments: rest.to_vec() }),
            "bench" => Ok(Command::Bench { arguments: rest.to_vec() }),
            "schemas" => only(&[], false).map(|()| Command::Schemas),
            "tidy" => only(&[], false).map(|()| Command::Tidy),
            "ci" => only(&[], false).map(|()| Command::Ci),
            unknown => Err(format!("there is no command `{unknown}`")),
        }
    }

    fn run(self) -> Result<()> {
        let phases = Phases::start();
        match self {
            Command::Help => print!("{HELP}"),
            Command::Modules { names, force } => {
                modules::build(&names.iter().map(String::as_str).collect::<Vec<_>>(), force)?;
            }
            Command::Kcp => println!("{}", harness::binary::find(&mut |line| say(line))?.display()),
            Command::Demo { keep } => demo::run(&phases, keep)?,
            Command::Test { arguments } => checks::test(&phases, &arguments)?,
            Command::Bench { arguments } if arguments == ["modules"] => modules::compare::print()?,
            Command::Bench { arguments } => checks::bench(&phases, &arguments)?,
            Command::Schemas => schemas::make()?,
            Command::Tidy => checks::tidy(&phases)?,
            Command::Ci => checks::ci(&phases)?,
        }
        Ok(())
    }
}

fn is_help(word: &str) -> bool {
    matches!(word, "--help" | "-h")
}

/// The folder of this repository.
fn root() -> PathBuf {
    let built = || PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(built, PathBuf::from);
    here.parent().map(Path::to_owned).unwrap_or(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn commands_take_their_own_flags_only() {
        assert_eq!(parse("demo --keep"), Ok(Command::Demo { keep: true }));
        assert_eq!(parse("modules hello"), Ok(Command::Modules { names: vec!["hello".into()], force: false }));
        assert_eq!(parse("demo --force"), Err("`demo` does not take `--force`".into()));
        assert_eq!(parse("kcp now"), Err("`kcp` does not take `now`".into()));
        assert_eq!(parse("tset"), Err("there is no command `tset`".into()));
    }

    #[test]
    fn help_is_given_wherever_it_is_asked_for() {
        for line in ["help", "--help", "-h", "demo --help"] {
            assert_eq!(parse(line), Ok(Command::Help), "{line}");
        }
    }

    #[test]
    fn arguments_of_test_go_to_cargo() {
        let arguments = vec!["--package".into(), "kro".into(), "--help".into()];
        assert_eq!(parse("test --package kro --help"), Ok(Command::Test { arguments }));
    }
}
