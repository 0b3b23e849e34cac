//! `croft graph`: the dependency graph of a definition, offline, for its author.
//!
//! How a graph is drawn is `host_core::graph`'s business.

use clap::ValueEnum;

use super::{
    definition::{self, Definition},
    files::Files,
    output,
};
use host_core::graph;

use crate::report::Failure;

/// Draw the dependency graph of a definition
///
/// Prints the instance and every id of the definition with its kind and its
/// role, and an arrow from each to what needs it. Reads of objects that
/// somebody else owns are dashed. No server is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    files: Files,
    /// How to write the graph
    #[arg(short, long, value_enum, default_value_t = Format::Mermaid, value_name = "FORMAT")]
    output: Format,
    #[command(flatten)]
    chosen: definition::Chosen,
    #[command(flatten)]
    schemas: definition::Schemas,
}

/// How to write a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A flowchart that Markdown can hold, in a code block of the language `mermaid`
    Mermaid,
    /// The language of Graphviz
    Dot,
    /// A picture for a browser or a README, for light and for dark pages
    Svg,
}

const EXAMPLES: &str = "\
Examples:
  # a flowchart to put into Markdown
  croft graph -f definition.yaml
  # a picture that needs no other tool
  croft graph -f definition.yaml -o svg > graph.svg
  # one that Graphviz lays out
  croft graph -f definition.yaml -o dot | dot -Tpng > graph.png";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { files, output, chosen, schemas } = args;
    let definitions = definition::load(&files, &chosen, &schemas)?;
    if let (Format::Svg, [_, second, ..]) = (output, definitions.as_slice()) {
        let hint = "give one definition at a time; the other forms take several";
        return Err(definition::stray(&second.document, "a picture shows one definition", hint));
    }
    let draw = |definition: &Definition| {
        let blueprint = &definition.prepared.blueprint;
        match output {
            Format::Mermaid => graph::mermaid(blueprint),
            Format::Dot => graph::dot(blueprint),
            Format::Svg => graph::svg(blueprint),
        }
    };
    // A blank line tells one graph from the next.
    output::text(&definitions.iter().map(draw).collect::<Vec<_>>().join("\n"))
}
