//! `croft module pack`: a checked component of what a compiler wrote.
//!
//! What is checked, and how a core module becomes a component, is in the crate
//! `pack`.

use std::{
    fs::{self, Permissions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::report::Failure;

/// Make a checked component of a WebAssembly file
///
/// Takes the core module that a compiler wrote, or a component, and writes a
/// component that croft runs: one that exports the contract and imports nothing
/// but `log`. WASI preview 1, which the runtimes of languages ask for, is answered
/// inside of it: no files, no network, a clock and random numbers that are the
/// same in every call.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file that the compiler wrote
    #[arg(value_name = "FILE")]
    input: PathBuf,
    /// Where to write the component; nothing is written there unless all is well
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  # what `GOOS=wasip1 go build -buildmode=c-shared -o core.wasm` wrote
  croft module pack core.wasm -o greeting.wasm
  # check a component that another tool made
  croft module pack component.wasm -o greeting.wasm";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { input, output } = args;
    let wasm =
        fs::read(&input).with_context(|| format!("cannot read `{}`", input.display())).map_err(Failure::input)?;
    let component = pack::pack(&wasm).map_err(|error| refused(&input, error))?;
    write(&output, &component).with_context(|| format!("cannot write `{}`", output.display())).map_err(Failure::host)
}

fn refused(input: &Path, error: pack::Error) -> Failure {
    let hint = error.hint();
    let error = anyhow::Error::new(error).context(format!("cannot pack `{}`", input.display()));
    Failure::input(error).hint(hint)
}

/// Beside the target and renamed, so that nobody finds half a component.
fn write(path: &Path, component: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As other programs make files, and not as secrets are kept.
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    file.write_all(component)?;
    file.persist(path)?;
    Ok(())
}
