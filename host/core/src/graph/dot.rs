//! A graph in the language of Graphviz, for `dot` and what else reads it.
//!
//! It sets shapes and borders, and leaves the layout to Graphviz.

use std::fmt::Write as _;

use super::{Graph, INSTANCE, Part};

/// The digraph.
pub(super) fn print(graph: &Graph) -> String {
    let title = graph.title();
    let mut text = format!("digraph {} {{\n  rankdir=TB;\n", quoted(&title));
    text += "  node [shape=box, fontname=\"Helvetica\"];\n";
    // The instance is named by its title: no id has a space in it.
    let name = |index: usize| if index == INSTANCE { title.as_str() } else { graph.vertices[index].name.as_str() };
    for (index, vertex) in graph.vertices.iter().enumerate() {
        let lines = [vertex.name.as_str(), vertex.kind.as_str(), vertex.part.label()];
        let _ = writeln!(text, "  {} [label={}{}];", quoted(name(index)), label(&lines), border(vertex.part));
    }
    for edge in &graph.edges {
        let style = if graph.is_read(*edge) { " [style=dashed]" } else { "" };
        let _ = writeln!(text, "  {} -> {}{style};", quoted(name(edge.from)), quoted(name(edge.to)));
    }
    text + "}\n"
}

fn border(part: Part) -> &'static str {
    match part {
        Part::Instance => ", style=rounded",
        Part::Child => "",
        Part::Collection => ", peripheries=2",
        Part::External => ", style=dashed",
        Part::ExternalCollection => ", style=dashed, peripheries=2",
    }
}

/// Graphviz resolves entities in labels, not in names.
fn label(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escaped(line).replace('&', "&amp;")).collect();
    format!("\"{}\"", lines.join("\\n"))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Backslashes too, which would end the quotes' protection or start an escape.
fn escaped(text: &str) -> String {
    let visible = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    visible.collect::<String>().replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(quoted("a\"b\\"), r#""a\"b\\""#);
        assert_eq!(label(&["a&b", "c\nd"]), r#""a&amp;b\nc d""#);
    }
}
