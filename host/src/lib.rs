//! croft, a composition runtime for kcp: the library behind the binary
//! `croft`.
//!
//! Modules are listed in the order to read them. Decisions are in the pure
//! ones; `sandbox` and `kcp` are the adapters.

pub mod fault;
pub mod name;
pub mod canonical;
pub mod object;
pub mod kinds;
pub mod schemas;
pub mod definition;
pub mod claims;
pub mod identity;
pub mod receipt;
pub mod policy;
pub mod inventory;
pub mod plan;
pub mod defaults;
pub mod managed_fields;
pub mod adopt;
pub mod status;
pub mod publish;
pub mod compat;
pub mod graph;
pub mod clock;
pub mod queue;
pub mod kcp;
pub mod world;
pub mod apply;
pub mod reconcile;
pub mod operator;
pub mod kubeconfig;
pub mod report;
pub mod yaml;
pub mod sandbox;
pub mod builtin;
pub mod cli;
