//! From text to a tree, within bounds. The `cel` crate parses; here its tree is
//! given places, the macros that its parser knows are recognised again, and
//! those that it does not know are read.
//!
//! It does not know which names and functions there are.

use cel::{
    ParseErrors,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo},
    parser::{
        PrattParser,
        pratt_parser::{Lexer, TokenKind},
    },
};

use crate::{
    error::Issue,
    macros,
    syntax::{Action, Entry, Fold, Kind, Node},
};

/// 64 KiB: a script of that length may be one template.
pub const MAX_BYTES: usize = 64 * 1024;
/// More tokens than any expression that people maintain by hand.
pub const MAX_TOKENS: usize = 4_000;
/// The parser recurses for each of these and does not count them itself.
pub const MAX_CONDITIONALS: usize = 64;
/// Brackets, braces and parentheses within each other, and `!` and `-` in a
/// row, for which the parser recurses too.
pub const MAX_NESTING: usize = 64;
/// Levels of the tree: checking and evaluating recurse once a level, and a
/// module has a stack of 1 MiB.
pub const MAX_DEPTH: usize = 160;

/// Parses an expression.
///
/// # Errors
/// It is not CEL, or more than the bounds allow; everything that the parser
/// found.
pub fn parse(source: &str) -> Result<Node, Vec<Issue>> {
    bounded(source)?;
    let tree = match parser().parse(source) {
        Ok(tree) => tree,
        Err(errors) => return Err(syntax_errors(source, &errors)),
    };
    // A conditional chain or an operator chain may still be too deep to walk.
    if depth(&tree) > MAX_DEPTH {
        return Err(vec![too_big(source, "deep", depth(&tree), MAX_DEPTH, "levels")]);
    }
    let mut converter = Converter { source, places: places(source), issues: Vec::new() };
    let node = converter.node(&tree);
    if converter.issues.is_empty() { Ok(node) } else { Err(converter.issues) }
}

fn parser() -> PrattParser {
    PrattParser::new().enable_optional_syntax(true).enable_ident_escape_syntax(true)
}

/// Where the nodes are. The parser hands its places out only with an error, so
/// the text is parsed once more with one at its end.
fn places(source: &str) -> SourcePlaces {
    let failed = parser().parse(&format!("{source}\n)"));
    let places = failed.err().and_then(|errors| errors.errors.into_iter().find_map(|error| error.source_info));
    SourcePlaces(places)
}

struct SourcePlaces(Option<std::sync::Arc<SourceInfo>>);

impl SourcePlaces {
    fn of(&self, id: u64) -> u32 {
        self.0.as_ref().and_then(|places| places.offset_for(id)).map_or(0, |(start, _)| start)
    }
}

fn too_big(source: &str, what: &str, size: usize, limit: usize, unit: &str) -> Issue {
    let message = format!("the expression is too {what}: {size} {unit}, at most {limit} are allowed");
    Issue::new(source, 0, message).hint("split it, or compute a part of it in another resource")
}

/// Refuses a text that is too much for the parser.
fn bounded(source: &str) -> Result<(), Vec<Issue>> {
    let refuse = |what, size, limit, unit| {
        if size > limit { Err(vec![too_big(source, what, size, limit, unit)]) } else { Ok(()) }
    };
    refuse("long", source.len(), MAX_BYTES, "bytes")?;
    let counts = Counts::of(source);
    refuse("long", counts.tokens, MAX_TOKENS, "tokens")?;
    refuse("deep", counts.conditionals, MAX_CONDITIONALS, "conditionals")?;
    refuse("deep", counts.nesting, MAX_NESTING, "levels of parentheses")?;
    if counts.tokens == 0 {
        return Err(vec![Issue::new(source, 0, "Syntax error: the expression is empty")]);
    }
    Ok(())
}

#[derive(Default)]
struct Counts {
    tokens: usize,
    conditionals: usize,
    nesting: usize,
}

impl Counts {
    fn of(source: &str) -> Counts {
        let mut lexer = Lexer::new(source);
        let mut counts = Counts::default();
        let (mut open, mut signs) = (0_usize, 0);
        while counts.tokens <= MAX_TOKENS {
            let kind = lexer.lex().kind;
            match kind {
                TokenKind::TokEnd => break,
                TokenKind::TokWhitespace | TokenKind::TokComment => continue,
                // The lexer does not move past what it cannot read.
                TokenKind::TokError => {
                    counts.tokens += 1;
                    break;
                }
                TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => open += 1,
                TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                    open = open.saturating_sub(1);
                }
                TokenKind::TokQuestion => counts.conditionals += 1,
                _ => {}
            }
            counts.tokens += 1;
            signs = if matches!(kind, TokenKind::TokExclamation | TokenKind::TokMinus) { signs + 1 } else { 0 };
            counts.nesting = counts.nesting.max(open + signs);
        }
        // `a.?b` and `a[?b]` are not conditionals; the bound is wide enough for both.
        counts.conditionals = counts.conditionals.saturating_sub(optional_marks(source));
        counts
    }
}

/// The question marks of the optional syntax.
fn optional_marks(source: &str) -> usize {
    [".?", "[?", "{?", ",?", ", ?"].iter().map(|mark| source.matches(mark).count()).sum()
}

/// The levels of a tree in which a chain of `+` is one level, as it will be.
fn depth(tree: &IdedExpr) -> usize {
    let mut deepest = 0;
    let mut pending = vec![(tree, 1)];
    while let Some((node, depth)) = pending.pop() {
        deepest = deepest.max(depth);
        let chain = is_sum(&node.expr);
        for child in children(&node.expr) {
            let same_level = chain && is_sum(&child.expr);
            pending.push((child, if same_level { depth } else { depth + 1 }));
        }
    }
    deepest
}

fn is_sum(expression: &Expr) -> bool {
    matches!(expression, Expr::Call(call) if call.func_name == "_+_" && call.args.len() == 2)
}

fn children(expression: &Expr) -> Vec<&IdedExpr> {
    match expression {
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        Expr::Comprehension(it) => vec![&it.iter_range, &it.accu_init, &it.loop_cond, &it.loop_step, &it.result],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(it) => it.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Vec::new(),
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}

/// What the parser complains about.
fn syntax_errors(source: &str, errors: &ParseErrors) -> Vec<Issue> {
    let mut issues: Vec<Issue> = Vec::new();
    for error in &errors.errors {
        let (line, column) = error.pos;
        let whole_lines = usize::try_from(line - 1).unwrap_or(0);
        let before: usize = source.split_inclusive('\n').take(whole_lines).map(str::len).sum();
        let at = before + usize::try_from(column - 1).unwrap_or(0);
        let prefix = if error.msg.starts_with("Syntax error") { "" } else { "Syntax error: " };
        issues.push(Issue::new(source, at, format!("{prefix}{}", error.msg)));
    }
    if issues.is_empty() {
        issues.push(Issue::new(source, 0, "Syntax error"));
    }
    issues
}

pub(crate) struct Converter<'s> {
    pub(crate) source: &'s str,
    places: SourcePlaces,
    pub(crate) issues: Vec<Issue>,
}

impl Converter<'_> {
    /// Notes what is wrong with a macro.
    pub(crate) fn refuse(&mut self, at: u32, message: impl Into<String>) {
        self.issues.push(Issue::new(self.source, at as usize, message));
    }

    fn node(&mut self, tree: &IdedExpr) -> Node {
        let at = self.places.of(tree.id);
        let kind = match &tree.expr {
            Expr::Literal(literal) => literal_kind(literal),
            Expr::Ident(name) => Kind::Ident(name.clone()),
            Expr::Select(select) => {
                let operand = Box::new(self.node(&select.operand));
                let field = select.field.clone();
                if select.test {
                    Kind::Has { operand, field }
                } else {
                    Kind::Select { operand, field, optional: false }
                }
            }
            Expr::Call(call) => return self.call(at, call),
            Expr::List(list) => {
                let optional = |index: &usize| list.optional_indices.contains(index);
                let elements = list.elements.iter().enumerate();
                Kind::List(elements.map(|(index, element)| (self.node(element), optional(&index))).collect())
            }
            Expr::Map(map) => Kind::Map(map.entries.iter().filter_map(|entry| self.entry(&entry.expr)).collect()),
            Expr::Struct(it) => Kind::Message(it.type_name.clone()),
            Expr::Comprehension(it) => return self.comprehension(at, it),
            Expr::Unspecified => {
                self.refuse(at, "Syntax error: unexpected expression");
                Kind::Null
            }
        };
        Node::new(at, kind)
    }

    fn entry(&mut self, entry: &EntryExpr) -> Option<Entry> {
        match entry {
            EntryExpr::MapEntry(entry) => {
                Some(Entry { key: self.node(&entry.key), value: self.node(&entry.value), optional: entry.optional })
            }
            EntryExpr::StructField(_) => None,
        }
    }

    fn call(&mut self, at: u32, call: &CallExpr) -> Node {
        if is_sum_call(call) {
            return self.sum(at, call);
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            ("_?._", [operand, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }]) => {
                let operand = Box::new(self.node(operand));
                return Node::new(at, Kind::Select { operand, field: field.inner().to_owned(), optional: true });
            }
            (name @ ("_[_]" | "_[?_]"), [operand, index]) => {
                let (operand, index) = (Box::new(self.node(operand)), Box::new(self.node(index)));
                return Node::new(at, Kind::Index { operand, index, optional: name == "_[?_]" });
            }
            _ => {}
        }
        let target = call.target.as_deref().map(|target| Box::new(self.node(target)));
        let args = call.args.iter().map(|argument| self.node(argument)).collect();
        let name = call.func_name.clone();
        // The name of a function is reported at its parenthesis, like a method's.
        let at = if target.is_none() { self.parenthesis(at, &name) } else { at };
        macros::expand(self, Node::new(at, Kind::Call { target, name, args }))
    }

    /// The parenthesis after a function's name.
    fn parenthesis(&self, at: u32, name: &str) -> u32 {
        let after = at as usize + name.len();
        let is_name = self.source.get(at as usize..after).is_some_and(|text| text == name);
        let gap = self.source.get(after..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        let found = is_name && self.source.as_bytes().get(after + gap) == Some(&b'(');
        if found { u32::try_from(after + gap).unwrap_or(at) } else { at }
    }

    /// A chain of `+` as one node, so that a long text made of many parts is no
    /// deep tree.
    fn sum(&mut self, at: u32, call: &CallExpr) -> Node {
        let mut operators = vec![at];
        let mut operands = vec![&call.args[1]];
        let mut left = &call.args[0];
        while let Expr::Call(call) = &left.expr {
            if !is_sum_call(call) {
                break;
            }
            operators.push(self.places.of(left.id));
            operands.push(&call.args[1]);
            left = &call.args[0];
        }
        operands.push(left);
        let mut rest = operands.into_iter().rev().map(|operand| self.node(operand));
        // There are two operands at least.
        let first = rest.next().unwrap_or(Node::new(at, Kind::Null));
        let rest: Vec<Node> = rest.collect();
        let rest = operators.into_iter().rev().zip(rest).collect();
        Node::new(at, Kind::Sum { first: Box::new(first), rest })
    }

    /// Tells which macro a loop was made of: the parser knows only the standard
    /// ones, and each has a form of its own.
    fn comprehension(&mut self, at: u32, it: &ComprehensionExpr) -> Node {
        let (action, filter, body) = match (&it.accu_init.expr, &it.loop_step.expr) {
            (Expr::Literal(LiteralValue::Boolean(init)), Expr::Call(step)) if step.args.len() == 2 => {
                (if *init.inner() { Action::All } else { Action::Exists }, None, &step.args[1])
            }
            (Expr::Literal(LiteralValue::Int(_)), Expr::Call(step)) if step.args.len() == 3 => {
                (Action::ExistsOne, None, &step.args[0])
            }
            (Expr::List(_), Expr::Call(step)) if step.func_name == "_?_:_" => match appended(&step.args[1]) {
                Some(Expr::Ident(name)) if *name == it.iter_var => (Action::Filter, None, &step.args[0]),
                _ => (Action::List, Some(&step.args[0]), element(&step.args[1])),
            },
            (Expr::List(_), _) => (Action::List, None, element(&it.loop_step)),
            _ => {
                self.refuse(at, "Syntax error: unexpected comprehension");
                return Node::new(at, Kind::Null);
            }
        };
        let fold = Fold {
            action,
            range: self.node(&it.iter_range),
            first: it.iter_var.clone(),
            second: None,
            filter: filter.map(|filter| self.node(filter)),
            body: self.node(body),
        };
        Node::new(at, Kind::Fold(Box::new(fold)))
    }
}

fn is_sum_call(call: &CallExpr) -> bool {
    call.func_name == "_+_" && call.args.len() == 2 && call.target.is_none()
}

/// The element of `accumulator + [element]`; the step itself if it is none.
fn element(step: &IdedExpr) -> &IdedExpr {
    match &step.expr {
        Expr::Call(call) => match call.args.get(1).map(|list| &list.expr) {
            Some(Expr::List(list)) => list.elements.first().unwrap_or(step),
            _ => step,
        },
        _ => step,
    }
}

fn appended(step: &IdedExpr) -> Option<&Expr> {
    let found = element(step);
    (!std::ptr::eq(found, step)).then_some(&found.expr)
}

fn literal_kind(literal: &LiteralValue) -> Kind {
    match literal {
        LiteralValue::Boolean(value) => Kind::Bool(*value.inner()),
        LiteralValue::Bytes(value) => Kind::Bytes(value.inner().to_vec()),
        LiteralValue::Double(value) => Kind::Double(*value.inner()),
        LiteralValue::Int(value) => Kind::Int(*value.inner()),
        LiteralValue::Null => Kind::Null,
        LiteralValue::String(value) => Kind::Text(value.inner().to_owned()),
        LiteralValue::UInt(value) => Kind::Uint(*value.inner()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_know_their_place() {
        let node = parse("a.b + c(d)").unwrap();
        let Kind::Sum { first, rest } = &node.kind else { panic!("{node:?}") };
        assert_eq!((first.at, rest[0].0, rest[0].1.at), (1, 4, 7));
    }

    #[test]
    fn standard_macros_are_recognised() {
        for (source, action) in [
            ("l.all(x, x > 1)", Action::All),
            ("l.exists(x, x > 1)", Action::Exists),
            ("l.exists_one(x, x > 1)", Action::ExistsOne),
            ("l.map(x, x + 1)", Action::List),
            ("l.map(x, x > 1, x + 1)", Action::List),
            ("l.filter(x, x > 1)", Action::Filter),
        ] {
            let node = parse(source).unwrap();
            assert!(matches!(&node.kind, Kind::Fold(fold) if fold.action == action), "{source}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_and_not_overflown() {
        for source in [
            "1+".repeat(5_000) + "1",
            "(".repeat(5_000),
            "[".repeat(100) + &"]".repeat(100),
            "-".repeat(3_000) + "1",
            "a".to_owned() + &".b".repeat(400),
            "a".to_owned() + &"[0]".repeat(400),
            "true ? 1 : ".repeat(80) + "2",
            " ".repeat(70_000),
            String::new(),
        ] {
            assert!(parse(&source).is_err(), "{}", &source[..source.len().min(20)]);
        }
        assert!(parse(&("'a'+".repeat(1_000) + "'b'")).is_ok(), "a long sum is flat");
    }
}
