//! Makes an example smaller as long as it still shows what it is an example of.
//!
//! Greedy: whatever can be left out alone is left out, the large before the small.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::text;

/// An instance and what is observed with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Example {
    /// As a user sends it.
    pub(super) instance: Value,
    /// Live objects.
    pub(super) observed: Vec<Value>,
}

impl Example {
    pub(super) fn yaml(&self) -> String {
        let mut text = text(&self.instance);
        if !self.observed.is_empty() {
            text += "--- # observed\n";
            text += &self.observed.iter().map(self::text).collect::<Vec<_>>().join("---\n");
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        json!({"instance": self.instance, "observed": self.observed})
    }
}

/// Enough for some thousand renders of a usual module; one that computes for long
/// is shown as far as that leads.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an object cannot do without.
const IDENTITY: [&str; 4] = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];

/// The smallest example that is found, with what `broken` says of it.
pub(super) fn smallest<B>(example: Example, breach: B, broken: impl Fn(&Example) -> Option<B>) -> (Example, B) {
    let deadline = Instant::now() + PATIENCE;
    let mut found = (example, breach);
    loop {
        let mut smaller = smaller(&found.0).into_iter().take_while(|_| Instant::now() < deadline);
        let next = smaller.find_map(|example| broken(&example).map(|breach| (example, breach)));
        match next {
            Some(next) => found = next,
            None => return found,
        }
    }
}

/// The same example with one thing less.
fn smaller(example: &Example) -> Vec<Example> {
    let Example { instance, observed } = example;
    let without = (0..observed.len()).map(|index| {
        let mut fewer = observed.clone();
        fewer.remove(index);
        Example { instance: instance.clone(), observed: fewer }
    });
    let instances = reductions(instance).into_iter().map(|instance| Example { instance, observed: observed.clone() });
    let objects = observed.iter().enumerate().flat_map(|(index, object)| {
        reductions(object).into_iter().map(move |object| {
            let mut observed = observed.clone();
            observed[index] = object;
            Example { instance: instance.clone(), observed }
        })
    });
    without.chain(instances).chain(objects).collect()
}

/// The same object with one value less, or a smaller one.
fn reductions(object: &Value) -> Vec<Value> {
    let mut places = Vec::new();
    visit(object, &mut String::new(), &mut places);
    let depth = |place: &String| place.matches('/').count();
    places.sort_by_key(depth);
    let removed = places.iter().filter_map(|place| without(object, place));
    let shortened = places.iter().filter_map(|place| shortened(object, place));
    removed.chain(shortened).collect()
}

/// The places of all values but those that tell which object it is.
fn visit(value: &Value, at: &mut String, places: &mut Vec<String>) {
    let mut within = |key: &str, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        if !IDENTITY.contains(&at.as_str()) && at != "/metadata" {
            places.push(at.clone());
        }
        visit(value, at, places);
        at.truncate(length);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| within(key, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| within(&index.to_string(), value)),
        _ => {}
    }
}

fn without(object: &Value, place: &str) -> Option<Value> {
    let (parent, key) = place.rsplit_once('/')?;
    let mut smaller = object.clone();
    match smaller.pointer_mut(parent)? {
        Value::Object(fields) => drop(fields.remove(&key.replace("~1", "/").replace("~0", "~"))?),
        Value::Array(items) => drop(items.remove(key.parse().ok()?)),
        _ => return None,
    }
    Some(smaller)
}

/// With half of a text or of a number.
fn shortened(object: &Value, place: &str) -> Option<Value> {
    let less = match object.pointer(place)? {
        Value::String(text) if text.chars().count() > 1 => {
            let half = text.chars().count() / 2;
            text.chars().take(half).collect::<String>().into()
        }
        Value::Number(number) => (number.as_u64().filter(|number| *number > 0)? / 2).into(),
        _ => return None,
    };
    let mut smaller = object.clone();
    *smaller.pointer_mut(place)? = less;
    Some(smaller)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(spec: Value, observed: &[Value]) -> Example {
        let instance =
            json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "labels": {"x": "y"}}, "spec": spec});
        Example { instance, observed: observed.to_vec() }
    }

    #[test]
    fn what_has_nothing_to_do_with_it_is_left_out() {
        let object = |name: &str| json!({"apiVersion": "v1", "kind": "B", "metadata": {"name": name, "uid": "1"}});
        let large = example(
            json!({"bad/key": [{"a": 1}, {"guilty": "yes, it is", "b": {"c": 2}}], "other": "text", "count": 40}),
            &[object("one"), object("two")],
        );
        let broken = |example: &Example| {
            let items = example.instance.pointer("/spec/bad~1key").and_then(Value::as_array)?;
            items.iter().any(|item| item["guilty"].as_str().is_some_and(|it| it.starts_with('y'))).then_some(())
        };
        let (small, ()) = smallest(large, (), broken);
        let wanted =
            json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "spec": {"bad/key": [{"guilty": "y"}]}});
        assert_eq!(small, Example { instance: wanted, observed: Vec::new() });
    }

    #[test]
    fn an_example_that_needs_everything_stays_as_it_is() {
        let whole = example(json!({"a": true}), &[]);
        let wanted = whole.clone();
        let (small, ()) = smallest(whole.clone(), (), move |example| (*example == wanted).then_some(()));
        assert_eq!(small, whole);
    }

    #[test]
    fn an_observed_object_keeps_what_it_is_found_by() {
        let object =
            json!({"apiVersion": "v1", "kind": "B", "metadata": {"name": "b", "uid": "1"}, "data": {"n": "12"}});
        let broken = |example: &Example| (!example.observed.is_empty()).then_some(());
        let (small, ()) = smallest(example(json!({}), &[object]), (), broken);
        assert_eq!(small.observed, [json!({"apiVersion": "v1", "kind": "B", "metadata": {"name": "b"}})]);
    }
}
