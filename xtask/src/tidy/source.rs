//! One Rust file as the rules see it: code without comments and without the
//! tests at its end.

use std::path::{Path, PathBuf};

use super::Finding;

/// A file and its text.
#[derive(Debug)]
pub(super) struct Source {
    file: PathBuf,
    text: String,
}

impl Source {
    /// A file by its path from the root of the repository.
    pub(super) fn new(file: &Path, text: String) -> Source {
        Source { file: file.to_owned(), text }
    }

    /// Whether it holds nothing but the tests of the file that names it.
    pub(super) fn is_end_of_another(&self) -> bool {
        self.file.file_name().is_some_and(|name| name == "tests.rs")
    }

    /// Whether a text in it is the name of this hostile module.
    pub(super) fn names_guest(&self, name: &str) -> bool {
        self.text.contains(&format!("\"{name}\"")) || self.text.contains(&format!("{name}.wat"))
    }

    /// The whole text, comments and tests included.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is the module at this path: `a/b.rs` or in the folder `a/b`.
    pub(super) fn is_in(&self, module: &str) -> bool {
        self.file.starts_with(module) || self.file == Path::new(&format!("{module}.rs"))
    }

    /// A broken rule in this file.
    pub(super) fn finding(&self, line: usize, rule: &str) -> Finding {
        Finding { file: self.file.clone(), line, rule: rule.to_owned() }
    }

    /// A finding for every line whose code has this name.
    pub(super) fn uses(&self, name: &str, rule: &str) -> Vec<Finding> {
        let std_module = name.strip_prefix("std::");
        let mut in_std_group = false;
        let mut findings = Vec::new();
        for (number, line) in self.code() {
            in_std_group |= line.trim_start().trim_start_matches("pub ").starts_with("use std::{");
            let grouped = in_std_group && std_module.is_some_and(|module| has_word(line, module));
            in_std_group &= !line.contains(';');
            if has_word(line, name) || grouped {
                findings.push(self.finding(number, rule));
            }
        }
        findings
    }

    /// The numbered lines before the tests, each up to a comment.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests_only = self.is_end_of_another();
        let lines = self.text.lines().take_while(move |line| !tests_only && line.trim_end() != "#[cfg(test)]");
        lines.enumerate().map(|(index, line)| (index + 1, line.split("//").next().unwrap_or(line)))
    }
}

/// Whether the name is there and not just a part of a longer one.
fn has_word(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(start, _)| {
        let end = start + name.len();
        let ends = name.ends_with("::") || !line[end..].starts_with(part);
        ends && !line[..start].ends_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        assert!(has_word("a: Instant,", "Instant"));
        assert!(!has_word("a: InstantNoodles", "Instant"));
        assert!(!has_word("unstd::fs", "std::fs"));
        assert!(has_word("use kube::Client", "kube::"));
    }

    #[test]
    fn a_group_ends_with_its_statement() {
        let text = "use std::{fmt};\nuse crate::{fs};\n".to_owned();
        assert!(Source::new(Path::new("a.rs"), text).uses("std::fs", "rule").is_empty());
    }
}
