//! Debian's packages of a Rust that can make wasm.

use std::{path::Path, process::Command};

use toolchain::{PACKAGES, text};

use crate::phase::say;

/// Installs what is missing, where this may be done without asking. Says so
/// first, and whether it worked.
pub(super) fn install() -> bool {
    if !Path::new("/usr/bin/apt-get").is_file() {
        return false;
    }
    if !is_root() {
        say("not installing the distribution's Rust: that takes root");
        return false;
    }
    let missing: Vec<&str> = PACKAGES.into_iter().filter(|package| !is_installed(package)).collect();
    say(format_args!("installing the distribution's Rust: `apt-get install {}`", missing.join(" ")));
    apt(&["update"]) && apt(&[&["install", "--no-install-recommends", "--yes"], missing.as_slice()].concat())
}

fn apt(arguments: &[&str]) -> bool {
    let output = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").output();
    let Ok(output) = output else { return false };
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let reason = errors.lines().find(|line| line.starts_with("E:")).unwrap_or("it says no reason");
        say(format_args!("`apt-get {}` failed: {reason}", arguments[0]));
    }
    output.status.success()
}

fn is_root() -> bool {
    text(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

fn is_installed(package: &str) -> bool {
    let status = text(Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]));
    status.is_some_and(|status| status == "installed")
}
