//! cel-go's math extension. kro does not have it; other users of this crate may.

use std::cmp::Ordering;

use super::{
    Sig::{Bool, Double, Dyn, Int, List, Uint},
    functions,
};
use crate::{
    eval::{Error, Machine},
    value::Value,
};

functions! {
    function "math.@max" {
        (Int) -> Int => greatest, (Uint) -> Uint => greatest, (Double) -> Double => greatest,
        (List(&Int)) -> Int => greatest, (List(&Uint)) -> Uint => greatest, (List(&Double)) -> Double => greatest,
        (List(&Dyn)) -> Dyn => greatest,
    }
    function "math.@min" {
        (Int) -> Int => least, (Uint) -> Uint => least, (Double) -> Double => least,
        (List(&Int)) -> Int => least, (List(&Uint)) -> Uint => least, (List(&Double)) -> Double => least,
        (List(&Dyn)) -> Dyn => least,
    }
    function "math.ceil" { (Double) -> Double => ceil }
    function "math.floor" { (Double) -> Double => floor }
    function "math.round" { (Double) -> Double => round }
    function "math.trunc" { (Double) -> Double => trunc }
    function "math.sqrt" { (Int) -> Double => sqrt, (Uint) -> Double => sqrt, (Double) -> Double => sqrt }
    function "math.abs" { (Int) -> Int => abs, (Uint) -> Uint => abs, (Double) -> Double => abs }
    function "math.sign" { (Int) -> Int => sign, (Uint) -> Uint => sign, (Double) -> Double => sign }
    function "math.isNaN" { (Double) -> Bool => is_nan }
    function "math.isInf" { (Double) -> Bool => is_inf }
    function "math.isFinite" { (Double) -> Bool => is_finite }
    function "math.bitAnd" { (Int, Int) -> Int => bit_and, (Uint, Uint) -> Uint => bit_and }
    function "math.bitOr" { (Int, Int) -> Int => bit_or, (Uint, Uint) -> Uint => bit_or }
    function "math.bitXor" { (Int, Int) -> Int => bit_xor, (Uint, Uint) -> Uint => bit_xor }
    function "math.bitNot" { (Int) -> Int => bit_not, (Uint) -> Uint => bit_not }
    function "math.bitShiftLeft" { (Int, Int) -> Int => shift_left, (Uint, Int) -> Uint => shift_left }
    function "math.bitShiftRight" { (Int, Int) -> Int => shift_right, (Uint, Int) -> Uint => shift_right }
}

type Outcome<'v> = Result<Value<'v>, Error>;

/// The extreme of a list, or of one number alone.
fn extreme<'v>(machine: &Machine, args: &mut [Value<'v>], name: &str, wanted: Ordering) -> Outcome<'v> {
    let Some(Value::List(list)) = args.first() else {
        return args.first_mut().map(std::mem::take).ok_or_else(Error::no_such_overload);
    };
    machine.charge(list.len())?;
    let mut best: Option<Value> = None;
    for element in list.iter() {
        if !matches!(element, Value::Int(_) | Value::Uint(_) | Value::Double(_)) {
            return Err(Error::no_such_overload());
        }
        let better = best.as_ref().is_none_or(|best| element.compare(best) == Some(wanted));
        best = if better { Some(element) } else { best };
    }
    best.ok_or_else(|| Error::failed(format!("math.@{name}(list) argument must not be empty")))
}

fn greatest<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    extreme(machine, args, "max", Ordering::Greater)
}

fn least<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    extreme(machine, args, "min", Ordering::Less)
}

fn double<'v>(args: &[Value], apply: impl FnOnce(f64) -> Value<'v>) -> Outcome<'v> {
    match args {
        [Value::Double(number)] => Ok(apply(*number)),
        _ => Err(Error::no_such_overload()),
    }
}

fn ceil<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    double(args, |number| Value::Double(number.ceil()))
}

fn floor<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    double(args, |number| Value::Double(number.floor()))
}

/// Halves away from zero.
fn round<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    double(args, |number| Value::Double(number.round()))
}

fn trunc<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    double(args, |number| Value::Double(number.trunc()))
}

fn sqrt<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Int(number)] => Ok(Value::Double((*number as f64).sqrt())),
        [Value::Uint(number)] => Ok(Value::Double((*number as f64).sqrt())),
        args => double(args, |number| Value::Double(number.sqrt())),
    }
}

fn abs<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Int(number)] => number.checked_abs().map(Value::Int).ok_or_else(|| Error::failed("integer overflow")),
        [Value::Uint(number)] => Ok(Value::Uint(*number)),
        args => double(args, |number| Value::Double(number.abs())),
    }
}

fn sign<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Int(number)] => Ok(Value::Int(number.signum())),
        [Value::Uint(number)] => Ok(Value::Uint((*number).min(1))),
        args => double(args, |number| {
            Value::Double(if number == 0.0 || number.is_nan() { number } else { number.signum() })
        }),
    }
}

fn is_nan<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    double(args, |number| Value::Bool(number.is_nan()))
}

fn is_inf<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    double(args, |number| Value::Bool(number.is_infinite()))
}

fn is_finite<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    double(args, |number| Value::Bool(number.is_finite()))
}

fn bits<'v>(args: &[Value], int: fn(i64, i64) -> i64, uint: fn(u64, u64) -> u64) -> Outcome<'v> {
    match args {
        [Value::Int(one), Value::Int(two)] => Ok(Value::Int(int(*one, *two))),
        [Value::Uint(one), Value::Uint(two)] => Ok(Value::Uint(uint(*one, *two))),
        _ => Err(Error::no_such_overload()),
    }
}

fn bit_and<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    bits(args, |one, two| one & two, |one, two| one & two)
}

fn bit_or<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    bits(args, |one, two| one | two, |one, two| one | two)
}

fn bit_xor<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    bits(args, |one, two| one ^ two, |one, two| one ^ two)
}

fn bit_not<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    match args {
        [Value::Int(number)] => Ok(Value::Int(!*number)),
        [Value::Uint(number)] => Ok(Value::Uint(!*number)),
        _ => Err(Error::no_such_overload()),
    }
}

/// A shift by 64 or more leaves nothing.
fn shift<'v>(args: &[Value], name: &str, apply: fn(u64, u32) -> Option<u64>) -> Outcome<'v> {
    let by = match args {
        [_, Value::Int(by)] if *by < 0 => {
            return Err(Error::failed(format!("math.{name}() negative offset: {by}")));
        }
        [_, Value::Int(by)] => u32::try_from(*by).unwrap_or(u32::MAX),
        _ => return Err(Error::no_such_overload()),
    };
    match args.first() {
        // The sign is a bit like the others.
        Some(Value::Int(number)) => Ok(Value::Int(apply(*number as u64, by).unwrap_or(0) as i64)),
        Some(Value::Uint(number)) => Ok(Value::Uint(apply(*number, by).unwrap_or(0))),
        _ => Err(Error::no_such_overload()),
    }
}

fn shift_left<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    shift(args, "bitShiftLeft", u64::checked_shl)
}

fn shift_right<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    shift(args, "bitShiftRight", u64::checked_shr)
}
