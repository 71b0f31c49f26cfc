//! Export of the account's minutes, which the daemon fetches page by page.

use std::io::Write;

use blink_proto::{
    http::HistoryItem,
    ipc::{RemotePage, Reply, Request},
};

use super::{unwritten, writer::Writer};
use crate::{
    client::{Client, SERVER_LIMIT, wrong_reply},
    context::Context,
    days::Range,
    exit::Failure,
    progress::Progress,
};

/// Writes all pages; returns the number of minutes.
pub(super) async fn fill<W: Write + Send>(
    writer: &mut Writer<HistoryItem, W>,
    range: Range,
    context: &Context,
) -> Result<u64, Failure> {
    let mut client = Client::connect(&context.paths).await?;
    let progress = Progress::counting("Received", context.output);
    let (mut cursor, mut minutes) = (None, 0);
    loop {
        let request = Request::RemotePage { from: range.from, to: range.to, cursor: cursor.clone() };
        let Reply::RemotePage(RemotePage { items, next_cursor }) = client.call(request, SERVER_LIMIT).await? else {
            return Err(wrong_reply());
        };
        for item in items {
            writer.write(item).map_err(|error| unwritten(&error))?;
            minutes += 1;
        }
        progress.set(minutes);
        match next_cursor {
            None => return Ok(minutes),
            // A page whose next cursor is its own would make the loop endless.
            same if same == cursor => return Err(strange()),
            next => cursor = next,
        }
    }
}

fn strange() -> Failure {
    let message = "The server sent minutes that this blinkctl does not understand";
    Failure::failed("protocol", message, "Update blinkctl, or ask whoever runs the server.")
}
