//! What an instance costs the host: CPU while it converges and for an event that
//! changes nothing, memory while it is there and after it has gone.
//!
//! The host speaks plain HTTP with a proxy, so that TLS is not part of it.

use anyhow::{Context, Result, ensure};
use harness::{Proxy, poll};
use serde_json::{Value, json};

use super::{
    CHILDREN,
    cluster::{instance, instances_path, is_ready, name},
    stage::{Host, Stage},
};
use crate::{
    options::Options,
    table::{Figure, Table, Target},
};

/// Milliseconds of CPU for one instance from its creation to Ready.
const CONVERGING: f64 = 2.0;
/// The same for an event that the module does not read.
const UNREAD: f64 = 0.4;
/// KiB of resident memory for an instance to which nothing happens.
const IDLE: f64 = 15.0;
/// How much more memory than at the start the host may have in the end.
const RETURNED: f64 = 1.2;

/// Measures one life of many instances.
pub(super) fn measure(stage: &Stage, options: Options, table: &mut Table) -> Result<()> {
    let count = options.number(1_000, 20);
    table.heading(&format!("on a real kcp, without TLS: {count} instances × {CHILDREN} ConfigMaps"));
    let proxy = Proxy::start(stage.api(), &stage.base_url())?;
    let host = stage.host(&stage.virtual_workspace().replace(&stage.base_url(), &proxy.base_url()))?;
    stage.wake(&host)?;
    let life = Life { stage, host: &host, count };

    let before = host.memory()?.resident;
    let converging = life.cpu(Life::create)?;
    let per_instance = |kib: u64| kib as f64 / count as f64;
    let idle = per_instance(host.memory()?.resident.saturating_sub(before));
    let unread = life.cpu(|life| life.each(|path| life.share(path)))?;
    life.remove()?;
    let after = host.memory()?.resident;

    let row = |what: &str, value: f64, unit: &str| Figure {
        what: what.to_owned(),
        measured: format!("{value:.2} {unit}"),
        value,
        ..Figure::default()
    };
    table.add(row("CPU of the host from creation to Ready", converging, "ms"), Target::AtMost(CONVERGING, " ms"));
    table.add(row("CPU of the host for an event that changes nothing", unread, "ms"), Target::AtMost(UNREAD, " ms"));
    table.add(row("resident memory for each idle instance", idle, "KiB"), Target::AtMost(IDLE, " KiB"));
    let returned = Figure {
        what: "resident memory after all have gone".to_owned(),
        measured: format!("{:.1} MiB", after as f64 / 1024.0),
        compared: format!("before: {:.1} MiB", before as f64 / 1024.0),
        ratio: Some(after as f64 / before as f64),
        ..Figure::default()
    };
    table.add(returned, Target::Ratio(RETURNED));
    host.end()
}

struct Life<'a> {
    stage: &'a Stage,
    host: &'a Host,
    count: usize,
}

impl Life<'_> {
    /// The CPU that the host takes for each instance while something is done, in
    /// milliseconds.
    fn cpu(&self, act: impl Fn(&Self) -> Result<()>) -> Result<f64> {
        let before = self.host.cpu()?;
        act(self)?;
        self.stage.wake(self.host)?;
        Ok((self.host.cpu()? - before).as_secs_f64() * 1e3 / self.count as f64)
    }

    fn create(&self) -> Result<()> {
        for number in 0..self.count {
            self.stage.api().apply(&self.path(number), &instance(&name(number)))?;
        }
        self.until("the instances to be ready", |found| found.is_some_and(|instance| is_ready(&instance)))
    }

    fn remove(&self) -> Result<()> {
        self.each(|path| self.stage.api().delete(path).map(drop))?;
        self.until("the instances to be gone", |found| found.is_none())
    }

    fn each(&self, act: impl Fn(&str) -> Result<()>) -> Result<()> {
        (0..self.count).try_for_each(|number| act(&self.path(number)))
    }

    /// Has another manager own a field beside its author.
    fn share(&self, path: &str) -> Result<()> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let object = json!({
            "apiVersion": "kro.run/v1alpha1", "kind": "Bench", "metadata": {"name": name}, "spec": {"replicas": 3},
        });
        let path = format!("{path}?fieldManager=another");
        let (code, answer) =
            self.stage.api().request("PATCH", &path, "application/apply-patch+yaml", &object.to_string())?;
        ensure!(code == 200, "PATCH `{path}` answered {code}: {answer}");
        Ok(())
    }

    fn until(&self, what: &str, holds: impl Fn(Option<Value>) -> bool) -> Result<()> {
        let (patience, pause) = (std::time::Duration::from_secs(300), std::time::Duration::from_millis(50));
        for number in 0..self.count {
            let ask = || Ok(holds(self.stage.api().find(&self.path(number))?).then_some(()));
            poll(patience, pause, ask)?.with_context(|| format!("waited in vain for {what}: `{}`", name(number)))?;
        }
        Ok(())
    }

    fn path(&self, number: usize) -> String {
        format!("{}/{}", self.stage.consumer(&instances_path()), name(number))
    }
}
