//! The CSV file of `blinkd analyze --trace`, with a line for each frame.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use blink_proto::problem::code;
use blink_vision::{Event, FaceSight, FrameReport, Hint};

use crate::exit::Failure;

const HEADER: &str = "frame,time_s,state,ear_right,ear_left,baseline_right,baseline_left,closure,yaw_deg,pitch_deg,roll_deg,blinks_decided,hint";

#[derive(Debug)]
pub(super) struct Trace {
    path: PathBuf,
    file: BufWriter<File>,
    failed: Option<io::Error>,
}

impl Trace {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        let mut trace = Self { path: path.to_owned(), file: BufWriter::new(file), failed: None };
        trace.line(HEADER);
        Ok(trace)
    }

    pub(super) fn write(&mut self, report: &FrameReport, events: &[Event]) {
        let reading = &report.reading;
        let state = match report.sight {
            _ if report.stands_still => "stands_still",
            FaceSight::None => "no_face",
            FaceSight::Several => "several_faces",
            FaceSight::Turned if reading.unreadable => "unreadable",
            FaceSight::Turned => "turned",
            FaceSight::Measurable if reading.baseline.is_none() => "warming_up",
            FaceSight::Measurable if reading.eyes_closed => "eyes_closed",
            FaceSight::Measurable => "following",
        };
        let number = |value: Option<f32>| value.map(|value| format!("{value:.4}")).unwrap_or_default();
        let side = |pair: Option<[f32; 2]>, i: usize| number(pair.map(|pair| pair[i]));
        let blinks = events.iter().filter(|event| matches!(event, Event::Blink(_))).count();
        let line = [
            report.index.to_string(),
            format!("{:.4}", report.timestamp.as_secs_f64()),
            state.to_owned(),
            side(reading.ear, 0),
            side(reading.ear, 1),
            side(reading.baseline, 0),
            side(reading.baseline, 1),
            number(reading.closure),
            number(reading.pose.map(|pose| pose.yaw)),
            number(reading.pose.map(|pose| pose.pitch)),
            number(reading.pose.map(|pose| pose.roll)),
            blinks.to_string(),
            report.hint.map(Hint::as_str).unwrap_or_default().to_owned(),
        ];
        self.line(&line.join(","));
    }

    fn line(&mut self, line: &str) {
        if self.failed.is_none() {
            self.failed = writeln!(self.file, "{line}").err();
        }
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let written = self.failed.take().map_or_else(|| self.file.flush(), Err);
        written.map_err(|error| unwritable(&self.path, &error))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(code::UNWRITABLE, format!("{} cannot be written: {error}", path.display()), "Choose another place.")
}
