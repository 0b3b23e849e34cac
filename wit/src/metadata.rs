//! What an API server takes in an object's metadata: names, namespaces, labels
//! and annotations. The host refuses what no server takes; a module can say
//! beforehand what is wrong and where.
//!
//! The rules are those of Kubernetes: “Object Names and IDs” and “Labels and
//! Selectors” of its documentation, and `apimachinery/pkg/api/validation`.

use serde_json::{Map, Value};

use crate::{
    Gvk,
    shape::{is_label, is_subdomain},
};

/// The most characters of a name.
const NAME: usize = 253;

/// The most characters of the value of a label, and of the name in a key.
const LABEL: usize = 63;

/// The most bytes of all annotations together.
const ANNOTATIONS: usize = 256 << 10;

/// Metadata that a server sets, or that is not of the object's author.
pub const NOT_WRITTEN: [&str; 5] = ["uid", "resourceVersion", "generateName", "managedFields", "deletionTimestamp"];

/// Why a name cannot be that of an object of a kind.
///
/// Most kinds, custom resources among them, take a DNS subdomain. A Namespace
/// takes a DNS label, a Service one that begins with a letter, and some kinds
/// whatever can stand in a path.
///
/// # Errors
/// What the name has to be, to follow “it is `…`, and ”.
pub fn name(kind: &Gvk, name: &str) -> Result<(), &'static str> {
    let starts_with_a_letter = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase());
    match (kind.group.as_str(), kind.kind.as_str()) {
        _ if name.is_empty() => Err("a name may not be empty"),
        ("rbac.authorization.k8s.io" | "flowcontrol.apiserver.k8s.io" | "certificates.k8s.io", _) => path_segment(name),
        ("", "Namespace") if !is_label(name) => Err(
            "the name of a Namespace has at most 63 lower-case letters, digits and `-`, and begins and ends with a \
                 letter or a digit",
        ),
        ("", "Service") if !is_label(name) || !starts_with_a_letter(name) => {
            Err("the name of a Service has at most 63 lower-case letters, digits and `-`, and begins with a letter")
        }
        _ if !is_subdomain_of_labels(name) => Err(
            "a name has at most 253 lower-case letters, digits, `-` and `.`, and begins and ends with a letter or a \
                 digit",
        ),
        _ => Ok(()),
    }
}

/// Why a name can stand in no path, whatever the kind.
///
/// # Errors
/// What the name has to be, to follow “it is `…`, and ”.
pub fn path_segment(name: &str) -> Result<(), &'static str> {
    let unfit = |c: char| matches!(c, '/' | '%' | '?' | '#') || c.is_whitespace() || c.is_control();
    match name {
        "" => Err("a name may not be empty"),
        "." | ".." => Err("a name may not be `.` or `..`"),
        name if name.len() > NAME => Err("a name has at most 253 characters"),
        name if name.contains(unfit) => Err("a name has no `/`, `%`, `?`, `#`, spaces or control characters"),
        _ => Ok(()),
    }
}

/// Whether a text can be the name of a namespace: a DNS label.
pub fn is_namespace(text: &str) -> bool {
    is_label(text)
}

/// Whether a text can be the key of a label or of an annotation: at most 63
/// letters, digits, `-`, `_` and `.`, the first and the last a letter or a digit,
/// perhaps after a DNS subdomain and `/`.
pub fn is_key(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_subdomain(prefix) && !name.is_empty() && is_word(name),
        None => !text.is_empty() && is_word(text),
    }
}

/// Whether a text can be the value of a label: empty, or like the name in a key.
pub fn is_label_value(text: &str) -> bool {
    is_word(text)
}

/// Whether annotations have no more bytes than a server takes: 256 KiB, keys
/// included.
pub fn is_small(annotations: &Map<String, Value>) -> bool {
    let bytes = |(key, value): (&String, &Value)| key.len() + value.as_str().map_or(0, str::len);
    annotations.iter().map(bytes).sum::<usize>() <= ANNOTATIONS
}

fn is_word(text: &str) -> bool {
    let ends = |letter: char| letter.is_ascii_alphanumeric();
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.is_empty()
        || (text.len() <= LABEL && text.bytes().all(inner) && text.starts_with(ends) && text.ends_with(ends))
}

/// Unlike the group of an API, the parts of a name may be longer than 63.
fn is_subdomain_of_labels(name: &str) -> bool {
    let part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    name.len() <= NAME && name.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(group: &str, kind: &str) -> Gvk {
        Gvk { group: group.into(), version: "v1".into(), kind: kind.into() }
    }

    #[test]
    fn each_kind_has_the_names_that_a_server_takes() {
        let long = "a".repeat(253);
        let good = [
            (kind("", "ConfigMap"), vec!["a", "9", "a.b-c.9", &long]),
            (kind("example.org", "Thing"), vec!["a-b"]),
            (kind("", "Namespace"), vec!["9a", "a-b"]),
            (kind("", "Service"), vec!["a-9"]),
            (kind("rbac.authorization.k8s.io", "Role"), vec!["system:Reader", "a b".trim_end_matches(" b"), "Ä"]),
        ];
        for (kind, names) in good {
            names.into_iter().for_each(|it| assert_eq!(name(&kind, it), Ok(()), "{kind} {it}"));
        }
        let too_long = "a".repeat(254);
        let bad = [
            (kind("", "ConfigMap"), vec!["", "A", "a_b", "a b", "-a", "a-", "a..b", ".a", "a/b", "ä", &too_long]),
            (kind("", "Namespace"), vec!["a.b", &long]),
            (kind("", "Service"), vec!["9a", "a.b", "-a"]),
            (kind("rbac.authorization.k8s.io", "Role"), vec!["", ".", "..", "a/b", "a b", "a%", &too_long]),
        ];
        for (kind, names) in bad {
            names.into_iter().for_each(|it| assert!(name(&kind, it).is_err(), "{kind} {it}"));
        }
    }

    #[test]
    fn keys_and_values_of_labels_are_those_that_a_server_takes() {
        let long = "a".repeat(63);
        for good in ["a", "A.b_c-9", "example.org/a", "app.kubernetes.io/name", &long] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", "a b", "-a", "a-", "/a", "a/", "a/b/c", "Example.org/a", "ä", &format!("{long}a")] {
            assert!(!is_key(bad), "{bad}");
        }
        assert!(is_label_value("") && is_label_value("v1.2_x") && is_label_value(&long));
        assert!(!is_label_value("a b") && !is_label_value("-") && !is_label_value(&format!("{long}a")));
    }

    #[test]
    fn annotations_have_a_size() {
        let of = |bytes: usize| json!({"ab": "x".repeat(bytes)}).as_object().cloned().unwrap_or_default();
        assert!(is_small(&of((256 << 10) - 2)) && !is_small(&of((256 << 10) - 1)));
    }
}
