//! The operators of CEL, sizes, and the functions on strings that every CEL has.

use std::{cmp::Ordering, rc::Rc};

use super::{
    Sig::{Bool, Bytes, Double, Duration, Dyn, Int, List, Map, Meta, Param, Text, Timestamp, Uint},
    conversions, functions,
};
use crate::{
    eval::{Error, Machine},
    value::{Seen, Value},
};

functions! {
    function "_+_" {
        (Int, Int) -> Int => sum, (Uint, Uint) -> Uint => sum, (Double, Double) -> Double => sum,
        (Text, Text) -> Text => sum, (Bytes, Bytes) -> Bytes => sum,
        (Duration, Duration) -> Duration => sum, (Timestamp, Duration) -> Timestamp => sum,
        (Duration, Timestamp) -> Timestamp => sum, (List(&Param(0)), List(&Param(0))) -> List(&Param(0)) => sum,
    }
    function "_-_" {
        (Int, Int) -> Int => subtract, (Uint, Uint) -> Uint => subtract, (Double, Double) -> Double => subtract,
        (Duration, Duration) -> Duration => subtract, (Timestamp, Duration) -> Timestamp => subtract,
        (Timestamp, Timestamp) -> Duration => subtract,
    }
    function "_*_" {
        (Int, Int) -> Int => multiply, (Uint, Uint) -> Uint => multiply, (Double, Double) -> Double => multiply,
    }
    function "_/_" {
        (Int, Int) -> Int => divide, (Uint, Uint) -> Uint => divide, (Double, Double) -> Double => divide,
    }
    function "_%_" { (Int, Int) -> Int => modulo, (Uint, Uint) -> Uint => modulo }
    function "-_" { (Int) -> Int => negate, (Double) -> Double => negate }
    function "!_" { (Bool) -> Bool => not }
    function "_==_" { (Param(0), Param(0)) -> Bool => equal }
    function "_!=_" { (Param(0), Param(0)) -> Bool => unequal }
    function "_<_" {
        (Bool, Bool) -> Bool => less, (Int, Int) -> Bool => less, (Uint, Uint) -> Bool => less,
        (Double, Double) -> Bool => less, (Text, Text) -> Bool => less, (Bytes, Bytes) -> Bool => less,
        (Timestamp, Timestamp) -> Bool => less, (Duration, Duration) -> Bool => less,
    }
    function "_<=_" {
        (Bool, Bool) -> Bool => at_most, (Int, Int) -> Bool => at_most, (Uint, Uint) -> Bool => at_most,
        (Double, Double) -> Bool => at_most, (Text, Text) -> Bool => at_most, (Bytes, Bytes) -> Bool => at_most,
        (Timestamp, Timestamp) -> Bool => at_most, (Duration, Duration) -> Bool => at_most,
    }
    function "_>_" {
        (Bool, Bool) -> Bool => greater, (Int, Int) -> Bool => greater, (Uint, Uint) -> Bool => greater,
        (Double, Double) -> Bool => greater, (Text, Text) -> Bool => greater, (Bytes, Bytes) -> Bool => greater,
        (Timestamp, Timestamp) -> Bool => greater, (Duration, Duration) -> Bool => greater,
    }
    function "_>=_" {
        (Bool, Bool) -> Bool => at_least, (Int, Int) -> Bool => at_least, (Uint, Uint) -> Bool => at_least,
        (Double, Double) -> Bool => at_least, (Text, Text) -> Bool => at_least, (Bytes, Bytes) -> Bool => at_least,
        (Timestamp, Timestamp) -> Bool => at_least, (Duration, Duration) -> Bool => at_least,
    }
    function "@in" { (Param(0), List(&Param(0))) -> Bool => is_in, (Param(0), Map(&Param(0), &Param(1))) -> Bool => is_in }
    function "size" {
        (Text) -> Int => size, (Bytes) -> Int => size, (List(&Param(0))) -> Int => size,
        (Map(&Param(0), &Param(1))) -> Int => size,
    }
    method "size" {
        (Text) -> Int => size, (Bytes) -> Int => size, (List(&Param(0))) -> Int => size,
        (Map(&Param(0), &Param(1))) -> Int => size,
    }
    method "contains" { (Text, Text) -> Bool => contains }
    method "startsWith" { (Text, Text) -> Bool => starts_with }
    method "endsWith" { (Text, Text) -> Bool => ends_with }
    method "matches" { (Text, Text) -> Bool => matches }
    function "matches" { (Text, Text) -> Bool => matches }
    function "dyn" { (Param(0)) -> Dyn => same }
    function "type" { (Param(0)) -> Meta(&Param(0)) => type_of }
}

type Outcome<'v> = Result<Value<'v>, Error>;

fn overflow() -> Error {
    Error::failed("integer overflow")
}

fn unsigned_overflow() -> Error {
    Error::failed("unsigned integer overflow")
}

fn sum<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [one, two] = args else { return Err(Error::no_such_overload()) };
    add(machine, one, two)
}

/// `one + two`, whatever they are.
pub(crate) fn add<'v>(machine: &Machine, one: &Value<'v>, two: &Value<'v>) -> Outcome<'v> {
    Ok(match (one, two) {
        (Value::Int(one), Value::Int(two)) => Value::Int(one.checked_add(*two).ok_or_else(overflow)?),
        (Value::Uint(one), Value::Uint(two)) => Value::Uint(one.checked_add(*two).ok_or_else(unsigned_overflow)?),
        (Value::Double(one), Value::Double(two)) => Value::Double(one + two),
        (Value::Text(one), Value::Text(two)) => {
            machine.charge((one.len() + two.len()) / 16)?;
            Value::text(format!("{}{}", &**one, &**two))
        }
        (Value::Bytes(one), Value::Bytes(two)) => {
            machine.charge((one.len() + two.len()) / 16)?;
            Value::Bytes(one.iter().chain(two.iter()).copied().collect())
        }
        (Value::List(one), Value::List(two)) => {
            machine.charge(one.len() + two.len())?;
            let mut list: Vec<Value> = one.iter().collect();
            if !one.is_set() {
                list.extend(two.iter());
                return Ok(Value::list(list));
            }
            let mut seen: Seen = one.iter().collect();
            for element in two.iter() {
                machine.charge(seen.compared_with(&element))?;
                if seen.insert(element.clone()) {
                    list.push(element);
                }
            }
            Value::list(list)
        }
        (Value::Duration(one), Value::Duration(two)) => Value::Duration(one.checked_add(*two).map_err(Error::Failed)?),
        (Value::Timestamp(at), Value::Duration(by)) | (Value::Duration(by), Value::Timestamp(at)) => {
            Value::Timestamp(at.checked_add(*by).map_err(Error::Failed)?)
        }
        _ => return Err(Error::no_such_overload()),
    })
}

fn subtract<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(match args {
        [Value::Int(one), Value::Int(two)] => Value::Int(one.checked_sub(*two).ok_or_else(overflow)?),
        [Value::Uint(one), Value::Uint(two)] => Value::Uint(one.checked_sub(*two).ok_or_else(unsigned_overflow)?),
        [Value::Double(one), Value::Double(two)] => Value::Double(*one - *two),
        [Value::Duration(one), Value::Duration(two)] => Value::Duration(one.checked_sub(*two).map_err(Error::Failed)?),
        [Value::Timestamp(at), Value::Duration(by)] => Value::Timestamp(at.checked_sub(*by).map_err(Error::Failed)?),
        [Value::Timestamp(one), Value::Timestamp(two)] => Value::Duration(one.since(*two).map_err(Error::Failed)?),
        _ => return Err(Error::no_such_overload()),
    })
}

fn multiply<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(match args {
        [Value::Int(one), Value::Int(two)] => Value::Int(one.checked_mul(*two).ok_or_else(overflow)?),
        [Value::Uint(one), Value::Uint(two)] => Value::Uint(one.checked_mul(*two).ok_or_else(unsigned_overflow)?),
        [Value::Double(one), Value::Double(two)] => Value::Double(*one * *two),
        _ => return Err(Error::no_such_overload()),
    })
}

fn divide<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(match args {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            return Err(Error::failed("division by zero"));
        }
        [Value::Int(one), Value::Int(two)] => Value::Int(one.checked_div(*two).ok_or_else(overflow)?),
        [Value::Uint(one), Value::Uint(two)] => Value::Uint(*one / *two),
        [Value::Double(one), Value::Double(two)] => Value::Double(*one / *two),
        _ => return Err(Error::no_such_overload()),
    })
}

fn modulo<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(match args {
        [Value::Int(_), Value::Int(0)] | [Value::Uint(_), Value::Uint(0)] => {
            return Err(Error::failed("modulus by zero"));
        }
        [Value::Int(one), Value::Int(two)] => Value::Int(one.checked_rem(*two).ok_or_else(overflow)?),
        [Value::Uint(one), Value::Uint(two)] => Value::Uint(*one % *two),
        _ => return Err(Error::no_such_overload()),
    })
}

fn negate<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(match args {
        [Value::Int(number)] => Value::Int(number.checked_neg().ok_or_else(overflow)?),
        [Value::Double(number)] => Value::Double(-*number),
        _ => return Err(Error::no_such_overload()),
    })
}

fn not<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Bool(value)] => Ok(Value::Bool(!*value)),
        _ => Err(Error::no_such_overload()),
    }
}

/// Whether two values are equal; none if they cannot be compared.
fn equals(machine: &Machine, args: &mut [Value]) -> Result<Result<bool, Error>, Error> {
    let [one, two] = args else { return Err(Error::no_such_overload()) };
    machine.charge(one.weight().min(two.weight()) / 4)?;
    Ok(match (&*one, &*two) {
        (Value::Omit, _) => Err(Error::failed("omit() is a field-removal sentinel and cannot be compared")),
        // On the left, Kubernetes' types compare with themselves and null alone.
        (Value::Kube(_), two) if !matches!(two, Value::Null) && one.type_name() != two.type_name() => {
            Err(Error::no_such_overload())
        }
        (one, two) => Ok(one.equals(two)),
    })
}

fn equal<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    equals(machine, args)?.map(Value::Bool)
}

/// As in cel-go, what cannot be compared is not equal.
fn unequal<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(Value::Bool(!equals(machine, args)?.unwrap_or(false)))
}

/// The order of two values: none if one is NaN, an error if they have none.
fn order(args: &[Value]) -> Result<Option<Ordering>, Error> {
    let [one, two] = args else { return Err(Error::no_such_overload()) };
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Uint(_) | Value::Double(_));
    match one.compare(two) {
        None if is_number(one) && is_number(two) => Ok(None),
        None => Err(Error::no_such_overload()),
        order => Ok(order),
    }
}

fn less<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    order(args).map(|order| Value::Bool(order == Some(Ordering::Less)))
}

fn at_most<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    order(args).map(|order| Value::Bool(matches!(order, Some(Ordering::Less | Ordering::Equal))))
}

fn greater<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    order(args).map(|order| Value::Bool(order == Some(Ordering::Greater)))
}

fn at_least<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    order(args).map(|order| Value::Bool(matches!(order, Some(Ordering::Greater | Ordering::Equal))))
}

fn is_in<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [wanted, Value::List(list)] => {
            machine.charge(list.len())?;
            Ok(Value::Bool(list.iter().any(|element| element.equals(wanted))))
        }
        [wanted, Value::Map(map)] => Ok(Value::Bool(wanted.as_key().is_some_and(|key| map.get(&key).is_some()))),
        _ => Err(Error::no_such_overload()),
    }
}

fn size<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let size = match args {
        [Value::Text(text)] => {
            machine.charge(text.len() / 16)?;
            text.chars().count()
        }
        [value @ (Value::Bytes(_) | Value::List(_) | Value::Map(_))] => value.weight(),
        _ => return Err(Error::no_such_overload()),
    };
    // No document has 2^63 of anything.
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

fn two_texts<'a>(machine: &Machine, args: &'a [Value]) -> Result<(&'a str, &'a str), Error> {
    match args {
        [Value::Text(one), Value::Text(two)] => {
            machine.charge(one.len() / 16)?;
            Ok((one, two))
        }
        _ => Err(Error::no_such_overload()),
    }
}

fn contains<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    two_texts(machine, args).map(|(text, part)| Value::Bool(text.contains(part)))
}

fn starts_with<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    two_texts(machine, args).map(|(text, part)| Value::Bool(text.starts_with(part)))
}

fn ends_with<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    two_texts(machine, args).map(|(text, part)| Value::Bool(text.ends_with(part)))
}

fn matches<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (text, pattern) = two_texts(machine, args)?;
    machine.charge(text.len())?;
    Ok(Value::Bool(machine.pattern(pattern)?.is_match(text)))
}

pub(super) fn same<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    args.first_mut().map(std::mem::take).ok_or_else(Error::no_such_overload)
}

fn type_of<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let value = args.first().ok_or_else(Error::no_such_overload)?;
    Ok(Value::Type(Rc::from(conversions::type_name(value))))
}
