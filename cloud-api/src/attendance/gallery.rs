//! The enrolled faces in memory, and whom a face belongs to.
//!
//! The means of all people's encodings lie in one contiguous matrix, so that a face is compared with 10,000 people in a
//! few milliseconds. The encodings themselves are kept beside it: they tell a face that is enrolled already, and they are
//! what a face is compared with where the person is known beforehand, from a PIN, a code or a sign-in.
//!
//! The limits were measured on photographs of 63 people and 24 strangers, each with dlib's network and no jitter:
//! docs/fairness.md has the figures.

use std::collections::HashMap;

use blink_proto::faces::{ENCODING_LENGTH, Encoding};

/// One to many, a face is nobody's beyond this distance from the mean of a person's pictures. The mean of several is
/// nearer to every picture of the person than one of them is, so its limit is lower.
pub const LIMIT_ONE_PICTURE: f32 = 0.50;
pub const LIMIT_SEVERAL: f32 = 0.48;

/// One to many, the next person must be farther away by this much, or nobody is named.
pub const MARGIN: f32 = 0.03;

/// One to one, where the person is known beforehand.
pub const LIMIT_ONE_TO_ONE: f32 = 0.45;

/// At enrolment, a face this near to another person's is the same face.
pub const LIMIT_DUPLICATE: f32 = 0.40;

/// At enrolment, pictures farther apart than this are of different people: 1.7 of 100 pairs of one person's are farther.
pub const LIMIT_DIFFERENT_FACES: f32 = 0.60;

/// Shares of pairs of different people that are nearer than a distance, on the photographs above.
const OTHERS_WITHIN: [(f32, f64); 3] = [(0.45, 0.0001), (0.50, 0.0011), (0.60, 0.0135)];

/// Whom a face belongs to.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    Nobody,
    /// Two people are about as near as each other.
    Ambiguous([String; 2]),
    Person {
        id: String,
        confidence: u8,
    },
}

/// One person's place in the matrix.
#[derive(Clone, Debug)]
struct Entry {
    id: String,
    encodings: Vec<Encoding>,
}

#[derive(Clone, Debug, Default)]
pub struct Gallery {
    people: Vec<Entry>,
    places: HashMap<String, usize>,
    /// The mean of each person's encodings, one after the other.
    means: Vec<f32>,
}

impl Gallery {
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.people.iter().map(|entry| entry.id.as_str())
    }

    /// Puts a person in, or replaces their encodings. Without a sound one the person is taken out.
    pub fn put(&mut self, id: &str, encodings: Vec<Encoding>) {
        let Some(mean) = Encoding::mean(&encodings) else { return self.remove(id) };
        let entry = Entry { id: id.to_owned(), encodings };
        if let Some(place) = self.places.get(id) {
            self.people[*place] = entry;
            self.means[place * ENCODING_LENGTH..][..ENCODING_LENGTH].copy_from_slice(mean.values());
        } else {
            self.places.insert(id.to_owned(), self.people.len());
            self.people.push(entry);
            self.means.extend_from_slice(mean.values());
        }
    }

    /// Takes a person out. The last one moves to their place.
    pub fn remove(&mut self, id: &str) {
        let Some(place) = self.places.remove(id) else { return };
        self.people.swap_remove(place);
        let last = self.people.len() * ENCODING_LENGTH;
        self.means.copy_within(last.., place * ENCODING_LENGTH);
        // What was there must not stay in memory behind the end.
        self.means[last..].fill(0.0);
        self.means.truncate(last);
        if let Some(moved) = self.people.get(place) {
            self.places.insert(moved.id.clone(), place);
        }
    }

    /// Compares a face with everybody's.
    #[must_use]
    pub fn find(&self, face: &Encoding) -> Match {
        let Some(face) = face.values().first_chunk::<ENCODING_LENGTH>().filter(|_| face.is_sound()) else {
            return Match::Nobody;
        };
        let (mut nearest, mut next, mut place, mut runner_up) = (f32::INFINITY, f32::INFINITY, 0, 0);
        for (n, mean) in self.means.as_chunks::<ENCODING_LENGTH>().0.iter().enumerate() {
            let squared = squared_distance(face, mean);
            if squared < nearest {
                (next, runner_up) = (nearest, place);
                (nearest, place) = (squared, n);
            } else if squared < next {
                (next, runner_up) = (squared, n);
            }
        }
        let Some(entry) = self.people.get(place) else { return Match::Nobody };
        let (nearest, next) = (nearest.sqrt(), next.sqrt());
        let limit = if entry.encodings.len() > 1 { LIMIT_SEVERAL } else { LIMIT_ONE_PICTURE };
        if nearest > limit {
            Match::Nobody
        } else if next - nearest < MARGIN {
            Match::Ambiguous([place, runner_up].map(|place| self.people[place].id.clone()))
        } else {
            Match::Person { id: entry.id.clone(), confidence: confidence(nearest, ENROLLED) }
        }
    }

    /// Compares a face with one person's: how sure it is that it is theirs, if it is.
    #[must_use]
    pub fn verify(&self, id: &str, face: &Encoding) -> Option<u8> {
        let entry = self.people.get(*self.places.get(id)?)?;
        let distance = Encoding::mean(&entry.encodings)?.distance(face);
        (distance <= LIMIT_ONE_TO_ONE).then(|| confidence(distance, 1.0))
    }

    /// A person other than `id` to whom one of these faces belongs.
    #[must_use]
    pub fn same_face(&self, id: &str, faces: &[Encoding]) -> Option<&str> {
        let distance = |entry: &Entry| {
            let each = entry.encodings.iter().flat_map(|known| faces.iter().map(|face| known.distance(face)));
            each.fold(f32::INFINITY, f32::min)
        };
        let others = self.people.iter().filter(|entry| entry.id != id).map(|entry| (distance(entry), entry));
        let nearest = others.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
        (nearest.0 <= LIMIT_DUPLICATE).then_some(nearest.1.id.as_str())
    }
}

/// Eight sums, which the compiler keeps in one register of eight.
fn squared_distance(a: &[f32; ENCODING_LENGTH], b: &[f32; ENCODING_LENGTH]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for lane in 0..8 {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    sums.iter().sum()
}

/// The confidence of one-to-many is told for so many enrolled people, however many there are, so that it means the same
/// everywhere.
const ENROLLED: f64 = 100.0;

/// How sure a match at this distance is, 0 to 100: of 100 people who are not enrolled, at most 100 minus this many come as
/// near to one of `enrolled` people. So 97 of a mark at the desk means that 3 of 100 strangers would look as much like one
/// of 100 enrolled people.
#[must_use]
fn confidence(distance: f32, enrolled: f64) -> u8 {
    let one = others_within(distance);
    let any = 1.0 - (1.0 - one).powf(enrolled);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
    let percent = (100.0 * (1.0 - any)).floor() as u8;
    percent.min(100)
}

/// The share of other people within a distance: between the measured ones, and on from the first and the last two of
/// them, in logarithms.
fn others_within(distance: f32) -> f64 {
    let [a, b, c] = OTHERS_WITHIN;
    let ((from, low), (to, high)) = if distance < b.0 { (a, b) } else { (b, c) };
    let part = f64::from((distance - from) / (to - from));
    (low.ln() + part * (high.ln() - low.ln())).exp().min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// A point on the first axis, so that distances are differences.
    fn at(x: f32) -> Encoding {
        let mut values = vec![0.0; ENCODING_LENGTH];
        values[0] = x;
        Encoding::new(values).unwrap()
    }

    fn gallery(people: &[(&str, &[f32])]) -> Gallery {
        let mut gallery = Gallery::default();
        for (id, faces) in people {
            gallery.put(id, faces.iter().map(|x| at(*x)).collect());
        }
        gallery
    }

    fn name(found: &Match) -> &str {
        match found {
            Match::Nobody => "nobody",
            Match::Ambiguous(ids) if ids.iter().any(|id| id == "ada") && ids.iter().any(|id| id == "eve") => {
                "ambiguous"
            }
            Match::Ambiguous(_) => "others",
            Match::Person { id, .. } => id,
        }
    }

    #[rstest]
    #[case(0.0, "ada")]
    #[case(-0.499, "ada")]
    #[case(-0.501, "nobody")]
    #[case(0.36, "ada")]
    #[case(0.39, "ambiguous")]
    #[case(0.41, "ambiguous")]
    #[case(0.44, "eve")]
    #[case(1.27, "eve")]
    #[case(1.29, "nobody")]
    fn the_nearest_within_its_limit_and_clear_of_the_next(#[case] x: f32, #[case] found: &str) {
        let gallery = gallery(&[("ada", &[0.0]), ("eve", &[0.7, 0.8, 0.9])]);
        assert_eq!(name(&gallery.find(&at(x))), found);
    }

    #[test]
    fn nobody_is_found_among_none_or_by_a_damaged_face() {
        assert_eq!(Gallery::default().find(&at(0.0)), Match::Nobody);
        let damaged: Encoding = serde_json::from_str("[1.0]").unwrap();
        assert_eq!(gallery(&[("ada", &[0.0])]).find(&damaged), Match::Nobody);
    }

    #[test]
    fn one_to_one_has_a_limit_of_its_own() {
        let gallery = gallery(&[("ada", &[0.0, 0.1, 0.2])]);
        assert!(gallery.verify("ada", &at(0.54)).is_some() && gallery.verify("ada", &at(0.56)).is_none());
        assert_eq!(gallery.verify("eve", &at(0.0)), None);
    }

    #[test]
    fn an_enrolled_face_is_known_from_any_of_its_pictures() {
        let gallery = gallery(&[("ada", &[0.0, 1.0]), ("eve", &[5.0])]);
        assert_eq!(gallery.same_face("new", &[at(3.0), at(1.3)]), Some("ada"));
        assert_eq!(gallery.same_face("ada", &[at(1.3)]), None);
        assert_eq!(gallery.same_face("new", &[at(3.0)]), None);
    }

    #[rstest]
    #[case(0.30, 100.0, 99)]
    #[case(0.45, 100.0, 99)]
    #[case(0.47, 100.0, 97)]
    #[case(0.48, 100.0, 95)]
    #[case(0.50, 100.0, 89)]
    #[case(0.60, 100.0, 25)]
    #[case(5.00, 100.0, 0)]
    #[case(0.45, 1.0, 99)]
    fn confidence_is_the_share_of_strangers_that_look_less_alike(
        #[case] distance: f32,
        #[case] enrolled: f64,
        #[case] sure: u8,
    ) {
        assert_eq!(confidence(distance, enrolled), sure);
    }

    proptest! {
        /// Whatever was put and removed, each face is found where it was put last.
        #[test]
        fn places_stay_right(steps in proptest::collection::vec((0_u8..6, any::<bool>()), 0..60)) {
            let (mut gallery, mut expected) = (Gallery::default(), HashMap::new());
            for (n, (who, stays)) in steps.into_iter().enumerate() {
                let (id, x) = (format!("p{who}"), 10.0 * f32::from(who) + 0.01 * n as f32);
                if stays {
                    gallery.put(&id, vec![at(x)]);
                    expected.insert(id, x);
                } else {
                    gallery.remove(&id);
                    expected.remove(&id);
                }
            }
            prop_assert_eq!(gallery.len(), expected.len());
            prop_assert_eq!(gallery.means.len(), gallery.len() * ENCODING_LENGTH);
            for (id, x) in &expected {
                let found = gallery.find(&at(*x));
                prop_assert_eq!(name(&found), id);
            }
        }
    }
}
