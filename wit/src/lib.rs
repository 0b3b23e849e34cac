//! The values of the contract (`composition.wit`) in Rust, with JSON parsed:
//! what the host and the modules written in Rust both speak.
//!
//! It holds no engine and no ABI, and of rules only what [`shape`] says of single
//! fields, [`metadata`] of objects and [`plural`] of the names of kinds. The `.wit`
//! file beside this crate says what each value means; where the two differ, the
//! `.wit` file is right.

pub mod metadata;
pub mod plural;
pub mod shape;

/// An annotation that says of an instance that no API server has admitted it, as
/// offline: a module may then check what a server would have. Its value does not
/// matter, and it is not a part of the instance.
pub const UNADMITTED: &str = "croft.run/unadmitted";

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A Kubernetes kind. The core group is the empty string.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gvk {
    /// Such as `apps`; empty for the core group.
    pub group: String,
    /// Such as `v1`.
    pub version: String,
    /// Such as `ConfigMap`.
    pub kind: String,
}

impl Gvk {
    /// The kind named by an object's `apiVersion` and `kind`, if it has both.
    pub fn of(object: &Value) -> Option<Gvk> {
        let api_version = object.get("apiVersion")?.as_str()?;
        let kind = object.get("kind")?.as_str()?.to_owned();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Some(Gvk { group: group.to_owned(), version: version.to_owned(), kind })
    }

    /// What an object's `apiVersion` field says: `v1`, or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// `ConfigMap` of the core group, `Deployment.apps` of another.
impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() { f.write_str(&self.kind) } else { write!(f, "{}.{}", self.kind, self.group) }
    }
}

/// Whether objects of a kind live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// In a namespace.
    Namespaced,
    /// In none.
    Cluster,
}

/// What the host knows of a kind that children or external reads have.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The kind.
    pub kind: Gvk,
    /// The resource name in URLs, such as `configmaps`.
    pub plural: String,
    /// Whether it lives in a namespace.
    pub scope: Scope,
    /// Its OpenAPI v3 schema.
    pub openapi: Value,
}

/// How grave a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// It can, but its author should know.
    Warning,
}

/// One thing that is wrong with a definition or with an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// How grave it is.
    pub severity: Severity,
    /// A PascalCase word that never changes, such as `UnknownType`.
    pub code: String,
    /// An RFC 6901 JSON pointer into the document.
    pub at: String,
    /// Bytes from the start of the string at `at`, and length in bytes.
    pub span: Option<(u32, u32)>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

/// `message at /pointer`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.at.is_empty() { Ok(()) } else { write!(f, " at `{}`", self.at) }
    }
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The definition or the instance is at fault.
    Invalid(Vec<Problem>),
    /// The module is at fault.
    Internal(String),
}

/// The API that a definition serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Api {
    /// Its kind.
    pub kind: Gvk,
    /// Its resource name in URLs.
    pub plural: String,
    /// Whether instances live in a namespace.
    pub scope: Scope,
    /// The `apiextensions.k8s.io/v1` CustomResourceDefinition.
    pub crd: Value,
}

/// What a definition may do with objects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// Read objects that somebody else owns.
    Read,
    /// Create, change and delete its own.
    Manage,
}

/// One kind that a definition touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedKind {
    /// The kind.
    pub kind: Gvk,
    /// What it does with it.
    pub access: Access,
}

/// What an id of a definition stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One object.
    Child,
    /// Objects told apart by a key.
    Collection,
    /// One object that somebody else owns.
    External,
    /// Objects that somebody else owns, found by label.
    ExternalCollection,
}

/// One node of a definition's dependency graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// What the id stands for.
    pub role: Role,
    /// The kind of its objects.
    pub kind: Gvk,
    /// The ids that must be ready before it can be stated.
    pub depends_on: Vec<String>,
}

/// Everything that the host must know of a definition before its first
/// instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Blueprint {
    /// The API it serves.
    pub api: Api,
    /// The kinds it touches, each once.
    pub kinds: Vec<UsedKind>,
    /// The dependency graph in topological order.
    pub nodes: Vec<Node>,
}

impl Blueprint {
    /// The ids in topological order.
    pub fn order(&self) -> Vec<&str> {
        self.nodes.iter().map(|node| node.id.as_str()).collect()
    }
}

/// A definition that its module accepted.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What the host knows of it.
    pub blueprint: Blueprint,
    /// What the module knows of it, unread.
    pub program: Vec<u8>,
    /// Problems that do not stop it.
    pub warnings: Vec<Problem>,
}

/// The answer of `prepare`.
#[derive(Clone, Debug)]
pub enum Preparation {
    /// Accepted.
    Ready(Box<Prepared>),
    /// Ask again with the schemas of these kinds.
    Needs(Vec<Gvk>),
}

/// A live object shown to a module: as a value, or as its JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed<O = Value> {
    /// The id it stands for.
    pub id: String,
    /// The key within a collection; empty for a single object.
    pub key: String,
    /// The whole object.
    pub object: O,
}

/// An object that a module wants to exist: as a value, or as its JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct Child<M = Value> {
    /// The id it stands for.
    pub id: String,
    /// The key within a collection; empty for a single object.
    pub key: String,
    /// The object.
    pub manifest: M,
    /// The ids that had to be ready first.
    pub depends_on: Vec<String>,
}

/// An id that cannot be stated yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The id.
    pub id: String,
    /// The ids that it waits for.
    pub waits_for: Vec<String>,
    /// What is missing.
    pub message: String,
}

/// An id that a condition switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// The id.
    pub id: String,
    /// Which condition.
    pub message: String,
}

/// Which foreign objects a [`Read`] asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// One object. An empty namespace is the instance's.
    Named {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Those that match a `metav1.LabelSelector`. An empty namespace is all.
    Labelled {
        /// Where to look.
        namespace: String,
        /// The selector.
        selector: Value,
    },
}

/// A foreign object, or several, that a module wants to see.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The id they stand for.
    pub id: String,
    /// Their kind.
    pub kind: Gvk,
    /// Which ones.
    pub select: Selection,
}

/// Whether one object does what its definition waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The id.
    pub id: String,
    /// The key within a collection.
    pub key: String,
    /// The verdict.
    pub ready: bool,
    /// What it waits for.
    pub message: String,
}

/// `True`, `False` or `Unknown`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Nobody can tell.
    Unknown,
}

/// A condition without the host's bookkeeping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// A PascalCase word.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// A PascalCase word.
    pub reason: String,
    /// For people.
    pub message: String,
}

/// What an instance amounts to, given what was observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendering<M = Value> {
    /// Shaped like `spec`: fields to fill in where the instance has none.
    pub defaults: Map<String, Value>,
    /// What can be stated now.
    pub children: Vec<Child<M>>,
    /// What cannot.
    pub blocked: Vec<Blocked>,
    /// What is switched off.
    pub excluded: Vec<Excluded>,
    /// What somebody else owns and the module wants to see.
    pub reads: Vec<Read>,
    /// Which objects are ready.
    pub readiness: Vec<Readiness>,
    /// Shaped like `status`.
    pub status: Map<String, Value>,
    /// Conditions that the definition adds.
    pub conditions: Vec<Condition>,
    /// If set, nothing is created, changed or deleted.
    pub suspended: Option<String>,
}

impl<M> Default for Rendering<M> {
    fn default() -> Rendering<M> {
        Rendering {
            defaults: Map::new(),
            children: Vec::new(),
            blocked: Vec::new(),
            excluded: Vec::new(),
            reads: Vec::new(),
            readiness: Vec::new(),
            status: Map::new(),
            conditions: Vec::new(),
            suspended: None,
        }
    }
}

impl<M> Rendering<M> {
    /// The same with every manifest turned into something else, such as its JSON
    /// text into a value.
    ///
    /// # Errors
    /// The first that cannot be turned.
    pub fn try_map<N, E>(self, mut turn: impl FnMut(M) -> Result<N, E>) -> Result<Rendering<N>, E> {
        let child = |child: Child<M>| {
            let manifest = turn(child.manifest)?;
            Ok(Child { id: child.id, key: child.key, manifest, depends_on: child.depends_on })
        };
        Ok(Rendering {
            children: self.children.into_iter().map(child).collect::<Result<_, E>>()?,
            defaults: self.defaults,
            blocked: self.blocked,
            excluded: self.excluded,
            reads: self.reads,
            readiness: self.readiness,
            status: self.status,
            conditions: self.conditions,
            suspended: self.suspended,
        })
    }
}
