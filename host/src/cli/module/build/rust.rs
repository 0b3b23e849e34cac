//! A module in Rust: `cargo`, with a compiler that has the target.

use std::path::{Path, PathBuf};

use serde_json::Value;
use toolchain::{Choice, Package, Toolchain};

use super::{Pace, read, step};
use crate::report::Failure;

const INSTALL: &str = "install Rust, as https://rustup.rs says";

/// The core module that cargo makes of a package.
pub(super) fn compile(folder: &Path, pace: Pace) -> Result<Vec<u8>, Failure> {
    if toolchain::text(toolchain::cargo().arg("--version")).is_none() {
        return Err(Failure::input("there is no `cargo` to build this module with").hint(INSTALL));
    }
    let choice = Choice::of_environment().map_err(Failure::input)?;
    let toolchain = Toolchain::installed(choice).ok_or_else(no_target)?;
    let (name, target_dir) = package(folder)?;
    let root = folder.canonicalize().map_err(Failure::host)?;
    let package = Package {
        root: &root,
        name: &name,
        profile: "release",
        target_dir: &target_dir.join(if pace == Pace::Quick { "croft-dev" } else { "croft" }),
        stands_for_root: "/module",
        locked: false,
    };
    let mut cargo = toolchain.cargo_rustc(&package);
    if pace == Pace::Quick {
        // What takes most of the time, and shows in no answer.
        cargo.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        cargo.env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true");
    }
    step(&mut cargo)?;
    read(&package.output())
}

fn no_target() -> Failure {
    let mut lines = toolchain::hints();
    let hint = lines.iter().position(|line| line.starts_with("hint: ")).map(|index| lines.remove(index));
    let message = format!("no Rust compiler here can make WebAssembly ({})", lines.join("; ").trim());
    Failure::input(message).hint(hint.unwrap_or_default().trim_start_matches("hint: "))
}

/// The package in a folder: its name, and where its workspace builds.
fn package(folder: &Path) -> Result<(String, PathBuf), Failure> {
    let manifest = folder.join("Cargo.toml").canonicalize().map_err(|error| {
        let context = format!("cannot read `{}`", folder.join("Cargo.toml").display());
        Failure::input(anyhow::Error::new(error).context(context))
    })?;
    let mut cargo = toolchain::cargo();
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest);
    let output = cargo.output().map_err(Failure::host)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::input(format!("cargo cannot read the project: {said}")));
    }
    let told: Value = serde_json::from_slice(&output.stdout).map_err(Failure::host)?;
    let mut packages = told["packages"].as_array().into_iter().flatten();
    let is_it = |package: &&Value| package["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
    match (packages.find(is_it), told["target_directory"].as_str()) {
        (Some(package), Some(target)) => Ok((package["name"].as_str().unwrap_or_default().to_owned(), target.into())),
        _ => {
            let message = format!("`{}` is a workspace, and no package", manifest.display());
            Err(Failure::input(message).hint("name the folder of the package that is the module"))
        }
    }
}
