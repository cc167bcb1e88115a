//! The quota of all logs together.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks at what the logs take. Within that time the quota of each process bounds them.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Deletes what is oldest whenever the logs below `logs` take more than the user's settings in `config` allow. Never
/// returns.
pub(crate) async fn keep_within(logs: PathBuf, config: PathBuf) {
    loop {
        let (logs, config) = (logs.clone(), config.clone());
        let _ = tokio::task::spawn_blocking(move || look(&logs, &config)).await;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn look(logs: &Path, config: &Path) {
    let quota = forge_config::load_settings(config).unwrap_or_default().log_quota_total;
    match forge_logs::apply_total_quota(logs, quota) {
        Ok(0) => {}
        Ok(freed) => tracing::info!(
            "{freed} bytes of the oldest logs are deleted: together they took more than {quota}"
        ),
        Err(error) => tracing::warn!("the logs could not be looked through: {error}"),
    }
}
