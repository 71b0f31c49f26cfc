//! Step of the set-up: an account on a server, or none.

use super::{status, trouble};
use crate::{
    ask,
    cmd::{
        Context,
        account::{self, Pull, SignInMethod},
        sync::pull,
    },
    exit::Failure,
    output::{Paint, Tone, plain},
};

/// Offers an account; none is needed.
pub(super) async fn step(context: &Context, paint: Paint) -> Result<(), Failure> {
    let status = status(context).await?;
    if let Some(account) = status.account {
        let who = format!("Signed in as {} on {}.", plain(&account.email), plain(&account.server));
        return ask::say(&format!("{} `blinkctl logout` signs out.\n", paint.with(Tone::Good, &who)));
    }
    ask::say(
        "Without an account all your figures stay on this machine. With one you see those of all your machines on a \
         dashboard.\n\n  r  register a new account\n  s  sign in with a password\n  b  sign in from the browser\n  \
         Enter  this machine alone\n\n",
    )?;
    let way = loop {
        match ask::line("Which? [r/s/b] ")?.to_lowercase().as_str() {
            "" | "n" | "no" => return ask::say("Your figures stay on this machine.\n"),
            "r" => break SignInMethod::Register,
            "s" => break SignInMethod::Password,
            "b" => break SignInMethod::Browser,
            _ => ask::say("Type r, s or b, or Enter for none.\n")?,
        }
    };
    let server = ask::line("Server (Enter for the one in the settings): ")?;
    let server = (!server.is_empty()).then_some(server);
    match account::sign_in(way, server, status.consent, context).await {
        Ok(signed_in) => {
            ask::say(&account::signed_in_text(&signed_in, paint))?;
            // An account that was just made has no other machines.
            let wants = if way == SignInMethod::Register { Pull::Leave } else { Pull::Offer };
            match account::take_up(wants, context).await? {
                Some(brought) => ask::say(&pull::text(&brought, paint)),
                None => Ok(()),
            }
        }
        Err(failure) => {
            trouble(&failure, paint)?;
            ask::say("`blinkctl setup`, `blinkctl register` and `blinkctl login` try again.\n")
        }
    }
}
