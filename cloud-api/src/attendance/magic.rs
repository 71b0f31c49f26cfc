//! What a file is by its first bytes. Nothing else is read of it here.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JPEG, PNG or WebP.
    Picture,
    /// MP4, MOV, WebM or AVI.
    Video,
}

/// `None` for every other file.
#[must_use]
pub fn kind(bytes: &[u8]) -> Option<Kind> {
    let riff = |form: &[u8]| bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(form);
    let picture = bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG\r\n\x1a\n") || riff(b"WEBP");
    // MP4 and MOV begin with a box; the oldest MOV files have none that says what they are.
    let boxed = matches!(bytes.get(4..8), Some(b"ftyp" | b"moov" | b"mdat" | b"wide" | b"free" | b"skip"));
    if picture {
        Some(Kind::Picture)
    } else if boxed || bytes.starts_with(b"\x1a\x45\xdf\xa3") || riff(b"AVI ") {
        Some(Kind::Video)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"\xff\xd8\xff\xe0....", Some(Kind::Picture))]
    #[case(b"\x89PNG\r\n\x1a\n", Some(Kind::Picture))]
    #[case(b"RIFF\0\0\0\0WEBPVP8 ", Some(Kind::Picture))]
    #[case(b"\0\0\0\x18ftypmp42", Some(Kind::Video))]
    #[case(b"\0\0\0\x14ftypqt  ", Some(Kind::Video))]
    #[case(b"\x1a\x45\xdf\xa3", Some(Kind::Video))]
    #[case(b"RIFF\0\0\0\0AVI LIST", Some(Kind::Video))]
    #[case(b"RIFF\0\0\0\0WAVE", None)]
    #[case(b"#EXTM3U\n#EXT-X-VERSION:3", None)]
    #[case(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None)]
    #[case(b"GIF89a", None)]
    #[case(b"BM", None)]
    #[case(b"\xff\xd8", None)]
    #[case(b"", None)]
    fn kinds(#[case] bytes: &[u8], #[case] expected: Option<Kind>) {
        assert_eq!(kind(bytes), expected);
    }
}
