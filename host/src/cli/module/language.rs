//! The languages that a project may be in.

use std::path::Path;

use clap::ValueEnum;

use crate::report::Failure;

/// A language with an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust
    Rust,
    /// Go
    Go,
    /// TypeScript
    Ts,
    /// Python
    Py,
}

impl Language {
    const ALL: [Language; 4] = [Language::Rust, Language::Go, Language::Ts, Language::Py];

    /// The file in a project's folder that tells it.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Language::Rust => "Cargo.toml",
            Language::Go => "go.mod",
            Language::Ts => "package.json",
            Language::Py => "pyproject.toml",
        }
    }

    /// The language of a project.
    ///
    /// # Errors
    /// Nothing tells it, or it could be several.
    pub(in crate::cli) fn of(folder: &Path) -> Result<Language, Failure> {
        let found: Vec<Language> =
            Language::ALL.into_iter().filter(|language| folder.join(language.mark()).is_file()).collect();
        match found.as_slice() {
            [language] => Ok(*language),
            [] => {
                let marks: Vec<&str> = Language::ALL.map(Language::mark).into();
                let message = format!("`{}` is not the folder of a project", folder.display());
                let hint = format!("a project has one of `{}`; `croft module new` makes one", marks.join("`, `"));
                Err(Failure::input(message).hint(hint))
            }
            several => {
                let marks: Vec<&str> = several.iter().map(|language| language.mark()).collect();
                let message = format!(
                    "`{}` has `{}`: the language could be any of them",
                    folder.display(),
                    marks.join("` and `")
                );
                Err(Failure::input(message).hint("name it with `--lang`"))
            }
        }
    }
}
