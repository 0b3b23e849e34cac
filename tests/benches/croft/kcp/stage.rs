//! A kcp with a provider who published `three.yaml`, one consumer who bound
//! it, and the host.
//!
//! Everything is done by croft's own commands, and by plain requests where a
//! person would use kubectl.

use std::{
    cell::Cell,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use harness::{Api, Guarded, Kcp, poll};
use host::yaml::Source;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    WARM,
    cluster::{instances_path, is_ready},
};
use crate::say;

const DEFINITION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/definitions/three.yaml");
const EXPORT: &str = "benches.kro.run";

/// Long enough for a busy machine to compile a module.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// A kcp and what was done to it.
pub(super) struct Stage {
    // Fields are dropped in order: kcp ends before its files go.
    kcp: Kcp,
    api: Api,
    dir: TempDir,
    virtual_workspace: String,
    /// How often the host was woken.
    turns: Cell<u64>,
}

/// A running host.
pub(super) struct Host {
    process: Guarded,
    log: PathBuf,
}

/// A process's memory, in KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    /// Now.
    pub(super) resident: u64,
    /// At most so far.
    pub(super) peak: u64,
}

impl Stage {
    /// Starts kcp, publishes, binds, and creates the first instance.
    pub(super) fn set() -> Result<Stage> {
        let dir = tempfile::tempdir().context("cannot make a folder")?;
        say("starting kcp; it takes about half a minute");
        let home = dir.path().join("kcp");
        fs::create_dir(&home).context("cannot make kcp's folder")?;
        let kcp = Kcp::start(&home)?;
        let api = kcp.api()?;
        let mut stage = Stage { kcp, api, dir, virtual_workspace: String::new(), turns: Cell::new(0) };
        for name in ["provider", "consumer"] {
            stage.workspace(name)?;
            stage.context(name, &format!("{}/clusters/root:{name}", stage.kcp.base_url()))?;
        }
        say("publishing and binding");
        stage.croft(&["publish", "-f", DEFINITION, "--layout", "shared", "--apply", "--context", "provider"])?;
        let export = format!("root:provider:{EXPORT}");
        stage.croft(&["bind", &export, "--context", "consumer", "--accept-claims"])?;
        stage.find_virtual_workspace()?;
        stage.first_instance()?;
        Ok(stage)
    }

    /// kcp's API as its administrator.
    pub(super) fn api(&self) -> &Api {
        &self.api
    }

    /// kcp's URL.
    pub(super) fn base_url(&self) -> String {
        self.kcp.base_url()
    }

    /// The virtual workspace's URL.
    pub(super) fn virtual_workspace(&self) -> &str {
        &self.virtual_workspace
    }

    /// The kubeconfig with the contexts `provider`, `consumer`, and `writer`:
    /// the consumer's workspace as seen through the virtual workspace.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.dir.path().join("kubeconfig")
    }

    /// Starts the host on the virtual workspace at a URL.
    pub(super) fn host(&self, url: &str) -> Result<Host> {
        self.context("host", &format!("{}/clusters/*", url.trim_end_matches('/')))?;
        let log = self.dir.path().join("host.log");
        let file = File::create(&log).context("cannot write the host's log")?;
        let mut command = self.command(&["run", "--context", "host", "--workers", "16"])?;
        command.stdout(file.try_clone().context("cannot share the host's log")?).stderr(file);
        Ok(Host { process: Guarded::spawn(&mut command)?, log })
    }

    /// Changes the first instance and waits until the host has seen to it. The
    /// host takes one instance after the other: then it has at least begun with
    /// everything that was changed before.
    pub(super) fn wake(&self, host: &Host) -> Result<()> {
        self.turns.set(self.turns.get() + 1);
        let path = format!("{}/{WARM}", self.consumer(&instances_path()));
        self.api.merge(&path, &json!({"spec": {"replicas": 100 + self.turns.get()}}))?;
        let done = || Ok(self.api.find(&path)?.filter(is_ready).map(drop));
        match poll(PATIENCE, PAUSE, done)? {
            Some(()) => Ok(()),
            None => bail!("the host did not see to `{WARM}`; the end of its log:\n{}", host.end_of_log()),
        }
    }

    /// A path in the consumer's workspace.
    pub(super) fn consumer(&self, path: &str) -> String {
        format!("/clusters/root:consumer{path}")
    }

    fn workspace(&self, name: &str) -> Result<()> {
        let path = format!("/clusters/root/apis/tenancy.kcp.io/v1alpha1/workspaces/{name}");
        let workspace = json!({
            "apiVersion": "tenancy.kcp.io/v1alpha1", "kind": "Workspace", "metadata": {"name": name},
            "spec": {"type": {"name": "universal", "path": "root"}},
        });
        self.api.apply(&path, &workspace)?;
        // Ready means scheduled; the namespace comes a moment later, and until
        // then the workspace may refuse to be asked.
        let namespace = format!("/clusters/root:{name}/api/v1/namespaces/default");
        self.until("the workspace", || Ok(self.api.find(&namespace).ok().flatten()))?;
        Ok(())
    }

    /// Asks until there is an answer.
    fn until<T>(&self, what: &str, ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        poll(PATIENCE, PAUSE, ask)?.with_context(|| format!("{what} is not there after {} s", PATIENCE.as_secs()))
    }

    /// Lets `croft kubeconfig` find the URL, and keeps it.
    fn find_virtual_workspace(&mut self) -> Result<()> {
        let printed = self.croft(&["kubeconfig", EXPORT, "--context", "provider", "--output", "-"])?;
        let documents = Source::parse("kubeconfig", &printed)?.documents;
        let server = documents.first().and_then(|document| document.value["clusters"][0]["cluster"]["server"].as_str());
        let server = server.context("`croft kubeconfig` printed no server")?;
        self.virtual_workspace = server.trim_end_matches("/clusters/*").to_owned();
        Ok(())
    }

    /// Creates the first instance, has the host make its children, and learns
    /// from it the consumer's logical cluster.
    fn first_instance(&self) -> Result<()> {
        let path = format!("{}/{WARM}", self.consumer(&instances_path()));
        let instance = super::cluster::instance(WARM);
        // kcp may serve the API a moment after it is bound.
        let created = self.until("the API", || Ok(self.api.apply(&path, &instance).ok()))?;
        let cluster = created["metadata"]["annotations"]["kcp.io/cluster"].as_str();
        let cluster = cluster.context("kcp does not say in which logical cluster an instance is")?;
        self.context("writer", &format!("{}/clusters/{cluster}", self.virtual_workspace))?;
        let host = self.host(&self.virtual_workspace)?;
        self.wake(&host)?;
        host.end()
    }

    /// Puts a context into the kubeconfig, or changes the one of this name.
    fn context(&self, name: &str, server: &str) -> Result<()> {
        let admin = self.kcp.kubeconfig();
        let mut admin = Source::read(&admin.to_string_lossy())?.documents;
        ensure!(admin.len() == 1, "kcp wrote no kubeconfig");
        let cluster = match server.starts_with("https:") {
            true => {
                let authority = &admin.remove(0).value["clusters"][0]["cluster"]["certificate-authority-data"];
                json!({"server": server, "certificate-authority-data": authority})
            }
            false => json!({"server": server}),
        };
        let mut config: Value = match fs::read_to_string(self.kubeconfig()) {
            Ok(text) => serde_json::from_str(&text)?,
            Err(_) => json!({
                "apiVersion": "v1", "kind": "Config", "clusters": [], "contexts": [],
                "users": [{"name": "admin", "user": {"token": self.api.token()}}],
            }),
        };
        replace(&mut config["clusters"], json!({"name": name, "cluster": cluster}))?;
        replace(&mut config["contexts"], json!({"name": name, "context": {"cluster": name, "user": "admin"}}))?;
        fs::write(self.kubeconfig(), config.to_string()).context("cannot write the kubeconfig")
    }

    /// Runs a command to its end and answers what it printed.
    fn croft(&self, args: &[&str]) -> Result<String> {
        let output = self.command(args)?.output().context("cannot start croft")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`croft {}` ended with {}:\n{errors}", args.join(" "), output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn command(&self, args: &[&str]) -> Result<Command> {
        let mut command = Command::new(harness::croft()?);
        command.args(args).env("KUBECONFIG", self.kubeconfig()).env_remove("CROFT_LOG");
        // Kept between runs: compiling the module is not what is measured here.
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        Ok(command)
    }
}

/// Puts an entry into a kubeconfig's list in the place of the one of its name.
fn replace(list: &mut Value, entry: Value) -> Result<()> {
    let list = list.as_array_mut().context("a kubeconfig lacks a list")?;
    list.retain(|other| other["name"] != entry["name"]);
    list.push(entry);
    Ok(())
}

impl Host {
    /// Its memory.
    pub(super) fn memory(&self) -> Result<Memory> {
        let path = format!("/proc/{}/status", self.process.pid());
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
            number.with_context(|| format!("`{path}` has no `{name}`"))
        };
        Ok(Memory { resident: field("VmRSS")?, peak: field("VmHWM")? })
    }

    /// The CPU that it has taken so far, in hundredths of a second.
    pub(super) fn cpu(&self) -> Result<Duration> {
        let path = format!("/proc/{}/stat", self.process.pid());
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{path}`"))?;
        // The name of the program stands in brackets and may hold anything.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        let (user, system) = ticks(11).zip(ticks(12)).with_context(|| format!("`{path}` has no times"))?;
        Ok(Duration::from_millis(10 * (user + system)))
    }

    /// Ends it in order.
    pub(super) fn end(self) -> Result<()> {
        let log = self.end_of_log();
        let status = self.process.end()?;
        ensure!(status.success(), "the host ended with {status}; the end of its log:\n{log}");
        Ok(())
    }

    fn end_of_log(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}
