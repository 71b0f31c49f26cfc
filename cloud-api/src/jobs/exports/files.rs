//! The files on disk.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use jiff::civil::Date;

use super::changes::DayText;

#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written", .path.display())]
pub(super) struct FileError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Writes the files of these days; returns how many were not so already.
pub(super) fn write_days(folder: &Path, days: &[DayText]) -> Result<usize, FileError> {
    let mut written = 0;
    for (date, text) in days {
        let path = folder.join(name_of(*date));
        written += usize::from(write(&path, text.as_deref()).map_err(|source| FileError { path, source })?);
    }
    Ok(written)
}

/// Removes the files of other days than those from `first` to `last`, and nothing else.
pub(super) fn rotate(folder: &Path, days: (Date, Date)) -> Result<(), FileError> {
    remove_others(folder, days).map_err(|source| FileError { path: folder.to_owned(), source })
}

fn name_of(date: Date) -> String {
    date.strftime("attendance_%Y%m%d.csv").to_string()
}

/// Writes a file whole, or removes it. False when it is so already.
fn write(path: &Path, text: Option<&[u8]>) -> io::Result<bool> {
    let there = match fs::read(path) {
        Ok(there) => Some(there),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(e),
    };
    match text {
        _ if there.as_deref() == text => return Ok(false),
        Some(text) => {
            path.parent().map_or(Ok(()), blink_files::private_folder)?;
            blink_files::save(path, 0o600, |file| file.write_all(text))?;
        }
        None => fs::remove_file(path)?,
    }
    Ok(true)
}

fn remove_others(folder: &Path, (first, last): (Date, Date)) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let date = name.to_str().and_then(|name| Date::strptime("attendance_%Y%m%d.csv", name).ok());
        if date.is_some_and(|date| !(first..=last).contains(&date)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn files_are_written_once_and_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let today = path(&name_of(date(2026, 3, 10)));
        assert!(today.ends_with("attendance_20260310.csv"));
        assert!(write(&today, Some(b"a")).unwrap() && !write(&today, Some(b"a")).unwrap());
        assert!(write(&today, Some(b"b")).unwrap());
        assert_eq!(fs::read(&today).unwrap(), b"b");
        for name in ["attendance_20260207.csv", "attendance_20260208.csv", "attendance_20260311.csv"] {
            fs::write(path(name), "x").unwrap();
        }
        for name in ["attendance_2026.csv", "notes_20200101.csv"] {
            fs::write(path(name), "x").unwrap();
        }
        let days = (date(2026, 2, 8), date(2026, 3, 10));
        rotate(folder.path(), days).unwrap();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(
            left,
            ["attendance_2026.csv", "attendance_20260208.csv", "attendance_20260310.csv", "notes_20200101.csv"]
        );
        assert!(write(&today, None).unwrap() && !today.exists() && !write(&today, None).unwrap());
        rotate(&path("none"), days).unwrap();
    }
}
