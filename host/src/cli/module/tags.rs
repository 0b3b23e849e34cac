//! `croft module tags`: what there is of a module.

use host_core::{name::Digest, oci::OciRef};

use crate::{
    cli::{
        output,
        supply::{self, Supply},
    },
    report::Failure,
};

/// List the tags of a module in a registry
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where, such as `oci://registry.example.org/team/greeting`
    #[arg(value_name = "REFERENCE")]
    reference: OciRef,
    #[command(flatten)]
    supply: Supply,
}

const EXAMPLES: &str = "\
Examples:
  croft module tags oci://registry.example.org/team/greeting";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { reference, supply } = args;
    let tags = supply.client()?.tags(&reference.place).map_err(supply::failed)?;
    // Those that stand in for the API of referrers name nobody's version.
    let names = tags.iter().filter(|tag| tag.as_str().replacen('-', ":", 1).parse::<Digest>().is_err());
    output::text(&names.map(|tag| format!("{tag}\n")).collect::<String>())
}
