//! Collects everything that is wrong with a document, so that its author hears
//! of all of it at once, and builds the JSON pointers that say where.
//!
//! It knows no rule: the modules that check decide what is a problem.

use std::fmt::Write as _;

pub(crate) use expr::nearest::nearest;
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

    /// Whether one of them is an error at this place.
    pub(crate) fn error_at(&self, at: &Pointer) -> bool {
        self.found.iter().any(|problem| problem.severity == Severity::Error && problem.at == at.0)
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

    /// The last field or index.
    pub(crate) fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_escapes_what_would_be_read_as_structure() {
        assert_eq!(Pointer::root().field("a/b").field("c~d").index(3).0, "/a~1b/c~0d/3");
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
