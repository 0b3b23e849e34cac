//! `croft explain`: what a definition comes to, for its author and for those who
//! are asked to accept its claims.
//!
//! It adds nothing to what the blueprint says.

use std::collections::BTreeSet;

use clap::ValueEnum;
use contract::{Access, Blueprint, Node, Role, Scope};
use serde_json::{Value, json};

use super::{
    definition::{self, Definition},
    files::Files,
    output,
};
use host_core::{claims, identity::Identities, object, publish};

use crate::report::Failure;

/// Tell what a definition comes to
///
/// Prints the API that it serves, its ids in the order in which they are
/// created, what each depends on and what depends on it, and the rights that a
/// consumer is asked for. No server is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    chosen: definition::Chosen,
    #[command(flatten)]
    schemas: definition::Schemas,
}

/// How to print it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
}

const EXAMPLES: &str = "\
Examples:
  # the API, the order and the claims
  croft explain -f definition.yaml
  # only what a consumer is asked to accept
  croft explain -f definition.yaml -o json | jq .claims";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { files, output, chosen, schemas } = args;
    let definitions = definition::load(&files, &chosen, &schemas)?;
    for (index, definition) in definitions.iter().enumerate() {
        if index > 0 && output == Format::Text {
            output::text("\n")?;
        }
        explain(definition, output)?;
    }
    Ok(())
}

fn explain(definition: &Definition, output: Format) -> Result<(), Failure> {
    let prepared = &definition.prepared;
    let claimed = publish::permission_claims(&prepared.blueprint, &definition.kinds, &Identities::new());
    let mut told = told(&prepared.blueprint, &claimed.claims);
    told["notOfKcp"] = claimed.foreign().map(claims::resource_of).collect();
    let guessed: Vec<String> = claimed.guessed.iter().map(ToString::to_string).collect();
    told["unknownKinds"] = json!(guessed);
    told["module"] = json!({
        "reference": definition.reference.to_string(),
        "digest": definition.module.digest().to_string(),
        "programBytes": prepared.program.len(),
    });
    match output {
        Format::Json => output::text(&format!("{told:#}\n")),
        Format::Text => output::text(&text(&told)),
    }
}

/// The blueprint as it is told.
fn told(blueprint: &Blueprint, claims: &[Value]) -> Value {
    let api = &blueprint.api;
    let needed_by = |id: &str| -> Vec<&str> {
        let dependents = blueprint.nodes.iter().filter(|node| node.depends_on.iter().any(|on| on == id));
        dependents.map(|node| node.id.as_str()).collect()
    };
    let node = |node: &Node| {
        json!({
            "id": node.id,
            "role": role(node.role),
            "apiVersion": node.kind.api_version(),
            "kind": node.kind.kind,
            "dependsOn": node.depends_on,
            "neededBy": needed_by(&node.id),
        })
    };
    // A kind that is managed too is claimed once, and may be read all the same.
    let is_external = |node: &&Node| matches!(node.role, Role::External | Role::ExternalCollection);
    let external = blueprint.nodes.iter().filter(is_external).map(|node| &node.kind);
    let claimed = blueprint.kinds.iter().filter(|used| used.access == Access::Read).map(|used| &used.kind);
    let reads: BTreeSet<String> = external.chain(claimed).map(ToString::to_string).collect();
    json!({
        "api": {
            "apiVersion": api.kind.api_version(),
            "group": api.kind.group,
            "version": api.kind.version,
            "kind": api.kind.kind,
            "plural": api.plural,
            "scope": if api.scope == Scope::Namespaced { "Namespaced" } else { "Cluster" },
            "shortNames": api.crd.pointer("/spec/names/shortNames").cloned().unwrap_or(json!([])),
        },
        "nodes": blueprint.nodes.iter().map(node).collect::<Vec<_>>(),
        "claims": claims,
        "reads": reads,
    })
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Child => "child",
        Role::Collection => "collection",
        Role::External => "external",
        Role::ExternalCollection => "external collection",
    }
}

/// The same for people.
fn text(told: &Value) -> String {
    let api = &told["api"];
    let mut text = format!(
        "API     {} {}, {}, {}\n",
        object::text(api, "/apiVersion"),
        object::text(api, "/kind"),
        object::text(api, "/plural"),
        object::text(api, "/scope").to_lowercase(),
    );
    let names = words(&api["shortNames"]);
    if !names.is_empty() {
        text += &format!("        for short {}\n", names.join(", "));
    }
    let (reference, digest) = (object::text(told, "/module/reference"), object::text(told, "/module/digest"));
    let bytes = &told["module"]["programBytes"];
    text += &format!("Module  {reference}\n        {digest}\n        its program takes {bytes} bytes\n");
    text += "\nIn the order in which they are created:\n";
    let header = ["ID", "ROLE", "KIND", "DEPENDS ON", "NEEDED BY"].map(str::to_owned);
    let rows = told["nodes"].as_array().into_iter().flatten().map(|node| {
        [
            object::text(node, "/id").to_owned(),
            object::text(node, "/role").to_owned(),
            format!("{} {}", object::text(node, "/kind"), object::text(node, "/apiVersion")),
            dashed(&words(&node["dependsOn"])),
            dashed(&words(&node["neededBy"])),
        ]
    });
    text += &output::table([header].into_iter().chain(rows).collect());
    text += "\nA consumer is asked for rights on:\n";
    let claims = told["claims"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|claim| [claims::resource_of(claim), words(&claim["verbs"]).join(", ")]);
    let claims: Vec<[String; 2]> = claims.collect();
    text += &if claims.is_empty() { "  nothing\n".to_owned() } else { output::table(claims) };
    let foreign = words(&told["notOfKcp"]);
    if !foreign.is_empty() {
        text += &format!(
            "\nNot served by kcp itself, but by an APIExport that consumers bind too:\n  {}\n",
            foreign.join("\n  ")
        );
    }
    let unknown = words(&told["unknownKinds"]);
    if !unknown.is_empty() {
        text += &format!("\nNot known offline: {}\n", unknown.join(", "));
    }
    text
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn dashed(words: &[&str]) -> String {
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}
