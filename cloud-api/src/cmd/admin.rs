//! `cloud-api admin` manages accounts, roles and keys for the operator at the machine.

use std::{
    io::BufRead as _,
    path::{Path, PathBuf},
};

use blink_proto::http::Role;
use clap::{Args, Subcommand};

use crate::{
    archive::{self, rewrap},
    auth::{master::MasterKey, password},
    clock::Clock,
    config::{DatabaseArgs, DatabaseConfig},
    db::{
        DbError,
        conn::Conn,
        id::Id,
        one_time, transaction,
        users::{self, RoleChange, UserRow},
    },
    domain::account,
    failure::{Failure, chain},
    open,
    routes::reset,
};

/// The flags of `admin`.
#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    database: DatabaseArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an account
    #[command(
        after_help = "Example: cloud-api admin create ada@example.org --role admin --password-stdin < password.txt"
    )]
    Create {
        /// Its e-mail address
        email: String,
        /// member, kiosk, manager or admin
        #[arg(long, default_value = "member")]
        role: Role,
        /// Read the password from the first line of standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Give an account another role
    #[command(after_help = "Example: cloud-api admin set-role ada@example.org manager")]
    SetRole {
        /// Its e-mail address
        email: String,
        /// member, kiosk, manager or admin
        role: Role,
    },
    /// Make a new signing key; the others go on verifying, so nobody is signed out
    #[command(after_help = "Example: cloud-api admin rotate-keys")]
    RotateKeys,
    /// Seal every key in the database with another master key; stop every server first
    #[command(after_help = "Example: cloud-api admin change-master-key /etc/cloud-api/master.new")]
    ChangeMasterKey {
        /// File with the new key: 32 bytes in base64
        file: PathBuf,
    },
    /// List the accounts
    #[command(after_help = "Example: cloud-api admin list")]
    List,
    /// Print a one-time link that sets a new password
    #[command(after_help = "Example: cloud-api admin reset-password ada@example.org")]
    ResetPassword {
        /// Its e-mail address
        email: String,
        /// Where people reach this server
        #[arg(long, value_name = "URL", env = "CLOUD_API_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
        public_url: String,
    },
}

pub(crate) fn run(args: &AdminArgs) -> Result<(), Failure> {
    let config = args.database.resolve()?;
    let mut conn = open::existing(&config.target)?;
    let said = match &args.command {
        Command::RotateKeys => {
            open::open_keys(&mut conn, &config, Clock::System.now(), true)?;
            return super::print("A new key is made; it signs in ten minutes, when every replica knows it.\n");
        }
        Command::ChangeMasterKey { file } => return change_master_key(&mut conn, &config, file),
        // A transaction holds up every other write, so it begins when the password is typed and hashed.
        Command::Create { email, role, .. } => {
            new_person(email, *role).and_then(|person| transaction(&mut conn, |conn| create(conn, &person)))
        }
        Command::SetRole { email, role } => transaction(&mut conn, |conn| set_role(conn, email, *role)),
        Command::List => list(&mut conn),
        Command::ResetPassword { email, public_url } => {
            transaction(&mut conn, |conn| reset_link(conn, email, public_url))
        }
    };
    super::print(said.map_err(|e| e.0)?)
}

fn change_master_key(conn: &mut Conn, config: &DatabaseConfig, file: &Path) -> Result<(), Failure> {
    let new = MasterKey::read(file).map_err(|e| {
        Failure::usage("bad_master_key", chain(&e), "Make one with: openssl rand -base64 32 > FILE; chmod 600 FILE.")
    })?;
    // On PostgreSQL without a master key nothing is sealed yet.
    let bare = config.master_key_file.is_none() && config.target.sqlite_path().is_none();
    let old = if bare { None } else { Some(archive::master(config)?) };
    // The attendance desk seals on PostgreSQL too, with a key of its own until there is a master key.
    let without = bare && !archive::desk_key_file(config).exists();
    let desk_old = if without { None } else { Some(archive::desk_master(config)?) };
    let changed =
        transaction(conn, |conn| rewrap::change(conn, old.as_ref(), desk_old.as_ref(), &new)).map_err(|e| {
            let fix = "Set CLOUD_API_MASTER_KEY_FILE to the key that is in use; nothing was changed.";
            Failure::failed("master_key_unchanged", chain(&e), fix)
        })?;
    super::print(format!(
        "{changed} keys sealed anew; start the servers with CLOUD_API_MASTER_KEY_FILE={}\n",
        file.display()
    ))
}

/// Wraps a [`Failure`], so that `?` converts a [`DbError`] inside the transaction.
struct AdminError(Failure);

impl From<DbError> for AdminError {
    fn from(e: DbError) -> Self {
        Self(Failure::failed("database_failed", chain(&e), "Run `cloud-api migrate`, and check DATABASE_URL."))
    }
}

fn wrong(message: impl Into<String>, fix: &str) -> AdminError {
    AdminError(Failure::failed("refused", message, fix))
}

fn parse_email(text: &str) -> Result<account::Email, AdminError> {
    account::Email::parse(text)
        .map_err(|why| AdminError(Failure::usage("bad_email", format!("EMAIL {why}"), "For example ada@example.org.")))
}

fn read_password() -> Result<blink_proto::Secret, AdminError> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    let wrong = |why: &str| {
        AdminError(Failure::usage(
            "bad_password",
            format!("The password {why}"),
            "Give it on the first line of standard input.",
        ))
    };
    read.map_err(|_| wrong("cannot be read from standard input"))?;
    account::new_password(line.trim_end_matches(['\r', '\n'])).map_err(|why| wrong(&why))
}

fn new_person(email: &str, role: Role) -> Result<UserRow, AdminError> {
    let email = parse_email(email)?;
    let hash = password::hash_now(&read_password()?).map_err(|why| wrong(why, "Try again."))?;
    Ok(UserRow {
        id: Id::fresh(),
        email: email.address,
        email_key: email.key,
        name: None,
        timezone: "UTC".to_owned(),
        role: role.as_str().to_owned(),
        password_hash: Some(hash),
        // The operator makes the account, but only the person can consent.
        tracking_consent: false,
        awaits_consent: false,
        created_at: Clock::System.now(),
    })
}

fn create(conn: &mut Conn, person: &UserRow) -> Result<String, AdminError> {
    match users::insert_person(conn, person) {
        Ok(()) => Ok(format!("{}\t{}\t{}\n", person.id.0, person.role, person.email)),
        Err(e) if e.is_unique_violation() => Err(wrong(
            "There is an account with this address already",
            "Change its role with `cloud-api admin set-role`.",
        )),
        Err(e) => Err(e.into()),
    }
}

fn find(conn: &mut Conn, email: &str) -> Result<UserRow, AdminError> {
    users::by_email_keys(conn, &account::Email::keys(email))?
        .ok_or_else(|| wrong("There is no account with this address", "See `cloud-api admin list`."))
}

fn set_role(conn: &mut Conn, email: &str, role: Role) -> Result<String, AdminError> {
    let user = find(conn, email)?;
    match users::set_role(conn, user.id, role.as_str())? {
        RoleChange::Done => Ok(format!("{}\t{}\t{}\n", user.id.0, role.as_str(), user.email)),
        RoleChange::LastAdmin => Err(wrong("This is the last admin", "Make another account admin first.")),
        RoleChange::NoSuchPerson => Err(wrong("There is no account with this address", "See `cloud-api admin list`.")),
    }
}

fn list(conn: &mut Conn) -> Result<String, AdminError> {
    let (mut lines, mut after) = (String::new(), None);
    loop {
        let rows = users::list(conn, after, 1_000)?;
        let Some(last) = rows.last() else { return Ok(lines) };
        after = Some(last.id);
        for row in rows {
            lines.push_str(&format!("{}\t{}\t{}\n", row.id.0, row.role, row.email));
        }
    }
}

fn reset_link(conn: &mut Conn, email: &str, public_url: &str) -> Result<String, AdminError> {
    let user = find(conn, email)?;
    let token = one_time::create(conn, user.id, reset::PURPOSE, Clock::System.now().plus(reset::LIFE_MS))?;
    // The token comes after the `#`, because browsers do not send that part to any server.
    Ok(format!("{}/reset#{}\n", public_url.trim_end_matches('/'), token.expose()))
}
