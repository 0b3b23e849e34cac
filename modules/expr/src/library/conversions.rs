//! `int(…)`, `string(…)` and the other conversions.

use super::{
    Sig::{Bool, Bytes, Double, Duration, Int, Opaque, Text, Timestamp, Uint},
    functions, standard,
};
use crate::{
    eval::{Error, Machine},
    number,
    time::{Duration as Span, Timestamp as Instant},
    value::{Kube, Value},
};

functions! {
    function "int" {
        (Int) -> Int => standard::same, (Uint) -> Int => int, (Double) -> Int => int, (Text) -> Int => int,
        (Timestamp) -> Int => int, (Duration) -> Int => int,
    }
    function "uint" {
        (Uint) -> Uint => standard::same, (Int) -> Uint => uint, (Double) -> Uint => uint, (Text) -> Uint => uint,
    }
    function "double" {
        (Double) -> Double => standard::same, (Int) -> Double => double, (Uint) -> Double => double,
        (Text) -> Double => double,
    }
    function "string" {
        (Text) -> Text => standard::same, (Bool) -> Text => string, (Int) -> Text => string, (Uint) -> Text => string,
        (Double) -> Text => string, (Bytes) -> Text => string, (Timestamp) -> Text => string,
        (Duration) -> Text => string, (Opaque("net.IP")) -> Text => string, (Opaque("net.CIDR")) -> Text => string,
    }
    function "bytes" { (Bytes) -> Bytes => standard::same, (Text) -> Bytes => bytes }
    function "bool" { (Bool) -> Bool => standard::same, (Text) -> Bool => boolean }
    function "duration" { (Duration) -> Duration => standard::same, (Text) -> Duration => duration }
    function "timestamp" {
        (Timestamp) -> Timestamp => standard::same, (Text) -> Timestamp => timestamp, (Int) -> Timestamp => timestamp,
    }
}

type Outcome<'v> = Result<Value<'v>, Error>;

fn cannot<'v>(value: &Value, to: &str) -> Outcome<'v> {
    Err(Error::failed(format!("type conversion error from '{}' to '{to}'", value.type_name())))
}

fn only<'a, 'v>(args: &'a [Value<'v>]) -> Result<&'a Value<'v>, Error> {
    args.first().ok_or_else(Error::no_such_overload)
}

fn int<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let value = only(args)?;
    let overflow = || Error::failed("integer overflow");
    match value {
        Value::Uint(number) => i64::try_from(*number).map(Value::Int).map_err(|_| overflow()),
        // 2^63 is exact as a double, and out of range on both ends as in cel-go.
        Value::Double(number) if number.is_nan() || number.abs() >= 9_223_372_036_854_775_808.0 => Err(overflow()),
        Value::Double(number) => Ok(Value::Int(*number as i64)),
        Value::Text(text) => text.parse().map_or_else(|_| cannot(value, "int"), |number| Ok(Value::Int(number))),
        Value::Timestamp(at) => Ok(Value::Int(at.unix())),
        Value::Duration(span) => Ok(Value::Int(span.nanos)),
        other => cannot(other, "int"),
    }
}

fn uint<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let value = only(args)?;
    let overflow = || Error::failed("unsigned integer overflow");
    match value {
        Value::Int(number) => u64::try_from(*number).map(Value::Uint).map_err(|_| overflow()),
        // 2^64 is exact as a double.
        Value::Double(number) if !(*number >= 0.0 && *number < 18_446_744_073_709_551_616.0) => Err(overflow()),
        Value::Double(number) => Ok(Value::Uint(*number as u64)),
        // Go takes a sign for `int` alone.
        Value::Text(text) if text.starts_with('+') => cannot(value, "uint"),
        Value::Text(text) => text.parse().map_or_else(|_| cannot(value, "uint"), |number| Ok(Value::Uint(number))),
        other => cannot(other, "uint"),
    }
}

fn double<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let value = only(args)?;
    match value {
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Uint(number) => Ok(Value::Double(*number as f64)),
        Value::Text(text) => {
            number::parse_double(text).map_or_else(|| cannot(value, "double"), |it| Ok(Value::Double(it)))
        }
        other => cannot(other, "double"),
    }
}

fn string<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let value = only(args)?;
    machine.charge(value.weight() / 16)?;
    if let Value::Bytes(bytes) = value {
        let text = std::str::from_utf8(bytes);
        return text.map(Value::text).map_err(|_| Error::failed("invalid UTF-8 in bytes, cannot convert to string"));
    }
    if let Value::Int(number) = value {
        return Ok(Value::text(itoa::Buffer::new().format(*number)));
    }
    printed(value).map(Value::text).map_or_else(|| cannot(value, "string"), Ok)
}

/// A scalar as `string()` prints it.
pub(crate) fn printed(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(text) => text.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number::shortest(*number),
        Value::Timestamp(at) => at.to_rfc3339_nano(),
        Value::Duration(span) => span.to_cel_string(),
        Value::Kube(value) => match value.as_ref() {
            Kube::Ip(ip) => ip.to_string(),
            Kube::Cidr(cidr) => cidr.to_string(),
            _ => return None,
        },
        _ => return None,
    })
}

/// A value in a message.
pub(crate) fn shown(value: &Value) -> String {
    printed(value).unwrap_or_else(|| value.type_name().to_owned())
}

/// The name of a value's type as `type()` answers it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    value.type_name()
}

fn bytes<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match only(args)? {
        Value::Text(text) => {
            machine.charge(text.len() / 16)?;
            Ok(Value::Bytes(text.as_bytes().into()))
        }
        other => cannot(other, "bytes"),
    }
}

fn boolean<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let value = only(args)?;
    match value {
        Value::Text(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => cannot(value, "bool"),
        },
        other => cannot(other, "bool"),
    }
}

fn duration<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match only(args)? {
        Value::Text(text) => Span::parse(text).map(Value::Duration).map_err(Error::Failed),
        other => cannot(other, "google.protobuf.Duration"),
    }
}

fn timestamp<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match only(args)? {
        Value::Text(text) => Instant::parse(text).map(Value::Timestamp).map_err(Error::Failed),
        Value::Int(seconds) => Instant::from_unix(*seconds).map(Value::Timestamp).map_err(Error::Failed),
        other => cannot(other, "google.protobuf.Timestamp"),
    }
}
