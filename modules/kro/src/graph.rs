//! Orders the ids of a definition so that each comes after all that it depends
//! on, and says which ids form a cycle if there is no such order.
//!
//! It does not find the dependencies: `check` reads them from the expressions.

use std::collections::{BTreeMap, BTreeSet};

/// Which ids each id depends on directly.
pub(crate) type Dependencies<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// There is no order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("graph contains a cycle: {}", path.join(" -> "))]
pub(crate) struct Cycle {
    /// The ids along it; the first is the last.
    pub(crate) path: Vec<String>,
}

/// The ids in topological order: kro v0.1's depth-first walk, which takes ids
/// and dependencies in alphabetical order. Ids that are no key are ignored.
pub(crate) fn order<'a>(dependencies: &Dependencies<'a>) -> Result<Vec<&'a str>, Cycle> {
    let mut walk = Walk { dependencies, path: Vec::new(), done: BTreeSet::new(), order: Vec::new() };
    for id in dependencies.keys() {
        walk.visit(id)?;
    }
    Ok(walk.order)
}

struct Walk<'a, 'd> {
    dependencies: &'d Dependencies<'a>,
    path: Vec<&'a str>,
    done: BTreeSet<&'a str>,
    order: Vec<&'a str>,
}

impl<'a> Walk<'a, '_> {
    /// Walks with its own stack: a chain of a thousand resources must not
    /// exhaust the guest's.
    fn visit(&mut self, start: &'a str) -> Result<(), Cycle> {
        let mut pending = vec![Step::Enter(start)];
        while let Some(step) = pending.pop() {
            match step {
                Step::Leave(id) => self.leave(id),
                Step::Enter(id) if self.done.contains(id) => {}
                Step::Enter(id) => {
                    self.refuse_if_on_path(id)?;
                    self.path.push(id);
                    pending.push(Step::Leave(id));
                    let below = self.dependencies.get(id).into_iter().flatten().rev();
                    pending.extend(below.filter(|id| self.dependencies.contains_key(*id)).map(|id| Step::Enter(id)));
                }
            }
        }
        Ok(())
    }

    fn leave(&mut self, id: &'a str) {
        self.path.pop();
        self.done.insert(id);
        self.order.push(id);
    }

    fn refuse_if_on_path(&self, id: &'a str) -> Result<(), Cycle> {
        let Some(start) = self.path.iter().position(|on_path| *on_path == id) else { return Ok(()) };
        let mut path: Vec<String> = self.path[start..].iter().map(|id| (*id).to_owned()).collect();
        path.push(id.to_owned());
        Err(Cycle { path })
    }
}

enum Step<'a> {
    Enter(&'a str),
    Leave(&'a str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&'static str, &[&'static str])]) -> Dependencies<'static> {
        edges.iter().map(|(id, on)| (*id, on.iter().copied().collect())).collect()
    }

    #[test]
    fn what_is_depended_on_comes_first_and_ties_are_alphabetical() {
        let graph = graph(&[("c", &[]), ("b", &["z"]), ("a", &["c"]), ("z", &[])]);
        assert_eq!(order(&graph).unwrap(), ["c", "a", "z", "b"]);
    }

    #[test]
    fn a_cycle_is_named_from_end_to_end() {
        let looped = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]);
        assert_eq!(order(&looped).unwrap_err().to_string(), "graph contains a cycle: b -> c -> b");
        assert_eq!(order(&graph(&[("a", &["a"])])).unwrap_err().to_string(), "graph contains a cycle: a -> a");
    }

    #[test]
    fn a_diamond_is_no_cycle() {
        let diamond = graph(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])]);
        assert_eq!(order(&diamond).unwrap(), ["d", "b", "c", "a"]);
    }
}
