//! Whether the configuration of a running process has changed.

use serde::Serialize;

use super::{Origin, ResolvedProcess};

/// A hash of what is run (command, folder, ports, terminal, and the variables that the configuration gave, not the
/// caller's): when it differs, only a restart applies the change. 32 hexadecimal digits, the same on every machine.
#[must_use]
pub fn fingerprint(process: &ResolvedProcess) -> String {
    let given = process.env.iter().filter(|variable| variable.origin != Origin::Caller);
    let given: Vec<(&str, &str)> =
        given.map(|variable| (variable.name.as_str(), variable.value.as_str())).collect();
    hash(&(
        &process.command,
        &process.cwd,
        &process.ports,
        given,
        &process.removed,
        process.tty,
        process.daemon,
        process.one_shot,
    ))
}

/// A hash of what can be applied while it runs: health check, restart policy, shutdown, watch, events and the like.
/// 32 hexadecimal digits, the same on every machine.
#[must_use]
pub fn supervision_fingerprint(process: &ResolvedProcess) -> String {
    hash(&(
        &process.depends_on,
        &process.health_check,
        &process.auto_restart,
        &process.shutdown,
        &process.watch,
        &process.requires,
        &process.metrics,
        &process.events,
        &process.groups,
        process.disabled,
        &process.open,
    ))
}

/// FNV-1a, 128 bits, of the JSON: enough to see a change, and it stays the same from build to build.
fn hash(value: &impl Serialize) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let hash = bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}
