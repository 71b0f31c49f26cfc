//! Reads files whose path the operator gave: certificates, keys and the ledger. A path may by mistake lead to a device,
//! which is read without end or takes everything without a word.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

/// A certificate chain or a key is far smaller.
const MAX_BYTES: u64 = 1 << 20;

/// Opens a plain file, or a pipe, by which a shell or a service manager may hand over a secret.
pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
    let file = fs::File::open(path)?;
    let kind = file.metadata()?.file_type();
    #[cfg(unix)]
    let is_pipe = std::os::unix::fs::FileTypeExt::is_fifo(&kind);
    #[cfg(not(unix))]
    let is_pipe = false;
    if kind.is_file() || is_pipe { Ok(file) } else { Err(no_plain_file()) }
}

/// Reads a small file whole.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MB"));
    }
    Ok(bytes)
}

pub(crate) fn no_plain_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn only_small_files_and_pipes_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "secret").unwrap();
        assert_eq!(read(&path).unwrap(), b"secret");
        fs::write(&path, vec![0; (1 << 20) + 1]).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        for device in ["/dev/zero", "/dev/null"] {
            assert_eq!(read(Path::new(device)).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{device}");
        }
        let (reader, mut writer) = io::pipe().unwrap();
        io::Write::write_all(&mut writer, b"secret").unwrap();
        drop(writer);
        let handed_over = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        assert_eq!(read(Path::new(&handed_over)).unwrap(), b"secret");
    }
}
