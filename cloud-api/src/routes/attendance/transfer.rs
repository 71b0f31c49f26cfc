//! Records from a CSV file.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Payload},
};
use blink_proto::http::{AttendanceImport, AttendanceLine, Role};

use crate::{
    attendance::records_csv::{self, Fault, Read},
    db::attendance::import::{self, Against, STEP_ROWS, Taken},
    error::{ApiError, ApiResult},
    http::{blocking, to_its_end, upload},
    principal::Principal,
    state::State,
};

/// Take records from a CSV file: what is sound is stored, and everything else is listed.
#[utoipa::path(
    post,
    path = "/api/attendance/import",
    tag = "attendance",
    request_body(content = String, content_type = "text/csv", description = "columns Date, Time, Status, Name, ID, Confidence, Liveness_Verified, Session_ID; at most 8 MB"),
    responses((status = 200, body = AttendanceImport), (status = 429)),
)]
pub(crate) async fn import(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    // One at a time for a person: an import holds the database's writer again and again.
    let turn = state.limits.export_turn(who.user).await?;
    let upload = upload::read_csv(&req, payload, &state.uploads).await?;
    // What was begun is finished, even if the client hangs up: half a file would be a riddle.
    to_its_end(async move {
        let _turn = turn;
        let share = upload.share;
        let bytes = upload.bytes;
        let read = blocking(move || records_csv::read(&bytes)).await?;
        let answer = take(&state, &who, read).await?;
        drop(share);
        Ok(HttpResponse::Ok().json(answer))
    })
    .await
}

async fn take(state: &State, who: &Principal, read: Read) -> Result<AttendanceImport, ApiError> {
    let Read { rows, rejected, notes } = read;
    let mut taken = Taken { rejected, notes, ..Taken::default() };
    let rows = Arc::new(rows);
    for from in (0..rows.len()).step_by(STEP_ROWS) {
        let (rows, calendar, keep_from) = (rows.clone(), state.desk.config.calendar.clone(), state.keep_from());
        let step = who.write(state, move |conn, who| {
            who.require(Role::Manager)?;
            let to = (from + STEP_ROWS).min(rows.len());
            let against = Against { calendar: &calendar, now: who.at, keep_from };
            Ok(import::take(conn, &rows[from..to], against)?)
        });
        taken.add(step.await?);
    }
    Ok(wire(taken))
}

fn wire(mut taken: Taken) -> AttendanceImport {
    taken.rejected.sort_by_key(|fault| fault.line);
    taken.notes.sort_by_key(|fault| fault.line);
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
        rejected: lines(taken.rejected),
        notes: lines(taken.notes),
    }
}
