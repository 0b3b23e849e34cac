//! What a word in YAML means.
//!
//! `kubectl` reads YAML with a library of the YAML 1.1 age, and people's files
//! are written for it, so its rules hold here: unquoted `yes`, `y`, `on`, `no`,
//! `n` and `off` are booleans, also as keys, `0644` is octal, `1_000` is a
//! thousand, and a date is a string. What JSON cannot hold, `.nan` and `.inf`, is
//! refused. `cargo xtask test` compares with Go's `sigs.k8s.io/yaml`.

use std::borrow::Cow;

use saphyr_parser::Tag;
use serde_json::{Number, Value};

/// What `!!` stands for.
const CORE: &str = "tag:yaml.org,2002:";

/// What a scalar without quotes, or with a tag, stands for. The error says what
/// is wrong and, if it can, what would be right.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Value, (String, Option<String>)> {
    match tag_name(tag)?.as_deref() {
        None if plain => untagged(text),
        None | Some("str") => Ok(text.into()),
        Some(name @ ("int" | "float" | "bool" | "null")) => tagged(text, name),
        Some(other) => Err((
            format!("the tag `!!{other}` does not fit a single value"),
            Some("leave the tag out; Kubernetes objects need none".to_owned()),
        )),
    }
}

/// The part of a tag after `!!`. The tag `!` alone says that the value is a
/// string.
pub(super) fn tag_name(tag: Option<&Tag>) -> Result<Option<Cow<'_, str>>, (String, Option<String>)> {
    match tag {
        None => Ok(None),
        Some(tag) if tag.is_yaml_core_schema() => Ok(Some(Cow::Borrowed(&tag.suffix))),
        Some(tag) if tag.suffix.is_empty() || tag.suffix == "!" => Ok(Some(Cow::Borrowed("str"))),
        Some(tag) if tag.handle.is_empty() && tag.suffix.starts_with(CORE) => {
            Ok(Some(Cow::Borrowed(&tag.suffix[CORE.len()..])))
        }
        Some(tag) => Err((
            format!("the tag `{}{}` is not known", tag.handle, tag.suffix),
            Some("leave the tag out, or quote the value if it was meant as text".to_owned()),
        )),
    }
}

fn untagged(text: &str) -> Result<Value, (String, Option<String>)> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => true.into(),
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => false.into(),
        _ if is_not_finite(text) => {
            return Err((
                format!("`{text}` has no place in JSON"),
                Some("quote it if it was meant as text".to_owned()),
            ));
        }
        _ => match number(text) {
            Some(number) => number.into(),
            // A number that no float can hold is a text for Go.
            None => text.into(),
        },
    })
}

fn tagged(text: &str, name: &str) -> Result<Value, (String, Option<String>)> {
    let value = untagged(text)?;
    let fits = match name {
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "bool" => value.is_boolean(),
        _ => value.is_null(),
    };
    if fits { Ok(value) } else { Err((format!("`{text}` is not a `!!{name}`"), None)) }
}

fn is_not_finite(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    let plain = if text.starts_with('.') { Cow::Borrowed(text) } else { Cow::Owned(text.replace('_', "")) };
    integer(&plain).or_else(|| float(&plain))
}

/// Decimal, or with the prefix `0x`, `0b`, `0o` or `0`, as Go writes them.
fn integer(text: &str) -> Option<Number> {
    let (negative, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (digits, radix) = match unsigned.get(..2) {
        Some("0x" | "0X") => (&unsigned[2..], 16),
        Some("0b" | "0B") => (&unsigned[2..], 2),
        Some("0o" | "0O") => (&unsigned[2..], 8),
        Some(_) if unsigned.starts_with('0') => (&unsigned[1..], 8),
        _ => (unsigned, 10),
    };
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    if negative {
        return i64::from_str_radix(&format!("-{digits}"), radix).ok().map(Number::from);
    }
    u64::from_str_radix(digits, radix).ok().map(Number::from)
}

/// A whole number stays one, as it would on its way through Go's JSON.
fn float(text: &str) -> Option<Number> {
    // 2^63: up to there every whole number is an integer for Kubernetes.
    const WHOLE: f64 = 9_223_372_036_854_775_808.0;
    let value: f64 = if looks_like_float(text) { text.parse().ok()? } else { return None };
    if value.fract() == 0.0 && value.abs() < WHOLE {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// `[-+]? ( \.[0-9]+ | [0-9]+ ( \.[0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn looks_like_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && mantissa.len() > 1,
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

/// A mapping's key.
pub(super) struct Key {
    /// Its text: JSON has only strings there.
    pub(super) text: String,
    /// What is odd about it, and what would be right.
    pub(super) odd: Option<(String, Option<String>)>,
}

/// What a key without quotes, or with a tag, stands for.
pub(super) fn key(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Key, (String, Option<String>)> {
    let quote = || Some(format!("quote it: `\"{text}\":`"));
    if let Some(meant) = not_whole(text).filter(|_| plain && tag.is_none()) {
        let odd =
            (meant != text).then(|| (format!("the key `{text}` without quotes means `{meant}` to kubectl"), quote()));
        return Ok(Key { text: meant, odd });
    }
    let meant = match resolve(text, plain, tag)? {
        Value::String(key) => key,
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.to_string(),
            (None, Some(float)) if !number.is_u64() => shortest(float as f32),
            _ => return Err((format!("the number `{text}` is too large for a key"), quote())),
        },
        _ => return Err(("a key must not be null".to_owned(), quote())),
    };
    let odd = (meant != text && plain && tag.is_none())
        .then(|| (format!("the key `{text}` without quotes means `{meant}` to kubectl"), quote()));
    Ok(Key { text: meant, odd })
}

/// What a number becomes as a key that is not written as a whole one: `1e10` is
/// `1e+10`, and `.Inf` is `.inf`.
fn not_whole(text: &str) -> Option<String> {
    if is_not_finite(text) {
        let sign = if text.starts_with('-') { "-" } else { "" };
        let word = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
        return Some(format!("{sign}{word}"));
    }
    number(text)?;
    let plain = if text.starts_with('.') { text.to_owned() } else { text.replace('_', "") };
    let is_float = integer(&plain).is_none() && looks_like_float(&plain);
    plain.parse::<f64>().ok().filter(|_| is_float).map(|number| shortest(number as f32))
}

/// A number as Go's `strconv.FormatFloat(number, 'g', -1, 32)` writes it, which is
/// how it becomes a key.
fn shortest(number: f32) -> String {
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) { number.to_string() } else { format!("{mantissa}e{exponent:+03}") }
}
