//! Just enough of protobuf's text format to read the CEL specification's
//! conformance files.

/// A field's value.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A number, a name such as `true`, or a text.
    Scalar(Vec<u8>),
    /// A message.
    Message(Message),
}

/// The fields of a message, in order; a repeated field stands several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message(pub(crate) Vec<(String, Node)>);

impl Message {
    /// The messages of a field.
    pub(crate) fn messages<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Message> {
        self.0.iter().filter(move |(field, _)| field == name).filter_map(|(_, node)| match node {
            Node::Message(message) => Some(message),
            Node::Scalar(_) => None,
        })
    }

    /// The first message of a field.
    pub(crate) fn message<'a>(&'a self, name: &'a str) -> Option<&'a Message> {
        self.messages(name).next()
    }

    /// The bytes of a scalar field.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(field, _)| field == name).and_then(|(_, node)| match node {
            Node::Scalar(bytes) => Some(bytes.as_slice()),
            Node::Message(_) => None,
        })
    }

    /// The text of a scalar field.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Whether there is such a field.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }
}

/// Reads a file.
pub(crate) fn parse(text: &str) -> Message {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    reader.message()
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'#' => {
                    while self.bytes.get(self.at).is_some_and(|byte| *byte != b'\n') {
                        self.at += 1;
                    }
                }
                b',' | b';' => self.at += 1,
                byte if byte.is_ascii_whitespace() => self.at += 1,
                byte => return Some(byte),
            }
        }
        None
    }

    fn message(&mut self) -> Message {
        let mut fields = Vec::new();
        while let Some(byte) = self.peek() {
            if byte == b'}' || byte == b'>' {
                break;
            }
            let name = self.word();
            if self.peek() == Some(b':') {
                self.at += 1;
            }
            match self.peek() {
                Some(b'{' | b'<') => fields.push((name, self.braced())),
                Some(b'[') => {
                    self.at += 1;
                    while self.peek() != Some(b']') {
                        let node = if self.peek() == Some(b'{') { self.braced() } else { self.scalar() };
                        fields.push((name.clone(), node));
                    }
                    self.at += 1;
                }
                _ => fields.push((name, self.scalar())),
            }
        }
        Message(fields)
    }

    fn braced(&mut self) -> Node {
        self.at += 1;
        let message = self.message();
        self.peek();
        self.at += 1;
        Node::Message(message)
    }

    /// A name; `[type.googleapis.com/…]` without its brackets.
    fn word(&mut self) -> String {
        self.peek();
        if self.bytes[self.at] == b'[' {
            let end =
                self.bytes[self.at..].iter().position(|byte| *byte == b']').expect("what the file holds") + self.at;
            let word = String::from_utf8_lossy(&self.bytes[self.at + 1..end]).into_owned();
            self.at = end + 1;
            return word;
        }
        let start = self.at;
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(byte);
        while self.bytes.get(self.at).is_some_and(part) {
            self.at += 1;
        }
        assert!(self.at > start, "a name is expected at byte {start}");
        String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned()
    }

    fn scalar(&mut self) -> Node {
        let mut value = Vec::new();
        if !matches!(self.peek(), Some(b'"' | b'\'')) {
            return Node::Scalar(self.word().into_bytes());
        }
        // Texts in a row are one.
        while let Some(quote @ (b'"' | b'\'')) = self.peek() {
            self.at += 1;
            while self.bytes[self.at] != quote {
                self.letter(&mut value);
            }
            self.at += 1;
        }
        Node::Scalar(value)
    }

    fn letter(&mut self, value: &mut Vec<u8>) {
        let byte = self.bytes[self.at];
        self.at += 1;
        if byte != b'\\' {
            value.push(byte);
            return;
        }
        let escape = self.bytes[self.at];
        self.at += 1;
        match escape {
            b'n' => value.push(b'\n'),
            b't' => value.push(b'\t'),
            b'r' => value.push(b'\r'),
            b'a' => value.push(7),
            b'b' => value.push(8),
            b'f' => value.push(12),
            b'v' => value.push(11),
            b'x' | b'X' => value.push(self.number(16, 2, 0) as u8),
            b'u' => self.unicode(4, value),
            b'U' => self.unicode(8, value),
            b'0'..=b'7' => value.push(self.number(8, 2, u32::from(escape - b'0')) as u8),
            other => value.push(other),
        }
    }

    fn unicode(&mut self, digits: usize, value: &mut Vec<u8>) {
        let letter = char::from_u32(self.number(16, digits, 0)).unwrap_or(char::REPLACEMENT_CHARACTER);
        value.extend(letter.to_string().bytes());
    }

    fn number(&mut self, radix: u32, most: usize, start: u32) -> u32 {
        let mut number = start;
        for _ in 0..most {
            let Some(digit) = self.bytes.get(self.at).and_then(|byte| char::from(*byte).to_digit(radix)) else { break };
            number = number * radix + digit;
            self.at += 1;
        }
        number
    }
}
