//! `croft publish`: the objects that make an API out of a definition.
//!
//! What they are is `host_core::publish`'s business, and sending them `kcp`'s.

mod apply;
mod changes;
mod identity;
mod print;
mod shrink;
mod workspace;

use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

use self::print::Print;
use super::{
    Global, bind,
    definition::{self, Definition},
    files::Files,
};
use host_core::{
    definition::DefinitionKind,
    fault::Fault as _,
    kinds::Kinds,
    publish::{self, Options, Publication},
};
use kcp::{Cluster, publisher::Unfinished};

use crate::report::{self, Failure};

/// Make an API out of a definition
///
/// Prints, without asking any server, the CRDs, the APIResourceSchemas (named
/// by their content: a changed definition gets new ones), the APIExport with
/// the claims that its children need, the APIBinding to hand out to consumers,
/// and the rights that the host needs in the provider's workspace. `-o provider`,
/// `-o definition` and `-o consumer` print what goes where, to be applied in
/// this order.
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
    #[arg(long, value_parser = schema_prefix)]
    pub prefix: Option<String>,
    /// The APIExport's name [default: `<plural>.<group>` of the API]
    #[arg(long, value_name = "NAME", value_parser = export_name)]
    pub export: Option<String>,
    /// The path of the provider's workspace, such as `root:provider:team`, for the binding
    #[arg(long, value_name = "PATH", value_parser = workspace_path)]
    pub workspace: Option<String>,
    /// The user that `croft run` runs as, for its rights
    #[arg(long, value_name = "USER", default_value = "croft")]
    pub host_user: String,
    /// Which module runs it
    #[command(flatten)]
    pub chosen: definition::Chosen,
    /// What to check the definition's children by
    #[command(flatten)]
    pub schemas: definition::Schemas,
    /// Whose a resource is that kcp itself does not serve: the `status.identityHash` of the APIExport that consumers
    /// bind for it; `--apply` looks it up in the provider's workspace
    #[arg(long, value_name = "RESOURCE.GROUP=HASH")]
    pub identity: Vec<identity::Given>,
    /// Let the consumers' binding that is printed accept the claims of the export
    #[arg(long)]
    pub accept_claims: bool,
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
    /// Which objects to print, and how
    #[arg(short, long, value_enum, default_value_t = Print::Yaml, value_name = "FORMAT")]
    pub output: Print,
}

fn workspace_path(text: &str) -> Result<String, &'static str> {
    bind::is_path(text).then(|| text.to_owned()).ok_or("expected the path of a workspace, such as `root:provider:team`")
}

fn export_name(text: &str) -> Result<String, &'static str> {
    let expected = "expected a name of lower-case letters, digits, `-` and `.`, such as `somethings.kro.run`";
    bind::is_name(text).then(|| text.to_owned()).ok_or(expected)
}

fn schema_prefix(text: &str) -> Result<String, &'static str> {
    let is_part = bind::is_name(text) && !text.contains('.');
    is_part.then(|| text.to_owned()).ok_or("expected lower-case letters, digits and `-`, such as `v1`")
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
  # files to keep and to apply: the provider's workspace, then the definition, then consumers'
  croft publish -f definition.yaml -o provider > provider.yaml
  croft publish -f definition.yaml -o definition > definition-pinned.yaml
  croft publish -f definition.yaml -o consumer --workspace root:provider:team > binding.yaml
  # with a Deployment among the children, which comes from an APIExport of somebody
  croft publish -f definition.yaml --identity deployments.apps=c3f5… > published.yaml";

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args {
        files,
        layout,
        prefix,
        export,
        workspace,
        host_user,
        chosen,
        schemas,
        identity,
        accept_claims,
        allow_breaking_changes,
        against,
        apply,
        timeout,
        output,
    } = args;
    definition::one_stdin(files.given().chain(&against).chain(schemas.files()))?;
    let definitions = in_order(definition::load(&files, &chosen, &schemas)?);
    if let (Some(_), [_, second, ..]) = (&export, definitions.as_slice()) {
        let hint = "leave `--export` out, or give one definition at a time";
        return Err(definition::stray(&second.document, "one export cannot have two names", hint));
    }
    alone_if_shared(&definitions, layout)?;
    let identities = identity::given(identity)?;
    let options = Options { layout: layout.into(), prefix, export, workspace, host_user, identities, accept_claims };
    if apply {
        let patience = Duration::from_secs(timeout);
        let call = apply::Call { definitions: &definitions, allow_breaking_changes, patience };
        let publications = super::block_on(call.put(global, options, output))?;
        return print::bindings(&publications, output);
    }
    let mut publications = Vec::new();
    for definition in &definitions {
        let publication = publication(definition, &definition.kinds, &options)?;
        if let Some(file) = &against {
            let allowed = changes::allowed(definition, allow_breaking_changes);
            changes::judge(&changes::in_file(file, &publication)?, &format!("`{file}`"), &publication, allowed)?;
        }
        publications.push(publication);
    }
    identity::needed(&publications, &options)?;
    let pinned = definitions.iter().map(|definition| definition.pinned()).collect();
    print::print(&publications, pinned, &options, output)
}

/// Refuses two definitions of a kind for the shared layout: the exports of both
/// would serve that kind, and kcp binds it from one only.
fn alone_if_shared(definitions: &[Definition], layout: Layout) -> Result<(), Failure> {
    let mut kinds = Vec::new();
    for definition in definitions.iter().filter(|_| layout == Layout::Shared) {
        let kind = kind_of(definition);
        if kinds.contains(&kind) {
            let message = format!("this is a second {} for the shared layout", kind.as_str());
            let hint = "publish with the split layout, or each in a workspace of its own";
            return Err(definition::stray(&definition.document, &message, hint));
        }
        kinds.push(kind);
    }
    Ok(())
}

fn kind_of(definition: &Definition) -> DefinitionKind {
    DefinitionKind::of(&definition.document.value).unwrap_or(DefinitionKind::ResourceGroup)
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

/// What stands at a path, if something does.
async fn read(cluster: &Cluster, path: &str) -> Result<Option<Value>, Failure> {
    cluster.find(path).await.map_err(|error| unfinished(error.into()))
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
    let publication = made(definition, kinds, options)?;
    for kind in &publication.guessed {
        let plural = host_core::kinds::guess(kind).plural;
        report::note(&format!(
            "the claim on {kind} assumes that its resource is named `{plural}`: this kind is not known offline"
        ));
    }
    Ok(publication)
}

fn made(definition: &Definition, kinds: &Kinds, options: &Options) -> Result<Publication, Failure> {
    publish::publish(kind_of(definition), &definition.prepared.blueprint, kinds, options).map_err(Failure::input)
}
