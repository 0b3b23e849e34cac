//! A checked expression, ready to be evaluated: what is carried from where a
//! definition is prepared to where it is rendered.
//!
//! It borrows its texts, so that reading it from bytes copies none.

use serde::{Deserialize, Serialize};

use crate::syntax::Action;

/// What is to be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum Code<'a> {
    /// What no check allowed and nobody refused: fails if it is reached.
    Wrong,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `uint`.
    Uint(u64),
    /// A `double`.
    Double(f64),
    /// A `string`.
    Text(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// A type, by its name.
    Type(&'a str),
    /// A variable of the definition, by its number.
    Global(u16),
    /// A variable of a macro, by its position from the outermost.
    Local(u16),
    /// Fields below a variable of the definition.
    Path(u16, Vec<&'a str>),
    /// A field.
    Select(Box<Code<'a>>, &'a str),
    /// A field that may be missing.
    OptSelect(Box<Code<'a>>, &'a str),
    /// Whether there is a field.
    Has(Box<Code<'a>>, &'a str),
    /// An element.
    Index(Box<(Code<'a>, Code<'a>)>),
    /// An element that may be missing.
    OptIndex(Box<(Code<'a>, Code<'a>)>),
    /// `a + b + …`.
    Sum(Vec<Code<'a>>),
    /// `a && b`.
    And(Box<(Code<'a>, Code<'a>)>),
    /// `a || b`.
    Or(Box<(Code<'a>, Code<'a>)>),
    /// `a ? b : c`.
    If(Box<(Code<'a>, Code<'a>, Code<'a>)>),
    /// A list; an absent optional element is left out where the flag is set.
    List(Vec<(Code<'a>, bool)>),
    /// A map; likewise.
    Map(Vec<(Code<'a>, Code<'a>, bool)>),
    /// A call.
    Call(Callee, Vec<Code<'a>>),
    /// A call of whichever overload takes the values.
    Dispatch(Vec<Callee>, Vec<Code<'a>>),
    /// A macro over a list or a map.
    Fold(Box<FoldCode<'a>>),
    /// A value with a name, and where it is known.
    Bind(Box<(Code<'a>, Code<'a>)>),
    /// An optional and what to make of its value; whether that is an optional.
    OptMap(Box<(Code<'a>, Code<'a>)>, bool),
    /// An optional and what stands in for it if it has no value; whether that is
    /// a value (`orValue`) or another optional (`or`).
    OptOr(Box<(Code<'a>, Code<'a>)>, bool),
    /// A list and the key of an element.
    SortBy(Box<(Code<'a>, Code<'a>)>),
}

/// Which function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callee {
    /// The library.
    pub library: u8,
    /// The function within it.
    pub function: u8,
    /// The overload, if the checker could tell.
    pub overload: Option<u8>,
}

/// A macro over a list or a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct FoldCode<'a> {
    /// What it does.
    pub action: Action,
    /// Whether key and value have a name each.
    pub two: bool,
    /// What it goes over.
    pub range: Code<'a>,
    /// Which elements count.
    pub filter: Option<Code<'a>>,
    /// The predicate or the transformation.
    pub body: Code<'a>,
}

impl<'a> Code<'a> {
    /// The variables of the definition that it reads, each with the fields below
    /// it as far as they are fixed.
    pub fn reads(&self) -> Vec<(u16, &[&'a str])> {
        let mut found = Vec::new();
        let mut pending = vec![self];
        while let Some(code) = pending.pop() {
            match code {
                Code::Global(number) => found.push((*number, [].as_slice())),
                Code::Path(number, fields) => found.push((*number, fields.as_slice())),
                other => pending.extend(other.parts().into_iter().rev()),
            }
        }
        found
    }

    /// What it consists of directly, in the order of the text.
    fn parts(&self) -> Vec<&Code<'a>> {
        match self {
            Code::Select(code, _) | Code::OptSelect(code, _) | Code::Has(code, _) => vec![code],
            Code::Index(parts) | Code::OptIndex(parts) | Code::And(parts) | Code::Or(parts) => vec![&parts.0, &parts.1],
            Code::Bind(parts) | Code::SortBy(parts) | Code::OptMap(parts, _) | Code::OptOr(parts, _) => {
                vec![&parts.0, &parts.1]
            }
            Code::If(parts) => vec![&parts.0, &parts.1, &parts.2],
            Code::Sum(codes) | Code::Call(_, codes) | Code::Dispatch(_, codes) => codes.iter().collect(),
            Code::List(elements) => elements.iter().map(|(code, _)| code).collect(),
            Code::Map(entries) => entries.iter().flat_map(|(key, value, _)| [key, value]).collect(),
            Code::Fold(fold) => [&fold.range].into_iter().chain(&fold.filter).chain([&fold.body]).collect(),
            _ => Vec::new(),
        }
    }
}
