//! `croft check`: everything that is wrong with definitions, at once, for their
//! authors and their editors.
//!
//! What is wrong is the module's to say; here it is gathered and printed.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use contract::Severity;
use serde_json::{Value, json};

use super::{definition, output};
use crate::{
    report::{self, Failure, Finding, Look},
    schemas,
    yaml::{self, Document, Source},
};

/// Find everything that is wrong with definitions
///
/// Checks every definition in the files, without asking any server, and tells
/// all problems at once. Other documents in the files are left alone, but for
/// CRDs, whose schemas children are checked against.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A file with definitions; `-` is stdin
    #[arg(short, long, required = true, value_name = "FILE")]
    filename: Vec<String>,
    /// How to print what is wrong
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
    /// Take warnings for errors
    #[arg(long)]
    deny_warnings: bool,
    /// A module to use instead of the one that a definition names
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    #[command(flatten)]
    schemas: definition::Schemas,
}

/// How to print what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, with the lines that it is about, on stderr
    Text,
    /// One JSON list on stdout, for editors
    Json,
}

const EXAMPLES: &str = "\
Examples:
  # everything that is wrong with a definition
  croft check -f definition.yaml
  # the same for an editor; an empty list if nothing is
  croft check -f definition.yaml -o json
  # with the kinds of your own that its resources have
  croft check -f definition.yaml --schemas crds.yaml --deny-warnings";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { filename, output, deny_warnings, module, schemas } = args;
    definition::one_stdin(filename.iter().chain(schemas.files()))?;
    let mut findings = Vec::new();
    let mut documents = Vec::new();
    for file in &filename {
        match Source::read(file) {
            Ok(source) => documents.extend(source.documents.into_iter().flat_map(Document::items)),
            Err(error) => {
                let failure = Failure::from(error);
                findings.extend(failure.findings().ok_or(failure)?);
            }
        }
    }
    let (definitions, others): (Vec<Document>, Vec<Document>) =
        documents.into_iter().partition(definition::is_definition);
    let beside = others.into_iter().filter(|document| schemas::is_source(&document.value));
    let known = definition::known(beside.chain(definition::read(schemas.files())?))?;
    if definitions.is_empty() && findings.is_empty() {
        return Err(Failure::input("there is no definition in these files").hint(
            "a definition is a ResourceGroup or a ResourceGraphDefinition of `kro.run/v1alpha1`, or names its module",
        ));
    }
    for document in &definitions {
        findings.extend(of_definition(document, module.as_deref(), &known)?);
    }
    let verdict = Verdict::of(&findings, definitions.len(), deny_warnings);
    match output {
        Format::Json => output::text(&format!("{:#}\n", findings.iter().map(entry).collect::<Value>()))?,
        Format::Text => {
            let look = Look::of_stderr();
            findings.iter().for_each(|finding| eprint!("{}", finding.render(look)));
        }
    }
    if verdict.refused {
        return Err(Failure::input(verdict.text));
    }
    if matches!(output, Format::Text) {
        report::note(&verdict.text);
    }
    Ok(())
}

/// What is wrong with a definition. What else goes wrong ends the command.
fn of_definition(
    document: &Document,
    module: Option<&Path>,
    known: &schemas::Schemas,
) -> Result<Vec<Finding>, Failure> {
    let prepared =
        definition::load_module(document, module).and_then(|module| definition::prepare(&module, document, known));
    match prepared {
        Ok(prepared) => Ok(report::findings(document, &prepared.warnings)),
        Err(failure) => failure.findings().ok_or(failure),
    }
}

struct Verdict {
    text: String,
    refused: bool,
}

impl Verdict {
    fn of(findings: &[Finding], definitions: usize, deny_warnings: bool) -> Verdict {
        let is_error = |finding: &&Finding| finding.problem.severity == Severity::Error;
        let errors = findings.iter().filter(is_error).count();
        let warnings = findings.len() - errors;
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let text = format!(
            "{}: {}, {}",
            counted(definitions, "definition"),
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        Verdict { text, refused: errors > 0 || (deny_warnings && warnings > 0) }
    }
}

/// A finding for an editor. Lines and columns count from 1, columns in
/// characters; the end is the first column after it.
fn entry(finding: &Finding) -> Value {
    let (line, column) = yaml::line_column(&finding.text, finding.at.start);
    let (end_line, end_column) = yaml::line_column(&finding.text, finding.at.end);
    let problem = &finding.problem;
    json!({
        "file": &*finding.file,
        "line": line,
        "column": column,
        "endLine": end_line,
        "endColumn": end_column,
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "pointer": problem.at,
    })
}
