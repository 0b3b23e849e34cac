//! Makes a component of a core wasm module and checks its imports and exports.

use anyhow::{Context, Result, bail};
use wit_component::{ComponentEncoder, DecodedWasm};

/// The only interface with functions that a module may import.
const LOG: &str = "croft:composition/log@0.1.0";

/// What every module exports.
const COMPOSER: &str = "croft:composition/composer@0.1.0";

/// The component of a core module that `wit-bindgen` described.
pub(super) fn component(core: &[u8]) -> Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(core)
        .context("the compiler's output has no description of its interface")?
        .encode()
        .context("its interface does not fit what it imports and exports")
}

/// Refuses a component that is not a composition module, or imports a function of
/// anything but `log`. Interfaces that hold nothing but types are not imports: nothing can be called.
pub(super) fn check(component: &[u8]) -> Result<()> {
    let decoded = wit_component::decode(component).context("it cannot be read back")?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        bail!("it is a package of interfaces, not a component");
    };
    let world = &resolve.worlds[world];
    if !world.exports.keys().any(|key| resolve.name_world_key(key) == COMPOSER) {
        bail!("it does not export `{COMPOSER}`: does the crate call `guest_sdk::export!`?");
    }
    for (key, item) in &world.imports {
        let name = resolve.name_world_key(key);
        let callable = match item {
            wit_parser::WorldItem::Interface { id, .. } => !resolve.interfaces[*id].functions.is_empty(),
            wit_parser::WorldItem::Function(_) => true,
            wit_parser::WorldItem::Type { .. } => false,
        };
        if callable && name != LOG {
            bail!("it imports `{name}`; a module may import nothing but `{LOG}`");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_without_the_composer_is_refused() {
        let empty_component = b"\0asm\x0d\0\x01\0";
        let error = check(empty_component).unwrap_err().to_string();
        assert!(error.contains("does not export `croft:composition/composer@0.1.0`"), "{error}");
    }

    #[test]
    fn a_core_module_without_an_interface_is_refused() {
        let empty_core = b"\0asm\x01\0\0\0";
        assert!(check(empty_core).is_err());
    }
}
