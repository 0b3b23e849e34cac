//! Orders the resources of a definition so that each comes after all that it
//! depends on, and says which ids form a cycle if there is no such order.
//!
//! It does not find the dependencies: `check` reads them from the expressions.

use std::collections::BTreeSet;

/// There is no order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("graph contains a cycle: {}", path.join(" -> "))]
pub(crate) struct Cycle {
    /// The ids along it; the first is the last.
    pub(crate) path: Vec<String>,
}

/// kro v0.9's order: of those that nothing holds back, always the one that was
/// written first (Kahn's algorithm). `on` are the positions that each depends
/// on.
pub(crate) fn by_position(ids: &[&str], on: &[BTreeSet<usize>]) -> Result<Vec<usize>, Cycle> {
    let mut open: Vec<usize> = on.iter().map(BTreeSet::len).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); ids.len()];
    for (index, on) in on.iter().enumerate() {
        on.iter().for_each(|other| dependents[*other].push(index));
    }
    let mut free: BTreeSet<usize> = (0..ids.len()).filter(|index| open[*index] == 0).collect();
    let mut order = Vec::with_capacity(ids.len());
    while let Some(next) = free.pop_first() {
        order.push(next);
        for dependent in &dependents[next] {
            open[*dependent] -= 1;
            if open[*dependent] == 0 {
                free.insert(*dependent);
            }
        }
    }
    if order.len() == ids.len() { Ok(order) } else { Err(cycle(ids, on)) }
}

/// kro v0.1's order: a depth-first walk that takes ids and dependencies in
/// alphabetical order.
pub(crate) fn depth_first(ids: &[&str], on: &[BTreeSet<usize>]) -> Result<Vec<usize>, Cycle> {
    if by_position(ids, on).is_err() {
        return Err(cycle(ids, on));
    }
    let sorted = |mut indexes: Vec<usize>| {
        indexes.sort_by_key(|index| ids[*index]);
        indexes
    };
    let mut order = Vec::with_capacity(ids.len());
    let mut done = vec![false; ids.len()];
    // With a stack of its own: a chain of a thousand resources must not exhaust
    // the guest's.
    let mut pending: Vec<(usize, bool)> = Vec::new();
    for start in sorted((0..ids.len()).collect()) {
        pending.push((start, false));
        while let Some((index, walked)) = pending.pop() {
            if done[index] {
                continue;
            }
            if walked {
                done[index] = true;
                order.push(index);
                continue;
            }
            pending.push((index, true));
            let below = sorted(on[index].iter().copied().collect());
            pending.extend(below.into_iter().rev().map(|index| (index, false)));
        }
    }
    Ok(order)
}

/// A cycle, from the id that comes first in the alphabet around to itself.
fn cycle(ids: &[&str], on: &[BTreeSet<usize>]) -> Cycle {
    let mut path: Vec<usize> = Vec::new();
    let mut starts: Vec<usize> = (0..ids.len()).collect();
    starts.sort_by_key(|index| ids[*index]);
    for start in starts {
        path.clear();
        if around(start, start, on, &mut path, &mut BTreeSet::new()) {
            break;
        }
        path.clear();
    }
    let mut names: Vec<String> = path.iter().map(|index| ids[*index].to_owned()).collect();
    names.extend(path.first().map(|index| ids[*index].to_owned()));
    Cycle { path: names }
}

/// Finds a way from a resource back to the start.
fn around(start: usize, at: usize, on: &[BTreeSet<usize>], path: &mut Vec<usize>, seen: &mut BTreeSet<usize>) -> bool {
    // Walks with its own stack of choices for the same reason as above.
    let mut choices: Vec<std::collections::btree_set::Iter<usize>> = vec![on[at].iter()];
    path.push(at);
    while let Some(rest) = choices.last_mut() {
        match rest.next() {
            Some(next) if *next == start => return true,
            Some(next) if seen.insert(*next) => {
                path.push(*next);
                choices.push(on[*next].iter());
            }
            Some(_) => {}
            None => {
                choices.pop();
                path.pop();
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    type Graph = (Vec<&'static str>, Vec<BTreeSet<usize>>);

    fn graph(edges: &[(&'static str, &[&'static str])]) -> Graph {
        let ids: Vec<&str> = edges.iter().map(|(id, _)| *id).collect();
        let position = |id: &str| ids.iter().position(|other| *other == id).unwrap();
        let on = edges.iter().map(|(_, on)| on.iter().map(|id| position(id)).collect()).collect();
        (ids, on)
    }

    fn names(graph: &Graph, order: Vec<usize>) -> Vec<&'static str> {
        order.into_iter().map(|index| graph.0[index]).collect()
    }

    #[test]
    fn v01_walks_in_alphabetical_order() {
        let graph = graph(&[("c", &[]), ("b", &["z"]), ("a", &["c"]), ("z", &[])]);
        assert_eq!(names(&graph, depth_first(&graph.0, &graph.1).unwrap()), ["c", "a", "z", "b"]);
    }

    #[test]
    fn v09_keeps_the_written_order_as_far_as_it_can() {
        let graph = graph(&[("c", &["z"]), ("b", &[]), ("a", &["c"]), ("z", &[])]);
        assert_eq!(names(&graph, by_position(&graph.0, &graph.1).unwrap()), ["b", "z", "c", "a"]);
    }

    #[test]
    fn a_cycle_is_named_from_end_to_end() {
        let looped = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]);
        for order in [by_position, depth_first] {
            let cycle = order(&looped.0, &looped.1).unwrap_err();
            assert_eq!(cycle.to_string(), "graph contains a cycle: b -> c -> b");
        }
        let own = graph(&[("a", &["a"])]);
        assert_eq!(by_position(&own.0, &own.1).unwrap_err().to_string(), "graph contains a cycle: a -> a");
    }
}
