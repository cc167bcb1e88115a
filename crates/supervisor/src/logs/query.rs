//! What a query wants, as the log store understands it.

use forge_api::{Code, Error, LogQuery};
use forge_logs::{Filter, InvalidPattern, Pattern, Within};

use super::shown::{level_of, stream_of};

/// The filter of a query.
///
/// # Errors
/// `grep` or `within` is no regular expression: where, and why.
pub(super) fn filter(query: &LogQuery) -> Result<Filter, Error> {
    let pattern = |text: &str, literal, ignore_case| {
        Pattern::new(text, literal, ignore_case).map_err(|error| no_regex(text, &error))
    };
    let grep = query.grep.as_deref().map(|text| pattern(text, query.literal, query.ignore_case));
    let within = query.within.as_ref().map(|sought| -> Result<Within, Error> {
        let pattern = pattern(&sought.text, sought.literal, sought.ignore_case)?;
        Ok(Within { pattern, invert: sought.invert })
    });
    Ok(Filter {
        streams: query.stream.map(stream_of).into_iter().collect(),
        level_at_least: query.level.map(level_of),
        levels: query.levels.iter().copied().map(level_of).collect(),
        since: query.since.map(|time| time.0),
        until: query.until.map(|time| time.0),
        run: query.run,
        pattern: grep.transpose()?,
        invert: query.invert,
        within: within.transpose()?,
    })
}

fn no_regex(text: &str, error: &InvalidPattern) -> Error {
    let mut message = format!("`{text}` is no regular expression: {error}");
    // Where each character takes one column, a caret says it best.
    if let Some(column) = error.column.filter(|_| !text.contains(char::is_control)) {
        message = format!("{message}\n  {text}\n  {}^", " ".repeat(column));
    }
    Error::new(Code::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_expression_is_shown_with_its_place() {
        let query = LogQuery { grep: Some("user (id".to_owned()), ..LogQuery::default() };
        let error = filter(&query).expect_err("no regular expression");
        assert_eq!(error.code, Code::Usage, "{error:?}");
        assert_eq!(
            error.message,
            "`user (id` is no regular expression: unclosed group, at column 6\n  user (id\n       ^",
            "the place"
        );
        let literal = LogQuery { literal: true, ..query };
        assert!(filter(&literal).is_ok(), "as a text it is fine");
    }
}
