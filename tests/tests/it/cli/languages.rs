//! `modules/hello` and its siblings in other languages: one golden answer, and the
//! laws that hold for every module.

use std::path::Path;

use super::Desk;

/// What `cargo xtask modules` builds where the language's tools are.
const SIBLINGS: [&str; 3] = ["hello-go", "hello-ts", "hello-py"];

/// The fixtures of which every language gives the same answer, word for word. Not of the
/// API: its descriptions are each language's own.
const FIXTURES: [&str; 5] = ["another-language", "bad-name", "complete", "first-pass", "no-name"];

// One test, since a module of another language takes half a minute to compile: what was
// compiled once is there for the next command.
#[test]
fn the_module_is_the_same_in_every_language() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let fixtures = FIXTURES.map(|name| root.join("modules/hello/fixtures").join(name).display().to_string());
    let api_of_rust = api(root, &root.join("target/modules/hello.wasm"));
    for name in SIBLINGS {
        let module = root.join("target/modules").join(format!("{name}.wasm"));
        if !module.is_file() {
            eprintln!("left out: `{}` was not built, since its language's tools are not here", module.display());
            continue;
        }
        let desk = Desk::with(&[]);
        desk.croft(&format!("module test {} --module {}", fixtures.join(" "), module.display())).done();
        assert_eq!(api(root, &module), api_of_rust, "{name}");
    }
}

/// What `croft explain` says of a module's API, children and rights.
fn api(root: &Path, module: &Path) -> String {
    let definition = root.join("modules/hello/fixtures/definition.yaml");
    let desk = Desk::with(&[]);
    let ran = desk.croft(&format!("explain -f {} --module {}", definition.display(), module.display())).done();
    // Which file, which digest, and how large a program are each module's own.
    let (api, rest) = ran.stdout.split_once("\nModule ").unwrap();
    format!("{api}{}", rest.split_once("\n\n").unwrap().1)
}
