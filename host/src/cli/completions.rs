//! `croft completions`: what a shell needs to complete croft's command line.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::{Cli, output};
use crate::report::Failure;

/// Print a script that completes croft's commands and options in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  # bash, for this session
  source <(croft completions bash)
  # zsh, for good
  croft completions zsh > \"${fpath[1]}/_croft\"
  # fish, for good
  croft completions fish > ~/.config/fish/completions/croft.fish";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { shell } = args;
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "croft", &mut script);
    output::text(&String::from_utf8_lossy(&script))
}
