//! `cloud-api attendance enroll` enrols the faces of a folder through the same code as register-user: the same gates, the
//! same refusal of a face that is enrolled already, the same consent.

use std::{fs, path::Path, sync::Arc, time::Duration};

use super::pictures::{self, Pictures};
use crate::{
    clock::Clock,
    cmd::print,
    config::{AccessConfig, AttendanceConfig, Config, DatabaseConfig, OutsideConfig, Part, ServerConfig},
    error::ApiError,
    faces::{Availability, Reader, pool::Pool},
    failure::Failure,
    routes::attendance::enrol,
    startup,
    state::State,
};

/// Models are loaded within this time, on a slow machine too.
const WARM_UP: Duration = Duration::from_secs(120);

/// A picture is far smaller; more is not read.
const MAX_BYTES: u64 = 32 << 20;

pub(super) fn run(
    folder: &Path,
    force: bool,
    database: DatabaseConfig,
    attendance: AttendanceConfig,
) -> Result<(), Failure> {
    let found = pictures::of(folder).map_err(|e| {
        let message = format!("{} cannot be read: {e}", folder.display());
        Failure::usage("folder_unreadable", message, "Give a folder with NAME-N.jpg, or with a folder for each person.")
    })?;
    if found.people.is_empty() {
        let message = format!("{} holds no picture", folder.display());
        let fix = "Give a folder with NAME-N.jpg, or with a folder for each person: JPEG, PNG or WebP.";
        return Err(Failure::usage("no_pictures", message, fix));
    }
    let reader: Reader = Arc::new(Pool::new(&attendance));
    actix_web::rt::System::new().block_on(async {
        for work in reader.work() {
            actix_web::rt::spawn(work);
        }
        let state = startup::without_a_server(&config(database, attendance), Clock::System, reader).await?;
        warm(&state).await?;
        all(&state, &found, force).await
    })
}

fn config(database: DatabaseConfig, attendance: AttendanceConfig) -> Config {
    let server = ServerConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: None,
        public_url: None,
        parts: vec![Part::Attendance],
        dashboard: false,
        exports_dir: None,
        workers: 1,
        behind_proxy: false,
        demo: None,
    };
    // A running server has the database too: both may write.
    let database = DatabaseConfig { alone: false, migrate: false, ..database };
    let (access, outside) = (AccessConfig::default(), OutsideConfig::default());
    Config { server, access, database, archive: None, attendance, outside, demo_folder: None, log: String::new() }
}

/// Waits until the models are loaded.
async fn warm(state: &State) -> Result<(), Failure> {
    let ready = async {
        loop {
            match state.desk.reader.availability() {
                Availability::Available => return Ok(()),
                Availability::Unavailable(why) => return Err(why),
                Availability::Starting => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let ready = tokio::time::timeout(WARM_UP, ready).await;
    ready.unwrap_or_else(|_| Err("its models take too long to load".to_owned())).map_err(|why| {
        let fix = "Install face-worker and its models, or set CLOUD_API_FACE_WORKER; `blinkd models` lists them.";
        Failure::failed("attendance_unavailable", format!("Faces cannot be read: {why}"), fix)
    })
}

async fn all(state: &State, found: &Pictures, force: bool) -> Result<(), Failure> {
    let of = found.people.len();
    print(format!("Enrolling {of} people. That each of them consented is recorded as taken at this machine.\n"))?;
    let (mut enrolled, mut there, mut refused) = (0, 0, 0);
    for (n, (name, files)) in found.people.iter().enumerate() {
        let said = match one(state, name, files, force).await {
            Ok(id) => {
                enrolled += 1;
                let pictures =
                    if files.len() == 1 { "1 picture".to_owned() } else { format!("{} pictures", files.len()) };
                format!("{name}: enrolled as {id} with {pictures}")
            }
            Err(Refused::Fatal(failure)) => return Err(failure),
            Err(Refused::Api(e)) if e.code == "id_taken" => {
                there += 1;
                format!("{name}: is there already; --force replaces them")
            }
            Err(Refused::Api(e)) => {
                refused += 1;
                let fields: Vec<&str> = e.fields.values().map(String::as_str).collect();
                format!("{name}: not enrolled, {}: {} {}", e.code, e.message, fields.join(", "))
            }
            Err(Refused::File(why)) => {
                refused += 1;
                format!("{name}: not enrolled, {why}")
            }
        };
        print(format!("[{}/{of}] {}\n", n + 1, said.trim_end()))?;
    }
    for file in &found.passed_over {
        print(format!("passed over: {}\n", file.display()))?;
    }
    let passed = found.passed_over.len();
    print(format!(
        "{enrolled} enrolled, {there} were there already, {refused} not enrolled, {passed} files passed over\n"
    ))?;
    if refused == 0 {
        return Ok(());
    }
    let message = format!("{refused} of {of} people were not enrolled");
    Err(Failure::failed(
        "not_enrolled",
        message,
        "Take other pictures of them, and run it again: who was enrolled stays.",
    ))
}

enum Refused {
    Api(ApiError),
    File(String),
    /// It makes no sense to go on.
    Fatal(Failure),
}

async fn one(state: &State, name: &str, files: &[std::path::PathBuf], force: bool) -> Result<String, Refused> {
    let mut bytes = Vec::new();
    for file in files {
        let there = fs::metadata(file)
            .and_then(|there| if there.len() > MAX_BYTES { Err(too_large()) } else { fs::read(file) });
        bytes.push(there.map_err(|e| Refused::File(format!("{}: {e}", file.display())))?.into());
    }
    match enrol::at_the_machine(state, name, force, bytes).await {
        Ok(person) => Ok(person.id),
        Err(e) if e.status.is_server_error() => {
            let message = format!("{name} cannot be enrolled: {} {}", e.message, e.cause.unwrap_or_default());
            let fix = "Look at the database and at face-worker, and run it again: who was enrolled stays.";
            Err(Refused::Fatal(Failure::failed("enrolment_failed", message.trim_end(), fix)))
        }
        Err(e) => Err(Refused::Api(e)),
    }
}

fn too_large() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::FileTooLarge, "it is larger than 32 MB")
}
