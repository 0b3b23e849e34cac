//! cel-go's sets extension: lists as sets.

use super::{
    Sig::{Bool, List, Param},
    functions,
};
use crate::{
    eval::{Error, Machine},
    value::{List as Elements, Value},
};

functions! {
    function "sets.contains" { (List(&Param(0)), List(&Param(0))) -> Bool => contains }
    function "sets.equivalent" { (List(&Param(0)), List(&Param(0))) -> Bool => equivalent }
    function "sets.intersects" { (List(&Param(0)), List(&Param(0))) -> Bool => intersects }
}

type Outcome<'v> = Result<Value<'v>, Error>;

/// Both lists, and comparing each element with each paid for.
fn lists<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Result<(Elements<'v>, Elements<'v>), Error> {
    let [Value::List(one), Value::List(two)] = args else { return Err(Error::no_such_overload()) };
    machine.charge(one.len().saturating_mul(two.len()))?;
    Ok((one.clone(), two.clone()))
}

fn has(list: &Elements, wanted: &Value) -> bool {
    list.iter().any(|element| element.equals(wanted))
}

fn contains<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (one, two) = lists(machine, args)?;
    Ok(Value::Bool(two.iter().all(|element| has(&one, &element))))
}

fn equivalent<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (one, two) = lists(machine, args)?;
    let are_equal = one.iter().all(|element| has(&two, &element)) && two.iter().all(|element| has(&one, &element));
    Ok(Value::Bool(are_equal))
}

fn intersects<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (one, two) = lists(machine, args)?;
    Ok(Value::Bool(one.iter().any(|element| has(&two, &element))))
}
