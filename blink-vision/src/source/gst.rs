//! Decides which GStreamer pipelines are refused: frames must not go anywhere but to us.
//!
//! The check reads the text before GStreamer does. It looks at every word that could name an element, and refuses what
//! it does not understand.

use super::SpecError;

/// Elements that pass frames on without being called a sink, or that contain sinks.
const OUTPUTS: &[&str] = &[
    "tee",
    "output-selector",
    "webrtcbin",
    "playbin",
    "playbin3",
    "playsink",
    "rtpbin",
    "rtpsession",
    "camerabin",
    "wrappercamerabinsrc",
    "encodebin",
    "encodebin2",
    "valve",
    "queue2",
    "downloadbuffer",
    "gdppay",
    "streamiddemux",
    "proxysink",
    "interpipesrc",
    "filetee",
];

/// Refuses, by name, any element of `pipeline` that could send frames elsewhere.
pub(super) fn check(pipeline: &str) -> Result<(), SpecError> {
    if pipeline.contains(['(', ')', ';', '\n']) {
        return Err(SpecError::Pipeline(
            "bins in parentheses and several chains are not taken; write one chain of elements",
        ));
    }
    let mut links = pipeline.split('!').map(str::trim);
    if links.clone().any(str::is_empty) {
        return Err(SpecError::Pipeline("there is nothing between two `!`, or at an end"));
    }
    links.try_for_each(link)
}

/// Checks the part between two `!`: an element or caps, then its properties. A further bare word starts another chain
/// in GStreamer's syntax, so each bare word is checked as an element.
fn link(text: &str) -> Result<(), SpecError> {
    for word in words(text)? {
        let bare = word.trim_matches(['"', '\'']);
        if bare.contains('=') || bare.starts_with("video/x-raw") || bare.starts_with("image/") {
            continue;
        }
        let name = bare.to_ascii_lowercase();
        if name.contains("sink") || OUTPUTS.contains(&name.as_str()) {
            return Err(SpecError::RefusedElement(bare.to_owned()));
        }
        if name.ends_with('.') || name.contains('.') {
            return Err(SpecError::Pipeline("references to named elements are not taken; write one chain of elements"));
        }
    }
    Ok(())
}

/// Words separated by white space; quoted parts keep their spaces.
fn words(text: &str) -> Result<Vec<String>, SpecError> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().into_iter().for_each(|word| word.push(c)),
        }
    }
    if quote.is_some() {
        return Err(SpecError::Pipeline("a quotation mark is not closed"));
    }
    words.retain(|word| !word.is_empty());
    Ok(words)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("v4l2src device=/dev/video0 ! videoconvert")]
    #[case("pipewiresrc ! video/x-raw,width=640,height=480 ! videoconvert")]
    #[case("pipewiresrc ! image/jpeg, width=640 ! jpegdec")]
    #[case("videotestsrc pattern=ball name=\"my source\" ! videoflip method=horizontal-flip")]
    fn a_plain_chain_is_taken(#[case] pipeline: &str) {
        assert_eq!(check(pipeline), Ok(()));
    }

    #[rstest]
    #[case("videotestsrc ! filesink location=/tmp/x", "filesink")]
    #[case("videotestsrc ! tee", "tee")]
    #[case("videotestsrc ! x264enc ! RTMP2Sink", "RTMP2Sink")]
    #[case("videotestsrc ! udpsink host=a", "udpsink")]
    #[case("videotestsrc ! videoconvert videotestsrc ! multifilesink", "multifilesink")]
    #[case("videotestsrc ! webrtcbin", "webrtcbin")]
    #[case("videotestsrc ! videoconvert ! appsink", "appsink")]
    #[case("videotestsrc ! \"filesink\" location=x", "filesink")]
    fn an_output_is_refused_by_name(#[case] pipeline: &str, #[case] element: &str) {
        assert_eq!(check(pipeline), Err(SpecError::RefusedElement(element.to_owned())));
    }

    #[rstest]
    #[case("videotestsrc ! ! videoconvert")]
    #[case("( videotestsrc ! fakesink )")]
    #[case("videotestsrc name=t t. ! videoconvert")]
    #[case("videotestsrc name=\"t ! videoconvert")]
    fn what_cannot_be_placed_is_refused(#[case] pipeline: &str) {
        assert!(check(pipeline).is_err());
    }
}
