//! What the author of a composition module in Rust depends on: one trait to
//! implement, one macro to export it, the contract's types and a native test
//! kit.
//!
//! It holds no logic of any definition language and adds no rule to the
//! contract. On wasm it is the component's glue; on other targets the same
//! module is an ordinary library that its tests call.
//!
//! A module that serves an API `Note` and makes a ConfigMap of each:
//!
//! ```
//! use guest_sdk::{
//!     Access, Api, Blueprint, Child, Composer, Failure, Gvk, Node, Observed, Preparation, Prepared, Rendering, Role,
//!     Schema, Scope, UsedKind,
//!     serde_json::{Value, json},
//! };
//!
//! struct Notes;
//!
//! impl Composer for Notes {
//!     fn prepare(_definition: Value, _schemas: Vec<Schema>) -> Result<Preparation, Failure> {
//!         let config_map = Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() };
//!         let api = Api {
//!             kind: Gvk { group: "example.org".into(), version: "v1".into(), kind: "Note".into() },
//!             plural: "notes".into(),
//!             scope: Scope::Namespaced,
//!             crd: json!({
//!                 "apiVersion": "apiextensions.k8s.io/v1",
//!                 "kind": "CustomResourceDefinition",
//!                 "metadata": {"name": "notes.example.org"},
//!                 "spec": {
//!                     "group": "example.org",
//!                     "names": {"kind": "Note", "listKind": "NoteList", "plural": "notes", "singular": "note"},
//!                     "scope": "Namespaced",
//!                     "versions": [{
//!                         "name": "v1", "served": true, "storage": true,
//!                         "schema": {"openAPIV3Schema": {"type": "object", "properties": {
//!                             "spec": {"type": "object", "properties": {"text": {"type": "string"}}},
//!                         }}},
//!                     }],
//!                 },
//!             }),
//!         };
//!         let node = Node { id: "card".into(), role: Role::Child, kind: config_map.clone(), depends_on: vec![] };
//!         let kinds = vec![UsedKind { kind: config_map, access: Access::Manage }];
//!         let blueprint = Blueprint { api, kinds, nodes: vec![node] };
//!         Ok(Preparation::Ready(Box::new(Prepared { blueprint, program: vec![], warnings: vec![] })))
//!     }
//!
//!     fn render(_program: &[u8], instance: Value, _observed: Vec<Observed>) -> Result<Rendering, Failure> {
//!         let manifest = json!({
//!             "apiVersion": "v1",
//!             "kind": "ConfigMap",
//!             "metadata": {"name": instance["metadata"]["name"]},
//!             "data": {"text": instance["spec"]["text"]},
//!         });
//!         let card = Child { id: "card".into(), key: String::new(), manifest, depends_on: vec![] };
//!         Ok(Rendering { children: vec![card], ..Rendering::default() })
//!     }
//! }
//!
//! guest_sdk::export!(Notes);
//!
//! let prepared = guest_sdk::test::prepare::<Notes>(json!({})).unwrap();
//! let note = json!({"metadata": {"name": "milk"}, "spec": {"text": "buy some"}});
//! let rendering = Notes::render(&prepared.program, note, vec![]).unwrap();
//! assert_eq!(rendering.children[0].manifest["data"]["text"], "buy some");
//! ```

#[doc(hidden)]
pub mod bindings;
mod boundary;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
pub mod document;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod test;

pub use boundary::{parsed, unfreed};
pub use contract::*;
pub use serde_json;

use serde_json::Value;

/// A composition module: a pure function from definition and instance to
/// children.
///
/// Both calls start with fresh memory, so nothing survives from one to the
/// next but the program bytes.
pub trait Composer {
    /// Reads and checks a definition, the object as stored. `schemas` are the
    /// kinds that the host knows; [`Preparation::Needs`] asks for more.
    fn prepare(definition: Value, schemas: Vec<Schema>) -> Result<Preparation, Failure>;

    /// Renders one instance. `program` is what [`prepare`](Self::prepare)
    /// answered, `observed` the live objects of children and external reads.
    fn render(program: &[u8], instance: Value, observed: Vec<Observed>) -> Result<Rendering, Failure>;
}

/// A composition module that reads the objects that it is shown and writes those
/// that it wants as JSON text itself: for one that looks at little of them. Every
/// [`Composer`] is one.
pub trait TextComposer {
    /// As in [`Composer`].
    fn prepare(definition: Value, schemas: Vec<Schema>) -> Result<Preparation, Failure>;

    /// As in [`Composer`]; the text of an object is whatever the host passed, and
    /// [`document`] reads it. A manifest is written by the module.
    fn render(program: &[u8], instance: Value, observed: Vec<Observed<String>>) -> Result<Rendering<String>, Failure>;
}

impl<C: Composer> TextComposer for C {
    fn prepare(definition: Value, schemas: Vec<Schema>) -> Result<Preparation, Failure> {
        C::prepare(definition, schemas)
    }

    fn render(program: &[u8], instance: Value, observed: Vec<Observed<String>>) -> Result<Rendering<String>, Failure> {
        let observed = observed.into_iter().map(boundary::seen).collect::<Result<_, _>>()?;
        Ok(boundary::written(C::render(program, instance, observed)?))
    }
}

/// Makes a [`TextComposer`], which every [`Composer`] is, what the component exports. Expands to nothing on
/// targets other than wasm32, where the type is used directly.
///
/// Call it once, in the crate that is built as `cdylib`.
#[macro_export]
macro_rules! export {
    ($composer:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::component::Component<$composer>;
    $crate::bindings::export_component!(Exported with_types_in $crate::bindings);
        };
    };
}
