//! The configuration without a supervisor: for `check`, `config`, `run` and `open`.

use std::collections::BTreeSet;

use forge_api::{Code, Error};
use forge_config::{Config, Diagnostic, Diagnostics, ResolvedEnvironment, Workspace, resolve};

use crate::context::{Context, variables};
use crate::failure::Failure;
use crate::view::words;

/// A configuration and what it means here and now.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) workspace: Workspace,
    pub(crate) config: Config,
    /// Those that were asked for.
    pub(crate) environments: Vec<ResolvedEnvironment>,
}

impl Chosen {
    /// One environment, or all.
    ///
    /// # Errors
    /// No workspace, no such environment, or everything that is wrong with the configuration.
    pub(crate) fn load(context: &Context, environment: Option<&str>) -> Result<Self, Failure> {
        let (workspace, config) = load(context)?;
        let names: Vec<String> = match environment {
            Some(name) => vec![known(&config, name)?],
            None => config.environments.keys().cloned().collect(),
        };
        Self::resolve(context, workspace, config, &names)
    }

    /// As [`Self::load`], and where only something that it refers to is wrong (a missing env file, a variable that
    /// must be set), all that can be known nevertheless, with what is wrong.
    ///
    /// # Errors
    /// No workspace, no such environment, or everything that is wrong with the file itself.
    pub(crate) fn load_all(
        context: &Context,
        environment: Option<&str>,
    ) -> Result<(Self, Diagnostics), Failure> {
        let wrong = match Self::load(context, environment) {
            Ok(chosen) => return Ok((chosen, Diagnostics::from(Vec::new()))),
            Err(Failure::Configuration(wrong)) => wrong,
            Err(failure) => return Err(failure),
        };
        let (workspace, config) = load(context)?;
        let here = forge_config::Context {
            variables: variables(),
            // Nobody's errors count as such.
            only: Some(BTreeSet::new()),
            ..forge_config::Context::default()
        };
        let names = config.environments.keys().filter(|name| environment.is_none_or(|only| only == *name));
        let environments = names.filter_map(|name| resolve(&config, name, &here).ok()).map(|mut one| {
            one.warnings.clear();
            one
        });
        let environments = environments.collect();
        Ok((Self { workspace, config, environments }, wrong))
    }

    /// One environment; by default `dev`, or the only one.
    ///
    /// # Errors
    /// As [`Self::load`], or it is not clear which one is meant.
    pub(crate) fn one(context: &Context, environment: Option<&str>) -> Result<Self, Failure> {
        let (workspace, config) = load(context)?;
        let name = match environment {
            Some(name) => known(&config, name)?,
            None => default(&config)?,
        };
        Self::resolve(context, workspace, config, &[name])
    }

    fn resolve(
        context: &Context,
        workspace: Workspace,
        config: Config,
        names: &[String],
    ) -> Result<Self, Failure> {
        let here = forge_config::Context { variables: variables(), ..forge_config::Context::default() };
        let mut environments = Vec::new();
        let mut wrong: Vec<Diagnostic> = Vec::new();
        for name in names {
            match resolve(&config, name, &here) {
                Ok(environment) => environments.push(environment),
                Err(diagnostics) => wrong.extend(diagnostics.iter().cloned()),
            }
        }
        // Environments that extend each other have their errors in common.
        let mut unique: Vec<Diagnostic> = Vec::new();
        for diagnostic in wrong {
            if !unique.contains(&diagnostic) {
                unique.push(diagnostic);
            }
        }
        if unique.is_empty() {
            return Ok(Self { workspace, config, environments });
        }
        Err(near(context, Diagnostics::from(unique)).into())
    }
}

/// A supervisor's answer that the configuration is wrong, with the lines that are: they are not sent, but can be read
/// here. Any other failure stays what it is.
pub(crate) fn with_lines(context: &Context, failure: Failure) -> Failure {
    match &failure {
        Failure::Error(error) if error.code == Code::Configuration => match Chosen::load(context, None) {
            Err(Failure::Configuration(diagnostics)) if !context.output.json => {
                for problem in problems(error) {
                    context.output.complain(&format!("error: {problem}\n"));
                }
                Failure::Configuration(diagnostics)
            }
            _ => failure,
        },
        _ => failure,
    }
}

/// What else is missing, beside what the file's own errors are.
fn problems(error: &Error) -> Vec<String> {
    let list =
        error.details.as_ref().and_then(|details| details.get("problems")).and_then(|list| list.as_array());
    let texts = list.into_iter().flatten().map(|problem| {
        let text =
            |key: &str| problem.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        format!("{}: {}", text("process"), text("message"))
    });
    texts.collect()
}

fn load(context: &Context) -> Result<(Workspace, Config), Failure> {
    let workspace = context.workspace()?;
    let config = forge_config::load_settings(&context.home.config)
        .and_then(|user| forge_config::load_over(&workspace, &user))
        .map_err(|diagnostics| near(context, diagnostics))?;
    Ok((workspace, config))
}

/// With files named as seen from here, for people; a script wants them whole.
pub(crate) fn near(context: &Context, diagnostics: Diagnostics) -> Diagnostics {
    if context.output.json { diagnostics } else { diagnostics.relative_to(&context.here) }
}

fn known(config: &Config, name: &str) -> Result<String, Error> {
    if config.environments.contains_key(name) {
        return Ok(name.to_owned());
    }
    let names: Vec<&String> = config.environments.keys().collect();
    Err(Error::new(Code::NotFound, format!("no environment is called `{name}`"))
        .help(format!("there is {}", words::list(&names))))
}

/// `dev`, or the only one.
pub(crate) fn default(config: &Config) -> Result<String, Error> {
    let mut names = config.environments.keys();
    match (names.next(), names.next()) {
        _ if config.environments.contains_key("dev") => Ok("dev".to_owned()),
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(Error::new(Code::NotFound, "the configuration has no environment")),
        _ => {
            let names: Vec<&String> = config.environments.keys().collect();
            Err(Error::new(Code::Ambiguous, format!("which environment: {}?", words::list(&names)))
                .help("name one of them")
                .details(serde_json::json!({"choices": names})))
        }
    }
}
