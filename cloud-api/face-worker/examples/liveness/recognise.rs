//! People told apart on photographs: one to many by the server's gallery, and one to one.

use std::{collections::BTreeMap, path::Path};

use blink_proto::faces::{Encoding, Purpose};
use face_worker::{models::Models, still};
use serde_json::Value;

use crate::{
    attendance::gallery::{Gallery, LIMIT_ONE_TO_ONE, LIMIT_SEVERAL, Match},
    table::share,
};

struct Person {
    name: String,
    /// How they look, judged by eye.
    look: BTreeMap<String, String>,
    /// What passes the gates of an enrolment, the picture to enrol first; and what can be recognised.
    enrolable: Vec<(String, Encoding)>,
    recognisable: Vec<(String, Encoding)>,
    pictures: usize,
    refused: Vec<String>,
}

fn person(models: &mut Models, folder: &Path, entry: &Value) -> Person {
    let words = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .map(|list| list.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect())
            .unwrap_or_default()
    };
    let mut files = words(&entry["files"]);
    let first = entry["enrol"].as_str().unwrap_or_default();
    files.sort_by_key(|file| file != first);
    // Frames of one video are nearly the same picture: one of them is used.
    let copies = words(&entry["frames_of_own_video"]);
    let mut one = false;
    files.retain(|file| !copies.contains(file) || !std::mem::replace(&mut one, true));
    let (mut enrolable, mut recognisable, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for file in &files {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        match still::read(models, &bytes, Purpose::Enrolment) {
            Ok((report, _)) => {
                enrolable.push((file.clone(), report.encoding.clone()));
                recognisable.push((file.clone(), report.encoding));
            }
            Err(fault) => {
                refused.push(format!("{file} {fault}"));
                if let Ok((report, _)) = still::read(models, &bytes, Purpose::Recognition) {
                    recognisable.push((file.clone(), report.encoding));
                }
            }
        }
    }
    let look = entry["by_eye"]
        .as_object()
        .map(|look| look.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect());
    Person {
        name: entry["person"].as_str().unwrap_or_default().to_owned(),
        look: look.unwrap_or_default(),
        enrolable,
        recognisable,
        pictures: files.len(),
        refused,
    }
}

pub(crate) fn run(models: &mut Models, folder: &Path) {
    let manifest: Value = serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let mut people = |key: &str| -> Vec<Person> {
        manifest[key].as_array().unwrap().iter().map(|entry| person(models, folder, entry)).collect()
    };
    let (persons, strangers) = (people("persons"), people("single"));
    let pictures: usize = persons.iter().chain(&strangers).map(|person| person.pictures).sum();
    let refused: Vec<&String> = persons.iter().chain(&strangers).flat_map(|person| &person.refused).collect();
    println!("pictures that the gates of an enrolment refuse: {}", share(refused.len(), pictures));
    refused.iter().for_each(|refused| println!("refused: {refused}"));
    println!(
        "\n| pictures enrolled | people | what | n | share | 95 % interval |\n| --- | --- | --- | --- | --- | --- |"
    );
    for enrolled in [1, 3] {
        one_to_many(&persons, &strangers, enrolled);
    }
    // The second is what it costs, or spares, to be as strict as one to many.
    for limit in [LIMIT_ONE_TO_ONE, LIMIT_SEVERAL] {
        one_to_one(&persons, limit);
    }
}

fn one_to_many(persons: &[Person], strangers: &[Person], enrolled: usize) {
    let mut gallery = Gallery::default();
    let known: Vec<&Person> = persons.iter().filter(|person| person.enrolable.len() >= enrolled).collect();
    for person in &known {
        gallery.put(&person.name, person.enrolable[..enrolled].iter().map(|(_, encoding)| encoding.clone()).collect());
    }
    let (mut n, mut right, mut wrong, mut ambiguous, mut nobody) = (0, 0, 0, 0, 0);
    let mut groups = BTreeMap::<String, [usize; 2]>::new();
    for person in &known {
        let taken: Vec<&String> = person.enrolable[..enrolled].iter().map(|(file, _)| file).collect();
        for (file, face) in person.recognisable.iter().filter(|(file, _)| !taken.contains(&file)) {
            n += 1;
            let found = gallery.find(face);
            let is_right = matches!(&found, Match::Person { id, .. } if *id == person.name);
            match found {
                Match::Person { .. } if is_right => right += 1,
                Match::Person { id, .. } => {
                    wrong += 1;
                    println!("wrong: {file} is taken for {id}");
                }
                Match::Ambiguous(_) => ambiguous += 1,
                Match::Nobody => nobody += 1,
            }
            if !is_right {
                println!("not recognised with {enrolled}: {file}");
            }
            for (key, value) in &person.look {
                let group = groups.entry(format!("{key} {value}")).or_default();
                group[0] += usize::from(!is_right);
                group[1] += 1;
            }
        }
    }
    let all: Vec<&(String, Encoding)> = strangers.iter().flat_map(|person| &person.recognisable).collect();
    let let_in: Vec<&String> = all
        .iter()
        .filter(|(_, face)| matches!(gallery.find(face), Match::Person { .. }))
        .map(|(file, _)| file)
        .collect();
    let row = |what: &str, hits, n| println!("| {enrolled} | {} | {what} | {} |", known.len(), share(hits, n));
    row("recognised (rank 1, within the limit)", right, n);
    row("genuine refused", nobody + ambiguous, n);
    row("of these ambiguous", ambiguous, n);
    row("taken for another", wrong, n);
    row("strangers let in", let_in.len(), all.len());
    let_in.iter().for_each(|file| println!("let in: {file}"));
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, [_, n])| *n >= 8).collect();
    groups.sort_by(|(_, a), (_, b)| (b[0] * a[1]).cmp(&(a[0] * b[1])));
    for (group, [refused, n]) in groups {
        row(&format!("genuine not recognised: {group}"), refused, n);
    }
}

/// Every recognisable picture against the mean of every person's first pictures, up to three.
fn one_to_one(persons: &[Person], limit: f32) {
    let known: Vec<(&Person, Encoding)> = persons
        .iter()
        .filter(|person| person.enrolable.len() >= 3)
        .filter_map(|person| Some((person, Encoding::mean(person.enrolable[..3].iter().map(|(_, face)| face))?)))
        .collect();
    let (mut refused, mut genuine, mut matched, mut impostors) = (0, 0, 0, 0);
    let mut groups = BTreeMap::<String, [usize; 2]>::new();
    for (person, mean) in &known {
        for probe in persons {
            let own = probe.name == person.name;
            let taken = if own { 3 } else { 0 };
            let used: Vec<&String> = probe.enrolable[..taken].iter().map(|(file, _)| file).collect();
            for (file, face) in probe.recognisable.iter().filter(|(file, _)| !used.contains(&file)) {
                let same = mean.distance(face) <= limit;
                if own {
                    genuine += 1;
                    refused += usize::from(!same);
                    continue;
                }
                impostors += 1;
                matched += usize::from(same);
                if same {
                    println!("false match one to one at {limit}: {file} for {}", person.name);
                }
                for (key, value) in person.look.iter().filter(|(key, value)| probe.look.get(*key) == Some(*value)) {
                    let group = groups.entry(format!("{key} {value}, both")).or_default();
                    group[0] += usize::from(same);
                    group[1] += 1;
                }
            }
        }
    }
    println!("\n| one to one, mean of three, limit {limit} | n | share | 95 % interval |\n| --- | --- | --- | --- |");
    println!("| genuine refused | {} |", share(refused, genuine));
    println!("| others taken for the person | {} |", share(matched, impostors));
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, [_, n])| *n >= 100).collect();
    groups.sort_by(|(_, a), (_, b)| (b[0] * a[1]).cmp(&(a[0] * b[1])).then(a[1].cmp(&b[1])));
    for (group, [matched, n]) in groups {
        println!("| others taken for the person: {group} | {} |", share(matched, n));
    }
}
