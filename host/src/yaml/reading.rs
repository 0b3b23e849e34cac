//! A text as the parser is given it: that of the file, but for what `kubectl`
//! reads and the parser refuses. Every letter knows where it stands in the file.
//!
//! `kubectl` lets a quoted text and a collection in brackets go on, and end, in
//! any column; the parser wants them further in than their key. And in JSON it
//! takes two escapes of half a letter each for the letter that they are.

use std::ops::Range;

/// How far a line is moved in. More than any file nests, mostly; a line that is
/// still not far enough is moved again.
const INDENT: usize = 64;

/// The work that mending a file may take, in letters read again: enough for
/// hundreds of such lines in a file of usual size.
pub(super) const MOST_WORK: usize = 64 << 20;

/// The letters, and where each stands in the file.
pub(super) struct Reading {
    text: String,
    /// The byte of each letter in the file, and the file's end; none if all is
    /// ASCII and as it was.
    origin: Option<Vec<usize>>,
    /// Where the text begins in the file.
    start: usize,
}

impl Reading {
    pub(super) fn of(file: &str, part: Range<usize>) -> Reading {
        let (text, start) = (&file[part.clone()], part.start);
        let is_json = text.trim_start().starts_with(['{', '[']) && text.contains("\\u");
        if is_json {
            return Reading::of_json(text, start);
        }
        let table = || text.char_indices().map(|(offset, _)| offset).chain([text.len()]).collect();
        Reading { text: text.to_owned(), origin: (!text.is_ascii()).then(table), start }
    }

    /// With every letter beyond 16 bits in place of its two escapes. Half of one
    /// alone is not a letter, and Go puts U+FFFD in its place.
    fn of_json(text: &str, start: usize) -> Reading {
        let (mut patched, mut origin) = (String::with_capacity(text.len()), Vec::with_capacity(text.len()));
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            let (letter, length) = match half(&text[at..]) {
                Some(first @ 0xd800..=0xdbff) => match half(&text[at + 6..]) {
                    Some(second @ 0xdc00..=0xdfff) => {
                        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
                    }
                    _ => (char::REPLACEMENT_CHARACTER, 6),
                },
                Some(0xdc00..=0xdfff) => (char::REPLACEMENT_CHARACTER, 6),
                _ => (letter, letter.len_utf8()),
            };
            patched.push(letter);
            origin.push(at);
            at += length;
            // What is escaped by this backslash begins no escape of its own.
            if let ('\\', Some(next)) = (letter, text[at..].chars().next()) {
                patched.push(next);
                origin.push(at);
                at += next.len_utf8();
            }
        }
        origin.push(text.len());
        Reading { text: patched, origin: Some(origin), start }
    }

    /// What the parser reads.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the letter of this number stands in the file.
    pub(super) fn byte(&self, index: usize) -> usize {
        self.start + self.offset(index)
    }

    /// The same, counted from where the text begins.
    fn offset(&self, index: usize) -> usize {
        match &self.origin {
            None => index,
            Some(table) => table.get(index).or(table.last()).copied().unwrap_or(index),
        }
    }

    /// Moves in what the parser complains about, if it complains about a column.
    /// Whether it is worth reading again.
    /// It costs `work`, of which there may not be enough.
    pub(super) fn mend(&mut self, complaint: &str, index: usize, work: &mut usize) -> bool {
        let Some(left) = work.checked_sub(self.text.len()) else { return false };
        *work = left;
        let letters: Vec<char> = self.text.chars().collect();
        let lines = match complaint {
            "invalid indentation in quoted scalar" => continued(&letters, index),
            "invalid indentation" | "invalid indentation in flow construct" => {
                line_start(&letters, index).into_iter().collect()
            }
            "':' must be followed by a valid YAML whitespace" => return self.after_a_colon(&letters, index),
            "tab cannot be used as indentation" => return self.without_tabs(&letters, index),
            complaint if complaint.starts_with("plain scalar cannot start with '-'") => {
                return letters.get(index) == Some(&'-') && self.quote(&letters, index..index + 1);
            }
            "while parsing a flow mapping, did not find expected ',' or '}'" => {
                return word_with_a_colon(&letters, index).is_some_and(|word| self.quote(&letters, word));
            }
            _ => return false,
        };
        self.indent(&letters, &lines);
        !lines.is_empty()
    }

    /// With spaces for the tabs that a line begins with, if a quoted text goes on in
    /// it.
    fn without_tabs(&mut self, letters: &[char], index: usize) -> bool {
        let start = line_start(letters, index).unwrap_or(0);
        let goes_on = |at: &usize| continued(letters, *at).contains(&start);
        let before = start.saturating_sub(MOST_BACK)..start;
        if !before.rev().any(|at| matches!(letters.get(at), Some('\'' | '"')) && begins(letters, at) && goes_on(&at)) {
            return false;
        }
        let tabs = letters.iter().skip(start).take_while(|letter| matches!(letter, ' ' | '\t')).count();
        self.blank(letters, start..start + tabs);
        tabs > 0
    }

    /// With spaces for the tabs between a colon and the value at a place.
    fn after_a_colon(&mut self, letters: &[char], index: usize) -> bool {
        let before = letters.get(..index).unwrap_or_default();
        let tabs = before.iter().rev().take_while(|letter| matches!(letter, ' ' | '\t')).count();
        let follows = before.get(..index - tabs).is_some_and(|rest| rest.ends_with(&[':']));
        self.blank(letters, index - tabs..index);
        tabs > 0 && follows
    }

    /// With spaces for some letters.
    fn blank(&mut self, letters: &[char], places: Range<usize>) {
        let origin = (0..=letters.len()).map(|index| self.offset(index)).collect();
        let blank = |(at, letter): (usize, &char)| if places.contains(&at) { ' ' } else { *letter };
        self.text = letters.iter().enumerate().map(blank).collect();
        self.origin = Some(origin);
    }

    /// With quotes around some letters.
    fn quote(&mut self, letters: &[char], places: Range<usize>) -> bool {
        let (mut text, mut origin) =
            (String::with_capacity(self.text.len() + 2), Vec::with_capacity(letters.len() + 3));
        let mut write = |letter: char, origin_of: usize| {
            text.push(letter);
            origin.push(origin_of);
        };
        for (at, letter) in letters.iter().enumerate() {
            if at == places.start || at == places.end {
                write('"', self.offset(at));
            }
            write(*letter, self.offset(at));
        }
        origin.push(self.offset(letters.len()));
        self.text = text;
        self.origin = Some(origin);
        true
    }

    /// Puts spaces before the letters of these numbers.
    fn indent(&mut self, letters: &[char], lines: &[usize]) {
        let (mut text, mut origin) = (String::with_capacity(self.text.len()), Vec::with_capacity(letters.len()));
        let mut lines = lines.iter().peekable();
        for (index, letter) in letters.iter().enumerate() {
            if lines.next_if_eq(&&index).is_some() {
                text.extend(std::iter::repeat_n(' ', INDENT));
                origin.extend(std::iter::repeat_n(self.offset(index), INDENT));
            }
            text.push(*letter);
            origin.push(self.offset(index));
        }
        origin.push(self.offset(letters.len()));
        self.text = text;
        self.origin = Some(origin);
    }
}

/// A word within brackets that ends with the colon at a place, which is a text to
/// `kubectl` if nothing follows that could be its value.
fn word_with_a_colon(letters: &[char], colon: usize) -> Option<Range<usize>> {
    let ends = letters.get(colon) == Some(&':') && matches!(letters.get(colon + 1), Some(',' | ']' | '}'));
    let is_part = |letter: &char| !letter.is_whitespace() && !matches!(letter, ',' | '[' | ']' | '{' | '}');
    let length = letters.get(..colon)?.iter().rev().take_while(|letter| is_part(letter)).count();
    let word = colon - length..colon + 1;
    let is_plain =
        !letters.get(word.clone())?.iter().any(|letter| matches!(letter, '"' | '\'' | '\\' | '&' | '*' | '!'));
    (ends && length > 0 && is_plain).then_some(word)
}

/// How far back the quote may stand whose text goes on.
const MOST_BACK: usize = 64 << 10;

/// Whether a quote at a place begins a text: it stands where a value can.
fn begins(letters: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| letters.get(at));
    before.is_none_or(|letter| matches!(letter, ' ' | '\t' | '\n' | '[' | '{' | ',' | '('))
}

/// The number of an escape `\uXXXX` at the start of a text.
fn half(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// Where the line begins in which a letter stands, unless the line is the first.
fn line_start(letters: &[char], index: usize) -> Option<usize> {
    let before = letters.get(..index)?;
    before.iter().rposition(|letter| *letter == '\n').map(|newline| newline + 1)
}

/// Where the lines begin in which the quoted text goes on that begins here; not
/// those without a letter, which stand for line breaks.
fn continued(letters: &[char], start: usize) -> Vec<usize> {
    let Some(quote) = letters.get(start).copied().filter(|letter| matches!(letter, '\'' | '"')) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    let mut at = start + 1;
    while let Some(letter) = letters.get(at) {
        match letter {
            '\\' if quote == '"' && letters.get(at + 1) != Some(&'\n') => at += 1,
            '\n' if letters.get(at + 1).is_some_and(|next| !matches!(next, '\n' | '\r')) => lines.push(at + 1),
            // Two of them stand for one.
            '\'' if quote == '\'' && letters.get(at + 1) == Some(&'\'') => at += 1,
            letter if *letter == quote => break,
            _ => {}
        }
        at += 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_half_a_letter_each_are_one_in_json() {
        let text = r#"{"a": "\ud83d\ude00 \\ud83d \ud83d é"}"#;
        let reading = Reading::of(text, 0..text.len());
        assert_eq!(reading.text(), "{\"a\": \"\u{1f600} \\\\ud83d \u{fffd} é\"}");
        let quote = reading.text().chars().count() - 2;
        assert_eq!(reading.byte(quote), text.len() - 2);
        assert_eq!(Reading::of("a: \"\\ud83d\"", 0..11).text(), "a: \"\\ud83d\"", "in YAML they are not letters");
    }

    #[test]
    fn the_lines_of_a_quoted_text_end_where_it_ends() {
        let letters: Vec<char> = "a: 'x ''\n y\n\nz'\nb: 'c\n'".chars().collect();
        assert_eq!(continued(&letters, 3), [9, 13]);
        let letters: Vec<char> = "a: \"x \\\"\ny\"\nb: c\n".chars().collect();
        assert_eq!(continued(&letters, 3), [9]);
    }
}
