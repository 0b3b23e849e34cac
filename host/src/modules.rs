//! Finds the module that a definition names and loads it, once per digest, if the
//! policy lets it run.

pub mod builtin;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use host_core::{
    definition::{ModuleRef, NoModule},
    fault::{Blame, Fault},
    module_policy::Permit,
    name::Digest,
    oci::{OciRef, Place},
};
use registry::Shelf;
use sandbox::{Module, Sandbox};

use crate::gate::{self, Gate};

/// All modules that were loaded.
pub(crate) struct Modules {
    sandbox: Sandbox,
    folder: Option<PathBuf>,
    shelf: Shelf,
    gate: Gate,
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
    /// A registry does not give it.
    #[error("{source}{}", hinted(source))]
    Registry { source: registry::Error },
    /// The policy does not let it run, or nobody can tell.
    #[error(transparent)]
    Gate(#[from] gate::Error),
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
            Error::Registry { source } => source.reason(),
            Error::Gate(error) => error.reason(),
            Error::Load(error) => error.reason(),
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Read { .. } => Blame::Host,
            Error::Reference(_) | Error::FilesNotAllowed { .. } | Error::Outside { .. } | Error::OtherDigest { .. } => {
                Blame::Input
            }
            Error::Registry { source } => source.blame(),
            Error::Gate(error) => error.blame(),
            Error::Load(error) => error.blame(),
        }
    }
}

impl Modules {
    pub(crate) fn new(sandbox: Sandbox, folder: Option<PathBuf>, shelf: Shelf, gate: Gate) -> Modules {
        Modules { sandbox, folder, shelf, gate, loaded: Mutex::default() }
    }

    /// The module that a reference names, if the policy lets it run. May compile for
    /// seconds, and wait for a registry: call it where blocking is fine.
    pub(crate) fn load(&self, reference: &ModuleRef) -> Result<Module, Error> {
        self.gate.may_fetch(reference)?;
        match reference {
            ModuleRef::Kro => self.admitted(reference, builtin::kro()),
            ModuleRef::File { path, digest } => {
                let wasm = self.read(path)?;
                match digest {
                    Some(pinned) if *pinned != Digest::of(&wasm) => {
                        Err(Error::OtherDigest { path: path.clone(), found: Digest::of(&wasm), pinned: pinned.clone() })
                    }
                    _ => self.admitted(reference, &wasm),
                }
            }
            ModuleRef::Oci(named) => {
                let found = self.found(named)?;
                let fetched = self.shelf.fetch(&found).map_err(|source| Error::Registry { source })?;
                self.admitted(&ModuleRef::Oci(found), &fetched.wasm)
            }
        }
    }

    /// Where a reference leads: a folder is below the one that the operator allows.
    fn found(&self, named: &OciRef) -> Result<OciRef, Error> {
        match &named.place {
            Place::Layout(path) => Ok(OciRef { place: Place::Layout(self.within(path)?), ..named.clone() }),
            Place::Registry(_) => Ok(named.clone()),
        }
    }

    /// Loads what the policy lets run. It is asked also for what was loaded before:
    /// the same module may come from somewhere else now.
    fn admitted(&self, reference: &ModuleRef, wasm: &[u8]) -> Result<Module, Error> {
        let permit = self.gate.admit(reference, &Digest::of(wasm), &self.shelf)?;
        self.loaded(&permit, wasm)
    }

    /// Keeps what a definition runs on, on disk too: it starts from there while the
    /// registry is down.
    pub(crate) fn in_force(&self, definition: &str, reference: &ModuleRef, module: &Module) {
        self.sandbox.hold(definition, module.digest());
        match reference {
            ModuleRef::Oci(OciRef { digest: Some(manifest), .. }) => {
                self.shelf.hold(definition, &[manifest.clone(), module.digest().clone()]);
            }
            _ => self.shelf.release(definition),
        }
    }

    /// A definition is gone, and needs nothing any more.
    pub(crate) fn out_of_force(&self, definition: &str) {
        self.sandbox.release(definition);
        self.shelf.release(definition);
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Error> {
        let failed = |source| Error::Read { path: path.to_owned(), source };
        std::fs::read(self.within(path)?).map_err(failed)
    }

    /// A file or folder below the folder that the operator allows. Definitions are
    /// written by tenants: no `..` and no link may lead outside.
    fn within(&self, path: &Path) -> Result<PathBuf, Error> {
        let folder = self.folder.as_ref().ok_or_else(|| Error::FilesNotAllowed { path: path.to_owned() })?;
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let folder = folder.canonicalize().map_err(failed)?;
        let file = folder.join(path).canonicalize().map_err(failed)?;
        if !file.starts_with(&folder) {
            return Err(Error::Outside { path: path.to_owned() });
        }
        Ok(file)
    }

    /// Compiling takes seconds: who comes second waits for who came first.
    fn loaded(&self, permit: &Permit, wasm: &[u8]) -> Result<Module, Error> {
        let digest = permit.module().clone();
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

/// What would help, in the same line: a condition has one.
fn hinted(error: &registry::Error) -> String {
    error.hint().map(|hint| format!(" (hint: {hint})")).unwrap_or_default()
}
