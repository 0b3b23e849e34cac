//! croft on a real kcp: how long many instances take, how many requests one
//! takes, and how much CPU and memory the host.
//!
//! Everything happens in the shared layout, so that the whole of croft's
//! traffic can be sent through a proxy that counts it. When time is measured
//! there is no proxy.

mod cluster;
mod cost;
mod counts;
mod stage;
mod writer;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::TryStreamExt;

use self::{
    cluster::Cluster,
    stage::Stage,
    writer::{Extent, Template},
};
use crate::{
    options::Options,
    samples::{Samples, short},
    table::{Figure, Table, Target},
};

/// The children of one instance of `three.yaml`.
const CHILDREN: usize = 3;

/// The instance that is there all the time: by its turns is known that the host
/// has seen what came before. As long as the names of the others, so that
/// requests made from it are as large as theirs.
const WARM: &str = "bench-warm";

/// How much longer than the bare writer croft may take.
const TARGET: f64 = 1.25;

/// Measures requests first: the bare writer's are made from those.
pub(crate) fn measure(options: Options, table: &mut Table) -> Result<()> {
    table.heading("on a real kcp: requests");
    let stage = Stage::set()?;
    counts::measure(&stage, options, table)?;
    cost::measure(&stage, options, table)?;
    tokio::runtime::Runtime::new()?.block_on(converge(&stage, options, table))
}

/// How long something took, and the host's memory, in KiB, where there was one.
#[derive(Debug, Default)]
struct Times {
    croft: Samples,
    same: Samples,
    children: Samples,
    idle: u64,
    full: u64,
    peak: u64,
}

/// Times croft and the bare writers in turn.
async fn converge(stage: &Stage, options: Options, table: &mut Table) -> Result<()> {
    let instances = options.number(200, 20);
    let title = "ConfigMaps, created at full speed on both sides";
    table.heading(&format!("on a real kcp: {instances} instances × {CHILDREN} {title}"));
    let consumer = Cluster::open(stage.kubeconfig(), "consumer").await?;
    let template = Arc::new(Template::of(&consumer, WARM).await?);
    let mut times = Times::default();
    // Five: single turns of the same writer differ by a quarter, and a round
    // takes a third of a minute.
    for round in 1..=options.number(5, 1) {
        crate::say(format_args!("round {round}"));
        croft(stage, &consumer, instances, &mut times).await?;
        times.same.push(bare(stage, &consumer, &template, instances, Extent::Everything).await?);
        times.children.push(bare(stage, &consumer, &template, instances, Extent::Children).await?);
    }
    report(table, instances, &times);
    Ok(())
}

/// One turn of croft. The clock runs while all instances are created, at full
/// speed, by somebody else.
async fn croft(stage: &Stage, consumer: &Cluster, instances: usize, times: &mut Times) -> Result<()> {
    let host = stage.host(stage.virtual_workspace())?;
    stage.wake(&host)?;
    times.idle = times.idle.max(host.memory()?.resident);
    let began = Instant::now();
    let create = cluster::create(consumer, instances).try_for_each(|_| async { Ok(()) });
    let ((), ()) = patiently(async { tokio::try_join!(create, consumer.all_ready(instances)) }).await?;
    times.croft.push(began.elapsed());
    let memory = host.memory()?;
    times.full = times.full.max(memory.resident);
    times.peak = times.peak.max(memory.peak);
    host.end()?;
    consumer.clear(instances).await
}

/// One turn of a bare writer, beside the same creations. What the instances
/// show in the end is what ends it, as with croft.
async fn bare(
    stage: &Stage,
    consumer: &Cluster,
    template: &Arc<Template>,
    instances: usize,
    extent: Extent,
) -> Result<Duration> {
    // With connections of its own each time, as croft has.
    let through = Cluster::open(stage.kubeconfig(), "writer").await?;
    let began = Instant::now();
    let ready = async {
        match extent {
            Extent::Everything => consumer.all_ready(instances).await,
            // Nothing on the instances tells that their children are there.
            Extent::Children => Ok(()),
        }
    };
    let write = writer::write(&through, template, cluster::create(consumer, instances), extent);
    let ((), ()) = patiently(async { tokio::try_join!(write, ready) }).await?;
    let time = began.elapsed();
    consumer.clear(instances).await?;
    Ok(time)
}

/// A run that takes ten minutes is stuck.
async fn patiently<T>(run: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(Duration::from_secs(600), run).await?
}

fn report(table: &mut Table, instances: usize, times: &Times) {
    let Times { croft, same, children, idle, full, peak } = times;
    let figure = |what: &str, other: &Samples, how: &str| Figure {
        what: what.to_owned(),
        measured: croft.to_string(),
        compared: format!("{how}: {other}"),
        ratio: Some(croft.times(other)),
        at_best: Some(croft.times_at_best(other)),
        ..Figure::default()
    };
    let all = "from the first creation to all Ready";
    table.add(figure(all, same, "bare writer, same requests"), Target::Ratio(TARGET));
    table.add(figure("the same", children, "bare writer, children alone"), Target::None);
    let each = Figure {
        what: "the same, for each instance".to_owned(),
        measured: each(croft, instances),
        compared: format!("bare writer, same requests: {}", each(same, instances)),
        ..Figure::default()
    };
    table.add(each, Target::None);
    let mebibytes = |kib: u64| format!("{:.1} MiB", kib as f64 / 1024.0);
    let memory = Figure {
        what: format!("resident memory of the host, {instances} instances"),
        measured: format!("{}, peak {}", mebibytes(*full), mebibytes(*peak)),
        compared: format!("one instance: {}", mebibytes(*idle)),
        ratio: Some(*full as f64 / *idle as f64),
        ..Figure::default()
    };
    table.add(memory, Target::None);
}

fn each(samples: &Samples, instances: usize) -> String {
    short(samples.median().div_f64(instances as f64))
}
