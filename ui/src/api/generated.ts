// Made from crates/api by `cargo xtask generate`; not to be edited.


/**
 * `notices.act`: do what a notice offers. An incident that is over has nothing to be done about: `not_found`.
 */
export type ActOnNotice = { id: string, action: string, };

/**
 * `workspaces.add`: shows the workspace around a folder from now on. Adding what is there is no error.
 */
export type AddWorkspace = { path: string, 
/**
 * Where there is no configuration, write an example into exactly this folder.
 */
create: boolean, };

export type Attach = { workspace: string, name: string, rows: number, columns: number, };

export type AttachAnswer = { target: Target, };

export type AttachInput = { 
/**
 * Base64.
 */
data: string, };

export type AttachResize = { rows: number, columns: number, };

/**
 * Why an operation failed, by what a face or a script does about it. Stable.
 */
export type Code = "usage" | "configuration" | "no_workspace" | "ambiguous" | "not_found" | "not_running" | "missing" | "untrusted" | "port_conflict" | "not_ready" | "start_failed" | "survivors" | "unsupported" | "already_running" | "no_supervisor" | "protocol" | "system" | "interrupted";

/**
 * What a process costs now: a part of [`crate::Update::Metrics`].
 */
export type Cost = { process: string, cpu_percent: number | null, memory_bytes: number | null, threads: number | null, open_files: number | null, 
/**
 * Bytes a second.
 */
disk_read_rate: number | null, disk_written_rate: number | null, net_received_rate: number | null, net_sent_rate: number | null, gauges: Array<Gauge>, };

export type DependencyDetails = { process: string, 
/**
 * `started`, `ready`, `completed`.
 */
condition: string, };

export type Detach = Record<symbol, never>;

/**
 * `notices.dismiss`: it was seen.
 */
export type DismissNotice = { id: string, };

/**
 * Nothing to say but that it was done.
 */
export type Done = Record<symbol, never>;

/**
 * An environment in short: what a list or a menu shows of it.
 */
export type EnvironmentSummary = { workspace: string, environment: string, description: string | null, processes: number, running: number, ready: number, 
/**
 * In words: `running`, `stopped`, `2 of 4 ready`, `api crashed`.
 */
state: string, mood: Mood, 
/**
 * Something of it is meant to run, or still does.
 */
active: boolean, 
/**
 * `start` would have something to do.
 */
startable: boolean, 
/**
 * What to open in a browser.
 */
url: string | null, };

export type Environments = Record<symbol, never>;

export type EnvironmentsAnswer = { environments: Array<EnvironmentSummary>, };

/**
 * What went wrong, and what to do about it.
 */
export type Error = { code: Code, 
/**
 * What happened, where and why; complete sentences are not needed, names are.
 */
message: string, 
/**
 * What to do.
 */
help?: string | null, 
/**
 * For machines: the shape depends on the code.
 */
details?: JsonValue | null, };

/**
 * Something that happened.
 */
export type Event = { time: string, 
/**
 * `null`: the environment as a whole.
 */
process: string | null, level: EventLevel, 
/**
 * A few words: "crashed".
 */
title: string, 
/**
 * The rest: "exit 1 after 3.2 s; restarting in 5 s".
 */
text: string, 
/**
 * Where it comes from a line of the log: [`crate::LogLine::at`].
 */
at?: string, };

export type EventLevel = "info" | "warn" | "error";

export type EventsAnswer = { events: Array<Event>, };

/**
 * Why a process did not get ready.
 */
export type Failure = { target: Target, reason: string, help: string | null, 
/**
 * The last lines of its output.
 */
output: Array<LogLine>, 
/**
 * Those that wait for it, directly or not.
 */
blocks: Array<string>, };

/**
 * A gauge now.
 */
export type Gauge = { 
/**
 * `connections`, `cache hit rate`, or a name of the configuration's.
 */
name: string, unit: GaugeUnit, 
/**
 * `null`: it could not be had; `problem` says why.
 */
value: number | null, 
/**
 * What it can be at most: connections of `max_connections`.
 */
maximum: number | null, problem: string | null, };

/**
 * As long as [`Series::times_ms`].
 */
export type GaugeSeries = { name: string, unit: GaugeUnit, values: Array<number | null>, };

/**
 * What a gauge counts.
 */
export type GaugeUnit = "number" | "percent" | "bytes";

export type GetStatus = { workspace: string, 
/**
 * `None`: what runs, if it is one environment; else `dev`, or the only one.
 */
environment: string | null, };

export type HandOver = Record<symbol, never>;

/**
 * What the health check says.
 */
export type Health = { state: HealthState, 
/**
 * In words: "PONG received".
 */
message: string | null, checked_at: string | null, };

/**
 * One look at a process's health.
 */
export type HealthCheckSample = { time: string, latency_ms: number, passed: boolean, };

/**
 * What the health check said for a while.
 */
export type HealthRecord = { from: string, until: string, state: HealthState, message: string | null, 
/**
 * Checks that said so.
 */
checks: number, 
/**
 * Of those checks, in milliseconds; `null`: none of them was timed.
 */
mean_latency_ms: number | null, worst_latency_ms: number | null, };

export type HealthState = "none" | "starting" | "healthy" | "unhealthy";

export type Hello = { 
/**
 * [`crate::PROTOCOL`] of the client.
 */
protocol: number, version: string, };

export type HelloAnswer = { protocol: number, version: string, pid: number, host: Host, 
/**
 * Started by a command, not by a person: a foreground one may take over.
 */
background: boolean, 
/**
 * Processes that it holds at present.
 */
held: number, };

/**
 * A program of the machine that is none of Forge's: a process with those below it and beside it that bear its name.
 */
export type Hog = { 
/**
 * Of the one that has been there longest.
 */
pid: number, name: string, processes: number, 
/**
 * 100 is one core; over the last ten seconds.
 */
cpu_percent: number, 
/**
 * The resident sets: what several share counts for each.
 */
memory_bytes: number, };

/**
 * The program around the supervisor.
 */
export type Host = "serve" | "desktop";

/**
 * `inspect`.
 */
export type Inspect = { workspace: string, 
/**
 * `PROCESS` or `ENV/PROCESS`.
 */
name: string, };

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]: JsonValue } | null;

export type Kill = { workspace: string, names: Array<string>, };

export type Leave = Record<symbol, never>;

/**
 * A process that outlived its run.
 */
export type LeftBehind = { pid: number, name: string, };

/**
 * How serious a line says it is.
 */
export type Level = "trace" | "debug" | "info" | "warn" | "error";

/**
 * Lines by level.
 */
export type LevelCounts = { environment: string, process: string, error: number, warn: number, info: number, debug: number, trace: number, 
/**
 * Those that state no level.
 */
unstated: number, 
/**
 * With `buckets`: errors in each part of the time.
 */
errors_over_time: Array<number>, };

/**
 * A place in the merged logs.
 */
export type LogAnchor = { "time": string } | { "line": { environment: string, process: string, at: string, } } | "end";

/**
 * One line, as in `forge logs --json`.
 */
export type LogLine = { time: string, environment: string, process: string, run: number, stream: Stream, level: Level | null, 
/**
 * As a terminal would show it in the end: without escape sequences, and a line that drew over itself with carriage
 * returns as it last was. Bytes that are no UTF-8 come as U+FFFD.
 */
text: string, 
/**
 * How the text is dressed, from its beginning on; empty if it is plain.
 */
styles?: Array<StyledPart>, 
/**
 * Bytes of the line that the text lacks: it ends with their number. [`LogsText`] has all of it.
 */
omitted?: number, 
/**
 * Where the line ends in its process's log, `SEGMENT:OFFSET`: what a link to it holds. Later lines of one process
 * have later places.
 */
at: string, };

/**
 * Lines that say the same but for numbers, names and the like.
 */
export type LogPattern = { 
/**
 * `GET /users/<*> - <*> (<*>)`.
 */
template: string, environment: string, process: string, level: Level | null, count: number, first: string, last: string, 
/**
 * It was never seen before the process's present run. `None`: it was not in the part of the log that was looked
 * through, of what was before nothing is known.
 */
new: boolean | null, 
/**
 * The newest line of it.
 */
example: string, 
/**
 * The place of that line.
 */
at: string, 
/**
 * A regular expression that finds its lines: for [`LogQuery::grep`].
 */
regex: string, 
/**
 * With `buckets`: lines in each part of the time.
 */
over_time: Array<number>, };

/**
 * What to read.
 */
export type LogQuery = { workspace: string, 
/**
 * Processes, groups, environments; empty: what runs, if it is one environment.
 */
names: Array<string>, 
/**
 * The last lines of programs after merging; `None`: all.
 */
tail: number | null, since: string | null, until: string | null, 
/**
 * This level or a worse one. A line without a level counts as `info`.
 */
level: Level | null, 
/**
 * Only these levels; empty: all.
 */
levels: Array<Level>, 
/**
 * A regular expression, or with `literal` a text. It is matched against [`LogLine::text`].
 */
grep: string | null, 
/**
 * `grep` is taken as it stands.
 */
literal: boolean, ignore_case: boolean, invert: boolean, 
/**
 * And only among lines that have this, or with its `invert` have it not.
 */
within: LogSought | null, 
/**
 * Lines around each match.
 */
context: number, run: number | null, stream: Stream | null, };

/**
 * What lines have.
 */
export type LogSought = { 
/**
 * A regular expression, or with `literal` a text.
 */
text: string, literal: boolean, ignore_case: boolean, invert: boolean, };

/**
 * `logs.read`: the next page. The first call has no cursor, and begins with the oldest line, or where `query.tail`,
 * `query.since` or `anchor` says.
 */
export type LogsRead = { query: LogQuery, 
/**
 * `next` or `previous` of an answer before; opaque.
 */
cursor: string | null, 
/**
 * Without a cursor: begin at this place instead.
 */
anchor: LogAnchor | null, 
/**
 * The lines before the cursor or anchor instead of those behind it; in the answer they stand oldest first all the
 * same.
 */
backward: boolean, 
/**
 * Bytes of text in one answer, about.
 */
max_bytes: number | null, 
/**
 * Lines in one answer at most.
 */
max_lines: number | null, 
/**
 * Answer after this many milliseconds with what was found, which may be nothing, rather than look on; the next
 * call goes on there. `None`: look until there is something.
 */
budget_ms: number | null, 
/**
 * At the end of the logs, answer only when there is more, or the connection is closed.
 */
wait: boolean, 
/**
 * Tell also of lines that have no end yet; a change of them is something more. Not backward.
 */
partial: boolean, };

export type LogsReadAnswer = { lines: Array<LogLine>, 
/**
 * With `context`: the places in `lines` before which lines were passed over, so that a new group begins there.
 */
gaps: Array<number>, 
/**
 * Goes on in the direction in which was read.
 */
cursor: string, 
/**
 * Reading backward from here gives what is before the first line; reading on from `next`, what is behind the last.
 */
previous: string, next: string, 
/**
 * Nothing more is stored now; backward: nothing older is.
 */
at_end: boolean, 
/**
 * With `partial` and at the end: lines as far as they are written, a prompt for example. Those of the next answer
 * take their place; whole, they are among its `lines`.
 */
partial: Array<LogLine>, };

/**
 * `logs.scan`: looks through all that the query wants, in the background, and hands out what it finds bit by bit:
 * lines, counts, patterns. A connection has one scan of each `slot`: a new one ends the one before at once.
 */
export type LogsScan = { query: LogQuery, 
/**
 * A name of the client's own, such as `search`.
 */
slot: string, 
/**
 * Newest first, as who looks for yesterday's error wants it.
 */
newest_first: boolean, 
/**
 * Hand out lines, this many at most; 0: only counts.
 */
max_hits: number, 
/**
 * Count by level.
 */
counts: boolean, 
/**
 * Cluster lines into patterns.
 */
patterns: boolean, 
/**
 * Counts over time in this many equal parts of the time that the logs span.
 */
buckets: number, };

export type LogsScanAnswer = { 
/**
 * New ones, in the order in which the scan was asked for.
 */
hits: Array<LogLine>, 
/**
 * Lines that matched so far, handed out or not.
 */
matched: number, 
/**
 * With `counts`: of each process, so far.
 */
counts: Array<LevelCounts>, 
/**
 * With `patterns`: the most frequent ones so far, worst level first.
 */
patterns: Array<LogPattern>, 
/**
 * How many patterns there are beyond those.
 */
more_patterns: number, 
/**
 * Lines of patterns that are in neither: there were more patterns than are remembered, and these were rare.
 */
forgotten_lines: number, 
/**
 * With `buckets`: when each part begins, and the last one ends, in milliseconds since 1970.
 */
edges_ms: Array<number>, 
/**
 * Bytes of the logs that were looked through, and that there are.
 */
scanned_bytes: number, total_bytes: number, 
/**
 * That was all.
 */
done: boolean, };

/**
 * `logs.scan.cancel`.
 */
export type LogsScanCancel = { scan: number, };

/**
 * `logs.scan.next`: what was found since the last call. Answered when there is something new, and otherwise every 50
 * milliseconds with the progress alone.
 */
export type LogsScanNext = { scan: number, };

export type LogsScanStarted = { scan: number, };

/**
 * `logs.text`: the whole text of a line that is too long for a page ([`LogLine::omitted`]), piece by piece.
 */
export type LogsText = { workspace: string, environment: string, process: string, 
/**
 * [`LogLine::at`], and of which stream: where a writer was killed, lines of both end at one place.
 */
at: string, stream: Stream, 
/**
 * `next` of the piece before; opaque. `None`: from its beginning on.
 */
from: string | null, };

export type LogsTextAnswer = { 
/**
 * As in [`LogLine::text`], without how it is dressed. A carriage return goes back to the beginning of the piece.
 */
text: string, 
/**
 * Where the line goes on; `None`: that was its end.
 */
next: string | null, };

/**
 * The whole machine now.
 */
export type Machine = { 
/**
 * 100 is *all* cores; `null` at the first look.
 */
cpu_percent: number | null, cores: number, 
/**
 * What is not available to new programs.
 */
memory_used_bytes: number, memory_total_bytes: number, 
/**
 * Those that take the most of it and are not Forge's, the worst first; looked for every ten seconds. Who takes
 * little is left out.
 */
hogs: Array<Hog>, };

/**
 * The whole machine.
 */
export type MachineSeries = { times_ms: Array<number>, 
/**
 * 100 is *all* cores.
 */
cpu_percent: Array<number | null>, memory_used_bytes: Array<number | null>, };

/**
 * Something on the axis of time, for graphs and logs.
 */
export type Mark = { time: string, process: string | null, kind: MarkKind, 
/**
 * `crashed: exit 1`.
 */
text: string, };

export type MarkKind = "start" | "stop" | "crash" | "restart" | "deploy";

export type MetricsAnswer = { series: Array<Series>, 
/**
 * The whole machine, in the same time.
 */
machine: MachineSeries | null, 
/**
 * What happened in the same time, oldest first.
 */
marks: Array<Mark>, };

/**
 * How an environment is, for whoever has only a glance: the shape of an icon. Worse ones come later.
 */
export type Mood = "stopped" | "ready" | "busy" | "trouble";

/**
 * `alerts.mute`: warnings of this kind are neither told nor shown among the others from now on; or again.
 */
export type MuteAlert = { workspace: string, environment: string, process: string | null, 
/**
 * [`crate::Warning::kind`].
 */
kind: string, muted: boolean, };

/**
 * Warnings that the user wants to hear no more of: [`crate::MuteAlert`].
 */
export type Muted = { 
/**
 * `null`: of the environment as a whole.
 */
process: string | null, 
/**
 * [`Warning::kind`].
 */
kind: string, };

/**
 * One incident. It is told once, changes in place, and is closed when it is over.
 */
export type Notice = { 
/**
 * For [`ActOnNotice`]; the same for the same incident.
 */
id: string, time: string, workspace: string, environment: string, 
/**
 * `null`: the environment as a whole.
 */
process: string | null, kind: NoticeKind, 
/**
 * A few words: `api crashed`.
 */
summary: string, 
/**
 * What is known: exit, last line, what happens next.
 */
body: string, 
/**
 * Most useful first.
 */
actions: Array<NoticeAction>, 
/**
 * When the countdown ends that the body speaks of.
 */
until: string | null, 
/**
 * It has mended by itself, and is told for a moment longer: no trouble any more, and nothing to be decided.
 */
settled: boolean, };

/**
 * What can be done about it.
 */
export type NoticeAction = { 
/**
 * Stable: `restart`, `keep-stopped`, `show-log`, `kill`, `next`, `show`, `open`, `mute`.
 */
id: string, label: string, 
/**
 * It only shows something: the face opens the window there, or the URL, and the supervisor has nothing to do.
 */
shows: boolean, };

export type NoticeKind = "crash" | "crash_loop" | "port_conflict" | "unhealthy" | "alert" | "start_failed" | "ready";

/**
 * `notices`: what is wrong now.
 */
export type Notices = Record<symbol, never>;

export type NoticesAnswer = { 
/**
 * Oldest first.
 */
notices: Array<Notice>, };

/**
 * What to do about a port that is held by something else.
 */
export type OnConflict = "fail" | "kill" | "next";

/**
 * Who held a port when that was told: in the `conflicts` of a refusal.
 */
export type PortHolder = { pid: number, started_at: string | null, };

/**
 * What a process is made of: as it was started last, or as it would be started.
 */
export type ProcessDetails = { target: Target, command: string, cwd: string, 
/**
 * Sorted by name; values of secrets are masked.
 */
variables: Array<VariableDetails>, depends_on: Array<DependencyDetails>, 
/**
 * Those that depend on it.
 */
needed_by: Array<string>, 
/**
 * The health check in words: `GET http://localhost:3000/health every 2s`.
 */
health_check: string | null, 
/**
 * Newest last; only changes of state or message, with the last time each was seen.
 */
health_history: Array<HealthRecord>, 
/**
 * Single checks, newest last: the latency over time.
 */
health_checks: Array<HealthCheckSample>, 
/**
 * Where its segments lie.
 */
log_folder: string, };

/**
 * One process. Figures that the platform cannot give, or that nobody measures yet, are `null`.
 */
export type ProcessStatus = { name: string, status: State, ready: boolean, health: Health, 
/**
 * What the command became.
 */
pid: number | null, 
/**
 * What its tree listens on now.
 */
ports: Array<number>, started_at: string | null, uptime_seconds: number | null, 
/**
 * Automatic and asked-for restarts since it was last started from `stopped`.
 */
restarts: number, 
/**
 * Of the last end; `null` while it runs.
 */
exit_code: number | null, 
/**
 * A name, e.g. `SIGKILL`.
 */
signal: string | null, 
/**
 * The dependencies whose conditions do not hold yet.
 */
waiting_on: Array<string>, 
/**
 * What a person should know about the state.
 */
message: string | null, debug: boolean, cpu_percent: number | null, memory_bytes: number | null, threads: number | null, open_files: number | null, 
/**
 * How many files one process of the tree may open: the limit of the one that is nearest to its own.
 */
open_files_limit: number | null, disk_read_bytes: number | null, disk_written_bytes: number | null, net_received_bytes: number | null, net_sent_bytes: number | null, 
/**
 * What the configuration's `metrics` and its database tell.
 */
gauges: Array<Gauge>, 
/**
 * The number of the current or last run, from 1; 0 before the first.
 */
run: number, 
/**
 * The configuration has changed since this run began; `start` applies it.
 */
outdated: boolean, 
/**
 * When the countdown ends.
 */
restart_at: string | null, 
/**
 * What it will listen on.
 */
declared_ports: Array<number>, 
/**
 * What to open in a browser.
 */
url: string | null, 
/**
 * Meant to run: started and not stopped since.
 */
wanted: boolean, 
/**
 * In no environment's start unless named.
 */
disabled: boolean, groups: Array<string>, one_shot: boolean, tty: boolean, 
/**
 * What still lives of a run that is over.
 */
left?: Array<LeftBehind>, };

/**
 * `events`: what happened in an environment, oldest first.
 */
export type ReadEvents = { workspace: string, environment: string, 
/**
 * Only of this process.
 */
process: string | null, 
/**
 * The newest so many; `null`: all that are remembered.
 */
limit: number | null, };

/**
 * `metrics`: what was measured of an environment's processes: a sample a second of the last 15 minutes, one every ten
 * seconds of the last 24 hours, also of the time before the supervisor started.
 */
export type ReadMetrics = { workspace: string, environment: string, 
/**
 * Only samples after this moment, in milliseconds since 1970; 0: all.
 */
after_ms: number, 
/**
 * Only samples up to this moment.
 */
before_ms: number | null, 
/**
 * Milliseconds between two points at least, so that a day does not come second by second; `null`: as fine as the
 * time that was asked for allows (a second within 15 minutes, else ten).
 */
step_ms: number | null, };

/**
 * `workspaces.remove`: shows it no longer, until it is added or started again. Refused while something of it runs.
 */
export type RemoveWorkspace = { path: string, };

export type Restart = { workspace: string, 
/**
 * Empty: what runs, if it is one environment.
 */
names: Array<string>, variables: { [key in string]: string } | null, };

export type SendText = { workspace: string, name: string, text: string, };

/**
 * The samples of one process, oldest first. All columns are equally long; `null`: it could not be measured.
 */
export type Series = { process: string, 
/**
 * Milliseconds since 1970. A gap means that nothing of it ran, or that no supervisor did.
 */
times_ms: Array<number>, 
/**
 * 100 is one core; the whole tree, without the keeper.
 */
cpu_percent: Array<number | null>, 
/**
 * The most of a second within the step; the same as [`Self::cpu_percent`] where a step is a second.
 */
cpu_percent_max: Array<number | null>, memory_bytes: Array<number | null>, threads: Array<number | null>, open_files: Array<number | null>, 
/**
 * Bytes a second.
 */
disk_read_rate: Array<number | null>, disk_written_rate: Array<number | null>, 
/**
 * TCP, bytes a second.
 */
net_received_rate: Array<number | null>, net_sent_rate: Array<number | null>, 
/**
 * `metrics:` of the configuration, and what its database tells.
 */
gauges: Array<GaugeSeries>, };

export type Signal = { workspace: string, name: string, 
/**
 * `SIGHUP`, `hup` or a number.
 */
signal: string, };

/**
 * Start environments, processes or groups, with what they depend on.
 */
export type Start = { workspace: string, 
/**
 * Empty: `dev`, or the only environment.
 */
names: Array<string>, 
/**
 * The caller's environment; without it a login shell's in the workspace is read.
 */
variables: { [key in string]: string } | null, 
/**
 * The user has typed the command there: that is trust in what the workspace runs. Without it, a workspace whose
 * commands nobody has confirmed is refused with `untrusted`.
 */
trust: boolean, on_conflict: OnConflict, 
/**
 * With `on_conflict: kill` only these are ended, whom the user has seen and agreed to; `null`: whoever holds the
 * ports.
 */
holders: Array<PortHolder> | null, };

export type StartCancel = { ticket: number, };

export type StartOutcome = { 
/**
 * All of them are ready.
 */
ready: boolean, timed_out: boolean, 
/**
 * Of the start's first environment.
 */
status: Status, 
/**
 * The causes, not those that only wait for them; empty when ready.
 */
failures: Array<Failure>, 
/**
 * What to open: the first process with an HTTP port that nothing else depends on.
 */
url: string | null, };

export type StartWait = { ticket: number, 
/**
 * Milliseconds; `None`: for as long as it takes.
 */
timeout_ms: number | null, };

/**
 * A start under way.
 */
export type Started = { 
/**
 * For `start.wait` and `start.cancel`.
 */
ticket: number, workspace: string, 
/**
 * Of the first name.
 */
environment: string, 
/**
 * All that this start waits for, dependencies first.
 */
processes: Array<Target>, 
/**
 * Those of them that were not running before, or are restarted because the configuration changed.
 */
starting: Array<Target>, };

/**
 * What a process is doing.
 */
export type State = "stopped" | "waiting" | "starting" | "running" | "stopping" | "exited" | "crashed" | "restarting" | "failed";

/**
 * One environment.
 */
export type Status = { 
/**
 * Absolute.
 */
workspace: string, environment: string, 
/**
 * Every process that is meant to run is ready, and there is one.
 */
ready: boolean, supervisor: Supervisor, 
/**
 * In the configuration's order; what runs but is no longer configured comes last.
 */
processes: Array<ProcessStatus>, 
/**
 * The newest ones, oldest first.
 */
events: Array<Event>, warnings: Array<Warning>, 
/**
 * What the user wants to hear no more of, whether there is a warning of that kind now or not.
 */
muted: Array<Muted>, 
/**
 * What to open: where something says so, else an HTTP service that nothing else depends on.
 */
url: string | null, 
/**
 * The whole machine, beside what the processes cost; `null` while nothing is measured.
 */
machine: Machine | null, };

export type Stop = { workspace: string, 
/**
 * Empty: what runs, if it is one environment.
 */
names: Array<string>, 
/**
 * Everything of every workspace.
 */
all: boolean, };

/**
 * Answered when every tree is empty, or somebody survived.
 */
export type Stopped = { 
/**
 * Those that ran or waited, and no longer do.
 */
stopped: Array<Target>, survivors: Array<Survivor>, };

/**
 * Where a line came from.
 */
export type Stream = "stdout" | "stderr" | "forge";

/**
 * A part of a line's text that looks alike. What is behind the last one is plain.
 */
export type StyledPart = { 
/**
 * UTF-16 code units, which is what a page counts in.
 */
length: number, 
/**
 * `red`, `bright_red` … for the terminal's own sixteen, else `#rrggbb`.
 */
foreground?: string, background?: string, bold?: boolean, dim?: boolean, italic?: boolean, underline?: boolean, strikethrough?: boolean, 
/**
 * Foreground and background have changed places.
 */
inverse?: boolean, };

export type Subscribe = { 
/**
 * `None`: every workspace, with what is configured and was never started.
 */
workspace: string | null, 
/**
 * Also what the processes cost, once a second.
 */
metrics: boolean, };

/**
 * Updates after this come on top of these.
 */
export type Subscribed = { 
/**
 * What time it is here.
 */
now: string, environments: Array<Status>, };

/**
 * Who decides.
 */
export type Supervisor = { pid: number, host: Host, version: string, };

/**
 * What could not be ended.
 */
export type Survivor = { target: Target, pid: number, name: string, };

/**
 * A process of an environment of the workspace in question.
 */
export type Target = { environment: string, process: string, };

/**
 * `workspaces.trust`: the user has seen the commands of that hash. Without a hash: as they stand.
 */
export type TrustWorkspace = { path: string, hash: string | null, };

export type Unsubscribe = Record<symbol, never>;

/**
 * What happened: the parameters of the notification `update`.
 */
export type Update = { "update": "process", workspace: string, environment: string, process: ProcessStatus, } | { "update": "event", workspace: string, environment: string, event: Event, } | { "update": "environment", summary: EnvironmentSummary, } | { "update": "workspaces", } | { "update": "notice", notice: Notice, } | { "update": "notice_closed", id: string, } | { "update": "metrics", workspace: string, environment: string, time_ms: number, costs: Array<Cost>, 
/**
 * The whole machine.
 */
machine: Machine | null, } | { "update": "terminal", data: string, } | { "update": "terminal_closed", message: string, } | { "update": "lagged", };

export type VariableDetails = { name: string, value: string, 
/**
 * `caller`, `.env`, `.env.local:3`, `port`, `env of the environment`, `env`, `debug`.
 */
origin: string, 
/**
 * The value is masked.
 */
secret: boolean, };

/**
 * Something that is not right while it lasts.
 */
export type Warning = { process: string | null, 
/**
 * Stable: `outdated`, `configuration`, `unhealthy`, `left_running`, `port_held`, `log_lost`; of what is measured
 * `memory_growth`, `cpu`, `open_files`, `log_growth`, `error_rate`, `crash_loop`, `hog`; of what is logged `slow`,
 * `grew` …
 */
kind: string, text: string, 
/**
 * When it began, where that is known.
 */
since: string | null, 
/**
 * The user wants to hear no more of it: [`crate::MuteAlert`].
 */
muted: boolean, };

/**
 * A folder with `.forge/processes.yml`.
 */
export type Workspace = { 
/**
 * Absolute.
 */
path: string, 
/**
 * The folder's name, for people; in a list that has it twice, with the folders above it.
 */
name: string, 
/**
 * Its configuration; the one that would be made if there is none.
 */
file: string, 
/**
 * Its commands were confirmed as they stand, or started by a command of the user's.
 */
trusted: boolean, 
/**
 * Why its configuration cannot be used; what runs goes on all the same.
 */
problem: Error | null, 
/**
 * In the file's order; what runs but is configured no longer comes last.
 */
environments: Array<EnvironmentSummary>, };

/**
 * One command of a workspace.
 */
export type WorkspaceCommand = { environment: string, process: string, 
/**
 * `command`, `health_check`, `shutdown`, `debug`, `metrics`.
 */
purpose: string, command: string, };

/**
 * `workspaces.commands`: all that the workspace would run, to be looked at before it is trusted.
 */
export type WorkspaceCommands = { path: string, };

export type WorkspaceCommandsAnswer = { 
/**
 * Of all the commands; what [`TrustWorkspace`] confirms.
 */
hash: string, trusted: boolean, commands: Array<WorkspaceCommand>, };

/**
 * `workspaces`.
 */
export type Workspaces = Record<symbol, never>;

export type WorkspacesAnswer = { 
/**
 * By name.
 */
workspaces: Array<Workspace>, };

export interface Operations {
  "hello": { params: Hello; answer: HelloAnswer };
  "hand_over": { params: HandOver; answer: Done };
  "leave": { params: Leave; answer: Done };
  "start": { params: Start; answer: Started };
  "start.wait": { params: StartWait; answer: StartOutcome };
  "start.cancel": { params: StartCancel; answer: Stopped };
  "stop": { params: Stop; answer: Stopped };
  "restart": { params: Restart; answer: Started };
  "kill": { params: Kill; answer: Stopped };
  "status": { params: GetStatus; answer: Status };
  "environments": { params: Environments; answer: EnvironmentsAnswer };
  "workspaces": { params: Workspaces; answer: WorkspacesAnswer };
  "workspaces.add": { params: AddWorkspace; answer: Workspace };
  "workspaces.remove": { params: RemoveWorkspace; answer: Done };
  "workspaces.commands": { params: WorkspaceCommands; answer: WorkspaceCommandsAnswer };
  "workspaces.trust": { params: TrustWorkspace; answer: Workspace };
  "inspect": { params: Inspect; answer: ProcessDetails };
  "events": { params: ReadEvents; answer: EventsAnswer };
  "metrics": { params: ReadMetrics; answer: MetricsAnswer };
  "alerts.mute": { params: MuteAlert; answer: Done };
  "notices": { params: Notices; answer: NoticesAnswer };
  "notices.act": { params: ActOnNotice; answer: Done };
  "notices.dismiss": { params: DismissNotice; answer: Done };
  "signal": { params: Signal; answer: Done };
  "send": { params: SendText; answer: Done };
  "attach": { params: Attach; answer: AttachAnswer };
  "attach.input": { params: AttachInput; answer: Done };
  "attach.resize": { params: AttachResize; answer: Done };
  "detach": { params: Detach; answer: Done };
  "logs.read": { params: LogsRead; answer: LogsReadAnswer };
  "logs.text": { params: LogsText; answer: LogsTextAnswer };
  "logs.scan": { params: LogsScan; answer: LogsScanStarted };
  "logs.scan.next": { params: LogsScanNext; answer: LogsScanAnswer };
  "logs.scan.cancel": { params: LogsScanCancel; answer: Done };
  "subscribe": { params: Subscribe; answer: Subscribed };
  "unsubscribe": { params: Unsubscribe; answer: Done };
}
