//! Zip files of several makers, and hostile ones.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;
use crate::domain::build::PackageProperties;

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/it/fixtures/artifacts/", $name)).as_slice()
    };
}

fn read(bytes: &[u8]) -> Result<ContentKind, String> {
    Reading::of(Cursor::new(bytes)).map(|reading| reading.content.kind).map_err(|it| it.to_string())
}

fn package(bytes: &[u8]) -> PackageProperties {
    match read(bytes) {
        Ok(ContentKind::Package(properties)) => properties,
        other => panic!("{other:?}"),
    }
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated)
}

/// Returns a zip file with these files.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, text) in files {
        writer.start_file(*path, options()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn zip_with_properties(entries: &str) -> Vec<u8> {
    zip(&[(PROPERTIES, &format!("<properties>{entries}</properties>"))])
}

/// Returns a zip file in which one name is replaced by another of the same length.
fn renamed(files: &[(&str, &str)], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = zip(files);
    let positions: Vec<_> = (0..bytes.len() - from.len())
        .filter(|start| bytes[*start..].starts_with(from.as_bytes()))
        .collect();
    assert_eq!(positions.len(), 2, "in the entry and in the directory");
    for start in positions {
        bytes[start..start + to.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

fn assert_refused(bytes: &[u8], reason: &str) {
    let refusal = read(bytes).unwrap_err();
    assert!(refusal.contains(reason), "{refusal} instead of {reason}");
}

#[test]
fn packages_of_several_makers_are_read() {
    for bytes in [
        fixture!("infozip.zip"),
        fixture!("jar.zip"),
        fixture!("python-stream.zip"),
        fixture!("python-zip64.zip"),
    ] {
        let PackageProperties { group, name, version, dependencies } = package(bytes);
        assert_eq!(
            (group.as_str(), name.as_str(), version.as_str()),
            ("com.acme", "acme.ui.apps", "1.4.0")
        );
        let base = "com.acme:acme.base:[1.0,2.0)";
        assert_eq!(dependencies, [base, "day/cq60/product:cq-ui-wcm-editor-content"]);
    }
    let java = package(fixture!("java.zip"));
    assert_eq!((java.name.as_str(), java.version.as_str()), ("acme.ui.content", "1.4.0-SNAPSHOT"));
    assert_eq!(java.dependencies, ["com.acme:acme.ui.apps:[1.4,2)"]);
}

#[test]
fn what_is_known_of_a_file_follows_from_its_bytes() {
    let bytes = fixture!("infozip.zip");
    let Reading { digest, content } = Reading::of(Cursor::new(bytes)).unwrap();
    assert_eq!(content.size, bytes.len() as u64);
    assert_eq!(digest.0, <[u8; 32]>::from(Sha256::digest(bytes)));
    assert_eq!(content.md5, format!("{:x}", Md5::digest(bytes)));
}

#[test]
fn a_dispatcher_artifact_is_known_by_its_folders_and_its_links_count() {
    let Ok(ContentKind::Dispatcher(files)) = read(fixture!("dispatcher.zip")) else { panic!() };
    assert!(files.is_sorted());
    for path in ["conf.d/enabled_vhosts/acme.vhost", "conf.dispatcher.d/enabled_farms/acme.any"] {
        assert!(files.iter().any(|file| file == path), "{path}");
    }
    assert!(!files.iter().any(|file| file.ends_with('/')));
    for folder in ["conf", "conf.d", "conf.modules.d", "conf.dispatcher.d"] {
        let file = format!("./{folder}/a");
        assert_eq!(
            read(&zip(&[(&file, "")])),
            Ok(ContentKind::Dispatcher(Arc::new(vec![format!("{folder}/a")])))
        );
    }
}

#[test]
fn anything_else_is_not_deployed() {
    let empty = ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
    for bytes in [
        empty.as_slice(),
        fixture!("infozip-stream.zip"),
        &zip(&[("config/conf.d/a", ""), ("META-INF/MANIFEST.MF", "")]),
        &zip(&[("conf", "a file"), ("meta-inf/vault/properties.xml", "")]),
    ] {
        assert_eq!(read(bytes), Ok(ContentKind::Other));
    }
}

#[test]
fn what_is_no_zip_file_is_refused() {
    let zeros = vec![0; 100_000];
    for bytes in [b"".as_slice(), b"PK", b"not a zip", &zeros, b"PK\x05\x06"] {
        assert_refused(bytes, "zip file");
    }
    let whole = fixture!("infozip.zip");
    assert_refused(&whole[..whole.len() - 30], "zip file");
    assert_refused(&whole[whole.len() / 2..], "");
}

#[test]
fn no_path_leads_out_of_a_zip_file() {
    for (path, reason) in [
        ("../../b", "leads out"),
        ("aa/../b", "leads out"),
        ("aaaa/..", "leads out"),
        ("/aaaa/b", "absolute"),
        ("C:/aa/b", "absolute"),
        ("c:aaaab", "absolute"),
        ("aa\\aa/b", "backslash"),
        ("..\\..\\b", "backslash"),
        ("aa\0aa/b", "control character"),
        ("aa\naa/b", "control character"),
    ] {
        let from = &"NAMEPATH"[..path.len()];
        assert_refused(&renamed(&[(from, "x")], from, path), reason);
    }
    let long = "a".repeat(5000);
    assert_refused(&zip(&[(&long, "")]), "too long");
}

#[test]
fn no_entry_is_there_twice() {
    assert_refused(&renamed(&[("conf/a", ""), ("conf/b", "")], "conf/b", "conf/a"), "same name");
    assert_refused(&renamed(&[("conf/a", ""), ("conf/XXX", "")], "conf/XXX", "conf/./a"), "twice");
}

#[test]
fn links_stay_inside() {
    let link = |path: &str, target: &str| {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.add_symlink(path, target, options()).unwrap();
        writer.finish().unwrap().into_inner()
    };
    for target in ["../available_vhosts/a.vhost", "a.vhost", "./../../conf/a", "x/../../../conf"] {
        let kind = read(&link("conf.d/enabled_vhosts/a.vhost", target));
        assert!(matches!(kind, Ok(ContentKind::Dispatcher(_))), "{target}: {kind:?}");
    }
    for (target, reason) in [
        ("../../../etc/passwd", "leads out"),
        ("x/../../../../b", "leads out"),
        ("/etc/passwd", "relative"),
        ("C:/x", "relative"),
        ("..\\x", "relative"),
        ("", "relative"),
        (&"x/".repeat(3000), "more than 4096 bytes"),
    ] {
        assert_refused(&link("conf.d/enabled_vhosts/a.vhost", target), reason);
    }
    // A link is no properties file, whatever it leads to.
    assert_eq!(read(&link(PROPERTIES, "other.xml")), Ok(ContentKind::Other));
}

#[test]
fn entries_and_sizes_are_bounded() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for number in 0..=MOST_ENTRIES {
        writer.start_file(format!("conf/{number}"), stored).unwrap();
    }
    assert_refused(&writer.finish().unwrap().into_inner(), "more than 100000 entries");

    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let name = "x".repeat(65_000);
    for number in 0..600 {
        writer.start_file(format!("{number}{name}"), stored).unwrap();
    }
    assert_refused(&writer.finish().unwrap().into_inner(), "directory is too large");

    // Sizes as the directory tells them: 2 GiB, in a file of a few bytes.
    let mut bytes = zip(&[("conf/zeros", "x")]);
    let header = bytes.windows(4).position(|bytes| bytes == b"PK\x01\x02").unwrap();
    bytes[header + 24..header + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert_refused(&bytes, "200 times larger");
}

#[test]
fn properties_are_bounded() {
    let deep = "<a>".repeat(100) + &"</a>".repeat(100);
    assert_refused(&zip_with_properties(&deep), "nested too deeply");
    let large = format!("<entry key=\"name\">{}</entry>", " ".repeat(2 * 1024 * 1024));
    assert_refused(&zip_with_properties(&large), "more than 1048576 bytes");
    let long = format!("<entry key=\"name\">{}</entry>", "x".repeat(300));
    assert_refused(&zip_with_properties(&long), "name is too long");
    let many = format!("<entry key=\"dependencies\">{}</entry>", "a:b,".repeat(1001));
    assert_refused(&zip_with_properties(&many), "more than 1000 dependencies");
}

#[test]
fn no_entity_is_resolved() {
    let bomb = "<!DOCTYPE properties [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">\
                <!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    for entity in ["b", "x", "nothing"] {
        let text = format!("{bomb}<properties><entry key=\"name\">&{entity};</entry></properties>");
        assert_refused(&zip(&[(PROPERTIES, &text)]), "is not known");
    }
    let text = format!(
        "{bomb}<properties><entry key=\"name\">&lt;n&#x41;<![CDATA[&b;]]></entry></properties>"
    );
    assert_eq!(package(&zip(&[(PROPERTIES, &text)])).name, "<nA&b;");
}

#[test]
fn properties_that_can_not_be_read_are_refused() {
    for (text, reason) in [
        ("<properties><entry key=\"name\">x", "ends inside"),
        ("<properties></other>", "can't be read"),
        (
            "<properties><entry key=\"dependencies\">a:b:[1</entry></properties>",
            "the dependency a:b:[1",
        ),
        ("<properties><entry key=\"dependencies\">a:b:c:d</entry></properties>", "the dependency"),
    ] {
        assert_refused(&zip(&[(PROPERTIES, text)]), reason);
    }
    let wide: Vec<u8> = "<properties/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(PROPERTIES, options()).unwrap();
    writer.write_all(&wide).unwrap();
    assert!(read(&writer.finish().unwrap().into_inner()).is_err());
    let nameless = package(&zip(&[(PROPERTIES, "<properties/>")]));
    assert_eq!(nameless, PackageProperties::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn damaged_files_are_read_or_refused(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        for whole in [fixture!("infozip.zip"), fixture!("python-zip64.zip")] {
            let mut bytes = whole.to_vec();
            for (position, byte) in &changes {
                let position = position.index(bytes.len());
                bytes[position] = *byte;
            }
            if let Err(refusal) = read(&bytes) {
                prop_assert!(!refusal.is_empty());
            }
        }
    }
}
