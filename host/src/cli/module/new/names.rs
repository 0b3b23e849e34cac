//! What a project and its API are called.

use contract::{Gvk, shape};

use crate::report::Failure;

/// The version of a new API.
const VERSION: &str = "v1alpha1";

/// Packages that a project depends on, or that its language has: cargo would not
/// tell two of a name apart.
const TAKEN: [&str; 14] = [
    "alloc",
    "contract",
    "core",
    "croft",
    "croft-sdk",
    "guest-sdk",
    "k8s-openapi",
    "kube",
    "pydantic",
    "schemars",
    "serde",
    "serde-json",
    "std",
    "test",
];

/// Words that a language keeps for itself.
const KEYWORDS: [&str; 42] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "package", "priv", "pub", "return", "self", "static", "struct", "super", "trait",
    "true", "type", "while",
];

/// All names that files have in them.
#[derive(Debug)]
pub(super) struct Names {
    /// Such as `web-app`.
    pub(super) name: String,
    /// Such as `WebApp`.
    pub(super) kind: String,
    /// Such as `example.org`.
    pub(super) group: String,
}

impl Names {
    /// Checks what was given and makes up the rest.
    ///
    /// # Errors
    /// A name is none, and what would be one is said.
    pub(super) fn new(name: &str, kind: Option<String>, group: &str) -> Result<Names, Failure> {
        let spelt = spelt(name);
        if spelt != name || name.is_empty() {
            let message = format!(
                "`{name}` is not a project's name: it has lower-case letters, digits and `-`, and begins with a letter"
            );
            let hint =
                if spelt.is_empty() { "such as `web-app`".to_owned() } else { format!("did you mean `{spelt}`?") };
            return Err(Failure::input(message).hint(hint));
        }
        if TAKEN.contains(&name) || KEYWORDS.contains(&name) {
            let message = format!("a project cannot be called `{name}`: a language or a library has the name already");
            return Err(Failure::input(message).hint(format!("such as `{name}-module`")));
        }
        let given = kind.is_some();
        let kind = kind.unwrap_or_else(|| pascal(name));
        let fits = |kind: &str, group: &str| {
            shape::is_kind(&Gvk { group: group.to_owned(), version: VERSION.to_owned(), kind: kind.to_owned() })
        };
        if !fits(&kind, "example.org") || !kind.starts_with(|c: char| c.is_ascii_uppercase()) {
            let hint = if given { format!("such as `{}`", pascal(name)) } else { "name one with `--kind`".to_owned() };
            return Err(Failure::input(format!("`{kind}` is not a kind")).hint(hint));
        }
        if !fits(&kind, group) || !group.contains('.') {
            return Err(Failure::input(format!("`{group}` is not the group of an API"))
                .hint("a group is a domain of yours, such as `apps.example.com`"));
        }
        Ok(Names { name: name.to_owned(), kind, group: group.to_owned() })
    }

    /// A text of a template with the names in it.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("{{name}}", &self.name)
            .replace("{{crate}}", &self.name.replace('-', "_"))
            .replace("{{kind}}", &self.kind.to_lowercase())
            .replace("{{Kind}}", &self.kind)
            .replace("{{plural}}", &contract::plural::of(&self.kind))
            .replace("{{group}}", &self.group)
    }
}

/// The nearest project's name to a word.
fn spelt(word: &str) -> String {
    let mut spelt = String::new();
    let mut lower = false;
    for c in word.chars() {
        match c {
            'A'..='Z' => {
                if lower {
                    spelt.push('-');
                }
                spelt.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' => spelt.push(c),
            _ if !spelt.is_empty() && !spelt.ends_with('-') => spelt.push('-'),
            _ => {}
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let spelt = spelt.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('-');
    // A name is a part of names of objects, with room for more.
    spelt.chars().take(40).collect()
}

/// `WebApp` of `web-app`.
fn pascal(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| format!("{}{}", first.to_ascii_uppercase(), letters.as_str())).unwrap_or_default()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, kind: Option<&str>, group: &str) -> String {
        Names::new(name, kind.map(str::to_owned), group).unwrap_err().in_a_line()
    }

    #[test]
    fn the_kind_is_made_of_the_name() {
        let names = Names::new("web-app2", None, "example.org").unwrap();
        assert_eq!(
            names.fill("{{name}} {{crate}} {{Kind}} {{kind}} {{group}}"),
            "web-app2 web_app2 WebApp2 webapp2 example.org"
        );
        assert_eq!(Names::new("x", Some("HTTPRoute".into()), "example.org").unwrap().kind, "HTTPRoute");
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_one_that_is() {
        for (name, hint) in [
            ("WebApp", "did you mean `web-app`?"),
            ("web app", "did you mean `web-app`?"),
            ("../up", "did you mean `up`?"),
            ("2fast", "did you mean `fast`?"),
            ("-", "such as `web-app`"),
            ("", "such as `web-app`"),
            ("serde", "such as `serde-module`"),
            ("match", "such as `match-module`"),
        ] {
            let said = refused(name, None, "example.org");
            assert!(said.ends_with(&format!("(hint: {hint})")), "{name}: {said}");
        }
    }

    #[test]
    fn a_kind_and_a_group_that_are_none_are_refused() {
        assert!(
            refused("web-app", Some("webApp"), "example.org")
                .contains("`webApp` is not a kind (hint: such as `WebApp`)")
        );
        assert!(refused("web-app", Some("Web App"), "example.org").contains("`Web App` is not a kind"));
        assert!(refused("web-app", None, "apps").contains("`apps` is not the group of an API"));
        assert!(refused("web-app", None, "Apps.example.com").contains("is not the group"));
    }
}
