//! `forge serve`.

use forge_api::{Code, Error};

use crate::args;
use crate::context::Context;
use crate::failure::Outcome;

/// Before the runtime.
pub(crate) fn step_aside(_args: &args::Serve) {}

pub(crate) async fn run(context: &Context, args: args::Serve) -> Outcome {
    let _ = (context, args, crate::client::READY);
    Err(Error::new(Code::Unsupported, "not yet").into())
}
