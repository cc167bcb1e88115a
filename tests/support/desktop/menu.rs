//! A tray's menu as the host gets it: `com.canonical.dbusmenu`.

use std::fmt::{self, Display};

use serde_json::Value;

/// One line of a menu, and those below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    pub id: i64,
    /// Without the marks of shortcuts.
    pub label: String,
    pub enabled: bool,
    /// Of a check item.
    pub checked: Option<bool>,
    pub separator: bool,
    pub items: Vec<MenuItem>,
}

impl MenuItem {
    /// Of `(id, properties, children)`.
    pub(super) fn read(node: &Value) -> Self {
        let properties = &node[1];
        let label = properties["label"].as_str().unwrap_or_default();
        Self {
            id: node[0].as_i64().unwrap_or_else(|| panic!("no id: {node}")),
            // One underscore marks the next letter, two are one.
            label: label.replace("__", "\0").replace('_', "").replace('\0', "_"),
            enabled: properties["enabled"].as_bool().unwrap_or(true),
            checked: properties["toggle-type"].as_str().map(|_| properties["toggle-state"] == 1),
            separator: properties["type"] == "separator",
            items: node[2].as_array().into_iter().flatten().map(Self::read).collect(),
        }
    }

    /// The item at the end of these labels; of `NAME — STATE` the name will do.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let is_named = |item: &&Self| {
            item.label == *first
                || item.label.strip_prefix(first).is_some_and(|state| state.starts_with(" — "))
        };
        self.items.iter().filter(is_named).find_map(|item| item.find(rest))
    }

    fn write(&self, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:1$}", "", depth * 2)?;
        if self.separator {
            return writeln!(f, "---");
        }
        let mark = match self.checked {
            None => "",
            Some(true) => "[x] ",
            Some(false) => "[ ] ",
        };
        let off = if self.enabled { "" } else { " (disabled)" };
        writeln!(f, "{mark}{}{off}", self.label)?;
        self.items.iter().try_for_each(|item| item.write(depth + 1, f))
    }
}

/// A whole menu. Shown as one reads it: a line an item, indented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu(pub MenuItem);

impl Menu {
    /// As [`MenuItem::find`].
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<&MenuItem> {
        self.0.find(path)
    }

    /// As [`Menu::find`].
    ///
    /// # Panics
    /// There is none.
    #[must_use]
    #[track_caller]
    pub fn item(&self, path: &[&str]) -> &MenuItem {
        self.find(path).unwrap_or_else(|| panic!("no {path:?} in\n{self}"))
    }

    /// Each item's id, from top to bottom.
    #[must_use]
    pub fn ids(&self) -> Vec<i64> {
        fn walk(item: &MenuItem, ids: &mut Vec<i64>) {
            ids.push(item.id);
            item.items.iter().for_each(|item| walk(item, ids));
        }
        let mut ids = Vec::new();
        walk(&self.0, &mut ids);
        ids
    }
}

impl Display for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.items.iter().try_for_each(|item| item.write(0, f))
    }
}
