//! Which row everything stands in, and in what order, so that few edges cross.
//!
//! A row holds boxes, and **bends** where an edge goes on to a row further down.
//! Edges of one source share their bends: they leave it as one trunk that
//! branches, so that a row needs one bend for a source, however many it leads
//! to. How far apart things stand is `place`'s business.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::graph::{Graph, INSTANCE};

/// Boxes side by side, so that a picture is not much wider than a screen.
pub(super) const WIDEST: usize = 8;
/// Times that the order is gone over, downwards and upwards in turn. After the
/// first few it hardly changes.
const SWEEPS: usize = 16;

/// Boxes and bends by row. Both are items: the number of a vertex in the graph,
/// or for a bend a higher number.
pub(super) struct Rows {
    /// The items of each row, from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    /// The row of each item.
    pub(super) row_of: Vec<usize>,
    /// The items in the row above that an item is connected with.
    pub(super) above: Vec<Vec<usize>>,
    /// Those in the row below.
    pub(super) below: Vec<Vec<usize>>,
    /// For each edge of the graph what it goes through: its source, bends, and
    /// its target.
    pub(super) routes: Vec<Vec<usize>>,
}

impl Rows {
    /// Puts a graph into rows.
    pub(super) fn of(graph: &Graph) -> Rows {
        let mut rows = boxes(graph);
        let mut row_of = vec![0; graph.vertices.len()];
        for (row, items) in rows.iter().enumerate() {
            items.iter().for_each(|&item| row_of[item] = row);
        }
        let routes = routes(graph, &mut rows, &mut row_of);
        let pairs: BTreeSet<(usize, usize)> =
            routes.iter().flat_map(|route| route.windows(2).map(|pair| (pair[0], pair[1]))).collect();
        let (mut above, mut below) = (vec![Vec::new(); row_of.len()], vec![Vec::new(); row_of.len()]);
        for (upper, lower) in pairs {
            above[lower].push(upper);
            below[upper].push(lower);
        }
        let mut rows = Rows { rows, row_of, above, below, routes };
        rows.order();
        rows
    }

    /// Keeps the order with the fewest crossings of those that the sweeps find.
    fn order(&mut self) {
        let mut fewest = self.crossings();
        let mut best = self.rows.clone();
        for sweep in 0..SWEEPS {
            if fewest == 0 {
                break;
            }
            self.sweep(sweep % 2 == 0);
            let crossings = self.crossings();
            if crossings < fewest {
                fewest = crossings;
                best.clone_from(&self.rows);
            }
        }
        self.rows = best;
    }

    /// Sorts each row by where its items' neighbours are on average, in the row
    /// above (downwards) or below.
    fn sweep(&mut self, downwards: bool) {
        let mut places = vec![0.0; self.row_of.len()];
        self.rows.iter().for_each(|row| note(row, &mut places));
        let neighbours = if downwards { &self.above } else { &self.below };
        let count = self.rows.len();
        for step in 0..count {
            let row = &mut self.rows[if downwards { step } else { count - 1 - step }];
            let mut keyed: Vec<(f64, usize)> =
                row.iter().map(|&item| (mean(&neighbours[item], &places).unwrap_or(places[item]), item)).collect();
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            *row = keyed.into_iter().map(|(_, item)| item).collect();
            note(row, &mut places);
        }
    }

    /// The pairs of edges between two rows that cross.
    pub(super) fn crossings(&self) -> usize {
        let mut places = vec![0; self.row_of.len()];
        for row in &self.rows {
            row.iter().enumerate().for_each(|(place, &item)| places[item] = place);
        }
        let between = |row: &Vec<usize>| {
            let mut ends = Vec::new();
            for &item in row {
                let mut below: Vec<usize> = self.below[item].iter().map(|&below| places[below]).collect();
                below.sort_unstable();
                ends.extend(below);
            }
            inversions(&ends)
        };
        self.rows.iter().map(between).sum()
    }
}

/// The boxes of each row: the instance, then the vertices by the longest chain
/// of edges that leads to them. More than fit side by side go into several rows,
/// and those that others need into the last, from where their edges pass none of
/// these.
fn boxes(graph: &Graph) -> Vec<Vec<usize>> {
    let mut layer_of = vec![1; graph.vertices.len()];
    layer_of[INSTANCE] = 0;
    let mut is_needed = vec![false; graph.vertices.len()];
    // What leads to an edge's source stands before it, so this is its last word.
    for edge in &graph.edges {
        layer_of[edge.to] = layer_of[edge.to].max(layer_of[edge.from] + 1);
        is_needed[edge.from] = true;
    }
    let mut layers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (vertex, layer) in layer_of.into_iter().enumerate() {
        layers.entry(layer).or_default().push(vertex);
    }
    let mut rows = Vec::new();
    for mut layer in layers.into_values() {
        let count = layer.len().div_ceil(WIDEST);
        if count > 1 {
            layer.sort_by_key(|&vertex| is_needed[vertex]);
        }
        rows.extend(layer.chunks(layer.len().div_ceil(count)).map(<[usize]>::to_vec));
    }
    rows
}

/// The way of each edge. The bends that this takes are put into the middle of
/// their rows.
fn routes(graph: &Graph, rows: &mut [Vec<usize>], row_of: &mut Vec<usize>) -> Vec<Vec<usize>> {
    let mut bends: HashMap<(usize, usize), usize> = HashMap::new();
    let mut routes = Vec::with_capacity(graph.edges.len());
    for edge in &graph.edges {
        let mut route = vec![edge.from];
        let (first, last) = (row_of[edge.from] + 1, row_of[edge.to]);
        for (row, items) in rows.iter_mut().enumerate().take(last).skip(first) {
            let bend = *bends.entry((edge.from, row)).or_insert_with(|| {
                let bend = row_of.len();
                row_of.push(row);
                let middle = items.len() / 2;
                items.insert(middle, bend);
                bend
            });
            route.push(bend);
        }
        route.push(edge.to);
        routes.push(route);
    }
    routes
}

/// Writes down where the items of a row are, as shares of the row.
fn note(row: &[usize], places: &mut [f64]) {
    for (place, &item) in row.iter().enumerate() {
        places[item] = (place as f64 + 0.5) / row.len() as f64;
    }
}

fn mean(items: &[usize], places: &[f64]) -> Option<f64> {
    let sum: f64 = items.iter().map(|&item| places[item]).sum();
    (!items.is_empty()).then(|| sum / items.len() as f64)
}

/// The pairs of which the first is greater than the second.
fn inversions(numbers: &[usize]) -> usize {
    let mut sorted: Vec<usize> = Vec::with_capacity(numbers.len());
    let mut count = 0;
    for &number in numbers {
        let place = sorted.partition_point(|&before| before <= number);
        count += sorted.len() - place;
        sorted.insert(place, number);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_in_the_wrong_order_counts_once() {
        assert_eq!(inversions(&[]), 0);
        assert_eq!(inversions(&[0, 1, 1, 2]), 0);
        assert_eq!(inversions(&[2, 1, 0]), 3);
        assert_eq!(inversions(&[1, 3, 0, 2]), 3);
    }
}
