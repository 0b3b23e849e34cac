//! Expressions with what kro answers to them, one JSON object a line:
//! `expr`, perhaps `vars` (name to value), `types` (name to OpenAPI schema) and
//! `raw` (values are not read by their schema); and `type` with `value`,
//! `compileError`, or `error` with `pending`.
//!
//! `EXPR_VECTORS=FILE` runs another file of that form.

use std::{env, fs, path::PathBuf};

use expr::{
    check::{Env, check},
    convert, error,
    eval::{Globals, Machine},
    hint::Hint,
    parse::parse,
    types::Type,
    value::Value,
};
use serde_json::Value as Json;

/// Answers that differ on purpose: the expression, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("o.m.transformList(k, v, k+v)", "kro goes over a map in random order, we in the order of its keys"),
    ("c.spec.in", "the same syntax error in the words of another parser"),
];

#[test]
fn expressions_have_kros_answers() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cel.jsonl");
    let file = env::var_os("EXPR_VECTORS").map_or(own, PathBuf::from);
    let text = fs::read_to_string(&file).expect("what the file holds");
    let mut failures = Vec::new();
    let mut count = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let vector: Json = serde_json::from_str(line).expect("what the file holds");
        count += 1;
        if let Err(why) = answer(&vector) {
            failures.push(format!(
                "{}{}\n    {why}",
                vector["expr"],
                if vector["raw"] == true { " (raw)" } else { "" }
            ));
        }
    }
    println!("{} passed, {} failed", count - failures.len(), failures.len());
    assert!(failures.is_empty(), "{} of {count} differ:\n{}", failures.len(), failures.join("\n"));
}

fn answer(vector: &Json) -> Result<(), String> {
    let source = vector["expr"].as_str().expect("what the file holds");
    let is_different = DIFFERENT.iter().any(|(expression, _)| *expression == source);
    let raw = vector["raw"] == true;
    let typed = vector["types"].is_object();
    let mut env = Env { type_values: !typed, escaped_fields: typed, raw, ..Env::default() };
    let (mut names, mut values, mut hints) = (Vec::new(), Vec::new(), Vec::new());
    for (name, value) in vector["vars"].as_object().into_iter().flatten() {
        match vector["types"].get(name) {
            Some(schema) => {
                env.declare(name, schema);
                hints.push(if raw { None } else { Hint::of(schema, &[vec![]]) });
            }
            None => {
                env.variables.push((name.clone(), Type::Dyn));
                hints.push(None);
            }
        }
        names.push(name.as_str());
        values.push(value);
    }
    let wanted_error = vector["compileError"].as_str();
    let compiled = parse(source).map_err(|issues| error::display(source, &issues));
    let node = match (compiled, wanted_error) {
        (Ok(node), _) => node,
        (Err(found), Some(wanted)) => return same(is_different, wanted, &found),
        (Err(found), None) => return Err(format!("is refused: {found}")),
    };
    let checked = match (check(source, &node, &env), wanted_error) {
        (Ok(checked), None) => checked,
        (Ok(checked), Some(wanted)) => return Err(format!("has type {}, should be refused: {wanted}", checked.of)),
        (Err(issues), Some(wanted)) => {
            let found = error::display(source, &issues);
            return same(is_different || found.contains(wanted), wanted, &found);
        }
        (Err(issues), None) => return Err(format!("is refused: {}", error::display(source, &issues))),
    };
    let shown = if matches!(checked.of, Type::Null) { "null_type".to_owned() } else { checked.of.to_string() };
    if vector["type"].as_str() != Some(&shown) {
        return Err(format!("has type {shown}, kro says {}", vector["type"]));
    }
    let globals: Vec<Option<Value>> =
        values.iter().zip(&hints).map(|(value, hint)| Some(Value::of_json(value, hint.as_ref()))).collect();
    let outcome = Machine::default().evaluate(&checked.code, Globals { names: &names, values: &globals });
    let found = match outcome {
        Ok(value) => match (&value, vector["value"].get("$double")) {
            (Value::Double(number), Some(wanted)) => return same_double(*number, wanted),
            _ => convert::to_json(&value).map_err(|error| (format!("convert \"{source}\": {error}"), false)),
        },
        Err(error) => Err((format!("eval \"{source}\": {error}"), error.is_pending())),
    };
    match (found, vector["error"].as_str()) {
        (Ok(value), None) => {
            let wanted = without_omitted(&vector["value"]);
            same(is_different, &wanted.to_string(), &value.unwrap_or(Json::Null).to_string())
        }
        (Ok(value), Some(wanted)) => Err(format!("is {value:?}, should fail: {wanted}")),
        (Err((found, _)), None) => Err(format!("fails: {found}")),
        (Err((found, pending)), Some(wanted)) => {
            if pending != (vector["pending"] == true) {
                return Err(format!("pending is {pending}"));
            }
            // Go quotes a backslash once more than we do.
            same(is_different, &wanted.replace("\\\\", "\\").replace("\\\"", "\""), &found)
        }
    }
}

fn same(is_different: bool, wanted: &str, found: &str) -> Result<(), String> {
    if wanted == found || is_different { Ok(()) } else { Err(format!("wanted: {wanted}\n    found:  {found}")) }
}

fn same_double(found: f64, wanted: &Json) -> Result<(), String> {
    let wanted = wanted.as_str().unwrap_or_default().replace("Inf", "inf");
    let number: f64 = wanted.parse().expect("what the file holds");
    if number == found || number.is_nan() && found.is_nan() { Ok(()) } else { Err(format!("{found}, not {wanted}")) }
}

fn without_omitted(value: &Json) -> Json {
    let is_omitted = |value: &Json| value.get("$omit") == Some(&Json::Bool(true));
    match value {
        Json::Array(elements) => elements.iter().filter(|it| !is_omitted(it)).map(without_omitted).collect(),
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !is_omitted(value));
            Json::Object(kept.map(|(name, value)| (name.clone(), without_omitted(value))).collect())
        }
        other => other.clone(),
    }
}
