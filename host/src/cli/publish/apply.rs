//! `--apply`: everything into the workspace of the context, in the order in
//! which one thing needs the other.
//!
//! All of it is tried before any of it is written.

use std::time::Duration;

use serde_json::Value;

use super::{changes, identity, made, print::Print, publication, shrink, unfinished, workspace::Workspace};
use host_core::{
    object::{self, Target},
    publish::{self, Options, Publication},
};
use kcp::{
    Cluster,
    publisher::{self, Unfinished},
};

use crate::{
    cli::{self, Global, definition::Definition},
    report::{self, Failure},
};

/// What is to be published, and how.
pub(super) struct Call<'a> {
    pub(super) definitions: &'a [Definition],
    pub(super) allow_breaking_changes: bool,
    pub(super) patience: Duration,
}

impl Call<'_> {
    /// Publishes all definitions.
    pub(super) async fn put(
        &self,
        global: &Global,
        options: Options,
        form: Print,
    ) -> Result<Vec<Publication>, Failure> {
        if matches!(form, Print::Provider | Print::Definition) {
            let message = "with `--apply` there is only the consumers' binding left to print";
            return Err(Failure::input(message).hint("leave out `--apply`, or `-o provider` and `-o definition`"));
        }
        let connection = cli::connect(global).await?;
        let Some(workspace) = connection.workspace() else {
            let message = format!("the context `{}` does not point at a workspace", connection.context());
            return Err(Failure::input(message).hint("publish with a context of the provider's workspace"));
        };
        let cluster = connection.cluster().map_err(Failure::input)?;
        let options = Options { workspace: options.workspace.or(Some(workspace.clone())), ..options };
        self.try_all(&Workspace::look(&cluster, &workspace).await?, &cluster, &options).await?;
        let mut publications = Vec::new();
        for definition in self.definitions {
            // Once more: what was just published has an identity now.
            let there = Workspace::look(&cluster, &workspace).await?;
            let kinds = there.kinds(definition).await?;
            let (unnamed, former) = (made(definition, &kinds, &options)?, &[]);
            there.fits(&unnamed).await?;
            let publication = publication(definition, &kinds, &there.identified(&unnamed, &options, former)?)?;
            let export = there.export(publication.export_name());
            let former = export.map(|export| publish::former_claims(export, &publication.export)).unwrap_or_default();
            self.write(&cluster, definition, &publication, &former).await?;
            let look = shrink::Look {
                connection: &connection,
                cluster: &cluster,
                publication: &publication,
                definition: &definition.pinned(),
                api: definition.prepared.blueprint.api.kind.to_string(),
            };
            shrink::shrink(look, former).await?;
            publications.push(publication);
        }
        Ok(publications)
    }

    /// Whether all of it can be published, as far as this can be known before a
    /// part of it is.
    async fn try_all(&self, there: &Workspace<'_>, cluster: &Cluster, options: &Options) -> Result<(), Failure> {
        let mut publications = Vec::new();
        for definition in self.definitions {
            let kinds = there.kinds(definition).await?;
            publications.push(made(definition, &kinds, options)?);
        }
        identity::needed(&publications, options)?;
        // What one definition of the call makes has no identity before it is
        // published; that it will have one is all that the server asks.
        let made_here: Vec<String> = publications.iter().flat_map(Publication::served).collect();
        for (definition, unnamed) in self.definitions.iter().zip(&publications) {
            there.fits(unnamed).await?;
            let kinds = there.kinds(definition).await?;
            let publication = made(definition, &kinds, &there.identified(unnamed, options, &made_here)?)?;
            let former = there.export(publication.export_name());
            if let Some(export) = former {
                unclaimed(export, &publication)?;
                if let Some(before) = changes::published(cluster, export, &publication).await? {
                    let allowed = changes::allowed(definition, self.allow_breaking_changes);
                    changes::judge(&before, "the published API", &publication, allowed)?;
                }
            }
            rehearse(cluster, &publication, &definition.pinned(), former.is_some()).await?;
        }
        Ok(())
    }

    async fn write(
        &self,
        cluster: &Cluster,
        definition: &Definition,
        publication: &Publication,
        former: &[Value],
    ) -> Result<(), Failure> {
        for object in publication.for_provider() {
            if Some(object) == publication.provider_binding.as_ref() {
                publisher::bind(cluster, object, false, self.patience).await.map_err(unfinished)?;
                report::note(&format!("bound {} in its own workspace", publication.export_name()));
                continue;
            }
            if object == &publication.export {
                // The version in force needs what it claims until this one is.
                let export = publication.export_with(former);
                self.identity(cluster, &said(publisher::put(cluster, &export, self.patience).await)?).await?;
            } else {
                said(publisher::put(cluster, object, self.patience).await)?;
            }
        }
        said(publisher::put(cluster, &definition.pinned(), self.patience).await)?;
        Ok(())
    }

    /// Waits until kcp has given an export its identity, without which nobody can
    /// bind it and no other export can claim what it serves.
    async fn identity(&self, cluster: &Cluster, export: &Value) -> Result<(), Failure> {
        let Some(target) = Target::of(export) else { return Ok(()) };
        let has_one = |export: &Value| !object::text(export, "/status/identityHash").is_empty();
        let what = format!("the identity of {target}");
        publisher::wait(cluster, &target, &what, self.patience, has_one).await.map(drop).map_err(unfinished)
    }
}

/// Asks the server about every object before anything is written, so that
/// nothing is left half published. A binding can be asked about only once its
/// export is there.
async fn rehearse(
    cluster: &Cluster,
    publication: &Publication,
    definition: &Value,
    has_export: bool,
) -> Result<(), Failure> {
    for object in publication.for_provider().into_iter().chain([definition]) {
        if has_export || Some(object) != publication.provider_binding.as_ref() {
            publisher::rehearse(cluster, object).await.map_err(unfinished)?;
        }
    }
    Ok(())
}

fn said(put: Result<Value, Unfinished>) -> Result<Value, Failure> {
    let object = put.map_err(unfinished)?;
    let place = Target::of(&object).map(|target| target.to_string()).unwrap_or_default();
    report::note(&format!("applied {place}"));
    Ok(object)
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
