//! The names of a store's files.

use std::io;
use std::path::{Path, PathBuf};

/// The file of a segment, and its sidecar.
pub(crate) fn log_path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:08}.log"))
}

pub(crate) fn index_path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:08}.idx"))
}

/// The numbers of the segments in `dir`, ascending. A folder that is not there holds none.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<u32>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut segments = Vec::new();
    for entry in entries {
        segments.extend(entry?.file_name().to_str().and_then(number));
    }
    segments.sort_unstable();
    Ok(segments)
}

fn number(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".log")?;
    let plain = digits.len() >= 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|&number| plain && number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_segments_are_listed_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in
            ["00000010.log", "00000002.log", "00000002.idx", "2.log", "00000000.log", "x.log", "writer.lock"]
        {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(list(dir.path()).unwrap(), [2, 10], "the segments");
        assert_eq!(list(&dir.path().join("none")).unwrap(), [0; 0], "no folder");
        assert_eq!(log_path(dir.path(), 10), dir.path().join("00000010.log"), "its path");
    }
}
