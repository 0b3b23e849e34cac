//! Reads a policy strictly: what is not understood may have been meant to forbid
//! something.

use std::collections::BTreeSet;

use contract::Problem;
use serde_json::{Map, Value};

use super::{Allowed, Key, ModulePolicy, Pattern, Revoked, Signed};
use crate::{
    admission::{closest, problem},
    name::Digest,
};

/// The kind of a policy.
pub const KIND: &str = "ModulePolicy";
const API_VERSION: &str = "croft.run/v1alpha1";

const PATTERN: &str = "write `oci://REGISTRY/REPOSITORY` for one repository, `oci://REGISTRY/` or \
                       `oci://REGISTRY/TEAM/` for all below, `oci-layout:` for folders or `file:` for files";

impl ModulePolicy {
    /// A policy out of a document.
    ///
    /// # Errors
    /// All that is wrong with it, each at its place.
    pub fn read(document: &Value) -> Result<ModulePolicy, Vec<Problem>> {
        let mut reader = Reader { problems: Vec::new() };
        let policy = reader.policy(document);
        if reader.problems.is_empty() { Ok(policy) } else { Err(reader.problems) }
    }
}

struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn policy(&mut self, document: &Value) -> ModulePolicy {
        let known = ["apiVersion", "kind", "builtin", "allow", "keys", "signed", "revoked"];
        let Some(fields) = self.fields(document, "", &known) else { return ModulePolicy::default() };
        for (name, expected) in [("apiVersion", API_VERSION), ("kind", KIND)] {
            if fields.get(name).and_then(Value::as_str) != Some(expected) {
                self.wrong(
                    "NotAPolicy",
                    &format!("/{name}"),
                    format!("a module policy has `{name}: {expected}`"),
                    None,
                );
            }
        }
        let builtin_refused = match fields.get("builtin").map(|value| value.as_str()) {
            None | Some(Some("allowed")) => false,
            Some(Some("refused")) => true,
            Some(_) => {
                let hint = Some("say whether the language of kro may be used that is built in".to_owned());
                self.wrong("NotAllowed", "/builtin", "`builtin` must be `allowed` or `refused`".to_owned(), hint);
                true
            }
        };
        let keys: Vec<Key> = self.list(fields, "keys", Reader::key);
        let allow = fields.contains_key("allow").then(|| self.list(fields, "allow", Reader::allowed));
        let signed = self.list(fields, "signed", Reader::signed);
        let revoked = self.list(fields, "revoked", Reader::revoked);
        self.names_fit(&keys, &signed);
        ModulePolicy { builtin_refused, allow, keys, signed, revoked }
    }

    fn names_fit(&mut self, keys: &[Key], signed: &[Signed]) {
        for (index, key) in keys.iter().enumerate() {
            if keys[..index].iter().any(|other| other.name == key.name) {
                self.wrong(
                    "Duplicate",
                    &format!("/keys/{index}/name"),
                    format!("there are two keys `{}`", key.name),
                    None,
                );
            }
        }
        for (index, rule) in signed.iter().enumerate() {
            for (place, name) in
                rule.by.iter().enumerate().filter(|(_, name)| keys.iter().all(|key| key.name != **name))
            {
                let hint = closest(name, keys.iter().map(|key| key.name.as_str()));
                let at = format!("/signed/{index}/by/{place}");
                self.wrong("UnknownKey", &at, format!("there is no key `{name}` in `keys`"), hint);
            }
        }
    }

    fn allowed(&mut self, value: &Value, at: &str) -> Option<Allowed> {
        let fields = self.fields(value, at, &["module", "digests"])?;
        let digests = match fields.contains_key("digests") {
            true => self.list_at(fields, at, "digests", Reader::digest).into_iter().collect(),
            false => BTreeSet::new(),
        };
        if fields.contains_key("digests") && digests.is_empty() {
            let hint = Some("leave `digests` out to allow all".to_owned());
            self.wrong("Empty", &format!("{at}/digests"), "no digest is allowed".to_owned(), hint);
        }
        Some(Allowed { pattern: self.pattern(fields, at)?, digests })
    }

    fn signed(&mut self, value: &Value, at: &str) -> Option<Signed> {
        let fields = self.fields(value, at, &["module", "by"])?;
        let by = self.list_at(fields, at, "by", Reader::text);
        if by.is_empty() {
            let hint = Some("name keys of `keys`, one of which is enough".to_owned());
            self.wrong("MissingField", &format!("{at}/by"), "a signature is by somebody".to_owned(), hint);
        }
        let pattern = self.pattern(fields, at)?;
        if pattern == Pattern::Files {
            let hint = Some("name files in `allow` with their digests, or leave them out of it".to_owned());
            self.wrong("NoSignature", &format!("{at}/module"), "a file has no signature".to_owned(), hint);
        }
        Some(Signed { pattern, by })
    }

    fn revoked(&mut self, value: &Value, at: &str) -> Option<Revoked> {
        let fields = self.fields(value, at, &["digest", "why"])?;
        let digest = self.required(fields, at, "digest")?;
        let digest = self.digest(&Value::from(digest), &format!("{at}/digest"))?;
        Some(Revoked { digest, why: self.required(fields, at, "why")? })
    }

    fn key(&mut self, value: &Value, at: &str) -> Option<Key> {
        let fields = self.fields(value, at, &["name", "publicKey", "validUntil"])?;
        let valid_until = match fields.get("validUntil") {
            None => None,
            Some(value) => {
                let day = value.as_str().filter(|text| is_day(text)).map(str::to_owned);
                if day.is_none() {
                    let message = "`validUntil` must be a day, such as `2027-06-30`".to_owned();
                    self.wrong("NotADay", &format!("{at}/validUntil"), message, Some("put it in quotes".to_owned()));
                }
                day
            }
        };
        let name = self.required(fields, at, "name");
        let pem = self.required(fields, at, "publicKey");
        Some(Key { name: name?, pem: pem?, valid_until })
    }

    fn pattern(&mut self, fields: &Map<String, Value>, at: &str) -> Option<Pattern> {
        let text = self.required(fields, at, "module")?;
        let pattern = pattern(&text);
        if pattern.is_none() {
            let message = format!("`{text}` does not say which modules");
            let hint = match text.as_str() {
                "builtin:kro" => "the module that is built in is governed by `builtin: allowed` or `builtin: refused`",
                _ => PATTERN,
            };
            self.wrong("InvalidModulePattern", &format!("{at}/module"), message, Some(hint.to_owned()));
        }
        pattern
    }

    fn digest(&mut self, value: &Value, at: &str) -> Option<Digest> {
        match value.as_str().unwrap_or_default().parse() {
            Ok(digest) => Some(digest),
            Err(error) => {
                self.wrong("InvalidDigest", at, format!("{error}"), None);
                None
            }
        }
    }

    fn text(&mut self, value: &Value, at: &str) -> Option<String> {
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong("WrongType", at, "this must be a string".to_owned(), None);
        }
        text
    }

    fn required(&mut self, fields: &Map<String, Value>, at: &str, name: &str) -> Option<String> {
        match fields.get(name) {
            Some(value) => self.text(value, &format!("{at}/{name}")),
            None => {
                self.wrong("MissingField", at, format!("`{name}` is missing"), None);
                None
            }
        }
    }

    fn list<T>(
        &mut self,
        fields: &Map<String, Value>,
        name: &str,
        read: fn(&mut Self, &Value, &str) -> Option<T>,
    ) -> Vec<T> {
        self.list_at(fields, "", name, read)
    }

    fn list_at<T>(
        &mut self,
        fields: &Map<String, Value>,
        at: &str,
        name: &str,
        read: fn(&mut Self, &Value, &str) -> Option<T>,
    ) -> Vec<T> {
        let at = format!("{at}/{name}");
        match fields.get(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                let items = items.iter().enumerate();
                items.filter_map(|(index, item)| read(self, item, &format!("{at}/{index}"))).collect()
            }
            Some(_) => {
                self.wrong("WrongType", &at, format!("`{name}` must be a list"), None);
                Vec::new()
            }
        }
    }

    /// The fields of an object, of which every name has to be known.
    fn fields<'v>(&mut self, value: &'v Value, at: &str, known: &[&str]) -> Option<&'v Map<String, Value>> {
        let Value::Object(fields) = value else {
            let message = "this must be an object".to_owned();
            let hint =
                Some(format!("with {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")));
            self.wrong("WrongType", at, message, hint);
            return None;
        };
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            let hint = closest(name, known.iter().copied());
            self.wrong("UnknownField", &at, format!("a module policy has no field `{name}` here"), hint);
        }
        Some(fields)
    }

    fn wrong(&mut self, code: &str, at: &str, message: String, hint: Option<String>) {
        self.problems.push(problem(code, at, message, hint));
    }
}

fn pattern(text: &str) -> Option<Pattern> {
    match text {
        "file:" => return Some(Pattern::Files),
        "oci-layout:" => return Some(Pattern::Layouts),
        _ => {}
    }
    let rest = text.strip_prefix("oci://")?;
    match rest.strip_suffix('/') {
        None => rest.parse().ok().map(Pattern::Repository),
        Some(below) => {
            let (registry, parts) = below.split_once('/').unwrap_or((below, ""));
            // What is a name is said where references are read.
            let whole = if parts.is_empty() { format!("{registry}/a") } else { below.to_owned() };
            whole.parse::<crate::oci::Repository>().ok()?;
            let parts = if parts.is_empty() { String::new() } else { format!("{parts}/") };
            Some(Pattern::Below { registry: registry.to_owned(), parts })
        }
    }
}

/// `2027-06-30`; whether a month has so many days does not change an order.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |text: &str, digits: usize| (text.len() == digits).then(|| text.parse::<u32>().ok()).flatten();
    number(year, 4).is_some()
        && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
}
