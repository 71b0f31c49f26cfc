//! `blinkctl delete`: erasure (GDPR, article 17), with a receipt and a check of what is left.

mod remains;

use std::fmt::Write;

use blink_profile::{AccountFile, contents};
use blink_proto::{
    Secret,
    ipc::{Erase, Reply, Request},
    receipt::{LocalErasure, Receipt},
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use super::{quit, service};
use crate::{
    ask, blinkd,
    client::{Client, ClientError, LOCAL_LIMIT, SERVER_LIMIT, wrong_reply},
    context::Context,
    exit::{ExitStatus, Failure},
    output::{Paint, Tone, plain},
};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:
  blinkctl delete --local
  blinkctl delete --remote
  printf '%s\\n' \"$PASSWORD\" | blinkctl delete --everything --yes --password-stdin

A receipt is printed. It cannot be undone: `blinkctl export -o minutes.json` keeps a copy first.
Exit code 1 with the receipt when something could not be erased.",
    group(clap::ArgGroup::new("what").required(true))
)]
pub(crate) struct Args {
    /// All minutes on this machine, the running one and those not sent yet too. Works without blinkd
    #[arg(long, group = "what")]
    local: bool,

    /// The account, all that the server holds about you, and what was pulled from there
    #[arg(long, group = "what")]
    remote: bool,

    /// Both, and settings, sign-in, consent, enrolled face and logs
    #[arg(long, group = "what")]
    everything: bool,

    /// Erase without asking
    #[arg(long)]
    yes: bool,

    /// Read the account's password from the first line of stdin
    #[arg(long, conflicts_with = "local")]
    password_stdin: bool,
}

impl Args {
    fn what(&self) -> Erase {
        match (self.remote, self.everything) {
            (true, _) => Erase::Remote,
            (_, true) => Erase::Everything,
            _ => Erase::Local,
        }
    }
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<ExitStatus, Failure> {
    let what = args.what();
    let mut missing = Vec::new();
    if !ask::possible() {
        missing.extend((!args.yes).then_some("--yes"));
        missing.extend((what == Erase::Remote && !args.password_stdin).then_some("--password-stdin"));
    }
    if !missing.is_empty() {
        return Err(ask::missing_flags(&missing));
    }
    let account = match Client::connect(&context.paths).await {
        Ok(mut client) => Ok(account(&mut client).await?),
        Err(error) if error.is_absent() => Err(error),
        Err(error) => return Err(error.into()),
    };
    let mut receipt = match account {
        Err(absent) => without_daemon(args, what, absent, context).await?,
        Ok(None) if what == Erase::Remote => {
            let fix = "Sign in with `blinkctl login` first; there is nothing on a server without an account.";
            let failure = Failure::failed("not_signed_in", "Nobody is signed in", fix);
            return Err(Failure { status: ExitStatus::NotSignedIn, ..failure });
        }
        Ok(account) => by_daemon(args, what, account.as_deref(), context).await?,
    };
    match what {
        Erase::Local => receipt.left.extend(remains::minutes_before(&context.paths, receipt.at)),
        Erase::Remote => {}
        // If the daemon could erase nothing here, its reason is already in `left`.
        Erase::Everything if receipt.local.is_none() => {}
        Erase::Everything => {
            receipt.left.extend(remains::sweep(&context.paths));
            receipt.kept = kept(context);
        }
    }
    receipt.left.sort();
    receipt.left.dedup();
    context.output.result(&receipt, |paint| {
        let page = page(&receipt, &TimeZone::system(), paint);
        if what == Erase::Everything && service::is_installed() {
            return page
                + "blinkd still starts with every sign-in, without consent; `blinkctl service uninstall` ends that.\n";
        }
        page
    })?;
    Ok(if receipt.left.is_empty() { ExitStatus::Done } else { ExitStatus::Failed })
}

/// The signed-in account, as the daemon reports it.
async fn account(client: &mut Client) -> Result<Option<String>, Failure> {
    match client.call(Request::Whoami, LOCAL_LIMIT).await {
        Ok(Reply::SignedIn(who)) => Ok(Some(format!("{} on {}", who.email, who.server))),
        Ok(_) => Err(wrong_reply()),
        Err(failure) if failure.status == ExitStatus::NotSignedIn => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn by_daemon(args: &Args, what: Erase, account: Option<&str>, context: &Context) -> Result<Receipt, Failure> {
    let remote = what != Erase::Local && account.is_some();
    if remote && !args.password_stdin && !ask::possible() {
        return Err(ask::missing_flags(&["--password-stdin"]));
    }
    ask::confirm(args.yes, &announced(what, account, &kept(context)), "delete")?;
    let password = if remote { password(args)? } else { None };
    // The person may have thought for so long that the connection was closed.
    let mut client = Client::connect(&context.paths).await?;
    let Reply::Receipt(mut receipt) = client.call(Request::Delete { what, password }, SERVER_LIMIT).await? else {
        return Err(wrong_reply());
    };
    if what == Erase::Everything && quit::wait(&mut client, context).await.is_err() {
        receipt.left.push("the process blinkd, which has not ended".to_owned());
    }
    Ok(receipt)
}

/// Asks for the password. An account made with an identity provider has none: the server then requires a recent
/// sign-in.
fn password(args: &Args) -> Result<Option<Secret>, Failure> {
    if args.password_stdin {
        return ask::password_from_stdin().map(Some);
    }
    let password = ask::password("Password of the account (empty if it has none): ")?;
    Ok((!password.expose().is_empty()).then_some(password))
}

async fn without_daemon(args: &Args, what: Erase, absent: ClientError, context: &Context) -> Result<Receipt, Failure> {
    let flag = match what {
        Erase::Local => "--local",
        // Only the daemon talks to the server.
        Erase::Remote => return Err(absent.into()),
        Erase::Everything if signed_in(context) => {
            let fix = "Start it with `blinkd run`: only it can erase the account too. `blinkctl delete --local` works without it.";
            let mut failure = Failure::from(absent);
            failure.problem.fix = fix.to_owned();
            return Err(failure);
        }
        Erase::Everything => "--everything",
    };
    ask::confirm(args.yes, &announced(what, None, &kept(context)), "delete")?;
    let local: LocalErasure = blinkd::read(&["erase", flag]).await?;
    Ok(Receipt { at: Timestamp::now(), local: Some(local), remote: None, left: Vec::new(), kept: Vec::new() })
}

/// Whether the profile's account file names an account; an unreadable one may.
fn signed_in(context: &Context) -> bool {
    AccountFile::load(&context.paths).map_or(true, |file| file.is_some_and(|file| file.current.is_some()))
}

/// What stays in the profile's folders when everything is erased.
fn kept(context: &Context) -> Vec<String> {
    let models = Some(context.paths.models()).filter(|models| models.is_dir());
    contents::others(&context.paths).into_iter().chain(models).map(|path| path.display().to_string()).collect()
}

fn announced(what: Erase, account: Option<&str>, kept: &[String]) -> String {
    let account = account.map_or_else(String::new, plain);
    let local = "all minutes on this machine, the running one and those not sent yet too";
    let rest = "settings, sign-in, consent, enrolled face and logs";
    let kept = match kept {
        [] => String::new(),
        kept => format!(" This stays, for it is not blinkd's or says nothing about you: {}.", plain(&kept.join(", "))),
    };
    match (what, account.as_str()) {
        (Erase::Local, _) => format!("This erases {local}."),
        (Erase::Remote, account) => {
            format!(
                "This erases the account {account}, all that the server holds about you, and what was pulled from there."
            )
        }
        (Erase::Everything, "") => format!("This erases {local}, and {rest}.{kept}"),
        (Erase::Everything, account) => {
            format!(
                "This erases the account {account} with all that the server holds about you, {local}, and {rest}.{kept}"
            )
        }
    }
}

fn page(receipt: &Receipt, zone: &TimeZone, paint: Paint) -> String {
    let at = receipt.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z");
    let mut page = format!("{}\n", paint.with(Tone::Strong, &format!("Receipt of {at}")));
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "  {}{value}", paint.with(Tone::Faint, &format!("{name:<14}")));
    };
    if let Some(local) = receipt.local {
        let minutes = match local.minutes {
            0 => "no minutes were there".to_owned(),
            1 => "1 minute erased".to_owned(),
            n => format!("{n} minutes erased"),
        };
        let unsent = match local.unsent {
            0 => String::new(),
            1 => ", 1 of them never sent".to_owned(),
            n => format!(", {n} of them never sent"),
        };
        row("This machine", &(minutes + &unsent));
        if local.everything {
            row("", "settings, sign-in, consent, enrolled face and logs erased");
        }
    }
    for (n, line) in receipt.remote.iter().flat_map(remote).enumerate() {
        row(if n == 0 { "Server" } else { "" }, &plain(&line));
    }
    // The server's stores are reported by its own receipt.
    if receipt.left.is_empty() && receipt.local.is_some() {
        row("Left here", &paint.with(Tone::Good, "nothing"));
    }
    for (n, left) in receipt.left.iter().enumerate() {
        row(if n == 0 { "Left here" } else { "" }, &paint.with(Tone::Bad, &plain(left)));
    }
    for (n, kept) in receipt.kept.iter().enumerate() {
        row(if n == 0 { "Stays" } else { "" }, &plain(kept));
    }
    page
}

/// The server's receipt as lines: what was removed from each store and whether that is complete, then its other fields.
fn remote(receipt: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Value::Object(fields) = receipt else { return vec![word(receipt)] };
    let mut lines = Vec::new();
    for store in fields.get("stores").and_then(Value::as_array).into_iter().flatten() {
        if !store.is_object() {
            lines.push(word(store));
            continue;
        }
        let removed = store.get("removed").and_then(Value::as_object).into_iter().flatten();
        let removed = removed.filter(|(_, n)| n.as_u64() != Some(0)).map(|(name, n)| format!("{name} {}", word(n)));
        let removed = removed.collect::<Vec<_>>().join(", ");
        let [name, status] = ["store", "status"].map(|field| store.get(field).map_or_else(String::new, word));
        let rest = if removed.is_empty() { String::new() } else { format!(": {removed}") };
        lines.push(format!("{name}, {status}{rest}"));
    }
    let rest = fields.iter().filter(|(name, value)| *name != "stores" || !value.is_array());
    lines.extend(rest.map(|(name, value)| format!("{name}: {}", word(value))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receipt_for_people() {
        let receipt = Receipt {
            at: "2026-03-01T10:00:00Z".parse().unwrap(),
            local: Some(LocalErasure { minutes: 1_234, unsent: 12, everything: true }),
            remote: Some(serde_json::json!({
                "receipt_id": "717d826f",
                "stores": [
                    { "store": "database", "status": "done", "removed": { "minutes": 1_222, "sums": 0, "accounts": 1 } },
                    { "store": "archive", "status": "pending" },
                ],
            })),
            left: vec!["/home/ada/.local/share/blinkd/x".into()],
            kept: vec!["/home/ada/.config/blinkd/ca.pem".into()],
        };
        insta::assert_snapshot!(page(&receipt, &TimeZone::UTC, Paint { colour: false }));
    }

    #[test]
    fn a_receipt_of_another_form_is_shown_all_the_same() {
        assert_eq!(remote(&serde_json::json!("gone")), ["gone"]);
        assert_eq!(remote(&serde_json::json!({ "stores": 3, "n": null })), ["n: null", "stores: 3"]);
        assert_eq!(remote(&serde_json::json!({ "stores": ["all"] })), ["all"]);
    }

    #[test]
    fn what_will_be_erased_is_announced() {
        let account = Some("ada@example.org on https://waw.example.org");
        let lines = [
            (Erase::Local, account),
            (Erase::Remote, account),
            (Erase::Everything, account),
            (Erase::Everything, None),
        ];
        let kept = ["/home/ada/.config/blinkd/ca.pem".to_owned()];
        let lines = lines.map(|(what, account)| announced(what, account, &kept)).join("\n");
        assert!(!announced(Erase::Everything, None, &[]).contains("stays"));
        insta::assert_snapshot!(lines);
    }
}
