//! From the parser's events to nodes, within bounds that no file can break.

use std::collections::HashMap;
use std::rc::Rc;

use indexmap::IndexMap;
use serde_yaml::granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag, options};

use super::{Entry, Node, Scalar, Value, syntax};
use crate::diagnostics::Report;
use crate::model::Place;

/// Nodes in a file, aliases counted as often as they are used: a "billion laughs" file ends here.
const MOST_NODES: usize = 200_000;
/// Lists and mappings inside each other. Bounds every recursion over a tree, aliases included.
const DEEPEST: usize = 64;

/// The tree of the file's one document; `None` if it is empty, or if it could not be read, which is then reported.
pub(crate) fn build(report: &mut Report) -> Option<Rc<Node>> {
    let text = report.text();
    let mut builder = Builder { report, anchors: HashMap::new(), open: Vec::new(), root: None, documents: 0 };
    for next in Parser::new_from_str_with_options(&text, parser_options()) {
        match next {
            Ok((event, span)) => {
                builder.event(event, span)?;
            }
            Err(error) => {
                syntax::report(builder.report, &error);
                return None;
            }
        }
    }
    builder.root
}

fn parser_options() -> Options {
    let mut options = options! {
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
        emit_unresolved_aliases: true,
    };
    options.set_emit_comments(false);
    options
}

struct Builder<'r> {
    report: &'r mut Report,
    anchors: HashMap<usize, Rc<Node>>,
    open: Vec<Open>,
    root: Option<Rc<Node>>,
    documents: usize,
}

/// A list or a mapping whose end has not come yet.
struct Open {
    place: Place,
    anchor: usize,
    size: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Rc<Node>>),
    Map { entries: IndexMap<String, Entry>, key: Option<Key>, merges: Vec<Rc<Node>> },
}

enum Key {
    Name(String, Place),
    /// `<<`: the value's keys are taken over.
    Merge,
    /// Already reported.
    Unusable,
}

impl Builder<'_> {
    /// Takes one event; `None` ends the building, and the reason is reported.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let place = self.place(&span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.report
                        .error("yaml_syntax", place, "a second document begins here")
                        .help("one file, one document: remove the `---`");
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let node = self.scalar(text.into_owned(), plain, tag.as_deref(), place);
                self.keep(anchor, node)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), place);
                self.begin(place, anchor, Content::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), place);
                self.begin(
                    place,
                    anchor,
                    Content::Map { entries: IndexMap::new(), key: None, merges: Vec::new() },
                )?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(&span)?,
            Event::Alias(anchor) => self.alias(anchor, place)?,
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, place)?,
            _ => {}
        }
        Some(())
    }

    fn place(&self, span: &Span) -> Place {
        let start = span.start.byte_offset().unwrap_or_default();
        let end = span.end.byte_offset().unwrap_or(start);
        let (line, column) = (span.start.line(), span.start.col() + 1);
        self.report.place_as_known(start, end.saturating_sub(start), line, column)
    }

    fn begin(&mut self, place: Place, anchor: usize, content: Content) -> Option<()> {
        if self.open.len() >= DEEPEST {
            self.too_deep(place);
            return None;
        }
        self.open.push(Open { place, anchor, size: 1, depth: 1, content });
        Some(())
    }

    fn end(&mut self, span: &Span) -> Option<()> {
        let mut open = self.open.pop()?;
        let end = span.end.byte_offset().unwrap_or_default();
        open.place.len = end.saturating_sub(open.place.offset);
        let value = match open.content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, merges, .. } => Value::Map(merged(entries, &merges)),
        };
        self.keep(open.anchor, Node { place: open.place, value, size: open.size, depth: open.depth })
    }

    fn keep(&mut self, anchor: usize, node: Node) -> Option<()> {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node, None)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Option<()> {
        if let Some(node) = self.anchors.get(&anchor) {
            let node = Rc::clone(node);
            return self.add(node, Some(place));
        }
        self.report.error("yaml_syntax", place, "this alias stands inside the value that it stands for");
        None
    }

    fn unknown_alias(&mut self, name: &str, place: Place) -> Option<()> {
        self.report
            .error("yaml_syntax", place, format!("nothing above is marked `&{name}`"))
            .help("an anchor stands before its aliases; text that begins with `*` wants quotes");
        self.add(Rc::new(Node { place, value: Value::Broken, size: 1, depth: 1 }), None)
    }

    /// Puts a finished node where it belongs. `alias` is where it was named, if it was.
    fn add(&mut self, node: Rc<Node>, alias: Option<Place>) -> Option<()> {
        let place = alias.unwrap_or(node.place);
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        parent.size = parent.size.saturating_add(node.size);
        parent.depth = parent.depth.max(node.depth + 1);
        if parent.size > MOST_NODES {
            self.report
                .error("too_large", place, format!("more than {MOST_NODES} values, aliases written out"))
                .help("a configuration is a few hundred; is this the right file?");
            return None;
        }
        if parent.depth > DEEPEST {
            self.too_deep(place);
            return None;
        }
        match &mut parent.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key, merges } => match key.take() {
                None => *key = Some(as_key(self.report, entries, &node)),
                Some(Key::Name(name, key_place)) => {
                    entries.insert(name, Entry { place: key_place, value: node });
                }
                Some(Key::Merge) => merge(self.report, merges, node, place),
                Some(Key::Unusable) => {}
            },
        }
        Some(())
    }

    fn too_deep(&mut self, place: Place) {
        self.report.error(
            "too_deep",
            place,
            format!("lists and mappings are nested more than {DEEPEST} deep"),
        );
    }

    fn scalar(&mut self, text: String, plain: bool, tag: Option<&Tag>, place: Place) -> Node {
        let text_tag = self.tag(tag, place) == Some("str");
        let plain = plain && !text_tag;
        let value = if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
            Value::Null
        } else {
            Value::Scalar(Scalar { text, plain })
        };
        Node { place, value, size: 1, depth: 1 }
    }

    /// Checks a tag; the name of one that YAML itself knows.
    fn tag<'t>(&mut self, tag: Option<&'t Tag>, place: Place) -> Option<&'t str> {
        let tag = tag?;
        let known = tag.core_suffix();
        // A lone `!` says "not a number", which a quote says better; it harms nobody.
        if known.is_none() && tag.original() != "!" {
            self.report
                .error("yaml_syntax", place, format!("the tag `{}` means nothing here", tag.original()))
                .help("remove it");
        }
        known
    }
}

fn as_key(report: &mut Report, entries: &IndexMap<String, Entry>, node: &Node) -> Key {
    let name = match &node.value {
        Value::Scalar(scalar) if scalar.plain && scalar.text == "<<" => return Key::Merge,
        Value::Scalar(scalar) => scalar.text.clone(),
        Value::Null if node.place.len > 0 => "null".to_owned(),
        Value::Broken => return Key::Unusable,
        _ => {
            report.error("bad_type", node.place, format!("a key is a name, not {}", node.kind()));
            return Key::Unusable;
        }
    };
    if let Some(first) = entries.get(&name) {
        report
            .error("duplicate_key", node.place, format!("`{name}` stands here a second time"))
            .label("again")
            .note(first.place, "first here")
            .help("keep one of the two");
        return Key::Unusable;
    }
    Key::Name(name, node.place)
}

/// Notes the mappings that `<<` takes over.
fn merge(report: &mut Report, merges: &mut Vec<Rc<Node>>, node: Rc<Node>, place: Place) {
    let found = match &node.value {
        Value::Map(_) => return merges.push(node),
        Value::List(items) => match items.iter().find(|item| !matches!(item.value, Value::Map(_))) {
            None => return merges.extend(items.iter().map(Rc::clone)),
            Some(other) => other.kind(),
        },
        _ => node.kind(),
    };
    report
        .error("bad_type", place, format!("`<<` takes over the keys of mappings, not of {found}"))
        .help("`<<: *name`, or `<<: [*one, *two]`, where `&name` marks a mapping");
}

/// A mapping's own keys, then what it takes over and does not have: the first that has a key gives it.
fn merged(mut entries: IndexMap<String, Entry>, merges: &[Rc<Node>]) -> IndexMap<String, Entry> {
    for merge in merges {
        if let Value::Map(others) = &merge.value {
            for (key, entry) in others {
                entries.entry(key.clone()).or_insert_with(|| entry.clone());
            }
        }
    }
    entries
}
