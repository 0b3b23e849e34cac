//! Finds the default module, which is embedded in the binary.
//!
//! It does not build it: that takes a WebAssembly toolchain, which only
//! `cargo xtask modules` knows how to find.

use std::{env, fs, path::PathBuf};

/// Names another file, for packagers and for trying a module out.
const OVERRIDE: &str = "CROFT_KRO_MODULE";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let module = module();
    println!("cargo::rerun-if-changed={}", module.display());
    if let Err(error) = fs::copy(&module, from_cargo("OUT_DIR").join("kro.wasm")) {
        println!("cargo::error=cannot read the default module `{}`: {error}", module.display());
        println!("cargo::error=hint: `cargo xtask modules` builds it, and says what to install if it cannot");
    }
}

fn module() -> PathBuf {
    match env::var_os(OVERRIDE) {
        Some(path) => path.into(),
        None => from_cargo("CARGO_MANIFEST_DIR").join("../target/modules/kro.wasm"),
    }
}

fn from_cargo(variable: &str) -> PathBuf {
    env::var_os(variable).expect("cargo sets this variable for build scripts").into()
}
