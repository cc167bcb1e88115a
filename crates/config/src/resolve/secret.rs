//! Which variables no face may show.

use std::borrow::Cow;

/// Words that make a name a secret's, as a whole part of it: `DB_PASSWORD`, not `PASSWORDLESS`.
const WORDS: [&str; 19] = [
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "PASS",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
    "TOKENS",
    "KEY",
    "KEYS",
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "AUTH",
    "COOKIE",
    "SALT",
    "DSN",
    "PRIVATE",
];
/// Names that hold such a word and nothing to hide.
const HARMLESS: [&str; 4] = ["PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY"];
/// Endings of words written without a separator: `PGPASSWORD`, `GITHUBTOKEN`, `ACCESSKEY`.
const ENDINGS: [&str; 6] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "ACCESSKEY"];

/// Stands for what is not shown; as long for a short value as for a long one.
const MASK: &str = "********";

/// Whether a variable of this name probably holds something that no face may show: `PASSWORD`, `TOKEN`, `SECRET`,
/// `KEY` and the like as a part of the name, in any case (`dbPassword` too).
#[must_use]
pub fn secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    if HARMLESS.contains(&upper.as_str()) {
        return false;
    }
    parts(name)
        .iter()
        .any(|part| WORDS.contains(&part.as_str()) || ENDINGS.iter().any(|ending| part.ends_with(ending)))
}

/// What a face may show of a variable: nothing of a [`secret`], and of a URL not its password.
#[must_use]
pub fn masked<'v>(name: &str, value: &'v str) -> Cow<'v, str> {
    if value.is_empty() {
        return value.into();
    }
    if secret(name) {
        return MASK.into();
    }
    without_password(value).map_or(value.into(), Cow::Owned)
}

/// `scheme://user:password@host` without the password.
fn without_password(value: &str) -> Option<String> {
    let begin = value.find("://")? + 3;
    let authority = &value[begin..];
    let authority = &authority[..authority.find(['/', '?', '#']).unwrap_or(authority.len())];
    let at = authority.rfind('@')?;
    let colon = authority[..at].find(':')?;
    Some(format!("{}{MASK}{}", &value[..=begin + colon], &value[begin + at..]))
}

/// The words of `SNAKE_CASE`, `kebab-case` and `camelCase`, in capitals.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut previous_lower = false;
    for c in name.chars() {
        let begins = previous_lower && c.is_ascii_uppercase();
        if !c.is_ascii_alphanumeric() || begins {
            parts.push(String::new());
        }
        if let Some(last) = parts.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            last.push(c.to_ascii_uppercase());
        }
        previous_lower = c.is_ascii_lowercase();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::{masked, secret};

    #[test]
    fn of_a_url_only_the_password_is_hidden() {
        for (value, shown) in [
            ("postgres://me:pass@db:5432/app?x=a:b@c", "postgres://me:********@db:5432/app?x=a:b@c"),
            ("postgres://me:p@ss:w@db/app", "postgres://me:********@db/app"),
            ("http://localhost:3000/a@b", "http://localhost:3000/a@b"),
            ("https://me@db/", "https://me@db/"),
            ("plain:text@x", "plain:text@x"),
            ("", ""),
        ] {
            assert_eq!(masked("DATABASE_URL", value), shown, "{value}");
        }
        assert_eq!(masked("DB_PASSWORD", "x"), "********");
        assert_eq!(masked("DB_PASSWORD", ""), "", "nothing is hidden by an empty value");
    }

    #[test]
    fn names_like_secrets_are_known() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "PGPASSWORD",
            "GITHUB_TOKEN",
            "API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "dbPassword",
            "STRIPE_SECRET",
            "SENTRY_DSN",
            "apikey",
            "NPM_CONFIG__AUTH",
            "MYSQL_PWD",
            "SSH_PRIVATE_KEY",
            "Session-Cookie",
        ] {
            assert!(secret(name), "{name} would be shown");
        }
        for name in [
            "PATH",
            "PWD",
            "OLDPWD",
            "PORT",
            "MONKEY",
            "KEYBOARD",
            "TOKENIZER",
            "COMPASS",
            "SSH_AUTH_SOCK",
            "AUTHOR",
            "",
        ] {
            assert!(!secret(name), "{name} would be hidden");
        }
    }
}
