//! `forge` alone: no command is wrong usage, and what to do first is the help.

use forge_api::{Code, Error};

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::view::diagnosis;
use crate::view::style::Ink;

pub(crate) fn run(context: &Context) -> Outcome {
    let style = context.output.stderr();
    let found = context.workspace().ok();
    let mut text = format!(
        "{} runs your development environment: every process of it, in order, watched,\nits output kept.\n\n",
        style.paint(Ink::Bold, "forge")
    );
    match &found {
        None => text.push_str(
            "There is no .forge/processes.yml here or above. To begin, write one:\n\n    \
             dev:\n      - name: web\n        command: npm run dev\n        port: 3000\n\nThen:\n\n",
        ),
        Some(workspace) => text.push_str(&format!("In {}:\n\n", workspace.root.display())),
    }
    let hints = [
        ("forge check".to_owned(), "is the file right, is everything there that it needs?"),
        ("forge start".to_owned(), "start it all, and wait until it is ready"),
        ("forge status".to_owned(), "how it stands"),
        ("forge logs -f".to_owned(), "what the processes write, live"),
        ("forge stop".to_owned(), "stop it all; nothing is left behind"),
        ("forge help".to_owned(), "everything else"),
    ];
    text.push_str(&diagnosis::hints(&hints, style));
    context.output.complain(&text);
    if context.output.json {
        let help = "`forge help` lists the commands";
        return Err(Error::new(Code::Usage, "no command was given").help(help).into());
    }
    Err(Failure::Told(Code::Usage))
}
