//! The partition of a month is made once, whoever else makes it.

use std::thread;

use cloud_api::{db::migrate, open};
use diesel::{QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::BigInt};

use crate::{archive_kit::eventually, postgres::Database};

const ENSURE: &str = "SELECT ensure_blink_partition('2025-07-17Z');";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[test]
fn a_partition_that_another_makes_meanwhile_keeps_its_minutes() {
    let database = Database::create();
    let mut conn = open::connect(&database.target()).unwrap();
    migrate::run(&mut conn, &database.target()).unwrap();
    let (mut one, mut other) = (database.connect(), database.connect());
    // A session that has made one before plans nothing anew, and so hears of nothing while it waits.
    other.batch_execute("SELECT ensure_blink_partition('2020-01-01Z')").unwrap();
    one.batch_execute(&format!("BEGIN; {ENSURE}")).unwrap();
    let waiting = thread::spawn(move || other.batch_execute(ENSURE));
    eventually("the other waits", || database.waiting() == 1);
    one.batch_execute(
        "INSERT INTO blink_data VALUES (gen_random_uuid(), gen_random_uuid(), 17, '2025-07-17 18:55Z', '2025-07-17 18:56Z', \
         gen_random_uuid(), 58000, 30, 'good', NULL, NULL, NULL, now()); COMMIT",
    )
    .unwrap();
    waiting.join().unwrap().unwrap();
    let count: Count = sql_query("SELECT count(*) AS n FROM blink_data").get_result(&mut one).unwrap();
    assert_eq!(count.n, 1);
}
