//! Bounds that keep a tenant's text from exhausting the stack or the parser,
//! and the places of things in an expression's text, which the parser loses.

use cel::{
    ParseErrors,
    common::ast::{Expr, IdedExpr},
    parser::pratt_parser::{Lexer, Token, TokenKind},
};

use super::{Error, MAX_DEPTH, children};

/// 8 KiB: ten times the longest expression in kro's examples.
const MAX_BYTES: usize = 8 * 1024;
/// A chain such as `1+1+…` parses into a tree as deep as it has operators.
const MAX_TOKENS: usize = 1_000;
/// The parser recurses for each of these and does not count them itself.
const MAX_CONDITIONALS: usize = 64;
/// Brackets, braces and parentheses within each other, and `!` and `-` in a
/// row, for which the parser recurses too.
const MAX_NESTING: usize = 96;

/// Refuses a text that is too much for the parser.
pub(super) fn check_text(source: &str) -> Result<(), Error> {
    let refuse_above = |what, size, limit| if size > limit { Err(Error::TooBig { what, size, limit }) } else { Ok(()) };
    refuse_above("long (in bytes)", source.len(), MAX_BYTES)?;
    let tokens = tokens(source);
    let conditionals = tokens.iter().filter(|token| token.kind == TokenKind::TokQuestion).count();
    refuse_above("long (in tokens)", tokens.len(), MAX_TOKENS)?;
    refuse_above("deep (in conditionals)", conditionals, MAX_CONDITIONALS)?;
    refuse_above("deep (in parentheses)", nesting(&tokens), MAX_NESTING)?;
    if tokens.is_empty() { Err(Error::Empty) } else { Ok(()) }
}

/// How deep brackets are nested, counting signs in a row like brackets.
fn nesting(tokens: &[Token]) -> usize {
    let (mut open, mut signs, mut deepest) = (0_usize, 0, 0);
    for token in tokens {
        match token.kind {
            TokenKind::TokLeftParen | TokenKind::TokLeftBracket | TokenKind::TokLeftBrace => open += 1,
            TokenKind::TokRightParen | TokenKind::TokRightBracket | TokenKind::TokRightBrace => {
                open = open.saturating_sub(1);
            }
            _ => {}
        }
        let sign = matches!(token.kind, TokenKind::TokExclamation | TokenKind::TokMinus);
        signs = if sign { signs + 1 } else { 0 };
        deepest = deepest.max(open + signs);
    }
    deepest
}

/// Refuses a tree that is too deep to evaluate, or holds what kro lacks.
pub(super) fn check_tree(tree: &IdedExpr) -> Result<(), Error> {
    let mut pending = vec![(tree, 1)];
    while let Some((node, depth)) = pending.pop() {
        if depth > MAX_DEPTH {
            return Err(Error::TooBig { what: "deep (in levels)", size: depth, limit: MAX_DEPTH });
        }
        if matches!(node.expr, Expr::Struct(_)) {
            return Err(Error::Unsupported { what: "a message literal (`Type{…}`)" });
        }
        if matches!(node.expr, Expr::Unspecified) {
            return Err(Error::Unsupported { what: "this construct" });
        }
        pending.extend(children(&node.expr).into_iter().map(|child| (child, depth + 1)));
    }
    Ok(())
}

/// The first thing that the parser complains about.
pub(super) fn syntax_error(source: &str, errors: &ParseErrors) -> Error {
    let Some(first) = errors.errors.first() else { return Error::Syntax { at: 0, message: "Syntax error".to_owned() } };
    let (line, column) = first.pos;
    let whole_lines = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = source.split_inclusive('\n').take(whole_lines).map(str::len).sum();
    let in_line = usize::try_from(column - 1).unwrap_or(0);
    let rest = &source[before.min(source.len())..];
    let mut at = before + in_line.min(rest.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let prefix = if first.msg.starts_with("Syntax error") { "" } else { "Syntax error: " };
    Error::Syntax { at, message: format!("{prefix}{}", first.msg) }
}

/// Where a chain of names (`schema`, `spec`, `name`) stands in an expression's
/// text: start and length of its last name.
pub(crate) fn position_of(source: &str, chain: &[&str]) -> Option<(usize, usize)> {
    let tokens = tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |token| &source[token.start..token.end]);
    let is_chain = |start: usize| {
        let free = start == 0 || text(start - 1) != ".";
        free && chain
            .iter()
            .enumerate()
            .all(|(index, name)| text(start + 2 * index) == *name && (index == 0 || text(start + 2 * index - 1) == "."))
    };
    let start = (0..tokens.len()).find(|start| is_chain(*start))?;
    let last = tokens[start + 2 * (chain.len() - 1)];
    Some((last.start, last.end - last.start))
}

/// The tokens that mean something, at most one more than is allowed.
fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer::new(source);
    let mut tokens = Vec::new();
    while tokens.len() <= MAX_TOKENS {
        let token = lexer.lex();
        match token.kind {
            TokenKind::TokEnd => break,
            TokenKind::TokWhitespace | TokenKind::TokComment => {}
            // The lexer does not move past what it cannot read.
            TokenKind::TokError => {
                tokens.push(token);
                break;
            }
            _ => tokens.push(token),
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::parse;

    #[test]
    fn a_text_that_would_overflow_the_stack_is_refused() {
        let chains = [
            format!("1{}", "+1".repeat(20_000)),
            format!("1{}", "+1".repeat(300)),
            format!("a{}", "[0]".repeat(250)),
            format!("a{}", ".b".repeat(300)),
            format!("{}1{}", "(".repeat(200), ")".repeat(200)),
            format!("{}1", "true?1:".repeat(100)),
            format!("{}1", "!".repeat(900)),
            format!("{}1{}", "[".repeat(400), "]".repeat(400)),
            format!("'{}'", "x".repeat(9_000)),
        ];
        for chain in chains {
            assert!(parse(&chain).is_err(), "{}…", &chain[..20]);
        }
        assert!(parse(&format!("1{}", "+1".repeat(100))).is_ok());
    }

    #[test]
    fn what_is_no_expression_is_an_error_with_its_place() {
        assert_eq!(parse("  ").unwrap_err(), Error::Empty);
        let Err(Error::Syntax { at, message }) = parse("schema.spec.name +") else { panic!("accepted") };
        assert_eq!(at, 18);
        assert!(message.contains("Syntax error"), "{message}");
        assert!(matches!(parse("'é' + ) + 1"), Err(Error::Syntax { at: 7, .. })));
        assert!(matches!(parse("a.?b"), Err(Error::Syntax { .. })));
        assert!(matches!(parse("Type{a: 1}"), Err(Error::Unsupported { .. })));
        for odd in ["'", "\u{0}", "§", "1 § 2", "a..b", "{", "1e", "0x", "`a`", "\"\\", "''' '", "b'\\377'", "'\\u00'"]
        {
            let _ = parse(odd);
        }
    }

    #[test]
    fn a_name_is_found_where_it_is_free() {
        assert_eq!(position_of("a.schema + schema.spec.x", &["schema"]), Some((11, 6)));
        assert_eq!(position_of("a.schema + schema.spec.x", &["schema", "spec", "x"]), Some((23, 1)));
        assert_eq!(position_of("'schema'", &["schema"]), None);
    }
}
