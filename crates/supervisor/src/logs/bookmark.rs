//! Cursors: where a page ended, in a text that the client hands back.

use std::hash::{DefaultHasher, Hash, Hasher};

use forge_api::{Code, Error, LogLine, Stream, Target};
use forge_logs::Cursor;
use serde::{Deserialize, Serialize};

/// Environment, process, place.
type Place = (String, String, String);

/// What a page's end must remember.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Bookmark {
    places: Vec<Place>,
    /// Where the logs ended when the reading began, if it ends there.
    ends: Option<Vec<Place>>,
    pub(super) context: ContextState,
    /// Up to where there is no match, and whether that was looked for backward.
    sought: Option<(bool, Vec<Place>)>,
    /// What was told of lines without an end: see [`told`]; 0: nothing.
    pub(super) partial: u64,
}

/// What tells apart which lines without an end were told.
pub(super) fn told(lines: &[LogLine]) -> u64 {
    if lines.is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    for line in lines {
        (&line.environment, &line.process, line.stream == Stream::Stderr, &line.text).hash(&mut hasher);
    }
    hasher.finish().max(1)
}

/// Where a page ended between matches and what surrounds them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct ContextState {
    /// Lines that still belong to the last match.
    pub(super) after: u32,
    /// A match was shown.
    pub(super) shown: bool,
    /// Lines were passed over since.
    pub(super) passed: bool,
}

impl Bookmark {
    pub(super) fn of<'a>(places: impl Iterator<Item = (&'a Target, Cursor)>, context: ContextState) -> Self {
        Self { places: places.map(place).collect(), context, ..Self::default() }
    }

    /// Goes on up to these places only.
    pub(super) fn up_to<'a>(self, ends: impl Iterator<Item = (&'a Target, Cursor)>) -> Self {
        Self { ends: Some(ends.map(place).collect()), ..self }
    }

    /// In this direction there is no match before these places.
    pub(super) fn sought<'a>(
        self,
        backward: bool,
        places: impl Iterator<Item = (&'a Target, Cursor)>,
    ) -> Self {
        Self { sought: Some((backward, places.map(place).collect())), ..self }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text)
            .map_err(|_| Error::new(Code::Usage, "the cursor is none that `logs.read` gave"))
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The place in a process's log. One that was not there then is read from its beginning.
    pub(super) fn place(&self, target: &Target) -> Cursor {
        find(&self.places, target)
    }

    /// Up to where a process's log has no match.
    pub(super) fn sought_in(&self, target: &Target, backward: bool) -> Option<Cursor> {
        let (of, places) = self.sought.as_ref()?;
        (*of == backward).then(|| find(places, target))
    }

    /// Up to where a process's log was looked through from its beginning on.
    pub(super) fn read(&self, target: &Target) -> Cursor {
        let place = self.place(target);
        self.sought_in(target, false).map_or(place, |sought| sought.max(place))
    }

    /// Where the reading of a process's log ends; one that was not there when it began is not read.
    pub(super) fn end(&self, target: &Target) -> Option<Cursor> {
        self.ends.as_deref().map(|ends| find(ends, target))
    }
}

fn place((target, cursor): (&Target, Cursor)) -> Place {
    (target.environment.clone(), target.process.clone(), cursor.to_string())
}

fn find(places: &[Place], target: &Target) -> Cursor {
    let known = |place: &&Place| place.0 == target.environment && place.1 == target.process;
    let place = places.iter().find(known).and_then(|place| place.2.parse().ok());
    place.unwrap_or(Cursor { segment: 0, offset: 0 })
}
