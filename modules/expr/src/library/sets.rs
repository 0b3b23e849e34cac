//! The library `sets` of cel-go: lists as sets, which the API server has and kro
//! does not.

use super::{
    Sig::{Bool, List, Param},
    functions,
};
use crate::{
    eval::{Error, Machine},
    value::{List as Elements, Seen, Value},
};

functions! {
    function "sets.contains" { (List(&Param(0)), List(&Param(0))) -> Bool => contains }
    function "sets.equivalent" { (List(&Param(0)), List(&Param(0))) -> Bool => equivalent }
    function "sets.intersects" { (List(&Param(0)), List(&Param(0))) -> Bool => intersects }
}

type Outcome<'v> = Result<Value<'v>, Error>;

fn lists<'a, 'v>(args: &'a [Value<'v>]) -> Result<(&'a Elements<'v>, &'a Elements<'v>), Error> {
    match args {
        [Value::List(one), Value::List(two)] => Ok((one, two)),
        _ => Err(Error::no_such_overload()),
    }
}

fn contains<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (one, two) = lists(args)?;
    holds_all(machine, one, two).map(Value::Bool)
}

fn equivalent<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (one, two) = lists(args)?;
    Ok(Value::Bool(holds_all(machine, one, two)? && holds_all(machine, two, one)?))
}

fn intersects<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (one, two) = lists(args)?;
    let seen = seen(machine, one)?;
    for element in two.iter() {
        machine.charge(1 + seen.compared_with(&element))?;
        if seen.contains(&element) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// Whether every element of the second is one of the first.
fn holds_all<'v>(machine: &Machine, one: &Elements<'v>, two: &Elements<'v>) -> Result<bool, Error> {
    let seen = seen(machine, one)?;
    for element in two.iter() {
        machine.charge(1 + seen.compared_with(&element))?;
        if !seen.contains(&element) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn seen<'v>(machine: &Machine, list: &Elements<'v>) -> Result<Seen<'v>, Error> {
    let mut seen = Seen::default();
    for element in list.iter() {
        machine.charge(1 + seen.compared_with(&element))?;
        seen.insert(element);
    }
    Ok(seen)
}
