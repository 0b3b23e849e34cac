//! What one element costs where there are many: renders of 10, 100 and 1,000, for
//! the first time and with everything there. What is held against the target is
//! fuel, which is the same on every machine; the time is for information.

use anyhow::Result;
use contract::{Child, Observed};
use sandbox::Module;
use serde_json::{Value, json};

use crate::{
    options::Options,
    render::{live, prepared},
    samples::{Samples, short, timed},
    table::{Figure, Table, Target},
};

/// How much more one of many may cost than one of a tenth as many.
const TARGET: f64 = 1.2;

/// How many there are.
const COUNTS: [usize; 3] = [10, 100, 1_000];

/// Measures collections and chains.
pub(crate) fn measure(module: &Module, options: Options, table: &mut Table) -> Result<()> {
    table.heading("one render: for each of many");
    let cases: [(&str, Making); 3] = [
        ("collection", |count| Case::collection(count, 1)),
        ("collection with 20 fields each", |count| Case::collection(count, 20)),
        ("chain", Case::chain),
    ];
    for (what, case) in cases {
        for (when, is_observed) in [("first", false), ("observed", true)] {
            let mut before = None;
            for count in COUNTS {
                let (fuel, time) = case(count).cost(module, is_observed, options.number(100, 5))?;
                before = Some(report(table, &format!("{what} of {count}, {when}"), count, fuel, &time, before));
            }
        }
    }
    Ok(())
}

/// Adds a row; the fuel for one element.
fn report(table: &mut Table, what: &str, count: usize, fuel: u64, time: &Samples, before: Option<f64>) -> f64 {
    let each = fuel as f64 / count as f64;
    let figure = Figure {
        what: what.to_owned(),
        measured: format!("{each:.0} fuel and {} each, {time}", short(time.median().div_f64(count as f64))),
        compared: before.map(|before| format!("a tenth as many: {before:.0} fuel each")).unwrap_or_default(),
        ratio: before.map(|before| each / before),
        ..Figure::default()
    };
    table.add(figure, if before.is_some() { Target::Ratio(TARGET) } else { Target::None });
    each
}

/// What there is so many times.
type Making = fn(usize) -> Case;

/// A definition with its instance, and what is there when all is.
struct Case {
    definition: Value,
    instance: Value,
    observed: Vec<Observed>,
}

impl Case {
    /// Objects of one collection, with so many fields each.
    fn collection(count: usize, fields: usize) -> Case {
        let data = |value: &str| -> Value {
            Value::Object((0..fields).map(|field| (format!("field{}", number(field)), json!(value))).collect())
        };
        let resource = json!({
            "id": "all", "forEach": [{"n": "${lists.range(schema.spec.count).map(i, i + 10000)}"}],
            "readyWhen": ["${each.metadata.uid != ''}"],
            "template": config_map("c-${string(n)}", data("${schema.metadata.name + string(n)}")),
        });
        let object = |index: usize| {
            let key = format!("c-{}", number(index));
            let manifest = config_map(&key, data(&format!("one{}", number(index))));
            seen("all", key, manifest)
        };
        Case::of(count, vec![resource], (0..count).map(object).collect())
    }

    /// Resources of which each is made from the one before.
    fn chain(count: usize) -> Case {
        let id = |index: usize| format!("n{}", number(index));
        let resource = |index: usize| {
            let value = match index.checked_sub(1) {
                None => "${schema.metadata.name}".to_owned(),
                Some(before) => format!("${{{}.data.value}}", id(before)),
            };
            json!({"id": id(index), "template": config_map(&id(index), json!({"value": value}))})
        };
        let object = |index: usize| seen(&id(index), String::new(), config_map(&id(index), json!({"value": "one"})));
        Case::of(count, (0..count).map(resource).collect(), (0..count).map(object).collect())
    }

    fn of(count: usize, resources: Vec<Value>, observed: Vec<Observed>) -> Case {
        let schema = json!({"apiVersion": "v1", "kind": "Thing", "spec": {"count": "integer"}});
        let definition = json!({
            "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "things"},
            "spec": {"schema": schema, "resources": resources},
        });
        let metadata = json!({"name": "one", "namespace": "default"});
        let instance =
            json!({"apiVersion": "kro.run/v1", "kind": "Thing", "metadata": metadata, "spec": {"count": count}});
        Case { definition, instance, observed }
    }

    /// The fuel of one render, and how long some took.
    fn cost(&self, module: &Module, is_observed: bool, rounds: usize) -> Result<(u64, Samples)> {
        let (prepared, _) = prepared(module, &self.definition)?;
        let observed = if is_observed { self.observed.as_slice() } else { &[] };
        let mut time = Samples::default();
        let fuel = module.render(&prepared.program, &self.instance, observed)?.fuel;
        for _ in 0..rounds {
            let (took, answer) = timed(|| module.render(&prepared.program, &self.instance, observed));
            answer?;
            time.push(took);
        }
        Ok((fuel, time))
    }
}

/// As wide for ten as for a thousand.
fn number(index: usize) -> usize {
    10_000 + index
}

fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

fn seen(id: &str, key: String, manifest: Value) -> Observed {
    let child = Child { id: id.to_owned(), key: key.clone(), manifest, depends_on: Vec::new() };
    Observed { id: id.to_owned(), key, object: live(&child) }
}
