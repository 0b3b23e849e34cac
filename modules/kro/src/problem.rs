//! Collects everything that is wrong with a document, so that its author hears
//! of all of it at once, and builds the JSON pointers that say where.
//!
//! It knows no rule: the modules that check decide what is a problem.

use std::fmt::Write as _;

use guest_sdk::{Failure, Problem, Severity};

/// The problems found so far, in the order in which they were found.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
}

impl Problems {
    /// Notes an error and returns it, so that a span or a hint can be added.
    pub(crate) fn error(&mut self, code: &str, at: &Pointer, message: impl Into<String>) -> Noted<'_> {
        self.note(Severity::Error, code, at, message.into())
    }

    /// Notes something that its author should know and that stops nothing.
    pub(crate) fn warning(&mut self, code: &str, at: &Pointer, message: impl Into<String>) -> Noted<'_> {
        self.note(Severity::Warning, code, at, message.into())
    }

    fn note(&mut self, severity: Severity, code: &str, at: &Pointer, message: String) -> Noted<'_> {
        let problem = Problem { severity, code: code.to_owned(), at: at.0.clone(), span: None, message, hint: None };
        self.found.push(problem);
        let last = self.found.len() - 1;
        Noted { problem: &mut self.found[last] }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Whether any of them is an error.
    pub(crate) fn any_error(&self) -> bool {
        self.found.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// The warnings if there is no error, otherwise the failure with all.
    pub(crate) fn into_result(self) -> Result<Vec<Problem>, Failure> {
        if self.any_error() { Err(Failure::Invalid(self.found)) } else { Ok(self.found) }
    }
}

/// A problem just noted.
pub(crate) struct Noted<'a> {
    problem: &'a mut Problem,
}

impl Noted<'_> {
    /// Narrows it to a part of the string at its pointer.
    pub(crate) fn span(self, start: usize, length: usize) -> Self {
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.problem.span = Some((narrow(start), narrow(length)));
        self
    }

    /// Says what would be right.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.problem.hint = Some(hint.into());
        self
    }

    /// Says what would be right, if anybody knows.
    pub(crate) fn maybe_hint(self, hint: Option<String>) -> Self {
        self.problem.hint = hint;
        self
    }
}

/// A JSON pointer under construction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub(crate) fn root() -> Pointer {
        Pointer::default()
    }

    /// A field below this place.
    pub(crate) fn field(&self, name: &str) -> Pointer {
        Pointer(format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1")))
    }

    /// Several fields below this place.
    pub(crate) fn fields<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Pointer {
        names.into_iter().fold(self.clone(), |at, name| at.field(name))
    }

    /// An element below this place.
    pub(crate) fn index(&self, index: usize) -> Pointer {
        let mut text = self.0.clone();
        // Writing to a string cannot fail.
        let _ = write!(text, "/{index}");
        Pointer(text)
    }
}

/// The candidate that a misspelt name most likely meant, if one is close.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the letters may be wrong: more is another word.
    let limit = name.chars().count().div_ceil(3);
    let scored = candidates.into_iter().map(|candidate| (distance(name, candidate), candidate));
    scored.filter(|(score, _)| *score <= limit).min().map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or changed.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (left, b) in to.iter().enumerate() {
            let same = a.eq_ignore_ascii_case(b);
            let changed = diagonal + usize::from(!same);
            diagonal = row[left + 1];
            row[left + 1] = changed.min(row[left] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_would_be_read_as_structure() {
        assert_eq!(Pointer::root().field("a/b").field("c~d").index(3).0, "/a~1b/c~0d/3");
    }

    #[test]
    fn the_nearest_name_is_found_and_a_strange_one_is_not() {
        assert_eq!(nearest("replcas", ["name", "replicas"]), Some("replicas"));
        assert_eq!(nearest("Name", ["name", "replicas"]), Some("name"));
        assert_eq!(nearest("zzz", ["name", "replicas"]), None);
    }

    #[test]
    fn warnings_alone_do_not_fail() {
        let mut problems = Problems::default();
        problems.warning("W", &Pointer::root(), "careful").span(1, 2);
        assert_eq!(problems.into_result().unwrap()[0].span, Some((1, 2)));
        let mut problems = Problems::default();
        problems.error("E", &Pointer::root(), "wrong").hint("right");
        assert!(matches!(problems.into_result(), Err(Failure::Invalid(found)) if found[0].hint.is_some()));
    }
}
