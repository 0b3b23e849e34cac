//! The files that `-f` names: files, folders as `kubectl` takes them, and the
//! standard input.
//!
//! What is in them is for others to tell apart.

use std::{collections::BTreeSet, fs, path::Path};

use crate::{
    report::{Failure, Finding, Look},
    yaml::{Document, Source},
};

/// The option `-f`, and what goes with it.
#[derive(Debug, clap::Args)]
pub struct Files {
    /// A file, or a folder whose .yaml, .yml and .json files are read; `-` is stdin
    #[arg(short, long, required_unless_present = "operand", value_name = "FILE")]
    filename: Vec<String>,
    /// The same without `-f`
    #[arg(value_name = "FILE")]
    operand: Vec<String>,
    /// Read the folders within a folder too
    #[arg(short = 'R', long)]
    recursive: bool,
}

/// The names of files, and which of them nobody named: they stand in a folder,
/// perhaps beside others that are not croft's business.
#[derive(Debug, Default)]
pub struct Names {
    /// All of them, `-` for the standard input.
    pub files: Vec<String>,
    found: BTreeSet<String>,
}

impl Files {
    /// What was given, for checks of the command line.
    pub fn given(&self) -> impl Iterator<Item = &String> {
        self.filename.iter().chain(&self.operand)
    }

    /// The files, those of folders in the order of their names.
    ///
    /// # Errors
    /// A folder cannot be read, or has no such files.
    pub fn names(&self) -> Result<Names, Failure> {
        let mut names = Names::default();
        for given in self.given() {
            if given == "-" || !Path::new(given).is_dir() {
                names.files.push(given.clone());
                continue;
            }
            let mut found = Vec::new();
            self.within(Path::new(given), &mut found)?;
            if found.is_empty() {
                let hint = "its .yaml, .yml and .json files are read; `-R` also reads the folders within it";
                return Err(Failure::input(format!("the folder `{given}` has no files to read")).hint(hint));
            }
            names.found.extend(found.iter().cloned());
            names.files.extend(found);
        }
        Ok(names)
    }

    fn within(&self, folder: &Path, found: &mut Vec<String>) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            let context = format!("cannot read the folder `{}`", folder.display());
            Failure::input(anyhow::Error::new(error).context(context))
        };
        let entries = fs::read_dir(folder).map_err(failed)?.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            // A link to a folder may lead round in a circle: `kubectl` follows none.
            let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
            let is_read = path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json");
            if is_folder && self.recursive {
                self.within(&path, found)?;
            } else if !is_folder && is_read {
                found.push(path.display().to_string());
            }
        }
        Ok(())
    }
}

impl Names {
    /// Whether somebody named the file that a document stands in.
    pub fn was_given(&self, document: &Document) -> bool {
        !self.found.contains(&*document.name)
    }

    /// A file that was named has to hold something; one of a folder need not.
    pub fn not_empty(&self, file: &String, documents: &[Document]) -> Result<(), Failure> {
        match documents.is_empty() && !self.found.contains(file) {
            true => Err(Failure::input(format!("`{file}` holds no document"))),
            false => Ok(()),
        }
    }

    /// All documents. Lists are taken apart; what is odd about a text is said.
    ///
    /// # Errors
    /// A file cannot be read, is not YAML, or was named and holds no document.
    pub fn read(&self) -> Result<Vec<Document>, Failure> {
        let mut documents = Vec::new();
        for file in &self.files {
            let found = read(file)?;
            self.not_empty(file, &found)?;
            documents.extend(found);
        }
        Ok(documents)
    }
}

/// The documents of one file.
fn read(file: &str) -> Result<Vec<Document>, Failure> {
    let Source { documents, odd, .. } = Source::read(file)?;
    odd.iter().for_each(|flaw| eprint!("{}", Finding::odd(flaw).render(Look::of_stderr())));
    Ok(documents.into_iter().flat_map(Document::items).collect())
}

/// All documents of some files that were named.
///
/// # Errors
/// A file cannot be read, is not YAML, or holds no document.
pub fn read_all(files: &[String]) -> Result<Vec<Document>, Failure> {
    Names { files: files.to_vec(), found: BTreeSet::new() }.read()
}
