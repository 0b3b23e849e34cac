//! `croft module pull`: a module out of a registry, or out of a folder.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use host_core::oci::{OciRef, Place};

use crate::{
    cli::{
        output,
        supply::{self, Supply},
    },
    report::{self, Failure},
};

/// Pull a module from a registry
///
/// Writes the module into a file and prints the reference with its digest.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which, such as `oci://registry.example.org/team/greeting:v1`
    #[arg(value_name = "REFERENCE")]
    reference: OciRef,
    /// The file to write, `-` for stdout [default: the repository's last word, with `.wasm`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    supply: Supply,
}

const EXAMPLES: &str = "\
Examples:
  # what a tag names now, into greeting.wasm
  croft module pull oci://registry.example.org/team/greeting:v1
  # what a definition names
  croft module pull oci://registry.example.org/team/greeting@sha256:4f0b… -o module.wasm";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { reference, output, supply } = args;
    let file = output.unwrap_or_else(|| PathBuf::from(format!("{}.wasm", last_word(&reference.place))));
    let shelf = supply.own_shelf()?;
    let digest = shelf.client().resolve(&reference).map_err(supply::failed)?;
    let pinned = reference.pinned(digest);
    let fetched = shelf.fetch(&pinned).map_err(supply::failed)?;
    let failed = |error: io::Error| {
        let context = format!("cannot write `{}`", file.display());
        Failure::host(anyhow::Error::new(error).context(context))
    };
    if file.as_os_str() == "-" {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&fetched.wasm).and_then(|()| stdout.flush()).map_err(failed)?;
        report::note(&format!("pulled `{pinned}`"));
        return Ok(());
    }
    fs::write(&file, &fetched.wasm).map_err(failed)?;
    report::note(&format!(
        "wrote {} bytes to `{}`, the module `{}`",
        fetched.wasm.len(),
        file.display(),
        fetched.module
    ));
    output::text(&format!("{pinned}\n"))
}

/// What a file of it is called.
fn last_word(place: &Place) -> String {
    let word = match place {
        Place::Registry(repository) => repository.name().rsplit('/').next().map(str::to_owned),
        Place::Layout(folder) => folder.file_name().map(|name| name.to_string_lossy().into_owned()),
    };
    word.unwrap_or_else(|| "module".to_owned())
}
