//! YAML and JSON files as values that remember where they stand, so that a
//! problem named by a JSON pointer can be shown in the file of its author; and
//! values as readable YAML.
//!
//! It reads what `kubectl` reads, the same way (see `yaml/scalar.rs` for what
//! an unquoted word means and `yaml/reading.rs` for columns), and warns of what
//! `kubectl` takes silently, such as a key that is there twice. It does not know what a Kubernetes object is, and it prints no
//! errors; `report` does.

mod fault;
mod load;
mod print;
mod reading;
mod scalar;
mod span;

use std::{
    fs::File,
    io::{self, Read},
    ops::Range,
    sync::Arc,
};

use serde_json::Value;

use load::Node;
pub use print::print;

/// Larger files are refused: etcd takes objects of 1.5 MiB, so that this is a
/// list of many objects, or a mistake.
pub const MAX_BYTES: usize = 16 << 20;

/// Values in one document, with every alias expanded. A billion laughs stop
/// here.
pub const MAX_VALUES: usize = 1_000_000;

/// Nesting, as deep as serde_json reads JSON.
pub const MAX_DEPTH: usize = 127;

/// One file and the documents in it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's name as it was given, `<stdin>` for the standard input.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    /// Its documents, without empty ones.
    pub documents: Vec<Document>,
    /// What was read and hardly meant.
    pub odd: Vec<Flaw>,
}

impl Source {
    /// Reads a file, or the standard input if the path is `-`.
    pub fn read(path: &str) -> Result<Source, Error> {
        let name = if path == "-" { "<stdin>" } else { path };
        let failed = |source| Error::Read { name: name.to_owned(), source };
        let mut bytes = Vec::new();
        let limit = MAX_BYTES as u64 + 1;
        if path == "-" {
            io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
        } else {
            File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
        }
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLarge { name: name.to_owned() });
        }
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Error::Utf16 { name: name.to_owned() });
        }
        let text = String::from_utf8(bytes)
            .map_err(|error| Error::NotUtf8 { name: name.to_owned(), offset: error.utf8_error().valid_up_to() })?;
        Source::parse(name, &text)
    }

    /// Reads a text that goes by a name.
    pub fn parse(name: &str, text: &str) -> Result<Source, Error> {
        let name: Arc<str> = name.into();
        let text: Arc<str> = text.strip_prefix('\u{feff}').unwrap_or(text).into();
        let flaw = |fault| {
            let fault::Fault { at, message, hint, also } = fault;
            Flaw { name: name.clone(), text: text.clone(), at, message, hint, also }
        };
        let load::Loaded { roots, odd } =
            load::documents(&text).map_err(|fault| Error::Refused(Box::new(flaw(fault))))?;
        let odd = odd.into_iter().map(flaw).collect();
        let document =
            |root: Arc<Node>| Document { value: root.to_value(), name: name.clone(), text: text.clone(), root };
        let documents = roots.into_iter().map(document).collect();
        Ok(Source { name, text, documents, odd })
    }
}

/// One document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// The file's name.
    pub name: Arc<str>,
    /// The text of the whole file.
    pub text: Arc<str>,
    root: Arc<Node>,
}

/// Where a value stands in a file. Ranges are bytes of the file's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What to point at: the value if it stands on one line, else its key, else
    /// its first line.
    pub at: Range<usize>,
    /// The whole value.
    pub value: Range<usize>,
    /// The key of the value, if it has one.
    pub key: Option<Range<usize>>,
    /// The part of the pointer that does not exist, such as `metadata.name`;
    /// the place is then that of the nearest parent.
    pub missing: Option<String>,
    /// The line of `at`, from 1.
    pub line: usize,
    /// The column of `at` in characters, from 1.
    pub column: usize,
}

impl Document {
    /// Where the value at a JSON pointer stands, or its nearest parent.
    pub fn place(&self, pointer: &str) -> Place {
        let (node, key, missing) = self.find(pointer);
        let at = match &key {
            Some(key) if !node.is_scalar() || self.text[node.at.clone()].contains('\n') => key.clone(),
            _ => first_line(&self.text, &node.at),
        };
        let at = if at.is_empty() { key.clone().unwrap_or(at) } else { at };
        let (line, column) = line_column(&self.text, at.start);
        Place { at, value: node.at.clone(), key, missing, line, column }
    }

    /// Where the key of the value at a JSON pointer stands; the value itself if
    /// it has none.
    pub fn place_of_key(&self, pointer: &str) -> Place {
        let mut place = self.place(pointer);
        if let (Some(key), None) = (&place.key, &place.missing) {
            (place.line, place.column) = line_column(&self.text, key.start);
            place.at = key.clone();
        }
        place
    }

    /// Where some bytes of the string at a JSON pointer stand. Where the file
    /// spells them in a way that cannot be followed, the place of the whole
    /// string.
    pub fn place_within(&self, pointer: &str, start: usize, length: usize) -> Place {
        let (node, _, missing) = self.find(pointer);
        let mut place = self.place(pointer);
        let narrow = || span::within(&self.text, node, start, length);
        if let Some(at) = missing.is_none().then(narrow).flatten() {
            (place.line, place.column) = line_column(&self.text, at.start);
            place.at = at;
        }
        place
    }

    /// The objects of a Kubernetes list, such as `kubectl get -o yaml` prints;
    /// of any other document itself.
    pub fn items(self) -> Vec<Document> {
        let is_list = self.value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        let items = if is_list { self.root.items("items") } else { None };
        let part = |root: &Arc<Node>| Document {
            value: root.to_value(),
            name: self.name.clone(),
            text: self.text.clone(),
            root: root.clone(),
        };
        match items {
            Some(items) => items.iter().map(part).collect(),
            None => vec![self],
        }
    }

    fn find(&self, pointer: &str) -> (&Node, Option<Range<usize>>, Option<String>) {
        let (mut node, mut key) = (&*self.root, None);
        let mut tokens = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
        while let Some(token) = tokens.next() {
            let Some((child, child_key)) = node.child(&token) else {
                let rest: Vec<String> = std::iter::once(token).chain(tokens).collect();
                return (node, key, Some(rest.join(".")));
            };
            (node, key) = (child, child_key);
        }
        (node, key, None)
    }
}

fn first_line(text: &str, at: &Range<usize>) -> Range<usize> {
    let line = text[at.clone()].lines().next().unwrap_or_default().trim_end();
    at.start..at.start + line.len()
}

/// The line and the column, in characters, both from 1, of a byte offset.
pub fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// What is wrong with a text that is not YAML, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The file's name.
    pub name: Arc<str>,
    /// The text of the whole file.
    pub text: Arc<str>,
    /// The bytes at fault.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// A second place that has to do with it, and how.
    pub also: Option<(Range<usize>, String)>,
}

/// `file:line:column: message`.
impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = line_column(&self.text, self.at.start);
        write!(f, "{}:{line}:{column}: {}", self.name, self.message)
    }
}

/// A file cannot be read as YAML.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read at all.
    #[error("cannot read `{name}`")]
    Read {
        /// The file.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not a text.
    #[error("`{name}` is not UTF-8 text: byte {offset} belongs to no character")]
    NotUtf8 {
        /// The file.
        name: String,
        /// The first byte that is wrong.
        offset: usize,
    },
    /// The file is a text that was saved with two bytes for a letter.
    #[error("`{name}` is UTF-16 text; save it as UTF-8")]
    Utf16 {
        /// The file.
        name: String,
    },
    /// The file is too large.
    #[error("`{name}` has more than {} MiB, the most that is read", MAX_BYTES >> 20)]
    TooLarge {
        /// The file.
        name: String,
    },
    /// The text is not the YAML that is understood.
    #[error("{0}")]
    Refused(Box<Flaw>),
}

impl host_core::fault::Fault for Error {
    fn reason(&self) -> &'static str {
        match self {
            Error::Read { .. } => "CannotRead",
            Error::NotUtf8 { .. } | Error::Utf16 { .. } => "NotUtf8",
            Error::TooLarge { .. } => "TooLarge",
            Error::Refused(_) => "InvalidYaml",
        }
    }

    fn blame(&self) -> host_core::fault::Blame {
        host_core::fault::Blame::Input
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
