//! Real registries on loopback, and cosign: built from the Go modules that
//! `xtask/` pins and kept in the user's cache folder.

use std::{
    env, fs,
    fs::OpenOptions,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail};

use crate::{
    Guarded,
    go::{Program, on_path, tail},
    poll,
};

/// CNCF's registry, which does not have the API of referrers. 135 CPU-seconds.
const DISTRIBUTION: Program = Program {
    name: "distribution",
    module: "xtask/distribution",
    package: "github.com/distribution/distribution/v3/cmd/registry",
    takes: "one to three minutes",
};

/// A small one that has it. 30 CPU-seconds.
const REFERRERS: Program =
    Program { name: "referrers-registry", module: "xtask/referrers-registry", package: ".", takes: "half a minute" };

/// The tool that signs what others ship. 320 CPU-seconds.
const COSIGN: Program = Program {
    name: "cosign",
    module: "xtask/cosign",
    package: "github.com/sigstore/cosign/v3/cmd/cosign",
    takes: "three to six minutes",
};

/// How long a registry may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Builds the registries ahead of the tests.
///
/// # Errors
/// There is no Go, or it cannot build them.
pub fn build(say: &mut dyn FnMut(&str)) -> Result<()> {
    DISTRIBUTION.built(say)?;
    REFERRERS.built(say).map(drop)
}

/// The cosign to compare with: `$COSIGN_BIN`, one on `PATH`, or one that was built
/// before. `CROFT_BUILD_COSIGN=1` builds it, which is too dear to happen by itself.
///
/// # Errors
/// There is none; the text says how to get one.
pub fn cosign(say: &mut dyn FnMut(&str)) -> Result<PathBuf> {
    if let Some(path) = env::var_os("COSIGN_BIN") {
        return Ok(PathBuf::from(path));
    }
    if env::var_os("CROFT_BUILD_COSIGN").is_some() {
        return COSIGN.built(say);
    }
    let built = COSIGN.path()?;
    match on_path("cosign").or_else(|| built.is_file().then_some(built)) {
        Some(path) => Ok(path),
        None => bail!("there is no cosign\nhint: set `CROFT_BUILD_COSIGN=1` to build it, which takes {}", COSIGN.takes),
    }
}

/// Which registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Without the API of referrers.
    Distribution,
    /// The same, which lets nobody in but `user` with the password `secret`.
    Guarded,
    /// The same, in TLS with the certificate of `tests/registry`.
    Tls,
    /// With the API of referrers.
    Referrers,
}

/// A registry that ends when this is dropped.
#[derive(Debug)]
pub struct Registry {
    kind: Kind,
    binary: PathBuf,
    folder: PathBuf,
    port: u16,
    running: Option<Guarded>,
}

impl Registry {
    /// Starts one with its files in `folder`, which has to exist.
    ///
    /// # Errors
    /// There is no Go, or the registry does not start.
    pub fn start(kind: Kind, folder: &Path) -> Result<Registry> {
        let program = if kind == Kind::Referrers { REFERRERS } else { DISTRIBUTION };
        let binary = program.built(&mut |line| eprintln!("{line}"))?;
        let port = || -> Result<u16> {
            let listener =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port on loopback")?;
            Ok(listener.local_addr().context("cannot tell the port of a listener")?.port())
        };
        let mut registry = Registry { kind, binary, folder: folder.to_owned(), port: port()?, running: None };
        // Somebody may take the port before the registry does.
        for _ in 0..2 {
            match registry.restart() {
                Err(_) if registry.tail().contains("address already in use") => registry.port = port()?,
                done => return done.map(|()| registry),
            }
        }
        registry.restart().map(|()| registry)
    }

    /// Such as `127.0.0.1:34567`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it and keeps its files and its port.
    ///
    /// # Errors
    /// It cannot be ended.
    pub fn stop(&mut self) -> Result<()> {
        self.running.take().map_or(Ok(()), |running| running.end().map(drop))
    }

    /// Starts it again and waits until it listens.
    ///
    /// # Errors
    /// It ends, or takes too long.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let log = OpenOptions::new().create(true).append(true).open(self.log()).context("cannot write a log")?;
        let mut command = Command::new(&self.binary);
        command.args(self.arguments()?).current_dir(&self.folder).env("OTEL_TRACES_EXPORTER", "none");
        command.stdout(log.try_clone().context("cannot share a log")?).stderr(log);
        self.running = Some(Guarded::spawn(&mut command)?);
        let ready = poll(READY_WITHIN, Duration::from_millis(20), || {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(Some(()));
            }
            match self.running.as_mut().context("it was stopped")?.try_wait()? {
                Some(status) => {
                    bail!("the registry ended with {status}: {}", tail(&self.folder.join("registry.log"), 15))
                }
                None => Ok(None),
            }
        })?;
        ready.with_context(|| format!("the registry does not listen: {}", self.tail()))
    }

    fn arguments(&self) -> Result<Vec<String>> {
        let blobs = self.folder.join("blobs");
        fs::create_dir_all(&blobs).context("cannot make a folder for blobs")?;
        if self.kind == Kind::Referrers {
            return Ok(vec![self.host(), blobs.display().to_string()]);
        }
        let mut config = format!(
            "version: 0.1\nlog: {{level: warn, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: {}\n",
            blobs.display(),
            self.host(),
        );
        let files = crate::root().join("tests/registry");
        match self.kind {
            Kind::Tls => {
                let file = |name: &str| files.join(name).display().to_string();
                config += &format!("  tls: {{certificate: {}, key: {}}}\n", file("server.pem"), file("server.key"));
            }
            Kind::Guarded => {
                let users = files.join("users").display().to_string();
                config += &format!("auth: {{htpasswd: {{realm: tests, path: {users}}}}}\n");
            }
            Kind::Distribution | Kind::Referrers => {}
        }
        let file = self.folder.join("config.yaml");
        fs::write(&file, config).context("cannot write the registry's configuration")?;
        Ok(vec!["serve".to_owned(), file.display().to_string()])
    }

    fn log(&self) -> PathBuf {
        self.folder.join("registry.log")
    }

    fn tail(&self) -> String {
        tail(&self.log(), 15)
    }
}
