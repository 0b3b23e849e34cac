//! One running kcp.

use std::{
    fs,
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};

use crate::{api::Api, binary, go::tail, guarded::Guarded, poll, ports::Ports};

/// How long kcp may take until it is ready: five times what it takes on two
/// busy cores.
const READY_WITHIN: Duration = Duration::from_secs(180);

/// How often somebody may snatch a port before we give up.
const PORT_ATTEMPTS: usize = 3;

/// A kcp on loopback that ends when this is dropped, and also when this process
/// is killed.
#[derive(Debug)]
pub struct Kcp {
    binary: PathBuf,
    dir: PathBuf,
    ports: Ports,
    /// `None` between [`stop`](Kcp::stop) and [`restart`](Kcp::restart).
    running: Option<Guarded>,
}

impl Kcp {
    /// Starts kcp with its files in `dir`, which has to exist, and waits until
    /// it is ready.
    pub fn start(dir: &Path) -> Result<Kcp> {
        let binary = binary::find(&mut |line| eprintln!("{line}"))?;
        let dir = fs::canonicalize(dir).with_context(|| format!("there is no folder `{}`", dir.display()))?;
        let mut kcp = Kcp { binary, dir, ports: Ports::free()?, running: None };
        for _ in 1..PORT_ATTEMPTS {
            match kcp.restart() {
                Err(_) if kcp.lost_a_port() => kcp.ports = Ports::free()?,
                done => return done.map(|()| kcp),
            }
        }
        kcp.restart()?;
        Ok(kcp)
    }

    /// The kubeconfig with the contexts `root`, `base` and `system:admin`.
    pub fn kubeconfig(&self) -> PathBuf {
        self.dir.join("admin.kubeconfig")
    }

    /// Such as `https://127.0.0.1:34567`, without a path.
    pub fn base_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api)
    }

    /// The file that kcp's output goes to.
    pub fn log(&self) -> PathBuf {
        self.dir.join("kcp.log")
    }

    /// The process, if it was not stopped.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(Guarded::pid)
    }

    /// Ends kcp and keeps its files and ports.
    pub fn stop(&mut self) -> Result<()> {
        self.running.take().map_or(Ok(()), |running| running.end().map(drop))
    }

    /// Starts kcp again, on the same ports and files, and waits until it is
    /// ready. Stops it first if it runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        self.running = Some(self.spawn()?);
        let Err(error) = self.wait_until_ready() else { return Ok(()) };
        // Before kcp is ended, which would fill the end of the log.
        let end = self.tail();
        self.stop()?;
        Err(error.context(format!("kcp is not ready; the end of `{}`:\n{end}", self.log().display())))
    }

    /// Leaves kcp running for good and answers its process. Its files stay too.
    pub fn keep(mut self) -> Option<u32> {
        self.running.take().map(Guarded::keep)
    }

    fn spawn(&self) -> Result<Guarded> {
        let log = OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.with_context(|| format!("cannot write `{}`", self.log().display()))?;
        let mut command = Command::new(&self.binary);
        command.arg("start").args(self.flags()).current_dir(&self.dir);
        command.stdout(log.try_clone().context("cannot share kcp's log")?).stderr(log);
        Guarded::spawn(&mut command)
    }

    fn flags(&self) -> Vec<String> {
        let Ports { api, etcd_client, etcd_peer } = self.ports;
        vec![
            format!("--root-directory={}", self.dir.display()),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={api}"),
            format!("--embedded-etcd-client-port={etcd_client}"),
            format!("--embedded-etcd-peer-port={etcd_peer}"),
            // Tests make few objects: a log of 16 MB instead of two of 64 MB.
            format!("--embedded-etcd-wal-size-bytes={}", 16 * 1024 * 1024),
            "--profiling=false".to_owned(),
            "--v=1".to_owned(),
        ]
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let mut last = None;
        // 100 ms: kcp takes seconds, and each question costs it something.
        let ready = poll(READY_WITHIN, Duration::from_millis(100), || {
            let Err(not_ready) = self.ask() else { return Ok(Some(())) };
            last = Some(not_ready);
            match self.running.as_mut().context("kcp was stopped")?.try_wait()? {
                Some(status) => bail!("it ended with {status}"),
                None => Ok(None),
            }
        })?;
        let Some(()) = ready else {
            let why = last.unwrap_or_else(|| anyhow!("it was never asked"));
            return Err(why.context(format!("it took more than {} s", READY_WITHIN.as_secs())));
        };
        Ok(())
    }

    /// A client of it as its administrator.
    pub fn api(&self) -> Result<Api> {
        Api::of(&self.kubeconfig(), self.base_url())
    }

    fn ask(&self) -> Result<()> {
        self.api()?.ready()
    }

    fn lost_a_port(&self) -> bool {
        fs::read_to_string(self.log()).is_ok_and(|log| log.contains("address already in use"))
    }

    fn tail(&self) -> String {
        tail(&self.log(), 15)
    }
}
