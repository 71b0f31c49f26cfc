//! Opens an address in the person's browser.

use std::{
    io,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The opener normally ends at once; one that runs for longer has become the browser itself.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, thiserror::Error)]
pub(crate) enum BrowserError {
    /// A server may name any address, so only web pages are opened.
    #[error("it is not the address of a web page")]
    NotAPage,
    #[error("`{0}` cannot be run: {1}")]
    Opener(&'static str, #[source] io::Error),
    #[error("`{0}` found no browser")]
    NoBrowser(&'static str),
}

pub(crate) fn open(url: &str) -> Result<(), BrowserError> {
    if !is_page(url) {
        return Err(BrowserError::NotAPage);
    }
    let (program, args): (&'static str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        // `start` is not used, because the command interpreter would interpret an ampersand.
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(args).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| BrowserError::Opener(program, error))?;
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(_)) => return Err(BrowserError::NoBrowser(program)),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(error) => return Err(BrowserError::Opener(program, error)),
        }
    }
    Ok(())
}

fn is_page(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && url.chars().all(|c| c.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://waw.example.org/device?code=AB-CD", true)]
    #[case("http://127.0.0.1:8080", true)]
    #[case("file:///etc/passwd", false)]
    #[case("javascript:alert(1)", false)]
    #[case("--version", false)]
    #[case("https://", false)]
    #[case("https://a\nb", false)]
    fn only_web_pages_are_opened(#[case] url: &str, #[case] page: bool) {
        assert_eq!(is_page(url), page);
    }
}
