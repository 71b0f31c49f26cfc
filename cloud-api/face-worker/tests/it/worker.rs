//! A worker as the server has one, and the synthetic face's pictures.

use std::{
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use blink_proto::faces::{
    Answer, ClipReport, FrameMark, FromWorker, Job, Outcome, PictureFault, Purpose, Ready, Task, frame,
};
use blink_vision::{native::SyntheticFace, source::Synthetic};
use jiff::Timestamp;
use opencv::{
    core::{Mat, Vector},
    imgcodecs,
};

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_face-worker"))
}

pub(crate) struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    jobs: u64,
}

impl Worker {
    /// A worker that is ready; `None` where the models are missing, after saying so.
    pub(crate) fn start() -> Option<(Self, Ready)> {
        let mut child = command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, mut output) = (child.stdin.take(), child.stdout.take().unwrap());
        match frame::read(&mut output, &mut Vec::new()).unwrap() {
            Some(FromWorker::Ready(ready)) => Some((Self { child, input, output, jobs: 0 }, ready)),
            Some(FromWorker::Unable { code, message }) if code == "model_missing" => {
                println!("skipped: {message}");
                child.wait().unwrap();
                None
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The outcome of a job, and the bytes with it.
    pub(crate) fn ask(&mut self, task: Task, bytes: &[u8]) -> (Outcome, Vec<u8>) {
        self.jobs += 1;
        frame::write(self.input.as_mut().unwrap(), &Job { id: self.jobs, task }, bytes).unwrap();
        let mut body = Vec::new();
        match frame::read(&mut self.output, &mut body).unwrap() {
            Some(FromWorker::Answer(answer)) => {
                let Answer { id, outcome, .. } = *answer;
                assert_eq!(id, self.jobs);
                (outcome, body)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn fault(&mut self, task: Task, bytes: &[u8]) -> Option<PictureFault> {
        match self.ask(task, bytes).0 {
            Outcome::Fault { fault } => Some(fault),
            Outcome::Still(_) | Outcome::Clip(_) => None,
            Outcome::Failed { message } => panic!("{message}"),
        }
    }

    pub(crate) fn clip(&mut self, task: Task, bytes: &[u8]) -> ClipReport {
        match self.ask(task, bytes).0 {
            Outcome::Clip(report) => *report,
            other => panic!("{other:?}"),
        }
    }

    /// Ends its input; returns whether it ended well.
    pub(crate) fn end(mut self) -> bool {
        self.input = None;
        self.child.wait().unwrap().success()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) const ENROL: Task = Task::Still { purpose: Purpose::Enrolment };
pub(crate) const RECOGNISE: Task = Task::Still { purpose: Purpose::Recognition };

pub(crate) fn jpeg(picture: &Mat) -> Vec<u8> {
    let mut bytes = Vector::<u8>::new();
    imgcodecs::imencode_def(".jpg", picture, &mut bytes).unwrap();
    bytes.iter().collect()
}

/// The synthetic face, `seconds` long at 30 frames a second, as JPEG pictures with their times.
pub(crate) fn synthetic(seconds: u32, face: &Synthetic) -> (Vec<FrameMark>, Vec<u8>) {
    recording((0..seconds * 30).map(|i| i * 1_000 / 30), face, |at_ms| at_ms)
}

/// The synthetic face at `times`, in milliseconds, as it is at the time that `shown` gives for each.
pub(crate) fn recording(
    times: impl Iterator<Item = u32>,
    face: &Synthetic,
    shown: impl Fn(u32) -> u32,
) -> (Vec<FrameMark>, Vec<u8>) {
    let mut face = SyntheticFace::new(face, Timestamp::UNIX_EPOCH).unwrap();
    let (mut marks, mut bytes) = (Vec::new(), Vec::new());
    for at_ms in times {
        let picture = jpeg(face.draw(Duration::from_millis(shown(at_ms).into())).unwrap());
        marks.push(FrameMark { bytes: u32::try_from(picture.len()).unwrap(), at_ms });
        bytes.extend(picture);
    }
    (marks, bytes)
}
