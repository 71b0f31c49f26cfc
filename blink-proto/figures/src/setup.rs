//! What measured: figures of different machines, cameras, detectors, or with and without glasses are not compared.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{hours::Hours, week::Period};

/// What measured a minute. `None` is what is not known, and another than anything that is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setup {
    /// The machine's `device_id`.
    pub machine: String,
    /// The camera's name.
    pub camera: Option<String>,
    /// The version of the detector.
    pub detector: Option<String>,
    /// Whether the person said that they wear glasses.
    pub glasses: Option<bool>,
}

/// What became another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Change {
    /// Another machine.
    Machine,
    /// Another camera.
    Camera,
    /// Another version of the detector.
    Detector,
    /// With glasses, or without.
    Glasses,
}

impl Change {
    /// In words, such as `another camera`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Machine => "another machine",
            Self::Camera => "another camera",
            Self::Detector => "another version of the detector",
            Self::Glasses => "glasses put on or off",
        }
    }
}

/// A change, and the day on which it first shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Mark {
    /// The local day.
    #[cfg_attr(feature = "schema", schema(value_type = String, format = Date))]
    pub date: Date,
    /// What changed.
    pub change: Change,
}

/// The setups of a history, each with a number.
#[derive(Clone, Debug, Default)]
pub struct Setups(Vec<Setup>);

impl Setups {
    /// The number of `setup`, the same for equal ones.
    pub fn number(&mut self, setup: &Setup) -> usize {
        self.0.iter().position(|known| known == setup).unwrap_or_else(|| {
            self.0.push(setup.clone());
            self.0.len() - 1
        })
    }

    fn changes(before: &Setup, after: &Setup) -> Vec<Change> {
        let mut changes = Vec::new();
        if before.camera != after.camera {
            changes.push(Change::Camera);
        }
        if before.detector != after.detector {
            changes.push(Change::Detector);
        }
        if before.glasses != after.glasses {
            changes.push(Change::Glasses);
        }
        changes
    }

    /// What differs between the setups of two periods.
    #[must_use]
    pub fn between(&self, hours: &Hours, one: Period, other: Period) -> Vec<Change> {
        let of = |period| -> Vec<&Setup> { hours.setups(period).keys().filter_map(|n| self.0.get(*n)).collect() };
        let (one, other) = (of(one), of(other));
        let differ = |value: fn(&Setup) -> String| {
            let values = |setups: &[&Setup]| setups.iter().map(|setup| value(setup)).collect::<BTreeSet<_>>();
            values(&one) != values(&other)
        };
        let changes = [
            (Change::Machine, differ(|setup| setup.machine.clone())),
            (Change::Camera, differ(|setup| format!("{:?}", setup.camera))),
            (Change::Detector, differ(|setup| format!("{:?}", setup.detector))),
            (Change::Glasses, differ(|setup| format!("{:?}", setup.glasses))),
        ];
        changes.into_iter().filter(|(_, differs)| *differs).map(|(change, _)| change).collect()
    }

    /// The changes within `period`, against what each machine had before, in the order of their days.
    #[must_use]
    pub fn marks(&self, hours: &Hours, period: Period) -> Vec<Mark> {
        let mut marks = BTreeSet::new();
        let mut last: BTreeMap<&str, &Setup> = BTreeMap::new();
        let all = Period { first: hours.first_day().unwrap_or(period.first).min(period.first), last: period.last };
        for hour in hours.within(all) {
            for setup in hour.by_setup.iter().filter_map(|(number, _)| self.0.get(*number)) {
                let is_first = last.is_empty();
                let changes = match last.insert(&setup.machine, setup) {
                    Some(before) => Self::changes(before, setup),
                    None if is_first => Vec::new(),
                    None => vec![Change::Machine],
                };
                if period.holds(hour.date) {
                    marks.extend(changes.into_iter().map(|change| Mark { date: hour.date, change }));
                }
            }
        }
        marks.into_iter().collect()
    }
}
