//! Kubernetes' named formats: what a text must look like to be a name of an object, a
//! label, a date and the like.

use super::{
    Sig::{self, List, Opaque, Optional, Text},
    functions,
};
use crate::{
    eval::{Error, Machine},
    kube::format::Format,
    value::{Kube, Value},
};

const FORMAT: Sig = Opaque("kubernetes.NamedFormat");

functions! {
    function "format.named" { (Text) -> Optional(&FORMAT) => named }
    method "validate" { (FORMAT, Text) -> Optional(&List(&Text)) => validate }
    function "format.dns1123Label" { () -> FORMAT => dns1123_label }
    function "format.dns1123Subdomain" { () -> FORMAT => dns1123_subdomain }
    function "format.dns1035Label" { () -> FORMAT => dns1035_label }
    function "format.qualifiedName" { () -> FORMAT => qualified_name }
    function "format.dns1123LabelPrefix" { () -> FORMAT => dns1123_label_prefix }
    function "format.dns1123SubdomainPrefix" { () -> FORMAT => dns1123_subdomain_prefix }
    function "format.dns1035LabelPrefix" { () -> FORMAT => dns1035_label_prefix }
    function "format.labelValue" { () -> FORMAT => label_value }
    function "format.uri" { () -> FORMAT => uri }
    function "format.uuid" { () -> FORMAT => uuid }
    function "format.byte" { () -> FORMAT => byte }
    function "format.date" { () -> FORMAT => date }
    function "format.datetime" { () -> FORMAT => date_time }
}

type Outcome<'v> = Result<Value<'v>, Error>;

/// A function for each format, which answers it.
macro_rules! answer {
    ($($name:ident $format:ident)*) => {$(
        fn $name<'v>(_: &Machine, _: &mut [Value<'v>]) -> Outcome<'v> {
            Ok(Value::kube(Kube::Format(Format::$format)))
        }
    )*};
}

answer! {
    dns1123_label Dns1123Label
    dns1123_subdomain Dns1123Subdomain
    dns1035_label Dns1035Label
    qualified_name QualifiedName
    dns1123_label_prefix Dns1123LabelPrefix
    dns1123_subdomain_prefix Dns1123SubdomainPrefix
    dns1035_label_prefix Dns1035LabelPrefix
    label_value LabelValue
    uri Uri
    uuid Uuid
    byte Byte
    date Date
    date_time DateTime
}

fn named<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Text(name)] = args else { return Err(Error::no_such_overload()) };
    Ok(match Format::named(name) {
        Some(format) => Value::some(Value::kube(Kube::Format(format))),
        None => Value::Optional(None),
    })
}

fn validate<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Kube(format), Value::Text(text)] = args else { return Err(Error::no_such_overload()) };
    let Kube::Format(format) = format.as_ref() else { return Err(Error::no_such_overload()) };
    machine.charge(text.len())?;
    let wrong: Vec<Value> = format.refusals(text).into_iter().map(Value::text).collect();
    Ok(if wrong.is_empty() { Value::Optional(None) } else { Value::some(Value::list(wrong)) })
}
