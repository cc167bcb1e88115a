//! Fields of lines that are written for machines: JSON objects and logfmt.

/// A field's value as it stands in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Between its quotes, escapes as they are.
    Text(&'a [u8]),
    /// A number, `true` … up to where it ends.
    Bare(&'a [u8]),
    /// An object; its fields are those of [`json`].
    Object(&'a [u8]),
    Array,
}

/// The fields of the object that begins at the beginning of `text`, in order, as far as they are sound.
pub(crate) fn json(text: &[u8]) -> Json<'_> {
    Json { text, at: usize::from(text.first() == Some(&b'{')) }
}

#[derive(Debug, Clone)]
pub(crate) struct Json<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Json<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
        if self.text.get(self.at) != Some(&b'"') {
            self.at = self.text.len();
            return None;
        }
        let key = self.string()?;
        self.skip(|byte| byte.is_ascii_whitespace());
        if self.text.get(self.at) != Some(&b':') {
            self.at = self.text.len();
            return None;
        }
        self.at += 1;
        self.skip(|byte| byte.is_ascii_whitespace());
        Some((key, self.value()?))
    }
}

impl<'a> Json<'a> {
    fn skip(&mut self, what: impl Fn(u8) -> bool) {
        while self.text.get(self.at).is_some_and(|&byte| what(byte)) {
            self.at += 1;
        }
    }

    /// The string whose first quote is here.
    fn string(&mut self) -> Option<&'a [u8]> {
        let start = self.at + 1;
        let end = string_end(self.text, start)?;
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    fn value(&mut self) -> Option<Value<'a>> {
        match self.text.get(self.at)? {
            b'"' => self.string().map(Value::Text),
            b'{' => {
                let start = self.at;
                self.nested();
                Some(Value::Object(&self.text[start..self.at]))
            }
            b'[' => {
                self.nested();
                Some(Value::Array)
            }
            _ => {
                let start = self.at;
                self.skip(|byte| !matches!(byte, b',' | b'}' | b']') && !byte.is_ascii_whitespace());
                Some(Value::Bare(&self.text[start..self.at]))
            }
        }
    }

    /// Past an object or array, or to the end where it has none.
    fn nested(&mut self) {
        let mut depth = 0_u32;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => self.at = string_end(self.text, self.at).map_or(self.text.len(), |end| end + 1),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }
}

/// The place of the quote that ends a string whose text begins at `at`.
fn string_end(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The fields of a logfmt line, `key=value key="a value"`; words between them are passed over.
pub(crate) fn logfmt(text: &[u8]) -> Logfmt<'_> {
    Logfmt { text, at: 0 }
}

#[derive(Debug, Clone)]
pub(crate) struct Logfmt<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Logfmt<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let equals = self.at + memchr::memchr(b'=', self.text.get(self.at..)?)?;
            let start = self.text[self.at..equals]
                .iter()
                .rposition(|byte| matches!(byte, b' ' | b'\t'))
                .map_or(self.at, |blank| self.at + blank + 1);
            let key = &self.text[start..equals];
            self.at = equals + 1;
            if key.is_empty()
                || !key.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-@".contains(byte))
            {
                continue;
            }
            return Some((key, self.value()));
        }
    }
}

impl<'a> Logfmt<'a> {
    fn value(&mut self) -> Value<'a> {
        let start = self.at;
        if self.text.get(start) == Some(&b'"')
            && let Some(end) = string_end(self.text, start + 1)
        {
            self.at = end + 1;
            return Value::Text(&self.text[start + 1..end]);
        }
        let rest = &self.text[start..];
        let length = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        self.at = start + length;
        Value::Bare(&rest[..length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<'a>(fields: impl Iterator<Item = (&'a [u8], Value<'a>)>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let field = |(key, value): (&[u8], Value<'_>)| {
            let value = match value {
                Value::Text(value) => format!("'{}'", text(value)),
                Value::Bare(value) => text(value),
                Value::Object(value) => text(value),
                Value::Array => "[]".to_owned(),
            };
            format!("{}={value}", text(key))
        };
        fields.map(field).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fields_of_objects_are_found_as_far_as_they_are_sound() {
        for (line, expected) in [
            (
                r#"{"a":1,"b":"x","c":{"d":[2,"}"]},"e":[1,{"f":2}],"g":true}"#,
                r#"a=1 b='x' c={"d":[2,"}"]} e=[] g=true"#,
            ),
            (r#"{ "a" : "q\"\\" , "b" : null }"#, r#"a='q\"\\' b=null"#),
            (r#"{"a":1"#, "a=1"),
            (r#"{"a":"#, ""),
            (r#"{"a":"x"#, ""),
            (r#"{"a":{"b":1"#, r#"a={"b":1"#),
            ("{}", ""),
            ("{", ""),
            ("{]", ""),
            (r#"{"a"}"#, ""),
        ] {
            assert_eq!(shown(json(line.as_bytes())), expected, "{line}");
        }
    }

    #[test]
    fn fields_of_logfmt_are_found_between_words() {
        for (line, expected) in [
            (r#"ts=1 msg="a b=c" x=y"#, "ts=1 msg='a b=c' x=y"),
            ("some words a=1 more b=", "a=1 b="),
            (r#"a="open b=1"#, r#"a="open b=1"#),
            ("a==b (c=d) x.y=1", "a==b x.y=1"),
            ("none", ""),
        ] {
            assert_eq!(shown(logfmt(line.as_bytes())), expected, "{line}");
        }
    }
}
