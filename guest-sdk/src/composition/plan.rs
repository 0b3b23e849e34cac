//! What a module declares: its ids with kind, role and order, and what it takes
//! for its configuration.
//!
//! Ids are checked all at once when a definition is prepared, so that a module's
//! author sees everything that is wrong.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    config,
    halt::{Result, Why, invalid},
    handle::{Child, Collection, Declared, External, Externals, Handle},
    kind::{Kind, Object},
};
use crate::{Access, Failure, Gvk, Node, Problem, Role, Severity, UsedKind, shape};

/// Takes what a module declares.
pub struct Plan {
    pub(super) nodes: RefCell<Vec<Rc<Declared>>>,
    pub(super) config: RefCell<Value>,
    config_is_read: Cell<bool>,
    pub(super) warnings: RefCell<Vec<Problem>>,
}

impl Plan {
    pub(super) fn new(config: Value) -> Plan {
        Plan {
            nodes: RefCell::default(),
            config: RefCell::new(config),
            config_is_read: Cell::new(false),
            warnings: RefCell::default(),
        }
    }

    /// An object that instances are made of. Its type is that of the handle:
    /// `let card: Child<ConfigMap> = plan.child("card")`.
    pub fn child<T: Object>(&self, id: impl Into<String>) -> Child<T> {
        self.declare(id, Role::Child, Kind::of::<T>())
    }

    /// An object of a kind without a type.
    pub fn child_of(&self, kind: Kind, id: impl Into<String>) -> Child<Value> {
        self.declare(id, Role::Child, kind)
    }

    /// Any number of objects of a kind.
    pub fn collection<T: Object>(&self, id: impl Into<String>) -> Collection<T> {
        self.declare(id, Role::Collection, Kind::of::<T>())
    }

    /// Any number of objects of a kind without a type.
    pub fn collection_of(&self, kind: Kind, id: impl Into<String>) -> Collection<Value> {
        self.declare(id, Role::Collection, kind)
    }

    /// An object of somebody else, which is read by its name.
    pub fn external<T: Object>(&self, id: impl Into<String>) -> External<T> {
        self.declare(id, Role::External, Kind::of::<T>())
    }

    /// An object of somebody else, of a kind without a type.
    pub fn external_of(&self, kind: Kind, id: impl Into<String>) -> External<Value> {
        self.declare(id, Role::External, kind)
    }

    /// Objects of somebody else, which are found by their labels.
    pub fn externals<T: Object>(&self, id: impl Into<String>) -> Externals<T> {
        self.declare(id, Role::ExternalCollection, Kind::of::<T>())
    }

    /// Objects of somebody else, of a kind without a type.
    pub fn externals_of(&self, kind: Kind, id: impl Into<String>) -> Externals<Value> {
        self.declare(id, Role::ExternalCollection, kind)
    }

    fn declare<T, R>(&self, id: impl Into<String>, role: Role, kind: Kind) -> Handle<T, R> {
        let mut nodes = self.nodes.borrow_mut();
        let node = Rc::new(Declared::new(nodes.len(), id.into(), role, kind));
        nodes.push(node.clone());
        Handle::new(node)
    }

    /// The definition's `spec.config` as a type. A field that the type does not
    /// have is refused. A definition without `config` is read as one with an
    /// empty object; one with a `config` that is never asked for is refused.
    ///
    /// # Errors
    /// It does not fit the type.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T> {
        self.config_is_read.set(true);
        config::read(&self.config.borrow())
    }

    /// Says something to the definition's author that does not stop it, about a
    /// field such as `spec.config.size`.
    pub fn warn(&self, field: &str, message: impl Into<String>) {
        if let Why::Invalid(problem) = invalid(field, message).0 {
            self.warnings.borrow_mut().push(Problem { severity: Severity::Warning, ..problem });
        }
    }

    /// A configuration that nobody reads is a mistake.
    pub(super) fn check_config(&self) -> Result<(), Failure> {
        let is_empty = match &*self.config.borrow() {
            Value::Null => true,
            Value::Object(fields) => fields.is_empty(),
            _ => false,
        };
        if is_empty || self.config_is_read.get() {
            return Ok(());
        }
        let refused = invalid("spec.config", "the module takes no configuration").code("UnknownField");
        Err(refused.hint("remove `config`").into_failure())
    }

    /// The graph in topological order. What is wrong with it is added to
    /// `faults`.
    pub(super) fn blueprint(&self, api: &Gvk, faults: &mut Vec<String>) -> Vec<Node> {
        let nodes = self.nodes.borrow();
        let mut ids = BTreeSet::new();
        for node in nodes.iter() {
            faults.extend(wrong(node, api, &nodes));
            if !ids.insert(&node.id) {
                faults.push(format!("the id `{}` is declared twice", node.id));
            }
        }
        let order = order(&nodes).unwrap_or_else(|cycle| {
            faults.push(format!("these wait for each other: `{}`", cycle.join("` → `")));
            Vec::new()
        });
        order.into_iter().map(node).collect()
    }
}

/// What is wrong with a declaration by itself.
fn wrong(node: &Declared, api: &Gvk, all: &[Rc<Declared>]) -> Vec<String> {
    let mut wrong = Vec::new();
    let (id, kind) = (&node.id, &node.kind.gvk);
    if !shape::is_id(id) {
        let hint = "it begins with a letter and has at most 63 letters, digits, `_` and `-`";
        wrong.push(format!("`{id}` is not an id: {hint}"));
    }
    if !shape::is_kind(kind) {
        wrong.push(format!("`{} {}` of `{id}` is not a kind", kind.api_version(), kind.kind));
    }
    let is_own = (&kind.group, &kind.kind) == (&api.group, &api.kind);
    if is_own && matches!(node.role, Role::Child | Role::Collection) {
        wrong.push(format!("`{id}` is of the API's own kind, {kind}: an instance may not create instances of its API"));
    }
    let is_foreign = |before: &&Rc<Declared>| !all.get(before.index).is_some_and(|own| Rc::ptr_eq(own, before));
    if let Some(foreign) = node.after.borrow().iter().find(is_foreign) {
        wrong.push(format!("`{id}` is declared after `{}`, which is of another plan", foreign.id));
    }
    wrong
}

fn node(node: &Declared) -> Node {
    Node { id: node.id.clone(), role: node.role, kind: node.kind.gvk.clone(), depends_on: before(node) }
}

/// The ids that one was declared after, each once.
pub(super) fn before(node: &Declared) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for before in node.after.borrow().iter() {
        if !ids.contains(&before.id) {
            ids.push(before.id.clone());
        }
    }
    ids
}

/// The kinds that the nodes touch, each once for what is done with it.
pub(super) fn used(nodes: &[Node]) -> Vec<UsedKind> {
    let mut used: Vec<UsedKind> = Vec::new();
    for node in nodes {
        let access = match node.role {
            Role::Child | Role::Collection => Access::Manage,
            Role::External | Role::ExternalCollection => Access::Read,
        };
        let kind = UsedKind { kind: node.kind.clone(), access };
        if !used.contains(&kind) {
            used.push(kind);
        }
    }
    used
}

/// All nodes, each after those that it depends on and otherwise as declared; or
/// the ids of a cycle.
pub(super) fn order(nodes: &[Rc<Declared>]) -> Result<Vec<&Declared>, Vec<String>> {
    let mut done = Vec::new();
    for node in nodes {
        visit(node, nodes, &mut Vec::new(), &mut done)?;
    }
    Ok(done)
}

fn visit<'a>(
    node: &'a Declared,
    nodes: &'a [Rc<Declared>],
    path: &mut Vec<usize>,
    done: &mut Vec<&'a Declared>,
) -> Result<(), Vec<String>> {
    if done.iter().any(|other| other.index == node.index) {
        return Ok(());
    }
    let begins = path.iter().position(|index| *index == node.index);
    path.push(node.index);
    if let Some(begins) = begins {
        return Err(path[begins..].iter().map(|index| nodes[*index].id.clone()).collect());
    }
    for before in node.after.borrow().iter().filter_map(|before| nodes.get(before.index)) {
        visit(before, nodes, path, done)?;
    }
    path.pop();
    done.push(node);
    Ok(())
}
