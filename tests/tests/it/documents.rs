//! Tests that the targets of the documents' links exist.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use waw_tests::{Ended, Profile};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files under `folder` that end in `suffix`, without build results and hidden folders.
fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_str()) {
                found.extend(files(&path, suffix));
            }
        } else if name.ends_with(suffix) {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_test_that_a_document_names_exists() {
    let document = fs::read_to_string(root().join("docs/test-cases.md")).unwrap();
    let named: BTreeSet<_> = document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.matches('_').count() >= 2
                && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        })
        .collect();
    assert!(named.len() > 50, "the names are found: {named:?}");
    let sources: String = files(&root(), ".rs").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let absent: Vec<_> = named.iter().filter(|name| !sources.contains(&format!("fn {name}("))).collect();
    assert_eq!(absent, Vec::<&&str>::new());
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut broken = Vec::new();
    for document in files(&root(), ".md") {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            let elsewhere = link.starts_with("http") || path.is_empty();
            if !elsewhere && !document.parent().unwrap().join(path).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_setting_of_the_server_is_in_the_document() {
    let profile = Profile::new();
    let help = Ended::of(profile.command("cloud-api").args(["serve", "--help"]), "").success();
    let page = fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let settings: Vec<&str> = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next()).collect();
    assert!(settings.len() > 10, "{help}");
    for setting in settings {
        assert!(page.contains(&format!("`{setting}`")), "{setting} is not in docs/configuration.md");
    }
}
