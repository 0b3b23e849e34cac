//! What to measure, and how much of it.

use std::path::PathBuf;

/// What the bench says of itself.
pub(crate) const HELP: &str = "\
Measure croft and print one table

Usage: cargo xtask bench [--quick] [--only render|start|kcp]

Options:
  --quick        small numbers: to see that it works, not to compare
  --only PART    one part: `render`, `start` or `kcp`
  --help         print this
";

/// What the program is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Bench(Options),
    /// The program calls itself so: a start is measured in a process of its own.
    StartOnce(PathBuf),
}

/// How to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Small numbers.
    pub(crate) quick: bool,
    only: Option<Part>,
}

/// A part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Render,
    Start,
    Kcp,
}

impl Task {
    /// Reads the command line. cargo adds `--bench` to it.
    pub(crate) fn parse(arguments: &[String]) -> Result<Task, String> {
        let mut options = Options { quick: false, only: None };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--bench" => {}
                "--help" | "-h" => return Ok(Task::Help),
                "--quick" => options.quick = true,
                "--only" => options.only = Some(Part::parse(words.next())?),
                "--start-once" => {
                    let artifacts = words.next().ok_or("`--start-once` takes a folder")?;
                    return Ok(Task::StartOnce(artifacts.into()));
                }
                unknown => return Err(format!("there is no option `{unknown}`")),
            }
        }
        Ok(Task::Bench(options))
    }
}

impl Part {
    fn parse(word: Option<&str>) -> Result<Part, String> {
        match word {
            Some("render") => Ok(Part::Render),
            Some("start") => Ok(Part::Start),
            Some("kcp") => Ok(Part::Kcp),
            _ => Err("`--only` takes `render`, `start` or `kcp`".to_owned()),
        }
    }
}

impl Options {
    /// Whether a part is to be measured.
    pub(crate) fn wants(self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    /// The first number, or with `--quick` the second.
    pub(crate) fn number(self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }
}
