//! Old parts are found over several calls, and what is not named like a part is nobody's.

use onetimeshare_server::blob::BlobStore as _;
use onetimeshare_server::record::StoreError;
use onetimeshare_tests::S3;

use crate::buckets::{body, open, part, pattern};

const FAR_FUTURE: u64 = 1 << 40;

#[tokio::test]
async fn a_bucket_is_gone_through_a_few_at_a_time_and_again() {
    for server in [S3::s3s_fs(), S3::moto()] {
        let opened = open(server.address(), "a").await;
        let mut objects: Vec<_> = (0..5).map(|index| part(1, index)).collect();
        objects.extend((0..2).map(|index| part(200, index)));
        for object in &objects {
            opened
                .store
                .write(object, body(&pattern(10)))
                .await
                .unwrap();
        }
        for _ in 0..2 {
            let mut found = Vec::new();
            loop {
                let some = opened.store.list_old(0, FAR_FUTURE, 3).await.unwrap();
                found.extend_from_slice(&some);
                if some.len() < 3 {
                    break;
                }
            }
            found.sort();
            objects.sort();
            assert_eq!(found, objects);
        }
        let young = opened.store.list_old(FAR_FUTURE, FAR_FUTURE, 3).await;
        assert_eq!(young.unwrap(), []);
    }
}

#[tokio::test]
async fn what_others_put_among_the_parts_is_passed_over() {
    let server = S3::moto();
    let opened = open(server.address(), "a").await;
    let object = part(1, 1);
    opened
        .store
        .write(&object, body(&pattern(10)))
        .await
        .unwrap();
    let name = object.to_string();
    let put = |key: &str| server.ask("PUT", &format!("/{}/{key}", S3::BUCKET), "theirs");
    for key in [
        "a/partsparts",
        "a/parts/readme",
        "a/parts/x/1.00000000000000ff",
        &format!("a/parts/{name}.aside"),
        &format!("a/parts/more/{name}"),
        &format!("a/more/parts/{name}"),
        &format!("b/parts/{name}"),
        &format!("parts/{name}"),
    ] {
        put(key);
    }
    for _ in 0..2 {
        let found = opened.store.list_old(0, FAR_FUTURE, 100).await.unwrap();
        assert_eq!(found, std::slice::from_ref(&object));
    }
    // The library does not read a page on which such a name stands: that is told, and nothing is deleted meanwhile.
    put("a/parts/x//y");
    let told = opened.store.list_old(0, FAR_FUTURE, 100).await;
    assert!(matches!(told, Err(StoreError::Corrupt(_))), "{told:?}");
}
