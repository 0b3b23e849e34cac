//! Prints a value into a text as Go's `fmt` verb `%v` does, since that is how
//! kro v0.1 fills in templates of several parts.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// Appends a value to a text.
pub(crate) fn print(value: &Value, into: &mut String) {
    match value {
        Value::Null => into.push_str("<nil>"),
        Value::Bool(value) => into.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => print_number(number, into),
        Value::String(text) => into.push_str(text),
        Value::Array(elements) => {
            into.push('[');
            for (index, element) in elements.iter().enumerate() {
                into.push_str(if index == 0 { "" } else { " " });
                print(element, into);
            }
            into.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            into.push_str("map[");
            for (index, (name, value)) in sorted.into_iter().enumerate() {
                into.push_str(if index == 0 { "" } else { " " });
                into.push_str(name);
                into.push(':');
                print(value, into);
            }
            into.push(']');
        }
    }
}

fn print_number(number: &Number, into: &mut String) {
    let Some(float) = number.as_f64().filter(|_| !number.is_i64() && !number.is_u64()) else {
        into.push_str(&number.to_string());
        return;
    };
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Go switches to exponents below 1e-4 and from 1e21, and writes two digits of them.
    if (-4..21).contains(&exponent) {
        into.push_str(&float.to_string());
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        // Writing to a string cannot fail.
        let _ = write!(into, "{digits}e{sign}{:02}", exponent.abs());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        for (value, printed) in [
            (json!("a b"), "a b"),
            (json!(-5), "-5"),
            (json!(true), "true"),
            (json!(null), "<nil>"),
            (json!(1.5), "1.5"),
            (json!(1e21), "1e+21"),
            (json!(1.25e-7), "1.25e-07"),
            (json!(123456789.5), "123456789.5"),
            (json!(["a", 1, [true]]), "[a 1 [true]]"),
            (json!({"b": {"c": null}, "a": []}), "map[a:[] b:map[c:<nil>]]"),
        ] {
            let mut text = String::new();
            print(&value, &mut text);
            assert_eq!(text, printed);
        }
    }
}
