//! A module in Go: stock `go`, whose WASI the packer answers.

use std::{path::Path, process::Command};

use super::{need, read, step};
use crate::report::Failure;

/// The core module that `go build` makes.
pub(super) fn compile(folder: &Path) -> Result<Vec<u8>, Failure> {
    need("go", &["version"], "install Go 1.26 or newer, as https://go.dev/doc/install says")?;
    let out = tempfile::tempdir().map_err(Failure::host)?;
    let core = out.path().join("core.wasm");
    if !folder.join("go.sum").is_file() {
        step(Command::new("go").args(["mod", "tidy"]).current_dir(folder))?;
    }
    // What is made of the types, such as the CRD, belongs to the sources.
    step(Command::new("go").args(["generate", "./..."]).current_dir(folder))?;
    let mut go = Command::new("go");
    go.args(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o"]).arg(&core).arg(".");
    step(
        go.env("GOOS", "wasip1")
            .env("GOARCH", "wasm")
            .env("CGO_ENABLED", "0")
            .env_remove("GOFLAGS")
            .current_dir(folder),
    )?;
    read(&core)
}
