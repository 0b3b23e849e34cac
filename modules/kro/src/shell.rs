//! Variables of shells and of other templates, which are written like kro's
//! expressions and never meant as such.
//!
//! It knows what they look like, and how a definition says that they are text.

use std::ops::Range;

/// What stands between `${` and `}`, as far as it looks like somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable<'t> {
    /// A name and nothing else: also an expression, if there is such a name.
    Name(&'t str),
    /// A name and what a shell does with it: an expression only by chance.
    Expansion(&'t str),
    /// What no expression begins with, such as `#LIST[@]` or `!name`.
    Foreign,
}

/// Takes the text between `${` and `}` for a variable, if it looks like one.
pub(crate) fn variable(text: &str) -> Option<Variable<'_>> {
    let end = text.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.starts_with(|first: char| first.is_ascii_digit()) || name.is_empty() {
        return is_foreign(text).then_some(Variable::Foreign);
    }
    let expands = [":", "%", "#", "/", "^", ",", "@", "[@]", "[*]", "[$", "?", "=", "-", "+"];
    match rest {
        "" => Some(Variable::Name(name)),
        // `a:b` begins no expression; `a / b` and `a - b` have spaces in a definition.
        rest if expands.iter().any(|sign| rest.starts_with(sign)) => Some(Variable::Expansion(name)),
        _ => None,
    }
}

/// `#LIST[@]`, `!name`, `1`, `@`: positions, lengths and indirections.
fn is_foreign(text: &str) -> bool {
    let mut letters = text.chars();
    match letters.next() {
        Some('#' | '@' | '*' | '?' | '$') => true,
        Some('!') => letters.all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '@' || it == '*'),
        // `1`, and `0##*/`: what a script was called with.
        Some(first) if first.is_ascii_digit() => {
            let rest = text.trim_start_matches(|it: char| it.is_ascii_digit());
            ["", ":", "%", "#", "/", "@"]
                .iter()
                .any(|sign| if sign.is_empty() { rest.is_empty() } else { rest.starts_with(sign) })
        }
        _ => false,
    }
}

/// Where a text holds `$(schema.spec.a)`, `{{ schema.spec.a }}`, `{schema.spec.a}`
/// or `$schema.spec.a`, and the expression that is meant.
pub(crate) fn almost_an_expression(text: &str) -> Option<(Range<usize>, &str)> {
    let is_path = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '?' | '[' | ']' | '"');
    text.match_indices("schema.").find_map(|(start, _)| {
        let rest = &text[start..];
        let end = start + rest.find(|it: char| !is_path(it)).unwrap_or(rest.len());
        let expression = text[start..end].trim_end_matches('.');
        let is_of_kro = ["schema.spec", "schema.metadata", "schema.status"].iter().any(|of| expression.starts_with(of));
        let (before, after) = (&text[..start], &text[start + expression.len()..]);
        let brackets = [("$(", ")"), ("{{", "}}"), ("{", "}"), ("$", "")];
        let (open, close) = brackets.into_iter().find(|(open, close)| {
            before.trim_end_matches(' ').ends_with(open) && after.trim_start_matches(' ').starts_with(close)
        })?;
        let from = before.rfind(open)?;
        let to = start + expression.len() + after.find(close)? + close.len();
        is_of_kro.then_some((from..to, expression))
    })
}

/// Whether a name is one that only the environment of a process has.
pub(crate) fn is_of_the_environment(name: &str) -> bool {
    name.contains(|it: char| it.is_ascii_uppercase())
        && name.chars().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == '_')
}

/// How a definition says that `${text}` is text.
pub(crate) fn escaped(text: &str) -> String {
    format!("${{\"${{{}}}\"}}", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The advice for it.
pub(crate) fn hint(text: &str) -> String {
    format!("a variable of a shell or of another template is written `{}`, so that it stays text", escaped(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shells_do_with_variables_is_known() {
        for text in [
            "USER:-nobody",
            "A:=b",
            "A:?not set",
            "A:+b",
            "A-b",
            "A%.*",
            "A%%.txt",
            "A#*/",
            "A##*/",
            "A/x/y",
            "A//x/y",
            "A^^",
            "A,,",
            "A@Q",
            "A:0:3",
            "LIST[@]",
            "LIST[*]",
            "LIST[$i]",
            "env:X",
        ] {
            assert!(matches!(variable(text), Some(Variable::Expansion(_))), "{text}");
        }
        for text in ["#A", "#LIST[@]", "!A", "!A@", "1", "10", "0##*/", "1:-x", "@", "*", "?", "$"] {
            assert_eq!(variable(text), Some(Variable::Foreign), "{text}");
        }
        assert_eq!(variable("HOME"), Some(Variable::Name("HOME")));
        for text in
            ["schema.spec.a", "a.b", "a ? b : c", "f(x)", "!a.b", "!has(a.b)", "1 + 2", "\"a\"", "a[0]", "{}", "-a"]
        {
            assert_eq!(variable(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_meant_as_an_expression_is_found() {
        for (text, found) in [
            ("a $(schema.spec.a) b", "$(schema.spec.a)"),
            ("{{ schema.spec.a }}", "{{ schema.spec.a }}"),
            ("{schema.metadata.name}-x", "{schema.metadata.name}"),
            ("$schema.spec.a.b.", "$schema.spec.a.b"),
        ] {
            let (range, _) = almost_an_expression(text).expect(text);
            assert_eq!(&text[range], found);
        }
        for text in ["see schema.spec.a", "{{ .Values.schema.spec }}", "$schema.json", "(schema.spec.a)", "schema."] {
            assert_eq!(almost_an_expression(text), None, "{text}");
        }
    }

    #[test]
    fn only_capitals_are_of_the_environment() {
        assert!(is_of_the_environment("DB_URL2") && is_of_the_environment("A"));
        assert!(!is_of_the_environment("home") && !is_of_the_environment("_") && !is_of_the_environment("Home"));
    }

    #[test]
    fn the_escape_protects_quotes_and_backslashes() {
        assert_eq!(escaped("HOME"), r#"${"${HOME}"}"#);
        assert_eq!(escaped(r#"A:-"b\c""#), r#"${"${A:-\"b\\c\"}"}"#);
    }
}
