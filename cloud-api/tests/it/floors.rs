//! Checks the order of the modules: each may use those below it only. The list must name every module.

use std::{collections::BTreeSet, fs, path::Path};

/// The floors from the bottom to the top. Modules on one floor must not use each other.
const FLOORS: &[&[&str]] = &[
    &["failure", "address", "given_file"],
    &["domain"],
    &["attendance"],
    &["clock"],
    &["config"],
    &["db"],
    &["error", "metrics", "ledger"],
    &["http", "backup"],
    &["auth"],
    &["limits", "archive", "tls"],
    &["logging", "open", "faces"],
    &["desk"],
    &["state"],
    &["principal", "jobs", "openapi"],
    &["routes"],
    &["demo"],
    &["startup"],
    &["cmd"],
    &["cli"],
];

/// The modules that the code uses by `crate::`, without its tests.
fn used(code: &str) -> BTreeSet<String> {
    let code = code.split("#[cfg(test)]").next().unwrap();
    // Links in comments do not count.
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    code.split("crate::").skip(1).flat_map(first_names).collect()
}

/// The first name of each path after `crate::`; a group has several paths.
fn first_names(rest: &str) -> Vec<String> {
    let name = |path: &str| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut depth, mut paths) = (0, vec![String::new()]);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => paths.push(String::new()),
            c if depth == 0 => paths.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    paths.iter().map(|path| name(path)).filter(|name| !name.is_empty()).collect()
}

fn files(folder: &Path, each: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, each);
        } else if path.extension().is_some_and(|kind| kind == "rs") && path.file_name().unwrap() != "tests.rs" {
            each(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn no_module_uses_one_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    let mut wrong = Vec::new();
    files(&src, &mut |path, code| {
        let relative = path.strip_prefix(&src).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let module = first.trim_end_matches(".rs");
        if matches!(module, "lib" | "main") {
            return;
        }
        let Some(own) = floor(module) else { return wrong.push(format!("{module} has no floor")) };
        for other in used(code).iter().filter(|other| *other != module) {
            if floor(other).is_none_or(|floor| floor >= own) {
                wrong.push(format!("{} uses {other}", relative.display()));
            }
        }
    });
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn domain_and_attendance_know_no_framework() {
    for pure in ["src/domain", "src/attendance"] {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(pure), &mut |path, code| {
            for framework in ["actix", "diesel", "std::fs", "std::process", "tokio", "utoipa"] {
                assert!(!code.contains(framework), "{} uses {framework}", path.display());
            }
        });
    }
}

#[test]
fn groups_and_single_paths_are_read() {
    let code = "use crate::{db::{self, x}, error::E};\nuse crate::http;\n// crate::routes\nfn f() { crate::jobs::g() }";
    assert_eq!(used(code), ["db", "error", "http", "jobs"].map(str::to_owned).into());
}

/// Handlers with a `Principal` must write by `Principal::write`, which checks session, role and consent again.
#[test]
fn no_handler_writes_on_the_strength_of_what_it_read_before() {
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
    let mut wrong = Vec::new();
    files(&routes, &mut |path, code| {
        let code = code.split("#[cfg(test)]").next().unwrap();
        for function in code.split("\nfn ").flat_map(|part| part.split("async fn ")) {
            let compact: String = function.split_whitespace().collect();
            let name = function.split('(').next().unwrap().trim().to_owned();
            if compact.contains("Principal") && !function.starts_with("//!") && compact.contains(".db.write(") {
                wrong.push(format!("{} {name}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    });
    // Logout also ends the session of a cookie, for which there may be no principal.
    assert_eq!(wrong, ["accounts.rs logout"]);
}
