//! Files that are meant to do harm. Each ends in a fault, and the worker goes on.

use blink_proto::faces::{FrameMark, Outcome, PictureFault, Task};
use blink_vision::source::Synthetic;

use crate::worker::{ENROL, Worker, synthetic};

fn png(width: u32, height: u32) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &width.to_be_bytes()[..], &height.to_be_bytes()[..], b"\x08\x02\0\0\0"]
        .concat()
}

/// An uncompressed AVI of one picture that is not there, as large as its header says.
fn avi(width: u32, height: u32) -> Vec<u8> {
    let chunk = |id: &[u8], body: &[u8]| [id, &u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat();
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let main = words(&[33_333, 0, 0, 0x10, 1, 0, 1, 0, width, height, 0, 0, 0, 0]);
    let stream = [b"vidsDIB ".to_vec(), words(&[0, 0, 0, 1, 30, 0, 1, 0, 0, 0, 0, 0])].concat();
    let format = words(&[40, width, height, 24 << 16 | 1, 0, 0, 0, 0, 0, 0]);
    let streams = chunk(b"LIST", &[b"strl".to_vec(), chunk(b"strh", &stream), chunk(b"strf", &format)].concat());
    let header = chunk(b"LIST", &[b"hdrl".to_vec(), chunk(b"avih", &main), streams].concat());
    let movie = chunk(b"LIST", &[b"movi".to_vec(), chunk(b"00db", &[90; 3_000])].concat());
    chunk(b"RIFF", &[b"AVI ".to_vec(), header, movie].concat())
}

#[test]
fn hostile_files_end_in_a_fault_and_the_worker_goes_on() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = synthetic(1, &Synthetic::default());
    let first = &bytes[..frames[0].bytes as usize];
    let stills: [(&str, Vec<u8>, PictureFault); 8] = [
        ("nothing", Vec::new(), PictureFault::Unsupported),
        ("a header of 30,000 x 30,000", png(30_000, 30_000), PictureFault::TooLarge),
        ("a strip", png(30_000, 40), PictureFault::BadShape),
        ("a header alone", png(640, 480), PictureFault::Unreadable),
        ("an SVG", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>".to_vec(), PictureFault::Unsupported),
        ("a GIF", b"GIF89a\x10\0\x10\0".to_vec(), PictureFault::Unsupported),
        ("a TIFF", b"II*\0\x08\0\0\0".to_vec(), PictureFault::Unsupported),
        ("half a picture's header", first[..20].to_vec(), PictureFault::Unreadable),
    ];
    for (what, bytes, fault) in stills {
        assert_eq!(worker.fault(ENROL, &bytes), Some(fault), "{what}");
    }
    let playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    let videos: [(&str, Vec<u8>, PictureFault); 6] = [
        ("a playlist", playlist.to_vec(), PictureFault::Unsupported),
        (
            "a playlist that poses as MP4",
            [b"\0\0\0\x10ftypisom\0\0\0\0", &playlist[..]].concat(),
            PictureFault::Unreadable,
        ),
        ("an AVI of nothing", b"RIFF\xff\xff\xff\xffAVI LIST".to_vec(), PictureFault::Unreadable),
        // FFmpeg does not open the larger one.
        ("a video of 30,000 x 30,000", avi(30_000, 30_000), PictureFault::Unreadable),
        ("a video of 12,000 x 12,000", avi(12_000, 12_000), PictureFault::TooLarge),
        ("a WebM of nothing", [b"\x1a\x45\xdf\xa3".to_vec(), vec![0xff; 5_000]].concat(), PictureFault::Unreadable),
    ];
    for (what, bytes, fault) in videos {
        assert_eq!(worker.fault(Task::Video, &bytes), Some(fault), "{what}");
    }
    let many = vec![FrameMark { bytes: 0, at_ms: 0 }; 1_201];
    assert_eq!(worker.fault(Task::Frames { frames: many }, b""), Some(PictureFault::TooLarge));
    assert_eq!(worker.fault(Task::Frames { frames: Vec::new() }, b""), Some(PictureFault::TooFewFrames));
    // More or fewer bytes than stated is the server's fault, not the picture's.
    let more = [&bytes[..], b"x"].concat();
    for (bytes, why) in
        [(&bytes[..bytes.len() - 1], "the bytes are too few"), (&more, "there are more bytes than frames")]
    {
        let (outcome, _) = worker.ask(Task::Frames { frames: frames.clone() }, bytes);
        assert_eq!(outcome, Outcome::Failed { message: format!("the job cannot be understood: {why}") });
    }
    assert_eq!(worker.fault(ENROL, first), None);
    assert!(worker.end());
}

/// A picture that is cut off or changed at any place is no crash.
#[test]
fn damaged_pictures_are_no_crash() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = synthetic(1, &Synthetic::default());
    let picture = &bytes[..frames[0].bytes as usize];
    for part in 1..12 {
        worker.fault(ENROL, &picture[..picture.len() * part / 12]);
        let mut changed = picture.to_vec();
        let at = picture.len() * part / 12;
        changed[at..at + 4].fill(0xff);
        worker.fault(ENROL, &changed);
    }
    assert!(worker.end());
}

#[test]
fn what_is_no_message_ends_the_worker_with_a_word() {
    use std::io::Write as _;
    let mut child = crate::worker::command()
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"\0\0\0\x02\0\0\0\0{}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    println!("{said}");
    assert!(said.starts_with("face-worker: a header is not a message of this protocol"), "{said}");
}
