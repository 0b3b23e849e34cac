//! `croft check`: everything that is wrong with definitions, at once, for their
//! authors and their editors.
//!
//! What is wrong is the module's to say; here it is gathered and printed.

use std::{collections::BTreeSet, iter, slice};

use clap::ValueEnum;
use contract::{Blueprint, Gvk, Severity};
use serde_json::{Value, json};

use super::{
    definition,
    files::{self, Files, Names},
    output,
};
use host_core::{claims, identity::Identities, kinds::Kinds, publish, schemas};
use sandbox::Module;

use crate::{
    report::{self, Exit, Failure, Finding, Look},
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
    #[command(flatten)]
    files: Files,
    /// How to print what is wrong
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
    /// Take warnings for errors
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    chosen: definition::Chosen,
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
    let Args { files, output, deny_warnings, chosen, schemas } = args;
    definition::one_stdin(files.given().chain(schemas.files()))?;
    let mut found = Found::default();
    let (definitions, others) = split(found.read(&files.names()?), chosen.module.is_some());
    if definitions.is_empty() && !found.is_refused() {
        found.take::<()>(Err(definition::no_definition(&others)));
    }
    let known = found.schemas(others, schemas.files())?;
    let load = |document| found.take(definition::load_module(document, &chosen));
    let modules: Vec<_> = definitions.iter().map(load).collect();
    let loaded =
        definitions.iter().zip(&modules).filter_map(|(document, loaded)| Some((document, &loaded.as_ref()?.module)));
    let known = definition::with_siblings(loaded.clone(), known);
    for (document, module) in loaded {
        found.definition(document, module, &known);
    }
    found.tell(output, definitions.len(), deny_warnings)
}

/// The definitions and the rest. With a module given by hand the first document
/// may be anything, as for `croft render`.
fn split(documents: Vec<Document>, module_given: bool) -> (Vec<Document>, Vec<Document>) {
    let (mut definitions, mut others): (Vec<Document>, Vec<Document>) =
        documents.into_iter().partition(definition::is_definition);
    if definitions.is_empty() && module_given {
        let first = others.iter().position(|document| !schemas::is_source(&document.value));
        definitions.extend(first.map(|index| others.remove(index)));
    }
    (definitions, others)
}

/// All that is wrong. One thing that is does not keep the next from being found.
#[derive(Default)]
struct Found {
    /// What has a place in a file.
    findings: Vec<Finding>,
    /// What has none, such as a file that cannot be read.
    failures: Vec<Failure>,
    /// The resources that kcp itself does not serve, of definitions that are
    /// right.
    foreign: BTreeSet<String>,
    /// The APIs that definitions make.
    apis: BTreeSet<Gvk>,
}

impl Found {
    /// Whether something is wrong already, and not only odd.
    fn is_refused(&self) -> bool {
        let is_error = |finding: &Finding| finding.problem.severity == Severity::Error;
        self.findings.iter().any(is_error) || !self.failures.is_empty()
    }

    /// The value, or else why there is none is noted.
    fn take<T>(&mut self, result: Result<T, Failure>) -> Option<T> {
        let failure = match result {
            Ok(value) => return Some(value),
            Err(failure) => failure,
        };
        match failure.findings() {
            Some(findings) => self.findings.extend(findings),
            None => self.failures.push(failure),
        }
        None
    }

    /// The documents of those files that can be read.
    fn read(&mut self, names: &Names) -> Vec<Document> {
        let mut documents = Vec::new();
        for file in &names.files {
            let source = self.take(Source::read(file).map_err(Failure::from));
            let Some(source) = source else { continue };
            self.findings.extend(source.odd.iter().map(Finding::odd));
            let items: Vec<Document> = source.documents.into_iter().flat_map(Document::items).collect();
            self.take(names.not_empty(file, &items));
            documents.extend(items);
        }
        documents
    }

    /// The schemas that stand beside the definitions, and those in files of
    /// their own.
    fn schemas(&mut self, beside: Vec<Document>, files: &[String]) -> Result<schemas::Schemas, Failure> {
        let mut documents = beside;
        documents.retain(|document| schemas::is_source(&document.value));
        for file in files {
            let read = self.take(files::read_all(slice::from_ref(file))).into_iter();
            documents.extend(read.flat_map(definition::sources));
        }
        // Each is tried alone, so that one that is refused takes no other with it.
        documents.retain(|document| self.take(definition::known(iter::once(document.clone()))).is_some());
        definition::known(documents.into_iter())
    }

    /// What is wrong with one definition.
    fn definition(&mut self, document: &Document, module: &Module, known: &schemas::Schemas) {
        if let Some(prepared) = self.take(definition::prepare(module, document, known)) {
            self.findings.extend(report::findings(document, &prepared.warnings));
            if !self.apis.insert(prepared.blueprint.api.kind.clone()) {
                self.take::<()>(Err(definition::second(document, &prepared.blueprint.api.kind)));
            }
            self.foreign.extend(foreign(&prepared.blueprint, known));
        }
    }

    /// Prints it all. What has no place is said last, and the gravest of that
    /// is the command's own failure.
    fn tell(self, output: Format, definitions: usize, deny_warnings: bool) -> Result<(), Failure> {
        let Found { findings, mut failures, foreign, apis: _ } = self;
        let verdict = Verdict::of(&findings, definitions, deny_warnings);
        match output {
            Format::Json => output::text(&format!("{:#}\n", findings.iter().map(entry).collect::<Value>()))?,
            Format::Text => {
                let look = Look::of_stderr();
                findings.iter().for_each(|finding| eprint!("{}", finding.render(look)));
                if !foreign.is_empty() {
                    let resources: Vec<String> = foreign.into_iter().collect();
                    report::note(&format!(
                        "not served by kcp itself, but by an APIExport that consumers bind too: {}",
                        resources.join(", ")
                    ));
                }
            }
        }
        // The same file of a module may fail for every definition.
        failures.dedup_by_key(|failure| failure.render(Look::Plain));
        failures.sort_by_key(|failure| failure.exit() == Exit::Failed);
        let last = failures.pop();
        failures.iter().for_each(report::failure);
        match (last, verdict.refused) {
            (None, true) => Err(Failure::input(verdict.text)),
            (None, false) if output == Format::Json => Ok(()),
            (None, false) => {
                report::note(&verdict.text);
                Ok(())
            }
            (Some(failure), _) if definitions == 0 => Err(failure),
            (Some(failure), refused) => {
                // What could not be read or checked is not counted, so that only what
                // was found is worth a word.
                if refused {
                    report::failure(&Failure::input(verdict.text));
                }
                Err(failure)
            }
        }
    }
}

/// What of a definition's kinds kcp itself does not serve.
fn foreign(blueprint: &Blueprint, known: &schemas::Schemas) -> Vec<String> {
    let used = blueprint.kinds.iter().map(|used| used.kind.clone());
    let kinds: Kinds = used.filter_map(|kind| known.address(&kind).map(|address| (kind, address))).collect();
    let claimed = publish::permission_claims(blueprint, &kinds, &Identities::new());
    claimed.foreign().map(claims::resource_of).collect()
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
