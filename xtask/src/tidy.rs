//! The rules of the code's layering that no compiler checks. Each finding names
//! file, line and rule.
//!
//! It reads text, not syntax: comments are left out, and so are the tests at the
//! end of a file. What clippy can say is not said again here.

mod source;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use self::source::Source;

/// What acting takes and no manifest keeps out. `std::…` is also found in
/// `use std::{…}`.
const ACTING: [&str; 7] = ["std::fs", "std::net", "std::env", "std::process", "std::thread", "Instant", "SystemTime"];

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    file: PathBuf,
    line: usize,
    rule: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.rule)
    }
}

/// Everything that is wrong in the repository at `root`.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut sources = Vec::new();
    for folder in ["wit", "guest-sdk", "modules", "host", "tests", "xtask"] {
        for file in files(&root.join(folder))?.into_iter().filter(|file| has_extension(file, "rs")) {
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
            sources.push(Source::new(file.strip_prefix(root).unwrap_or(&file), text));
        }
    }
    let mut findings: Vec<Finding> = sources.iter().flat_map(rules_of_a_source).collect();
    findings.extend(hostile_modules_without_a_test(root, &sources)?);
    findings.extend(cases_without_a_definition(root)?);
    Ok(findings)
}

fn rules_of_a_source(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.is_end_of_another() && !source.text().starts_with("//!") {
        findings.push(source.finding(1, "a file opens with `//!`: what it is for and what it does not do"));
    }
    if source.is_in("host/core/src") {
        for acting in ACTING {
            findings.extend(source.uses(acting, &format!("`host/core` decides and does not use `{acting}`")));
        }
    }
    findings
}

/// A hostile module that no test names proves nothing. Folders among them hold
/// parts that several have in common.
fn hostile_modules_without_a_test(root: &Path, sources: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in entries(&root.join("tests/guests"))?.into_iter().filter(|file| has_extension(file, "wat")) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !sources.iter().any(|source| source.names_guest(&name)) {
            let file = file.strip_prefix(root).unwrap_or(&file).to_owned();
            findings.push(Finding { file, line: 1, rule: format!("no test names `{name}`") });
        }
    }
    Ok(findings)
}

fn cases_without_a_definition(root: &Path) -> Result<Vec<Finding>> {
    let cases = root.join("tests/cases");
    let folders = entries(&cases)?.into_iter().filter(|case| case.is_dir() && !case.join("definition.yaml").is_file());
    let rule = "a case has a `definition.yaml`";
    let finding = |case: PathBuf| case.strip_prefix(root).unwrap_or(&case).to_owned();
    Ok(folders.map(|case| Finding { file: finding(case), line: 1, rule: rule.to_owned() }).collect())
}

/// All files below a folder, sorted, but for what npm has fetched; none if it does not
/// exist.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(folder)?.into_iter().filter(|path| !path.ends_with("node_modules")) {
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut entries: Vec<PathBuf> = entries.with_context(|| format!("cannot list `{}`", folder.display()))?;
    entries.sort();
    Ok(entries)
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_source(path: &str, text: &str) -> Vec<String> {
        let source = Source::new(Path::new(path), format!("//! For a test.\n{text}"));
        rules_of_a_source(&source).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_decision_that_acts_is_found_with_its_line() {
        assert_eq!(
            check_source("host/core/src/plan/order.rs", "\nfn now() { Instant::now(); }"),
            ["host/core/src/plan/order.rs:3: `host/core` decides and does not use `Instant`"]
        );
        assert_eq!(
            check_source("host/core/src/policy.rs", "use std::{\n    collections::BTreeMap,\n    fs,\n};"),
            ["host/core/src/policy.rs:4: `host/core` decides and does not use `std::fs`"]
        );
    }

    #[test]
    fn a_decision_may_talk_about_acting_and_act_in_its_tests() {
        assert!(check_source("host/core/src/plan.rs", "// no Instant here\nstruct InstantNoodles;").is_empty());
        assert!(check_source("host/core/src/plan.rs", "#[cfg(test)]\nmod tests {\n    use std::fs;\n}").is_empty());
        assert!(check_source("host/src/clock.rs", "use std::time::Instant;").is_empty());
    }

    #[test]
    fn a_file_without_its_purpose_is_found() {
        let source = Source::new(Path::new("wit/src/lib.rs"), "use std::fmt;".to_owned());
        assert_eq!(rules_of_a_source(&source).len(), 1);
    }

    #[test]
    fn fixtures_that_nothing_uses_are_found() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("tests/guests/loop.wat", "");
        write("tests/guests/trap.wat", "");
        write("tests/cases/good/definition.yaml", "");
        write("tests/cases/bad/instance.yaml", "");
        write("tests/tests/it.rs", "//! Hostile modules.\nconst ALL: [&str; 2] = [\"trap\", \"loophole\"];");
        let findings: Vec<_> = check(root.path()).unwrap().iter().map(Finding::to_string).collect();
        assert_eq!(
            findings,
            ["tests/guests/loop.wat:1: no test names `loop`", "tests/cases/bad:1: a case has a `definition.yaml`"]
        );
    }
}
