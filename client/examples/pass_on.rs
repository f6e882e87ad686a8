//! Sends a text to a server and opens it again: `pass_on http://127.0.0.1:8080`. It fails when anything else comes back.
#![expect(clippy::print_stderr, reason = "it tells a person why it failed")]

use std::process::ExitCode;

use onetimeshare_client::{Client, Collected, Content, Error, LinkUrl, Opening, SendOptions, send};

const TEXT: &str = "the password is swordfish";

fn main() -> ExitCode {
    let Some(base) = std::env::args().nth(1) else {
        return ExitCode::from(2);
    };
    match pass_on(&base) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the text came back.
fn pass_on(base: &str) -> Result<bool, Error> {
    let client = Client::new(base)?;
    let sent = send(&client, &SendOptions::default(), Content::Text(TEXT))?;
    let url = LinkUrl::parse(&sent.link)?;
    let opening = Opening::new(&client, url.link(), None)?;
    let mut claimed = opening.claim(&client.generate_claim_token()?)?;
    let mut content = Collected::default();
    let received = claimed.receive(&mut content)?;
    let entries = content.entries.iter();
    let texts: Vec<_> = entries.map(|(_, bytes)| bytes.as_slice()).collect();
    Ok(received.untold.is_none() && texts == [TEXT.as_bytes()])
}
