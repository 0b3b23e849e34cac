//! From a definition to the objects that publish it: what goes into the
//! provider's workspace, what the consumer binds, and the host's rights.
//!
//! It makes objects and sends none.

mod layout;
mod record;
mod shrink;

use std::collections::BTreeMap;

use contract::{Access, Blueprint, Gvk};
use serde_json::{Value, json};

use crate::{
    canonical,
    claims::{self, MANAGE_VERBS, READ_VERBS},
    definition::DefinitionKind,
    identity::Identities,
    kinds::{self, Kinds},
    name::Digest,
    object,
};

pub use layout::{Misfit, misfit};
pub use shrink::former_claims;

/// The CustomResourceDefinition of `resourcegroups.kro.run`, with `spec.module`.
const RESOURCE_GROUP_CRD: &str = include_str!("publish/resourcegroups.json");
/// The same of `resourcegraphdefinitions.kro.run`.
const RESOURCE_GRAPH_CRD: &str = include_str!("publish/resourcegraphdefinitions.json");
/// The same of `compositions.croft.run`.
const COMPOSITION_CRD: &str = include_str!("publish/compositions.json");

/// Where definitions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The export serves the API alone; definitions are a CRD in the provider's
    /// own workspace. A consumer can bind any number of such exports.
    Split,
    /// One export serves the API and the definition's own kind, such as
    /// `resourcegroups`. A consumer can bind one such export: kcp refuses a
    /// second that serves the same resource.
    Shared,
}

/// How to publish.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where definitions live.
    pub layout: Layout,
    /// The first part of the schemas' names; by default made from their
    /// content, so that new content gets a new name.
    pub prefix: Option<String>,
    /// The export's name; by default `<plural>.<group>`.
    pub export: Option<String>,
    /// The provider's workspace path, such as `root:provider:team`, for the
    /// bindings.
    pub workspace: Option<String>,
    /// The user that the host runs as, for RBAC.
    pub host_user: String,
    /// Whose the claimed resources are, as far as it is known.
    pub identities: Identities,
    /// Whether the consumers' binding accepts the claims.
    pub accept_claims: bool,
}

/// The objects, in the order in which they are applied.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The API's CRD and, in the provider's workspace with the split layout,
    /// that of the definition's own kind.
    pub crds: Vec<Value>,
    /// One for every resource that the export serves.
    pub schemas: Vec<Value>,
    /// The export.
    pub export: Value,
    /// The provider's own binding, in the shared layout: without it the
    /// definitions do not show in the virtual workspace.
    pub provider_binding: Option<Value>,
    /// The binding to hand out. It accepts claims only where that was asked for.
    pub consumer_binding: Value,
    /// ClusterRole and ClusterRoleBinding for the host.
    pub rbac: Vec<Value>,
    /// Kinds whose plural was guessed, because neither a server nor the table
    /// of built-in kinds knows them.
    pub guessed: Vec<Gvk>,
    /// Claimed resources that are somebody's, and nobody said whose: kcp refuses
    /// the export.
    pub unidentified: Vec<String>,
}

/// A definition that cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The status field is taken.
    #[error("the API's status has a field `croft`, which croft keeps its record in")]
    StatusFieldTaken,
    /// The status has a field that croft writes, of another type.
    #[error(
        "the API's status has a field `{field}` that is of type {found}, and croft writes one of type {wanted} there"
    )]
    StatusFieldOfAnotherType {
        /// The field, below `status`.
        field: String,
        /// Its type.
        found: String,
        /// The type of what croft writes.
        wanted: &'static str,
    },
    /// The module's CRD is not one.
    #[error("the module's CustomResourceDefinition has no `{0}`")]
    MalformedCrd(&'static str),
}

impl Publication {
    /// All objects in the order of the documentation: CRDs, schemas, export,
    /// bindings, RBAC.
    pub fn objects(&self) -> Vec<Value> {
        let mut objects = self.crds.clone();
        objects.extend(self.schemas.iter().cloned());
        objects.push(self.export.clone());
        objects.extend(self.provider_binding.iter().cloned());
        objects.push(self.consumer_binding.clone());
        objects.extend(self.rbac.iter().cloned());
        objects
    }

    /// What the provider's workspace needs before the definition, in order. The
    /// API's own CRD is not among it: there it would stand in the way of a
    /// binding of the API.
    pub fn for_provider(&self) -> Vec<&Value> {
        // With the shared layout definitions are served by the export.
        let definitions = self.crds.iter().skip(1).filter(|_| self.provider_binding.is_none());
        definitions.chain(&self.schemas).chain([&self.export]).chain(&self.rbac).chain(&self.provider_binding).collect()
    }

    /// The export with claims of a former version beside its own.
    pub fn export_with(&self, former: &[Value]) -> Value {
        shrink::widened(&self.export, former)
    }

    /// What the export claims.
    pub fn claims(&self) -> &[Value] {
        self.export.pointer("/spec/permissionClaims").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The resources that the export serves, such as `webs.kro.run`.
    pub fn served(&self) -> Vec<String> {
        served(&self.export)
    }

    /// The export's name.
    pub fn export_name(&self) -> &str {
        object::text(&self.export, "/metadata/name")
    }
}

/// Makes the objects that publish a definition of a kind.
///
/// # Errors
/// The module's CRD is not one, or takes a field that is croft's.
pub fn publish(
    definition: DefinitionKind,
    blueprint: &Blueprint,
    kinds: &Kinds,
    options: &Options,
) -> Result<Publication, Error> {
    let definitions_crd = definition_crd(definition);
    let mut schemas = vec![schema(&record::with_record(&blueprint.api.crd)?, options)?];
    if options.layout == Layout::Shared {
        schemas.push(schema(&definitions_crd, options)?);
    }
    let Claimed { claims, guessed } = permission_claims(blueprint, kinds, &options.identities);
    let export = export(&schemas, &claims, blueprint, options);
    let name = object::text(&export, "/metadata/name").to_owned();
    let shared = options.layout == Layout::Shared;
    Ok(Publication {
        crds: vec![blueprint.api.crd.clone(), definitions_crd],
        schemas,
        provider_binding: shared.then(|| binding(&name, &[], options)),
        consumer_binding: binding(&name, if options.accept_claims { &claims } else { &[] }, options),
        rbac: rbac(&name, options),
        unidentified: foreign(&claims)
            .filter(|claim| claim.get("identityHash").is_none())
            .map(claims::resource_of)
            .collect(),
        export,
        guessed,
    })
}

/// The CRD of a kind of definitions, as croft publishes it.
pub fn definition_crd(kind: DefinitionKind) -> Value {
    let text = match kind {
        DefinitionKind::ResourceGroup => RESOURCE_GROUP_CRD,
        DefinitionKind::ResourceGraphDefinition => RESOURCE_GRAPH_CRD,
        DefinitionKind::Composition => COMPOSITION_CRD,
    };
    serde_json::from_str(text).expect("the embedded CRD is JSON: a test reads it")
}

fn served(export: &Value) -> Vec<String> {
    let resources = export.pointer("/spec/resources").and_then(Value::as_array).into_iter().flatten();
    resources.map(|r| claims::group_resource(object::text(r, "/group"), object::text(r, "/name"))).collect()
}

/// The resources that an export serves and a new version of it would not.
pub fn lost(before: &Value, after: &Value) -> Vec<String> {
    let kept = served(after);
    served(before).into_iter().filter(|resource| !kept.contains(resource)).collect()
}

/// A CRD as kcp's APIResourceSchema. Such an object never changes, so its name
/// is made from its content.
fn schema(crd: &Value, options: &Options) -> Result<Value, Error> {
    let spec = crd.get("spec").ok_or(Error::MalformedCrd("spec"))?;
    let versions = spec.get("versions").and_then(Value::as_array).ok_or(Error::MalformedCrd("spec.versions"))?;
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            let mut version = version.clone();
            version["schema"] = version["schema"]["openAPIV3Schema"].take();
            version
        })
        .collect();
    let spec = json!({
        "group": spec["group"], "names": spec["names"], "scope": spec["scope"], "versions": versions,
    });
    let prefix = options.prefix.clone().unwrap_or_else(|| prefix(&canonical::digest(&spec)));
    let name = format!("{prefix}.{}.{}", object::text(&spec, "/names/plural"), object::text(&spec, "/group"));
    Ok(json!({
        "apiVersion": "apis.kcp.io/v1alpha1",
        "kind": "APIResourceSchema",
        "metadata": {"name": name},
        "spec": spec,
    }))
}

/// Eight digits tell the versions of one API apart; a name starts with a
/// letter.
fn prefix(digest: &Digest) -> String {
    format!("v{}", &digest.hex()[..8])
}

/// What an export claims.
pub struct Claimed {
    /// What the consumer is asked to accept.
    pub claims: Vec<Value>,
    /// The kinds whose resource had to be guessed.
    pub guessed: Vec<Gvk>,
}

impl Claimed {
    /// The claims on resources that another export has to serve. One of Kubernetes'
    /// own groups whose kind nobody knows is misspelt rather than served by anybody.
    pub fn foreign(&self) -> impl Iterator<Item = &Value> {
        let is_misspelt = |claim: &&Value| {
            let (group, resource) = (object::text(claim, "/group"), object::text(claim, "/resource"));
            let is_it = |guessed: &Gvk| guessed.group == group && kinds::guess(guessed).plural == resource;
            kinds::is_of_kubernetes(group) && self.guessed.iter().any(is_it)
        };
        foreign(&self.claims).filter(move |claim| !is_misspelt(claim))
    }
}

/// The claims on resources that kcp itself does not serve.
pub fn foreign(claims: &[Value]) -> impl Iterator<Item = &Value> {
    claims.iter().filter(|claim| !kinds::is_of_kcp(object::text(claim, "/group"), object::text(claim, "/resource")))
}

/// What an export has to claim for the kinds of a definition.
pub fn permission_claims(blueprint: &Blueprint, kinds: &Kinds, identities: &Identities) -> Claimed {
    let mut guessed = Vec::new();
    let mut claims: Vec<Value> = Vec::new();
    for used in &blueprint.kinds {
        let kind = kinds.get(&used.kind).cloned().or_else(|| kinds::builtin(&used.kind)).unwrap_or_else(|| {
            guessed.push(used.kind.clone());
            kinds::guess(&used.kind)
        });
        let verbs: &[&str] = if used.access == Access::Manage { &MANAGE_VERBS } else { &READ_VERBS };
        let mut claim = json!({"group": used.kind.group, "resource": kind.plural, "verbs": verbs});
        if let Some(identity) = identities.get(&claims::group_resource(&used.kind.group, &kind.plural)) {
            claim["identityHash"] = identity.as_str().into();
        }
        // Two versions of a kind are one resource.
        match claims.iter_mut().find(|other| other["group"] == claim["group"] && other["resource"] == claim["resource"])
        {
            Some(other) if used.access == Access::Manage => *other = claim,
            Some(_) => {}
            None => claims.push(claim),
        }
    }
    Claimed { claims, guessed }
}

fn export(schemas: &[Value], claims: &[Value], blueprint: &Blueprint, options: &Options) -> Value {
    let resources: Vec<Value> = schemas
        .iter()
        .map(|schema| {
            json!({
                "group": schema["spec"]["group"],
                "name": schema["spec"]["names"]["plural"],
                "schema": schema["metadata"]["name"],
                "storage": {"crd": {}},
            })
        })
        .collect();
    let api = &blueprint.api;
    let name = options.export.clone().unwrap_or_else(|| format!("{}.{}", api.plural, api.kind.group));
    let mut spec = json!({"resources": resources});
    if !claims.is_empty() {
        spec["permissionClaims"] = claims.into();
    }
    json!({"apiVersion": "apis.kcp.io/v1alpha2", "kind": "APIExport", "metadata": {"name": name}, "spec": spec})
}

/// A binding that accepts these claims. Without a workspace path kcp looks for
/// the export in the binding's own workspace.
fn binding(export: &str, claims: &[Value], options: &Options) -> Value {
    let mut reference = json!({"name": export});
    if let Some(path) = &options.workspace {
        reference["path"] = path.as_str().into();
    }
    let mut spec = json!({"reference": {"export": reference}});
    if !claims.is_empty() {
        spec["permissionClaims"] = claims.iter().map(claims::accepted).collect();
    }
    json!({"apiVersion": "apis.kcp.io/v1alpha2", "kind": "APIBinding", "metadata": {"name": export}, "spec": spec})
}

/// The name of the Lease that the host of an export holds.
pub fn lease(export: &str) -> String {
    format!("croft.{export}")
}

/// What the host may do in the provider's workspace, and nothing else: its
/// rights in consumers' workspaces come from `apiexports/content` and from the
/// claims that they accepted.
fn rbac(export: &str, options: &Options) -> Vec<Value> {
    let name = format!("croft:{export}");
    let mut rules = vec![
        json!({"nonResourceURLs": ["/"], "verbs": ["access"]}),
        json!({
            "apiGroups": ["apis.kcp.io"], "resources": ["apiexports/content"], "resourceNames": [export],
            "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
        }),
        json!({
            "apiGroups": ["apis.kcp.io"], "resources": ["apiexports", "apiexportendpointslices"],
            "verbs": ["get", "list", "watch"],
        }),
        // Which host works on the export. No rule can name what is yet to be created.
        json!({"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]}),
        json!({
            "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [lease(export)],
            "verbs": ["get", "update", "patch"],
        }),
    ];
    if options.layout == Layout::Split {
        // It is kept until its instances are gone.
        rules.push(json!({
            "apiGroups": ["apis.kcp.io"], "resources": ["apiexports"], "resourceNames": [export], "verbs": ["patch"],
        }));
        rules.extend(definition_rules());
    }
    let api_version = "rbac.authorization.k8s.io/v1";
    vec![
        json!({"apiVersion": api_version, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}),
        json!({
            "apiVersion": api_version, "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{
                "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": options.host_user,
            }],
        }),
    ]
}

/// What the host may do with definitions of all kinds, whichever is published: a
/// provider moves from one to another without asking for rights again.
fn definition_rules() -> Vec<Value> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in DefinitionKind::ALL {
        groups.entry(kind.group()).or_default().push(kind.plural());
    }
    let rules = groups.into_iter().flat_map(|(group, plurals)| {
        let statuses: Vec<String> = plurals.iter().map(|plural| format!("{plural}/status")).collect();
        [
            json!({"apiGroups": [group], "resources": plurals, "verbs": ["get", "list", "watch"]}),
            json!({"apiGroups": [group], "resources": statuses, "verbs": ["get", "update", "patch"]}),
        ]
    });
    rules.collect()
}

#[cfg(test)]
mod tests;
