//! What a WebAssembly binary says of itself: what it is, what it imports and what
//! it exports. Nothing of it is compiled or run.
//!
//! Whether it can be used is for `Sandbox::load` to say.

use wasmtime::wasmparser::{self, Encoding, Parser, Payload};

/// The outside of a WebAssembly binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Which of the two binary formats it has.
    pub form: Form,
    /// The names of its imports, in the order of the binary; those of a core module
    /// as `MODULE.NAME`.
    pub imports: Vec<String>,
    /// The names of its exports, in the order of the binary.
    pub exports: Vec<String>,
}

/// A binary format of WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What croft runs.
    Component,
    /// What a component is made of.
    CoreModule,
}

/// The bytes end early or are no WebAssembly.
#[derive(Debug, thiserror::Error)]
#[error("the interface of the module cannot be read")]
pub struct Unreadable(#[source] wasmparser::BinaryReaderError);

impl Interface {
    /// Reads a binary's own imports and exports, and not those of what it holds.
    ///
    /// # Errors
    /// The binary is malformed.
    pub fn of(wasm: &[u8]) -> Result<Interface, Unreadable> {
        let mut interface = Interface { form: Form::CoreModule, imports: Vec::new(), exports: Vec::new() };
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(Unreadable)? {
                // The outermost one ends as well, and nothing follows it.
                Payload::End(_) => depth = i32::max(0, depth - 1),
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                payload if depth == 0 => interface.note(payload).map_err(Unreadable)?,
                _ => {}
            }
        }
        Ok(interface)
    }

    fn note(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::Version { encoding: Encoding::Component, .. } => self.form = Form::Component,
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    self.imports.push(format!("{}.{}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    self.exports.push(export?.name.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }
}
