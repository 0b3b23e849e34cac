//! The module that comes with croft, `builtin:kro`.
//!
//! It is a module like any other: it runs in the same sandbox, and nothing
//! asks whether it is this one.

/// The kro language as a component.
pub fn kro() -> &'static [u8] {
    include_bytes!(concat!(env!("OUT_DIR"), "/kro.wasm"))
}
