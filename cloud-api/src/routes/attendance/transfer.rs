//! Records from a CSV file.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CONTENT_TYPE,
    web::{Bytes, Data, Payload},
};
use blink_proto::http::{AttendanceImport, AttendanceLine, Role};

use crate::{
    attendance::records_csv::{self, Fault, Read},
    db::attendance::import::{self, Against, STEP_ROWS, Taken},
    error::{ApiError, ApiResult},
    http::{
        blocking,
        multipart::{self, FileField},
        to_its_end, upload,
    },
    principal::Principal,
    state::State,
};

/// The file of a form, as pages send it.
const FILE: FileField =
    FileField { names: &["file"], most: 1, max_bytes: upload::MAX_BYTES, max_total: upload::MAX_BYTES };

/// Take records from a CSV file: what is sound is stored, and everything else is listed.
#[utoipa::path(
    post,
    path = "/api/attendance/import",
    tag = "attendance",
    request_body(content = String, content_type = "text/csv", description = "columns Date, Time, Status, Name, ID, Confidence, Liveness_Verified, Session_ID; at most 8 MB; or a form with it as file"),
    responses((status = 200, body = AttendanceImport), (status = 429)),
)]
pub(crate) async fn import(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    // One at a time for a person: an import holds the database's writer again and again.
    let turn = state.limits.export_turn(who.user).await?;
    let (bytes, held) = file(&req, payload, &state).await?;
    // What was begun is finished, even if the client hangs up: half a file would be a riddle.
    to_its_end(async move {
        let _turn = turn;
        let read = blocking(move || records_csv::read(&bytes)).await?;
        let answer = take(&state, &who, read).await?;
        drop(held);
        Ok(HttpResponse::Ok().json(answer))
    })
    .await
}

/// The file, and its share of the memory. It is the body, or a file of a form.
async fn file(req: &HttpRequest, payload: Payload, state: &State) -> Result<(Bytes, Box<dyn Send>), ApiError> {
    let kind = req.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
    if !kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        let upload = upload::read_csv(req, payload, &state.uploads).await?;
        return Ok((upload.bytes.into(), Box::new(upload.share)));
    }
    let mut form = multipart::read(req, payload, &state.desk.uploads, &[FILE]).await?;
    let file = form.files("file").pop().ok_or_else(|| ApiError::invalid_field("file", "is required"))?;
    Ok((file, Box::new(form)))
}

async fn take(state: &State, who: &Principal, read: Read) -> Result<AttendanceImport, ApiError> {
    let Read { rows, rejected, notes } = read;
    let mut taken = Taken { rejected, notes, ..Taken::default() };
    let (calendar, now) = (state.desk.config.calendar.clone(), state.clock.now());
    let keep_from = state.keep_from(now);
    let (rows, first) = blocking(move || {
        let first = import::first_days(&rows, Against { calendar: &calendar, now, keep_from });
        (Arc::new(rows), Arc::new(first))
    })
    .await?;
    for from in (0..rows.len()).step_by(STEP_ROWS) {
        let (rows, first) = (rows.clone(), first.clone());
        let calendar = state.desk.config.calendar.clone();
        let step = who.write(state, move |conn, who| {
            who.require(Role::Manager)?;
            let to = (from + STEP_ROWS).min(rows.len());
            let against = Against { calendar: &calendar, now: who.at, keep_from };
            Ok(import::take(conn, &rows[from..to], &first, against)?)
        });
        taken.add(step.await?);
    }
    Ok(wire(taken))
}

fn wire(taken: Taken) -> AttendanceImport {
    let lines = |faults: Vec<Fault>| {
        let line = |fault: Fault| AttendanceLine {
            line: fault.line as u64,
            code: fault.code.to_owned(),
            detail: fault.detail,
        };
        faults.into_iter().map(line).collect()
    };
    AttendanceImport {
        imported: taken.imported,
        duplicates: taken.duplicates,
        people_added: taken.people_added,
        rejected: lines(taken.rejected.listed),
        rejected_more: taken.rejected.more,
        notes: lines(taken.notes.listed),
        notes_more: taken.notes.more,
    }
}
