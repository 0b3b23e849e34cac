//! The CEL specification's conformance tests (`cel.expr.conformance.test`,
//! files of `SimpleTestFile` in text form), as far as they need no protobuf
//! message.
//!
//! `CEL_CONFORMANCE=FOLDER` runs the specification's own files, which `cargo
//! xtask test` fetches; without it only those of `tests/conformance` are run.

#[path = "spec/textproto.rs"]
mod textproto;

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use expr::{
    check::{Env, check},
    error,
    eval::{Globals, Machine},
    library::Library,
    parse::parse,
    time::{Duration, Timestamp},
    types::Type,
    value::{Key, Text, Value},
};
use textproto::Message;

const LIBRARIES: &[Library] = &[
    Library::Standard,
    Library::Strings,
    Library::Reversal,
    Library::Bindings,
    Library::Lists,
    Library::Optionals,
    Library::Encoders,
    Library::Math,
    Library::Kubernetes,
];

/// Files that are about protobuf messages, or about what no user writes.
const OTHER_FILES: &[(&str, &str)] = &[
    ("proto2", "protobuf messages"),
    ("proto2_ext", "protobuf messages"),
    ("proto3", "protobuf messages"),
    ("enums", "protobuf enumerations"),
    ("dynamic", "protobuf's well-known messages"),
    ("wrappers", "protobuf's wrapper messages"),
    ("block_ext", "`cel.block` is made by optimizers and not written"),
];

/// Tests that are answered differently on purpose: file/section/test, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("network_ext/ipv4/ipv4_equals_ipv6", "Kubernetes, and so kro, refuses IPv4 addresses written as IPv6"),
    ("network_ext/ipv4/ipv4_not_equals_ipv6", "Kubernetes, and so kro, refuses IPv4 addresses written as IPv6"),
    ("optionals/optionals/map_null_entry_no_such_key", "for kro, what has no fields lacks the one that is asked for"),
    (
        "optionals/optionals/map_present_key_invalid_field",
        "for kro, what has no fields lacks the one that is asked for",
    ),
    ("string_ext/value_errors/indexof_out_of_range", "cel-go, and so kro, finds nothing beyond the end"),
    ("string_ext/value_errors/lastindexof_out_of_range", "cel-go, and so kro, finds nothing beyond the end"),
];

#[test]
fn the_specifications_tests_pass() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut files = Vec::new();
    for folder in [Some(own), env::var_os("CEL_CONFORMANCE").map(PathBuf::from)].into_iter().flatten() {
        let found = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        files.extend(found.map(|entry| entry.expect("what the file holds").path()));
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "textproto"));
    files.sort();
    let (mut passed, mut skipped, mut failures) = (0, 0, Vec::new());
    for file in files {
        let name = file.file_stem().expect("what the file holds").to_string_lossy().into_owned();
        if OTHER_FILES.iter().any(|(other, _)| *other == name) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("what the file holds");
        let before = (passed, skipped, failures.len());
        for section in textproto::parse(&text).messages("section") {
            for test in section.messages("test") {
                let label = format!(
                    "{name}/{}/{}",
                    section.text("name").expect("what the file holds"),
                    test.text("name").expect("what the file holds")
                );
                if needs_messages(test) {
                    // Some only look as if they did.
                    if std::panic::catch_unwind(|| run(test)).is_ok_and(|outcome| outcome.is_ok()) {
                        passed += 1
                    } else {
                        skipped += 1
                    }
                } else if DIFFERENT.iter().any(|(different, _)| *different == label) {
                    assert!(
                        run(test).is_err(),
                        "{label} is answered as the specification says: strike it from the list"
                    );
                } else {
                    match run(test) {
                        Ok(()) => passed += 1,
                        Err(why) => {
                            failures.push(format!("{label}: {}\n    {why}", test.text("expr").unwrap_or_default()));
                        }
                    }
                }
            }
        }
        println!(
            "{name}: {} passed, {} need messages, {} failed",
            passed - before.0,
            skipped - before.1,
            failures.len() - before.2
        );
    }
    println!("{passed} passed, {} failed, {skipped} skipped", failures.len());
    assert!(failures.is_empty(), "{} tests fail:\n{}", failures.len(), failures.join("\n"));
}

/// Whether a test is about a protobuf message.
fn needs_messages(test: &Message) -> bool {
    let expr = test.text("expr").unwrap_or_default();
    let everything = format!("{test:?}");
    let of_messages =
        ["TestAllTypes", "NestedTestAllTypes", "GlobalEnum", "proto2.", "proto3.", "message_type", "single_any"];
    let well_known = ["Value", "Struct", "Any", "Empty", "FieldMask", "ListValue"]
        .iter()
        .any(|name| expr.contains(&format!("google.protobuf.{name}")) || expr.contains(&format!("{name}{{")));
    let wrappers = [
        "Int32Value",
        "Int64Value",
        "UInt32Value",
        "UInt64Value",
        "DoubleValue",
        "FloatValue",
        "BoolValue",
        "StringValue",
        "BytesValue",
    ]
    .iter()
    .any(|name| everything.contains(name));
    of_messages.iter().any(|name| everything.contains(name) || expr.contains(name))
        || well_known
        || wrappers
        || everything.contains("wrapper")
}

fn run(test: &Message) -> Result<(), String> {
    let source = test.text("expr").unwrap_or_default();
    let fails = test.has("eval_error") || test.has("any_eval_errors");
    let mut env = Env { libraries: LIBRARIES, container: test.text("container").unwrap_or_default(), ..Env::default() };
    let mut names = Vec::new();
    for declaration in test.messages("type_env") {
        let name = declaration.text("name").unwrap_or_default();
        match declaration.message("ident").and_then(|ident| ident.message("type")) {
            Some(of) => {
                env.variables.push((name.clone(), type_of(of)));
                names.push(name);
            }
            None => return Ok(()), // declares a function that no library has
        }
    }
    let mut values = BTreeMap::new();
    for binding in test.messages("bindings") {
        let name = binding.text("key").unwrap_or_default();
        let value = binding.message("value").and_then(|value| value.message("value"));
        values.insert(name.clone(), value.map(value_of).transpose()?);
        if !names.contains(&name) {
            env.variables.push((name.clone(), Type::Dyn));
            names.push(name);
        }
    }
    let unchecked = test.text("disable_check").is_some_and(|text| text == "true");
    env.lenient = unchecked;
    let node = match parse(&source) {
        Ok(node) => node,
        Err(_) if fails => return Ok(()),
        Err(issues) => return Err(format!("is refused: {}", error::display(&source, &issues))),
    };
    let checked = match check(&source, &node, &env) {
        Ok(checked) => checked,
        Err(_) if fails => return Ok(()),
        Err(issues) => return Err(format!("is refused: {}", error::display(&source, &issues))),
    };
    if let Some(wanted) = test.message("typed_result").and_then(|result| result.message("deduced_type")) {
        let (wanted, found) = (type_of(wanted).to_string(), checked.of.to_string());
        if wanted != found {
            return Err(format!("has type {found}, not {wanted}"));
        }
    }
    if test.has("check_only") {
        return Ok(());
    }
    let shown: Vec<&str> = names.iter().map(String::as_str).collect();
    let globals: Vec<Option<Value>> = names.iter().map(|name| values.get(name).cloned().flatten()).collect();
    let found = Machine::default().evaluate(&checked.code, Globals { names: &shown, values: &globals });
    let wanted = test.message("value").or_else(|| test.message("typed_result").and_then(|it| it.message("result")));
    match (found, fails) {
        (Err(_), true) => Ok(()),
        (Err(error), false) => Err(format!("fails: {error}")),
        (Ok(found), true) => Err(format!("is {found:?}, should fail")),
        (Ok(found), false) => {
            let wanted = wanted.map_or(Ok(Value::Bool(true)), value_of)?;
            if identical(&found, &wanted) { Ok(()) } else { Err(format!("is {found:?}, not {wanted:?}")) }
        }
    }
}

/// Equal, and of the same type throughout.
fn identical(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Double(one), Value::Double(two)) => one == two || one.is_nan() && two.is_nan(),
        (Value::List(one), Value::List(two)) => {
            one.len() == two.len() && one.iter().zip(two.iter()).all(|(one, two)| identical(&one, &two))
        }
        (Value::Map(one), Value::Map(two)) => {
            one.len() == two.len()
                && one.iter().all(|(key, value)| two.get(&key).is_some_and(|other| identical(&value, &other)))
        }
        (Value::Optional(Some(one)), two) => identical(one, two),
        _ => found.type_name() == wanted.type_name() && found == wanted,
    }
}

fn value_of(message: &Message) -> Result<Value<'static>, String> {
    let text = |name: &str| message.text(name).unwrap_or_default();
    Ok(match message.0.first().map(|(name, _)| name.as_str()) {
        Some("null_value") => Value::Null,
        Some("bool_value") => Value::Bool(text("bool_value") == "true"),
        Some("int64_value") => Value::Int(parsed_int(&text("int64_value"))),
        Some("uint64_value") => Value::Uint(text("uint64_value").parse().expect("what the file holds")),
        Some("double_value") => Value::Double(match text("double_value").to_lowercase().as_str() {
            "inf" | "infinity" | "+inf" => f64::INFINITY,
            "-inf" | "-infinity" => f64::NEG_INFINITY,
            number => number.parse().expect("what the file holds"),
        }),
        Some("string_value") => Value::text(text("string_value")),
        Some("bytes_value") => Value::Bytes(message.bytes("bytes_value").expect("what the file holds").into()),
        Some("type_value") => Value::Type(text("type_value").as_str().into()),
        Some("list_value") => {
            let list = message.message("list_value").expect("what the file holds");
            Value::list(list.messages("values").map(value_of).collect::<Result<_, _>>()?)
        }
        Some("map_value") => {
            let mut entries = BTreeMap::new();
            for entry in message.message("map_value").expect("what the file holds").messages("entries") {
                let key = match value_of(entry.message("key").expect("what the file holds"))? {
                    Value::Bool(value) => Key::Bool(value),
                    Value::Int(number) => Key::Int(number),
                    Value::Uint(number) => Key::Uint(number),
                    Value::Text(text) => Key::Text(Text::Shared(text.to_string().into())),
                    other => return Err(format!("{other:?} is not a key")),
                };
                entries.insert(key, value_of(entry.message("value").expect("what the file holds"))?);
            }
            Value::map(entries)
        }
        Some("object_value") => {
            let (name, _) = &message.message("object_value").expect("what the file holds").0[0];
            let object = message
                .message("object_value")
                .expect("what the file holds")
                .message(name)
                .expect("what the file holds");
            let number = |field: &str| object.text(field).map_or(0, |text| parsed_int(&text));
            if name.ends_with("google.protobuf.Timestamp") {
                let nanos = u32::try_from(number("nanos")).expect("what the file holds");
                Value::Timestamp(Timestamp::from_parts(number("seconds"), nanos)?)
            } else if name.ends_with("google.protobuf.Duration") {
                Value::Duration(Duration { nanos: number("seconds") * 1_000_000_000 + number("nanos") })
            } else {
                return Err(format!("a message: {name}"));
            }
        }
        other => return Err(format!("an unknown value: {other:?}")),
    })
}

fn parsed_int(text: &str) -> i64 {
    text.strip_prefix("0x").map_or_else(
        || text.parse().expect("what the file holds"),
        |hex| i64::from_str_radix(hex, 16).expect("what the file holds"),
    )
}

fn type_of(message: &Message) -> Type<'static> {
    let text = |name: &str| message.text(name).unwrap_or_default();
    match message.0.first().map(|(name, _)| name.as_str()) {
        Some("primitive") => match text("primitive").as_str() {
            "BOOL" => Type::Bool,
            "INT64" => Type::Int,
            "UINT64" => Type::Uint,
            "DOUBLE" => Type::Double,
            "STRING" => Type::Text,
            _ => Type::Bytes,
        },
        Some("well_known") => match text("well_known").as_str() {
            "TIMESTAMP" => Type::Timestamp,
            "DURATION" => Type::Duration,
            _ => Type::Dyn,
        },
        Some("null") => Type::Null,
        Some("list_type") => {
            let element = message.message("list_type").expect("what the file holds").message("elem_type");
            Type::list(element.map_or(Type::Dyn, type_of))
        }
        Some("map_type") => {
            let parts = message.message("map_type").expect("what the file holds");
            let part = |name: &str| parts.messages(name).next().map_or(Type::Dyn, type_of);
            Type::map(part("key_type"), part("value_type"))
        }
        Some("abstract_type") => {
            let parts = message.message("abstract_type").expect("what the file holds");
            let parameter = parts.messages("parameter_types").next().map_or(Type::Dyn, type_of);
            if parts.text("name").as_deref() == Some("optional_type") { Type::optional(parameter) } else { Type::Dyn }
        }
        Some("type") => Type::Meta(message.message("type").map_or(Type::Dyn, type_of).into()),
        _ => Type::Dyn,
    }
}
