//! The test footage, the model, and images made of them.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use blink_vision::{
    Event,
    dip::Limits,
    native::{FileSource, Frame, Pipeline, SourceError, load_landmark_model},
    predictor::Predictor,
    score::Span,
};

/// The folder of test footage; `None` if it is missing, after printing what is skipped.
pub(crate) fn folder(skipped: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WAW_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {skipped}: there is no test footage (WAW_TEST_DATA)");
    None
}

/// The files of a folder with one of these extensions, sorted.
pub(crate) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)));
    files.sort();
    files
}

/// The folders within a folder, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

/// The folders in which `blinkd models --fetch` and Debian's package put models.
pub(crate) fn model_folders() -> Vec<PathBuf> {
    let named = std::env::var_os("BLINKD_MODELS_DIR").map(PathBuf::from);
    let own = std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share/blinkd/models"));
    named.into_iter().chain(own).chain([PathBuf::from("/usr/share/dlib")]).collect()
}

/// The landmark model, read once per test process.
pub(crate) fn model() -> Arc<Predictor> {
    static MODEL: OnceLock<Arc<Predictor>> = OnceLock::new();
    let load = || Arc::new(load_landmark_model(&model_folders()).expect("the landmark model: run `make bootstrap`"));
    Arc::clone(MODEL.get_or_init(load))
}

/// What is found in a stream.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) blinks: Vec<Span>,
    pub(crate) frames: u64,
    pub(crate) observed: Duration,
    /// The time from the first frame to the last one's end, which is as long as the frame before.
    pub(crate) length: Duration,
}

impl Found {
    fn take(&mut self, events: impl Iterator<Item = Event>) {
        for event in events {
            match event {
                Event::Blink(blink) => self.blinks.push(Span::from(&blink)),
                Event::Observed { from, to, .. } => self.observed += to - from,
                Event::Wink(_) => {}
            }
        }
    }
}

/// Runs the pipeline on the frames that `next` shows it until it says that there are no more.
pub(crate) fn found(limits: Limits, mut next: impl FnMut(&mut dyn FnMut(&Frame<'_>)) -> bool) -> Found {
    let mut pipeline = Pipeline::with_limits(model(), limits).with_models_in(&model_folders());
    let (mut found, mut last) = (Found::default(), Duration::ZERO);
    let mut show = |frame: &Frame<'_>| {
        pipeline.process(frame).unwrap();
        found.take(pipeline.drain_events());
        found.frames += 1;
        found.length = frame.timestamp + frame.timestamp.saturating_sub(last);
        last = frame.timestamp;
    };
    while next(&mut show) {}
    pipeline.finish();
    found.take(pipeline.drain_events());
    found
}

/// What is found in a video file.
pub(crate) fn found_in_file(path: &Path, limits: Limits) -> Found {
    let mut source = FileSource::open(path, false).unwrap();
    found(limits, |show| match source.read() {
        Ok(frame) => {
            show(&frame);
            true
        }
        Err(SourceError::EndOfFile) => false,
        Err(error) => panic!("{}: {error}", path.display()),
    })
}
