//! Which files are meant, and where they can be.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::WatchError;

/// The globs of one process.
#[derive(Debug)]
pub(super) struct Globs {
    set: GlobSet,
    /// For each glob of the set, whether it takes in or excludes.
    takes_in: Vec<bool>,
    bases: Vec<Base>,
    /// Every component of the globs that take in.
    words: Vec<String>,
}

/// The literal beginning of a glob.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    path: PathBuf,
    /// Levels of folders below it that can hold a match; `None`: all.
    levels: Option<usize>,
}

impl Globs {
    /// `globs` against `root`. Without one that takes in, everything is, and the rest is excluded from it.
    pub(super) fn new(root: &Path, globs: &[String]) -> Result<Self, WatchError> {
        let mut set = GlobSetBuilder::new();
        let (mut takes_in, mut bases, mut words) = (Vec::new(), Vec::new(), Vec::new());
        let everything = "**".to_owned();
        let implied = globs.iter().all(|glob| glob.starts_with('!')).then_some(&everything);
        for glob in implied.into_iter().chain(globs) {
            let (positive, text) = glob.strip_prefix('!').map_or((true, glob.as_str()), |text| (false, text));
            let (base, rest) = split(root, text);
            // A literal path may be a file, or a folder and all that is in it.
            let forms =
                if rest.is_empty() { vec![String::new(), "/**".into()] } else { vec![format!("/{rest}")] };
            for form in forms {
                let whole = globset::escape(&slashed(&base)) + &form;
                let wrong = |error: &globset::Error| WatchError::Glob {
                    glob: glob.clone(),
                    reason: error.kind().to_string(),
                };
                set.add(
                    GlobBuilder::new(&whole)
                        .literal_separator(true)
                        .build()
                        .map_err(|error| wrong(&error))?,
                );
                takes_in.push(positive);
            }
            if positive {
                words.extend(text.split('/').map(str::to_owned));
                bases.push(Base { path: base, levels: levels(&rest) });
            }
        }
        let set = set
            .build()
            .map_err(|error| WatchError::Glob { glob: globs.join(" "), reason: error.to_string() })?;
        Ok(Self { set, takes_in, bases, words })
    }

    /// The last glob that matches decides.
    pub(super) fn matches(&self, file: &Path) -> bool {
        self.set.matches(slashed(file)).last().is_some_and(|last| self.takes_in[*last])
    }

    /// Whether a match can be in `folder`, or in one below it.
    pub(super) fn leads_to(&self, folder: &Path) -> bool {
        self.bases.iter().any(|base| match folder.strip_prefix(&base.path) {
            Ok(below) => base.levels.is_none_or(|levels| below.components().count() <= levels),
            Err(_) => base.path.starts_with(folder),
        })
    }

    /// Whether a glob says literally that it means what is at or below `path`.
    pub(super) fn names(&self, path: &Path) -> bool {
        self.bases.iter().any(|base| base.path.starts_with(path))
    }

    /// Whether a glob has this as a component, as in `**/node_modules/**`.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.words.iter().any(|word| word == name)
    }

    /// The literal beginnings.
    pub(super) fn bases(&self) -> impl Iterator<Item = &Path> {
        self.bases.iter().map(|base| base.path.as_path())
    }
}

/// The literal beginning of a glob as a path, and the rest.
fn split(root: &Path, glob: &str) -> (PathBuf, String) {
    let is_literal = |part: &str| !part.contains(['*', '?', '[', ']', '{', '}', '\\']);
    let mut base = root.to_owned();
    let mut parts = glob.split('/').peekable();
    if glob.starts_with('/') {
        base = PathBuf::from("/");
    }
    while let Some(part) = parts.next_if(|part| is_literal(part)) {
        match part {
            "" | "." => {}
            ".." => {
                base.pop();
            }
            _ => base.push(part),
        }
    }
    let rest: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    (base, rest.join("/"))
}

/// `*.rs` matches in the base itself, `*/*.rs` one level below; braces may hold slashes, so that there nothing is known.
fn levels(rest: &str) -> Option<usize> {
    let known = !rest.is_empty() && !rest.contains("**") && !rest.contains('{');
    known.then(|| rest.matches('/').count())
}

/// As globs have it, on every system.
fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// The names of the folders on the way from `top` to `path`, and its own.
pub(super) fn components<'path>(path: &'path Path, top: &Path) -> impl Iterator<Item = &'path str> {
    let below = path.strip_prefix(top).unwrap_or(path);
    below.components().filter_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Globs;

    fn globs(globs: &[&str]) -> Globs {
        let globs: Vec<_> = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Globs::new(Path::new("/work/a[b]/api"), &globs).expect("globs")
    }

    #[test]
    fn files_match_as_one_expects() {
        for (patterns, file, expected) in [
            (&["**/*.rs"][..], "main.rs", true),
            (&["**/*.rs"], "src/deep/main.rs", true),
            (&["*.rs"], "main.rs", true),
            (&["*.rs"], "src/main.rs", false),
            (&["src/**"], "src/a/b.txt", true),
            (&["./src/*.{ts,tsx}"], "src/a.tsx", true),
            (&["src"], "src/a/b.txt", true),
            (&["src/"], "src/a.txt", true),
            (&["src"], "srcs/a.txt", false),
            (&[".env"], ".env", true),
            (&["../shared/**/*.ts"], "../shared/x/y.ts", true),
            (&["/etc/app.conf"], "/etc/app.conf", true),
            (&["**/*.ts", "!**/*.test.ts"], "a.test.ts", false),
            (&["**/*.ts", "!**/*.test.ts"], "a.ts", true),
            (&["**/*.ts", "!**/*.test.ts", "keep.test.ts"], "keep.test.ts", true),
            (&["!**/*.md"], "main.rs", true),
            (&["!**/*.md"], "README.md", false),
        ] {
            let mut path = Path::new("/work/a[b]/api").to_owned();
            match file.strip_prefix("../") {
                Some(beside) => path = path.with_file_name(beside),
                None => path.push(file),
            }
            assert_eq!(globs(patterns).matches(&path), expected, "{patterns:?} and {}", path.display());
        }
    }

    #[test]
    fn only_folders_that_can_hold_a_match_are_of_interest() {
        for (pattern, folder, expected) in [
            ("src/*.rs", "/work/a[b]/api/src", true),
            ("src/*.rs", "/work/a[b]/api/src/deep", false),
            ("src/*/mod.rs", "/work/a[b]/api/src/deep", true),
            ("src/*/mod.rs", "/work/a[b]/api/src/deep/er", false),
            ("src/**/*.rs", "/work/a[b]/api/src/deep/er", true),
            ("src/**/*.rs", "/work/a[b]/api", true),
            ("src/**/*.rs", "/work/a[b]/api/docs", false),
            ("{src,lib/deep}/*.rs", "/work/a[b]/api/lib/deep", true),
            ("src", "/work/a[b]/api/src/deep", true),
        ] {
            assert_eq!(globs(&[pattern]).leads_to(Path::new(folder)), expected, "{pattern} and {folder}");
        }
    }

    #[test]
    fn what_is_no_glob_is_named() {
        let error = Globs::new(Path::new("/work"), &["src/[a.rs".to_owned()]).expect_err("no glob");
        assert!(error.to_string().starts_with("`src/[a.rs` is no glob: "), "{error}");
    }
}
