//! A real kcp for tests, the demo and benches: finds or builds the binary,
//! starts it on loopback with ports of its own, and ends it whatever happens.
//!
//! It knows nothing of croft but where its binary is, and talks to kcp only to
//! see whether it is ready.

mod api;
pub mod binary;
mod go;
mod guarded;
mod kcp;
mod poll;
mod ports;
mod proxy;
pub mod registry;

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

pub use api::Api;
pub use guarded::Guarded;
pub use kcp::Kcp;
pub use poll::poll;
pub use proxy::{Proxy, Seen, Verdict};

/// The `croft` binary to test: `$CROFT_BIN`, or the one that cargo built into
/// the same target folder as the running program.
pub fn croft() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CROFT_BIN") {
        let path = PathBuf::from(path);
        ensure!(path.is_file(), "`CROFT_BIN` is `{}`, which is not a file", path.display());
        return Ok(path);
    }
    let program = env::current_exe().context("cannot tell where the running program is")?;
    let path = beside(&program).join(format!("croft{}", env::consts::EXE_SUFFIX));
    ensure!(path.is_file(), "there is no `{}`\nhint: `cargo build --workspace --bin croft`", path.display());
    Ok(path)
}

/// The folder of binaries that belongs to a program in it, or in its `deps`.
fn beside(program: &Path) -> &Path {
    let folder = program.parent().unwrap_or(Path::new("."));
    if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder }
}

/// croft's part of the user's cache folder. Nothing in it is ever the only copy.
pub fn cache_dir() -> Result<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let xdg = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).and_then(absolute);
    let caches = xdg.or_else(|| env::home_dir().and_then(absolute).map(|home| home.join(".cache")));
    let caches =
        caches.context("there is no cache folder\nhint: set `XDG_CACHE_HOME` or `HOME` to an absolute path")?;
    Ok(caches.join("croft"))
}

/// The folder of this repository.
fn root() -> &'static Path {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.ancestors().nth(2).expect("the harness is in `tests/harness` of the repository")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_looked_for_beside_a_test_executable() {
        assert_eq!(beside(Path::new("/t/debug/deps/e2e-0a1b")), Path::new("/t/debug"));
        assert_eq!(beside(Path::new("/t/debug/xtask")), Path::new("/t/debug"));
    }
}
