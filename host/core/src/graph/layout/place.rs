//! How far to the right everything stands: as near as can be to what it is
//! connected with, in the order of its row and without touching its neighbours.
//!
//! Nearness is the sum of the squares of how far the edges go aside. Row by
//! row that has one best answer, and going over the rows again and again comes
//! near the best of all.

use super::rows::Rows;

/// Times that the rows are gone over. Chains of a dozen rows are straight by
/// then.
const ROUNDS: usize = 48;
/// Between two boxes.
const APART: f64 = 30.0;
/// Between a bend and a box, or two bends.
const BEND_APART: f64 = 18.0;
/// How much of a say things have that are connected with nothing: almost none,
/// they give way.
const UNCONNECTED: f64 = 0.01;

/// The middle of each item. The leftmost border is at 0. `widths` are those of
/// the boxes; a bend has none.
pub(super) fn centres(rows: &Rows, widths: &[f64]) -> Vec<f64> {
    let mut centres = vec![0.0; rows.row_of.len()];
    let apart: Vec<Vec<f64>> = rows.rows.iter().map(|row| distances(row, widths)).collect();
    for (row, apart) in rows.rows.iter().zip(&apart) {
        let middle = vec![(0.0, 1.0); row.len()];
        put(row, &settled(&middle, apart), &mut centres);
    }
    let count = rows.rows.len();
    for round in 0..ROUNDS {
        for step in 0..count {
            let index = if round % 2 == 0 { step } else { count - 1 - step };
            let row = &rows.rows[index];
            let wanted: Vec<(f64, f64)> = row.iter().map(|&item| wanted(item, rows, widths.len(), &centres)).collect();
            put(row, &settled(&wanted, &apart[index]), &mut centres);
        }
    }
    let left = |(item, centre): (usize, &f64)| centre.round() - widths.get(item).map_or(0.0, |width| width / 2.0);
    let leftmost = centres.iter().enumerate().map(left).fold(f64::INFINITY, f64::min);
    centres.iter().map(|centre| centre.round() - leftmost).collect()
}

fn put(row: &[usize], places: &[f64], centres: &mut [f64]) {
    for (&item, &place) in row.iter().zip(places) {
        centres[item] = place;
    }
}

/// From the middle of each item of a row to that of the next.
fn distances(row: &[usize], widths: &[f64]) -> Vec<f64> {
    let half = |item: usize| widths.get(item).map_or(0.0, |width| width / 2.0);
    let is_box = |item: usize| item < widths.len();
    let distance = |pair: &[usize]| {
        let apart = if is_box(pair[0]) && is_box(pair[1]) { APART } else { BEND_APART };
        half(pair[0]) + apart + half(pair[1])
    };
    row.windows(2).map(distance).collect()
}

/// Where an item would best be, going by its neighbours above and below, and how
/// much it matters.
fn wanted(item: usize, rows: &Rows, boxes: usize, centres: &[f64]) -> (f64, f64) {
    let (mut sum, mut weight) = (0.0, 0.0);
    for &other in rows.above[item].iter().chain(&rows.below[item]) {
        let pull = pull(item >= boxes, other >= boxes);
        sum += pull * centres[other];
        weight += pull;
    }
    if weight == 0.0 { (centres[item], UNCONNECTED) } else { (sum / weight, weight) }
}

/// How much an edge wants to be straight: a long one more than a short one, and
/// most of all in its middle, where turns are not expected.
fn pull(one_is_bend: bool, other_is_bend: bool) -> f64 {
    match (one_is_bend, other_is_bend) {
        (true, true) => 8.0,
        (false, false) => 1.0,
        _ => 2.0,
    }
}

/// Items of a row that push against each other and stand as close as they may.
struct Run {
    /// Where they start, less the room of everything to their left.
    start: f64,
    weight: f64,
    count: usize,
}

/// The places nearest to those that are wanted, each with its weight, so that no
/// two neighbours are closer than `apart`.
fn settled(wanted: &[(f64, f64)], apart: &[f64]) -> Vec<f64> {
    let mut room: f64 = 0.0;
    let mut rooms = vec![room];
    for apart in apart {
        room += apart;
        rooms.push(room);
    }
    let mut runs: Vec<Run> = Vec::new();
    for (&(place, weight), room) in wanted.iter().zip(&rooms) {
        let mut run = Run { start: place - room, weight, count: 1 };
        while let Some(before) = runs.pop_if(|before| before.start > run.start) {
            let weight = before.weight + run.weight;
            let start = (before.start * before.weight + run.start * run.weight) / weight;
            run = Run { start, weight, count: before.count + run.count };
        }
        runs.push(run);
    }
    let starts = runs.iter().flat_map(|run| std::iter::repeat_n(run.start, run.count));
    starts.zip(&rooms).map(|(start, room)| start + room).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_room_stands_where_it_wants_to() {
        assert_eq!(settled(&[(0.0, 1.0), (50.0, 1.0)], &[20.0]), [0.0, 50.0]);
    }

    #[test]
    fn what_wants_the_same_place_stands_around_it() {
        assert_eq!(settled(&[(10.0, 1.0), (10.0, 1.0), (10.0, 1.0)], &[20.0, 20.0]), [-10.0, 10.0, 30.0]);
    }

    #[test]
    fn what_matters_more_moves_less() {
        assert_eq!(settled(&[(10.0, 3.0), (10.0, 1.0)], &[20.0]), [5.0, 25.0]);
    }
}
