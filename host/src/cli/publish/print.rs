//! Which of the objects are printed, and what is lacking of those that are to be
//! applied as they are.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::identity;
use host_core::{
    claims,
    publish::{Options, Publication},
};

use crate::{
    cli::output,
    report::{self, Failure},
};

/// Which objects to print, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Print {
    /// All of them as YAML documents, separated by `---`
    Yaml,
    /// All of them as one `v1 List`
    Json,
    /// What goes into the provider's workspace first, as YAML: schemas, export, rights
    Provider,
    /// What goes there next: the definition, its module pinned
    Definition,
    /// What goes into a consumer's workspace: the binding
    Consumer,
}

/// Prints what was asked for. What is to be applied as it is has to be whole.
pub(super) fn print(
    publications: &[Publication],
    definitions: Vec<Value>,
    options: &Options,
    form: Print,
) -> Result<(), Failure> {
    for (message, hint) in publications.iter().filter_map(identity::lacking) {
        match form {
            Print::Definition => {}
            Print::Yaml | Print::Json => report::note(&format!("{message}; {hint}")),
            Print::Consumer if !options.accept_claims => report::note(&format!("{message}; {hint}")),
            Print::Provider | Print::Consumer => return Err(Failure::input(message).hint(hint)),
        }
    }
    if options.workspace.is_none() {
        let message = "the APIBinding names no workspace";
        let hint = "give the provider's with `--workspace`, such as `--workspace root:provider:team`";
        match form {
            Print::Consumer => return Err(Failure::input(message).hint(hint)),
            Print::Yaml | Print::Json => report::note(&format!("{message}: {hint}")),
            Print::Provider | Print::Definition => {}
        }
    }
    match form {
        Print::Yaml => output::objects(&all(publications), output::Format::Yaml),
        Print::Json => output::objects(&all(publications), output::Format::Json),
        Print::Provider => output::objects(&for_provider(publications), output::Format::Yaml),
        Print::Definition => output::objects(&definitions, output::Format::Yaml),
        Print::Consumer => bindings(publications, form),
    }
}

fn all(publications: &[Publication]) -> Vec<Value> {
    publications.iter().flat_map(Publication::objects).collect()
}

/// What several need, such as the definitions' CRD, is printed once.
fn for_provider(publications: &[Publication]) -> Vec<Value> {
    let mut objects: Vec<Value> = Vec::new();
    for object in publications.iter().flat_map(Publication::for_provider) {
        if !objects.contains(object) {
            objects.push(object.clone());
        }
    }
    objects
}

/// Prints the consumers' bindings.
pub(super) fn bindings(publications: &[Publication], form: Print) -> Result<(), Failure> {
    if form == Print::Json {
        let bindings: Vec<Value> = publications.iter().map(|it| it.consumer_binding.clone()).collect();
        return output::objects(&bindings, output::Format::Json);
    }
    let texts: Vec<String> = publications.iter().map(handed_out).collect();
    output::text(&texts.join("---\n"))
}

/// A consumers' binding. Claims that it does not accept are there as a remark,
/// ready to be made answers.
fn handed_out(publication: &Publication) -> String {
    let binding = &publication.consumer_binding;
    let mut text = output::Format::Yaml.text(std::slice::from_ref(binding));
    let claims = publication.claims();
    if claims.is_empty() || binding.pointer("/spec/permissionClaims").is_some() {
        return text;
    }
    let answers: Vec<Value> = claims.iter().map(claims::accepted).collect();
    let answers = output::Format::Yaml.text(&[json!({"permissionClaims": answers})]);
    text += "# The provider asks for rights on these. To accept them, make this a part of `spec`:\n";
    text += &answers.lines().map(|line| format!("#  {line}\n")).collect::<String>();
    text
}
