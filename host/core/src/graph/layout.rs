//! Where everything of a graph stands: in rows from top to bottom, so that each
//! arrow points down.
//!
//! `rows` says what stands in which row and in what order, `place` how far to
//! the right. It paints nothing, and equal graphs get equal layouts. All
//! lengths are pixels.

mod place;
mod rows;

use super::{
    Edge, Graph,
    text::{self, Line},
};
use rows::Rows;

/// Of every box: three lines of text, and as much air below as above.
const HEIGHT: f64 = 68.0;
/// Between a box's text and its border.
const PADDING: f64 = 18.0;
/// So that a box with a short name still looks like one.
const NARROWEST: f64 = 104.0;
/// Between rows, at least and at most.
const GAP: (f64, f64) = (56.0, 130.0);
/// How much of its way to the side an edge goes down at least, within that, so
/// that it does not come in too flat.
const SLOPE: f64 = 0.14;
/// Between arrow heads that end at one box, at most.
const HEADS_APART: f64 = 18.0;
/// Between the outermost arrow heads and the corners of their box.
const CORNER: f64 = 16.0;

/// Boxes and edges, from 0 to the right and downwards.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// One for each vertex of the graph, in its order.
    pub(super) boxes: Vec<Rect>,
    /// One for each edge of the graph, in its order.
    pub(super) edges: Vec<Route>,
    /// Of all of it.
    pub(super) width: f64,
    /// Of all of it.
    pub(super) height: f64,
}

/// The border of a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The way of an edge: from the bottom of one box to the top of another,
/// between them straight down through each row that it passes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    /// The middle of the lower border of the box where it starts.
    pub(super) start: Point,
    /// Where it passes rows, each as the point where it comes in at the top and
    /// how far down it goes.
    pub(super) passes: Vec<(Point, f64)>,
    /// A point on the upper border of the box where it ends.
    pub(super) end: Point,
}

impl Layout {
    /// Lays a graph out.
    pub(super) fn of(graph: &Graph) -> Layout {
        let widths: Vec<f64> = graph.vertices.iter().map(|vertex| box_width(&text::lines(vertex))).collect();
        let rows = Rows::of(graph);
        let centres = place::centres(&rows, &widths);
        let tops = tops(&rows, &centres);
        let boxes: Vec<Rect> = (0..widths.len())
            .map(|vertex| Rect {
                x: centres[vertex] - widths[vertex] / 2.0,
                y: tops[rows.row_of[vertex]],
                width: widths[vertex],
                height: HEIGHT,
            })
            .collect();
        let ends = ends(&graph.edges, &rows, &centres, &boxes);
        let routes = rows.routes.iter().zip(ends);
        let edges = routes.map(|(items, end)| route(items, end, &rows, &centres, &tops)).collect();
        let right = |(item, centre): (usize, &f64)| centre + widths.get(item).map_or(0.0, |width| width / 2.0);
        let width = centres.iter().enumerate().map(right).fold(0.0, f64::max);
        let height = tops.last().copied().unwrap_or(0.0) + HEIGHT;
        Layout { boxes, edges, width, height }
    }
}

/// Wide enough for its lines, and an even number, so that its middle is a whole
/// one.
fn box_width(lines: &[Line]) -> f64 {
    let text = lines.iter().map(Line::width).fold(0.0, f64::max);
    let width = (text + 2.0 * PADDING).max(NARROWEST);
    (width / 2.0).ceil() * 2.0
}

/// The upper border of each row.
fn tops(rows: &Rows, centres: &[f64]) -> Vec<f64> {
    let (least, most) = GAP;
    let mut top = 0.0;
    let mut tops = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        tops.push(top);
        let ways = row.iter().flat_map(|&item| rows.below[item].iter().map(move |&below| (item, below)));
        let aside = ways.map(|(item, below)| (centres[item] - centres[below]).abs()).fold(0.0, f64::max);
        top += HEIGHT + (aside * SLOPE).round().clamp(least, most);
    }
    tops
}

/// Where each edge ends: side by side on the upper border of its box, in the
/// order in which they come from above.
fn ends(edges: &[Edge], rows: &Rows, centres: &[f64], boxes: &[Rect]) -> Vec<Point> {
    let mut arriving: Vec<Vec<usize>> = vec![Vec::new(); boxes.len()];
    for (index, edge) in edges.iter().enumerate() {
        arriving[edge.to].push(index);
    }
    let mut ends = vec![Point { x: 0.0, y: 0.0 }; edges.len()];
    for (vertex, mut arriving) in arriving.into_iter().enumerate() {
        let before = |edge: usize| centres[rows.routes[edge][rows.routes[edge].len() - 2]];
        arriving.sort_by(|&one, &other| before(one).total_cmp(&before(other)));
        let Rect { x, y, width, .. } = boxes[vertex];
        let intervals = arriving.len().saturating_sub(1) as f64;
        let apart = ((width - 2.0 * CORNER) / intervals.max(1.0)).min(HEADS_APART);
        for (place, edge) in arriving.into_iter().enumerate() {
            let aside = (place as f64 - intervals / 2.0) * apart;
            ends[edge] = Point { x: rounded(x + width / 2.0 + aside), y };
        }
    }
    ends
}

/// The way through the items of an edge.
fn route(items: &[usize], end: Point, rows: &Rows, centres: &[f64], tops: &[f64]) -> Route {
    let top = |item: usize| Point { x: centres[item], y: tops[rows.row_of[item]] };
    let source = top(items[0]);
    let passes = items[1..items.len() - 1].iter().map(|&bend| (top(bend), HEIGHT)).collect();
    Route { start: Point { x: source.x, y: source.y + HEIGHT }, passes, end }
}

/// To a tenth of a pixel, which is more than anybody sees.
fn rounded(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
