//! Go modules, as a source of files that others publish: nothing of them is built.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::phase::say;

/// The folder of a Go module, such as `cel.dev/expr@v0.25.3`, in Go's module
/// cache. It is fetched if it is not there; Go checks what comes against the
/// sums it knows.
pub(crate) fn module(module: &str) -> Result<PathBuf> {
    say(format_args!("$ go mod download -json {module}"));
    // Outside of any module, so that none is changed.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut go = Command::new("go");
    go.args(["mod", "download", "-json", module]).current_dir(folder.path());
    let output = go.output().context("cannot start `go`\nhint: install Go, https://go.dev/doc/install")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`go mod download` ended with {}: {}", output.status, errors.trim());
    let answer: Value = serde_json::from_slice(&output.stdout).context("`go mod download` did not print JSON")?;
    let dir = answer["Dir"].as_str().context("`go mod download` did not say where the module is")?;
    Ok(PathBuf::from(dir))
}
