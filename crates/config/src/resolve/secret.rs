//! Which variables no face may show.

/// Words that make a name a secret's, as a whole part of it: `DB_PASSWORD`, not `PASSWORDLESS`.
const WORDS: [&str; 19] = [
    "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "SECRET", "SECRETS", "TOKEN", "TOKENS", "KEY", "KEYS", "APIKEY",
    "CREDENTIAL", "CREDENTIALS", "AUTH", "COOKIE", "SALT", "DSN", "PRIVATE",
];
/// Names that hold such a word and nothing to hide.
const HARMLESS: [&str; 4] = ["PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY"];
/// Endings of words written without a separator: `PGPASSWORD`, `GITHUBTOKEN`, `ACCESSKEY`.
const ENDINGS: [&str; 6] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY", "ACCESSKEY"];

/// Whether a variable of this name probably holds something that no face may show: `PASSWORD`, `TOKEN`, `SECRET`,
/// `KEY` and the like as a part of the name, in any case (`dbPassword` too).
#[must_use]
pub fn secret(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    if HARMLESS.contains(&upper.as_str()) {
        return false;
    }
    parts(name).iter().any(|part| {
        WORDS.contains(&part.as_str()) || ENDINGS.iter().any(|ending| part.ends_with(ending))
    })
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
    use super::secret;

    #[test]
    fn names_like_secrets_are_known() {
        for name in [
            "PASSWORD", "DB_PASSWORD", "PGPASSWORD", "GITHUB_TOKEN", "API_KEY", "AWS_SECRET_ACCESS_KEY", "dbPassword",
            "STRIPE_SECRET", "SENTRY_DSN", "apikey", "NPM_CONFIG__AUTH", "MYSQL_PWD", "SSH_PRIVATE_KEY", "Session-Cookie",
        ] {
            assert!(secret(name), "{name} would be shown");
        }
        for name in ["PATH", "PWD", "OLDPWD", "PORT", "MONKEY", "KEYBOARD", "TOKENIZER", "COMPASS", "SSH_AUTH_SOCK", "AUTHOR", ""] {
            assert!(!secret(name), "{name} would be hidden");
        }
    }
}
