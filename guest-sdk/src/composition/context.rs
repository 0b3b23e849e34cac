//! What `render` states and reads: children, what was observed of them, objects
//! of others, status and conditions.
//!
//! It collects. What comes of it, once `render` has ended, is said in `outcome`.

use std::{cell::RefCell, collections::BTreeMap, marker::PhantomData, rc::Rc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::object::HasStatus;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    halt::{Halt, Result, Why, fault, waiting},
    handle::{Child, Collection, Declared, External, Externals, Handle, role},
    read::without_nulls,
};
use crate::{Condition, ConditionStatus, Observed, Problem, Role, Scope, Selection};

/// One render of an instance of `A`.
pub struct Context<A> {
    pub(super) nodes: Rc<[Rc<Declared>]>,
    /// By id and key.
    pub(super) observed: BTreeMap<String, BTreeMap<String, Value>>,
    namespace: String,
    pub(super) stated: RefCell<Stated>,
    api: PhantomData<fn() -> A>,
}

/// What was stated so far.
#[derive(Default)]
pub(super) struct Stated {
    /// By the node's index.
    pub(super) nodes: Vec<Option<Said>>,
    pub(super) status: Map<String, Value>,
    pub(super) conditions: Vec<Condition>,
    pub(super) suspended: Option<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) faults: Vec<String>,
}

/// What was said of one id.
pub(super) enum Said {
    /// Its objects, by key.
    Objects(Vec<(String, Value)>),
    /// It cannot be stated yet.
    Waits { on: usize, message: String },
    /// It should not be.
    Excluded(String),
    /// What to read.
    Read(Selection),
}

impl<A> Context<A> {
    pub(super) fn new(nodes: Rc<[Rc<Declared>]>, observed: Vec<Observed>, namespace: String) -> Context<A> {
        let mut by_id: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for Observed { id, key, object } in observed {
            by_id.entry(id).or_default().insert(key, object);
        }
        let mut stated = Stated::default();
        stated.nodes.resize_with(nodes.len(), || None);
        Context { nodes, observed: by_id, namespace, stated: RefCell::new(stated), api: PhantomData }
    }

    /// States an object. `apiVersion` and `kind` are those that were declared; it
    /// needs a name ([`named`](super::named)), and without a namespace goes where
    /// the instance is.
    pub fn child<T: Serialize>(&self, child: &Child<T>, object: T) {
        self.try_child(child, || Ok(object));
    }

    /// States an object whose making may have to wait, by itself: where `object`
    /// waits or excludes, this child does, and those that were declared after it.
    pub fn try_child<T: Serialize>(&self, child: &Child<T>, object: impl FnOnce() -> Result<T>) {
        self.state(&child.node, object().map(|object| [(String::new(), object)]));
    }

    /// States all objects of a collection, each with a key that stays the same
    /// while it means the same: the name of an element, and not its place.
    pub fn collection<T: Serialize>(
        &self,
        collection: &Collection<T>,
        objects: impl IntoIterator<Item = (impl Into<String>, T)>,
    ) {
        self.try_collection(collection, || Ok(objects));
    }

    /// States a collection whose making may have to wait, by itself.
    pub fn try_collection<T: Serialize, K: Into<String>, I: IntoIterator<Item = (K, T)>>(
        &self,
        collection: &Collection<T>,
        objects: impl FnOnce() -> Result<I>,
    ) {
        self.state(&collection.node, objects());
    }

    /// Says that there should be no object under an id, and which condition says
    /// so. One that is there is deleted, and what was declared after it too.
    pub fn exclude<T, R>(&self, handle: &Handle<T, R>, message: impl Into<String>) {
        self.say(&handle.node, Said::Excluded(message.into()));
    }

    fn state<T: Serialize, K: Into<String>>(&self, node: &Declared, objects: Result<impl IntoIterator<Item = (K, T)>>) {
        let said = objects.and_then(|objects| {
            let objects = objects.into_iter().map(|(key, object)| Ok((key.into(), written(node, &object)?)));
            objects.collect::<Result<Vec<_>>>().map(Said::Objects)
        });
        match said {
            Ok(said) => self.say(node, said),
            Err(halt) => self.stop(node, halt),
        }
    }

    /// What becomes of an id whose objects could not be made.
    fn stop(&self, node: &Declared, halt: Halt) {
        match halt.0 {
            Why::Waits { on, message } => self.say(node, Said::Waits { on, message }),
            Why::Excluded(message) => self.say(node, Said::Excluded(message)),
            Why::Invalid(_) | Why::Fault(_) => {
                // Said of it is that it is wrong; the render fails.
                self.say(node, Said::Objects(Vec::new()));
                self.refuse(halt);
            }
        }
    }

    fn say(&self, node: &Declared, said: Said) {
        let stated = &mut *self.stated.borrow_mut();
        let is_own = self.nodes.get(node.index).is_some_and(|own| own.id == node.id);
        match stated.nodes.get_mut(node.index).filter(|_| is_own) {
            Some(slot @ None) => *slot = Some(said),
            Some(Some(_)) => stated.faults.push(format!("`{}` is stated twice in one render", node.id)),
            None => stated.faults.push(format!("`{}` is not an id that this module declared", node.id)),
        }
    }

    /// What is there of one object, if it is: what croft made of a child, or what
    /// a read found.
    ///
    /// # Errors
    /// It does not fit its type.
    pub fn observed<T: DeserializeOwned, R: role::Single>(&self, handle: &Handle<T, R>) -> Result<Option<T>> {
        self.observed
            .get(handle.id())
            .and_then(|objects| objects.values().next())
            .map(|it| typed(handle, it))
            .transpose()
    }

    /// What is there of several objects. Those of a collection have its keys,
    /// those of others `namespace/name`, or `name` for kinds without namespaces.
    ///
    /// # Errors
    /// One does not fit its type.
    pub fn observed_all<T: DeserializeOwned, R: role::Several>(
        &self,
        handle: &Handle<T, R>,
    ) -> Result<BTreeMap<String, T>> {
        let objects = self.observed.get(handle.id()).into_iter().flatten();
        objects.map(|(key, object)| Ok((key.clone(), typed(handle, object)?))).collect()
    }

    /// A field of an object, or the reason why whoever needs it has to wait:
    /// `cx.wait(&self.card, "metadata.uid", |card| card.metadata.uid)?`. What
    /// waits has to be declared [`after`](Handle::after) the object. The field's
    /// name is for people.
    ///
    /// # Errors
    /// The field is not there yet. In [`try_child`](Self::try_child) that child
    /// waits, else all that has not been stated yet.
    pub fn wait<T: DeserializeOwned, R: role::Single, U>(
        &self,
        on: &Handle<T, R>,
        field: &str,
        take: impl FnOnce(T) -> Option<U>,
    ) -> Result<U> {
        let value = self.observed(on)?.and_then(take);
        value.ok_or_else(|| waiting(on, format!("`{field}` of `{}` is not there yet", on.id())))
    }

    /// Reads an object of somebody else, in the instance's namespace if its kind
    /// has any. The first render that asks sees nothing yet; the next one sees
    /// what was found.
    ///
    /// # Errors
    /// It does not fit its type.
    pub fn read<T: DeserializeOwned>(&self, external: &External<T>, name: impl Into<String>) -> Result<Option<T>> {
        self.read_in(external, "", name)
    }

    /// Reads an object of somebody else in another namespace.
    ///
    /// # Errors
    /// It does not fit its type.
    pub fn read_in<T: DeserializeOwned>(
        &self,
        external: &External<T>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Result<Option<T>> {
        let select = Selection::Named { namespace: namespace.into(), name: name.into() };
        self.say(&external.node, Said::Read(select));
        self.observed(external)
    }

    /// Finds the objects of somebody else that match a selector
    /// ([`matching`](super::matching)), in the instance's namespace if their kind has
    /// any; by `namespace/name`, or `name` for kinds without namespaces.
    ///
    /// # Errors
    /// One does not fit its type.
    pub fn find<T: DeserializeOwned>(
        &self,
        externals: &Externals<T>,
        selector: LabelSelector,
    ) -> Result<BTreeMap<String, T>> {
        let namespaced = externals.node.kind.scope == Scope::Namespaced;
        let namespace = if namespaced { self.namespace.clone() } else { String::new() };
        self.find_in(externals, namespace, selector)
    }

    /// Finds objects of somebody else in another namespace; an empty one stands
    /// for all.
    ///
    /// # Errors
    /// One does not fit its type.
    pub fn find_in<T: DeserializeOwned>(
        &self,
        externals: &Externals<T>,
        namespace: impl Into<String>,
        selector: LabelSelector,
    ) -> Result<BTreeMap<String, T>> {
        let selector = serde_json::to_value(selector).map_err(|error| fault(format!("a selector: {error}")))?;
        self.say(&externals.node, Said::Read(Selection::Labelled { namespace: namespace.into(), selector }));
        self.observed_all(externals)
    }

    /// The instance's status, as the type that its API has for it. A field that is
    /// `None` is left out. What is stated before a [`wait`](Self::wait) holds while
    /// it waits.
    pub fn status(&self, status: A::Status)
    where
        A: HasStatus,
        A::Status: Serialize,
    {
        match serde_json::to_value(status).map(without_nulls) {
            Ok(Value::Object(status)) => self.stated.borrow_mut().status = status,
            Ok(_) => self.fault("the status is not an object".to_owned()),
            Err(error) => self.fault(format!("the status cannot be written as JSON: {error}")),
        }
    }

    /// A condition of the instance: a PascalCase type, whether it holds (a `bool`,
    /// or `None` if nobody can tell), a PascalCase reason, and a message.
    pub fn condition(&self, kind: &str, holds: impl Into<Option<bool>>, reason: &str, message: impl Into<String>) {
        let status = match holds.into() {
            Some(true) => ConditionStatus::True,
            Some(false) => ConditionStatus::False,
            None => ConditionStatus::Unknown,
        };
        let condition = Condition { kind: kind.to_owned(), status, reason: reason.to_owned(), message: message.into() };
        self.stated.borrow_mut().conditions.push(condition);
    }

    /// Leaves everything as it is, for this reason: nothing is made, changed or
    /// deleted.
    pub fn suspend(&self, reason: impl Into<String>) {
        self.stated.borrow_mut().suspended = Some(reason.into());
    }

    /// Notes that the instance is wrong, and goes on, so that everything that is
    /// wrong is said at once. The render fails in the end.
    pub fn refuse(&self, halt: Halt) {
        match halt.0 {
            Why::Invalid(problem) => self.stated.borrow_mut().problems.push(problem),
            Why::Fault(message) => self.fault(message),
            Why::Waits { .. } | Why::Excluded(_) => {
                self.fault("`refuse` takes what is `invalid`; what waits goes up with `?`".to_owned());
            }
        }
    }

    fn fault(&self, fault: String) {
        self.stated.borrow_mut().faults.push(fault);
    }
}

fn typed<T: DeserializeOwned, R>(handle: &Handle<T, R>, object: &Value) -> Result<T> {
    T::deserialize(object).map_err(|error| {
        let kind = &handle.node.kind.gvk;
        fault(format!("the {kind} of `{}` is not what the module takes it for: {error}", handle.id()))
    })
}

/// An object as JSON, of the kind that was declared.
fn written<T: Serialize>(node: &Declared, object: &T) -> Result<Value> {
    let id = &node.id;
    let mut object =
        serde_json::to_value(object).map_err(|error| fault(format!("`{id}` cannot be written as JSON: {error}")))?;
    let Some(fields) = object.as_object_mut() else { return Err(fault(format!("`{id}` is not an object"))) };
    let kind = &node.kind.gvk;
    for (field, wanted) in [("apiVersion", kind.api_version()), ("kind", kind.kind.clone())] {
        let found = fields.entry(field).or_insert_with(|| wanted.clone().into());
        if *found != *wanted {
            return Err(fault(format!("the {field} of `{id}` is {found}, and `{wanted}` was declared")));
        }
    }
    match object.pointer("/metadata/name").and_then(Value::as_str) {
        None | Some("") => Err(fault(format!("`{id}` has no `metadata.name`"))),
        Some(_) => Ok(object),
    }
}

/// Whether the objects of an id are somebody else's.
pub(super) fn is_external(node: &Declared) -> bool {
    matches!(node.role, Role::External | Role::ExternalCollection)
}
