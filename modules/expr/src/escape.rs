//! The names of fields as rules of an API server write them: `a__dash__b` for `a-b`.
//!
//! Reserved words, `__namespace__` for `namespace`, are read where fields are looked
//! up.

use serde_json::Value;

use crate::syntax::{Kind, Node};

const SIGNS: [(&str, &str); 4] = [("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__")];

/// The name as an expression writes it.
pub fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        let sign = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign));
        text += sign.map_or(&rest[..letter.len_utf8()], |(_, word)| word);
        rest = &rest[sign.map_or(letter.len_utf8(), |(sign, _)| sign.len())..];
    }
    text
}

/// Gives the fields of an expression the names that they have in the document, if the
/// schema has such fields anywhere.
pub fn unescape(node: &mut Node, schema: &Value) {
    let mut names = Vec::new();
    collect(schema, &mut names);
    if !names.is_empty() {
        rename(node, &names);
    }
}

fn collect<'s>(schema: &'s Value, names: &mut Vec<(String, &'s str)>) {
    for (name, below) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let text = escaped(name);
        if text != *name {
            names.push((text, name));
        }
        collect(below, names);
    }
    for below in ["items", "additionalProperties"].iter().filter_map(|name| schema.get(*name)) {
        collect(below, names);
    }
}

fn rename(node: &mut Node, names: &[(String, &str)]) {
    if let Kind::Select { field, .. } | Kind::Has { field, .. } = &mut node.kind
        && let Some((_, name)) = names.iter().find(|(text, _)| text == field)
    {
        *field = (*name).to_owned();
    }
    node.children_mut().into_iter().for_each(|child| rename(child, names));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::parse::parse;

    #[test]
    fn fields_are_found_by_the_names_that_rules_write() {
        for (name, expected) in [
            ("a-b", "a__dash__b"),
            ("a.b/c", "a__dot__b__slash__c"),
            ("a__b", "a__underscores__b"),
            ("a___b", "a__underscores___b"),
            ("plain_name", "plain_name"),
        ] {
            assert_eq!(escaped(name), expected);
            let mut node = parse(&format!("has(self.{expected})")).unwrap();
            unescape(&mut node, &json!({"items": {"properties": {name: {}}}}));
            assert!(matches!(&node.kind, Kind::Has { field, .. } if field == name), "{node:?}");
        }
    }
}
