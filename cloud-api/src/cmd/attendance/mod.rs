//! `cloud-api attendance` takes records and faces in and gives records out, for the operator at the machine.

mod enroll;
mod pictures;

use std::{
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::print;
use crate::{
    attendance::{
        calendar::Calendar,
        record::Record,
        records_csv::{self, Fault, Row},
    },
    clock::Clock,
    config::{AttendanceArgs, DatabaseArgs, DatabaseConfig},
    db::{
        DbError,
        attendance::{
            import::{self, Against, STEP_ROWS, Taken},
            lists::{self, After, Filter},
            rollups,
        },
        conn::Conn,
        migrate, purge, transaction,
    },
    failure::{Failure, chain},
    open,
};

/// The flags of `attendance`.
#[derive(Debug, Args)]
pub(crate) struct AttendanceCommandArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    attendance: AttendanceArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take records from a CSV file: what is sound is stored, and the first 1,000 other lines are listed; exit 1 when there is one
    #[command(after_help = "Example: cloud-api attendance import attendance.csv")]
    Import {
        /// The file; - is standard input
        file: PathBuf,
    },
    /// Write all records as CSV, newest day first
    #[command(after_help = "Example: cloud-api attendance export --from 2026-03-01 -o march.csv")]
    Export {
        /// A file, which is replaced; without it, standard output
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// One person's id
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// The first day
        #[arg(long, value_name = "DATE")]
        from: Option<Date>,
        /// The last day
        #[arg(long, value_name = "DATE")]
        to: Option<Date>,
    },
    /// Enrol faces from pictures: NAME-N.jpg, or a folder for each person; only of people who consented
    #[command(after_help = "Example: cloud-api attendance enroll pictures")]
    Enroll {
        /// The folder
        folder: PathBuf,
        /// Replace the faces of people who are there already
        #[arg(long)]
        force: bool,
    },
    /// Count every record anew and mend what figures are made from
    #[command(after_help = "Example: cloud-api attendance recount")]
    Recount,
}

/// A file for import is far smaller: a company's ten years.
const MAX_BYTES: u64 = 256 << 20;

/// Records that are read at once.
const PAGE: i64 = 2_000;

pub(crate) fn run(args: &AttendanceCommandArgs) -> Result<(), Failure> {
    let attendance = args.attendance.resolve()?;
    let calendar = attendance.calendar.clone();
    let config = args.database.resolve()?;
    let mut conn = open::existing(&config.target)?;
    if migrate::pending(&mut conn).map_err(|e| failed(&e))? {
        let fix = "Run `cloud-api migrate`, or start the server once.";
        return Err(Failure::failed("migrations_missing", "The database is older than this program", fix));
    }
    match &args.command {
        Command::Import { file } => take_in(&mut conn, &config, &calendar, file),
        Command::Export { output, user, from, to } => {
            let filter = Filter { person: user.clone(), from: *from, to: *to, status: None };
            give_out(&mut conn, &calendar, &filter, output.as_deref())
        }
        Command::Enroll { folder, force } => {
            drop(conn);
            enroll::run(folder, *force, config, attendance)
        }
        Command::Recount => recount(&mut conn),
    }
}

fn failed(e: &dyn std::error::Error) -> Failure {
    Failure::failed("database_failed", chain(e), "Run `cloud-api migrate`, and check DATABASE_URL.")
}

fn take_in(conn: &mut Conn, config: &DatabaseConfig, calendar: &Calendar, file: &Path) -> Result<(), Failure> {
    let bytes = read(file).map_err(|e| {
        let message = format!("{} cannot be read: {e}", file.display());
        Failure::failed("file_unreadable", message, "Give a CSV file, or - for standard input.")
    })?;
    let records_csv::Read { rows, rejected, notes } = records_csv::read(&bytes);
    let now = Clock::System.now();
    let against = Against { calendar, now, keep_from: purge::keep_from(now, config.retention_days) };
    let mut taken = Taken { rejected, notes, ..Taken::default() };
    let first = import::first_days(&rows, against);
    for step in rows.chunks(STEP_ROWS) {
        taken
            .add(transaction(conn, |conn| import::take(conn, step, &first, against)).map_err(|e: DbError| failed(&e))?);
    }
    for (what, faults) in [("not taken", &taken.rejected), ("note", &taken.notes)] {
        for Fault { line, code, detail } in &faults.listed {
            print(format!("line {line}: {what}, {code}: {detail}\n"))?;
        }
        if faults.more > 0 {
            print(format!("{} more: {what}\n", faults.more))?;
        }
    }
    print(format!(
        "{} records taken, {} were there already, {} people added, {} lines not taken\n",
        taken.imported,
        taken.duplicates,
        taken.people_added,
        taken.rejected.count()
    ))?;
    if taken.rejected.count() == 0 {
        return Ok(());
    }
    let message = format!("{} lines of {} were not taken", taken.rejected.count(), file.display());
    Err(Failure::failed(
        "lines_not_taken",
        message,
        "Mend these lines and import the file again: what was taken stays.",
    ))
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    } else {
        crate::given_file::open(file)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 256 MB"));
    }
    Ok(bytes)
}

fn give_out(conn: &mut Conn, calendar: &Calendar, filter: &Filter, output: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = output else {
        return each_page(conn, calendar, filter, |text| print(text)).map(drop);
    };
    let unwritable = |e: io::Error| {
        let message = format!("{} cannot be written: {e}", path.display());
        Failure::failed("file_unwritable", message, "Give a file in a folder that can be written.")
    };
    let mut rows = Ok(0);
    blink_files::save(path, 0o600, |file| {
        rows = each_page(conn, calendar, filter, |text| file.write_all(text).map_err(unwritable));
        // An unwritten file is not put in place.
        if rows.is_err() { Err(io::Error::other("it is not whole")) } else { Ok(()) }
    })
    .map_err(|e| rows.as_ref().err().cloned().unwrap_or_else(|| unwritable(e)))?;
    print(format!("{} records in {}\n", rows?, path.display()))
}

/// Hands over the header and then page by page. Returns the number of rows.
fn each_page(
    conn: &mut Conn,
    calendar: &Calendar,
    filter: &Filter,
    mut to: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut text = records_csv::header().into_bytes();
    let (mut after, mut rows) = (None, 0);
    loop {
        let page: Vec<(Record, String)> = lists::page(conn, filter, after.as_ref(), PAGE).map_err(|e| failed(&e))?;
        after = page.last().map(|(record, _)| After::of(record));
        rows += page.len() as u64;
        for (record, name) in page {
            records_csv::write(&Row::of(&record, name, calendar), &mut text);
        }
        to(&text)?;
        text.clear();
        if after.is_none() {
            return Ok(rows);
        }
    }
}

fn recount(conn: &mut Conn) -> Result<(), Failure> {
    let people = lists::people(conn, None).map_err(|e| failed(&e))?;
    let mut mended = 0;
    for person in &people {
        mended += transaction(conn, |conn| rollups::recount(conn, &person.id)).map_err(|e: DbError| failed(&e))?;
    }
    print(format!("{} people counted, {mended} months mended\n", people.len()))
}
