//! Programs that are built from the Go modules that a folder pins, and kept in the
//! user's cache folder by what they were made of.

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::{Guarded, cache_dir, poll, root};

/// How often a long build says that it goes on.
const PROGRESS: Duration = Duration::from_secs(15);

/// A program in Go.
pub(crate) struct Program {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The folder in this repository with its `go.mod`, and perhaps its code.
    pub(crate) module: &'static str,
    /// The package to build.
    pub(crate) package: &'static str,
    /// How long that takes where nothing of it is there, in words.
    pub(crate) takes: &'static str,
}

impl Program {
    /// Where it is, or would be.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        let module = root().join(self.module);
        let mut hasher = Sha256::new();
        for file in ["go.sum", "main.go"] {
            match fs::read(module.join(file)) {
                Ok(bytes) => hasher.update(bytes),
                // What is taken from elsewhere has no code of its own.
                Err(_) if file == "main.go" => {}
                Err(error) => return Err(error).with_context(|| format!("cannot read `{}/{file}`", self.module)),
            }
        }
        Ok(cache_dir()?.join(self.name).join(&hex(&hasher.finalize())[..16]).join(self.name))
    }

    /// The binary in the cache folder; builds it first if it is not there.
    pub(crate) fn built(&self, say: &mut dyn FnMut(&str)) -> Result<PathBuf> {
        let binary = self.path()?;
        if binary.is_file() {
            return Ok(binary);
        }
        let go = go()?;
        let folder = binary.parent().context("the binary is in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let lock = File::create(folder.join("lock")).context("cannot make the lock of the build")?;
        if lock.try_lock().is_err() {
            say(&format!("waiting for another build of {}", self.name));
            lock.lock().context("cannot wait for the lock of the build")?;
        }
        if !binary.is_file() {
            self.build(&go, &binary, say)?;
        }
        Ok(binary)
    }

    fn build(&self, go: &Path, binary: &Path, say: &mut dyn FnMut(&str)) -> Result<()> {
        let Program { name, takes, .. } = self;
        say(&format!("building {name} from its Go modules: {takes}, once; it is kept in the cache folder"));
        let partial = binary.with_extension("partial");
        let log = binary.with_extension("build.log");
        let output = File::create(&log).with_context(|| format!("cannot write `{}`", log.display()))?;
        let mut command = Command::new(go);
        command.arg("build").arg("-C").arg(root().join(self.module)).args(["-ldflags", "-s -w", "-o"]).arg(&partial);
        command.arg(self.package);
        command.stdout(output.try_clone().context("cannot share the build's log")?).stderr(output);
        let success = self.wait_aloud(Guarded::spawn(&mut command)?, say)?;
        ensure!(success, "`go build` of {name} failed; the end of `{}`:\n{}", log.display(), tail(&log, 15));
        fs::rename(&partial, binary).with_context(|| format!("cannot keep `{}`", binary.display()))
    }

    fn wait_aloud(&self, mut build: Guarded, say: &mut dyn FnMut(&str)) -> Result<bool> {
        let start = Instant::now();
        loop {
            // 200 ms: nothing against a build of minutes, and prompt when it fails.
            let ended = poll(PROGRESS, Duration::from_millis(200), || build.try_wait())?;
            match ended {
                Some(status) => return Ok(status.success()),
                None => say(&format!("still building {} after {} s", self.name, start.elapsed().as_secs())),
            }
        }
    }
}

fn go() -> Result<PathBuf> {
    let usual = Path::new("/usr/local/go/bin/go");
    let go = on_path("go").or_else(|| usual.is_file().then(|| usual.to_owned()));
    go.context("Go is not installed\nhint: install Go 1.26 or newer from https://go.dev/dl")
}

pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
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
    fn the_end_of_a_log_is_shown() {
        let log = tempfile::NamedTempFile::new().unwrap();
        fs::write(log.path(), "a\nb\nc\n").unwrap();
        assert_eq!(tail(log.path(), 2), "b\nc");
        assert_eq!(tail(Path::new("/nowhere"), 2), "");
    }
}
