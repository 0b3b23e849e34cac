//! `croft module new` and `build`: from nothing to a module that is tested.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::cli::{Desk, Ran};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// What a project needs that a user would expect of one.
const PARTS: [&str; 8] = [
    ".github/workflows/ci.yaml",
    ".gitignore",
    "README.md",
    "definition.yaml",
    "fixtures/complete/expected.yaml",
    "fixtures/complete/observed.yaml",
    "fixtures/first-pass/expected.yaml",
    "fixtures/first-pass/instance.yaml",
];

#[test]
fn a_project_is_made_whole_with_its_names_in_it() {
    for lang in ["rust", "go", "ts", "py"] {
        let desk = Desk::with(&[]);
        let ran = desk.croft(&format!("module new web-app --lang {lang} --group apps.example.com")).done();
        assert_eq!(ran.stderr, "note: `web-app` is made; now: cd web-app && croft module build && croft module test\n");
        assert_eq!(fs::read_dir(desk.path("")).unwrap().count(), 1, "nothing else is left");
        let files = files(&desk.path("web-app"));
        for part in PARTS {
            assert!(files.iter().any(|file| file == part), "{lang}: no `{part}` in {files:?}");
        }
        for file in files {
            let text = desk.read(&format!("web-app/{file}"));
            // A workflow has expressions of its own.
            let rest = text.replace("${{ vars.CROFT_URL }}", "");
            assert!(!rest.contains("{{"), "{lang}: a name is left open in `{file}`:\n{text}");
        }
        let instance = desk.read("web-app/fixtures/first-pass/instance.yaml");
        assert!(instance.starts_with("apiVersion: apps.example.com/v1alpha1\nkind: WebApp\n"), "{instance}");
    }
}

#[test]
fn nothing_is_written_over_and_names_are_checked() {
    let desk = Desk::with(&[("taken", "")]);
    desk.croft("module new taken --lang rust").refused(&["`taken` is there already"]);
    desk.croft("module new WebApp --lang rust")
        .refused(&["`WebApp` is not a project's name", "did you mean `web-app`?"]);
    desk.croft("module new ../up --lang rust").refused(&["did you mean `up`?"]);
    desk.croft("module new web-app --lang rust --group apps").refused(&["`apps` is not the group of an API"]);
    desk.croft("module new web-app --lang rust --kind web").refused(&["`web` is not a kind", "such as `WebApp`"]);
    desk.croft("module new web-app --lang rust --sdk nowhere").refused(&["there is no SDK in `nowhere`"]);
    desk.croft("module new web-app --lang rust --sdk .").refused(&["it has no `Cargo.toml`"]);
    let ran = desk.croft("module new web-app --lang cobol");
    assert!(ran.status == 2 && ran.stderr.contains("[possible values: rust"), "{ran:?}");
    assert_eq!(files(&desk.path("")), ["taken"]);
}

#[test]
fn a_folder_that_is_not_a_project_is_not_built() {
    let desk = Desk::with(&[]);
    desk.croft("module build").refused(&["`.` is not the folder of a project", "`croft module new` makes one"]);
    desk.croft("module build nowhere").refused(&["`nowhere` is not the folder of a project"]);
}

/// Runs `croft` with what compilers need of this machine.
fn with_tools(desk: &Desk, args: &str) -> Ran {
    // Where tools are and keep what they fetched, and how they reach their registries.
    let kept = |name: &str| {
        ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"]
            .contains(&name)
            || ["GO", "npm_", "NPM_", "PIP_", "CARGO_HTTP", "CARGO_REGISTR", "HTTP", "http", "PYENV_"]
                .iter()
                .any(|it| name.starts_with(it))
    };
    let mut variables: Vec<(String, String)> = env::vars().filter(|(name, _)| kept(name)).collect();
    // What is compiled of the dependencies is good for the next run.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("projects");
    variables.push(("CARGO_TARGET_DIR".to_owned(), target.display().to_string()));
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    desk.croft_with(args, &variables, "")
}

/// Makes a project, builds it with the language's own tools, and has it answer its
/// fixtures, which are the same in all languages.
fn builds(lang: &str, sdk: &Path) -> (Desk, Ran) {
    let desk = Desk::with(&[]);
    desk.croft(&format!("module new web-app --lang {lang} --sdk {}", sdk.display())).done();
    let built = with_tools(&desk, "module build web-app").done();
    assert!(built.stderr.contains("note: `web-app/build/web-app.wasm` is built: "), "{}", built.stderr);
    let tested = desk.croft("module test web-app").done();
    assert!(tested.stderr.starts_with("ok       complete  (fuel "), "{}", tested.stderr);
    (desk, built)
}

/// Says what this machine lacks, if it does.
fn lacks(what: &str, is_there: bool) -> bool {
    if !is_there {
        eprintln!("left out: {what}");
    }
    !is_there
}

fn answers(program: &str, argument: &str) -> bool {
    toolchain::text(std::process::Command::new(program).arg(argument)).is_some()
}

#[test]
fn a_new_project_in_rust_builds_and_answers_its_fixtures() {
    let compiler = toolchain::Toolchain::installed(toolchain::Choice::Any);
    if lacks("no Rust compiler here can make WebAssembly", compiler.is_some()) {
        return;
    }
    let (desk, built) = builds("rust", &root().join("guest-sdk"));
    let again = with_tools(&desk, "module build web-app -o again.wasm").done();
    let digest = |ran: &Ran| ran.stderr.rsplit(", ").next().unwrap().to_owned();
    assert_eq!(digest(&built), digest(&again), "the same sources give the same module");
    let text = desk.read("web-app/src/lib.rs").replace("cx.status(", "cx.statsu(");
    desk.write("web-app/src/lib.rs", text);
    let broken = with_tools(&desk, "module build web-app -o again.wasm");
    assert_eq!(broken.status, 1);
    // Which cargo it was stands before the word.
    for part in ["no method named `statsu`", "cargo rustc` failed: exit status: 101"] {
        assert!(broken.stderr.contains(part), "`{part}` is not in:\n{}", broken.stderr);
    }
}

#[test]
fn a_new_project_in_go_builds_and_answers_its_fixtures() {
    if !lacks("there is no Go", answers("go", "version")) {
        builds("go", &root().join("sdk/go"));
    }
}

#[test]
fn a_new_project_in_typescript_builds_and_answers_its_fixtures() {
    // The SDK as `cargo xtask modules` builds it.
    let sdk = root().join("target/guests/ts/sdk/ts");
    if !lacks("there is no Node.js, or no built SDK", answers("npm", "--version") && sdk.join("dist").is_dir()) {
        builds("ts", &sdk);
    }
}

#[test]
fn a_new_project_in_python_builds_and_answers_its_fixtures() {
    let sdk = root().join("target/guests/py/sdk/python");
    if !lacks("there is no Python, or no SDK", answers("python3", "--version") && sdk.is_dir()) {
        builds("py", &sdk);
    }
}
