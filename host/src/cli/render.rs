//! `croft render`: what `croft run` would make of an instance, offline, for the
//! author of a definition.
//!
//! It runs the same module in the same sandbox under the same policy; objects
//! given with `--observed` stand for the cluster.

pub(super) mod explain;

use std::collections::BTreeMap;

use contract::{Blueprint, Gvk, Rendering};
use host_core::object::Target;
use serde_json::Value;

use super::{
    definition::{self, Definition},
    files::{self, Files},
    offline::{self, Cluster, observed, standin::Given},
    output,
};
use crate::{
    report::{self, Failure},
    yaml::Document,
};

/// Render instances of a definition offline, as `croft run` would
///
/// Prints each instance with its defaults and status filled in, and the
/// children that can be stated, in the order of their dependencies. What cannot
/// be stated yet, and why, is said on stderr.
///
/// The definition is the document of kind ResourceGroup, ResourceGraphDefinition
/// or Composition (or the one that names its module in `spec.module`); all other
/// documents are instances of its API.
/// Without an instance the definition is only checked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    /// A file with live objects, as `kubectl get -o yaml` prints them
    ///
    /// They are taken for children of the instance, and for objects that it
    /// reads, by kind, namespace and name.
    #[arg(long, value_name = "FILE")]
    observed: Vec<String>,
    /// Play the passes to their end: what is rendered is taken for live
    ///
    /// What servers and Kubernetes' own controllers set, such as uids and the
    /// status of a Deployment, has stand-ins. Objects of other kinds report
    /// nothing; what is given with `--observed` is taken as it stands.
    #[arg(long)]
    converge: bool,
    /// A field of the instances' metadata that a server sets: uid, creationTimestamp or generation
    ///
    /// An instance that does not have them gets stand-ins, the same ones each time.
    #[arg(long, value_name = "NAME=VALUE")]
    instance_metadata: Vec<Given>,
    /// Say on stderr what became of every id of the definition, and why
    #[arg(long)]
    explain: bool,
    /// How to print the objects
    #[arg(short, long, value_enum, default_value_t = output::Format::Yaml, value_name = "FORMAT")]
    output: output::Format,
    #[command(flatten)]
    chosen: definition::Chosen,
    #[command(flatten)]
    schemas: definition::Schemas,
}

const EXAMPLES: &str = "\
Examples:
  # check a definition
  croft render -f definition.yaml
  # what an instance comes to at first
  croft render -f definition.yaml -f instance.yaml
  # what it comes to once its children are there, and why
  kubectl get configmaps,secrets -o yaml > live.yaml
  croft render -f definition.yaml -f instance.yaml --observed live.yaml --explain
  # what it comes to in the end, without a cluster
  croft render -f definition.yaml -f instance.yaml --converge";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { files, observed, converge, instance_metadata, explain, output, chosen, schemas } = args;
    definition::one_stdin(files.given().chain(&observed).chain(schemas.files()))?;
    let names = files.names()?;
    let (definitions, mut instances) = definition::choose(names.read()?, &chosen, &schemas)?;
    // A folder may hold objects of whatever kind.
    let of = |instance: &Document| offline::of(&definitions, instance, "`--observed`");
    instances.retain(|instance| names.was_given(instance) || of(instance).is_ok());
    let live = files::read_all(&observed)?;
    live.iter().try_for_each(observed::named)?;
    live.iter().for_each(|document| report::warnings(document, &observed::odd(document)));
    let live: Vec<Value> = live.into_iter().map(|document| document.value).collect();
    if instances.is_empty() {
        for Definition { prepared, .. } in &definitions {
            let api = &prepared.blueprint.api.kind;
            report::note(&format!("the definition of {api} is valid; there is no instance to render"));
        }
    }
    let mut objects = Vec::new();
    let mut standins = None;
    let cluster = Cluster { live: &live, converge, given: &instance_metadata };
    for instance in &instances {
        let definition = of(instance)?;
        let is_ours = |kind: &Gvk| definitions.iter().any(|it| it.api() == kind);
        let (rendered, standin) = offline::render(definition, instance, &cluster, is_ours)?;
        let named = rendered.children.iter().map(|(_, object)| object).chain(rendered.instance.get("status"));
        standins = standins.or_else(|| standin.note(named));
        if explain {
            eprint!("{}", explain::all(&definition.prepared.blueprint, &rendered));
        } else {
            eprint!("{}", explain::what_is_missing(&rendered));
        }
        objects.push(rendered.instance);
        objects.extend(in_order(&definition.prepared.blueprint, &rendered.rendering, rendered.children));
    }
    standins.iter().for_each(|note| report::note(note));
    output::objects(&objects, output)
}

/// The children in topological order, those of a collection by key.
pub(super) fn in_order(blueprint: &Blueprint, rendering: &Rendering, children: Vec<(Target, Value)>) -> Vec<Value> {
    let order: BTreeMap<&str, usize> = blueprint.order().into_iter().zip(0..).collect();
    let mut keyed: Vec<_> = rendering.children.iter().zip(children).collect();
    keyed.sort_by_key(|(child, _)| (order.get(child.id.as_str()), child.key.as_str()));
    keyed.into_iter().map(|(_, (_, manifest))| manifest).collect()
}
