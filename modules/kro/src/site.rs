//! One expression of a definition, with the place where it is written.
//!
//! It knows how a place in the expression becomes a place in the definition,
//! and nothing of what the expression means.

use std::ops::Range;

use expr::{
    error::Issue,
    library::{self, Library},
    parse::parse,
    references::{self, Mentions},
    syntax::Node,
};

use crate::{
    problem::{Noted, Pointer, Problems},
    shell,
    template::{self, Parts},
};

/// One expression of a definition.
#[derive(Debug)]
pub(crate) struct Site {
    /// The string that holds it.
    pub(crate) at: Pointer,
    /// That string.
    pub(crate) text: String,
    /// The expression. Of a string of several parts it is their sum.
    pub(crate) source: String,
    /// Its tree.
    pub(crate) node: Node,
    segments: Vec<Segment>,
}

/// A stretch of the expression that stands in the string.
#[derive(Debug)]
struct Segment {
    in_source: usize,
    in_text: usize,
    length: usize,
}

impl Site {
    /// The expression that a part of a string is.
    pub(crate) fn part(at: &Pointer, text: &str, range: Range<usize>) -> Result<Site, Refused> {
        let source = text[range.clone()].to_owned();
        let segments = vec![Segment { in_source: 0, in_text: range.start, length: source.len() }];
        Site::parsed(at, text, source, segments)
    }

    /// The sum that a string of several parts is.
    pub(crate) fn sum(at: &Pointer, text: &str, parts: &Parts) -> Result<Site, Refused> {
        let (source, starts) = template::concatenated(text, parts);
        let segments = parts.expressions().zip(starts);
        let segments = segments
            .map(|(range, in_source)| Segment { in_source, in_text: range.start, length: range.len() })
            .collect();
        Site::parsed(at, text, source, segments)
    }

    fn parsed(at: &Pointer, text: &str, source: String, segments: Vec<Segment>) -> Result<Site, Refused> {
        match parse(&source) {
            Ok(node) => Ok(Site { at: at.clone(), text: text.to_owned(), source, node, segments }),
            Err(issues) => Err(Refused { at: at.clone(), source, segments, issues }),
        }
    }

    /// Where in the string a place in the expression is.
    fn in_text(&self, at: usize, length: usize) -> (usize, usize) {
        in_text(&self.segments, at, length)
    }

    /// Notes an error about a part of the expression.
    pub(crate) fn error<'p>(
        &self,
        problems: &'p mut Problems,
        code: &str,
        at: usize,
        length: usize,
        message: impl Into<String>,
    ) -> Noted<'p> {
        let (start, length) = self.in_text(at, length);
        problems.error(code, &self.at, message).span(start, length)
    }

    /// Notes something about a part of the expression that stops nothing.
    pub(crate) fn warning<'p>(
        &self,
        problems: &'p mut Problems,
        code: &str,
        at: usize,
        length: usize,
        message: impl Into<String>,
    ) -> Noted<'p> {
        let (start, length) = self.in_text(at, length);
        problems.warning(code, &self.at, message).span(start, length)
    }

    /// Notes an error about the whole expression.
    pub(crate) fn wrong<'p>(&self, problems: &'p mut Problems, code: &str, message: impl Into<String>) -> Noted<'p> {
        problems.error(code, &self.at, message).span(0, self.text.len())
    }

    /// What it reads and calls.
    pub(crate) fn mentions(&self) -> Mentions<'_> {
        mentions(&self.node)
    }

    /// The length of the name that starts at a place in the expression.
    pub(crate) fn word(&self, at: usize) -> usize {
        Issue::new(&self.source, at, "").length
    }
}

/// What an expression, or a part of one, reads and calls.
pub(crate) fn mentions(node: &Node) -> Mentions<'_> {
    references::mentions(node, &|name| library::is_function(name, Library::OF_KRO))
}

/// A text that is not an expression.
#[derive(Debug)]
pub(crate) struct Refused {
    at: Pointer,
    source: String,
    segments: Vec<Segment>,
    issues: Vec<Issue>,
}

impl Refused {
    /// The first thing that is wrong with it.
    pub(crate) fn first(&self) -> String {
        self.issues.first().map(|issue| located(&self.source, issue)).unwrap_or_default()
    }

    /// Notes what is wrong with it, once for each expression: what a parser says
    /// after the first mistake follows from it most often. `prefix` says whose
    /// expression it is.
    pub(crate) fn note(self, prefix: &str, problems: &mut Problems) {
        let mut told: Vec<usize> = Vec::new();
        for issue in &self.issues {
            let segment = segment(&self.segments, issue.at);
            if told.contains(&segment) {
                continue;
            }
            told.push(segment);
            let (start, length) = in_text(&self.segments, issue.at, issue.length);
            let code = if issue.message.contains("too long") || issue.message.contains("too deep") {
                "ExpressionTooBig"
            } else {
                "InvalidExpression"
            };
            let hint = issue.hint.clone().or_else(|| {
                let empty = issue.message.ends_with("is empty");
                Some(if empty {
                    "write an expression between the braces, such as `${schema.spec.name}`".to_owned()
                } else if issue.message.contains("has() macro") {
                    "`has(…)` asks for a field, such as `has(schema.spec.name)`; of a resource that may be switched off, \
                     ask for what switches it off"
                        .to_owned()
                } else if let Some(open) = unclosed(&self.source, issue) {
                    open
                } else if issue.message.contains("mismatched input '='") {
                    "`==` compares two values".to_owned()
                } else if is_of_a_template(&self.source) || issue.message.contains("reserved identifier: var") {
                    shell::hint(&self.source)
                } else {
                    "expressions are CEL, such as `schema.spec.name + \"-suffix\"`".to_owned()
                })
            });
            let message = format!("{prefix}{}", located(&self.source, issue));
            problems.error(code, &self.at, message).span(start, length).maybe_hint(hint);
        }
    }
}

/// What to close, if the expression ends within brackets.
fn unclosed(source: &str, issue: &Issue) -> Option<String> {
    let (_, bracket) = issue.message.strip_suffix('\'')?.rsplit_once(['\''])?;
    let ends = source.get(issue.at..)?.trim().is_empty();
    let closes = ends && matches!(bracket, ")" | "]" | "}");
    closes.then(|| format!("close what is open with `{bracket}`"))
}

/// `{ github.ref }` and `{ .Values.x }`, which stand in `${{ … }}` of others.
fn is_of_a_template(source: &str) -> bool {
    let inner = source.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.trim().is_empty() && !inner.contains(':'))
}

/// An issue as cel-go heads it, with its place in the expression.
pub(crate) fn located(source: &str, issue: &Issue) -> String {
    let before = &source[..issue.at.min(source.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("ERROR: <input>:{line}:{column}: {}", issue.message)
}

/// Which expression a place belongs to.
fn segment(segments: &[Segment], at: usize) -> usize {
    let within = segments.iter().position(|it| (it.in_source..=it.in_source + it.length).contains(&at));
    let after = || segments.iter().position(|segment| segment.in_source > at);
    within.or_else(after).unwrap_or(segments.len().saturating_sub(1))
}

/// A place between two expressions is that of the one after it.
fn in_text(segments: &[Segment], at: usize, length: usize) -> (usize, usize) {
    let within = segments.iter().find(|it| (it.in_source..=it.in_source + it.length).contains(&at));
    if let Some(segment) = within {
        let offset = at - segment.in_source;
        return (segment.in_text + offset, length.min(segment.length - offset));
    }
    let next = segments.iter().find(|segment| segment.in_source > at).or(segments.last());
    next.map_or((0, 0), |segment| (segment.in_text, segment.length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_sum_is_a_place_in_the_string() {
        let text = "n-${a}-${b.c}";
        let site = Site::sum(&Pointer::root(), text, &template::split(text).unwrap()).unwrap();
        assert_eq!(site.source, "\"n-\" + (a) + \"-\" + (b.c)");
        let dot = site.source.find(".c").unwrap();
        assert_eq!(site.in_text(dot, 2), (text.find(".c").unwrap(), 2));
        assert_eq!(site.in_text(5, 1), (text.find('a').unwrap(), 1), "an operator stands for what it adds");
    }

    #[test]
    fn quoted_text_is_what_it_was() {
        let text = "a \"b\" \\ \n\t${c}";
        let site = Site::sum(&Pointer::root(), text, &template::split(text).unwrap()).unwrap();
        assert_eq!(site.source, "\"a \\\"b\\\" \\\\ \\n\\t\" + (c)");
    }
}
