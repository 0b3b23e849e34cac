//! `croft module sign`: says with a key that a module is what it should be.

use std::path::PathBuf;

use host_core::oci::OciRef;
use registry::signature;

use crate::{
    cli::{
        keys, output,
        supply::{self, Supply},
    },
    report::{self, Failure},
};

/// Sign a module in a registry
///
/// Signs the digest of the module's manifest and puts the signature beside it, as a
/// bundle in Sigstore's format 0.3, which `cosign verify` reads too. Prints the
/// reference that was signed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which, with its digest: a tag may name something else by now
    #[arg(value_name = "REFERENCE")]
    reference: OciRef,
    /// The private key: ECDSA on P-256 or Ed25519 in PEM, or a `cosign.key`
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    supply: Supply,
}

const EXAMPLES: &str = "\
Examples:
  # a key, its public part, and a signature
  openssl genpkey -algorithm ed25519 -out release.key
  openssl pkey -in release.key -pubout -out release.pub
  croft module sign oci://registry.example.org/team/greeting@sha256:4f0b… --key release.key
  # with a key of cosign's; $COSIGN_PASSWORD has its password, or it is asked for
  croft module sign oci://registry.example.org/team/greeting@sha256:4f0b… --key cosign.key";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { reference, key, supply } = args;
    let key = keys::private(&key)?;
    let shelf = supply.own_shelf()?;
    let digest = shelf.client().resolve(&reference).map_err(supply::failed)?;
    let pinned = reference.pinned(digest.clone());
    if reference.digest.is_none() {
        report::note(&format!("what the tag names now is signed: `{digest}`"));
    }
    // What is signed is there, and is a module.
    shelf.fetch(&pinned).map_err(supply::failed)?;
    let bundle = signature::sign(&digest, &key);
    shelf.client().push_bundle(&reference.place, &digest, &bundle).map_err(supply::failed)?;
    report::note(&format!("signed by the key `{}`", key.public().hint()));
    output::text(&format!("{pinned}\n"))
}
