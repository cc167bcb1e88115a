//! Why a command could not be run, in words that say what to change.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use forge_keeper::spec::Spec;

/// The message for a command that `error` kept from running.
pub(super) fn explain(spec: &Spec, error: &io::Error) -> String {
    let program = spec.argv.first().map_or("", String::as_str);
    let reason = reason(spec, program, error);
    format!("cannot run `{program}` in `{}`: {reason}", spec.cwd.display())
}

fn reason(spec: &Spec, program: &str, error: &io::Error) -> String {
    if program.is_empty() {
        return "the command is empty".to_owned();
    }
    if let Some(reason) = folder_fault(&spec.cwd) {
        return reason;
    }
    let Some(file) = find(spec, program) else { return missing(spec, program) };
    let at = file.display();
    match error.raw_os_error() {
        Some(libc::ENOENT) => interpreter_fault(&file),
        Some(libc::EACCES) if file.is_dir() => format!("`{at}` is a directory"),
        Some(libc::EACCES) if !is_executable(&file) => format!("`{at}` is not executable (chmod +x)"),
        Some(libc::EACCES) => format!("no permission to run `{at}`, or its file system forbids it (noexec)"),
        Some(libc::ENOEXEC) => {
            format!("`{at}` is no program for this machine: it has no `#!` line, or is built for another")
        }
        Some(libc::E2BIG) => "its arguments and environment are too long".to_owned(),
        Some(libc::EAGAIN | libc::ENOMEM) => format!("no room for another process: {error}"),
        _ => error.to_string(),
    }
}

fn folder_fault(cwd: &Path) -> Option<String> {
    match fs::metadata(cwd) {
        Ok(metadata) if !metadata.is_dir() => Some("the working directory is not a directory".to_owned()),
        Ok(_) if rustix::fs::access(cwd, rustix::fs::Access::EXEC_OK).is_err() => {
            Some("the working directory can't be entered (permission denied)".to_owned())
        }
        Ok(_) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some("the working directory does not exist".to_owned())
        }
        Err(error) => Some(format!("the working directory can't be entered: {error}")),
    }
}

fn missing(spec: &Spec, program: &str) -> String {
    if program.contains('/') {
        format!("`{}` does not exist", spec.cwd.join(program).display())
    } else {
        format!("`{program}` was not found in PATH")
    }
}

/// The file that `program` stands for: what is executable first, as exec looks for it.
fn find(spec: &Spec, program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(spec.cwd.join(program)).filter(|file| file.exists());
    }
    let path = spec.env.iter().find(|(name, _)| name == "PATH").map_or("/bin:/usr/bin", |(_, value)| value);
    let candidates: Vec<PathBuf> = std::env::split_paths(path)
        .map(|folder| spec.cwd.join(folder).join(program))
        .filter(|file| file.exists())
        .collect();
    candidates.iter().find(|file| is_executable(file)).or(candidates.first()).cloned()
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The file is there, and still the kernel said that something is not.
fn interpreter_fault(file: &Path) -> String {
    let at = file.display();
    let Some(interpreter) = interpreter(file) else {
        return format!("`{at}` needs a loader or library that this machine does not have");
    };
    if let Some(name) = interpreter.strip_suffix('\r') {
        return format!("`{at}` has Windows line endings: its interpreter would be `{name}\\r`");
    }
    format!("`{at}` asks for the interpreter `{interpreter}`, which does not exist")
}

/// What the `#!` line of a script names.
fn interpreter(file: &Path) -> Option<String> {
    let mut head = [0; 256];
    let length = File::open(file).ok()?.read(&mut head).ok()?;
    let line = head[..length].strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let name = line.trim_start_matches([' ', '\t']).split([' ', '\t']).next()?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(cwd: &Path, program: &str) -> Spec {
        serde_json::from_value(serde_json::json!({
            "protocol": 1, "run": "r", "number": 1, "workspace": "/", "environment": "dev", "process": "api",
            "argv": [program], "cwd": cwd, "env": [["PATH", "bin:/nowhere"]], "tty": false,
            "shell_status": false, "stdin": false, "logs": "/logs", "segment_bytes": 1, "quota_bytes": 1,
            "socket": "/sock", "container": null, "supervisor": null, "asked_at_ms": 0, "fingerprint": "",
        }))
        .unwrap()
    }

    fn script(folder: &Path, name: &str, text: &str, mode: u32) {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn each_failure_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        script(here, "no-interpreter", "#! /no/such/sh -e\n", 0o755);
        script(here, "from-windows", "#!/bin/sh\r\necho\r\n", 0o755);
        script(here, "locked", "#!/bin/sh\n", 0o644);
        script(here, "binary", "\0", 0o755);
        fs::create_dir(here.join("bin")).unwrap();
        script(&here.join("bin"), "tool", "#!/gone\n", 0o755);
        let at = here.display();
        let cases = [
            ("nothing", libc::ENOENT, "`nothing` was not found in PATH".to_owned()),
            ("./nothing", libc::ENOENT, format!("`{at}/./nothing` does not exist")),
            (
                "tool",
                libc::ENOENT,
                format!("`{at}/bin/tool` asks for the interpreter `/gone`, which does not exist"),
            ),
            (
                "./no-interpreter",
                libc::ENOENT,
                format!(
                    "`{at}/./no-interpreter` asks for the interpreter `/no/such/sh`, which does not exist"
                ),
            ),
            (
                "./from-windows",
                libc::ENOENT,
                format!(
                    "`{at}/./from-windows` has Windows line endings: its interpreter would be `/bin/sh\\r`"
                ),
            ),
            (
                "./binary",
                libc::ENOENT,
                format!("`{at}/./binary` needs a loader or library that this machine does not have"),
            ),
            ("./locked", libc::EACCES, format!("`{at}/./locked` is not executable (chmod +x)")),
            ("./bin", libc::EACCES, format!("`{at}/./bin` is a directory")),
            ("", libc::ENOENT, "the command is empty".to_owned()),
        ];
        for (program, errno, expected) in cases {
            let text = explain(&spec(here, program), &io::Error::from_raw_os_error(errno));
            assert_eq!(
                text,
                format!("cannot run `{program}` in `{at}`: {expected}"),
                "{program}, errno {errno}"
            );
        }
    }

    #[test]
    fn a_missing_folder_is_not_called_a_missing_program() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let text = explain(&spec(&gone, "/bin/sh"), &io::Error::from_raw_os_error(libc::ENOENT));
        assert!(text.ends_with("the working directory does not exist"), "{text}");
        fs::write(&gone, "").unwrap();
        let text = explain(&spec(&gone, "/bin/sh"), &io::Error::from_raw_os_error(libc::ENOTDIR));
        assert!(text.ends_with("the working directory is not a directory"), "{text}");
    }
}
