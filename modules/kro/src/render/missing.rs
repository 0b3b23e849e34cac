//! What an expression misses: the path that is not there, as far as it can be
//! found out.

use std::fmt;

use expr::{eval::Error, value::Value};

use super::scope::Scope;
use crate::{problem::Pointer, program::Expression};

/// The variable of the instance.
const SCHEMA: usize = 0;

/// What is not there.
#[derive(Debug)]
pub(super) enum Missing<'r> {
    /// A field of a variable, by the fields that lead to it.
    Field { variable: usize, name: &'r str, fields: Vec<&'r str> },
    /// A key, of a value that is made in the expression.
    Key(String),
    /// Something else, in the words of the evaluator.
    Other(String),
}

impl<'r> Missing<'r> {
    /// What the expression misses that ended with this error.
    pub(super) fn of(expression: &'r Expression<'r>, error: &Error, scope: &Scope<'r>) -> Missing<'r> {
        let Error::NoSuchKey(key) = error else { return Missing::Other(error.to_string()) };
        let reads = expression.code.reads();
        let found = reads.into_iter().find_map(|(variable, fields)| {
            let variable = usize::from(variable);
            let depth = first_absent(scope.get(variable)?, fields)?;
            let fields = fields.get(..=depth)?.to_vec();
            (fields.last() == Some(&key.as_str())).then_some((variable, fields))
        });
        match found {
            Some((variable, fields)) => Missing::Field { variable, name: scope.name(variable), fields },
            None => Missing::Key(key.clone()),
        }
    }

    /// Whether it is a field of the instance.
    pub(super) fn is_of_instance(&self) -> bool {
        self.variable() == Some(SCHEMA)
    }

    /// The variable that lacks it.
    pub(super) fn variable(&self) -> Option<usize> {
        match self {
            Missing::Field { variable, .. } => Some(*variable),
            Missing::Key(_) | Missing::Other(_) => None,
        }
    }

    /// As it is written in an expression.
    pub(super) fn path(&self) -> Option<String> {
        match self {
            Missing::Field { name, fields, .. } => Some([&[*name], fields.as_slice()].concat().join(".")),
            Missing::Key(key) => Some(key.clone()),
            Missing::Other(_) => None,
        }
    }

    /// Where it would be in the instance.
    pub(super) fn pointer(&self) -> Pointer {
        match self {
            Missing::Field { variable: SCHEMA, fields, .. } => Pointer::root().fields(fields.iter().copied()),
            _ => Pointer::root(),
        }
    }
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Other(why) => f.write_str(why),
            Missing::Field { .. } | Missing::Key(_) => write!(f, "`{}` is missing", self.path().unwrap_or_default()),
        }
    }
}

/// The position of the first field that is not there.
fn first_absent(value: &Value, fields: &[&str]) -> Option<usize> {
    let mut value = value.clone();
    for (depth, field) in fields.iter().enumerate() {
        let Value::Map(map) = value else { return None };
        match map.field(field) {
            Some(below) => value = below,
            None => return Some(depth),
        }
    }
    None
}
