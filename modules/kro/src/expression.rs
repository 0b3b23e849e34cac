//! CEL: the only part that knows the `cel` crate.
//!
//! An expression is bounded and parsed once, when a definition is prepared;
//! checked over its tree; rewritten into a form whose evaluation is
//! deterministic; and carried as bytes. What an expression may refer to is for
//! `check` to say, when it is evaluated for `render`.

pub(crate) mod codec;
pub(crate) mod evaluate;
mod functions;
pub(crate) mod infer;
mod limits;
pub(crate) mod references;
mod rewrite;
mod value;

use std::borrow::Cow;

use cel::{
    common::ast::{Expr, IdedExpr},
    parser::PrattParser,
};
use serde::{Deserialize, Serialize};

pub(crate) use functions::{GLOBAL_NAMES, TYPE_NAMES, unknown_function};
pub(crate) use limits::position_of;

/// Trees deeper than this are refused: evaluation recurses once a level, and
/// the guest's stack of 512 KiB holds about twice as many.
pub(crate) const MAX_DEPTH: usize = 200;

/// A parsed expression.
#[derive(Debug)]
pub(crate) struct Expression {
    /// What was written.
    pub(crate) source: String,
    /// What it means.
    ast: IdedExpr,
}

/// An expression in a program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Code<'a> {
    /// What was written, for messages.
    pub(crate) source: &'a str,
    /// How to evaluate it.
    #[serde(borrow)]
    pub(crate) form: Form<'a>,
}

/// How an expression is evaluated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Form<'a> {
    /// Fields below a variable: looked up in the JSON, without an engine.
    Path(Vec<&'a str>),
    /// Anything else: an encoded tree, and what of the engine it needs.
    Tree {
        /// As `codec` writes it.
        #[serde(borrow)]
        bytes: &'a [u8],
        /// Whether it calls functions beyond the few that are always there.
        whole_library: bool,
    },
}

impl Code<'_> {
    /// What was written, cut to what a message can bear.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        // Long enough for nearly every expression, short enough for a condition.
        const LONGEST: usize = 160;
        match self.source.char_indices().nth(LONGEST) {
            Some((end, _)) => Cow::Owned(format!("{}…", &self.source[..end])),
            None => Cow::Borrowed(self.source),
        }
    }

    /// Which of these variables it mentions: by its text, since only the message
    /// of a wait depends on it.
    pub(crate) fn mentioned(&self, variables: &[&str]) -> Vec<String> {
        let mentioned = variables.iter().filter(|variable| position_of(self.source, &[variable]).is_some());
        mentioned.map(|variable| (*variable).to_owned()).collect()
    }
}

/// Why a text is no expression.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// It is empty.
    #[error("the expression is empty")]
    Empty,
    /// It is longer than anybody needs.
    #[error("the expression is too {what}: {size}, at most {limit} are allowed")]
    TooBig {
        /// `long` or `deep`, and in which measure.
        what: &'static str,
        /// How big it is.
        size: usize,
        /// How big it may be.
        limit: usize,
    },
    /// It is not CEL.
    #[error("{message}")]
    Syntax {
        /// The byte where it stops being CEL.
        at: usize,
        /// What the parser says.
        message: String,
    },
    /// It is CEL that kro does not have.
    #[error("{what} is not supported")]
    Unsupported {
        /// Which construct.
        what: &'static str,
    },
}

/// Parses an expression within bounds.
pub(crate) fn parse(source: &str) -> Result<Expression, Error> {
    limits::check_text(source)?;
    let parsed = PrattParser::new().enable_optional_syntax(false).parse(source);
    let mut ast = parsed.map_err(|errors| limits::syntax_error(source, &errors))?;
    limits::check_tree(&ast)?;
    rewrite::expand_macros(&mut ast)?;
    Ok(Expression { source: source.to_owned(), ast })
}

impl Expression {
    /// The fields that it reads below a variable, if it does nothing else.
    pub(crate) fn path(&self) -> Option<Vec<&str>> {
        let mut fields = Vec::new();
        let mut expression = &self.ast.expr;
        loop {
            match expression {
                Expr::Ident(name) => {
                    fields.push(name.strip_prefix('.').unwrap_or(name));
                    fields.reverse();
                    return Some(fields);
                }
                Expr::Select(select) if !select.test => {
                    fields.push(&select.field);
                    expression = &select.operand.expr;
                }
                _ => return None,
            }
        }
    }

    /// Its tree, ready to be evaluated, as bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut ast = self.ast.clone();
        rewrite::make_deterministic(&mut ast);
        codec::encode(&ast)
    }

    /// Whether it needs functions beyond the few that are always there.
    pub(crate) fn needs_whole_library(&self) -> bool {
        functions::needs_whole_library(&self.ast)
    }
}

/// What an expression consists of directly.
fn children(expression: &Expr) -> Vec<&IdedExpr> {
    use cel::common::ast::EntryExpr;
    match expression {
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        Expr::Comprehension(it) => vec![&it.iter_range, &it.accu_init, &it.loop_cond, &it.loop_step, &it.result],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            })
            .collect(),
        Expr::Struct(it) => it
            .entries
            .iter()
            .map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => &entry.value,
                EntryExpr::StructField(field) => &field.value,
            })
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

/// The same, to be changed. A struct literal has none: the checks refuse it.
fn children_mut(expression: &mut Expr) -> Vec<&mut IdedExpr> {
    use cel::common::ast::EntryExpr;
    match expression {
        Expr::Call(call) => call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args).collect(),
        Expr::Comprehension(it) => {
            let it = it.as_mut();
            vec![&mut it.iter_range, &mut it.accu_init, &mut it.loop_cond, &mut it.loop_step, &mut it.result]
        }
        Expr::List(list) => list.elements.iter_mut().collect(),
        Expr::Map(map) => map
            .entries
            .iter_mut()
            .flat_map(|entry| match &mut entry.expr {
                EntryExpr::MapEntry(entry) => vec![&mut entry.key, &mut entry.value],
                EntryExpr::StructField(_) => Vec::new(),
            })
            .collect(),
        Expr::Select(select) => vec![&mut select.operand],
        Expr::Struct(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_shows_a_long_expression_in_part() {
        let form = || Form::Path(Vec::new());
        assert_eq!(Code { source: "a.b", form: form() }.shown(), "a.b");
        let long = "é".repeat(1_000);
        assert_eq!(Code { source: &long, form: form() }.shown().chars().count(), 161);
    }

    #[test]
    fn a_plain_field_access_needs_no_engine() {
        assert_eq!(parse("schema.spec.name").unwrap().path(), Some(vec!["schema", "spec", "name"]));
        for source in ["schema.spec.list[0]", "has(schema.spec.name)", "schema.spec.name + ''", "'a'.size()"] {
            assert_eq!(parse(source).unwrap().path(), None, "{source}");
        }
    }
}
