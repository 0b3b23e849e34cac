//! `croft publish`: the objects that make an API out of a definition.
//!
//! What they are is `crate::publish`'s business, and sending them `kcp`'s.

mod changes;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ValueEnum;
use serde_json::Value;

use super::{
    Global,
    definition::{self, Definition},
    files::Files,
    output,
};
use crate::{
    definition::DefinitionKind,
    fault::Fault as _,
    kcp::{
        Cluster,
        publisher::{self, Unfinished},
    },
    kinds::Kinds,
    object::Target,
    publish::{self, Options, Publication},
    report::{self, Failure},
};

/// Make an API out of a definition
///
/// Prints, without asking any server, the CRDs, the APIResourceSchemas (named
/// by their content: a changed definition gets new ones), the APIExport with
/// the claims that its children need, the APIBinding to hand out to consumers,
/// and the rights that the host needs in the provider's workspace.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where the definitions are
    #[command(flatten)]
    pub files: Files,
    /// Where definitions live
    #[arg(long, value_enum, default_value_t = Layout::Split)]
    pub layout: Layout,
    /// The first part of the schemas' names [default: made from their content]
    #[arg(long)]
    pub prefix: Option<String>,
    /// The APIExport's name [default: `<plural>.<group>` of the API]
    #[arg(long, value_name = "NAME")]
    pub export: Option<String>,
    /// The path of the provider's workspace, such as `root:provider:team`, for the binding
    #[arg(long, value_name = "PATH")]
    pub workspace: Option<String>,
    /// The user that `croft run` runs as, for its rights
    #[arg(long, value_name = "USER", default_value = "croft")]
    pub host_user: String,
    /// A module to use instead of the one that the definition names
    #[arg(long, value_name = "FILE")]
    pub module: Option<PathBuf>,
    /// What to check the definition's children by
    #[command(flatten)]
    pub schemas: definition::Schemas,
    /// Let consumers break: publish also where their instances or clients may fail
    #[arg(long)]
    pub allow_breaking_changes: bool,
    /// A file with an earlier version of the API to compare with; `--apply` compares with the published one
    #[arg(long, value_name = "FILE", conflicts_with = "apply")]
    pub against: Option<String>,
    /// Put the objects and the definition into the provider's workspace, and wait until they hold
    #[arg(long)]
    pub apply: bool,
    /// How long to wait with `--apply`, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "apply")]
    pub timeout: u64,
    /// How to print the objects
    #[arg(short, long, value_enum, default_value_t = output::Format::Yaml, value_name = "FORMAT")]
    pub output: output::Format,
}

/// Where definitions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// In the provider's workspace; the export serves the API alone, so that consumers can bind any number of such exports
    Split,
    /// In the export itself, beside the API; a consumer can bind only one such export
    Shared,
}

impl From<Layout> for publish::Layout {
    fn from(layout: Layout) -> publish::Layout {
        match layout {
            Layout::Split => publish::Layout::Split,
            Layout::Shared => publish::Layout::Shared,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  # look at what would be published
  croft publish -f definition.yaml
  # publish it in the provider's workspace
  croft publish -f definition.yaml --context provider-team --apply
  # what a new version would change for those who use the former one
  croft publish -f definition.yaml --against published.yaml > /dev/null
  # only the binding, for the consumers
  croft publish -f definition.yaml --workspace root:provider:team -o json \\
    | jq '.items[] | select(.kind == \"APIBinding\")'";

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args {
        files,
        layout,
        prefix,
        export,
        workspace,
        host_user,
        module,
        schemas,
        allow_breaking_changes,
        against,
        apply,
        timeout,
        output,
    } = args;
    definition::one_stdin(files.given().chain(&against).chain(schemas.files()))?;
    let definitions = in_order(definition::load(&files, module.as_deref(), &schemas)?);
    if let (Some(_), [_, second, ..]) = (&export, definitions.as_slice()) {
        let hint = "leave `--export` out, or give one definition at a time";
        return Err(definition::stray(&second.document, "one export cannot have two names", hint));
    }
    let options = Options { layout: layout.into(), prefix, export, workspace, host_user };
    if apply {
        let patience = Duration::from_secs(timeout);
        for definition in &definitions {
            let allowed = changes::allowed(definition, allow_breaking_changes);
            let put = put(global, definition, module.as_deref(), options.clone(), allowed, patience, output);
            super::block_on(put)?;
        }
        return Ok(());
    }
    let mut objects = Vec::new();
    for definition in &definitions {
        let publication = publication(definition, &definition.kinds, &options)?;
        if let Some(file) = &against {
            let allowed = changes::allowed(definition, allow_breaking_changes);
            changes::judge(&changes::in_file(file, &publication)?, &format!("`{file}`"), &publication, allowed)?;
        }
        objects.extend(publication.objects());
    }
    if options.workspace.is_none() {
        report::note(
            "the APIBinding names no workspace: give the provider's with `--workspace`, such as \
             `--workspace root:provider:team`",
        );
    }
    output::objects(&objects, output)
}

/// The definitions, each after those whose APIs its children are of: a claim on an
/// API takes its export. Those that go round in a circle stay as they are.
fn in_order(mut definitions: Vec<Definition>) -> Vec<Definition> {
    let mut ordered: Vec<Definition> = Vec::new();
    while !definitions.is_empty() {
        let apis: Vec<_> = definitions.iter().map(|it| it.prepared.blueprint.api.kind.clone()).collect();
        let waits = |it: &Definition| {
            let blueprint = &it.prepared.blueprint;
            blueprint.kinds.iter().any(|used| used.kind != blueprint.api.kind && apis.contains(&used.kind))
        };
        let next = definitions.iter().position(|it| !waits(it)).unwrap_or(0);
        ordered.push(definitions.remove(next));
    }
    ordered
}

/// Puts everything into the workspace of the context, in the order in which one
/// thing needs the other, and prints the consumers' binding.
async fn put(
    global: &Global,
    definition: &Definition,
    module: Option<&Path>,
    options: Options,
    allowed: bool,
    patience: Duration,
    format: output::Format,
) -> Result<(), Failure> {
    let connection = super::connect(global).await?;
    let Some(workspace) = connection.workspace() else {
        let message = format!("the context `{}` does not point at a workspace", connection.context());
        return Err(Failure::input(message).hint("publish with a context of the provider's workspace"));
    };
    let options = Options { workspace: options.workspace.or(Some(workspace)), ..options };
    let cluster = connection.cluster().map_err(Failure::input)?;
    let publication = publication(definition, &definition.kinds, &options)?;
    let name = publication.export_name();
    if let Some(export) = read(&cluster, &format!("/apis/apis.kcp.io/v1alpha2/apiexports/{name}")).await? {
        unclaimed(&export, &publication)?;
        if let Some(before) = changes::published(&cluster, &export, &publication).await? {
            changes::judge(&before, "the published API", &publication, allowed)?;
        }
    }
    publisher::rehearse(&cluster, &definition.pinned(module)).await.map_err(unfinished)?;
    let Publication { crds, schemas, export, provider_binding, rbac, .. } = &publication;
    // With the split layout definitions are a CRD here; with the shared one the
    // export serves them.
    let groups = crds.iter().skip(1).filter(|_| provider_binding.is_none());
    for object in groups.chain(schemas).chain([export]).chain(rbac) {
        said(publisher::put(&cluster, object, patience).await)?;
    }
    if let Some(binding) = provider_binding {
        publisher::bind(&cluster, binding, false, patience).await.map_err(unfinished)?;
        report::note(&format!("bound {} in its own workspace", publication.export_name()));
    }
    said(publisher::put(&cluster, &definition.pinned(module), patience).await)?;
    output::objects(std::slice::from_ref(&publication.consumer_binding), format)
}

fn said(put: Result<Value, Unfinished>) -> Result<(), Failure> {
    let object = put.map_err(unfinished)?;
    let place = Target::of(&object).map(|target| target.to_string()).unwrap_or_default();
    report::note(&format!("applied {place}"));
    Ok(())
}

/// What stands at a path, if something does.
async fn read(cluster: &Cluster, path: &str) -> Result<Option<Value>, Failure> {
    cluster.find(path).await.map_err(|error| unfinished(error.into()))
}

/// Refuses to take an API out of an export that serves others already: their
/// objects would be out of everybody's reach.
fn unclaimed(export: &Value, publication: &Publication) -> Result<(), Failure> {
    let lost = publish::lost(export, &publication.export);
    if lost.is_empty() {
        return Ok(());
    }
    let (name, lost) = (publication.export_name(), lost.join(", "));
    let message = format!("the export `{name}` serves {lost} too, which this definition does not have");
    Err(Failure::input(message).hint("publish under another name with `--export`, or delete that export first"))
}

/// What a request or a wait that failed comes to.
pub(super) fn unfinished(error: Unfinished) -> Failure {
    match error {
        Unfinished::Request(error) => {
            let hint = error.hint();
            hint.into_iter().fold(Failure::new(error.blame(), error), Failure::hint)
        }
        other => Failure::host(other),
    }
}

/// What publishing a definition comes to. `kinds` are those that a server was
/// asked about; what had to be guessed is said on stderr.
///
/// # Errors
/// The definition cannot be published.
pub fn publication(definition: &Definition, kinds: &Kinds, options: &Options) -> Result<Publication, Failure> {
    let blueprint = &definition.prepared.blueprint;
    let kind = DefinitionKind::of(&definition.document.value).unwrap_or(DefinitionKind::ResourceGroup);
    let publication = publish::publish(kind, blueprint, kinds, options).map_err(Failure::input)?;
    for kind in &publication.guessed {
        let plural = crate::kinds::guess(kind).plural;
        report::note(&format!(
            "the claim on {kind} assumes that its resource is named `{plural}`: this kind is not known offline"
        ));
    }
    Ok(publication)
}
