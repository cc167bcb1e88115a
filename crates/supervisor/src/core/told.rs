//! What processes have told in their logs: events, warnings, and how they are in their own words.

use std::collections::BTreeMap;
use std::sync::Arc;

use forge_api::{Event, EventLevel, HealthState, Time, Warning};
use forge_config::model::EventLevel as RuleLevel;
use forge_config::resolve::ResolvedProcess;
use forge_keeper::message::Request;
use forge_logs::Level;
use forge_logs::events::{OwnRule, Watch, Work};
use serde::{Deserialize, Serialize};

use super::{Core, EnvironmentKey, Key, Process};
use crate::told::{Following, Found, Happening, NewSize, Place, bytes, follow, in_the_last_hour};

/// Sizes that are remembered of each process.
const SIZES: usize = 1024;

/// How long a size that grew is warned of.
const GREW_FOR_NS: i64 = 3600 * 1_000_000_000;

/// Sizes that follow one another within this time are of the same build.
const BUILD_NS: i64 = 1_000_000_000;

/// What a process has told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    place: Place,
    /// By minute.
    slow: BTreeMap<(i64, Work), u64>,
    sizes: BTreeMap<String, Built>,
    build: Build,
}

/// What was built together: chunks whose names differ in nothing but their hashes are told apart by their order.
#[derive(Debug, Default)]
struct Build {
    /// Nanoseconds since 1970.
    last: i64,
    names: BTreeMap<String, u32>,
}

impl Build {
    /// `index.js`, and of the next one of that name `index.js (2)`.
    fn own_name(&mut self, name: String, time: i64) -> String {
        if time.saturating_sub(self.last) >= BUILD_NS {
            self.names.clear();
        }
        self.last = time;
        let count = self.names.entry(name.clone()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name} ({count})") }
    }
}

/// The size of something that was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Built {
    bytes: u64,
    /// Nanoseconds since 1970.
    time: i64,
    /// What it was before it grew, and when it did.
    grew: Option<(u64, i64)>,
}

/// [`Told`], as it is written down.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedTold {
    counted: Option<String>,
    resume: Option<String>,
    /// Minute, request or query or operation, how many.
    slow: Vec<(i64, String, u64)>,
    sizes: BTreeMap<String, Built>,
}

impl SavedTold {
    pub(super) fn of(told: &Told) -> Self {
        Self {
            counted: told.place.counted.map(|cursor| cursor.to_string()),
            resume: told.place.resume.map(|cursor| cursor.to_string()),
            slow: told
                .slow
                .iter()
                .map(|((minute, work), count)| (*minute, work.name().to_owned(), *count))
                .collect(),
            sizes: told.sizes.clone(),
        }
    }

    pub(super) fn restore(&self) -> Told {
        let cursor = |text: &Option<String>| text.as_ref().and_then(|text| text.parse().ok());
        let work = |name: &str| Work::ALL.into_iter().find(|work| work.name() == name);
        let slow =
            self.slow.iter().filter_map(|(minute, name, count)| Some(((*minute, work(name)?), *count)));
        Told {
            place: Place { counted: cursor(&self.counted), resume: cursor(&self.resume) },
            slow: slow.collect(),
            sizes: self.sizes.clone(),
            build: Build::default(),
        }
    }
}

impl Told {
    /// Remembers a size; returns what to tell if it has grown.
    fn built(&mut self, built: NewSize) -> Option<Happening> {
        let NewSize { name, bytes: now, time, at } = built;
        let name = self.build.own_name(name, time.0);
        let before = self.sizes.get(&name);
        let grew = match before {
            Some(before) if has_grown(before.bytes, now) => Some((before.bytes, time.0)),
            // It is still larger than it was.
            Some(before) => before.grew.filter(|(base, _)| has_grown(*base, now)),
            None => None,
        };
        let news = grew.filter(|(_, since)| *since == time.0);
        self.sizes.insert(name.clone(), Built { bytes: now, time: time.0, grew });
        if self.sizes.len() > SIZES
            && let Some(oldest) =
                self.sizes.iter().min_by_key(|(_, built)| built.time).map(|(name, _)| name.clone())
        {
            self.sizes.remove(&oldest);
        }
        let (base, _) = news?;
        Some(Happening {
            level: Level::Warn,
            title: "Bundle size increased".to_owned(),
            text: format!("by {}: {name} has {} now", bytes(now - base), bytes(now)),
            time,
            at,
        })
    }

    /// What is not as it should be, by the words of the log.
    pub(super) fn warnings(&self, process: &str, now: Time) -> Vec<Warning> {
        let slow = Work::ALL.into_iter().filter_map(|work| {
            let count = in_the_last_hour(&self.slow, work, now);
            let text = format!("{} in the last hour", work.counted(count));
            (count > 0).then(|| Warning::new(Some(process), "slow", text))
        });
        let grew = self.sizes.iter().filter_map(|(name, built)| {
            let (base, since) = built.grew.filter(|(_, since)| now.0.saturating_sub(*since) < GREW_FOR_NS)?;
            let text = format!(
                "Bundle size increased by {}: {name} has {} now",
                bytes(built.bytes - base),
                bytes(built.bytes)
            );
            Some(Warning {
                since: Some(Time(since).to_millis()),
                ..Warning::new(Some(process), "grew", text)
            })
        });
        slow.chain(grew).collect()
    }
}

/// By a tenth or 100 KB, and by 10 KB at least: less comes and goes with every change.
fn has_grown(before: u64, now: u64) -> bool {
    let by = now.saturating_sub(before);
    by >= 10_000 && (by >= 100_000 || by >= before / 10)
}

impl Core {
    /// Follows what the process writes, from its first run on and over all later ones.
    pub(super) fn watch_log(&mut self, key: &Key, definition: &ResolvedProcess) {
        let slow = self.slow(&key.environment.workspace);
        let Some(process) = self.process_mut(key) else { return };
        if let Some((task, by)) = process.follower.take() {
            if by == slow {
                process.follower = Some((task, by));
                return;
            }
            // What counts as slow is another matter now.
            task.abort();
        }
        let folder = super::act::log_folder(&self.home.logs(), key);
        let (handle, turns) = (self.handle.clone(), Arc::clone(&self.turns));
        let Some(process) = self.process_mut(key) else { return };
        let own = definition.events.iter().filter_map(|rule| {
            let level = match rule.level {
                RuleLevel::Info => Level::Info,
                RuleLevel::Warn => Level::Warn,
                RuleLevel::Error => Level::Error,
            };
            // The configuration was checked: they are regular expressions.
            let pattern = regex::Regex::new(&rule.pattern).ok()?;
            Some(OwnRule { pattern, title: rule.title.clone(), level })
        });
        let watch = Arc::new(Watch::new(own.collect(), slow));
        let following =
            Following { key: key.clone(), folder, run: process.number, watch, place: process.told.place };
        let growth = process.log_end.subscribe();
        if let Some(run) = &process.run {
            let _ = run.requests.send(Request::Follow);
        }
        let task = tokio::spawn(follow(handle, following, turns, growth)).abort_handle();
        process.follower = Some((task, slow));
    }

    /// Takes what a follower has found.
    pub(crate) fn told(&mut self, key: &Key, found: Found) {
        let now_minute = Time::now().0.div_euclid(60_000_000_000);
        let Some(process) = self.process_mut(key) else { return };
        process.told.place = found.place;
        if found.errors > 0 {
            *process.costs.errors.get_or_insert(0) += found.errors;
        }
        if found.is_silent() && !found.far {
            return;
        }
        for (minute, count) in found.slow {
            *process.told.slow.entry(minute).or_default() += count;
        }
        process.told.slow.retain(|(minute, _), _| *minute > now_minute - 60);
        process.say(found.state);
        let mut happenings = found.happenings;
        happenings.extend(found.sizes.into_iter().filter_map(|built| process.told.built(built)));
        for happening in happenings {
            self.record_happening(key, happening);
        }
        self.touched.insert(key.environment.clone());
        self.unsaved(&key.environment);
    }

    /// What the logs of an environment's processes warn of.
    pub(super) fn told_warnings(&self, key: &EnvironmentKey) -> Vec<Warning> {
        let processes = self.environments.get(key).into_iter().flat_map(|environment| &environment.processes);
        processes.flat_map(|(name, process)| process.told.warnings(name, Time::now())).collect()
    }

    fn record_happening(&mut self, key: &Key, happening: Happening) {
        let Happening { level, title, text, time, at } = happening;
        let level = match level {
            Level::Error => EventLevel::Error,
            Level::Warn => EventLevel::Warn,
            Level::Info | Level::Debug | Level::Trace => EventLevel::Info,
        };
        let at = Some(at.to_string());
        let event = Event { level, at, ..super::event(key, time.to_millis(), &title, text) };
        self.record_once(&key.environment, event);
    }
}

impl Process {
    /// Without a check, what it says of itself is all that is known of its health.
    fn say(&mut self, said: Option<(String, u32, Time)>) {
        let Some((text, _, time)) = said.filter(|said| said.1 == self.number) else { return };
        if self.health.state == HealthState::None {
            (self.health.message, self.health.checked_at) = (Some(text), Some(time.to_millis()));
        }
    }
}

#[cfg(test)]
mod tests {
    use forge_logs::Cursor;

    use super::*;

    fn built(name: &str, bytes: u64, seconds: i64) -> NewSize {
        let at = Cursor { segment: 1, offset: 0 };
        NewSize { name: name.to_owned(), bytes, time: Time(seconds * 1_000_000_000), at }
    }

    #[test]
    fn a_bundle_that_grew_is_told_once_and_warned_of_until_it_shrinks() {
        let mut told = Told::default();
        let mut told_of = |bytes, seconds| told.built(built("main.js", bytes, seconds)).map(|one| one.text);
        assert_eq!(told_of(1_000_000, 1), None, "the first size");
        assert_eq!(told_of(1_005_000, 2), None, "a little");
        let grew = told_of(1_155_000, 3);
        assert_eq!(grew.as_deref(), Some("by 150 KB: main.js has 1.16 MB now"), "much");
        assert_eq!(told_of(1_156_000, 4), None, "still so");
        let warnings = |told: &Told, seconds| {
            let warnings = told.warnings("web", Time(i64::from(seconds) * 1_000_000_000));
            warnings
                .into_iter()
                .map(|warning| format!("{} {}", warning.kind, warning.text))
                .collect::<Vec<_>>()
        };
        let expected = "grew Bundle size increased by 151 KB: main.js has 1.16 MB now";
        assert_eq!(warnings(&told, 5), [expected], "while it is so");
        assert!(warnings(&told, 3700).is_empty(), "for an hour");
        told.built(built("main.js", 1_000_000, 6));
        assert!(warnings(&told, 7).is_empty(), "until it shrinks");
    }

    #[test]
    fn chunks_of_one_name_are_each_compared_with_itself() {
        let mut told = Told::default();
        let mut build = |second, sizes: [u64; 2]| {
            sizes.map(|bytes| told.built(built("assets/index.js", bytes, second)).map(|one| one.text))
        };
        assert_eq!(build(1, [50_000, 300_000]), [None, None], "two of one name");
        assert_eq!(build(10, [50_000, 300_000]), [None, None], "the same again");
        let grown = "by 200 KB: assets/index.js (2) has 500 KB now".to_owned();
        assert_eq!(build(20, [50_000, 500_000]), [None, Some(grown)], "one of them has grown");
    }

    #[test]
    fn sizes_are_bounded() {
        let mut told = Told::default();
        for number in 0..2000 {
            told.built(built(&format!("{number}.js"), 1, number));
        }
        assert_eq!(told.sizes.len(), SIZES, "the oldest are forgotten");
        assert!(told.sizes.contains_key("1999.js"), "the newest is there");
    }

    #[test]
    fn slow_work_is_counted_for_an_hour() {
        let told = Told {
            build: Build::default(),
            slow: [
                ((100, Work::Request), 2),
                ((130, Work::Request), 1),
                ((130, Work::Query), 1),
                ((40, Work::Query), 9),
            ]
            .into(),
            ..Told::default()
        };
        let shown = |minute: i64| {
            let warnings = told.warnings("api", Time(minute * 60_000_000_000));
            warnings.into_iter().map(|warning| warning.text).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(shown(131), "3 slow requests in the last hour; 1 slow query in the last hour");
        assert_eq!(shown(165), "1 slow request in the last hour; 1 slow query in the last hour");
        assert_eq!(shown(190), "", "an hour later");
    }

    #[test]
    fn what_was_told_survives_being_written_down() {
        let told = Told {
            build: Build::default(),
            place: Place {
                counted: Some(Cursor { segment: 3, offset: 77 }),
                resume: Some(Cursor { segment: 3, offset: 7 }),
            },
            slow: [((100, Work::Operation), 2)].into(),
            sizes: BTreeMap::new(),
        };
        let text = serde_json::to_string(&SavedTold::of(&told)).expect("it can be written");
        let read: SavedTold = serde_json::from_str(&text).expect("and read");
        let read = read.restore();
        assert_eq!((read.place, read.slow), (told.place, told.slow), "the same");
    }
}
