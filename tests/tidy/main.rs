//! Holds the tree to its rules (docs/architecture.md): dependency edges, heads, budgets, words; it reads and never fixes.

mod links;
mod packages;
mod prose;
mod rust;
mod source;
mod tree;
mod web;

/// Fails with every fault, one on each line, so that they can be mended in one go.
#[track_caller]
fn none(faults: Vec<String>) {
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn packages_depend_only_on_what_the_table_allows() {
    let packages = packages::packages(&tree::root());
    assert!(packages.iter().any(|package| package.name == "server"));
    none(packages::edges(&packages));
}

#[test]
fn lints_reach_every_package() {
    let files = tree::files();
    let manifests = files
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml"));
    none(
        manifests
            .flat_map(|file| packages::lints(&file.path, &file.text))
            .collect(),
    );
}

#[test]
fn every_module_is_understood() {
    let mut faults = Vec::new();
    for file in tree::files() {
        let language = match file.path.rsplit('.').next() {
            Some("rs") => source::Language::Rust,
            Some("js" | "mjs") => source::Language::JavaScript,
            _ => continue,
        };
        if !source::is_balanced(&source::code_of(&file.text, language)) {
            faults.push(format!(
                "{}: the reader of this test has lost its way",
                file.path
            ));
        }
    }
    none(faults);
}

#[test]
fn rust_files_keep_their_rules() {
    let files = tree::files();
    none(
        files
            .iter()
            .flat_map(|file| rust::faults(&file.path, &file.text))
            .collect(),
    );
}

#[test]
fn pages_keep_their_rules() {
    let files = tree::files();
    none(
        files
            .iter()
            .flat_map(|file| web::faults(&file.path, &file.text))
            .collect(),
    );
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let files = tree::files();
    let targets = links::targets(files.iter().map(|file| file.path.as_str()));
    none(
        files
            .iter()
            .flat_map(|file| links::dead(&file.path, &file.text, &targets))
            .collect(),
    );
}

#[test]
fn every_file_is_finished_small_and_free_of_one_machine() {
    let files = tree::files();
    none(
        files
            .iter()
            .flat_map(|file| prose::faults(&file.path, &file.text, file.len))
            .collect(),
    );
}
