//! Embeds the web pages: reads `www`, compresses what gets smaller, ties the pages to the folder's hash, and writes one
//! Rust table of it all. It never fetches or builds anything: `cargo xtask wasm` comes before.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha384};

/// Folders of `www` that are served; everything else in it that is a folder is for development.
const FOLDERS: [&str; 6] = ["css", "fonts", "icons", "js", "vendor", "wasm"];

/// Every page that has scripts has this line; it is filled with the integrity of all modules.
const IMPORT_MAP: &str = r#"<script type="importmap"></script>"#;

/// The modules that pages name themselves; each is given its integrity where it is named, too.
const NAMED: &str = r#"<script type="module""#;

/// Every page that has scripts has this line too; it is filled with a link to each module of that page.
const MODULES: &str = r#"<template id="modules"></template>"#;

const MODULE_TYPE: &str = "text/javascript; charset=utf-8";

/// What pages call the folder; the hash goes behind it.
const PREFIX: &str = "/assets/";

fn main() -> io::Result<()> {
    let www = PathBuf::from("../www");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../www");
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells build scripts through it"
    )]
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    let files = collect(&www)?;
    let hash = folder_hash(&files);
    let import_map = import_map(&files, &hash);
    let import_map_hash = STANDARD.encode(Sha256::digest(&import_map));
    let mut table = String::from("&[\n");
    for (index, (name, bytes)) in files.iter().enumerate() {
        let bytes = match name.rsplit_once('.') {
            Some((_, "html")) => tie_page(name, bytes, &hash, &import_map, &files),
            Some((_, "webmanifest")) => name_folder(bytes, &hash).into_bytes(),
            Some((_, "css")) => join_styles(name, bytes, &files),
            _ => bytes.clone(),
        };
        table.push_str(&entry(&out, index, name, &bytes)?);
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)?;
    fs::write(out.join("hash.txt"), hash)?;
    fs::write(out.join("import_map_hash.txt"), import_map_hash)
}

/// Everything that is served, by its path below `www`; nothing when there is no such folder.
fn collect(www: &Path) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    if !www.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(www)? {
        let name = file_name(&entry?.path());
        if is_served_at_root(&name) {
            files.insert(name.clone(), fs::read(www.join(&name))?);
        }
    }
    for folder in FOLDERS {
        collect_folder(www, Path::new(folder), &mut files)?;
    }
    Ok(files)
}

fn collect_folder(
    www: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> io::Result<()> {
    if !www.join(folder).is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(www.join(folder))? {
        let entry = entry?;
        let path = folder.join(file_name(&entry.path()));
        if entry.file_type()?.is_dir() {
            collect_folder(www, &path, files)?;
        } else if content_type(&file_name(&path)).is_some() {
            let name: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
            files.insert(name.join("/"), fs::read(www.join(&path))?);
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn is_served_at_root(name: &str) -> bool {
    let extension = Path::new(name)
        .extension()
        .and_then(|extension| extension.to_str());
    name == "sw.js"
        || matches!(
            extension,
            Some("html" | "svg" | "png" | "ico" | "webmanifest")
        )
}

/// The type of a file that is served, by its name; none for what is not (type declarations, licences, sources).
fn content_type(name: &str) -> Option<&'static str> {
    if name.ends_with(".d.ts") {
        return None;
    }
    Some(match Path::new(name).extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => MODULE_TYPE,
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "wasm" => "application/wasm",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

/// SHA-256 over names and contents, each behind its length: 16 hexadecimal digits of it name the folder.
fn folder_hash(files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = Sha256::new();
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            hasher.update(
                u64::try_from(part.len())
                    .expect("a file in memory")
                    .to_be_bytes(),
            );
            hasher.update(part);
        }
    }
    hasher
        .finalize()
        .iter()
        .take(8)
        .fold(String::new(), |mut hash, byte| {
            write!(hash, "{byte:02x}").expect("a String takes everything");
            hash
        })
}

/// The one import map of all pages: it renames nothing, and says what each module's bytes must hash to.
fn import_map(files: &BTreeMap<String, Vec<u8>>, hash: &str) -> String {
    let is_module = |name: &str| content_type(name) == Some(MODULE_TYPE) && name != "sw.js";
    let entries: Vec<_> = files
        .iter()
        .filter(|(name, _)| is_module(name))
        .map(|(name, bytes)| format!(r#""{PREFIX}{hash}/{name}":"{}""#, integrity(bytes)))
        .collect();
    format!(r#"{{"integrity":{{{}}}}}"#, entries.join(","))
}

/// What a file's bytes must hash to, as browsers want it told (Subresource Integrity, section 3.1).
fn integrity(bytes: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(bytes)))
}

/// A page whose scripts say where they are named what they must hash to: for those that read pages and no import maps.
fn name_integrity(page: &str, hash: &str, files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut parts = page.split(NAMED);
    let mut named = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let path = part
            .split_once(r#" src=""#)
            .and_then(|(_, rest)| rest.split_once('"'))
            .and_then(|(path, _)| path.strip_prefix(&format!("{PREFIX}{hash}/")));
        let file = path.and_then(|path| files.get(path));
        let bytes = file.expect("a page names modules of the folder alone");
        let attribute = format!(r#" integrity="{}""#, integrity(bytes));
        for piece in [NAMED, &attribute, part] {
            named.push_str(piece);
        }
    }
    named
}

/// The text of a file with the folder's hash in its paths.
fn name_folder(bytes: &[u8], hash: &str) -> String {
    let text = str::from_utf8(bytes).expect("pages and manifests are UTF-8");
    text.replace(PREFIX, &format!("{PREFIX}{hash}/"))
}

/// A page with the folder's hash in its paths, and the import map and the links to its modules in their places.
fn tie_page(
    name: &str,
    bytes: &[u8],
    hash: &str,
    import_map: &str,
    files: &BTreeMap<String, Vec<u8>>,
) -> Vec<u8> {
    let page = name_integrity(&name_folder(bytes, hash), hash, files);
    let has_scripts = page.contains("<script");
    for line in [IMPORT_MAP, MODULES] {
        assert!(
            page.matches(line).count() == usize::from(has_scripts),
            "www/{name} needs the line {line} exactly once"
        );
    }
    // What is filled in has the hash in its paths already.
    let links: Vec<_> = modules_of(&page, files)
        .iter()
        .map(|module| format!(r#"<link rel="modulepreload" href="{PREFIX}{hash}/{module}">"#))
        .collect();
    let links = links.concat();
    page.replace(
        IMPORT_MAP,
        &format!(r#"<script type="importmap">{import_map}</script>"#),
    )
    .replace(
        MODULES,
        &format!(r#"<template id="modules">{links}</template>"#),
    )
    .into_bytes()
}

/// The module that a page names, and all that it imports, each behind those that it imports itself: browsers that are not told find
/// one behind the other, each level a way to the server and back later.
fn modules_of(page: &str, files: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let named = page
        .split_once(r#" data-page=""#)
        .and_then(|(_, rest)| rest.split_once('"'));
    let mut modules = Vec::new();
    if let Some((name, _)) = named {
        add_module(format!("js/{name}.js"), files, &mut modules);
    }
    modules
}

fn add_module(module: String, files: &BTreeMap<String, Vec<u8>>, modules: &mut Vec<String>) {
    let source = files.get(&module);
    assert!(source.is_some(), "there is no www/{module}");
    let text = source.and_then(|bytes| str::from_utf8(bytes).ok());
    for path in text
        .expect("modules are UTF-8")
        .lines()
        .filter_map(imported)
    {
        let path = beside(&module, path);
        if !modules.contains(&path) {
            add_module(path, files, modules);
        }
    }
    modules.push(module);
}

/// The path in the last line of an import, such as `} from "./text.js";`.
fn imported(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix("import ")
        .or_else(|| line.strip_prefix("} from "))?;
    let path = rest.strip_suffix("\";")?.rsplit_once('"')?.1;
    path.starts_with('.').then_some(path)
}

/// What a path means in a file, from the root of the folder.
fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<_> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// A style sheet with those that it imports into layers put in the imports' place: nothing is painted before all of them
/// are there, and one request for them takes a fraction of the time of sixteen.
fn join_styles(name: &str, bytes: &[u8], files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let text = str::from_utf8(bytes).expect("style sheets are UTF-8");
    let mut joined = String::new();
    for line in text.lines() {
        let import = import_of(line)
            .and_then(|(path, layer)| Some((path, layer, files.get(&format!("{folder}/{path}"))?)));
        let Some((path, layer, source)) = import else {
            joined.push_str(line);
            joined.push('\n');
            continue;
        };
        let source = str::from_utf8(source).expect("style sheets are UTF-8");
        assert!(
            !source.contains("@import") && (!path.contains('/') || !source.contains("url(")),
            "{path}: an import, or an address in a folder further down, would mean something else in www/{name}"
        );
        write!(joined, "@layer {layer} {{\n{source}}}\n").expect("a String takes everything");
    }
    // Behind a layer's block, browsers pass over imports without a word.
    assert!(
        !joined.contains("@import"),
        "www/{name} imports what is not there, or in a way that the build does not understand"
    );
    joined.into_bytes()
}

/// Path and layer of a line such as `@import url("./base.css") layer(base);`.
fn import_of(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix(r#"@import url("./"#)?;
    rest.strip_suffix(");")?.split_once(r#"") layer("#)
}

/// One line of the table; the bytes, and the compressed ones where they are fewer, are written as files beside it.
fn entry(out: &Path, index: usize, name: &str, bytes: &[u8]) -> io::Result<String> {
    let content_type = content_type(name).unwrap_or("application/octet-stream");
    let include = |suffix: &str, bytes: &[u8]| {
        let file = format!("asset-{index}{suffix}");
        fs::write(out.join(&file), bytes)?;
        Ok::<_, io::Error>(format!(
            r#"include_bytes!(concat!(env!("OUT_DIR"), "/{file}"))"#
        ))
    };
    let plain = include("", bytes)?;
    let compressed = |suffix: &str, smaller: Option<Vec<u8>>| match smaller {
        Some(smaller) => include(suffix, &smaller).map(|include| format!("Some({include})")),
        None => Ok("None".to_owned()),
    };
    let (br, gzip) = (
        compressed(".br", brotli(name, bytes)?)?,
        compressed(".gz", gzip(name, bytes)?)?,
    );
    Ok(format!(
        "Asset {{ name: {name:?}, content_type: {content_type:?}, plain: {plain}, br: {br}, gzip: {gzip} }},\n"
    ))
}

/// Whether compressing is worth a try: fonts and pictures are compressed already.
fn is_compressible(name: &str) -> bool {
    ![".woff2", ".png", ".ico"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

fn brotli(name: &str, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    if !is_compressible(name) {
        return Ok(None);
    }
    let mut smaller = Vec::new();
    brotli::BrotliCompress(
        &mut &bytes[..],
        &mut smaller,
        &brotli::enc::BrotliEncoderParams::default(),
    )?;
    Ok(Some(smaller).filter(|smaller| smaller.len() < bytes.len()))
}

fn gzip(name: &str, bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    if !is_compressible(name) {
        return Ok(None);
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(Some(encoder.finish()?).filter(|smaller| smaller.len() < bytes.len()))
}
