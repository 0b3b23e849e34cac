//! The elements of a collection: every combination of its dimensions, and what
//! tells its objects apart.

use expr::value::Value;
use guest_sdk::Child;
use serde_json::Value as Json;

/// The most objects that a collection may have, kro's default.
const MAX_SIZE: usize = 1_000;

/// What a collection goes over, the outermost dimension first.
#[derive(Default)]
pub(super) struct Dimensions<'r> {
    all: Vec<(&'r str, Vec<Value<'r>>)>,
}

impl<'r> Dimensions<'r> {
    /// Adds a dimension; says why its value is none.
    pub(super) fn add(&mut self, name: &'r str, value: &Value<'r>) -> Result<(), String> {
        match value {
            Value::List(list) => {
                self.all.push((name, list.iter().collect()));
                Ok(())
            }
            Value::Optional(Some(value)) => self.add(name, value),
            other => Err(format!("must return a list, got \"{}\"", other.type_name())),
        }
    }

    /// Refuses more elements than a collection may have.
    pub(super) fn bounded(&self) -> Result<(), String> {
        let size = self.all.iter().fold(1_usize, |size, (_, values)| size.saturating_mul(values.len()));
        if size > MAX_SIZE {
            return Err(format!("collection size {size} exceeds maximum allowed size {MAX_SIZE}"));
        }
        Ok(())
    }

    /// Every combination: the last dimension changes fastest.
    pub(super) fn items(&self) -> Vec<Vec<(&'r str, Value<'r>)>> {
        let mut items: Vec<Vec<(&str, Value)>> = vec![Vec::new()];
        for (name, values) in &self.all {
            let extended = items.iter().flat_map(|item| {
                values.iter().map(|value| item.iter().cloned().chain([(*name, value.clone())]).collect())
            });
            items = extended.collect();
        }
        items
    }
}

/// The key of an object within its collection: its name, after its namespace if
/// it states one. It means the same object in whatever order the elements come.
pub(super) fn key(metadata: &Json) -> String {
    let text = |field: &str| metadata.get(field).and_then(Json::as_str).unwrap_or_default();
    match text("namespace") {
        "" => text("name").to_owned(),
        namespace => format!("{namespace}/{}", text("name")),
    }
}

/// The first identity that two objects of a collection share, as kro writes it.
pub(super) fn collision(children: &[Child<String>]) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    let twice = children.iter().find(|child| !seen.insert(child.key.as_str()))?;
    let manifest: Json = serde_json::from_str(&twice.manifest).ok()?;
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Json::as_str).unwrap_or_default();
    let (group, version) = text("/apiVersion").split_once('/').unwrap_or(("", text("/apiVersion")));
    Some(format!("{group}/{version}/{}/{}/{}", text("/kind"), text("/metadata/namespace"), text("/metadata/name")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_dimension_changes_fastest_and_an_empty_one_leaves_nothing() {
        let list = |numbers: &[i64]| Value::list(numbers.iter().map(|number| Value::Int(*number)).collect());
        let mut dimensions = Dimensions::default();
        dimensions.add("a", &list(&[1, 2])).unwrap();
        dimensions.add("b", &list(&[3, 4])).unwrap();
        let pairs: Vec<String> = dimensions
            .items()
            .iter()
            .map(|item| item.iter().map(|(name, value)| format!("{name}{value:?}")).collect())
            .collect();
        assert_eq!(pairs, ["aInt(1)bInt(3)", "aInt(1)bInt(4)", "aInt(2)bInt(3)", "aInt(2)bInt(4)"]);
        dimensions.add("c", &list(&[])).unwrap();
        assert!(dimensions.items().is_empty());
        assert!(dimensions.add("d", &Value::Null).is_err());
    }
}
