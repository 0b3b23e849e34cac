//! The prepared form of a definition: what crosses from `prepare` to `render`
//! as bytes.
//!
//! It borrows from those bytes, holds checked expressions, and nothing of the
//! schemas of children but how the fields that are read are to be read, so that
//! reading it costs little in a fresh memory.

use expr::{code::Code, hint::Hint};
use guest_sdk::document::Fields;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::{skeleton::Skeleton, structural::Shape, validation::Rule};

/// Goes first and changes with the form, so that bytes of another version of
/// this module are refused rather than misread.
const FORMAT: u8 = 5;

/// A definition, ready to be rendered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Program<'a> {
    /// Whether it follows the rules of kro v0.1: what an instance lacks is the
    /// instance's fault there, and nothing to wait for.
    pub(crate) strict: bool,
    /// What an instance's `spec` looks like.
    pub(crate) spec: Shape<'a>,
    /// What a server checks with an engine.
    pub(crate) rules: Vec<Rule<'a>>,
    /// The variables of expressions, by number: `schema`, the ids, `each`,
    /// `runtime`, and then the iterators of whichever resource it is.
    pub(crate) variables: Vec<Variable<'a>>,
    /// The resources, each after all that it depends on.
    pub(crate) nodes: Vec<Node<'a>>,
    /// The status fields.
    pub(crate) status: Vec<(&'a str, Template<'a>)>,
    /// The conditions that instances get besides the usual ones.
    pub(crate) conditions: Vec<Expression<'a>>,
}

/// A variable of expressions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Variable<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// How its fields are to be read.
    pub(crate) hint: Option<Hint<'a>>,
}

/// One resource.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Node<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// The number of its variable.
    pub(crate) variable: u16,
    /// The positions among the nodes of those that must be ready first.
    pub(crate) depends_on: Vec<u16>,
    /// What it is.
    pub(crate) body: Body<'a>,
    /// Which fields of its observed objects expressions read.
    pub(crate) reads: Fields<'a>,
    /// Its iterators and what they go over, the outermost first.
    pub(crate) for_each: Vec<(&'a str, Expression<'a>)>,
    /// When it counts as ready.
    pub(crate) ready_when: Vec<Expression<'a>>,
    /// Whether it is there at all, and the positions of the nodes that decide.
    pub(crate) include_when: Vec<(Expression<'a>, Vec<u16>)>,
}

/// What a resource is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Body<'a> {
    /// An object to create: its kind, its metadata, and all other fields.
    Object(Kind<'a>, Template<'a>, Skeleton<'a>),
    /// One object of somebody else: its kind, namespace and name.
    Named(Kind<'a>, Template<'a>, Template<'a>),
    /// Objects of somebody else: their kind, namespace and label selector.
    Labelled(Kind<'a>, Template<'a>, Template<'a>),
}

/// A kind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Kind<'a> {
    /// Empty for the core group.
    pub(crate) group: &'a str,
    /// Such as `v1`.
    pub(crate) version: &'a str,
    /// Such as `ConfigMap`.
    pub(crate) kind: &'a str,
}

/// A checked expression.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) struct Expression<'a> {
    /// What was written, for messages.
    pub(crate) source: &'a str,
    /// How to evaluate it.
    pub(crate) code: Code<'a>,
}

/// A JSON value with expressions in it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
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
    List(Vec<Template<'a>>),
    /// A map; its keys are never evaluated.
    Map(Vec<(&'a str, Template<'a>)>),
    /// The value of one expression.
    Value(Expression<'a>),
    /// Texts and printed values in a row, as kro v0.1 has them.
    Printed(Vec<Piece<'a>>),
}

/// A part of a printed text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(crate) enum Piece<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// The value of an expression.
    Value(Expression<'a>),
}

/// The bytes are not a program.
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

    /// Whether a variable is a resource's: neither `schema` nor `each` nor an
    /// iterator.
    pub(crate) fn is_resource(&self, variable: usize) -> bool {
        (1..=self.nodes.len()).contains(&variable)
    }

    /// The program in the bytes.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Result<Program<'a>, Error> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(Error::Damaged),
            other => Err(Error::Format { found: other.map(|(format, _)| *format) }),
        }
    }
}

impl Expression<'_> {
    /// What was written, cut to what a message can bear.
    pub(crate) fn shown(&self) -> String {
        // Long enough for nearly every expression, short enough for a condition.
        const LONGEST: usize = 160;
        match self.source.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &self.source[..end]),
            None => self.source.to_owned(),
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

    /// The value of one without expressions, lists and maps.
    pub(crate) fn scalar(&self) -> Value {
        match self {
            Template::Bool(value) => Value::Bool(*value),
            Template::Integer(number) => Value::from(*number),
            Template::Unsigned(number) => Value::from(*number),
            Template::Float(number) => Value::from(*number),
            Template::Text(text) => Value::String((*text).to_owned()),
            _ => Value::Null,
        }
    }

    /// The value, with expressions evaluated by `evaluate`; none where one says
    /// that it is to be left out.
    pub(crate) fn fill<E>(
        &'a self,
        evaluate: &mut impl FnMut(&'a Expression<'a>) -> Result<Option<Value>, E>,
    ) -> Result<Option<Value>, E> {
        Ok(Some(match self {
            Template::List(elements) => {
                let mut list = Vec::with_capacity(elements.len());
                for element in elements {
                    list.extend(element.fill(evaluate)?);
                }
                Value::Array(list)
            }
            Template::Map(fields) => {
                let mut filled = Vec::with_capacity(fields.len());
                for (name, template) in fields {
                    if let Some(value) = template.fill(evaluate)? {
                        filled.push(((*name).to_owned(), value));
                    }
                }
                // At once, since one by one each would be searched for its place.
                Value::Object(Map::from_iter(filled))
            }
            Template::Value(expression) => return evaluate(expression),
            Template::Printed(pieces) => Value::String(print_all(pieces, evaluate)?),
            scalar => scalar.scalar(),
        }))
    }
}

/// The text of several parts.
pub(crate) fn print_all<'a, E>(
    pieces: &'a [Piece<'a>],
    evaluate: &mut impl FnMut(&'a Expression<'a>) -> Result<Option<Value>, E>,
) -> Result<String, E> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Value(expression) => {
                if let Some(value) = evaluate(expression)? {
                    crate::print::print(&value, &mut text);
                }
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_another_format_and_damaged_ones_are_refused() {
        let program = Program {
            strict: true,
            spec: Shape::Object(Vec::new()),
            rules: Vec::new(),
            variables: Vec::new(),
            nodes: Vec::new(),
            status: vec![("a", Template::Null)],
            conditions: Vec::new(),
        };
        let bytes = program.to_bytes().unwrap();
        assert_eq!(Program::from_bytes(&bytes).unwrap().status.len(), 1);
        assert!(matches!(Program::from_bytes(&[]), Err(Error::Format { found: None })));
        assert!(matches!(Program::from_bytes(&[9, 1, 2]), Err(Error::Format { found: Some(9) })));
        assert!(matches!(Program::from_bytes(&bytes[..bytes.len() - 1]), Err(Error::Damaged(_))));
    }
}
