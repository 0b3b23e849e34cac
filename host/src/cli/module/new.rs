//! `croft module new`: a project that builds and tests at once.
//!
//! What is in it stands in `templates/`, as files to be read; only names are put
//! in here.

mod names;
mod templates;

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::language::Language;
use crate::report::{self, Failure};
use names::Names;
use templates::files;

/// Make a project for a module in Rust, Go, TypeScript or Python
///
/// Writes a folder with the code of a small API, its tests, fixtures, a README, a
/// .gitignore and a workflow for CI. It builds and tests as it is: begin by changing
/// its fields.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The project's name, which is its folder's too: lower-case letters, digits and `-`
    #[arg(value_name = "NAME")]
    name: String,
    /// The language to write the module in
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Language,
    /// The kind of the API [default: made of the name, `WebApp` of `web-app`]
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// The group of the API
    #[arg(long, value_name = "GROUP", default_value = "example.org")]
    group: String,
    /// The SDK in a folder, instead of this version's from the language's registry
    #[arg(long, value_name = "PATH")]
    sdk: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  # a module in Rust, with the kind Greeting
  croft module new greeting --lang rust
  cd greeting
  croft module build && croft module test
  # an API of your own group, with the SDK of a checkout of croft
  croft module new web-app --lang rust --group apps.example.com --sdk ../croft/guest-sdk";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { name, lang, kind, group, sdk } = args;
    let names = Names::new(&name, kind, &group)?;
    let sdk = sdk.as_deref().map(|path| found(path, lang)).transpose()?;
    let folder = Path::new(&name);
    refuse_existing(folder)?;
    write(folder, &files(lang, &names, sdk.as_deref()))?;
    report::note(&format!("`{name}` is made; now: cd {name} && croft module build && croft module test"));
    Ok(())
}

/// The folder of an SDK by a name that is good everywhere.
fn found(path: &Path, lang: Language) -> Result<PathBuf, Failure> {
    let hint = "name the folder of the SDK in a checkout of croft, such as `croft/guest-sdk` or `croft/sdk/go`";
    let folder = path.canonicalize().map_err(|error| {
        let context = format!("there is no SDK in `{}`", path.display());
        Failure::input(anyhow::Error::new(error).context(context)).hint(hint)
    })?;
    if lang == Language::Ts && !folder.join("dist").is_dir() {
        let message = format!("the SDK in `{}` is not built", path.display());
        return Err(Failure::input(message).hint(format!("cd {} && npm install && npm run build", path.display())));
    }
    match folder.join(lang.mark()).is_file() {
        true => Ok(folder),
        false => {
            let message = format!("there is no SDK in `{}`: it has no `{}`", path.display(), lang.mark());
            Err(Failure::input(message).hint(hint))
        }
    }
}

/// Nothing of somebody's is written over.
fn refuse_existing(folder: &Path) -> Result<(), Failure> {
    match folder.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(_) => Err(Failure::input(format!("`{}` is there already", folder.display()))
            .hint("choose another name, or remove it")),
    }
}

/// All files or none: the folder gets its name when it is whole.
fn write(folder: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let context = format!("cannot make the folder `{}`", folder.display());
        Failure::input(anyhow::Error::new(error).context(context))
    };
    let partial = tempfile::Builder::new().prefix(".croft-new-").tempdir_in(".").map_err(failed)?;
    // Made as other programs make folders, and not as secrets are kept.
    let whole = partial.path().join("project");
    fs::create_dir(&whole).map_err(failed)?;
    for (name, text) in files {
        let file = whole.join(name);
        let parent = file.parent().unwrap_or(&whole);
        fs::create_dir_all(parent).and_then(|()| fs::write(&file, text)).map_err(failed)?;
    }
    fs::rename(&whole, folder).map_err(failed)
}
