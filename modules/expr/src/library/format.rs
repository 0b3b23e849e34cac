//! `string.format(list)`: the clauses `%s %d %f %e %b %o %x %X` and `%%`, as
//! cel-go's strings extension defines them.

use super::conversions;
use crate::{
    eval::{Error, Machine},
    number,
    types::Type,
    value::Value,
};

/// The precision of `%f` and `%e` that name none.
const PRECISION: usize = 6;
/// Digits are written out: the precision bounds the size of the result.
const MAX_PRECISION: usize = 100;

pub(super) fn run<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Result<Value<'v>, Error> {
    let [Value::Text(template), Value::List(values)] = args else { return Err(Error::no_such_overload()) };
    let mut text = String::with_capacity(template.len());
    let mut next = 0;
    for part in Parts(template) {
        match part.map_err(|what| Error::failed(format!("could not parse formatting clause: {what}")))? {
            Part::Text(part) => text.push_str(part),
            Part::Clause(clause) => {
                let value = values.get(next).ok_or_else(|| Error::failed(format!("index {next} out of range")))?;
                let before = text.len();
                clause
                    .print(&value, &mut text)
                    .map_err(|what| Error::failed(format!("error during formatting: {what}")))?;
                machine.charge(1 + (text.len() - before) / 8)?;
                next += 1;
            }
        }
    }
    Ok(Value::text(text))
}

/// Why a template cannot be filled.
pub(crate) struct Refusal {
    /// The argument that does not fit; none if it is the template or their number.
    pub(crate) argument: Option<usize>,
    pub(crate) message: String,
}

/// What can be said of a template and the types of its arguments before there are
/// values.
pub(crate) fn refusal(template: &str, arguments: &[Type]) -> Option<Refusal> {
    let mut next = 0;
    for part in Parts(template) {
        let clause = match part {
            Ok(Part::Text(_)) => continue,
            Ok(Part::Clause(clause)) => clause,
            Err(what) => return Some(Refusal { argument: None, message: what }),
        };
        let Some(argument) = arguments.get(next) else {
            let message = format!("index {next} out of range");
            return Some(Refusal { argument: None, message });
        };
        if !clause.takes(argument) {
            let message = format!("error during formatting: {}", clause.refuse(&argument.to_string()));
            return Some(Refusal { argument: Some(next), message });
        }
        next += 1;
    }
    let given = arguments.len();
    (next < given).then(|| Refusal {
        argument: None,
        message: format!("too many arguments supplied to string.format (expected {next}, got {given})"),
    })
}

/// What a template is made of, in its order.
struct Parts<'t>(&'t str);

enum Part<'t> {
    Text(&'t str),
    Clause(Clause),
}

impl<'t> Iterator for Parts<'t> {
    type Item = Result<Part<'t>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(rest) = self.0.strip_prefix('%') else {
            let (text, rest) = self.0.split_at(self.0.find('%').unwrap_or(self.0.len()));
            self.0 = rest;
            return (!text.is_empty()).then_some(Ok(Part::Text(text)));
        };
        if let Some(after) = rest.strip_prefix('%') {
            self.0 = after;
            return Some(Ok(Part::Text("%")));
        }
        Some(Clause::parse(rest).map(|(clause, after)| {
            self.0 = after;
            Part::Clause(clause)
        }))
    }
}

struct Clause {
    precision: usize,
    letter: char,
}

impl Clause {
    /// The clause at the start of a text, its `%` taken off, and what follows.
    fn parse(text: &str) -> Result<(Clause, &str), String> {
        let (precision, rest) = match text.strip_prefix('.') {
            None => (PRECISION, text),
            Some(rest) => {
                let digits = rest.find(|letter: char| !letter.is_ascii_digit());
                let digits = digits.ok_or("could not find end of precision specifier")?;
                let precision: usize = rest[..digits]
                    .parse()
                    .map_err(|_| format!("precision `{}` is not a whole number", &rest[..digits]))?;
                (precision, &rest[digits..])
            }
        };
        if precision > MAX_PRECISION {
            return Err(format!("precision {precision} exceeds maximum allowed precision {MAX_PRECISION}"));
        }
        let letter = rest.chars().next().ok_or("unexpected end of string")?;
        if !"sdfebxXo".contains(letter) {
            return Err(format!("unrecognized formatting clause \"{letter}\""));
        }
        Ok((Clause { precision, letter }, &rest[1..]))
    }

    fn print(&self, value: &Value, text: &mut String) -> Result<(), String> {
        let number = match value {
            Value::Int(number) => Some(i128::from(*number)),
            Value::Uint(number) => Some(i128::from(*number)),
            _ => None,
        };
        let printed = match (self.letter, number, value) {
            ('s', _, value) => return print_any(value, text),
            ('d', Some(number), _) => number.to_string(),
            ('d', None, Value::Double(number)) => plain(*number),
            ('f', _, value) => match as_double(value) {
                Some(number) => non_finite(number).unwrap_or_else(|| format!("{number:.*}", self.precision)),
                None => return Err(self.refuse(value.type_name())),
            },
            ('e', _, value) => match as_double(value) {
                Some(number) => non_finite(number).unwrap_or_else(|| scientific(number, self.precision)),
                None => return Err(self.refuse(value.type_name())),
            },
            ('b', None, Value::Bool(value)) => u8::from(*value).to_string(),
            ('b', Some(number), _) => signed(number, |magnitude| format!("{magnitude:b}")),
            ('o', Some(number), _) => signed(number, |magnitude| format!("{magnitude:o}")),
            ('x', Some(number), _) => signed(number, |magnitude| format!("{magnitude:x}")),
            ('X', Some(number), _) => signed(number, |magnitude| format!("{magnitude:X}")),
            ('x', None, Value::Text(text)) => hex(text.as_bytes()),
            ('X', None, Value::Text(text)) => hex(text.as_bytes()).to_uppercase(),
            ('x', None, Value::Bytes(bytes)) => hex(bytes),
            ('X', None, Value::Bytes(bytes)) => hex(bytes).to_uppercase(),
            _ => return Err(self.refuse(value.type_name())),
        };
        text.push_str(&printed);
        Ok(())
    }

    /// Whether it may take values of a type.
    fn takes(&self, of: &Type) -> bool {
        let open = matches!(of, Type::Dyn | Type::Error | Type::Var(_));
        let whole = matches!(of, Type::Int | Type::Uint);
        open || match self.letter {
            's' => !matches!(of, Type::Optional(_) | Type::Opaque(_)),
            'd' | 'f' | 'e' => whole || matches!(of, Type::Double),
            'b' => whole || matches!(of, Type::Bool),
            'o' => whole,
            _ => whole || matches!(of, Type::Text | Type::Bytes),
        }
    }

    fn refuse(&self, type_name: &str) -> String {
        let accepted = match self.letter {
            's' => {
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, \
                 durations, and timestamps"
            }
            'd' => "decimal clause can only be used on ints, uints, and doubles",
            'f' => "fixed-point clause can only be used on ints, uints, and doubles",
            'e' => "scientific clause can only be used on ints, uints, and doubles",
            'b' => "only ints, uints, and bools can be formatted as binary",
            'o' => "octal clause can only be used on ints and uints",
            _ => "only ints, uints, bytes, and strings can be formatted as hex",
        };
        format!("{accepted}, was given {type_name}")
    }
}

fn as_double(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Uint(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        _ => None,
    }
}

fn non_finite(number: f64) -> Option<String> {
    let text = match number {
        number if number.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => return None,
    };
    Some(text.to_owned())
}

/// A double with as many digits as it takes, and never an exponent.
fn plain(number: f64) -> String {
    non_finite(number).unwrap_or_else(|| number.to_string())
}

fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    number::with_exponent(mantissa, exponent.parse().unwrap_or(0))
}

fn signed(number: i128, print: impl Fn(u128) -> String) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", print(number.unsigned_abs()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `%s`: a map in the order of its printed keys.
fn print_any(value: &Value, text: &mut String) -> Result<(), String> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Double(number) => text.push_str(&plain(*number)),
        Value::Bytes(bytes) => text.push_str(&String::from_utf8_lossy(bytes)),
        Value::Type(name) => text.push_str(name),
        Value::List(list) => {
            text.push('[');
            for (index, element) in list.iter().enumerate() {
                if index > 0 {
                    text.push_str(", ");
                }
                print_any(&element, text)?;
            }
            text.push(']');
        }
        Value::Map(map) => {
            let mut entries = Vec::with_capacity(map.len());
            for (key, value) in map.iter() {
                let (mut name, mut printed) = (String::new(), String::new());
                print_any(&key.into(), &mut name)?;
                print_any(&value, &mut printed)?;
                entries.push(format!("{name}: {printed}"));
            }
            entries.sort_unstable();
            text.push('{');
            text.push_str(&entries.join(", "));
            text.push('}');
        }
        other => match conversions::printed(other) {
            Some(printed) => text.push_str(&printed),
            None => {
                return Err(format!(
                    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, \
                     durations, and timestamps, was given {}",
                    other.type_name()
                ));
            }
        },
    }
    Ok(())
}
