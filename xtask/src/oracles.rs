//! What programs in Go answer, for tests to compare with: kubectl's YAML reader and
//! the inflection that kro takes for plurals (`xtask/oracles`), and kro itself for
//! expressions (`xtask/oracles/cel`). Each is built once for each of its versions
//! and kept in the user's cache folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::{phase::say, root};

/// What goes into the program.
const SOURCES: [&str; 3] = ["go.mod", "go.sum", "main.go"];

/// kubectl's YAML reader and kro's plurals.
pub(crate) fn libraries() -> Result<PathBuf> {
    program("xtask/oracles")
}

/// kro's expressions.
pub(crate) fn expressions() -> Result<PathBuf> {
    program("xtask/oracles/cel")
}

/// A program, built if it is not there.
fn program(folder: &str) -> Result<PathBuf> {
    let folder = root().join(folder);
    let path = harness::cache_dir()?.join("oracles").join(key(&folder)?);
    if path.is_file() {
        return Ok(path);
    }
    say("building it with Go, up to a minute, once; it is kept in the cache folder");
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&partial).arg(".").current_dir(&folder);
    let output = go.output().context("cannot start `go`\nhint: install Go, https://go.dev/doc/install")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`go build` ended with {}: {}", output.status, errors.trim());
    fs::rename(&partial, &path).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(path)
}

/// Named by its sources: another version is another program.
fn key(folder: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    for name in SOURCES {
        let bytes =
            fs::read(folder.join(name)).with_context(|| format!("cannot read `{}`", folder.join(name).display()))?;
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}
