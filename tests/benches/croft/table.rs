//! The one table.

use std::fmt;

use crate::{load::Load, say};

/// The titles of the columns.
const TITLES: [&str; 6] = ["what", "measured", "compared with", "ratio", "target", "verdict"];

/// Rows below headings.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Line>);

#[derive(Debug)]
enum Line {
    Heading(String),
    Row([String; 6]),
}

/// What a figure is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// It is for information.
    None,
    /// The ratio may be at most this.
    Ratio(f64),
    /// The value, in the unit given, may be at most this.
    AtMost(f64, &'static str),
}

/// One figure.
#[derive(Debug, Default)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// What came out.
    pub(crate) measured: String,
    /// What came out of what it is compared with; empty if nothing is.
    pub(crate) compared: String,
    /// How many times as much as that it is.
    pub(crate) ratio: Option<f64>,
    /// More about the ratio.
    pub(crate) at_best: Option<f64>,
    /// What came out as a number, in the unit of [`Target::AtMost`].
    pub(crate) value: f64,
}

impl Table {
    /// Begins a part, aloud. The heading tells the circumstances.
    pub(crate) fn heading(&mut self, title: &str) {
        let heading = format!("{title} ({})", Load::now());
        say(format_args!("== {heading}"));
        self.0.push(Line::Heading(heading));
    }

    /// Adds a figure and the verdict on it.
    pub(crate) fn add(&mut self, figure: Figure, target: Target) {
        let Figure { what, measured, compared, ratio, at_best, value } = figure;
        let (target, met) = match target {
            Target::None => (String::new(), None),
            Target::Ratio(most) => (format!("≤ {most}×"), Some(ratio.is_some_and(|ratio| ratio <= most))),
            Target::AtMost(most, unit) => (format!("≤ {most}{unit}"), Some(value <= most)),
        };
        let verdict = match met {
            None => "for information",
            Some(true) => "met",
            Some(false) => "missed",
        };
        let best = at_best.map(|best| format!(" (min {best:.2}×)")).unwrap_or_default();
        let ratio = ratio.map(|ratio| format!("{ratio:.2}×{best}")).unwrap_or_default();
        say(format_args!("{what}: {measured} {ratio}"));
        self.0.push(Line::Row([what, measured, compared, ratio, target, verdict.to_owned()]));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = TITLES.map(str::to_owned);
        let rows = self.0.iter().filter_map(|line| match line {
            Line::Row(cells) => Some(cells),
            Line::Heading(_) => None,
        });
        let all: Vec<&[String; 6]> = [&titles].into_iter().chain(rows).collect();
        let widths: [usize; 6] =
            std::array::from_fn(|column| all.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0));
        for line in &self.0 {
            match line {
                Line::Heading(text) => {
                    writeln!(f, "\n## {text}\n")?;
                    row(f, &titles, &widths, ' ')?;
                    row(f, &Default::default(), &widths, '-')?;
                }
                Line::Row(cells) => row(f, cells, &widths, ' ')?,
            }
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, cells: &[String; 6], widths: &[usize; 6], fill: char) -> fmt::Result {
    for (cell, width) in cells.iter().zip(widths) {
        let rest: String = std::iter::repeat_n(fill, width - cell.chars().count()).collect();
        write!(f, "| {cell}{rest} ")?;
    }
    writeln!(f, "|")
}
