//! What can be wrong with a WebAssembly file, and what would be right.
//!
//! The text says what and where; [`Error::hint`] says what to do about it.

use std::{error::Error as StdError, fmt};

use wasmparser::BinaryReaderError;

use crate::{COMPOSER, LOG};

/// A file that is not a composition module, or cannot be made one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are something else.
    #[error("it is not WebAssembly: it is {found}")]
    NotWasm {
        /// What it looks like.
        found: &'static str,
    },
    /// The bytes begin as WebAssembly and do not go on so.
    #[error("it is malformed at byte {offset}: {message}")]
    Malformed {
        /// From the start of the file.
        offset: usize,
        /// What was found there.
        message: String,
        /// Whether the file ends where more has to follow.
        cut: bool,
    },
    /// It is written in a WebAssembly that croft does not run.
    #[error("it uses the WebAssembly proposal `{proposal}` at byte {offset}, which croft does not support")]
    Proposal {
        /// As in `threads`.
        proposal: String,
        /// From the start of the file.
        offset: usize,
    },
    /// A core module that does not say what its functions are.
    #[error("it is a core module without a description of its interface, and {contract}")]
    Undescribed {
        /// What its exports speak of.
        contract: Contract,
    },
    /// A core module that has one of the two functions.
    #[error("it exports no function `{COMPOSER}#{function}`")]
    Incomplete {
        /// The other one.
        function: &'static str,
    },
    /// A core module where a component has to be.
    #[error("it is a core module, not a component")]
    NotAComponent,
    /// It wants something that croft does not give.
    #[error("it imports `{import}`, and a module may import nothing but `{LOG}`")]
    Import {
        /// An interface, or module and name of a core module's import.
        import: String,
    },
    /// It exports something else than the contract's interface.
    #[error("{contract}, and this croft speaks `{COMPOSER}`")]
    Contract {
        /// What it exports.
        contract: Contract,
    },
    /// The contract's names, with other types.
    #[error("it names `{COMPOSER}`, but its functions have other types")]
    Types(#[source] Cause),
}

/// What the tools below say, which have no errors of their own to match.
type Cause = Box<dyn StdError + Send + Sync>;

/// Which contract a file speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contract {
    /// None at all.
    None,
    /// Another world.
    Other(String),
    /// This one, in another version.
    Version(String),
}

impl Contract {
    pub(crate) fn found<'a>(exports: impl Iterator<Item = &'a str>) -> Contract {
        let mut other = None;
        for export in exports {
            if export.starts_with("croft:composition/") {
                return Contract::Version(export.to_owned());
            }
            other.get_or_insert(export);
        }
        other.map_or(Contract::None, |name| Contract::Other(name.to_owned()))
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contract::None => f.write_str("it exports no interface"),
            Contract::Other(name) | Contract::Version(name) => write!(f, "it exports `{name}`"),
        }
    }
}

impl Error {
    /// What would be right.
    pub fn hint(&self) -> String {
        match self {
            Error::NotWasm { .. } => "give the file that the compiler wrote, which ends in `.wasm`".to_owned(),
            Error::Malformed { cut: true, .. } => "the file is cut off: build it or fetch it again".to_owned(),
            Error::Malformed { .. } => {
                "the file is damaged, or was made by a tool for another WebAssembly: build it or fetch it again"
                    .to_owned()
            }
            Error::Proposal { proposal, .. } => format!("switch `{proposal}` off in the compiler"),
            Error::Undescribed { contract } | Error::Contract { contract } => contract_hint(contract),
            Error::Incomplete { function } => format!("export `{function}` too, as croft's SDKs do"),
            Error::NotAComponent => "make a component of it: `croft module pack FILE -o FILE`".to_owned(),
            Error::Import { import } => import_hint(import).to_owned(),
            Error::Types(_) => "build it with the croft SDK that belongs to this croft".to_owned(),
        }
    }

    pub(crate) fn malformed(error: &BinaryReaderError) -> Error {
        let message = error.message().to_owned();
        let cut = message.contains("unexpected end");
        Error::Malformed { offset: error.offset(), message, cut }
    }

    pub(crate) fn types(cause: impl Into<Cause>) -> Error {
        Error::Types(cause.into())
    }
}

fn contract_hint(contract: &Contract) -> String {
    match contract {
        Contract::Version(_) => {
            "the module was built for another version of the contract: build it with the croft SDK that belongs to this \
             croft"
        }
        Contract::None | Contract::Other(_) => {
            "a module exports `prepare` and `render`: in Rust call `guest_sdk::export!`, in the other languages build it \
             with croft's SDK"
        }
    }
    .to_owned()
}

fn import_hint(import: &str) -> &'static str {
    match import.split([':', '.', '/']).next().unwrap_or_default() {
        "wasi" => {
            "have the language's tool leave WASI out: `disableFeatures` of componentize-js, `--stub-wasi` of \
             componentize-py; in Rust, build for wasm32-unknown-unknown"
        }
        "wasi_snapshot_preview1" => "WASI preview 1 has no such function: build with a released WASI toolchain",
        "wasi_unstable" => "build for WASI preview 1, whose imports croft answers when it packs",
        "croft" => "build it with the croft SDK that belongs to this croft",
        "go" | "gojs" => "build it with `GOOS=wasip1`, since `GOOS=js` is for browsers",
        "env" => "the linker left a symbol undefined: link the library that has it, or do without",
        name if name.starts_with("__wbindgen") => {
            "a dependency is built for browsers: switch off the feature that brings wasm-bindgen"
        }
        _ => "a module is a pure function of its arguments: take the import out",
    }
}

/// The two binary formats of WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Component,
    Core,
}

impl Form {
    /// Tells them apart, and from what is often mistaken for one, by the first bytes.
    pub(crate) fn of(wasm: &[u8]) -> Result<Form, Error> {
        let text = wasm.trim_ascii_start();
        let found = match wasm {
            [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(Form::Component),
            [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => return Ok(Form::Core),
            [0, b'a', b's', b'm', ..] => "a WebAssembly binary of an unknown version",
            _ if text.starts_with(b"(") || text.starts_with(b";;") => {
                "WebAssembly text, which `wasm-tools parse` assembles"
            }
            [] => "empty",
            _ => "a file that does not begin with `\\0asm`",
        };
        Err(Error::NotWasm { found })
    }
}
