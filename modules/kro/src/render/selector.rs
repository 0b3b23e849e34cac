//! Whether what a label selector amounts to for an instance is one: what is none
//! finds nothing, and nothing found would count as an empty list.

use guest_sdk::metadata;
use serde_json::Value as Json;

use crate::program::Template;

/// Says what is wrong with what a selector amounts to.
pub(super) fn check(template: &Template, selector: &Json) -> Result<(), String> {
    // One that `omit()` leaves nothing of would pick every object there is.
    if selects_all(selector) && asks_for_something(template, selector) {
        return Err("amounts to nothing, and would select every object".to_owned());
    }
    is_one(selector)
}

/// Whether nothing is asked for.
fn selects_all(selector: &Json) -> bool {
    let Some(fields) = selector.as_object() else { return false };
    fields.values().all(|asked| match asked {
        Json::Null => true,
        Json::Object(labels) => labels.is_empty(),
        Json::Array(requirements) => requirements.is_empty(),
        _ => false,
    })
}

/// Whether a selector says which labels it asks for, or would have said so but for
/// an `omit()`. An expression for all of them may come to none, which selects all,
/// as it does in Kubernetes.
fn asks_for_something(template: &Template, selector: &Json) -> bool {
    let Template::Map(fields) = template else { return false };
    fields.iter().any(|(name, asked)| match asked {
        Template::Map(labels) => !labels.is_empty(),
        Template::List(requirements) => !requirements.is_empty(),
        Template::Value(_) => selector.get(name).is_none(),
        _ => false,
    })
}

/// Says why a value is not a selector.
fn is_one(selector: &Json) -> Result<(), String> {
    let Some(fields) = selector.as_object() else {
        return Err(format!("must be a map, got {}", crate::simple_schema::kind_of(selector)));
    };
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("matchLabels" | "matchExpressions", Json::Null) => {}
            ("matchLabels", Json::Object(labels)) => labels.iter().try_for_each(|(key, value)| label(key, value))?,
            ("matchExpressions", Json::Array(all)) => all.iter().try_for_each(requirement)?,
            ("matchLabels" | "matchExpressions", other) => {
                return Err(format!("has `{name}` of type {}", crate::simple_schema::kind_of(other)));
            }
            _ => return Err(format!("has a field `{name}`: there are `matchLabels` and `matchExpressions`")),
        }
    }
    Ok(())
}

fn label(key: &str, value: &Json) -> Result<(), String> {
    match value.as_str() {
        _ if !metadata::is_key(key) => Err(format!("looks for `{key}`, which is not the key of a label")),
        Some(text) if metadata::is_label_value(text) => Ok(()),
        Some(text) => Err(format!("looks for `{key}` with `{text}`, which no label can have for its value")),
        None => Err(format!("looks for `{key}` with {value}; the value of a label is a string")),
    }
}

fn requirement(requirement: &Json) -> Result<(), String> {
    let text = |name: &str| requirement.get(name).and_then(Json::as_str).unwrap_or_default();
    let key = text("key");
    let values = match requirement.get("values") {
        None | Some(Json::Null) => &[][..],
        Some(Json::Array(values)) => values.as_slice(),
        Some(other) => return Err(format!("has `values` of type {}", crate::simple_schema::kind_of(other))),
    };
    match (text("operator"), values) {
        _ if key.is_empty() => Err("has a requirement without a `key`".to_owned()),
        _ if !metadata::is_key(key) => Err(format!("looks for `{key}`, which is not the key of a label")),
        ("In" | "NotIn", []) => Err(format!("compares `{key}` with no `values`")),
        ("In" | "NotIn", values) => values.iter().try_for_each(|value| label(key, value)),
        ("Exists" | "DoesNotExist", []) => Ok(()),
        ("Exists" | "DoesNotExist", _) => Err(format!("has `values` for `{key}`, which is only to be there or not")),
        (other, _) => Err(format!("has the operator `{other}`: there are `In`, `NotIn`, `Exists`, `DoesNotExist`")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_kubernetes_takes_for_a_selector_is_one_and_nothing_else() {
        let rule = |operator: &str, values: Json| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]});
        for good in [
            json!({}),
            json!({"matchLabels": {"a": "b-1.c_d", "e": ""}, "matchExpressions": null}),
            rule("In", json!(["a", "b"])),
            rule("Exists", json!([])),
            json!({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}),
        ] {
            assert_eq!(is_one(&good), Ok(()), "{good}");
        }
        for bad in [
            json!([]),
            json!({"matchLabels": ["a"]}),
            json!({"matchlabels": {}}),
            json!({"matchLabels": {"a": 5}}),
            json!({"matchLabels": {"a": null}}),
            json!({"matchLabels": {"a": "b c"}}),
            json!({"matchLabels": {"a": "-b"}}),
            json!({"matchLabels": {"a b": "c"}}),
            json!({"matchExpressions": [{"key": "a b", "operator": "Exists"}]}),
            json!({"matchLabels": {"a": "b".repeat(64)}}),
            rule("Odd", json!(["a"])),
            rule("", json!(["a"])),
            rule("In", json!([])),
            rule("In", json!([1])),
            rule("In", json!("a")),
            rule("Exists", json!(["a"])),
            json!({"matchExpressions": [{"operator": "Exists"}]}),
            json!({"matchExpressions": ["a"]}),
        ] {
            assert!(is_one(&bad).is_err(), "{bad}");
        }
    }
}
