//! The difference of two texts, line by line, for people.

use annotate_snippets::normalize_untrusted_str;
use similar::TextDiff;

use super::Look;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// The unified difference of two texts that go by names; empty if they are equal.
pub fn diff(names: (&str, &str), before: &str, after: &str, look: Look) -> String {
    let diff = TextDiff::from_lines(before, after);
    let unified = diff.unified_diff().context_radius(CONTEXT).header(names.0, names.1).to_string();
    unified.lines().map(|line| format!("{}\n", coloured(line, look))).collect()
}

/// The signs say it all; colours repeat it.
fn coloured(line: &str, look: Look) -> String {
    let clean = normalize_untrusted_str(line);
    let colour = match (look, line.as_bytes().first()) {
        (Look::Coloured, Some(b'-')) => 31,
        (Look::Coloured, Some(b'+')) => 32,
        (Look::Coloured, Some(b'@')) => 36,
        _ => return clean,
    };
    format!("\u{1b}[{colour}m{clean}\u{1b}[0m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_signs_and_perhaps_colours() {
        let plain = diff(("a", "b"), "one\ntwo\n", "one\n\u{1b}[2Jthree\n", Look::Plain);
        assert_eq!(plain, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n one\n-two\n+␛[2Jthree\n");
        let coloured = diff(("a", "b"), "one\n", "two\n", Look::Coloured);
        assert!(coloured.contains("\u{1b}[31m-one\u{1b}[0m\n\u{1b}[32m+two\u{1b}[0m\n"), "{coloured}");
        assert_eq!(diff(("a", "b"), "one\n", "one\n", Look::Plain), "");
    }
}
