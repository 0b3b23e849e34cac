//! Folders of fixtures: a definition, an instance, what was observed, and what is
//! expected of a module.
//!
//! ```text
//! definition.yaml          of all fixtures; one may have a definition of its own
//! fixtures/
//!   NAME/
//!     instance.yaml
//!     observed.yaml        live objects, as `kubectl get -o yaml` prints them
//!     schemas.yaml         CRDs of the children's kinds
//!     expected.yaml        what the module answers
//! ```
//!
//! It runs no module but to prepare definitions; `case` renders, and `laws`
//! compares.

pub(in crate::cli) mod answer;
pub(in crate::cli) mod case;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    rc::Rc,
};

use host_core::schemas;
use serde_json::Value;

use crate::{
    cli::{
        definition::{self, Chosen, Definition},
        files,
    },
    report::Failure,
    yaml::{Document, Source},
};

/// What a fixture's files are called, without their extension.
const STEMS: [&str; 5] = ["definition", "instance", "observed", "schemas", "expected"];

/// Of these a folder is told to be a fixture: the others may stand above it too.
const OWN: [&str; 3] = ["instance", "observed", "expected"];

const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The folder within a project.
const FOLDER: &str = "fixtures";

/// One folder with the files of a case.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Fixture {
    /// The folder's own name.
    pub(in crate::cli) name: String,
    pub(in crate::cli) folder: PathBuf,
    files: BTreeMap<&'static str, PathBuf>,
}

/// All fixtures of some folders: each is one, holds some, or is a project that has
/// them in `fixtures`.
///
/// # Errors
/// There are none, or a file among them is not known.
pub(in crate::cli) fn find(folders: &[PathBuf]) -> Result<Vec<Fixture>, Failure> {
    let mut found = Vec::new();
    for folder in folders {
        let within = plain(&folder.join(FOLDER));
        let root = if within.is_dir() { &within } else { folder };
        let before = found.len();
        if is_fixture(root)? {
            found.push(Fixture::read(root)?);
        } else {
            for inner in entries(root)?.iter().filter(|path| path.is_dir()) {
                if is_fixture(inner)? {
                    found.push(Fixture::read(inner)?);
                }
            }
        }
        if found.len() == before {
            return Err(none(root));
        }
    }
    Ok(found)
}

fn none(folder: &Path) -> Failure {
    let hint = "a fixture is a folder with `instance.yaml`, perhaps `observed.yaml` and `definition.yaml`, and \
                `expected.yaml`, which `--update` writes; a project has its fixtures in `fixtures/`";
    Failure::input(format!("there are no fixtures in `{}`", folder.display())).hint(hint)
}

pub(in crate::cli) fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| {
        let context = format!("cannot read the folder `{}`", folder.display());
        Failure::input(anyhow::Error::new(error).context(context))
    };
    let entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}

fn is_fixture(folder: &Path) -> Result<bool, Failure> {
    let own = |path: &PathBuf| stem(path).is_some_and(|stem| OWN.contains(&stem));
    Ok(entries(folder)?.iter().any(own))
}

/// Which of a fixture's files this is.
fn stem(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?;
    let name = path.file_stem()?.to_str()?;
    STEMS.into_iter().find(|stem| *stem == name && EXTENSIONS.contains(&extension))
}

impl Fixture {
    fn read(folder: &Path) -> Result<Fixture, Failure> {
        let mut files: BTreeMap<&'static str, PathBuf> = BTreeMap::new();
        for path in entries(folder)? {
            let Some(stem) = stem(&path) else {
                match path.file_name().and_then(|name| name.to_str()) {
                    Some(name) if name.starts_with('.') || name.ends_with(".md") => continue,
                    _ => return Err(stranger(&path)),
                }
            };
            if let Some(first) = files.insert(stem, path.clone()) {
                let message = format!("`{}` and `{}` are for the same", first.display(), path.display());
                return Err(Failure::input(message).hint("keep one of the two"));
            }
        }
        // `.` has no name of its own.
        let name = folder.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let name = name.unwrap_or_else(|| folder.display().to_string());
        Ok(Fixture { name, folder: folder.to_owned(), files })
    }

    /// A file of its own.
    fn file(&self, stem: &str) -> Option<&Path> {
        self.files.get(stem).map(PathBuf::as_path)
    }

    /// A file of its own or in a folder above: that of all fixtures, or the project's.
    fn file_or_above(&self, stem: &str) -> Option<PathBuf> {
        let own = self.file(stem).map(Path::to_owned);
        own.or_else(|| {
            // Two folders up are the project's; further up is not this fixture's business.
            [self.folder.join(".."), self.folder.join("../..")].into_iter().find_map(|folder| {
                EXTENSIONS
                    .iter()
                    .map(|extension| folder.join(format!("{stem}.{extension}")))
                    .find(|file| file.is_file())
            })
        })
        .map(|file| plain(&file))
    }

    /// Where what is expected stands, or would be written to.
    pub(in crate::cli) fn expected(&self) -> PathBuf {
        self.file("expected").map_or_else(|| self.folder.join("expected.yaml"), Path::to_owned)
    }
}

/// `./a/b/../c.yaml` as `a/c.yaml`, for people; links within are no matter here.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        let up = part == std::path::Component::ParentDir;
        let named = matches!(plain.components().next_back(), Some(std::path::Component::Normal(_)));
        match part {
            std::path::Component::CurDir => {}
            _ if up && named => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

fn stranger(path: &Path) -> Failure {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let near = STEMS.iter().find(|stem| definition::is_near(&name, &format!("{stem}.yaml")));
    let hint = match near {
        Some(stem) => format!("did you mean `{stem}.yaml`?"),
        None => format!("a fixture has `{}.yaml`, or .json, and Markdown", STEMS.join(".yaml`, `")),
    };
    Failure::input(format!("nothing reads `{}`", path.display())).hint(hint)
}

/// A definition with what is needed to have another module prepare it too.
pub(in crate::cli) struct Prepared {
    pub(in crate::cli) definition: Definition,
    pub(in crate::cli) known: schemas::Schemas,
}

/// A definition that its module takes, or else its refusal as an answer.
pub(in crate::cli) type Taken = Result<Prepared, Value>;

/// Definitions as far as they were read: several fixtures share one.
pub(in crate::cli) struct Definitions<'a> {
    chosen: &'a Chosen,
    read: BTreeMap<(PathBuf, Option<PathBuf>), Rc<Taken>>,
}

impl<'a> Definitions<'a> {
    /// `chosen` may have a file to use instead of what definitions name.
    pub(in crate::cli) fn new(chosen: &'a Chosen) -> Definitions<'a> {
        Definitions { chosen, read: BTreeMap::new() }
    }

    /// The definition of a fixture.
    ///
    /// # Errors
    /// There is none, it cannot be read, or its module fails.
    pub(in crate::cli) fn of(&mut self, fixture: &Fixture) -> Result<Rc<Taken>, Failure> {
        let Some(file) = fixture.file_or_above("definition") else {
            let message = format!("there is no definition for the fixture `{}`", fixture.folder.display());
            return Err(Failure::input(message).hint("put `definition.yaml` beside it, or into a folder above"));
        };
        let schemas = fixture.file_or_above("schemas");
        let key = (file, schemas);
        if let Some(read) = self.read.get(&key) {
            return Ok(Rc::clone(read));
        }
        let taken = Rc::new(prepare(&key.0, key.1.as_deref(), self.chosen)?);
        self.read.insert(key, Rc::clone(&taken));
        Ok(taken)
    }
}

fn prepare(file: &Path, schemas: Option<&Path>, chosen: &Chosen) -> Result<Taken, Failure> {
    let document = only(file, "one definition")?;
    if chosen.module.is_none() && !definition::is_definition(&document) {
        return Err(definition::no_definition(&[document]));
    }
    let sources = schemas.map(|file| files::read_all(&[file.display().to_string()])).transpose()?;
    let known = definition::known(sources.into_iter().flatten())?;
    let loaded = definition::load_module(&document, chosen)?;
    match Definition::new(document, loaded, &known) {
        Ok(definition) => Ok(Ok(Prepared { definition, known })),
        Err(failure) => match failure.problems_of_a_document() {
            Some(problems) => Ok(Err(answer::problems(problems))),
            None => Err(failure),
        },
    }
}

/// The one document of a file.
fn only(file: &Path, what: &str) -> Result<Document, Failure> {
    let mut documents = files::read_all(&[file.display().to_string()])?;
    match documents.get(1) {
        Some(second) => {
            Err(definition::stray(second, "a second document is not expected here", &format!("give {what}")))
        }
        None => Ok(documents.remove(0)),
    }
}

/// The documents of a file, as values. One that holds none has none.
fn objects(file: &Path) -> Result<Vec<Document>, Failure> {
    let source = Source::read(&file.display().to_string())?;
    Ok(source.documents.into_iter().flat_map(Document::items).collect())
}

/// The names of fixtures that are there twice, with their folders.
pub(in crate::cli) fn labels(fixtures: &[Fixture]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let twice: BTreeSet<&str> =
        fixtures.iter().map(|fixture| fixture.name.as_str()).filter(|name| !seen.insert(*name)).collect();
    let label = |fixture: &Fixture| match twice.contains(fixture.name.as_str()) {
        true => fixture.folder.display().to_string(),
        false => fixture.name.clone(),
    };
    fixtures.iter().map(label).collect()
}

/// What is in a file of what is expected, as one value.
pub(in crate::cli) fn expectation(file: &Path) -> Result<Option<Value>, Failure> {
    if !file.is_file() {
        return Ok(None);
    }
    let mut documents = objects(file)?;
    match documents.len() {
        0 => Ok(None),
        1 => Ok(Some(documents.remove(0).value)),
        _ => Err(definition::stray(&documents[1], "a second document is not expected here", "write one")),
    }
}
