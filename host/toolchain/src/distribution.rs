//! A distribution's Rust that has no wasm target but its own sources: it can
//! build the standard library for wasm itself.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::text;

/// The oldest that this workspace compiles with, as in `Cargo.toml`.
const OLDEST: (u32, u32) = (1, 95);

/// Where distributions put programs. Not PATH: rustup's own come first there.
const BIN: &str = "/usr/bin";

/// `rustc`, `cargo`, sources and linker.
#[derive(Debug)]
pub(crate) struct Distribution {
    sources: PathBuf,
    linker: PathBuf,
}

impl Distribution {
    /// Finds it, or says what is missing first.
    pub(crate) fn find() -> Result<Distribution, String> {
        let rustc = Path::new(BIN).join("rustc");
        let version = text(Command::new(&rustc).arg("--version")).ok_or("there is no `/usr/bin/rustc`")?;
        if parse_version(&version).is_none_or(|version| version < OLDEST) {
            let (major, minor) = OLDEST;
            return Err(format!("`{}` is older than {major}.{minor}", version.trim()));
        }
        if !Path::new(BIN).join("cargo").is_file() {
            return Err("there is no `/usr/bin/cargo`".to_owned());
        }
        let sysroot = text(Command::new(&rustc).args(["--print", "sysroot"])).unwrap_or_default();
        let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust");
        if !sources.join("library/Cargo.lock").is_file() {
            return Err(format!("the sources of the standard library are not in `{}`", sources.display()));
        }
        let linker = linker(Path::new(BIN)).ok_or("there is no `/usr/bin/wasm-ld`")?;
        Ok(Distribution { sources, linker })
    }

    /// Its compiler, free of what rustup's cargo left in the environment.
    pub(crate) fn rustc(&self) -> Command {
        clean(Path::new(BIN).join("rustc"))
    }

    /// Its cargo, set up to build the standard library.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = clean(Path::new(BIN).join("cargo"));
        // `-Zbuild-std` is not stable, and a stable compiler takes it only so.
        cargo.env("RUSTC_BOOTSTRAP", "1");
        cargo.env("RUSTC", Path::new(BIN).join("rustc"));
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &self.linker);
        cargo
    }

    /// Where its sources are, by every name that may get into a panic message.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        let real = fs::canonicalize(&self.sources).ok();
        [Some(self.sources.clone()), real].into_iter().flatten().collect()
    }
}

/// A command that does not inherit which compiler, wrapper, flags or libraries
/// the calling cargo uses. Where cargo keeps its downloads and how it reaches
/// the network stays.
fn clean(program: PathBuf) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_another_toolchain) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_another_toolchain(name: &str) -> bool {
    const NAMES: [&str; 5] = ["CARGO", "CARGO_ENCODED_RUSTFLAGS", "CARGO_MAKEFLAGS", "LD_LIBRARY_PATH", "RUSTFLAGS"];
    const PREFIXES: [&str; 8] = [
        "RUSTC",
        "RUSTDOC",
        "RUSTUP_TOOLCHAIN",
        "CARGO_BUILD_",
        "CARGO_TARGET_",
        "CARGO_PROFILE_",
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// `wasm-ld`, or the newest `wasm-ld-<version>`.
fn linker(bin: &Path) -> Option<PathBuf> {
    let version = |name: &str| match name.strip_prefix("wasm-ld")? {
        "" => Some(u32::MAX),
        suffix => suffix.strip_prefix('-')?.parse().ok(),
    };
    let entries = fs::read_dir(bin).ok()?.flatten();
    let found = entries.filter_map(|entry| Some((version(entry.file_name().to_str()?)?, entry.path())));
    found.max().map(|(_, path)| path)
}

/// `(1, 96)` of `rustc 1.96.0 (…)`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("rustc ")?.split(['.', ' ', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_rustc_says() {
        assert_eq!(parse_version("rustc 1.96.0 (ac68faa20 2026-05-25)\n"), Some((1, 96)));
        assert_eq!(parse_version("rustc 1.100.0-nightly (x)"), Some((1, 100)));
        assert_eq!(parse_version("gcc 12"), None);
    }

    #[test]
    fn the_newest_linker_is_taken() {
        let bin = tempfile::tempdir().unwrap();
        for name in ["wasm-ld-9", "wasm-ld-22", "wasm-ld-old", "ld"] {
            fs::write(bin.path().join(name), "").unwrap();
        }
        assert_eq!(linker(bin.path()), Some(bin.path().join("wasm-ld-22")));
    }

    #[test]
    fn the_calling_toolchain_does_not_leak() {
        for name in ["RUSTFLAGS", "RUSTC_WRAPPER", "RUSTUP_TOOLCHAIN", "CARGO", "CARGO_BUILD_TARGET"] {
            assert!(is_of_another_toolchain(name), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_NET_OFFLINE", "RUSTUP_HOME", "PATH"] {
            assert!(!is_of_another_toolchain(name), "{name}");
        }
    }
}
