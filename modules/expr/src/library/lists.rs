//! cel-go's lists extension.

use std::cmp::Ordering;

use super::{
    Sig::{Bool, Bytes, Double, Duration, Dyn, Int, List, Optional, Param, Text, Timestamp, Uint},
    functions,
};
use crate::{
    eval::{Error, Machine},
    value::{List as Elements, Seen, Value},
};

/// The longest list that `lists.range` makes.
const MAX_RANGE: i64 = 1_000_000;

functions! {
    method "slice" { (List(&Param(0)), Int, Int) -> List(&Param(0)) => slice }
    method "flatten" { (List(&List(&Param(0)))) -> List(&Param(0)) => flatten, (List(&Dyn), Int) -> List(&Dyn) => flatten }
    method "distinct" { (List(&Param(0))) -> List(&Param(0)) => distinct }
    method "reverse" { (List(&Param(0))) -> List(&Param(0)) => reverse }
    method "sort" {
        (List(&Int)) -> List(&Int) => sorted, (List(&Uint)) -> List(&Uint) => sorted,
        (List(&Double)) -> List(&Double) => sorted, (List(&Bool)) -> List(&Bool) => sorted,
        (List(&Duration)) -> List(&Duration) => sorted, (List(&Timestamp)) -> List(&Timestamp) => sorted,
        (List(&Text)) -> List(&Text) => sorted, (List(&Bytes)) -> List(&Bytes) => sorted,
    }
    method "first" { (List(&Param(0))) -> Optional(&Param(0)) => first }
    method "last" { (List(&Param(0))) -> Optional(&Param(0)) => last }
    function "lists.range" { (Int) -> List(&Int) => range }
}

type Outcome<'v> = Result<Value<'v>, Error>;

/// The list that a method is called on, paid for.
pub(crate) fn receiver<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Result<Elements<'v>, Error> {
    match args.first() {
        Some(Value::List(list)) => {
            machine.charge(list.len())?;
            Ok(list.clone())
        }
        _ => Err(Error::no_such_overload()),
    }
}

fn slice<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let list = receiver(machine, args)?;
    let [_, Value::Int(start), Value::Int(end)] = args else { return Err(Error::no_such_overload()) };
    let (start, end) = (*start, *end);
    let cannot = |why: String| Err(Error::failed(format!("cannot slice({start}, {end}), {why}")));
    let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
        return cannot("negative indexes not supported".to_owned());
    };
    if from > to {
        return cannot("start index must be less than or equal to end index".to_owned());
    }
    if to > list.len() {
        return cannot(format!("list is length {}", list.len()));
    }
    Ok(Value::list((from..to).filter_map(|index| list.get(index)).collect()))
}

fn flatten<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let depth = match args.get(1) {
        None => 1,
        Some(Value::Int(depth)) if *depth >= 0 => *depth,
        Some(Value::Int(_)) => return Err(Error::failed("level must be non-negative")),
        Some(_) => return Err(Error::no_such_overload()),
    };
    let list = receiver(machine, args)?;
    let mut flat = Vec::new();
    flatten_into(machine, &list, depth, &mut flat)?;
    Ok(Value::list(flat))
}

fn flatten_into<'v>(
    machine: &Machine,
    list: &Elements<'v>,
    depth: i64,
    flat: &mut Vec<Value<'v>>,
) -> Result<(), Error> {
    for element in list.iter() {
        machine.charge(1)?;
        match element {
            Value::List(inner) if depth > 0 => flatten_into(machine, &inner, depth - 1, flat)?,
            other => flat.push(other),
        }
    }
    Ok(())
}

fn distinct<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let list = receiver(machine, args)?;
    let (mut seen, mut kept) = (Seen::default(), Vec::new());
    for element in list.iter() {
        machine.charge(seen.compared_with(&element) / 4)?;
        if seen.insert(element.clone()) {
            kept.push(element);
        }
    }
    Ok(Value::list(kept))
}

fn reverse<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let mut elements: Vec<Value> = receiver(machine, args)?.iter().collect();
    elements.reverse();
    Ok(Value::list(elements))
}

fn sorted<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let list = receiver(machine, args)?;
    let mut keyed: Vec<(Value, Value)> = list.iter().map(|element| (element.clone(), element)).collect();
    sort(machine, &mut keyed)?;
    Ok(Value::list(keyed.into_iter().map(|(_, element)| element).collect()))
}

/// Whether a value is of a type that has an order.
pub(super) fn is_comparable(value: &Value) -> bool {
    matches!(
        value,
        Value::Bool(_)
            | Value::Int(_)
            | Value::Uint(_)
            | Value::Double(_)
            | Value::Text(_)
            | Value::Bytes(_)
            | Value::Timestamp(_)
            | Value::Duration(_)
    )
}

/// Sorts by the keys, which must be of one type that has an order. Equal keys
/// stay in their order.
pub(crate) fn sort<'v>(machine: &Machine, keyed: &mut [(Value<'v>, Value<'v>)]) -> Result<(), Error> {
    if let Some(((first, _), rest)) = keyed.split_first() {
        if !is_comparable(first) {
            return Err(Error::failed("list elements must be comparable"));
        }
        if rest.iter().any(|(key, _)| key.type_name() != first.type_name()) {
            return Err(Error::failed("list elements must have the same type"));
        }
    }
    // A sort compares about n log n times.
    machine.charge(keyed.len().saturating_mul(keyed.len().max(1).ilog2() as usize + 1))?;
    keyed.sort_by(|(one, _), (two, _)| one.compare(two).unwrap_or(Ordering::Equal));
    Ok(())
}

fn end<'v>(element: Option<Value<'v>>) -> Outcome<'v> {
    Ok(element.map_or(Value::Optional(None), Value::some))
}

fn first<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::List(list)] => end(list.get(0)),
        _ => Err(Error::no_such_overload()),
    }
}

fn last<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::List(list)] => end(list.len().checked_sub(1).and_then(|last| list.get(last))),
        _ => Err(Error::no_such_overload()),
    }
}

fn range<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Int(size)] = args else { return Err(Error::no_such_overload()) };
    let size = *size;
    if size > MAX_RANGE {
        return Err(Error::failed(format!("lists.range: size {size} exceeds maximum allowed {MAX_RANGE}")));
    }
    let count = usize::try_from(size).map_err(|_| Error::failed(format!("lists.range: size {size} is negative")))?;
    machine.charge(count)?;
    Ok(Value::list((0..size).map(Value::Int).collect()))
}
