//! The tree of an expression, each node with its place in the text.
//!
//! Macros are nodes of their own rather than the loops that they stand for: the
//! checker and the evaluator both know more about `map` than about a fold.

use serde::{Deserialize, Serialize};

/// A node and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The byte where it is reported: of an operator the operator, of a
    /// selection the dot, of a call the opening parenthesis or, without a
    /// receiver, the name.
    pub at: u32,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `null`.
    Null,
    /// A boolean literal.
    Bool(bool),
    /// An `int` literal.
    Int(i64),
    /// A `uint` literal.
    Uint(u64),
    /// A `double` literal.
    Double(f64),
    /// A string literal.
    Text(String),
    /// A bytes literal.
    Bytes(Vec<u8>),
    /// A name. A leading dot stays.
    Ident(String),
    /// `operand.field`, or `operand.?field`.
    Select {
        /// What is selected from.
        operand: Box<Node>,
        /// The field.
        field: String,
        /// `?.`: a missing field is not an error.
        optional: bool,
    },
    /// `has(operand.field)`.
    Has {
        /// What is looked into.
        operand: Box<Node>,
        /// The field.
        field: String,
    },
    /// `operand[index]`, or `operand[?index]`.
    Index {
        /// What is looked into.
        operand: Box<Node>,
        /// The key or position.
        index: Box<Node>,
        /// `[?]`: a missing element is not an error.
        optional: bool,
    },
    /// A function, a method or an operator (`_+_`).
    Call {
        /// The receiver of a method.
        target: Option<Box<Node>>,
        /// Its name.
        name: String,
        /// Its arguments.
        args: Vec<Node>,
    },
    /// `first + a + b`: a chain, so that a long text made of many parts is no
    /// deep tree. Each operator has its place.
    Sum {
        /// The first operand.
        first: Box<Node>,
        /// The places of the operators and the other operands.
        rest: Vec<(u32, Node)>,
    },
    /// `[a, ?b]`: each element and whether it is optional.
    List(Vec<(Node, bool)>),
    /// `{k: v, ?k: v}`.
    Map(Vec<Entry>),
    /// `Name{field: value}`: a message, which no type here has.
    Message(String),
    /// A macro that goes over a list or a map.
    Fold(Box<Fold>),
    /// `cel.bind(name, value, body)`.
    Bind {
        /// The name.
        name: String,
        /// What it stands for.
        value: Box<Node>,
        /// Where it is known.
        body: Box<Node>,
    },
    /// `optional.optMap(name, body)` and `optFlatMap`.
    OptMap {
        /// The optional.
        operand: Box<Node>,
        /// What its value is called.
        name: String,
        /// What to make of it.
        body: Box<Node>,
        /// Whether the body is an optional itself.
        flat: bool,
    },
    /// `list.sortBy(name, key)`.
    SortBy {
        /// The list.
        operand: Box<Node>,
        /// What an element is called.
        name: String,
        /// What it is sorted by.
        key: Box<Node>,
    },
}

/// An entry of a map literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: Node,
    /// Its value.
    pub value: Node,
    /// Whether an absent optional leaves the entry out.
    pub optional: bool,
}

/// A macro that goes over a list or a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    /// What it does.
    pub action: Action,
    /// What it goes over.
    pub range: Node,
    /// The name of the element or, with a second name, of key or position.
    pub first: String,
    /// The name of the value, if there are two.
    pub second: Option<String>,
    /// Which elements count, for `map` and the transformations.
    pub filter: Option<Node>,
    /// The predicate or the transformation.
    pub body: Node,
}

/// What a [`Fold`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// `all`.
    All,
    /// `exists`.
    Exists,
    /// `exists_one`.
    ExistsOne,
    /// `filter`.
    Filter,
    /// `map` and `transformList`.
    List,
    /// `transformMap`.
    Map,
    /// `transformMapEntry`.
    MapEntry,
}

impl Node {
    /// A node.
    pub fn new(at: u32, kind: Kind) -> Node {
        Node { at, kind }
    }

    /// The names of a chain such as `a.b.c`, root first, if it is one.
    pub fn names(&self) -> Option<Vec<&str>> {
        let mut names = Vec::new();
        let mut node = self;
        loop {
            match &node.kind {
                Kind::Ident(name) => {
                    names.push(name.as_str());
                    names.reverse();
                    return Some(names);
                }
                Kind::Select { operand, field, optional: false } => {
                    names.push(field.as_str());
                    node = operand;
                }
                _ => return None,
            }
        }
    }

    /// What it consists of directly, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Node> {
        match &mut self.kind {
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => vec![operand],
            Kind::Index { operand, index, .. } => vec![operand, index],
            Kind::Call { target, args, .. } => target.iter_mut().map(AsMut::as_mut).chain(args).collect(),
            Kind::Sum { first, rest } => {
                [first.as_mut()].into_iter().chain(rest.iter_mut().map(|(_, node)| node)).collect()
            }
            Kind::List(elements) => elements.iter_mut().map(|(element, _)| element).collect(),
            Kind::Map(entries) => entries.iter_mut().flat_map(|entry| [&mut entry.key, &mut entry.value]).collect(),
            Kind::Fold(fold) => {
                let Fold { range, filter, body, .. } = fold.as_mut();
                [range].into_iter().chain(filter).chain([body]).collect()
            }
            Kind::Bind { value, body, .. } => vec![value, body],
            Kind::OptMap { operand, body, .. } => vec![operand, body],
            Kind::SortBy { operand, key, .. } => vec![operand, key],
            _ => Vec::new(),
        }
    }

    /// What it consists of directly.
    pub fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Select { operand, .. } | Kind::Has { operand, .. } => vec![operand],
            Kind::Index { operand, index, .. } => vec![operand, index],
            Kind::Call { target, args, .. } => target.iter().map(AsRef::as_ref).chain(args).collect(),
            Kind::Sum { first, rest } => {
                [first.as_ref()].into_iter().chain(rest.iter().map(|(_, node)| node)).collect()
            }
            Kind::List(elements) => elements.iter().map(|(element, _)| element).collect(),
            Kind::Map(entries) => entries.iter().flat_map(|entry| [&entry.key, &entry.value]).collect(),
            Kind::Fold(fold) => {
                let Fold { range, filter, body, .. } = fold.as_ref();
                [range].into_iter().chain(filter).chain([body]).collect()
            }
            Kind::Bind { value, body, .. } => vec![value, body],
            Kind::OptMap { operand, body, .. } => vec![operand, body],
            Kind::SortBy { operand, key, .. } => vec![operand, key],
            _ => Vec::new(),
        }
    }
}
