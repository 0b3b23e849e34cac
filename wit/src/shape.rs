//! What texts and JSON of the contract have to look like, as `composition.wit`
//! says: for the host, which refuses an answer of another shape, and for
//! modules, which can say beforehand what is wrong and where.

use serde_json::Value;

use crate::Gvk;

/// The most JSON values that all JSON texts of an answer may have together.
/// Objects, arrays and scalars count, keys do not.
pub const JSON_VALUES: usize = 100_000;

/// How deep a JSON text may nest: a scalar has depth 0, `[[1]]` has 2.
pub const JSON_DEPTH: usize = 100;

/// The most bytes that all strings and lists of an answer may have together.
pub const ANSWER_BYTES: usize = 8 << 20;

/// The most bytes of one object: what etcd takes, less what the host puts on it.
pub const OBJECT_BYTES: usize = 1 << 20;

/// The longest id, and the longest name of anything in a URL.
const NAME_BYTES: usize = 63;

/// The longest API group, with its dots.
const SUBDOMAIN_BYTES: usize = 253;

/// The longest reason of a condition, as Kubernetes has it.
const REASON_BYTES: usize = 1024;

/// The longest key: a namespace and a name, and room to spare.
const KEY_BYTES: usize = 512;

/// Whether a text is an id: `[A-Za-z][A-Za-z0-9_-]*`, at most 63 bytes.
pub fn is_id(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    text.len() <= NAME_BYTES && text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(inner)
}

/// Whether a text tells objects of a collection apart: at most 512 bytes.
pub fn is_key(text: &str) -> bool {
    text.len() <= KEY_BYTES
}

/// Whether the parts of a kind can stand in a URL: the group is empty or a DNS
/// subdomain, the version a DNS label, the kind up to 63 ASCII letters and
/// digits that begin with a letter.
pub fn is_kind(kind: &Gvk) -> bool {
    (kind.group.is_empty() || is_subdomain(&kind.group))
        && is_label(&kind.version)
        && kind.kind.len() <= NAME_BYTES
        && kind.kind.starts_with(|first: char| first.is_ascii_alphabetic())
        && kind.kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a text is a resource name as it stands in a URL: a DNS label.
pub fn is_plural(text: &str) -> bool {
    is_label(text)
}

/// Whether a text is the type of a condition or the code of a problem: one word,
/// as Kubernetes takes it for a reason, perhaps with a domain before it.
pub fn is_word(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_,:.-/".contains(&byte);
    text.len() <= SUBDOMAIN_BYTES
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric() || last == '_')
        && text.bytes().all(inner)
}

/// Whether a text is the reason of a condition: one line of at most 1,024 bytes.
/// It should be a word, but a definition of kro may leave it out or write what
/// it likes.
pub fn is_reason(text: &str) -> bool {
    text.len() <= REASON_BYTES && !text.contains(char::is_control)
}

/// How many JSON values there are, this one and those in it.
pub fn values(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(values).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

/// How deep a JSON value nests.
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// How many bytes a value has as JSON text without spaces: what writing it would
/// tell, for a fraction of the work.
pub fn bytes(value: &Value) -> usize {
    // Brackets, and a comma between each two.
    let around = |count: usize| 2 + count.saturating_sub(1);
    match value {
        Value::Null => 4,
        Value::Bool(value) => 5 - usize::from(*value),
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text_bytes(text),
        Value::Array(elements) => around(elements.len()) + elements.iter().map(bytes).sum::<usize>(),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| text_bytes(name) + 1 + bytes(value);
            around(fields.len()) + fields.iter().map(field).sum::<usize>()
        }
    }
}

/// No fewer bytes than a value has as JSON text, without a look at its texts.
pub fn bytes_at_most(value: &Value) -> usize {
    // A control character takes six bytes; the others are quotes and separators.
    let text = |text: &str| 6 * text.len() + 3;
    match value {
        // The longest double has 24 digits and signs.
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(value) => text(value),
        Value::Array(elements) => 2 + elements.iter().map(|element| 1 + bytes_at_most(element)).sum::<usize>(),
        Value::Object(fields) => {
            2 + fields.iter().map(|(name, value)| text(name) + 1 + bytes_at_most(value)).sum::<usize>()
        }
    }
}

/// What a value takes: for bounds, where counting has to cost little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Bytes of its JSON text.
    pub bytes: usize,
    /// JSON values, itself and those in it. A tree of many small ones takes many times
    /// as much memory as its text.
    pub values: usize,
}

impl std::ops::Add for Size {
    type Output = Size;

    fn add(self, other: Size) -> Size {
        Size { bytes: self.bytes + other.bytes, values: self.values + other.values }
    }
}

impl std::iter::Sum for Size {
    fn sum<I: Iterator<Item = Size>>(sizes: I) -> Size {
        sizes.fold(Size::default(), |sum, size| sum + size)
    }
}

/// The size of a value, with no more bytes than its JSON text has, without a look
/// at its texts.
pub fn size_at_least(value: &Value) -> Size {
    let own = |bytes: usize| Size { bytes, values: 1 };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => own(1),
        Value::String(text) => own(text.len() + 2),
        Value::Array(elements) => {
            // A comma for each but the first.
            own(2 + elements.len().saturating_sub(1)) + elements.iter().map(size_at_least).sum()
        }
        Value::Object(fields) => {
            let names: usize = fields.keys().map(|name| name.len() + 3).sum();
            own(2 + names) + fields.values().map(size_at_least).sum()
        }
    }
}

/// Quotes, backslashes and control characters are escaped.
fn text_bytes(text: &str) -> usize {
    let more = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    };
    2 + text.len() + text.bytes().map(more).sum::<usize>()
}

/// A DNS label: lower-case letters, digits and `-`, neither first nor last.
pub(crate) fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= NAME_BYTES
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

pub(crate) fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN_BYTES && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_and_depth_are_counted_as_documented() {
        assert_eq!((values(&json!(1)), depth(&json!(1))), (1, 0));
        assert_eq!((values(&json!([[1]])), depth(&json!([[1]]))), (3, 2));
        assert_eq!((values(&json!({"a": {}, "b": [1, 2]})), depth(&json!({"a": {}, "b": [1, 2]}))), (5, 2));
    }

    #[test]
    fn bytes_are_those_of_the_text() {
        let texts: String = (0..=0x7f_u8).map(char::from).chain("äß€😀\u{2028}".chars()).collect();
        for value in [
            json!(null),
            json!([true, false, [], {}]),
            json!([0, -17, u64::MAX, 1.5, 1e300, 0.1]),
            json!({"a": 1, "b": [1, 2, {"c": texts}], (texts.clone()): ""}),
        ] {
            assert_eq!(bytes(&value), value.to_string().len(), "{value}");
            assert!(bytes_at_most(&value) >= bytes(&value), "{value}");
            let least = size_at_least(&value);
            assert!(least.bytes <= bytes(&value) && least.values == values(&value), "{value}");
        }
    }

    #[test]
    fn a_reason_is_one_short_line() {
        assert!(is_reason("") && is_reason("two words") && is_reason(&"a".repeat(1024)));
        assert!(!is_reason("a\nb") && !is_reason(&"a".repeat(1025)));
    }
}
