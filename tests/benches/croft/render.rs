//! What the sandbox adds to a render: the embedded module in fresh memory, with
//! fuel counted and its answer checked, against the very same Rust code called
//! natively.
//!
//! An instance is rendered as in a pass that has nothing to do: all of its
//! children exist and are shown to the module. The call that is compared is the
//! host's: it has objects, writes them as JSON, has them rendered, and reads the
//! JSON of the answer. On one side a component renders, on the other the native
//! code. The two lines for information leave more and more of that out on the
//! native side alone.

use anyhow::{Context, Result, ensure};
use contract::{Child, Observed, Preparation, Prepared, Schema};
use guest_sdk::test::{self, text};
use host::yaml::Source;
use host_core::schemas;
use kro::Kro;
use sandbox::{Limits, Module, Sandbox};
use serde_json::{Value, json};

use crate::{
    code, growth,
    options::Options,
    samples::{Samples, timed},
    table::{Figure, Table, Target},
};

const INSTANCE: &str = include_str!("../definitions/instance.yaml");
const NONE: &str = include_str!("../definitions/none.yaml");
pub(crate) const FIVE: &str = include_str!("../definitions/five.yaml");
const TWENTY: &str = include_str!("../definitions/twenty.yaml");

/// What is rendered: a name, the number of children that an instance has, the
/// definition, the instance.
const DEFINITIONS: [(&str, usize, &str, &str); 6] = [
    ("0 children", 0, NONE, INSTANCE),
    ("5 children", 5, FIVE, INSTANCE),
    ("20 children", 20, TWENTY, INSTANCE),
    (
        "Deployment, Service, Ingress",
        3,
        include_str!("../definitions/web.yaml"),
        include_str!("../definitions/web-instance.yaml"),
    ),
    (
        "12 in a chain",
        12,
        include_str!("../definitions/twelve.yaml"),
        include_str!("../definitions/twelve-instance.yaml"),
    ),
    (
        "a collection of 100",
        101,
        include_str!("../definitions/hundred.yaml"),
        include_str!("../definitions/hundred-instance.yaml"),
    ),
];

/// How much longer than natively a render may take.
const TARGET: f64 = 1.6;

/// Measures all definitions.
pub(crate) fn measure(options: Options, table: &mut Table) -> Result<()> {
    table.heading("one render: in the sandbox and native");
    let artifacts = tempfile::tempdir().context("cannot make a folder")?;
    let sandbox = Sandbox::new(Limits::default(), Some(artifacts.path().to_owned()))?;
    let module = sandbox.load(host::modules::builtin::kro())?;
    for (what, children, definition, instance) in DEFINITIONS {
        let case = Case::new(&module, definition, instance, children)?;
        let times = case.times(&module, options.number(2_000, 50))?;
        report(table, what, &times);
    }
    preparations(&module, options, table)?;
    code::measure(&sandbox, options, table)?;
    growth::measure(&module, options, table)
}

/// What `prepare` takes with the schemas of its children's kinds, which a
/// definition goes through once.
fn preparations(module: &Module, options: Options, table: &mut Table) -> Result<()> {
    for (what, _, definition, _) in DEFINITIONS {
        let definition = document(definition)?;
        let (_, schemas) = prepared(module, &definition)?;
        let (mut sandbox, mut native) = (Samples::default(), Samples::default());
        for _ in 0..options.number(100, 10) {
            let (time, answer) = timed(|| module.prepare(&definition, &schemas));
            answer?;
            sandbox.push(time);
            let (time, answer) = timed(|| kro::prepare(&definition, &schemas));
            answer.map_err(|failure| anyhow::anyhow!("the definition is refused: {failure:?}"))?;
            native.push(time);
        }
        let figure = Figure {
            what: format!("prepare: {what}"),
            measured: sandbox.to_string(),
            compared: format!("native, no JSON at all: {native}"),
            ratio: Some(sandbox.times(&native)),
            at_best: Some(sandbox.times_at_best(&native)),
            ..Figure::default()
        };
        table.add(figure, Target::None);
    }
    Ok(())
}

/// What the module makes of a definition, and the schemas that it asked for.
pub(crate) fn prepared(module: &Module, definition: &Value) -> Result<(Box<Prepared>, Vec<Schema>)> {
    let mut schemas = Vec::new();
    loop {
        match module.prepare(definition, &schemas)?.value {
            Preparation::Ready(prepared) => return Ok((prepared, schemas)),
            Preparation::Needs(kinds) => {
                let known =
                    kinds.iter().map(|kind| schemas::builtin(kind).with_context(|| format!("{kind} is not known")));
                let known = known.collect::<Result<Vec<_>>>()?;
                ensure!(!known.is_empty(), "the module asks for nothing");
                schemas.extend(known);
            }
        }
    }
}

/// What was measured of one definition.
struct Times {
    sandbox: Samples,
    same: Samples,
    native: Samples,
    values: Samples,
    fuel: u64,
}

fn report(table: &mut Table, what: &str, times: &Times) {
    let Times { sandbox, same, native, values, fuel } = times;
    let figure = |what: String, other: &Samples, how: &str| Figure {
        what,
        measured: sandbox.to_string(),
        compared: format!("{how} {other}"),
        ratio: Some(sandbox.times(other)),
        at_best: Some(sandbox.times_at_best(other)),
        ..Figure::default()
    };
    table.add(figure(format!("{what}, {fuel} fuel"), same, "native, the same call:"), Target::Ratio(TARGET));
    table.add(figure(format!("{what}, stricter"), native, "native, from text to text:"), Target::None);
    table.add(figure(format!("{what}, strictest"), values, "native, no JSON at all:"), Target::None);
}

/// One render, in every form in which it is asked for.
struct Case {
    program: Vec<u8>,
    instance: Value,
    observed: Vec<Observed>,
    instance_text: String,
    observed_texts: Vec<text::Observed>,
}

impl Case {
    fn new(module: &Module, definition: &str, instance: &str, children: usize) -> Result<Case> {
        let (prepared, _) = prepared(module, &document(definition)?)?;
        let end = test::converge::<Kro>(&prepared.program, document(instance)?, &[], live);
        let end = end.map_err(|failure| anyhow::anyhow!("the definition does not render: {failure:?}"))?;
        ensure!(end.rendering.children.len() == children, "{} children, not {children}", end.rendering.children.len());
        let same = module.render(&prepared.program, &end.instance, &end.observed)?.value == end.rendering;
        ensure!(same, "the sandbox renders something else than the native code");
        Ok(Case {
            program: prepared.program,
            instance_text: end.instance.to_string(),
            observed_texts: texts(&end.observed),
            instance: end.instance,
            observed: end.observed,
        })
    }

    /// What the host's call does but for the sandbox: objects are written, the
    /// native code renders, and every JSON text of its answer is read.
    fn natively(&self) -> Result<Vec<Value>> {
        let (instance, observed) = (self.instance.to_string(), texts(&self.observed));
        let answer = test::render_json::<Kro>(&self.program, &instance, observed)
            .map_err(|failure| anyhow::anyhow!("the definition does not render: {failure:?}"))?;
        let answered = answer.children.iter().map(|child| &child.manifest);
        let answered = answered.chain([&answer.defaults, &answer.status]);
        answered.map(|json| serde_json::from_str(json).context("the answer is not JSON")).collect()
    }

    /// Each way in turn, so that what disturbs one disturbs the others.
    fn times(&self, module: &Module, samples: usize) -> Result<Times> {
        let mut times = Times {
            sandbox: Samples::default(),
            same: Samples::default(),
            native: Samples::default(),
            values: Samples::default(),
            fuel: module.render(&self.program, &self.instance, &self.observed)?.fuel,
        };
        // A tenth more, for caches to fill.
        for round in 0..samples + samples / 10 {
            let (sandbox, answer) = timed(|| module.render(&self.program, &self.instance, &self.observed));
            answer?;
            let (same, answer) = timed(|| self.natively());
            answer?;
            let texts = self.observed_texts.clone();
            let (native, _) = timed(|| test::render_json::<Kro>(&self.program, &self.instance_text, texts));
            let (values, _) =
                timed(|| guest_sdk::test::render::<kro::Kro>(&self.program, &self.instance, &self.observed));
            if round >= samples / 10 {
                times.sandbox.push(sandbox);
                times.same.push(same);
                times.native.push(native);
                times.values.push(values);
            }
        }
        Ok(times)
    }
}

/// Objects as a module gets them.
fn texts(observed: &[Observed]) -> Vec<text::Observed> {
    let text = |seen: &Observed| text::Observed {
        id: seen.id.clone(),
        key: seen.key.clone(),
        object: seen.object.to_string(),
    };
    observed.iter().map(text).collect()
}

/// The only document of a YAML text.
pub(crate) fn document(text: &str) -> Result<Value> {
    let mut documents = Source::parse("definition", text)?.documents;
    ensure!(documents.len() == 1, "{} documents, not one", documents.len());
    Ok(documents.remove(0).value)
}

/// The instance that every definition here has.
pub(crate) fn instance() -> Result<Value> {
    document(INSTANCE)
}

/// A child as a server would show it, the same every time: with bookkeeping, and
/// for a Deployment with a status.
pub(crate) fn live(child: &Child) -> Value {
    let mut object = child.manifest.clone();
    object["metadata"]["namespace"] = "default".into();
    object["metadata"]["uid"] = format!("5b0c1d9e-5f51-4c5e-9a40-{:->12.12}", child.id).into();
    object["metadata"]["resourceVersion"] = "81234".into();
    object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
    if object["kind"] == "Deployment" {
        let replicas = &object["spec"]["replicas"];
        object["status"] = json!({"replicas": replicas, "availableReplicas": replicas, "observedGeneration": 1});
    }
    object
}
