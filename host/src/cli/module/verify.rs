//! `croft module verify`: whether a module is signed by a key, or would run under a
//! policy.

use std::path::PathBuf;

use host_core::{definition::ModuleRef, oci::OciRef};

use crate::{
    cli::{
        keys, output,
        supply::{self, Policy, Supply},
    },
    gate,
    report::Failure,
};

/// Tell whether a module is signed
///
/// With `--key` one of the keys must have signed it. With `--module-policy` the
/// policy decides, as it does in a host. Prints the reference with its digest.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which
    #[arg(value_name = "REFERENCE")]
    reference: OciRef,
    /// A public key in PEM; one of several is enough
    #[arg(long, value_name = "FILE", required_unless_present = "module_policy")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    policy: Policy,
    #[command(flatten)]
    supply: Supply,
}

const EXAMPLES: &str = "\
Examples:
  # by a key
  croft module verify oci://registry.example.org/team/greeting:v1 --key release.pub
  # as a host would decide
  croft module verify oci://registry.example.org/team/greeting:v1 --module-policy policy.yaml";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { reference, key, policy, supply } = args;
    let keys = key.iter().map(|file| keys::public(file)).collect::<Result<Vec<_>, _>>()?;
    let gate = policy.gate()?;
    let shelf = supply.own_shelf()?;
    gate.may_fetch(&ModuleRef::Oci(reference.clone())).map_err(supply::refused)?;
    let digest = shelf.client().resolve(&reference).map_err(supply::failed)?;
    let pinned = reference.pinned(digest);
    let fetched = shelf.fetch(&pinned).map_err(supply::failed)?;
    gate.admit(&ModuleRef::Oci(pinned.clone()), &fetched.module, &shelf).map_err(supply::refused)?;
    if !keys.is_empty() {
        let found = gate::signed_by(&pinned, keys, &shelf).map_err(supply::failed)?;
        if found.verified.is_empty() {
            let files: Vec<String> = key.iter().map(|file| format!("`{}`", file.display())).collect();
            let there = match found.others.as_slice() {
                [] => "there is no signature".to_owned(),
                others => format!("what there is does not do: {}", others.join("; ")),
            };
            let message = format!("`{pinned}` is not signed by {}: {there}", files.join(" or "));
            return Err(Failure::input(message).hint("sign it with `croft module sign`, or give the other key"));
        }
    }
    output::text(&format!("{pinned}\n"))
}
