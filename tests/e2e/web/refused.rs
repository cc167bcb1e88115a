//! Who is not let in, and what a browser is told to keep out.

use std::io::{Read, Write};

use forge_tests::{Reply, Web, World, wait_for};

/// A request for a WebSocket, with these headers beside those that it needs.
fn upgrade(web: &Web, host: &str, headers: &str) -> Reply {
    web.request(&format!(
        "GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    ))
}

/// What is there, and what is not.
const ROUTES: [&str; 5] = ["/", "/index.html", "/assets/x.js", "/no-such-file", "/ws"];

#[test]
fn without_the_token_there_is_no_session() {
    let world = World::new();
    let web = Web::serve(&world);
    let (host, token) = (web.address.to_string(), web.token.clone());
    let mut changed = token.clone();
    let last = if changed.pop() == Some('A') { 'E' } else { 'A' };
    changed.push(last);
    for (what, headers) in [
        ("none", String::new()),
        ("wrong, as bearer", "Authorization: Bearer wrong\r\n".into()),
        ("wrong, as subprotocol", "Sec-WebSocket-Protocol: forge, wrong\r\n".into()),
        ("its last letter changed", format!("Authorization: Bearer {changed}\r\n")),
        ("a part of it", format!("Authorization: Bearer {}\r\n", &token[..20])),
        ("nothing", "Authorization: Bearer \r\n".into()),
        ("as basic", format!("Authorization: Basic {token}\r\n")),
        ("without the subprotocol", format!("Sec-WebSocket-Protocol: {token}\r\n")),
        ("as a cookie", format!("Cookie: token={token}; forge={token}\r\n")),
        ("in a header of its own", format!("X-Forge-Token: {token}\r\nToken: {token}\r\n")),
        ("as a referrer", format!("Referer: http://{host}/#token={token}\r\n")),
    ] {
        let reply = upgrade(&web, &host, &headers);
        assert_eq!(reply.status, 401, "{what}: {reply:?}");
        assert_eq!(reply.header("set-cookie"), None, "{what}");
        assert!(!format!("{reply:?}").contains(&token), "{what}");
    }
    for target in [format!("/ws?token={token}"), format!("/ws?access_token={token}&forge={token}")] {
        assert_eq!(web.try_session(&target, &[]).err(), Some(401), "{target}");
    }
    assert_eq!(web.get("/ws").status, 401, "no upgrade either");
    assert_eq!(
        upgrade(&web, &host, &format!("Authorization: Bearer {token}\r\n")).status,
        101,
        "the right one"
    );
}

#[test]
fn a_foreign_origin_is_refused_with_the_right_token() {
    let world = World::new();
    let web = Web::serve(&world);
    let host = web.address.to_string();
    let bearer = format!("Authorization: Bearer {}\r\n", web.token);
    let port = web.address.port();
    for origin in [
        "null".to_owned(),
        "https://evil.example".to_owned(),
        format!("https://{host}"),
        format!("http://localhost:{port}"),
        format!("http://{host}.evil.example"),
        "http://127.0.0.1:1".to_owned(),
        "http://127.0.0.1".to_owned(),
        format!("http://evil@{host}"),
        "file://".to_owned(),
        String::new(),
    ] {
        let reply = upgrade(&web, &host, &format!("Origin: {origin}\r\n{bearer}"));
        assert_eq!(reply.status, 403, "{origin:?}: {reply:?}");
        for target in ROUTES {
            let asked = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n{bearer}\r\n");
            let page = web.request(&asked);
            assert_eq!(page.status, 403, "{target} for {origin:?}: {page:?}");
            assert_eq!(page.header("access-control-allow-origin"), None, "{page:?}");
        }
    }
    let twice = format!("Origin: http://{host}\r\nOrigin: https://evil.example\r\n{bearer}");
    assert_eq!(upgrade(&web, &host, &twice).status, 403, "ours and another");
    let own = format!("Origin: http://{host}\r\n{bearer}");
    assert_eq!(upgrade(&web, &host, &own).status, 101, "our own");
    let by_name = format!("localhost:{port}");
    assert_eq!(
        upgrade(&web, &by_name, &format!("Origin: http://{by_name}\r\n{bearer}")).status,
        101,
        "by name"
    );
}

#[test]
fn a_foreign_host_is_refused_on_every_route() {
    let world = World::new();
    let web = Web::serve(&world);
    let port = web.address.port();
    let bearer = format!("Authorization: Bearer {}\r\n", web.token);
    for host in [
        // A name of the attacker's that resolves to 127.0.0.1.
        format!("rebound.evil.example:{port}"),
        "evil.example".to_owned(),
        format!("127.0.0.1.nip.io:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.1:{port}"),
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        "127.0.0.1:1".to_owned(),
        String::new(),
    ] {
        for target in ROUTES {
            let reply = web.request(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{bearer}\r\n"));
            assert_eq!(reply.status, 403, "{target} for {host:?}: {reply:?}");
        }
        let origin = format!("Origin: http://{host}\r\n{bearer}");
        assert_eq!(upgrade(&web, &host, &origin).status, 403, "its own page's socket, for {host:?}");
    }
    let own = web.address;
    for (what, request, status) in [
        ("none", "GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("none, of old", "GET / HTTP/1.0\r\n\r\n".to_owned(), 400),
        ("two", format!("GET / HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\n\r\n"), 400),
        ("in the target", format!("GET http://evil.example/ HTTP/1.1\r\nHost: {own}\r\n\r\n"), 403),
        ("behind a user", format!("GET http://{own}@evil.example/ws HTTP/1.1\r\nHost: {own}\r\n\r\n"), 403),
        ("ours in the target only", format!("GET http://{own}/ HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403),
        (
            "forwarded",
            format!("GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: {own}\r\n\r\n"),
            403,
        ),
    ] {
        let reply = web.request(&request);
        assert_eq!(reply.status, status, "{what}: {reply:?}");
    }
    assert_eq!(
        web.request(&format!("GET / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n")).status,
        200,
        "by name"
    );
}

#[test]
fn no_path_leads_out_of_the_page() {
    let world = World::new();
    let web = Web::serve(&world);
    for path in [
        "/../Cargo.toml",
        "/../../../../../../etc/passwd",
        "/assets/../../package.json",
        "/%2e%2e/%2e%2e/Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "/%2fetc%2fpasswd",
        "//etc/passwd",
        "/./index.html",
        "/.env",
        "/..\\..\\Cargo.toml",
        "/index.html%00.js",
        "/index.html/",
        "/ws/",
        "/assets/",
        "/%",
    ] {
        let reply = web.get(path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {reply:?}");
        assert!(!reply.body.contains("root:") && !reply.body.contains("[package]"), "{path}: {reply:?}");
    }
}

#[test]
fn a_browser_is_told_to_keep_others_out() {
    let world = World::new();
    let web = Web::serve(&world);
    let index = web.get("/");
    assert_eq!(index.status, 200, "{index:?}");
    assert_eq!(index.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(index.body.contains("<title>"), "a page, built or not: {index:?}");
    assert_eq!(web.get("/index.html").body, index.body);
    let missing = web.get("/assets/no-such.js");
    assert_eq!(missing.status, 404, "{missing:?}");
    for reply in [&index, &missing, &web.get("/ws")] {
        let policy = reply.header("content-security-policy").expect("a policy");
        let directives: Vec<&str> = policy.split("; ").collect();
        for directive in [
            "default-src 'none'",
            "script-src 'self'",
            &format!("connect-src 'self' ws://{}", web.address),
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'none'",
        ] {
            assert!(directives.contains(&directive), "{directive} in {policy}");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{name} of {reply:?}");
        }
        for name in ["access-control-allow-origin", "set-cookie"] {
            assert_eq!(reply.header(name), None, "{reply:?}");
        }
    }
    // What the bundler made, if it did: for good, and nothing of it written into the page itself.
    for path in index.body.split('"').filter(|word| word.starts_with("/assets/")) {
        let asset = web.get(path);
        assert_eq!(asset.status, 200, "{path}");
        assert!(asset.header("cache-control").is_some_and(|cache| cache.contains("immutable")), "{path}");
    }
    let scripts = index.body.split("<script").skip(1).filter(|script| !script.contains(" src="));
    assert_eq!(scripts.count(), 0, "inline scripts would not run: {}", index.body);
}

#[test]
fn nothing_can_be_sent_but_questions() {
    let world = World::new();
    let web = Web::serve(&world);
    let host = web.address;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        for target in ["/", "/ws"] {
            let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n{{}}");
            let reply = web.request(&head);
            assert_eq!(reply.status, 405, "{method} {target}: {reply:?}");
        }
    }
    let head = web.request(&format!("HEAD / HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    assert_eq!(head.status, 200, "{head:?}");
    let long = web.request(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nX: {}\r\n\r\n", "x".repeat(100_000)));
    assert_eq!(long.status, 431, "{long:?}");
}

#[test]
fn who_comes_and_says_nothing_is_let_go() {
    let world = World::new();
    let web = Web::serve(&world);
    // More than are attended to at a time, so that the page is there again only once they are given up.
    let mut silent: Vec<_> = (0..300).map(|_| web.connect()).collect();
    for stream in &mut silent {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ").expect("a part of a head is taken");
    }
    assert_eq!(wait_for("the page", || Some(web.get("/"))).status, 200);
    // Closed, with or without a word.
    let mut rest = Vec::new();
    let _read = silent[0].read_to_end(&mut rest);
}
