//! A video in memory. FFmpeg wants a name that it can open and seek in: that of a memory file's descriptor. It reads
//! nothing else: only containers that are known by their first bytes get that far, its formats and protocols are
//! white-listed (`environment`), and after the lockdown no other file can be opened.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
};

use blink_proto::faces::PictureFault;
use blink_vision::native::FileSource;
use rustix::fs::{MemfdFlags, memfd_create};

use crate::{Refusal, picture};

/// Whether the bytes begin as MP4 or MOV, WebM, or AVI do.
fn is_video(bytes: &[u8]) -> bool {
    match bytes {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => true,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => true,
        [_, _, _, _, kind @ ..] => {
            [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"].iter().any(|known| kind.starts_with(*known))
        }
        _ => false,
    }
}

/// Opens a video.
///
/// # Errors
/// `unsupported`, `unreadable`, and `too_large` where the file states so before anything is decoded.
pub fn open(bytes: &[u8]) -> Result<FileSource, Refusal> {
    if !is_video(bytes) {
        return Err(PictureFault::Unsupported.into());
    }
    let memory = memfd_create("video", MemfdFlags::CLOEXEC).map_err(|error| Refusal::Memory(error.into()))?;
    let mut file = File::from(memory);
    file.write_all(bytes).and_then(|()| file.rewind()).map_err(Refusal::Memory)?;
    Ok(FileSource::of(file, Path::new("video"), picture::FRAME_PIXELS)?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::playlist(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n/etc/passwd\n")]
    #[case::concatenation(b"ffconcat version 1.0\nfile /etc/passwd\n")]
    #[case::picture(b"\x89PNG\r\n\x1a\n")]
    #[case::session(b"v=0\no=- 0 0 IN IP4 127.0.0.1\n")]
    #[case::empty(b"")]
    fn what_is_no_video_is_not_opened(#[case] bytes: &[u8]) {
        assert!(matches!(open(bytes), Err(Refusal::Fault(PictureFault::Unsupported))));
    }

    /// A playlist behind the mark of an MP4 is nothing that FFmpeg follows.
    #[test]
    fn a_playlist_that_poses_as_a_video_is_unreadable() {
        let posing = b"\0\0\0\x10ftypisom\0\0\0\0#EXTM3U\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n";
        assert!(matches!(open(posing), Err(Refusal::Fault(PictureFault::Unreadable))));
    }
}
