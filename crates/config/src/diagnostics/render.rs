//! Diagnostics as text, in the shape that compilers have taught everybody to read.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::model::Place;

/// As wide as a terminal surely is.
const COLUMNS: usize = 80;

pub(super) fn render(diagnostic: &Diagnostic, color: bool, unicode: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(visible(&diagnostic.message)).id(diagnostic.code);
    let path = diagnostic.file.to_string_lossy().into_owned();
    let group = if diagnostic.line == 0 {
        title.element(annotate_snippets::Origin::path(path))
    } else {
        title.element(snippet(diagnostic, path))
    };
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let style = if unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    renderer.term_width(COLUMNS).decor_style(style).render(&[with_help(group, diagnostic)])
}

fn with_help<'d>(group: Group<'d>, diagnostic: &'d Diagnostic) -> Group<'d> {
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(visible(help))),
        None => group,
    }
}

fn snippet(diagnostic: &Diagnostic, path: String) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let text: &str = &diagnostic.text;
    let caret = AnnotationKind::Primary.span(marked(text, diagnostic.place)).label(diagnostic.label.as_deref());
    let notes = diagnostic.notes.iter().map(|(place, note)| {
        AnnotationKind::Context.span(marked(text, *place)).label(Some(note.as_str()))
    });
    Snippet::source(text).path(path).annotation(caret).annotations(notes)
}

/// The part of a place on its first line, at least one character where there is one.
fn marked(text: &str, place: Place) -> Range<usize> {
    let rest = text.get(place.offset..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    let mut len = place.len.min(line.trim_end().len());
    if len == 0 {
        len = line.chars().next().map_or(0, char::len_utf8);
    }
    let start = place.offset.min(text.len());
    start..start + len
}

/// A file's text may be anything; a message never moves the cursor.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
