//! Compiled modules on disk, so that a start maps machine code instead of
//! making it: a third of a millisecond instead of seconds.
//!
//! The folder is trusted like the program itself, because what is in it is
//! run. It is refused if anybody else could write to it. Nothing is ever
//! removed from it.

use std::{
    fs::{self, DirBuilder},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use wasmtime::{Engine, component::Component};

use super::error::{Error, Weakness};
use host_core::name::Digest;

/// Mode bits that let the group or all others write.
const FOREIGN_WRITE: u32 = 0o022;

/// A folder of compiled modules.
pub(super) struct Artifacts {
    folder: PathBuf,
}

impl Artifacts {
    /// Opens a folder, making it if need be.
    pub(super) fn open(folder: PathBuf) -> Result<Artifacts, Error> {
        match weakness(&folder) {
            Ok(None) => Ok(Artifacts { folder }),
            Ok(Some(weakness)) => Err(Error::ArtifactFolderUnsafe { folder, weakness }),
            Err(source) => Err(Error::ArtifactFolder { folder, source }),
        }
    }

    /// Maps a module that was compiled before by an engine like this one.
    /// Anything that is not exactly that counts as absent: it is made anew.
    pub(super) fn map(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let path = self.path(engine, digest);
        if !path.exists() {
            return None;
        }
        match deserialize(engine, &path) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(module = %digest, artifact = %path.display(), "compiling anew, artifact is damaged: {error:#}");
                None
            }
        }
    }

    /// Keeps a compiled module. A failure costs the next start its time and
    /// nothing else.
    pub(super) fn keep(&self, engine: &Engine, digest: &Digest, component: &Component) {
        let path = self.path(engine, digest);
        if let Err(error) = write(&self.folder, &path, component) {
            tracing::warn!(module = %digest, artifact = %path.display(), "cannot keep the compiled module: {error:#}");
        }
    }

    /// Named by what it was made of and by what: the module, and everything
    /// about wasmtime, its settings (the proposals that it takes among them)
    /// and the processor that shapes the code.
    fn path(&self, engine: &Engine, digest: &Digest) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{}-{:016x}.cwasm", digest.hex(), hasher.finish()))
    }
}

/// How others could write into the folder. A file made in it tells who this
/// process is, and that it may write there itself.
fn weakness(folder: &Path) -> io::Result<Option<Weakness>> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = fs::metadata(folder)?;
    if found.mode() & FOREIGN_WRITE != 0 {
        return Ok(Some(Weakness::ForeignWriters));
    }
    let own = NamedTempFile::new_in(folder)?.as_file().metadata()?.uid();
    Ok((found.uid() != own).then_some(Weakness::ForeignOwner))
}

#[expect(unsafe_code, reason = "compiled code can only be mapped by trusting the file it is in")]
fn deserialize(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by `keep`, from a component that wasmtime
    // had just compiled: nobody but this user can write to its folder (checked
    // in `open`), a file gets its name only when it is complete and on disk,
    // and is never changed afterwards. A file of another wasmtime or of other
    // settings is told by its header and refused.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Renamed into place when it is whole, so that no other process ever maps
/// half a file, and synced before, so that none does after a crash.
fn write(folder: &Path, path: &Path, component: &Component) -> wasmtime::Result<()> {
    let code = component.serialize()?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(&code)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
