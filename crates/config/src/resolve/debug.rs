//! What debug mode means where the file does not say: what fits the command's ecosystem.

use crate::model::Command;
use crate::shell;

/// A variable of debug mode.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    /// A list of options, to which this one is added.
    pub(super) option: bool,
}

const fn set(name: &'static str, value: &'static str) -> Setting {
    Setting { name, value, option: false }
}

const NODE: &[Setting] = &[Setting { name: "NODE_OPTIONS", value: "--inspect", option: true }];
const PYTHON: &[Setting] =
    &[set("PYTHONDEVMODE", "1"), set("PYTHONFAULTHANDLER", "1"), set("PYTHONUNBUFFERED", "1")];
const RUST: &[Setting] = &[set("RUST_BACKTRACE", "1"), set("RUST_LOG", "debug")];
const GO: &[Setting] = &[set("GOTRACEBACK", "all")];
const RUBY: &[Setting] = &[Setting { name: "RUBYOPT", value: "-w -d", option: true }];
const JAVA: &[Setting] = &[Setting {
    name: "JAVA_TOOL_OPTIONS",
    value: "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=localhost:0",
    option: true,
}];
const ELIXIR: &[Setting] = &[set("MIX_DEBUG", "1")];
const DOTNET: &[Setting] = &[set("Logging__LogLevel__Default", "Debug")];

/// Programs by ecosystem.
const ECOSYSTEMS: [(&[&str], &[Setting]); 8] = [
    (
        &[
            "node", "npm", "npx", "yarn", "pnpm", "tsx", "ts-node", "nodemon", "next", "vite", "nest",
            "corepack",
        ],
        NODE,
    ),
    (
        &[
            "python",
            "python3",
            "uv",
            "poetry",
            "pipenv",
            "flask",
            "uvicorn",
            "gunicorn",
            "django-admin",
            "celery",
            "hatch",
        ],
        PYTHON,
    ),
    (&["cargo", "bacon"], RUST),
    (&["go", "air", "gow"], GO),
    (&["ruby", "rails", "bundle", "rake", "puma"], RUBY),
    (&["java", "mvn", "mvnw", "gradle", "gradlew", "sbt"], JAVA),
    (&["mix", "iex", "elixir"], ELIXIR),
    (&["dotnet"], DOTNET),
];

/// What fits the first program of the command that is known.
pub(super) fn settings(command: &Command) -> &'static [Setting] {
    let programs = shell::programs(command);
    let ecosystem = programs.iter().find_map(|program| {
        let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
        let name = name.trim_end_matches(".exe").trim_end_matches(".cmd");
        ECOSYSTEMS.iter().find(|(programs, _)| programs.contains(&name))
    });
    // A program of the project's own build: which language it was written in can't be seen, and Rust's are harmless.
    let built = programs
        .iter()
        .any(|program| program.contains("target/debug/") || program.contains("target/release/"));
    match ecosystem {
        Some((_, settings)) => settings,
        None if built => RUST,
        None => &[],
    }
}
