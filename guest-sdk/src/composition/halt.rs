//! Why a piece of code does not come to its end: it waits, it is switched off,
//! the input is wrong, or the module is.

use crate::{Failure, Problem, Severity, composition::handle::Handle};

/// What `declare` and `render` answer, and pieces of them.
pub type Result<T = (), E = Halt> = std::result::Result<T, E>;

/// Why a piece of code stops. [`Context::wait`](super::Context::wait) makes one,
/// and so do [`invalid`], [`excluded`], [`waiting`] and [`fault`].
#[derive(Debug)]
pub struct Halt(pub(super) Why);

#[derive(Debug)]
pub(super) enum Why {
    /// Something of another node is not there yet.
    Waits { on: usize, message: String },
    /// A condition says that it should not be.
    Excluded(String),
    /// The definition or the instance is wrong.
    Invalid(Problem),
    /// The module is wrong.
    Fault(String),
}

/// The definition or the instance is wrong at a field, such as `spec.name` or
/// `spec.pages[2].title`. Say what would be right with [`Halt::hint`].
pub fn invalid(field: &str, message: impl Into<String>) -> Halt {
    Halt(Why::Invalid(Problem {
        severity: Severity::Error,
        code: "Invalid".to_owned(),
        at: pointer(field),
        span: None,
        message: message.into(),
        hint: None,
    }))
}

/// The object should not be, and the message says which condition says so.
pub fn excluded(message: impl Into<String>) -> Halt {
    Halt(Why::Excluded(message.into()))
}

/// Something of another object is missing, and the message says what. Where it is
/// a field, [`Context::wait`](super::Context::wait) says it by itself.
pub fn waiting<T, R>(on: &Handle<T, R>, message: impl Into<String>) -> Halt {
    Halt(Why::Waits { on: on.node.index, message: message.into() })
}

/// The module is wrong: nobody who uses it can do anything about it.
pub fn fault(message: impl Into<String>) -> Halt {
    Halt(Why::Fault(message.into()))
}

impl Halt {
    /// What would be right, of something that is [`invalid`].
    pub fn hint(mut self, hint: impl Into<String>) -> Halt {
        if let Why::Invalid(problem) = &mut self.0 {
            problem.hint = Some(hint.into());
        }
        self
    }

    /// A PascalCase word for programs, of something that is [`invalid`]. It should
    /// never change; without, it is `Invalid`.
    pub fn code(mut self, code: &str) -> Halt {
        if let Why::Invalid(problem) = &mut self.0 {
            problem.code = code.to_owned();
        }
        self
    }

    /// Outside of a render nothing waits and nothing is switched off.
    pub(super) fn into_failure(self) -> Failure {
        match self.0 {
            Why::Invalid(problem) => Failure::Invalid(vec![problem]),
            Why::Fault(message) => Failure::Internal(message),
            Why::Waits { .. } | Why::Excluded(_) => {
                Failure::Internal("`declare` cannot wait and cannot exclude: there is no instance yet".to_owned())
            }
        }
    }
}

/// What the module's author has to mend, all of it at once.
pub(super) fn failures(faults: &[String]) -> Failure {
    Failure::Internal(faults.join("; "))
}

/// `spec.pages[2].title` as an RFC 6901 pointer. One that is given stays.
pub(super) fn pointer(field: &str) -> String {
    if field.is_empty() || field.starts_with('/') {
        return field.to_owned();
    }
    let parts = field.split(['.', '[']).map(|part| part.strip_suffix(']').unwrap_or(part));
    parts.map(|part| format!("/{}", escaped(part))).collect()
}

/// A segment of a pointer.
pub(super) fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_becomes_a_pointer() {
        for (field, expected) in [
            ("spec.name", "/spec/name"),
            ("spec.pages[2].title", "/spec/pages/2/title"),
            ("spec.grid[1][0]", "/spec/grid/1/0"),
            ("/spec/a.b", "/spec/a.b"),
            ("", ""),
        ] {
            assert_eq!(pointer(field), expected);
        }
    }
}
