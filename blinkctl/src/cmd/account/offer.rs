//! Offers, after a sign-in, to bring here what the account's other machines counted.

use blink_proto::ipc::Elsewhere;
use serde_json::json;

use crate::{
    ask,
    cmd::sync::pull::{self, Brought},
    context::Context,
    exit::Failure,
    output::{Tone, counted},
};

/// What the flags say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cmd) enum Pull {
    /// Ask, or name the command where nobody can be asked.
    #[default]
    Offer,
    Bring,
    Leave,
}

/// Brings the minutes if the person wants them. The sign-in stands whatever becomes of them, so a failure is a warning.
pub(in crate::cmd) async fn take_up(wanted: Pull, context: &Context) -> Result<Option<Brought>, Failure> {
    if wanted == Pull::Leave {
        return Ok(None);
    }
    if wanted == Pull::Offer {
        // An account that cannot be asked, or a server that does not know the question, has nothing to offer.
        let found = pull::elsewhere(None, context).await.unwrap_or_default();
        if found.minutes == 0 || !is_wanted(found, context)? {
            return Ok(None);
        }
    }
    match pull::bring(None, context).await {
        Ok(brought) => Ok(Some(brought)),
        Err(failure) => {
            let message = format!("Not all minutes of other machines came: {}", failure.problem);
            let json = json!({ "warning": { "code": failure.problem.code, "message": message } });
            context.output.notice(&json, |paint| format!("{}\n", paint.with(Tone::Calm, &message)));
            Ok(None)
        }
    }
}

fn is_wanted(found: Elsewhere, context: &Context) -> Result<bool, Failure> {
    let Elsewhere { minutes, machines } = found;
    let has = format!("This account has {} from {}", counted(minutes, "minute"), counted(machines, "other machine"));
    if ask::possible() && !context.output.is_json() {
        return ask::unless_no(&format!("{has}. Bring them here to read?"));
    }
    let json = json!({ "notice": { "code": "minutes_elsewhere", "minutes": minutes, "machines": machines } });
    context.output.notice(&json, |_| format!("{has}; `blinkctl sync --pull` brings them here to read.\n"));
    Ok(false)
}
