//! Kubernetes' library `format`: named formats, which the API server has and kro
//! does not.

use std::rc::Rc;

use super::{
    Sig::{self, List, Opaque, Optional, Text},
    functions,
};
use crate::{
    eval::{Error, Machine},
    kube::formats,
    value::{Kube, Value},
};

const FORMAT: Sig = Opaque("kubernetes.NamedFormat");

functions! {
    function "format.named" { (Text) -> Optional(&FORMAT) => named }
    method "validate" { (FORMAT, Text) -> Optional(&List(&Text)) => validate }
    function "format.dns1123Label" { () -> FORMAT => |_, _| known("dns1123Label") }
    function "format.dns1123Subdomain" { () -> FORMAT => |_, _| known("dns1123Subdomain") }
    function "format.dns1035Label" { () -> FORMAT => |_, _| known("dns1035Label") }
    function "format.qualifiedName" { () -> FORMAT => |_, _| known("qualifiedName") }
    function "format.dns1123LabelPrefix" { () -> FORMAT => |_, _| known("dns1123LabelPrefix") }
    function "format.dns1123SubdomainPrefix" { () -> FORMAT => |_, _| known("dns1123SubdomainPrefix") }
    function "format.dns1035LabelPrefix" { () -> FORMAT => |_, _| known("dns1035LabelPrefix") }
    function "format.labelValue" { () -> FORMAT => |_, _| known("labelValue") }
    function "format.uri" { () -> FORMAT => |_, _| known("uri") }
    function "format.uuid" { () -> FORMAT => |_, _| known("uuid") }
    function "format.byte" { () -> FORMAT => |_, _| known("byte") }
    function "format.date" { () -> FORMAT => |_, _| known("date") }
    function "format.datetime" { () -> FORMAT => |_, _| known("datetime") }
}

type Outcome<'v> = Result<Value<'v>, Error>;

fn known<'v>(name: &str) -> Outcome<'v> {
    let name = formats::named(name).ok_or_else(Error::no_such_overload)?;
    Ok(Value::Kube(Rc::new(Kube::Format(name))))
}

fn named<'v>(_: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Text(name)] = args else { return Err(Error::no_such_overload()) };
    Ok(match formats::named(name) {
        Some(_) => Value::some(known(name)?),
        None => Value::Optional(None),
    })
}

/// What is wrong with a text; none if nothing is.
fn validate<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Outcome<'v> {
    let [Value::Kube(format), Value::Text(text)] = args else { return Err(Error::no_such_overload()) };
    let Kube::Format(format) = **format else { return Err(Error::no_such_overload()) };
    machine.charge(text.len() / 16)?;
    Ok(match formats::takes(format, text) {
        true => Value::Optional(None),
        false => Value::some(Value::list(vec![Value::text(format!("must be of the format {format}"))])),
    })
}
