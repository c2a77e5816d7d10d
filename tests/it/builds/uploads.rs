//! `…/commit/{commitId}/artifacts`.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use futures_util::stream;
use md5::{Digest, Md5};
use serde_json::json;

use super::{
    ARTIFACTS, COMMIT, DEPENDENT, DEV, DISPATCHER, OTHER, PACKAGE, artifacts, files, upload,
};
use crate::app::{TestApp, link};

#[tokio::test]
async fn an_upload_says_what_a_deployment_reads_in_it() {
    let app = TestApp::immediate().await;
    let added = upload(&app, "acme.ui.apps-1.4.0.zip", PACKAGE).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
    let added = added.json();
    assert_eq!(added["type"], "CONTENT_PACKAGE");
    assert_eq!(added["size"], PACKAGE.len());
    assert_eq!(added["md5"], format!("{:x}", Md5::digest(PACKAGE)));
    let dependencies =
        ["com.acme:acme.base:[1.0,2.0)", "day/cq60/product:cq-ui-wcm-editor-content"];
    assert_eq!(
        added["package"],
        json!({"group": "com.acme", "name": "acme.ui.apps", "version": "1.4.0", "dependencies": dependencies})
    );
    upload(&app, "dispatcher.zip", DISPATCHER).await;
    upload(&app, "other.zip", OTHER).await;
    let list = app.get(ARTIFACTS).await.json();
    let types: Vec<_> =
        list["artifacts"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
    assert_eq!(types, ["CONTENT_PACKAGE", "DISPATCHER_CONFIGURATION", "OTHER"]);
    assert_eq!(list["artifacts"][0], added);
    let other = ARTIFACTS.replace(COMMIT, "another");
    assert_eq!(app.get(&other).await.json(), json!({"artifacts": []}));
}

#[tokio::test]
async fn a_build_leaves_the_uploads_of_its_commit_alone_byte_for_byte() {
    let app = TestApp::immediate().await;
    // More than one chunk: a stored entry of 200,000 bytes that follow from their position.
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file("data", stored).unwrap();
    let data: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[(at % 3) as usize]).collect();
    std::io::Write::write_all(&mut writer, &data).unwrap();
    let large = writer.finish().unwrap().into_inner();

    upload(&app, "large.zip", &large).await;
    upload(&app, "all.zip", DISPATCHER).await;
    let execution = app.start(DEV).await;
    let artifacts = artifacts(&app, &execution).await;
    assert_eq!(files(&app, &execution).await, ["all.zip", "large.zip"]);
    for (artifact, content) in artifacts.iter().zip([DISPATCHER, &large]) {
        let href = link(artifact, "self").unwrap();
        assert!(app.download(&href).await.bytes == content);
        assert_eq!(artifact["md5"], format!("{:x}", Md5::digest(content)));
        let address = app.address(&href).await;
        let end = content.len() - 1;
        for (range, first, last) in
            [("bytes=0-0", 0, 0), ("bytes=1000-", 1000, end), ("bytes=-5", end - 4, end)]
        {
            let answer = app.fetch(Method::GET, &address, &[("range", range)]).await;
            assert_eq!(answer.status, StatusCode::PARTIAL_CONTENT);
            assert!(answer.bytes == content[first..=last], "{range}");
        }
    }
    let shown = app.execution(&execution).await;
    assert_eq!(shown.status(), "FINISHED");
    let log = app.log(&execution, "dev deploy").await;
    assert!(log.contains("[WARN] large.zip is not deployed"), "{log}");
    assert!(log.contains("[INFO] Dispatcher artifact all.zip"), "{log}");
}

#[tokio::test]
async fn files_of_several_makers_are_built_deployed_and_downloaded() {
    let app = TestApp::immediate().await;
    let package = "com.acme:acme.ui.apps:1.4.0";
    for (content, deployed_as) in [
        (fixture!("infozip.zip"), Some(package)),
        (fixture!("infozip-piped.zip"), Some(package)),
        (fixture!("jar.zip"), Some(package)),
        (fixture!("python-stream.zip"), Some(package)),
        (fixture!("python-zip64.zip"), Some(package)),
        (fixture!("java.zip"), Some("com.acme:acme.ui.content:1.4.0-SNAPSHOT")),
        (fixture!("dispatcher.zip"), Some("Dispatcher artifact of.zip")),
        (fixture!("python-links.zip"), Some("Dispatcher artifact of.zip")),
        (fixture!("infozip-stream.zip"), None),
    ] {
        let answer = upload(&app, "of.zip", content).await;
        assert!(answer.status.is_success(), "{}", answer.text());
        let execution = app.start(DEV).await;
        let [artifact] = &artifacts(&app, &execution).await[..] else { panic!() };
        assert!(app.download(&link(artifact, "self").unwrap()).await.bytes == content);
        let log = app.log(&execution, "dev deploy").await;
        assert!(log.contains(deployed_as.unwrap_or("of.zip is not deployed")), "{log}");
    }
    for (content, reason) in [
        (fixture!("python-duplicate.zip"), "two entries have the same name"),
        (fixture!("python-backslash.zip"), "its path contains a backslash"),
        (fixture!("python-link-outside.zip"), "leads out"),
    ] {
        let answer = upload(&app, "refused.zip", content).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.text().contains(reason), "{}", answer.text());
    }
}

#[tokio::test]
async fn executions_keep_what_they_have_built() {
    let app = TestApp::immediate().await;
    let usual = app.start(DEV).await;
    upload(&app, "a.zip", DISPATCHER).await;
    let first = app.start(DEV).await;
    let answer = upload(&app, "a.zip", OTHER).await;
    assert_eq!(answer.status, StatusCode::OK, "it took the place of the other");
    let second = app.start(DEV).await;
    let path = format!("{ARTIFACTS}/a.zip");
    assert_eq!(app.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.delete(&path).await.status, StatusCode::NOT_FOUND);
    let third = app.start(DEV).await;
    let app = app.restarted().await;
    for (execution, content) in [(&first, DISPATCHER), (&second, OTHER)] {
        let [artifact] = &artifacts(&app, execution).await[..] else { panic!() };
        assert!(app.download(&link(artifact, "self").unwrap()).await.bytes == content);
    }
    assert_eq!(files(&app, &usual).await, files(&app, &third).await);
    let log = app.log(&third, "build").await;
    assert!(log.contains("reused from execution"), "the build without uploads: {log}");
    for execution in [&first, &second] {
        let log = app.log(execution, "build").await;
        assert!(log.contains("BUILD SUCCESS"), "nothing was built like it before: {log}");
    }
}

#[tokio::test]
async fn unusable_uploads_are_refused_and_change_nothing() {
    let app = TestApp::immediate().await;
    for (file, content, reason) in [
        ("a.zip", b"no zip".as_slice(), "it is no zip file"),
        ("a.zip", b"", "it is no zip file"),
        ("a.jar", PACKAGE, "must end with .zip"),
        ("a%2Fb.zip", PACKAGE, "no slashes"),
        ("%22.zip", PACKAGE, "quotes"),
        ("a%0A.zip", PACKAGE, "control characters"),
        ("...zip", PACKAGE, "must end with .zip"),
    ] {
        let answer = upload(&app, file, content).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{file}");
        assert!(answer.text().contains(reason), "{}", answer.text());
    }
    let nowhere = ARTIFACTS.replace("repository/1", "repository/9");
    for path in [format!("{nowhere}/a.zip"), ARTIFACTS.replace("program/4", "program/9") + "/a.zip"]
    {
        let answer = app.request(Method::PUT, &path, PACKAGE.to_vec()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let long = ARTIFACTS.replace(COMMIT, &"c".repeat(256)) + "/a.zip";
    let answer = app.request(Method::PUT, &long, PACKAGE.to_vec()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.get(ARTIFACTS).await.json(), json!({"artifacts": []}));
    assert_eq!(app.query("SELECT count(*) FROM contents").await, 0);
}

#[tokio::test]
async fn a_download_has_the_name_of_the_upload() {
    let app = TestApp::immediate().await;
    for (file, name) in [
        ("a%20b.zip", "filename=\"a b.zip\""),
        ("%C3%BC;.zip", "filename=\"_;.zip\"; filename*=UTF-8''%C3%BC%3B%2Ezip"),
    ] {
        upload(&app, file, DISPATCHER).await;
        let execution = app.start(DEV).await;
        let artifact = link(&artifacts(&app, &execution).await[0], "self").unwrap();
        let download = app.download(&artifact).await;
        assert_eq!(download.header("content-disposition"), format!("attachment; {name}"));
        app.delete(&format!("{ARTIFACTS}/{file}")).await;
    }
}

#[tokio::test]
async fn an_upload_has_at_most_512_mib() {
    let app = TestApp::immediate().await;
    let mebibyte = Bytes::from(vec![0; 1 << 20]);
    let pieces = std::iter::repeat_n(mebibyte, 512).chain([Bytes::from_static(b"x")]);
    let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)));
    let answer = app.request(Method::PUT, &format!("{ARTIFACTS}/large.zip"), body).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.errors(), "The request body is larger than 536870912 bytes.");
    assert_eq!(app.get(ARTIFACTS).await.json(), json!({"artifacts": []}));
}

#[tokio::test]
async fn contents_are_stored_once_and_purged_when_nothing_refers_to_them() {
    let app = TestApp::immediate().await;
    let purger = app.run_purger();
    upload(&app, "a.zip", DISPATCHER).await;
    upload(&app, "b.zip", DISPATCHER).await;
    upload(&app, "c.zip", DEPENDENT).await;
    assert_eq!(app.query("SELECT count(*) FROM contents").await, 2);
    app.delete(&format!("{ARTIFACTS}/a.zip")).await;
    app.delete(&format!("{ARTIFACTS}/c.zip")).await;
    purged(&app, 1).await;
    let execution = app.start(DEV).await;
    app.delete(&format!("{ARTIFACTS}/b.zip")).await;
    let file = link(&artifacts(&app, &execution).await[0], "self").unwrap();
    assert!(app.download(&file).await.bytes == DISPATCHER, "the execution keeps it");
    app.delete(DEV).await;
    purged(&app, 0).await;
    assert_eq!(app.query("SELECT count(*) FROM chunks").await, 0);
    purger.abort();
}

/// Waits until so many contents are stored.
async fn purged(app: &TestApp, count: i64) {
    while app.query("SELECT count(*) FROM contents").await != count {
        tokio::task::yield_now().await;
    }
}
