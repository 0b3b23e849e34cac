//! One round: the files are read, the definitions checked, the instances and the
//! fixtures rendered.
//!
//! It watches nothing and writes nothing.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{live::Live, watch::Change};
use crate::{
    cli::{
        definition::{self, Chosen, Definition, Schemas},
        files,
        module::fixtures::{self, Definitions, case::Case},
        offline, output, render,
    },
    report::{Failure, Look, diff},
    yaml::Document,
};

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Each instance and fixture by its name, with what it comes to.
    parts: BTreeMap<String, String>,
    /// What is wrong, as it is said.
    failures: Vec<String>,
    /// What is worth a line, such as a fixture that differs.
    remarks: Vec<String>,
    definitions: usize,
    /// Whether the parts are differences from what is live, to be shown each time.
    live: bool,
}

impl State {
    /// There is nothing to render.
    pub(super) fn broken(failure: String) -> State {
        State { failures: vec![failure], ..State::default() }
    }

    fn failed(&mut self, failure: &Failure) {
        self.failures.push(failure.render(Look::of_stderr()));
    }

    /// What changed since the round before, and what is wrong. Of the first round the
    /// names alone: nobody changed anything yet.
    pub(super) fn told(&self, before: Option<&State>, change: &Change, look: Look) -> String {
        let mut text = String::new();
        // An editor writes files beside, which are gone by now.
        let there: Vec<_> = change.files.iter().filter(|file| file.exists()).collect();
        if let Some(file) = there.first().copied().or(change.files.first()) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let more = there.len().saturating_sub(1);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let _ = writeln!(text, "changed: {name}{more}");
        }
        match before {
            _ if self.live => {
                self.parts.iter().for_each(|(name, part)| text += &format!("  {name}\n{}", indented(part)))
            }
            None => self.parts.keys().for_each(|name| text += &format!("  {name}\n")),
            Some(before) => text += &self.difference(before, look),
        }
        self.remarks.iter().for_each(|remark| text += &format!("  {remark}\n"));
        text + &self.failures.concat()
    }

    fn difference(&self, before: &State, look: Look) -> String {
        let mut text = String::new();
        let names = before.parts.keys().chain(self.parts.keys());
        let mut names: Vec<&String> = names.collect();
        names.sort();
        names.dedup();
        // What a failure hides is not gone.
        let names = names.into_iter().filter(|name| self.failures.is_empty() || self.parts.contains_key(*name));
        for name in names {
            let part = |state: &State| state.parts.get(name).cloned().unwrap_or_default();
            let changes = diff(("before", "now"), &part(before), &part(self), look);
            if !changes.is_empty() {
                text += &format!("  {name}\n{}", indented(&changes));
            }
        }
        text
    }

    /// How many of what.
    pub(super) fn summary(&self) -> String {
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let fixtures = self.parts.keys().filter(|name| name.starts_with(FIXTURE)).count();
        let parts = [
            counted(self.definitions, "definition"),
            counted(self.parts.len() - fixtures, "instance"),
            counted(fixtures, "fixture"),
        ];
        let wrong = if self.failures.is_empty() { String::new() } else { ", not all well".to_owned() };
        format!("{}{wrong}", parts.join(", "))
    }

    /// What the next round is compared with: while something is wrong, what was there
    /// before stays.
    pub(super) fn or_keep(mut self, before: Option<State>) -> State {
        if let (false, Some(before)) = (self.failures.is_empty(), before) {
            for (name, part) in before.parts {
                self.parts.entry(name).or_insert(part);
            }
        }
        self
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// How the name of a fixture begins.
const FIXTURE: &str = "fixture ";

/// Renders all that is there.
pub(super) fn play(paths: &[PathBuf], chosen: &Chosen, schemas: &Schemas, mut live: Option<&mut Live>) -> State {
    let mut state = State { live: live.is_some(), ..State::default() };
    let (definitions, instances) = match read(paths, chosen, schemas) {
        Ok(read) => read,
        Err(failure) => {
            state.failed(&failure);
            return state;
        }
    };
    state.definitions = definitions.len();
    for (document, definition) in &instances {
        let definition = &definitions[*definition];
        let rendered = match &mut live {
            Some(live) => live.difference(definition, document),
            None => rendered(definition, document, &definitions),
        };
        match rendered {
            Ok((name, text)) => drop(state.parts.insert(name, text)),
            Err(failure) => state.failed(&failure),
        }
    }
    if live.is_none() {
        for folder in paths.iter().filter(|path| path.is_dir()) {
            tests(folder, chosen, &mut state);
        }
    }
    state
}

type Read = (Vec<Definition>, Vec<(Document, usize)>);

/// The definitions, and the instances with the definition of each.
fn read(paths: &[PathBuf], chosen: &Chosen, schemas: &Schemas) -> Result<Read, Failure> {
    let mut documents = Vec::new();
    for path in paths {
        for file in own_files(path)? {
            documents.extend(files::read_all(&[file.display().to_string()])?);
        }
    }
    let (definitions, others) = definition::choose(documents, chosen, schemas)?;
    let of = |document: &Document| {
        let kind = contract::Gvk::of(&document.value)?;
        definitions.iter().position(|definition| *definition.api() == kind)
    };
    // A project has other files too.
    let instances = others.into_iter().filter_map(|document| of(&document).map(|index| (document, index))).collect();
    Ok((definitions, instances))
}

/// Of a folder the YAML files in it, and no others: JSON belongs to tools as often
/// as not.
fn own_files(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let is_read = |file: &PathBuf| {
        let is_yaml = file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        file.is_file() && (is_yaml || file.file_name().is_some_and(|name| name == "definition.json"))
    };
    Ok(fixtures::entries(path)?.into_iter().filter(is_read).collect())
}

/// An instance with its children at the end of all passes.
fn rendered(definition: &Definition, document: &Document, all: &[Definition]) -> Result<(String, String), Failure> {
    let is_ours = |kind: &contract::Gvk| all.iter().any(|definition| definition.api() == kind);
    let rendered = offline::play(definition, document, &[], is_ours)?;
    let name = named(&document.value, &rendered.instance);
    let mut text = render::explain::what_is_missing(&rendered);
    let mut objects: Vec<Value> = vec![rendered.instance];
    objects.extend(render::in_order(&definition.prepared.blueprint, &rendered.rendering, rendered.children));
    text += &output::Format::Yaml.text(&objects);
    Ok((name, text))
}

/// `Greeting default/for-ada`.
pub(super) fn named(document: &Value, stored: &Value) -> String {
    let kind = host_core::object::text(document, "/kind");
    let text = |pointer| host_core::object::text(stored, pointer);
    match text("/metadata/namespace") {
        "" => format!("{kind} {}", text("/metadata/name")),
        namespace => format!("{kind} {namespace}/{}", text("/metadata/name")),
    }
}

/// What the fixtures of a project come to.
fn tests(folder: &Path, chosen: &Chosen, state: &mut State) {
    let Ok(fixtures) = fixtures::find(&[folder.to_owned()]) else { return };
    let mut definitions = Definitions::new(chosen);
    for fixture in fixtures {
        let (name, expected) = (fixture.name.clone(), fixture.expected());
        let answered = Case::read(fixture, &mut definitions).and_then(|case| case.answer());
        let compared = answered.and_then(|answered| Ok((fixtures::expectation(&expected)?, answered.shown)));
        match compared {
            Ok((expected, shown)) => {
                if expected.as_ref() != Some(&shown) {
                    state.remarks.push(format!(
                        "{FIXTURE}{name} does not answer what is expected: `croft module test` shows it"
                    ));
                }
                state.parts.insert(format!("{FIXTURE}{name}"), output::Format::Yaml.text(&[shown]));
            }
            Err(failure) => state.failed(&failure),
        }
    }
}
