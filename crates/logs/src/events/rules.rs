//! The built-in rules: one line of a known tool each, the more particular ones first.

use crate::Level;

/// A line that is known.
#[derive(Debug)]
pub(super) struct Rule {
    /// One of them stands, in any case, in every line that matches: what has none of them need not be looked at.
    pub(super) hints: &'static [&'static str],
    /// Searched in the line as it is shown, without blanks around it.
    pub(super) pattern: &'static str,
    pub(super) level: Level,
    /// `$NAME` stands for a group of the pattern, here and below.
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    /// How the process is, in words, where the line says that.
    pub(super) state: &'static str,
}

const fn rule(
    hints: &'static [&'static str],
    level: Level,
    title: &'static str,
    text: &'static str,
    state: &'static str,
    pattern: &'static str,
) -> Rule {
    Rule { hints, pattern, level, title, text, state }
}

use Level::{Error, Info, Warn};

const COMPILED: &str = "Compiled successfully";
const WARNED: &str = "Compiled with warnings";
const FAILED: &str = "Failed to compile";
const RELOAD: &str = "Hot reload";
const LISTENING: &str = "Listening";
const READY: &str = "Ready";

pub(super) const RULES: &[Rule] = &[
    // webpack, and what is built on it
    rule(
        &["compil"],
        Error,
        FAILED,
        "$n",
        "Webpack failed to compile",
        r"(?i)\bwebpack\b.*\bcompiled with (?P<n>\d+ errors?)",
    ),
    rule(
        &["compil"],
        Warn,
        WARNED,
        "$n",
        "Webpack compiled with $n",
        r"(?i)\bwebpack\b.*\bcompiled with (?P<n>\d+ warnings?)",
    ),
    rule(
        &["compil"],
        Info,
        COMPILED,
        "in $t",
        "Webpack compiled successfully",
        r"(?i)\bwebpack\b.*\bcompiled successfully(?: in (?P<t>[\d.]+ ?m?s))?",
    ),
    // Next.js
    rule(
        &["compil"],
        Info,
        COMPILED,
        "$page in $t",
        "Next compiled $page",
        r"✓ Compiled (?P<page>/\S*) in (?P<t>[\d.]+ ?m?s)",
    ),
    rule(
        &["compil"],
        Info,
        COMPILED,
        "in $t",
        "Next compiled successfully",
        r"✓ Compiled (?:successfully )?in (?P<t>[\d.]+ ?m?s)",
    ),
    rule(&["✓"], Info, READY, "in $t", "Next is ready", r"✓ (?:Ready|Starting).* in (?P<t>[\d.]+ ?m?s)"),
    // Vite
    rule(&["vite"], Info, READY, "in $t", "Vite is ready", r"VITE v\S+\s.*ready in (?P<t>[\d.]+ ?m?s)"),
    rule(&["vite"], Info, RELOAD, "$file modified", "", r"\[vite\].*\bhmr update (?P<file>[^\s,]+)"),
    rule(&["vite"], Info, "Page reload", "$file modified", "", r"\[vite\].*\bpage reload (?P<file>\S+)"),
    rule(
        &["vite"],
        Info,
        "Restarting",
        "$file changed",
        "",
        r"\[vite\] (?P<file>\S+) changed, restarting server",
    ),
    rule(
        &["vite"],
        Error,
        FAILED,
        "$why",
        "Vite failed to compile",
        r"\[vite\].*(?:Internal server error|Pre-transform error): (?P<why>.*)",
    ),
    rule(&["✓"], Info, COMPILED, "in $t", "Vite built in $t", r"^✓ built in (?P<t>[\d.]+ ?m?s)"),
    rule(
        &["build failed"],
        Error,
        "Build failed",
        "after $t",
        "Vite's build failed",
        r"^[✗x] Build failed in (?P<t>[\d.]+ ?m?s)",
    ),
    // tsc --watch
    rule(
        &["err"],
        Info,
        COMPILED,
        "",
        "TypeScript found no errors",
        r"\bFound 0 errors\. Watching for file changes",
    ),
    rule(
        &["err"],
        Error,
        FAILED,
        "$n",
        "TypeScript found $n",
        r"\bFound (?P<n>[1-9]\d* errors?)(?:\. Watching for file changes| in (?:the same file, starting at:|\d+ files\.|[^\s()]+\.[cm]?tsx?:))",
    ),
    // nodemon, ts-node-dev, tsx
    rule(
        &["nodemon"],
        Info,
        RELOAD,
        "restarting after changes",
        "",
        r"^\[nodemon\] restarting due to changes",
    ),
    rule(
        &["nodemon"],
        Error,
        "App crashed",
        "waiting for file changes",
        "App crashed, nodemon waits for changes",
        r"^\[nodemon\] app crashed",
    ),
    rule(
        &["has been modified"],
        Info,
        RELOAD,
        "$file modified",
        "",
        r"Restarting: (?P<file>\S+) has been modified",
    ),
    rule(&["change in "], Info, RELOAD, "$file modified", "", r"(?i)\bchange in (?P<file>\S+),? restarting"),
    // cargo, cargo-watch, bacon
    rule(
        &["compil"],
        Error,
        FAILED,
        "$name",
        "Cargo could not compile $name",
        r"^error: could not compile `(?P<name>[^`]+)`",
    ),
    rule(
        &["target(s) in"],
        Info,
        COMPILED,
        "in $t",
        "Cargo compiled in $t",
        r"^Finished .*target\(s\) in (?P<t>[\d.ms ]+)$",
    ),
    rule(&["[running '"], Info, "Running", "$what", "", r"^\[Running '(?P<what>.*)'\]$"),
    rule(
        &["[finished running"],
        Error,
        "Build failed",
        "exit $code",
        "",
        r"^\[Finished running\. Exit status: (?P<code>[1-9]\d*)\]",
    ),
    // air
    rule(
        &["has changed"],
        Info,
        RELOAD,
        "$file modified",
        "",
        r"^(?:\[\d[\d:]*\]\s*)?(?P<file>\S+\.(?:go|tpl|tmpl|html)) has changed",
    ),
    rule(
        &["failed to build"],
        Error,
        FAILED,
        "$why",
        "Air failed to build",
        r"\bfailed to build, error: (?P<why>.*)",
    ),
    // Django, Flask, uvicorn
    rule(
        &["changed, reloading"],
        Info,
        RELOAD,
        "$file modified",
        "",
        r"(?P<file>\S+\.py) changed, reloading",
    ),
    rule(
        &["detected change"],
        Info,
        RELOAD,
        "$file modified",
        "",
        r"\bDetected change in '(?P<file>[^']+)', reloading",
    ),
    rule(
        &["detected change"],
        Info,
        RELOAD,
        "$file modified",
        "",
        r"\bdetected changes? in '(?P<file>[^']+)'.*Reloading",
    ),
    rule(
        &["starting development server"],
        Info,
        LISTENING,
        "at $where",
        "",
        r"\bStarting development server at (?P<where>\S+)",
    ),
    // Spring Boot
    rule(
        &["started"],
        Info,
        LISTENING,
        "on port $port",
        "",
        r"\b(?:Tomcat|Netty|Jetty|Undertow) started on ports?(?:\(s\))?:? (?P<port>\d+)",
    ),
    rule(
        &["started"],
        Info,
        READY,
        "$app in $t s",
        "$app is ready",
        r"\bStarted (?P<app>\w+) in (?P<t>[\d.]+) seconds",
    ),
    rule(
        &["class path change"],
        Info,
        RELOAD,
        "restarting after changes",
        "",
        r"\bRestarting due to \d+ class path changes?",
    ),
    // Rails, Puma
    rule(&["listening"], Info, LISTENING, "on $where", "", r"^\* Listening on (?P<where>\S+)"),
    // Any tool
    rule(
        &["hot-reload", "hot reload"],
        Info,
        RELOAD,
        "$what",
        "",
        r"(?i)(?:^|[^\w\s]\s*|\d\s)hot[- ]reload(?:ed|ing)?:\s*(?P<what>\S.*)",
    ),
    rule(
        &["hot-reload", "hot reload"],
        Info,
        RELOAD,
        "$what",
        "",
        r"(?i)(?:^|[^\w\s]\s*|\d\s)hot[- ]reload(?:ed|ing)?\s+(?P<what>(?:of|in|for|succeeded|completed?|applied|done)\b.*|\S+\.\w+.*)",
    ),
    rule(
        &["hmr", "hot-update", "hot update"],
        Info,
        RELOAD,
        "$file modified",
        "",
        r"(?i)\b(?:hmr|hot)[- ]update[ds]?\b:? (?P<file>\S+)",
    ),
    rule(&["hmr"], Info, RELOAD, "", "", r"(?i)^\[HMR\] .*\b(?:updated|applied)\b"),
    rule(&["found "], Error, FAILED, "$n", "Found $n", r"(?i)^\W*found (?P<n>[1-9]\d* errors?)\b"),
    rule(&["compil"], Error, FAILED, "$n", FAILED, r"(?i)\bcompiled with (?P<n>\d+ errors?)\b"),
    rule(&["compil"], Warn, WARNED, "$n", "Compiled with $n", r"(?i)\bcompiled with (?P<n>\d+ warnings?)\b"),
    rule(&["compil"], Warn, WARNED, "", WARNED, r"(?i)\bcompiled with warnings\b"),
    rule(
        &["compil"],
        Info,
        COMPILED,
        "in $t",
        COMPILED,
        r"(?i)\bcompiled successfully\b(?:.* in (?P<t>[\d.]+ ?m?s)\b)?",
    ),
    rule(
        &["compil"],
        Error,
        FAILED,
        "",
        FAILED,
        r"(?i)\b(?:failed to compile|compilation failed|compile error)\b",
    ),
    rule(&["build failed"], Error, "Build failed", "", "Build failed", r"(?i)^\W*build failed\b"),
    rule(
        &["build succe"],
        Info,
        COMPILED,
        "",
        "Build succeeded",
        r"(?i)^\W*build (?:succeeded|successful)\b",
    ),
    // A number alone is a port only right behind such a word.
    rule(
        &["listening", "running", "started"],
        Info,
        LISTENING,
        "on $where",
        "",
        r"(?i)\b(?:listening|running|started) (?:at|on)(?: port)?:? (?P<where>\d{2,5})\b(?:[.,;!]?$|[.,;!]? \D)",
    ),
    rule(
        &["listening", "running", "started", "serving", "server"],
        Info,
        LISTENING,
        "on $where",
        "",
        r"(?i)\b(?:listening|(?:running|started|serving|server (?:is )?(?:up|ready|live|available))\b.{0,24}?)\s(?:at|on):? (?P<where>port:? \d{2,5}|\w+://[^\s\x22'<>]*[\w/]|(?:\[[0-9a-fA-F:.]*\]|[A-Za-z_*][\w.*-]*|(?:\d{1,3}\.){3}\d{1,3})?:\d{2,5}(?:/[^\s\x22',;)}\]]*)?|[\d.:]+ port \d{2,5})(?:[^\w:]|:\D|:?$)",
    ),
];
