//! The prepared form of a definition: what crosses from `prepare` to `render`
//! as bytes.
//!
//! It borrows from those bytes, holds parsed expressions, and nothing of the
//! schemas of children, so that reading it costs little in a fresh memory.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::{expression::Code, structural::Shape};

/// Goes first and changes with the form, so that bytes of another version of
/// this module are refused rather than misread.
const FORMAT: u8 = 1;

/// A definition, ready to be rendered.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Program<'a> {
    /// What an instance's `spec` looks like.
    #[serde(borrow)]
    pub(crate) spec: Shape<'a>,
    /// The resources, each after all that it depends on.
    pub(crate) nodes: Vec<Node<'a>>,
    /// The status fields.
    pub(crate) status: Vec<(&'a str, Template<'a>)>,
}

/// One resource.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Node<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// The ids that must be ready first, in order.
    pub(crate) depends_on: Vec<&'a str>,
    /// The object.
    #[serde(borrow)]
    pub(crate) template: Template<'a>,
    /// When it counts as ready.
    pub(crate) ready_when: Vec<Code<'a>>,
    /// Whether it is there at all.
    pub(crate) include_when: Vec<Code<'a>>,
}

/// A JSON value with expressions in it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Template<'a> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A whole number beyond 63 bits.
    Unsigned(u64),
    /// Any other number.
    Float(f64),
    /// A text without expressions.
    Text(&'a str),
    /// A list.
    #[serde(borrow)]
    List(Vec<Template<'a>>),
    /// A map; its keys are never evaluated.
    Map(Vec<(&'a str, Template<'a>)>),
    /// The value of one expression.
    Value(Code<'a>),
    /// Texts and printed values in a row.
    Printed(Vec<Piece<'a>>),
}

/// A part of a printed text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Piece<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// The value of an expression.
    #[serde(borrow)]
    Value(Code<'a>),
}

/// The bytes are no program.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// Written by another version.
    #[error("the program has format {found:?}, this module reads {FORMAT}: prepare the definition again")]
    Format {
        /// The format that it has.
        found: Option<u8>,
    },
    /// Damaged.
    #[error("the program is damaged: prepare the definition again")]
    Damaged(#[source] postcard::Error),
    /// It cannot be written.
    #[error("the program cannot be written")]
    Unwritable(#[source] postcard::Error),
}

impl<'a> Program<'a> {
    /// The program as bytes.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        postcard::to_extend(self, vec![FORMAT]).map_err(Error::Unwritable)
    }

    /// The program in the bytes.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Result<Program<'a>, Error> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(Error::Damaged),
            other => Err(Error::Format { found: other.map(|(format, _)| *format) }),
        }
    }
}

impl<'a> Template<'a> {
    /// A number without expressions.
    pub(crate) fn number(number: &Number) -> Template<'a> {
        match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Template::Integer(number),
            (None, Some(number)) => Template::Unsigned(number),
            (None, None) => Template::Float(number.as_f64().unwrap_or(0.0)),
        }
    }

    /// The value, with expressions evaluated by `evaluate` and printed by
    /// `print`.
    pub(crate) fn fill<E>(&self, evaluate: &mut impl FnMut(&Code<'a>) -> Result<Value, E>) -> Result<Value, E> {
        Ok(match self {
            Template::Null => Value::Null,
            Template::Bool(value) => Value::Bool(*value),
            Template::Integer(number) => Value::from(*number),
            Template::Unsigned(number) => Value::from(*number),
            Template::Float(number) => Value::from(*number),
            Template::Text(text) => Value::String((*text).to_owned()),
            Template::List(elements) => {
                Value::Array(elements.iter().map(|element| element.fill(evaluate)).collect::<Result<_, _>>()?)
            }
            Template::Map(fields) => Value::Object(fill_map(fields, evaluate)?),
            Template::Value(code) => evaluate(code)?,
            Template::Printed(pieces) => Value::String(print_all(pieces, evaluate)?),
        })
    }
}

fn fill_map<'a, E>(
    fields: &[(&'a str, Template<'a>)],
    evaluate: &mut impl FnMut(&Code<'a>) -> Result<Value, E>,
) -> Result<Map<String, Value>, E> {
    fields.iter().map(|(name, template)| Ok(((*name).to_owned(), template.fill(evaluate)?))).collect()
}

fn print_all<'a, E>(
    pieces: &[Piece<'a>],
    evaluate: &mut impl FnMut(&Code<'a>) -> Result<Value, E>,
) -> Result<String, E> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Value(code) => crate::print::print(&evaluate(code)?, &mut text),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_another_format_and_damaged_ones_are_refused() {
        let program =
            Program { spec: Shape::Object(Vec::new()), nodes: Vec::new(), status: vec![("a", Template::Null)] };
        let bytes = program.to_bytes().unwrap();
        assert_eq!(Program::from_bytes(&bytes).unwrap().status.len(), 1);
        assert!(matches!(Program::from_bytes(&[]), Err(Error::Format { found: None })));
        assert!(matches!(Program::from_bytes(&[9, 1, 2]), Err(Error::Format { found: Some(9) })));
        assert!(matches!(Program::from_bytes(&bytes[..bytes.len() - 1]), Err(Error::Damaged(_))));
    }
}
