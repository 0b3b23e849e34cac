//! What a render costs grows with what there is, and no faster: fuel is counted
//! for a hundred of something and for a thousand.

use contract::{Observed, Preparation, Prepared, Rendering};
use host::modules::builtin;
use host_core::{kinds, schemas};
use sandbox::{Error, Limits, Module};
use serde_json::{Map, Value, json};

use super::guests;

/// How much more one of a thousand may cost than one of a hundred: what is looked
/// up in a tree takes a little longer in a larger one.
const GROWTH: f64 = 1.2;

/// What there is so many times.
type Making = fn(usize) -> Case;

/// A definition, its instance, and what there is.
struct Case {
    definition: Value,
    spec: Value,
    observed: Vec<Observed>,
}

impl Case {
    fn of(resources: Vec<Value>) -> Case {
        Case::with(json!({}), resources)
    }

    fn with(status: Value, resources: Vec<Value>) -> Case {
        let schema = json!({
            "apiVersion": "v1", "kind": "Thing", "group": "example.org", "status": status,
            "spec": {"count": "integer | default=0", "name": "string | default=\"x\""},
        });
        let definition = json!({
            "apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition", "metadata": {"name": "things"},
            "spec": {"schema": schema, "resources": resources},
        });
        Case { definition, spec: json!({}), observed: Vec::new() }
    }

    fn spec(mut self, spec: Value) -> Case {
        self.spec = spec;
        self
    }

    fn seen(mut self, observed: impl IntoIterator<Item = Observed>) -> Case {
        self.observed.extend(observed);
        self
    }

    fn instance(&self) -> Value {
        json!({
            "apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "one", "namespace": "default"},
            "spec": self.spec,
        })
    }

    /// The fuel of `prepare` and of `render`, and what is rendered.
    fn run(&self, module: &Module) -> Result<(u64, u64, Rendering), Error> {
        let (prepared, fuel) = prepare(module, &self.definition)?;
        let answer = module.render(&prepared.program, &self.instance(), &self.observed)?;
        Ok((fuel, answer.fuel, answer.value))
    }
}

fn prepare(module: &Module, definition: &Value) -> Result<(Prepared, u64), Error> {
    let mut given = Vec::new();
    loop {
        let answer = module.prepare(definition, &given)?;
        match answer.value {
            Preparation::Ready(prepared) => return Ok((*prepared, answer.fuel)),
            Preparation::Needs(wanted) => given.extend(wanted.into_iter().map(|kind| {
                schemas::builtin(&kind).unwrap_or_else(|| schemas::unknown(kind.clone(), kinds::guess(&kind)))
            })),
        }
    }
}

fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// An object as a server shows it.
fn seen(id: &str, key: &str, name: &str, data: Value) -> Observed {
    let mut object = config_map(name, data);
    object["metadata"]["namespace"] = "default".into();
    object["metadata"]["uid"] = format!("5b0c1d9e-5f51-4c5e-9a40-{name:->12.12}").into();
    object["metadata"]["resourceVersion"] = "81234".into();
    object["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
    Observed { id: id.to_owned(), key: key.to_owned(), object }
}

/// Numbers are as wide at a hundred as at a thousand, and so are names.
fn number(index: usize) -> usize {
    10_000 + index
}

fn fields(count: usize, value: &str) -> Value {
    Value::Object((0..count).map(|index| (format!("field{}", number(index)), json!(value))).collect::<Map<_, _>>())
}

fn each_of(count: usize, make: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..count).map(|index| make(number(index))).collect()
}

/// A collection of objects with so many fields, with readiness and a status that
/// goes over all of them.
fn collection(count: usize, fields_each: usize) -> Case {
    let status = json!({
        "names": "${all.map(it, it.metadata.name)}",
        "ready": "${all.all(it, has(it.metadata.uid))}",
        "conditions": ["${runtime.newCondition({type: 'All', status: all.all(it, has(it.data)) ? 'True' : 'False'})}"],
    });
    let template = config_map("c-${string(n)}", fields(fields_each, "${schema.spec.name + string(n)}"));
    let all = json!({
        "id": "all", "forEach": [{"n": "${lists.range(schema.spec.count).map(i, i + 10000)}"}],
        "readyWhen": ["${has(each.metadata.uid)}", "${each.metadata.name != ''}"], "template": template,
    });
    Case::with(status, vec![all]).spec(json!({"count": count}))
}

fn observed_collection(count: usize, fields_each: usize) -> Case {
    let object = |index: usize| {
        let name = format!("c-{}", number(index));
        seen("all", &name, &name, fields(fields_each, &format!("x{}", number(index))))
    };
    // Not in the order of the collection: nothing says that a host keeps it.
    collection(count, fields_each).seen((0..count).rev().map(object))
}

/// Resources of which each is made from the one before.
fn chain(count: usize) -> Case {
    let resource = |index: usize| {
        let before = match index {
            10_000 => "${schema.spec.name}".to_owned(),
            _ => format!("${{n{}.data.value + schema.spec.name}}", index - 1),
        };
        json!({
            "id": format!("n{index}"), "readyWhen": [format!("${{n{index}.data.value != ''}}")],
            "template": config_map(&format!("n{index}"), json!({"value": before})),
        })
    };
    Case::of(each_of(count, resource))
}

fn observed_chain(count: usize) -> Case {
    let object = |index: usize| {
        let id = format!("n{}", number(index));
        seen(&id, "", &id, json!({"value": "x"}))
    };
    chain(count).seen((0..count).map(object))
}

fn external_collection(count: usize) -> Case {
    let select = json!({"selector": {"matchLabels": {"a": "b"}}});
    let external = json!({"id": "all", "externalRef": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": select}});
    let one = json!({"id": "one", "template": config_map("one", json!({"a": "${string(size(all))}"}))});
    let object = |index: usize| {
        let name = format!("e{}", number(index));
        seen("all", &format!("default/{name}"), &name, json!({"a": "b"}))
    };
    Case::of(vec![external, one]).seen((0..count).rev().map(object))
}

/// Externals that nobody has seen, and resources that want to read them.
fn blocked(count: usize) -> Case {
    let external = |index: usize| {
        let metadata = json!({"name": format!("e{index}")});
        json!({"id": format!("e{index}"), "externalRef": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}})
    };
    let child = |index: usize| {
        let data = json!({"a": format!("${{e{index}.data.a}}")});
        json!({"id": format!("c{index}"), "template": config_map(&format!("c{index}"), data)})
    };
    Case::of(each_of(count, external).into_iter().chain(each_of(count, child)).collect())
}

/// The same, seen and without the field that is read.
fn lacking(count: usize) -> Case {
    let object = |index: usize| {
        let id = format!("e{}", number(index));
        seen(&id, "", &id, json!({"b": "c"}))
    };
    blocked(count).seen((0..count).map(object))
}

fn status_and_conditions(count: usize) -> Case {
    let mut status: Map<String, Value> =
        (0..count).map(|index| (format!("s{}", number(index)), json!("${one.data.a}"))).collect();
    let condition = |index: usize| {
        json!(format!("${{runtime.newCondition({{type: 'C{index}', status: one.data.a == 'b' ? 'True' : 'False'}})}}"))
    };
    status.insert("conditions".to_owned(), each_of(count, condition).into());
    let one = json!({"id": "one", "template": config_map("one", json!({"a": "b"}))});
    Case::with(Value::Object(status), vec![one]).seen([seen("one", "", "one", json!({"a": "b"}))])
}

fn wide_object(count: usize) -> Case {
    let one = json!({"id": "one", "template": config_map("one", fields(count, "${schema.spec.name}"))});
    Case::of(vec![one]).seen([seen("one", "", "one", fields(count, "x"))])
}

/// One expression of many operands, and functions that compare elements with each
/// other.
fn long_expressions(count: usize) -> Case {
    let sum = |of: &str, count: usize| (0..count).map(|_| of).collect::<Vec<_>>().join(" + ");
    // An expression has at most 4,000 tokens.
    let texts = format!("${{{}}}", sum("'a'", count));
    let lists = format!("${{string(size({}))}}", sum("[1]", count / 2));
    let distinct = "${string(size(lists.range(schema.spec.count).map(i, string(i + 10000)).distinct()))}";
    let data = json!({"texts": texts, "again": texts, "more": texts, "lists": lists, "distinct": distinct});
    let one = json!({"id": "one", "template": config_map("one", data)});
    Case::of(vec![one]).spec(json!({"count": count}))
}

#[test]
fn what_a_render_costs_grows_with_what_there_is() {
    let module = guests::sandbox().load(builtin::kro()).unwrap();
    let cases: [(&str, Making); 11] = [
        ("a collection", |count| collection(count, 1)),
        ("an observed collection", |count| observed_collection(count, 1)),
        ("a chain", chain),
        ("an observed chain", observed_chain),
        ("an external collection", external_collection),
        ("blocked resources", blocked),
        ("resources that lack a field", lacking),
        ("status fields and conditions", status_and_conditions),
        ("fields", wide_object),
        ("an observed collection of objects with 5 fields", |count| observed_collection(count, 5)),
        ("operands", long_expressions),
    ];
    let mut grown = Vec::new();
    for (what, case) in cases {
        let (few, many) = match (case(100).run(&module), case(1000).run(&module)) {
            (Ok(few), Ok(many)) => (few, many),
            (Err(error), _) | (_, Err(error)) => {
                grown.push(format!("{what}: {}", guests::told(&error)));
                continue;
            }
        };
        for (call, few, many) in [("prepare", few.0, many.0), ("render", few.1, many.1)] {
            let growth = many as f64 / few as f64 / 10.0;
            let line = format!("{what}: {call}: {few} for 100, {many} for 1000: {growth:.2}");
            println!("{line}");
            if growth > GROWTH {
                grown.push(line);
            }
        }
    }
    assert!(
        grown.is_empty(),
        "one of a thousand costs more than {GROWTH} times one of a hundred:\n{}",
        grown.join("\n")
    );
}

#[test]
fn the_largest_collection_takes_half_of_the_fuel() {
    let module = guests::sandbox().load(builtin::kro()).unwrap();
    let (_, fuel, rendering) = observed_collection(1000, 20).run(&module).unwrap();
    let ready = rendering.readiness.iter().filter(|readiness| readiness.ready).count();
    assert_eq!((rendering.children.len(), ready), (1000, 1000));
    let limit = Limits::default().render.fuel;
    assert!(fuel <= limit / 2, "{fuel} of {limit}");
}
