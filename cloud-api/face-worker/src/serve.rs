//! One job at a time: read, answered, forgotten.

use std::{
    io::{Read, Write},
    time::Instant,
};

use blink_proto::faces::{Answer, FromWorker, Job, Outcome, Task, frame};

use crate::{Refusal, clip, lockdown, models::Models, still};

/// Answers jobs until `input` ends.
///
/// # Errors
/// When a pipe fails, or what comes is none of the protocol: then nothing after it can be trusted.
pub fn answer_all(
    models: &mut Models,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<(), frame::FrameError> {
    let mut bytes = Vec::new();
    while let Some(job) = frame::read::<Job>(input, &mut bytes)? {
        let started = Instant::now();
        lockdown::allow_cpu_for_one_job();
        let (outcome, photo) = answer(models, &job.task, &bytes);
        wipe(&mut bytes);
        models.forget();
        let took_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let answer = FromWorker::Answer(Box::new(Answer { id: job.id, took_ms, outcome }));
        frame::write(output, &answer, &photo)?;
    }
    Ok(())
}

fn answer(models: &mut Models, task: &Task, bytes: &[u8]) -> (Outcome, Vec<u8>) {
    let outcome = match task {
        Task::Still { purpose } => match still::read(models, bytes, *purpose) {
            Ok((report, photo)) => return (Outcome::Still(report), photo),
            Err(refusal) => Err(refusal),
        },
        Task::Frames { frames } => clip::of_frames(models, frames, bytes).map(clip_outcome),
        Task::Video => clip::of_video(models, bytes).map(clip_outcome),
    };
    (outcome.unwrap_or_else(|refusal: Refusal| refusal.outcome()), Vec::new())
}

fn clip_outcome(report: blink_proto::faces::ClipReport) -> Outcome {
    Outcome::Clip(Box::new(report))
}

/// Overwrites the bytes of a picture and gives their memory back; see also `environment`.
fn wipe(bytes: &mut Vec<u8>) {
    bytes.fill(0);
    std::hint::black_box(&bytes);
    *bytes = Vec::new();
}
