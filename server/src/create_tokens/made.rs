//! `onetimeshare-server create-token`: a new token, and the table by which a server knows it. It keeps neither.

use onetimeshare_protocol::id::CreateToken;

use super::file::{hex, is_name};
use crate::token;

/// A token that was made for a name.
#[derive(Debug)]
pub struct Made {
    name: String,
    token: CreateToken,
}

impl Made {
    /// One of the system's randomness.
    pub fn new(name: String) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; CreateToken::LEN];
        getrandom::fill(&mut bytes)?;
        Ok(Self::of(name, CreateToken::from_bytes(bytes)))
    }

    /// This one.
    pub const fn of(name: String, token: CreateToken) -> Self {
        Self { name, token }
    }

    /// The token itself: what its holder enters.
    pub fn text(&self) -> String {
        self.token.to_text()
    }

    /// The table that goes into the file.
    pub fn table(&self) -> String {
        let verifier = token::create_verifier(&self.token);
        format!("[{}]\nsha256 = \"{}\"\n", self.name, hex(&verifier))
    }
}

/// Whether a token can have this name; if not, what one must be.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if is_name(name) {
        Ok(())
    } else {
        Err(
            "the name must be 1 to 64 letters, digits, - or _, and not begin with ots_ as tokens do",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_their_hash_is_that_of_their_text() {
        let [one, other] = ["a", "b"].map(|name| Made::new(name.to_owned()).expect("randomness"));
        assert_ne!(one.text(), other.text());
        assert_eq!(one.text().len(), 47);
        // printf %s ots_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA | sha256sum
        let zero = Made::of("zero".to_owned(), CreateToken::from_bytes([0; 32]));
        assert_eq!(
            zero.table(),
            "[zero]\nsha256 = \"dec9fe14c3e364120275447b54519221617d6ff6fb33c470bc19446e3cbf1eca\"\n"
        );
    }

    #[test]
    fn names_are_words_and_no_tokens() {
        let check = |name: &str, holds| assert_eq!(check_name(name).is_ok(), holds, "{name}");
        check("alice", true);
        check("ci-runner_2", true);
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
        check("", false);
        check("a b", false);
        check("a.b", false);
        check("ünal", false);
        check("ots_alice", false);
    }
}
