//! Kubernetes' CEL libraries: lists, regular expressions, URLs, quantities, IP
//! addresses and networks, versions.

use std::{cmp::Ordering, rc::Rc};

use super::{
    Sig::{self, Bool, Bytes, Double, Duration, Int, List, Map, Opaque, Param, Text, Timestamp, Uint},
    functions, lists, standard,
};
use crate::{
    eval::{Error, Machine},
    kube::{
        net::{Cidr, Ip},
        quantity::Quantity,
        semver::Semver,
        url::Url,
    },
    time::Duration as Span,
    value::{Key, Kube, Text as Str, Value},
};

const QUANTITY: Sig = Opaque("kubernetes.Quantity");
const URL: Sig = Opaque("kubernetes.URL");
const SEMVER: Sig = Opaque("kubernetes.Semver");
const IP: Sig = Opaque("net.IP");
const CIDR: Sig = Opaque("net.CIDR");

functions! {
    method "isSorted" {
        (List(&Int)) -> Bool => is_sorted, (List(&Uint)) -> Bool => is_sorted, (List(&Double)) -> Bool => is_sorted,
        (List(&Bool)) -> Bool => is_sorted, (List(&Duration)) -> Bool => is_sorted,
        (List(&Timestamp)) -> Bool => is_sorted, (List(&Text)) -> Bool => is_sorted, (List(&Bytes)) -> Bool => is_sorted,
    }
    method "sum" {
        (List(&Int)) -> Int => sum_int, (List(&Uint)) -> Uint => sum_uint, (List(&Double)) -> Double => sum_double,
        (List(&Duration)) -> Duration => sum_duration,
    }
    method "min" {
        (List(&Int)) -> Int => min, (List(&Uint)) -> Uint => min, (List(&Double)) -> Double => min,
        (List(&Bool)) -> Bool => min, (List(&Duration)) -> Duration => min, (List(&Timestamp)) -> Timestamp => min,
        (List(&Text)) -> Text => min, (List(&Bytes)) -> Bytes => min,
    }
    method "max" {
        (List(&Int)) -> Int => max, (List(&Uint)) -> Uint => max, (List(&Double)) -> Double => max,
        (List(&Bool)) -> Bool => max, (List(&Duration)) -> Duration => max, (List(&Timestamp)) -> Timestamp => max,
        (List(&Text)) -> Text => max, (List(&Bytes)) -> Bytes => max,
    }
    method "indexOf" { (List(&Param(0)), Param(0)) -> Int => index_of }
    method "lastIndexOf" { (List(&Param(0)), Param(0)) -> Int => last_index_of }
    method "find" { (Text, Text) -> Text => find }
    method "findAll" { (Text, Text) -> List(&Text) => find_all, (Text, Text, Int) -> List(&Text) => find_all }
    function "url" { (Text) -> URL => url }
    function "isURL" { (Text) -> Bool => is_url }
    method "getScheme" { (URL) -> Text => scheme }
    method "getHost" { (URL) -> Text => host }
    method "getHostname" { (URL) -> Text => hostname }
    method "getPort" { (URL) -> Text => port }
    method "getEscapedPath" { (URL) -> Text => escaped_path }
    method "getQuery" { (URL) -> Map(&Text, &List(&Text)) => query }
    function "quantity" { (Text) -> QUANTITY => quantity }
    function "isQuantity" { (Text) -> Bool => is_quantity }
    function "sign" { (QUANTITY) -> Int => quantity_sign }
    method "isInteger" { (QUANTITY) -> Bool => is_integer }
    method "asInteger" { (QUANTITY) -> Int => as_integer }
    method "asApproximateFloat" { (QUANTITY) -> Double => as_approximate_float }
    method "add" { (QUANTITY, QUANTITY) -> QUANTITY => quantity_add, (QUANTITY, Int) -> QUANTITY => quantity_add }
    method "sub" { (QUANTITY, QUANTITY) -> QUANTITY => quantity_sub, (QUANTITY, Int) -> QUANTITY => quantity_sub }
    method "isLessThan" { (QUANTITY, QUANTITY) -> Bool => is_less, (SEMVER, SEMVER) -> Bool => is_less }
    method "isGreaterThan" { (QUANTITY, QUANTITY) -> Bool => is_greater, (SEMVER, SEMVER) -> Bool => is_greater }
    method "compareTo" { (QUANTITY, QUANTITY) -> Int => compare_to, (SEMVER, SEMVER) -> Int => compare_to }
    function "ip" { (Text) -> IP => ip }
    function "isIP" { (Text) -> Bool => is_ip }
    function "ip.isCanonical" { (Text) -> Bool => is_canonical }
    method "family" { (IP) -> Int => family }
    method "isUnspecified" { (IP) -> Bool => is_unspecified }
    method "isLoopback" { (IP) -> Bool => is_loopback }
    method "isLinkLocalMulticast" { (IP) -> Bool => is_link_local_multicast }
    method "isLinkLocalUnicast" { (IP) -> Bool => is_link_local_unicast }
    method "isGlobalUnicast" { (IP) -> Bool => is_global_unicast }
    function "cidr" { (Text) -> CIDR => cidr }
    function "isCIDR" { (Text) -> Bool => is_cidr }
    method "containsIP" { (CIDR, IP) -> Bool => contains_ip, (CIDR, Text) -> Bool => contains_ip }
    method "containsCIDR" { (CIDR, CIDR) -> Bool => contains_cidr, (CIDR, Text) -> Bool => contains_cidr }
    method "ip" { (CIDR) -> IP => network_ip }
    method "masked" { (CIDR) -> CIDR => masked }
    method "prefixLength" { (CIDR) -> Int => prefix_length }
    function "semver" { (Text) -> SEMVER => semver }
    function "isSemver" { (Text) -> Bool => is_semver }
    method "major" { (SEMVER) -> Int => major }
    method "minor" { (SEMVER) -> Int => minor }
    method "patch" { (SEMVER) -> Int => patch }
}

pub(crate) mod tolerant {
    //! What version 1 of the library of versions adds.

    use super::{Bool, SEMVER, Text, functions, is_tolerant_semver, tolerant_semver};

    functions! {
        function "semver" { (Text, Bool) -> SEMVER => tolerant_semver }
        function "isSemver" { (Text, Bool) -> Bool => is_tolerant_semver }
    }
}

type Outcome<'v> = Result<Value<'v>, Error>;

/// As in Kubernetes the first element decides whether there is an order, and
/// neighbours that cannot be compared are in order.
fn is_sorted<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let list = lists::receiver(machine, args)?;
    let mut previous: Option<Value> = None;
    for element in list.iter() {
        match &previous {
            None if !lists::is_comparable(&element) => return Err(Error::no_such_overload()),
            Some(previous) if previous.compare(&element) == Some(Ordering::Greater) => return Ok(Value::Bool(false)),
            _ => previous = Some(element),
        }
    }
    Ok(Value::Bool(true))
}

fn sum<'v>(machine: &Machine, args: &mut [Value<'v>], zero: Value<'v>) -> Outcome<'v> {
    let list = lists::receiver(machine, args)?;
    let mut elements = list.iter();
    let Some(mut sum) = elements.next() else { return Ok(zero) };
    if !matches!(sum, Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Duration(_)) {
        return Err(Error::no_such_overload());
    }
    for element in elements {
        sum = standard::add(machine, &sum, &element)?;
    }
    Ok(sum)
}

fn sum_int<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    sum(machine, args, Value::Int(0))
}

fn sum_uint<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    sum(machine, args, Value::Uint(0))
}

fn sum_double<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    sum(machine, args, Value::Double(0.0))
}

fn sum_duration<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    sum(machine, args, Value::Duration(Span { nanos: 0 }))
}

fn extreme<'v>(machine: &Machine, args: &mut [Value<'v>], name: &str, wanted: Ordering) -> Outcome<'v> {
    let list = lists::receiver(machine, args)?;
    let mut elements = list.iter();
    let mut best = elements.next().ok_or_else(|| Error::failed(format!("{name} called on empty list")))?;
    if !lists::is_comparable(&best) {
        return Err(Error::no_such_overload());
    }
    for element in elements {
        if !lists::is_comparable(&element) {
            return Err(Error::no_such_overload());
        }
        // As in Kubernetes, what cannot be compared with the best is passed over.
        if element.compare(&best) == Some(wanted) {
            best = element;
        }
    }
    Ok(best)
}

fn min<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    extreme(machine, args, "min", Ordering::Less)
}

fn max<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    extreme(machine, args, "max", Ordering::Greater)
}

fn positions(machine: &Machine, args: &mut [Value]) -> Result<Vec<i64>, Error> {
    let list = lists::receiver(machine, args)?;
    let [_, wanted] = args else { return Err(Error::no_such_overload()) };
    Ok((0_i64..).zip(list.iter()).filter(|(_, element)| element.equals(wanted)).map(|(index, _)| index).collect())
}

fn index_of<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    positions(machine, args).map(|found| Value::Int(found.first().copied().unwrap_or(-1)))
}

fn last_index_of<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    positions(machine, args).map(|found| Value::Int(found.last().copied().unwrap_or(-1)))
}

fn text<'a>(args: &'a [Value], index: usize) -> Result<&'a str, Error> {
    match args.get(index) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(Error::no_such_overload()),
    }
}

fn find<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (whole, pattern) = (text(args, 0)?, text(args, 1)?);
    machine.charge(whole.len())?;
    let pattern = machine.pattern(pattern)?;
    Ok(Value::text(pattern.find(whole).map_or("", |found| found.as_str())))
}

fn find_all<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let (whole, pattern) = (text(args, 0)?, text(args, 1)?);
    machine.charge(whole.len())?;
    let limit = match args.get(2) {
        Some(Value::Int(limit)) => usize::try_from(*limit).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let pattern = machine.pattern(pattern)?;
    Ok(Value::list(pattern.find_iter(whole).take(limit).map(|found| Value::text(found.as_str())).collect()))
}

/// Parses the text that a constructor is given.
fn made<'v, T>(args: &[Value], parse: fn(&str) -> Result<T, String>, wrap: fn(T) -> Kube) -> Outcome<'v> {
    parse(text(args, 0)?).map(|parsed| Value::kube(wrap(parsed))).map_err(Error::Failed)
}

/// Whether a constructor would take the text.
fn is_made<'v, T>(args: &[Value], parse: fn(&str) -> Result<T, String>) -> Outcome<'v> {
    Ok(Value::Bool(parse(text(args, 0)?).is_ok()))
}

fn kube<'a>(args: &'a [Value], index: usize) -> Result<&'a Kube, Error> {
    match args.get(index) {
        Some(Value::Kube(value)) => Ok(value),
        _ => Err(Error::no_such_overload()),
    }
}

/// Declares accessors: each takes one kind of value apart.
macro_rules! accessors {
    ($($name:ident: $variant:ident($it:ident) => $value:expr;)*) => {
        $(fn $name<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
            let Kube::$variant($it) = kube(args, 0)? else { return Err(Error::no_such_overload()) };
            Ok($value)
        })*
    };
}

accessors! {
    scheme: Url(it) => Value::text(it.scheme());
    host: Url(it) => Value::text(it.host());
    hostname: Url(it) => Value::text(it.hostname());
    port: Url(it) => Value::text(it.port());
    escaped_path: Url(it) => Value::text(it.escaped_path());
    query: Url(it) => of_query(it);
    is_integer: Quantity(it) => Value::Bool(it.is_integer());
    as_integer: Quantity(it) => {
        Value::Int(it.as_integer().ok_or_else(|| Error::failed("cannot convert value to integer"))?)
    };
    as_approximate_float: Quantity(it) => Value::Double(it.as_approximate_float());
    quantity_sign: Quantity(it) => Value::Int(it.sign());
    family: Ip(it) => Value::Int(it.family());
    is_unspecified: Ip(it) => Value::Bool(it.is_unspecified());
    is_loopback: Ip(it) => Value::Bool(it.is_loopback());
    is_link_local_multicast: Ip(it) => Value::Bool(it.is_link_local_multicast());
    is_link_local_unicast: Ip(it) => Value::Bool(it.is_link_local_unicast());
    is_global_unicast: Ip(it) => Value::Bool(it.is_global_unicast());
    network_ip: Cidr(it) => Value::kube(Kube::Ip(it.ip()));
    masked: Cidr(it) => Value::kube(Kube::Cidr(it.masked()));
    prefix_length: Cidr(it) => Value::Int(it.prefix_length());
    major: Semver(it) => Value::Int(i64::try_from(it.major()).unwrap_or(i64::MAX));
    minor: Semver(it) => Value::Int(i64::try_from(it.minor()).unwrap_or(i64::MAX));
    patch: Semver(it) => Value::Int(i64::try_from(it.patch()).unwrap_or(i64::MAX));
}

fn of_query<'v>(url: &Url) -> Value<'v> {
    let entries = url.query().into_iter().map(|(name, values)| {
        let values = values.into_iter().map(Value::text).collect();
        (Key::Text(Str::Shared(Rc::from(name))), Value::list(values))
    });
    Value::map(entries.collect())
}

fn url<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    made(args, Url::parse, Kube::Url)
}

fn is_url<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    is_made(args, Url::parse)
}

fn quantity<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    made(args, Quantity::parse, Kube::Quantity)
}

fn is_quantity<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    is_made(args, Quantity::parse)
}

fn ip<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    made(args, Ip::parse, Kube::Ip)
}

fn is_ip<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    is_made(args, Ip::parse)
}

fn is_canonical<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    Ip::is_canonical(text(args, 0)?).map(Value::Bool).map_err(Error::Failed)
}

fn cidr<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    made(args, Cidr::parse, Kube::Cidr)
}

fn is_cidr<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    is_made(args, Cidr::parse)
}

fn semver<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    made(args, Semver::parse, Kube::Semver)
}

/// What reads a version.
type Reader = fn(&str) -> Result<Semver, String>;

/// How a version is to be read, which the second argument says.
fn version_reader(args: &[Value]) -> Result<Reader, Error> {
    match args.get(1) {
        Some(Value::Bool(true)) => Ok(Semver::parse_tolerant),
        Some(Value::Bool(false)) => Ok(Semver::parse),
        _ => Err(Error::no_such_overload()),
    }
}

fn tolerant_semver<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    made(args, version_reader(args)?, Kube::Semver)
}

fn is_tolerant_semver<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    is_made(args, version_reader(args)?)
}

fn is_semver<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    is_made(args, Semver::parse)
}

fn operands(args: &[Value]) -> Result<(Quantity, Quantity), Error> {
    let Kube::Quantity(one) = kube(args, 0)? else { return Err(Error::no_such_overload()) };
    let two = match args.get(1) {
        Some(Value::Int(number)) => Quantity::from_int(*number),
        _ => match kube(args, 1)? {
            Kube::Quantity(two) => two.clone(),
            _ => return Err(Error::no_such_overload()),
        },
    };
    Ok((one.clone(), two))
}

fn quantity_add<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    operands(args).map(|(one, two)| Value::kube(Kube::Quantity(one.add(&two))))
}

fn quantity_sub<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    operands(args).map(|(one, two)| Value::kube(Kube::Quantity(one.sub(&two))))
}

fn order(args: &[Value]) -> Result<Ordering, Error> {
    match (kube(args, 0)?, kube(args, 1)?) {
        (Kube::Quantity(one), Kube::Quantity(two)) => Ok(one.cmp(two)),
        (Kube::Semver(one), Kube::Semver(two)) => Ok(one.cmp(two)),
        _ => Err(Error::no_such_overload()),
    }
}

fn is_less<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    order(args).map(|order| Value::Bool(order == Ordering::Less))
}

fn is_greater<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    order(args).map(|order| Value::Bool(order == Ordering::Greater))
}

fn compare_to<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    order(args).map(|order| Value::Int(order as i64))
}

fn network<'a>(args: &'a [Value]) -> Result<&'a Cidr, Error> {
    match kube(args, 0)? {
        Kube::Cidr(cidr) => Ok(cidr),
        _ => Err(Error::no_such_overload()),
    }
}

fn contains_ip<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let network = network(args)?;
    let contained = match args.get(1) {
        Some(Value::Text(text)) => network.contains_ip(Ip::parse(text).map_err(Error::Failed)?),
        _ => match kube(args, 1)? {
            Kube::Ip(ip) => network.contains_ip(*ip),
            _ => return Err(Error::no_such_overload()),
        },
    };
    Ok(Value::Bool(contained))
}

fn contains_cidr<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let network = network(args)?;
    let contained = match args.get(1) {
        Some(Value::Text(text)) => network.contains_cidr(Cidr::parse(text).map_err(Error::Failed)?),
        _ => match kube(args, 1)? {
            Kube::Cidr(cidr) => network.contains_cidr(*cidr),
            _ => return Err(Error::no_such_overload()),
        },
    };
    Ok(Value::Bool(contained))
}
