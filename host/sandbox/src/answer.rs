//! From what wasmtime lifted to `contract` values: parsed, measured and
//! checked against what the `.wit` file says, because a module may lie.
//!
//! It checks that an answer makes sense by itself. Whether the instance may
//! have such children is for `policy` to say.

use std::collections::HashSet;

use contract::{
    Access, Api, Blocked, Blueprint, Child, Condition, ConditionStatus, Excluded, Failure, Gvk, Node, Preparation,
    Prepared, Problem, Read, Readiness, Rendering, Role, Scope, Selection, Severity, UsedKind,
};
use serde_json::Value;

use super::{
    bindings::{self, types},
    json::Json,
    limits::Limits,
    rule,
};

/// How an answer breaks the contract.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// A pointer, a length, a string or a number that cannot be.
    #[error("it cannot be read from the module's memory")]
    Abi(#[source] wasmtime::Error),
    /// A text that is not JSON.
    #[error("`{at}` is not JSON")]
    Json {
        /// Its place in the answer.
        at: String,
        /// Where and why parsing stopped.
        source: serde_json::Error,
    },
    /// JSON that nests too deeply.
    #[error("`{at}` nests deeper than {limit} levels")]
    TooDeep {
        /// Its place in the answer.
        at: String,
        /// The bound.
        limit: usize,
    },
    /// More JSON values than an answer may have.
    #[error("with `{at}` the answer has more than {limit} JSON values")]
    TooManyValues {
        /// The text that went over.
        at: String,
        /// The bound.
        limit: usize,
    },
    /// A field that is not what the contract says it is.
    #[error("`{at}` is not {expected}")]
    Shape {
        /// Its place in the answer.
        at: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// Two things of one name.
    #[error("it has two of {what} `{name}`")]
    Duplicate {
        /// What kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A node that comes before what it depends on.
    #[error("node `{id}` does not come after `{dependency}`, which it depends on")]
    Order {
        /// The node.
        id: String,
        /// What has to come first.
        dependency: String,
    },
    /// An id that is to be deleted and to be kept.
    #[error("`{id}` is excluded, and rendered or blocked as well")]
    Contradiction {
        /// The id.
        id: String,
    },
}

impl Violation {
    pub(super) fn shape(at: &str, expected: &'static str) -> Violation {
        Violation::Shape { at: at.to_owned(), expected }
    }
}

/// Checks the answer of `prepare`.
pub(super) fn preparation(lifted: bindings::Preparation, limits: &Limits) -> Result<Preparation, Violation> {
    match lifted {
        types::Preparation::Ready(lifted) => Ok(Preparation::Ready(Box::new(prepared(lifted, limits)?))),
        types::Preparation::Needs(lifted) => {
            let kinds = each(lifted, "needs", |lifted, at| rule::kind(kind(lifted), at))?;
            rule::expect(!kinds.is_empty(), "needs", "a list that names a kind")?;
            Ok(Preparation::Needs(kinds))
        }
    }
}

/// Checks the answer of `render`.
pub(super) fn rendering(lifted: bindings::Rendering, limits: &Limits) -> Result<Rendering, Violation> {
    let mut json = Json::new(limits);
    let rendering = Rendering {
        defaults: json.object(&lifted.defaults, "defaults")?,
        status: json.object(&lifted.status, "status")?,
        children: each(lifted.children, "children", |lifted, at| child(lifted, at, &mut json))?,
        blocked: each(lifted.blocked, "blocked", blocked)?,
        excluded: each(lifted.excluded, "excluded", |lifted, at| {
            Ok(Excluded { id: rule::id(lifted.id, at)?, message: lifted.message })
        })?,
        reads: each(lifted.reads, "reads", |lifted, at| read(lifted, at, &mut json))?,
        readiness: each(lifted.readiness, "readiness", readiness)?,
        conditions: each(lifted.conditions, "conditions", condition)?,
        suspended: lifted.suspended,
    };
    consistent(&rendering)?;
    Ok(rendering)
}

/// Checks what a module says instead of answering.
pub(super) fn failure(lifted: bindings::Failure) -> Result<Failure, Violation> {
    match lifted {
        types::Failure::Internal(message) => Ok(Failure::Internal(message)),
        types::Failure::Invalid(lifted) => {
            let problems = each(lifted, "problems", problem)?;
            let grave = problems.iter().any(|problem| problem.severity == Severity::Error);
            rule::expect(grave, "problems", "a list with an error in it")?;
            Ok(Failure::Invalid(problems))
        }
    }
}

fn prepared(lifted: types::Prepared, limits: &Limits) -> Result<Prepared, Violation> {
    let mut json = Json::new(limits);
    let warnings = each(lifted.warnings, "warnings", problem)?;
    let grave = warnings.iter().any(|problem| problem.severity == Severity::Error);
    rule::expect(!grave, "warnings", "a list of warnings: it has an error in it")?;
    Ok(Prepared { blueprint: blueprint(lifted.blueprint, &mut json)?, program: lifted.program, warnings })
}

fn blueprint(lifted: types::Blueprint, json: &mut Json) -> Result<Blueprint, Violation> {
    let blueprint = Blueprint {
        api: api(lifted.api, json)?,
        kinds: each(lifted.kinds, "kinds", |lifted, at| {
            Ok(UsedKind { kind: rule::kind(kind(lifted.kind), at)?, access: access(lifted.access) })
        })?,
        nodes: each(lifted.nodes, "nodes", node)?,
    };
    rule::unique(blueprint.kinds.iter().map(|used| (&used.kind, used.access)), "kind", |(kind, _)| kind.to_string())?;
    rule::unique(blueprint.nodes.iter().map(|node| &node.id), "node", |id| id.to_string())?;
    ordered(&blueprint.nodes)?;
    Ok(blueprint)
}

fn api(lifted: types::Api, json: &mut Json) -> Result<Api, Violation> {
    let api = Api {
        kind: rule::kind(kind(lifted.kind), "api.kind")?,
        plural: rule::plural(lifted.plural, "api.plural")?,
        scope: match lifted.scope {
            types::Scope::Namespaced => Scope::Namespaced,
            types::Scope::Cluster => Scope::Cluster,
        },
        crd: json.parse(&lifted.crd, "api.crd")?,
    };
    definition_of(&api)?;
    Ok(api)
}

/// The CRD has to define the very API that it stands beside.
fn definition_of(api: &Api) -> Result<(), Violation> {
    let text = |pointer: &str| api.crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let is_crd = text("/apiVersion") == "apiextensions.k8s.io/v1" && text("/kind") == "CustomResourceDefinition";
    rule::expect(is_crd, "api.crd", "a CustomResourceDefinition of `apiextensions.k8s.io/v1`")?;
    let versions = api.crd.pointer("/spec/versions").and_then(Value::as_array).map_or(0, Vec::len);
    rule::expect(versions == 1, "api.crd", "a CustomResourceDefinition with exactly one version")?;
    let scope = if api.scope == Scope::Namespaced { "Namespaced" } else { "Cluster" };
    let same = text("/spec/group") == api.kind.group
        && text("/spec/versions/0/name") == api.kind.version
        && text("/spec/names/kind") == api.kind.kind
        && text("/spec/names/plural") == api.plural
        && text("/spec/scope") == scope
        && text("/metadata/name") == format!("{}.{}", api.plural, api.kind.group);
    rule::expect(same, "api.crd", "the definition of `api.kind` with its plural and scope")
}

fn node(lifted: types::Node, at: &str) -> Result<Node, Violation> {
    let role = match lifted.role {
        types::Role::Child => Role::Child,
        types::Role::Collection => Role::Collection,
        types::Role::External => Role::External,
        types::Role::ExternalCollection => Role::ExternalCollection,
    };
    let kind = rule::kind(kind(lifted.kind), at)?;
    Ok(Node { id: rule::id(lifted.id, at)?, role, kind, depends_on: rule::ids(lifted.depends_on, at)? })
}

fn ordered(nodes: &[Node]) -> Result<(), Violation> {
    let mut before = HashSet::new();
    for node in nodes {
        if let Some(missing) = node.depends_on.iter().find(|id| !before.contains(id.as_str())) {
            return Err(Violation::Order { id: node.id.clone(), dependency: missing.clone() });
        }
        before.insert(node.id.as_str());
    }
    Ok(())
}

fn child(lifted: types::Child, at: &str, json: &mut Json) -> Result<Child, Violation> {
    let place = format!("{at}.manifest");
    let manifest = json.parse(&lifted.manifest, &place)?;
    rule::manifest(&manifest, &place)?;
    Ok(Child {
        id: rule::id(lifted.id, at)?,
        key: rule::key(lifted.key, at)?,
        manifest,
        depends_on: rule::ids(lifted.depends_on, at)?,
    })
}

fn blocked(lifted: types::Blocked, at: &str) -> Result<Blocked, Violation> {
    Ok(Blocked { id: rule::id(lifted.id, at)?, waits_for: rule::ids(lifted.waits_for, at)?, message: lifted.message })
}

fn read(lifted: types::Read, at: &str, json: &mut Json) -> Result<Read, Violation> {
    let select = match lifted.select {
        types::Selection::Named((namespace, name)) => {
            rule::expect(!name.is_empty(), at, "a read with a name")?;
            Selection::Named { namespace, name }
        }
        types::Selection::Labelled((namespace, selector)) => {
            let selector = Value::Object(json.object(&selector, at)?);
            Selection::Labelled { namespace, selector }
        }
    };
    Ok(Read { id: rule::id(lifted.id, at)?, kind: rule::kind(kind(lifted.kind), at)?, select })
}

fn readiness(lifted: types::Readiness, at: &str) -> Result<Readiness, Violation> {
    Ok(Readiness {
        id: rule::id(lifted.id, at)?,
        key: rule::key(lifted.key, at)?,
        ready: lifted.ready,
        message: lifted.message,
    })
}

fn condition(lifted: types::Condition, at: &str) -> Result<Condition, Violation> {
    let status = match lifted.status {
        types::ConditionStatus::IsTrue => ConditionStatus::True,
        types::ConditionStatus::IsFalse => ConditionStatus::False,
        types::ConditionStatus::Unknown => ConditionStatus::Unknown,
    };
    Ok(Condition {
        kind: rule::word(lifted.type_, at)?,
        status,
        reason: rule::reason(lifted.reason, at)?,
        message: lifted.message,
    })
}

fn problem(lifted: types::Problem, at: &str) -> Result<Problem, Violation> {
    let severity = match lifted.severity {
        types::Severity::Error => Severity::Error,
        types::Severity::Warning => Severity::Warning,
    };
    let types::Problem { code, at: pointer, span, message, hint, .. } = lifted;
    rule::problem(Problem { severity, code, at: pointer, span, message, hint }, at)
}

/// Nothing twice, and nothing both wanted and unwanted.
fn consistent(rendering: &Rendering) -> Result<(), Violation> {
    let place = |(id, key): &(&String, &String)| if key.is_empty() { id.to_string() } else { format!("{id}[{key}]") };
    let name = |id: &&String| id.to_string();
    rule::unique(rendering.children.iter().map(|child| (&child.id, &child.key)), "child", place)?;
    rule::unique(rendering.readiness.iter().map(|ready| (&ready.id, &ready.key)), "readiness", place)?;
    rule::unique(rendering.blocked.iter().map(|blocked| &blocked.id), "blocked", name)?;
    rule::unique(rendering.excluded.iter().map(|excluded| &excluded.id), "excluded", name)?;
    rule::unique(rendering.reads.iter().map(|read| &read.id), "read", name)?;
    rule::unique(rendering.conditions.iter().map(|condition| &condition.kind), "condition", name)?;
    let mut wanted = rendering.children.iter().map(|child| &child.id).chain(rendering.blocked.iter().map(|it| &it.id));
    let excluded: HashSet<&String> = rendering.excluded.iter().map(|excluded| &excluded.id).collect();
    match wanted.find(|id| excluded.contains(id)) {
        Some(id) => Err(Violation::Contradiction { id: id.clone() }),
        None => Ok(()),
    }
}

/// Converts each element, telling it its place.
fn each<L, T>(
    lifted: Vec<L>,
    list: &str,
    mut convert: impl FnMut(L, &str) -> Result<T, Violation>,
) -> Result<Vec<T>, Violation> {
    let numbered = lifted.into_iter().enumerate();
    numbered.map(|(index, element)| convert(element, &format!("{list}[{index}]"))).collect()
}

fn kind(lifted: types::GroupVersionKind) -> Gvk {
    Gvk { group: lifted.group, version: lifted.version, kind: lifted.kind }
}

fn access(lifted: types::Access) -> Access {
    match lifted {
        types::Access::Manage => Access::Manage,
        types::Access::Read => Access::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifted(id: &str, depends_on: &[&str]) -> types::Node {
        types::Node {
            id: id.to_owned(),
            role: types::Role::Child,
            kind: types::GroupVersionKind { group: String::new(), version: "v1".to_owned(), kind: "Secret".to_owned() },
            depends_on: depends_on.iter().map(|&id| id.to_owned()).collect(),
        }
    }

    fn order(nodes: Vec<types::Node>) -> Result<(), String> {
        let nodes = each(nodes, "nodes", node).map_err(|violation| violation.to_string())?;
        ordered(&nodes).map_err(|violation| violation.to_string())
    }

    #[test]
    fn a_graph_is_in_topological_order() {
        assert_eq!(order(vec![lifted("a", &[]), lifted("b", &["a"])]), Ok(()));
        let wrong = "node `b` does not come after `a`, which it depends on".to_owned();
        assert_eq!(order(vec![lifted("b", &["a"]), lifted("a", &[])]), Err(wrong));
        assert!(order(vec![lifted("a", &["a"])]).is_err());
        assert!(order(vec![lifted("a", &["no id"])]).is_err());
    }

    #[test]
    fn asking_for_no_schema_is_no_answer() {
        let needs = types::Preparation::Needs(Vec::new());
        assert!(matches!(preparation(needs, &Limits::default()), Err(Violation::Shape { .. })));
        let needs = types::Preparation::Needs(vec![lifted("a", &[]).kind]);
        assert!(matches!(preparation(needs, &Limits::default()), Ok(Preparation::Needs(kinds)) if kinds.len() == 1));
    }

    #[test]
    fn a_refusal_names_an_error() {
        let problem = |severity| types::Problem {
            severity,
            code: "Odd".to_owned(),
            at: "/spec".to_owned(),
            span: None,
            message: "odd".to_owned(),
            hint: None,
        };
        let refusal = |severity| failure(types::Failure::Invalid(vec![problem(severity)]));
        assert!(matches!(refusal(types::Severity::Error), Ok(Failure::Invalid(_))));
        assert!(matches!(refusal(types::Severity::Warning), Err(Violation::Shape { .. })));
    }
}
