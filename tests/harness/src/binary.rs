//! Which kcp binary to use: `$KCP_BIN`, else `kcp` on PATH, else one built from
//! the Go modules that `xtask/kcp` pins and kept in the user's cache folder.
//!
//! It does not start kcp.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::go::{Program, on_path};

/// The oldest kcp that croft is tested with.
const OLDEST: (u32, u32) = (0, 31);

/// The path of a kcp binary, built if there is no other. `say` gets a line for
/// every step that a person would want to know of.
pub fn find(say: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    if let Some(path) = env::var_os("KCP_BIN") {
        return given(PathBuf::from(path));
    }
    if let Some(path) = on_path("kcp") {
        match version(&path).as_deref().map(verdict) {
            Some(Verdict::Fits) => return Ok(path),
            _ => say(&format!("not using `{}`: it does not say that it is kcp {} or newer", path.display(), oldest())),
        }
    }
    built(say)
}

/// What the user asked for is used or refused, never replaced.
fn given(path: PathBuf) -> Result<PathBuf> {
    let hint = format!("hint: set `KCP_BIN` to a kcp {} or newer, or unset it", oldest());
    let Some(version) = version(&path) else {
        bail!("`KCP_BIN` is `{}`, which does not run or is not kcp\n{hint}", path.display());
    };
    if verdict(&version) == Verdict::TooOld {
        bail!("`KCP_BIN` is `{}`, which is too old: `{version}`\n{hint}", path.display());
    }
    Ok(path)
}

/// The binary in the cache folder; builds it first if it is not there.
fn built(say: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    let hint = || {
        format!(
            "there is no kcp, and no Go to build it\nhint: set `KCP_BIN` to a kcp release {} or newer from \
             https://github.com/kcp-dev/kcp/releases\nhint: or install Go 1.26 or newer from https://go.dev/dl",
            oldest()
        )
    };
    KCP.built(say).with_context(hint)
}

/// kcp, as `xtask/kcp` pins it.
const KCP: Program = Program {
    name: "kcp",
    module: "xtask/kcp",
    package: "github.com/kcp-dev/kcp/cmd/kcp",
    takes: "five to twelve minutes",
};

/// What `kcp --version` prints, if it runs and is a kcp.
fn version(kcp: &Path) -> Option<String> {
    let output = Command::new(kcp).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && text.starts_with("kcp version")).then_some(text)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fits,
    TooOld,
    /// Builds without a stamp print `v0.0.0-master+$Format:%H$`.
    Unknown,
}

/// Judges `kcp version v1.33.3+kcp-v0.31.2`.
fn verdict(version: &str) -> Verdict {
    let Some((_, kcp)) = version.split_once("kcp-v") else { return Verdict::Unknown };
    let mut numbers = kcp.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST => Verdict::Fits,
        (Some(Ok(_)), Some(Ok(_))) => Verdict::TooOld,
        _ => Verdict::Unknown,
    }
}

fn oldest() -> String {
    format!("{}.{}", OLDEST.0, OLDEST.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_judged_by_kcps_own_version() {
        assert_eq!(verdict("kcp version v1.33.3+kcp-v0.31.0"), Verdict::Fits);
        assert_eq!(verdict("kcp version v1.35.0+kcp-v1.0.0"), Verdict::Fits);
        assert_eq!(verdict("kcp version v1.31.6+kcp-v0.30.1"), Verdict::TooOld);
        assert_eq!(verdict("kcp version v0.0.0-master+$Format:%H$"), Verdict::Unknown);
    }

    #[test]
    fn a_kcp_bin_that_is_no_kcp_is_refused_with_a_hint() {
        for path in ["/nowhere/kcp", "/bin/ls"] {
            let error = given(PathBuf::from(path)).unwrap_err().to_string();
            assert!(error.contains("does not run or is not kcp") && error.contains("hint: set `KCP_BIN`"), "{error}");
        }
    }
}
