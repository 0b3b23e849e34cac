//! What publishing a definition anew changes for those who use its API, and the
//! refusal to break them unless told to.
//!
//! What breaks is `host_core::compat`'s to say.

use host_core::{
    compat::{self, Change},
    object,
    publish::Publication,
};
use kcp::Cluster;
use serde_json::Value;

use crate::{
    cli::{definition::Definition, files},
    report::{self, Failure},
};

/// kro's annotation by which a definition may break its API.
const ALLOW_ANNOTATION: &str = "kro.run/allow-breaking-changes";
/// croft's own record, which no client of the API counts on.
const RECORD: &str = "status.croft";

/// Whether those who publish take it on themselves to break consumers.
pub(super) fn allowed(definition: &Definition, flag: bool) -> bool {
    flag || object::annotation(&definition.document.value, ALLOW_ANNOTATION) == Some("true")
}

/// The APIResourceSchema by which an export serves the API of a publication now.
pub(super) async fn published(
    cluster: &Cluster,
    export: &Value,
    publication: &Publication,
) -> Result<Option<Value>, Failure> {
    let after = api(publication);
    let (group, plural) = (object::text(after, "/group"), object::text(after, "/names/plural"));
    let resources = export.pointer("/spec/resources").and_then(Value::as_array).into_iter().flatten();
    let mut serving = resources.filter(|resource| resource["group"] == group && resource["name"] == plural);
    let Some(name) = serving.next().map(|resource| object::text(resource, "/schema")) else {
        return Ok(None);
    };
    super::read(cluster, &format!("/apis/apis.kcp.io/v1alpha1/apiresourceschemas/{name}")).await
}

/// An earlier version of the API: a CRD or an APIResourceSchema in a file, such
/// as `croft publish` printed.
pub(super) fn in_file(file: &str, publication: &Publication) -> Result<Value, Failure> {
    let named = |api: &Value| (object::text(api, "/group").to_owned(), object::text(api, "/names/kind").to_owned());
    let wanted = named(api(publication));
    let mut objects = files::read_all(&[file.to_owned()])?.into_iter().map(|document| document.value);
    let former = objects.find(|object| compat::api_of(object).map(named).as_ref() == Some(&wanted));
    former.ok_or_else(|| {
        let (group, kind) = &wanted;
        Failure::input(format!("`{file}` holds no version of the API `{kind}.{group}`"))
            .hint("give its CRD, its APIResourceSchema, or what `croft publish` printed")
    })
}

/// Says what changes against an object that describes the API, and refuses what
/// breaks unless that is allowed. `source` is where the object comes from.
pub(super) fn judge(before: &Value, source: &str, publication: &Publication, allowed: bool) -> Result<(), Failure> {
    let after = api(publication);
    let changes = compat::compare_crds(compat::api_of(before).unwrap_or(&Value::Null), after);
    let (breaking, harmless): (Vec<Change>, Vec<Change>) =
        changes.into_iter().filter(|change| !is_of_record(&change.path)).partition(|change| change.breaking);
    if breaking.is_empty() && harmless.is_empty() {
        report::note(&format!("nothing changes for consumers, compared with {source}"));
        return Ok(());
    }
    for change in &harmless {
        report::note(&format!("changes for consumers: {change}"));
    }
    for change in &breaking {
        report::note(&broken(change, allowed));
    }
    if breaking.is_empty() || allowed {
        return Ok(());
    }
    let (kind, group) = (object::text(after, "/names/kind"), object::text(after, "/group"));
    let message = format!("breaking changes detected in `{kind}.{group}`: {}, compared with {source}", breaking.len());
    let hint = format!(
        "break consumers nevertheless with `--allow-breaking-changes` or, on the definition, the annotation \
         `{ALLOW_ANNOTATION}: \"true\"`"
    );
    Err(Failure::input(message).hint(hint))
}

/// One line about a change that breaks, with what would not, unless it is wanted.
fn broken(change: &Change, allowed: bool) -> String {
    match (change.hint, allowed) {
        (_, true) => format!("breaks consumers, as allowed: {change}"),
        (Some(hint), false) => format!("breaks consumers: {change}; {hint}"),
        (None, false) => format!("breaks consumers: {change}"),
    }
}

fn is_of_record(path: &str) -> bool {
    path.strip_prefix(RECORD).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

/// The API that is being published. A definition's own kind may be published
/// with it, and comes after it.
fn api(publication: &Publication) -> &Value {
    publication.schemas.first().and_then(compat::api_of).unwrap_or(&Value::Null)
}
