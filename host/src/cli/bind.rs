//! `croft bind`: a consumer takes a provider's API into its workspace.
//!
//! How a binding comes to hold is `kcp`'s business; here is what was asked for,
//! and what is left to do.

use std::{str::FromStr, time::Duration};

use serde_json::{Value, json};

use super::{Global, output};
use host_core::{
    claims::{self, Claims, Missing},
    object,
};
use kcp::{Connection, publisher};

use crate::report::{self, Failure};

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
    /// Change nothing: print the binding, and what the provider asks for
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait until the API is served, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub timeout: u64,
}

const EXAMPLES: &str = "\
Examples:
  # look at what the provider asks for, and change nothing
  croft bind root:provider:provider-team:greetings.kro.run --context team-1 --dry-run
  # bind it and agree to nothing
  croft bind root:provider:provider-team:greetings.kro.run --context team-1
  # agree to it
  croft bind root:provider:provider-team:greetings.kro.run --context team-1 --accept-claims";

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args { export, name, accept_claims, dry_run, timeout } = args;
    let binding = binding(&export, name.as_deref());
    if dry_run {
        return super::block_on(rehearse(global, &export, binding, accept_claims));
    }
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
    if let Some(Missing { resources, accept }) = claims.missing() {
        report::note(&format!(
            "the provider asks for rights on {}; accept with `--accept-claims`, or with: {accept}",
            resources.join(", ")
        ));
    }
}

/// Says what binding would do, and prints the binding.
async fn rehearse(global: &Global, export: &ExportRef, mut binding: Value, accept: bool) -> Result<(), Failure> {
    let connection = super::connect(global).await?;
    let consumer = connection.cluster().map_err(Failure::input)?;
    publisher::rehearse(&consumer, &binding).await.map_err(super::publish::unfinished)?;
    let before = publisher::standing(&consumer, &binding).await.map_err(super::publish::unfinished)?;
    let before = before.filter(|before| object::text(before, "/status/phase") == "Bound");
    let place = connection.workspace().map(|workspace| format!(" in `{workspace}`")).unwrap_or_default();
    let wanted = match &before {
        Some(before) => {
            report::note(&format!("`{}` of `{}` is bound{place} already", export.name, export.workspace));
            Some(Claims::of(before).wanted().to_vec())
        }
        None => {
            report::note(&format!("`{}` of `{}` would be bound{place}", export.name, export.workspace));
            claimed(&connection, export).await?
        }
    };
    let answered = before.as_ref().map(Claims::of);
    match &wanted {
        None => report::note(
            "what the provider asks for cannot be seen from here before it is bound; binding accepts none of it",
        ),
        Some(wanted) if wanted.is_empty() => report::note("the provider asks for no rights"),
        Some(wanted) => wanted.iter().for_each(|claim| report::note(&asked(claim, answered.as_ref(), accept))),
    }
    if let (true, Some(wanted)) = (accept, wanted.filter(|wanted| !wanted.is_empty())) {
        binding["spec"]["permissionClaims"] = wanted.iter().map(claims::accepted).collect();
    }
    output::objects(&[binding], output::Format::Yaml)
}

/// What the export itself claims; `None` where the consumer may not look.
async fn claimed(connection: &Connection, export: &ExportRef) -> Result<Option<Vec<Value>>, Failure> {
    let Some(provider) = connection.beside(&export.workspace).map_err(Failure::input)? else { return Ok(None) };
    match provider.find(&format!("/apis/apis.kcp.io/v1alpha2/apiexports/{}", export.name)).await {
        Ok(Some(export)) => {
            Ok(Some(export.pointer("/spec/permissionClaims").and_then(Value::as_array).cloned().unwrap_or_default()))
        }
        Err(error) if error.code() != Some(403) => Err(super::publish::unfinished(error.into())),
        _ => Ok(None),
    }
}

/// A line about one claim.
fn asked(claim: &Value, answered: Option<&Claims>, accept: bool) -> String {
    let missing = |claims: &Claims| claims.missing().map(|missing| missing.resources).unwrap_or_default();
    let is_accepted = answered.is_some_and(|claims| !missing(claims).contains(&claims::resource_of(claim)));
    let answer = match (is_accepted, accept) {
        (true, _) => "accepted",
        (_, true) => "would be accepted",
        (_, false) => "not accepted without `--accept-claims`",
    };
    let verbs: Vec<&str> = claim["verbs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!("the provider asks for rights on {}: {}; {answer}", claims::resource_of(claim), verbs.join(", "))
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
        let (workspace, name) = text.rsplit_once(':').ok_or(InvalidExportRef)?;
        if is_path(workspace) && is_name(name) {
            Ok(ExportRef { workspace: workspace.to_owned(), name: name.to_owned() })
        } else {
            Err(InvalidExportRef)
        }
    }
}

/// Whether a text is the path of a workspace, such as `root:provider:team`.
pub(super) fn is_path(text: &str) -> bool {
    text.split(':').all(is_name)
}

/// Whether a text is made of the letters that a name may have.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    !text.is_empty() && text.chars().all(fits)
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
