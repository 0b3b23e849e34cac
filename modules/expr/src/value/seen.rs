//! Whether a value was seen before, for what keeps each of its elements once.

use std::collections::BTreeSet;

use super::{Key, Value};

/// Values of which it is asked whether one like another is among them. Texts,
/// booleans and whole numbers are looked up; what has no order, and doubles,
/// which may equal a number of another type, are compared one by one.
#[derive(Debug, Default)]
pub(crate) struct Seen<'v> {
    keys: BTreeSet<Key<'v>>,
    others: Vec<Value<'v>>,
}

impl<'v> Seen<'v> {
    /// Whether one of them equals the value.
    pub(crate) fn contains(&self, value: &Value<'v>) -> bool {
        match value {
            Value::Double(_) => self.compared(value) || self.keys.iter().any(|key| value.equals(&key.clone().into())),
            Value::Int(_) | Value::Uint(_) => self.looked_up(value) || self.compared(value),
            Value::Text(_) | Value::Bool(_) => self.looked_up(value),
            _ => self.compared(value),
        }
    }

    /// How many a look at a value may have to compare.
    pub(crate) fn compared_with(&self, value: &Value) -> usize {
        match value {
            Value::Double(_) => self.others.len() + self.keys.len(),
            Value::Text(_) | Value::Bool(_) => 0,
            _ => self.others.len(),
        }
    }

    /// Adds a value; false if one like it was there.
    pub(crate) fn insert(&mut self, value: Value<'v>) -> bool {
        let is_new = !self.contains(&value);
        if is_new {
            match (&value, value.as_key()) {
                (Value::Double(_), _) | (_, None) => self.others.push(value),
                (_, Some(key)) => {
                    self.keys.insert(key);
                }
            }
        }
        is_new
    }

    fn looked_up(&self, value: &Value<'v>) -> bool {
        value.as_key().is_some_and(|key| self.keys.contains(&key))
    }

    fn compared(&self, value: &Value<'v>) -> bool {
        self.others.iter().any(|known| known.equals(value))
    }
}

impl<'v> FromIterator<Value<'v>> for Seen<'v> {
    fn from_iter<I: IntoIterator<Item = Value<'v>>>(values: I) -> Seen<'v> {
        let mut seen = Seen::default();
        for value in values {
            seen.insert(value);
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_seen_is_found_again_by_its_value() {
        let (list, text) = (json!([1]), json!("a"));
        let values = || {
            let json = [Value::of_json(&list, None), Value::of_json(&text, None), Value::Null, Value::Bool(true)];
            let numbers = [Value::Int(1), Value::Uint(1), Value::Double(1.0), Value::Double(1.5), Value::Int(2)];
            json.into_iter().chain(numbers).chain([Value::Double(2.0), Value::Double(f64::NAN), Value::text("1")])
        };
        // Whatever comes first, the answer is that of comparing with each.
        for skip in 0..values().count() {
            let order: Vec<Value> = values().cycle().skip(skip).take(values().count()).collect();
            let mut seen = Seen::default();
            for (index, value) in order.iter().enumerate() {
                let is_new = !order[..index].iter().any(|known| known.equals(value));
                assert_eq!(seen.insert(value.clone()), is_new, "{value:?} after {:?}", &order[..index]);
            }
        }
    }
}
