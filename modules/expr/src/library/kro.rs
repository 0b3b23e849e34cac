//! kro's own functions: seeded randomness, merging maps, JSON, hashes, changing
//! lists, `omit`, and the conditions of `runtime`.
//!
//! The algorithms are kro's to the byte: names of objects are made with them.

use std::{collections::BTreeMap, rc::Rc};

use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::{
    Sig::{Bytes, Dyn, Int, List, Map, Opaque, Param, Text},
    functions, lists,
};
use crate::{
    convert,
    eval::{Error, Machine},
    value::{Condition, Key, Map as Entries, Text as Str, Value},
};

functions! {
    function "random.seededString" { (Int, Text) -> Text => seeded_string }
    function "random.seededInt" { (Int, Int, Text) -> Int => seeded_int }
    method "merge" { (Map(&Param(0), &Param(1)), Map(&Param(0), &Param(1))) -> Map(&Param(0), &Param(1)) => merge }
    method "deepMerge" { (Dyn, Dyn) -> Dyn => deep_merge }
    function "json.marshal" { (Dyn) -> Text => marshal }
    function "json.unmarshal" { (Text) -> Dyn => unmarshal }
    function "hash.fnv64a" { (Text) -> Bytes => fnv64a }
    function "hash.sha256" { (Text) -> Bytes => sha256 }
    function "hash.md5" { (Text) -> Bytes => md5 }
    function "lists.setAtIndex" { (List(&Param(0)), Int, Param(0)) -> List(&Param(0)) => set_at_index }
    function "lists.insertAtIndex" { (List(&Param(0)), Int, Param(0)) -> List(&Param(0)) => insert_at_index }
    function "lists.removeAtIndex" { (List(&Param(0)), Int) -> List(&Param(0)) => remove_at_index }
    function "omit" { () -> Dyn => omit }
    function "runtime.newCondition" { (Map(&Text, &Dyn)) -> Opaque("kro.run.Condition") => new_condition }
    function "runtime.condition" { (Dyn, Text) -> Opaque("kro.run.Condition") => condition }
}

type Outcome<'v> = Result<Value<'v>, Error>;

/// The longest seeded string: more is not a name.
const MAX_SEEDED: i64 = 65_536;

/// Letter i is taken by the four bytes at 4i of the seed's SHA-256, around its
/// end: after eight letters it repeats itself, and has to.
fn seeded_string<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Int(length), Value::Text(seed)] = args else { return Err(Error::no_such_overload()) };
    if *length <= 0 {
        return Err(Error::failed("random.seededString length must be positive"));
    }
    if *length > MAX_SEEDED {
        return Err(Error::failed(format!("random.seededString length must be at most {MAX_SEEDED}")));
    }
    let length = usize::try_from(*length).unwrap_or(0);
    machine.charge(100 + length / 4 + seed.len() / 8)?;
    let hash = Sha256::digest(seed.as_bytes());
    let alphabet = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let letter = |index: usize| {
        let at = (4 * index) % 32;
        let number = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]);
        char::from(alphabet[number as usize % alphabet.len()])
    };
    Ok(Value::text((0..length).map(letter).collect::<String>()))
}

fn seeded_int<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Int(min), Value::Int(max), Value::Text(seed)] = args else { return Err(Error::no_such_overload()) };
    let (min, max) = (*min, *max);
    if min >= max {
        return Err(Error::failed("random.seededInt min must be less than max"));
    }
    machine.charge(100 + seed.len() / 8)?;
    let hash = Sha256::digest(seed.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    let range = max.wrapping_sub(min) as u64;
    let offset = u64::from_be_bytes(first) % range;
    Ok(Value::Int(min.wrapping_add(offset as i64)))
}

fn merge<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Map(one), Value::Map(two)] = args else { return Err(Error::no_such_overload()) };
    machine.charge(one.len() + two.len())?;
    Ok(Value::map(one.iter().chain(two.iter()).collect()))
}

fn deep_merge<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Map(one), Value::Map(two)] => merged(machine, one, two),
        _ => Err(Error::no_such_overload()),
    }
}

/// Maps within maps are merged; everything else is replaced.
fn merged<'v>(machine: &Machine, one: &Entries<'v>, two: &Entries<'v>) -> Outcome<'v> {
    machine.charge(1 + one.len() + two.len())?;
    let mut entries: BTreeMap<Key, Value> = one.iter().collect();
    for (key, value) in two.iter() {
        let both = match (entries.get(&key), &value) {
            (Some(Value::Map(one)), Value::Map(two)) => Some(merged(machine, one, two)?),
            _ => None,
        };
        entries.insert(key, both.unwrap_or(value));
    }
    Ok(Value::map(entries))
}

fn marshal<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let value = args.first().ok_or_else(Error::no_such_overload)?;
    let failed = |why: String| Error::failed(format!("json.marshal failed to convert value: {why}"));
    let text = convert::to_json_text(value).map_err(|error| failed(error.to_string()))?;
    machine.charge(text.len() / 4)?;
    Ok(Value::text(text))
}

fn unmarshal<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Text(text)] = args else { return Err(Error::no_such_overload()) };
    machine.charge(text.len() / 2)?;
    let parsed: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        let why = if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() };
        Error::failed(format!("json.unmarshal failed to parse JSON: {why}"))
    })?;
    Ok(convert::of_owned(parsed))
}

fn fnv64a<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Text(text)] = args else { return Err(Error::no_such_overload()) };
    machine.charge(text.len() / 4)?;
    // FNV-1a with 64 bits: offset basis and prime of its authors.
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    Ok(Value::Bytes(Rc::from(hash.to_be_bytes())))
}

fn sha256<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Text(text)] = args else { return Err(Error::no_such_overload()) };
    machine.charge(100 + text.len() / 2)?;
    Ok(Value::Bytes(Rc::from(Sha256::digest(text.as_bytes()).as_slice())))
}

fn md5<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Text(text)] = args else { return Err(Error::no_such_overload()) };
    machine.charge(100 + text.len() / 2)?;
    Ok(Value::Bytes(Rc::from(Md5::digest(text.as_bytes()).as_slice())))
}

/// The list's elements and the index, which is at most `beyond` past the last.
fn indexed<'v>(
    machine: &Machine,
    args: &mut [Value<'v>],
    name: &str,
    beyond: usize,
) -> Result<(Vec<Value<'v>>, usize), Error> {
    let elements: Vec<Value> = lists::receiver(machine, args)?.iter().collect();
    let Some(Value::Int(index)) = args.get(1) else { return Err(Error::no_such_overload()) };
    let length = elements.len();
    let position = usize::try_from(*index).ok().filter(|position| *position < length + beyond);
    let end = if beyond > 0 { format!("[0, {length}]") } else { format!("[0, {length})") };
    let position = position.ok_or_else(|| Error::failed(format!("lists.{name}: index {index} out of bounds {end}")))?;
    Ok((elements, position))
}

fn third<'v>(args: &mut [Value<'v>]) -> Outcome<'v> {
    args.get_mut(2).map(std::mem::take).ok_or_else(Error::no_such_overload)
}

fn set_at_index<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (mut elements, at) = indexed(machine, args, "setAtIndex", 0)?;
    elements[at] = third(args)?;
    Ok(Value::list(elements))
}

fn insert_at_index<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (mut elements, at) = indexed(machine, args, "insertAtIndex", 1)?;
    elements.insert(at, third(args)?);
    Ok(Value::list(elements))
}

fn remove_at_index<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (mut elements, at) = indexed(machine, args, "removeAtIndex", 0)?;
    elements.remove(at);
    Ok(Value::list(elements))
}

fn omit<'v>(_: &Machine, _: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(Value::Omit)
}

fn new_condition<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Map(fields)] = args else { return Err(Error::no_such_overload()) };
    let field = |name: &str| match fields.field(name) {
        None => Ok(String::new()),
        Some(Value::Text(text)) => Ok(text.to_string()),
        Some(other) => {
            let got = other.type_name();
            Err(Error::failed(format!("runtime.newCondition: '{name}' must be a string, got {got}")))
        }
    };
    let made = Condition {
        kind: field("type")?,
        status: field("status")?,
        reason: field("reason")?,
        message: field("message")?,
    };
    if made.kind.is_empty() {
        return Err(Error::failed("runtime.newCondition: 'type' must not be empty"));
    }
    if !["True", "False", "Unknown"].contains(&made.status.as_str()) {
        let got = &made.status;
        return Err(Error::failed(format!(
            "runtime.newCondition: status must be one of True, False, Unknown (got \"{got}\")"
        )));
    }
    Ok(Value::Condition(Rc::new(made)))
}

/// The condition of a type in an object's status; an empty one if there is none.
fn condition<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [object, Value::Text(kind)] = args else { return Err(Error::no_such_overload()) };
    let conditions = match field(object, "status").and_then(|status| field(&status, "conditions")) {
        Some(Value::List(conditions)) => conditions,
        _ => return Ok(Value::Condition(Rc::default())),
    };
    machine.charge(conditions.len())?;
    let text = |condition: &Value, name: &str| match field(condition, name) {
        Some(Value::Text(text)) => text.to_string(),
        _ => String::new(),
    };
    let found = conditions.iter().find(|condition| text(condition, "type") == **kind);
    let read = |condition: Value| Condition {
        kind: text(&condition, "type"),
        status: text(&condition, "status"),
        reason: text(&condition, "reason"),
        message: text(&condition, "message"),
    };
    Ok(Value::Condition(Rc::new(found.map(read).unwrap_or_default())))
}

fn field<'v>(value: &Value<'v>, name: &str) -> Option<Value<'v>> {
    match value {
        Value::Map(map) => map.get(&Key::Text(Str::Borrowed(name))),
        _ => None,
    }
}
