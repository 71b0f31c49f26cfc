//! Whether a daemon has the profile, by its lock: for the times when its socket does not tell.

use std::{
    fs::{File, TryLockError},
    io::Read as _,
};

use crate::{LockHolder, Paths};

/// A lock file is not read further: a process id and a path.
const MAX_BYTES: u64 = 8 << 10;

/// Who holds the profile's lock; `None` where nobody does, or it cannot be told.
#[must_use]
pub fn holder(paths: &Paths) -> Option<LockHolder> {
    let file = File::open(paths.lock()).ok()?;
    // Shared, and for a moment: a daemon that starts right now tries again for longer than that.
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    LockHolder::parse(&text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn who_holds_the_lock_is_told_and_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        assert_eq!(holder(&paths), None);
        fs::create_dir_all(&paths.data).unwrap();
        let held = LockHolder { pid: 41, socket: Some("/run/user/7/blinkd/blinkd.sock".into()) };
        fs::write(paths.lock(), held.to_string()).unwrap();
        assert_eq!(holder(&paths), None, "a lock that nobody holds says nothing");
        let lock = File::open(paths.lock()).unwrap();
        lock.lock().unwrap();
        assert_eq!(holder(&paths), Some(held));
    }
}
