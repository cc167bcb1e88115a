//! What git would not track, and what nobody means.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::globs::{Globs, components};

/// Folders that are ignored unless a glob mentions them.
const NEVER_MEANT: [&str; 2] = [".git", "node_modules"];

/// The rules of a work tree.
#[derive(Debug)]
pub(super) struct Ignored {
    /// The work tree's folder; the workspace if there is none.
    top: PathBuf,
    /// By folder, read when they are first asked for.
    nested: HashMap<PathBuf, Gitignore>,
    /// `.git/info/exclude` and the user's own file.
    general: [Gitignore; 2],
}

impl Ignored {
    pub(super) fn new(workspace: &Path) -> Self {
        let top = workspace.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(workspace);
        let mut exclude = GitignoreBuilder::new(top);
        // A file that is not there, or has a line that is no pattern, excludes what its other lines say.
        let _ = exclude.add(top.join(".git/info/exclude"));
        let exclude = exclude.build().unwrap_or_else(|_| Gitignore::empty());
        let (own, _) = GitignoreBuilder::new(top).build_global();
        Self { top: top.to_owned(), nested: HashMap::new(), general: [exclude, own] }
    }

    /// Forgets what `.gitignore` files said: one has changed.
    pub(super) fn forget(&mut self) {
        self.nested.clear();
    }

    /// Whether a rule excludes `path` or a folder that it is in. What a glob names literally is excluded by none.
    pub(super) fn contains(&mut self, path: &Path, is_folder: bool, globs: &Globs) -> bool {
        if NEVER_MEANT
            .iter()
            .any(|name| !globs.mentions(name) && components(path, &self.top).any(|part| part == *name))
        {
            return true;
        }
        let Ok(below) = path.strip_prefix(&self.top) else { return false };
        let mut prefix = self.top.clone();
        let mut parts = below.components().peekable();
        while let Some(part) = parts.next() {
            prefix.push(part);
            let is_folder = is_folder || parts.peek().is_some();
            if !globs.names(&prefix) && self.excludes(&prefix, is_folder) {
                return true;
            }
        }
        false
    }

    /// The nearest file that has something to say decides (gitignore(5)).
    fn excludes(&mut self, path: &Path, is_folder: bool) -> bool {
        let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.top));
        for folder in folders {
            let rules = self.nested.entry(folder.to_owned()).or_insert_with(|| {
                // Without the file the rules are empty.
                let (rules, _) = Gitignore::new(folder.join(".gitignore"));
                rules
            });
            match rules.matched(path, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        self.general.iter().any(|rules| rules.matched(path, is_folder).is_ignore())
    }
}

/// What editors and desktops put beside the files that they work on.
pub(super) fn is_scratch(file: &Path) -> bool {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return false };
    let vim = name.starts_with('.') && name.rsplit_once(".sw").is_some_and(|(_, rest)| rest.len() <= 2);
    let emacs = name.starts_with(".#") || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'));
    vim || emacs || name.ends_with('~') || name == "4913" || name == ".DS_Store"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::is_scratch;

    #[test]
    fn what_editors_leave_is_no_change() {
        for (name, expected) in [
            (".main.rs.swp", true),
            (".main.rs.swx", true),
            ("4913", true),
            (".#main.rs", true),
            ("#main.rs#", true),
            ("main.rs~", true),
            ("main.rs", false),
            (".env", false),
            ("app.swift", false),
            (".config.swift", false),
        ] {
            assert_eq!(is_scratch(Path::new(name)), expected, "{name}");
        }
    }
}
