//! `croft module bench`: what a module takes, fixture by fixture.
//!
//! Fuel and memory are the same on every machine, times are not.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use host_core::name::Digest;
use sandbox::{Limits, Sandbox};
use serde_json::{Value, json};

use super::fixtures::{self, Definitions, case::Case};
use crate::{
    cli::{
        definition::{self, Definition},
        offline::{Cost, Rendered},
        output,
    },
    report::{self, Failure},
    yaml::Document,
};

/// Measure time, fuel and memory of a module for each fixture
///
/// The fixtures are those of `croft module test`. Each is rendered again and again
/// with what its last render was given: the time is that of one call in a fresh
/// instance of the module, as `croft run` makes it for each pass. Fuel and memory
/// are the same on every machine and each time.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A fixture, a folder of fixtures, or a project that has them in `fixtures/`
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    chosen: definition::Chosen,
    /// How long each fixture is rendered, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    time: u64,
    /// Measure also how long it takes to compile the module, which may be half a minute
    #[arg(long)]
    compile: bool,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
}

/// How to print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    Text,
    /// One JSON object
    Json,
}

const EXAMPLES: &str = "\
Examples:
  # the fixtures of the project in this folder
  croft module bench
  # one fixture for ten seconds, with another build of the module
  croft module bench fixtures/complete --module build/greeting.wasm --time 10000
  # what a host waits for when the module is new to it, and when it is not
  croft module bench --compile -o json | jq .load";

/// A median of fewer says little, also of a module that takes long.
const LEAST_CALLS: usize = 5;

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { folders, chosen, time, compile, output } = args;
    let fixtures = fixtures::find(&folders)?;
    let labels = fixtures::labels(&fixtures);
    let mut definitions = Definitions::new(&chosen);
    let mut rows = Vec::new();
    for (fixture, name) in fixtures.into_iter().zip(labels) {
        let case = Case::read(fixture, &mut definitions)?;
        let Some((definition, last)) = case.rendered()? else {
            report::note(&format!("`{name}` renders no instance, and is left out"));
            continue;
        };
        rows.push(Row::measure(name, definition, &last, Duration::from_millis(time))?);
    }
    let Some(first) = rows.first() else {
        return Err(Failure::input("no fixture renders an instance").hint("add one whose instance is not refused"));
    };
    let load = if compile { Some(Load::measure(&first.definition, &chosen)?) } else { None };
    match output {
        Format::Json => output::text(&format!("{:#}\n", json(&rows, load.as_ref()))),
        Format::Text => output::text(&text(&rows, load.as_ref())),
    }
}

/// What one fixture takes.
struct Row {
    name: String,
    definition: Document,
    /// The module that rendered it.
    digest: Digest,
    cost: Cost,
    /// In order.
    times: Vec<Duration>,
}

impl Row {
    /// Renders again and again what was rendered last.
    fn measure(name: String, definition: &Definition, last: &Rendered, time: Duration) -> Result<Row, Failure> {
        let (mut times, mut cost) = (Vec::new(), Cost::default());
        let end = Instant::now() + time;
        while times.len() < LEAST_CALLS || Instant::now() < end {
            let start = Instant::now();
            let answer = definition.module.render(&definition.prepared.program, &last.given, &last.observed);
            times.push(start.elapsed());
            cost = Cost::of(&answer.map_err(Failure::fault)?);
        }
        times.sort();
        let (document, digest) = (definition.document.clone(), definition.module.digest().clone());
        Ok(Row { name, definition: document, digest, cost, times })
    }

    /// The time that a part of all calls kept within.
    fn within(&self, part: f64) -> Duration {
        let last = self.times.len() - 1;
        self.times[(last as f64 * part).round() as usize]
    }
}

/// How long it takes until a module can be called.
struct Load {
    /// Of a host that compiles it.
    compile: Duration,
    /// Of one that finds the compiled code on its disk.
    warm: Duration,
}

impl Load {
    fn measure(definition: &Document, chosen: &definition::Chosen) -> Result<Load, Failure> {
        let wasm = definition::module_bytes(definition, chosen)?.wasm;
        let folder = tempfile::tempdir().map_err(Failure::host)?;
        let timed = || -> Result<Duration, Failure> {
            // A sandbox of its own: it has nothing in memory.
            let sandbox = Sandbox::new(Limits::default(), Some(folder.path().to_owned())).map_err(Failure::fault)?;
            let start = Instant::now();
            sandbox.load(&wasm).map_err(Failure::fault)?;
            Ok(start.elapsed())
        };
        Ok(Load { compile: timed()?, warm: timed()? })
    }
}

fn micros(time: Duration) -> f64 {
    // A tenth is less than what differs between two runs.
    (time.as_secs_f64() * 1e7).round() / 10.0
}

fn json(rows: &[Row], load: Option<&Load>) -> Value {
    let fixtures = rows.iter().map(|row| {
        json!({
            "name": row.name,
            "module": row.digest.as_str(),
            "calls": row.times.len(),
            "medianMicros": micros(row.within(0.5)),
            "p95Micros": micros(row.within(0.95)),
            "fuel": row.cost.fuel,
            "memory": row.cost.memory,
        })
    });
    let mut told = json!({"fixtures": fixtures.collect::<Vec<_>>()});
    if let Some(Load { compile, warm }) = load {
        told["load"] = json!({"compileMicros": micros(*compile), "warmMicros": micros(*warm)});
    }
    told
}

fn text(rows: &[Row], load: Option<&Load>) -> String {
    let header = ["FIXTURE", "MEDIAN", "95 %", "FUEL", "MEMORY"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        let Cost { fuel, memory } = row.cost;
        let times = [row.within(0.5), row.within(0.95)].map(|time| format!("{:.0} µs", micros(time)));
        let [median, most] = times;
        [row.name.clone(), median, most, fuel.to_string(), format!("{} KiB", memory / 1024)]
    });
    let mut text = output::table([header].into_iter().chain(cells).collect());
    if let Some(Load { compile, warm }) = load {
        text += &format!(
            "compiled in {:.1} s, loaded from the cache in {:.1} ms\n",
            compile.as_secs_f64(),
            warm.as_secs_f64() * 1e3
        );
    }
    text
}
