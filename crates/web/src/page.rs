//! The page: the files of `ui/dist`, inside the program.

use std::borrow::Cow;

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// A debug build reads the folder instead, so that a page that is built anew is there at once.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

/// Where the bundler puts what has its content's hash in its name.
const HASHED: &str = "assets/";

/// What a program without the page shows.
const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Forge</title>
<style>:root { color-scheme: light dark } body { font: 14px/1.5 system-ui; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }</style>
<h1>The page is not in this program</h1>
<p>This <code>forge</code> was built without it. In Forge's source folder, <code>cargo xtask run</code> builds both.</p>
<p>The interface at <code>/ws</code> is there all the same.</p>
</html>
"#;

/// The file at a path of the page.
pub(crate) fn file(path: &str) -> Response {
    let name = match path.strip_prefix('/') {
        Some("") => "index.html",
        Some(name) if is_plain(name) => name,
        _ => return not_found(),
    };
    let content = match Files::get(name) {
        Some(file) => file.data,
        None if name == "index.html" => Cow::Borrowed(NOT_BUILT.as_bytes()),
        None => return not_found(),
    };
    let headers = [(header::CONTENT_TYPE, content_type(name)), (header::CACHE_CONTROL, cache_control(name))];
    (headers, content.into_owned()).into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "there is nothing at this path\n").into_response()
}

/// Whether it can be the name of a file of ours: nothing in it that a file system or a decoder could take for more
/// than a name.
fn is_plain(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    name.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn cache_control(name: &str) -> &'static str {
    // What is named by its content never changes; the rest may with the next version, at the same address.
    if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-store" }
}

/// What goes out with every answer.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds what tells a browser to keep others out of the page, and the page out of others. `host` is what the page's
/// own address is, if the request was for us.
pub(crate) fn protect(headers: &mut HeaderMap, host: Option<&str>) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy(host)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// <https://www.w3.org/TR/CSP3/>. Styles may be inline, since the terminal and the transitions of the page make style
/// elements; scripts may not.
fn content_security_policy(host: Option<&str>) -> String {
    // `'self'` is a WebSocket of ours too, but not to every browser.
    let socket = host.map(|host| format!(" ws://{host}")).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'{socket}; \
         img-src 'self' data:; font-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_looked_up() {
        for name in ["index.html", "assets/index-B3xk_9.js", "favicon.svg"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "../Cargo.toml",
            "assets/../../Cargo.toml",
            "%2e%2e/Cargo.toml",
            "..\\Cargo.toml",
            "assets//x",
            "assets/",
            ".env",
            "assets/.hidden",
            "C:/x",
            "a\0b",
            "ä.js",
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
    }

    #[test]
    fn what_may_change_is_not_kept() {
        assert!(cache_control("assets/index-B3xk_9.js").contains("immutable"));
        for name in ["index.html", "favicon.svg", "myassets/x.js"] {
            assert_eq!(cache_control(name), "no-store", "{name}");
        }
    }

    #[test]
    fn there_is_always_an_index() {
        let response = file("/");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert_eq!(file("/no-such.js").status(), StatusCode::NOT_FOUND, "and no index for what is not there");
    }

    #[test]
    fn no_inline_script_and_no_frame() {
        let policy = content_security_policy(Some("127.0.0.1:4000"));
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(policy.contains("connect-src 'self' ws://127.0.0.1:4000;"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}
