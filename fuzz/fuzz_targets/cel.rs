//! CEL: parsing, checking and evaluating an expression over typed and untyped
//! variables.
#![no_main]

use expr::{
    check::{Env, check},
    convert,
    eval::{Globals, Machine},
    library::Library,
    parse::parse,
    types::Type,
    value::Value,
};
use libfuzzer_sys::fuzz_target;
use serde_json::json;

const ALL: &[Library] = &[
    Library::Standard,
    Library::Strings,
    Library::Reversal,
    Library::Bindings,
    Library::Lists,
    Library::Optionals,
    Library::Encoders,
    Library::Math,
    Library::Kubernetes,
    Library::TolerantVersions,
    Library::Sets,
    Library::NamedFormats,
    Library::Kro,
];

fuzz_target!(|source: &str| {
    let Ok(node) = parse(source) else { return };
    let schema = json!({"type": "object", "properties": {
        "s": {"type": "string"}, "n": {"type": "integer"}, "f": {"type": "number"}, "b": {"type": "string", "format": "byte"},
        "t": {"type": "string", "format": "date-time"}, "d": {"type": "string", "format": "duration"},
        "l": {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "set"},
        "m": {"type": "object", "additionalProperties": {"type": "string"}},
    }});
    let document = json!({
        "s": "text", "n": 3, "f": 2, "b": "aGk=", "t": "2024-01-02T03:04:05Z", "d": "90s", "l": [3, 1], "m": {"k": "v"},
    });
    let mut env = Env { libraries: ALL, ..Env::default() };
    env.declare("x", &schema);
    env.variables.push(("y".to_owned(), Type::Dyn));
    let Ok(checked) = check(source, &node, &env) else { return };
    let hint = expr::hint::Hint::of(&schema, &[vec![]]);
    let values = [Some(Value::of_json(&document, hint.as_ref())), Some(Value::of_json(&document, None))];
    let machine = Machine::with_work(100_000);
    if let Ok(value) = machine.evaluate(&checked.code, Globals { names: &["x", "y"], values: &values }) {
        let _ = convert::to_json(&value);
    }
});
