//! Prometheus's text format (<https://prometheus.io/docs/instrumenting/exposition_formats/>), as far as one series needs.

/// `name` or `name{label="value"}`: the samples of that name that have these labels, and maybe others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    name: String,
    labels: Vec<(String, String)>,
}

impl Selector {
    /// `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, labels, rest) = parts(text.trim())?;
        rest.trim().is_empty().then_some(Self { name: name.to_owned(), labels })
    }

    /// The sum of all samples that are meant, but for those that are no number (a quantile of nothing is `NaN`); if all
    /// are such, one of them. `None`: there is none.
    pub(super) fn value_in(&self, text: &str) -> Option<f64> {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with(self.name.as_str()));
        let add = |sum: f64, value: f64| match (sum.is_finite(), value.is_finite()) {
            (true, true) => sum + value,
            (true, false) => sum,
            (false, _) => value,
        };
        lines.filter_map(|line| self.value_of(line)).reduce(add)
    }

    fn value_of(&self, line: &str) -> Option<f64> {
        let (name, labels, rest) = parts(line)?;
        let meant = name == self.name && self.labels.iter().all(|label| labels.contains(label));
        let value = rest.split_ascii_whitespace().next().filter(|_| meant)?;
        value.parse().ok()
    }
}

type Labels = Vec<(String, String)>;

/// Name, labels, and what follows.
fn parts(text: &str) -> Option<(&str, Labels, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match rest.strip_prefix('{') {
        Some(rest) => labels(rest).map(|(labels, rest)| (name, labels, rest)),
        None => Some((name, Vec::new(), rest)),
    }
}

/// Up to the closing brace.
fn labels(mut text: &str) -> Option<(Labels, &str)> {
    let mut labels = Vec::new();
    loop {
        text = text.trim_start_matches([' ', ',']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once('=')?;
        let (value, rest) = quoted(rest.trim_start().strip_prefix('"')?)?;
        labels.push((name.trim().to_owned(), value));
        text = rest;
    }
}

/// Up to the closing quote; `\\`, `\"` and `\n` are escapes.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Selector;

    const TEXT: &str = r#"# HELP http_requests_total The number of requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000
http_requests_total_created 1.7e9
queue_length 12.5
path{file="C:\\DIR\\\"x\"} y.txt",} 7
odd{} +Inf
rpc{quantile="0.5"} 2
rpc{quantile="0.9"} NaN
rpc{quantile="0.5",of="b"} 3
nan NaN
torn{a="b
"#;

    #[test]
    fn a_series_is_found_by_its_name_and_labels() {
        for (series, value) in [
            ("queue_length", Some(12.5)),
            (r#"http_requests_total{code="400"}"#, Some(3.0)),
            (r#"http_requests_total{ code = "200" , method="post" }"#, Some(1027.0)),
            ("http_requests_total", Some(1030.0)),
            (r#"http_requests_total{code="500"}"#, None),
            (r#"path{file="C:\\DIR\\\"x\"} y.txt"}"#, Some(7.0)),
            ("http_requests", None),
            ("odd", Some(f64::INFINITY)),
            ("rpc", Some(5.0)),
            (r#"rpc{of="b"}"#, Some(3.0)),
            ("torn", None),
        ] {
            let selector = Selector::parse(series).expect("a selector");
            assert_eq!(selector.value_in(TEXT), value, "{series}");
        }
        for nothing_else in ["nan", r#"rpc{quantile="0.9"}"#] {
            let selector = Selector::parse(nothing_else).expect("a selector");
            assert!(selector.value_in(TEXT).is_some_and(f64::is_nan), "{nothing_else}");
        }
    }

    #[test]
    fn what_is_no_series_is_not_taken_for_one() {
        for text in ["", "{}", "9lives", "a{", "a{b}", r#"a{b="c""#, r#"a{b="c"} 5"#, "a b", "a{b='c'}"] {
            assert_eq!(Selector::parse(text), None, "{text}");
        }
    }
}
