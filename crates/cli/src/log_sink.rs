//! Where lines of logs go: stdout or a file, for people or as JSON.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use forge_api::{Code, Error, LogLine};
use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::output::Output;
use crate::view::clean;
use crate::view::log_line::Formatter;
use crate::view::style::Style;

/// Between two writes to the system.
const BUFFER: usize = 64 << 10;

pub(crate) struct LogSink {
    out: BufWriter<Target>,
    form: Form,
    /// `None`: stdout.
    path: Option<PathBuf>,
    /// A line's text, reused.
    line: String,
    /// Of a line that was begun: what stands behind its text.
    behind: String,
    lines: u64,
}

enum Target {
    Plain(Box<dyn Write>),
    Gzip(GzEncoder<File>),
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(out) => out.write(bytes),
        }
    }

    /// What is compressed is not pushed out bit by bit: it would not compress.
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(_) => Ok(()),
        }
    }
}

enum Form {
    People(Box<Formatter>),
    Json,
}

impl LogSink {
    /// Stdout, or `save`.
    ///
    /// # Errors
    /// The file has something in it already, or cannot be made.
    pub(crate) fn open(output: Output, save: Option<&Path>) -> Result<Self, Error> {
        let (out, json, style) = match save {
            Some(path) => {
                let (gzip, name) = if has_extension(path, "gz") {
                    (true, Path::new(path.file_stem().unwrap_or_default()))
                } else {
                    (false, path)
                };
                let json = output.json || has_extension(name, "jsonl");
                let file = create(path)?;
                let out = if gzip {
                    Target::Gzip(GzEncoder::new(file, Compression::default()))
                } else {
                    Target::Plain(Box::new(file))
                };
                (out, json, Style { color: false, ..output.stdout() })
            }
            None => (Target::Plain(Box::new(io::stdout())), output.json, output.stdout()),
        };
        let form =
            if json { Form::Json } else { Form::People(Box::new(Formatter::new(style, TimeZone::system()))) };
        Ok(Self {
            out: BufWriter::with_capacity(BUFFER, out),
            form,
            path: save.map(Path::to_path_buf),
            line: String::new(),
            behind: String::new(),
            lines: 0,
        })
    }

    /// Somebody reads it, and nobody keeps it.
    pub(crate) fn is_for_people(&self) -> bool {
        self.path.is_none() && matches!(self.form, Form::People(_))
    }

    /// Writes a page, and lets it be seen. People see `--` at its gaps, as with `grep`.
    ///
    /// # Errors
    /// It cannot be written, or nobody reads it.
    pub(crate) fn write(&mut self, page: &[LogLine], gaps: &[usize]) -> Result<(), Failure> {
        if let Form::People(formatter) = &mut self.form {
            formatter.expect(page);
        }
        for (index, line) in page.iter().enumerate() {
            self.write_line(line, gaps.contains(&index))
                .map_err(|error| failed(self.path.as_deref(), error))?;
        }
        self.finish()
    }

    fn write_line(&mut self, line: &LogLine, gap: bool) -> io::Result<()> {
        self.lines += 1;
        match &mut self.form {
            Form::People(formatter) => {
                self.line.clear();
                if gap {
                    self.line.push_str("--\n");
                }
                formatter.format(line, &mut self.line);
                self.out.write_all(self.line.as_bytes())
            }
            Form::Json => {
                serde_json::to_writer(&mut self.out, line)?;
                self.out.write_all(b"\n")
            }
        }
    }

    /// Whether lines that are too long for a page come whole: where no person looks at them.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_for_people() || !io::stdout().is_terminal()
    }

    /// Writes what stands before the text of a line, which then comes by [`Self::text`] until [`Self::end_line`].
    ///
    /// # Errors
    /// It cannot be written, or nobody reads it.
    pub(crate) fn begin_line(&mut self, line: &LogLine, gap: bool) -> Result<(), Failure> {
        let bare = LogLine { text: String::new(), styles: Vec::new(), omitted: 0, ..line.clone() };
        let (before, behind) = match &mut self.form {
            Form::People(formatter) => {
                self.line.clear();
                if gap {
                    self.line.push_str("--\n");
                }
                formatter.expect([&bare]);
                formatter.format(&bare, &mut self.line);
                (self.line.trim_end_matches('\n').to_owned(), "\n".to_owned())
            }
            Form::Json => {
                const TEXT: &str = "\"text\":\"";
                let json = serde_json::to_string(&bare).map_err(io::Error::from)?;
                let at = json.find(TEXT).map_or(json.len(), |at| at + TEXT.len());
                (json[..at].to_owned(), format!("{}\n", &json[at..]))
            }
        };
        self.lines += 1;
        self.behind = behind;
        self.put(&before)
    }

    /// Writes what stands behind the text of a line that was begun.
    ///
    /// # Errors
    /// It cannot be written, or nobody reads it.
    pub(crate) fn end_line(&mut self) -> Result<(), Failure> {
        let behind = std::mem::take(&mut self.behind);
        self.put(&behind)?;
        self.finish()
    }

    /// A part of the text of a line.
    ///
    /// # Errors
    /// It cannot be written, or nobody reads it.
    pub(crate) fn text(&mut self, part: &str) -> Result<(), Failure> {
        match &self.form {
            Form::People(_) => self.put(&clean::line(part)),
            Form::Json => {
                let json = serde_json::to_string(part).map_err(io::Error::from)?;
                self.put(&json[1..json.len() - 1])
            }
        }
    }

    /// As it is.
    fn put(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(|error| failed(self.path.as_deref(), error))
    }

    /// Nothing stays in the buffer, and what is compressed is whole. Nothing can be written any more.
    ///
    /// # Errors
    /// It cannot be written, or nobody reads it.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        self.end_line()?;
        match self.out.get_mut() {
            Target::Plain(_) => Ok(()),
            Target::Gzip(out) => out.try_finish().map_err(|error| failed(self.path.as_deref(), error)),
        }
    }

    /// Nothing stays in the buffer.
    ///
    /// # Errors
    /// It cannot be written, or nobody reads it.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| failed(self.path.as_deref(), error))
    }

    /// Lines written so far.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }
}

fn failed(path: Option<&Path>, error: io::Error) -> Failure {
    match path {
        Some(path) => Error::system(format!("writing {}", path.display()), error).into(),
        None => error.into(),
    }
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// A new file, or one that is there and empty (as `mktemp` leaves it), or no regular file (a pipe).
fn create(path: &Path) -> Result<File, Error> {
    if std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() > 0) {
        return Err(Error::new(Code::System, format!("{} has something in it already", path.display()))
            .help("name another file, or remove it first"));
    }
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(false);
    // Logs hold secrets now and then, as they do where they come from.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Error::system(format!("writing {}", path.display()), error))
}

#[cfg(test)]
mod tests {
    use forge_api::{Stream, Time};

    use super::*;
    use crate::args::ColorChoice;

    fn line() -> LogLine {
        LogLine {
            time: Time::from_millis(0),
            environment: "dev".to_owned(),
            process: "api".to_owned(),
            run: 1,
            stream: Stream::Stdout,
            level: None,
            text: "hello".to_owned(),
            styles: Vec::new(),
            omitted: 0,
            at: "1:0".to_owned(),
        }
    }

    fn saved(name: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        let mut sink = LogSink::open(Output::new(false, ColorChoice::Always), Some(&path)).expect("open");
        sink.write(&[line()], &[]).expect("written");
        std::fs::read_to_string(&path).expect("read")
    }

    #[test]
    fn a_saved_file_is_plain_or_json_by_its_name() {
        let text = saved("api.log");
        assert!(text.starts_with("[api] ") && text.ends_with("| hello\n"), "{text}");
        let back: LogLine = serde_json::from_str(&saved("api.jsonl")).expect("JSON");
        assert_eq!(back, line(), "the same line");
    }

    #[test]
    fn what_ends_in_gz_is_compressed() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, json) in [("api.log.gz", false), ("api.jsonl.gz", true)] {
            let path = folder.path().join(name);
            let mut sink = LogSink::open(Output::new(false, ColorChoice::Never), Some(&path)).expect("open");
            sink.write(&[line()], &[]).expect("written");
            sink.close().expect("whole");
            let mut text = String::new();
            let mut file = flate2::read::GzDecoder::new(File::open(&path).expect("there"));
            io::Read::read_to_string(&mut file, &mut text).expect("gzip");
            assert_eq!(text.starts_with('{'), json, "{name}: {text}");
            assert!(text.contains("hello"), "{name}: {text}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_saved_file_is_the_users_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("api.log");
        let _sink = LogSink::open(Output::new(false, ColorChoice::Never), Some(&path)).expect("open");
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    }

    #[test]
    fn groups_of_lines_are_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("api.log");
        let mut sink = LogSink::open(Output::new(false, ColorChoice::Never), Some(&path)).expect("open");
        sink.write(&[line(), line(), line()], &[2]).expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        let lines: Vec<bool> = text.lines().map(|line| line == "--").collect();
        assert_eq!(lines, [false, false, true, false], "{text}");
    }

    #[test]
    fn a_file_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "").expect("written");
        let output = Output::new(false, ColorChoice::Never);
        assert!(LogSink::open(output, Some(&path)).is_ok(), "an empty one is as good as none");
        std::fs::write(&path, "precious").expect("written");
        assert!(LogSink::open(output, Some(&path)).is_err(), "one that is not empty");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "precious", "as it was");
    }
}
