//! Licences and sources of all dependencies, against `deny.toml`.
//!
//! The file is cargo-deny's, and `cargo deny check licenses bans sources` reads it as well. It takes many minutes to
//! build, though, for what is a look at `cargo metadata`; so that look is taken here, and needs nothing installed.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::console::{cargo, output};
use crate::workspace;

/// What of `deny.toml` is minded here.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rules {
    licences: BTreeSet<String>,
    /// Licences for a crate alone.
    exceptions: Vec<(String, BTreeSet<String>)>,
    banned: BTreeSet<String>,
    registries: BTreeSet<String>,
}

pub(crate) fn run() -> Result<()> {
    let file = workspace::root().join("deny.toml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let rules = Rules::parse(&text).context("deny.toml")?;
    let metadata = output(&mut cargo(["metadata", "--format-version=1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let faults: Vec<_> = packages.iter().flat_map(|package| rules.faults(package)).collect();
    if !faults.is_empty() {
        bail!("against deny.toml:\n   {}", faults.join("\n   "));
    }
    println!("   {} packages, all as deny.toml allows", packages.len());
    Ok(())
}

impl Rules {
    fn parse(text: &str) -> Result<Self> {
        let file: toml::Table = text.parse()?;
        let section =
            |name: &str| file.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let licences = section("licenses");
        let exceptions = licences.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten();
        Ok(Self {
            licences: strings(licences.get("allow")),
            exceptions: exceptions
                .filter_map(|entry| {
                    Some((entry.get("crate")?.as_str()?.to_owned(), strings(entry.get("allow"))))
                })
                .collect(),
            banned: names(section("bans").get("deny")),
            registries: strings(section("sources").get("allow-registry")),
        })
    }

    /// What is wrong with a package of `cargo metadata`.
    fn faults(&self, package: &Value) -> Vec<String> {
        let (Some(name), Some(version)) = (package["name"].as_str(), package["version"].as_str()) else {
            return vec!["a package without a name".to_owned()];
        };
        let mut faults = Vec::new();
        let mut fault = |what: String| faults.push(format!("{name} {version}: {what}"));
        if self.banned.contains(name) {
            fault("is not wanted".to_owned());
        }
        if let Some(source) = package["source"].as_str()
            && !self.registries.iter().any(|registry| source == format!("registry+{registry}"))
        {
            fault(format!("comes from {source}"));
        }
        match package["license"].as_str() {
            None => fault("names no licence".to_owned()),
            Some(licence) => match self.allows(name, licence) {
                Ok(true) => {}
                Ok(false) => fault(format!("licence {licence} is not in the list")),
                Err(error) => fault(format!("licence {licence} is no SPDX expression: {error}")),
            },
        }
        faults
    }

    fn allows(&self, name: &str, licence: &str) -> Result<bool> {
        // Old crates write a slash where SPDX has OR.
        let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX)
            .map_err(|error| anyhow::anyhow!("{}", error.reason))?;
        let own = self.exceptions.iter().filter(|(of, _)| of == name).flat_map(|(_, licences)| licences);
        let allowed: BTreeSet<_> = self.licences.iter().chain(own).map(String::as_str).collect();
        Ok(expression.evaluate(|requirement| allowed.contains(requirement.to_string().as_str())))
    }
}

fn strings(value: Option<&toml::Value>) -> BTreeSet<String> {
    let values = value.and_then(toml::Value::as_array).into_iter().flatten();
    values.filter_map(|value| Some(value.as_str()?.to_owned())).collect()
}

/// cargo-deny takes `"name"`, `{ crate = "name" }` and `{ name = "name" }`.
fn names(value: Option<&toml::Value>) -> BTreeSet<String> {
    let values = value.and_then(toml::Value::as_array).into_iter().flatten();
    values
        .filter_map(|value| {
            let named =
                value.as_str().or_else(|| value.get("crate").or_else(|| value.get("name"))?.as_str())?;
            Some(named.split('@').next().unwrap_or(named).to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT", "Apache-2.0"]
        exceptions = [{ crate = "odd", allow = ["Zlib"] }]
        [bans]
        deny = [{ crate = "openssl-sys" }]
        [sources]
        allow-registry = ["https://example.org/index"]
    "#;

    fn faults(name: &str, licence: Option<&str>, source: Option<&str>) -> Vec<String> {
        let package = json!({"name": name, "version": "1.0.0", "license": licence, "source": source});
        Rules::parse(RULES).unwrap().faults(&package)
    }

    #[test]
    fn licences_are_weighed_as_expressions() {
        let table: &[(&str, &str, bool)] = &[
            ("a", "MIT", true),
            ("a", "MIT OR GPL-3.0-only", true),
            ("a", "MIT/Apache-2.0", true),
            ("a", "(MIT OR Apache-2.0) AND Zlib", false),
            ("odd", "(MIT OR Apache-2.0) AND Zlib", true),
            ("a", "GPL-3.0-only", false),
            ("a", "my own", false),
        ];
        for (name, licence, allowed) in table {
            let faults = faults(name, Some(licence), None);
            assert_eq!(faults.is_empty(), *allowed, "{name}: {licence}: {faults:?}");
        }
        assert!(!faults("a", None, None).is_empty(), "no licence at all");
    }

    #[test]
    fn what_comes_from_elsewhere_and_what_is_banned_is_named() {
        let good = Some("registry+https://example.org/index");
        assert_eq!(faults("a", Some("MIT"), good), [""; 0], "the allowed registry");
        assert_eq!(faults("a", Some("MIT"), Some("git+https://example.org/a")).len(), 1, "a repository");
        assert_eq!(
            faults("openssl-sys", Some("MIT"), good),
            ["openssl-sys 1.0.0: is not wanted"],
            "a banned crate"
        );
    }
}
