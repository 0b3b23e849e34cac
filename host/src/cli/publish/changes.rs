//! What publishing a definition again changes for those who use its API, and the
//! refusal to break them unless told.
//!
//! What breaks is `crate::compat`'s to say.

use serde_json::Value;

use crate::{
    cli::definition::{self, Definition},
    compat::{self, Change},
    kcp::Cluster,
    object,
    publish::Publication,
    report::{self, Failure},
};

/// kro's annotation that lets a definition break its API.
const ALLOW_ANNOTATION: &str = "kro.run/allow-breaking-changes";

/// Whether those who publish take it on themselves to break consumers.
pub(super) fn allowed(definition: &Definition, flag: bool) -> bool {
    flag || object::annotation(&definition.document.value, ALLOW_ANNOTATION) == Some("true")
}

/// The API that is published now under the same export, if there is one.
pub(super) async fn published(cluster: &Cluster, publication: &Publication) -> Result<Option<Value>, Failure> {
    let Some(schema) = publication.schemas.first() else { return Ok(None) };
    let name = publication.export_name();
    let path = format!("/apis/apis.kcp.io/v1alpha2/apiexports/{name}");
    let Some(export) = read(cluster, &path).await? else { return Ok(None) };
    let resources = export.pointer("/spec/resources").and_then(Value::as_array).into_iter().flatten();
    let (group, plural) = (&schema["spec"]["group"], &schema["spec"]["names"]["plural"]);
    let mut same = resources.filter(|resource| resource["group"] == *group && resource["name"] == *plural);
    let Some(before) = same.next().map(|resource| object::text(resource, "/schema").to_owned()) else {
        return Ok(None);
    };
    read(cluster, &format!("/apis/apis.kcp.io/v1alpha1/apiresourceschemas/{before}")).await
}

async fn read(cluster: &Cluster, path: &str) -> Result<Option<Value>, Failure> {
    match cluster.read(path).await {
        Ok(object) => Ok(Some(object)),
        Err(error) if error.code() == Some(404) => Ok(None),
        Err(error) => Err(super::unfinished(error.into())),
    }
}

/// The API in a file: a CRD, an APIResourceSchema, or what `croft publish`
/// printed.
pub(super) fn in_file(file: &str, publication: &Publication) -> Result<Value, Failure> {
    let wanted = publication.schemas.first().map_or(&Value::Null, |schema| &schema["spec"]);
    let documents = definition::read(&[file.to_owned()])?;
    let is_api = |document: &Value| {
        compat::api_of(document)
            .is_some_and(|api| api["group"] == wanted["group"] && api["names"]["kind"] == wanted["names"]["kind"])
    };
    documents.into_iter().map(|document| document.value).find(is_api).ok_or_else(|| {
        let (group, kind) = (object::text(wanted, "/group"), object::text(wanted, "/names/kind"));
        Failure::input(format!("`{file}` has no API of the kind {kind}.{group}"))
            .hint("give its CRD, its APIResourceSchema, or what `croft publish` printed for an earlier version")
    })
}

/// Says what changes, and refuses what breaks unless that is allowed.
pub(super) fn judge(before: &Value, publication: &Publication, allowed: bool) -> Result<(), Failure> {
    let after = publication.schemas.first().map_or(&Value::Null, |schema| &schema["spec"]);
    let Some(before) = compat::api_of(before) else { return Ok(()) };
    // croft's own record is no field of the definition's.
    let ours = |change: &Change| change.path.starts_with("status.croft");
    let mut changes = compat::compare_apis(before, after);
    changes.retain(|change| !ours(change));
    let breaking: Vec<&Change> = changes.iter().filter(|change| change.breaking).collect();
    if changes.is_empty() {
        report::note("the API is the one that is published already");
        return Ok(());
    }
    let lines = |changes: &[&Change]| changes.iter().map(|change| format!("{change}")).collect::<Vec<_>>();
    let harmless: Vec<&Change> = changes.iter().filter(|change| !change.breaking).collect();
    lines(&harmless).iter().for_each(|line| report::note(&format!("changes for consumers: {line}")));
    if breaking.is_empty() {
        return Ok(());
    }
    if allowed {
        lines(&breaking).iter().for_each(|line| report::note(&format!("breaks consumers, as allowed: {line}")));
        return Ok(());
    }
    lines(&breaking).iter().for_each(|line| report::note(&format!("breaks consumers: {line}")));
    let count = breaking.len();
    let message = format!("breaking changes detected: {count}; instances and clients of the present version may fail");
    Err(Failure::input(message).hint(format!(
        "serve it as a new version, or allow it with `--allow-breaking-changes` or the annotation `{ALLOW_ANNOTATION}: \"true\"`"
    )))
}
