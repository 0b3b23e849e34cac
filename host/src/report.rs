//! How errors are said: one shape for all of them, on stderr, so that a reader
//! knows where to look.
//!
//! ```text
//! error[UnknownType]: there is no type `strng`
//!  --> definition.yaml:9:13
//!   |
//! 9 |       name: strng
//!   |             ^^^^^
//!   |
//!   = hint: did you mean `string`?
//! error: definition.yaml was refused: 1 problem
//! ```
//!
//! It decides neither what is wrong nor what is right. Whatever it prints may
//! come from a tenant, so control characters never reach the terminal, and
//! colours only repeat what the words say.

mod diff;

use std::{error::Error, io::IsTerminal, ops::Range, process::ExitCode, sync::Arc};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};
use contract::{Problem, Severity};
use host_core::fault::{Blame, Fault};

pub use self::diff::diff;
use crate::yaml::{self, Document, Flaw, Place};

/// Why a command did not do what it was asked to: an error, whose turn it is,
/// and what would help.
#[derive(Debug)]
pub struct Failure {
    cause: Cause,
    blame: Blame,
    hint: Option<String>,
}

#[derive(Debug)]
enum Cause {
    Error(Box<dyn Error + Send + Sync>),
    Yaml(yaml::Error),
    Problems(Box<Problems>),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked to.
    Done,
    /// It refused its input; the author of the input can mend it.
    Refused,
    /// It could not: croft, a module or the platform is at fault.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::Failed => 2,
        })
    }
}

impl Failure {
    /// Somebody is to blame for an error.
    pub fn new(blame: Blame, error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure { cause: Cause::Error(error.into()), blame, hint: None }
    }

    /// The input is at fault.
    pub fn input(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::new(Blame::Input, error)
    }

    /// croft or the platform is at fault.
    pub fn host(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure::new(Blame::Host, error)
    }

    /// An error that says itself who is to blame.
    pub fn fault(error: impl Fault + Send + Sync + 'static) -> Failure {
        Failure::new(error.blame(), error)
    }

    /// A document was refused. The problems that are only warnings are shown
    /// as such.
    pub fn problems(document: &Document, problems: Vec<Problem>) -> Failure {
        let problems = Problems { document: document.clone(), problems };
        Failure { cause: Cause::Problems(Box::new(problems)), blame: Blame::Input, hint: None }
    }

    /// Adds what would help.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Failure {
        Failure { hint: Some(hint.into()), ..self }
    }

    /// How the command ends that failed so.
    pub fn exit(&self) -> Exit {
        match self.blame {
            Blame::Input | Blame::Consumer => Exit::Refused,
            Blame::Module | Blame::Host => Exit::Failed,
        }
    }

    /// What is wrong, each with its place, if that is what it is about; none if
    /// something else went wrong.
    pub fn findings(&self) -> Option<Vec<Finding>> {
        match &self.cause {
            Cause::Problems(problems) => Some(findings(&problems.document, &problems.problems)),
            Cause::Yaml(yaml::Error::Refused(flaw)) => Some(vec![Finding::of(flaw, Severity::Error, "InvalidYaml")]),
            _ => None,
        }
    }

    /// What is wrong with a document, if that is what it is about, in the order of
    /// its file.
    pub fn problems_of_a_document(&self) -> Option<Vec<&Problem>> {
        match &self.cause {
            Cause::Problems(problems) => Some(sorted(&problems.document, &problems.problems)),
            _ => None,
        }
    }

    /// What it comes to in one line, without places in files.
    pub fn in_a_line(&self) -> String {
        let text = match &self.cause {
            Cause::Error(error) => host_core::status::chain(&**error),
            Cause::Yaml(error) => error.to_string(),
            Cause::Problems(problems) => {
                let words: Vec<String> = problems.problems.iter().map(ToString::to_string).collect();
                words.join("; ")
            }
        };
        match &self.hint {
            Some(hint) => format!("{text} (hint: {hint})"),
            None => text,
        }
    }

    /// Everything there is to say about it, ending with a newline.
    pub fn render(&self, look: Look) -> String {
        let text = match &self.cause {
            Cause::Error(error) => chain(&**error, look),
            Cause::Yaml(yaml::Error::Refused(flaw)) => look.flaw(flaw),
            Cause::Yaml(error) => chain(error, look),
            Cause::Problems(problems) => problems.render(look),
        };
        match &self.hint {
            Some(hint) => format!("{text}{}{}\n", look.word("hint"), clean(hint)),
            None => text,
        }
    }
}

impl From<yaml::Error> for Failure {
    fn from(error: yaml::Error) -> Failure {
        Failure { blame: error.blame(), cause: Cause::Yaml(error), hint: None }
    }
}

/// In `cli` only: an error that nobody gave a blame to is the platform's.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::host(error)
    }
}

/// Says a failure on stderr.
pub fn failure(failure: &Failure) {
    eprint!("{}", failure.render(Look::of_stderr()));
}

/// Says on stderr what is odd about a document that was accepted.
pub fn warnings(document: &Document, warnings: &[Problem]) {
    let look = Look::of_stderr();
    for problem in sorted(document, warnings) {
        eprint!("{}", look.problem(document, problem));
    }
}

/// A problem and where it stands in a file.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The file's name.
    pub file: Arc<str>,
    /// The file's text.
    pub text: Arc<str>,
    /// The bytes that it is about.
    pub at: Range<usize>,
    /// What stands beside the mark, if there is more to say of the place.
    pub label: Option<String>,
    /// What it is.
    pub problem: Problem,
}

impl Finding {
    fn of(flaw: &Flaw, severity: Severity, code: &str) -> Finding {
        Finding {
            file: Arc::clone(&flaw.name),
            text: Arc::clone(&flaw.text),
            at: flaw.at.clone(),
            label: None,
            problem: Problem {
                severity,
                code: code.to_owned(),
                at: String::new(),
                span: None,
                message: flaw.message.clone(),
                hint: flaw.hint.clone(),
            },
        }
    }

    /// What is odd about a text that was read.
    pub fn odd(flaw: &Flaw) -> Finding {
        Finding::of(flaw, Severity::Warning, "OddYaml")
    }

    /// As `warnings` and a failure say it, ending with a newline.
    pub fn render(&self, look: Look) -> String {
        look.marked(&self.problem, &self.file, &self.text, (self.at.clone(), self.label.clone()))
    }
}

/// The problems of a document with their places, in the order of the file.
pub fn findings(document: &Document, problems: &[Problem]) -> Vec<Finding> {
    let finding = |problem: &Problem| {
        let place = place(document, problem);
        Finding {
            file: Arc::clone(&document.name),
            text: Arc::clone(&document.text),
            at: place.at,
            label: place.missing.map(|rest| format!("`{rest}` is missing here")),
            problem: problem.clone(),
        }
    };
    sorted(document, problems).into_iter().map(finding).collect()
}

/// Says one line on stderr: `note: …`.
pub fn note(text: &str) {
    eprintln!("{}{}", Look::of_stderr().word("note"), clean(text));
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Words alone.
    Plain,
    /// Words and ANSI colours.
    Coloured,
}

impl Look {
    /// Colours if stderr is a terminal that has them and `NO_COLOR` is unset.
    pub fn of_stderr() -> Look {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if std::io::stderr().is_terminal() && !set("NO_COLOR") && !dumb { Look::Coloured } else { Look::Plain }
    }

    fn renderer(self) -> Renderer {
        match self {
            Look::Plain => Renderer::plain(),
            Look::Coloured => Renderer::styled(),
        }
    }

    /// `error: `, in its colour.
    fn word(self, word: &str) -> String {
        let colour = match (self, word) {
            (Look::Plain, _) => return format!("{word}: "),
            (Look::Coloured, "error") => 31,
            (Look::Coloured, _) => 36,
        };
        format!("\u{1b}[1;{colour}m{word}\u{1b}[0m: ")
    }

    fn problem(self, document: &Document, problem: &Problem) -> String {
        let place = place(document, problem);
        let label = place.missing.as_ref().map(|rest| format!("`{rest}` is missing here"));
        self.marked(problem, &document.name, &document.text, (place.at, label))
    }

    fn marked(self, problem: &Problem, name: &Arc<str>, text: &str, marked: Marked) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let excerpt = excerpt(text, name, &[marked]);
        let mut group = level.primary_title(clean(&problem.message)).id(clean(&problem.code)).element(excerpt);
        if let Some(hint) = &problem.hint {
            group = group.element(Level::HELP.with_name("hint").message(clean(hint)));
        }
        self.print(group)
    }

    fn flaw(self, flaw: &Flaw) -> String {
        let also = flaw.also.iter().map(|(at, label)| (at.clone(), Some(label.clone())));
        let places: Vec<_> = std::iter::once((flaw.at.clone(), None)).chain(also).collect();
        let mut group =
            Level::ERROR.primary_title(clean(&flaw.message)).element(excerpt(&flaw.text, &flaw.name, &places));
        if let Some(hint) = &flaw.hint {
            group = group.element(Level::HELP.with_name("hint").message(clean(hint)));
        }
        self.print(group)
    }

    fn print(self, group: Group<'_>) -> String {
        format!("{}\n", self.renderer().render(&[group]))
    }
}

type Marked = (Range<usize>, Option<String>);

/// The lines around some places; the first place is the one that matters.
fn excerpt<'a>(text: &'a str, name: &'a Arc<str>, places: &[Marked]) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let annotation = |(index, (at, label)): (usize, &Marked)| {
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        kind.span(at.clone()).label(label.as_deref().map(clean))
    };
    Snippet::source(text).path(&**name).annotations(places.iter().enumerate().map(annotation))
}

/// A field that should not be there at all is shown by its key.
fn place(document: &Document, problem: &Problem) -> Place {
    match problem.span {
        Some((start, length)) => document.place_within(&problem.at, start as usize, length as usize),
        None if problem.code == "UnknownField" => document.place_of_key(&problem.at),
        None => document.place(&problem.at),
    }
}

fn sorted<'a>(document: &Document, problems: &'a [Problem]) -> Vec<&'a Problem> {
    let mut problems: Vec<&Problem> = problems.iter().collect();
    problems.sort_by_cached_key(|problem| (place(document, problem).at.start, problem.code.clone()));
    problems
}

/// A document that was refused, and why.
#[derive(Debug)]
struct Problems {
    document: Document,
    problems: Vec<Problem>,
}

impl Problems {
    fn render(&self, look: Look) -> String {
        let problems = sorted(&self.document, &self.problems);
        let mut text: String = problems.iter().map(|problem| look.problem(&self.document, problem)).collect();
        let warnings = problems.iter().filter(|problem| problem.severity == Severity::Warning).count();
        let errors = problems.len() - warnings;
        text += &look.word("error");
        text += &format!("{} was refused: {}", clean(&self.document.name), counted(errors, "problem"));
        if warnings > 0 {
            text += &format!(", {}", counted(warnings, "warning"));
        }
        text + "\n"
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `error: …` and below it its causes, each once: an error that only passes on
/// the words of its cause is not repeated.
fn chain(error: &dyn Error, look: Look) -> String {
    let mut said = error.to_string();
    let mut text = format!("{}{}\n", look.word("error"), clean(&said));
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !said.contains(&words) {
            text += &format!("{}{}\n", look.word("cause"), clean(&words));
            said = words;
        }
        next = cause.source();
    }
    text
}

/// The text on one line and without control characters.
fn clean(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    normalize_untrusted_str(&lines.join("; "))
}

#[cfg(test)]
mod tests;
