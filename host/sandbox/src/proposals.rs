//! Which WebAssembly a module may be written in: one list, by which a component
//! is checked before it reaches the compiler, and by which the compiler is set.
//!
//! It does not look at imports and exports; `sandbox` does.

use wasmtime::wasmparser::{Validator, WasmFeatures};

use super::error::Error;
use host_core::name::Digest;

/// What compilers emit for the languages that modules are written in, and
/// nothing that may differ between machines. Whatever is not here was either
/// left out of this build of wasmtime (threads, garbage collection,
/// exceptions, asynchronous components) or has no use in a pure function.
pub const SUPPORTED: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Refuses a component that is malformed or needs more than [`SUPPORTED`].
///
/// wasmtime validates too, but by a list of its own: one that was built without
/// a proposal has let code that uses it reach the compiler before.
pub(super) fn check(wasm: &[u8], digest: &Digest) -> Result<(), Error> {
    let Err(error) = Validator::new_with_features(SUPPORTED).validate_all(wasm) else { return Ok(()) };
    let digest = digest.clone();
    let proposal = error.missing_wasm_feature().or_else(|| missing(wasm));
    Err(match proposal {
        Some(proposal) => Error::UnsupportedProposal { digest, proposal: name(proposal), source: error.into() },
        None => Error::CompileFailed { digest, source: error.into() },
    })
}

/// The proposal that makes the component valid, for errors that do not name one.
fn missing(wasm: &[u8]) -> Option<WasmFeatures> {
    let valid = |features| Validator::new_with_features(features).validate_all(wasm).is_ok();
    let others = || WasmFeatures::all().difference(SUPPORTED).iter();
    valid(WasmFeatures::all()).then(|| others().find(|proposal| valid(SUPPORTED.union(*proposal)))).flatten()
}

/// `shared-everything-threads`, as the proposals call themselves.
fn name(proposal: WasmFeatures) -> String {
    let names: Vec<String> = proposal.iter_names().map(|(name, _)| name.to_lowercase().replace('_', "-")).collect();
    names.join(", ")
}
