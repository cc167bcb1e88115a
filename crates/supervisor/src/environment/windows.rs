use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{ShellError, own};

/// What a user sets is in the registry, and every process starts with it: there is no shell to ask.
#[expect(clippy::unused_async, reason = "the facade's signature")]
pub(super) async fn login_shell(
    _workspace: &Path,
    _limit: Duration,
) -> Result<BTreeMap<String, String>, ShellError> {
    Ok(own())
}
