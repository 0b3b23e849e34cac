//! What the shapes and lines of a picture mean: those that occur in it.

use std::fmt::Write as _;

use super::{arrow, border};
use crate::graph::{Graph, Part, layout::Rect, text};

/// The size of the small example beside each word.
const SAMPLE: (f64, f64) = (34.0, 20.0);
/// Between the example and its word.
const BEFORE_WORD: f64 = 8.0;
/// Between one word and the next example.
const BETWEEN: f64 = 24.0;
/// From one line to the next.
const LINE: f64 = 30.0;
const LETTERS: f64 = 12.0;

/// One example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The border of a box.
    Box(Part),
    /// The line from something to what needs it.
    Need,
    /// The line from what somebody else owns to what reads it.
    Read,
}

impl Entry {
    fn word(self) -> &'static str {
        match self {
            Entry::Box(part) => part.label(),
            Entry::Need => "is needed by",
            Entry::Read => "is read by",
        }
    }

    fn width(self) -> f64 {
        SAMPLE.0 + BEFORE_WORD + text::width(self.word(), LETTERS).ceil()
    }

    fn sample(self, x: f64, y: f64) -> String {
        let (width, height) = SAMPLE;
        let line = |class| arrow(class, &format!("M{x} {}H{}", y + height / 2.0, x + width));
        match self {
            Entry::Box(part) => border(part, Rect { x, y, width, height }),
            Entry::Need => line("edge"),
            Entry::Read => line("edge read"),
        }
    }
}

/// What occurs in a graph.
pub(super) fn entries(graph: &Graph) -> Vec<Entry> {
    let occurs = |part: &Part| graph.vertices.iter().any(|vertex| vertex.part == *part);
    let mut entries: Vec<Entry> = Part::ALL.into_iter().filter(occurs).map(Entry::Box).collect();
    let reads = graph.edges.iter().filter(|edge| graph.is_read(**edge)).count();
    if reads < graph.edges.len() {
        entries.push(Entry::Need);
    }
    if reads > 0 {
        entries.push(Entry::Read);
    }
    entries
}

/// The width below which an entry does not fit.
pub(super) fn narrowest(entries: &[Entry]) -> f64 {
    entries.iter().map(|entry| entry.width()).fold(0.0, f64::max)
}

/// The entries in as many lines as a width takes, from 0 to the right and
/// downwards, and the height of the lines.
pub(super) fn print(entries: &[Entry], width: f64) -> (String, f64) {
    let mut svg = String::new();
    let (mut x, mut y) = (0.0, 0.0);
    for entry in entries {
        if x > 0.0 && x + entry.width() > width {
            (x, y) = (0.0, y + LINE);
        }
        // Letters stand a little below the middle for their middles to be there.
        let (word, baseline) = (x + SAMPLE.0 + BEFORE_WORD, y + SAMPLE.1 / 2.0 + 4.0);
        let _ = writeln!(
            svg,
            "{}<text class=\"kind\" x=\"{word}\" y=\"{baseline}\" font-size=\"{LETTERS}\">{}</text>",
            entry.sample(x, y),
            entry.word()
        );
        x += entry.width() + BETWEEN;
    }
    (svg, y + SAMPLE.1)
}
