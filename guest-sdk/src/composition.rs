//! A module as code: its API is a Rust type, and a function states the children
//! of an instance. Most modules are written with this.
//!
//! It is made of [`Composer`] and adds nothing to the contract. What a module
//! declares is checked when a definition is prepared, what it states is checked
//! against what it declared, and either is refused with a message for the
//! module's author. [`Composition`] shows a whole module.

mod api;
mod config;
mod context;
mod defaults;
mod definition;
mod halt;
mod handle;
mod kind;
mod outcome;
mod plan;
mod read;

use std::rc::Rc;

use kube::{CustomResourceExt, Resource};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Blueprint, Composer, Failure, Observed, Preparation, Prepared, Rendering, Schema, unfreed};

pub use context::Context;
pub use halt::{Halt, Result, excluded, fault, invalid, waiting};
pub use handle::{Child, Collection, External, Externals, Handle, role};
pub use kind::{Kind, KindScope, Object, matching, named, strings};
pub use plan::Plan;

use defaults::Defaults;
use halt::failures;
use kind::kind_of;

/// A module: the API that it serves, the objects that an instance is made of,
/// and how they follow from the instance.
///
/// ```
/// use guest_sdk::prelude::*;
/// use k8s_openapi::api::core::v1::ConfigMap;
///
/// /// Something to remember.
/// #[derive(CustomResource, JsonSchema, Deserialize, Serialize, Clone, Debug)]
/// #[kube(group = "example.org", version = "v1", kind = "Note", namespaced)]
/// pub struct NoteSpec {
///     text: String,
/// }
///
/// pub struct Notes {
///     card: Child<ConfigMap>,
/// }
///
/// impl Composition for Notes {
///     type Api = Note;
///
///     fn declare(plan: &Plan) -> Result<Notes> {
///         Ok(Notes { card: plan.child("card") })
///     }
///
///     fn render(&self, note: &Note, cx: &Context<Note>) -> Result {
///         let data = strings([("text", &note.spec.text)]);
///         let metadata = named(note.metadata.name.clone().unwrap_or_default());
///         cx.child(&self.card, ConfigMap { metadata, data: Some(data), ..ConfigMap::default() });
///         Ok(())
///     }
/// }
///
/// guest_sdk::export!(Notes);
///
/// let mut trial = guest_sdk::test::Trial::<Notes>::new(Note::new("milk", NoteSpec { text: "buy some".into() }));
/// let card: ConfigMap = trial.converge().unwrap().child("card");
/// assert_eq!(card.data.unwrap()["text"], "buy some");
/// ```
pub trait Composition: Sized {
    /// The API: what `#[derive(CustomResource)]` made of its `spec`. Kind, CRD,
    /// defaults and validation come from it.
    type Api: ApiType;

    /// Declares the objects that an instance may be made of, and those that it
    /// reads. Kinds, rights, the graph and its order follow from this. It is
    /// called for each definition and again for each render, and has to declare
    /// the same for the same configuration.
    ///
    /// # Errors
    /// The configuration is refused.
    fn declare(plan: &Plan) -> Result<Self>;

    /// States what an instance is made of, given what there is. An `Err` of
    /// [`Context::wait`] leaves blocked whatever has not been stated by then.
    ///
    /// # Errors
    /// The instance is refused, or the rest has to wait.
    fn render(&self, instance: &Self::Api, cx: &Context<Self::Api>) -> Result;
}

/// The type of an API's instances. `#[derive(CustomResource)]` makes such.
pub trait ApiType: Resource<DynamicType = ()> + CustomResourceExt + DeserializeOwned {}

impl<T: Resource<DynamicType = ()> + CustomResourceExt + DeserializeOwned> ApiType for T {}

impl<C: Composition> Composer for C {
    fn prepare(definition: Value, _schemas: Vec<Schema>) -> Result<Preparation, Failure> {
        prepare::<C>(&definition).map(|prepared| Preparation::Ready(Box::new(prepared)))
    }

    fn render(program: &[u8], mut instance: Value, observed: Vec<Observed>) -> Result<Rendering, Failure> {
        let program = serde_json::from_slice(program)
            .map_err(|error| Failure::Internal(format!("the program is not one of this module: {error}")))?;
        let rendering = render::<C>(program, &mut instance, observed);
        unfreed(instance);
        rendering
    }
}

/// What a render needs of the definition.
#[derive(Serialize, Deserialize)]
struct Program {
    #[serde(default, skip_serializing_if = "Value::is_null")]
    config: Value,
    defaults: Defaults,
}

fn prepare<C: Composition>(definition: &Value) -> Result<Prepared, Failure> {
    definition::check(definition, &kind_of::<C::Api>())?;
    let config = definition.pointer("/spec/config").cloned().unwrap_or_default();
    let plan = Plan::new(config);
    C::declare(&plan).map_err(Halt::into_failure)?;
    plan.check_config()?;
    let (api, mut faults) = api::of::<C::Api>();
    let nodes = plan.blueprint(&api.kind, &mut faults);
    if !faults.is_empty() {
        return Err(failures(&faults));
    }
    let spec = api.crd.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec");
    let program = Program { defaults: spec.map(Defaults::of).unwrap_or_default(), config: plan.config.take() };
    let program = serde_json::to_vec(&program).expect("JSON values and maps with string keys can be written");
    let blueprint = Blueprint { api, kinds: plan::used(&nodes), nodes };
    Ok(Prepared { blueprint, program, warnings: plan.warnings.take() })
}

fn render<C: Composition>(program: Program, object: &mut Value, observed: Vec<Observed>) -> Result<Rendering, Failure> {
    let Program { config, defaults } = program;
    let plan = Plan::new(config);
    let module = C::declare(&plan).map_err(Halt::into_failure)?;
    let nodes: Rc<[_]> = plan.nodes.take().into();
    if let Some(object) = object.as_object_mut() {
        object.entry("spec").or_insert_with(|| Value::Object(Map::new()));
    }
    let instance: C::Api = read::instance(object)?;
    let namespace = instance.meta().namespace.clone().unwrap_or_default();
    let cx = Context::new(nodes, observed, namespace);
    let ended = module.render(&instance, &cx);
    let mut rendering = outcome::rendering(cx, ended)?;
    rendering.defaults = defaults.missing(&object["spec"]);
    Ok(rendering)
}

#[cfg(test)]
mod tests;
