//! What the author of a composition module in Rust depends on.
//!
//! [`Composition`] is a module as code: its API is a Rust type, its children are
//! objects of Rust types, and [`prelude`] has what it is written with. It is made
//! of [`Composer`], the contract itself in Rust, which a language for definitions
//! implements directly. [`export!`] makes either a component, and [`test`] is a
//! native test kit.
//!
//! It holds no logic of any definition language and adds no rule to the contract.
//! On wasm it is the component's glue; on other targets the same module is an
//! ordinary library that its tests call.

#[doc(hidden)]
pub mod bindings;
mod boundary;
#[cfg(feature = "typed")]
pub mod composition;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
pub mod document;
pub mod log;
#[cfg(feature = "typed")]
pub mod prelude;
#[cfg(not(target_arch = "wasm32"))]
pub mod test;

pub use boundary::{parsed, unfreed};
#[cfg(feature = "typed")]
pub use composition::Composition;
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

/// Makes a [`TextComposer`], which every [`Composer`] and so every `Composition` is,
/// what the component exports. Expands to nothing on
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
