//! Modules in OCI registries and in folders of the OCI layout: pushes and pulls
//! them, keeps what was pulled, signs and verifies.
//!
//! What a registry says is an adversary's data. Everything is bounded in size and
//! time and checked against its digest before anybody sees it, so that a registry
//! can withhold a module and never replace it. The functions block: call them where
//! blocking is fine.
//!
//! It does not decide which modules may run (`host_core` does), and runs none.

mod error;
mod document;
mod credentials;
mod http;
mod remote;
mod layout;
mod client;
mod shelf;
mod keys;
mod provider;
pub mod signature;

pub use self::{
    client::{Client, Pushed},
    document::{About, Descriptor, EMPTY_CONFIG, Manifest, WASM_CONFIG, WASM_LAYER},
    error::Error,
    http::{Mirror, Options},
    keys::{InvalidKey, PrivateKey, PublicKey},
    shelf::{Fetched, Shelf},
};
