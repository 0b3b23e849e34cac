//! Optional values.

use super::{
    Sig::{Bool, List, Optional, Param},
    functions,
};
use crate::{
    code::Callee,
    eval::{Error, Machine},
    value::Value,
};

functions! {
    function "optional.of" { (Param(0)) -> Optional(&Param(0)) => of }
    function "optional.ofNonZeroValue" { (Param(0)) -> Optional(&Param(0)) => of_non_zero }
    function "optional.none" { () -> Optional(&Param(0)) => none }
    function "optional.unwrap" { (List(&Optional(&Param(0)))) -> List(&Param(0)) => unwrap }
    method "unwrapOpt" { (List(&Optional(&Param(0)))) -> List(&Param(0)) => unwrap }
    method "value" { (Optional(&Param(0))) -> Param(0) => value }
    method "hasValue" { (Optional(&Param(0))) -> Bool => has_value }
    // Declared for their types: `Code::OptOr` is what they become.
    method "or" { (Optional(&Param(0)), Optional(&Param(0))) -> Optional(&Param(0)) => never_called }
    method "orValue" { (Optional(&Param(0)), Param(0)) -> Param(0) => never_called }
}

/// Whether a function is `orValue`, or `or`, which evaluate their argument only
/// if there is no value.
pub(crate) fn stands_in(callee: Callee) -> Option<bool> {
    // No other library has methods of these names.
    match super::function(callee)?.name {
        "or" => Some(false),
        "orValue" => Some(true),
        _ => None,
    }
}

fn never_called<'v>(_: &Machine, _: &mut [Value<'v>]) -> Outcome<'v> {
    Err(Error::no_such_overload())
}

type Outcome<'v> = Result<Value<'v>, Error>;

fn of<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    args.first_mut().map(|value| Value::some(std::mem::take(value))).ok_or_else(Error::no_such_overload)
}

fn of_non_zero<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let zero = match args.first() {
        Some(Value::Null | Value::Bool(false) | Value::Int(0) | Value::Uint(0)) => true,
        Some(Value::Double(number)) => *number == 0.0,
        Some(value @ (Value::Text(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_))) => value.weight() == 0,
        Some(Value::Duration(span)) => span.nanos == 0,
        Some(_) => false,
        None => return Err(Error::no_such_overload()),
    };
    if zero { Ok(Value::Optional(None)) } else { of(machine, args) }
}

fn none<'v>(_: &Machine, _: &mut [Value<'v>]) -> Outcome<'v> {
    Ok(Value::Optional(None))
}

fn unwrap<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let list = super::lists::receiver(machine, args)?;
    let mut values = Vec::new();
    for element in list.iter() {
        match element {
            Value::Optional(value) => values.extend(value.map(|value| Value::clone(&value))),
            _ => return Err(Error::no_such_overload()),
        }
    }
    Ok(Value::list(values))
}

fn value<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Optional(Some(value))] => Ok(Value::clone(value)),
        [Value::Optional(None)] => Err(Error::failed("optional.none() dereference")),
        _ => Err(Error::no_such_overload()),
    }
}

fn has_value<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
        _ => Err(Error::no_such_overload()),
    }
}
