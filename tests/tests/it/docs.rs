//! `docs/kro-compatibility.md`: what it claims, something proves.

use std::{fs, path::Path};

/// The headings of the tables whose rows are claims.
const CLAIMS: [&str; 2] = ["| Feature |", "| What kro does |"];

#[test]
fn every_row_of_the_compatibility_page_names_what_proves_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/kro-compatibility.md")).unwrap();
    let (mut rows, mut tables, mut wrong, mut claims) = (0, 0, Vec::new(), false);
    for (line, text) in (1..).zip(page.lines()) {
        if CLAIMS.iter().any(|heading| text.starts_with(heading)) {
            (tables, claims) = (tables + 1, true);
        } else if !text.starts_with('|') {
            claims = false;
        } else if claims && !text.starts_with("| ---") {
            rows += 1;
            let last = text.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap();
            let proofs: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            if proofs.is_empty() {
                wrong.push(format!("line {line}: the row names no proof"));
            }
            let missing = proofs.into_iter().filter(|proof| !proves(&root.join(proof)));
            wrong.extend(missing.map(|proof| format!("line {line}: `{proof}` is not there or holds no test")));
        }
    }
    assert!(rows >= 80 && tables >= 9, "only {rows} rows in {tables} tables were understood");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A case is a folder with a definition, vectors are lines of JSON, and a source
/// has tests in it or beside it.
fn proves(path: &Path) -> bool {
    let is_a = |ending: &str| path.extension().is_some_and(|extension| extension == ending);
    if is_a("rs") {
        let text = fs::read_to_string(path).unwrap_or_default();
        return ["#[test]", "#[tokio::test", "\nmod tests;"].iter().any(|mark| text.contains(mark));
    }
    path.join("definition.yaml").is_file() || (path.is_file() && (is_a("jsonl") || is_a("textproto")))
}
