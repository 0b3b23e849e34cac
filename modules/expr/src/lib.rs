//! CEL for Kubernetes: reads an expression, checks it against OpenAPI types,
//! and evaluates it over JSON objects.
//!
//! It knows nothing of kro's definitions, of croft or of WebAssembly. The text
//! is parsed by the `cel` crate; types, overloads, libraries and evaluation are
//! here. `README.md` says why, and what differs from cel-go, whose semantics
//! these are.
//!
//! Read on in the order of the modules: `parse` makes a [`syntax::Node`],
//! [`check`](check::check) finds its type and lowers it to
//! [`Code`](code::Code), which can be carried as bytes; a
//! [`Machine`](eval::Machine) evaluates that within a bound on its work.

pub mod syntax;
pub mod parse;
mod macros;
pub mod references;
pub mod types;
pub mod openapi;
pub mod escape;
pub mod error;
pub mod nearest;
pub mod check;
pub mod code;
pub mod hint;
pub mod value;
mod number;
pub mod regexp;
pub mod eval;
pub mod convert;
pub mod library;
pub mod kube;
pub mod time;
