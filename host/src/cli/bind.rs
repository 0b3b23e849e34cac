//! `croft bind`: a consumer takes a provider's API into its workspace.
//!
//! How a binding comes to hold is `kcp`'s business; here is what was asked for,
//! and what is left to do.

use std::{str::FromStr, time::Duration};

use serde_json::{Value, json};

use super::Global;
use crate::{
    claims::Claims,
    kcp::publisher,
    report::{self, Failure},
};

/// Bind a provider's API in the consumer's workspace
///
/// Makes the APIBinding in the workspace of the current context (or
/// `--context`) and waits until the API is served. The export may claim rights
/// on other resources of the workspace, which the provider's children need:
/// they are shown, and accepted only with `--accept-claims`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The export with the path of its workspace, such as `root:provider:team:somethings.kro.run`
    #[arg(value_name = "WORKSPACE:EXPORT")]
    pub export: ExportRef,
    /// The binding's name [default: the export's]
    #[arg(long)]
    pub name: Option<String>,
    /// Let the provider have what its export claims
    #[arg(long)]
    pub accept_claims: bool,
    /// How long to wait until the API is served, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
}

const EXAMPLES: &str = "\
Examples:
  # look at what the provider asks for
  croft bind root:provider:provider-team:greetings.kro.run --context team-1
  # agree to it
  croft bind root:provider:provider-team:greetings.kro.run --context team-1 --accept-claims";

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args { export, name, accept_claims, timeout } = args;
    let binding = binding(&export, name.as_deref());
    let claims = super::block_on(async {
        let consumer = super::connect(global).await?.cluster().map_err(Failure::input)?;
        let patience = Duration::from_secs(timeout);
        publisher::bind(&consumer, &binding, accept_claims, patience).await.map_err(|error| unfinished(error, &export))
    })?;
    say(&export, &claims);
    Ok(())
}

/// A binding that does not come about is most often one of an export that is
/// not there.
fn unfinished(error: publisher::Unfinished, export: &ExportRef) -> Failure {
    let late = matches!(error, publisher::Unfinished::Late { .. });
    let failure = super::publish::unfinished(error);
    if !late {
        return failure;
    }
    let ExportRef { workspace, name } = export;
    failure.hint(format!("is there an APIExport `{name}` in the workspace `{workspace}`, and may you bind it?"))
}

/// What is bound, and which claims wait for an answer.
fn say(export: &ExportRef, claims: &Claims) {
    let place = match claims.workspace() {
        "" => String::new(),
        workspace => format!(" in `{workspace}`"),
    };
    report::note(&format!("`{}` of `{}` is bound{place}", export.name, export.workspace));
    for (resource, accept) in claims.open() {
        report::note(&format!(
            "the provider asks for rights on {resource}; accept with `--accept-claims`, or with: {accept}"
        ));
    }
}

/// An export, named with the path of its workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRef {
    /// The workspace's path.
    pub workspace: String,
    /// The export's name.
    pub name: String,
}

/// A text names no export.
#[derive(Debug, thiserror::Error)]
#[error(
    "expected the path of a workspace, `:` and the name of an export, such as `root:provider:team:somethings.kro.run`"
)]
pub struct InvalidExportRef;

impl FromStr for ExportRef {
    type Err = InvalidExportRef;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        let (workspace, name) = text.rsplit_once(':').ok_or(InvalidExportRef)?;
        let is_path = workspace.split(':').all(|part| !part.is_empty() && part.chars().all(fits));
        if is_path && !name.is_empty() && name.chars().all(fits) {
            Ok(ExportRef { workspace: workspace.to_owned(), name: name.to_owned() })
        } else {
            Err(InvalidExportRef)
        }
    }
}

/// The binding without any claim accepted.
pub fn binding(export: &ExportRef, name: Option<&str>) -> Value {
    json!({
        "apiVersion": "apis.kcp.io/v1alpha2",
        "kind": "APIBinding",
        "metadata": {"name": name.unwrap_or(&export.name)},
        "spec": {"reference": {"export": {"path": export.workspace, "name": export.name}}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_named_with_its_workspace() {
        let export: ExportRef = "root:provider:team:somethings.kro.run".parse().unwrap();
        assert_eq!((export.workspace.as_str(), export.name.as_str()), ("root:provider:team", "somethings.kro.run"));
        assert_eq!(binding(&export, None)["metadata"]["name"], "somethings.kro.run");
        assert_eq!(binding(&export, Some("mine"))["metadata"]["name"], "mine");
        for bad in ["", "somethings.kro.run", ":x", "root:", "root::x", "Root:x", "root:x/y"] {
            assert!(bad.parse::<ExportRef>().is_err(), "{bad}");
        }
    }
}
