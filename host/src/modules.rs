//! Finds the module that a definition names and loads it, once per digest.

pub mod builtin;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use host_core::{
    definition::{ModuleRef, NoModule},
    fault::{Blame, Fault},
    name::Digest,
};
use sandbox::{Module, Sandbox};

/// All modules that were loaded.
pub(crate) struct Modules {
    sandbox: Sandbox,
    folder: Option<PathBuf>,
    loaded: Mutex<HashMap<Digest, Slot>>,
}

/// A module, once somebody has loaded it.
type Slot = Arc<Mutex<Option<Module>>>;

/// A module that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The definition names none that could be used.
    #[error(transparent)]
    Reference(#[from] NoModule),
    /// Files are not allowed.
    #[error(
        "the definition names the file `{path}`, and this host takes no modules from files; its operator can allow it with `croft run --modules DIR`"
    )]
    FilesNotAllowed { path: PathBuf },
    /// The file is outside.
    #[error("`{path}` is not below the folder that this host takes modules from")]
    Outside { path: PathBuf },
    /// The file cannot be read.
    #[error("cannot read the module `{path}`")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The file is another one than was published.
    #[error("the module `{path}` has the digest {found}, and the definition names {pinned}")]
    OtherDigest { path: PathBuf, found: Digest, pinned: Digest },
    /// It is not a module.
    #[error(transparent)]
    Load(#[from] sandbox::Error),
}

impl Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::Reference(error) => error.reason(),
            Error::FilesNotAllowed { .. } | Error::Outside { .. } => "ModuleNotAllowed",
            Error::Read { .. } => "ModuleNotFound",
            Error::OtherDigest { .. } => "DigestMismatch",
            Error::Load(error) => error.reason(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Read { .. } => Blame::Host,
            Error::Reference(_) | Error::FilesNotAllowed { .. } | Error::Outside { .. } | Error::OtherDigest { .. } => {
                Blame::Input
            }
            Error::Load(error) => error.blame(),
        }
    }
}

impl Modules {
    pub(crate) fn new(sandbox: Sandbox, folder: Option<PathBuf>) -> Modules {
        Modules { sandbox, folder, loaded: Mutex::default() }
    }

    /// The module that a reference names. May compile for seconds: call it
    /// where blocking is fine.
    pub(crate) fn load(&self, reference: &ModuleRef) -> Result<Module, Error> {
        match reference {
            ModuleRef::Kro => self.loaded(builtin::kro()),
            ModuleRef::File { path, digest } => {
                let wasm = self.read(path)?;
                match digest {
                    Some(pinned) if *pinned != Digest::of(&wasm) => {
                        Err(Error::OtherDigest { path: path.clone(), found: Digest::of(&wasm), pinned: pinned.clone() })
                    }
                    _ => self.loaded(&wasm),
                }
            }
        }
    }

    /// Reads a file below the folder that the operator allows. Definitions are
    /// written by tenants: no `..` and no link may lead outside.
    fn read(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let folder = self.folder.as_ref().ok_or_else(|| Error::FilesNotAllowed { path: path.to_owned() })?;
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let folder = folder.canonicalize().map_err(failed)?;
        let file = folder.join(path).canonicalize().map_err(failed)?;
        if !file.starts_with(&folder) {
            return Err(Error::Outside { path: path.to_owned() });
        }
        std::fs::read(file).map_err(failed)
    }

    /// Compiling takes seconds: who comes second waits for who came first.
    fn loaded(&self, wasm: &[u8]) -> Result<Module, Error> {
        let digest = Digest::of(wasm);
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = Arc::clone(known().entry(digest.clone()).or_default());
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = &*slot {
            return Ok(module.clone());
        }
        match self.sandbox.load(wasm) {
            Ok(module) => Ok(slot.insert(module).clone()),
            Err(error) => {
                known().remove(&digest);
                Err(error.into())
            }
        }
    }
}
