//! What a core module says of itself, and whether a component can be made of it.

use wasm_encoder::{Module, RawSection};
use wasmparser::{BinaryReaderError, Parser, Payload};

use crate::{COMPOSER, Error, LOG, STAND_IN, WASI, error::Contract};

/// Where tools leave a description of a module's interface.
const DESCRIPTION: &str = "component-type";

/// The outside of a core module.
#[derive(Default)]
pub(crate) struct Core {
    /// Module and name.
    imports: Vec<(String, String)>,
    exports: Vec<String>,
    /// The same module without its description.
    bare: Module,
}

impl Core {
    pub(crate) fn read(wasm: &[u8]) -> Result<Core, Error> {
        let mut core = Core::default();
        for payload in Parser::new(0).parse_all(wasm) {
            payload.and_then(|payload| core.note(payload, wasm)).map_err(|error| Error::malformed(&error))?;
        }
        Ok(core)
    }

    fn note(&mut self, payload: Payload<'_>, wasm: &[u8]) -> Result<(), BinaryReaderError> {
        let section = payload.as_section();
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    self.imports.push((import.module.to_owned(), import.name.to_owned()));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.to_owned());
                }
            }
            Payload::CustomSection(section) if section.name().starts_with(DESCRIPTION) => return Ok(()),
            _ => {}
        }
        if let Some((id, range)) = section {
            self.bare.section(&RawSection { id, data: &wasm[range] });
        }
        Ok(())
    }

    pub(crate) fn wants_wasi(&self) -> bool {
        self.imports.iter().any(|(module, _)| module == WASI)
    }

    /// The module to describe.
    pub(crate) fn into_bare(self) -> Vec<u8> {
        self.bare.finish()
    }

    /// Refuses what no description would make a module, and imports that nobody
    /// answers.
    pub(crate) fn admit(&self) -> Result<(), Error> {
        let (prepare, render) = (self.has("prepare"), self.has("render"));
        match (prepare, render) {
            (true, true) => {}
            (false, false) => return Err(Error::Undescribed { contract: self.contract() }),
            (false, true) => return Err(Error::Incomplete { function: "prepare" }),
            (true, false) => return Err(Error::Incomplete { function: "render" }),
        }
        let answered = Core::read(STAND_IN)?.exports;
        let strange = self.imports.iter().find(|(module, name)| match module.as_str() {
            LOG => false,
            WASI => !answered.contains(name),
            _ => true,
        });
        match strange {
            Some((module, name)) => Err(Error::Import { import: format!("{module}.{name}") }),
            None => Ok(()),
        }
    }

    fn has(&self, function: &str) -> bool {
        let rest = |export: &String| export.strip_prefix(COMPOSER)?.strip_prefix('#').map(|name| name == function);
        self.exports.iter().any(|export| rest(export) == Some(true))
    }

    /// Which contract the names of its exports speak of.
    fn contract(&self) -> Contract {
        Contract::found(self.exports.iter().filter_map(|export| Some(export.split_once('#')?.0)))
    }
}
