//! An instance and its world, for tests of a [`Composition`]: render, show the
//! children back, let a controller or a user do something, and render again.

use std::{collections::BTreeMap, marker::PhantomData};

use k8s_openapi::ByteString;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{fill_in, prepare};
use crate::{Blueprint, Child, Composer, Composition, Failure, Observed, Prepared, Problem, Rendering};

/// The most renders of [`Trial::converge`], as many as a host makes for the
/// largest definition.
const MOST_RENDERS: usize = 1_000;

/// One instance of a module's API, and the objects that the module is shown. It
/// plays the host, admits everything, and lets children be ready at once.
pub struct Trial<C> {
    prepared: Prepared,
    instance: Value,
    children: BTreeMap<(String, String), Value>,
    found: Vec<Observed>,
    module: PhantomData<fn() -> C>,
}

/// What a render came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// All that the module answered.
    pub rendering: Rendering,
}

impl<C: Composition<Api: Serialize>> Trial<C> {
    /// An instance of a definition without configuration.
    ///
    /// # Panics
    /// The module refuses the definition.
    pub fn new(instance: C::Api) -> Trial<C> {
        Trial::with_config(json!({}), instance)
    }

    /// An instance of a definition with this `spec.config`.
    ///
    /// # Panics
    /// The module refuses the definition.
    pub fn with_config(config: Value, instance: C::Api) -> Trial<C> {
        let prepared = prepare::<C>(definition(config)).unwrap_or_else(|failure| panic!("{}", told(failure)));
        let mut instance = json(instance);
        let namespaced = prepared.blueprint.api.crd["spec"]["scope"] == "Namespaced";
        let metadata = &mut instance["metadata"];
        if namespaced && metadata["namespace"].is_null() {
            metadata["namespace"] = "default".into();
        }
        if metadata["uid"].is_null() {
            metadata["uid"] = "uid-of-the-instance".into();
        }
        let (children, found, module) = (BTreeMap::new(), Vec::new(), PhantomData);
        Trial { prepared, instance, children, found, module }
    }

    /// What the module made of the definition.
    pub fn blueprint(&self) -> &Blueprint {
        &self.prepared.blueprint
    }

    /// The instance as it is, with the defaults that were filled in.
    ///
    /// # Panics
    /// It does not fit its type.
    pub fn instance(&self) -> C::Api {
        typed(&self.instance)
    }

    /// Changes the instance, as its user does.
    ///
    /// # Panics
    /// It does not fit its type.
    pub fn change(&mut self, change: impl FnOnce(&mut C::Api)) {
        let mut instance = self.instance();
        change(&mut instance);
        self.instance = json(instance);
    }

    /// Lets an external read find an object of somebody else.
    ///
    /// # Panics
    /// It cannot be written as JSON.
    pub fn find(&mut self, id: &str, object: impl Serialize) {
        let object = json(object);
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        let role = self.blueprint().nodes.iter().find(|node| node.id == id).map(|node| node.role);
        let key = match role {
            Some(crate::Role::ExternalCollection) if namespace.is_empty() => name,
            Some(crate::Role::ExternalCollection) => format!("{namespace}/{name}"),
            _ => String::new(),
        };
        self.found.retain(|seen| (&*seen.id, &seen.key) != (id, &key));
        self.found.push(Observed { id: id.to_owned(), key, object });
    }

    /// Changes a child that exists, as its controller does: it writes a status.
    ///
    /// # Panics
    /// There is no such child, or it does not fit the type.
    pub fn update<T: Serialize + DeserializeOwned>(&mut self, id: &str, change: impl FnOnce(&mut T)) {
        self.update_at(id, "", change);
    }

    /// Changes an object of a collection that exists.
    ///
    /// # Panics
    /// There is no such object, or it does not fit the type.
    pub fn update_at<T: Serialize + DeserializeOwned>(&mut self, id: &str, key: &str, change: impl FnOnce(&mut T)) {
        let place = (id.to_owned(), key.to_owned());
        let object = self.children.get_mut(&place).unwrap_or_else(|| panic!("`{id}` `{key}` does not exist yet"));
        let mut changed = typed(object);
        change(&mut changed);
        *object = json(changed);
    }

    /// Renders once, and shows the children back as a server has them.
    ///
    /// # Errors
    /// The module refuses the instance, or is wrong.
    pub fn render(&mut self) -> Result<Rendered, Failure> {
        let observed = self.children.iter().map(|((id, key), object)| Observed {
            id: id.clone(),
            key: key.clone(),
            object: object.clone(),
        });
        let observed = observed.chain(self.found.iter().cloned()).collect();
        let rendering = <C as Composer>::render(&self.prepared.program, self.instance.clone(), observed)?;
        fill_in(&mut self.instance, &rendering.defaults);
        if rendering.suspended.is_none() {
            self.show_back(&rendering);
        }
        Ok(Rendered { rendering })
    }

    /// Renders until nothing changes.
    ///
    /// # Errors
    /// The module refuses the instance, or is wrong.
    ///
    /// # Panics
    /// It never settles.
    pub fn converge(&mut self) -> Result<Rendered, Failure> {
        let mut before = self.render()?;
        for _ in 0..MOST_RENDERS {
            let (instance, children) = (self.instance.clone(), self.children.clone());
            let rendered = self.render()?;
            if rendered == before && instance == self.instance && children == self.children {
                return Ok(rendered);
            }
            before = rendered;
        }
        panic!("the rendering still changes after {MOST_RENDERS} renders: it is not a function of what it is shown")
    }

    /// Children of blocked ids stay, others that were not rendered go.
    fn show_back(&mut self, rendering: &Rendering) {
        let is_blocked = |id: &str| rendering.blocked.iter().any(|blocked| blocked.id == id);
        let mut children: BTreeMap<(String, String), Value> = self
            .children
            .iter()
            .filter(|((id, _), _)| is_blocked(id))
            .map(|(at, it)| (at.clone(), it.clone()))
            .collect();
        for child in &rendering.children {
            let place = (child.id.clone(), child.key.clone());
            let live = self.live(child, self.children.get(&place));
            children.insert(place, live);
        }
        self.children = children;
    }

    /// A child as a server has it: with what a server adds, and with the status
    /// that its controller wrote.
    fn live(&self, child: &Child, before: Option<&Value>) -> Value {
        let mut live = child.manifest.clone();
        if let Some(status) = before.and_then(|before| before.get("status")) {
            live["status"] = status.clone();
        }
        let key = if child.key.is_empty() { String::new() } else { format!("-{}", child.key) };
        let metadata = &mut live["metadata"];
        if metadata["namespace"].is_null() && !self.instance["metadata"]["namespace"].is_null() {
            metadata["namespace"] = self.instance["metadata"]["namespace"].clone();
        }
        metadata["uid"] = format!("uid-of-{}{key}", child.id).into();
        metadata["resourceVersion"] = "1".into();
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
        if (&live["apiVersion"], &live["kind"]) == (&json!("v1"), &json!("Secret")) {
            move_texts(&mut live);
        }
        live
    }
}

/// A server keeps the `stringData` of a Secret in `data`.
fn move_texts(secret: &mut Value) {
    let Some(Value::Object(texts)) = secret.as_object_mut().and_then(|secret| secret.remove("stringData")) else {
        return;
    };
    let data = texts.into_iter().map(|(name, text)| {
        let bytes = ByteString(text.as_str().unwrap_or_default().as_bytes().to_vec());
        (name, json(bytes))
    });
    let data: Map<String, Value> = data.collect();
    match secret.get_mut("data").and_then(Value::as_object_mut) {
        Some(present) => present.extend(data),
        None => secret["data"] = Value::Object(data),
    }
}

impl Rendered {
    /// A child as its type.
    ///
    /// # Panics
    /// It was not rendered, or does not fit the type.
    pub fn child<T: DeserializeOwned>(&self, id: &str) -> T {
        self.children(id).remove("").unwrap_or_else(|| panic!("`{id}` was not rendered: {}", self.why_not(id)))
    }

    /// The objects of a collection, by key.
    ///
    /// # Panics
    /// One does not fit the type.
    pub fn children<T: DeserializeOwned>(&self, id: &str) -> BTreeMap<String, T> {
        let children = self.rendering.children.iter().filter(|child| child.id == id);
        children.map(|child| (child.key.clone(), typed(&child.manifest))).collect()
    }

    /// The status as its type.
    ///
    /// # Panics
    /// It does not fit the type.
    pub fn status<T: DeserializeOwned>(&self) -> T {
        typed(&Value::Object(self.rendering.status.clone()))
    }

    /// What an id waits for, if it does.
    pub fn blocked(&self, id: &str) -> Option<&str> {
        self.rendering.blocked.iter().find(|blocked| blocked.id == id).map(|blocked| &*blocked.message)
    }

    /// Why there is no object under an id, if there should be none.
    pub fn excluded(&self, id: &str) -> Option<&str> {
        self.rendering.excluded.iter().find(|excluded| excluded.id == id).map(|excluded| &*excluded.message)
    }

    /// Whether nothing waits and all that is there is ready.
    pub fn is_ready(&self) -> bool {
        self.rendering.blocked.is_empty() && self.rendering.readiness.iter().all(|one| one.ready)
    }

    fn why_not(&self, id: &str) -> String {
        match (self.blocked(id), self.excluded(id)) {
            (Some(message), _) => format!("blocked, {message}"),
            (None, Some(message)) => format!("excluded, {message}"),
            (None, None) => "there is no such child".to_owned(),
        }
    }
}

/// What a module says is wrong with the definition or the instance.
///
/// # Panics
/// The module itself is wrong.
pub fn problems(failure: Failure) -> Vec<Problem> {
    match failure {
        Failure::Invalid(problems) => problems,
        Failure::Internal(message) => panic!("the module is wrong: {message}"),
    }
}

/// A `Composition` with this configuration.
pub fn definition(config: Value) -> Value {
    json!({
        "apiVersion": "croft.run/v1alpha1",
        "kind": "Composition",
        "metadata": {"name": "test"},
        "spec": {"module": "file:module.wasm", "config": config},
    })
}

fn told(failure: Failure) -> String {
    match failure {
        Failure::Invalid(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        Failure::Internal(message) => message,
    }
}

fn json(value: impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_else(|error| panic!("it cannot be written as JSON: {error}"))
}

fn typed<T: DeserializeOwned>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_else(|error| panic!("it does not fit its type: {error}\n{value:#}"))
}
