//! How many requests croft sends for an instance: counted on the way, by a
//! proxy between croft and kcp.
//!
//! Watches are not counted: there is one for each kind, however many instances
//! there are.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use harness::{Api, Proxy, Seen, poll};
use serde_json::{Value, json};

use super::{
    CHILDREN, WARM,
    cluster::{instance, instances_path, is_ready, name},
    stage::{Host, Stage},
};
use crate::{
    options::Options,
    table::{Figure, Table, Target},
};

/// Counts what instances take to converge and what passes take that have
/// nothing to do, and takes the instances away again.
pub(super) fn measure(stage: &Stage, options: Options, table: &mut Table) -> Result<()> {
    let names: Vec<String> = (0..options.number(20, 5)).map(name).collect();
    let proxy = Proxy::start(stage.api(), &stage.base_url())?;
    let url = stage.virtual_workspace().replace(&stage.base_url(), &proxy.base_url());
    let host = stage.host(&url)?;
    stage.wake(&host)?;
    let counter = Counter { stage, proxy: &proxy, names: &names };

    let converging = counter.count(&host, |path, name| stage.api().apply(path, &instance(name)))?;
    add(table, "requests to converge", &converging, Target::AtMost((CHILDREN + 2) as f64, ""));

    let quiet = counter.count(&host, |path, name| share(stage.api(), path, name))?;
    add(table, "requests after an event that changes nothing", &quiet, Target::AtMost(0.0, ""));

    // The module is shown annotations, so it is asked.
    let annotated = json!({"metadata": {"annotations": {"example.com/unread": "1"}}});
    let unread = counter.count(&host, |path, _| stage.api().merge(path, &annotated))?;
    add(table, "requests after an annotation that no template reads", &unread, Target::AtMost(0.0, ""));

    host.end()?;
    proxy.take();
    let host = stage.host(&url)?;
    // Twice: by the second turn the host has been through all that it found.
    stage.wake(&host)?;
    stage.wake(&host)?;
    let restarted = counter.taken(|seen| names.iter().any(|name| seen.path.contains(name.as_str())));
    add(table, "requests after a restart of the host", &restarted, Target::AtMost(0.0, ""));

    for name in &names {
        stage.api().delete(&format!("{}/{name}", stage.consumer(&instances_path())))?;
    }
    counter.until("the instances to be gone", |found| found.is_none())?;
    host.end()
}

/// Has another manager own a field beside its author: an event that changes
/// nothing but the server's bookkeeping.
fn share(api: &Api, path: &str, name: &str) -> Result<Value> {
    let object = json!({
        "apiVersion": "kro.run/v1alpha1", "kind": "Bench", "metadata": {"name": name}, "spec": {"replicas": 3},
    });
    let path = format!("{path}?fieldManager=another");
    let (code, answer) = api.request("PATCH", &path, "application/apply-patch+yaml", &object.to_string())?;
    ensure!(code == 200, "PATCH `{path}` answered {code}: {answer}");
    Ok(answer)
}

/// Requests of each instance by verb.
type Counts = BTreeMap<String, f64>;

struct Counter<'a> {
    stage: &'a Stage,
    proxy: &'a Proxy,
    names: &'a [String],
}

impl Counter<'_> {
    /// Does something to every instance, past the proxy, and counts what croft
    /// asks for because of it: all but the turn by which it is known that croft
    /// is done.
    fn count(&self, host: &Host, mut act: impl FnMut(&str, &str) -> Result<Value>) -> Result<Counts> {
        self.proxy.take();
        for name in self.names {
            act(&self.path(name), name)?;
        }
        self.until("the instances to be ready", |found| found.is_some_and(|instance| is_ready(&instance)))?;
        self.stage.wake(host)?;
        Ok(self.taken(|seen| !seen.path.contains(WARM)))
    }

    fn taken(&self, counts: impl Fn(&Seen) -> bool) -> Counts {
        let mut found = Counts::new();
        let seen = self.proxy.take();
        for seen in seen.into_iter().filter(|seen| !seen.is_watch() && counts(seen)) {
            *found.entry(seen.method).or_default() += 1.0 / self.names.len() as f64;
        }
        found
    }

    /// Waits until something holds of every instance.
    fn until(&self, what: &str, holds: impl Fn(Option<Value>) -> bool) -> Result<()> {
        let (patience, pause) = (std::time::Duration::from_secs(120), std::time::Duration::from_millis(50));
        for name in self.names {
            let ask = || Ok(holds(self.stage.api().find(&self.path(name))?).then_some(()));
            poll(patience, pause, ask)?.with_context(|| format!("waited in vain for {what}: `{name}`"))?;
        }
        Ok(())
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.stage.consumer(&instances_path()))
    }
}

fn add(table: &mut Table, what: &str, counts: &Counts, target: Target) {
    let total = counts.values().fold(0.0, |sum, count| sum + count);
    let verbs: Vec<String> = counts.iter().map(|(verb, count)| format!("{verb} {count:.2}")).collect();
    let verbs = if verbs.is_empty() { String::new() } else { format!(" ({})", verbs.join(", ")) };
    // Twentieths do not add up exactly.
    let value = (total * 1e6).round() / 1e6;
    let figure =
        Figure { what: what.to_owned(), measured: format!("{total:.2} each{verbs}"), value, ..Figure::default() };
    table.add(figure, target);
}
