//! What the YAML parser complains about, in words of the one who wrote the file.

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use crate::diagnostics::Report;

/// Reports where the file stops being YAML.
pub(super) fn report(report: &mut Report, error: &ScanError) {
    let marker = error.marker();
    let offset = marker.byte_offset().unwrap_or_else(|| report.offset(marker.line(), marker.col()));
    let place = match error.kind() {
        // The parser stops after it.
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            report.tab_before(offset).unwrap_or_else(|| report.visible_place(offset))
        }
        _ => report.visible_place(offset),
    };
    let (message, help) = explain(error.kind());
    let message = message.map_or_else(|| error.info(), str::to_owned);
    let diagnostic = report.error("yaml_syntax", place, message);
    if let Some(help) = help {
        diagnostic.help(help);
    }
}

/// A message and a help, where the parser's own words would not do.
fn explain(kind: &ErrorKind) -> (Option<&'static str>, Option<&'static str>) {
    use ErrorKind as K;
    let (message, help) = match kind {
        K::TabNotAllowed | K::TabInBlockIndentation | K::TabInIndentation | K::TabAtBlockScalarStart => {
            ("YAML is indented with spaces, and this is a tab", "replace the tab by spaces")
        }
        K::UnclosedQuotedScalar => ("this quote is never closed", "end the text with the same quote"),
        K::UnclosedFlowCollection { .. }
        | K::UnexpectedEofFlowSequence
        | K::UnexpectedEofFlowMapping
        | K::UnexpectedEofImplicitFlowMapping => {
            ("this bracket is never closed", "end the list with `]`, the mapping with `}`")
        }
        K::MismatchedFlowCollectionEnd { .. } | K::MisplacedFlowCollectionEnd => {
            ("this bracket closes nothing, or the wrong one", "`[` ends with `]`, `{` with `}`")
        }
        K::ExpectedFlowSequenceSeparator => ("the list goes on without a `,`, or its `]` is missing", ""),
        K::ExpectedFlowMappingSeparator => ("the mapping goes on without a `,`, or its `}` is missing", ""),
        K::MappingValueNotAllowed => (
            "a `:` makes no key here",
            "quote a text that holds `: `; or the line above is indented otherwise than it should",
        ),
        K::ExpectedBlockMappingKey | K::SimpleKeyExpected | K::InvalidSimpleKey => (
            "a `key: value` was expected here",
            "keys of one mapping stand in one column, each followed by `: `",
        ),
        K::ExpectedBlockSequenceEntry => (
            "a list entry was expected here",
            "entries of one list begin with `- ` in one column; the keys of an entry stand in another",
        ),
        K::InvalidIndentation | K::InvalidBlockScalarIndent => {
            ("this line is indented otherwise than those around it", "")
        }
        K::InvalidQuotedScalarIndent => {
            ("a quoted text goes on here, but is not indented", "is a quote above never closed?")
        }
        K::InvalidColonPlacement | K::InvalidFlowScalarIndent | K::UnexpectedEndOfPlainScalar => {
            ("a bracket is still open here", "is a `[` or `{` above never closed?")
        }
        K::BlockSequenceEntryNotAllowed | K::BlockEntryInFlowCollection => (
            "no list entry can begin here",
            "`- ` begins a line of its own; a list in one line is `[one, two]`",
        ),
        K::UnexpectedCharacter { .. } => ("no text can begin with this character", "quote the text: `\"…\"`"),
        K::UnknownQuotedScalarEscape => {
            ("no such escape in double quotes", "write `\\\\` for a backslash, or use single quotes")
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => (
            "more text after the closing quote",
            "put the whole value into quotes, those inside it doubled or escaped",
        ),
        K::RecursionLimitExceeded => ("lists and mappings are nested too deep here", ""),
        _ => return (None, None),
    };
    (Some(message), (!help.is_empty()).then_some(help))
}
