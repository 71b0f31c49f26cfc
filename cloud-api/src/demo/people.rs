//! The made-up people.

use blink_proto::http::Role;

/// Somebody who does not exist.
pub(super) struct Person {
    pub name: &'static str,
    /// The id at the attendance desk.
    pub id: &'static str,
    /// The role of their account; `None` has none.
    pub role: Option<Role>,
    /// Blinks per minute on a usual day.
    pub rate: f64,
    /// When they come, in minutes after 08:00.
    pub arrives: u16,
}

const fn person(name: &'static str, id: &'static str, role: Option<Role>, rate: f64, arrives: u16) -> Person {
    Person { name, id, role, rate, arrives }
}

/// The member comes first: it is their face that the recording shows.
pub(super) const PEOPLE: [Person; 12] = [
    person("Mara Lindqvist", "member", Some(Role::Member), 13.5, 42),
    person("Jonas Weber", "manager", Some(Role::Manager), 15.0, 35),
    person("Aiko Tanaka", "admin", Some(Role::Admin), 16.5, 50),
    person("Samuel Okafor", "samuel-okafor", Some(Role::Member), 11.0, 20),
    person("Leïla Benali", "leila-benali", Some(Role::Member), 17.5, 61),
    person("Tomasz Nowak", "tomasz-nowak", Some(Role::Member), 14.0, 30),
    person("Ines Carvalho", "ines-carvalho", Some(Role::Member), 12.5, 55),
    person("Oskar Hansen", "oskar-hansen", None, 0.0, 25),
    person("Priya Raman", "priya-raman", None, 0.0, 48),
    person("Daniel Cohen", "daniel-cohen", None, 0.0, 66),
    person("Greta Baumann", "greta-baumann", None, 0.0, 38),
    person("Luca Moretti", "luca-moretti", None, 0.0, 15),
];

impl Person {
    /// The address of their account.
    pub(super) fn email(&self) -> String {
        format!("{}@demo.example", self.id)
    }
}
