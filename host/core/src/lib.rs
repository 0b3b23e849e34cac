//! What croft's host decides, and the nouns in which it does: no network, no
//! files, no clock, and no module is run here.
//!
//! Modules are listed in the order to read them.

pub mod fault;
pub mod name;
pub mod canonical;
pub mod shell;
pub mod object;
pub mod kinds;
pub mod schemas;
pub mod oci;
pub mod definition;
pub mod module_policy;
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
pub mod admission;
pub mod compat;
pub mod graph;
