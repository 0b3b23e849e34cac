//! `base64.encode` and `base64.decode`.

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};

use super::{
    Sig::{Bytes, Text},
    functions,
};
use crate::{
    eval::{Error, Machine},
    value::Value,
};

functions! {
    function "base64.encode" { (Bytes) -> Text => encode }
    function "base64.decode" { (Text) -> Bytes => decode }
}

fn encode<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Result<Value<'v>, Error> {
    match args {
        [Value::Bytes(bytes)] => {
            machine.charge(bytes.len() / 8)?;
            Ok(Value::text(BASE64_STANDARD.encode(bytes)))
        }
        _ => Err(Error::no_such_overload()),
    }
}

/// Padding may be there or not, and bits that belong to no byte are passed over, as
/// in cel-go.
fn decode<'v>(machine: &Machine, args: &mut [Value<'v>]) -> Result<Value<'v>, Error> {
    let [Value::Text(text)] = args else { return Err(Error::no_such_overload()) };
    machine.charge(text.len() / 8)?;
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    let decoded = engine.decode(text.as_bytes());
    decoded.map(|bytes| Value::Bytes(bytes.into())).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _) => at,
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => text.len(),
        };
        Error::failed(format!("illegal base64 data at input byte {at}"))
    })
}
