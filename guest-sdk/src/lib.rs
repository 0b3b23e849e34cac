//! What the author of a composition module in Rust depends on: one trait to
//! implement, one macro to export it, the contract's types and a native test
//! kit.
//!
//! It holds no logic of any definition language and adds no rule to the
//! contract. On wasm it is the component's glue; on other targets the same
//! module is an ordinary library that its tests call.
//!
//! ```
//! use guest_sdk::{Composer, Failure, Observed, Preparation, Rendering, Schema, serde_json::Value};
//!
//! struct Nothing;
//!
//! impl Composer for Nothing {
//!     fn prepare(_definition: Value, _schemas: Vec<Schema>) -> Result<Preparation, Failure> {
//!         Ok(Preparation::Needs(Vec::new()))
//!     }
//!     fn render(_program: &[u8], _instance: Value, _observed: Vec<Observed>) -> Result<Rendering, Failure> {
//!         Ok(Rendering::default())
//!     }
//! }
//!
//! guest_sdk::export!(Nothing);
//! ```

#[doc(hidden)]
pub mod bindings;
mod boundary;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
pub mod log;
#[cfg(not(target_arch = "wasm32"))]
pub mod test;

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

/// Makes a [`Composer`] what the component exports. Expands to nothing on
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
