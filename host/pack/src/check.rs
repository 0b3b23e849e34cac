//! Whether a component is a composition module.

use wasmparser::{BinaryReaderError, Parser, Payload, component_types::ComponentEntityType, types::Types};

use crate::{
    COMPOSER, Error, LOG, contract,
    error::{Contract, Form},
    proposals,
};

/// Refuses a component that is not a composition module of this contract, or
/// imports a function of anything but `log`.
///
/// # Errors
/// What is wrong with it; [`Error::hint`] says what would be right.
pub fn check(component: &[u8]) -> Result<(), Error> {
    if Form::of(component)? == Form::Core {
        return Err(Error::NotAComponent);
    }
    // What decodes components into interfaces expects that a tool has written them,
    // and panics over a flipped bit: names are read here, and types compared below.
    let types = proposals::check(component)?;
    let names = Names::of(component).map_err(|error| Error::malformed(&error))?;
    names.exports()?;
    names.imports(&types)?;
    let (contract, module) = contract();
    wit_component::targets(&contract, module, component).map_err(Error::types)
}

/// What a component imports and exports, and not what the parts of it do.
#[derive(Default)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

impl Names {
    fn of(component: &[u8]) -> Result<Names, BinaryReaderError> {
        let mut names = Names::default();
        // Parts come between their own section and their own end.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        names.imports.push(import?.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        names.exports.push(export?.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(names)
    }

    fn exports(&self) -> Result<(), Error> {
        if self.exports.iter().any(|name| name == COMPOSER) {
            return Ok(());
        }
        Err(Error::Contract { contract: Contract::found(self.exports.iter().map(String::as_str)) })
    }

    fn imports(&self, types: &Types) -> Result<(), Error> {
        let forbidden = self.imports.iter().find(|name| *name != LOG && is_callable(types, name));
        forbidden.map_or(Ok(()), |import| Err(Error::Import { import: import.clone() }))
    }
}

/// Interfaces that hold nothing but types are not imports: nothing can be called.
fn is_callable(types: &Types, import: &str) -> bool {
    let item = types.component_item_for_import(import).map(|item| item.ty);
    let instance = match item {
        Some(ComponentEntityType::Type { .. }) => return false,
        Some(ComponentEntityType::Instance(instance)) => &types[instance],
        _ => return true,
    };
    instance.exports.values().any(|item| !matches!(item.ty, ComponentEntityType::Type { .. }))
}
