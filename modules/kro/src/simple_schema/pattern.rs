//! The patterns of `pattern=`: Go's regular expressions, which is what the API
//! server knows. A pattern in a CRD stays as it was written.

use regex::Regex;

/// The pattern, or why it is none.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&expr::regexp::translate(pattern)?).map_err(|error| {
        let text = error.to_string();
        // A syntax error is drawn over several lines, the last of which says it.
        let last = text.lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_go_matches_what_go_matches() {
        for (pattern, matching, other) in [
            (r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$", "a.b@c.de", "a@b"),
            (r"^[\w\.-]+@[\w-.]+$", "a-b@c.d", "é@c"),
            (r"^[[a]$", "[", "b"),
            (r"^[]a]+$", "]a", "b"),
            (r"^[a&&b]+$", "a&b", "c"),
            (r"^[+--]$", ",", "."),
            (r"^{.*}$", "{x}", "x"),
            (r"^a{2,3}$", "aaa", "aaaa"),
            (r"^[[:alpha:]_]+$", "ab_", "1"),
            (r"^\Qa.b\E$", "a.b", "axb"),
            (r"^\p{Greek}+$", "αβ", "ab"),
            (r"(?i)^abc$", "ABC", "abd"),
            (r"^(?P<name>a|b)+?$", "ab", "c"),
            (r"^\d+$", "12", "١"),
        ] {
            let compiled = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert!(compiled.is_match(matching), "{pattern} does not match {matching}");
            assert!(!compiled.is_match(other), "{pattern} matches {other}");
        }
    }

    #[test]
    fn what_is_no_pattern_for_go_is_refused() {
        for pattern in [
            "[",
            "[unclosed",
            "(",
            "a)",
            "*a",
            "a**",
            "a*+",
            "a{2}{3}",
            "a{1001}",
            "a{3,2}",
            "(?x)a",
            "(?=a)",
            "(?<=a)b",
            r"\1",
            "\\",
            "[[:foo:]]",
            r"\p{Nothing}",
            "a|*",
        ] {
            assert!(compile(pattern).is_err(), "{pattern} is taken");
        }
    }
}
