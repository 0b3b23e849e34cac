//! The variables of an environment, by name and by number.
//!
//! A definition has as many as resources, so that none is searched for.

use std::collections::BTreeMap;

use crate::types::Type;

/// Variables, which are found by their name.
#[derive(Clone, Debug, Default)]
pub struct Variables<'s> {
    all: Vec<(String, Type<'s>)>,
    /// Of several of one name, the first.
    numbers: BTreeMap<String, usize>,
    dotted: usize,
}

impl<'s> Variables<'s> {
    /// Adds one, with its name and its type.
    pub fn push(&mut self, variable: (String, Type<'s>)) {
        self.dotted += usize::from(variable.0.contains('.'));
        self.numbers.entry(variable.0.clone()).or_insert(self.all.len());
        self.all.push(variable);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes all but the first ones away again.
    pub fn truncate(&mut self, keep: usize) {
        for (index, (name, _)) in self.all.drain(keep.min(self.all.len())..).enumerate() {
            self.dotted -= usize::from(name.contains('.'));
            if self.numbers.get(&name) == Some(&(keep + index)) {
                self.numbers.remove(&name);
            }
        }
    }

    /// Gives a variable another type; the type that it had, if there is one of
    /// that number.
    pub fn retype(&mut self, number: usize, of: Type<'s>) -> Option<Type<'s>> {
        self.all.get_mut(number).map(|variable| std::mem::replace(&mut variable.1, of))
    }

    /// The number and the type of a name.
    pub fn get(&self, name: &str) -> Option<(usize, &Type<'s>)> {
        let number = *self.numbers.get(name)?;
        Some((number, &self.all.get(number)?.1))
    }

    /// Whether any has a name with dots in it.
    pub(super) fn is_any_dotted(&self) -> bool {
        self.dotted > 0
    }
}
