//! Which kcp binary to use: `$KCP_BIN`, else `kcp` on PATH, else one built from
//! the Go modules that `xtask/kcp` pins and kept in the user's cache folder.
//!
//! It does not start kcp.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::{Guarded, cache_dir, poll, root};

/// The oldest kcp that croft is tested with.
const OLDEST: (u32, u32) = (0, 31);

/// How often a long build says that it goes on.
const PROGRESS: Duration = Duration::from_secs(15);

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
    let module = root().join("xtask/kcp");
    let sums = fs::read(module.join("go.sum")).context("cannot read `xtask/kcp/go.sum`")?;
    let folder = cache_dir()?.join("kcp").join(&hex(&Sha256::digest(sums))[..16]);
    let binary = folder.join("kcp");
    if binary.is_file() {
        return Ok(binary);
    }
    let go = go()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    let lock = File::create(folder.join("lock")).context("cannot make the lock of the kcp build")?;
    if lock.try_lock().is_err() {
        say("waiting for another build of kcp");
        lock.lock().context("cannot wait for the lock of the kcp build")?;
    }
    if !binary.is_file() {
        build(&go, &module, &binary, say)?;
    }
    Ok(binary)
}

fn build(go: &Path, module: &Path, binary: &Path, say: &mut dyn FnMut(&str)) -> Result<()> {
    say("building kcp from its Go modules: five to twelve minutes, once; it is kept in the cache folder");
    let partial = binary.with_extension("partial");
    let log = binary.with_extension("build.log");
    let output = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
    let mut command = Command::new(go);
    command.arg("build").arg("-C").arg(module).args(["-ldflags", "-s -w", "-o"]).arg(&partial);
    command.arg("github.com/kcp-dev/kcp/cmd/kcp");
    command.stdout(output.try_clone().context("cannot share the build's log")?).stderr(output);
    let success = wait_aloud(Guarded::spawn(&mut command)?, say)?;
    ensure!(success, "`go build` of kcp failed; the end of `{}`:\n{}", log.display(), tail(&log, 15));
    fs::rename(&partial, binary).with_context(|| format!("cannot keep `{}`", binary.display()))
}

fn wait_aloud(mut build: Guarded, say: &mut dyn FnMut(&str)) -> Result<bool> {
    let start = Instant::now();
    loop {
        // 200 ms: nothing against a build of minutes, and prompt when it fails.
        let ended = poll(PROGRESS, Duration::from_millis(200), || build.try_wait())?;
        match ended {
            Some(status) => return Ok(status.success()),
            None => say(&format!("still building kcp after {} s", start.elapsed().as_secs())),
        }
    }
}

fn go() -> Result<PathBuf> {
    let usual = Path::new("/usr/local/go/bin/go");
    let go = on_path("go").or_else(|| usual.is_file().then(|| usual.to_owned()));
    go.with_context(|| {
        format!(
            "there is no kcp, and no Go to build it\nhint: set `KCP_BIN` to a kcp release {} or newer from \
             https://github.com/kcp-dev/kcp/releases\nhint: or install Go 1.26 or newer from https://go.dev/dl",
            oldest()
        )
    })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

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

/// The last lines of a file, for errors.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
    fn the_end_of_a_log_is_shown() {
        let log = tempfile::NamedTempFile::new().unwrap();
        fs::write(log.path(), "a\nb\nc\n").unwrap();
        assert_eq!(tail(log.path(), 2), "b\nc");
        assert_eq!(tail(Path::new("/nowhere"), 2), "");
    }

    #[test]
    fn a_kcp_bin_that_is_no_kcp_is_refused_with_a_hint() {
        for path in ["/nowhere/kcp", "/bin/ls"] {
            let error = given(PathBuf::from(path)).unwrap_err().to_string();
            assert!(error.contains("does not run or is not kcp") && error.contains("hint: set `KCP_BIN`"), "{error}");
        }
    }
}
