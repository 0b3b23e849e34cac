//! Whether a value of one type may stand in a field of another: structure
//! against structure, as kro compares them.

use expr::types::Type;

/// Values nested deeper than this are not compared: schemas may be recursive.
const MAX_DEPTH: usize = 24;

/// Says why a type may not stand where another is wanted.
pub(super) fn check(found: &Type, wanted: &Type) -> Result<(), String> {
    compare(found, wanted, MAX_DEPTH)
}

/// A wanted type as kro names it: objects have no name that helps anybody.
pub(super) fn shown(of: &Type) -> String {
    match of {
        Type::Object(_) => "object".to_owned(),
        Type::List(element) => format!("list({})", shown(element)),
        Type::Map(parts) => format!("map({}, {})", parts.0, shown(&parts.1)),
        // A text of that form is what such a field takes.
        Type::Bytes | Type::Timestamp | Type::Duration => "string".to_owned(),
        other => other.to_string(),
    }
}

fn compare(found: &Type, wanted: &Type, depth: usize) -> Result<(), String> {
    if depth == 0 {
        return Ok(());
    }
    match (found, wanted) {
        (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) => Ok(()),
        (Type::Optional(value), wanted) => compare(value, wanted, depth - 1),
        // The wire form of all four is text.
        (
            Type::Text | Type::Bytes | Type::Timestamp | Type::Duration,
            Type::Bytes | Type::Timestamp | Type::Duration,
        ) => Ok(()),
        // A whole number is a number.
        (Type::Int | Type::Uint | Type::Double, Type::Double) => Ok(()),
        (Type::List(found), Type::List(wanted)) => {
            compare(found, wanted, depth - 1).map_err(|why| format!("list element type incompatible: {why}"))
        }
        (Type::Map(found), Type::Map(wanted)) => {
            compare(&found.0, &wanted.0, depth - 1).map_err(|why| format!("map key type incompatible: {why}"))?;
            compare(&found.1, &wanted.1, depth - 1).map_err(|why| format!("map value type incompatible: {why}"))
        }
        // Any key may come, so every field has to take what the map holds.
        (Type::Map(found), Type::Object(wanted)) => {
            compare(&found.0, &Type::Text, depth - 1).map_err(|why| format!("map key type incompatible: {why}"))?;
            for name in wanted.fields() {
                let Some(of) = wanted.field(name) else { continue };
                compare(&found.1, &of, depth - 1).map_err(|why| incompatible(name, &why))?;
            }
            Ok(())
        }
        (Type::Object(found), Type::Map(wanted)) => {
            for name in found.fields() {
                let Some(of) = found.field(name) else { continue };
                compare(&of, &wanted.1, depth - 1).map_err(|why| incompatible(name, &why))?;
            }
            Ok(())
        }
        (Type::Object(found), Type::Object(wanted)) => {
            for name in found.fields() {
                let Some(expected) = wanted.field(name) else {
                    return Err(format!("field \"{name}\" exists in output but not in expected type"));
                };
                let Some(of) = found.field(name) else { continue };
                compare(&of, &expected, depth - 1).map_err(|why| incompatible(name, &why))?;
            }
            Ok(())
        }
        (found, wanted) if found.is_exactly(wanted) => Ok(()),
        (found, wanted) => Err(format!("type kind mismatch: got \"{}\", expected \"{}\"", kind(found), kind(wanted))),
    }
}

fn incompatible(name: &str, why: &str) -> String {
    format!("field \"{name}\" has incompatible type: {why}")
}

fn kind(of: &Type) -> String {
    match of {
        Type::List(_) => "list".to_owned(),
        Type::Map(_) => "map".to_owned(),
        Type::Object(_) => "struct".to_owned(),
        Type::Null => "null_type".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn structures_are_compared_field_by_field() {
        let wanted = json!({"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}});
        for (found, expected) in [
            (json!({"type": "object", "properties": {"name": {"type": "string"}}}), None),
            (
                json!({"type": "object", "properties": {"extraField": {"type": "string"}}}),
                Some("field \"extraField\" exists in output but not in expected type"),
            ),
            (
                json!({"type": "object", "properties": {"n": {"type": "string"}}}),
                Some("field \"n\" has incompatible type: type kind mismatch: got \"string\", expected \"int\""),
            ),
            (json!({"type": "integer"}), Some("type kind mismatch: got \"int\", expected \"struct\"")),
            (
                json!({"type": "object", "additionalProperties": {"type": "string"}}),
                Some("field \"n\" has incompatible type: type kind mismatch: got \"string\", expected \"int\""),
            ),
            (json!({"type": "object", "additionalProperties": true}), None),
        ] {
            let of = |schema| expr::openapi::type_of(schema, "t");
            assert_eq!(check(&of(&found), &of(&wanted)).err().as_deref(), expected, "{found}");
        }
    }

    #[test]
    fn what_is_written_as_text_or_as_a_number_need_not_be_one() {
        for (found, wanted) in [
            (Type::Timestamp, Type::Text),
            (Type::Duration, Type::Text),
            (Type::Bytes, Type::Text),
            (Type::Uint, Type::Int),
            (Type::Double, Type::Int),
            (Type::Bool, Type::Text),
            (Type::Null, Type::Text),
            (Type::list(Type::Text), Type::Text),
            (Type::Text, Type::Int),
        ] {
            assert!(check(&found, &wanted).is_err(), "{found} {wanted}");
            assert!(check(&Type::optional(found.clone()), &wanted).is_err(), "{found} {wanted}");
        }
        for wanted in [Type::Text, Type::Int, Type::Timestamp] {
            assert_eq!(check(&wanted, &wanted), Ok(()));
            assert_eq!(check(&Type::Dyn, &wanted), Ok(()));
        }
    }

    #[test]
    fn a_whole_number_may_stand_where_any_number_may_and_not_the_other_way_round() {
        let (whole, any) = (json!({"type": "integer"}), json!({"type": "number"}));
        let (whole, any) = (expr::openapi::type_of(&whole, "t"), expr::openapi::type_of(&any, "t"));
        assert_eq!(check(&whole, &any), Ok(()));
        assert!(check(&any, &whole).is_err());
    }
}
