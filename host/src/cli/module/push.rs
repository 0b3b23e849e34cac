//! `croft module push`: a module into a registry, or into a folder.

use std::path::PathBuf;

use host_core::oci::OciRef;
use registry::About;
use sandbox::Interface;

use super::inspect::contract;
use crate::{
    cli::{
        definition, output,
        supply::{self, Supply},
    },
    report::{self, Failure},
};

/// Push a module to a registry
///
/// The module is loaded first as a host would load it, so that what croft would not
/// run is not pushed. Prints the reference with its digest, which is what a
/// definition names. Equal modules have equal digests: nothing of the artifact says
/// when it was made.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The module
    #[arg(value_name = "FILE")]
    module: PathBuf,
    /// Where to, such as `oci://registry.example.org/team/greeting:v1` or `oci-layout:DIR:v1`
    #[arg(value_name = "REFERENCE")]
    reference: OciRef,
    /// Where its source is, for those who look at it
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Which version of the source it was made from
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    #[command(flatten)]
    supply: Supply,
}

const EXAMPLES: &str = "\
Examples:
  # under a tag; the digest is printed
  croft module push greeting.wasm oci://registry.example.org/team/greeting:v1
  # and where it comes from
  croft module push greeting.wasm oci://registry.example.org/team/greeting:v1 \\
    --source https://git.example.org/team/greeting --revision $(git rev-parse HEAD)
  # into a folder, to be carried somewhere
  croft module push greeting.wasm oci-layout:greeting:v1";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { module, reference, source, revision, supply } = args;
    if let Some(digest) = &reference.digest {
        let message = format!("`{reference}` has a digest, and what is pushed has its own");
        return Err(Failure::input(message).hint(format!("leave `@{digest}` out")));
    }
    let wasm = definition::read_module(&module)?;
    definition::load_wasm(&module.display().to_string(), &wasm)?;
    let interface = Interface::of(&wasm).map_err(Failure::input)?;
    let contract = contract(&interface);
    let about = About { contract, source, revision, imports: interface.imports, exports: interface.exports };
    let client = supply.client()?;
    let pushed = client.push(&reference.place, reference.tag.as_ref(), &wasm, &about).map_err(supply::failed)?;
    report::note(&format!("pushed {} bytes, the module `{}`", wasm.len(), pushed.module));
    output::text(&format!("{}\n", reference.pinned(pushed.manifest)))
}
