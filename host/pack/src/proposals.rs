//! Which WebAssembly a module may be written in.
//!
//! It is the list of `sandbox`, which is alone with wasmtime and cannot be asked
//! here; an integration test holds the two together.

use wasmparser::{Validator, WasmFeatures, types::Types};

use crate::Error;

/// What croft's sandbox runs.
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

/// Refuses a binary that is malformed or needs more than [`SUPPORTED`]; answers
/// the types of one that is not.
pub(crate) fn check(wasm: &[u8]) -> Result<Types, Error> {
    let valid = |features| Validator::new_with_features(features).validate_all(wasm);
    let error = match valid(SUPPORTED) {
        Ok(types) => return Ok(types),
        Err(error) => error,
    };
    let others = || WasmFeatures::all().difference(SUPPORTED).iter();
    let found = || others().find(|proposal| valid(SUPPORTED.union(*proposal)).is_ok());
    Err(match valid(WasmFeatures::all()).is_ok().then(found).flatten() {
        Some(proposal) => Error::Proposal { proposal: name(proposal), offset: error.offset() },
        None => Error::malformed(&error),
    })
}

/// `shared-everything-threads`, as the proposals call themselves.
fn name(proposal: WasmFeatures) -> String {
    let names: Vec<String> = proposal.iter_names().map(|(name, _)| name.to_lowercase().replace('_', "-")).collect();
    names.join(", ")
}
