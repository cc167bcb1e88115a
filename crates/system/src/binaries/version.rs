//! Version numbers, and what is required of them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Numbers with dots, `1.22.3`. What follows them (`-rc1`, `+build`) is not part of it; missing numbers count as 0.
#[derive(Debug, Clone)]
pub struct Version(Vec<u64>);

/// How a version is compared with the required one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `=`, as far as the required one has numbers: `=20` is met by `20.1`.
    Exactly,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `^`: at least, and the same up to the first number that is not 0.
    Compatible,
}

/// `node`, or `node>=20.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The program.
    pub name: String,
    /// What its version must be; `None`: any.
    pub version: Option<(Comparison, Version)>,
}

/// The text that is no version, or no requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

/// Longer signs before those that they begin with.
const SIGNS: [(&str, Comparison); 7] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    ("==", Comparison::Exactly),
    (">", Comparison::Above),
    ("<", Comparison::Below),
    ("=", Comparison::Exactly),
    ("^", Comparison::Compatible),
];

impl Version {
    /// The first numbers with dots in a text (`v20.1.0`, `go1.22`, `psql (PostgreSQL) 15.8`); without any, the first number that
    /// stands alone (`less 608`).
    pub fn find_in(text: &str) -> Option<Self> {
        let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
        let numbers = || words().map(|word| word.trim_start_matches(|c: char| !c.is_ascii_digit()));
        let dotted = numbers().filter_map(Self::leading).find(|version| version.0.len() > 1);
        dotted.or_else(|| words().find_map(|word| word.strip_prefix('v').unwrap_or(word).parse().ok()))
    }

    /// The numbers at the start of a word; what follows is dropped.
    fn leading(word: &str) -> Option<Self> {
        let end = word.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(word.len());
        word[..end].trim_end_matches('.').parse().ok()
    }

    /// The number at a place, 0 where there is none.
    fn at(&self, place: usize) -> u64 {
        self.0.get(place).copied().unwrap_or(0)
    }

    fn same_in_first(&self, other: &Self, places: usize) -> bool {
        (0..places).all(|place| self.at(place) == other.at(place))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let places = self.0.len().max(other.0.len());
        (0..places)
            .map(|place| self.at(place).cmp(&other.at(place)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, number) in self.0.iter().enumerate() {
            write!(f, "{}{number}", if place == 0 { "" } else { "." })?;
        }
        Ok(())
    }
}

impl FromStr for Version {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let numbers = text.split('.').map(|part| if digits(part) { part.parse().ok() } else { None });
        numbers.collect::<Option<_>>().map(Self).ok_or_else(|| Malformed(text.to_owned()))
    }
}

impl Requirement {
    /// Whether this version satisfies it.
    pub fn is_met_by(&self, version: &Version) -> bool {
        let Some((comparison, required)) = &self.version else { return true };
        match comparison {
            Comparison::AtLeast => version >= required,
            Comparison::Above => version > required,
            Comparison::Exactly => version.same_in_first(required, required.0.len()),
            Comparison::AtMost => version <= required,
            Comparison::Below => version < required,
            Comparison::Compatible => {
                let first = required.0.iter().position(|number| *number != 0);
                let places = first.map_or(required.0.len(), |place| place + 1);
                version >= required && version.same_in_first(required, places)
            }
        }
    }
}

impl FromStr for Requirement {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed(text.to_owned());
        let split = text.find(['<', '>', '=', '^']).unwrap_or(text.len());
        let (name, rest) = text.split_at(split);
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(malformed());
        }
        let version = if rest.is_empty() {
            None
        } else {
            let sign =
                SIGNS.iter().find_map(|(sign, how)| rest.strip_prefix(sign).map(|rest| (*how, rest.trim())));
            let (how, number) = sign.ok_or_else(malformed)?;
            let number = number.strip_prefix('v').unwrap_or(number);
            Some((how, number.parse().map_err(|_| malformed())?))
        };
        Ok(Self { name: name.to_owned(), version })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.version {
            Some((comparison, version)) => write!(f, "{comparison}{version}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().rev().find(|(_, comparison)| comparison == self);
        f.write_str(sign.map_or("", |(sign, _)| sign))
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is neither a name nor a name with a version, as `node>=20.1`", self.0)
    }
}

impl std::error::Error for Malformed {}

#[cfg(feature = "serde")]
impl serde::Serialize for Version {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Version {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_programs_really_print() {
        for (said, version) in [
            ("v20.11.1\n", "20.11.1"),
            ("go version go1.22.3 linux/amd64", "1.22.3"),
            ("Python 3.11.2", "3.11.2"),
            (
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d81bff71cbb1",
                "7.0.15",
            ),
            ("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)", "15.8"),
            ("openjdk version \"17.0.12\" 2024-07-16", "17.0.12"),
            ("nginx version: nginx/1.22.1", "1.22.1"),
            ("cargo 1.96.0-nightly (f2d3ce0bd 2026-03-21)", "1.96.0"),
            ("less 608 (PCRE2 regular expressions)", "608"),
            ("OpenSSL 3.0.14 4 Jun 2024", "3.0.14"),
            ("Docker version 24.0.7, build afdd53b", "24.0.7"),
            ("version 1.2.", "1.2"),
        ] {
            assert_eq!(
                Version::find_in(said).map(|found| found.to_string()).as_deref(),
                Some(version),
                "{said}"
            );
        }
        for said in ["", "no version", "build afdd53b", ".", "..", "v", "99999999999999999999999"] {
            assert_eq!(Version::find_in(said), None, "{said:?}");
        }
    }

    #[test]
    fn a_requirement_is_met_by_these_and_not_by_those() {
        for (requirement, met, unmet) in [
            ("node", "0 1 99.9", ""),
            ("node>=20.1", "20.1 20.1.0 20.10 21", "20.0.9 20 9"),
            ("node > 20", "20.0.1 21", "20 20.0 19.9"),
            ("node=20", "20 20.0 20.11.1", "19 21 2"),
            ("node==20.1", "20.1 20.1.7", "20 20.2"),
            ("node<=20", "20 20.0 19", "20.0.1 21"),
            ("node<20", "19.9 0", "20 20.0 21"),
            ("node^1.2", "1.2 1.9.9", "1.1 2 0.9"),
            ("node^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3 1"),
            ("node >= v20", "20", "19"),
        ] {
            let requirement: Requirement = requirement.parse().unwrap();
            assert_eq!(requirement.name, "node", "{requirement}");
            for version in met.split_whitespace() {
                assert!(requirement.is_met_by(&version.parse().unwrap()), "{version} meets {requirement}");
            }
            for version in unmet.split_whitespace() {
                assert!(!requirement.is_met_by(&version.parse().unwrap()), "{version} misses {requirement}");
            }
        }
    }

    #[test]
    fn what_is_no_requirement_is_refused_with_its_text() {
        for text in
            ["", ">=1", "node>=", "node>=x", "node=>1", "no de>=1", "node>=1..2", "node>=1 2", "node>=+1"]
        {
            assert_eq!(text.parse::<Requirement>(), Err(Malformed(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_requirement_prints_as_it_was_written() {
        for text in ["node", "node>=20.1", "node=20", "node^1.2", "node<3", "node<=3", "node>3"] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
        }
    }
}
