use serde_json::json;

use super::*;

fn value(text: &str) -> Value {
    let source = Source::parse("t.yaml", text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(source.documents.len(), 1, "{text}");
    source.documents[0].value.clone()
}

fn refusal(text: &str) -> Flaw {
    match Source::parse("t.yaml", text) {
        Err(Error::Refused(flaw)) => *flaw,
        other => panic!("{text}: {other:?}"),
    }
}

/// What the place covers, and its line and column.
fn shown(text: &str, pointer: &str, span: Option<(usize, usize)>) -> String {
    let source = Source::parse("t.yaml", text).unwrap();
    let document = &source.documents[0];
    let place = match span {
        None => document.place(pointer),
        Some((start, length)) => document.place_within(pointer, start, length),
    };
    let missing = place.missing.map(|rest| format!(" without {rest}")).unwrap_or_default();
    format!("{}:{} {}{missing}", place.line, place.column, &text[place.at])
}

#[test]
fn a_word_means_what_it_means_to_kubectl() {
    for (text, expected) in [
        ("true", json!(true)),
        ("yes", json!(true)),
        ("off", json!(false)),
        ("n", json!(false)),
        ("Y", json!(true)),
        ("1e999", json!("1e999")),
        ("yEs", json!("yEs")),
        ("~", json!(null)),
        ("", json!(null)),
        ("12", json!(12)),
        ("-7", json!(-7)),
        ("+7", json!(7)),
        ("0644", json!(420)),
        ("08", json!(8)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("0o17", json!(15)),
        ("1_000", json!(1000)),
        ("18446744073709551615", json!(u64::MAX)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("1e3", json!(1000)),
        ("1.0", json!(1)),
        ("1e30", json!(1e30)),
        ("1.2.3", json!("1.2.3")),
        ("1e", json!("1e")),
        ("2024-12-07", json!("2024-12-07")),
        ("100m", json!("100m")),
        ("1:20", json!("1:20")),
        ("'12'", json!("12")),
        ("\"yes\"", json!("yes")),
        ("!!str 12", json!("12")),
        ("! 12", json!("12")),
        ("!!int \"12\"", json!(12)),
        ("${a.b}", json!("${a.b}")),
        ("|\n  a\n  b\n", json!("a\nb\n")),
        (">-\n  a\n  b\n", json!("a b")),
    ] {
        assert_eq!(value(&format!("k: {text}"))["k"], expected, "{text}");
    }
}

#[test]
fn what_json_cannot_hold_is_refused() {
    for (text, says) in [
        ("k: .nan", "no place in JSON"),
        ("k: -.inf", "no place in JSON"),
        ("k: !!int x", "`x` is not a `!!int`"),
        ("k: !mine x", "the tag `!mine` is not known"),
        ("k: !!binary eA==", "`!!binary`"),
        ("k: !!map []", "does not fit"),
        ("~: 1", "must not be null"),
        ("[a]: 1", "a key must be"),
        ("a: {{ name }}", "a key must be"),
        ("a: *b", "unknown anchor"),
        ("a: &x 1\n---\nb: *x", "unknown anchor"),
        ("a: &x 1\n--- # next\nb: *x", "unknown anchor"),
        ("a: &x 1\n--- {b: *x}", "an anchor that this document does not have"),
        ("a: &x [*x]", "an anchor that this document does not have"),
        ("<<: 1", "`<<` takes a mapping"),
        ("a:\n\t- b", "tab"),
        ("a: 'x", "quoted scalar"),
    ] {
        let flaw = refusal(text);
        assert!(flaw.message.contains(says), "{text}: {}", flaw.message);
    }
}

#[test]
fn an_expression_that_yaml_takes_apart_is_to_be_quoted() {
    for (text, quoted) in [
        ("- ${a.b == {\"c\": \"d\"}}", "'${a.b == {\"c\": \"d\"}}'"),
        ("k: ${a ? 'b' : c}", "'${a ? ''b'' : c}'"),
        ("k:\n  - x: ${a ? b : c}\n    y: 1", "'${a ? b : c}'"),
    ] {
        let hint = refusal(text).hint.unwrap_or_default();
        assert!(hint.ends_with(&format!("such as `{quoted}`")), "{text}: {hint}");
    }
    let hint = refusal("k: a: b").hint.unwrap_or_default();
    assert!(hint.contains("indentation"), "{hint}");
}

#[test]
fn a_place_is_one_of_the_file_in_whichever_document_it_is() {
    let text = "a: é\n---\nb: 'x\n y'\n--- # third\nc: [1,\n2]\n---\n\n---\nd: {\n";
    let flaw = refusal(text);
    assert_eq!(line_column(text, flaw.at.start).0, 11, "{}", flaw.message);
    let source = Source::parse("t.yaml", text.strip_suffix("d: {\n").unwrap()).unwrap();
    let place = source.documents[2].place("/c/1");
    assert_eq!((source.documents.len(), place.line, place.column), (3, 7, 1));
}

#[test]
fn a_directive_belongs_to_the_document_behind_the_line() {
    let source = Source::parse("t.yaml", "%YAML 1.2\n---\na: 1\n---\nb: 2\n").unwrap();
    assert_eq!(source.documents.len(), 2);
}

#[test]
fn a_text_that_has_to_be_mended_often_is_read_in_proportion() {
    let text = "a:\n  b: 'x\ny'\n---\n".repeat(20_000);
    assert_eq!(Source::parse("t.yaml", &text).unwrap().documents.len(), 20_000);
}

#[test]
fn numbers_and_true_may_be_keys() {
    assert_eq!(value("8080: a\ntrue: b\n'on': c"), json!({"8080": "a", "true": "b", "on": "c"}));
}

/// What is odd about a text, which is read all the same.
fn odd(text: &str) -> Vec<String> {
    Source::parse("t.yaml", text).unwrap().odd.iter().map(ToString::to_string).collect()
}

#[test]
fn of_a_key_given_twice_the_last_counts_and_it_is_said() {
    let text = "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n";
    assert_eq!(value(text), json!({"a": 1, "b": {"c": 3, "d": 2}}));
    assert_eq!(odd(text), ["t.yaml:5:3: the key `c` is there twice, first in line 3, and the last one counts"]);
    let merged = "x: &x {a: 1}\nz: {<<: *x, a: 2}\n";
    assert_eq!((value(merged), odd(merged)), (json!({"x": {"a": 1}, "z": {"a": 2}}), vec![]));
}

#[test]
fn a_key_that_is_another_word_to_kubectl_is_that_word_and_it_is_said() {
    let text = "on: 1\n0644: 2\nn: 3\n1e3: 4\ntrue: 5\n";
    assert_eq!(value(text), json!({"true": 5, "420": 2, "false": 3, "1000": 4}));
    let said = odd(text);
    assert_eq!(said.len(), 5, "{said:?}");
    assert_eq!(said[0], "t.yaml:1:1: the key `on` without quotes means `true` to kubectl");
    assert_eq!(odd("'on': 1\n\"n\": 2\n8080: 3\n"), Vec::<String>::new());
}

#[test]
fn quoted_texts_and_brackets_may_end_in_any_column() {
    for (text, expected) in [
        ("a:\n  b: 'x\n  y'\nc: 1\n", json!({"a": {"b": "x y"}, "c": 1})),
        ("a: \"x\n\ny\\\n z\"\n", json!({"a": "x\nyz"})),
        ("a: [\nb,\nc\n]\nd: 1\n", json!({"a": ["b", "c"], "d": 1})),
        ("a:\n  b: {\nx: 1,\n  w: [\n2\n]\n}\n", json!({"a": {"b": {"x": 1, "w": [2]}}})),
        ("a:\n- b: '${\n  c}\n  '\n- d\n", json!({"a": [{"b": "${ c} "}, "d"]})),
        ("a: |\n  x: 'not\n  quoted'\nb: 'ü\nz'\n", json!({"a": "x: 'not\nquoted'\n", "b": "ü z"})),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    let text = "a: 'ü\nz'\nb: here\n";
    let document = Source::parse("t", text).unwrap().documents.remove(0);
    assert_eq!(&text[document.place("/b").at], "here", "places are those of the file");
}

#[test]
fn documents_are_told_apart_and_empty_ones_are_skipped() {
    let source = Source::parse("t", "# only words\n---\na: 1\n---\n---\n# none\n---\n- 2\n...\n").unwrap();
    let values: Vec<_> = source.documents.iter().map(|document| document.value.clone()).collect();
    assert_eq!(values, [json!({"a": 1}), json!([2])]);
    assert!(Source::parse("t", "").unwrap().documents.is_empty());
}

#[test]
fn json_is_yaml_too() {
    assert_eq!(
        value("{\"a\": [1, -2.5, \"x\\u00e9\\n\", null, true], \"b\": {}}\n"),
        json!({"a": [1, -2.5, "xé\n", null, true], "b": {}})
    );
}

#[test]
fn aliases_and_merges_are_expanded_and_own_keys_win() {
    let text = "base: &b {x: 1, w: 2}\nmore: &m {z: 3}\na:\n  <<: [*b, *m]\n  w: 9\nlist: [*b]\n";
    assert_eq!(
        value(text),
        json!({"base": {"x": 1, "w": 2}, "more": {"z": 3}, "a": {"x": 1, "w": 9, "z": 3}, "list": [{"x": 1, "w": 2}]})
    );
}

#[test]
fn a_document_that_multiplies_itself_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{below}]\n");
    }
    assert!(refusal(&text).message.contains("once every alias is expanded"));
}

#[test]
fn nesting_is_bounded_also_through_aliases() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Source::parse("t", &nested(MAX_DEPTH - 1)).is_ok());
    assert!(refusal(&nested(MAX_DEPTH + 1)).message.contains("levels deep"));
    let mut text = format!("a0: &a0 {}\n", nested(100));
    text += &format!("a1: {}*a0{}\n", "[".repeat(100), "]".repeat(100));
    assert!(refusal(&text).message.contains("levels deep"));
}

#[test]
fn a_pointer_leads_to_its_place() {
    let text = "# é\nspec:\n  name: 'app'\n  list:\n  - id: one\n    t: {a/b: ü, c: x}\n  - two\n  block: |\n    l1\n    l2\n  empty:\n";
    for (pointer, expected) in [
        ("", "2:1 spec:"),
        ("/spec", "2:1 spec"),
        ("/spec/name", "3:9 'app'"),
        ("/spec/list/0", "5:5 id: one"),
        ("/spec/list/0/id", "5:9 one"),
        ("/spec/list/0/t/a~1b", "6:14 ü"),
        ("/spec/list/0/t/c", "6:20 x"),
        ("/spec/list/1", "7:5 two"),
        ("/spec/block", "8:3 block"),
        ("/spec/empty", "11:3 empty"),
        ("/spec/gone/deep", "2:1 spec without gone.deep"),
        ("/spec/list/7", "4:3 list without 7"),
        ("/spec/name/x", "3:9 'app' without x"),
    ] {
        assert_eq!(shown(text, pointer, None), expected, "{pointer}");
    }
}

#[test]
fn part_of_a_string_leads_to_the_bytes_that_spell_it() {
    for (text, part, expected) in [
        ("k: a ${x.y} b", "x.y", "1:8 x.y"),
        ("k: é${x}", "x", "1:7 x"),
        ("k: 'it''s ${x}'", "x", "1:13 x"),
        (r#"k: "a\"b\u00e9 ${x.y}""#, "x.y", "1:18 x.y"),
        ("k: |\n  one\n\n    two ${x}\n  three\n", "x", "4:11 x"),
        ("k: |-\n  ${x}", "x", "2:5 x"),
        ("k: >\n  one\n  two ${x}\n", "${x}", "3:7 ${x}"),
        ("k: &anchor ${x}", "x", "1:14 x"),
        ("k: !!str ${x}", "x", "1:12 x"),
        ("k: one\n  two ${x}", "${x}", "2:7 ${x}"),
        ("k: |\r\n  one\r\n  two ${x}\r\n", "x", "3:9 x"),
    ] {
        let document = Source::parse("t", text).unwrap().documents.remove(0);
        let start = document.value["k"].as_str().unwrap().find(part).unwrap();
        assert_eq!(shown(text, "/k", Some((start, part.len()))), expected, "{text}");
    }
}

#[test]
fn part_of_a_string_that_cannot_be_followed_is_the_whole_string() {
    assert_eq!(shown("k: >\n  x one\n  x two\n", "/k", Some((0, 1))), "1:1 k");
    assert_eq!(shown("k: short", "/k", Some((3, 99))), "1:4 short");
    assert_eq!(shown("k: short", "/gone", Some((0, 1))), "1:1 k: short without gone");
}

#[test]
fn an_error_at_the_end_of_a_text_stands_in_the_text() {
    for text in ["a: [1,\n\n", "a: \"x\n", "a: {", "'"] {
        let flaw = refusal(text);
        assert!(flaw.at.end <= text.len(), "{text:?} {:?}", flaw.at);
        assert!(flaw.to_string().starts_with("t.yaml:"), "{flaw}");
    }
}

#[test]
fn a_printed_object_reads_back_as_itself_in_the_order_of_kubernetes() {
    let object = json!({
        "spec": {"b": 1, "a": [{"name": "x", "items": []}, [], [[1], {}]]}, "kind": "Thing", "apiVersion": "v1",
        "metadata": {"labels": {"z": "1", "a": "true"}, "namespace": "space", "name": "m"}, "data": {"x": "1"},
    });
    let text = print(&[object.clone(), json!({"a": 1})]);
    assert!(
        text.starts_with("apiVersion: v1\nkind: Thing\nmetadata:\n  name: m\n  namespace: space\n  labels:\n"),
        "{text}"
    );
    let source = Source::parse("t", &text).unwrap();
    assert_eq!(source.documents.len(), 2);
    assert_eq!(source.documents[0].value, object);
}

#[test]
fn every_string_prints_so_that_it_stays_a_string() {
    let awkward = [
        "",
        " ",
        "~",
        "null",
        "true",
        "yes",
        "No",
        "on",
        "y",
        "N",
        "12",
        "-1",
        "+1",
        "0644",
        "0x1f",
        "0b1",
        "0o7",
        "1_000",
        "1e3",
        ".5",
        "1.",
        ".inf",
        "-.Inf",
        ".nan",
        "2024-12-07",
        "1:20",
        "a: b",
        "a #b",
        "#c",
        "- x",
        "-",
        "?",
        ":",
        "*a",
        "&a",
        "!t",
        "%x",
        "@x",
        "`x`",
        "{a}",
        "[a]",
        "|",
        ">",
        "'q'",
        "\"q\"",
        "it's",
        "a\nb",
        "a\nb\n",
        "\n",
        "\n\n",
        "\na",
        "a\n\n\nb\n\n",
        " lead",
        "trail ",
        "  a\nb",
        "a\n  b\n",
        "tab\there",
        "\t",
        "a\r\nb",
        "\r",
        "é ü 漢 🦀",
        "\u{7f}",
        "\u{0}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}x",
        "---",
        "...",
        "--- a",
        "a\n---\nb",
        "=",
        "<<",
        ",",
        "a,b",
        "${x}",
        "x: |\n  y",
        "trailing \nspace",
        "line \n",
        "a\\b",
        "\\n",
        "key:",
        "://",
        "1.5.2",
        "0.10",
        "007",
        "1__0",
        "_1",
        "e5",
        "1e5",
        "NaN",
        "Infinity",
    ];
    for text in awkward {
        let object = json!({"k": text, "l": [text, {"m": text}]});
        let printed = print(std::slice::from_ref(&object));
        let read = Source::parse("t", &printed).unwrap_or_else(|error| panic!("{text:?}: {error}\n{printed}"));
        assert_eq!(read.documents[0].value, object, "{text:?}\n{printed}");
    }
}

#[test]
fn many_lines_print_as_a_block_and_a_long_line_stays_one() {
    let text = print(&[json!({"script": "one\ntwo\n", "long": "word ".repeat(60).trim_end()})]);
    assert_eq!(text, format!("long: {}\nscript: |\n  one\n  two\n", "word ".repeat(60).trim_end()));
}

#[test]
fn numbers_print_so_that_they_read_back() {
    for number in
        [json!(0), json!(-1), json!(u64::MAX), json!(i64::MIN), json!(1.5), json!(1e30), json!(-2.5e-7), json!(0.1)]
    {
        let printed = print(&[json!({"k": number})]);
        assert_eq!(value(&printed)["k"], number, "{printed}");
    }
}

/// Every string, every part of it, and every parent has a place within the text.
fn point_everywhere(document: &Document, value: &Value, at: &str) {
    let place = document.place(at);
    assert!(document.text.get(place.at).is_some() && document.text.get(place.value).is_some(), "{at}");
    match value {
        Value::String(text) => {
            for start in 0..=text.len() {
                let part = document.place_within(at, start, text.len() - start);
                assert!(document.text.get(part.at.clone()).is_some(), "{at} {start}: {part:?}");
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| point_everywhere(document, item, &format!("{at}/{index}")));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                point_everywhere(document, value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")));
            }
        }
        _ => {}
    }
}

#[test]
fn an_expression_without_quotes_in_a_flow_collection_is_told_to_be_quoted() {
    for text in ["a: {name: ${schema.spec.a}}", "a: {b: c, name: ${schema.spec.a}, d: e}", "a: [x, ${schema.spec.a}]"] {
        let error = Source::parse("test", text).unwrap_err();
        let Error::Refused(flaw) = error else { panic!("{text} is refused") };
        let hint = flaw.hint.unwrap_or_default();
        assert!(hint.starts_with("quote an expression") && hint.ends_with("`\"${schema.spec.a}\"`"), "{text}: {hint}");
    }
}

#[test]
fn no_damage_to_a_text_makes_the_reader_fail_otherwise_than_by_refusing() {
    let text = "# é\r\na: &x {b: 'it''s', \"c/~\": \"\\u00e9\\n\"}\n---\nl:\n- |\n  one\n\n   two\n- >-\n  f\n  g\n- *y\n- !!str 1\n-\nm: {<<: 1}\n? k\n: v\n";
    let text = text.replace("*y", "&y z").replace("{<<: 1}", "{q: [1, 2.5, ~]}");
    assert!(Source::parse("t", &text).is_ok());
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let cut = ends.iter().map(|end| text[..*end].to_owned());
    let odd = ["", "\t", ":", "-", "{", "]", "*", "&", "!", "|", "\"", "'", "é", "\n", "\u{0}", "%", "#"];
    let swapped =
        ends.windows(2).flat_map(|pair| odd.map(|odd| format!("{}{odd}{}", &text[..pair[0]], &text[pair[1]..])));
    for damaged in cut.chain(swapped) {
        match Source::parse("t", &damaged) {
            Ok(source) => source.documents.iter().for_each(|document| point_everywhere(document, &document.value, "")),
            Err(Error::Refused(flaw)) => {
                assert!(flaw.text.get(flaw.at.clone()).is_some(), "{damaged:?}: {:?}", flaw.at);
                flaw.to_string();
            }
            Err(error) => panic!("{damaged:?}: {error}"),
        }
    }
}
