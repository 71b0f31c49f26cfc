//! Whose pictures a folder holds: `NAME-N.jpg` beside each other, or a folder for each person.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

const KINDS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// The most pictures of one person; of more, the first ones are taken.
pub(super) const MOST: usize = 5;

/// Each person's pictures, and the files that are none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pictures {
    pub(super) people: BTreeMap<String, Vec<PathBuf>>,
    pub(super) passed_over: Vec<PathBuf>,
}

/// Reads a folder, without looking into folders of folders.
pub(super) fn of(folder: &Path) -> io::Result<Pictures> {
    let mut pictures = Pictures::default();
    for path in entries(folder)? {
        if path.is_dir() {
            let name = spaced(&text(path.file_name()));
            for file in entries(&path)? {
                pictures.add(file, |_| name.clone());
            }
        } else {
            pictures.add(path, name_of);
        }
    }
    for files in pictures.people.values_mut() {
        files.sort_by_key(|file| (number(&text(file.file_stem())), file.clone()));
        pictures.passed_over.extend(files.drain(MOST.min(files.len())..));
    }
    Ok(pictures)
}

impl Pictures {
    fn add(&mut self, file: PathBuf, name: impl FnOnce(&str) -> String) {
        let kind = text(file.extension()).to_ascii_lowercase();
        if KINDS.contains(&kind.as_str()) && file.is_file() {
            self.people.entry(name(&text(file.file_stem()))).or_default().push(file);
        } else {
            self.passed_over.push(file);
        }
    }
}

/// What is in a folder, in order, but for hidden files.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| !text(path.file_name()).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn text(part: Option<&std::ffi::OsStr>) -> String {
    part.unwrap_or_default().to_string_lossy().into_owned()
}

/// `Ada Lovelace-2` and `ada_lovelace-2` are pictures of `Ada Lovelace` and `ada lovelace`.
fn name_of(stem: &str) -> String {
    let name =
        stem.rsplit_once('-').filter(|(name, n)| !name.is_empty() && is_number(n)).map_or(stem, |(name, _)| name);
    spaced(name)
}

fn spaced(name: &str) -> String {
    name.replace('_', " ").trim().to_owned()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The number at the end, so that the tenth picture comes after the second.
fn number(stem: &str) -> u64 {
    stem.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("alice-1", "alice")]
    #[case("Ada Lovelace-12", "Ada Lovelace")]
    #[case("ada_lovelace-1", "ada lovelace")]
    #[case("Anna-Lena", "Anna-Lena")]
    #[case("Anna-Lena-2", "Anna-Lena")]
    #[case("bob", "bob")]
    #[case("-1", "-1")]
    fn names(#[case] stem: &str, #[case] name: &str) {
        assert_eq!(name_of(stem), name);
    }

    #[test]
    fn files_and_folders_are_gathered_by_person() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("Eve Adams")).unwrap();
        let files = [
            "ada-10.jpg",
            "ada-2.JPG",
            "ben.png",
            "notes.txt",
            ".hidden.jpg",
            "Eve Adams/a.webp",
            "Eve Adams/b.jpeg",
            "Eve Adams/c.gif",
        ];
        for file in files {
            fs::write(root.join(file), "").unwrap();
        }
        (1..=7).for_each(|n| fs::write(root.join(format!("cid-{n}.jpg")), "").unwrap());
        let found = of(root).unwrap();
        let short = |files: &[PathBuf]| -> Vec<String> {
            files.iter().map(|file| file.strip_prefix(root).unwrap().display().to_string()).collect()
        };
        let people: Vec<_> = found.people.iter().map(|(name, files)| (name.as_str(), short(files))).collect();
        let named = |files: &[&str]| files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            people,
            [
                ("Eve Adams", named(&["Eve Adams/a.webp", "Eve Adams/b.jpeg"])),
                ("ada", named(&["ada-2.JPG", "ada-10.jpg"])),
                ("ben", named(&["ben.png"])),
                ("cid", named(&["cid-1.jpg", "cid-2.jpg", "cid-3.jpg", "cid-4.jpg", "cid-5.jpg"])),
            ]
        );
        assert_eq!(short(&found.passed_over), named(&["Eve Adams/c.gif", "notes.txt", "cid-6.jpg", "cid-7.jpg"]));
        assert!(of(&root.join("none")).is_err());
    }
}
