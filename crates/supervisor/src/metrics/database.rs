//! The history on disk: SQLite, used by one thread.
//!
//! A file that cannot be used, or is of a newer version, is put aside under a name that says so.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use forge_api::{HealthCheckSample, HealthRecord, Mark, MarkKind, Time};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use super::health::HealthHistory;
use super::point::Point;
use crate::core::{EnvironmentKey, Key};

/// Bytes of the file from which on the oldest is left out.
const MOST_BYTES: i64 = 256 << 20;

/// Somebody else reads it: a backup, a curious user.
const PATIENCE: Duration = Duration::from_millis(500);

/// What each version has added. `user_version` of the file counts them.
const SCHEMA: [&str; 2] = [MEASURED, HEALTH];
const VERSION: i64 = SCHEMA.len() as i64;

const MEASURED: &str = "
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, workspace TEXT NOT NULL, environment TEXT NOT NULL, process TEXT NOT NULL,
        UNIQUE (workspace, environment, process)
    );
    CREATE TABLE point (
        span INTEGER NOT NULL, series INTEGER NOT NULL, time INTEGER NOT NULL,
        cpu REAL, cpu_max REAL, memory INTEGER, threads INTEGER, open_files INTEGER,
        disk_read REAL, disk_written REAL, net_received REAL, net_sent REAL, gauges TEXT,
        PRIMARY KEY (span, series, time)
    ) WITHOUT ROWID;
    CREATE INDEX point_time ON point (span, time);
    CREATE TABLE mark (
        workspace TEXT NOT NULL, environment TEXT NOT NULL, time INTEGER NOT NULL, process TEXT, kind TEXT NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX mark_time ON mark (workspace, environment, time);
";

/// Records are JSON, of [`HealthRecord`]; `start` and `until` are in milliseconds.
const HEALTH: &str = "
    CREATE TABLE health (
        series INTEGER NOT NULL, start INTEGER NOT NULL, until INTEGER NOT NULL, record TEXT NOT NULL,
        PRIMARY KEY (series, start)
    ) WITHOUT ROWID;
    CREATE TABLE health_check (
        series INTEGER NOT NULL, time INTEGER NOT NULL, latency_ms REAL NOT NULL, passed INTEGER NOT NULL,
        PRIMARY KEY (series, time)
    ) WITHOUT ROWID;
";

/// Whose points: a process, or the machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Whose {
    pub(super) environment: EnvironmentKey,
    pub(super) process: String,
}

impl Whose {
    pub(super) fn machine() -> Self {
        let environment = EnvironmentKey { workspace: PathBuf::new(), environment: String::new() };
        Self { environment, process: String::new() }
    }

    pub(super) fn is_machine(&self) -> bool {
        self.process.is_empty()
    }
}

impl From<Key> for Whose {
    fn from(key: Key) -> Self {
        Self { environment: key.environment, process: key.process }
    }
}

impl From<Whose> for Key {
    fn from(whose: Whose) -> Self {
        Self { environment: whose.environment, process: whose.process }
    }
}

/// What is written in one go.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// With the milliseconds that a point stands for.
    pub(super) points: Vec<(Whose, u32, Point)>,
    pub(super) marks: Vec<(EnvironmentKey, Mark)>,
    /// By when they begin: of one that grows, only how it is at last.
    pub(super) health: BTreeMap<(Whose, Time), HealthRecord>,
    pub(super) checks: Vec<(Whose, HealthCheckSample)>,
    /// Points of a span up to this moment go.
    pub(super) forget: Vec<(u32, i64)>,
}

impl Batch {
    /// Leaves out the oldest of what there is too much of, because nobody takes it.
    pub(super) fn bound(&mut self, points: usize, marks: usize) {
        self.points.drain(..self.points.len().saturating_sub(points));
        self.checks.drain(..self.checks.len().saturating_sub(points));
        self.marks.drain(..self.marks.len().saturating_sub(marks));
        while self.health.len() > marks {
            let oldest =
                self.health.iter().min_by_key(|(_, record)| record.until).map(|(key, _)| key.clone());
            oldest.map(|key| self.health.remove(&key));
        }
    }
}

#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
    ids: HashMap<Whose, i64>,
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("of-newer-version-{0}")]
    Newer(i64),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Unusable {
    /// Waiting does not mend it.
    fn is_for_good(&self) -> bool {
        match self {
            Self::Newer(_) => true,
            Self::Sqlite(error) => is_broken(error),
            Self::Io(_) => false,
        }
    }

    fn word(&self) -> String {
        match self {
            Self::Newer(_) => self.to_string(),
            _ => "broken".to_owned(),
        }
    }
}

/// The file is not what it should be.
pub(super) fn is_broken(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::SchemaChanged) => true,
        // A table or column that is not there.
        Some(ErrorCode::Unknown) => true,
        Some(_) => false,
        // A column of another type.
        None => !matches!(error, rusqlite::Error::SqliteFailure(..)),
    }
}

impl Database {
    /// Opens or makes the file. One that is of no use is put aside, and a new one made.
    pub(super) fn open(path: &Path) -> Result<Self, Unusable> {
        match Self::try_open(path) {
            Err(why) if why.is_for_good() => {
                put_aside(path, &why.word())?;
                Self::try_open(path)
            }
            other => other,
        }
    }

    fn try_open(path: &Path) -> Result<Self, Unusable> {
        private(path)?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(PATIENCE)?;
        // A kill costs nothing, a power cut the last seconds at most.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let missing = usize::try_from(version).ok().and_then(|version| SCHEMA.get(version..));
        let Some(missing) = missing else { return Err(Unusable::Newer(version)) };
        if !missing.is_empty() {
            let transaction = connection.unchecked_transaction()?;
            missing.iter().try_for_each(|step| transaction.execute_batch(step))?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
        }
        // A look at each table: what lacks one is broken.
        for look in [
            "SELECT count(*) FROM series",
            "SELECT max(time) FROM mark",
            "SELECT max(time) FROM point WHERE span = 0",
            "SELECT max(start) FROM health WHERE series = 0",
            "SELECT max(time) FROM health_check WHERE series = 0",
        ] {
            connection.query_row(look, [], |_| Ok(()))?;
        }
        Ok(Self { connection, ids: HashMap::new() })
    }

    /// All of it, or none.
    pub(super) fn write(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let written = self.try_write(batch);
        if written.is_err() {
            // Numbers that were given out may have gone with the transaction.
            self.ids.clear();
        }
        written
    }

    fn try_write(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare(
                "INSERT OR REPLACE INTO point VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?;
            for (whose, span, point) in &batch.points {
                let id = id(&transaction, &mut self.ids, whose)?;
                let gauges = (!point.gauges.is_empty()).then(|| serde_json::to_string(&point.gauges).ok());
                insert.execute(params![
                    span,
                    id,
                    point.time_ms,
                    point.cpu_percent,
                    point.cpu_percent_max,
                    point.memory_bytes.and_then(|bytes| i64::try_from(bytes).ok()),
                    point.threads,
                    point.open_files,
                    point.disk_read_rate,
                    point.disk_written_rate,
                    point.net_received_rate,
                    point.net_sent_rate,
                    gauges.flatten(),
                ])?;
            }
            let mut insert = transaction.prepare("INSERT INTO mark VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (environment, mark) in &batch.marks {
                insert.execute(params![
                    environment.workspace.to_string_lossy(),
                    environment.environment,
                    mark.time.0,
                    mark.process,
                    word(mark.kind),
                    mark.text,
                ])?;
            }
            write_health(&transaction, &mut self.ids, batch)?;
            for (span, until) in &batch.forget {
                transaction
                    .execute("DELETE FROM point WHERE span = ?1 AND time <= ?2", params![span, until])?;
                let nanoseconds = until.saturating_mul(1_000_000);
                transaction
                    .execute("DELETE FROM mark WHERE time <= ?1 AND ?2 > 1000", params![nanoseconds, span])?;
                // A check is as fine as a second's point, a record as coarse as a day's.
                transaction
                    .execute("DELETE FROM health WHERE until <= ?1 AND ?2 > 1000", params![until, span])?;
                transaction.execute(
                    "DELETE FROM health_check WHERE time <= ?1 AND ?2 = 1000",
                    params![until, span],
                )?;
            }
        }
        transaction.commit()?;
        if batch.forget.is_empty() { Ok(()) } else { self.bound() }
    }

    /// Leaves out the oldest tenth as long as the file is too large.
    fn bound(&mut self) -> rusqlite::Result<()> {
        let pragma = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let used = (pragma("page_count")? - pragma("freelist_count")?).saturating_mul(pragma("page_size")?);
        if used <= MOST_BYTES {
            return Ok(());
        }
        self.connection.execute(
            "DELETE FROM point WHERE time <= (SELECT min(time) + (max(time) - min(time)) / 10 FROM point)",
            [],
        )?;
        Ok(())
    }

    /// What health checks have said, of all processes.
    pub(super) fn health(&self) -> rusqlite::Result<Vec<(Whose, HealthHistory)>> {
        let mut histories: BTreeMap<Whose, HealthHistory> = BTreeMap::new();
        let mut find = self.connection.prepare(
            "SELECT workspace, environment, process, record FROM health JOIN series ON series.id = series
             ORDER BY start",
        )?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let text: String = row.get(3)?;
            // Of another version, or foreign: the rest is of use.
            if let Ok(record) = serde_json::from_str(&text) {
                histories.entry(whose(row)?).or_default().push_record(record);
            }
        }
        let mut find = self.connection.prepare(
            "SELECT workspace, environment, process, time, latency_ms, passed FROM health_check
             JOIN series ON series.id = series ORDER BY time",
        )?;
        let mut rows = find.query([])?;
        while let Some(row) = rows.next()? {
            let (time, latency_ms, passed) = (Time::from_millis(row.get(3)?), row.get(4)?, row.get(5)?);
            let check = HealthCheckSample { time, latency_ms, passed };
            histories.entry(whose(row)?).or_default().push_check(check);
        }
        Ok(histories.into_iter().collect())
    }

    /// Whose points there are of an environment.
    pub(super) fn series_of(&self, environment: &EnvironmentKey) -> rusqlite::Result<Vec<Whose>> {
        let mut find = self
            .connection
            .prepare("SELECT process FROM series WHERE workspace = ?1 AND environment = ?2 ORDER BY id")?;
        let names = find
            .query_map(params![environment.workspace.to_string_lossy(), environment.environment], |row| {
                row.get::<_, String>(0)
            })?;
        names.map(|name| Ok(Whose { environment: environment.clone(), process: name? })).collect()
    }

    /// Points of a span, oldest first, after one moment and up to another.
    pub(super) fn points(
        &self,
        whose: &Whose,
        span: u32,
        after: i64,
        until: i64,
    ) -> rusqlite::Result<Vec<Point>> {
        let environment = &whose.environment;
        let mut find = self.connection.prepare(
            "SELECT time, cpu, cpu_max, memory, threads, open_files, disk_read, disk_written, net_received,
                 net_sent, gauges
             FROM point WHERE span = ?1 AND time > ?2 AND time <= ?3 AND series =
                 (SELECT id FROM series WHERE workspace = ?4 AND environment = ?5 AND process = ?6)
             ORDER BY time",
        )?;
        let place = (environment.workspace.to_string_lossy(), &environment.environment, &whose.process);
        let points = find.query_map(params![span, after, until, place.0, place.1, place.2], point)?;
        points.collect()
    }

    /// Oldest first.
    pub(super) fn marks(
        &self,
        environment: &EnvironmentKey,
        after: i64,
        until: i64,
    ) -> rusqlite::Result<Vec<Mark>> {
        let mut find = self.connection.prepare(
            "SELECT time, process, kind, text FROM mark
             WHERE workspace = ?1 AND environment = ?2 AND time > ?3 AND time <= ?4 ORDER BY time",
        )?;
        let place = (environment.workspace.to_string_lossy(), &environment.environment);
        let (after, until) = (after.saturating_mul(1_000_000), until.saturating_mul(1_000_000));
        let marks = find.query_map(params![place.0, place.1, after, until], |row| {
            let kind: String = row.get(2)?;
            Ok(kind_of(&kind).map(|kind| {
                Ok(Mark { time: Time(row.get(0)?), process: row.get(1)?, kind, text: row.get(3)? })
            }))
        })?;
        marks.filter_map(|mark| mark.transpose().map(|mark| mark.and_then(|mark| mark))).collect()
    }
}

fn write_health(
    connection: &Connection,
    ids: &mut HashMap<Whose, i64>,
    batch: &Batch,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare("INSERT OR REPLACE INTO health VALUES (?1, ?2, ?3, ?4)")?;
    for ((whose, from), record) in &batch.health {
        let Ok(text) = serde_json::to_string(record) else { continue };
        let id = id(connection, ids, whose)?;
        insert.execute(params![id, from.as_millis(), record.until.as_millis(), text])?;
    }
    let mut insert = connection.prepare("INSERT OR REPLACE INTO health_check VALUES (?1, ?2, ?3, ?4)")?;
    for (whose, check) in &batch.checks {
        let id = id(connection, ids, whose)?;
        insert.execute(params![id, check.time.as_millis(), check.latency_ms, check.passed])?;
    }
    Ok(())
}

fn id(connection: &Connection, ids: &mut HashMap<Whose, i64>, whose: &Whose) -> rusqlite::Result<i64> {
    if let Some(id) = ids.get(whose) {
        return Ok(*id);
    }
    let place = (
        whose.environment.workspace.to_string_lossy().into_owned(),
        whose.environment.environment.as_str(),
        whose.process.as_str(),
    );
    let found: Option<i64> = connection
        .prepare("SELECT id FROM series WHERE workspace = ?1 AND environment = ?2 AND process = ?3")?
        .query_row((&place.0, place.1, place.2), |row| row.get(0))
        .optional()?;
    let id = match found {
        Some(id) => id,
        None => connection
            .prepare("INSERT INTO series (workspace, environment, process) VALUES (?1, ?2, ?3)")?
            .insert((&place.0, place.1, place.2))?,
    };
    ids.insert(whose.clone(), id);
    Ok(id)
}

/// Of a row that begins with `workspace, environment, process`.
fn whose(row: &Row<'_>) -> rusqlite::Result<Whose> {
    let workspace: String = row.get(0)?;
    let environment = EnvironmentKey { workspace: workspace.into(), environment: row.get(1)? };
    Ok(Whose { environment, process: row.get(2)? })
}

fn point(row: &Row<'_>) -> rusqlite::Result<Point> {
    let gauges: Option<String> = row.get(10)?;
    Ok(Point {
        time_ms: row.get(0)?,
        cpu_percent: row.get(1)?,
        cpu_percent_max: row.get(2)?,
        memory_bytes: row.get::<_, Option<i64>>(3)?.and_then(|bytes| u64::try_from(bytes).ok()),
        threads: row.get(4)?,
        open_files: row.get(5)?,
        disk_read_rate: row.get(6)?,
        disk_written_rate: row.get(7)?,
        net_received_rate: row.get(8)?,
        net_sent_rate: row.get(9)?,
        gauges: gauges.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
    })
}

const KINDS: [(MarkKind, &str); 5] = [
    (MarkKind::Start, "start"),
    (MarkKind::Stop, "stop"),
    (MarkKind::Crash, "crash"),
    (MarkKind::Restart, "restart"),
    (MarkKind::Deploy, "deploy"),
];

fn word(kind: MarkKind) -> &'static str {
    KINDS.iter().find(|(one, _)| *one == kind).map_or("", |(_, word)| word)
}

fn kind_of(word: &str) -> Option<MarkKind> {
    KINDS.iter().find(|(_, one)| *one == word).map(|(kind, _)| *kind)
}

/// The file is there, and only its owner may read it; what SQLite puts beside it is made alike.
fn private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// With what SQLite has put beside it.
pub(super) fn put_aside(path: &Path, why: &str) -> io::Result<()> {
    let aside = path.with_extension(format!("{why}-{}", Time::now().as_millis()));
    tracing::error!("{} is {why}; it is kept as {}", path.display(), aside.display());
    for suffix in ["-wal", "-shm"] {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        match fs::rename(with(path), with(&aside)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, &aside)
}
