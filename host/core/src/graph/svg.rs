//! A graph as a picture in SVG 1.1 that stands alone.
//!
//! It asks for nothing from outside, no font either, and nothing is said by
//! colour alone: a box names its role, and its border shows it. Where things
//! stand is `layout`'s business.

mod legend;

use std::fmt::Write as _;

use super::{
    Graph, INSTANCE, Part,
    layout::{Layout, Point, Rect, Route},
    text::{self, Line},
};

/// Colours for a light and a dark page. The page is painted too, so that the
/// text has its contrast wherever the picture is put.
const STYLE: &str = include_str!("svg/style.css");

/// Around everything.
const MARGIN: f64 = 28.0;
/// The letters of the title, and how far below the upper edge they stand.
const TITLE: f64 = 18.0;
const TITLE_BASELINE: f64 = 42.0;
/// From the upper edge to the first box.
const TOP: f64 = 68.0;
/// From the last box to the legend.
const BEFORE_LEGEND: f64 = 34.0;
/// Between the two borders of a collection.
const INSET: f64 = 3.5;

/// The file.
pub(super) fn print(graph: &Graph) -> String {
    let layout = Layout::of(graph);
    let title = text::shortened(&graph.title());
    let entries = legend::entries(graph);
    // The title is bold, which makes it a little wider.
    let widest = [layout.width, text::width(&title, TITLE) * text::BOLD, legend::narrowest(&entries)];
    let inner = widest.into_iter().fold(0.0, f64::max).ceil();
    let legend_top = TOP + layout.height + BEFORE_LEGEND;
    let (legend, legend_height) = legend::print(&entries, inner);
    let (width, height) = (inner + 2.0 * MARGIN, legend_top + legend_height + MARGIN);
    let aside = MARGIN + ((inner - layout.width) / 2.0).floor();

    let label = escaped(&format!("Dependency graph of {}", graph.title()));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" class=\"croft-graph\" role=\"img\" \
         aria-label=\"{label}\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{label}</title>\n<style>\n{STYLE}</style>\n{ARROW}\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"{TITLE_BASELINE}\" font-size=\"{TITLE}\">{}</text>\n",
        escaped(&title)
    );
    let _ = writeln!(svg, "<g transform=\"translate({aside} {TOP})\">");
    for (index, route) in layout.edges.iter().enumerate() {
        svg += &edge(graph, index, route);
    }
    for (index, rect) in layout.boxes.iter().enumerate() {
        svg += &vertex(graph, index, *rect);
    }
    let _ = writeln!(svg, "</g>\n<g transform=\"translate({MARGIN} {legend_top})\">\n{legend}</g>");
    svg + "</svg>\n"
}

/// The length of an arrow's head.
const HEAD: f64 = 10.0;
/// The head of all arrows. Its tip is where the path ends.
const ARROW: &str = "<defs><marker id=\"croft-arrow\" viewBox=\"0 0 10 8\" markerWidth=\"10\" markerHeight=\"8\" \
     markerUnits=\"userSpaceOnUse\" refX=\"10\" refY=\"4\" orient=\"auto\">\
     <path class=\"head\" d=\"M0 0L10 4L0 8z\"/></marker></defs>\n";

fn edge(graph: &Graph, index: usize, route: &Route) -> String {
    let edge = graph.edges[index];
    let (from, to) = (&graph.vertices[edge.from].name, &graph.vertices[edge.to].name);
    let (verb, class) = if graph.is_read(edge) { ("reads", "edge read") } else { ("needs", "edge") };
    let said = escaped(&format!("{to} {verb} {from}"));
    format!("<g><title>{said}</title>{}</g>\n", arrow(class, &path(route)))
}

/// A line with a head.
fn arrow(class: &str, path: &str) -> String {
    format!("<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#croft-arrow)\"/>")
}

/// Curves from row to row that begin and end upright, and straight lines
/// through rows and below the head, which would stand askew on a curve.
fn path(route: &Route) -> String {
    let mut at = route.start;
    let mut path = format!("M{} {}", at.x, at.y);
    let last = (Point { y: route.end.y - HEAD, ..route.end }, HEAD);
    for (stop, straight) in route.passes.iter().copied().chain([last]) {
        let (Point { x, y }, middle) = (stop, (at.y + stop.y) / 2.0);
        let _ = write!(path, "C{} {middle} {x} {middle} {x} {y}V{}", at.x, y + straight);
        at = Point { x, y: y + straight };
    }
    path
}

fn vertex(graph: &Graph, index: usize, rect: Rect) -> String {
    let vertex = &graph.vertices[index];
    let whole = format!("{}: {}, {}{}", vertex.name, vertex.kind, vertex.part.label(), after(graph, index));
    let mut svg = format!("<g><title>{}</title>{}", escaped(&whole), border(vertex.part, rect));
    let middle = rect.x + rect.width / 2.0;
    for Line { text, class, size, baseline, .. } in text::lines(vertex) {
        let y = rect.y + baseline;
        let text = escaped(&text);
        let _ = write!(
            svg,
            "<text class=\"{class}\" x=\"{middle}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"middle\">{text}</text>"
        );
    }
    svg + "</g>\n"
}

/// `, after a, b`, as `croft render --explain` says it.
fn after(graph: &Graph, index: usize) -> String {
    let sources = graph.edges.iter().filter(|edge| edge.to == index && edge.from != INSTANCE);
    let sources: Vec<&str> = sources.map(|edge| graph.vertices[edge.from].name.as_str()).collect();
    if sources.is_empty() { String::new() } else { format!(", after {}", sources.join(", ")) }
}

/// The instance is round, a collection has two borders, and what somebody else
/// owns has dashes.
fn border(part: Part, rect: Rect) -> String {
    let class = match part {
        Part::Instance => "instance",
        Part::Child | Part::Collection => "own",
        Part::External | Part::ExternalCollection => "external",
    };
    let radius = if part == Part::Instance { rect.height / 2.0 } else { 5.0 };
    let outer = rectangle(class, rect, radius);
    if !part.is_collection() {
        return outer;
    }
    let inner = Rect {
        x: rect.x + INSET,
        y: rect.y + INSET,
        width: rect.width - 2.0 * INSET,
        height: rect.height - 2.0 * INSET,
    };
    outer + &rectangle(&format!("{class} inner"), inner, 2.5)
}

fn rectangle(class: &str, rect: Rect, radius: f64) -> String {
    let Rect { x, y, width, height } = rect;
    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>")
}

/// The text as it may stand between tags and in an attribute. Control
/// characters, for most of which XML 1.0 has no place, become U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
