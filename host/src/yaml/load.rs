//! From a text to a tree of nodes that know their places.
//!
//! Aliases share their node, so that a document that multiplies itself costs
//! nothing before its size is known and refused.

use std::{collections::HashMap, iter, ops::Range, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::Value;

use super::{
    MAX_DEPTH, MAX_VALUES,
    fault::{Fault, explain, not_a_key, too_deep, unprintable, unquoted},
    reading::{MOST_WORK, Reading},
    scalar,
};

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// The value's bytes in the text, without its tag and anchor.
    pub(super) at: Range<usize>,
    pub(super) content: Content,
    size: usize,
    depth: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar(Value, ScalarStyle),
    Sequence(Vec<Arc<Node>>),
    Mapping(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    key: String,
    at: Range<usize>,
    node: Arc<Node>,
}

/// What a text comes to.
pub(super) struct Loaded {
    /// The roots of all documents that are not empty.
    pub(super) roots: Vec<Arc<Node>>,
    /// What `kubectl` takes and its author hardly meant.
    pub(super) odd: Vec<Fault>,
}

/// Reads a text document by document, and one again as long as the parser
/// refuses what `kubectl` reads.
pub(super) fn documents(text: &str) -> Result<Loaded, Fault> {
    if let Some(fault) = unprintable(text) {
        return Err(fault);
    }
    let mut all = Loaded { roots: vec![], odd: vec![] };
    let mut work = MOST_WORK;
    for part in parts(text) {
        let mut reading = Reading::of(text, part.clone());
        loop {
            let stopped = match load(&text[..part.end], &reading) {
                Ok(mut loaded) => {
                    all.roots.append(&mut loaded.roots);
                    all.odd.append(&mut loaded.odd);
                    break;
                }
                Err(stopped) => stopped,
            };
            let mend = |error: ScanError| reading.mend(error.info(), error.marker().index(), &mut work);
            if !stopped.complaint.is_some_and(mend) {
                return Err(stopped.fault);
            }
        }
    }
    Ok(all)
}

/// The parts of a text that stand between lines of `---`, which `kubectl` splits
/// it at and which stand in no document. A text with directives is one part.
fn parts(text: &str) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.starts_with('%') {
            return iter::once(0..text.len()).collect();
        }
        let rest = line.strip_prefix("---").map(|rest| (rest, rest.trim_start()));
        // `---# …` is text, as `---a` is.
        let splits =
            |(rest, words): (&str, &str)| words.is_empty() || words.starts_with('#') && rest.len() > words.len();
        if rest.is_some_and(splits) {
            parts.push(start..at);
            start = at + line.len();
        }
        at += line.len();
    }
    parts.push(start..at);
    parts
}

/// Why a text could not be read, and the parser's own words if they are its.
struct Stopped {
    fault: Fault,
    complaint: Option<ScanError>,
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Stopped {
        Stopped { fault, complaint: None }
    }
}

fn load(text: &str, reading: &Reading) -> Result<Loaded, Stopped> {
    let loaded = Loaded { roots: vec![], odd: vec![] };
    let mut loader = Loader { text, reading, anchors: HashMap::new(), open: vec![], loaded };
    let mut parser = Parser::new_from_str(reading.text());
    while let Some(event) = parser.next_event() {
        match event {
            Ok((event, span)) => loader.take(event, span)?,
            Err(error) => return Err(Stopped { fault: loader.syntax(&error), complaint: Some(error) }),
        }
    }
    Ok(loader.loaded)
}

impl Node {
    pub(super) fn is_scalar(&self) -> bool {
        matches!(self.content, Content::Scalar(..))
    }

    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value, _) => value.clone(),
            Content::Sequence(items) => items.iter().map(|item| item.to_value()).collect(),
            Content::Mapping(entries) => {
                Value::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.to_value())).collect())
            }
        }
    }

    /// The items of the list under a key.
    pub(super) fn items(&self, key: &str) -> Option<&[Arc<Node>]> {
        match &self.child(key)?.0.content {
            Content::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The child that one token of a JSON pointer names, and its key's bytes.
    pub(super) fn child(&self, token: &str) -> Option<(&Node, Option<Range<usize>>)> {
        match &self.content {
            Content::Scalar(..) => None,
            Content::Sequence(items) => token.parse().ok().and_then(|index: usize| Some((&**items.get(index)?, None))),
            Content::Mapping(entries) => {
                entries.iter().find(|entry| entry.key == token).map(|entry| (&*entry.node, Some(entry.at.clone())))
            }
        }
    }
}

struct Loader<'a> {
    text: &'a str,
    reading: &'a Reading,
    anchors: HashMap<usize, Arc<Node>>,
    open: Vec<Open>,
    loaded: Loaded,
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    end: usize,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Arc<Node>>),
    Mapping(Mapping),
}

#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    /// The number of the entry of each key.
    known: HashMap<String, usize>,
    /// The key whose value comes next.
    key: Option<Key>,
    merged: Vec<Arc<Node>>,
    /// Whether its last key is a word with the colon that ends it.
    is_glued: bool,
}

struct Key {
    text: String,
    at: Range<usize>,
    merge: bool,
}

impl Loader<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let start = self.reading.byte(span.start.index());
        let at = start..self.reading.byte(span.end.index()).max(start);
        if let Some(open) = self.open.last_mut()
            && !matches!(event, Event::SequenceEnd | Event::MappingEnd)
        {
            open.end = open.end.max(at.end);
        }
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => return self.scalar(&text, style, anchor, tag.as_deref(), at),
            Event::Alias(anchor) => return self.alias(anchor, at),
            Event::SequenceStart(anchor, tag) => {
                self.begin(Kind::Sequence(vec![]), "seq", anchor, tag.as_deref(), at)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Kind::Mapping(Mapping::default()), "map", anchor, tag.as_deref(), at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(at),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        at: Range<usize>,
    ) -> Result<(), Fault> {
        let at = self.without_properties(at);
        let plain = style == ScalarStyle::Plain;
        let refuse = |(message, hint)| Fault { at: at.clone(), message, hint, also: None };
        if self.expects_key() {
            let merge = plain && tag.is_none() && text == "<<";
            if plain && self.is_glued(&at) {
                // `[nginx:]` holds a text, and `{nginx:, …}` a key that ends so.
                let text = format!("{}:", &self.text[at.clone()]);
                if let Some(Open { kind: Kind::Mapping(mapping), .. }) = self.open.last_mut() {
                    mapping.is_glued = true;
                }
                self.key(Key { text, at: at.start..at.end + 1, merge: false });
                return Ok(());
            }
            let scalar::Key { text, odd } = scalar::key(text, plain, tag).map_err(refuse)?;
            self.loaded.odd.extend(odd.map(refuse));
            self.key(Key { text, at, merge });
            return Ok(());
        }
        let value = scalar::resolve(text, plain, tag).map_err(refuse)?;
        let empty = self.open.is_empty() && value.is_null() && text.is_empty();
        let node = Arc::new(Node { at, content: Content::Scalar(value, style), size: 1, depth: 1 });
        self.remember(anchor, &node);
        if empty { Ok(()) } else { self.add(node) }
    }

    /// Whether a colon that ends a word within brackets is part of it: no space
    /// follows, and nothing that would be its value.
    fn is_glued(&self, at: &Range<usize>) -> bool {
        let rest = self.text[at.end..].strip_prefix(':');
        rest.is_some_and(|rest| rest.starts_with([',', ']', '}']))
    }

    fn alias(&mut self, anchor: usize, at: Range<usize>) -> Result<(), Fault> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let message = format!("`{}` names an anchor that this document does not have", &self.text[at.clone()]);
            let hint = Some("an anchor must come before it, in the same document".to_owned());
            return Err(Fault { at, message, hint, also: None });
        };
        match (&node.content, self.expects_key()) {
            (_, false) => self.add(node),
            (Content::Scalar(Value::String(text), _), true) => {
                self.key(Key { text: text.clone(), at, merge: false });
                Ok(())
            }
            (_, true) => Err(not_a_key(at)),
        }
    }

    fn begin(
        &mut self,
        kind: Kind,
        name: &str,
        anchor: usize,
        tag: Option<&Tag>,
        at: Range<usize>,
    ) -> Result<(), Fault> {
        if self.expects_key() {
            return Err(not_a_key(at));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(at));
        }
        let refuse = |message, hint| Err(Fault { at: at.clone(), message, hint, also: None });
        match scalar::tag_name(tag) {
            Err((message, hint)) => return refuse(message, hint),
            Ok(Some(tag)) if tag != name => {
                return refuse(format!("the tag `!!{tag}` does not fit here"), Some("leave the tag out".to_owned()));
            }
            Ok(_) => {}
        }
        let start = self.without_properties(at.clone()).start;
        self.open.push(Open { start, end: at.end, anchor, kind });
        Ok(())
    }

    fn end(&mut self, at: Range<usize>) -> Result<(), Fault> {
        let Some(Open { start, end, anchor, kind }) = self.open.pop() else {
            return Ok(());
        };
        // The end of a collection in block style has no characters of its own
        // and stands before whatever comes next.
        let end = if at.is_empty() { end } else { at.end };
        let at = start..end.max(start);
        let content = match kind {
            Kind::Sequence(items) => Content::Sequence(items),
            Kind::Mapping(mapping) if mapping.is_glued && !self.text[at.start..].starts_with('{') => {
                // A pair that stands in a list without braces has one key.
                let text = mapping.merge().pop().map(|entry| entry.key).unwrap_or_default();
                Content::Scalar(text.into(), ScalarStyle::Plain)
            }
            Kind::Mapping(mapping) => Content::Mapping(mapping.merge()),
        };
        let node = Arc::new(Node::collection(content, at)?);
        self.remember(anchor, &node);
        if let Some(parent) = self.open.last_mut() {
            parent.end = parent.end.max(node.at.end);
        }
        self.add(node)
    }

    /// The parser counts anchors from one; zero is none.
    fn remember(&mut self, anchor: usize, node: &Arc<Node>) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: Kind::Mapping(Mapping { key: None, .. }), .. }))
    }

    fn key(&mut self, key: Key) {
        let Some(Open { kind: Kind::Mapping(mapping), .. }) = self.open.last_mut() else { return };
        if let Some(first) = mapping.known.get(&key.text).filter(|_| !key.merge) {
            let (line, _) = super::line_column(self.text, mapping.entries[*first].at.start);
            self.loaded.odd.push(Fault {
                at: key.at.clone(),
                message: format!(
                    "the key `{}` is there twice, first in line {line}, and the last one counts",
                    key.text
                ),
                hint: Some("keep one of the two".to_owned()),
                also: None,
            });
        }
        mapping.key = Some(key);
    }

    /// Puts a finished node into what is open around it.
    fn add(&mut self, node: Arc<Node>) -> Result<(), Fault> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.loaded.roots.push(node),
            Some(Kind::Sequence(items)) => items.push(node),
            Some(Kind::Mapping(mapping)) => return mapping.add(node),
        }
        Ok(())
    }

    /// The range without a leading tag or anchor.
    fn without_properties(&self, at: Range<usize>) -> Range<usize> {
        let mut start = at.start;
        while self.text[start..at.end].starts_with(['!', '&']) {
            let rest = &self.text[start..at.end];
            let property = rest.find(char::is_whitespace).unwrap_or(rest.len());
            start += property + (rest.len() - property - rest[property..].trim_start().len());
        }
        let end = start + self.text[start..at.end].trim_end().len();
        start..end
    }

    fn syntax(&self, error: &ScanError) -> Fault {
        let start = self.reading.byte(error.marker().index()).min(self.text.len());
        let start = if self.text[start..].trim().is_empty() { self.text.trim_end().len() } else { start };
        // A tab is complained about where its value begins.
        let tab = error.info().contains("tab").then(|| self.text[start..].find('\t')).flatten();
        let start = start + tab.unwrap_or(0);
        let length = self.text[start..].chars().next().map_or(0, char::len_utf8);
        let (message, hint) = explain(error.info());
        let line = self.text[..start].rsplit('\n').next().map_or(start, |begun| start - begun.len());
        let hint = unquoted(self.text[line..].lines().next().unwrap_or_default()).or(hint);
        Fault { at: start..start + length, message, hint, also: None }
    }
}

impl Node {
    fn collection(content: Content, at: Range<usize>) -> Result<Node, Fault> {
        let children: Vec<&Arc<Node>> = match &content {
            Content::Scalar(..) => vec![],
            Content::Sequence(items) => items.iter().collect(),
            Content::Mapping(entries) => entries.iter().map(|entry| &entry.node).collect(),
        };
        let size = children.iter().fold(1usize, |sum, child| sum.saturating_add(child.size));
        let depth = 1 + children.iter().map(|child| child.depth).max().unwrap_or(0);
        if size > MAX_VALUES {
            let message = format!("more than {MAX_VALUES} values once every alias is expanded");
            return Err(Fault { at: at.start..at.start, message, hint: None, also: None });
        }
        if depth > MAX_DEPTH {
            return Err(too_deep(at));
        }
        Ok(Node { at, content, size, depth })
    }
}

impl Mapping {
    fn add(&mut self, node: Arc<Node>) -> Result<(), Fault> {
        let Some(Key { text: key, at, merge }) = self.key.take() else { return Ok(()) };
        if !merge {
            self.set(Entry { key, at, node });
            return Ok(());
        }
        let is_mapping = |node: &Arc<Node>| matches!(node.content, Content::Mapping(_));
        match &node.content {
            Content::Mapping(_) => self.merged.push(node),
            Content::Sequence(items) if items.iter().all(is_mapping) => self.merged.extend(items.iter().cloned()),
            _ => {
                let message = "`<<` takes a mapping, or a list of mappings".to_owned();
                return Err(Fault {
                    at,
                    message,
                    hint: Some("quote the key if it was meant as text".into()),
                    also: None,
                });
            }
        }
        Ok(())
    }

    /// Adds an entry, in the place of an earlier one of the same key.
    fn set(&mut self, entry: Entry) {
        match self.known.get(&entry.key) {
            Some(index) => self.entries[*index] = entry,
            None => {
                self.known.insert(entry.key.clone(), self.entries.len());
                self.entries.push(entry);
            }
        }
    }

    /// The mapping's own entries, and of the merged ones those that it lacks.
    fn merge(mut self) -> Vec<Entry> {
        for merged in std::mem::take(&mut self.merged) {
            let Content::Mapping(more) = &merged.content else { continue };
            for entry in more.iter().filter(|entry| !self.known.contains_key(&entry.key)).cloned().collect::<Vec<_>>() {
                self.set(entry);
            }
        }
        self.entries
    }
}
