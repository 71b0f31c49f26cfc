//! `blinkctl login --device`: signs in through the browser with a code (RFC 8628).

use std::time::Duration;

use blink_proto::ipc::{DeviceCode, Reply, Request, SignedIn};
use jiff::{Timestamp, Zoned};
use serde::Serialize;
use serde_json::json;

use crate::{
    browser,
    client::{Client, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output::{Paint, Tone, plain},
    signal,
};

/// Added to the code's lifetime: the server ends the code, and its answer may take a while.
const GRACE: Duration = Duration::from_secs(30);
/// The longest wait. Codes live ten minutes, and a wrong clock must not make the wait endless.
const LONGEST: Duration = Duration::from_secs(60 * 60);

#[derive(Serialize)]
struct Shown<'a> {
    device_code: &'a DeviceCode,
}

/// Shows the code and waits until it is confirmed.
pub(super) async fn sign_in(
    server: Option<String>,
    adopt: bool,
    open: bool,
    context: &Context,
) -> Result<SignedIn, Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let Reply::DeviceCode(code) = client.call(Request::LoginDevice { server, adopt }, SERVER_LIMIT).await? else {
        return Err(wrong_reply());
    };
    let now = Zoned::now();
    context.output.notice(&Shown { device_code: &code }, |paint| shown(&code, &now, paint));
    if open {
        let page = code.verification_uri_complete.as_ref().unwrap_or(&code.verification_uri);
        if let Err(error) = browser::open(page) {
            let message = format!("The browser could not be opened: {error}");
            let json = json!({ "warning": { "code": "no_browser", "message": message } });
            context.output.notice(&json, |paint| format!("{}.\n", paint.with(Tone::Calm, &message)));
        }
    }
    let limit = remaining(code.expires_at, now.timestamp());
    tokio::select! {
        // The signal comes first, so that the person can always end the wait.
        biased;
        () = signal::stop() => Err(Failure::failed(
            "cancelled",
            "The sign-in was cancelled",
            "Nobody is signed in by it; `blinkctl login --device` begins anew with another code.",
        )),
        reply = client.call(Request::LoginDeviceWait, limit) => match reply? {
            Reply::SignedIn(signed_in) => Ok(signed_in),
            _ => Err(wrong_reply()),
        },
    }
}

fn remaining(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default().min(LONGEST) + GRACE
}

fn shown(code: &DeviceCode, now: &Zoned, paint: Paint) -> String {
    let until = code.expires_at.to_zoned(now.time_zone().clone()).strftime("%H:%M");
    let user_code = paint.with(Tone::Strong, &plain(&code.user_code));
    let mut text =
        format!("Open {} in a browser and enter the code\n\n    {user_code}\n\n", plain(&code.verification_uri));
    if let Some(page) = &code.verification_uri_complete {
        text += &format!("or open {}\n\n", plain(page));
    }
    text + &format!("It is good until {until}. Waiting for you there; Ctrl-C cancels.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_ends_with_the_code_whatever_the_clock_says() {
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let until = |text: &str| remaining(text.parse().unwrap(), now);
        assert_eq!(until("2026-03-01T10:10:00Z"), Duration::from_secs(630));
        assert_eq!(until("2026-03-01T09:00:00Z"), GRACE);
        assert_eq!(until("2099-03-01T09:00:00Z"), LONGEST + GRACE);
    }

    #[test]
    fn address_and_code_are_shown() {
        let code = DeviceCode {
            user_code: "WDJB-MJHT".into(),
            verification_uri: "https://waw.example.org/device".into(),
            verification_uri_complete: Some("https://waw.example.org/device?code=WDJB-MJHT".into()),
            expires_at: "2026-03-01T10:10:00Z".parse().unwrap(),
        };
        let now: Zoned = "2026-03-01T11:00:00+01:00[Europe/Berlin]".parse().unwrap();
        insta::assert_snapshot!(shown(&code, &now, Paint { colour: false }));
    }
}
