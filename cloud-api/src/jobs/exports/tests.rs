use std::fs;

use jiff::civil::date;

use super::{
    changes::tests::{NINTH, database, row, take},
    *,
};
use crate::db::{attendance::people, transaction};

#[actix_web::test]
async fn who_is_erased_after_a_turn_that_failed_half_way_leaves_the_file_that_it_wrote() {
    let (folder, [mut conn, _]) = database();
    let db = Db::new(&crate::config::Target::Sqlite(folder.path().join("server.db")), 1);
    let (calendar, exports) = (Arc::new(Calendar::default()), folder.path().join("exports"));
    let (second, days) = (date(2026, 3, 2), (date(2026, 3, 1), NINTH));
    let file = |day: Date| exports.join(day.strftime("attendance_%Y%m%d.csv").to_string());
    let mut seen = Seen::default();
    assert_eq!(turn(&db, &calendar, &exports, days, &mut seen).await.unwrap(), 0);
    take(&mut conn, &[(2, row(second, "ada")), (3, row(NINTH, "ben"))]);
    fs::create_dir_all(file(NINTH)).unwrap();
    let failed = turn(&db, &calendar, &exports, days, &mut seen).await.unwrap_err();
    assert!(matches!(failed, ExportError::File(_)) && file(second).exists(), "{failed}");
    transaction(&mut conn, |conn| people::erase(conn, "ada")).unwrap();
    fs::remove_dir(file(NINTH)).unwrap();
    assert_eq!(turn(&db, &calendar, &exports, days, &mut seen).await.unwrap(), 2);
    assert!(!file(second).exists() && file(NINTH).is_file());
}
