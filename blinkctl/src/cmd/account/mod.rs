//! `blinkctl register`, `login`, `logout` and `whoami`.

mod credentials;
mod device;
mod offer;

use blink_proto::{
    consent::TRACKING_VERSION,
    ipc::{Reply, Request, SignedIn},
};
use serde::Serialize;
use serde_json::json;

use self::credentials::{Credentials, Purpose};
pub(super) use self::offer::{Pull, take_up};
use super::sync::pull::{self, Brought};
use crate::{
    ask,
    client::{Client, LOCAL_LIMIT, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::Failure,
    output::{Paint, Tone, plain},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl register --server https://waw.example.org --email ada@example.org
  printf '%s\\n' \"$PASSWORD\" | \\
      blinkctl register --email ada@example.org --password-stdin --accept-consent")]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    credentials: Credentials,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl login --email ada@example.org
  blinkctl login --device --open
  printf '%s\\n' \"$PASSWORD\" | blinkctl login --email ada@example.org --password-stdin

Signing in alone is not consent for this machine's camera: see `blinkctl consent grant`.")]
pub(crate) struct LoginArgs {
    #[command(flatten)]
    credentials: Credentials,

    /// Sign in from a browser, on this machine or any other: shows an address and a code, and waits
    #[arg(long, conflicts_with_all = ["email", "password_stdin"])]
    device: bool,

    /// Open the browser there
    #[arg(long, requires = "device")]
    open: bool,

    /// Bring the minutes of your other machines here, as `blinkctl sync --pull` does, without asking
    #[arg(long, conflicts_with = "no_pull")]
    pull: bool,

    /// Leave them on the server, without asking
    #[arg(long)]
    no_pull: bool,
}

impl LoginArgs {
    fn wants(&self) -> Pull {
        match (self.pull, self.no_pull) {
            (true, _) => Pull::Bring,
            (_, true) => Pull::Leave,
            _ => Pull::Offer,
        }
    }
}

/// The result of a sign-in to an account that was there before.
#[derive(Serialize)]
struct LoggedIn<'a> {
    #[serde(flatten)]
    signed_in: &'a SignedIn,
    /// What came from the account's other machines; absent where nothing was brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pulled: Option<Brought>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl logout")]
pub(crate) struct LogoutArgs {}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl whoami --json")]
pub(crate) struct WhoamiArgs {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignInMethod {
    Register,
    Password,
    Browser,
}

pub(crate) async fn register(args: RegisterArgs, context: &Context) -> Result<(), Failure> {
    args.credentials.check(Purpose::Register, ask::possible())?;
    let signed_in = make(args.credentials, context).await?;
    print_signed_in(context, &signed_in)
}

pub(crate) async fn login(args: LoginArgs, context: &Context) -> Result<(), Failure> {
    if !args.device {
        args.credentials.check(Purpose::Login, ask::possible())?;
    }
    let (accept_consent, wants) = (args.credentials.accept_consent, args.wants());
    let mut signed_in = if args.device {
        device::sign_in(args.credentials.server, !args.credentials.no_adopt, args.open, context).await?
    } else {
        enter(args.credentials, context).await?
    };
    if !signed_in.consent && (accept_consent || (ask::possible() && ask::consent()?)) {
        // The person may have read for so long that the connection was closed.
        let mut client = Client::connect(&context.paths).await?;
        client.call(Request::ConsentGrant { version: TRACKING_VERSION.to_owned() }, SERVER_LIMIT).await?;
        signed_in.consent = true;
    }
    if context.output.is_json() {
        let pulled = take_up(wants, context).await?;
        return context.output.result(&LoggedIn { signed_in: &signed_in, pulled }, |_| String::new());
    }
    // The person reads that they are signed in before they are asked more.
    print_signed_in(context, &signed_in)?;
    match take_up(wants, context).await? {
        Some(brought) => context.output.text(&pull::text(&brought, context.output.paint())),
        None => Ok(()),
    }
}

/// Signs in one way and asks for what it needs, for `setup`, where consent was a step of its own.
pub(super) async fn sign_in(
    way: SignInMethod,
    server: Option<String>,
    consented: bool,
    context: &Context,
) -> Result<SignedIn, Failure> {
    let credentials = Credentials { server, accept_consent: consented, ..Credentials::default() };
    match way {
        SignInMethod::Register => make(credentials, context).await,
        SignInMethod::Password => enter(credentials, context).await,
        SignInMethod::Browser => device::sign_in(credentials.server, true, true, context).await,
    }
}

async fn make(credentials: Credentials, context: &Context) -> Result<SignedIn, Failure> {
    // The daemon is looked for first, so that nobody types a password in vain.
    drop(Client::connect(&context.paths).await?);
    if !credentials.accept_consent && !ask::consent()? {
        let fix = "Without consent there is no account; nothing was sent.";
        return Err(Failure::failed("consent_declined", "You did not consent", fix));
    }
    let adopt = !credentials.no_adopt;
    let given = credentials.gather(Purpose::Register)?;
    let request = Request::Register {
        server: given.server,
        email: given.email,
        password: given.password,
        consent_version: TRACKING_VERSION.to_owned(),
        adopt,
    };
    signed_in(&mut Client::connect(&context.paths).await?, request).await
}

async fn enter(credentials: Credentials, context: &Context) -> Result<SignedIn, Failure> {
    drop(Client::connect(&context.paths).await?);
    let adopt = !credentials.no_adopt;
    let given = credentials.gather(Purpose::Login)?;
    let request = Request::Login { server: given.server, email: given.email, password: given.password, adopt };
    signed_in(&mut Client::connect(&context.paths).await?, request).await
}

pub(crate) async fn logout(_: &LogoutArgs, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::Logout, SERVER_LIMIT).await?;
    context.output.result(&json!({ "signed_out": true }), |_| {
        "Signed out. Minutes not sent yet are kept for this account's return.\n".to_owned()
    })
}

pub(crate) async fn whoami(_: &WhoamiArgs, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let Reply::SignedIn(who) = client.call(Request::Whoami, LOCAL_LIMIT).await? else { return Err(wrong_reply()) };
    let SignedIn { user_id, email, server, consent, .. } = &who;
    let json = json!({ "user_id": user_id, "email": email, "server": server, "consent": consent });
    context.output.result(&json, |paint| format!("{} on {}\n", paint.with(Tone::Strong, &plain(email)), plain(server)))
}

async fn signed_in(client: &mut Client, request: Request) -> Result<SignedIn, Failure> {
    match client.call(request, SERVER_LIMIT).await? {
        Reply::SignedIn(signed_in) => Ok(signed_in),
        _ => Err(wrong_reply()),
    }
}

fn print_signed_in(context: &Context, signed_in: &SignedIn) -> Result<(), Failure> {
    context.output.result(signed_in, |paint| signed_in_text(signed_in, paint))
}

pub(super) fn signed_in_text(signed_in: &SignedIn, paint: Paint) -> String {
    let SignedIn { email, server, adopted, consent, .. } = signed_in;
    let mut text = format!("{} as {} on {}.\n", paint.with(Tone::Good, "Signed in"), plain(email), plain(server));
    match adopted {
        0 => {}
        1 => text += "1 minute counted before belongs to this account now.\n",
        n => text += &format!("{n} minutes counted before belong to this account now.\n"),
    }
    if !consent {
        text += &paint.with(Tone::Calm, "This machine's camera stays off: signing in is not consent.");
        text += " `blinkctl consent grant` shows the text and records it.\n";
    }
    text
}
