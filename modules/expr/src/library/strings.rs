//! cel-go's strings extension. Positions count characters, not bytes.

use super::{
    Sig::{Dyn, Int, List, Text},
    format, functions,
};
use crate::{
    eval::{Error, Machine},
    value::Value,
};

functions! {
    method "charAt" { (Text, Int) -> Text => char_at }
    method "indexOf" { (Text, Text) -> Int => index_of, (Text, Text, Int) -> Int => index_of }
    method "lastIndexOf" { (Text, Text) -> Int => last_index_of, (Text, Text, Int) -> Int => last_index_of }
    method "join" { (List(&Text)) -> Text => join, (List(&Text), Text) -> Text => join }
    method "lowerAscii" { (Text) -> Text => lower_ascii }
    method "upperAscii" { (Text) -> Text => upper_ascii }
    method "replace" { (Text, Text, Text) -> Text => replace, (Text, Text, Text, Int) -> Text => replace }
    method "split" { (Text, Text) -> List(&Text) => split, (Text, Text, Int) -> List(&Text) => split }
    method "substring" { (Text, Int) -> Text => substring, (Text, Int, Int) -> Text => substring }
    method "trim" { (Text) -> Text => trim }
    method "format" { (Text, List(&Dyn)) -> Text => format::run }
    function "strings.quote" { (Text) -> Text => quote }
}

pub(crate) mod reversal {
    //! What version 3 of the extension adds.

    use super::{Text, functions, reverse};

    functions! { method "reverse" { (Text) -> Text => reverse } }
}

type Outcome<'v> = Result<Value<'v>, Error>;

fn out_of_range(index: i64) -> Error {
    Error::failed(format!("index out of range: {index}"))
}

/// The receiver, paid for.
fn receiver<'a>(machine: &Machine, args: &'a [Value]) -> Result<&'a str, Error> {
    match args.first() {
        Some(Value::Text(text)) => {
            machine.charge(1 + text.len() / 8)?;
            Ok(text)
        }
        _ => Err(Error::no_such_overload()),
    }
}

fn text<'a>(args: &'a [Value], index: usize) -> Result<&'a str, Error> {
    match args.get(index) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(Error::no_such_overload()),
    }
}

fn integer(args: &[Value], index: usize) -> Result<Option<i64>, Error> {
    match args.get(index) {
        Some(Value::Int(number)) => Ok(Some(*number)),
        None => Ok(None),
        Some(_) => Err(Error::no_such_overload()),
    }
}

/// A position from 0 to `length`, both included.
fn position(index: i64, length: usize) -> Result<usize, Error> {
    usize::try_from(index).ok().filter(|index| *index <= length).ok_or_else(|| out_of_range(index))
}

fn char_at<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let chars: Vec<char> = receiver(machine, args)?.chars().collect();
    let index = position(integer(args, 1)?.unwrap_or(0), chars.len())?;
    Ok(Value::text(chars.get(index).map(char::to_string).unwrap_or_default()))
}

fn count(found: Option<usize>) -> Value<'static> {
    Value::Int(found.and_then(|found| i64::try_from(found).ok()).unwrap_or(-1))
}

/// Searching costs as much as comparing at every position.
fn pay_for_search(machine: &Machine, text: &[char], part: &[char]) -> Result<(), Error> {
    machine.charge(text.len().saturating_mul(part.len().clamp(1, 16)) / 8)
}

/// Where a search begins. As in cel-go nothing is found from the end on or beyond
/// it.
fn offset(args: &[Value], length: usize, otherwise: usize) -> Result<Option<usize>, Error> {
    let Some(offset) = integer(args, 2)? else { return Ok(Some(otherwise)) };
    let position = usize::try_from(offset).map_err(|_| out_of_range(offset))?;
    Ok((position < length).then_some(position))
}

/// Where the empty text is found: wherever one looks for it, and at the end if
/// that is beyond it, as in cel-go.
fn empty(args: &[Value], length: usize, otherwise: usize) -> Outcome<'static> {
    let Some(offset) = integer(args, 2)? else { return Ok(count(Some(otherwise))) };
    let position = usize::try_from(offset).map_err(|_| out_of_range(offset))?;
    Ok(count(Some(position.min(length))))
}

fn index_of<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let haystack: Vec<char> = receiver(machine, args)?.chars().collect();
    let needle: Vec<char> = text(args, 1)?.chars().collect();
    if needle.is_empty() {
        return empty(args, haystack.len(), 0);
    }
    let Some(start) = offset(args, haystack.len(), 0)? else { return Ok(count(None)) };
    pay_for_search(machine, &haystack, &needle)?;
    Ok(count(haystack[start..].windows(needle.len()).position(|window| window == needle).map(|found| found + start)))
}

fn last_index_of<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let haystack: Vec<char> = receiver(machine, args)?.chars().collect();
    let needle: Vec<char> = text(args, 1)?.chars().collect();
    if needle.is_empty() {
        return empty(args, haystack.len(), haystack.len());
    }
    let Some(last) = offset(args, haystack.len(), haystack.len())? else { return Ok(count(None)) };
    pay_for_search(machine, &haystack, &needle)?;
    let mut found = haystack.windows(needle.len()).enumerate().filter(|(at, window)| *at <= last && *window == needle);
    Ok(count(found.next_back().map(|(at, _)| at)))
}

fn join<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let Some(Value::List(list)) = args.first() else { return Err(Error::no_such_overload()) };
    let separator = if args.len() > 1 { text(args, 1)? } else { "" };
    let mut joined = String::new();
    for (index, element) in list.iter().enumerate() {
        let Value::Text(part) = element else { return Err(Error::no_such_overload()) };
        machine.charge(1 + (part.len() + separator.len()) / 16)?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(&part);
    }
    Ok(Value::text(joined))
}

fn lower_ascii<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(Value::text(receiver(machine, args)?.to_ascii_lowercase()))
}

fn upper_ascii<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(Value::text(receiver(machine, args)?.to_ascii_uppercase()))
}

fn replace<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let whole = receiver(machine, args)?;
    let (from, to) = (text(args, 1)?, text(args, 2)?);
    let limit = integer(args, 3)?.unwrap_or(-1);
    let found = whole.matches(from).count();
    let times = usize::try_from(limit).map_or(found, |limit| limit.min(found));
    machine.charge(times.saturating_mul(to.len().max(1)) / 8)?;
    Ok(Value::text(whole.replacen(from, to, times)))
}

fn split<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let whole = receiver(machine, args)?;
    let separator = text(args, 1)?;
    let limit = integer(args, 2)?.unwrap_or(-1);
    let parts: Vec<String> = match usize::try_from(limit) {
        Ok(0) => Vec::new(),
        Ok(1) if !whole.is_empty() || !separator.is_empty() => vec![whole.to_owned()],
        limit => pieces(whole, separator, limit.unwrap_or(usize::MAX)),
    };
    machine.charge(parts.len())?;
    Ok(Value::list(parts.into_iter().map(Value::text).collect()))
}

/// Split at an empty separator, a text falls into its characters.
fn pieces(whole: &str, separator: &str, limit: usize) -> Vec<String> {
    if !separator.is_empty() {
        return whole.splitn(limit, separator).map(str::to_owned).collect();
    }
    let mut parts = Vec::new();
    let mut rest = whole;
    while let Some(letter) = rest.chars().next() {
        if parts.len() + 1 == limit {
            parts.push(rest.to_owned());
            return parts;
        }
        parts.push(letter.to_string());
        rest = &rest[letter.len_utf8()..];
    }
    parts
}

fn substring<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let chars: Vec<char> = receiver(machine, args)?.chars().collect();
    let start = position(integer(args, 1)?.unwrap_or(0), chars.len())?;
    let end = integer(args, 2)?.map_or(Ok(chars.len()), |end| position(end, chars.len()))?;
    if start > end {
        return Err(Error::failed(format!("invalid substring range. start: {start}, end: {end}")));
    }
    Ok(Value::text(chars[start..end].iter().collect::<String>()))
}

fn trim<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(Value::text(receiver(machine, args)?.trim()))
}

fn reverse<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(Value::text(receiver(machine, args)?.chars().rev().collect::<String>()))
}

fn quote<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let text = receiver(machine, args)?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        let escaped = match letter {
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            '\\' => "\\\\",
            '"' => "\\\"",
            other => {
                quoted.push(other);
                continue;
            }
        };
        quoted.push_str(escaped);
    }
    quoted.push('"');
    Ok(Value::text(quoted))
}
