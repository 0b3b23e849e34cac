//! What of a rendering may happen: the host's own rules about objects that a
//! module asked for.
//!
//! It neither looks at the cluster nor changes what an object says, beyond the
//! namespace and croft's own labels and annotations.

mod manifest;

use std::collections::{BTreeMap, BTreeSet};

use contract::{Access, Blueprint, Child, Gvk, Node, Read, Rendering};
use serde_json::Value;

use crate::{
    canonical,
    claims::{Claims, Grant, Missing, group_resource},
    fault::{Blame, Fault},
    kinds::{Kind, Kinds},
    name::Digest,
    object::{self, Owner, Target},
};

/// Children of one instance. Enough for kro's largest collections (1,000)
/// beside a few others, and few enough for one status object.
const MAX_CHILDREN: usize = 1200;
/// Bytes of one child as JSON: etcd takes 1.5 MiB for a request.
const MAX_CHILD_BYTES: usize = contract::shape::OBJECT_BYTES;

/// A child that may be applied. Only [`admit`] makes one.
#[derive(Clone, Debug)]
pub struct Admitted {
    id: String,
    key: String,
    target: Target,
    manifest: Value,
    digest: Digest,
    wave: u32,
}

impl Admitted {
    /// The id it stands for.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key within a collection; empty for a single child.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where it goes.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The object to apply, with croft's labels and annotations.
    pub fn manifest(&self) -> &Value {
        &self.manifest
    }

    /// The digest of what the module rendered, also in an annotation.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Its place in the deletion order: higher waves go first.
    pub fn wave(&self) -> u32 {
        self.wave
    }
}

/// Bytes of the status that a definition projects, as JSON: a quarter of what
/// etcd takes, since the children's inventory is beside it.
const MAX_STATUS_BYTES: usize = 256 << 10;

/// What the children are measured against.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What the definition declared.
    pub blueprint: &'a Blueprint,
    /// The kinds that were looked up.
    pub kinds: &'a Kinds,
    /// What the consumer accepted; `None` offline, where nobody was asked.
    pub claims: Option<&'a Claims>,
    /// The instance.
    pub instance: &'a Value,
}

/// A rendering breaks a rule. Nothing of it is applied.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// The module strays from its own blueprint.
    #[error("child `{id}` is a {kind}, which the definition's blueprint does not list")]
    UndeclaredKind {
        /// The child.
        id: String,
        /// Its kind.
        kind: Gvk,
    },
    /// A rendered id is not a node of the blueprint.
    #[error("the module rendered `{id}`, which is not an id of the definition")]
    UnknownId {
        /// The id.
        id: String,
    },
    /// A child would make instances of the API that it belongs to.
    #[error("child `{id}` is a {kind}, the API's own kind: an instance may not create instances of its own API")]
    RecursiveApi {
        /// The child.
        id: String,
        /// Its kind.
        kind: Gvk,
    },
    /// The consumer has not accepted a claim.
    #[error(
        "the workspace {workspace} has not accepted {}, and child `{id}` needs {resource}; accept {} there with: {}",
        claimed(.missing), if .missing.resources.len() == 1 { "it" } else { "them" }, .missing.accept
    )]
    ClaimNotAccepted {
        /// The child.
        id: String,
        /// Such as `configmaps` or `deployments.apps`.
        resource: String,
        /// The consumer's workspace.
        workspace: String,
        /// Everything that it has not accepted.
        missing: Missing,
    },
    /// The consumer accepted a claim, and kcp is still at it.
    #[error("kcp has not yet applied the claim on {resource}, which child `{id}` needs")]
    ClaimNotApplied {
        /// The child.
        id: String,
        /// The claimed resource.
        resource: String,
    },
    /// The export lacks a claim.
    #[error(
        "the export does not claim {resource}, which child `{id}` needs; publish the definition again with `croft publish --apply`"
    )]
    NotClaimed {
        /// The child.
        id: String,
        /// The resource.
        resource: String,
    },
    /// Nobody knows how to address a kind.
    #[error("the server does not serve {kind}, the kind of child `{id}`")]
    KindNotServed {
        /// The child.
        id: String,
        /// Its kind.
        kind: Gvk,
    },
    /// Two children want to be the same object.
    #[error("children `{first}` and `{second}` are both {target}")]
    DuplicateTarget {
        /// One child.
        first: String,
        /// The other.
        second: String,
        /// The object.
        target: Target,
    },
    /// An object that no server would take.
    #[error("child `{id}` cannot be applied: {problem}")]
    InvalidManifest {
        /// The child.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A status that no server would take.
    #[error("the projected status has {bytes} bytes; it may have {MAX_STATUS_BYTES}")]
    StatusTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More than one instance may have.
    #[error("the module rendered {count} children; an instance may have {MAX_CHILDREN}")]
    TooManyChildren {
        /// How many.
        count: usize,
    },
}

impl Fault for Violation {
    fn reason(&self) -> &'static str {
        match self {
            Violation::UndeclaredKind { .. } => "UndeclaredKind",
            Violation::UnknownId { .. } => "UnknownId",
            Violation::RecursiveApi { .. } => "RecursiveApi",
            Violation::ClaimNotAccepted { .. } => "ClaimNotAccepted",
            Violation::ClaimNotApplied { .. } => "ClaimNotApplied",
            Violation::NotClaimed { .. } => "NotClaimed",
            Violation::KindNotServed { .. } => "KindNotServed",
            Violation::DuplicateTarget { .. } => "DuplicateTarget",
            Violation::InvalidManifest { .. } => "InvalidManifest",
            Violation::TooManyChildren { .. } => "TooManyChildren",
            Violation::StatusTooLarge { .. } => "StatusTooLarge",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Violation::UndeclaredKind { .. }
            | Violation::UnknownId { .. }
            | Violation::StatusTooLarge { .. }
            | Violation::TooManyChildren { .. } => Blame::Module,
            Violation::ClaimNotAccepted { .. } => Blame::Consumer,
            Violation::ClaimNotApplied { .. } | Violation::KindNotServed { .. } => Blame::Host,
            Violation::RecursiveApi { .. }
            | Violation::NotClaimed { .. }
            | Violation::DuplicateTarget { .. }
            | Violation::InvalidManifest { .. } => Blame::Input,
        }
    }
}

/// Admits the whole rendering, or nothing of it.
///
/// # Errors
/// The first rule that it breaks, in the order in which children were rendered.
pub fn admit(rendering: &Rendering, rules: Rules<'_>) -> Result<Vec<Admitted>, Violation> {
    let children = &rendering.children;
    if children.len() > MAX_CHILDREN {
        return Err(Violation::TooManyChildren { count: children.len() });
    }
    let bytes = Value::Object(rendering.status.clone()).to_string().len();
    if bytes > MAX_STATUS_BYTES {
        return Err(Violation::StatusTooLarge { bytes });
    }
    known_ids(rendering, rules.blueprint)?;
    let mut allowed = Allowed::by(rules);
    rendering.reads.iter().try_for_each(|read| allowed.may_read(read))?;
    let waves = waves(&rules.blueprint.nodes);
    let mut seen = BTreeMap::new();
    children
        .iter()
        .map(|child| {
            let wave = waves.get(child.id.as_str()).copied().unwrap_or_default();
            let admitted = admit_one(child, wave, &mut allowed)?;
            match seen.insert(admitted.target.in_any_version(), named(child)) {
                Some(first) => Err(Violation::DuplicateTarget { first, second: named(child), target: admitted.target }),
                None => Ok(admitted),
            }
        })
        .collect()
}

/// The instance as its children name it.
pub fn owner(blueprint: &Blueprint, instance: &Value) -> Owner {
    let text = |pointer: &str| object::text(instance, pointer).to_owned();
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    let place = Target { kind: blueprint.api.kind.clone(), namespace, name };
    Owner { uid: text("/metadata/uid"), name: place.to_string() }
}

/// The child as people find it: its id, and its key within a collection.
fn named(child: &Child) -> String {
    if child.key.is_empty() { child.id.clone() } else { format!("{}[{}]", child.id, child.key) }
}

fn known_ids(rendering: &Rendering, blueprint: &Blueprint) -> Result<(), Violation> {
    let known: BTreeSet<&str> = blueprint.nodes.iter().map(|node| node.id.as_str()).collect();
    let ids = rendering.children.iter().map(|child| &child.id);
    let ids = ids.chain(rendering.blocked.iter().map(|blocked| &blocked.id));
    let ids = ids.chain(rendering.excluded.iter().map(|excluded| &excluded.id));
    let mut ids = ids.chain(rendering.reads.iter().map(|read| &read.id));
    match ids.find(|id| !known.contains(id.as_str())) {
        Some(id) => Err(Violation::UnknownId { id: id.clone() }),
        None => Ok(()),
    }
}

fn admit_one(child: &Child, wave: u32, allowed: &mut Allowed<'_>) -> Result<Admitted, Violation> {
    let (id, rules) = (&child.id, allowed.rules);
    let invalid = |problem: String| Violation::InvalidManifest { id: id.clone(), problem };
    let kind = Gvk::of(&child.manifest).ok_or_else(|| invalid("it has no `apiVersion` and `kind`".into()))?;
    let address = allowed.may_touch(id, &kind, Access::Manage)?;
    manifest::check(&child.manifest).map_err(invalid)?;
    let manifest = manifest::placed(&child.manifest, address.scope, rules.instance).map_err(invalid)?;
    let target = Target::of(&manifest).ok_or_else(|| invalid("it has no `metadata.name`".into()))?;
    let digest = canonical::digest(&(&manifest, wave, &child.key));
    let manifest = manifest::marked(manifest::stored(manifest), child, wave, &digest, rules);
    Ok(Admitted { id: id.clone(), key: child.key.clone(), target, manifest, digest, wave })
}

/// Which kinds may be touched. What goes for a kind goes for all objects of it, so
/// that each is judged once.
struct Allowed<'a> {
    rules: Rules<'a>,
    declared: BTreeMap<&'a Gvk, Access>,
    judged: BTreeMap<Access, BTreeMap<Gvk, &'a Kind>>,
}

impl<'a> Allowed<'a> {
    fn by(rules: Rules<'a>) -> Allowed<'a> {
        let mut declared = BTreeMap::new();
        for used in &rules.blueprint.kinds {
            let access = declared.entry(&used.kind).or_insert(used.access);
            *access = used.access.max(*access);
        }
        Allowed { rules, declared, judged: BTreeMap::new() }
    }

    fn may_read(&mut self, read: &Read) -> Result<(), Violation> {
        self.may_touch(&read.id, &read.kind, Access::Read).map(drop)
    }

    /// How the kind is addressed, if it may be touched.
    fn may_touch(&mut self, id: &str, kind: &Gvk, access: Access) -> Result<&'a Kind, Violation> {
        if let Some(address) = self.judged.get(&access).and_then(|judged| judged.get(kind)) {
            return Ok(address);
        }
        let address = self.judge(id, kind, access)?;
        self.judged.entry(access).or_default().insert(kind.clone(), address);
        Ok(address)
    }

    /// Whether the blueprint, the server and the consumer all allow it.
    fn judge(&self, id: &str, kind: &Gvk, access: Access) -> Result<&'a Kind, Violation> {
        let (id, rules) = (id.to_owned(), self.rules);
        let api = &rules.blueprint.api.kind;
        if access == Access::Manage && (kind.group == api.group && kind.kind == api.kind) {
            return Err(Violation::RecursiveApi { id, kind: kind.clone() });
        }
        if self.declared.get(kind).is_none_or(|declared| *declared < access) {
            return Err(Violation::UndeclaredKind { id, kind: kind.clone() });
        }
        let Some(address) = rules.kinds.get(kind) else {
            return Err(not_served(id, kind, rules));
        };
        match rules.claims {
            None => Ok(address),
            Some(claims) => granted(claims, id, &kind.group, &address.plural).map(|()| address),
        }
    }
}

/// A kind that is not served is most often one that nobody claimed.
fn not_served(id: String, kind: &Gvk, rules: Rules<'_>) -> Violation {
    let guess = crate::kinds::builtin(kind).unwrap_or_else(|| crate::kinds::guess(kind));
    let claim = rules.claims.map(|claims| granted(claims, id.clone(), &kind.group, &guess.plural));
    match claim {
        Some(Err(violation @ Violation::ClaimNotAccepted { .. })) => violation,
        _ => Violation::KindNotServed { id, kind: kind.clone() },
    }
}

fn granted(claims: &Claims, id: String, group: &str, plural: &str) -> Result<(), Violation> {
    let resource = group_resource(group, plural);
    match claims.grant(group, plural) {
        Grant::Accepted => Ok(()),
        Grant::Applying => Err(Violation::ClaimNotApplied { id, resource }),
        Grant::NotClaimed => Err(Violation::NotClaimed { id, resource }),
        Grant::Open => {
            let workspace = claims.workspace().to_owned();
            let missing = claims.missing().expect("an open claim is missing");
            Err(Violation::ClaimNotAccepted { id, resource, workspace, missing })
        }
    }
}

fn claimed(missing: &Missing) -> String {
    let claims = if missing.resources.len() == 1 { "the claim" } else { "the claims" };
    format!("{claims} on {}", missing.resources.join(", "))
}

/// The longest way from an id to one that depends on nothing. Nodes come in
/// topological order.
fn waves(nodes: &[Node]) -> BTreeMap<&str, u32> {
    let mut waves: BTreeMap<&str, u32> = BTreeMap::new();
    for node in nodes {
        let before = node.depends_on.iter().filter_map(|id| waves.get(id.as_str())).max();
        waves.insert(&node.id, before.map_or(0, |wave| wave + 1));
    }
    waves
}

#[cfg(test)]
mod tests;
