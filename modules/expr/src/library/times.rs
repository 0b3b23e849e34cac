//! What can be asked of timestamps and durations.

use super::{
    Sig::{Duration, Int, Text, Timestamp},
    functions,
};
use crate::{
    eval::{Error, Machine},
    time,
    value::Value,
};

functions! {
    method "getFullYear" { (Timestamp) -> Int => full_year, (Timestamp, Text) -> Int => full_year }
    method "getMonth" { (Timestamp) -> Int => month, (Timestamp, Text) -> Int => month }
    method "getDayOfYear" { (Timestamp) -> Int => day_of_year, (Timestamp, Text) -> Int => day_of_year }
    method "getDayOfMonth" { (Timestamp) -> Int => day_of_month, (Timestamp, Text) -> Int => day_of_month }
    method "getDate" { (Timestamp) -> Int => date, (Timestamp, Text) -> Int => date }
    method "getDayOfWeek" { (Timestamp) -> Int => day_of_week, (Timestamp, Text) -> Int => day_of_week }
    method "getHours" { (Timestamp) -> Int => hours, (Timestamp, Text) -> Int => hours, (Duration) -> Int => hours }
    method "getMinutes" {
        (Timestamp) -> Int => minutes, (Timestamp, Text) -> Int => minutes, (Duration) -> Int => minutes,
    }
    method "getSeconds" {
        (Timestamp) -> Int => seconds, (Timestamp, Text) -> Int => seconds, (Duration) -> Int => seconds,
    }
    method "getMilliseconds" {
        (Timestamp) -> Int => milliseconds, (Timestamp, Text) -> Int => milliseconds,
        (Duration) -> Int => milliseconds,
    }
}

type Outcome<'v> = Result<Value<'v>, Error>;
type OfTimestamp = fn(time::Timestamp, Option<&str>) -> Result<i64, String>;

fn ask<'v>(
    machine: &Machine,
    args: &[Value],
    of_timestamp: OfTimestamp,
    of_duration: Option<fn(time::Duration) -> i64>,
) -> Outcome<'v> {
    // Looking a time zone up takes its time.
    machine.charge(args.len() * 20)?;
    let answer = match (args, of_duration) {
        ([Value::Timestamp(at)], _) => of_timestamp(*at, None),
        ([Value::Timestamp(at), Value::Text(zone)], _) => of_timestamp(*at, Some(zone)),
        ([Value::Duration(span)], Some(of_duration)) => Ok(of_duration(*span)),
        _ => return Err(Error::no_such_overload()),
    };
    answer.map(Value::Int).map_err(Error::Failed)
}

fn full_year<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::year, None)
}

fn month<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::month, None)
}

fn day_of_year<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::day_of_year, None)
}

fn day_of_month<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::day_of_month, None)
}

fn date<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::date, None)
}

fn day_of_week<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::day_of_week, None)
}

fn hours<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::hours, Some(time::Duration::hours))
}

fn minutes<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::minutes, Some(time::Duration::minutes))
}

fn seconds<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::seconds, Some(time::Duration::seconds))
}

fn milliseconds<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    ask(machine, args, time::Timestamp::milliseconds, Some(time::Duration::milliseconds))
}
