//! Assembles the stand-in for WASI. It checks nothing else of it.

use std::{env, fs, path::PathBuf};

const SOURCE: &str = "src/wasi.wat";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SOURCE}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets this variable for build scripts"));
    let assembled = wat::parse_file(SOURCE).map_err(|error| error.to_string());
    let written = assembled.and_then(|wasm| fs::write(out.join("wasi.wasm"), wasm).map_err(|error| error.to_string()));
    if let Err(error) = written {
        println!("cargo::error=cannot assemble `{SOURCE}`: {error}");
    }
}
