//! `forge check`: the configuration, and what it needs of this machine.

use std::process::ExitCode;

use forge_api::{Code, Environments, Error, GetStatus};
use forge_config::Diagnostics;
use forge_system::ports::Listening;
use serde::Serialize;
use serde_json::json;

use crate::args;
use crate::chosen::{self, Chosen};
use crate::client::Client;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::view::style::{Ink, Mark, Style, columns, pad};
use crate::view::words;
use forge_supervisor::configuration_error;
use forge_supervisor::machine::{self, Finding, Held};
use forge_supervisor::owned::Service;

#[derive(Debug, Serialize)]
struct Checked {
    environment: String,
    process: String,
    /// Not started with its environment: what it lacks is no problem.
    disabled: bool,
    findings: Vec<Finding>,
}

impl Checked {
    fn problems(&self) -> usize {
        if self.disabled { 0 } else { self.findings.iter().filter(|finding| !finding.ok).count() }
    }
}

pub(crate) async fn run(context: &Context, args: args::Environment) -> Outcome {
    let (chosen, errors) = Chosen::load_all(context, args.environment.as_deref())?;
    let listening = Listening::read().map_err(|error| Error::system("the table of listeners", error))?;
    let held = Held { listening, own: own_ports(context).await };
    let root = &chosen.workspace.root;
    let service = |environment: &str, process: &str| Service {
        workspace: root.clone(),
        environment: environment.to_owned(),
        process: process.to_owned(),
    };
    let checked: Vec<Checked> = chosen
        .environments
        .iter()
        .flat_map(|environment| environment.processes.iter().map(move |process| (environment, process)))
        .map(|(environment, process)| Checked {
            environment: environment.name.clone(),
            process: process.name.clone(),
            disabled: process.disabled,
            findings: machine::look(&service(&environment.name, &process.name), process, Some(root), &held),
        })
        .collect();
    let mut warnings = chosen.config.warnings.clone();
    warnings.extend(chosen.environments.iter().flat_map(|environment| environment.warnings.iter().cloned()));
    let warnings = chosen::near(context, Diagnostics::from(warnings));
    if errors.is_empty() {
        report(context, &chosen, &checked, &warnings)
    } else {
        refuse(context, errors, &checked)
    }
}

/// What the configuration refers to is wrong: that, and what is missing besides, at once.
fn refuse(context: &Context, errors: Diagnostics, checked: &[Checked]) -> Outcome {
    let lacking: Vec<&Checked> = checked.iter().filter(|one| one.problems() > 0).collect();
    if context.output.json {
        let problems: Vec<_> = lacking
            .iter()
            .flat_map(|one| one.findings.iter().filter(|finding| !finding.ok).map(move |finding| (one, finding)))
            .map(|(one, finding)| {
                json!({"environment": one.environment, "process": one.process, "message": finding.text})
            })
            .collect();
        let mut error = configuration_error(&errors);
        if let Some(details) = error.details.as_mut().and_then(serde_json::Value::as_object_mut) {
            details.insert("problems".to_owned(), json!(problems));
        }
        return Err(error.into());
    }
    let style = context.output.stdout();
    let widest = lacking.iter().map(|one| columns(&one.process)).max().unwrap_or(0);
    let text: String = lacking.iter().map(|one| process(one, widest, style)).collect();
    context.output.text(&text)?;
    Err(errors.into())
}

/// What runs holds its own ports rightly. Without a supervisor that is not known, and none is started to learn it.
async fn own_ports(context: &Context) -> Vec<(Service, u16)> {
    let Ok(Some(mut client)) = Client::connect_if_running(&context.home).await else { return Vec::new() };
    let Ok(known) = client.call(&Environments {}).await else { return Vec::new() };
    let mut own = Vec::new();
    for summary in known.environments.into_iter().filter(|summary| summary.running > 0) {
        let request = GetStatus { workspace: summary.workspace, environment: Some(summary.environment) };
        let Ok(status) = client.call(&request).await else { continue };
        for process in status.processes {
            let service = Service {
                workspace: status.workspace.clone(),
                environment: status.environment.clone(),
                process: process.name,
            };
            own.extend(process.ports.into_iter().map(|port| (service.clone(), port)));
        }
    }
    own
}

fn report(context: &Context, chosen: &Chosen, checked: &[Checked], warnings: &Diagnostics) -> Outcome {
    let output = context.output;
    let problems: usize = checked.iter().map(Checked::problems).sum();
    if output.json {
        output.document(&json!({
            "workspace": chosen.workspace.root,
            "file": chosen.workspace.file,
            "ok": problems == 0,
            "warnings": warnings,
            "processes": checked,
        }))?;
    } else {
        if !warnings.is_empty() {
            let style = output.stderr();
            output.note(&format!("{}\n", warnings.render(style.color, style.unicode)));
        }
        output.text(&page(chosen, checked, problems, output.stdout()))?;
    }
    if problems == 0 { Ok(ExitCode::SUCCESS) } else { Err(Failure::Told(Code::Missing)) }
}

fn page(chosen: &Chosen, checked: &[Checked], problems: usize, style: Style) -> String {
    let environments = words::count(chosen.environments.len(), "environment", "environments");
    let processes = words::count(checked.len(), "process", "processes");
    let file = chosen.workspace.file.display();
    let valid = style.folded(&format!("{file} is valid: {environments}, {processes}"), 2);
    let mut text = format!("{} {valid}\n", style.mark(Mark::Good));
    for environment in &chosen.environments {
        text.push_str(&format!("\n{}\n", style.paint(Ink::Bold, &environment.name)));
        let of_it: Vec<&Checked> = checked.iter().filter(|one| one.environment == environment.name).collect();
        let widest = of_it.iter().map(|one| columns(&one.process)).max().unwrap_or(0);
        for one in of_it {
            text.push_str(&process(one, widest, style));
        }
    }
    let verdict = match problems {
        0 => format!("{} Everything is there.", style.mark(Mark::Good)),
        _ => format!("{} {}.", style.mark(Mark::Bad), words::count(problems, "problem", "problems")),
    };
    format!("{text}\n{verdict}\n")
}

/// What is wrong with it, a line each; what is right, on one.
fn process(checked: &Checked, widest: usize, style: Style) -> String {
    let name = pad(&checked.process, widest);
    let room = style.width.saturating_sub(widest + 6);
    let good: Vec<&str> = checked.findings.iter().filter(|f| f.ok).map(|f| f.text.as_str()).collect();
    let bad: Vec<&Finding> = checked.findings.iter().filter(|finding| !finding.ok).collect();
    if bad.is_empty() {
        let disabled = checked.disabled.then_some("disabled");
        let said = disabled.into_iter().chain(good).collect::<Vec<_>>().join(style.dot());
        return format!(
            "  {} {name}  {}\n",
            style.mark(Mark::Good),
            style.paint(Ink::Dim, &style.cut(&said, room))
        );
    }
    let mark = if checked.disabled { Mark::Warn } else { Mark::Bad };
    let mut text = String::new();
    for (index, finding) in bad.iter().enumerate() {
        let name = if index == 0 { name.clone() } else { " ".repeat(widest) };
        let said = style.folded(&finding.text, widest + 6);
        text.push_str(&format!("  {} {name}  {said}\n", style.mark(mark)));
        if let Some(help) = &finding.help {
            let (indent, help) = (" ".repeat(widest + 6), style.folded(help, widest + 12));
            text.push_str(&format!("{indent}{} {help}\n", style.paint(Ink::Busy, "help:")));
        }
    }
    text
}
