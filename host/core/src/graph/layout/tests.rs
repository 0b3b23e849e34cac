use contract::{Blueprint, Role};

use super::{rows::WIDEST, *};
use crate::graph::tests::{blueprint, shop, woven};

const NOTHING: &[&str] = &[];

fn alone(count: usize) -> Blueprint {
    let ids: Vec<String> = (0..count).map(|index| format!("n{index}")).collect();
    let nodes: Vec<_> = ids.iter().map(|id| (id.as_str(), Role::Child, NOTHING)).collect();
    blueprint(&nodes)
}

/// A chain in which each node also depends on the first.
fn chain(count: usize) -> Blueprint {
    let mut chain = alone(count);
    for index in 1..count {
        chain.nodes[index].depends_on = vec!["n0".to_owned(), format!("n{}", index - 1)];
    }
    chain
}

fn all() -> Vec<(String, Graph)> {
    let mut all = vec![("shop".to_owned(), Graph::of(&shop()))];
    for count in [0, 1, 2, 9, 10, 60] {
        all.push((format!("woven {count}"), Graph::of(&woven(count))));
        all.push((format!("alone {count}"), Graph::of(&alone(count))));
        all.push((format!("chain {count}"), Graph::of(&chain(count))));
    }
    all
}

/// Whether more than their borders have a point in common. A line is a
/// rectangle without a width.
fn overlap(one: &Rect, other: &Rect) -> bool {
    one.x < other.x + other.width
        && other.x < one.x + one.width
        && one.y < other.y + other.height
        && other.y < one.y + one.height
}

fn around(one: Point, other: Point) -> Rect {
    let (x, y) = (one.x.min(other.x), one.y.min(other.y));
    Rect { x, y, width: (one.x - other.x).abs(), height: (one.y - other.y).abs() }
}

/// What holds every curve and every straight line of a route.
fn pieces(route: &Route) -> Vec<Rect> {
    let mut at = route.start;
    let mut pieces = Vec::new();
    for (top, straight) in &route.passes {
        let bottom = Point { x: top.x, y: top.y + straight };
        pieces.extend([around(at, *top), around(*top, bottom)]);
        at = bottom;
    }
    pieces.push(around(at, route.end));
    pieces
}

#[test]
fn boxes_stand_apart_and_within_the_picture() {
    for (name, graph) in all() {
        let layout = Layout::of(&graph);
        assert_eq!(layout.boxes.len(), graph.vertices.len(), "{name}");
        for (index, one) in layout.boxes.iter().enumerate() {
            assert!(one.x >= 0.0 && one.x + one.width <= layout.width, "{name}: {one:?}");
            assert!(one.y >= 0.0 && one.y + one.height <= layout.height, "{name}: {one:?}");
            let wider = Rect { x: one.x - 10.0, width: one.width + 20.0, ..*one };
            let others = &layout.boxes[index + 1..];
            assert!(!others.iter().any(|other| overlap(&wider, other)), "{name}: {one:?}");
        }
    }
}

#[test]
fn edges_lead_from_border_to_border_and_through_no_box() {
    for (name, graph) in all() {
        let layout = Layout::of(&graph);
        assert_eq!(layout.edges.len(), graph.edges.len(), "{name}");
        for (edge, route) in graph.edges.iter().zip(&layout.edges) {
            let (from, to) = (layout.boxes[edge.from], layout.boxes[edge.to]);
            assert_eq!(route.start, Point { x: from.x + from.width / 2.0, y: from.y + from.height }, "{name}");
            assert_eq!(route.end.y, to.y, "{name}");
            assert!(route.end.x > to.x && route.end.x < to.x + to.width, "{name}: {route:?} to {to:?}");
            for piece in pieces(route) {
                assert!(piece.height > 0.0 && piece.x >= 0.0 && piece.x + piece.width <= layout.width, "{name}");
                assert!(!layout.boxes.iter().any(|one| overlap(one, &piece)), "{name}: {route:?}");
            }
        }
    }
}

#[test]
fn what_depends_on_something_stands_below_it() {
    let layout = Layout::of(&Graph::of(&chain(10)));
    assert!(layout.boxes.windows(2).all(|pair| pair[0].y + pair[0].height < pair[1].y));
    assert_eq!(layout.edges.iter().map(|route| route.passes.len()).max(), Some(8));
}

#[test]
fn what_depends_on_nothing_stands_in_rows_that_are_not_too_wide() {
    for count in [1, WIDEST, WIDEST + 1, 60] {
        let layout = Layout::of(&Graph::of(&alone(count)));
        let mut rows: Vec<(f64, usize)> = Vec::new();
        for one in &layout.boxes[1..] {
            match rows.last_mut() {
                Some((y, count)) if *y == one.y => *count += 1,
                _ => rows.push((one.y, 1)),
            }
        }
        assert_eq!(rows.len(), count.div_ceil(WIDEST));
        assert!(rows.iter().all(|(_, count)| *count <= WIDEST), "{rows:?}");
    }
}

#[test]
fn edges_of_one_source_share_the_way_through_a_row() {
    let layout = Layout::of(&Graph::of(&alone(60)));
    let mut passed: Vec<Point> = layout.edges.iter().flat_map(|route| &route.passes).map(|(top, _)| *top).collect();
    passed.sort_by(|one, other| one.y.total_cmp(&other.y));
    passed.dedup();
    assert_eq!(passed.len(), 60_usize.div_ceil(WIDEST) - 1);
}

#[test]
fn boxes_change_places_so_that_edges_need_not_cross() {
    let nodes: &[(&str, Role, &[&str])] = &[
        ("a", Role::Child, &[]),
        ("b", Role::Child, &[]),
        ("needs-b", Role::Child, &["b"]),
        ("needs-a", Role::Child, &["a"]),
    ];
    let graph = Graph::of(&blueprint(nodes));
    assert_eq!(Rows::of(&graph).crossings(), 0);
    let boxes = Layout::of(&graph).boxes;
    assert_eq!(boxes[1].x < boxes[2].x, boxes[4].x < boxes[3].x);
}

#[test]
fn equal_graphs_get_equal_layouts() {
    assert_eq!(Layout::of(&Graph::of(&woven(60))), Layout::of(&Graph::of(&woven(60))));
}

#[test]
fn a_box_is_as_wide_as_its_longest_line() {
    let long = "i-am-an-id-with-a-name-of-forty-letters-";
    let boxes = Layout::of(&Graph::of(&blueprint(&[("a", Role::Child, NOTHING), (long, Role::Child, NOTHING)]))).boxes;
    assert!(boxes[1].width < boxes[2].width);
    assert!(boxes[2].width > 200.0 && boxes[2].width < 500.0, "{:?}", boxes[2]);
}
