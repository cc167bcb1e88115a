//! A docker that needs no engine of the machine's. As the real one does it, containers are children of the engine:
//! the client only shows their output, and killing it leaves them running.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::Failure;

/// Names the engine's folder.
const FOLDER: &str = "FAKE_DOCKER";

/// `docker ARGUMENTS`.
pub(crate) fn client(arguments: &[String]) -> Result<ExitCode, Failure> {
    let folder = PathBuf::from(env::var_os(FOLDER).ok_or("FAKE_DOCKER is not set: no engine")?);
    crate::files::append(folder.join("calls").to_str().ok_or("folder")?, &arguments.join(" "))?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["run", rest @ ..] => run(&folder, rest),
        ["stop", rest @ ..] => ask(&folder, "stop", rest),
        ["kill", rest @ ..] => ask(&folder, "kill", rest),
        ["rm", rest @ ..] => ask(&folder, "kill", rest),
        ["compose", rest @ ..] => compose(&folder, rest),
        other => Err(format!("docker: {other:?} is not known").into()),
    }
}

/// `run [--cidfile F] [-d] [other options] IMAGE COMMAND…`, where the command is steps.
fn run(folder: &Path, arguments: &[&str]) -> Result<ExitCode, Failure> {
    let (mut cidfile, mut name, mut detached, mut rest) = (None, None, false, arguments);
    while let [option, more @ ..] = rest {
        let (option, inline) =
            option.split_once('=').map_or((*option, None), |(option, value)| (option, Some(value)));
        rest = match option {
            "--rm" | "-i" | "-t" | "-it" | "--init" => more,
            "-d" | "--detach" => {
                detached = true;
                more
            }
            option if option.starts_with('-') => {
                let (value, more) = match (inline, more) {
                    (Some(value), more) => (value, more),
                    (None, [value, more @ ..]) => (*value, more),
                    (None, []) => return Err(format!("docker: {option} wants a value").into()),
                };
                match option {
                    "--cidfile" => cidfile = Some(value),
                    "--name" => name = Some(value),
                    _ => {}
                }
                more
            }
            _ => break,
        };
    }
    let [_image, steps @ ..] = rest else { return Err("docker: run wants an image".into()) };
    if let Some(cidfile) = cidfile
        && Path::new(cidfile).exists()
    {
        eprintln!(
            "docker: container ID file found, make sure the other container isn't running or delete {cidfile}"
        );
        return Ok(ExitCode::from(125));
    }
    let steps = if steps.is_empty() { &["forever"] } else { steps };
    create(folder, name.unwrap_or_default(), cidfile, detached, steps)
}

/// `compose [-f FILE] [-p NAME] (up | stop | kill | down)`: one container, named after the project.
fn compose(folder: &Path, arguments: &[&str]) -> Result<ExitCode, Failure> {
    let verb = arguments.iter().find(|word| matches!(**word, "up" | "stop" | "kill" | "down"));
    match verb {
        Some(&"up") => {
            create(folder, "compose", None, arguments.contains(&"-d"), &["print", "compose is up", "forever"])
        }
        Some(&"kill") => ask(folder, "kill", &["compose"]),
        Some(_) => ask(folder, "stop", &["compose"]),
        None => Err(format!("docker: compose {arguments:?} is not known").into()),
    }
}

fn connect(folder: &Path, request: &[&str]) -> Result<BufReader<UnixStream>, Failure> {
    let mut stream = UnixStream::connect(folder.join("sock"))?;
    stream.write_all(format!("{}\n", serde_json::to_string(request)?).as_bytes())?;
    Ok(BufReader::new(stream))
}

/// Has the engine make a container, then shows its output until it ends.
fn create(
    folder: &Path,
    name: &str,
    cidfile: Option<&str>,
    detached: bool,
    steps: &[&str],
) -> Result<ExitCode, Failure> {
    let mut request = vec!["run", name];
    request.extend(steps);
    let mut stream = connect(folder, &request)?;
    let mut id = String::new();
    stream.read_line(&mut id)?;
    if let Some(cidfile) = cidfile {
        fs::write(cidfile, id.trim_end())?;
    }
    if detached {
        print!("{id}");
        return Ok(ExitCode::SUCCESS);
    }
    forward_signals(folder.to_owned(), id.trim_end().to_owned())?;
    let mut last = 1;
    for line in stream.lines() {
        let line = line?;
        match line.strip_prefix("exit ").and_then(|code| code.parse().ok()) {
            Some(code) => last = code,
            None => println!("{}", line.strip_prefix("out ").unwrap_or(&line)),
        }
    }
    Ok(ExitCode::from(last))
}

/// As the real client does (`--sig-proxy`): what may be caught goes to the container.
fn forward_signals(folder: PathBuf, id: String) -> Result<(), Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut caught = signal_hook::iterator::Signals::new([SIGTERM, SIGINT])?;
    thread::spawn(move || {
        for _ in caught.forever() {
            let _sent = ask(&folder, "term", &[&id]);
        }
    });
    Ok(())
}

fn ask(folder: &Path, what: &str, arguments: &[&str]) -> Result<ExitCode, Failure> {
    let (mut grace, mut names, mut rest) = ("10", Vec::new(), arguments.iter());
    while let Some(&word) = rest.next() {
        match word {
            "-t" | "--time" | "--timeout" => grace = rest.next().copied().unwrap_or(grace),
            "-f" | "-v" => {}
            name => names.push(name),
        }
    }
    for name in names {
        let mut stream = connect(folder, &[what, name, grace])?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("no such") {
            eprintln!("Error response from daemon: No such container: {name}");
            return Ok(ExitCode::FAILURE);
        }
        println!("{name}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A running container.
#[derive(Debug)]
struct Container {
    id: String,
    name: String,
    group: Pid,
    running: bool,
}

type Containers = Arc<Mutex<Vec<Container>>>;

/// The engine: serves `FOLDER/sock`, and writes the PID of each container to `FOLDER/containers/ID`.
pub(crate) fn engine(folder: &str) -> Result<(), Failure> {
    let folder = Arc::new(PathBuf::from(folder));
    fs::create_dir_all(folder.join("containers"))?;
    let listener = UnixListener::bind(folder.join("sock"))?;
    println!("engine ready");
    let containers = Containers::default();
    for stream in listener.incoming() {
        let (stream, folder, containers) = (stream?, Arc::clone(&folder), Arc::clone(&containers));
        thread::spawn(move || {
            if let Err(failure) = serve(stream, &folder, &containers) {
                eprintln!("engine: {failure}");
            }
        });
    }
    Ok(())
}

fn serve(stream: UnixStream, folder: &Path, containers: &Containers) -> Result<(), Failure> {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let request: Vec<String> = serde_json::from_str(&request)?;
    let stream = reader.into_inner();
    match request.as_slice() {
        [verb, name, steps @ ..] if verb == "run" => contain(stream, folder, containers, name, steps),
        [verb, name, grace] => end(stream, containers, verb, name, grace.parse()?),
        _ => Err("a request that is not known".into()),
    }
}

fn contain(
    mut stream: UnixStream,
    folder: &Path,
    containers: &Containers,
    name: &str,
    steps: &[String],
) -> Result<(), Failure> {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let id = format!("{:064x}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut child = Command::new(env::current_exe()?)
        .args(steps)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let group = Pid::from_child(&child);
    fs::write(folder.join("containers").join(&id), child.id().to_string())?;
    with(containers, |all| {
        all.push(Container { id: id.clone(), name: name.to_owned(), group, running: true });
    });
    // The client may be gone at any time; the container does not mind.
    let _told = writeln!(stream, "{id}");
    let status = show(&mut child, &mut stream)?;
    with(containers, |all| all.iter_mut().filter(|one| one.id == id).for_each(|one| one.running = false));
    fs::remove_file(folder.join("containers").join(&id))?;
    let code = if status.success() { 0 } else { status.code().unwrap_or(137) };
    let _told = writeln!(stream, "exit {code}");
    Ok(())
}

fn show(child: &mut Child, stream: &mut UnixStream) -> Result<std::process::ExitStatus, Failure> {
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let _shown = writeln!(stream, "out {}", line?);
        }
    }
    Ok(child.wait()?)
}

fn end(
    mut stream: UnixStream,
    containers: &Containers,
    verb: &str,
    name: &str,
    grace: u64,
) -> Result<(), Failure> {
    let running = |all: &mut Vec<Container>| {
        all.iter().find(|one| one.running && (one.id == name || one.name == name)).map(|one| one.group)
    };
    let Some(group) = with(containers, running) else { return Ok(writeln!(stream, "no such container")?) };
    kill_process_group(group, if verb == "kill" { Signal::KILL } else { Signal::TERM })?;
    if verb == "term" {
        return Ok(());
    }
    let until = Instant::now() + Duration::from_secs(grace);
    while with(containers, running).is_some() {
        if Instant::now() > until {
            kill_process_group(group, Signal::KILL).ok();
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(writeln!(stream, "done")?)
}

fn with<T>(containers: &Containers, act: impl FnOnce(&mut Vec<Container>) -> T) -> T {
    act(&mut containers.lock().unwrap_or_else(PoisonError::into_inner))
}
