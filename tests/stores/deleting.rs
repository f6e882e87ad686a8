//! Deletions of many at once: each has an answer of its own, however the server gives its own.

use std::fs;

use onetimeshare_server::blob::{BlobStore as _, ObjectName};
use onetimeshare_server::record::StoreError;
use onetimeshare_tests::{Meddling, Request, S3, S3Faults};

use crate::buckets::{Opened, body, open, part, pattern, read};

/// Three parts, written.
async fn three(opened: &Opened) -> Vec<ObjectName> {
    let objects: Vec<_> = (0..3).map(|index| part(1, index)).collect();
    for object in &objects {
        opened
            .store
            .write(object, body(&pattern(100)))
            .await
            .unwrap();
    }
    objects
}

/// Which of the objects are there.
async fn there(opened: &Opened, objects: &[ObjectName]) -> Vec<bool> {
    let mut found = Vec::new();
    for object in objects {
        let bytes = read(&opened.store, object, 0..100).await;
        found.push(bytes.unwrap().is_some());
    }
    found
}

#[tokio::test]
async fn many_go_with_one_request() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let objects = three(&opened).await;
    let before = proxy.count(Request::is_deletion);
    let results = opened.store.delete_all(&objects).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(there(&opened, &objects).await, [false; 3]);
    assert_eq!(proxy.count(Request::is_deletion), before + 1);
}

#[tokio::test]
async fn an_answer_about_one_of_them_is_about_that_alone() {
    let server = S3::moto();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let objects = three(&opened).await;
    proxy.meddle(|request| {
        let keys = request.keys();
        let answers: String = keys
            .iter()
            .enumerate()
            .map(|(index, key)| match index {
                1 => format!(
                    "<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>as planned</Message></Error>"
                ),
                _ => format!("<Deleted><Key>{key}</Key></Deleted>"),
            })
            .collect();
        let body = format!("<DeleteResult>{answers}</DeleteResult>");
        request.is_of_many().then_some(Meddling::Answer(200, body))
    });
    let results = opened.store.delete_all(&objects).await;
    let are_ok: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(are_ok, [true, false, true], "{results:?}");
    let told = results[1].as_ref().unwrap_err().to_string();
    assert!(told.contains("AccessDenied"), "{told}");
    assert!(!told.contains(&objects[1].id.to_text()), "{told}");
}

#[tokio::test]
async fn one_that_cannot_be_deleted_keeps_no_other_from_it() {
    let server = S3::s3s_fs();
    let opened = open(server.address(), "a").await;
    let objects = three(&opened).await;
    // This server gives up at the first object that is none.
    let path = server.folder().join(S3::BUCKET).join("a/parts");
    let poisoned = path.join(objects[0].to_string());
    fs::remove_file(&poisoned).unwrap();
    fs::create_dir(&poisoned).unwrap();
    fs::write(poisoned.join("a"), "").unwrap();
    for _ in 0..2 {
        let results = opened.store.delete_all(&objects).await;
        let are_ok: Vec<_> = results.iter().map(Result::is_ok).collect();
        assert_eq!(are_ok, [false, true, true], "{results:?}");
    }
    assert!(!path.join(objects[1].to_string()).exists());
    assert!(!path.join(objects[2].to_string()).exists());
}

#[tokio::test]
async fn a_server_that_deletes_singly_is_asked_singly() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    for (prefix, status) in [("a", 501), ("b", 405), ("c", 404)] {
        proxy.meddle(move |request| {
            let refused = Meddling::refuse(status, "NotImplemented");
            request.is_of_many().then_some(refused)
        });
        let opened = open(proxy.address(), prefix).await;
        let objects = three(&opened).await;
        let results = opened.store.delete_all(&objects).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(there(&opened, &objects).await, [false; 3]);
        opened.store.delete(&objects[0]).await.unwrap();
    }
}

#[tokio::test]
async fn a_404_that_names_no_object_deletes_nothing() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let objects = three(&opened).await;
    for code in ["NoSuchBucket", "NotFound"] {
        proxy.meddle(move |request| {
            let refused = Meddling::refuse(404, code);
            request.is_deletion().then_some(refused)
        });
        let alone = opened.store.delete(&objects[0]).await;
        assert!(
            matches!(alone, Err(StoreError::Unreachable(_))),
            "{alone:?}"
        );
        for result in opened.store.delete_all(&objects).await {
            assert!(
                matches!(result, Err(StoreError::Unreachable(_))),
                "{result:?}"
            );
        }
    }
    assert_eq!(there(&opened, &objects).await, [true; 3]);
}

#[tokio::test]
async fn an_answer_about_another_object_is_no_answer() {
    let server = S3::s3s_fs();
    let proxy = S3Faults::before(server.address());
    let opened = open(proxy.address(), "").await;
    let objects = three(&opened).await;
    proxy.meddle(|request| {
        let body = "<DeleteResult><Error><Key>other</Key><Code>AccessDenied</Code><Message>as planned</Message></Error></DeleteResult>";
        let answer = Meddling::Answer(200, body.to_owned());
        request.is_of_many().then_some(answer)
    });
    for result in opened.store.delete_all(&objects).await {
        assert!(
            matches!(result, Err(StoreError::Unreachable(_))),
            "{result:?}"
        );
    }
}
