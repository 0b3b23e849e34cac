//! `docs/kro-compatibility.md`: what it claims, something proves. And
//! `docs/modules.md`: the code on it is code that is compiled and tested.

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

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of a page that are in one language, each with its first line's
/// number, without indentation.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<(usize, Vec<&'a str>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, bool, Vec<&str>)> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (&mut open, text.strip_prefix("```")) {
            (None, Some(begun)) => open = Some((line + 1, begun == language, Vec::new())),
            (Some(_), Some(_)) => {
                let (line, wanted, lines) = open.take().unwrap();
                blocks.extend(wanted.then_some((line, lines)));
            }
            (Some((.., lines)), None) => lines.push(text.trim()),
            (None, None) => {}
        }
    }
    blocks
}

/// Whether all lines stand in a source one after the other.
fn stands_in(source: &str, lines: &[&str]) -> bool {
    let source: Vec<&str> = source.lines().map(str::trim).collect();
    source.windows(lines.len()).any(|window| window == lines)
}

#[test]
fn the_rust_on_the_page_about_modules_is_that_of_the_example() {
    let (page, sources) =
        (text("docs/modules.md"), ["modules/hello/src/lib.rs", "modules/hello/src/tests.rs"].map(text));
    let blocks = blocks(&page, "rust");
    assert!(blocks.len() >= 8, "only {} blocks were understood", blocks.len());
    for (line, block) in blocks {
        assert!(sources.iter().any(|source| stands_in(source, &block)), "line {line}: the example says something else");
    }
}

#[test]
fn the_definition_on_the_page_about_modules_is_the_example() {
    let page = text("docs/modules.md");
    let example = text("examples/greetings/composition.yaml");
    let blocks = blocks(&page, "yaml");
    assert!(blocks.iter().any(|(_, block)| stands_in(&example, block)), "{blocks:?}");
}

/// Versions that differ from the SDK's own do not go together with it.
#[test]
fn the_manifest_on_the_page_about_modules_names_the_versions_of_the_workspace() {
    let (page, workspace) = (text("docs/modules.md"), text("Cargo.toml"));
    let version = |lines: &[&str], name: &str| {
        let line = lines.iter().find(|line| line.starts_with(&format!("{name} = ")));
        line.unwrap_or_else(|| panic!("no `{name}`")).split('"').nth(1).unwrap().to_owned()
    };
    let (manifest, workspace) = (blocks(&page, "toml").remove(0).1, workspace.lines().collect::<Vec<_>>());
    for name in ["k8s-openapi", "kube", "schemars", "serde", "serde_json"] {
        assert_eq!(version(&manifest, name), version(&workspace, name), "{name}");
    }
}
