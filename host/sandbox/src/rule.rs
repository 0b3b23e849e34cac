//! What single fields of an answer have to look like: the patterns that the
//! `.wit` file documents and that URLs and object names rely on.

use std::collections::HashSet;

use contract::{Gvk, Problem, shape};
use serde_json::Value;

use super::answer::Violation;

/// `[A-Za-z][A-Za-z0-9_-]*`, at most 63 characters.
pub(super) fn id(id: String, at: &str) -> Result<String, Violation> {
    expect(shape::is_id(&id), at, "an id: `[A-Za-z][A-Za-z0-9_-]*`, at most 63 characters")?;
    Ok(id)
}

/// A key within a collection, or nothing.
pub(super) fn key(key: String, at: &str) -> Result<String, Violation> {
    expect(shape::is_key(&key), at, "a key of at most 512 bytes")?;
    Ok(key)
}

/// Ids that something depends on or waits for.
pub(super) fn ids(ids: Vec<String>, at: &str) -> Result<Vec<String>, Violation> {
    ids.into_iter().map(|one| id(one, at)).collect()
}

/// A kind whose parts can stand in a URL.
pub(super) fn kind(kind: Gvk, at: &str) -> Result<Gvk, Violation> {
    expect(shape::is_kind(&kind), at, "a group, version and kind of Kubernetes")?;
    Ok(kind)
}

/// A resource name as it stands in a URL.
pub(super) fn plural(plural: String, at: &str) -> Result<String, Violation> {
    expect(shape::is_plural(&plural), at, "a resource name: lower-case letters, digits and `-`")?;
    Ok(plural)
}

/// An object that says of what kind it is and how it is called.
pub(super) fn manifest(manifest: &Value, at: &str) -> Result<(), Violation> {
    let text = |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    expect(manifest.is_object(), at, "a JSON object")?;
    let gvk = Gvk::of(manifest).ok_or_else(|| Violation::shape(at, "an object with `apiVersion` and `kind`"))?;
    kind(gvk, at)?;
    expect(!text("/metadata/name").is_empty(), at, "an object with `metadata.name`")
}

/// The type of a condition, or the code of a problem: a word as Kubernetes takes
/// for a reason.
pub(super) fn word(word: String, at: &str) -> Result<String, Violation> {
    expect(shape::is_word(&word), at, "one word, such as `DatabaseReady`")?;
    Ok(word)
}

/// The reason of a condition. It should be a word, but a definition of kro may
/// leave it out or write what it likes: any short line of text does no harm.
pub(super) fn reason(reason: String, at: &str) -> Result<String, Violation> {
    expect(shape::is_reason(&reason), at, "a condition whose reason is one line of at most 1,024 bytes")?;
    Ok(reason)
}

/// A problem that can be shown: a word for its code, a pointer for its place.
pub(super) fn problem(problem: Problem, at: &str) -> Result<Problem, Violation> {
    let place = problem.at.is_empty() || problem.at.starts_with('/');
    expect(place, at, "a problem whose place is a JSON pointer")?;
    expect(!problem.message.is_empty(), at, "a problem that says what is wrong")?;
    Ok(Problem { code: word(problem.code, at)?, ..problem })
}

/// Refuses the second thing of one name.
pub(super) fn unique<'a, T: std::hash::Hash + Eq + 'a>(
    names: impl IntoIterator<Item = T>,
    what: &'static str,
    show: impl Fn(&T) -> String,
) -> Result<(), Violation> {
    let mut seen = HashSet::new();
    for name in names {
        let shown = show(&name);
        if !seen.insert(name) {
            return Err(Violation::Duplicate { what, name: shown });
        }
    }
    Ok(())
}

/// Requires something of the field at `at`.
pub(super) fn expect(holds: bool, at: &str, expected: &'static str) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::shape(at, expected)) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_id_is_a_short_word() {
        for good in ["a", "Deployment", "my-db_2"] {
            assert!(id(good.to_owned(), "id").is_ok(), "{good}");
        }
        for bad in ["", "2a", "-a", "a.b", "ä", "a/b", &"a".repeat(64)] {
            assert!(id(bad.to_owned(), "id").is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_of_a_kind_can_leave_its_place_in_a_url() {
        let gvk = |group: &str, version: &str, kind: &str| Gvk {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        };
        for good in [gvk("", "v1", "ConfigMap"), gvk("rbac.authorization.k8s.io", "v1beta1", "Role")] {
            assert!(kind(good.clone(), "kind").is_ok(), "{good}");
        }
        for bad in [
            gvk("../x", "v1", "Role"),
            gvk("a..b", "v1", "Role"),
            gvk("", "", "Role"),
            gvk("", "v1/x", "Role"),
            gvk("", "v1", "Ro/le"),
            gvk("", "v1", ""),
        ] {
            assert!(kind(bad.clone(), "kind").is_err(), "{bad}");
        }
        assert!(plural("config?maps".to_owned(), "plural").is_err());
    }

    #[test]
    fn a_manifest_says_what_it_is() {
        let whole = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
        assert!(manifest(&whole, "it").is_ok());
        for part in ["apiVersion", "kind", "metadata"] {
            let mut less = whole.clone();
            less[part].take();
            assert!(manifest(&less, "it").is_err(), "without {part}");
        }
    }

    #[test]
    fn a_reason_is_a_line_or_nothing() {
        for good in ["", "DatabaseReady", "not ready:"] {
            assert!(reason(good.to_owned(), "reason").is_ok(), "{good}");
        }
        for bad in ["two\nlines", &"a".repeat(1025)] {
            assert!(reason(bad.to_owned(), "reason").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_condition_is_named_by_a_word() {
        assert!(word("DatabaseReady".to_owned(), "type").is_ok());
        assert!(word("example.org/Ready".to_owned(), "type").is_ok());
        for bad in ["", "not ready", "1st", "Ready:"] {
            assert!(word(bad.to_owned(), "type").is_err(), "{bad}");
        }
    }
}
