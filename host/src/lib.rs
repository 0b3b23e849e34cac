//! croft, a composition runtime for kcp: the library behind the binary
//! `croft`.
//!
//! Modules are listed in the order to read them. Decisions are in `host_core`;
//! `sandbox` and `kcp` are the adapters.

pub mod clock;
pub mod gate;
pub mod modules;
pub mod pass;
pub mod runtime;
pub mod kubeconfig;
pub mod report;
pub mod yaml;
pub mod cli;
