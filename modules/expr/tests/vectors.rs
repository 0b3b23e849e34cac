//! Expressions with what kro answers to them, one JSON object a line:
//! `expr`, perhaps `vars` (name to value), `types` (name to OpenAPI schema) and
//! `raw` (values are not read by their schema); and `type` with `value`,
//! `compileError`, or `error` with `pending`.
//!
//! `EXPR_VECTORS=FILE` runs another file of that form. `CROFT_KRO_ORACLE` is the
//! program of `xtask/oracles/cel`, which is asked for the answers to drawn
//! expressions; without it there is nobody to ask. `CROFT_SEED` draws others.

#[path = "vectors/drawn.rs"]
mod drawn;

use std::{
    env, fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use expr::{
    check::{Env, check},
    convert, error,
    eval::{Globals, Machine},
    hint::Hint,
    parse::parse,
    types::Type,
    value::Value,
};
use serde_json::{Value as Json, json};

/// Answers that differ on purpose: the expression, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("o.m.transformList(k, v, k+v)", "kro goes over a map in random order, we in the order of its keys"),
    ("c.spec.in", "the same syntax error in the words of another parser"),
];

/// Drawn expressions that are answered differently on purpose: what is in the
/// expression, what is in the difference, and why.
const DRAWN_DIFFERENT: &[(&str, &str, &str)] = &[
    ("random.seededString", "length must be at most 65536", "the size of what an expression makes is bounded"),
    ("", "is not a JSON number", "no object can hold it"),
    ("", "unsupported key type", "kro refuses such a key when it makes JSON of it"),
    ("", "should be refused: invalid qualifier type", "refused when it is evaluated"),
    ("null[?", "'_[?_]' applied to '(null", "there is nothing below a literal null"),
    ("{?", "was given optional_type", "a map with an optional entry is a map"),
    ("", "hash of unhashable type", "bytes are in no map"),
    ("%s", "\u{fffd}", "bytes that are not text, shown with as many question marks as Rust makes of them"),
    ("%s", "efbfbd", "the same, in hexadecimal"),
    ("%s", "was given kubernetes.Semver", "a map is looked into when it is printed"),
    ("json.marshal(omit())", "wanted: \"{}\"", "what is left out has no text"),
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

#[test]
fn ten_thousand_drawn_expressions_have_kros_answers() {
    let Some(oracle) = env::var_os("CROFT_KRO_ORACLE") else { return };
    let mut draw = drawn::Draw(env::var("CROFT_SEED").map_or(1, |seed| seed.parse().expect("a number")));
    let object = json!({
        "n": 3, "f": 2.5, "s": "abc", "b": true, "z": null, "l": [3, 1, 2], "e": [], "m": {"k": "v"},
    });
    let mut questions: Vec<Json> = (0..10_000)
        .map(|number| json!({"expr": draw.expression(number % 4), "vars": {"o": object}, "otherWords": true}))
        .collect();
    let lines: String = questions.iter().map(|question| format!("{question}\n")).collect();
    let mut child = Command::new(oracle).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the oracle");
    let mut input = child.stdin.take().expect("it is piped");
    let asking = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("its answers");
    asking.join().expect("no panic").expect("it reads");
    let answers = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    assert_eq!(answers.lines().count(), questions.len());
    let mut failures = Vec::new();
    for (question, line) in questions.iter_mut().zip(answers.lines()) {
        let told: Json = serde_json::from_str(line).expect("JSON");
        question.as_object_mut().expect("an object").extend(told.as_object().expect("an object").clone());
        let Err(why) = answer(question) else { continue };
        let of = question["expr"].as_str().unwrap_or_default();
        if !DRAWN_DIFFERENT.iter().any(|(part, words, _)| of.contains(part) && why.contains(words)) {
            failures.push(format!("{}\n    {why}", question["expr"]));
        }
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

fn answer(vector: &Json) -> Result<(), String> {
    let source = vector["expr"].as_str().expect("what the file holds");
    let is_different = DIFFERENT.iter().any(|(expression, _)| *expression == source);
    let other_words = is_different || vector["otherWords"] == true;
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
        (Err(found), Some(wanted)) => return same(other_words, wanted, &found),
        (Err(found), None) => return Err(format!("is refused: {found}")),
    };
    let checked = match (check(source, &node, &env), wanted_error) {
        (Ok(checked), None) => checked,
        (Ok(checked), Some(wanted)) => return Err(format!("has type {}, should be refused: {wanted}", checked.of)),
        (Err(issues), Some(wanted)) => {
            let found = error::display(source, &issues);
            return same(other_words || found.contains(wanted), wanted, &found);
        }
        (Err(issues), None) => return Err(format!("is refused: {}", error::display(source, &issues))),
    };
    let shown = checked.of.to_string();
    let shown = if shown == "null" { "null_type".to_owned() } else { shown };
    let shown = shown.replace("(null)", "(null_type)").replace(" null)", " null_type)");
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
            let wanted = plain(&vector["value"]);
            same(is_different, &wanted.to_string(), &value.unwrap_or(Json::Null).to_string())
        }
        (Ok(value), Some(wanted)) => Err(format!("is {value:?}, should fail: {wanted}")),
        (Err((found, _)), None) => Err(format!("fails: {found}")),
        (Err((found, pending)), Some(wanted)) => {
            if pending != (vector["pending"] == true) {
                return Err(format!("pending is {pending}"));
            }
            // Go quotes a backslash once more than we do.
            same(other_words, &wanted.replace("\\\\", "\\").replace("\\\"", "\""), &found)
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

/// Without the marks of doubles and of omitted values.
fn plain(value: &Json) -> Json {
    let is_omitted = |value: &Json| value.get("$omit") == Some(&Json::Bool(true));
    match value {
        value if is_omitted(value) => Json::Null,
        Json::Array(elements) => elements.iter().filter(|it| !is_omitted(it)).map(plain).collect(),
        Json::Object(fields) => match fields.get("$double").and_then(Json::as_str).map(str::parse::<f64>) {
            // What is written without a fraction is read as an integer.
            Some(Ok(number)) if number.fract() == 0.0 && number.abs() < 1e15 => Json::from(number as i64),
            Some(Ok(number)) => Json::from(number),
            _ => {
                let kept = fields.iter().filter(|(_, value)| !is_omitted(value));
                Json::Object(kept.map(|(name, value)| (name.clone(), plain(value))).collect())
            }
        },
        other => other.clone(),
    }
}
