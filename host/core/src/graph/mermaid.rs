//! A graph as a Mermaid flowchart, for Markdown that is shown by what knows
//! Mermaid.
//!
//! It sets no colours: those are the reader's theme.

use std::fmt::Write as _;

use super::{Graph, INSTANCE, Part, Vertex};

/// Marks what somebody else owns.
const EXTERNAL: &str = "classDef external stroke-dasharray: 5 4";

/// The flowchart.
pub(super) fn print(graph: &Graph) -> String {
    let mut text = String::from("flowchart TD\n");
    let names: Vec<String> = graph.vertices.iter().enumerate().map(|(index, vertex)| name(index, vertex)).collect();
    for (name, vertex) in names.iter().zip(&graph.vertices) {
        let (open, close) = shape(vertex.part);
        let _ = writeln!(text, "    {name}{open}\"{}\"{close}", label(vertex));
    }
    for edge in &graph.edges {
        let arrow = if graph.is_read(*edge) { "-.->" } else { "-->" };
        let _ = writeln!(text, "    {} {arrow} {}", names[edge.from], names[edge.to]);
    }
    let external = names.iter().zip(&graph.vertices).filter(|(_, vertex)| vertex.part.is_external());
    let external: Vec<&str> = external.map(|(name, _)| name.as_str()).collect();
    if !external.is_empty() {
        let _ = writeln!(text, "    {EXTERNAL}\n    class {} external", external.join(","));
    }
    text
}

/// A name that Mermaid takes. It reads words such as `end` and marks such as
/// `--` as its own, so ids get a prefix and only letters and digits stay as they
/// are. Different ids have different names.
fn name(index: usize, vertex: &Vertex) -> String {
    if index == INSTANCE {
        return "instance".to_owned();
    }
    let mut name = String::from("id_");
    for letter in vertex.name.chars() {
        match letter {
            '_' => name.push_str("__"),
            letter if letter.is_ascii_alphanumeric() => name.push(letter),
            other => {
                let _ = write!(name, "_{:x}_", u32::from(other));
            }
        }
    }
    name
}

fn shape(part: Part) -> (&'static str, &'static str) {
    match part {
        Part::Instance => ("([", "])"),
        Part::Child => ("[", "]"),
        Part::Collection => ("[[", "]]"),
        Part::External => ("(", ")"),
        Part::ExternalCollection => ("{{", "}}"),
    }
}

fn label(vertex: &Vertex) -> String {
    format!("{}<br/>{}<br/>{}", escaped(&vertex.name), escaped(&vertex.kind), vertex.part.label())
}

/// The text with Mermaid's entities for whatever could end a label or start a
/// tag, an entity or Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '#' | '&' | '<' | '>' | '`' | ';' | '\\' => {
                let _ = write!(escaped, "#{};", u32::from(letter));
            }
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_mermaid_would_read_otherwise_get_names_that_it_does_not() {
        let named = |id: &str| name(1, &Vertex { name: id.to_owned(), kind: String::new(), part: Part::Child });
        assert_eq!(named("end"), "id_end");
        assert_eq!(named("a--b_c"), "id_a_2d__2d_b__c");
        assert_ne!(named("a_2d_"), named("a-"));
    }

    #[test]
    fn labels_cannot_be_left() {
        assert_eq!(escaped("a\"]<b>#\n"), "a#34;]#60;b#62;#35; ");
    }
}
