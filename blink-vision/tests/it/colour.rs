//! Videos in colour, of no more pixels than are taken.

use std::fs::File;

use blink_vision::native::{FileSource, SourceError};
use opencv::core::{CV_8UC3, MatTraitConst as _};
use rstest::rstest;

use crate::files::{pictures, write};

#[rstest]
#[case::by_our_own_reader("avi", ['M', 'J', 'P', 'G'])]
#[case::by_ffmpeg("mp4", ['m', 'p', '4', 'v'])]
fn vast_pictures_are_not_decoded(#[case] ending: &str, #[case] codec: [char; 4]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("colour").with_extension(ending);
    write(&path, codec, &pictures(2));
    let first = |most_pixels| {
        let mut video = FileSource::of(File::open(&path).unwrap(), &path, most_pixels)?;
        video.read_colour().map(|(_, picture)| (picture.cols(), picture.rows(), picture.typ()))
    };
    assert_eq!(first(640 * 480).unwrap(), (640, 480, CV_8UC3));
    assert!(matches!(first(640 * 480 - 1), Err(SourceError::TooLarge(_))));
}
