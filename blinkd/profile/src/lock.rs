//! Tells by the lock file whether a daemon holds the profile, for when its socket does not answer.

use std::{
    fs::{File, TryLockError},
    io::Read as _,
};

use crate::{LockHolder, Paths};

/// The most bytes that are read of a lock file, which holds a process id and a path.
const MAX_BYTES: u64 = 8 << 10;

/// The holder of the profile's lock; `None` where there is none, or it cannot be read.
#[must_use]
pub fn holder(paths: &Paths) -> Option<LockHolder> {
    let file = File::open(paths.lock()).ok()?;
    // The shared lock is held for a moment only; a daemon that starts meanwhile retries for longer.
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
