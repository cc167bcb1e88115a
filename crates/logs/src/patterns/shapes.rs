//! Parts of a message that are known by how they look.

/// Bytes within brackets that are taken for one part.
const MAX_BRACKETED: usize = 160;

pub(super) fn is_method(word: &str) -> bool {
    matches!(word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS")
}

/// The length of a quoted text at the beginning of `text`; a request (`"GET / HTTP/1.1"`) is none.
pub(super) fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`'))?;
    let end = text[1..].find(quote)?;
    let inside = &text[1..1 + end];
    let behind = text[end + 2..].chars().next();
    let closes = behind.is_none_or(|behind| !behind.is_alphanumeric());
    let request = is_method(inside.split(' ').next().unwrap_or(""));
    (closes && !request && !inside.is_empty()).then_some(end + 2)
}

/// The length of a path or URL at the beginning of `text`. What a request asks for is looked at in its parts.
pub(super) fn place(text: &str, after_method: bool) -> Option<usize> {
    let end =
        text.find([' ', '\t', '"', '\'', '`', '(', ')', '[', ']', ',', '<', '>', ';']).unwrap_or(text.len());
    let whole = &text[..end];
    if whole.contains("://") {
        return Some(end);
    }
    if after_method {
        return None;
    }
    let drive = whole.as_bytes().get(1) == Some(&b':') && whole.as_bytes().get(2) == Some(&b'\\');
    let end = if drive { end } else { whole.find([':', '=', '@']).unwrap_or(end) };
    let path = text[..end].trim_end_matches(['.', '?', '!']);
    let rooted = ["/", "./", "../", "~/"].iter().any(|start| path.starts_with(start));
    let slashes = path.bytes().filter(|byte| *byte == b'/').count();
    // `/` alone may stand between words.
    let found = drive || (rooted && path.len() > 1) || (slashes > 0 && has_extension(path));
    (found && !path.is_empty()).then_some(path.len())
}

/// `x.rs`, `App.svelte`: a name with a few letters behind the dot.
fn has_extension(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && (1..=6).contains(&extension.len())
            && extension.starts_with(|first: char| first.is_ascii_alphabetic())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The length of what stands in brackets at the beginning of `text`, if there are blanks in it: `(2: No such file)`.
pub(super) fn bracketed(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (open, close) = match bytes.first()? {
        b'(' => (b'(', b')'),
        b'[' => (b'[', b']'),
        _ => return None,
    };
    let mut depth = 0_usize;
    let mut blank = false;
    for (at, byte) in bytes.iter().take(MAX_BRACKETED).enumerate() {
        depth += usize::from(*byte == open);
        depth -= usize::from(*byte == close);
        blank |= *byte == b' ';
        if depth == 0 {
            return blank.then_some(at + 1);
        }
    }
    None
}

/// The length of the words at the beginning of `text` that say in English what an HTTP status means.
pub(super) fn reason(status: &str, text: &str) -> Option<usize> {
    let reason = match status {
        "200" => "OK",
        "201" => "Created",
        "202" => "Accepted",
        "204" => "No Content",
        "206" => "Partial Content",
        "301" => "Moved Permanently",
        "302" => "Found",
        "303" => "See Other",
        "304" => "Not Modified",
        "307" => "Temporary Redirect",
        "308" => "Permanent Redirect",
        "400" => "Bad Request",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "Not Found",
        "405" => "Method Not Allowed",
        "406" => "Not Acceptable",
        "408" => "Request Timeout",
        "409" => "Conflict",
        "410" => "Gone",
        "413" => "Payload Too Large",
        "415" => "Unsupported Media Type",
        "418" => "I'm a teapot",
        "422" => "Unprocessable Entity",
        "429" => "Too Many Requests",
        "500" => "Internal Server Error",
        "501" => "Not Implemented",
        "502" => "Bad Gateway",
        "503" => "Service Unavailable",
        "504" => "Gateway Timeout",
        _ => return None,
    };
    let behind = text.strip_prefix(reason)?.chars().next();
    behind.is_none_or(char::is_whitespace).then_some(reason.len())
}

/// The key of a word that is a field, with its mark: `user=` of `user=alice`.
pub(super) fn key(word: &str) -> Option<&str> {
    let at = memchr::memchr(b'=', word.as_bytes())?;
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let is_name = word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    (is_name && word.as_bytes()[..at].iter().all(is_key)).then(|| &word[..=at])
}
