//! What a module is written with: `use guest_sdk::prelude::*`.
//!
//! The derives write `::kube`, `::k8s_openapi`, `::schemars`, `::serde` and
//! `::serde_json`: the module's crate has to depend on these five.

pub use kube::CustomResource;
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};
pub use serde_json::{Value, json};

pub use crate::composition::{
    Child, Collection, Composition, Context, External, Externals, Halt, Kind, Plan, Result, excluded, fault, invalid,
    matching, named, strings, waiting,
};
