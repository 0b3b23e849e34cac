use contract::{Blueprint, Role};

use super::print;
use crate::graph::{
    Graph,
    tests::{blueprint, shop, woven},
};

fn drawn(blueprint: &Blueprint) -> String {
    print(&Graph::of(blueprint))
}

/// The names of the tags of a file, `/name` where one is closed. Fails if one
/// is closed that is not open, or stays open.
fn tags(svg: &str) -> Vec<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut tags = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag that ends");
        assert!(!text.contains('>'), "{piece}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        match tag.strip_prefix('/') {
            Some(closed) => {
                assert_eq!(open.pop(), Some(closed));
                tags.push(format!("/{closed}"));
            }
            None => {
                if !tag.ends_with('/') {
                    open.push(name);
                }
                tags.push(name.to_owned());
            }
        }
    }
    assert_eq!(open, [""; 0]);
    tags
}

/// The words beside the examples of a legend.
fn legend(svg: &str) -> Vec<&str> {
    let (_, legend) = svg.rsplit_once("<g transform").unwrap();
    let texts = legend.split("</text>").filter_map(|piece| piece.rsplit_once('>'));
    texts.map(|(_, word)| word).filter(|word| !word.trim().is_empty()).collect()
}

#[test]
fn tags_are_balanced_and_each_node_is_a_box_with_its_words() {
    for count in [0, 1, 10, 60] {
        let svg = drawn(&woven(count));
        let tags = tags(&svg);
        assert_eq!(tags.first().map(String::as_str), Some("svg"));
        assert_eq!(tags.last().map(String::as_str), Some("/svg"));
        assert_eq!(svg.matches("class=\"name\"").count(), count + 1);
        assert_eq!(svg.matches("class=\"role\"").count(), count + 1);
    }
}

#[test]
fn nothing_comes_from_outside_and_nothing_runs() {
    let svg = drawn(&shop()).replace("xmlns=\"http://www.w3.org/2000/svg\"", "").replace("url(#croft-arrow)", "");
    for foreign in ["http", "url(", "@import", "@font-face", "<script", "href", "<image", "foreignObject"] {
        assert!(!svg.contains(foreign), "{foreign}");
    }
}

#[test]
fn a_picture_says_what_it_is_to_those_who_do_not_see_it() {
    let svg = drawn(&shop());
    assert!(svg.contains("role=\"img\" aria-label=\"Dependency graph of Shop kro.run/v1alpha1\""));
    assert!(svg.contains("\n<title>Dependency graph of Shop kro.run/v1alpha1</title>\n"));
    assert!(svg.contains("<title>pages: ConfigMap v1, collection, after zones, database</title>"));
    assert!(svg.contains("<title>pages reads zones</title>"));
    assert!(svg.contains("<title>pages needs database</title>"));
}

#[test]
fn the_size_is_a_number_and_the_view_box_is_all_of_it() {
    let svg = drawn(&shop());
    let attribute = |name: &str| svg.split_once(&format!(" {name}=\"")).unwrap().1.split_once('"').unwrap().0;
    let (width, height) = (attribute("width"), attribute("height"));
    assert!(width.parse::<f64>().unwrap() > 200.0 && height.parse::<f64>().unwrap() > 200.0);
    assert_eq!(attribute("viewBox"), format!("0 0 {width} {height}"));
}

#[test]
fn a_legend_has_what_occurs() {
    assert_eq!(legend(&drawn(&blueprint(&[]))), ["instance"]);
    let one: &[(&str, Role, &[&str])] = &[("a", Role::Child, &[])];
    assert_eq!(legend(&drawn(&blueprint(one))), ["instance", "child", "is needed by"]);
    let all = ["instance", "child", "collection", "external", "external collection", "is needed by", "is read by"];
    assert_eq!(legend(&drawn(&shop())), all);
}

#[test]
fn what_has_a_meaning_in_xml_is_only_text() {
    let odd: &[(&str, Role, &[&str])] = &[("<\"&'>\u{1}", Role::Child, &[])];
    let svg = drawn(&blueprint(odd));
    tags(&svg);
    assert!(svg.contains(">&lt;&quot;&amp;&#39;&gt;\u{fffd}</text>"), "{svg}");
}

#[test]
fn both_schemes_of_colours_are_there() {
    assert!(drawn(&shop()).contains("@media (prefers-color-scheme: dark) {"));
}
