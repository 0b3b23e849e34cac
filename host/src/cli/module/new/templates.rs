//! The files of a new project, by language.

use std::path::Path;

use super::names::Names;
use crate::cli::module::language::Language;

/// Where a file goes, and what is in it but for names.
type Template = (&'static str, &'static str);

macro_rules! templates {
    ($language:literal: $($file:literal => $place:literal),* $(,)?) => {
        &[$(($place, include_str!(concat!("../templates/", $language, "/", $file)))),*]
    };
}

/// The same in all languages: the API is.
const SHARED: &[Template] = templates!("shared":
    "definition.yaml" => "definition.yaml",
    "first-instance.yaml" => "fixtures/first-pass/instance.yaml",
    "first-expected.yaml" => "fixtures/first-pass/expected.yaml",
    "complete-instance.yaml" => "fixtures/complete/instance.yaml",
    "complete-observed.yaml" => "fixtures/complete/observed.yaml",
    "complete-expected.yaml" => "fixtures/complete/expected.yaml",
);

const RUST: &[Template] = templates!("rust":
    "Cargo.toml" => "Cargo.toml",
    "lib.rs" => "src/lib.rs",
    "tests.rs" => "src/tests.rs",
    "README.md" => "README.md",
    "gitignore" => ".gitignore",
    "ci.yaml" => ".github/workflows/ci.yaml",
);

const GO: &[Template] = templates!("go":
    "go.mod" => "go.mod",
    "main.go" => "main.go",
    "main_test.go" => "main_test.go",
    "crd.yaml" => "{{group}}_{{plural}}.yaml",
    "README.md" => "README.md",
    "gitignore" => ".gitignore",
    "ci.yaml" => ".github/workflows/ci.yaml",
);

const TS: &[Template] = templates!("ts":
    "package.json" => "package.json",
    "tsconfig.json" => "tsconfig.json",
    "main.ts" => "src/main.ts",
    "main.test.ts" => "src/main.test.ts",
    "README.md" => "README.md",
    "gitignore" => ".gitignore",
    "ci.yaml" => ".github/workflows/ci.yaml",
);

const PY: &[Template] = templates!("py":
    "pyproject.toml" => "pyproject.toml",
    "module.py" => "src/module.py",
    "test_module.py" => "tests/test_module.py",
    "README.md" => "README.md",
    "gitignore" => ".gitignore",
    "ci.yaml" => ".github/workflows/ci.yaml",
);

/// The files of a project: where each goes, and its text.
pub(super) fn files(language: Language, names: &Names, sdk: Option<&Path>) -> Vec<(String, String)> {
    let templates = match language {
        Language::Rust => RUST,
        Language::Go => GO,
        Language::Ts => TS,
        Language::Py => PY,
    };
    let (version, place) = dependency(language, sdk);
    let fill = |text: &str| names.fill(text).replace("{{sdk}}", &version).replace("{{replace}}", &place);
    SHARED.iter().chain(templates).map(|(place, text)| (names.fill(place), fill(text))).collect()
}

/// How a project names the SDK: in the words of its language, and in Go what stands
/// at the end of `go.mod` besides.
fn dependency(language: Language, sdk: Option<&Path>) -> (String, String) {
    let version = env!("CARGO_PKG_VERSION");
    let path = sdk.map(|path| path.display().to_string());
    match (language, path) {
        (Language::Rust, Some(path)) => (format!("{{ path = {path:?} }}"), String::new()),
        (Language::Rust, None) => (format!("\"{version}\""), String::new()),
        (Language::Go, Some(path)) => (format!("v{version}"), format!("\nreplace croft.run/croft => {path}\n")),
        (Language::Go, None) => (format!("v{version}"), String::new()),
        (Language::Ts, Some(path)) => (format!("file:{path}"), String::new()),
        (Language::Ts, None) => (format!("^{version}"), String::new()),
        (Language::Py, Some(path)) => (format!(" @ file://{path}"), String::new()),
        (Language::Py, None) => (format!(">={version}"), String::new()),
    }
}
