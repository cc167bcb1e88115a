//! What a client must know to be let in.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// 256 random bits, in letters that may stand in a URL's fragment and in a header.
pub(crate) struct Token(String);

impl Token {
    /// # Errors
    /// The system has no random bytes to give.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Whether `shown` is this one; how long that takes does not tell how much of it is right.
    pub(crate) fn is(&self, shown: &str) -> bool {
        self.0.as_bytes().ct_eq(shown.as_bytes()).into()
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_new_and_fit_for_a_header() {
        let (one, other) = (Token::random().expect("random"), Token::random().expect("random"));
        assert_eq!(one.0.len(), 43, "256 bits, six a letter");
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
        assert!(one.0.bytes().all(fits), "{}", one.0);
        assert_ne!(one.0, other.0);
    }

    #[test]
    fn only_the_whole_token_is_it() {
        let token = Token("abc".to_owned());
        assert!(token.is("abc"));
        for shown in ["", "ab", "abd", "abcd", "ABC", " abc"] {
            assert!(!token.is(shown), "{shown:?}");
        }
    }
}
