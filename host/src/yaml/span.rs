//! From bytes of a string to the bytes of the file that spell them.

use std::ops::Range;

use saphyr_parser::ScalarStyle;
use serde_json::Value;

use super::load::{Content, Node};

/// The bytes of the file that spell part of a string. Text in quotes on one
/// line and literal blocks are followed exactly; elsewhere the part is looked
/// for, and taken if it is there exactly once.
pub(super) fn within(file: &str, node: &Node, start: usize, length: usize) -> Option<Range<usize>> {
    let Content::Scalar(Value::String(text), style) = &node.content else { return None };
    let end = start.checked_add(length).filter(|end| *end <= text.len())?;
    let part = text.get(start..end)?;
    let raw = &file[node.at.clone()];
    let steps = match style {
        ScalarStyle::Literal => literal(raw, text),
        _ if raw.contains('\n') => None,
        ScalarStyle::Plain => Some((0..=raw.len()).collect()),
        ScalarStyle::SingleQuoted => single_quoted(raw),
        ScalarStyle::DoubleQuoted => double_quoted(raw),
        ScalarStyle::Folded => None,
    };
    // A table that does not end where the string does was not the right one.
    let exact = steps.filter(|steps| steps.len() == text.len() + 1).map(|steps| steps[start]..steps[end]);
    let range = exact.or_else(|| once(raw, part))?;
    // A part that ends with a line is shown up to the line's end.
    let shown = raw.get(range.clone())?.lines().next().unwrap_or_default();
    Some(node.at.start + range.start..node.at.start + range.start + shown.len())
}

/// For every byte of the string, and for its end, where it is in the file.
type Steps = Vec<usize>;

fn single_quoted(raw: &str) -> Option<Steps> {
    let inner = raw.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut steps = Vec::with_capacity(inner.len() + 1);
    let mut quoted = false;
    for (offset, byte) in inner.bytes().enumerate() {
        quoted = byte == b'\'' && !quoted;
        if byte != b'\'' || quoted {
            steps.push(1 + offset);
        }
    }
    steps.push(1 + inner.len());
    Some(steps)
}

fn double_quoted(raw: &str) -> Option<Steps> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    let mut steps = Vec::with_capacity(inner.len() + 1);
    let mut rest = inner.char_indices();
    while let Some((offset, char)) = rest.next() {
        let (bytes, skip) = if char == '\\' { escape(&inner[offset + 1..])? } else { (char.len_utf8(), 0) };
        if skip > 0 {
            rest.nth(skip - 1)?;
        }
        // The bytes of one plain character follow each other; those of an
        // escape all stand where it begins.
        let step = usize::from(skip == 0);
        steps.extend((0..bytes).map(|index| 1 + offset + index * step));
    }
    steps.push(1 + inner.len());
    Some(steps)
}

/// How many bytes an escape stands for, and how many characters it has after
/// its backslash.
fn escape(rest: &str) -> Option<(usize, usize)> {
    let digits = match rest.chars().next()? {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        'N' | '_' => return Some((2, 1)),
        'L' | 'P' => return Some((3, 1)),
        _ => return Some((1, 1)),
    };
    let code = u32::from_str_radix(rest.get(1..=digits)?, 16).ok()?;
    Some((char::from_u32(code)?.len_utf8(), 1 + digits))
}

/// The lines of a literal block, each without its indentation.
fn literal(raw: &str, text: &str) -> Option<Steps> {
    let mut steps = Vec::with_capacity(text.len() + 1);
    let mut raw_start = 0;
    let mut raw_lines = raw.split_inclusive('\n');
    for line in text.split_inclusive('\n') {
        let raw_line = raw_lines.next().unwrap_or_default();
        let (bare, raw_bare) = (line.trim_end_matches('\n'), raw_line.trim_end_matches(['\n', '\r']));
        let bare_start =
            if bare.is_empty() { raw_bare.len() } else { raw_bare.len() - indented(raw_bare, bare)?.len() };
        steps.extend((0..line.len()).map(|index| (raw_start + bare_start + index).min(raw.len())));
        raw_start += raw_line.len();
    }
    steps.push(steps.last().map_or(0, |last| last + 1).min(raw.len()));
    Some(steps)
}

fn indented<'a>(raw: &'a str, bare: &str) -> Option<&'a str> {
    let indent = raw.strip_suffix(bare)?;
    indent.bytes().all(|byte| byte == b' ').then(|| &raw[indent.len()..])
}

fn once(raw: &str, part: &str) -> Option<Range<usize>> {
    let mut found = raw.match_indices(part);
    let (start, _) = found.next().filter(|_| !part.is_empty())?;
    found.next().is_none().then_some(start..start + part.len())
}
