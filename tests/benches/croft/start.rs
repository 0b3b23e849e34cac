//! How soon after a start a first instance is rendered: a new sandbox, the
//! module mapped from the folder of compiled ones, the definition prepared, one
//! render.
//!
//! Each start is a process of its own, because only the first one of a process
//! is a start. The files that it maps are in the system's cache.

use std::{env, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use contract::Preparation;
use sandbox::{Limits, Sandbox};

use crate::{
    options::Options,
    render::{FIVE, document, instance},
    samples::{Samples, short, timed},
    table::{Figure, Table, Target},
};

/// How long it may take, in milliseconds.
const TARGET: f64 = 50.0;

/// Measures one cold and several warm starts.
pub(crate) fn measure(options: Options, table: &mut Table) -> Result<()> {
    table.heading("first render after a start");
    let artifacts = tempfile::tempdir().context("cannot make a folder")?;
    let (cold, _) = start(artifacts.path().to_owned())?;
    let (mut inside, mut whole) = (Samples::default(), Samples::default());
    for _ in 0..options.number(21, 3) {
        let mut command = Command::new(env::current_exe().context("cannot tell which program this is")?);
        command.arg("--start-once").arg(artifacts.path());
        let (time, output) = timed(|| command.output());
        let output = output.context("cannot start a process")?;
        ensure!(output.status.success(), "a start failed: {}", String::from_utf8_lossy(&output.stderr));
        let micros = String::from_utf8_lossy(&output.stdout).trim().parse().context("a start did not tell its time")?;
        inside.push(Duration::from_micros(micros));
        whole.push(time);
    }
    let warm = Figure {
        what: "sandbox, load, prepare, render; compiled before".to_owned(),
        measured: format!("{inside}, max {}", short(inside.max())),
        value: inside.median().as_secs_f64() * 1e3,
        ..Figure::default()
    };
    table.add(warm, Target::AtMost(TARGET, " ms"));
    let whole = Figure {
        what: "the same, from the process's start to its end".to_owned(),
        measured: whole.to_string(),
        ..Figure::default()
    };
    table.add(whole, Target::None);
    let cold = Figure {
        what: "the same, compiling the module".to_owned(),
        measured: short(cold),
        compared: format!("compiled before: {}", short(inside.median())),
        ratio: Some(cold.as_secs_f64() / inside.median().as_secs_f64()),
        ..Figure::default()
    };
    table.add(cold, Target::None);
    Ok(())
}

/// Starts once and prints how many microseconds it took.
pub(crate) fn once(artifacts: PathBuf) -> Result<()> {
    let (time, children) = start(artifacts)?;
    ensure!(children > 0, "nothing was rendered");
    println!("{}", time.as_micros());
    Ok(())
}

/// How long it takes, and how many children the first rendering has.
fn start(artifacts: PathBuf) -> Result<(Duration, usize)> {
    // A host gets both as JSON: reading YAML is not a part of its start.
    let (definition, instance) = (document(FIVE)?, instance()?);
    let (time, children) = timed(|| {
        let sandbox = Sandbox::new(Limits::default(), Some(artifacts))?;
        let module = sandbox.load(host::modules::builtin::kro())?;
        let Preparation::Ready(prepared) = module.prepare(&definition, &[])?.value else {
            bail!("the module asks for schemas");
        };
        Ok(module.render(&prepared.program, &instance, &[])?.value.children.len())
    });
    Ok((time, children?))
}
