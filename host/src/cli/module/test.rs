//! `croft module test`: fixtures, and the laws that hold for every module.
//!
//! What a fixture is stands in `fixtures`, what a law says in `laws`; here both
//! are gone through and told.

mod laws;
mod shrink;
mod told;

use std::{fs, path::PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use super::fixtures::{
    self, Definitions, Fixture,
    case::{Answered, Case},
};
use crate::{
    cli::definition,
    report::{Failure, Look, diff},
    yaml,
};
use laws::Verdict;
use told::{Outcome, Told};

/// Run a module over fixtures, and check the laws that hold for every module
///
/// A fixture is a folder with an instance, perhaps live objects, and what is
/// expected of the module:
///
///   fixtures/NAME/instance.yaml  the instance; without one, the definition is tested
///   fixtures/NAME/observed.yaml  live objects, as `kubectl get -o yaml` prints them
///   fixtures/NAME/expected.yaml  the answer; `--update` writes it
///   definition.yaml              in the same folder or up to two folders above
///   schemas.yaml                 the same: CRDs of the children's kinds
///
/// Every file may be YAML or JSON. The module runs in the sandbox of `croft run`,
/// and its answers are admitted by the same rules. Over all fixtures it is checked
/// that the module
///
///   - gives the same answer each time, and for maps in another order
///   - comes to rest when it is shown its own children
///   - does not follow what a server fills in in a child
///   - renders no kind and no id outside its blueprint
///   - takes at most half of the fuel and the memory that a render has
///   - with `--against`, still renders what an older version rendered
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, verbatim_doc_comment)]
pub struct Args {
    /// A fixture, a folder of fixtures, or a project that has them in `fixtures/`
    #[arg(value_name = "DIR", default_value = ".")]
    folders: Vec<PathBuf>,
    #[command(flatten)]
    chosen: definition::Chosen,
    /// Write what the module answers to `expected.yaml` where it differs
    #[arg(long)]
    update: bool,
    /// An older version of the module, whose instances have to render still
    #[arg(long, value_name = "REFERENCE")]
    against: Option<String>,
    /// How to print the outcome
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
}

/// How to print the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, on stderr
    Text,
    /// One JSON object on stdout
    Json,
}

const EXAMPLES: &str = "\
Examples:
  # the fixtures of the project in this folder
  croft module test
  # after a change that is meant: write the new answers, and read them
  croft module test --update && git diff fixtures
  # one fixture, with another build of the module
  croft module test fixtures/first-pass --module build/greeting.wasm
  # before a new version is published
  croft module test --against published.wasm";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { folders, chosen, update, against, output } = args;
    let against = against.as_deref().map(|text| laws::Older::load(text, &chosen)).transpose()?;
    let told = test(&folders, &chosen, update, against.as_ref())?;
    match output {
        Format::Json => crate::cli::output::text(&format!("{:#}\n", told.json()))?,
        Format::Text => eprint!("{}", told.text(Look::of_stderr())),
    }
    told.verdict()
}

fn test(
    folders: &[PathBuf],
    chosen: &definition::Chosen,
    update: bool,
    against: Option<&laws::Older>,
) -> Result<Told, Failure> {
    let fixtures = fixtures::find(folders)?;
    let labels = fixtures::labels(&fixtures);
    let mut definitions = Definitions::new(chosen);
    let (mut told, mut cases) = (Told::default(), Vec::new());
    for (fixture, label) in fixtures.into_iter().zip(labels) {
        let outcome = match Case::read(fixture.clone(), &mut definitions) {
            Ok(case) => {
                let outcome = outcome(&case, update);
                cases.push((label.clone(), case));
                outcome
            }
            Err(failure) => Outcome::failed(&failure),
        };
        told.fixtures.push((label, fixture, outcome));
    }
    told.laws = laws::check(&cases, against).into_iter().collect::<Vec<Verdict>>();
    Ok(told)
}

/// What became of one fixture. With `update` its expectation is written if the
/// answer is another one.
fn outcome(case: &Case, update: bool) -> Outcome {
    let compared = case.answer().and_then(|answered| compare(&case.fixture, answered, update));
    compared.unwrap_or_else(|failure| Outcome::failed(&failure))
}

fn compare(fixture: &Fixture, Answered { shown, cost }: Answered, update: bool) -> Result<Outcome, Failure> {
    let file = fixture.expected();
    let expected = fixtures::expectation(&file)?;
    if expected.as_ref() == Some(&shown) {
        return Ok(Outcome::Same(cost));
    }
    if update {
        write(&file, &shown)?;
        return Ok(Outcome::Written(file));
    }
    let before = expected.as_ref().map(text).unwrap_or_default();
    let name = match &expected {
        Some(_) => file.display().to_string(),
        None => format!("{} (missing)", file.display()),
    };
    let difference = |look| diff((&name, "what the module answers"), &before, &text(&shown), look);
    Ok(Outcome::Differs { plain: difference(Look::Plain), shown: difference(Look::of_stderr()) })
}

fn text(value: &Value) -> String {
    yaml::print(std::slice::from_ref(value))
}

/// Renamed into place when it is whole: an expectation that is cut off says the
/// wrong thing.
fn write(file: &std::path::Path, shown: &Value) -> Result<(), Failure> {
    let is_json = file.extension().is_some_and(|extension| extension == "json");
    let text = if is_json { format!("{shown:#}\n") } else { text(shown) };
    let partial = file.with_extension("partial");
    let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, file));
    written.map_err(|error| {
        let context = format!("cannot write `{}`", file.display());
        Failure::input(anyhow::Error::new(error).context(context))
    })
}
