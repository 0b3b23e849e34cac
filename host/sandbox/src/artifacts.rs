//! Compiled modules on disk, so that a start maps machine code instead of
//! making it: a third of a millisecond instead of seconds.
//!
//! The folder is trusted like the program itself, because what is in it is
//! run. It is refused if anybody else could write to it. It has a bound, beyond
//! which those go that were used least recently and that nobody holds.

use std::{
    fs::{self, DirBuilder},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use cache::Cache;
use tempfile::NamedTempFile;
use wasmtime::{Engine, component::Component};

use super::error::{Error, Weakness};
use host_core::name::Digest;

/// Mode bits that let the group or all others write.
const FOREIGN_WRITE: u32 = 0o022;

/// A folder of compiled modules.
pub(super) struct Artifacts {
    cache: Cache,
}

impl Artifacts {
    /// Opens a folder, making it if need be. `limit` is in bytes.
    pub(super) fn open(folder: PathBuf, limit: u64) -> Result<Artifacts, Error> {
        match weakness(&folder).and_then(|weakness| Ok((weakness, Cache::open(folder.clone(), limit)?))) {
            Ok((None, cache)) => Ok(Artifacts { cache }),
            Ok((Some(weakness), _)) => Err(Error::ArtifactFolderUnsafe { folder, weakness }),
            Err(source) => Err(Error::ArtifactFolder { folder, source }),
        }
    }

    /// What a holder needs from now on.
    pub(super) fn hold(&self, holder: &str, digest: &Digest) {
        if let Err(error) = self.cache.hold(holder, [digest.hex()]) {
            tracing::warn!(holder, %error, "cannot note which compiled module is in force");
        }
    }

    /// The holder is gone.
    pub(super) fn release(&self, holder: &str) {
        self.cache.release(holder);
    }

    /// Maps a module that was compiled before by an engine like this one.
    /// Anything that is not exactly that counts as absent: it is made anew.
    pub(super) fn map(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let name = name(engine, digest);
        let path = self.cache.path(&name);
        if !path.exists() {
            return None;
        }
        match deserialize(engine, &path) {
            Ok(component) => {
                self.cache.used(&name);
                Some(component)
            }
            Err(error) => {
                tracing::warn!(module = %digest, artifact = %path.display(), "compiling anew, artifact is damaged: {error:#}");
                None
            }
        }
    }

    /// Keeps a compiled module. A failure costs the next start its time and
    /// nothing else.
    pub(super) fn keep(&self, engine: &Engine, digest: &Digest, component: &Component) {
        let write =
            || -> wasmtime::Result<()> { Ok(self.cache.write(&name(engine, digest), &component.serialize()?)?) };
        if let Err(error) = write() {
            let folder = self.cache.folder().display();
            tracing::warn!(module = %digest, %folder, "cannot keep the compiled module: {error:#}");
        }
    }
}

/// Named by what it was made of and by what: the module, and everything
/// about wasmtime, its settings (the proposals that it takes among them)
/// and the processor that shapes the code.
fn name(engine: &Engine, digest: &Digest) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{}-{:016x}.cwasm", digest.hex(), hasher.finish())
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
