//! What to type on this very system where there is no compiler for wasm.

use std::path::Path;

use crate::{TARGET, distribution::Distribution};

/// Debian keeps a recent Rust for building browsers; its name ends in `-web`.
pub const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];

/// What the distribution's compiler lacks, and what would help, a line each.
pub fn hints() -> Vec<String> {
    let mut lines = Vec::new();
    if let Err(missing) = Distribution::find() {
        lines.push(format!("  the distribution's: {missing}"));
    }
    lines.push(format!("hint: with Rust from https://rustup.rs: `rustup target add {TARGET}`"));
    lines.push(format!("hint: {}", of_the_distribution()));
    lines
}

fn of_the_distribution() -> String {
    if Path::new("/usr/bin/apt-get").is_file() {
        return format!("on Debian 12 or newer: `sudo apt-get install {}`", PACKAGES.join(" "));
    }
    if Path::new("/usr/bin/dnf").is_file() {
        return "on Fedora: `sudo dnf install rust cargo rust-std-static-wasm32-unknown-unknown lld`".to_owned();
    }
    if Path::new("/sbin/apk").is_file() {
        return "on Alpine: `apk add rust cargo rust-wasm lld`".to_owned();
    }
    "otherwise a Rust 1.95 or newer with its library's sources in `/usr/bin`, and `wasm-ld`".to_owned()
}
