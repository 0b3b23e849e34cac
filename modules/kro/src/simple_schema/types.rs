//! The types of SimpleSchema: what stands before the `|` of a field.
//!
//! It knows how types are written. What a type with a name of its own is, is
//! for `simple_schema` to look up.

use crate::{model::Dialect, problem::nearest};

/// Types nested deeper than this are refused, as by kro.
const MAX_DEPTH: usize = 16;

/// A type.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Type<'t> {
    /// A single value, of this OpenAPI type.
    Scalar(&'static str),
    /// A map of anything.
    Open,
    /// A list of one type.
    List(Box<Type<'t>>),
    /// A map of one type.
    Map(Box<Type<'t>>),
    /// The type of this name.
    Named(&'t str),
}

impl<'t> Type<'t> {
    /// The name that it uses, if it uses one.
    pub(super) fn name(&self) -> Option<&'t str> {
        match self {
            Type::Scalar(_) | Type::Open => None,
            Type::List(inner) | Type::Map(inner) => inner.name(),
            Type::Named(name) => Some(name),
        }
    }
}

/// Why a type is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("unknown type: {0}")]
    Unknown(String),
    /// The same where a type is declared.
    #[error("node {0} does not exist")]
    Undeclared(String),
    #[error("empty type")]
    Empty,
    #[error("empty slice element type")]
    EmptyElement,
    /// As v0.1 of this module says it.
    #[error("map keys must be strings: {0}")]
    MapKeys(String),
    #[error("map key must be string")]
    MapKey,
    #[error("map value type is required")]
    EmptyValue,
    #[error("type nesting too deep (max {MAX_DEPTH}): \"{0}\"")]
    TooDeep(String),
    #[error("the type {0} makes the schema too big")]
    TooBig(String),
}

impl Error {
    /// A word for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Error::Unknown(_) | Error::Undeclared(_) | Error::Empty | Error::EmptyElement => "UnknownType",
            Error::MapKeys(_) | Error::MapKey | Error::EmptyValue | Error::TooDeep(_) => "InvalidType",
            Error::TooBig(_) => "SchemaTooBig",
        }
    }

    /// Whether the text is at fault, and not what a name stands for.
    pub(super) fn is_grammar(&self) -> bool {
        !matches!(self, Error::Unknown(_) | Error::Undeclared(_) | Error::TooBig(_))
    }

    /// What would be right, where the types of these names are declared.
    pub(super) fn hint<'n>(&self, dialect: Dialect, names: impl Iterator<Item = &'n str>) -> String {
        let open = (dialect == Dialect::V09).then_some("object");
        let known = ["string", "integer", "boolean", "float"].into_iter().chain(open).chain(names);
        let all = match dialect {
            Dialect::V01 => "the types are `string`, `integer`, `boolean`, `float`, `[]T` and `map[string]T`",
            Dialect::V09 => {
                "the types are `string`, `integer`, `boolean`, `float`, `object`, `[]T`, `map[string]T` and those \
                 declared in `types`"
            }
        };
        match self {
            Error::Unknown(name) | Error::Undeclared(name) => {
                match nearest(name, known).or_else(|| alias(name, dialect)) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => all.to_owned(),
                }
            }
            Error::TooBig(_) => "types are written out wherever they are used: use this one less often".to_owned(),
            _ => all.to_owned(),
        }
    }
}

/// What other languages call the same type.
fn alias(name: &str, dialect: Dialect) -> Option<&'static str> {
    match name {
        "int" | "int32" | "int64" | "long" => Some("integer"),
        "bool" => Some("boolean"),
        "number" | "double" | "float64" => Some("float"),
        "str" | "text" => Some("string"),
        "any" | "map" if dialect == Dialect::V09 => Some("object"),
        _ => None,
    }
}

/// The type that a text states.
pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Type<'_>, Error> {
    match (text.trim(), dialect) {
        ("", Dialect::V09) => Err(Error::Empty),
        (text, _) => at_depth(text, dialect, 0),
    }
}

fn at_depth(text: &str, dialect: Dialect, depth: usize) -> Result<Type<'_>, Error> {
    if depth > MAX_DEPTH {
        return Err(Error::TooDeep(text.to_owned()));
    }
    let text = text.trim();
    if let Some(element) = text.strip_prefix("[]") {
        if element.is_empty() {
            return Err(Error::EmptyElement);
        }
        return Ok(Type::List(Box::new(at_depth(element, dialect, depth + 1)?)));
    }
    if let Some(rest) = text.strip_prefix("map[") {
        let Some(value) = rest.strip_prefix("string]") else {
            return Err(if dialect == Dialect::V01 { Error::MapKeys(text.to_owned()) } else { Error::MapKey });
        };
        if value.is_empty() {
            return Err(Error::EmptyValue);
        }
        return Ok(Type::Map(Box::new(at_depth(value, dialect, depth + 1)?)));
    }
    Ok(match (text, dialect) {
        ("string", _) => Type::Scalar("string"),
        ("integer", _) => Type::Scalar("integer"),
        ("boolean", _) => Type::Scalar("boolean"),
        // OpenAPI has no `float`.
        ("float", _) => Type::Scalar("number"),
        ("object", Dialect::V09) => Type::Open,
        (name, _) => Type::Named(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(inner: Type<'_>) -> Type<'_> {
        Type::List(Box::new(inner))
    }

    fn map(inner: Type<'_>) -> Type<'_> {
        Type::Map(Box::new(inner))
    }

    #[test]
    fn types_nest() {
        for (text, expected) in [
            (" string ", Type::Scalar("string")),
            ("float", Type::Scalar("number")),
            ("object", Type::Open),
            ("[][]Person", list(list(Type::Named("Person")))),
            ("map[string] []integer", map(list(Type::Scalar("integer")))),
            ("[] map[string]map[string]boolean", list(map(map(Type::Scalar("boolean"))))),
        ] {
            assert_eq!(parse(text, Dialect::V09), Ok(expected), "{text}");
        }
        assert_eq!(parse("object", Dialect::V01), Ok(Type::Named("object")));
        assert_eq!(parse("[]map[string]P", Dialect::V09).unwrap().name(), Some("P"));
    }

    #[test]
    fn what_is_no_type_is_refused_in_kros_words() {
        let deepest = format!("{}string", "[]".repeat(16));
        assert!(parse(&deepest, Dialect::V09).is_ok());
        let too_deep = format!("[]{deepest}");
        for (text, message) in [
            ("", "empty type"),
            ("  ", "empty type"),
            ("[]", "empty slice element type"),
            ("[][]", "empty slice element type"),
            ("map[integer]string", "map key must be string"),
            ("map[stringPerson", "map key must be string"),
            ("map[string]", "map value type is required"),
            ("map[string][]", "empty slice element type"),
            (too_deep.as_str(), "type nesting too deep (max 16): \"string\""),
        ] {
            assert_eq!(parse(text, Dialect::V09).unwrap_err().to_string(), message, "{text}");
        }
    }
}
