//! Diagnostics as text, in the shape that compilers have taught everybody to read.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::model::Place;

/// As wide as a terminal surely is.
const COLUMNS: usize = 80;
/// What the frame on the left and `help: ` take.
const MARGIN: usize = 14;

pub(super) fn render(diagnostic: &Diagnostic, color: bool, unicode: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title_width = COLUMNS - diagnostic.code.len() - "warning[]: ".len();
    let title = level.primary_title(wrapped(&diagnostic.message, title_width, unicode)).id(diagnostic.code);
    let fits = label_fits(diagnostic);
    let mut elements: Vec<Element<'_>> = Vec::new();
    let path = diagnostic.file.to_string_lossy().into_owned();
    if diagnostic.line == 0 {
        elements.push(Origin::path(path).into());
    } else {
        elements.push(snippet(diagnostic, path, fits, unicode).into());
    }
    // Beside its line a long label would be cut.
    let label = diagnostic.label.iter().filter(|_| !fits).map(|label| (Level::NOTE, label));
    let help = diagnostic.help.iter().map(|help| (Level::HELP, help));
    for (level, text) in label.chain(help) {
        elements.push(level.message(wrapped(text, COLUMNS - MARGIN, unicode)).into());
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let style = if unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let rendered = renderer.term_width(COLUMNS).decor_style(style).render(&[title.elements(elements)]);
    rendered.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn snippet(
    diagnostic: &Diagnostic,
    path: String,
    labelled: bool,
    unicode: bool,
) -> Snippet<'_, Annotation<'_>> {
    // Only the lines between the first place and the last: the renderer goes through all that it is given.
    let places = diagnostic.notes.iter().map(|(place, _)| *place).chain([diagnostic.place]);
    let first = places.clone().min_by_key(|place| place.offset).unwrap_or_default();
    let last = places.map(|place| place.offset).max().unwrap_or_default();
    let whole: &str = &diagnostic.text;
    let begin = whole[..first.offset].rfind('\n').map_or(0, |at| at + 1);
    let end = whole[last..].find('\n').map_or(whole.len(), |at| last + at);
    // Carriage returns would be drawn; a space keeps every offset.
    let text = whole[begin..end].replace('\r', " ");
    let marked = |place: Place| {
        let range = marked(whole, place);
        range.start - begin..range.end - begin
    };
    let label = diagnostic.label.as_deref().filter(|_| labelled).map(|label| visible(label, unicode));
    let caret = AnnotationKind::Primary.span(marked(diagnostic.place)).label(label);
    let notes = diagnostic.notes.iter().map(|(place, note)| {
        AnnotationKind::Context.span(marked(*place)).label(Some(visible(note, unicode)))
    });
    Snippet::source(text).line_start(first.line).path(path).annotation(caret).annotations(notes)
}

/// Whether the label can stand on the line of its caret.
fn label_fits(diagnostic: &Diagnostic) -> bool {
    let label = diagnostic.label.as_ref().map_or(0, |label| label.chars().count());
    let marked = marked(&diagnostic.text, diagnostic.place);
    let caret = diagnostic.text.get(marked).map_or(1, |text| text.chars().count());
    let gutter = diagnostic.line.to_string().len() + 3;
    gutter + diagnostic.column + caret + label < COLUMNS
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

/// Lines of at most `width` characters, as long as the words allow it. Breaks that are there stay.
fn wrapped(text: &str, width: usize, unicode: bool) -> String {
    let text = visible(text, unicode);
    let mut out = String::new();
    for line in text.split('\n') {
        if !out.is_empty() {
            out.push('\n');
        }
        let mut column = 0;
        for word in line.split_inclusive(' ') {
            let len = word.trim_end().chars().count();
            if column > 0 && column + len > width {
                out.truncate(out.trim_end().len());
                out.push('\n');
                column = 0;
            }
            out.push_str(word);
            column += word.chars().count();
        }
    }
    out
}

/// A file's text may be anything; a message never moves the cursor.
fn visible(text: &str, unicode: bool) -> Cow<'_, str> {
    let hidden = |c: char| c.is_control() && c != '\n';
    if unicode && !text.contains(hidden) {
        return text.into();
    }
    let text = text.replace(hidden, if unicode { "\u{fffd}" } else { "?" });
    if unicode { text.into() } else { text.replace('…', "...").replace('→', "->").into() }
}
