//! Data on stdout: Kubernetes objects as YAML documents or as one JSON list.

use std::io::{self, ErrorKind, Write};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{report::Failure, yaml};

/// How to print objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// YAML documents, separated by `---`
    Yaml,
    /// One `v1 List`
    Json,
}

impl Format {
    /// Objects in this format, ending with a newline unless there are none.
    pub fn text(self, objects: &[Value]) -> String {
        match self {
            Format::Yaml => yaml::print(objects),
            Format::Json => format!("{:#}\n", json!({"apiVersion": "v1", "kind": "List", "items": objects})),
        }
    }
}

/// Prints objects.
///
/// # Errors
/// stdout does not take them.
pub fn objects(objects: &[Value], format: Format) -> Result<(), Failure> {
    text(&format.text(objects))
}

/// Prints a text. A reader that has seen enough, such as `head`, is not an error.
///
/// # Errors
/// stdout does not take it.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::host(anyhow::Error::new(error).context("cannot write to stdout")))
        }
        _ => Ok(()),
    }
}

/// Columns as wide as their widest cell.
pub fn table<const N: usize>(rows: Vec<[String; N]>) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("  {}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![["a", "bb"].map(str::to_owned), ["ccc", "d"].map(str::to_owned)];
        assert_eq!(table(rows), "  a    bb\n  ccc  d\n");
    }

    #[test]
    fn objects_print_as_documents_or_as_one_list() {
        let objects = [json!({"kind": "A", "apiVersion": "v1"}), json!({"b": [1]})];
        assert_eq!(Format::Yaml.text(&objects), "apiVersion: v1\nkind: A\n---\nb:\n- 1\n");
        let list: Value = serde_json::from_str(&Format::Json.text(&objects)).unwrap();
        assert_eq!(list, json!({"apiVersion": "v1", "kind": "List", "items": objects}));
        assert_eq!(Format::Yaml.text(&[]), "");
    }
}
