//! What is wrong with an expression, with its place, in cel-go's words.
//!
//! What goes wrong while one is evaluated is in `eval`.

use std::fmt::Write as _;

/// One thing that is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The byte in the text that it is about.
    pub at: usize,
    /// How many bytes from there, at least one unless the text ends there.
    pub length: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right, if anybody knows.
    pub hint: Option<String>,
}

impl Issue {
    /// An issue at a byte of a text; it is as long as the word that begins
    /// there.
    pub fn new(source: &str, at: usize, message: impl Into<String>) -> Issue {
        let mut at = at.min(source.len());
        while !source.is_char_boundary(at) {
            at -= 1;
        }
        Issue { at, length: word(&source[at..]), message: message.into(), hint: None }
    }

    /// Says what would be right.
    pub fn hint(mut self, hint: impl Into<String>) -> Issue {
        self.hint = Some(hint.into());
        self
    }
}

/// The length of the word, or else of the character, that a text begins with.
fn word(rest: &str) -> usize {
    let letters = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    if letters > 0 { letters } else { rest.chars().next().map_or(0, char::len_utf8) }
}

/// Issues as cel-go prints them: line and column counted from one, the line,
/// and an arrow below.
pub fn display(source: &str, issues: &[Issue]) -> String {
    let mut text = String::new();
    for (index, issue) in issues.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let start = source[..issue.at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = source[..issue.at].matches('\n').count() + 1;
        let column = source[start..issue.at].chars().count();
        let whole = source[start..].lines().next().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(text, "ERROR: <input>:{line}:{}: {}", column + 1, issue.message);
        let _ = write!(text, "\n | {whole}\n | {}^", ".".repeat(column));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issue_is_shown_below_its_line() {
        let source = "a +\n  b.c";
        let issue = Issue::new(source, source.find(".c").unwrap(), "undefined field 'c'");
        assert_eq!(display(source, &[issue]), "ERROR: <input>:2:4: undefined field 'c'\n |   b.c\n | ...^");
    }

    #[test]
    fn an_issue_is_as_long_as_its_word() {
        assert_eq!(Issue::new("schema.spec", 0, "").length, 6);
        assert_eq!(Issue::new("schema.spec", 6, "").length, 1);
        assert_eq!(Issue::new("é", 1, "").at, 0);
        assert_eq!(Issue::new("a", 9, "").length, 0);
    }
}
