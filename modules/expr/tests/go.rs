//! What Go's `strconv` and `regexp` answer, one JSON object a line, as
//! `xtask/oracles/strconv` prints it: `function` and `text` with a `value`, or an
//! `error`; for `regexp` the `pattern` and what it has `found` in the text.

use std::{fs, path::PathBuf};

use expr::{
    check::{Env, check},
    convert,
    eval::{Globals, Machine},
    parse::parse,
    value::Value,
};
use serde_json::{Value as Json, json};

/// Answers that differ: the pattern, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("(a{100}){11}", "Go multiplies nested counts and refuses more than 1000; here the compiled size is bounded"),
    ("((a{10}){10}){11}", "likewise"),
    ("(?:a{2}){501}", "likewise"),
];

#[test]
fn numbers_and_patterns_are_read_as_go_reads_them() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/go.jsonl");
    let text = fs::read_to_string(&file).expect("what Go answered");
    let failures: Vec<String> = text.lines().filter_map(|line| differs(&serde_json::from_str(line).ok()?)).collect();
    assert!(text.lines().count() > 700);
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

fn differs(vector: &Json) -> Option<String> {
    let pattern = vector["pattern"].as_str().unwrap_or_default();
    if DIFFERENT.iter().any(|(known, _)| *known == pattern) {
        return None;
    }
    let function = vector["function"].as_str().expect("what the file holds");
    let source = match function {
        "regexp" => "text.findAll(pattern)".to_owned(),
        // Printed by both: an infinity is not JSON.
        _ => format!("string({function}(text))"),
    };
    let wanted = match (&vector["error"], function) {
        (Json::String(_), _) => None,
        (_, "regexp") => Some(vector.get("found").cloned().unwrap_or(json!([]))),
        (_, _) => Some(vector["value"].clone()),
    };
    let found = answer(&source, &vector["text"], pattern);
    let same = match (&wanted, &found) {
        (None, Err(_)) => true,
        // Go and CEL do not print every double alike.
        (Some(wanted), Ok(found)) if function == "double" => number(wanted) == number(found),
        (Some(wanted), Ok(found)) => wanted == found,
        _ => false,
    };
    let what = if pattern.is_empty() { &vector["text"] } else { &vector["pattern"] };
    (!same).then(|| format!("{function} {what}\n    wanted: {wanted:?} {}\n    found:  {found:?}", vector["error"]))
}

/// The bits, so that signs count; every NaN is alike.
fn number(text: &Json) -> Option<u64> {
    let number: f64 = text.as_str()?.replace("Inf", "inf").parse().ok()?;
    Some(if number.is_nan() { f64::NAN.to_bits() } else { number.to_bits() })
}

fn answer(source: &str, text: &Json, pattern: &str) -> Result<Json, String> {
    let names = ["text", "pattern"];
    let schema = json!({"type": "string"});
    let mut env = Env::default();
    names.iter().for_each(|name| env.declare(name, &schema));
    let node = parse(source).expect("it is an expression");
    let checked = check(source, &node, &env).map_err(|issues| format!("{issues:?}"))?;
    let pattern = json!(pattern);
    let values = [Some(Value::of_json(text, None)), Some(Value::of_json(&pattern, None))];
    let value = Machine::default()
        .evaluate(&checked.code, Globals { names: &names, values: &values })
        .map_err(|error| error.to_string())?;
    Ok(convert::to_json(&value).expect("a text or a list").expect("not left out"))
}

#[test]
fn nothing_is_found_from_the_end_of_a_text_on() {
    for (source, wanted) in [
        ("text.lastIndexOf('c')", 2),
        ("text.lastIndexOf('c', 2)", 2),
        ("text.lastIndexOf('a', 3)", -1),
        ("text.lastIndexOf('a', 9)", -1),
        ("text.lastIndexOf('', 3)", 3),
        ("text.lastIndexOf('abcd')", -1),
        ("text.indexOf('c', 2)", 2),
        ("text.indexOf('c', 3)", -1),
        ("text.indexOf('c', 9)", -1),
        ("text.indexOf('', 3)", 3),
        ("text.indexOf('', 9)", 3),
        ("text.lastIndexOf('', 9)", 3),
        ("''.indexOf('a')", -1),
        ("''.lastIndexOf('a')", -1),
    ] {
        assert_eq!(answer(source, &json!("abc"), ""), Ok(json!(wanted)), "{source}");
    }
    for source in ["text.lastIndexOf('a', -1)", "text.indexOf('', -1)", "text.lastIndexOf('', -1)"] {
        assert!(answer(source, &json!("abc"), "").is_err(), "{source}");
    }
}
