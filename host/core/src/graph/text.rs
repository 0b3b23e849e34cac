//! The lines of text in a box, and how wide a text is without asking a font.
//!
//! Widths are those of DejaVu Sans, the widest of the fonts that a system may
//! have for `sans-serif`: with another there is more room, never less.

use super::Vertex;

/// The longest line that is shown, in characters. What is longer keeps its
/// beginning and its end; tooltips have all of it.
const LONGEST: usize = 40;
/// How much wider bold letters are.
pub(super) const BOLD: f64 = 1.12;

/// One line of text in a box.
pub(super) struct Line {
    /// What it says.
    pub(super) text: String,
    /// Its class in the style sheet.
    pub(super) class: &'static str,
    /// The height of its letters in pixels.
    pub(super) size: f64,
    /// Where its letters stand, in pixels from the top of the box.
    pub(super) baseline: f64,
    is_bold: bool,
}

impl Line {
    /// In pixels.
    pub(super) fn width(&self) -> f64 {
        width(&self.text, self.size) * if self.is_bold { BOLD } else { 1.0 }
    }
}

/// What a box says: name, kind, role.
pub(super) fn lines(vertex: &Vertex) -> [Line; 3] {
    [
        Line { text: shortened(&vertex.name), class: "name", size: 14.0, baseline: 23.0, is_bold: true },
        Line { text: shortened(&vertex.kind), class: "kind", size: 12.0, baseline: 41.0, is_bold: false },
        Line { text: vertex.part.label().to_owned(), class: "role", size: 11.0, baseline: 57.0, is_bold: false },
    ]
}

/// About how wide a text is in letters of a size, both in pixels.
pub(super) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// The width of a letter as a share of its size.
fn em(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' => 0.30,
        ' ' | '.' | ',' | ':' | ';' | '/' | '|' | '!' | '-' | '\'' | '(' | ')' | 'f' | 't' | 'r' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 1.0,
        // From here on are scripts whose letters are as wide as they are high.
        '\u{1100}'.. => 1.0,
        upper if upper.is_ascii_uppercase() => 0.74,
        _ => 0.64,
    }
}

/// The text, or its beginning and its end if it is too long for a box.
pub(super) fn shortened(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= LONGEST {
        return text.to_owned();
    }
    let half = LONGEST / 2;
    let begin = letters[..half].iter();
    let end = letters[letters.len() - half + 1..].iter();
    begin.chain(&['…']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_need_more_room_than_narrow_ones() {
        assert!(width("WWW", 12.0) > width("lll", 12.0) * 3.0);
        assert_eq!(width("", 12.0), 0.0);
    }

    #[test]
    fn long_texts_keep_both_ends() {
        assert_eq!(shortened("short"), "short");
        let long = format!("begin{}end", "x".repeat(60));
        let short = shortened(&long);
        assert!(short.starts_with("begin") && short.ends_with("end") && short.contains('…'), "{short}");
        assert_eq!(short.chars().count(), LONGEST);
    }
}
