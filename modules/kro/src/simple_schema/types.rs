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
                if let Some(meant) = foreign(name, dialect) {
                    return meant;
                }
                match nearest(name, known).or_else(|| alias(name, dialect)) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => value(name).unwrap_or_else(|| all.to_owned()),
                }
            }
            Error::MapKey | Error::MapKeys(_) => "keys are always texts: write `map[string]T`".to_owned(),
            Error::EmptyValue => "say what the values are: `map[string]string`, for example".to_owned(),
            Error::EmptyElement => "say what the elements are: `[]string`, for example".to_owned(),
            Error::TooBig(_) => "types are written out wherever they are used: use this one less often".to_owned(),
            _ => all.to_owned(),
        }
    }
}

/// What is written in the way of another language, and how it is written here.
fn foreign(text: &str, dialect: Dialect) -> Option<String> {
    let is_type = |text: &str| {
        let known = parse(text, dialect).is_ok_and(|it| !matches!(it, Type::Named(_)));
        known || alias(text, dialect).is_some()
    };
    let own = |text: &str| alias(text, dialect).map_or_else(|| text.to_owned(), str::to_owned);
    let text = text.trim();
    // `string default="x"`
    if let Some((before, after)) = text.split_once(char::is_whitespace).filter(|(_, after)| after.contains('=')) {
        let (before, after) = (before.trim_end_matches([',', ';']), after.trim_start());
        return is_type(before).then(|| format!("a `|` stands before the markers: `{} | {after}`", own(before)));
    }
    // `string]`
    let stripped = text.trim_end_matches([']', ')', '}', ',', ';']);
    if stripped.len() < text.len() && is_type(stripped) && !text.ends_with("[]") {
        return Some(format!("there is a `{}` too many after `{stripped}`", &text[stripped.len()..]));
    }
    // `string, required=true`, `string; default=x`
    if let Some((before, after)) = text.split_once([',', ';'])
        && is_type(before.trim())
        && after.contains('=')
    {
        let markers = after.replace([',', ';'], " ");
        let markers: Vec<&str> = markers.split_whitespace().collect();
        return Some(format!("a `|` stands before the markers: `{} | {}`", before.trim(), markers.join(" ")));
    }
    // `string[]`, `[string]`, `array<string>`, `list(string)`
    let inner = |open: &str, close: char| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let element = text.strip_suffix("[]").or_else(|| inner("[", ']')).or_else(|| {
        let named = ["array", "Array", "list", "List", "slice", "set", "Set"].into_iter();
        named.into_iter().find_map(|name| {
            let rest = text.strip_prefix(name)?;
            let pair = [('<', '>'), ('(', ')'), ('[', ']')];
            pair.into_iter().find_map(|(open, close)| rest.strip_prefix(open)?.strip_suffix(close))
        })
    });
    if let Some(element) = element.filter(|element| !element.is_empty()) {
        return Some(format!("a list is written `[]{}`", own(element)));
    }
    if matches!(text, "array" | "Array" | "list" | "List" | "slice" | "set") {
        return Some("a list is written with what its elements are, such as `[]string`".to_owned());
    }
    // `map<string, string>`, `Map(string)`, `dict`
    let is_map =
        ["map<", "Map<", "map(", "dict[", "dict(", "Record<", "HashMap<"].iter().any(|it| text.starts_with(it));
    if is_map || matches!(text, "dict" | "map" | "Map" | "hash" | "HashMap") {
        return Some("a map is written `map[string]string`, or with another type of its values".to_owned());
    }
    // `string?`, `*string`
    let optional = text.strip_suffix('?').or_else(|| text.strip_prefix('*'));
    optional
        .filter(|optional| is_type(optional))
        .map(|optional| format!("a field is optional unless it has `required=true`: write `{}`", own(optional)))
}

/// The declaration of a field of which only a value is given.
fn value(text: &str) -> Option<String> {
    let quoted = |text: &str| text.len() > 1 && (text.starts_with('"') && text.ends_with('"'));
    let is_name = |text: &str| text.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') && !text.is_empty();
    let declared = if matches!(text, "true" | "false") {
        format!("boolean | default={text}")
    } else if text.parse::<i64>().is_ok() {
        format!("integer | default={text}")
    } else if text.parse::<f64>().is_ok() {
        format!("float | default={text}")
    } else if quoted(text) {
        format!("string | default={text}")
    } else if !is_name(text) && !text.contains(['[', ']', '<', '>', '|', '"']) {
        format!("string | default=\"{text}\"")
    } else {
        return None;
    };
    Some(format!("if it is a value, write `{declared}`"))
}

/// What other languages call the same type.
fn alias(name: &str, dialect: Dialect) -> Option<&'static str> {
    match name {
        "int" | "int32" | "int64" | "long" | "uint" | "Int" => Some("integer"),
        "bool" | "Bool" => Some("boolean"),
        "number" | "double" | "float32" | "float64" | "Number" => Some("float"),
        "str" | "text" | "quantity" | "intOrString" | "int-or-string" | "date" | "datetime" | "timestamp"
        | "duration" | "enum" | "char" => Some("string"),
        "any" | "json" | "struct" | "interface{}" if dialect == Dialect::V09 => Some("object"),
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
