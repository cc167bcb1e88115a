//! `forge config`.

use std::process::ExitCode;

use forge_config::Diagnostics;
use serde_json::json;

use crate::args;
use crate::chosen::{self, Chosen};
use crate::context::Context;
use crate::failure::Outcome;
use crate::view::resolved::{self, Resolved};
use crate::view::style::Ink;

pub(crate) fn run(context: &Context, args: &args::Environment) -> Outcome {
    let chosen = Chosen::load(context, args.environment.as_deref())?;
    let output = context.output;
    let root = &chosen.workspace.root;
    let style = output.stdout();
    let mut documents = Vec::new();
    let mut text = format!("{}\n", style.paint(Ink::Dim, &chosen.workspace.file.display().to_string()));
    for environment in &chosen.environments {
        let declared = chosen.config.environments.get(&environment.name);
        let processes: Vec<Resolved> = environment
            .processes
            .iter()
            .map(|process| {
                let declared = declared.and_then(|declared| declared.process(&process.name));
                Resolved::new(process, declared, &chosen.workspace.file, root)
            })
            .collect();
        let description = environment.description.as_deref().unwrap_or_default();
        text.push_str(format!("\n{}  {description}", style.paint(Ink::Bold, &environment.name)).trim_end());
        text.push('\n');
        for process in &processes {
            text.push('\n');
            text.push_str(&resolved::page(process, style));
        }
        documents.push(json!({
            "name": environment.name,
            "description": environment.description,
            "processes": processes,
        }));
    }
    if output.json {
        output.document(
            &json!({"workspace": root, "file": chosen.workspace.file, "environments": documents}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    output.text(&text)?;
    let mut odd = chosen.config.warnings.clone();
    odd.extend(chosen.environments.iter().flat_map(|environment| environment.warnings.iter().cloned()));
    if !odd.is_empty() {
        let style = output.stderr();
        let warnings = chosen::near(context, Diagnostics::from(odd));
        output.note(&format!("\n{}", warnings.render(style.color, style.unicode)));
    }
    Ok(ExitCode::SUCCESS)
}
