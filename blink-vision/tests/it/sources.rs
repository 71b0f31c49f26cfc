//! Tests of sources as the daemon and `analyze` use them.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    time::{Duration, Instant},
};

use blink_vision::{
    SourceSpec,
    native::{FileSource, Source, SourceError},
};
use jiff::Timestamp;
use opencv::core::MatTraitConst;
use rstest::rstest;

use crate::files;

fn open(spec: &str) -> Result<Source, SourceError> {
    Source::open(&spec.parse::<SourceSpec>().unwrap(), Timestamp::UNIX_EPOCH)
}

#[rstest]
#[case(b"", "not_video")]
#[case(b"This is a letter, not a film.\n", "not_video")]
#[case(b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:9,\nhttp://127.0.0.1:1/x.ts\n", "not_video")]
#[case(b"RIFF\x10\x00\x00\x00AVI \x00\x00\x00\x00\x00\x00\x00\x00", "not_video")]
fn what_is_no_video_is_refused_by_name(#[case] bytes: &[u8], #[case] code: &str) {
    let mut file = tempfile::Builder::new().suffix(".mp4").tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let error = FileSource::open(file.path(), false).unwrap_err();
    assert_eq!(error.code(), code);
    assert!(error.to_string().contains(file.path().to_str().unwrap()), "{error}");
}

#[test]
fn a_missing_file_and_a_folder_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(FileSource::open(&folder.path().join("none.avi"), false).unwrap_err().code(), "source_unreadable");
    assert_eq!(FileSource::open(folder.path(), false).unwrap_err().code(), "not_video");
}

/// Opening a pipe to read waits for whoever writes, so a test that hangs here has failed.
#[cfg(unix)]
#[test]
fn a_pipe_and_a_device_are_refused_unopened() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.avi");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), "/dev/null".as_ref()] {
        let error = FileSource::open(path, false).unwrap_err();
        assert_eq!(error.code(), "not_video");
        assert!(error.to_string().contains("it is not a file"), "{error}");
    }
}

#[test]
fn a_camera_that_is_not_there_says_so_at_once() {
    let error = open("camera:63").unwrap_err();
    assert_eq!(error.code(), "no_camera");
}

#[test]
fn the_synthetic_source_keeps_its_pace() {
    let started = Instant::now();
    let mut source = open("synthetic:fps=60").unwrap();
    let mut last = None;
    for index in 0..30 {
        let frame = source.read().unwrap();
        assert_eq!(frame.index, index);
        assert!(last.is_none_or(|last| frame.timestamp > last));
        assert!(started.elapsed() >= frame.timestamp, "a frame came before it was due");
        last = Some(frame.timestamp);
    }
}

#[rstest]
#[case("", (320, 240))]
#[case(",format=GRAY8", (320, 240))]
// Formats that `videoflip` does not take.
#[case(",format=NV16", (320, 240))]
#[case(",format=P010_10LE", (320, 240))]
#[case(",format=NV16 ! taginject tags=\"image-orientation=rotate-90\"", (240, 320))]
fn a_gstreamer_pipeline_gives_grey_frames(#[case] rest: &str, #[case] size: (i32, i32)) {
    let raw = "gst:videotestsrc num-buffers=90 ! video/x-raw,width=320,height=240,framerate=30/1";
    let mut source = open(&format!("{raw}{rest}")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match source.read() {
            Ok(frame) => {
                assert_eq!((frame.grey.cols(), frame.grey.rows(), frame.grey.channels()), (size.0, size.1, 1));
                break;
            }
            Err(SourceError::TimedOut) if Instant::now() < deadline => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Half a gigabyte of nothing lies between two pictures. Whoever reads the file looks at its control meanwhile.
#[test]
fn no_read_of_a_file_blocks_for_longer_than_half_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let jpegs: Vec<_> = files::pictures(2).iter().map(files::jpeg).collect();
    let path = files::avi(folder.path(), &jpegs);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.split_off(bytes.windows(4).rposition(|id| id == b"00dc").unwrap());
    let mut file = File::create(&path).unwrap();
    file.write_all(&bytes).unwrap();
    file.seek(SeekFrom::Current(1 << 29)).unwrap();
    file.write_all(&last).unwrap();
    let mut source = open(&format!("file:{}", path.display())).unwrap();
    let mut times = Vec::new();
    loop {
        let started = Instant::now();
        match source.read() {
            Ok(frame) => times.push(frame.timestamp.as_millis()),
            Err(SourceError::TimedOut) => {}
            Err(error) => {
                assert_eq!(error.code(), "end_of_file");
                break;
            }
        }
        assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    }
    assert_eq!(times, [0, 40]);
}

#[test]
fn no_read_blocks_for_longer_than_half_a_second() {
    let mut source = open("synthetic:fps=1").unwrap();
    source.read().unwrap();
    let started = Instant::now();
    // The next frame is due in a second, so the source reports a time-out instead of blocking.
    assert!(matches!(source.read(), Err(SourceError::TimedOut)));
    assert!(started.elapsed() < Duration::from_millis(900));
}
