//! YAML as a tree of nodes that know where they stand.
//!
//! Built from the parser's events rather than through serde, because serde stops at the first thing it does not
//! like, and a reader of messages wants all of them. Anchors, aliases and merge keys (`<<`) are applied here: above
//! this module a file reads as if it had been written out in full.

mod build;
mod syntax;

use std::rc::Rc;

use indexmap::IndexMap;

pub(crate) use build::build;

use crate::model::Place;

/// A value and its place. What an alias stands for keeps the place of its anchor: that is the text to change.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
    /// Nodes below and including this one, every alias counted as often as it is used.
    size: usize,
    /// Lists and mappings inside each other, this one included.
    depth: usize,
}

#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Map(IndexMap<String, Entry>),
    /// Could not be read, which is reported: nothing more is to be said about it.
    Broken,
}

/// The text of a scalar. Whether `5432` is a number is for the one who asks.
#[derive(Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes: may be meant as a number or a boolean.
    pub(crate) plain: bool,
}

/// A value in a mapping.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Of the key.
    pub(crate) place: Place,
    pub(crate) value: Rc<Node>,
}

impl Node {
    /// What it is, for "expected X, found Y".
    pub(crate) fn kind(&self) -> String {
        match &self.value {
            Value::Null | Value::Broken => "nothing".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            Value::Scalar(scalar) => quoted(&scalar.text),
        }
    }

    /// The text of a scalar, quoted or not.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The value of this key, if it is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Rc<Node>> {
        match &self.value {
            Value::Map(entries) => entries.get(key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// This mapping over another: its keys win. Where `deep` says so and both values are mappings, those are merged
    /// in the same way. Keeps its own place.
    pub(crate) fn merged_over(self: &Rc<Self>, base: &Rc<Self>, deep: fn(&str) -> bool) -> Rc<Self> {
        let (Value::Map(own), Value::Map(below)) = (&self.value, &base.value) else { return Rc::clone(self) };
        let mut entries = below.clone();
        for (key, entry) in own {
            let mut entry = entry.clone();
            if let Some(other) = below.get(key).filter(|_| deep(key)) {
                entry.value = entry.value.merged_over(&other.value, |_| true);
            }
            entries.insert(key.clone(), entry);
        }
        let (size, depth) = (self.size + base.size, self.depth.max(base.depth));
        Rc::new(Self { place: self.place, value: Value::Map(entries), size, depth })
    }

    /// As JSON, typed by YAML's core schema. The tree's size is bounded, so is this.
    pub(crate) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null | Value::Broken => serde_json::Value::Null,
            Value::Scalar(scalar) => scalar.json(),
            Value::List(items) => items.iter().map(|item| item.json()).collect(),
            Value::Map(entries) => {
                entries.iter().map(|(key, entry)| (key.clone(), entry.value.json())).collect()
            }
        }
    }
}

impl Scalar {
    /// `true` or `false`, unquoted.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.text.as_str() {
            "true" | "True" | "TRUE" if self.plain => Some(true),
            "false" | "False" | "FALSE" if self.plain => Some(false),
            _ => None,
        }
    }

    fn json(&self) -> serde_json::Value {
        if !self.plain {
            return self.text.clone().into();
        }
        if let Some(value) = self.boolean() {
            return value.into();
        }
        if let Ok(value) = self.text.parse::<i64>() {
            return value.into();
        }
        match self.text.parse::<f64>() {
            Ok(value) if value.is_finite() => value.into(),
            _ => self.text.clone().into(),
        }
    }
}

/// A text as a message quotes it: its beginning, on one line.
pub(crate) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", short.replace(char::is_control, " "))
}
