//! `cloud-api archive` inspects the archive, for the operator who has the master key.

use std::collections::HashSet;

use clap::{Args, Subcommand};

use super::print;
use crate::{
    archive::{
        Archive,
        codec::{self, Holds},
        keys, removals,
        store::{Bucket, StoreError},
    },
    clock::Clock,
    config::{ArchiveArgs, DatabaseArgs, DatabaseConfig},
    db::{
        Db, DbError, archive as objects,
        conn::Conn,
        id::{ArchiveKey, Id},
        users,
    },
    domain::account::Email,
    domain::time::UtcMs,
    failure::{Failure, chain},
    open,
};

/// The flags of `archive`.
#[derive(Debug, Args)]
pub(crate) struct ArchiveCommandArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    archive: ArchiveArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List objects: name, bucket, time, size, minutes or lines, and whose
    #[command(after_help = "Example: cloud-api archive list --email ada@example.org")]
    List {
        /// Those of one account
        #[arg(long)]
        email: Option<String>,
    },
    /// Decrypt an object and print it: one JSON object a line
    #[command(after_help = "Example: cloud-api archive cat 5f0c../2026-03/0190.. | jq .blink_count")]
    Cat {
        /// Its name, as `archive list` prints it
        name: String,
    },
    /// Try the store: write, read and remove an object; compare what is there with what should be; remove what is due
    #[command(after_help = "Example: cloud-api archive check")]
    Check {
        /// Remove objects that the database does not know, such as those of a time after a restored backup
        #[arg(long)]
        remove_unknown: bool,
    },
}

pub(crate) fn run(args: &ArchiveCommandArgs) -> Result<(), Failure> {
    let config = args.database.resolve()?;
    let mut conn = open::existing(&config.target)?;
    if let Command::List { email } = &args.command {
        return list(&mut conn, email.as_deref());
    }
    let archive = open(args, &config, &mut conn)?;
    actix_web::rt::System::new().block_on(async {
        match &args.command {
            Command::Cat { name } => cat(&archive, &mut conn, name).await,
            Command::Check { remove_unknown } => check(&archive, &config, &mut conn, *remove_unknown).await,
            Command::List { .. } => Ok(()),
        }
    })
}

fn open(args: &ArchiveCommandArgs, config: &DatabaseConfig, conn: &mut Conn) -> Result<Archive, Failure> {
    let settings = args.archive.resolve(config)?.ok_or_else(|| {
        let fix = "Set CLOUD_API_ARCHIVE as the server has it: folder, folder:PATH or s3.";
        Failure::usage("archive_off", "No archive is set", fix)
    })?;
    Archive::open(&settings, config, conn)
}

fn database(e: &DbError) -> Failure {
    Failure::failed("database_failed", chain(e), "Run `cloud-api migrate`, and check DATABASE_URL.")
}

fn store(e: &StoreError) -> Failure {
    Failure::failed("archive_store", chain(e), "Check CLOUD_API_ARCHIVE and the CLOUD_API_S3_ settings.")
}

fn each_object(
    conn: &mut Conn,
    key: Option<Id<ArchiveKey>>,
    mut each: impl FnMut(objects::ObjectRow, &mut Conn) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let rows = objects::objects(conn, key, after, 1_000).map_err(|e| database(&e))?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.id);
        for row in rows {
            each(row, conn)?;
        }
    }
}

fn list(conn: &mut Conn, email: Option<&str>) -> Result<(), Failure> {
    let mut key = None;
    if let Some(email) = email {
        let user = users::by_email_keys(conn, &Email::keys(email)).map_err(|e| database(&e))?.ok_or_else(|| {
            let fix = "See `cloud-api admin list`.";
            Failure::failed("refused", "There is no account with this address", fix)
        })?;
        match objects::key_of(conn, user.id).map_err(|e| database(&e))? {
            Some(row) => key = Some(row.id),
            None => return Ok(()),
        }
    }
    each_object(conn, key, |row, conn| {
        let owner = objects::key(conn, row.key_id).map_err(|e| database(&e))?.and_then(|key| key.user_id);
        let owner = owner.map_or_else(|| "-".to_owned(), |id| id.0.to_string());
        let state = if row.written { "" } else { "\tbeing written" };
        let time = row.created_at.timestamp();
        let line = format!("{}\t{}\t{time}\t{}\t{}\t{owner}{state}\n", row.name, row.bucket, row.bytes, row.records);
        print(line.as_bytes())
    })
}

async fn cat(archive: &Archive, conn: &mut Conn, name: &str) -> Result<(), Failure> {
    let row = objects::object(conn, name).map_err(|e| database(&e))?;
    // An object unknown to a restored database can be opened too, as long as its key exists.
    let buckets = match &row {
        Some(row) => vec![Bucket::of(&row.bucket)],
        None => vec![Bucket::Data, Bucket::Logs],
    };
    let mut found = Err(StoreError::NoObject(name.to_owned()));
    for bucket in buckets {
        found = archive.stores.get(bucket, name).await.map(|bytes| (bucket, bytes));
        if !matches!(found, Err(StoreError::NoObject(_))) {
            break;
        }
    }
    let (bucket, object) = found.map_err(|e| match &e {
        StoreError::NoObject(_) => Failure::failed("no_object", chain(&e), "See `cloud-api archive list`."),
        _ => store(&e),
    })?;
    let unreadable = |why: String| {
        let fix = "Take the object from a copy of the bucket; nothing of it is printed.";
        Failure::failed("unreadable_object", format!("The object {name} cannot be opened: {why}"), fix)
    };
    let id = codec::key_id(&object).map_err(|e| unreadable(e.to_string()))?;
    let key = objects::key(conn, id).map_err(|e| database(&e))?;
    let key = key.ok_or_else(|| unreadable(keys::KeyError::Destroyed.to_string()))?;
    let key = archive.keys.open(&key).map_err(|e| unreadable(chain(&e)))?;
    let holds = if bucket == Bucket::Data { Holds::Minutes } else { Holds::Lines };
    print(&key.open(holds, name, &object).map_err(|e| unreadable(e.to_string()))?)
}

async fn check(
    archive: &Archive,
    config: &DatabaseConfig,
    conn: &mut Conn,
    remove_unknown: bool,
) -> Result<(), Failure> {
    let now = Clock::System.now();
    for bucket in [Bucket::Data, Bucket::Logs] {
        let name = format!("check/{}", uuid::Uuid::new_v4());
        let probe = b"a probe of cloud-api archive check".to_vec();
        archive.stores.put(bucket, &name, probe.clone()).await.map_err(|e| store(&e))?;
        let read = archive.stores.get(bucket, &name).await.map_err(|e| store(&e))?;
        archive.stores.delete(bucket, &name).await.map_err(|e| store(&e))?;
        if read != probe {
            let message = format!("{} gave other bytes than were written", archive.stores.label(bucket));
            return Err(Failure::failed("archive_store", message, "Check the store."));
        }
        print(format!("{}: written, read and removed\n", archive.stores.label(bucket)).as_bytes())?;
    }
    let db = Db::new(&config.target, 2);
    let removed = removals::remove_due(archive, &db, &Clock::System).await;
    let removed =
        removed.map_err(|e| Failure::failed("archive_store", chain(&e), "Check the store; run this again."))?;
    print(format!("{removed} objects removed that were due\n").as_bytes())?;
    compare(archive, conn, now, remove_unknown).await
}

/// Prints objects that the database knows and the store lacks, and the reverse.
async fn compare(archive: &Archive, conn: &mut Conn, now: UtcMs, remove_unknown: bool) -> Result<(), Failure> {
    let mut there = HashSet::new();
    for bucket in [Bucket::Data, Bucket::Logs] {
        let names = archive.stores.list(bucket).await.map_err(|e| store(&e))?;
        there.extend(names.into_iter().map(|name| (bucket.as_str(), name)));
    }
    let (mut known, mut missing) = (0_u64, Vec::new());
    // The database is read after the store, so that an object written in between is known.
    each_object(conn, None, |row, _| {
        known += 1;
        if !there.remove(&(Bucket::of(&row.bucket).as_str(), row.name.clone())) && row.written && row.created_at < now {
            missing.push(row.name);
        }
        Ok(())
    })?;
    for name in &missing {
        print(format!("missing\t{name}\n").as_bytes())?;
    }
    // Objects that wait for removal are known too.
    let waiting = crate::db::archive_removals::names(conn).map_err(|e| database(&e))?;
    there.retain(|(_, name)| !waiting.contains(name));
    for (bucket, name) in &there {
        if remove_unknown {
            archive.stores.delete(Bucket::of(bucket), name).await.map_err(|e| store(&e))?;
        }
        print(format!("unknown{}\t{name}\n", if remove_unknown { ", removed" } else { "" }).as_bytes())?;
    }
    let unknown = there.len();
    print(format!("{known} objects known, {} missing, {unknown} unknown\n", missing.len()).as_bytes())?;
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("{} objects of the archive are missing", missing.len());
    Err(Failure::failed("objects_missing", message, "Bring them back from a copy of the bucket, if there is one."))
}
