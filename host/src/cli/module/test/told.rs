//! What a test came to, for people and for programs.

use std::{fmt::Write as _, path::PathBuf};

use serde_json::{Value, json};

use super::{
    fixtures::Fixture,
    laws::{Broken, Verdict},
};
use crate::{
    cli::offline::Cost,
    report::{Failure, Look},
};

/// What became of one fixture.
pub(super) enum Outcome {
    /// The module answers what is expected; what its renders took.
    Same(Option<Cost>),
    /// It answers something else; the difference without and with colours.
    Differs { plain: String, shown: String },
    /// It answered something else, which is what is expected from now on.
    Written(PathBuf),
    /// There is no answer.
    Failed { plain: String, shown: String },
}

impl Outcome {
    pub(super) fn failed(failure: &Failure) -> Outcome {
        Outcome::Failed { plain: failure.render(Look::Plain), shown: failure.render(Look::of_stderr()) }
    }

    fn is_right(&self) -> bool {
        matches!(self, Outcome::Same(_) | Outcome::Written(_))
    }
}

/// What all fixtures and laws came to.
#[derive(Default)]
pub(super) struct Told {
    pub(super) fixtures: Vec<(String, Fixture, Outcome)>,
    pub(super) laws: Vec<Verdict>,
}

impl Told {
    pub(super) fn text(&self, look: Look) -> String {
        let mut text = String::new();
        for (name, _, outcome) in &self.fixtures {
            text += &fixture(name, outcome, look);
        }
        for verdict in &self.laws {
            text += &law(verdict, look);
        }
        text
    }

    /// One object with all of it.
    pub(super) fn json(&self) -> Value {
        let fixtures = self.fixtures.iter().map(|(name, fixture, outcome)| {
            let mut entry = json!({"name": name, "folder": fixture.folder, "outcome": word(outcome)});
            match outcome {
                Outcome::Same(Some(cost)) => {
                    entry["fuel"] = cost.fuel.into();
                    entry["memory"] = cost.memory.into();
                }
                Outcome::Differs { plain, .. } => entry["diff"] = plain.as_str().into(),
                Outcome::Failed { plain, .. } => entry["error"] = plain.as_str().into(),
                Outcome::Same(None) | Outcome::Written(_) => {}
            }
            entry
        });
        let laws = self.laws.iter().map(|verdict| {
            let mut entry = json!({"law": verdict.law.name(), "holds": verdict.broken.is_none()});
            if let Some(Broken { fixture, what, example, .. }) = &verdict.broken {
                entry["fixture"] = fixture.as_str().into();
                entry["message"] = what.as_str().into();
                entry["example"] = example.json();
            }
            entry
        });
        json!({"fixtures": fixtures.collect::<Vec<_>>(), "laws": laws.collect::<Vec<_>>()})
    }

    /// Whether all is right.
    pub(super) fn verdict(&self) -> Result<(), Failure> {
        let wrong = self.fixtures.iter().filter(|(_, _, outcome)| !outcome.is_right()).count();
        let broken = self.laws.iter().filter(|verdict| verdict.broken.is_some()).count();
        if wrong + broken == 0 {
            return Ok(());
        }
        let fixtures = part(wrong, self.fixtures.len(), "fixture", "failed");
        let message = format!("{fixtures}, {}", part(broken, self.laws.len(), "law", "broken"));
        let differs = self.fixtures.iter().any(|(_, _, outcome)| matches!(outcome, Outcome::Differs { .. }));
        let failure = Failure::input(message);
        Err(match differs {
            true => failure.hint("if the new answers are what you mean, `--update` writes them"),
            false => failure,
        })
    }
}

/// `1 of 3 fixtures failed`.
fn part(count: usize, all: usize, what: &str, word: &str) -> String {
    let plural = if all == 1 { "" } else { "s" };
    format!("{count} of {all} {what}{plural} {word}")
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Same(_) => "ok",
        Outcome::Differs { .. } => "differs",
        Outcome::Written(_) => "written",
        Outcome::Failed { .. } => "failed",
    }
}

fn fixture(name: &str, outcome: &Outcome, look: Look) -> String {
    let line = format!("{:9}{name}", word(outcome));
    let chosen = |plain: &String, shown: &String| if look == Look::Plain { plain.clone() } else { shown.clone() };
    match outcome {
        Outcome::Same(Some(cost)) => format!("{line}  ({cost})\n"),
        Outcome::Same(None) => format!("{line}\n"),
        Outcome::Written(file) => format!("{line}  ({})\n", file.display()),
        Outcome::Differs { plain, shown } | Outcome::Failed { plain, shown } => {
            format!("{line}\n{}", indented(&chosen(plain, shown)))
        }
    }
}

fn law(verdict: &Verdict, look: Look) -> String {
    let Some(Broken { fixture, what, difference, example }) = &verdict.broken else {
        return format!("{:9}{}: {}\n", "ok", verdict.law.name(), verdict.law.says());
    };
    let mut text = format!("{:9}{}: {} (fixture `{fixture}`)\n", "broken", verdict.law.name(), what);
    if let Some(difference) = difference {
        text += &indented(&difference(look));
    }
    let _ = writeln!(text, "  the smallest example:");
    text += &indented(&example.yaml());
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") }).collect()
}
