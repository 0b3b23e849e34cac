//! Makes a checked component of what a compiler emits: a module that croft runs,
//! or an error that says what is wrong with it, where, and what would be right.
//!
//! A core module becomes a component, and the WASI that its language's runtime
//! asks for is answered by a stand-in that is packed with it (`wasi.wat`); a
//! component is checked. It runs nothing, and knows no language: what calls
//! compilers is above it.

mod check;
mod core;
mod error;
mod proposals;

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{Resolve, WorldId};

use self::core::Core;
pub use self::{check::check, error::Error, proposals::SUPPORTED};

/// The only interface with functions that a module may import.
pub const LOG: &str = "croft:composition/log@0.1.0";

/// What every module exports.
pub const COMPOSER: &str = "croft:composition/composer@0.1.0";

/// The world of the contract that a module is made for.
const WORLD: &str = "module";

/// What the stand-in for WASI takes the place of.
const WASI: &str = "wasi_snapshot_preview1";

static STAND_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/wasi.wasm"));

/// The checked component of a core module or of a component. Equal bytes give
/// equal bytes.
///
/// # Errors
/// It is not a composition module, or cannot be made one.
pub fn pack(wasm: &[u8]) -> Result<Vec<u8>, Error> {
    let component = match error::Form::of(wasm)? {
        error::Form::Component => wasm.to_owned(),
        error::Form::Core => component(wasm)?,
    };
    check(&component)?;
    Ok(component)
}

/// Wraps a core module into a component.
fn component(core: &[u8]) -> Result<Vec<u8>, Error> {
    proposals::check(core)?;
    let core = Core::read(core)?;
    core.admit()?;
    let wants_wasi = core.wants_wasi();
    // There is one contract, so that a description says nothing new. One that a tool
    // has left is not trusted: reading it may panic.
    let mut described = core.into_bare();
    let (contract, world) = contract();
    wit_component::embed_component_metadata(&mut described, &contract, world, StringEncoding::UTF8)
        .map_err(Error::types)?;
    let mut encoder = ComponentEncoder::default().module(&described).map_err(Error::types)?;
    if wants_wasi {
        encoder = encoder.adapter(WASI, &stand_in()).map_err(Error::types)?;
    }
    encoder.encode().map_err(Error::types)
}

/// The stand-in for WASI, with a description of the one thing that it imports.
fn stand_in() -> Vec<u8> {
    let (mut resolve, _) = contract();
    let text = format!("package croft:stand-in;\nworld stand-in {{ import {LOG}; }}");
    let package = resolve.push_str("stand-in.wit", &text).expect("this text is valid WIT");
    let world = resolve.select_world(&[package], None).expect("it has one world");
    let mut described = STAND_IN.to_owned();
    wit_component::embed_component_metadata(&mut described, &resolve, world, StringEncoding::UTF8)
        .expect("a world of one import can be written");
    described
}

/// The contract, and its world in it.
fn contract() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("composition.wit", include_str!("../../../wit/composition.wit"))
        .expect("the contract is valid WIT");
    let world = resolve.select_world(&[package], Some(WORLD)).expect("the contract has this world");
    (resolve, world)
}

#[cfg(test)]
mod tests;
